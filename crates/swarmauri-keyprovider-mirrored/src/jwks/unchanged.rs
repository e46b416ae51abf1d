//! What is merged of two documents of which little has changed: only that is looked at.

use std::collections::BTreeSet;
use std::sync::Arc;

use swarmauri_keys::{Jwk, JwkSet, KeyId, KeyVersionId};

use super::Sources;
use crate::map::{KidRecord, VersionState};
use crate::provider::MirroredKeyProvider;
use crate::settings::JwksMerge;

/// How many entries of a document may differ; with more, it is no dearer to merge all of them.
const FEW: usize = 256;

impl MirroredKeyProvider {
    /// Whether the primary's document of `now` is the merged one, as its document of `earlier` was without a second look.
    ///
    /// If so it costs little to say so: one pass over each document. "No" may mean that it would cost more to find out.
    pub(super) fn primary_says_it_all(&self, earlier: &Sources, now: &Sources) -> bool {
        self.nothing_to_merge(earlier, now) == Some(true)
    }

    fn nothing_to_merge(&self, earlier: &Sources, now: &Sources) -> Option<bool> {
        let (before, after) = (earlier.primary.as_ref()?, now.primary.as_ref()?);
        let primary = Difference::between(before, after)?;
        let mut kids = self.map.changed_since(earlier.generation)?;
        for jwk in primary.gone.iter().copied().chain(primary.added(after)) {
            kids.insert(jwk.version_id()?.kid);
        }
        let record = |kid: &KeyId| Some((kid.clone(), self.map.get(kid)?.record));
        let records: Vec<_> = kids.iter().filter_map(record).collect();
        let of_kids =
            after.keys.iter().filter(|jwk| jwk.kid_and_version().is_some_and(|(kid, _)| kids.contains(kid)));
        let published: BTreeSet<_> = of_kids.filter_map(Jwk::version_id).collect();
        let none_is_destroyed = published.iter().all(|id| !self.map.is_destroyed(&id.kid, Some(id.version)));
        Some(
            primary.is_in_order(after)
                && none_is_destroyed
                && self.secondary_adds_nothing(earlier, now, &records)?
                && (now.secondary.is_none() || !self.some_are_missing(now, &records, &published)),
        )
    }

    /// Whether all that is new on the secondary are replicas of these.
    fn secondary_adds_nothing(
        &self,
        earlier: &Sources,
        now: &Sources,
        records: &[(KeyId, Arc<KidRecord>)],
    ) -> Option<bool> {
        let (before, after) = match (&earlier.secondary, &now.secondary) {
            (None, None) => return Some(true),
            (before, after) => (before.as_ref()?, after.as_ref()?),
        };
        let is_known = |jwk: &Jwk| {
            let thumbprint = jwk.key.thumbprint();
            let mut states = records.iter().flat_map(|(_, record)| record.versions.values());
            states.any(|state| VersionState::fingerprint(state) == Some(&thumbprint))
        };
        let difference = Difference::between(before, after)?;
        let replicas_only = self.settings.jwks_merge == JwksMerge::ReplicasOnly;
        Some(replicas_only || difference.added(after).all(is_known))
    }

    /// Whether the primary does not publish a version whose replica may have to be.
    fn some_are_missing(
        &self,
        now: &Sources,
        records: &[(KeyId, Arc<KidRecord>)],
        published: &BTreeSet<KeyVersionId>,
    ) -> bool {
        records.iter().any(|(kid, record)| {
            let has_kid = published.iter().any(|id| id.kid == *kid);
            let mut wanted = self.replicas_to_publish(&now.query, kid, record, true, has_kid).into_iter();
            wanted.any(|(version, _)| !published.contains(&kid.at(version)))
        })
    }
}

/// What has to be done to one document to get another.
struct Difference<'a> {
    /// Entries to take out.
    gone: Vec<&'a Jwk>,
    /// Where the later document has entries that are put in.
    new: Vec<usize>,
}

