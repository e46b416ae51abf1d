//! What all callers together know of the keys, and what therefore must not be.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, MutexGuard};
use swarmauri_keys::{Fingerprint, KeyId, KeyRef, KeyVersion};

/// A moment. What returned at one is over for everything that starts at the same or later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

/// A promise that was broken, in words.
pub(crate) type Check = Result<(), String>;

/// Every version that anybody ever saw, and every destroy that anybody asked for.
pub(crate) struct Ledger {
    clock: AtomicU64,
    shards: [Mutex<HashMap<KeyId, History>>; 64],
}

#[derive(Default)]
pub(crate) struct History {
    pub(crate) versions: BTreeMap<KeyVersion, Life>,
    pub(crate) ending: Ending,
}

#[derive(Default)]
pub(crate) struct Life {
    pub(crate) fingerprint: Option<Fingerprint>,
    /// When somebody first had an answer with it.
    known: Option<Moment>,
    made: bool,
    pub(crate) ending: Ending,
    use_of: Use,
}

/// Whether a version is in use, as far as the callers can know.
#[derive(Default)]
struct Use {
    enables_begun: u64,
    /// Those that have not ended, or whose outcome nobody knows.
    enables_open: u64,
    /// Set after a disable said that it is over, if no enable came near it.
    disabled: Option<Moment>,
}

/// The enables there were when a disable began.
pub(crate) struct Enables {
    begun: u64,
    open: u64,
}

#[derive(Default)]
pub(crate) struct Ending {
    /// Set before a destroy is asked for.
    pub(crate) begun: bool,
    /// Set after a destroy said that it is over.
    pub(crate) over: Option<Moment>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self { clock: AtomicU64::new(1), shards: std::array::from_fn(|_| Mutex::default()) }
    }
}

impl Ledger {
    /// To be taken before a call starts.
    pub(crate) fn now(&self) -> Moment {
        Moment(self.clock.load(Ordering::SeqCst))
    }

    /// A create or rotation that started then has made this.
    pub(crate) fn made(&self, key: &KeyRef, started: Moment) -> Check {
        let over = self.tick();
        let mut history = self.history(key.kid());
        let older =
            history.versions.iter().filter(|(_, life)| life.known.is_some_and(|known| known <= started));
        if let Some(last) = older.map(|(version, _)| *version).max().filter(|last| *last >= key.version()) {
            return Err(format!("{} was made, and there had been version {last}", key.id()));
        }
        let life = history.versions.entry(key.version()).or_default();
        if std::mem::replace(&mut life.made, true) {
            return Err(format!("{} was made twice", key.id()));
        }
        history.note(key.kid(), key.version(), key.fingerprint(), started, over)
    }

    /// A read that started then was answered with this.
    pub(crate) fn saw(
        &self,
        kid: &KeyId,
        version: KeyVersion,
        fingerprint: &Fingerprint,
        started: Moment,
    ) -> Check {
        let over = self.tick();
        self.history(kid).note(kid, version, fingerprint, started, over)
    }

    /// A read that started then was told that this is not there.
    pub(crate) fn missed(&self, kid: &KeyId, version: Option<KeyVersion>, started: Moment) -> Check {
        let history = self.history(kid);
        let lost = history.alive_since(started).find(|there| version.is_none_or(|version| *there == version));
        lost.map_or(Ok(()), |there| {
            Err(format!("{} is not found, and nobody asked for its destruction", kid.at(there)))
        })
    }

    /// A read of the latest version that started then was answered with this one.
    pub(crate) fn latest(&self, kid: &KeyId, version: KeyVersion, started: Moment) -> Check {
        let newest = self.history(kid).alive_since(started).max();
        match newest.filter(|newest| *newest > version) {
            Some(newest) => Err(format!("the latest of {kid} is given as {version}, and {newest} is there")),
            None => Ok(()),
        }
    }

    /// A listing of versions that started then was answered with these.
    pub(crate) fn listed(
        &self,
        kid: &KeyId,
        versions: &[KeyVersion],
        started: Moment,
        complete: bool,
    ) -> Check {
        if !versions.is_sorted_by(|one, next| one < next) {
            return Err(format!("the versions of {kid} are not in order: {versions:?}"));
        }
        let history = self.history(kid);
        for version in versions {
            history.check_alive(kid, *version, started)?;
        }
        match history.alive_since(started).find(|there| complete && !versions.contains(there)) {
            Some(there) => Err(format!("{} is not listed, and is there", kid.at(there))),
            None => Ok(()),
        }
    }

    /// A call that takes an enabled version, and started then, was answered by this one.
    pub(crate) fn used(&self, kid: &KeyId, version: KeyVersion, started: Moment) -> Check {
        let history = self.history(kid);
        history.check_alive(kid, version, started)?;
        let since = history.versions.get(&version).and_then(|life| life.use_of.disabled);
        match since.filter(|since| *since <= started) {
            Some(_) => Err(format!("{} is used, and was disabled before", kid.at(version))),
            None => Ok(()),
        }
    }

