//! Public keys as PEM, DER and raw: SubjectPublicKeyInfo, PKCS#1.

use swarmauri_keys::{KeyError, KeyType, PublicKey};

use crate::check::{quotes_little, refuses};
use crate::keys;

/// As for private keys; and DER has one form of each key, so what is read is what is written.
pub fn run(input: &[u8]) {
    der(input);
    if let Ok(text) = std::str::from_utf8(input) {
        pem(text);
    }
    for key_type in [KeyType::Ed25519, KeyType::X25519, KeyType::P256, KeyType::Rsa, KeyType::Octets] {
        let read = PublicKey::from_raw(key_type, input);
        if let Ok(key) = &read {
            assert_eq!(key.to_raw().as_deref(), Some(input));
        }
        accepted(read, input);
    }
}

fn der(input: &[u8]) {
    let (spki, pkcs1) = (PublicKey::from_spki_der(input), PublicKey::from_pkcs1_der(input));
    if let Ok(key) = &spki {
        assert_eq!(key.to_spki_der(), input, "DER is distinguished");
    }
    let general = PublicKey::from_der(input);
    match (&spki, &pkcs1) {
        (Ok(_), Ok(_)) => panic!("it is of one form"),
        (Ok(key), _) | (_, Ok(key)) => assert_eq!(general.as_ref().ok(), Some(key)),
        (Err(_), Err(_)) => assert!(general.is_err(), "{general:?}"),
    }
    if general.is_ok() {
        refuses(PublicKey::from_der(&[input, b"\0"].concat()), "a byte after the key");
        refuses(PublicKey::from_der(&input[..input.len() - 1]), "a key without its end");
    }
    for read in [spki, pkcs1, general] {
        accepted(read, input);
    }
}

fn pem(text: &str) {
    let general = PublicKey::from_pem(text);
    if let Ok(key) = PublicKey::from_spki_pem(text) {
        assert_eq!(general.as_ref().ok(), Some(&key));
    }
    if general.is_ok() {
        refuses(PublicKey::from_pem(&format!("{text}\nA")), "text after the block");
        refuses(PublicKey::from_pem(&format!("A\n{text}")), "text before the block");
        refuses(PublicKey::from_pem(&format!("{text}\n{text}")), "a second key");
    }
    accepted(general, text.as_bytes());
}

fn accepted(read: Result<PublicKey, KeyError>, input: &[u8]) {
    match read {
        Ok(key) => keys::public_key(&key),
        Err(error) => quotes_little(&error, input),
    }
}
