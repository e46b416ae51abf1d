//! The keys in memory, kept in agreement with the store.
//!
//! Every key is in memory, so reads ask the store for nothing. What others write arrives by a watch; it is taken in before
//! each look, so no task runs in the background.

mod load;
mod look;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Mutex, MutexGuard};
use swarmauri_keys::{KeyError, KeyId};
use swarmauri_keystore::{Arrivals, Change, KeyStore, Revision, StoreKey, Watch};
use swarmauri_softkeys::{KeyHistory, KeyTable};

use crate::error::store_failed;
use crate::events;
use crate::form::damaged;
use crate::locks::KidLocks;
use crate::record::{PREFIX, Sealer, place};

/// The keys of a store.
pub(crate) struct Keys {
    pub(crate) store: Arc<dyn KeyStore>,
    pub(crate) sealer: Sealer,
    pub(crate) table: KeyTable,
    pub(crate) locks: KidLocks,
    /// Locked before any part of the table.
    followed: Mutex<Followed>,
    /// Counts what comes by the watch, and all else that a look has to see to.
    arrivals: Arrivals,
    /// The count up to which all has been taken in, and nothing was left to see to.
    settled: AtomicU64,
    /// Whether the watch has ended: then others may have written what is not known here.
    behind: AtomicBool,
    /// Held by whoever is reading everything anew.
    loading: tokio::sync::Mutex<()>,
}

/// How the table and the store agree.
#[derive(Debug, Default)]
struct Followed {
    watch: Option<Box<dyn Watch>>,
    /// Whether the watch counts what comes.
    counts: bool,
    /// What is in the table of each key, also of destroyed ones.
    known: HashMap<KeyId, Known>,
    /// What is being written here, by the writes under way: of each key there is one.
    under_way: HashMap<KeyId, UnderWay>,
    /// Records that may have been written by a write whose outcome nobody knows, each mark with a number of its own.
    stale: HashMap<KeyId, u64>,
    marks: u64,
    /// Keys whose records are not what was written. They are not in the table.
    broken: HashMap<KeyId, KeyError>,
}

/// A record that is being written here, and what it says.
#[derive(Debug)]
struct UnderWay {
    value: Arc<[u8]>,
    sequence: u64,
    history: KeyHistory,
}

/// What a record says, and its sequence number.
type Opened = Result<(u64, KeyHistory), KeyError>;

/// Which record it was read from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) revision: Revision,
    pub(crate) sequence: u64,
}

impl Keys {
    /// Reads all keys of a store.
    ///
    /// # Errors
    ///
    /// [`KeyError::Integrity`] if a record is not what was written; those of the store.
    pub(crate) async fn open(
        store: Arc<dyn KeyStore>,
        sealer: Sealer,
        table: KeyTable,
    ) -> Result<Self, KeyError> {
        let keys = Self {
            store,
            sealer,
            table,
            locks: KidLocks::default(),
            followed: Mutex::default(),
            arrivals: Arrivals::new(),
            settled: AtomicU64::new(0),
            behind: AtomicBool::new(true),
            loading: tokio::sync::Mutex::default(),
        };
        keys.catch_up().await?;
        let broken = keys.followed.lock().broken.values().next().cloned();
        broken.map_or(Ok(keys), Err)
    }

    /// From now on the record is read before the key is used: whether what was being written is there is not known.
    pub(crate) fn mark_stale(&self, kid: &KeyId) {
        let mut followed = self.followed.lock();
        followed.under_way.remove(kid);
        followed.marks += 1;
        let mark = followed.marks;
        followed.stale.insert(kid.clone(), mark);
        self.arrivals.add();
    }

    /// What is known of a key: which record, and what it says.
    pub(crate) fn known(&self, kid: &KeyId) -> (Option<Known>, Option<KeyHistory>) {
        let followed = self.followed.lock();
        (followed.known.get(kid).copied(), self.table.history(kid))
    }

    /// That this is about to be written as the record of a key. The watch may bring it before whoever writes it hears of that.
    pub(crate) fn begin(&self, kid: &KeyId, value: Arc<[u8]>, sequence: u64, history: KeyHistory) {
        self.followed.lock().under_way.insert(kid.clone(), UnderWay { value, sequence, history });
    }

    /// Puts into memory what was written here, unless the watch brought it.
    pub(crate) fn written(&self, kid: &KeyId, revision: Revision) {
        let mut followed = self.followed.lock();
        if let Some(UnderWay { sequence, history, .. }) = followed.under_way.remove(kid)
            && followed.known.get(kid).is_none_or(|other| other.revision < revision)
        {
            self.put(&mut followed, kid, Known { revision, sequence }, history);
        }
    }

