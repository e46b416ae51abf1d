//! AES-256 keys.

use swarmauri_keys::{KeyError, SecretBytes};

use crate::random_bytes;

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