impl<'a> Difference<'a> {
    /// `None` if there is much to do. Documents in the usual order give the shortest answer, others a right one.
    fn between(before: &'a Arc<JwkSet>, after: &Arc<JwkSet>) -> Option<Self> {
        let mut difference = Self { gone: Vec::new(), new: Vec::new() };
        if Arc::ptr_eq(before, after) {
            return Some(difference);
        }
        let (mut old, mut later) = (before.keys.iter().peekable(), after.keys.iter().enumerate().peekable());
        loop {
            match (old.peek(), later.peek()) {
                (None, None) => return Some(difference),
                (Some(one), Some((_, other))) if one == other => {
                    old.next();
                    later.next();
                    continue;
                }
                (Some(one), Some((at, other))) if one.kid_and_version() >= other.kid_and_version() => {
                    difference.new.push(*at);
                    later.next();
                }
                (Some(one), _) => {
                    difference.gone.push(one);
                    old.next();
                }
                (None, Some((at, _))) => {
                    difference.new.push(*at);
                    later.next();
                }
            }
            if difference.gone.len() + difference.new.len() > FEW {
                return None;
            }
        }
    }

    fn added<'b>(&'b self, after: &'b JwkSet) -> impl Iterator<Item = &'b Jwk> {
        self.new.iter().filter_map(|at| after.keys.get(*at))
    }

    /// Whether what is new is where merging would put it.
    fn is_in_order(&self, after: &JwkSet) -> bool {
        self.new.iter().all(|at| {
            let around = after.keys.get(at.saturating_sub(1)..).unwrap_or_default().iter().take(3);
            let places: Option<Vec<_>> = around.map(Jwk::kid_and_version).collect();
            places.is_some_and(|places| places.is_sorted_by(|one, other| one < other))
        })
    }
}

#[cfg(test)]
mod tests {
    use swarmauri_keys::{KeyAlg, KeyVersion, PublicKey};

    use super::*;

    fn jwk(number: u8, key: u8) -> Jwk {
        let id = KeyId::new(format!("k{number}")).unwrap().at(KeyVersion::FIRST);
        Jwk::published(&id, KeyAlg::Ed25519, PublicKey::Ed25519([key; 32]))
    }

    fn set(random: &mut fastrand::Rng) -> Arc<JwkSet> {
        let mut some = |number| random.bool().then(|| jwk(number, random.u8(0..2)));
        let mut keys: Vec<_> = (0..9).filter_map(&mut some).collect();
        if random.u8(0..4) == 0 {
            random.shuffle(&mut keys);
        }
        Arc::new(JwkSet { keys })
    }

    /// Whatever the order, taking out and putting in makes the one of the other.
    #[test]
    fn a_difference_is_what_has_to_be_done() {
        let mut random = fastrand::Rng::with_seed(3);
        for round in 0..2000 {
            let (before, after) = (set(&mut random), set(&mut random));
            let difference = Difference::between(&before, &after).unwrap();
            let mut made: Vec<_> = before.keys.iter().collect();
            for gone in &difference.gone {
                made.remove(made.iter().position(|jwk| std::ptr::eq(*jwk, *gone)).unwrap());
            }
            for at in &difference.new {
                made.insert(*at, &after.keys[*at]);
            }
            assert_eq!(made, after.keys.iter().collect::<Vec<_>>(), "round {round}");
        }
    }

    #[test]
    fn much_is_not_looked_at() {
        let all = |key| Arc::new(JwkSet { keys: (0..=u8::MAX).map(|number| jwk(number, key)).collect() });
        assert!(Difference::between(&all(1), &all(2)).is_none());
        let mut little = JwkSet::clone(&all(1));
        little.keys[7] = jwk(7, 2);
        let (before, little) = (all(1), Arc::new(little));
        assert_eq!(Difference::between(&before, &little).unwrap().new, [7]);
    }
}
