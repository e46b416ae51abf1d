//! What the store in a file promises beyond the contract of all stores.

#![cfg(feature = "redb")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "these are tests, also outside of test functions"
)]

mod child;
mod conformance;
#[cfg(unix)]
mod damage;
mod durability;
#[cfg(unix)]
mod files;
mod folder;
#[cfg(target_os = "linux")]
mod full;
#[cfg(unix)]
mod kill;
mod splice;

use swarmauri_keystore::{Entry, KeyStore, RedbStore, ScanRequest, StoreError, StoreKey};

fn key(name: impl AsRef<[u8]>) -> StoreKey {
    StoreKey::new(name).unwrap()
}

/// Everything, by pages.
async fn all(store: &RedbStore) -> Result<Vec<Entry>, StoreError> {
    let mut request = ScanRequest::all(b"").limit(7);
    let mut all = Vec::new();
    loop {
        let page = store.scan(&request).await?;
        all.extend(page.entries);
        match all.last() {
            Some(last) if page.more => request = request.after(last.key.clone()),
            _ => return Ok(all),
        }
    }
}
