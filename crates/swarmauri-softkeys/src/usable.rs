//! A key at work.

use std::sync::Arc;

use swarmauri_keys::{Ciphertext, KeyAlg, KeyError, KeyVersionId, PublicKey, SecretBytes, Signature};

use crate::encryptions::Encryptions;
use crate::engine::Engine;
use crate::{SoftKey, aes, ed25519, hmac, p256, rsa_oaep, rsa_pss, x25519};

/// How often one version of an AES-GCM key may encrypt: 2^31 times.
///
/// NIST SP 800-38D section 8.3 allows 2^32 under one key with random nonces. Half of that is each side's where a
/// full replica goes on encrypting while its primary is out.
pub const MAX_ENCRYPTIONS: u64 = 1 << 31;

/// One version of a key that was found fit for an operation, to do that one thing with: see
/// [`KeyTable::usable`](crate::KeyTable::usable).
///
/// It holds the secret, and works on if the key is destroyed or disabled meanwhile. Asking for what its algorithm
/// does not do is [`KeyError::InvalidInput`].
#[derive(Debug)]
pub struct UsableKey {
    id: KeyVersionId,
    key: SoftKey,
    /// `None` where they are not counted.
    encryptions: Option<Arc<Encryptions>>,
    max_encryptions: u64,
}

impl UsableKey {
    pub(crate) fn new(
        id: KeyVersionId,
        key: SoftKey,
        encryptions: Option<Arc<Encryptions>>,
        max_encryptions: u64,
    ) -> Self {
        Self { id, key, encryptions, max_encryptions }
    }

    /// Key and version.
    pub fn id(&self) -> &KeyVersionId {
        &self.id
    }

    /// Whether working with the secret takes so long, up to tens of milliseconds, that an async caller should move
    /// it to a thread of its own.
    pub fn is_slow(&self) -> bool {
        matches!(self.key.alg(), KeyAlg::RsaOaepSha256 | KeyAlg::RsaPssSha256)
    }

    /// Signs a message, in JOSE's form.
    ///
    /// # Errors
    ///
    /// [`KeyError::Unavailable`] if the operating system gives no random bytes.
    pub fn sign(&self, message: &[u8]) -> Result<Signature, KeyError> {
        let bytes = match self.key.engine()? {
            Engine::Ed25519(pair) => ed25519::sign(pair, message),
            Engine::P256(pair) => p256::sign(pair, message)?,
            Engine::RsaPss(pair) => rsa_pss::sign(pair, message)?,
            _ => return Err(self.misuse("sign")),
        };
        Ok(self.signature(bytes))
    }