    /// A disable is about to be asked for.
    pub(crate) fn disable_begins(&self, kid: &KeyId, version: KeyVersion) -> Enables {
        let mut history = self.history(kid);
        let use_of = &history.versions.entry(version).or_default().use_of;
        Enables { begun: use_of.enables_begun, open: use_of.enables_open }
    }

    /// A disable says that it is over.
    pub(crate) fn disabled(&self, kid: &KeyId, version: KeyVersion, before: &Enables) {
        let over = self.tick();
        let mut history = self.history(kid);
        let use_of = &mut history.versions.entry(version).or_default().use_of;
        if before.open == 0 && use_of.enables_begun == before.begun {
            use_of.disabled.get_or_insert(over);
        }
    }

    /// An enable is about to be asked for.
    pub(crate) fn enable_begins(&self, kid: &KeyId, version: KeyVersion) {
        let mut history = self.history(kid);
        let use_of = &mut history.versions.entry(version).or_default().use_of;
        use_of.enables_begun += 1;
        use_of.enables_open += 1;
        use_of.disabled = None;
    }

    /// An enable has ended, and cannot take effect any more.
    pub(crate) fn enable_ended(&self, kid: &KeyId, version: KeyVersion) {
        self.history(kid).versions.entry(version).or_default().use_of.enables_open -= 1;
    }

    /// A destroy is about to be asked for. Whether there is anything of this name.
    pub(crate) fn destroy_begins(&self, kid: &KeyId, version: Option<KeyVersion>) -> bool {
        let mut history = self.history(kid);
        let known = match version {
            Some(version) => history.versions.get(&version).is_some_and(|life| life.known.is_some()),
            None => history.versions.values().any(|life| life.known.is_some()),
        };
        history.ending(version).begun = true;
        known
    }

    /// A destroy says that this is over.
    pub(crate) fn destroyed(&self, kid: &KeyId, version: Option<KeyVersion>) {
        let over = self.tick();
        self.history(kid).ending(version).over.get_or_insert(over);
    }

    /// Whether somebody asked for the destruction of all there is of this name.
    pub(crate) fn is_doomed(&self, kid: &KeyId) -> bool {
        let history = self.history(kid);
        let versions = &history.versions;
        history.ending.begun || (!versions.is_empty() && versions.values().all(|life| life.ending.begun))
    }

    /// Everything, once the callers are gone.
    pub(crate) fn visit(&self, mut visit: impl FnMut(&KeyId, &History) -> Check) -> Check {
        let shards = self.shards.iter();
        shards.map(Mutex::lock).try_for_each(|shard| shard.iter().try_for_each(|(kid, one)| visit(kid, one)))
    }

    fn tick(&self) -> Moment {
        Moment(self.clock.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn history(&self, kid: &KeyId) -> impl std::ops::DerefMut<Target = History> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(kid);
        let shard = self.shards[usize::try_from(hash % 64).unwrap()].lock();
        MutexGuard::map(shard, |shard| shard.entry(kid.clone()).or_default())
    }
}

impl History {
    fn note(
        &mut self,
        kid: &KeyId,
        version: KeyVersion,
        fingerprint: &Fingerprint,
        started: Moment,
        over: Moment,
    ) -> Check {
        self.check_alive(kid, version, started)?;
        let life = self.versions.entry(version).or_default();
        life.known.get_or_insert(over);
        if life.fingerprint.get_or_insert_with(|| fingerprint.clone()) == fingerprint {
            Ok(())
        } else {
            Err(format!("{} is now another key", kid.at(version)))
        }
    }

    /// That a call which started then may be answered with this version.
    fn check_alive(&self, kid: &KeyId, version: KeyVersion, started: Moment) -> Check {
        let of_version = self.versions.get(&version).and_then(|life| life.ending.over);
        for (over, what) in [(of_version, "version"), (self.ending.over, "key")] {
            if over.is_some_and(|over| over <= started) {
                return Err(format!("{} is served, and its {what} was destroyed before", kid.at(version)));
            }
        }
        Ok(())
    }

    /// What was there before this moment, and still must be.
    fn alive_since(&self, started: Moment) -> impl Iterator<Item = KeyVersion> {
        let there = move |life: &Life| !life.ending.begun && life.known.is_some_and(|known| known <= started);
        let versions = self.versions.iter().filter(move |(_, life)| !self.ending.begun && there(life));
        versions.map(|(version, _)| *version)
    }

    fn ending(&mut self, version: Option<KeyVersion>) -> &mut Ending {
        match version {
            Some(version) => &mut self.versions.entry(version).or_default().ending,
            None => &mut self.ending,
        }
    }
}
