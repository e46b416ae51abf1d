//! The storage of a key table: shards by hash of the `kid`, each behind a lock of its own.

use std::collections::{BTreeSet, HashSet, VecDeque, btree_set};
use std::hash::BuildHasher;
use std::ops::Bound;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_utils::sync::{ShardedLock, ShardedLockReadGuard, ShardedLockWriteGuard};
use hashbrown::{DefaultHashBuilder, HashTable};
use parking_lot::Mutex;
use swarmauri_keys::{KeyError, KeyId, KeyState, KeyVersion, KeyVersionId};

use super::versions::{Key, Version};

/// A power of two, so that a mask picks the shard.
const SHARDS: usize = 16;

/// All shards. The lock order: one shard alone, or all in ascending order for reading.
///
/// The locks are such that threads which read do not write to the same memory, lest each wait for the other's cache.
pub(super) struct Shards {
    all: Box<[ShardedLock<Shard>; SHARDS]>,
    /// Seeded at random. A `kid` is chosen by whoever may make keys, not by whoever may ask for them.
    hasher: DefaultHashBuilder,
    generation: AtomicU64,
    changes: Mutex<Changes>,
}

/// Which keys the latest changes were of.
#[derive(Default)]
struct Changes {
    /// The latest change that is not known any more.
    floor: u64,
    entries: VecDeque<(u64, KeyId)>,
}

/// Keys whose `kid`s have some bits of their hash in common.
#[derive(Default)]
pub(super) struct Shard {
    /// By the hash of the `kid`, which is in the reference of a version.
    live: HashTable<Key>,
    /// The `kid`s of those.
    order: BTreeSet<KeyId>,
    tombstones: HashSet<KeyId>,
}

/// A shard that may be read, and the key in it that is asked for.
pub(super) struct Reader<'a> {
    shard: ShardedLockReadGuard<'a, Shard>,
    kid: &'a KeyId,
    hash: u64,
}

/// A shard that may be changed, and the key in it that is to be.
pub(super) struct Writer<'a> {
    shard: ShardedLockWriteGuard<'a, Shard>,
    kid: &'a KeyId,
    hash: u64,
    shards: &'a Shards,
}

/// One moment of the whole table.
pub(super) struct Moment<'a> {
    pub(super) shards: Vec<ShardedLockReadGuard<'a, Shard>>,
    hasher: &'a DefaultHashBuilder,
}

impl Shards {
    pub(super) fn new() -> Self {
        Self {
            all: Box::new(std::array::from_fn(|_| ShardedLock::default())),
            hasher: DefaultHashBuilder::default(),
            generation: AtomicU64::new(0),
            changes: Mutex::default(),
        }
    }

    pub(super) fn read<'a>(&'a self, kid: &'a KeyId) -> Reader<'a> {
        let hash = self.hasher.hash_one(kid);
        // Nothing panics that holds a lock for writing; what a lock says of that is of no account.
        let shard = self.shard(hash).read().unwrap_or_else(PoisonError::into_inner);
        Reader { shard, kid, hash }
    }

    pub(super) fn write<'a>(&'a self, kid: &'a KeyId) -> Writer<'a> {
        let hash = self.hasher.hash_one(kid);
        let shard = self.shard(hash).write().unwrap_or_else(PoisonError::into_inner);
        Writer { shard, kid, hash, shards: self }
    }

