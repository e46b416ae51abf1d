//! [`StoredKeyProvider`]: software keys on a store, sealed.
//!
//! ```
//! use std::sync::Arc;
//!
//! use swarmauri_keyprovider::{KeyProvider, KeyProviderExt, Secrets};
//! use swarmauri_keyprovider_stored::{SealingKey, StoredKeyProvider};
//! use swarmauri_keys::KeyAlg;
//! use swarmauri_keystore::MemoryStore;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), swarmauri_keys::KeyError> {
//! let store = MemoryStore::new();
//! let sealing = SealingKey::new(swarmauri_softkeys::random_bytes(32)?)?;
//! let provider = StoredKeyProvider::open(Arc::new(store.clone()), sealing.clone()).await?;
//! let key = provider.create(KeyAlg::Ed25519).await?;
//! drop(provider);
//!
//! // Later, perhaps in another process:
//! let provider = StoredKeyProvider::open(Arc::new(store.clone()), sealing).await?;
//! let same = provider.get_key(key.kid(), None, Secrets::Omit).await?;
//! assert_eq!(same.fingerprint(), key.fingerprint());
//!
//! let another = SealingKey::new(swarmauri_softkeys::random_bytes(32)?)?;
//! assert!(StoredKeyProvider::open(Arc::new(store), another).await.is_err());
//! # Ok(())
//! # }
//! ```
//!
//! It registers as `FileKeyProvider`, and under peagen's group as `file`: keys in a file, by the embedded engine. The settings
//! are `path`; `sealing_key`, an object with just one of `file`, `env`, `passphrase_file` and `passphrase_env`; and
//! `max_encryptions`. A program that only looks it up by name links it with `use swarmauri_keyprovider_stored as _;`.
//!
//! # What is stored
//!
//! * `keys/header`: a random root key, sealed with AES-256-GCM under the sealing key, and how that is made. A passphrase goes
//!   through Argon2id, whose salt and [cost](Argon2Cost) are there.
//! * `keys/key/<kid>`: all of one key, its versions, states, and the last number of a version ever, sealed with AES-256-GCM
//!   under a key that HKDF-SHA256 derives from the root key for each write anew. Of a destroyed key a record without
//!   material stays, so that its `kid` is not used again.
//!
//! # What is protected
//!
//! Without the sealing key nobody reads a key, nor makes or changes a record: one that is damaged, changed, or lies under
//! another `kid` is [`KeyError::Integrity`](swarmauri_keys::KeyError::Integrity), which names the place. While a provider is
//! open, it also notices that a record was deleted, or replaced by an older one. It cannot at the next open: then a record
//! that is gone was never there, and an older copy of one is as good as new. That is for the engine beneath to notice, as the
//! embedded one does; who may write to the store may do that, and destroy everything.
//!
//! `kid`s, the number and sizes of records, and when they change, are to be seen by whoever reads the store. In memory keys
//! are as in `swarmauri-softkeys`: wiped when they are destroyed, and not locked. An engine may keep old values for a
//! while; what of a destroyed key is left there is sealed.
//!
//! # Features
//!
//! `redb` (default) has the embedded engine, by which `FileKeyProvider` opens its path; `rsa` (default) generates RSA keys, which are otherwise imported only, and encrypts with them; `x25519` (default) has
//! X25519 keys.

mod aead;
mod blocking;
mod config;
mod cost;
mod error;
mod events;
mod form;
mod header;
mod keys;
mod locks;
mod operations;
mod provider;
mod record;
mod sealing;
mod source;
mod vault;
mod write;

pub use cost::Argon2Cost;
pub use provider::{StoredBuilder, StoredKeyProvider};
pub use sealing::SealingKey;
