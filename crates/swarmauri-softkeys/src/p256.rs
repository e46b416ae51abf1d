//! P-256 keys (FIPS 186-5, RFC 5480).
//!
//! ring derives no public half from a scalar alone, and checks a point only in passing; hence the crate p256.

use p256::elliptic_curve::sec1::ToSec1Point;
use swarmauri_keys::{KeyError, KeyType, P256Point, PrivateKey, PublicKey};

use crate::random_bytes;

/// By testing candidates (FIPS 186-5 appendix A.2.2), all but one in 2^32 of which will do.
pub(crate) fn generate() -> Result<PrivateKey, KeyError> {
    loop {
        let candidate = PrivateKey::from_raw(KeyType::P256, random_bytes(32)?.expose_secret())?;
        if let Ok(public) = derive(&candidate) {
            return Ok(candidate.with_public_key(public));
        }
    }
}

pub(crate) fn derive(key: &PrivateKey) -> Result<PublicKey, KeyError> {
    let secret = p256::SecretKey::from_slice(key.expose_secret()).map_err(|_| {
        KeyError::invalid_input("a P-256 private key is a number from 1 to the order of the curve, exclusive")
    })?;
    PublicKey::from_raw(KeyType::P256, secret.public_key().to_sec1_point(false).as_bytes())
}

pub(crate) fn check_public(point: &P256Point) -> Result<(), KeyError> {
    let octets = [&[0x04], &point.x[..], &point.y[..]].concat();
    match p256::PublicKey::from_sec1_bytes(&octets) {
        Ok(_) => Ok(()),
        Err(_) => Err(KeyError::invalid_input("this P-256 public key is not a point on the curve")),
    }
}
