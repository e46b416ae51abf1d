//! Comparing primary, secondary and map, page by page.
//!
//! What is as the map expects it leaves one number behind for each replica. So the memory that a survey takes grows with
//! what there is to do, and hardly with what there is.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeSet, HashSet};
use std::hash::BuildHasher;

use swarmauri_keyprovider::{Feature, Secrets};
use swarmauri_keys::{Cursor, KeyError, KeyId, KeyState, KeySummary, KeyVersion, KeyVersionId, PageRequest};

use crate::adopt::{Claims, Found, PAGE, claimed, for_each_key, sole};
use crate::map::{KidRecord, Position, Switch, VersionState, Whole};
use crate::mode::{Fidelity, MirrorMode};
use crate::plan::{ReconcilePlan, Step};
use crate::provider::MirroredKeyProvider;

/// A comparison under way: each turn plans what one page shows.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    stage: Stage,
    /// `None` if the secondary could not be compared.
    secondary: Option<Secondary>,
}

/// What comes next.
#[derive(Debug, Default)]
enum Stage {
    /// All of the secondary, and the creates of unknown outcome.
    #[default]
    Secondary,
    /// The records after this one.
    Map(Option<KeyId>),
    /// What was found on the secondary.
    Replicas,
    /// The primary's keys from here on.
    Primary(Option<Cursor>),
    End,
}

/// What the secondary holds.
#[derive(Debug, Default)]
struct Secondary {
    /// The replicas that are where the map has them, and in the state it has them in.
    at_home: HashSet<u64>,
    hasher: RandomState,
    /// All others.
    claims: Claims,
}

impl Secondary {
    fn number(&self, id: &KeyVersionId, at: &KeyVersionId) -> u64 {
        self.hasher.hash_one((id, at))
    }

    fn is_home(&self, id: &KeyVersionId, at: &KeyVersionId) -> bool {
        self.at_home.contains(&self.number(id, at))
    }

    /// Whether there is a replica of this at this place, in whatever state.
    fn shows(&self, id: &KeyVersionId, at: &KeyVersionId) -> bool {
        let claimed =
            || self.claims.get(id).is_some_and(|found| found.iter().any(|one| one.replica.at == *at));
        self.is_home(id, at) || claimed()
    }
}

impl MirroredKeyProvider {
    /// What [`reconcile`](Self::reconcile) would do. Changes nothing.
    pub async fn plan_reconcile(&self) -> ReconcilePlan {
        let (mut survey, mut plan) = (Survey::default(), ReconcilePlan::default());
        while let Some(then) = self.survey_on(&mut survey).await {
            plan.extend(then);
        }
        plan
    }

    /// The next part of a survey: what one page calls for. `None` at its end.
    pub(crate) async fn survey_on(&self, survey: &mut Survey) -> Option<ReconcilePlan> {
        let mut plan = ReconcilePlan::default();
        survey.stage = match std::mem::replace(&mut survey.stage, Stage::End) {
            Stage::Secondary => {
                self.catch_up().await;
                if self.mirrors() {
                    survey.secondary = self.survey_secondary(&mut plan).await;
                }
                let intents = self.map.open_intents().into_iter();
                plan.steps.extend(intents.map(|tag| Step::SettleTaggedIntent { tag }));
                Stage::Map(None)
            }
            Stage::Map(after) => {
                let page = self.map.page(after.as_ref(), PAGE);
                let mut unsettled = BTreeSet::new();
                for (kid, record) in &page {
                    plan_debts(kid, record, survey.secondary.as_ref(), &mut plan);
                    unsettled.extend(self.unsettled_states(kid, record));
                }
                plan.settle_states(unsettled);
                page.into_iter().last().map_or(Stage::Replicas, |(kid, _)| Stage::Map(Some(kid)))
            }
            Stage::Replicas => {
                if let Some(secondary) = &survey.secondary {
                    self.plan_replicas(secondary, &mut plan);
                }
                match self.primary_can.has(Feature::ListKeys) {
                    _ if !self.mirrors() => Stage::End,
                    true => Stage::Primary(None),
                    false => {
                        plan.not_compared.push("primary: it cannot list its keys".to_owned());
                        Stage::End
                    }
                }
            }
            Stage::Primary(cursor) => {
                let nothing = Claims::new();
                let claims = survey.secondary.as_ref().map_or(&nothing, |secondary| &secondary.claims);
                let next = self.plan_primary(cursor, claims, &mut plan).await;
                next.map_or(Stage::End, |cursor| Stage::Primary(Some(cursor)))
            }
            Stage::End => return None,
        };
        Some(plan)
    }

