//! The storage of a key table: shards by hash of the `kid`, each behind a lock of its own.

use std::collections::btree_map::{self, BTreeMap};
use std::collections::{HashSet, hash_map::RandomState};
use std::hash::BuildHasher;
use std::mem;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use swarmauri_keys::{KeyError, KeyId, KeyRef, KeyState, KeyVersion, KeyVersionId};

use crate::SoftKey;
use crate::encryptions::Encryptions;

/// A power of two, so that a mask picks the shard.
const SHARDS: usize = 16;

/// All shards. The lock order: one shard alone, or all in ascending order for reading.
pub(super) struct Shards {
    all: [RwLock<Shard>; SHARDS],
    hasher: RandomState,
    generation: AtomicU64,
}

/// The keys whose `kid`s have the same hash.
#[derive(Default)]
pub(super) struct Shard {
    live: BTreeMap<KeyId, Key>,
    tombstones: HashSet<KeyId>,
}

/// A key. In a shard it has at least one live version.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) versions: BTreeMap<KeyVersion, Version>,
    /// The greatest number ever used, be that version live or not.
    pub(super) last: KeyVersion,
}

/// One live version.
#[derive(Clone)]
pub(super) struct Version {
    /// Holds no secret, so that most reads need nothing else.
    pub(super) reference: KeyRef,
    pub(super) key: SoftKey,
    pub(super) encryptions: Arc<Encryptions>,
    /// How many encryptions are reserved, where that is kept.
    pub(super) reserved: u64,
}

/// A shard that may be changed.
pub(super) struct Writer<'a> {
    shard: RwLockWriteGuard<'a, Shard>,
    generation: &'a AtomicU64,
}

impl Shards {
    pub(super) fn new() -> Self {
        Self {
            all: std::array::from_fn(|_| RwLock::default()),
            hasher: RandomState::new(),
            generation: AtomicU64::new(0),
        }
    }

    pub(super) fn read(&self, kid: &KeyId) -> RwLockReadGuard<'_, Shard> {
        self.shard(kid).read()
    }

    pub(super) fn write(&self, kid: &KeyId) -> Writer<'_> {
        Writer { shard: self.shard(kid).write(), generation: &self.generation }
    }

    /// One moment of the whole table.
    pub(super) fn read_all(&self) -> Vec<RwLockReadGuard<'_, Shard>> {
        self.all.iter().map(RwLock::read).collect()
    }

    /// Grows with every change, under the lock of the changed shard. Exact while all shards are locked;
    /// otherwise a lower bound that includes every change which returned before this call.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    #[allow(clippy::indexing_slicing, reason = "the mask is below the number of shards")]
    #[allow(clippy::cast_possible_truncation, reason = "the low bits of the hash are what is wanted")]
    fn shard(&self, kid: &KeyId) -> &RwLock<Shard> {
        const { assert!(SHARDS.is_power_of_two()) };
        &self.all[self.hasher.hash_one(kid) as usize & (SHARDS - 1)]
    }
}

impl Shard {
    pub(super) fn len(&self) -> usize {
        self.live.len()
    }

    /// The keys from this `kid` on, in order.
    pub(super) fn range(&self, from: Bound<&str>) -> btree_map::Range<'_, KeyId, Key> {
        self.live.range::<str, _>((from, Bound::Unbounded))
    }

    pub(super) fn find(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<&Version, KeyError> {
        self.live
            .get(kid)
            .and_then(|key| match version {
                Some(version) => key.versions.get(&version),
                None => key.latest(),
            })
            .ok_or_else(|| KeyError::not_found(kid, version))
    }

    pub(super) fn versions(&self, kid: &KeyId) -> Result<Vec<KeyVersion>, KeyError> {
        let key = self.live.get(kid).ok_or_else(|| KeyError::not_found(kid, None))?;
        Ok(key.versions.keys().copied().collect())
    }

    /// The live versions of a key, the latest first.
    pub(super) fn latest_first(&self, kid: &KeyId) -> Result<impl Iterator<Item = &Version>, KeyError> {
        let key = self.live.get(kid).ok_or_else(|| KeyError::not_found(kid, None))?;
        Ok(key.versions.values().rev())
    }

    pub(super) fn check_free(&self, kid: &KeyId) -> Result<(), KeyError> {
        if self.live.contains_key(kid) {
            return Err(KeyError::conflict(format!("the kid {kid} is taken")));
        }
        if self.tombstones.contains(kid) {
            return Err(KeyError::conflict(format!(
                "the kid {kid} was that of a key that is destroyed; kids are not used again"
            )));
        }
        Ok(())
    }

    /// Whether a version of this number may be added, to a key that there is or a new one.
    pub(super) fn check_unused(&self, id: &KeyVersionId) -> Result<(), KeyError> {
        match self.live.get(&id.kid) {
            Some(key) => key.check_unused(id),
            None => self.check_free(&id.kid),
        }
    }

    pub(super) fn next_version(&self, kid: &KeyId) -> Result<KeyVersion, KeyError> {
        self.live.get(kid).ok_or_else(|| KeyError::not_found(kid, None))?.next_version(kid)
    }

    pub(super) fn key(&self, kid: &KeyId) -> Option<&Key> {
        self.live.get(kid)
    }

    pub(super) fn is_destroyed(&self, kid: &KeyId) -> bool {
        self.tombstones.contains(kid)
    }
}

impl Key {
    pub(super) fn latest(&self) -> Option<&Version> {
        self.versions.last_key_value().map(|(_, version)| version)
    }

