//! The map on a store: what it says survives the process, and is shared with others that use the store.
//!
//! Every record is in memory too, so reads ask the store for nothing. What others write arrives by a watch; it is taken in
//! before each look at the records, so no task runs in the background.

mod form;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use parking_lot::Mutex;
use swarmauri_keys::{KeyError, KeyErrorKind, KeyId, KeyVersion};
use swarmauri_keystore::{
    Arrivals, Change, Entry, KeyStore, Precondition, Revision as StoreRevision, ScanRequest, StoreError,
    StoreKey, Watch,
};
use tokio::sync::Notify;

use self::form::{
    COMPLETE, INTENT, RECORD, ROOT, intent_key, kid_of, read_record, record_key, store_key, tag_of,
    write_record,
};
use crate::breaker::BreakerState;
use crate::deadline::{Class, within};
use crate::events;
use crate::guard::{Answered, Call, Guard};
use crate::map::KidRecord;
use crate::records::{Mark, Records};
use crate::store::{MirrorMap, Revision, Versioned};

/// A map whose records are kept in a store.
#[derive(Debug)]
pub(crate) struct StoredMap {
    store: Arc<dyn KeyStore>,
    guard: Guard,
    records: Records,
    rest: Mutex<Rest>,
    /// Counts what comes by the watch.
    arrivals: Arrivals,
    /// The count up to which all has been taken in.
    taken: AtomicU64,
    /// Whether the watch has ended: then others may have written what is not known here.
    behind: AtomicBool,
    /// Whether somebody has tried in vain to read that since.
    in_vain: AtomicBool,
    /// Held by whoever is reading everything anew.
    loading: tokio::sync::Mutex<()>,
}

/// What is not a record.
#[derive(Debug, Default)]
struct Rest {
    watch: Option<Box<dyn Watch>>,
    /// Whether the watch counts what comes.
    counts: bool,
    intents: BTreeSet<String>,
    complete: bool,
    /// When records were removed, until the watch has told of it: what it tells of before is from the past.
    removed: HashMap<KeyId, StoreRevision>,
}

impl StoredMap {
    /// Reads the map of a store.
    ///
    /// # Errors
    ///
    /// [`KeyError::Integrity`] if a record cannot be read; those of the store.
    pub(crate) async fn open(store: Arc<dyn KeyStore>, guard: Guard) -> Result<Self, KeyError> {
        let map = Self {
            store,
            guard,
            records: Records::default(),
            rest: Mutex::default(),
            arrivals: Arrivals::new(),
            taken: AtomicU64::new(0),
            behind: AtomicBool::new(true),
            in_vain: AtomicBool::new(false),
            loading: tokio::sync::Mutex::new(()),
        };
        map.catch_up().await?;
        Ok(map)
    }

    /// Takes in what has arrived by the watch. No lock where nothing has, for it is what every read begins with.
    fn take_in(&self) {
        // In this order: what is counted after that comes too late for this look.
        let arrived = self.arrivals.count();
        if self.taken.load(Ordering::Acquire) >= arrived {
            return;
        }
        let mut rest = self.rest.lock();
        // Before the watch is asked: what comes meanwhile is for the next look.
        let arrived = self.arrivals.count();
        while let Some(watch) = &mut rest.watch {
            let taken = match watch.try_next() {
                Ok(None) => {
                    if rest.counts {
                        self.taken.store(arrived, Ordering::Release);
                    }
                    return;
                }
                Ok(Some(change)) => self.apply(&mut rest, &change),
                Err(error) => Err(store_failed(&error)),
            };
            if let Err(error) = taken {
                events::state_store_failed(&error);
                rest.watch = None;
                self.behind.store(true, Ordering::Release);
            }
        }
    }

    fn apply(&self, rest: &mut Rest, change: &Change) -> Result<(), KeyError> {
        let (key, revision) = (change.key().as_bytes(), change.revision());
        let value = match change {
            Change::Put(entry) => Some(&*entry.value),
            Change::Deleted { .. } => None,
        };
        if let Some(kid) = key.strip_prefix(RECORD) {
            let kid = kid_of(kid)?;
            let record = value.map(|value| read_record(&kid, value)).transpose()?;
            self.put(rest, &kid, revision, record);
            if rest.removed.get(&kid).is_some_and(|removed| *removed <= revision) {
                rest.removed.remove(&kid);
            }
        } else if let Some(tag) = key.strip_prefix(INTENT) {
            let tag = tag_of(tag)?;
            if value.is_some() {
                rest.intents.insert(tag)
            } else {
                rest.intents.remove(&tag)
            };
        } else if key == COMPLETE {
            rest.complete = value.is_some();
        }
        Ok(())
    }

