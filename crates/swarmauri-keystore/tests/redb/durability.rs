//! Writes that are grouped, cancelled, and found again.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use swarmauri_keystore::{KeyStore, Precondition, RedbStore, Revision, StoreError};
use tokio::task::JoinSet;

use crate::folder::Folder;
use crate::{all, key};

#[tokio::test]
async fn revisions_go_on_after_deletes_and_reopening() {
    let folder = Folder::new();
    let mut last = Revision::START;
    for round in 0..4 {
        let store = RedbStore::open(folder.database()).await.unwrap();
        assert_eq!(all(&store).await.unwrap(), [], "round {round}");
        for when in [Precondition::Absent, Precondition::Any] {
            let put = store.put(&key("k"), b"v", when).await.unwrap();
            assert!(put > last, "{put} after {last}");
            last = put;
        }
        let deleted = store.delete(&key("k"), Precondition::At(last)).await.unwrap().unwrap();
        assert!(deleted > last);
        last = deleted;
        // Dropped, not closed: opening waits for that.
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_that_wait_share_a_commit() {
    const EACH: u64 = 8;
    let folder = Folder::new();
    let store = RedbStore::open(folder.database()).await.unwrap();
    for number in 0..EACH {
        store.put(&key("alone"), &number.to_le_bytes(), Precondition::Any).await.unwrap();
    }
    assert_eq!(
        (store.stats().writes, store.stats().commits),
        (EACH, EACH),
        "one writer has nobody to share with"
    );

    let mut writers = JoinSet::new();
    for writer in 0..64u64 {
        let store = store.clone();
        writers.spawn(async move {
            for number in 0..EACH {
                store.put(&key(format!("{writer}/{number}")), b"v", Precondition::Absent).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    let stats = store.stats();
    let commits = stats.commits - EACH;
    assert_eq!(stats.writes - EACH, 64 * EACH);
    assert!(commits * 8 <= 64 * EACH, "{} writes took {commits} commits", 64 * EACH);
}

/// Conflicts of others in the same transaction are nobody else's concern.
#[tokio::test]
async fn each_write_of_a_batch_has_its_own_precondition() {
    let folder = Folder::new();
    let store = RedbStore::open(folder.database()).await.unwrap();
    let mut context = Context::from_waker(Waker::noop());
    // While the first is being committed, the others come together.
    let (a, b) = (key("a"), key("b"));
    let mut writes = Vec::new();
    for (key, when) in [
        (&a, Precondition::Any),
        (&b, Precondition::Absent),
        (&b, Precondition::Absent),
        (&a, Precondition::Absent),
    ] {
        for _ in 0..10 {
            let mut write = Box::pin(store.put(key, b"v", when));
            assert!(matches!(write.as_mut().poll(&mut context), Poll::Pending));
            writes.push((when, write));
        }
    }
    let mut absent = 0;
    for (when, write) in writes {
        match write.await {
            Ok(_) if when == Precondition::Any => {}
            Ok(_) => absent += 1,
            Err(error) => {
                assert!(matches!(error, StoreError::Conflict { found: Some(_) }), "{error}");
                assert_eq!(when, Precondition::Absent);
            }
        }
    }
    assert_eq!(absent, 1, "one of those that wanted nothing at b");
    assert_eq!(store.stats().writes, 11);
    assert!(store.stats().commits < 11, "{:?}", store.stats());
}

#[tokio::test]
async fn a_write_that_is_dropped_is_whole_or_not_there() {
    let folder = Folder::new();
    let store = RedbStore::open(folder.database()).await.unwrap();
    let mut context = Context::from_waker(Waker::noop());
    let value = vec![7; 100_000];
    for round in 0..60 {
        let name = key(format!("{round}"));
        let mut write = Box::pin(store.put(&name, &value, Precondition::Any));
        assert!(write.as_mut().poll(&mut context).is_pending());
        if round % 3 == 0 {
            tokio::task::yield_now().await;
        }
        drop(write);
    }
    drop(store.put(&key("never polled"), b"v", Precondition::Any));
    // Behind all of them in the queue.
    let last = store.put(&key("last"), &value, Precondition::Absent).await.unwrap();
    let found = all(&store).await.unwrap();
    assert!(found.iter().all(|entry| *entry.value == *value && entry.revision <= last));
    assert!(found.iter().all(|entry| entry.key != key("never polled")));
    store.close().await;
    let store = RedbStore::open(folder.database()).await.unwrap();
    assert_eq!(all(&store).await.unwrap(), found);
}

#[tokio::test]
async fn what_waits_when_it_is_closed_is_written_and_nothing_after_that() {
    let folder = Folder::new();
    let store = RedbStore::open(folder.database()).await.unwrap();
    let mut watch = store.watch(b"").await.unwrap();
    let other = store.clone();
    let mut context = Context::from_waker(Waker::noop());
    let waiting = key("waiting");
    let mut write = pin!(store.put(&waiting, b"v", Precondition::Absent));
    assert!(write.as_mut().poll(&mut context).is_pending());
    tokio::join!(other.close(), store.close());
    let revision = write.await.unwrap();
    assert_eq!(watch.next().await.unwrap().revision(), revision);
    assert!(matches!(watch.next().await, Err(StoreError::Unavailable { .. })));
    for outcome in [
        store.get(&waiting).await.map(drop),
        store.put(&waiting, b"v", Precondition::Any).await.map(drop),
        store.delete(&waiting, Precondition::Any).await.map(drop),
        store.watch(b"").await.map(drop),
    ] {
        let error = outcome.unwrap_err();
        assert!(
            matches!(error, StoreError::Unavailable { .. }) && error.to_string().contains("is closed"),
            "{error}"
        );
    }
    store.close().await;
    let store = RedbStore::open(folder.database()).await.unwrap();
    assert_eq!(store.get(&waiting).await.unwrap().unwrap().revision, revision);
}

/// Writes wait for no runtime; reads and opens are done on the spot.
#[test]
fn no_runtime_is_needed() {
    fn block_on<T>(future: impl Future<Output = T>) -> T {
        struct Unpark(std::thread::Thread);
        impl std::task::Wake for Unpark {
            fn wake(self: std::sync::Arc<Self>) {
                self.0.unpark();
            }
        }
        let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
        let mut future = pin!(future);
        loop {
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(output) => return output,
                Poll::Pending => std::thread::park(),
            }
        }
    }
    let folder = Folder::new();
    block_on(async {
        let store = RedbStore::open(folder.database()).await.unwrap();
        let revision = store.put(&key("k"), b"v", Precondition::Absent).await.unwrap();
        assert_eq!(store.get(&key("k")).await.unwrap().unwrap().revision, revision);
        store.close().await;
    });
}

#[tokio::test]
async fn it_prints_where_it_is_and_no_values() {
    let folder = Folder::new();
    let store = RedbStore::open(folder.database()).await.unwrap();
    store.put(&key("k"), b"very-secret", Precondition::Any).await.unwrap();
    let text = format!("{store:?}");
    assert!(text.contains("keys.redb") && !text.contains("very-secret"), "{text}");
}
