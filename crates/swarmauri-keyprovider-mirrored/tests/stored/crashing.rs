//! A store that a process dies at: from one write on, nothing is answered any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use swarmauri_keystore::{
    Entry, KeyStore, MemoryStore, Precondition, Revision, ScanPage, ScanRequest, StoreError, StoreKey, Watch,
};

/// How the last write ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Last {
    /// It has no effect, and no answer.
    HangBefore,
    /// It has its effect, and no answer.
    HangAfter,
    /// It has no effect, and its answer is that the store is out.
    FailBefore,
    /// It has its effect, and its answer is that the store is out.
    FailAfter,
}

impl Last {
    pub(crate) const ALL: [Self; 4] = [Self::HangBefore, Self::HangAfter, Self::FailBefore, Self::FailAfter];
}

#[derive(Debug, Clone)]
pub(crate) struct Crashing {
    inner: MemoryStore,
    left: Arc<AtomicUsize>,
    last: Last,
}

impl Crashing {
    /// The same store, answering so many writes more, and then one more in this way.
    pub(crate) fn after(inner: &MemoryStore, writes: usize, last: Last) -> Self {
        Self { inner: inner.clone(), left: Arc::new(AtomicUsize::new(writes)), last }
    }

    /// Whether it has come to the last write.
    pub(crate) fn is_down(&self) -> bool {
        self.left.load(Ordering::SeqCst) == usize::MAX
    }

    async fn write<T>(
        &self,
        effect: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let left = self.left.load(Ordering::SeqCst);
        if left == usize::MAX {
            return std::future::pending().await;
        }
        if left > 0 {
            self.left.store(left - 1, Ordering::SeqCst);
            return effect.await;
        }
        // A store that is merely out comes back.
        let hangs = matches!(self.last, Last::HangBefore | Last::HangAfter);
        self.left.store(if hangs { usize::MAX } else { usize::MAX - 1 }, Ordering::SeqCst);
        if matches!(self.last, Last::HangAfter | Last::FailAfter) {
            effect.await?;
        }
        if hangs { std::future::pending().await } else { Err(StoreError::unavailable("told to be out")) }
    }
}

#[async_trait]
impl KeyStore for Crashing {
    async fn get(&self, key: &StoreKey) -> Result<Option<Entry>, StoreError> {
        self.inner.get(key).await
    }

    async fn put(&self, key: &StoreKey, value: &[u8], when: Precondition) -> Result<Revision, StoreError> {
        self.write(self.inner.put(key, value, when)).await
    }

    async fn delete(&self, key: &StoreKey, when: Precondition) -> Result<Option<Revision>, StoreError> {
        self.write(self.inner.delete(key, when)).await
    }

    async fn scan(&self, request: &ScanRequest) -> Result<ScanPage, StoreError> {
        self.inner.scan(request).await
    }

    async fn watch(&self, prefix: &[u8]) -> Result<Box<dyn Watch>, StoreError> {
        self.inner.watch(prefix).await
    }
}
