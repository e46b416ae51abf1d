//! The provider keeps the contract of the trait.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::Arc;

use swarmauri_keyprovider_stored::{SealingKey, StoredKeyProvider};
use swarmauri_keystore::MemoryStore;

async fn fresh() -> Arc<StoredKeyProvider> {
    let sealing = SealingKey::new(vec![7; 32].into()).unwrap();
    Arc::new(StoredKeyProvider::open(Arc::new(MemoryStore::new()), sealing).await.unwrap())
}

swarmauri_keyprovider_testkit::conformance!(fresh);
