//! A store that fails at one write, or altogether.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use swarmauri_keystore::{
    Entry, KeyStore, MemoryStore, Precondition, Revision, ScanPage, ScanRequest, StoreError, StoreKey, Watch,
    WatchSender, watch_channel,
};
use tokio::sync::oneshot;

/// How the one write ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It has no effect, and no answer.
    HangBefore,
    /// It has its effect, and no answer.
    HangAfter,
    /// It has no effect, and its answer is that the store is out.
    FailBefore,
    /// It has its effect, and its answer is that the store is out.
    FailAfter,
}

impl End {
    pub(crate) const ALL: [Self; 4] = [Self::HangBefore, Self::HangAfter, Self::FailBefore, Self::FailAfter];
}

#[derive(Debug, Clone)]
pub(crate) struct FaultyStore {
    inner: MemoryStore,
    left: Arc<AtomicUsize>,
    end: End,
    out: Arc<AtomicBool>,
    writes: Arc<AtomicUsize>,
    watches: Arc<Mutex<Vec<WatchSender>>>,
    hold: Arc<Mutex<Option<oneshot::Receiver<()>>>>,
}

impl FaultyStore {
    /// The same store; the write after so many ends in this way, and all others as they should.
    pub(crate) fn after(inner: &MemoryStore, writes: usize, end: End) -> Self {
        let left = Arc::new(AtomicUsize::new(writes + 1));
        let inner = inner.clone();
        let (out, writes, watches, hold) = Default::default();
        Self { inner, left, end, out, writes, watches, hold }
    }

    /// The same store, until it is told to be out.
    pub(crate) fn sound(inner: &MemoryStore) -> Self {
        Self::after(inner, usize::MAX - 1, End::FailBefore)
    }

    /// From now on, whether reads and writes fail.
    pub(crate) fn set_out(&self, out: bool) {
        self.out.store(out, Ordering::SeqCst);
    }

    /// Whether that one write has come.
    pub(crate) fn has_failed(&self) -> bool {
        self.left.load(Ordering::SeqCst) == 0
    }

    /// Tells those who watch that they have lost changes.
    pub(crate) fn lose_changes(&self) {
        for watch in self.watches.lock().unwrap().drain(..) {
            watch.end(StoreError::Lagged);
        }
    }

    /// Holds the answer of the next read back, until the sender is used.
    pub(crate) fn hold_next_read(&self) -> oneshot::Sender<()> {
        let (release, held) = oneshot::channel();
        *self.hold.lock().unwrap() = Some(held);
        release
    }

    async fn held<T>(&self, answer: T) -> T {
        let held = self.hold.lock().unwrap().take();
        if let Some(held) = held {
            let _ = held.await;
        }
        answer
    }

    pub(crate) fn writes(&self) -> usize {
        self.writes.load(Ordering::SeqCst)
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.out.load(Ordering::SeqCst) { Err(StoreError::unavailable("told to be out")) } else { Ok(()) }
    }

    async fn write<T>(
        &self,
        effect: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.check()?;
        self.writes.fetch_add(1, Ordering::SeqCst);
        let before = self.left.load(Ordering::SeqCst);
        self.left.store(before.saturating_sub(1), Ordering::SeqCst);
        if before != 1 {
            return effect.await;
        }
        if matches!(self.end, End::HangAfter | End::FailAfter) {
            effect.await?;
        }
        match self.end {
            End::HangBefore | End::HangAfter => std::future::pending().await,
            End::FailBefore | End::FailAfter => Err(StoreError::unavailable("told to fail")),
        }
    }
}

#[async_trait]
impl KeyStore for FaultyStore {
    async fn get(&self, key: &StoreKey) -> Result<Option<Entry>, StoreError> {
        self.check()?;
        self.held(self.inner.get(key).await).await
    }

    async fn put(&self, key: &StoreKey, value: &[u8], when: Precondition) -> Result<Revision, StoreError> {
        self.write(self.inner.put(key, value, when)).await
    }

    async fn delete(&self, key: &StoreKey, when: Precondition) -> Result<Option<Revision>, StoreError> {
        self.write(self.inner.delete(key, when)).await
    }

    async fn scan(&self, request: &ScanRequest) -> Result<ScanPage, StoreError> {
        self.check()?;
        self.held(self.inner.scan(request).await).await
    }

    /// Nothing comes by it but its end: so what is read anew is seen.
    async fn watch(&self, _: &[u8]) -> Result<Box<dyn Watch>, StoreError> {
        self.check()?;
        let (sender, watch) = watch_channel(1);
        self.watches.lock().unwrap().push(sender);
        Ok(watch)
    }
}