    fn put(&self, followed: &mut Followed, kid: &KeyId, known: Known, history: KeyHistory) {
        followed.known.insert(kid.clone(), known);
        followed.broken.remove(kid);
        self.table.put(history);
    }

    /// Takes in what has arrived by the watch.
    fn take_in(&self) -> MutexGuard<'_, Followed> {
        let mut followed = self.followed.lock();
        // Before the watch is asked: what comes meanwhile is for the next look.
        let arrived = self.arrivals.count();
        while let Some(watch) = &mut followed.watch {
            match watch.try_next() {
                Ok(None) => break,
                Ok(Some(change)) => self.apply(&mut followed, &change),
                Err(error) => {
                    events::out_of_touch(&store_failed(error));
                    followed.watch = None;
                    self.behind.store(true, Ordering::Release);
                }
            }
        }
        // Whatever makes this false counts as an arrival, so it stays true until then.
        if followed.watch.is_some()
            && followed.counts
            && followed.stale.is_empty()
            && followed.broken.is_empty()
        {
            self.settled.store(arrived, Ordering::Release);
        }
        followed
    }

    fn apply(&self, followed: &mut Followed, change: &Change) {
        let Ok(kid) = kid_of(change.key()) else { return };
        match change {
            Change::Put(entry) => self.take(followed, &kid, entry.revision, &entry.value),
            Change::Deleted { revision, .. } => self.note_missing(followed, &kid, *revision),
        }
    }

    /// Takes in a record, unless what is known is newer.
    fn take(&self, followed: &mut Followed, kid: &KeyId, revision: Revision, value: &[u8]) {
        if followed.known.get(kid).is_some_and(|known| known.revision >= revision) {
            return;
        }
        // No two records are sealed to the same bytes: this one is ours, and need not be opened.
        if followed.under_way.get(kid).is_some_and(|ours| *ours.value == *value)
            && let Some(UnderWay { sequence, history, .. }) = followed.under_way.remove(kid)
        {
            return self.put(followed, kid, Known { revision, sequence }, history);
        }
        let opened = self.sealer.open(kid, value, self.table.history(kid).as_ref());
        self.take_opened(followed, kid, revision, opened);
    }

    fn take_opened(&self, followed: &mut Followed, kid: &KeyId, revision: Revision, opened: Opened) {
        let known = followed.known.get(kid).copied();
        if known.is_some_and(|known| known.revision >= revision) {
            return;
        }
        let before = known.map_or(0, |known| known.sequence);
        let opened = opened.and_then(|(sequence, history)| {
            if sequence > before {
                return Ok((sequence, history));
            }
            Err(damaged(&place(kid), "it is older than the record that was there before"))
        });
        match opened {
            Ok((sequence, history)) => {
                self.put(followed, kid, Known { revision, sequence }, history);
            }
            Err(error) => {
                followed.known.insert(kid.clone(), Known { revision, sequence: before });
                self.note_broken(followed, kid, error);
            }
        }
    }

    /// There is no record, and what is known is not newer than that. Nobody deletes a record who knows what it is.
    fn note_missing(&self, followed: &mut Followed, kid: &KeyId, at: Revision) {
        match followed.known.get_mut(kid) {
            Some(known) if known.revision <= at => known.revision = at,
            _ => return,
        }
        self.note_broken(followed, kid, damaged(&place(kid), "it was deleted from the store"));
    }

    fn note_broken(&self, followed: &mut Followed, kid: &KeyId, error: KeyError) {
        events::record_broken(kid, &error);
        self.table.forget(kid);
        followed.broken.insert(kid.clone(), error);
        self.arrivals.add();
    }

    fn is_behind(&self) -> bool {
        self.behind.load(Ordering::Acquire)
    }
}

/// Where the record of a key lies.
pub(crate) fn store_key(kid: &KeyId) -> Result<StoreKey, KeyError> {
    StoreKey::new(place(kid)).map_err(store_failed)
}

fn kid_of(key: &StoreKey) -> Result<KeyId, KeyError> {
    let kid = key.as_bytes().strip_prefix(PREFIX.as_bytes());
    let kid = kid.and_then(|kid| KeyId::new(std::str::from_utf8(kid).ok()?).ok());
    kid.ok_or_else(|| damaged(&key.as_bytes().escape_ascii().to_string(), "it lies under what is no kid"))
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("store", &self.store).field("table", &self.table).finish_non_exhaustive()
    }
}
