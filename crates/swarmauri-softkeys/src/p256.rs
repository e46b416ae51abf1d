//! P-256 keys (FIPS 186-5, RFC 5480).
//!
//! ring derives no public half from a scalar alone, and checks a point only in passing; hence the crate p256.

use p256::elliptic_curve::sec1::ToSec1Point;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, UnparsedPublicKey,
};
use swarmauri_keys::{KeyError, KeyType, P256Point, PrivateKey, PublicKey};

use crate::random::{no_random, random_bytes};

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
    match p256::PublicKey::from_sec1_bytes(&octets(point)) {
        Ok(_) => Ok(()),
        Err(_) => Err(KeyError::invalid_input("this P-256 public key is not a point on the curve")),
    }
}

pub(crate) fn engine(key: &PrivateKey, public: &P256Point) -> Result<EcdsaKeyPair, KeyError> {
    EcdsaKeyPair::from_private_key_and_public_key(
        &ECDSA_P256_SHA256_FIXED_SIGNING,
        key.expose_secret(),
        &octets(public),
        &SystemRandom::new(),
    )
    .map_err(|_| KeyError::invalid_input("this is no P-256 key pair"))
}

/// ES256 (RFC 7518 section 3.4): r and s, 32 bytes each, which is also the form of IEEE P1363.
pub(crate) fn sign(pair: &EcdsaKeyPair, message: &[u8]) -> Result<Vec<u8>, KeyError> {
    let signature = pair.sign(&SystemRandom::new(), message).map_err(|_| no_random())?;
    Ok(signature.as_ref().to_vec())
}

pub(crate) fn verify(public: &P256Point, message: &[u8], signature: &[u8]) -> Result<(), KeyError> {
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, octets(public))
        .verify(message, signature)
        .map_err(|_| KeyError::NotAuthentic)
}

/// The uncompressed point of SEC 1 section 2.3.3.
fn octets(point: &P256Point) -> Vec<u8> {
    [&[0x04], &point.x[..], &point.y[..]].concat()
}