    pub(super) fn read_all(&self) -> Moment<'_> {
        let shards = self.all.iter().map(|shard| shard.read().unwrap_or_else(PoisonError::into_inner));
        Moment { shards: shards.collect(), hasher: &self.hasher }
    }

    /// Grows with every change, under the lock of the changed shard. Exact while all shards are locked;
    /// otherwise a lower bound that includes every change which returned before this call.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The keys that have changed after this generation, if that is still known. Of all shards while they are locked.
    pub(super) fn changed_since(&self, generation: u64) -> Option<BTreeSet<KeyId>> {
        let changes = self.changes.lock();
        let later = changes.entries.iter().filter(|(at, _)| *at > generation);
        (changes.floor <= generation).then(|| later.map(|(_, kid)| kid.clone()).collect())
    }

    fn changed(&self, kid: &KeyId) {
        let mut changes = self.changes.lock();
        if changes.entries.len() == Changes::CAPACITY
            && let Some((forgotten, _)) = changes.entries.pop_front()
        {
            changes.floor = forgotten;
        }
        let now = self.generation.fetch_add(1, Ordering::Release) + 1;
        changes.entries.push_back((now, kid.clone()));
    }

    /// By bits that the hash table of a shard makes no use of: neither the lowest ones nor the seven topmost.
    #[allow(clippy::indexing_slicing, reason = "the mask is below the number of shards")]
    fn shard(&self, hash: u64) -> &ShardedLock<Shard> {
        &self.all[Self::place(hash)]
    }

    fn place(hash: u64) -> usize {
        const { assert!(SHARDS.is_power_of_two()) };
        (hash >> 48) as usize & (SHARDS - 1)
    }
}

impl Changes {
    const CAPACITY: usize = 64;
}

impl Moment<'_> {
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.live.len()).sum()
    }

    /// The key of that name, if there is one.
    pub(super) fn find(&self, kid: &KeyId) -> Option<&Key> {
        let hash = self.hasher.hash_one(kid);
        self.shards.get(Shards::place(hash))?.key(hash, kid)
    }

    /// The key of that name, which is in that shard.
    pub(super) fn key<'a>(&self, shard: &'a Shard, kid: &KeyId) -> Option<&'a Key> {
        shard.key(self.hasher.hash_one(kid), kid)
    }
}

impl Shard {
    /// The `kid`s from this one on, in order.
    pub(super) fn range(&self, from: Bound<&str>) -> btree_set::Range<'_, KeyId> {
        self.order.range::<str, _>((from, Bound::Unbounded))
    }

    fn key(&self, hash: u64, kid: &KeyId) -> Option<&Key> {
        self.live.find(hash, |key| key.is(kid))
    }

    fn check_free(&self, hash: u64, kid: &KeyId) -> Result<(), KeyError> {
        if self.key(hash, kid).is_some() {
            return Err(KeyError::conflict(format!("the kid {kid} is taken")));
        }
        if self.tombstones.contains(kid) {
            return Err(KeyError::conflict(format!(
                "the kid {kid} was that of a key that is destroyed; kids are not used again"
            )));
        }
        Ok(())
    }

    fn check_unused(&self, hash: u64, id: &KeyVersionId) -> Result<(), KeyError> {
        match self.key(hash, &id.kid) {
            Some(key) => key.check_unused(id),
            None => self.check_free(hash, &id.kid),
        }
    }
}

impl Reader<'_> {
    pub(super) fn find(&self, version: Option<KeyVersion>) -> Result<&Version, KeyError> {
        self.key()
            .and_then(|key| match version {
                Some(version) => key.get(version),
                None => key.latest(),
            })
            .ok_or_else(|| KeyError::not_found(self.kid, version))
    }

    /// The live versions, ascending; at least one.
    pub(super) fn versions(&self) -> Result<&[Version], KeyError> {
        let key = self.key().ok_or_else(|| KeyError::not_found(self.kid, None))?;
        Ok(key.versions())
    }

    pub(super) fn check_free(&self) -> Result<(), KeyError> {
        self.shard.check_free(self.hash, self.kid)
    }

    /// Whether a version of this number may be added, to a key that there is or a new one.
    pub(super) fn check_unused(&self, version: KeyVersion) -> Result<(), KeyError> {
        self.shard.check_unused(self.hash, &self.kid.at(version))
    }

    pub(super) fn key(&self) -> Option<&Key> {
        self.shard.key(self.hash, self.kid)
    }

    pub(super) fn is_destroyed(&self) -> bool {
        self.shard.tombstones.contains(self.kid)
    }
}

