//! Where the records of the map are kept: the seam behind which a durable store will come.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use parking_lot::RwLock;
use swarmauri_keys::{KeyError, KeyId};

use crate::map::KidRecord;

/// The number of a change to a record; it grows with every change.
pub(crate) type Revision = u64;

/// A record as it was at one revision.
#[derive(Debug, Clone)]
pub(crate) struct Versioned {
    pub(crate) revision: Revision,
    pub(crate) record: Arc<KidRecord>,
}

/// The map from `kid`s to records.
///
/// Reads are answered from memory, so that no read of a key waits for a store; writes are
/// compare-and-swap, and have taken effect, durably if that is what the store does, when they return.
#[async_trait]
pub(crate) trait MirrorMap: Send + Sync + Debug {
    /// The record of a `kid`, if there is one.
    fn get(&self, kid: &KeyId) -> Option<Versioned>;

    /// The records after this `kid`, in the order of their `kid`s, at most `limit` of them.
    fn page(&self, after: Option<&KeyId>, limit: usize) -> Vec<(KeyId, Arc<KidRecord>)>;

    /// A number that grows with every change to any record.
    fn generation(&self) -> u64;

    /// Replaces a record if it still is at the expected revision (`None`: absent); a blank record is
    /// removed. False if somebody else was first.
    async fn compare_and_swap(
        &self,
        kid: &KeyId,
        expected: Option<Revision>,
        record: KidRecord,
    ) -> Result<bool, KeyError>;
}

/// The map in the memory of this process.
#[derive(Debug, Default)]
pub(crate) struct MemoryMap {
    records: RwLock<BTreeMap<KeyId, Versioned>>,
    generation: AtomicU64,
}

#[async_trait]
impl MirrorMap for MemoryMap {
    fn get(&self, kid: &KeyId) -> Option<Versioned> {
        self.records.read().get(kid).cloned()
    }

    fn page(&self, after: Option<&KeyId>, limit: usize) -> Vec<(KeyId, Arc<KidRecord>)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let records = self.records.read();
        let page = records.range::<KeyId, _>((from, Bound::Unbounded)).take(limit);
        page.map(|(kid, versioned)| (kid.clone(), Arc::clone(&versioned.record))).collect()
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    async fn compare_and_swap(
        &self,
        kid: &KeyId,
        expected: Option<Revision>,
        record: KidRecord,
    ) -> Result<bool, KeyError> {
        let mut records = self.records.write();
        if records.get(kid).map(|versioned| versioned.revision) != expected {
            return Ok(false);
        }
        let revision = self.generation.load(Ordering::Acquire) + 1;
        if record.is_blank() {
            records.remove(kid);
        } else {
            records.insert(kid.clone(), Versioned { revision, record: Arc::new(record) });
        }
        self.generation.store(revision, Ordering::Release);
        Ok(true)
    }
}

/// Changes a record, again and again until nobody else changed it meanwhile. The change may run more than
/// once; a change that leaves the record as it was writes nothing.
pub(crate) async fn update<R>(
    map: &dyn MirrorMap,
    kid: &KeyId,
    change: impl Fn(&mut KidRecord) -> R,
) -> Result<R, KeyError> {
    loop {
        let before = map.get(kid);
        let mut record =
            before.as_ref().map_or_else(KidRecord::default, |versioned| (*versioned.record).clone());
        let result = change(&mut record);
        let unchanged = match &before {
            Some(versioned) => *versioned.record == record,
            None => record.is_blank(),
        };
        if unchanged || map.compare_and_swap(kid, before.map(|versioned| versioned.revision), record).await? {
            return Ok(result);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::{Intent, Whole};

    fn tombstone() -> KidRecord {
        KidRecord { whole: Whole::Destroyed, ..KidRecord::default() }
    }

    #[tokio::test]
    async fn only_the_expected_revision_is_replaced() {
        let map = MemoryMap::default();
        let kid = KeyId::new("k").unwrap();
        assert!(map.compare_and_swap(&kid, None, tombstone()).await.unwrap());
        assert!(!map.compare_and_swap(&kid, None, KidRecord::default()).await.unwrap());
        let revision = map.get(&kid).unwrap().revision;
        let generation = map.generation();
        assert!(map.compare_and_swap(&kid, Some(revision), KidRecord::default()).await.unwrap());
        assert!(map.get(&kid).is_none(), "a blank record is removed");
        assert!(map.generation() > generation);
    }

    #[tokio::test]
    async fn a_change_that_changes_nothing_writes_nothing() {
        let map = MemoryMap::default();
        let kid = KeyId::new("k").unwrap();
        update(&map, &kid, |record| record.intent = None).await.unwrap();
        assert_eq!(map.generation(), 0);
        update(&map, &kid, |record| record.intent = Some(Intent::Create)).await.unwrap();
        update(&map, &kid, |record| record.intent = Some(Intent::Create)).await.unwrap();
        assert_eq!(map.generation(), 1);
    }

    #[tokio::test]
    async fn pages_go_in_order() {
        let map = MemoryMap::default();
        for kid in ["c", "a", "b"] {
            let kid = KeyId::new(kid).unwrap();
            map.compare_and_swap(&kid, None, tombstone()).await.unwrap();
        }
        let first = map.page(None, 2);
        let names: Vec<_> = first.iter().map(|(kid, _)| kid.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(map.page(Some(&first[1].0), 2).len(), 1);
    }
}
