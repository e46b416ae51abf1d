//! Watching a store, and the channel that engines do it by.

use std::fmt::Debug;

use async_trait::async_trait;
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
}

/// A watch by a channel that holds so many changes, for engines. What does not fit in it is lost, and the watch is told.
pub fn watch_channel(capacity: usize) -> (WatchSender, Box<dyn Watch>) {
    let (sender, changes) = mpsc::channel(capacity.max(1));
    (WatchSender { sender: Some(sender) }, Box::new(ChannelWatch { changes, ended: None }))
}

/// Where an engine puts changes.
#[derive(Debug)]
pub struct WatchSender {
    /// `None` once the watch has lost one.
    sender: Option<mpsc::Sender<Result<Change, StoreError>>>,
}

impl WatchSender {
    /// Hands a change to the watch; false if nobody watches any more, and this end can be dropped.
    ///
    /// Changes must come in the order of their revisions.
    pub fn send(&mut self, change: &Change) -> bool {
        let Some(sender) = &self.sender else {
            return false;
        };
        match sender.try_send(Ok(change.clone())) {
            Ok(()) => true,
            // The watch reads what is in the channel, finds its end, and knows.
            Err(mpsc::error::TrySendError::Full(_) | mpsc::error::TrySendError::Closed(_)) => {
                self.sender = None;
                false
            }
        }
    }

    /// Ends the watch with an error.
    pub fn end(mut self, error: StoreError) {
        if let Some(sender) = self.sender.take() {
            // If it is full, it has lagged.
            let _ = sender.try_send(Err(error));
        }
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
}
