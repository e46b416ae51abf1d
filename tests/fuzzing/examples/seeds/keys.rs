//! Keys of every kind in every form.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};
use swarmauri_cbor::cose;
use swarmauri_keys::{
    Jwk, JwkSet, KeyAlg, KeyId, KeyMaterial, KeyType, KeyVersion, PrivateKey, PublicKey, SecretMaterial,
};
use swarmauri_softkeys::SoftKey;

use crate::{Seed, named};

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../../../../crates/swarmauri-keys/tests/formats/data/", $name))
    };
}

const PRIVATE: [(&str, &str); 5] = [
    ("p256-pkcs8", file!("p256.pkcs8.pem")),
    ("p256-sec1", file!("p256.sec1.pem")),
    ("rsa-pkcs8", file!("rsa.pkcs8.pem")),
    ("rsa-pkcs1", file!("rsa.pkcs1.pem")),
    // RFC 8410 section 10.3, version 2 with attributes and public key.
    (
        "ed25519-pkcs8-v2",
        "-----BEGIN PRIVATE KEY-----\n\
         MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
         oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB\n\
         Z9w7lshQhqowtrbLDFw4rXAxZuE=\n\
         -----END PRIVATE KEY-----\n",
    ),
];
const PUBLIC: [(&str, &str); 3] = [
    ("p256-spki", file!("p256.spki.pem")),
    ("rsa-spki", file!("rsa.spki.pem")),
    ("rsa-pkcs1", file!("rsa.pkcs1-public.pem")),
];
/// Well-formed, and not for us.
const REFUSED: [(&str, &str); 5] = [
    ("compressed", file!("refused-compressed.pem")),
    ("encrypted", file!("refused-encrypted.pem")),
    ("explicit-curve", file!("refused-explicit-curve.pem")),
    ("p384", file!("refused-p384.sec1.pem")),
    ("ed448", file!("refused-ed448.pem")),
];
const EC_PARAMETERS: &str = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";

/// A pair of each type, from RFCs, with the name of the type.
pub(crate) fn pairs() -> Vec<(&'static str, KeyAlg, PrivateKey)> {
    // RFC 8037 appendix A.1, RFC 7748 section 6.1.
    let ed25519 = hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    let x25519 = hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ac177fba51db92c2a");
    let raw = [("ed25519", KeyAlg::Ed25519, ed25519), ("x25519", KeyAlg::X25519, x25519)];
    let mut pairs = Vec::new();
    for (name, alg, raw) in raw {
        pairs.push((name, alg, PrivateKey::from_raw(alg.key_type(), &raw).unwrap()));
    }
    pairs.push(("p256", KeyAlg::EcdsaP256Sha256, PrivateKey::from_pem(PRIVATE[0].1).unwrap()));
    pairs.push(("rsa", KeyAlg::RsaPssSha256, PrivateKey::from_pem(PRIVATE[2].1).unwrap()));
    let whole = |(name, alg, key)| {
        let soft = SoftKey::import(alg, KeyMaterial::Private(key)).unwrap();
        let Some(SecretMaterial::Private(key)) = soft.secret() else { unreachable!() };
        (name, alg, key)
    };
    pairs.into_iter().map(whole).collect()
}

pub(crate) fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

pub(crate) fn seeds() -> Vec<Seed> {
    [private(), public(), jwks_and_cose()].concat()
}

fn private() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (name, pem) in PRIVATE {
        seeds.push(named("private_key", &format!("{name}.pem"), pem));
        seeds.push(named("private_key", &format!("{name}.der"), der(pem)));
    }
    for (name, pem) in REFUSED {
        seeds.push(named("private_key", &format!("refused-{name}.pem"), pem));
        seeds.push(named("private_key", &format!("refused-{name}.der"), der(pem)));
    }
    let without_curve = [EC_PARAMETERS, PRIVATE[1].1].concat();
    seeds.push(named("private_key", "p256-sec1-with-parameters.pem", without_curve));
    for (name, _, key) in pairs() {
        seeds.push(named("private_key", &format!("{name}.pem"), key.to_pkcs8_pem().expose_secret()));
        seeds.push(named("private_key", &format!("{name}.der"), key.to_pkcs8_der().expose_secret()));
        if let Some(raw) = key.to_raw() {
            seeds.push(named("private_key", &format!("{name}.raw"), raw.expose_secret()));
        }
    }
    seeds
}

