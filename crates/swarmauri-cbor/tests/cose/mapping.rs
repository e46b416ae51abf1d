//! How the members of a JWK become labels and values, and back.

use swarmauri_cbor::cose::{Error, key_from_slice, key_to_vec, keyset_from_slice, keyset_to_vec};
use swarmauri_cbor::{Value, value_from_slice};
use swarmauri_keys::{Jwk, JwkSet, KeyAlg, KeyId, KeyVersion, P256Point, PublicKey};

use crate::common::unhex;
use crate::fixtures::{ED25519, ELEVEN, Ec2, MERIADOC, X25519, bare, encode, map, octets_32, rsa};

/// The bytes, written out, of a key of each type as we publish it.
fn published() -> [(KeyAlg, PublicKey, String); 5] {
    let Ec2(_, _, x, y, _) = MERIADOC;
    let point = P256Point { x: octets_32(x), y: octets_32(y) };
    let n = "fb".repeat(256);
    let kid = "0243 612e31";
    [
        (
            KeyAlg::Ed25519,
            PublicKey::Ed25519(octets_32(ED25519)),
            format!("a5 0101 {kid} 0327 2006 215820 {ED25519}"),
        ),
        (
            KeyAlg::X25519,
            PublicKey::X25519(octets_32(X25519)),
            format!("a5 0101 {kid} 033818 2004 215820 {X25519}"),
        ),
        (KeyAlg::EcdsaP256Sha256, point.into(), format!("a6 0102 {kid} 0326 2001 215820 {x} 225820 {y}")),
        (
            KeyAlg::RsaPssSha256,
            PublicKey::Rsa(rsa()),
            format!("a5 0103 {kid} 033824 20590100 {n} 2143010001"),
        ),
        (
            KeyAlg::RsaOaepSha256,
            PublicKey::Rsa(rsa()),
            format!("a5 0103 {kid} 033828 20590100 {n} 2143010001"),
        ),
    ]
}

/// The members of a JWK, not those of a COSE_Key: plain CBOR of it is deterministic as it comes.
#[test]
fn the_encoder_has_nothing_to_move_in_a_jwk() {
    let id = KeyId::new("a").unwrap().at(KeyVersion::FIRST);
    for (alg, key, _) in published() {
        let published = Jwk::published(&id, alg, key);
        let full = Jwk { key_ops: Some(vec!["verify".to_owned()]), ..published.clone() };
        for jwk in [bare(published.key.clone()), published, full] {
            let mut plain = Vec::new();
            ciborium::into_writer(&jwk, &mut plain).unwrap();
            assert_eq!(swarmauri_cbor::to_vec(&jwk), Ok(plain), "{alg}");
        }
    }
}

#[test]
fn published_keys_make_the_round_trip() {
    let id = KeyId::new("a").unwrap().at(KeyVersion::FIRST);
    let mut keys = Vec::new();
    let mut encoded = unhex("85");
    for (alg, key, hex) in published() {
        let jwk = Jwk::published(&id, alg, key);
        assert_eq!(key_to_vec(&jwk).unwrap(), unhex(&hex), "{alg}");
        let read = key_from_slice(&unhex(&hex)).unwrap();
        assert_eq!(read, Jwk { use_: None, ..jwk.clone() }, "{alg}");
        encoded.extend(unhex(&hex));
        keys.push(jwk);
    }
    assert_eq!(keyset_to_vec(&JwkSet { keys: keys.clone() }).unwrap(), encoded);
    let keys = keys.into_iter().map(|jwk| Jwk { use_: None, ..jwk }).collect();
    assert_eq!(keyset_from_slice(&encoded), Ok(JwkSet { keys }));
}

