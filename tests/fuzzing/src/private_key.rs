//! Private keys as PEM, DER and raw: PKCS#8, SEC1, PKCS#1.

use swarmauri_keys::{KeyError, KeyMaterial, KeyType, PrivateKey, PublicKey};

use crate::check::{quotes_little, refuses};
use crate::keys;

/// Whatever is read is written and read back as the same key; nothing may follow a key; the general parser and the special
/// ones say the same.
pub fn run(input: &[u8]) {
    der(input);
    if let Ok(text) = std::str::from_utf8(input) {
        pem(text);
    }
    for key_type in [KeyType::Ed25519, KeyType::X25519, KeyType::P256, KeyType::Rsa, KeyType::Octets] {
        accepted(PrivateKey::from_raw(key_type, input), input);
    }
}

fn der(input: &[u8]) {
    let special = [
        PrivateKey::from_pkcs8_der(input),
        PrivateKey::from_sec1_der(input),
        PrivateKey::from_pkcs1_der(input),
    ];
    assert!(special.iter().filter(|read| read.is_ok()).count() <= 1, "it is of one form");
    let general = PrivateKey::from_der(input);
    assert_eq!(general.is_ok(), special.iter().any(Result::is_ok), "{general:?}");
    if let (Ok(general), Some(special)) = (&general, special.iter().flatten().next()) {
        keys::same_secret(general, special);
        assert_eq!(general.public_key(), special.public_key());
    }
    match KeyMaterial::from_der(input) {
        Ok(KeyMaterial::Private(key)) => keys::same_secret(&key, general.as_ref().expect("both read it")),
        Ok(KeyMaterial::Public(key)) => assert_eq!(PublicKey::from_der(input).ok(), Some(key)),
        Ok(KeyMaterial::Symmetric(_)) => panic!("no symmetric key is DER"),
        Err(error) => {
            assert!(general.is_err() && PublicKey::from_der(input).is_err(), "{error}");
            quotes_little(&error, input);
        }
    }
    if general.is_ok() {
        refuses(PrivateKey::from_der(&[input, b"\0"].concat()), "a byte after the key");
        refuses(PrivateKey::from_der(&input[..input.len() - 1]), "a key without its end");
    }
    for read in special {
        accepted(read, input);
    }
}

fn pem(text: &str) {
    let general = PrivateKey::from_pem(text);
    if let Ok(special) = PrivateKey::from_pkcs8_pem(text) {
        keys::same_secret(&special, general.as_ref().expect("the general parser reads PKCS#8 too"));
    }
    match KeyMaterial::from_pem(text) {
        Ok(KeyMaterial::Private(key)) => keys::same_secret(&key, general.as_ref().expect("both read it")),
        Ok(KeyMaterial::Public(key)) => assert_eq!(PublicKey::from_pem(text).ok(), Some(key)),
        Ok(KeyMaterial::Symmetric(_)) => panic!("no symmetric key is PEM"),
        Err(error) => {
            assert!(general.is_err() && PublicKey::from_pem(text).is_err(), "{error}");
            quotes_little(&error, text.as_bytes());
        }
    }
    if general.is_ok() {
        refuses(PrivateKey::from_pem(&format!("{text}\nA")), "text after the block");
        refuses(PrivateKey::from_pem(&format!("A\n{text}")), "text before the block");
        refuses(PrivateKey::from_pem(&format!("{text}\n{text}")), "a second key");
    }
    accepted(general, text.as_bytes());
}

fn accepted(read: Result<PrivateKey, KeyError>, input: &[u8]) {
    match read {
        Ok(key) => keys::private_key(&key),
        Err(error) => quotes_little(&error, input),
    }
}
