//! No secret byte shows where it was not asked for.

use std::fmt::Debug;

use swarmauri_keys::{
    Fingerprint, KeyAlg, KeyId, KeyMaterial, KeyVersion, KeyVersionId, PrivateKey, SecretMaterial,
};

use crate::vectors::{ED25519_PKCS8, P256_PKCS8, RSA_PKCS8, X25519_PKCS8, der, p256_private_jwk};

/// The marks that a debug print of these bytes would leave: as a list, in hex, in base64, as text.
fn marks(secret: &[u8]) -> Vec<String> {
    let some = &secret[..8];
    let hex = some.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let list = format!("{some:?}");
    vec![
        list[1..list.len() - 1].to_owned(),
        hex.to_uppercase(),
        hex,
        <base64ct::Base64UrlUnpadded as base64ct::Encoding>::encode_string(&some[..6]),
        <base64ct::Base64 as base64ct::Encoding>::encode_string(&some[..6]),
    ]
}

fn assert_silent(value: &dyn Debug, secret: &[u8]) {
    for shown in [format!("{value:?}"), format!("{value:#?}")] {
        assert!(shown.contains("redacted"), "{shown}");
        for mark in marks(secret) {
            assert!(!shown.contains(&mark), "{shown} shows {mark}");
        }
    }
}

#[test]
fn debug_shows_no_secret() {
    for pem in [ED25519_PKCS8[0], ED25519_PKCS8[1], X25519_PKCS8, P256_PKCS8, RSA_PKCS8] {
        let key = PrivateKey::from_pem(pem).unwrap();
        // Of an RSA key the secret begins after the header, modulus and exponent.
        let secret = key.expose_secret().to_vec();
        let secret = if secret.len() > 32 { &secret[secret.len() - 200..] } else { &secret };
        assert_silent(&key, secret);
        assert_silent(&key.to_pkcs8_der(), secret);
        assert_silent(&key.to_pkcs8_pem(), secret);
        assert_silent(&KeyMaterial::Private(key.clone()), secret);
        assert_silent(&SecretMaterial::Private(key), secret);
    }
    let octets: Vec<u8> = (100..132).collect();
    assert_silent(&KeyMaterial::Symmetric(octets.clone().into()), &octets);
    assert_silent(&SecretMaterial::Symmetric(octets.clone().into()), &octets);
    let id = KeyId::new("k").unwrap().at(KeyVersion::FIRST);
    let jwk = SecretMaterial::Symmetric(octets.clone().into()).to_jwk(&id, KeyAlg::Aes256Gcm).unwrap();
    assert_silent(&jwk, &octets);
    let jwk = KeyMaterial::from_jwk(KeyAlg::EcdsaP256Sha256, p256_private_jwk().as_bytes()).unwrap();
    assert_silent(&jwk, &der(P256_PKCS8)[36..68]);
}

#[test]
fn a_fingerprint_of_a_symmetric_key_holds_none_of_it() {
    let octets: Vec<u8> = (100..132).collect();
    let fingerprint = Fingerprint::of_symmetric(KeyAlg::HmacSha256, &octets.clone().into());
    for mark in marks(&octets) {
        assert!(!fingerprint.as_str().contains(&mark));
    }
}

/// An error about a broken private key names the place, not what is there.
#[test]
fn errors_about_broken_keys_hold_none_of_them() {
    for pem in [ED25519_PKCS8[1], P256_PKCS8, RSA_PKCS8] {
        let original = der(pem);
        for position in 0..original.len() {
            let mut changed = original.clone();
            changed[position] ^= 0xff;
            let Err(error) = PrivateKey::from_der(&changed) else {
                continue;
            };
            let shown = format!("{error} {error:?}");
            for window in original.windows(8).skip(30).step_by(8) {
                for mark in marks(window) {
                    assert!(!shown.contains(&mark), "{shown}");
                }
            }
        }
    }
}

/// A secret where a name should be: no error repeats enough of it to be of use.
#[test]
fn what_is_refused_is_quoted_in_part() {
    let secret = "NTU3ctv5E1hK1bbY8fdpK06nwoyHUCXqI9EdVhCAAAA";
    let jwk = |json: String| KeyMaterial::from_jwk(KeyAlg::Ed25519, json.as_bytes()).map(drop);
    let upper = secret.to_uppercase();
    let pem = |text: String| PrivateKey::from_pem(&text).map(drop);
    for refused in [
        jwk(format!(r#"{{"kty":"{secret}"}}"#)),
        jwk(format!(r#"{{"kty":"OKP","crv":"{secret}"}}"#)),
        jwk(format!(r#"{{"kty":"OKP","crv":"Ed25519","alg":"{secret}"}}"#)),
        jwk(format!(r#"{{"kty":"OKP","crv":"Ed25519","use":"{secret}"}}"#)),
        jwk(format!(r#"{{"{secret}":1,"{secret}":1}}"#)),
        pem(format!("-----BEGIN {upper}-----\n-----END {upper}-----\n")),
        pem(format!("-----BEGIN {upper}-----\n-----END A-----\n")),
        secret.parse::<KeyAlg>().map(drop),
        secret.parse::<KeyVersion>().map(drop),
        secret.parse::<KeyVersionId>().map(drop),
    ] {
        let error = refused.unwrap_err().to_string();
        let shown = error.to_uppercase();
        assert!(shown.contains(&upper[..20]), "it says which: {error}");
        assert!(!shown.contains(&upper[..25]), "{error}");
    }
}
