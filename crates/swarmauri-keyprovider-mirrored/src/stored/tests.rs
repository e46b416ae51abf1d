//! Tests of the map on a store that need no mirror around it.

use swarmauri_keystore::MemoryStore;

use super::*;
use crate::guard::Backend;
use crate::map::Whole;
use crate::settings::Settings;

async fn open(store: Arc<MemoryStore>) -> StoredMap {
    let guard = Guard::new(Backend::State, &Settings::default(), fastrand::Rng::with_seed(1));
    StoredMap::open(store, guard).await.unwrap()
}

fn tombstone() -> KidRecord {
    KidRecord { whole: Whole::Destroyed, ..KidRecord::default() }
}

/// A watch on a network tells of a write after this process has removed what it wrote.
#[tokio::test]
async fn what_a_watch_tells_of_the_past_brings_nothing_back() {
    let map = open(Arc::new(MemoryStore::new())).await;
    let kid = KeyId::new("k").unwrap();
    assert!(map.compare_and_swap(&kid, None, tombstone()).await.unwrap().is_some());
    let written = map.get(&kid).unwrap().revision;
    assert!(map.compare_and_swap(&kid, Some(written), KidRecord::default()).await.unwrap().is_some());
    let late = |at: Revision| {
        let (key, value) = (record_key(&kid).unwrap(), write_record(&tombstone()).unwrap());
        Change::Put(Entry { key, value: value.into(), revision: StoreRevision::new(at) })
    };
    let mut rest = map.rest.lock();
    map.apply(&mut rest, &late(written)).unwrap();
    assert!(map.records.get(&kid).is_none(), "it is from before the removal");
    map.apply(&mut rest, &late(written + 2)).unwrap();
    assert_eq!(map.records.get(&kid).unwrap().revision, written + 2);
    map.apply(&mut rest, &late(written + 1)).unwrap();
    assert_eq!(map.records.get(&kid).unwrap().revision, written + 2);
}

#[tokio::test]
async fn a_lost_race_leaves_what_the_winner_wrote() {
    let store = Arc::new(MemoryStore::new());
    let (one, other) = (open(store.clone()).await, open(store).await);
    let kid = KeyId::new("k").unwrap();
    assert!(one.compare_and_swap(&kid, None, tombstone()).await.unwrap().is_some());
    assert!(matches!(other.compare_and_swap(&kid, None, KidRecord::default()).await, Ok(None)));
    assert_eq!(*other.get(&kid).unwrap().record, tombstone());
}
