//! Forgeries: whatever is wrong with them, there is one error, and it says nothing else.

use std::collections::BTreeSet;

use swarmauri_keys::{Ciphertext, KeyAlg, KeyError, KeyErrorKind, KeyMaterial, KeyOperation};
use swarmauri_softkeys::{SoftKey, UsableKey, operates};

use crate::support::{RSA_2048, RSA_2048_OTHER, usable};

/// Two keys of this algorithm.
fn two(alg: KeyAlg, operation: KeyOperation) -> [UsableKey; 2] {
    [RSA_2048, RSA_2048_OTHER].map(|pem| {
        let key = match alg {
            KeyAlg::RsaOaepSha256 | KeyAlg::RsaPssSha256 => {
                SoftKey::import(alg, KeyMaterial::from_pem(pem).unwrap())
            }
            _ => SoftKey::generate(alg, None),
        };
        usable(key.unwrap(), operation)
    })
}

/// Everything that is close to these bytes: a bit flipped in each of some places, cut short, grown, empty.
fn close_to(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut close = vec![Vec::new(), bytes[1..].to_vec(), bytes[..bytes.len() - 1].to_vec()];
    close.push([bytes, &[0]].concat());
    close.push([&[0], bytes].concat());
    close.push(bytes[..bytes.len() / 2].to_vec());
    close.push(vec![0; bytes.len()]);
    close.push(vec![0xff; bytes.len()]);
    for at in [0, 1, bytes.len() / 2, bytes.len() - 1] {
        for bit in [0x01, 0x80] {
            let mut flipped = bytes.to_vec();
            flipped[at] ^= bit;
            close.push(flipped);
        }
    }
    close
}

/// Both texts of an error that must be there.
fn texts<T>(what: &str, result: Result<T, KeyError>) -> String {
    let Err(error) = result else { panic!("{what}: a forgery was accepted") };
    assert_eq!(error.kind(), KeyErrorKind::NotAuthentic, "{what}: {error}");
    format!("{error} {error:?}")
}

fn forged_signatures() -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    for alg in [KeyAlg::Ed25519, KeyAlg::EcdsaP256Sha256, KeyAlg::RsaPssSha256] {
        let [key, other] = two(alg, KeyOperation::Sign);
        let bytes = key.sign(b"message").unwrap().bytes;
        key.verify(b"message", &bytes).unwrap();
        seen.insert(texts("another key", other.verify(b"message", &bytes)));
        seen.insert(texts("another message", key.verify(b"massage", &bytes)));
        for forged in close_to(&bytes) {
            seen.insert(texts(&format!("{alg} {forged:02x?}"), key.verify(b"message", &forged)));
        }
    }
    seen
}

fn forged_macs() -> BTreeSet<String> {
    let [key, other] = two(KeyAlg::HmacSha256, KeyOperation::Mac);
    let bytes = key.mac(b"message").unwrap().bytes;
    key.verify_mac(b"message", &bytes).unwrap();
    let mut seen = BTreeSet::from([
        texts("another key", other.verify_mac(b"message", &bytes)),
        texts("another message", key.verify_mac(b"", &bytes)),
    ]);
    for forged in close_to(&bytes) {
        seen.insert(texts("mac", key.verify_mac(b"message", &forged)));
    }
    seen
}

fn forged_ciphertexts() -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    for alg in [KeyAlg::Aes256Gcm, KeyAlg::RsaOaepSha256] {
        if !operates(KeyOperation::Decrypt, alg) {
            continue;
        }
        let [key, other] = two(alg, KeyOperation::Decrypt);
        let sealed = key.encrypt(b"plaintext", b"aad").unwrap();
        key.decrypt(&sealed, b"aad").unwrap();
        seen.insert(texts("another key", other.decrypt(&sealed, b"aad")));
        seen.insert(texts("other data", key.decrypt(&sealed, b"daa")));
        seen.insert(texts("no data", key.decrypt(&sealed, b"")));
        seen.insert(texts("as a key", key.unwrap_key(&sealed)));
        let mut forged: Vec<Ciphertext> = Vec::new();
        let with = |change: &dyn Fn(&mut Ciphertext)| {
            let mut changed = sealed.clone();
            change(&mut changed);
            changed
        };
        forged.extend(KeyAlg::ALL.iter().filter(|one| **one != alg).map(|one| with(&|c| c.alg = *one)));
        for bytes in close_to(&sealed.ciphertext) {
            forged.push(with(&|c| c.ciphertext.clone_from(&bytes)));
        }
        for bytes in close_to(&[1; 12]) {
            forged.push(with(&|c| c.nonce.clone_from(&bytes)));
            forged.push(with(&|c| c.tag.clone_from(&bytes)));
        }
        if alg == KeyAlg::Aes256Gcm {
            for bytes in close_to(&sealed.nonce) {
                forged.push(with(&|c| c.nonce.clone_from(&bytes)));
            }
            for bytes in close_to(&sealed.tag) {
                forged.push(with(&|c| c.tag.clone_from(&bytes)));
            }
        }
        // With RSA there is no nonce and no tag, so that leaving them away is no change.
        for one in forged.iter().filter(|one| **one != sealed) {
            seen.insert(texts(&format!("{alg} {one:?}"), key.decrypt(one, b"aad")));
        }
    }
    seen
}

/// A reader of logs, or a caller that measures what it is told, must not learn which part was wrong: with RSA that
/// would open ciphertexts (Manger's attack), with AES-GCM it would tell a tag from a length.
#[test]
fn of_all_forgeries_there_is_one_text() {
    let mut seen = forged_signatures();
    seen.extend(forged_macs());
    seen.extend(forged_ciphertexts());
    assert_eq!(seen, BTreeSet::from([format!("{0} {0:?}", KeyError::NotAuthentic)]));
}

/// A ciphertext moved to another key does not tell whether that has the same algorithm.
#[test]
fn a_ciphertext_of_another_algorithm_is_a_forgery() {
    let [aes, _] = two(KeyAlg::Aes256Gcm, KeyOperation::Decrypt);
    let [rsa, _] = two(KeyAlg::RsaOaepSha256, KeyOperation::Decrypt);
    if !operates(KeyOperation::Decrypt, KeyAlg::RsaOaepSha256) {
        return;
    }
    texts("AES-GCM by RSA", rsa.decrypt(&aes.encrypt(b"text", b"").unwrap(), b""));
    texts("RSA by AES-GCM", aes.decrypt(&rsa.encrypt(b"text", b"").unwrap(), b""));
}

#[test]
fn no_nonce_comes_twice_and_no_ciphertext() {
    let [key, _] = two(KeyAlg::Aes256Gcm, KeyOperation::Encrypt);
    let sealed: Vec<_> = (0..1000).map(|_| key.encrypt(b"the same", b"").unwrap()).collect();
    let nonces: BTreeSet<_> = sealed.iter().map(|one| one.nonce.clone()).collect();
    let texts: BTreeSet<_> = sealed.iter().map(|one| one.ciphertext.clone()).collect();
    assert_eq!((nonces.len(), texts.len()), (1000, 1000));
    assert!(nonces.iter().all(|nonce| nonce.len() == 12));
}
