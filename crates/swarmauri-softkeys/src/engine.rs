//! What a secret computes with: made at the first use of a key, and kept for as long as the key.

use ring::{aead, hmac, signature};
use swarmauri_keys::{KeyAlg, KeyError, PrivateKey, PublicKey, SecretBytes};

use crate::{aes, ed25519, hmac as hmac_keys, p256, rsa_oaep, rsa_pss, x25519};

/// The form of a secret that a crypto library computes with.
#[allow(clippy::large_enum_variant, reason = "it is boxed, once for each key that has worked")]
pub(crate) enum Engine {
    Aes(aead::LessSafeKey),
    Hmac(hmac::Key),
    Ed25519(signature::Ed25519KeyPair),
    P256(signature::EcdsaKeyPair),
    RsaPss(signature::RsaKeyPair),
    RsaOaep(rsa_oaep::Engine),
    X25519(x25519::Engine),
}

impl Engine {
    pub(crate) fn of_symmetric(alg: KeyAlg, secret: &SecretBytes) -> Result<Self, KeyError> {
        if alg == KeyAlg::HmacSha256 {
            return Ok(Self::Hmac(hmac_keys::engine(secret)));
        }
        aes::engine(secret).map(Self::Aes)
    }

    pub(crate) fn of_pair(alg: KeyAlg, private: &PrivateKey, public: &PublicKey) -> Result<Self, KeyError> {
        match (alg, public) {
            (KeyAlg::Ed25519, _) => ed25519::engine(private).map(Self::Ed25519),
            (KeyAlg::EcdsaP256Sha256, PublicKey::P256(point)) => p256::engine(private, point).map(Self::P256),
            (KeyAlg::RsaPssSha256, _) => rsa_pss::engine(private).map(Self::RsaPss),
            (KeyAlg::RsaOaepSha256, _) => rsa_oaep::engine(private).map(Self::RsaOaep),
            (KeyAlg::X25519, _) => x25519::engine(private).map(Self::X25519),
            (KeyAlg::EcdsaP256Sha256 | KeyAlg::Aes256Gcm | KeyAlg::HmacSha256, _) => {
                Err(KeyError::invalid_state(format!("a key pair of another type than {alg} needs")))
            }
        }
    }
}