    /// The latest version, or all, ascending.
    pub(super) fn live(&self, all: bool) -> impl Iterator<Item = &Version> {
        let older = self.versions.len().saturating_sub(1);
        self.versions.values().skip(if all { 0 } else { older })
    }
}

impl Key {
    pub(super) fn next_version(&self, kid: &KeyId) -> Result<KeyVersion, KeyError> {
        self.last
            .next()
            .ok_or_else(|| KeyError::invalid_state(format!("{kid} has used up its version numbers")))
    }

    /// Whether the number is greater than any that the key ever had.
    pub(super) fn check_unused(&self, id: &KeyVersionId) -> Result<(), KeyError> {
        if id.version > self.last {
            return Ok(());
        }
        Err(KeyError::conflict(format!(
            "{id} cannot be added: the key has had version {} already, and numbers are not used again",
            self.last
        )))
    }

    pub(super) fn push(&mut self, number: KeyVersion, version: Version) {
        self.last = number;
        self.versions.insert(number, version);
    }

    /// Whether that changed anything; `None` if there is no such version.
    pub(super) fn set_state(&mut self, number: KeyVersion, state: KeyState) -> Option<bool> {
        let version = self.versions.get_mut(&number)?;
        let changes = version.reference.state() != state;
        if changes {
            version.reference = version.reference.with_state(state);
        }
        Some(changes)
    }

    /// Takes one version out, or all; `None` if there was nothing to take.
    pub(super) fn remove(&mut self, version: Option<KeyVersion>) -> Option<BTreeMap<KeyVersion, Version>> {
        match version {
            Some(version) => Some(BTreeMap::from([(version, self.versions.remove(&version)?)])),
            None => Some(mem::take(&mut self.versions)).filter(|taken| !taken.is_empty()),
        }
    }
}

impl Version {
    pub(super) fn new(reference: KeyRef, key: SoftKey, encryptions: Encryptions, reserved: u64) -> Self {
        Self { reference, key, encryptions: Arc::new(encryptions), reserved }
    }
}

impl Writer<'_> {
    pub(super) fn insert(&mut self, kid: KeyId, version: Version) -> Result<(), KeyError> {
        self.shard.check_free(&kid)?;
        self.add(KeyVersionId { kid, version: KeyVersion::FIRST }, version);
        Ok(())
    }

    /// Adds a version of this number, to a key that there is or a new one.
    pub(super) fn insert_version(&mut self, id: KeyVersionId, version: Version) -> Result<(), KeyError> {
        self.shard.check_unused(&id)?;
        self.add(id, version);
        Ok(())
    }

    fn add(&mut self, id: KeyVersionId, version: Version) {
        let KeyVersionId { kid, version: number } = id;
        let new = Key { versions: BTreeMap::new(), last: number };
        self.shard.live.entry(kid).or_insert(new).push(number, version);
        self.changed();
    }

    pub(super) fn next_version(&self, kid: &KeyId) -> Result<KeyVersion, KeyError> {
        self.shard.next_version(kid)
    }

    pub(super) fn push(&mut self, kid: &KeyId, number: KeyVersion, version: Version) -> Result<(), KeyError> {
        let key = self.shard.live.get_mut(kid).ok_or_else(|| KeyError::not_found(kid, None))?;
        key.push(number, version);
        self.changed();
        Ok(())
    }

    pub(super) fn set_state(
        &mut self,
        kid: &KeyId,
        number: KeyVersion,
        state: KeyState,
    ) -> Result<(), KeyError> {
        let found = self.shard.live.get_mut(kid).and_then(|key| key.set_state(number, state));
        if found.ok_or_else(|| KeyError::not_found(kid, Some(number)))? {
            self.changed();
        }
        Ok(())
    }

    /// Takes one version out, or all: the caller drops them when it holds the lock no more.
    pub(super) fn remove(
        &mut self,
        kid: &KeyId,
        version: Option<KeyVersion>,
    ) -> Option<BTreeMap<KeyVersion, Version>> {
        let key = self.shard.live.get_mut(kid)?;
        let removed = key.remove(version)?;
        if key.versions.is_empty() {
            self.shard.live.remove(kid);
            self.shard.tombstones.insert(kid.clone());
        }
        self.changed();
        Some(removed)
    }

    /// Puts a key in the place of whatever there is, and gives that back: the caller drops it when it holds the lock no
    /// more. Versions that stay keep their count. A key without versions is a destroyed one.
    pub(super) fn put(&mut self, kid: &KeyId, mut key: Key) -> Option<Key> {
        let before = self.shard.live.remove(kid);
        for (number, version) in &mut key.versions {
            if let Some(same) = before.as_ref().and_then(|before| before.versions.get(number)) {
                version.encryptions = Arc::clone(&same.encryptions);
            }
        }
        if key.versions.is_empty() {
            self.shard.tombstones.insert(kid.clone());
        } else {
            self.shard.tombstones.remove(kid);
            self.shard.live.insert(kid.clone(), key);
        }
        self.changed();
        before
    }

    /// Takes a key out as if it had never been, and gives it back, as [`Writer::put`] does.
    pub(super) fn forget(&mut self, kid: &KeyId) -> Option<Key> {
        let before = self.shard.live.remove(kid);
        self.shard.tombstones.remove(kid);
        self.changed();
        before
    }

    /// Pretends that the key has had this version.
    #[cfg(test)]
    pub(super) fn set_last(&mut self, kid: &KeyId, last: KeyVersion) {
        self.shard.live.get_mut(kid).unwrap().last = last;
    }

    fn changed(&self) {
        self.generation.fetch_add(1, Ordering::Release);
    }
}
