//! Repair: carries a plan out, step by step.

use serde::Serialize;
use swarmauri_keyprovider::{Feature, Secrets};
use swarmauri_keys::{KeyError, KeyId, KeyRef, KeyVersion, KeyVersionId};
use tracing::Instrument as _;

use crate::adopt::{Found, Whose, for_each_key};
use crate::apply::Progress;
use crate::failover::check_answer;
use crate::figures;
use crate::map::{Facts, VersionState, Whole};
use crate::marks;
use crate::plan::{Conflict, ReconcilePlan, Step};
use crate::proof::as_text;
use crate::provider::MirroredKeyProvider;
use crate::store::update;
use crate::survey::Survey;

/// What [`reconcile`](MirroredKeyProvider::reconcile) did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ReconcileReport {
    /// How many steps succeeded.
    pub done: usize,
    /// Steps that failed; they stay owed.
    pub failed: Vec<FailedStep>,
    /// What contradicts itself, and is left to people.
    pub conflicts: Vec<Conflict>,
    /// What could not be compared, and why.
    pub not_compared: Vec<String>,
}

/// A step that failed.
#[derive(Debug, Clone, Serialize)]
pub struct FailedStep {
    /// The step.
    pub step: Step,
    /// Why.
    #[serde(serialize_with = "as_text")]
    pub error: KeyError,
}

impl MirroredKeyProvider {
    /// Compares primary, secondary and map, and pays what is owed: retries copies and destroys, finds out
    /// what became of writes whose outcome is unknown, adopts replicas by their tags, copies keys that the
    /// primary has and the mirror does not know.
    ///
    /// On the primary it changes nothing, but for a destroy that was asked for and whose outcome is unknown:
    /// that one is asked for again; and what a [restore](Self::plan_restore_primary) that was cut off has left enabled
    /// there is disabled. May run at any time, beside traffic, and twice at once. What a side
    /// refuses or fails is in the report, and stays owed.
    pub async fn reconcile(&self) -> ReconcileReport {
        self.reconcile_with(|_| {}).await
    }

