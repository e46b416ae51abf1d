//! What the secondary holds, compared with the map.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::BuildHasher;

use swarmauri_keyprovider::Feature;
use swarmauri_keys::{Cursor, KeyState, KeyVersion, KeyVersionId, PageRequest};

use crate::adopt::{Claims, Found, PAGE, Whose, claimed, for_each_key, sole};
use crate::map::{KidRecord, VersionState};
use crate::mode::{Fidelity, KeptReason, MirrorMode};
use crate::plan::ReconcilePlan;
use crate::provider::MirroredKeyProvider;

const TOO_MUCH: &str = "its replica holds the secret, which this mode does not copy; destroy it";
const RIVALS: &str = "its replicas are of different keys; destroy the wrong ones";

/// What the secondary holds.
#[derive(Debug, Default)]
pub(super) struct Secondary {
    /// The replicas that are where the map has them, and in the state it has them in.
    at_home: HashSet<u64>,
    hasher: RandomState,
    /// Those of versions that the map knows, and that are not as it has them.
    pub(super) claims: Claims,
    /// Those of versions that the map does not know.
    unknown: HashMap<u64, Unknown>,
}

/// The replicas of a version that the map does not know, all together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unknown {
    /// All are of the key with this number.
    Of(u64),
    /// The same, and one of them is to be adopted.
    Planned,
    /// They are of different keys.
    Rivals,
    /// The same, and that was told.
    RivalsTold,
}

impl Secondary {
    pub(super) fn has_unknown(&self) -> bool {
        !self.unknown.is_empty()
    }

    fn number(&self, id: &KeyVersionId, at: &KeyVersionId) -> u64 {
        self.hasher.hash_one((id, at))
    }

    fn is_home(&self, id: &KeyVersionId, at: &KeyVersionId) -> bool {
        self.at_home.contains(&self.number(id, at))
    }

    fn note_unknown(&mut self, id: &KeyVersionId, found: &Found) {
        let key = &found.replica.key;
        let of = Unknown::Of(self.hasher.hash_one((&key.fingerprint, key.alg)));
        let before = *self.unknown.entry(self.hasher.hash_one(id)).or_insert(of);
        if before != of {
            self.unknown.insert(self.hasher.hash_one(id), Unknown::Rivals);
        }
    }

    /// Whether there is a replica of this that the map does not have, or has otherwise.
    pub(super) fn claims(&self, id: &KeyVersionId) -> bool {
        self.claims.contains_key(id) || self.unknown.contains_key(&self.hasher.hash_one(id))
    }

    /// Whether there is a replica of this at this place, in whatever state.
    pub(super) fn shows(&self, id: &KeyVersionId, at: &KeyVersionId) -> bool {
        let claimed =
            || self.claims.get(id).is_some_and(|found| found.iter().any(|one| one.replica.at == *at));
        self.is_home(id, at) || claimed()
    }
}

impl MirroredKeyProvider {
    pub(super) async fn survey_secondary(&self, plan: &mut ReconcilePlan) -> Option<Secondary> {
        if !self.secondary_can.has(Feature::ListKeys) {
            plan.not_compared.push("secondary: it cannot list its keys".to_owned());
            return None;
        }
        let mut secondary = Secondary::default();
        let listed = for_each_key(&self.secondary, Whose::Mirror, |summary| {
            let Some((id, found)) = claimed(&summary) else {
                return;
            };
            let record = self.map.get(&id.kid).map(|known| known.record).unwrap_or_default();
            if self.is_as_expected(&id, &record, &found) {
                let number = secondary.number(&id, &found.replica.at);
                secondary.at_home.insert(number);
            } else if record.state(id.version).is_none() && !record.is_destroyed(Some(id.version)) {
                secondary.note_unknown(&id, &found);
            } else {
                secondary.claims.entry(id).or_default().push(found);
            }
        })
        .await;
        match listed {
            Ok(()) => Some(secondary),
            Err(error) => {
                plan.not_compared.push(format!("secondary: {error}"));
                None
            }
        }
    }

