//! The [`KeyProvider`] trait, the [`KeyOperations`] of those that use keys where they live, what providers can
//! do ([`Capabilities`]), and the [`registry`] that finds them by name.
//!
//! ```standalone_crate
//! use swarmauri_keyprovider::registry::{self, Registry};
//!
//! // Nothing is linked here but the trait, so nothing is known.
//! let error = registry::lookup("LocalKeyProvider").unwrap_err();
//! assert!(error.to_string().contains("known are: none"));
//!
//! // A program may also keep a registry of its own.
//! assert!(Registry::new().names().is_empty());
//! ```
//!
//! # Linking
//!
//! Providers register at link time. A crate that is only named in `Cargo.toml` is not linked, and its
//! providers are silently absent; `use swarmauri_keyprovider_local as _;` links it. Where that is too much
//! magic, [`Registry::register`](registry::Registry::register) takes a
//! [`ProviderRegistration`](registry::ProviderRegistration) by hand.
//!
//! This crate holds no keys and knows no provider.

mod capabilities;
mod config;
mod ext;
mod operations;
mod provider;
mod reference;
pub mod registry;

pub use capabilities::{Capabilities, Feature};
pub use config::ProviderConfig;
pub use ext::{KeyOperationsExt, KeyProviderExt};
pub use operations::KeyOperations;
pub use provider::{JwksQuery, JwksVersions, KeyProvider, Secrets};
pub use reference::KeyReference;
pub use registry::RegistryError;

/// For the crates that submit a [`ProviderRegistration`](registry::ProviderRegistration).
pub use inventory;

use swarmauri_keys::{KeyError, KeyId, SecretBytes};

/// A `kid` of 128 random bits from the operating system.
///
/// # Errors
///
/// [`KeyError::Unavailable`] if the operating system gives no random bytes.
pub fn random_kid() -> Result<KeyId, KeyError> {
    let mut bits = [0; 16];
    fill(&mut bits)?;
    Ok(KeyId::from_random(bits))
}

/// 256 random bits from the operating system, for challenges.
///
/// # Errors
///
/// [`KeyError::Unavailable`] if the operating system gives no random bytes.
pub fn random_secret() -> Result<SecretBytes, KeyError> {
    let mut bits = vec![0; 32];
    fill(&mut bits)?;
    Ok(bits.into())
}

fn fill(bytes: &mut [u8]) -> Result<(), KeyError> {
    getrandom::fill(bytes)
        .map_err(|error| KeyError::unavailable(format!("random bytes of the operating system: {error}")))
}
