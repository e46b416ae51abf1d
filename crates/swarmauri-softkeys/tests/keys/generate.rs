//! What is generated, and what is said about it beforehand.

use swarmauri_keys::{Fingerprint, KeyAlg, KeyErrorKind, KeyMaterial, KeyType, SecretMaterial};
use swarmauri_softkeys::{SoftKey, generates, imports, imports_public, is_slow_to_generate};

use crate::support::{RSA_2048, pairs, private};

#[test]
fn what_is_announced_is_what_happens() {
    for alg in KeyAlg::ALL.iter().copied() {
        // The smallest, to be quick.
        let size = (alg.key_type() == KeyType::Rsa).then_some(2048);
        match SoftKey::generate(alg, size) {
            Ok(key) => assert!(generates(alg) && key.size_bits() == size, "{alg}"),
            Err(error) => {
                assert_eq!(error.kind(), KeyErrorKind::UnsupportedAlgorithm, "{alg}");
                assert!(!generates(alg) && error.to_string().contains("enable the feature `"), "{error}");
            }
        }
        assert_eq!(imports_public(alg), alg.key_type() != KeyType::Octets);
        assert_eq!(is_slow_to_generate(alg), alg.key_type() == KeyType::Rsa);
    }
}

#[test]
fn features_decide_on_rsa_and_x25519_alone() {
    for alg in KeyAlg::ALL.iter().copied() {
        let rsa = alg.key_type() != KeyType::Rsa || cfg!(feature = "rsa");
        let x25519 = alg != KeyAlg::X25519 || cfg!(feature = "x25519");
        assert_eq!(generates(alg), rsa && x25519, "{alg}");
        assert_eq!(imports(alg), x25519, "{alg}");
    }
}

#[cfg(not(feature = "x25519"))]
#[test]
fn without_its_feature_x25519_is_public_only() {
    use swarmauri_keys::{PrivateKey, PublicKey};

    let key = PrivateKey::from_raw(KeyType::X25519, &[7; 32]).unwrap();
    let error = SoftKey::import(KeyAlg::X25519, KeyMaterial::Private(key)).unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::UnsupportedAlgorithm);
    assert!(error.to_string().contains("feature `x25519`"), "{error}");
    let public = PublicKey::from_raw(KeyType::X25519, &[9; 32]).unwrap();
    assert!(SoftKey::import(KeyAlg::X25519, KeyMaterial::Public(public)).is_ok());
}

#[cfg(feature = "rsa")]
#[test]
fn rsa_keys_have_the_size_asked_for_and_pass_the_import() {
    use swarmauri_keys::PublicKey;

    for (asked, bits) in [(Some(2048), 2048), (None, 3072)] {
        let key = SoftKey::generate(KeyAlg::RsaPssSha256, asked).unwrap();
        assert_eq!(key.size_bits(), Some(bits));
        let Some(PublicKey::Rsa(public)) = key.public_key() else { panic!("not RSA") };
        assert_eq!(public.e(), [1, 0, 1]);
        let again = SoftKey::import(KeyAlg::RsaPssSha256, key.secret().unwrap().into()).unwrap();
        assert_eq!(again.fingerprint(), key.fingerprint());
    }
}

#[test]
fn sizes_that_are_not_to_be_had_are_refused() {
    for (alg, bits) in [
        (KeyAlg::RsaPssSha256, 1024),
        (KeyAlg::RsaPssSha256, 2047),
        (KeyAlg::RsaOaepSha256, 8192),
        (KeyAlg::RsaOaepSha256, 0),
        (KeyAlg::Aes256Gcm, 256),
        (KeyAlg::Ed25519, 2048),
    ] {
        let error = SoftKey::generate(alg, Some(bits)).unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::InvalidInput, "{alg}");
        assert!(error.to_string().contains(&format!("not {bits}")), "{error}");
    }
}

#[test]
fn symmetric_keys_are_32_random_bytes_without_public_half() {
    for alg in [KeyAlg::Aes256Gcm, KeyAlg::HmacSha256] {
        let [one, other] = [(); 2].map(|()| SoftKey::generate(alg, None).unwrap());
        let Some(SecretMaterial::Symmetric(secret)) = one.secret() else { panic!("not symmetric") };
        assert_eq!((secret.len(), one.public_key(), one.size_bits(), one.alg()), (32, None, None, alg));
        assert_ne!(one.fingerprint(), other.fingerprint());
        assert_eq!(*one.fingerprint(), Fingerprint::of_symmetric(alg, &secret));
        let again = SoftKey::import(alg, KeyMaterial::Symmetric(secret)).unwrap();
        assert_eq!(again.fingerprint(), one.fingerprint());
    }
}

#[test]
fn every_pair_survives_every_encoding() {
    for [key, other] in pairs() {
        let alg = key.alg();
        assert_ne!(key.fingerprint(), other.fingerprint());
        let secret = private(&key);
        let pem = secret.to_pkcs8_pem();
        let jwk = serde_json::to_vec(&crate::support::jwk(&key)).unwrap();
        let mut materials = vec![
            KeyMaterial::Private(secret.clone()),
            KeyMaterial::from_der(secret.to_pkcs8_der().expose_secret()).unwrap(),
            KeyMaterial::from_pem(std::str::from_utf8(pem.expose_secret()).unwrap()).unwrap(),
            KeyMaterial::from_jwk(alg, &jwk).unwrap(),
        ];
        if let Some(raw) = secret.to_raw() {
            let raw = swarmauri_keys::PrivateKey::from_raw(alg.key_type(), raw.expose_secret()).unwrap();
            materials.push(KeyMaterial::Private(raw));
        }
        for material in materials {
            let again = SoftKey::import(alg, material).unwrap();
            assert_eq!(again.fingerprint(), key.fingerprint(), "{alg}");
            assert_eq!(again.public_key(), key.public_key(), "{alg}");
            assert_eq!(private(&again).public_key(), key.public_key(), "{alg}");
        }
        let public = SoftKey::import(alg, KeyMaterial::Public(key.public_key().unwrap().clone())).unwrap();
        assert_eq!(public.fingerprint(), key.fingerprint());
        assert!(public.secret().is_none() && public.public_key() == key.public_key());
    }
}

#[test]
fn debug_shows_no_secret() {
    let aes: Vec<u8> = (100..132).collect();
    let aes = SoftKey::import(KeyAlg::Aes256Gcm, KeyMaterial::Symmetric(aes.into())).unwrap();
    let shown = format!("{aes:?}");
    assert!(shown.contains("redacted") && !shown.contains("100, 101") && !shown.contains("6465"), "{shown}");

    let rsa = SoftKey::import(KeyAlg::RsaPssSha256, KeyMaterial::from_pem(RSA_2048).unwrap()).unwrap();
    let jwk = crate::support::jwk(&rsa);
    let shown = format!("{rsa:?} {:?}", rsa.secret());
    for name in ["d", "p", "q", "dp", "dq", "qi"] {
        assert!(!shown.contains(jwk[name].as_str().unwrap()), "{name}");
    }
}
