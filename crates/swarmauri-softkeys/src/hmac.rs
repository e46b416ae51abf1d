//! HMAC with SHA-256 (RFC 2104; HS256 of RFC 7518 section 3.2).

use std::ops::RangeInclusive;

use ring::hmac::{self, HMAC_SHA256, Key};
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

pub(crate) fn engine(secret: &SecretBytes) -> Key {
    Key::new(HMAC_SHA256, secret.expose_secret())
}

pub(crate) fn mac(key: &Key, message: &[u8]) -> Vec<u8> {
    hmac::sign(key, message).as_ref().to_vec()
}

/// In constant time; a MAC that was cut short is none.
pub(crate) fn verify(key: &Key, message: &[u8], mac: &[u8]) -> Result<(), KeyError> {
    hmac::verify(key, message, mac).map_err(|_| KeyError::NotAuthentic)
}