    async fn survey_secondary(&self, plan: &mut ReconcilePlan) -> Option<Secondary> {
        if !self.secondary_can.has(Feature::ListKeys) {
            plan.not_compared.push("secondary: it cannot list its keys".to_owned());
            return None;
        }
        let mut secondary = Secondary::default();
        let listed = for_each_key(&*self.secondary, |summary| {
            let Some((id, found)) = claimed(&summary) else {
                return;
            };
            if self.is_as_expected(&id, &found) {
                let number = secondary.number(&id, &found.replica.at);
                secondary.at_home.insert(number);
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
    fn is_as_expected(&self, id: &KeyVersionId, found: &Found) -> bool {
        let record = self.map.get(&id.kid).map(|known| known.record).unwrap_or_default();
        let too_much = self.settings.mode != MirrorMode::Full && found.replica.fidelity == Fidelity::Full;
        let home = record.servable(Some(id.version)).map(|(_, replica)| replica);
        home == Some(&found.replica) && !too_much && !self.is_in_another_state(id.version, &record, found)
    }

    fn is_in_another_state(&self, version: KeyVersion, record: &KidRecord, found: &Found) -> bool {
        self.secondary_can.has(Feature::Disable)
            && (found.state == KeyState::Enabled) == record.is_disabled(version)
    }

    /// The versions whose state is not known, or whose replicas have not been told.
    fn unsettled_states(&self, kid: &KeyId, record: &KidRecord) -> Vec<KeyVersionId> {
        let unsettled = |version: KeyVersion, switch: &Switch| {
            switch.primary == Position::Unknown || self.to_be_told(record, version).is_some()
        };
        let switches = record.switches.iter().filter(|(version, switch)| unsettled(**version, switch));
        switches.map(|(version, _)| kid.at(*version)).collect()
    }

    /// Replicas that the map does not know, or knows to be wrong.
    fn plan_replicas(&self, secondary: &Secondary, plan: &mut ReconcilePlan) {
        let mut unsettled = BTreeSet::new();
        for (id, replicas) in &secondary.claims {
            let record = self.map.get(&id.kid).map(|known| known.record).unwrap_or_default();
            let holds_too_much = self.settings.mode != MirrorMode::Full
                && replicas.iter().any(|one| one.replica.fidelity == Fidelity::Full);
            if holds_too_much {
                plan.conflict(id, "its replica holds the secret, which this mode does not copy; destroy it");
            }
            match (sole(replicas), record.state(id.version)) {
                (None, _) => plan.conflict(id, "its replicas are of different keys; destroy the wrong ones"),
                (Some(_), _) if record.is_destroyed(Some(id.version)) => {
                    // The one that the map knows of goes with the destroy that is to be finished.
                    plan.destroy(id, replicas, record.state(id.version).and_then(VersionState::replica));
                }
                (Some(sole), None) => plan.adopt(id, sole),
                (Some(one), Some(VersionState::Mirrored(home))) if one.replica.key != home.key => {
                    plan.conflict(id, "its replicas are of different keys; destroy the wrong ones");
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

    /// Keys of one page of the primary that the map does not know, or knows in another state. Where the listing goes on.
    async fn plan_primary(
        &self,
        cursor: Option<Cursor>,
        claims: &Claims,
        plan: &mut ReconcilePlan,
    ) -> Option<Cursor> {
        let page = match self.primary.list_keys(&PageRequest { cursor, limit: PAGE }).await {
            Ok(page) => page,
            Err(error) => {
                plan.not_compared.push(format!("primary: {error}"));
                return None;
            }
        };
        let mut unsettled = BTreeSet::new();
        for summary in page.items {
            if let Err(error) = self.plan_key(&summary, claims, plan, &mut unsettled).await {
                plan.not_compared.push(format!("primary: {}: {error}", summary.kid));
            }
        }
        plan.settle_states(unsettled);
        page.next
    }

    /// Takes in versions that are neither in the map nor about to be adopted, and settles states that differ.
    async fn plan_key(
        &self,
        summary: &KeySummary,
        claims: &Claims,
        plan: &mut ReconcilePlan,
        unsettled: &mut BTreeSet<KeyVersionId>,
    ) -> Result<(), KeyError> {
        let kid = &summary.kid;
        let record = self.map.get(kid).map(|known| known.record).unwrap_or_default();
        if record.whole != Whole::Live || record.intent.is_some() {
            return Ok(());
        }
        let versions = match self.primary.list_versions(kid).await {
            Err(KeyError::NotFound { .. }) => return Ok(()),
            versions => versions?,
        };
        let unknown = |version: &KeyVersion| {
            record.state(*version).is_none() && !claims.contains_key(&kid.at(*version))
        };
        if versions.iter().any(unknown) {
            plan.steps.push(Step::TakeIn { kid: kid.clone() });
        }
        if !self.primary_can.has(Feature::Disable) {
            return Ok(());
        }
        for version in versions.into_iter().filter(|version| record.is_live(*version)) {
            let state = if version == summary.version {
                summary.state
            } else {
                match self.primary.get_key(kid, Some(version), Secrets::Omit).await {
                    Err(KeyError::NotFound { .. }) => continue,
                    key => key?.state(),
                }
            };
            if (state == KeyState::Enabled) == record.is_disabled(version) {
                unsettled.insert(kid.at(version));
            }
        }
        Ok(())
    }
}

/// What the map itself says is owed.
fn plan_debts(kid: &KeyId, record: &KidRecord, secondary: Option<&Secondary>, plan: &mut ReconcilePlan) {
    if record.intent.is_some() {
        plan.steps.push(Step::SettleIntent { kid: kid.clone() });
    }
    let doomed = !record.doomed().is_empty();
    if matches!(record.whole, Whole::Destroying { .. }) || (record.whole == Whole::Destroyed && doomed) {
        plan.steps.push(Step::FinishDestroy { kid: kid.clone(), version: None });
    }
    for (version, state) in &record.versions {
        let id = kid.at(*version);
        match state {
            VersionState::Pending { .. } => {
                match secondary.and_then(|secondary| sole(secondary.claims.get(&id)?)) {
                    Some(stray) => plan.adopt(&id, stray),
                    None => plan.steps.push(Step::Copy { id }),
                }
            }
            VersionState::Destroying { .. } if record.whole != Whole::Destroyed => {
                plan.steps.push(Step::FinishDestroy { kid: kid.clone(), version: Some(*version) });
            }
            VersionState::Mirrored(replica) if record.whole == Whole::Live => {
                if secondary.is_some_and(|secondary| !secondary.shows(&id, &replica.at)) {
                    let at = replica.at.clone();
                    plan.steps.push(Step::CopyAgain { id, at });
                }
            }
            _ => {}
        }
    }
}

impl ReconcilePlan {
    fn settle_states(&mut self, unsettled: BTreeSet<KeyVersionId>) {
        self.steps.extend(unsettled.into_iter().map(|id| Step::SettleState { id }));
    }
}
