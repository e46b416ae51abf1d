//! What a secret computes with: made at the first use of a key, and kept for as long as the key.

use ring::{aead, hmac, signature};
use swarmauri_keys::{KeyAlg, KeyError, PrivateKey, PublicKey, SecretBytes};

use crate::{aes, ed25519, hmac as hmac_keys, p256, rsa_oaep, rsa_pss, x25519};

/// The form of a secret that a crypto library computes with. The large ones lie apart, so that the small ones are small.
pub(crate) enum Engine {
    Aes(Box<aead::LessSafeKey>),
    Hmac(Box<hmac::Key>),
    Ed25519(signature::Ed25519KeyPair),
    P256(Box<signature::EcdsaKeyPair>),
    RsaPss(Box<signature::RsaKeyPair>),
    RsaOaep(Box<rsa_oaep::Engine>),
    X25519(Box<x25519::Engine>),
}

impl Engine {
    pub(crate) fn of_symmetric(alg: KeyAlg, secret: &SecretBytes) -> Result<Self, KeyError> {
        if alg == KeyAlg::HmacSha256 {
            return Ok(Self::Hmac(Box::new(hmac_keys::engine(secret))));
        }
        aes::engine(secret).map(|key| Self::Aes(Box::new(key)))
    }

    pub(crate) fn of_pair(alg: KeyAlg, private: &PrivateKey, public: &PublicKey) -> Result<Self, KeyError> {
        match (alg, public) {
            (KeyAlg::Ed25519, _) => ed25519::engine(private).map(Self::Ed25519),
            (KeyAlg::EcdsaP256Sha256, PublicKey::P256(point)) => {
                p256::engine(private, point).map(|pair| Self::P256(Box::new(pair)))
            }
            (KeyAlg::RsaPssSha256, _) => rsa_pss::engine(private).map(|key| Self::RsaPss(Box::new(key))),
            (KeyAlg::RsaOaepSha256, _) => rsa_oaep::engine(private).map(|key| Self::RsaOaep(Box::new(key))),
            (KeyAlg::X25519, _) => x25519::engine(private).map(|key| Self::X25519(Box::new(key))),
            (KeyAlg::EcdsaP256Sha256 | KeyAlg::Aes256Gcm | KeyAlg::HmacSha256, _) => {
                Err(KeyError::invalid_state(format!("a key pair of another type than {alg} needs")))
            }
        }
    }
}
