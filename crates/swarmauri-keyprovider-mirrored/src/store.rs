//! Where the records of the map are kept: the seam between the mirror and its memory or store.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use parking_lot::{Mutex, RwLock};
use swarmauri_keys::{KeyError, KeyId};
use tokio::sync::Notify;

use crate::breaker::BreakerState;
use crate::map::KidRecord;

/// The number of a change to a record; it grows with every change.
pub(crate) type Revision = u64;

/// A record as it was at one revision.
#[derive(Debug, Clone)]
pub(crate) struct Versioned {
    pub(crate) revision: Revision,
    pub(crate) record: Arc<KidRecord>,
}

/// The map from `kid`s to records, and what else the mirror remembers.
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
    /// removed. False if somebody else was first; `get` gives what they wrote then.
    async fn compare_and_swap(
        &self,
        kid: &KeyId,
        expected: Option<Revision>,
        record: KidRecord,
    ) -> Result<bool, KeyError>;

    /// Records that the primary is about to be asked for a key that will bear this value of the tag
    /// `mirror.intent`: where it takes no `kid`.
    async fn begin_intent(&self, tag: &str) -> Result<(), KeyError>;

    /// The outcome of that is recorded elsewhere, or there is none.
    async fn settle_intent(&self, tag: &str) -> Result<(), KeyError>;

    /// The intents whose outcome is not known.
    fn open_intents(&self) -> Vec<String>;

    /// Whether the replicas of earlier processes are all in the map.
    fn is_complete(&self) -> bool;

    /// They are now.
    async fn completed(&self) -> Result<(), KeyError>;

    /// Whether others may have written what has not arrived here.
    fn is_behind(&self) -> bool {
        false
    }

    /// Reads what was missed.
    async fn catch_up(&self) -> Result<(), KeyError> {
        Ok(())
    }

    /// The `kid`s after this one whose records [owe](KidRecord::owes) something, in order, at most `limit` of them.
    fn owing(&self, after: Option<&KeyId>, limit: usize) -> Vec<KeyId>;

    /// How many there are of them.
    fn debtors(&self) -> usize;

    /// Told when a record begins to owe something.
    fn owed(&self) -> &Notify;

    /// What the breaker before the store does, if there is a store.
    fn breaker(&self) -> Option<BreakerState> {
        None
    }
}

/// Records in memory, in the order of their `kid`s.
#[derive(Debug, Default)]
pub(crate) struct Records {
    table: RwLock<Table>,
    generation: AtomicU64,
    owed: Notify,
}

/// The records themselves.
#[derive(Debug, Default)]
pub(crate) struct Table {
    by_kid: BTreeMap<KeyId, Versioned>,
    /// Those that owe something.
    owing: BTreeSet<KeyId>,
}

impl Table {
    pub(crate) fn get(&self, kid: &KeyId) -> Option<&Versioned> {
        self.by_kid.get(kid)
    }

    pub(crate) fn insert(&mut self, kid: &KeyId, record: Versioned) {
        if !record.record.owes() {
            self.owing.remove(kid);
        } else if !self.owing.contains(kid) {
            self.owing.insert(kid.clone());
        }
        self.by_kid.insert(kid.clone(), record);
    }

    /// Whether there was one.
    pub(crate) fn remove(&mut self, kid: &KeyId) -> bool {
        self.owing.remove(kid);
        self.by_kid.remove(kid).is_some()
    }

    /// Whether any was removed.
    pub(crate) fn retain(&mut self, keep: impl Fn(&KeyId, &Versioned) -> bool) -> bool {
        let before = self.by_kid.len();
        self.by_kid.retain(|kid, versioned| keep(kid, versioned));
        self.owing.retain(|kid| self.by_kid.contains_key(kid));
        self.by_kid.len() != before
    }
}

impl Records {
    pub(crate) fn get(&self, kid: &KeyId) -> Option<Versioned> {
        self.table.read().get(kid).cloned()
    }

    pub(crate) fn page(&self, after: Option<&KeyId>, limit: usize) -> Vec<(KeyId, Arc<KidRecord>)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let table = self.table.read();
        let page = table.by_kid.range::<KeyId, _>((from, Bound::Unbounded)).take(limit);
        page.map(|(kid, versioned)| (kid.clone(), Arc::clone(&versioned.record))).collect()
    }

    pub(crate) fn owing(&self, after: Option<&KeyId>, limit: usize) -> Vec<KeyId> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.table.read().owing.range::<KeyId, _>((from, Bound::Unbounded)).take(limit).cloned().collect()
    }

    pub(crate) fn debtors(&self) -> usize {
        self.table.read().owing.len()
    }

    pub(crate) fn owed(&self) -> &Notify {
        &self.owed
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The greatest revision of any record.
    pub(crate) fn latest(&self) -> Revision {
        self.table.read().by_kid.values().map(|versioned| versioned.revision).max().unwrap_or_default()
    }

    /// Changes the records under the lock; `change` says whether it changed any.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut Table, u64) -> (bool, R)) -> R {
        let mut table = self.table.write();
        let (next, owing) = (self.generation.load(Ordering::Acquire) + 1, table.owing.len());
        let (changed, result) = change(&mut table, next);
        if changed {
            self.generation.store(next, Ordering::Release);
        }
        if table.owing.len() > owing {
            self.owed.notify_one();
        }
        result
    }
}

/// The map in the memory of this process.
#[derive(Debug, Default)]
pub(crate) struct MemoryMap {
    records: Records,
    intents: Mutex<BTreeSet<String>>,
    complete: AtomicBool,
}

#[async_trait]
impl MirrorMap for MemoryMap {
    fn get(&self, kid: &KeyId) -> Option<Versioned> {
        self.records.get(kid)
    }

    fn page(&self, after: Option<&KeyId>, limit: usize) -> Vec<(KeyId, Arc<KidRecord>)> {
        self.records.page(after, limit)
    }

    fn generation(&self) -> u64 {
        self.records.generation()
    }

    async fn compare_and_swap(
        &self,
        kid: &KeyId,
        expected: Option<Revision>,
        record: KidRecord,
    ) -> Result<bool, KeyError> {
        Ok(self.records.change(|records, revision| {
            if records.get(kid).map(|versioned| versioned.revision) != expected {
                return (false, false);
            }
            if record.is_blank() {
                records.remove(kid);
            } else {
                records.insert(kid, Versioned { revision, record: Arc::new(record) });
            }
            (true, true)
        }))
    }

    async fn begin_intent(&self, tag: &str) -> Result<(), KeyError> {
        self.intents.lock().insert(tag.to_owned());
        self.records.owed.notify_one();
        Ok(())
    }

    async fn settle_intent(&self, tag: &str) -> Result<(), KeyError> {
        self.intents.lock().remove(tag);
        Ok(())
    }

    fn open_intents(&self) -> Vec<String> {
        self.intents.lock().iter().cloned().collect()
    }

    fn is_complete(&self) -> bool {
        self.complete.load(Ordering::Acquire)
    }

    fn owing(&self, after: Option<&KeyId>, limit: usize) -> Vec<KeyId> {
        self.records.owing(after, limit)
    }

    fn debtors(&self) -> usize {
        self.records.debtors()
    }

    fn owed(&self) -> &Notify {
        self.records.owed()
    }

    async fn completed(&self) -> Result<(), KeyError> {
        self.complete.store(true, Ordering::Release);
        Ok(())
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
