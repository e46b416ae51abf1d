//! The records of the map in memory: by `kid`, in order, and with a look at them that takes no lock.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::{BuildHasher, Hasher as _};
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

use crossbeam_utils::sync::ShardedLock;
use foldhash::quality::RandomState;
use swarmauri_keys::{KeyId, KeyVersion};
use tokio::sync::Notify;

use crate::map::{KidRecord, VersionState};
use crate::store::{Revision, Versioned};

/// Records in memory.
#[derive(Debug, Default)]
pub(crate) struct Records {
    /// A lock such that threads which read do not write to the same memory.
    table: ShardedLock<Table>,
    doomed: Doomed,
    generation: AtomicU64,
    owed: Notify,
}

/// The records themselves.
#[derive(Debug, Default)]
pub(crate) struct Table {
    by_kid: HashMap<KeyId, Versioned, RandomState>,
    order: BTreeSet<KeyId>,
    /// Those that owe something.
    owing: BTreeSet<KeyId>,
    /// Those that begin to have something destroyed, in the change under way.
    doomed: Vec<KeyId>,
    log: Log,
}

/// The latest changes.
#[derive(Debug, Default)]
struct Log {
    /// The greatest generation of a change that is not in it, or that cannot be told by `kid`s alone.
    floor: u64,
    entries: VecDeque<(u64, KeyId)>,
    /// The generation of the change under way.
    now: u64,
}

impl Log {
    const CAPACITY: usize = 256;

    fn note(&mut self, kid: &KeyId) {
        if self.entries.len() == Self::CAPACITY
            && let Some((dropped, _)) = self.entries.pop_front()
        {
            self.floor = dropped;
        }
        self.entries.push_back((self.now, kid.clone()));
    }

    fn lose(&mut self) {
        self.entries.clear();
        self.floor = self.now;
    }
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
        if record.record.is_doomed() {
            self.doomed.push(kid.clone());
        }
        self.log.note(kid);
        if let Some(known) = self.by_kid.get_mut(kid) {
            if known.record.knew_more_than(&record.record) {
                self.log.lose();
            }
            *known = record;
        } else {
            self.order.insert(kid.clone());
            self.by_kid.insert(kid.clone(), record);
        }
    }

    /// Whether there was one.
    pub(crate) fn remove(&mut self, kid: &KeyId) -> bool {
        self.owing.remove(kid);
        self.order.remove(kid);
        self.log.lose();
        self.by_kid.remove(kid).is_some()
    }

    /// Whether any was removed.
    pub(crate) fn retain(&mut self, keep: impl Fn(&KeyId, &Versioned) -> bool) -> bool {
        let before = self.by_kid.len();
        self.by_kid.retain(|kid, versioned| keep(kid, versioned));
        let changed = self.by_kid.len() != before;
        if changed {
            self.owing.retain(|kid| self.by_kid.contains_key(kid));
            self.order.retain(|kid| self.by_kid.contains_key(kid));
            self.log.lose();
        }
        changed
    }
}

impl Records {
    pub(crate) fn get(&self, kid: &KeyId) -> Option<Versioned> {
        self.read(|table| table.get(kid).cloned())
    }

    /// Whether this version, or with `None` the whole key, must not be served by anyone. Takes no lock where nothing of the
    /// key is destroyed, nor of one of the few others that go by the same mark.
    pub(crate) fn is_destroyed(&self, kid: &KeyId, version: Option<KeyVersion>) -> bool {
        self.unmarked(kid).is_none()
            && self.read(|table| table.get(kid).is_some_and(|known| known.record.is_destroyed(version)))
    }

    #[inline]
    pub(crate) fn unmarked(&self, kid: &KeyId) -> Option<Mark> {
        if !self.doomed.any() {
            return Some(Mark::ANY);
        }
        let mark = self.doomed.mark(kid);
        (!self.doomed.has(mark)).then_some(mark)
    }

    #[inline]
    pub(crate) fn may_be_destroyed(&self, mark: Mark) -> bool {
        self.doomed.has(mark)
    }

