//! What is to be repaired: compares primary, secondary and map.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use swarmauri_keyprovider::{Feature, Secrets};
use swarmauri_keys::{KeyError, KeyId, KeyState, KeySummary, KeyVersion, KeyVersionId, PageRequest};

use crate::adopt::{Claims, Found, PAGE, sole};
use crate::map::{KidRecord, Position, Replica, Switch, VersionState, Whole};
use crate::marks;
use crate::mode::{Fidelity, MirrorMode};
use crate::provider::MirroredKeyProvider;

/// What [`reconcile`](MirroredKeyProvider::reconcile) is going to do, to be read before it is applied.
///
/// As serde data it can be kept, read by people or programs, and applied later: steps that the world has overtaken do
/// nothing then.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReconcilePlan {
    /// What is to be done, in this order.
    pub steps: Vec<Step>,
    /// What contradicts itself, and is left to people.
    pub conflicts: Vec<Conflict>,
    /// What could not be compared, and why.
    pub not_compared: Vec<String>,
}

/// One thing to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "step", deny_unknown_fields)]
#[non_exhaustive]
pub enum Step {
    /// Ask the primary whether a create or rotation took effect, and take in what it has.
    SettleIntent {
        /// The key.
        kid: KeyId,
    },
    /// Look on the primary for the key that a create without a chosen `kid` may have made.
    SettleTaggedIntent {
        /// The value of its tag `mirror.intent`.
        tag: String,
    },
    /// Ask the primary again for a destroy whose outcome is unknown, and destroy the replicas.
    FinishDestroy {
        /// The key.
        kid: KeyId,
        /// The version; `None` for the whole key.
        version: Option<KeyVersion>,
    },
    /// Take a replica that says what it is a copy of into the map.
    AdoptReplica {
        /// What it is a copy of.
        id: KeyVersionId,
        /// Where it is.
        at: KeyVersionId,
    },
    /// Take versions that the primary has and the map does not know into the map, and copy them.
    TakeIn {
        /// The key.
        kid: KeyId,
    },
    /// Copy a version to the secondary.
    Copy {
        /// The version.
        id: KeyVersionId,
    },
    /// Copy a version again, whose replica is no longer there.
    CopyAgain {
        /// The version.
        id: KeyVersionId,
        /// Where its replica was.
        at: KeyVersionId,
    },
    /// Ask the primary whether a version is disabled, where that is unknown or seen to differ, and put its replica
    /// into the same state.
    SettleState {
        /// The version.
        id: KeyVersionId,
    },
    /// Destroy a replica that is one too many, or of a key that is destroyed.
    DestroyReplica {
        /// What it is a copy of.
        id: KeyVersionId,
        /// Where it is.
        at: KeyVersionId,
    },
}

/// Something that contradicts itself, and is left to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conflict {
    /// The version that it concerns.
    pub id: KeyVersionId,
    /// What contradicts what, and what would help.
    pub reason: String,
}

impl MirroredKeyProvider {
    /// What [`reconcile`](Self::reconcile) would do. Changes nothing.
    pub async fn plan_reconcile(&self) -> ReconcilePlan {
        self.catch_up().await;
        let mut plan = ReconcilePlan::default();
        let claims = if self.mirrors() { self.claims(&mut plan).await } else { None };
        plan.steps.extend(self.map.open_intents().into_iter().map(|tag| Step::SettleTaggedIntent { tag }));
        let mut unsettled = BTreeSet::new();
        let mut after = None;
        loop {
            let page = self.map.page(after.as_ref(), PAGE);
            for (kid, record) in &page {
                plan_debts(kid, record, claims.as_ref(), &mut plan);
                unsettled.extend(self.unsettled_states(kid, record));
            }
            match page.into_iter().last() {
                Some((kid, _)) => after = Some(kid),
                None => break,
            }
        }
        if let Some(claims) = &claims {
            self.plan_replicas(claims, &mut plan, &mut unsettled);
        }
        if self.mirrors() {
            self.plan_primary(claims.as_ref(), &mut plan, &mut unsettled).await;
        }
        plan.steps.extend(unsettled.into_iter().map(|id| Step::SettleState { id }));
        plan
    }

