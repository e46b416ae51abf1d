//! Where the records of the map are kept: the seam between the mirror and its memory or store.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use parking_lot::Mutex;
use swarmauri_keys::{KeyError, KeyId, KeyVersion};
use tokio::sync::Notify;

use crate::breaker::BreakerState;
use crate::map::KidRecord;
use crate::records::{Mark, Records};

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

    /// Whether this version, or with `None` the whole key, must not be served by anyone (promise 4).
    fn is_destroyed(&self, kid: &KeyId, version: Option<KeyVersion>) -> bool;

    /// What every read begins with: the mark of a key of which nothing is destroyed, as far as is known. `None` if more has to
    /// be looked at.
    fn unmarked(&self, kid: &KeyId) -> Option<Mark>;

    /// What every read ends with: whether something of a key with this mark may be destroyed now.
    fn may_be_destroyed(&self, mark: Mark) -> bool;

    /// The records after this `kid`, in the order of their `kid`s, at most `limit` of them.
    fn page(&self, after: Option<&KeyId>, limit: usize) -> Vec<(KeyId, Arc<KidRecord>)>;

    /// A number that grows with every change to any record.
    fn generation(&self) -> u64;

    /// The keys whose records have changed after this generation; `None` if that is not known, or if some of what was known
    /// of a key has been forgotten.
    fn changed_since(&self, generation: u64) -> Option<BTreeSet<KeyId>>;

    /// Replaces a record if it still is at the expected revision (`None`: absent); a blank record is
    /// removed. The revision of that; `None` if somebody else was first; `get` gives what they wrote then.
    async fn compare_and_swap(
        &self,
        kid: &KeyId,
        expected: Option<Revision>,
        record: KidRecord,
    ) -> Result<Option<Revision>, KeyError>;

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

    /// Whether other processes may have the same map.
    fn is_shared(&self) -> bool {
        false
    }

    /// Whether others may have written what has not arrived here.
    fn is_behind(&self) -> bool {
        false
    }

    /// Whether that is so, and nobody has tried in vain to [catch up](Self::catch_up) since it is.
    fn is_newly_behind(&self) -> bool {
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

    fn is_destroyed(&self, kid: &KeyId, version: Option<KeyVersion>) -> bool {
        self.records.is_destroyed(kid, version)
    }

    fn unmarked(&self, kid: &KeyId) -> Option<Mark> {
        self.records.unmarked(kid)
    }

    fn may_be_destroyed(&self, mark: Mark) -> bool {
        self.records.may_be_destroyed(mark)
    }

    fn page(&self, after: Option<&KeyId>, limit: usize) -> Vec<(KeyId, Arc<KidRecord>)> {
        self.records.page(after, limit)
    }

    fn generation(&self) -> u64 {
        self.records.generation()
    }

    fn changed_since(&self, generation: u64) -> Option<BTreeSet<KeyId>> {
        self.records.changed_since(generation)
    }

    async fn compare_and_swap(
        &self,
        kid: &KeyId,
        expected: Option<Revision>,
        record: KidRecord,
    ) -> Result<Option<Revision>, KeyError> {
        Ok(self.records.change(|records, revision| {
            if records.get(kid).map(|versioned| versioned.revision) != expected {
                return (false, None);
            }
            if record.is_blank() {
                records.remove(kid);
            } else {
                records.insert(kid, Versioned { revision, record: Arc::new(record) });
            }
            (true, Some(revision))
        }))
    }

    async fn begin_intent(&self, tag: &str) -> Result<(), KeyError> {
        self.intents.lock().insert(tag.to_owned());
        self.records.owed().notify_one();
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
    Ok(update_or_affirm(map, kid, change, |_| false).await?.0)
}

/// Between which revisions a record was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) from: Option<Revision>,
    pub(crate) to: Option<Revision>,
}

/// The same, but where its outcome is one that must be sure the record is written as it was: what is in memory may be out of
/// date, and another process may have decided otherwise since.
pub(crate) async fn update_or_affirm<R>(
    map: &dyn MirrorMap,
    kid: &KeyId,
    change: impl Fn(&mut KidRecord) -> R,
    must_be_sure: impl Fn(&R) -> bool,
) -> Result<(R, Written), KeyError> {
    loop {
        let before = map.get(kid);
        let mut record =
            before.as_ref().map_or_else(KidRecord::default, |versioned| (*versioned.record).clone());
        let result = change(&mut record);
        let unchanged = match &before {
            Some(versioned) => *versioned.record == record && !must_be_sure(&result),
            None => record.is_blank(),
        };
        let from = before.map(|versioned| versioned.revision);
        if unchanged {
            return Ok((result, Written { from, to: from }));
        }
        if let Some(to) = map.compare_and_swap(kid, from, record).await? {
            return Ok((result, Written { from, to: Some(to) }));
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
        let written = map.compare_and_swap(&kid, None, tombstone()).await.unwrap();
        assert!(map.compare_and_swap(&kid, None, KidRecord::default()).await.unwrap().is_none());
        let revision = map.get(&kid).unwrap().revision;
        assert_eq!(written, Some(revision));
        let generation = map.generation();
        assert!(map.compare_and_swap(&kid, Some(revision), KidRecord::default()).await.unwrap().is_some());
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