impl Writer<'_> {
    /// Adds a new key with its first version.
    pub(super) fn insert(&mut self, version: Version) -> Result<(), KeyError> {
        self.shard.check_free(self.hash, self.kid)?;
        self.add(version);
        Ok(())
    }

    /// Adds this version, to a key that there is or a new one.
    pub(super) fn insert_version(&mut self, version: Version) -> Result<(), KeyError> {
        self.shard.check_unused(self.hash, version.reference.id())?;
        self.add(version);
        Ok(())
    }

    fn add(&mut self, version: Version) {
        if let Some(key) = self.key() {
            key.insert(version);
        } else {
            self.add_key(Key::One(version));
        }
        self.changed();
    }

    fn add_key(&mut self, key: Key) {
        let hasher = &self.shards.hasher;
        self.shard.live.insert_unique(self.hash, key, |key| key.kid().map_or(0, |kid| hasher.hash_one(kid)));
        self.shard.order.insert(self.kid.clone());
    }

    fn take_key(&mut self) -> Option<Key> {
        let kid = self.kid;
        let found = self.shard.live.find_entry(self.hash, |key| key.is(kid));
        let (key, _) = found.ok()?.remove();
        self.shard.order.remove(kid);
        Some(key)
    }

    fn key(&mut self) -> Option<&mut Key> {
        let kid = self.kid;
        self.shard.live.find_mut(self.hash, |key| key.is(kid))
    }

    pub(super) fn next_version(&mut self) -> Result<KeyVersion, KeyError> {
        let kid = self.kid;
        self.key().ok_or_else(|| KeyError::not_found(kid, None))?.next_version(kid)
    }

    pub(super) fn push(&mut self, version: Version) -> Result<(), KeyError> {
        let kid = self.kid;
        self.key().ok_or_else(|| KeyError::not_found(kid, None))?.insert(version);
        self.changed();
        Ok(())
    }

    pub(super) fn set_state(&mut self, number: KeyVersion, state: KeyState) -> Result<(), KeyError> {
        let found = self.key().and_then(|key| key.set_state(number, state));
        if found.ok_or_else(|| KeyError::not_found(self.kid, Some(number)))? {
            self.changed();
        }
        Ok(())
    }

    /// Takes one version out, or all: the caller drops them when it holds the lock no more.
    pub(super) fn remove(&mut self, version: Option<KeyVersion>) -> Option<Vec<Version>> {
        let key = self.key()?;
        let removed = if version.is_some_and(|number| key.versions().iter().any(|one| one.number() != number))
        {
            key.remove(version)
        } else {
            // A key without versions has no place in the table, for it could not be found there.
            self.take_last_of(version)
        }?;
        self.changed();
        Some(removed)
    }

    fn take_last_of(&mut self, version: Option<KeyVersion>) -> Option<Vec<Version>> {
        let removed = self.take_key()?.remove(version);
        self.shard.tombstones.insert(self.kid.clone());
        removed
    }

    /// Puts a key in the place of whatever there is, and gives that back: the caller drops it when it holds the lock no
    /// more. Versions that stay keep their count. A key without versions is a destroyed one.
    pub(super) fn put(&mut self, mut key: Key) -> Option<Key> {
        let before = self.take_key();
        for version in key.versions_mut() {
            if let Some(same) = before.as_ref().and_then(|before| before.get(version.number())) {
                version.count_on_from(same);
            }
        }
        if key.versions().is_empty() {
            self.shard.tombstones.insert(self.kid.clone());
        } else {
            self.shard.tombstones.remove(self.kid);
            self.add_key(key);
        }
        self.changed();
        before
    }

    /// Takes a key out as if it had never been, and gives it back, as [`Writer::put`] does.
    pub(super) fn forget(&mut self) -> Option<Key> {
        let before = self.take_key();
        self.shard.tombstones.remove(self.kid);
        self.changed();
        before
    }

    /// Pretends that the key has had this version.
    #[cfg(test)]
    pub(super) fn set_last(&mut self, last: KeyVersion) {
        let versions = self.take_key().unwrap().remove(None).unwrap();
        let mut key = Key::without_versions(last);
        for version in versions {
            key.insert(version);
        }
        self.add_key(key);
    }

    fn changed(&self) {
        self.shards.changed(self.kid);
    }
}