    async fn claims(&self, plan: &mut ReconcilePlan) -> Option<Claims> {
        if !self.secondary_can.has(Feature::ListKeys) {
            plan.not_compared.push("secondary: it cannot list its keys".to_owned());
            return None;
        }
        match self.scan_secondary().await {
            Ok(claims) => Some(claims),
            Err(error) => {
                plan.not_compared.push(format!("secondary: {error}"));
                None
            }
        }
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
    fn plan_replicas(
        &self,
        claims: &Claims,
        plan: &mut ReconcilePlan,
        unsettled: &mut BTreeSet<KeyVersionId>,
    ) {
        for (id, replicas) in claims {
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
                (Some(_), Some(VersionState::Mirrored(home))) => {
                    if let Some(found) = replicas.iter().find(|one| one.replica.at == home.at) {
                        plan.destroy(id, replicas, Some(home));
                        if self.secondary_can.has(Feature::Disable)
                            && (found.state == KeyState::Enabled) == record.is_disabled(id.version)
                        {
                            unsettled.insert(id.clone());
                        }
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
    }

    /// Keys that the primary has and the map does not know.
    async fn plan_primary(
        &self,
        claims: Option<&Claims>,
        plan: &mut ReconcilePlan,
        unsettled: &mut BTreeSet<KeyVersionId>,
    ) {
        if !self.primary_can.has(Feature::ListKeys) {
            plan.not_compared.push("primary: it cannot list its keys".to_owned());
            return;
        }
        let mut request = PageRequest::first(PAGE);
        loop {
            let page = match self.primary.list_keys(&request).await {
                Ok(page) => page,
                Err(error) => return plan.not_compared.push(format!("primary: {error}")),
            };
            for summary in page.items {
                if let Err(error) = self.plan_key(&summary, claims, plan, unsettled).await {
                    plan.not_compared.push(format!("primary: {}: {error}", summary.kid));
                }
            }
            match page.next {
                Some(cursor) => request.cursor = Some(cursor),
                None => return,
            }
        }
    }

    /// Takes in versions that are neither in the map nor about to be adopted, and settles states that differ.
    async fn plan_key(
        &self,
        summary: &KeySummary,
        claims: Option<&Claims>,
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
        let claimed =
            |version: KeyVersion| claims.is_some_and(|claims| claims.contains_key(&kid.at(version)));
        let unknown = |version: &KeyVersion| record.state(*version).is_none() && !claimed(*version);
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
fn plan_debts(kid: &KeyId, record: &KidRecord, claims: Option<&Claims>, plan: &mut ReconcilePlan) {
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
            VersionState::Pending { .. } => match claims.and_then(|claims| sole(claims.get(&id)?)) {
                Some(stray) => plan.adopt(&id, stray),
                None => plan.steps.push(Step::Copy { id }),
            },
            VersionState::Destroying { .. } if record.whole != Whole::Destroyed => {
                plan.steps.push(Step::FinishDestroy { kid: kid.clone(), version: Some(*version) });
            }
            VersionState::Mirrored(replica) if record.whole == Whole::Live => {
                let listed = |claims: &Claims| {
                    claims.get(&id).is_some_and(|found| found.iter().any(|one| one.replica.at == replica.at))
                };
                if claims.is_some_and(|claims| !listed(claims)) {
                    let at = replica.at.clone();
                    plan.steps.push(Step::CopyAgain { id, at });
                }
            }
            _ => {}
        }
    }
}

impl ReconcilePlan {
    /// Whether there is nothing to do, nothing in conflict, and everything was compared.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.conflicts.is_empty() && self.not_compared.is_empty()
    }

    fn conflict(&mut self, id: &KeyVersionId, reason: &str) {
        self.conflicts.push(Conflict { id: id.clone(), reason: reason.to_owned() });
    }

    fn adopt(&mut self, id: &KeyVersionId, found: &Found) {
        self.steps.push(Step::AdoptReplica { id: id.clone(), at: found.replica.at.clone() });
    }

    fn destroy(&mut self, id: &KeyVersionId, replicas: &[Found], but: Option<&Replica>) {
        let places = replicas.iter().map(|one| &one.replica);
        let unwanted = places.filter(|one| but.is_none_or(|home| home.at != one.at));
        self.steps.extend(unwanted.map(|one| Step::DestroyReplica { id: id.clone(), at: one.at.clone() }));
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SettleIntent { kid } => write!(f, "find out what the primary made of {kid}"),
            Self::SettleTaggedIntent { tag } => write!(f, "find the key tagged {} = {tag}", marks::INTENT),
            Self::FinishDestroy { kid, version: None } => write!(f, "finish the destroy of {kid}"),
            Self::FinishDestroy { kid, version: Some(version) } => {
                write!(f, "finish the destroy of {}", kid.at(*version))
            }
            Self::AdoptReplica { id, at } => write!(f, "adopt {at} as the replica of {id}"),
            Self::TakeIn { kid } => write!(f, "take in and copy versions of {kid}"),
            Self::Copy { id } => write!(f, "copy {id}"),
            Self::CopyAgain { id, at } => write!(f, "copy {id} again, its replica {at} is gone"),
            Self::SettleState { id } => write!(f, "find out whether {id} is disabled, and tell its replica"),
            Self::DestroyReplica { id, at } => write!(f, "destroy {at}, an unwanted replica of {id}"),
        }
    }
}

impl fmt::Display for ReconcilePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        for Conflict { id, reason } in &self.conflicts {
            writeln!(f, "conflict: {id}: {reason}")?;
        }
        for what in &self.not_compared {
            writeln!(f, "not compared: {what}")?;
        }
        if self.is_empty() { writeln!(f, "nothing to do") } else { Ok(()) }
    }
}
