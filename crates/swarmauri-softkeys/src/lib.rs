//! Keys held in software: generating them, taking them over, and keeping their versions.
//!
//! [`SoftKey`] is one key: validated on the way in, its public half derived, its secret wiped when the last
//! clone goes. [`KeyTable`] keeps versions of many, and is what every software provider is made of; it gives out
//! [`UsableKey`]s, which sign, encrypt and agree. Beside them are random bytes and HKDF.
//!
//! ```
//! use swarmauri_keys::{KeyAlg, KeyMaterial, SecretMaterial};
//! use swarmauri_softkeys::SoftKey;
//!
//! let key = SoftKey::generate(KeyAlg::EcdsaP256Sha256, None)?;
//! let Some(SecretMaterial::Private(private)) = key.secret() else { unreachable!() };
//!
//! let pem = private.to_pkcs8_pem();
//! let text = std::str::from_utf8(pem.expose_secret())?;
//! let again = SoftKey::import(KeyAlg::EcdsaP256Sha256, KeyMaterial::from_pem(text)?)?;
//! assert_eq!(again.fingerprint(), key.fingerprint());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It stores nothing on disk. A key that has worked leaves traces: the crypto libraries keep a form of the secret
//! to compute with, and ring does not wipe its own. It takes private RSA keys of 2048,
//! 3072 and 4096 bits with a public exponent of at least 65537, as ring does; public ones of 2048 to 8192 bits.
//!
//! Features, both on by default, both needing aws-lc-rs: `rsa` generates RSA keys and encrypts with them, `x25519`
//! serves X25519 private keys. Without them [`generates`], [`imports`] and [`operates`] say so, and the calls fail with
//! [`KeyError::UnsupportedAlgorithm`](swarmauri_keys::KeyError::UnsupportedAlgorithm).

mod aes;
mod ed25519;
mod encryptions;
mod engine;
mod hkdf;
mod hmac;
mod p256;
mod random;
mod rsa;
mod rsa_oaep;
mod rsa_pss;
mod soft_key;
mod table;
mod usable;
mod x25519;

pub use hkdf::{MAX_HKDF_LEN, hkdf_sha256};
pub use random::{MAX_RANDOM_BYTES, random_bytes, random_kid};
pub use soft_key::{SoftKey, generates, imports, imports_public, is_slow_to_generate, operates};
pub use table::{KeyHistory, KeyTable, VersionRecord};
pub use usable::{MAX_ENCRYPTIONS, UsableKey};
