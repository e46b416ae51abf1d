//! A small async key-value seam: [`KeyStore`], with compare-and-swap, ordered scans and watches.
//!
//! ```
//! use swarmauri_keystore::{KeyStore, MemoryStore, Precondition, ScanRequest, StoreKey};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), swarmauri_keystore::StoreError> {
//! let store = MemoryStore::new();
//! let key = StoreKey::new("fruit/apple")?;
//! let first = store.put(&key, b"green", Precondition::Absent).await?;
//! store.put(&key, b"red", Precondition::At(first)).await?;
//! // Whoever saw the first one is too late.
//! assert!(store.put(&key, b"yellow", Precondition::At(first)).await.is_err());
//!
//! let page = store.scan(&ScanRequest::all(b"fruit/")).await?;
//! assert_eq!(&*page.entries[0].value, b"red");
//! # Ok(())
//! # }
//! ```
//!
//! The contract is one that a distributed engine with revisions, compare-and-swap and watches, as etcd is, keeps without
//! change. Whoever writes an engine tests it with `store_conformance!` of `swarmauri-keyprovider-testkit`.
//!
//! # Engines
//!
//! * [`MemoryStore`]: in the memory of this process.
//! * `RedbStore`, with the feature `redb` (on by default): in a file of this machine, for one process at a time. What it
//!   acknowledges is on the disk; damage to the file is noticed.
//!
//! # What it does not do
//!
//! It holds bytes: what they mean, and whether they are secret, is for whoever puts them there. No engine encrypts, and
//! checksums are against damage, not against somebody who can write to the file. It has no transactions over several keys,
//! no expiry, and no history: a watch has what happens from now on.

mod error;
mod memory;
#[cfg(feature = "redb")]
mod redb;
mod store;
mod watch;

#[cfg(feature = "redb")]
pub use self::redb::{RedbStore, StoreStats};
pub use error::{StoreError, StoreErrorKind};
pub use memory::MemoryStore;
pub use store::{Entry, KeyStore, Precondition, Revision, ScanPage, ScanRequest, StoreKey};
pub use watch::{Arrivals, Change, Watch, WatchSender, watch_channel};
