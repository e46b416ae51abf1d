//! The store that a case is about, with what the cases need for short.

use std::any::Any;
use std::future::poll_fn;
use std::ops::Deref;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use swarmauri_keystore::{
    Change, Entry, KeyStore, Precondition, Revision, ScanPage, ScanRequest, StoreError, StoreErrorKind,
    StoreKey, Watch,
};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Opening, StoreUnderTest};
use crate::suite::NotApplicable;

/// How many tasks race.
pub(super) const TASKS: usize = 8;

#[derive(Clone)]
pub(super) struct Store {
    // Before what is kept for it.
    engine: Arc<dyn KeyStore>,
    pub(super) in_process: bool,
    reopen: Option<Arc<dyn Fn() -> Opening + Send + Sync>>,
    kept: Option<Arc<dyn Any + Send + Sync>>,
}

impl Deref for Store {
    type Target = dyn KeyStore;

    fn deref(&self) -> &Self::Target {
        &*self.engine
    }
}

impl Store {
    pub(super) fn new(under: StoreUnderTest) -> Self {
        let StoreUnderTest { store, in_process, reopen, kept } = under;
        Self { engine: store, in_process, reopen: reopen.map(Arc::from), kept: kept.map(Arc::from) }
    }

    pub(super) fn durable(&self) -> Result<(), NotApplicable> {
        let durable = self.reopen.is_some();
        if durable { Ok(()) } else { Err(NotApplicable("keeps nothing after its end".to_owned())) }
    }

    /// Drops the store and opens it again. Only where it is durable.
    pub(super) async fn reopened(self) -> Self {
        let Self { engine, in_process, reopen, kept } = self;
        let open = reopen.expect("a durable store");
        drop(engine);
        Self { engine: open().await, in_process, reopen: Some(open), kept }
    }

    pub(super) async fn put_any(&self, name: &str, value: &str) -> Revision {
        done(self.put(&key(name), value.as_bytes(), Precondition::Any).await, "putting")
    }

    pub(super) async fn delete_any(&self, name: &str) -> Option<Revision> {
        done(self.delete(&key(name), Precondition::Any).await, "deleting")
    }

    pub(super) async fn read(&self, name: &str) -> Option<Entry> {
        done(self.get(&key(name)).await, "getting")
    }

    pub(super) async fn page(&self, request: &ScanRequest) -> ScanPage {
        done(self.scan(request).await, "scanning")
    }

    /// All pages of a scan, each of at most so many entries.
    pub(super) async fn all(&self, prefix: &[u8], limit: usize) -> Vec<Entry> {
        let mut request = ScanRequest::all(prefix).limit(limit);
        let mut all: Vec<Entry> = Vec::new();
        loop {
            let page = self.page(&request).await;
            assert!(!(page.entries.is_empty() && page.more), "an empty page that says that there are more");
            if let (Some(first), Some(after)) = (page.entries.first(), &request.after) {
                assert!(first.key > *after, "a page after {after:?} begins at {:?}", first.key);
            }
            all.extend(page.entries);
            if !page.more {
                return all;
            }
            request = request.after(all[all.len() - 1].key.clone());
            // Also where there is one thread and a store that is never busy, others write between pages.
            tokio::task::yield_now().await;
        }
    }

    pub(super) async fn watching(&self, prefix: &[u8]) -> Box<dyn Watch> {
        done(self.watch(prefix).await, "watching")
    }
}

/// What a call gave.
#[track_caller]
pub(super) fn done<T>(outcome: Result<T, StoreError>, what: &str) -> T {
    outcome.unwrap_or_else(|error| panic!("{what} failed: {error}"))
}

/// Which error a call gave.
#[track_caller]
pub(super) fn refused<T>(outcome: Result<T, StoreError>, what: &str) -> StoreErrorKind {
    match outcome {
        Ok(_) => panic!("{what} succeeded"),
        Err(error) => error.kind(),
    }
}

/// What a conflict says is there.
#[track_caller]
pub(super) fn conflict<T>(outcome: Result<T, StoreError>, what: &str) -> Option<Revision> {
    match outcome {
        Err(StoreError::Conflict { found }) => found,
        Err(error) => panic!("{what} is no conflict, but: {error}"),
        Ok(_) => panic!("{what} succeeded"),
    }
}

pub(super) fn key(name: impl AsRef<[u8]>) -> StoreKey {
    done(StoreKey::new(name), "making a key")
}

/// The next change; far sooner than this, unless it never comes.
pub(super) async fn next(watch: &mut Box<dyn Watch>) -> Change {
    let change = timeout(Duration::from_secs(20), watch.next()).await;
    done(change.expect("a change never comes"), "waiting for a change")
}

/// The changes until one of this key, which is left out.
pub(super) async fn until(watch: &mut Box<dyn Watch>, end: &StoreKey) -> Vec<Change> {
    let mut changes = Vec::new();
    loop {
        let change = next(watch).await;
        if change.key() == end {
            return changes;
        }
        changes.push(change);
    }
}

/// Runs one call per task, all at once, and gives the answers in the order of the tasks.
pub(super) async fn race<T, F>(on: &Store, call: impl Fn(Store, usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(tokio::sync::Barrier::new(TASKS));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let (start, call) = (start.clone(), call(on.clone(), task));
        tasks.spawn(async move {
            start.wait().await;
            (task, call.await)
        });
    }
    let mut answers = tasks.join_all().await;
    answers.sort_by_key(|(task, _)| *task);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Polls a future so many times, unless it is ready before, and drops it.
pub(super) async fn dropped_after(polls: usize, future: impl Future) {
    let mut future = pin!(future);
    for _ in 0..polls {
        if poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await {
            return;
        }
        tokio::task::yield_now().await;
    }
}
