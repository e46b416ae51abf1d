//! HMAC-SHA256 keys.

use std::ops::RangeInclusive;

use swarmauri_keys::{KeyError, SecretBytes};

use crate::random_bytes;

/// No shorter than the hash (RFC 7518 section 3.2); what is longer than its block of 64 is only hashed.
const LEN: RangeInclusive<usize> = 32..=1024;

pub(crate) fn generate() -> Result<SecretBytes, KeyError> {
    random_bytes(*LEN.start())
}

pub(crate) fn check(secret: &SecretBytes) -> Result<(), KeyError> {
    if LEN.contains(&secret.len()) {
        return Ok(());
    }
    Err(KeyError::invalid_input(format!(
        "an HMAC-SHA256 key is {} to {} bytes (RFC 7518 section 3.2), this one is {}",
        LEN.start(),
        LEN.end(),
        secret.len()
    )))
}