    /// The same, telling before each step how far it is. What one page of keys calls for is done before the next page is
    /// looked at, so the total is that of the page.
    pub async fn reconcile_with(&self, progress: impl FnMut(Progress<'_>) + Send) -> ReconcileReport {
        self.reconcile_while(|| true, progress).await
    }

    /// The same, beginning nothing once it is not to go on.
    pub(crate) async fn reconcile_while(
        &self,
        go_on: impl Fn() -> bool + Sync,
        progress: impl FnMut(Progress<'_>) + Send,
    ) -> ReconcileReport {
        let span = tracing::info_span!("key_mirror.reconcile");
        self.survey_and_apply(go_on, progress).instrument(span).await
    }

    async fn survey_and_apply(
        &self,
        go_on: impl Fn() -> bool + Sync,
        mut progress: impl FnMut(Progress<'_>) + Send,
    ) -> ReconcileReport {
        let (mut survey, mut report) = (Survey::default(), ReconcileReport::default());
        while go_on()
            && let Some(plan) = self.survey_on(&mut survey).await
        {
            report.absorb(self.apply_while(plan, &go_on, &mut progress).await);
        }
        figures::looked_through(self);
        report
    }

    /// Carries a plan out. Steps that the world has overtaken do nothing.
    ///
    /// It may be dropped at any moment, or a side may fail half-way: [`ReconcileReport::remaining`] is the plan that goes
    /// on, and a new one leaves out what is done.
    pub async fn apply(&self, plan: ReconcilePlan) -> ReconcileReport {
        self.apply_with(plan, |_| {}).await
    }

    pub(crate) async fn apply_step(&self, step: &Step) -> Result<(), KeyError> {
        match step {
            Step::SettleIntent { kid } => {
                let _right = self.lock(kid).await?;
                self.take_in(kid).await?;
                update(&*self.map, kid, |record| record.intent = None).await?;
                self.copy_all(kid).await
            }
            Step::TakeIn { kid } => {
                let _right = self.lock(kid).await?;
                self.take_in(kid).await?;
                self.copy_all(kid).await
            }
            Step::SettleTaggedIntent { tag } => self.settle_tagged(tag).await,
            Step::FinishDestroy { kid, version } => self.finish_destroy(kid, *version).await,
            Step::AdoptReplica { id, at } => self.adopt_checked(id, at).await,
            // Looked at once more: it may be back.
            Step::Copy { id } | Step::Forget { id } => {
                let _right = self.lock(&id.kid).await?;
                self.copy_or_forget(id).await
            }
            Step::CopyAgain { id, at } => {
                let _right = self.lock(&id.kid).await?;
                match self.secondary.get_key(&at.kid, Some(at.version), Secrets::Omit).await {
                    Ok(answer) => return self.check_home(id, &answer),
                    Err(KeyError::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
                update(&*self.map, &id.kid, |record| record.replica_lost(id.version, at)).await?;
                self.copy_or_forget(id).await
            }
            Step::SettleState { id } => self.settle_state(id).await,
            Step::GiveUp { id } => self.give_up(id).await,
            Step::Restore { id } => self.restore(id).await,
            Step::DestroyReplica { id, at } => self.destroy_unwanted(id, at).await,
        }
    }

    /// That a replica which a listing did not show as such is the one that was copied, all the same.
    fn check_home(&self, id: &KeyVersionId, answer: &KeyRef) -> Result<(), KeyError> {
        let record = self.map.get(&id.kid).map(|known| known.record).unwrap_or_default();
        match record.servable(Some(id.version)) {
            Some((_, replica)) if replica.at == *answer.id() => check_answer(id, replica, answer),
            _ => Ok(()),
        }
    }

    /// Records every version that the primary has of a key and the map does not know.
    async fn take_in(&self, kid: &KeyId) -> Result<(), KeyError> {
        let versions = match self.primary.list_versions(kid).await {
            Err(KeyError::NotFound { .. }) => return Ok(()),
            versions => versions?,
        };
        for version in versions {
            let known = self.map.get(kid).map(|known| known.record).unwrap_or_default();
            if known.whole == Whole::Live && known.state(version).is_none() {
                let key = self.primary.get_key(kid, Some(version), Secrets::Omit).await?;
                self.record_found(&key).await?;
                if !self.is_adopted() {
                    // An earlier process may have left a replica: it is looked for before another is made, and destroyed with it.
                    update(&*self.map, kid, |record| record.may_have_replica(version)).await?;
                }
            }
        }
        Ok(())
    }

    async fn copy_all(&self, kid: &KeyId) -> Result<(), KeyError> {
        let record = self.map.get(kid).map(|known| known.record).unwrap_or_default();
        for version in record.versions.keys() {
            if let Some(error) = self.copy(&kid.at(*version), None).await {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Copies a version; one that neither side has any more is forgotten.
    async fn copy_or_forget(&self, id: &KeyVersionId) -> Result<(), KeyError> {
        match self.copy(id, None).await {
            Some(KeyError::NotFound { .. }) => {
                if let Some(found) = self.find_replica(id).await? {
                    return self.adopt(id, &found).await;
                }
                update(&*self.map, &id.kid, |record| record.forget(id.version)).await
            }
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    async fn settle_tagged(&self, tag: &str) -> Result<(), KeyError> {
        self.primary_can.require(Feature::ListKeys)?;
        let mut tagged = Vec::new();
        for_each_key(&self.primary, Whose::Mirror, |summary| {
            if summary.tags.get(marks::INTENT) == Some(tag) {
                tagged.push(summary.kid);
            }
        })
        .await?;
        for kid in tagged {
            let _right = self.lock(&kid).await?;
            self.take_in(&kid).await?;
            self.copy_all(&kid).await?;
        }
        self.map.settle_intent(tag).await
    }

    async fn finish_destroy(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<(), KeyError> {
        let right = self.lock(kid).await?;
        let record = self.map.get(kid).map(|known| known.record).unwrap_or_default();
        let undecided = match version {
            None => matches!(record.whole, Whole::Destroying { .. }),
            Some(version) => {
                matches!(record.state(version), Some(VersionState::Destroying { primary_gone: false, .. }))
            }
        };
        if undecided && let Err(error) = self.settle_destroy(&right, kid, version).await {
            let record = self.map.get(kid).map(|known| known.record).unwrap_or_default();
            // Refused, and the key lives on: its state has gone back, and that settles it, too.
            if error.is_outage() || record.is_marked(version) {
                return Err(error);
            }
        }
        self.destroy_replicas(kid).await.map_or(Ok(()), Err)
    }

    /// Adopts a replica, unless the primary has another key under that name.
    async fn adopt_checked(&self, id: &KeyVersionId, at: &KeyVersionId) -> Result<(), KeyError> {
        let _right = self.lock(&id.kid).await?;
        let Some(found) = self.replica_at(id, at).await? else {
            return Ok(());
        };
        let state = match self.primary.get_key(&id.kid, Some(id.version), Secrets::Omit).await {
            Ok(key) if Facts::of(&key) != found.replica.key => {
                return Err(KeyError::integrity(format!("{at} says that it is a copy of {id}, and is not")));
            }
            Ok(key) => Some(key.state()),
            Err(KeyError::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        self.adopt(id, &found).await?;
        match state {
            Some(state) => self.switched(id, state).await,
            None => Ok(()),
        }
    }

    async fn destroy_unwanted(&self, id: &KeyVersionId, at: &KeyVersionId) -> Result<(), KeyError> {
        let _right = self.lock(&id.kid).await?;
        let record = self.map.get(&id.kid).map(|known| known.record).unwrap_or_default();
        let is_home = record.servable(Some(id.version)).is_some_and(|(_, replica)| replica.at == *at);
        if is_home || self.replica_at(id, at).await?.is_none() {
            return Ok(());
        }
        self.secondary.destroy_key(&at.kid, Some(at.version)).await?;
        if record.state(id.version).and_then(VersionState::replica).is_some_and(|known| known.at == *at) {
            update(&*self.map, &id.kid, |record| record.replica_gone(id.version)).await?;
        }
        Ok(())
    }

    /// The replica at a place, if it still is there and still says that it is a copy of this.
    async fn replica_at(&self, id: &KeyVersionId, at: &KeyVersionId) -> Result<Option<Found>, KeyError> {
        match self.secondary.get_key(&at.kid, Some(at.version), Secrets::Omit).await {
            Ok(key) => {
                let Some(claim) = marks::Claim::read(key.tags()).filter(|claim| claim.source == *id) else {
                    return Ok(None);
                };
                let replica = claim.replica(at.clone(), key.alg());
                if replica.key != Facts::of(&key) {
                    return Err(KeyError::integrity(format!(
                        "{at} says that it is a copy of {id}, and is answered as another key than its tags name"
                    )));
                }
                Ok(Some(Found { replica, state: key.state() }))
            }
            Err(KeyError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl ReconcileReport {
    fn absorb(&mut self, then: Self) {
        let Self { done, failed, conflicts, not_compared } = then;
        self.done += done;
        self.failed.extend(failed);
        self.conflicts.extend(conflicts);
        self.not_compared.extend(not_compared);
    }

    /// What is still to be done of the plan: the steps that failed.
    pub fn remaining(&self) -> ReconcilePlan {
        let steps = self.failed.iter().map(|failed| failed.step.clone()).collect();
        ReconcilePlan { steps, ..ReconcilePlan::default() }
    }

    /// Whether nothing failed, nothing is in conflict, and everything was compared.
    pub fn is_clean(&self) -> bool {
        self.failed.is_empty() && self.conflicts.is_empty() && self.not_compared.is_empty()
    }
}