    pub(crate) fn page(&self, after: Option<&KeyId>, limit: usize) -> Vec<(KeyId, Arc<KidRecord>)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.read(|table| {
            let page = table.order.range::<KeyId, _>((from, Bound::Unbounded)).take(limit);
            page.filter_map(|kid| Some((kid.clone(), Arc::clone(&table.get(kid)?.record)))).collect()
        })
    }

    pub(crate) fn owing(&self, after: Option<&KeyId>, limit: usize) -> Vec<KeyId> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.read(|table| {
            table.owing.range::<KeyId, _>((from, Bound::Unbounded)).take(limit).cloned().collect()
        })
    }

    pub(crate) fn debtors(&self) -> usize {
        self.read(|table| table.owing.len())
    }

    pub(crate) fn owed(&self) -> &Notify {
        &self.owed
    }

    #[inline]
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The keys whose records have changed after this generation; `None` if that is not known, or if some of what was known
    /// of a key has been forgotten.
    pub(crate) fn changed_since(&self, generation: u64) -> Option<BTreeSet<KeyId>> {
        self.read(|table| {
            let later = |(at, kid): &(u64, KeyId)| (*at > generation).then(|| kid.clone());
            (table.log.floor <= generation).then(|| table.log.entries.iter().filter_map(later).collect())
        })
    }

    /// The greatest revision of any record.
    pub(crate) fn latest(&self) -> Revision {
        self.read(|table| table.by_kid.values().map(|versioned| versioned.revision).max().unwrap_or_default())
    }

    /// Changes the records under the lock; `change` says whether it changed any.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut Table, u64) -> (bool, R)) -> R {
        // Nothing panics that holds the lock for writing; what the lock says of that is of no account.
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let (next, owing) = (self.generation.load(Ordering::Acquire) + 1, table.owing.len());
        table.log.now = next;
        let (changed, result) = change(&mut table, next);
        table.doomed.drain(..).for_each(|kid| self.doomed.note(&kid));
        if changed {
            self.generation.store(next, Ordering::Release);
        }
        if table.owing.len() > owing {
            self.owed.notify_one();
        }
        result
    }

    fn read<R>(&self, look: impl FnOnce(&Table) -> R) -> R {
        look(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Marks of keys of which something is destroyed, or may be: read without a lock. Several keys may share a mark, and no mark
/// is ever taken away.
#[derive(Debug)]
struct Doomed {
    /// Whether there are any. Most mirrors have none for long, and then a `kid` is not even hashed.
    any: AtomicBool,
    marks: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Doomed {
    /// So many bits: with 1,000 tombstones one in 262 other keys shares a mark, with 100,000 one in three.
    const BITS: u64 = 1 << 18;

    #[inline]
    fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    #[inline]
    fn mark(&self, kid: &KeyId) -> Mark {
        let (mut hasher, kid) = (self.hasher.build_hasher(), kid.as_str().as_bytes());
        // Of names that are longer than twice that the middle does not count, and those that differ there alone share a mark.
        if let (Some(first), Some(last)) = (kid.first_chunk(), kid.last_chunk()) {
            hasher.write_u128(u128::from_ne_bytes(*first));
            hasher.write_u128(u128::from_ne_bytes(*last));
        } else {
            hasher.write(kid);
        }
        Mark(hasher.finish() % Self::BITS)
    }

    #[inline]
    fn has(&self, mark: Mark) -> bool {
        if mark == Mark::ANY {
            return self.any();
        }
        self.word(mark).is_some_and(|word| word.load(Ordering::Acquire) & mark.bit() != 0)
    }

    fn note(&self, kid: &KeyId) {
        let mark = self.mark(kid);
        if let Some(word) = self.word(mark) {
            word.fetch_or(mark.bit(), Ordering::AcqRel);
        }
        self.any.store(true, Ordering::Release);
    }

    #[inline]
    fn word(&self, mark: Mark) -> Option<&AtomicU64> {
        self.marks.get(usize::try_from(mark.0 / 64).ok()?)
    }
}

/// What a key is marked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark(u64);

impl Mark {
    /// That of every key while there are none: shared with all, so that the first mark of any key is one of this, too.
    const ANY: Self = Self(u64::MAX);

    #[inline]
    fn bit(self) -> u64 {
        1 << (self.0 % 64)
    }
}

impl Default for Doomed {
    fn default() -> Self {
        let marks = (0..Self::BITS / 64).map(|_| AtomicU64::new(0)).collect();
        Self { any: AtomicBool::new(false), marks, hasher: RandomState::default() }
    }
}

impl KidRecord {
    /// Whether something of it is destroyed for everyone.
    fn is_doomed(&self) -> bool {
        self.is_destroyed(None) || self.versions.keys().any(|version| self.is_destroyed(Some(*version)))
    }

    /// Whether it tells of a key that `later` no longer tells of.
    fn knew_more_than(&self, later: &Self) -> bool {
        let known = |version: &KeyVersion| later.state(*version).and_then(VersionState::fingerprint);
        self.versions.iter().any(|(version, state)| {
            state.fingerprint().is_some_and(|fingerprint| known(version) != Some(fingerprint))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::Whole;

    fn kid(number: u32) -> KeyId {
        KeyId::new(number.to_string()).unwrap()
    }

    fn put(records: &Records, kid: &KeyId, whole: Whole) {
        records.change(|table, revision| {
            let record = Arc::new(KidRecord { whole, ..KidRecord::default() });
            table.insert(kid, Versioned { revision, record });
            (true, ())
        });
    }

    #[test]
    fn few_keys_go_by_the_mark_of_another() {
        let long = |number: u32| KeyId::new(format!("keys of a tenant {number}")).unwrap();
        assert_few_share_a_mark(kid);
        assert_few_share_a_mark(long);
    }

    fn assert_few_share_a_mark(kid: impl Fn(u32) -> KeyId) {
        let records = Records::default();
        (0..1000).for_each(|number| put(&records, &kid(number), Whole::Destroyed));
        (0..1000).for_each(|number| assert!(records.is_destroyed(&kid(number), None)));
        (1000..11_000).for_each(|number| put(&records, &kid(number), Whole::Live));
        assert!((1000..11_000).all(|number| !records.is_destroyed(&kid(number), None)));
        let shared = (1000..11_000).filter(|number| records.unmarked(&kid(*number)).is_none()).count();
        assert!(shared < 200, "{shared} of 10,000");
    }

    /// A read that began while nothing was destroyed must hear of the first that is (promise 4).
    #[test]
    fn a_mark_taken_while_there_was_none_tells_of_the_first() {
        let records = Records::default();
        let before = records.unmarked(&kid(1)).unwrap();
        put(&records, &kid(1), Whole::Live);
        assert!(!records.may_be_destroyed(before));
        put(&records, &kid(1), Whole::Destroyed);
        assert!(records.may_be_destroyed(before));
        assert!(records.unmarked(&kid(1)).is_none() && records.unmarked(&kid(2)).is_some());
    }

    #[test]
    fn what_has_changed_is_known_for_a_while() {
        let records = Records::default();
        (0..10).for_each(|number| put(&records, &kid(number), Whole::Live));
        let then = records.generation();
        assert_eq!(records.changed_since(then), Some(BTreeSet::new()));
        put(&records, &kid(3), Whole::Destroyed);
        put(&records, &kid(7), Whole::Live);
        assert_eq!(records.changed_since(then), Some([kid(3), kid(7)].into()));
        (0..300).for_each(|number| put(&records, &kid(number), Whole::Live));
        assert_eq!(records.changed_since(then), None);
        assert_eq!(records.changed_since(records.generation() - 1), Some([kid(299)].into()));
        records.change(|table, _| (table.remove(&kid(1)), ()));
        assert_eq!(records.changed_since(then), None, "what was known of it is forgotten");
        assert_eq!(records.changed_since(records.generation()), Some(BTreeSet::new()));
    }
}
