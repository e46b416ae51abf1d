//! Reads look closely just when there is something to look at.

use std::task::Poll;

use swarmauri_keyprovider_testkit::{FaultyStore, StoreFault, StoreMethod};
use swarmauri_keys::{KeyAlg, KeyRef, KeySpec};
use swarmauri_keystore::{MemoryStore, Precondition};
use swarmauri_softkeys::{SoftKey, random_bytes};

use super::*;
use crate::write::Decision;

fn kid() -> KeyId {
    KeyId::new("k").unwrap()
}

fn sealer() -> Sealer {
    Sealer::new(random_bytes(32).unwrap())
}

async fn open(store: &MemoryStore, sealer: &Sealer) -> Keys {
    Keys::open(Arc::new(store.clone()), sealer.clone(), KeyTable::new()).await.unwrap()
}

async fn create(keys: &Keys) -> KeyRef {
    let (spec, key) = (KeySpec::new(KeyAlg::Ed25519), SoftKey::generate(KeyAlg::Ed25519, None).unwrap());
    let kid = kid();
    let made = keys.write(&kid, |_| {
        let (history, made) = KeyHistory::created(kid.clone(), &spec, key.clone())?;
        Ok(Decision::Write(history, made))
    });
    made.await.unwrap()
}

async fn settle(keys: &Keys) {
    assert!(!keys.is_settled());
    keys.look(&kid()).await.unwrap();
    // What was in doubt is certain now; the next look finds nothing.
    keys.look(&kid()).await.unwrap();
    assert!(keys.is_settled());
}

#[tokio::test]
async fn what_others_write_and_what_is_in_doubt_is_looked_at_once() {
    let (store, sealer) = (MemoryStore::new(), sealer());
    let keys = open(&store, &sealer).await;
    settle(&keys).await;
    create(&open(&store, &sealer).await).await;
    settle(&keys).await;
    assert!(keys.table.history(&kid()).is_some());
    keys.mark_stale(&kid());
    settle(&keys).await;
}

#[tokio::test]
async fn a_broken_record_is_looked_at_each_time() {
    let (store, sealer) = (MemoryStore::new(), sealer());
    let keys = open(&store, &sealer).await;
    create(&keys).await;
    settle(&keys).await;
    store.delete(&store_key(&kid()).unwrap(), Precondition::Any).await.unwrap();
    for _ in 0..3 {
        assert!(keys.look(&kid()).await.is_err() && !keys.is_settled());
    }
}

/// The watches of this store count nothing.
#[tokio::test]
async fn a_watch_that_does_not_count_is_asked_each_time() {
    let (store, sealer) = (MemoryStore::new(), sealer());
    let faulty = FaultyStore::new(Arc::new(store.clone()));
    let keys = Keys::open(Arc::new(faulty), sealer.clone(), KeyTable::new()).await.unwrap();
    for _ in 0..2 {
        keys.look(&kid()).await.unwrap();
        assert!(!keys.is_settled() && keys.table.history(&kid()).is_none());
    }
    create(&open(&store, &sealer).await).await;
    keys.look(&kid()).await.unwrap();
    assert!(keys.table.history(&kid()).is_some());
}

/// The watch may bring a write before whoever wrote hears of it: that is one and the same key, not one made anew of its record,
/// which would take as long as to create it.
#[tokio::test]
async fn what_is_written_here_is_not_opened_when_the_watch_brings_it_first() {
    let faulty = FaultyStore::new(Arc::new(MemoryStore::new()));
    let control = faulty.faults();
    let keys = Keys::open(Arc::new(faulty), sealer(), KeyTable::new()).await.unwrap();
    control.fail_next(StoreMethod::Put, StoreFault { pauses_after: 1, ..StoreFault::default() });
    let mut creating = Box::pin(create(&keys));
    assert!(std::future::poll_fn(|context| Poll::Ready(creating.as_mut().poll(context).is_pending())).await);
    keys.look(&kid()).await.unwrap();
    let seen = keys.table.get(&kid(), None, false).unwrap();
    assert!(creating.await.is_same(&seen));
    assert!(keys.followed.lock().under_way.is_empty());
}
