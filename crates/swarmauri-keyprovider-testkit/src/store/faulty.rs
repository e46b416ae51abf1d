//! A store that fails on command.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use swarmauri_keystore::{
    Change, Entry, KeyStore, Precondition, Revision, ScanPage, ScanRequest, StoreError, StoreKey, Watch,
};
use tokio::sync::watch;

use crate::pause::pause;

/// A method of [`KeyStore`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is the method that bears its name")]
pub enum StoreMethod {
    Get,
    Put,
    Delete,
    Scan,
    Watch,
}

/// How one call of a store goes: it waits, has its effect or not, waits again, and ends. Cancel-safe.
#[derive(Debug, Clone, Default)]
pub struct StoreFault {
    /// How often it is polled in vain before it can have an effect.
    pub pauses_before: u32,
    /// How long it waits then; the time is tokio's.
    pub delay: Duration,
    /// How it ends.
    pub end: StoreEnd,
    /// How often it is polled in vain after its effect, if it has one.
    pub pauses_after: u32,
}

/// How one call of a store ends.
#[derive(Debug, Clone, Default)]
pub enum StoreEnd {
    /// With its effect and an honest answer.
    #[default]
    Honest,
    /// Without an effect, and with this answer.
    FailBefore(StoreError),
    /// With its effect, and with this answer. Where the wrapped store refuses, its own error is.
    FailAfter(StoreError),
    /// Without an effect and without an answer.
    HangBefore,
    /// With its effect and without an answer.
    HangAfter,
}

/// Wraps a store, and fails, hangs or waits when told to.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), swarmauri_keystore::StoreError> {
/// use std::sync::Arc;
/// use swarmauri_keyprovider_testkit::{FaultyStore, StoreEnd, StoreMethod};
/// use swarmauri_keystore::{KeyStore, MemoryStore, Precondition, StoreError, StoreKey};
///
/// let store = FaultyStore::new(Arc::new(MemoryStore::new()));
/// let key = StoreKey::new("a")?;
///
/// // The write takes effect, and its answer is lost.
/// store.faults().fail_next(StoreMethod::Put, StoreEnd::FailAfter(StoreError::unavailable("told to")).into());
/// assert!(store.put(&key, b"1", Precondition::Absent).await.is_err());
/// assert!(store.get(&key).await?.is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FaultyStore {
    inner: Arc<dyn KeyStore>,
    faults: StoreFaults,
}

/// The handle by which the faults of a [`FaultyStore`] are asked for. Cheap to clone; all clones are of one store.
#[derive(Debug, Clone)]
pub struct StoreFaults {
    shared: Arc<Mutex<Shared>>,
    /// Whether watches are held, and how often they were ended.
    watches: Arc<watch::Sender<(bool, u64)>>,
}

type Choose = dyn FnMut(StoreMethod) -> StoreFault + Send;

#[derive(Default)]
struct Shared {
    next: BTreeMap<StoreMethod, VecDeque<StoreFault>>,
    choose: Option<Box<Choose>>,
}

impl StoreFaults {
    /// Puts a fault in the queue of a method: each is for one call, and they come before what is
    /// [chosen](Self::choose).
    pub fn fail_next(&self, method: StoreMethod, fault: StoreFault) {
        self.shared.lock().next.entry(method).or_default().push_back(fault);
    }

    /// From now on this function chooses how each call goes.
    pub fn choose(&self, choose: impl FnMut(StoreMethod) -> StoreFault + Send + 'static) {
        self.shared.lock().choose = Some(Box::new(choose));
    }

    /// Ends all faults, and lets held watches go. Calls that hang go on hanging.
    pub fn clear(&self) {
        *self.shared.lock() = Shared::default();
        self.hold_watches(false);
    }

    /// Holds back what watches would tell, or lets it go: as on a network that is slow.
    pub fn hold_watches(&self, hold: bool) {
        self.watches.send_modify(|(held, _)| *held = hold);
    }

    /// Ends all watches that there are, with [`StoreError::Lagged`].
    pub fn end_watches(&self) {
        self.watches.send_modify(|(_, ended)| *ended += 1);
    }

