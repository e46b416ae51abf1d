//! The JWKS of a key table, as snapshots that are shared until a key changes.

use std::ops::Bound;
use std::sync::{Arc, PoisonError};

use crossbeam_utils::sync::ShardedLock;
use swarmauri_keys::{Jwk, JwkSet, KeyError, KeyId, KeyRef, KeyVersion};

use super::KeyTable;
use super::listing::in_kid_order;

/// The documents without a prefix.
#[derive(Default)]
pub(super) struct Snapshots {
    latest: Snapshot,
    all_live: Snapshot,
}

/// A document, and the generation of the table that it shows. Threads that read it do not write to the same memory, but for
/// the count of its references.
type Snapshot = ShardedLock<Option<(u64, Arc<JwkSet>)>>;

impl KeyTable {
    /// The public JWK of one version, or with `None` of the latest live one.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotFound`], and those of [`KeyRef::public_jwk`].
    pub fn public_jwk(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<Jwk, KeyError> {
        // Under the lock: threads that take a reference to one key wait for each other's count.
        self.shards.read(kid).find(version)?.reference.public_jwk()
    }

    /// The public JWKs of the keys that have one and whose policy lets it out, sorted by `kid`, then
    /// version: of each key the latest version, or all live ones.
    ///
    /// The document shows one moment of the table. Without a prefix the same `Arc` is handed out until a
    /// key changes.
    pub fn jwks(&self, prefix: Option<&str>, all_live: bool) -> Arc<JwkSet> {
        if let Some(prefix) = prefix.filter(|prefix| !prefix.is_empty()) {
            return Arc::new(self.publish(prefix, all_live).1);
        }
        let snapshot = if all_live { &self.snapshots.all_live } else { &self.snapshots.latest };
        // Nothing panics that holds the lock for writing; what it says of that is of no account.
        let current = self.current(snapshot.read().unwrap_or_else(PoisonError::into_inner).as_ref());
        current.unwrap_or_else(|| self.renewed(snapshot, all_live))
    }

    fn current(&self, snapshot: Option<&(u64, Arc<JwkSet>)>) -> Option<Arc<JwkSet>> {
        let now = self.shards.generation();
        snapshot.filter(|(shown, _)| *shown == now).map(|(_, set)| Arc::clone(set))
    }

    /// Whoever comes while it is made waits for it, rather than making another.
    fn renewed(&self, snapshot: &Snapshot, all_live: bool) -> Arc<JwkSet> {
        let mut snapshot = snapshot.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(set) = self.current(snapshot.as_ref()) {
            return set;
        }
        let renewed = snapshot.as_ref().and_then(|(shown, set)| self.amended(*shown, set, all_live));
        let (generation, set) = renewed.unwrap_or_else(|| self.publish("", all_live));
        let set = Arc::new(set);
        *snapshot = Some((generation, Arc::clone(&set)));
        set
    }

    /// The document made from an earlier one, if it is known which keys have changed since.
    fn amended(&self, shown: u64, set: &JwkSet, all_live: bool) -> Option<(u64, JwkSet)> {
        let (generation, changed, references) = {
            let moment = self.shards.read_all();
            let changed = self.shards.changed_since(shown)?;
            let keys = changed.iter().filter_map(|kid| moment.find(kid));
            let references = keys.flat_map(|key| key.live(all_live)).map(|version| version.reference.clone());
            let references: Vec<_> = references.collect();
            (self.shards.generation(), changed, references)
        };
        let same = |jwk: &&Jwk| jwk.kid_and_version().is_some_and(|(kid, _)| !changed.contains(kid));
        let mut keys: Vec<_> = set.keys.iter().filter(same).cloned().collect();
        for reference in references {
            let (id, jwk) = (reference.id(), reference.public_jwk());
            let at = keys.partition_point(|jwk| jwk.kid_and_version() < Some((id.kid.as_str(), id.version)));
            keys.splice(at..at, jwk.ok());
        }
        Some((generation, JwkSet { keys }))
    }

    pub(super) fn publish(&self, prefix: &str, all_live: bool) -> (u64, JwkSet) {
        let (generation, references) = self.references(prefix, all_live);
        let keys = references.iter().filter_map(|key| key.public_jwk().ok()).collect();
        (generation, JwkSet { keys })
    }

    fn references(&self, prefix: &str, all_live: bool) -> (u64, Vec<KeyRef>) {
        let moment = self.shards.read_all();
        let generation = self.shards.generation();
        let keys = in_kid_order(&moment, Bound::Included(prefix))
            .take_while(|(kid, _)| kid.as_str().starts_with(prefix));
        let versions = keys.flat_map(|(_, key)| key.live(all_live));
        (generation, versions.map(|version| version.reference.clone()).collect())
    }
}