    /// Puts a record into memory, unless what is there is newer.
    fn put(&self, rest: &mut Rest, kid: &KeyId, at: StoreRevision, record: Option<KidRecord>) {
        let from_the_past = rest.removed.get(kid).is_some_and(|removed| *removed >= at);
        let removed = self.records.change(|records, _| {
            let known = records.get(kid).map(|versioned| versioned.revision);
            if from_the_past || known.is_some_and(|known| known >= at.get()) {
                return (false, false);
            }
            match record {
                Some(record) => {
                    let record = Arc::new(record);
                    records.insert(kid, Versioned { revision: at.get(), record });
                    (true, false)
                }
                None => (records.remove(kid), true),
            }
        });
        if removed {
            rest.removed.insert(kid.clone(), at);
        }
    }

    /// Takes in what is at a key now, after a write of somebody else was found there.
    async fn read_anew(&self, kid: &KeyId, key: &StoreKey) -> Result<(), KeyError> {
        let before = self.records.get(kid).map(|versioned| versioned.revision);
        let entry = self.call("get", Some(kid), self.store.get(key)).await?;
        let entry = entry.map_err(|error| store_failed(&error))?;
        match entry {
            Some(entry) => {
                let record = read_record(kid, &entry.value)?;
                self.put(&mut self.rest.lock(), kid, entry.revision, Some(record));
            }
            // When it was removed will be known by the watch; until then it is not in the way.
            None => self.records.change(|records, _| {
                // What was written during the look is newer than its answer.
                let same = records.get(kid).map(|versioned| versioned.revision) == before;
                (same && records.remove(kid), ())
            }),
        }
        Ok(())
    }

    async fn scan(&self) -> Result<Vec<Entry>, KeyError> {
        let (mut entries, mut request) = (Vec::new(), ScanRequest::all(ROOT));
        loop {
            let page = self.call("scan", None, self.store.scan(&request)).await?;
            let page = page.map_err(|error| store_failed(&error))?;
            let last = page.entries.last().map(|entry| entry.key.clone());
            entries.extend(page.entries);
            match last.filter(|_| page.more) {
                Some(last) => request = request.after(last),
                None => return Ok(entries),
            }
        }
    }

    async fn put_mark(&self, key: &StoreKey) -> Result<(), KeyError> {
        let put = self.call("put", None, self.store.put(key, b"", Precondition::Any)).await?;
        put.map(drop).map_err(|error| store_failed(&error))
    }

    /// A call of the store, within its deadline and unless its breaker is open.
    async fn call<T>(
        &self,
        operation: &'static str,
        kid: Option<&KeyId>,
        future: impl Future<Output = Result<T, StoreError>> + Unpin,
    ) -> Result<Result<T, StoreError>, KeyError> {
        self.guard.call(Call { operation, class: Class::State, kid }, || future).await
    }
}

#[async_trait]
impl MirrorMap for StoredMap {
    fn get(&self, kid: &KeyId) -> Option<Versioned> {
        self.take_in();
        self.records.get(kid)
    }

    fn is_destroyed(&self, kid: &KeyId, version: Option<KeyVersion>) -> bool {
        self.take_in();
        self.records.is_destroyed(kid, version)
    }

    fn unmarked(&self, kid: &KeyId) -> Option<Mark> {
        if self.is_behind() { None } else { self.records.unmarked(kid) }
    }

    fn may_be_destroyed(&self, mark: Mark) -> bool {
        self.take_in();
        self.records.may_be_destroyed(mark)
    }

    fn page(&self, after: Option<&KeyId>, limit: usize) -> Vec<(KeyId, Arc<KidRecord>)> {
        self.take_in();
        self.records.page(after, limit)
    }

    fn generation(&self) -> u64 {
        self.take_in();
        self.records.generation()
    }

    fn changed_since(&self, generation: u64) -> Option<BTreeSet<KeyId>> {
        self.take_in();
        self.records.changed_since(generation)
    }

    async fn compare_and_swap(
        &self,
        kid: &KeyId,
        expected: Option<Revision>,
        record: KidRecord,
    ) -> Result<Option<Revision>, KeyError> {
        let key = record_key(kid)?;
        let when = expected.map_or(Precondition::Absent, |at| Precondition::At(StoreRevision::new(at)));
        let written = if record.is_blank() {
            let deleted = self.call("delete", Some(kid), self.store.delete(&key, when)).await;
            deleted.map(|deleted| deleted.map(|at| at.map(|at| (at, None))))
        } else {
            let value = write_record(&record)?;
            let put = self.call("put", Some(kid), self.store.put(&key, &value, when)).await;
            put.map(|put| put.map(|at| Some((at, Some(record)))))
        };
        // When it was written late, the watch tells.
        match written? {
            Ok(Some((at, record))) => {
                self.put(&mut self.rest.lock(), kid, at, record);
                Ok(Some(at.get()))
            }
            // There was nothing to be removed.
            Ok(None) => Ok(Some(expected.unwrap_or_default())),
            Err(StoreError::Conflict { .. }) => {
                self.take_in();
                self.read_anew(kid, &key).await?;
                Ok(None)
            }
            Err(error) => {
                // It may have been written all the same.
                let _ = self.read_anew(kid, &key).await;
                Err(store_failed(&error))
            }
        }
    }

