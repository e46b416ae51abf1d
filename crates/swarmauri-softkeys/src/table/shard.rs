//! The storage of a key table: shards by hash of the `kid`, each behind a lock of its own.

use std::collections::btree_map::{self, BTreeMap};
use std::collections::{HashSet, hash_map::RandomState};
use std::hash::BuildHasher;
use std::mem;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use swarmauri_keys::{KeyError, KeyId, KeyRef, KeyState, KeyVersion};

use crate::SoftKey;

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

/// A key; it has at least one live version.
pub(super) struct Key {
    versions: BTreeMap<KeyVersion, Version>,
    /// The greatest number ever used, be that version live or not.
    last: KeyVersion,
}

/// One live version.
#[derive(Clone)]
pub(super) struct Version {
    /// Holds no secret, so that most reads need nothing else.
    pub(super) reference: KeyRef,
    pub(super) key: SoftKey,
    /// How often it has encrypted.
    pub(super) encryptions: Arc<AtomicU64>,
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

    pub(super) fn next_version(&self, kid: &KeyId) -> Result<KeyVersion, KeyError> {
        let key = self.live.get(kid).ok_or_else(|| KeyError::not_found(kid, None))?;
        key.last
            .next()
            .ok_or_else(|| KeyError::invalid_state(format!("{kid} has used up its version numbers")))
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

impl Version {
    pub(super) fn new(reference: KeyRef, key: SoftKey) -> Self {
        Self { reference, key, encryptions: Arc::default() }
    }
}

impl Writer<'_> {
    pub(super) fn insert(&mut self, kid: KeyId, version: Version) -> Result<(), KeyError> {
        self.shard.check_free(&kid)?;
        let versions = BTreeMap::from([(KeyVersion::FIRST, version)]);
        self.shard.live.insert(kid, Key { versions, last: KeyVersion::FIRST });
        self.changed();
        Ok(())
    }

    pub(super) fn next_version(&self, kid: &KeyId) -> Result<KeyVersion, KeyError> {
        self.shard.next_version(kid)
    }

    pub(super) fn push(&mut self, kid: &KeyId, number: KeyVersion, version: Version) -> Result<(), KeyError> {
        let key = self.shard.live.get_mut(kid).ok_or_else(|| KeyError::not_found(kid, None))?;
        key.last = number;
        key.versions.insert(number, version);
        self.changed();
        Ok(())
    }

    pub(super) fn set_state(
        &mut self,
        kid: &KeyId,
        number: KeyVersion,
        state: KeyState,
    ) -> Result<(), KeyError> {
        let found = self.shard.live.get_mut(kid).and_then(|key| key.versions.get_mut(&number));
        let version = found.ok_or_else(|| KeyError::not_found(kid, Some(number)))?;
        if version.reference.state() != state {
            version.reference = version.reference.with_state(state);
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
        let removed = match version {
            Some(version) => BTreeMap::from([(version, key.versions.remove(&version)?)]),
            None => mem::take(&mut key.versions),
        };
        if key.versions.is_empty() {
            self.shard.live.remove(kid);
            self.shard.tombstones.insert(kid.clone());
        }
        self.changed();
        Some(removed)
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
