//! AES-256 in Galois/Counter Mode (NIST SP 800-38D): nonces of 96 bits, tags of 128.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, MAX_TAG_LEN, NONCE_LEN, Nonce, UnboundKey};
use swarmauri_keys::{KeyError, SecretBytes};
use zeroize::Zeroizing;

use crate::random::{fill, random_bytes};

const LEN: usize = 32;

pub(crate) fn generate() -> Result<SecretBytes, KeyError> {
    random_bytes(LEN)
}

pub(crate) fn check(secret: &SecretBytes) -> Result<(), KeyError> {
    if secret.len() == LEN {
        return Ok(());
    }
    Err(KeyError::invalid_input(format!("an AES-256 key is {LEN} bytes, this one is {}", secret.len())))
}

pub(crate) fn engine(secret: &SecretBytes) -> Result<LessSafeKey, KeyError> {
    check(secret)?;
    let key = UnboundKey::new(&AES_256_GCM, secret.expose_secret());
    key.map(LessSafeKey::new).map_err(|_| KeyError::invalid_input("this is no AES-256 key"))
}

/// What [`seal`] makes.
pub(crate) struct Sealed {
    pub(crate) nonce: Vec<u8>,
    pub(crate) ciphertext: Vec<u8>,
    pub(crate) tag: Vec<u8>,
}

/// Encrypts under a nonce of random bits (SP 800-38D section 8.2.2). The caller counts.
pub(crate) fn seal(key: &LessSafeKey, plaintext: &[u8], aad: &[u8]) -> Result<Sealed, KeyError> {
    let mut nonce = [0; NONCE_LEN];
    fill(&mut nonce)?;
    let mut text = plaintext.to_vec();
    let tag = key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut text);
    // ring has encrypted all of it or none.
    let tag = tag.map_err(|_| KeyError::invalid_input("AES-GCM encrypts at most 64 GiB at once"))?;
    Ok(Sealed { nonce: nonce.to_vec(), ciphertext: text, tag: tag.as_ref().to_vec() })
}

pub(crate) fn open(
    key: &LessSafeKey,
    nonce: &[u8],
    ciphertext: &[u8],
    tag: &[u8],
    aad: &[u8],
) -> Result<SecretBytes, KeyError> {
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| KeyError::NotAuthentic)?;
    if tag.len() != MAX_TAG_LEN {
        return Err(KeyError::NotAuthentic);
    }
    let mut text = Zeroizing::new(Vec::with_capacity(ciphertext.len() + tag.len()));
    text.extend_from_slice(ciphertext);
    text.extend_from_slice(tag);
    let len = key.open_in_place(nonce, Aad::from(aad), &mut text).map_err(|_| KeyError::NotAuthentic)?.len();
    text.truncate(len);
    Ok(text.into())
}