fn public() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (name, pem) in PUBLIC.into_iter().chain(REFUSED) {
        seeds.push(named("public_key", &format!("{name}.pem"), pem));
        seeds.push(named("public_key", &format!("{name}.der"), der(pem)));
    }
    for (name, _, key) in publics() {
        seeds.push(named("public_key", &format!("{name}.pem"), key.to_spki_pem()));
        seeds.push(named("public_key", &format!("{name}.der"), key.to_spki_der()));
        seeds.extend(key.to_raw().map(|raw| named("public_key", &format!("{name}.raw"), raw)));
    }
    seeds
}

fn publics() -> Vec<(&'static str, KeyAlg, PublicKey)> {
    pairs().into_iter().map(|(name, alg, key)| (name, alg, key.public_key().unwrap().clone())).collect()
}

fn jwks_and_cose() -> Vec<Seed> {
    let mut seeds = Vec::new();
    let mut all = Vec::new();
    let id = KeyId::new("signing").unwrap().at(KeyVersion::FIRST);
    for (name, alg, key) in pairs() {
        seeds.push(named("jwk", &format!("{name}-private"), key.to_jwk(&id, alg).unwrap().expose_secret()));
        let jwk = Jwk::published(&id, alg, key.public_key().unwrap().clone());
        seeds.push(named("jwk", name, serde_json::to_vec(&jwk).unwrap()));
        let ops =
            Jwk { use_: None, key_ops: Some(vec!["verify".to_owned(), "own".to_owned()]), ..jwk.clone() };
        seeds.push(named("jwk", &format!("{name}-ops"), serde_json::to_vec(&ops).unwrap()));
        seeds.push(named("cose", name, cose::key_to_vec(&jwk).unwrap()));
        seeds.push(named("cose", &format!("{name}-ops"), cose::key_to_vec(&ops).unwrap()));
        if name == "ed25519" {
            // RFC 9864 section 2.2.
            let specified = Jwk { alg: Some("Ed25519".into()), ..jwk.clone() };
            seeds.push(named("cose", "ed25519-fully-specified", cose::key_to_vec(&specified).unwrap()));
            seeds.push(named("jwk", "ed25519-fully-specified", serde_json::to_vec(&specified).unwrap()));
        }
        all.push(jwk);
    }
    let oct = json!({ "kty": "oct", "k": Base64UrlUnpadded::encode_string(&[7; 32]), "alg": "A256GCM", "kid": "k.1" });
    seeds.push(named("jwk", "oct", oct.to_string()));
    assert_eq!(pairs()[0].2.key_type(), KeyType::Ed25519);
    let set = JwkSet { keys: all };
    seeds.push(named("cose", "set", cose::keyset_to_vec(&set).unwrap()));
    let mut document = serde_json::to_value(&set).unwrap();
    seeds.push(named("jwks", "set", document.to_string()));
    // What is passed over: a key of another type, one that lacks a member, members that nobody knows.
    let strange = [
        json!({ "kty": "AKP" }),
        json!({ "kty": "OKP", "crv": "Ed25519" }),
        json!({ "kty": "EC", "x5c": ["AA"] }),
    ];
    document["keys"].as_array_mut().unwrap().extend(strange);
    document["next"] = json!({ "of": [1, 2.5, null, true] });
    seeds.push(named("jwks", "strange", document.to_string()));
    document["keys"] = json!([oct]);
    seeds.push(named("jwks", "with-a-secret", document.to_string()));
    seeds.push(named("jwks", "empty", Value::from(r#"{"keys":[]}"#).as_str().unwrap()));
    seeds
}

/// What is in the last block of a PEM text.
fn der(pem: &str) -> Vec<u8> {
    let block = pem.lines().rev().skip(1).take_while(|line| !line.starts_with("-----BEGIN"));
    let lines: Vec<_> = block.collect();
    let base64: String = lines.into_iter().rev().collect();
    base64ct::Base64::decode_vec(&base64).unwrap()
}
