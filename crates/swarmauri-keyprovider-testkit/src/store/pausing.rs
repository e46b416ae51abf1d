//! A store whose calls wait: for futures that are to be dropped at each of them.

use std::sync::Arc;

use async_trait::async_trait;
use swarmauri_keystore::{
    Entry, KeyStore, Precondition, Revision, ScanPage, ScanRequest, StoreError, StoreKey, Watch,
};

use crate::pause::around;

/// Wraps a store. Each call is pending once before it takes effect, and once after; a store in memory never is by itself.
///
/// Changes that are watched for are those of the wrapped store.
#[derive(Debug)]
pub struct PausingStore {
    inner: Arc<dyn KeyStore>,
}

impl PausingStore {
    /// Wraps a store.
    pub fn new(inner: Arc<dyn KeyStore>) -> Self {
        Self { inner }
    }
}

/// A new method of the trait must not slip past the pauses.
#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl KeyStore for PausingStore {
    async fn get(&self, key: &StoreKey) -> Result<Option<Entry>, StoreError> {
        around(1, self.inner.get(key)).await
    }

    async fn put(&self, key: &StoreKey, value: &[u8], when: Precondition) -> Result<Revision, StoreError> {
        around(1, self.inner.put(key, value, when)).await
    }

    async fn delete(&self, key: &StoreKey, when: Precondition) -> Result<Option<Revision>, StoreError> {
        around(1, self.inner.delete(key, when)).await
    }

    async fn scan(&self, request: &ScanRequest) -> Result<ScanPage, StoreError> {
        around(1, self.inner.scan(request)).await
    }

    async fn watch(&self, prefix: &[u8]) -> Result<Box<dyn Watch>, StoreError> {
        around(1, self.inner.watch(prefix)).await
    }
}