    async fn begin_intent(&self, tag: &str) -> Result<(), KeyError> {
        self.put_mark(&intent_key(tag)?).await?;
        self.rest.lock().intents.insert(tag.to_owned());
        Ok(())
    }

    async fn settle_intent(&self, tag: &str) -> Result<(), KeyError> {
        let key = intent_key(tag)?;
        let settled = self.call("delete", None, self.store.delete(&key, Precondition::Any)).await?;
        settled.map_err(|error| store_failed(&error))?;
        self.rest.lock().intents.remove(tag);
        Ok(())
    }

    fn open_intents(&self) -> Vec<String> {
        self.take_in();
        self.rest.lock().intents.iter().cloned().collect()
    }

    fn is_complete(&self) -> bool {
        self.take_in();
        self.rest.lock().complete
    }

    async fn completed(&self) -> Result<(), KeyError> {
        self.put_mark(&store_key(COMPLETE)?).await?;
        self.rest.lock().complete = true;
        Ok(())
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn is_behind(&self) -> bool {
        // The watch may have ended since anybody last looked at it.
        self.take_in();
        self.behind.load(Ordering::Acquire)
    }

    fn owing(&self, after: Option<&KeyId>, limit: usize) -> Vec<KeyId> {
        self.take_in();
        self.records.owing(after, limit)
    }

    fn debtors(&self) -> usize {
        self.take_in();
        self.records.debtors()
    }

    fn owed(&self) -> &Notify {
        self.records.owed()
    }

    fn breaker(&self) -> Option<BreakerState> {
        Some(self.guard.breaker().state())
    }

    fn is_newly_behind(&self) -> bool {
        self.is_behind() && !self.in_vain.load(Ordering::Acquire)
    }

    async fn catch_up(&self) -> Result<(), KeyError> {
        let read = self.read_what_was_missed().await;
        self.in_vain.store(read.is_err(), Ordering::Release);
        read
    }
}

impl StoredMap {
    async fn read_what_was_missed(&self) -> Result<(), KeyError> {
        let turn = within(self.guard.limit(Class::State), self.loading.lock()).await;
        let _turn =
            turn.ok_or_else(|| KeyError::unavailable("the state of the mirror is still being read"))?;
        if !self.is_behind() {
            return Ok(());
        }
        let before = self.records.latest();
        // First the watch: what is written during the scan is in one of them at least.
        let watch = self.call("watch", None, self.store.watch(ROOT)).await?;
        let mut watch = watch.map_err(|error| store_failed(&error))?;
        let counts = watch.count_in(&self.arrivals);
        let entries = self.scan().await?;
        let mut rest = self.rest.lock();
        let present: BTreeSet<_> = entries.iter().map(|entry| entry.key.clone()).collect();
        rest.intents.clear();
        rest.complete = false;
        rest.removed.clear();
        for entry in entries {
            self.apply(&mut rest, &Change::Put(entry))?;
        }
        self.records.change(|records, _| {
            // What this process has written during the scan is newer than the scan.
            let changed = records.retain(|kid, known| {
                known.revision > before || record_key(kid).is_ok_and(|key| present.contains(&key))
            });
            (changed, ())
        });
        (rest.watch, rest.counts) = (Some(watch), counts);
        // What came before it counted.
        self.arrivals.add();
        self.behind.store(false, Ordering::Release);
        Ok(())
    }
}

/// A store's error, as the mirror's callers meet it.
fn store_failed(error: &StoreError) -> KeyError {
    let reason = format!("the mirror's state: {error}");
    match error {
        StoreError::Integrity { .. } => KeyError::integrity(reason),
        StoreError::Unavailable { .. } | StoreError::Lagged => {
            KeyError::Unavailable { reason: reason.into(), source: Some(Arc::new(error.clone())) }
        }
        _ => KeyError::invalid_state(reason),
    }
}

impl<T> Answered for Result<T, StoreError> {
    type Guarded = Result<Self, KeyError>;

    fn is_outage(&self) -> bool {
        matches!(self, Err(StoreError::Unavailable { .. }))
    }

    fn error(&self) -> Option<KeyErrorKind> {
        self.as_ref().err().map(|error| store_failed(error).kind())
    }

    fn answered(self) -> Result<Self, KeyError> {
        Ok(self)
    }

    fn failed(error: KeyError) -> Result<Self, KeyError> {
        Err(error)
    }
}
