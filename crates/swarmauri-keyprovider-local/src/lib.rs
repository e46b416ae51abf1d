//! [`LocalKeyProvider`]: keys in the memory of this process.
//!
//! ```
//! use swarmauri_keyprovider::{KeyProvider, Secrets};
//! use swarmauri_keyprovider_local::LocalKeyProvider;
//! use swarmauri_keys::{KeyAlg, KeySpec, SpecOverrides};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let provider = LocalKeyProvider::new();
//! let key = provider.create_key(&KeySpec::new(KeyAlg::Ed25519)).await?;
//! let rotated = provider.rotate_key(key.kid(), &SpecOverrides::NONE).await?;
//! assert_eq!(rotated.version().get(), 2);
//!
//! let jwk = provider.get_public_jwk(key.kid(), None).await?;
//! assert_eq!(jwk.kid, Some(format!("{}.2", key.kid())));
//!
//! provider.destroy_key(key.kid(), None).await?;
//! assert!(provider.get_key(key.kid(), None, Secrets::Omit).await.is_err());
//! # Ok::<(), swarmauri_keys::KeyError>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It registers as `LocalKeyProvider`, and under peagen's group as `local`; its one setting, `max_encryptions`, is that of
//! [`LocalKeyProvider::with_max_encryptions`]. A program
//! that only looks it up by name links it with `use swarmauri_keyprovider_local as _;`.
//!
//! Keys live as long as the provider does: nothing is written anywhere, and nothing survives the process.
//! Memory is wiped when a key is destroyed or the provider dropped, but not locked: it may be swapped out.
//!
//! # Features
//!
//! `rsa` (default) generates RSA keys, which are otherwise imported only, and encrypts with them; `x25519` (default) has X25519
//! keys.

mod blocking;
mod config;
mod operations;
mod provider;

pub use provider::LocalKeyProvider;
