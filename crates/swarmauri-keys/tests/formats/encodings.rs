//! PKCS#8, SEC1, PKCS#1, SubjectPublicKeyInfo and raw keys: what others wrote is read, and written again
//! byte for byte.

use swarmauri_keys::{KeyMaterial, KeyType, PrivateKey, PublicKey};

use crate::vectors::{
    EC_PARAMETERS, ED25519, ED25519_PKCS8, ED25519_SPKI, P256, P256_PKCS8, P256_SEC1, P256_SPKI, RSA_PKCS1,
    RSA_PKCS1_PUBLIC, RSA_PKCS8, RSA_SPKI, RSA_THUMBPRINT, X25519, X25519_PKCS8, X25519_SPKI, b64url, der,
};

/// A key, and each text that holds it.
struct Files {
    key_type: KeyType,
    pkcs8: &'static str,
    spki: &'static str,
    other_private: Vec<String>,
    other_public: Vec<&'static str>,
}

fn files() -> [Files; 4] {
    [
        Files {
            key_type: KeyType::Ed25519,
            pkcs8: ED25519_PKCS8[0],
            spki: ED25519_SPKI,
            other_private: vec![ED25519_PKCS8[1].to_owned()],
            other_public: vec![],
        },
        Files {
            key_type: KeyType::X25519,
            pkcs8: X25519_PKCS8,
            spki: X25519_SPKI,
            other_private: vec![],
            other_public: vec![],
        },
        Files {
            key_type: KeyType::P256,
            pkcs8: P256_PKCS8,
            spki: P256_SPKI,
            other_private: vec![P256_SEC1.to_owned(), format!("{EC_PARAMETERS}{P256_SEC1}")],
            other_public: vec![],
        },
        Files {
            key_type: KeyType::Rsa,
            pkcs8: RSA_PKCS8,
            spki: RSA_SPKI,
            other_private: vec![RSA_PKCS1.to_owned()],
            other_public: vec![RSA_PKCS1_PUBLIC],
        },
    ]
}

#[test]
fn private_keys_are_written_as_they_were_read() {
    for Files { key_type, pkcs8, spki, .. } in files() {
        let public = PublicKey::from_spki_pem(spki).unwrap();
        let key = PrivateKey::from_pkcs8_pem(pkcs8).unwrap();
        assert_eq!(key.key_type(), key_type);
        assert!(key.public_key().is_none_or(|claimed| *claimed == public), "{key_type}");
        assert_eq!(key.to_pkcs8_pem().expose_secret(), pkcs8.as_bytes(), "{key_type}");
        assert_eq!(key.to_pkcs8_der().expose_secret(), der(pkcs8), "{key_type}");

        // Version 1 of Ed25519 and X25519 has no place for the public half.
        let paired = key.with_public_key(public);
        assert_eq!(paired.to_pkcs8_der().expose_secret(), der(pkcs8), "{key_type}");
    }
}

#[test]
fn every_private_form_holds_the_same_key() {
    for Files { key_type, pkcs8, other_private, .. } in files() {
        let key = PrivateKey::from_pkcs8_der(&der(pkcs8)).unwrap();
        let same =
            |other: &PrivateKey| other.expose_secret() == key.expose_secret() && other.key_type() == key_type;
        for pem in other_private.iter().map(String::as_str).chain([pkcs8]) {
            assert!(same(&PrivateKey::from_pem(pem).unwrap()), "{pem}");
            let KeyMaterial::Private(material) = KeyMaterial::from_pem(pem).unwrap() else { panic!("{pem}") };
            assert!(same(&material), "{pem}");
            let pem = pem.strip_prefix(EC_PARAMETERS).unwrap_or(pem);
            assert!(same(&PrivateKey::from_der(&der(pem)).unwrap()), "{pem}");
            assert!(
                matches!(KeyMaterial::from_der(&der(pem)).unwrap(), KeyMaterial::Private(key) if same(&key))
            );
        }
        if let Some(raw) = key.to_raw() {
            assert!(same(&PrivateKey::from_raw(key_type, raw.expose_secret()).unwrap()));
        }
    }
}

#[test]
fn every_public_form_holds_the_same_key() {
    for Files { key_type, spki, other_public, .. } in files() {
        let key = PublicKey::from_spki_der(&der(spki)).unwrap();
        assert_eq!((key.key_type(), key.to_spki_pem().as_str()), (key_type, spki));
        assert_eq!(key.to_spki_der(), der(spki));
        for pem in other_public.into_iter().chain([spki]) {
            assert_eq!(PublicKey::from_pem(pem).unwrap(), key);
            assert_eq!(PublicKey::from_der(&der(pem)).unwrap(), key);
            assert!(
                matches!(KeyMaterial::from_pem(pem).unwrap(), KeyMaterial::Public(public) if public == key)
            );
            assert!(
                matches!(KeyMaterial::from_der(&der(pem)).unwrap(), KeyMaterial::Public(public) if public == key)
            );
        }
        match key.to_raw() {
            Some(raw) => assert_eq!(PublicKey::from_raw(key_type, &raw).unwrap(), key),
            None => assert_eq!(key_type, KeyType::Rsa),
        }
    }
}

#[test]
fn the_keys_are_those_of_the_rfcs() {
    let raw = |pem| PublicKey::from_pem(pem).unwrap().to_raw().unwrap();
    assert_eq!(raw(X25519_SPKI), b64url(X25519[0]));
    assert_eq!(raw(P256_SPKI), [vec![4], b64url(P256[0]), b64url(P256[1])].concat());
    assert_eq!(PrivateKey::from_pem(P256_SEC1).unwrap().expose_secret(), b64url(P256[2]));
    let rsa = PublicKey::from_pem(RSA_PKCS1_PUBLIC).unwrap();
    assert_eq!((rsa.thumbprint().as_str(), rsa.size_bits()), (RSA_THUMBPRINT, Some(2048)));
    let ed25519 = PublicKey::from_raw(KeyType::Ed25519, &b64url(ED25519[1])).unwrap();
    assert!(matches!(ed25519, PublicKey::Ed25519(raw) if raw[..] == b64url(ED25519[1])));
}

/// RFC 8410 section 10.3: attributes are skipped, and the public half is taken along.
#[test]
fn version_2_brings_the_public_half() {
    let [v1, v2] = ED25519_PKCS8.map(|pem| PrivateKey::from_pem(pem).unwrap());
    assert_eq!(v1.public_key(), None);
    assert_eq!(v2.public_key(), Some(&PublicKey::from_pem(ED25519_SPKI).unwrap()));
    assert_eq!(v1.expose_secret(), v2.expose_secret());
    // Written as version 1.
    assert_eq!(v2.to_pkcs8_der().expose_secret(), der(ED25519_PKCS8[0]));
}

#[test]
fn a_p256_key_without_public_half_is_written_without() {
    let key = PrivateKey::from_raw(KeyType::P256, &b64url(P256[2])).unwrap();
    let again = PrivateKey::from_pkcs8_der(key.to_pkcs8_der().expose_secret()).unwrap();
    assert_eq!((again.public_key(), again.expose_secret()), (None, key.expose_secret()));
}
