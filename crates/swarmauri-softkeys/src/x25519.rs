//! X25519 keys (RFC 7748).

use ring::agreement::{self, EphemeralPrivateKey, UnparsedPublicKey};
use ring::rand::SystemRandom;
use swarmauri_keys::{KeyError, PrivateKey, PublicKey, SecretBytes};

use crate::random::no_random;

#[cfg(feature = "x25519")]
pub(crate) fn generate() -> Result<PrivateKey, KeyError> {
    use swarmauri_keys::KeyType;

    let key = PrivateKey::from_raw(KeyType::X25519, crate::random_bytes(32)?.expose_secret())?;
    let public = derive(&key)?;
    Ok(key.with_public_key(public))
}

/// Any 32 bytes are a private key: they are clamped when used (RFC 7748 section 5).
#[cfg(feature = "x25519")]
pub(crate) fn derive(key: &PrivateKey) -> Result<PublicKey, KeyError> {
    let public = engine(key)?
        .compute_public_key()
        .map_err(|_| KeyError::invalid_input("this X25519 private key has no public half"))?;
    PublicKey::from_raw(swarmauri_keys::KeyType::X25519, public.as_ref())
}

#[cfg(feature = "x25519")]
pub(crate) type Engine = aws_lc_rs::agreement::PrivateKey;

#[cfg(feature = "x25519")]
pub(crate) fn engine(key: &PrivateKey) -> Result<Engine, KeyError> {
    Engine::from_private_key(&aws_lc_rs::agreement::X25519, key.expose_secret())
        .map_err(|_| KeyError::invalid_input("this is no X25519 private key"))
}

/// The shared secret of RFC 7748 section 6.1. One that is all zeros is refused, in constant time.
#[cfg(feature = "x25519")]
pub(crate) fn agree(key: &Engine, peer: &[u8; 32]) -> Result<SecretBytes, KeyError> {
    use aws_lc_rs::agreement::{UnparsedPublicKey, X25519, agree};

    let peer = UnparsedPublicKey::new(&X25519, peer);
    agree(key, peer, small_order(), |secret| Ok(SecretBytes::from(secret)))
}

#[cfg(not(feature = "x25519"))]
pub(crate) fn generate() -> Result<PrivateKey, KeyError> {
    Err(feature_is_off())
}

#[cfg(not(feature = "x25519"))]
pub(crate) fn derive(_: &PrivateKey) -> Result<PublicKey, KeyError> {
    Err(feature_is_off())
}

/// There is no such key without the feature.
#[cfg(not(feature = "x25519"))]
pub(crate) enum Engine {}

#[cfg(not(feature = "x25519"))]
pub(crate) fn engine(_: &PrivateKey) -> Result<Engine, KeyError> {
    Err(feature_is_off())
}

#[cfg(not(feature = "x25519"))]
pub(crate) fn agree(key: &Engine, _: &[u8; 32]) -> Result<SecretBytes, KeyError> {
    match *key {}
}

#[cfg(not(feature = "x25519"))]
fn feature_is_off() -> KeyError {
    KeyError::unsupported_algorithm(
        swarmauri_keys::KeyAlg::X25519,
        "enable the feature `x25519` of swarmauri-softkeys",
    )
}

/// Refuses the points of small order, with which everyone would agree on zeros (RFC 7748 section 6.1): an
/// agreement with them fails, one with any other point does not.
pub(crate) fn check_public(raw: &[u8; 32]) -> Result<(), KeyError> {
    let ours =
        EphemeralPrivateKey::generate(&agreement::X25519, &SystemRandom::new()).map_err(|_| no_random())?;
    agreement::agree_ephemeral(ours, &UnparsedPublicKey::new(&agreement::X25519, raw), |_| ())
        .map_err(|_| small_order())
}

fn small_order() -> KeyError {
    KeyError::invalid_input("this X25519 public key is a point of small order")
}
