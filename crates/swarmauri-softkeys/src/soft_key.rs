//! A key held in software, and what makes one.

use std::fmt;
use std::sync::{Arc, OnceLock};

use swarmauri_keys::{
    Fingerprint, KeyAlg, KeyError, KeyMaterial, KeyOperation, KeyType, PrivateKey, PublicKey, SecretBytes,
    SecretMaterial,
};

use crate::engine::Engine;
use crate::{aes, ed25519, hmac, p256, rsa, x25519};

/// Key material held in software: validated, with its public half. Cheap to clone; `Debug` is redacted.
#[derive(Clone)]
pub struct SoftKey {
    alg: KeyAlg,
    held: Held,
    fingerprint: Fingerprint,
    /// What the secret computes with, once it has.
    engine: Arc<OnceLock<Box<Engine>>>,
}

#[derive(Clone)]
enum Held {
    Symmetric(SecretBytes),
    /// The private key knows its public half, which was derived here.
    Pair(PrivateKey, PublicKey),
    Public(PublicKey),
}

impl SoftKey {
    /// Makes a new key. `size_bits` is the length of an RSA modulus: 2048, 3072 (the default) or 4096.
    ///
    /// Blocks; for RSA, as [`is_slow_to_generate`] says, up to seconds.
    ///
    /// # Errors
    ///
    /// [`KeyError::UnsupportedAlgorithm`] if the feature for this algorithm is off ([`generates`] says so
    /// beforehand); [`KeyError::InvalidInput`] for a length that is not to be had;
    /// [`KeyError::Unavailable`] if the operating system gives no random bytes.
    pub fn generate(alg: KeyAlg, size_bits: Option<u32>) -> Result<Self, KeyError> {
        if let Some(bits) = size_bits.filter(|_| alg.key_type() != KeyType::Rsa) {
            return Err(KeyError::invalid_input(format!(
                "{alg} keys have one size only, not {bits} bits to choose"
            )));
        }
        match alg {
            KeyAlg::Aes256Gcm => aes::generate().map(|secret| Self::symmetric(alg, secret)),
            KeyAlg::HmacSha256 => hmac::generate().map(|secret| Self::symmetric(alg, secret)),
            KeyAlg::Ed25519 => Self::pair(alg, ed25519::generate()?),
            KeyAlg::EcdsaP256Sha256 => Self::pair(alg, p256::generate()?),
            KeyAlg::X25519 => Self::pair(alg, x25519::generate()?),
            KeyAlg::RsaOaepSha256 | KeyAlg::RsaPssSha256 => Self::pair(alg, rsa::generate(alg, size_bits)?),
        }
    }

    /// Takes over key material, after checking all that can be checked about it.
    ///
    /// Of a private key the public half is derived; one that came along must equal it. A public key alone is
    /// held as that: it has no secret.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] if the material is of another type than the algorithm needs, or has a wrong
    /// length, or its halves do not belong together, or its numbers make no key, or its point is not on the
    /// curve; [`KeyError::UnsupportedAlgorithm`] if the feature for this algorithm is off ([`imports`] says so
    /// beforehand).
    pub fn import(alg: KeyAlg, material: KeyMaterial) -> Result<Self, KeyError> {
        let found = material.key_type();
        if found != alg.key_type() {
            return Err(KeyError::invalid_input(format!(
                "{alg} needs a key of type {}, this one is of type {found}",
                alg.key_type()
            )));
        }
        match material {
            KeyMaterial::Symmetric(secret) => {
                if alg == KeyAlg::Aes256Gcm {
                    aes::check(&secret)?;
                } else {
                    hmac::check(&secret)?;
                }
                Ok(Self::symmetric(alg, secret))
            }
            KeyMaterial::Private(key) => {
                let derived = derive(&key)?;
                if key.public_key().is_some_and(|claimed| *claimed != derived) {
                    return Err(KeyError::invalid_input(format!(
                        "the public half does not belong to the private {found} key"
                    )));
                }
                Self::pair(alg, key.with_public_key(derived))
            }
            KeyMaterial::Public(key) => {
                check_public(&key)?;
                let fingerprint = key.thumbprint();
                Ok(Self::new(alg, Held::Public(key), fingerprint))
            }
        }
    }

    /// The algorithm.
    pub fn alg(&self) -> KeyAlg {
        self.alg
    }

    /// The length of an RSA modulus in bits; `None` for other keys.
    pub fn size_bits(&self) -> Option<u32> {
        self.public_key().and_then(PublicKey::size_bits)
    }

    /// The public half; `None` for symmetric keys.
    pub fn public_key(&self) -> Option<&PublicKey> {
        match &self.held {
            Held::Symmetric(_) => None,
            Held::Pair(_, public) | Held::Public(public) => Some(public),
        }
    }

    /// The secret, shared rather than copied; `None` for a public key alone.
    pub fn secret(&self) -> Option<SecretMaterial> {
        match &self.held {
            Held::Symmetric(secret) => Some(SecretMaterial::Symmetric(secret.clone())),
            Held::Pair(private, _) => Some(SecretMaterial::Private(private.clone())),
            Held::Public(_) => None,
        }
    }

