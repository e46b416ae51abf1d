//! Comparing primary, secondary and map, page by page.
//!
//! What is as the map expects it leaves one number behind for each replica, and a replica that the map does not know two:
//! when the whole secondary is known, those are listed again. So memory hardly grows with the number of keys.

mod secondary;

use std::collections::BTreeSet;

use swarmauri_keyprovider::{Feature, Secrets};
use swarmauri_keys::{Cursor, KeyError, KeyId, KeyState, KeySummary, KeyVersion, KeyVersionId, PageRequest};

use self::secondary::Secondary;
use crate::adopt::{PAGE, sole};
use crate::map::{KidRecord, Position, Switch, VersionState, Whole};
use crate::mode::KeptReason;
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
    /// Replicas of what the map knows that are not as it has them.
    Replicas,
    /// The secondary's keys from here on, for the replicas of what the map does not know.
    Unknown(Option<Cursor>),
    /// The primary's keys from here on.
    Primary(Option<Cursor>),
    End,
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
                self.forget_what_is_gone(&mut plan).await;
                plan.settle_states(unsettled);
                page.into_iter().last().map_or(Stage::Replicas, |(kid, _)| Stage::Map(Some(kid)))
            }
            Stage::Replicas => {
                if let Some(secondary) = &survey.secondary {
                    self.plan_replicas(secondary, &mut plan);
                }
                match &survey.secondary {
                    Some(secondary) if secondary.has_unknown() => Stage::Unknown(None),
                    _ => self.before_primary(&mut plan),
                }
            }
            Stage::Unknown(cursor) => {
                let next = match &mut survey.secondary {
                    Some(secondary) => self.plan_unknown(cursor, secondary, &mut plan).await,
                    None => None,
                };
                match next {
                    Some(cursor) => Stage::Unknown(Some(cursor)),
                    None => self.before_primary(&mut plan),
                }
            }
            Stage::Primary(cursor) => {
                let next = self.plan_primary(cursor, survey.secondary.as_ref(), &mut plan).await;
                next.map_or(Stage::End, |cursor| Stage::Primary(Some(cursor)))
            }
            Stage::End => return None,
        };
        Some(plan)
    }

    /// Turns copies of what the primary no longer has into forgetting it. Once the primary does not answer, they stay.
    async fn forget_what_is_gone(&self, plan: &mut ReconcilePlan) {
        for step in &mut plan.steps {
            let Step::Copy { id } = step else { continue };
            match self.is_lost(id).await {
                Ok(true) => *step = Step::Forget { id: id.clone() },
                Err(error) if error.is_outage() => return,
                Ok(false) | Err(_) => {}
            }
        }
    }

    fn before_primary(&self, plan: &mut ReconcilePlan) -> Stage {
        if !self.mirrors() {
            return Stage::End;
        }
        if self.primary_can.has(Feature::ListKeys) {
            return Stage::Primary(None);
        }
        plan.not_compared.push("primary: it cannot list its keys".to_owned());
        Stage::End
    }

    /// The versions whose state is not known, or whose replicas have not been told.
    fn unsettled_states(&self, kid: &KeyId, record: &KidRecord) -> Vec<KeyVersionId> {
        let unsettled = |version: KeyVersion, switch: &Switch| {
            switch.primary == Position::Unknown || self.to_be_told(record, version).is_some()
        };
        let switches = record.switches.iter().filter(|(version, switch)| unsettled(**version, switch));
        switches.map(|(version, _)| kid.at(*version)).collect()
    }

    /// Keys of one page of the primary that the map does not know, or knows in another state. Where the listing goes on.
    async fn plan_primary(
        &self,
        cursor: Option<Cursor>,
        secondary: Option<&Secondary>,
        plan: &mut ReconcilePlan,
    ) -> Option<Cursor> {
        let page = match self.primary.survey_keys(&PageRequest { cursor, limit: PAGE }).await {
            Ok(page) => page,
            Err(error) => {
                plan.not_compared.push(format!("primary: {error}"));
                return None;
            }
        };
        let mut unsettled = BTreeSet::new();
        for summary in page.items {
            if let Err(error) = self.plan_key(&summary, secondary, plan, &mut unsettled).await {
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
        secondary: Option<&Secondary>,
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
            let claimed = secondary.is_some_and(|secondary| secondary.claims(&kid.at(*version)));
            record.state(*version).is_none() && !claimed
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
            // One that was disabled and enabled there while it was being copied was never known to be disabled.
            let waits = matches!(
                record.state(version),
                Some(VersionState::Kept { reason: KeptReason::Disabled, .. })
            );
            let enabled = state == KeyState::Enabled;
            if enabled == record.is_disabled(version) || (enabled && waits) {
                unsettled.insert(kid.at(version));
            }
        }
        Ok(())
    }
}

impl MirroredKeyProvider {
    /// What the map itself says that it owes of one key.
    pub(crate) fn debts_of(&self, kid: &KeyId) -> Vec<Step> {
        let Some(known) = self.map.get(kid) else {
            return Vec::new();
        };
        let mut plan = ReconcilePlan::default();
        plan_debts(kid, &known.record, None, &mut plan);
        plan.settle_states(self.unsettled_states(kid, &known.record).into_iter().collect());
        plan.steps
    }
}

/// What the map itself says is owed.
fn plan_debts(kid: &KeyId, record: &KidRecord, secondary: Option<&Secondary>, plan: &mut ReconcilePlan) {
    if record.intent.is_some() {
        plan.steps.push(Step::SettleIntent { kid: kid.clone() });
    }
    let doomed = !record.doomed().is_empty();
    let unsought = record.unsought || (record.whole == Whole::Destroyed && doomed);
    if matches!(record.whole, Whole::Destroying { .. }) || unsought {
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
            VersionState::Mirrored(replica)
                if record.whole == Whole::Live
                    && secondary.is_some_and(|secondary| !secondary.shows(&id, &replica.at)) =>
            {
                let at = replica.at.clone();
                plan.steps.push(Step::CopyAgain { id, at });
            }
            _ => {}
        }
    }
}

impl ReconcilePlan {
    pub(crate) fn settle_states(&mut self, unsettled: BTreeSet<KeyVersionId>) {
        self.steps.extend(unsettled.into_iter().map(|id| Step::SettleState { id }));
    }
}