    /// Whether a replica is the one that the map has, in the state that the map has.
    fn is_as_expected(&self, id: &KeyVersionId, record: &KidRecord, found: &Found) -> bool {
        let home = record.servable(Some(id.version)).map(|(_, replica)| replica);
        home == Some(&found.replica)
            && !self.holds_too_much(found)
            && !self.is_in_another_state(id.version, record, found)
    }

    fn holds_too_much(&self, found: &Found) -> bool {
        self.settings.mode != MirrorMode::Full && found.replica.fidelity == Fidelity::Full
    }

    fn is_in_another_state(&self, version: KeyVersion, record: &KidRecord, found: &Found) -> bool {
        self.secondary_can.has(Feature::Disable)
            && (found.state == KeyState::Enabled) == record.is_disabled(version)
    }

    /// Replicas that the map does not know, or knows to be wrong.
    pub(super) fn plan_replicas(&self, secondary: &Secondary, plan: &mut ReconcilePlan) {
        let mut unsettled = BTreeSet::new();
        for (id, replicas) in &secondary.claims {
            let record = self.map.get(&id.kid).map(|known| known.record).unwrap_or_default();
            if replicas.iter().any(|one| self.holds_too_much(one)) {
                plan.conflict(id, TOO_MUCH);
            }
            match (sole(replicas), record.state(id.version)) {
                (None, _) => plan.conflict(id, RIVALS),
                (Some(_), _) if record.is_destroyed(Some(id.version)) => {
                    // The one that the map knows of goes with the destroy that is to be finished.
                    plan.destroy(id, replicas, record.state(id.version).and_then(VersionState::replica));
                }
                (Some(sole), None) => plan.adopt(id, sole),
                (Some(one), Some(VersionState::Mirrored(home))) if one.replica.key != home.key => {
                    plan.conflict(id, RIVALS);
                }
                (Some(_), Some(VersionState::Mirrored(home))) => {
                    if let Some(found) = replicas.iter().find(|one| one.replica.at == home.at) {
                        plan.destroy(id, replicas, Some(home));
                        if self.is_in_another_state(id.version, &record, found) {
                            unsettled.insert(id.clone());
                        }
                    } else if secondary.is_home(id, &home.at) {
                        plan.destroy(id, replicas, None);
                    }
                }
                (Some(one), Some(VersionState::Kept { key, reason: KeptReason::Disabled }))
                    if one.replica.key == *key && !self.holds_too_much(one) =>
                {
                    plan.adopt(id, one);
                }
                (Some(_), Some(VersionState::Kept { .. })) => {
                    plan.conflict(id, "it has a replica, which mode or policy forbids; destroy it");
                }
                // The debts have them already, and whatever becomes of a destroy concerns its replicas too.
                (
                    Some(_),
                    Some(
                        VersionState::Pending { .. }
                        | VersionState::Destroying { .. }
                        | VersionState::Destroyed { .. },
                    ),
                ) => {}
            }
        }
        plan.settle_states(unsettled);
    }

    /// Replicas on one page of the secondary of what the map does not know. Where the listing goes on.
    pub(super) async fn plan_unknown(
        &self,
        cursor: Option<Cursor>,
        secondary: &mut Secondary,
        plan: &mut ReconcilePlan,
    ) -> Option<Cursor> {
        let page = match self.secondary.survey_keys(&PageRequest { cursor, limit: PAGE }).await {
            Ok(page) => page,
            Err(error) => {
                plan.not_compared.push(format!("secondary: {error}"));
                return None;
            }
        };
        for (id, found) in page.items.iter().filter_map(claimed) {
            let Some(unknown) = secondary.unknown.get_mut(&secondary.hasher.hash_one(&id)) else {
                continue;
            };
            if self.holds_too_much(&found) {
                plan.conflict(&id, TOO_MUCH);
            }
            match *unknown {
                Unknown::Of(_) => {
                    *unknown = Unknown::Planned;
                    plan.adopt(&id, &found);
                }
                // One too many, of the same key.
                Unknown::Planned => plan.destroy(&id, &[found], None),
                Unknown::Rivals => {
                    *unknown = Unknown::RivalsTold;
                    plan.conflict(&id, RIVALS);
                }
                Unknown::RivalsTold => {}
            }
        }
        page.next
    }
}
