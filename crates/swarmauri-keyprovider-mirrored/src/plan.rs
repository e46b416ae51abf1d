//! What is to be repaired: the plan that a survey makes.

use std::fmt;

use serde::{Deserialize, Serialize};
use swarmauri_keys::{KeyId, KeyVersion, KeyVersionId};

use crate::adopt::Found;
use crate::map::Replica;
use crate::marks;

/// What [`reconcile`](crate::MirroredKeyProvider::reconcile) is going to do, to be read before it is applied.
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
    /// Forget a version whose copy is owed, and which the primary has lost: there is nothing to copy any more.
    Forget {
        /// The version.
        id: KeyVersionId,
    },
    /// Treat a version that the primary has lost as one that is destroyed: see
    /// [`plan_propagate_loss`](crate::MirroredKeyProvider::plan_propagate_loss).
    GiveUp {
        /// The version.
        id: KeyVersionId,
    },
    /// Import a version that the primary has lost into it again: see
    /// [`plan_restore_primary`](crate::MirroredKeyProvider::plan_restore_primary).
    Restore {
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

impl Step {
    /// Why it is to be done.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::SettleIntent { .. } => "a create or rotation had no answer",
            Self::SettleTaggedIntent { .. } => "a create had no answer",
            Self::FinishDestroy { .. } => "a destroy was asked for, and is not over",
            Self::AdoptReplica { .. } => "the secondary has a replica that the map does not know",
            Self::TakeIn { .. } => "the primary has versions that the map does not know",
            Self::Copy { .. } => "it has no replica",
            Self::CopyAgain { .. } => "its replica is gone",
            Self::SettleState { .. } => "whether it is disabled is unknown, or not the same on both sides",
            Self::Restore { .. } => "the primary has lost it, and the operator wants it back",
            Self::Forget { .. } => "neither side has it, and nobody asked for its destruction",
            Self::GiveUp { .. } => "the primary has lost it, and the operator says that it is to be gone",
            Self::DestroyReplica { .. } => "it is one too many, or of a key that is destroyed",
        }
    }

    /// What steps that must be taken in turn have in common: the `kid`, or the tag of a key whose `kid` is not known.
    pub(crate) fn key(&self) -> &str {
        match self {
            Self::SettleIntent { kid } | Self::FinishDestroy { kid, .. } | Self::TakeIn { kid } => {
                kid.as_str()
            }
            Self::SettleTaggedIntent { tag } => tag,
            Self::AdoptReplica { id, .. }
            | Self::Copy { id }
            | Self::CopyAgain { id, .. }
            | Self::SettleState { id }
            | Self::GiveUp { id }
            | Self::Forget { id }
            | Self::Restore { id }
            | Self::DestroyReplica { id, .. } => id.kid.as_str(),
        }
    }
}

impl ReconcilePlan {
    /// This plan, and then that one.
    pub(crate) fn extend(&mut self, then: Self) {
        let Self { steps, conflicts, not_compared } = then;
        self.steps.extend(steps);
        self.conflicts.extend(conflicts);
        self.not_compared.extend(not_compared);
    }

    /// Whether there is nothing to do, nothing in conflict, and everything was compared.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.conflicts.is_empty() && self.not_compared.is_empty()
    }

    pub(crate) fn conflict(&mut self, id: &KeyVersionId, reason: &str) {
        self.conflicts.push(Conflict { id: id.clone(), reason: reason.to_owned() });
    }

    pub(crate) fn adopt(&mut self, id: &KeyVersionId, found: &Found) {
        self.steps.push(Step::AdoptReplica { id: id.clone(), at: found.replica.at.clone() });
    }

    pub(crate) fn destroy(&mut self, id: &KeyVersionId, replicas: &[Found], but: Option<&Replica>) {
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
            Self::GiveUp { id } => {
                write!(f, "give up {id}, which the primary has lost, and destroy its replica")
            }
            Self::Restore { id } => {
                write!(f, "bring {id} back to the primary, which has lost it, from its replica")
            }
            Self::Forget { id } => write!(f, "forget {id}"),
            Self::DestroyReplica { id, at } => write!(f, "destroy {at}, an unwanted replica of {id}"),
        }
    }
}

impl fmt::Display for ReconcilePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{step}: {}", step.reason())?;
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