    fn draw(&self, method: StoreMethod) -> StoreFault {
        let mut shared = self.shared.lock();
        let queued = shared.next.get_mut(&method).and_then(VecDeque::pop_front);
        queued.or_else(|| shared.choose.as_mut().map(|choose| choose(method))).unwrap_or_default()
    }
}

impl FaultyStore {
    /// Wraps a store. There are no faults until some are asked for.
    pub fn new(inner: Arc<dyn KeyStore>) -> Self {
        let shared = Arc::new(Mutex::new(Shared::default()));
        Self { inner, faults: StoreFaults { shared, watches: Arc::new(watch::Sender::default()) } }
    }

    /// The handle by which faults are asked for.
    pub fn faults(&self) -> StoreFaults {
        self.faults.clone()
    }

    /// The wrapped store, for a look behind the faults.
    pub fn inner(&self) -> Arc<dyn KeyStore> {
        Arc::clone(&self.inner)
    }

    async fn serve<T>(
        &self,
        method: StoreMethod,
        honest: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let fault = self.faults.draw(method);
        pause(fault.pauses_before).await;
        if fault.delay > Duration::ZERO {
            tokio::time::sleep(fault.delay).await;
        }
        match fault.end {
            StoreEnd::FailBefore(error) => return Err(error),
            StoreEnd::HangBefore => return std::future::pending().await,
            StoreEnd::Honest | StoreEnd::FailAfter(_) | StoreEnd::HangAfter => {}
        }
        let answer = honest.await;
        pause(fault.pauses_after).await;
        match fault.end {
            StoreEnd::FailAfter(error) => answer.and(Err(error)),
            StoreEnd::HangAfter => std::future::pending().await,
            _ => answer,
        }
    }
}

impl From<StoreEnd> for StoreFault {
    fn from(end: StoreEnd) -> Self {
        Self { end, ..Self::default() }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("next", &self.next).finish_non_exhaustive()
    }
}

/// A new method of the trait must not slip past the faults.
#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl KeyStore for FaultyStore {
    async fn get(&self, key: &StoreKey) -> Result<Option<Entry>, StoreError> {
        self.serve(StoreMethod::Get, self.inner.get(key)).await
    }

    async fn put(&self, key: &StoreKey, value: &[u8], when: Precondition) -> Result<Revision, StoreError> {
        self.serve(StoreMethod::Put, self.inner.put(key, value, when)).await
    }

    async fn delete(&self, key: &StoreKey, when: Precondition) -> Result<Option<Revision>, StoreError> {
        self.serve(StoreMethod::Delete, self.inner.delete(key, when)).await
    }

    async fn scan(&self, request: &ScanRequest) -> Result<ScanPage, StoreError> {
        self.serve(StoreMethod::Scan, self.inner.scan(request)).await
    }

    async fn watch(&self, prefix: &[u8]) -> Result<Box<dyn Watch>, StoreError> {
        let inner = self.serve(StoreMethod::Watch, self.inner.watch(prefix)).await?;
        let state = self.faults.watches.subscribe();
        let (_, ended) = *state.borrow();
        Ok(Box::new(FaultyWatch { inner, state, ended }))
    }
}

#[derive(Debug)]
struct FaultyWatch {
    inner: Box<dyn Watch>,
    state: watch::Receiver<(bool, u64)>,
    /// How often watches had been ended when this one began.
    ended: u64,
}

impl FaultyWatch {
    /// Whether it is held.
    fn check(&self) -> Result<bool, StoreError> {
        let (held, ended) = *self.state.borrow();
        if ended == self.ended { Ok(held) } else { Err(StoreError::Lagged) }
    }
}

#[async_trait]
impl Watch for FaultyWatch {
    async fn next(&mut self) -> Result<Change, StoreError> {
        loop {
            let held = self.check()?;
            let changed = self.state.changed();
            if held {
                // The store is gone when nobody can change it any more.
                changed.await.map_err(|_| StoreError::unavailable("the store is gone"))?;
                continue;
            }
            tokio::select! {
                change = self.inner.next() => return change,
                gone = changed => gone.map_err(|_| StoreError::unavailable("the store is gone"))?,
            }
        }
    }

    fn try_next(&mut self) -> Result<Option<Change>, StoreError> {
        if self.check()? { Ok(None) } else { self.inner.try_next() }
    }
}
