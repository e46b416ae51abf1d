//! Watching a store, and the channel that engines do it by.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::{Entry, Revision, StoreError, StoreKey};

/// A change that took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An entry was written.
    Put(Entry),
    /// An entry was deleted.
    Deleted {
        /// The key that it was at.
        key: StoreKey,
        /// When it was deleted.
        revision: Revision,
    },
}

impl Change {
    /// The key.
    pub fn key(&self) -> &StoreKey {
        match self {
            Self::Put(entry) => &entry.key,
            Self::Deleted { key, .. } => key,
        }
    }

    /// When it took effect.
    pub fn revision(&self) -> Revision {
        match self {
            Self::Put(entry) => entry.revision,
            Self::Deleted { revision, .. } => *revision,
        }
    }
}

/// The changes under a prefix: see [`KeyStore::watch`](crate::KeyStore::watch).
#[async_trait]
pub trait Watch: Send + Debug {
    /// Waits for the next change. A wait that is dropped loses none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Lagged`] if changes were lost, [`StoreError::Unavailable`] if no more can come; the watch is of no
    /// use then.
    async fn next(&mut self) -> Result<Change, StoreError>;

    /// The next change if it is here already.
    ///
    /// An engine in the same process has delivered every change by the time the write that made it returns.
    ///
    /// # Errors
    ///
    /// As [`Watch::next`].
    fn try_next(&mut self) -> Result<Option<Change>, StoreError>;

    /// Counts there from now on whatever comes by this watch: each change and its end, once [`Watch::try_next`] has it, and
    /// before a write in the same process returns. False if this watch does not count; then it has to be asked.
    ///
    /// For whoever reads so often that asking is dear.
    fn count_in(&mut self, arrivals: &Arrivals) -> bool {
        let _ = arrivals;
        false
    }
}

/// How much has come by watches. Clones are of one count, which only grows.
#[derive(Debug, Clone, Default)]
pub struct Arrivals(Arc<AtomicU64>);

impl Arrivals {
    /// Nothing so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one more, be it of a watch or of anything else that is to be looked at.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    /// How much it is. Whatever was counted is there to be had.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// A watch by a channel that holds so many changes, for engines. What does not fit in it is lost, and the watch is told.
pub fn watch_channel(capacity: usize) -> (WatchSender, Box<dyn Watch>) {
    let (sender, changes) = mpsc::channel(capacity.max(1));
    let counted = Counted::default();
    let sender = WatchSender { sender: Some(sender), counted: Arc::clone(&counted) };
    (sender, Box::new(ChannelWatch { changes, ended: None, counted }))
}

/// Where a watch counts, if it does. A lock, so that a change that is not counted was sent before counting began.
type Counted = Arc<Mutex<Option<Arrivals>>>;

/// Where an engine puts changes.
#[derive(Debug)]
pub struct WatchSender {
    /// `None` once the watch has lost one.
    sender: Option<mpsc::Sender<Result<Change, StoreError>>>,
    counted: Counted,
}

impl WatchSender {
    /// Hands a change to the watch; false if nobody watches any more, and this end can be dropped.
    ///
    /// Changes must come in the order of their revisions.
    pub fn send(&mut self, change: &Change) -> bool {
        let Some(sender) = &self.sender else {
            return false;
        };
        let sent = sender.try_send(Ok(change.clone())).is_ok();
        if !sent {
            // The watch reads what is in the channel, finds its end, and knows.
            self.sender = None;
        }
        self.count();
        sent
    }

    /// Ends the watch with an error.
    pub fn end(mut self, error: StoreError) {
        if let Some(sender) = self.sender.take() {
            // If it is full, it has lagged.
            let _ = sender.try_send(Err(error));
        }
    }

    fn count(&self) {
        if let Some(arrivals) = &*self.counted.lock() {
            arrivals.add();
        }
    }
}

impl Drop for WatchSender {
    fn drop(&mut self) {
        // First the end, then the count.
        self.sender = None;
        self.count();
    }
}

/// How many changes a watch holds that nobody reads.
const CAPACITY: usize = 1 << 16;

/// The watches of an engine in this process.
#[derive(Debug, Default)]
pub(crate) struct Watches(Vec<(Vec<u8>, WatchSender)>);

impl Watches {
    pub(crate) fn add(&mut self, prefix: &[u8]) -> Box<dyn Watch> {
        let (sender, watch) = watch_channel(CAPACITY);
        self.0.push((prefix.to_vec(), sender));
        watch
    }

    /// Changes must come in the order of their revisions.
    pub(crate) fn tell(&mut self, change: &Change) {
        self.0
            .retain_mut(|(prefix, watch)| !change.key().as_bytes().starts_with(prefix) || watch.send(change));
    }

    pub(crate) fn end(&mut self, error: &StoreError) {
        for (_, watch) in self.0.drain(..) {
            watch.end(error.clone());
        }
    }
}

#[derive(Debug)]
struct ChannelWatch {
    changes: mpsc::Receiver<Result<Change, StoreError>>,
    ended: Option<StoreError>,
    counted: Counted,
}

impl ChannelWatch {
    /// What the end of the channel says: an engine that is dropped says goodbye, one that could not keep up does not.
    fn note(&mut self, received: Option<Result<Change, StoreError>>) -> Result<Change, StoreError> {
        match received {
            Some(Ok(change)) => Ok(change),
            Some(Err(error)) => {
                self.ended = Some(error.clone());
                Err(error)
            }
            None => Err(self.ended.get_or_insert(StoreError::Lagged).clone()),
        }
    }
}

#[async_trait]
impl Watch for ChannelWatch {
    async fn next(&mut self) -> Result<Change, StoreError> {
        if let Some(error) = &self.ended {
            return Err(error.clone());
        }
        let received = self.changes.recv().await;
        self.note(received)
    }

    fn try_next(&mut self) -> Result<Option<Change>, StoreError> {
        if let Some(error) = &self.ended {
            return Err(error.clone());
        }
        match self.changes.try_recv() {
            Ok(received) => self.note(Some(received)).map(Some),
            Err(mpsc::error::TryRecvError::Empty) => Ok(None),
            Err(mpsc::error::TryRecvError::Disconnected) => self.note(None).map(Some),
        }
    }

    fn count_in(&mut self, arrivals: &Arrivals) -> bool {
        *self.counted.lock() = Some(arrivals.clone());
        true
    }
}
