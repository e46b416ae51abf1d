//! X25519 keys (RFC 7748).

use ring::agreement::{self, EphemeralPrivateKey, UnparsedPublicKey};
use ring::rand::SystemRandom;
use swarmauri_keys::{KeyError, PrivateKey, PublicKey};

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
    use aws_lc_rs::agreement::{PrivateKey as AgreementKey, X25519};
    use swarmauri_keys::KeyType;

    let refused = || KeyError::invalid_input("this is no X25519 private key");
    let pair = AgreementKey::from_private_key(&X25519, key.expose_secret()).map_err(|_| refused())?;
    let public = pair.compute_public_key().map_err(|_| refused())?;
    PublicKey::from_raw(KeyType::X25519, public.as_ref())
}

#[cfg(not(feature = "x25519"))]
pub(crate) fn generate() -> Result<PrivateKey, KeyError> {
    Err(feature_is_off())
}

#[cfg(not(feature = "x25519"))]
pub(crate) fn derive(_: &PrivateKey) -> Result<PublicKey, KeyError> {
    Err(feature_is_off())
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
        .map_err(|_| KeyError::invalid_input("this X25519 public key is a point of small order"))
}
