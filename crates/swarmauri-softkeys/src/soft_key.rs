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
    fingerprint: Fingerprint,
    /// `None` of symmetric keys.
    public: Option<PublicKey>,
    /// `None` of a public key alone.
    secret: Option<Arc<HeldSecret>>,
}

/// A secret, and what it computes with.
pub(crate) struct HeldSecret {
    /// A private key is without its public half here, which lies beside it.
    material: SecretMaterial,
    /// Made at the first use.
    engine: OnceLock<Box<Engine>>,
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
                Ok(Self { alg, fingerprint, public: Some(key), secret: None })
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
        self.public.as_ref()
    }

    /// The secret, shared rather than copied; `None` for a public key alone.
    pub fn secret(&self) -> Option<SecretMaterial> {
        Some(match (self.secret.as_ref()?.material.clone(), &self.public) {
            (SecretMaterial::Private(key), Some(public)) => {
                SecretMaterial::Private(key.with_public_key(public.clone()))
            }
            (other, _) => other,
        })
    }

    /// The RFC 7638 thumbprint of a pair, a one-way value of a symmetric key. Computed once.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// What the secret computes with.
    pub(crate) fn engine(&self) -> Result<&Engine, KeyError> {
        let Some(secret) = &self.secret else {
            return Err(KeyError::invalid_state("a public key alone has no secret"));
        };
        if let Some(engine) = secret.engine.get() {
            return Ok(engine);
        }
        let engine = match (&secret.material, &self.public) {
            (SecretMaterial::Symmetric(secret), _) => Engine::of_symmetric(self.alg, secret)?,
            (SecretMaterial::Private(private), Some(public)) => Engine::of_pair(self.alg, private, public)?,
            (SecretMaterial::Private(_), None) => return Err(underived()),
        };
        // Of two threads that are the first at once, one has worked in vain.
        Ok(secret.engine.get_or_init(|| Box::new(engine)))
    }

    fn symmetric(alg: KeyAlg, secret: SecretBytes) -> Self {
        let fingerprint = Fingerprint::of_symmetric(alg, &secret);
        Self { alg, fingerprint, public: None, secret: HeldSecret::new(SecretMaterial::Symmetric(secret)) }
    }

    /// From a private key whose public half was derived, or generated with it.
    fn pair(alg: KeyAlg, private: PrivateKey) -> Result<Self, KeyError> {
        let public = private.public_key().cloned().ok_or_else(underived)?;
        let fingerprint = public.thumbprint();
        let secret = HeldSecret::new(SecretMaterial::Private(private.without_public_key()));
        Ok(Self { alg, fingerprint, public: Some(public), secret })
    }

    /// Its public half and its secret.
    pub(crate) fn into_halves(self) -> (Option<PublicKey>, Option<Arc<HeldSecret>>) {
        (self.public, self.secret)
    }

    /// From the halves of a key, and what else is known of it.
    pub(crate) fn of_halves(
        alg: KeyAlg,
        fingerprint: Fingerprint,
        public: Option<PublicKey>,
        secret: Option<Arc<HeldSecret>>,
    ) -> Self {
        Self { alg, fingerprint, public, secret }
    }
}

impl HeldSecret {
    #[allow(clippy::unnecessary_wraps, reason = "it is what a key holds")]
    fn new(material: SecretMaterial) -> Option<Arc<Self>> {
        Some(Arc::new(Self { material, engine: OnceLock::new() }))
    }
}

fn underived() -> KeyError {
    KeyError::invalid_state("the public half was not derived")
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
        let holds = match (&self.public, &self.secret) {
            (None, _) => "symmetric key [redacted]",
            (Some(_), Some(_)) => "key pair [redacted]",
            (Some(_), None) => "public key",
        };
        f.debug_struct("SoftKey")
            .field("alg", &self.alg)
            .field("holds", &holds)
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}