    /// Verifies a signature.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotAuthentic`] if it is none of this key over this message.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), KeyError> {
        match (self.key.alg(), self.key.public_key()) {
            (KeyAlg::Ed25519, Some(PublicKey::Ed25519(raw))) => ed25519::verify(raw, message, signature),
            (KeyAlg::EcdsaP256Sha256, Some(PublicKey::P256(point))) => {
                p256::verify(point, message, signature)
            }
            (KeyAlg::RsaPssSha256, Some(PublicKey::Rsa(numbers))) => {
                rsa_pss::verify(numbers, message, signature)
            }
            _ => Err(self.misuse("verify")),
        }
    }

    /// Computes the MAC of a message.
    ///
    /// # Errors
    ///
    /// None but misuse.
    pub fn mac(&self, message: &[u8]) -> Result<Signature, KeyError> {
        match self.key.engine()? {
            Engine::Hmac(key) => Ok(self.signature(hmac::mac(key, message))),
            _ => Err(self.misuse("mac")),
        }
    }

    /// Verifies a MAC, in constant time.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotAuthentic`] if it is not the whole MAC of this message.
    pub fn verify_mac(&self, message: &[u8], mac: &[u8]) -> Result<(), KeyError> {
        match self.key.engine()? {
            Engine::Hmac(key) => hmac::verify(key, message, mac),
            _ => Err(self.misuse("verify_mac")),
        }
    }

    /// Encrypts: AES-GCM under a nonce that is drawn here, or RSA-OAEP with `aad` as its label.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidState`] once an AES-GCM key has encrypted as often as it may, or, in a table
    /// whose keys were [put](crate::KeyTable::put) into it, as was granted; [`KeyError::InvalidInput`]
    /// for a plaintext that is too long; [`KeyError::Unavailable`] if the operating system gives no random bytes.
    pub fn encrypt(&self, plaintext: &[u8], aad: &[u8]) -> Result<Ciphertext, KeyError> {
        let (nonce, ciphertext, tag) = match (self.key.alg(), self.key.public_key()) {
            (KeyAlg::RsaOaepSha256, Some(public)) => {
                (Vec::new(), rsa_oaep::encrypt(public, plaintext, aad)?, Vec::new())
            }
            (KeyAlg::Aes256Gcm, _) => {
                let Engine::Aes(key) = self.key.engine()? else { return Err(self.misuse("encrypt")) };
                self.count_encryption()?;
                let aes::Sealed { nonce, ciphertext, tag } = aes::seal(key, plaintext, aad)?;
                (nonce, ciphertext, tag)
            }
            _ => return Err(self.misuse("encrypt")),
        };
        let KeyVersionId { kid, version } = self.id.clone();
        Ok(Ciphertext { kid, version, alg: self.key.alg(), nonce, ciphertext, tag })
    }

    /// Decrypts what this version has encrypted.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotAuthentic`] if any part of it, or the associated data, is not what it was then.
    pub fn decrypt(&self, sealed: &Ciphertext, aad: &[u8]) -> Result<SecretBytes, KeyError> {
        let Ciphertext { kid: _, version: _, alg, nonce, ciphertext, tag } = sealed;
        match self.key.engine()? {
            Engine::Aes(_) | Engine::RsaOaep(_) if *alg != self.key.alg() => Err(KeyError::NotAuthentic),
            Engine::Aes(key) => aes::open(key, nonce, ciphertext, tag, aad),
            Engine::RsaOaep(_) if !nonce.is_empty() || !tag.is_empty() => Err(KeyError::NotAuthentic),
            Engine::RsaOaep(key) => rsa_oaep::decrypt(key, ciphertext, aad),
            _ => Err(self.misuse("decrypt")),
        }
    }

    /// Encrypts another key.
    ///
    /// # Errors
    ///
    /// Those of [`UsableKey::encrypt`], and [`KeyError::InvalidInput`] for a key of no bytes.
    pub fn wrap_key(&self, key: &SecretBytes) -> Result<Ciphertext, KeyError> {
        if key.is_empty() {
            return Err(KeyError::invalid_input("a key to be wrapped has at least one byte"));
        }
        self.encrypt(key.expose_secret(), &[])
    }

    /// Decrypts another key.
    ///
    /// # Errors
    ///
    /// Those of [`UsableKey::decrypt`].
    pub fn unwrap_key(&self, wrapped: &Ciphertext) -> Result<SecretBytes, KeyError> {
        self.decrypt(wrapped, &[])
    }

    /// Agrees on a secret with the holder of another key.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] if that key is of another type, or one with which everybody would agree on zeros.
    pub fn agree(&self, peer: &PublicKey) -> Result<SecretBytes, KeyError> {
        let Engine::X25519(key) = self.key.engine()? else { return Err(self.misuse("agree")) };
        match peer {
            PublicKey::X25519(raw) => x25519::agree(key, raw),
            other => Err(KeyError::invalid_input(format!(
                "an X25519 key agrees with an X25519 public key, not with one of type {}",
                other.key_type()
            ))),
        }
    }

    fn signature(&self, bytes: Vec<u8>) -> Signature {
        let KeyVersionId { kid, version } = self.id.clone();
        Signature { kid, version, alg: self.key.alg(), bytes }
    }

    /// Whether encryptions with this version are counted.
    pub fn is_counted(&self) -> bool {
        self.key.alg() == KeyAlg::Aes256Gcm
    }

    /// Counts before it is done, so that two at once cannot pass the bound together.
    fn count_encryption(&self) -> Result<(), KeyError> {
        if self.encryptions.as_ref().is_none_or(|numbers| numbers.count()) {
            Ok(())
        } else {
            Err(worn_out(&self.id, self.max_encryptions))
        }
    }

    fn misuse(&self, operation: &str) -> KeyError {
        KeyError::invalid_input(format!(
            "{} is a key of {}, which has no {operation}",
            self.id,
            self.key.alg()
        ))
    }
}

/// Of a version that has encrypted as often as it may.
pub(crate) fn worn_out(id: &KeyVersionId, most: u64) -> KeyError {
    KeyError::invalid_state(format!(
        "{id} has encrypted {most} times, as often as one version may under random nonces; rotate the key"
    ))
}