#[test]
fn algorithms_have_their_registered_numbers() {
    let okp = PublicKey::Ed25519(octets_32(ED25519));
    let x25519 = PublicKey::X25519(octets_32(X25519));
    let ec2 = MERIADOC.jwk().key;
    let rsa = PublicKey::Rsa(rsa());
    let table = [
        (&okp, "EdDSA", -8),
        (&okp, "Ed25519", -19),
        (&ec2, "ES256", -7),
        (&x25519, "ECDH-ES", -25),
        (&ec2, "ECDH-ES", -25),
        (&x25519, "ECDH-ES+A128KW", -29),
        (&ec2, "ECDH-ES+A128KW", -29),
        (&x25519, "ECDH-ES+A192KW", -30),
        (&ec2, "ECDH-ES+A192KW", -30),
        (&x25519, "ECDH-ES+A256KW", -31),
        (&ec2, "ECDH-ES+A256KW", -31),
        (&rsa, "PS256", -37),
        (&rsa, "PS384", -38),
        (&rsa, "PS512", -39),
        (&rsa, "RSA-OAEP", -40),
        (&rsa, "RSA-OAEP-256", -41),
        (&rsa, "RSA-OAEP-512", -42),
        (&rsa, "RS256", -257),
        (&rsa, "RS384", -258),
        (&rsa, "RS512", -259),
    ];
    let keys = [&okp, &x25519, &ec2, &rsa];
    for (key, name, number) in table {
        let jwk = Jwk { alg: Some(name.into()), ..bare(key.clone()) };
        let encoded = key_to_vec(&jwk).unwrap();
        let value = value_from_slice(&encoded).unwrap();
        let alg = value.as_map().unwrap().iter().find(|(label, _)| *label == 3.into());
        assert_eq!(alg.map(|(_, alg)| alg.clone()), Some(number.into()), "{name}");
        assert_eq!(key_from_slice(&encoded), Ok(jwk), "{name}");

        let fits = |key: &PublicKey| table.iter().any(|&(other, known, _)| known == name && other == key);
        for other in keys.into_iter().filter(|other| !fits(other)) {
            let jwk = Jwk { alg: Some(name.into()), ..bare(other.clone()) };
            assert!(matches!(key_to_vec(&jwk), Err(Error::Member { member: "alg", .. })), "{name}");
            let Value::Map(mut entries) =
                value_from_slice(&key_to_vec(&bare(other.clone())).unwrap()).unwrap()
            else {
                panic!("not a map");
            };
            entries.push((3.into(), number.into()));
            let read = key_from_slice(&encode(&Value::Map(entries)));
            assert!(matches!(read, Err(Error::Member { member: "alg", .. })), "{name}");
        }
    }
    let unknown = Jwk { alg: Some("ES512".into()), ..MERIADOC.jwk() };
    assert!(matches!(key_to_vec(&unknown), Err(Error::Unsupported { member: "alg", .. })));
}

#[test]
fn key_operations_have_their_registered_numbers() {
    let ops = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    let all = ["sign", "verify", "encrypt", "decrypt", "wrapKey", "unwrapKey", "deriveKey", "deriveBits"];
    let jwk = Jwk { key_ops: ops(&all), ..ELEVEN.jwk() };
    let numbers = (1..=8).map(Value::from).collect();
    let expected = [ELEVEN.public(), vec![(4, Value::Array(numbers))]].concat();
    assert_eq!(key_to_vec(&jwk).unwrap(), encode(&map(expected)));
    assert_eq!(key_from_slice(&key_to_vec(&jwk).unwrap()), Ok(jwk));

    let named = Jwk { key_ops: ops(&["verify", "urn:example:op"]), ..ELEVEN.jwk() };
    assert_eq!(key_from_slice(&key_to_vec(&named).unwrap()), Ok(named));

    for refused in [ops(&[]), ops(&["verify", "sign", "verify"])] {
        let refused = key_to_vec(&Jwk { key_ops: refused, ..ELEVEN.jwk() });
        assert!(matches!(refused, Err(Error::Member { member: "key_ops", .. })), "{refused:?}");
    }
}
