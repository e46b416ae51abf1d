//! What is to be repaired: compares primary, secondary and map.

use std::fmt;

use serde::Serialize;
use swarmauri_keyprovider::Feature;
use swarmauri_keys::{KeyError, KeyId, KeyVersion, KeyVersionId, PageRequest};

use crate::adopt::{Claims, PAGE, sole};
use crate::map::{KidRecord, Replica, VersionState, Whole};
use crate::marks;
use crate::mode::{Fidelity, MirrorMode};
use crate::provider::MirroredKeyProvider;

/// What [`reconcile`](MirroredKeyProvider::reconcile) is going to do, to be read before it is applied.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ReconcilePlan {
    /// What is to be done, in this order.
    pub steps: Vec<Step>,
    /// What contradicts itself, and is left to people.
    pub conflicts: Vec<Conflict>,
    /// What could not be compared, and why.
    pub not_compared: Vec<String>,
}

/// One thing to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "step")]
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
    /// Destroy a replica that is one too many, or of a key that is destroyed.
    DestroyReplica {
        /// What it is a copy of.
        id: KeyVersionId,
        /// Where it is.
        at: KeyVersionId,
    },
}

/// Something that contradicts itself, and is left to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// The version that it concerns.
    pub id: KeyVersionId,
    /// What contradicts what, and what would help.
    pub reason: String,
}

impl MirroredKeyProvider {
    /// What [`reconcile`](Self::reconcile) would do. Changes nothing.
    pub async fn plan_reconcile(&self) -> ReconcilePlan {
        let mut plan = ReconcilePlan::default();
        let claims = if self.mirrors() { self.claims(&mut plan).await } else { None };
        plan.steps.extend(self.intents.open().into_iter().map(|tag| Step::SettleTaggedIntent { tag }));
        let mut after = None;
        loop {
            let page = self.map.page(after.as_ref(), PAGE);
            for (kid, record) in &page {
                plan_debts(kid, record, claims.as_ref(), &mut plan);
            }
            match page.into_iter().last() {
                Some((kid, _)) => after = Some(kid),
                None => break,
            }
        }
        if let Some(claims) = &claims {
            self.plan_replicas(claims, &mut plan);
        }
        if self.mirrors() {
            self.plan_primary(claims.as_ref(), &mut plan).await;
        }
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

    /// Replicas that the map does not know, or knows to be wrong.
    fn plan_replicas(&self, claims: &Claims, plan: &mut ReconcilePlan) {
        for (id, replicas) in claims {
            let record = self.map.get(&id.kid).map(|known| known.record).unwrap_or_default();
            let holds_too_much = self.settings.mode != MirrorMode::Full
                && replicas.iter().any(|one| one.fidelity == Fidelity::Full);
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
                    if replicas.iter().any(|one| one.at == home.at) {
                        plan.destroy(id, replicas, Some(home));
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
    async fn plan_primary(&self, claims: Option<&Claims>, plan: &mut ReconcilePlan) {
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
                match self.knows_all_of(&summary.kid, claims).await {
                    Ok(true) => {}
                    Ok(false) => plan.steps.push(Step::TakeIn { kid: summary.kid }),
                    Err(error) => plan.not_compared.push(format!("primary: {}: {error}", summary.kid)),
                }
            }
            match page.next {
                Some(cursor) => request.cursor = Some(cursor),
                None => return,
            }
        }
    }

    /// Whether every version that the primary has of a key is in the map, or about to be adopted.
    async fn knows_all_of(&self, kid: &KeyId, claims: Option<&Claims>) -> Result<bool, KeyError> {
        let record = self.map.get(kid).map(|known| known.record).unwrap_or_default();
        if record.whole != Whole::Live || record.intent.is_some() {
            return Ok(true);
        }
        let versions = match self.primary.list_versions(kid).await {
            Err(KeyError::NotFound { .. }) => return Ok(true),
            versions => versions?,
        };
        let claimed =
            |version: KeyVersion| claims.is_some_and(|claims| claims.contains_key(&kid.at(version)));
        Ok(versions.into_iter().all(|version| record.state(version).is_some() || claimed(version)))
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
                    claims.get(&id).is_some_and(|found| found.iter().any(|one| one.at == replica.at))
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

    fn adopt(&mut self, id: &KeyVersionId, replica: &Replica) {
        self.steps.push(Step::AdoptReplica { id: id.clone(), at: replica.at.clone() });
    }

    fn destroy(&mut self, id: &KeyVersionId, replicas: &[Replica], but: Option<&Replica>) {
        let unwanted = replicas.iter().filter(|one| but.is_none_or(|home| home.at != one.at));
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