    /// The RFC 7638 thumbprint of a pair, a one-way value of a symmetric key. Computed once.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Whether there is a secret.
    pub(crate) fn has_secret(&self) -> bool {
        !matches!(self.held, Held::Public(_))
    }

    /// What the secret computes with.
    pub(crate) fn engine(&self) -> Result<&Engine, KeyError> {
        if let Some(engine) = self.engine.get() {
            return Ok(engine);
        }
        let engine = match &self.held {
            Held::Symmetric(secret) => Engine::of_symmetric(self.alg, secret)?,
            Held::Pair(private, public) => Engine::of_pair(self.alg, private, public)?,
            Held::Public(_) => return Err(KeyError::invalid_state("a public key alone has no secret")),
        };
        // Of two threads that are the first at once, one has worked in vain.
        Ok(self.engine.get_or_init(|| Box::new(engine)))
    }

    fn symmetric(alg: KeyAlg, secret: SecretBytes) -> Self {
        let fingerprint = Fingerprint::of_symmetric(alg, &secret);
        Self::new(alg, Held::Symmetric(secret), fingerprint)
    }

    /// From a private key whose public half was derived, or generated with it.
    fn pair(alg: KeyAlg, private: PrivateKey) -> Result<Self, KeyError> {
        let public = private
            .public_key()
            .cloned()
            .ok_or_else(|| KeyError::invalid_state("the public half was not derived"))?;
        let fingerprint = public.thumbprint();
        Ok(Self::new(alg, Held::Pair(private, public), fingerprint))
    }

    fn new(alg: KeyAlg, held: Held, fingerprint: Fingerprint) -> Self {
        Self { alg, held, fingerprint, engine: Arc::default() }
    }
}

/// Whether [`SoftKey::generate`] makes keys of this algorithm.
pub const fn generates(alg: KeyAlg) -> bool {
    match alg {
        KeyAlg::Aes256Gcm | KeyAlg::HmacSha256 | KeyAlg::Ed25519 | KeyAlg::EcdsaP256Sha256 => true,
        KeyAlg::X25519 => cfg!(feature = "x25519"),
        KeyAlg::RsaOaepSha256 | KeyAlg::RsaPssSha256 => cfg!(feature = "rsa"),
    }
}

/// Whether [`SoftKey::import`] takes symmetric or private keys of this algorithm.
pub const fn imports(alg: KeyAlg) -> bool {
    !matches!(alg, KeyAlg::X25519) || cfg!(feature = "x25519")
}

/// Whether [`SoftKey::import`] takes a public key alone of this algorithm.
pub const fn imports_public(alg: KeyAlg) -> bool {
    !matches!(alg.key_type(), KeyType::Octets)
}

/// Whether [`SoftKey::generate`] takes so long that an async caller should move it to a thread of its own.
pub const fn is_slow_to_generate(alg: KeyAlg) -> bool {
    matches!(alg.key_type(), KeyType::Rsa)
}

/// Whether keys of this algorithm do this: [`KeyOperation::algs`], as far as the features go.
pub fn operates(operation: KeyOperation, alg: KeyAlg) -> bool {
    let built = match alg {
        KeyAlg::Aes256Gcm
        | KeyAlg::HmacSha256
        | KeyAlg::Ed25519
        | KeyAlg::EcdsaP256Sha256
        | KeyAlg::RsaPssSha256 => true,
        KeyAlg::X25519 => cfg!(feature = "x25519"),
        KeyAlg::RsaOaepSha256 => cfg!(feature = "rsa"),
    };
    built && operation.algs().contains(&alg)
}

fn derive(key: &PrivateKey) -> Result<PublicKey, KeyError> {
    match key.key_type() {
        KeyType::Ed25519 => ed25519::derive(key),
        KeyType::X25519 => x25519::derive(key),
        KeyType::P256 => p256::derive(key),
        KeyType::Rsa => rsa::derive(key),
        KeyType::Octets => Err(KeyError::invalid_input("a symmetric key has no public half")),
    }
}

fn check_public(key: &PublicKey) -> Result<(), KeyError> {
    match key {
        PublicKey::Ed25519(raw) => ed25519::check_public(raw),
        PublicKey::X25519(raw) => x25519::check_public(raw),
        PublicKey::P256(point) => p256::check_public(point),
        // Size and exponent were checked when it was made; more cannot be told from outside.
        PublicKey::Rsa(_) => Ok(()),
        other => Err(KeyError::invalid_input(format!("{} public keys are not supported", other.key_type()))),
    }
}

impl fmt::Debug for SoftKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let holds = match self.held {
            Held::Symmetric(_) => "symmetric key [redacted]",
            Held::Pair(..) => "key pair [redacted]",
            Held::Public(_) => "public key",
        };
        f.debug_struct("SoftKey")
            .field("alg", &self.alg)
            .field("holds", &holds)
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}
