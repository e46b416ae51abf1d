//! The life of one version, and what is recorded of it.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use swarmauri_keys::{Fingerprint, KeyAlg, KeyRef, KeyVersionId, PublicKey};

use crate::mode::{Fidelity, KeptReason};

/// The life of one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum VersionState {
    /// The primary has it, the secondary does not, or not for sure.
    Pending { key: Facts, attempted: bool, trouble: Trouble },
    /// The secondary has it too.
    Mirrored(Replica),
    /// The primary has it, and mode or policy keeps it there.
    Kept { key: Facts, reason: KeptReason },
    /// Its destroy has started. Not served from the secondary; with `primary_gone` not served at all. `sent`: the primary
    /// was asked, and what it did is not known.
    Destroying {
        was: Option<Box<VersionState>>,
        asked: u32,
        #[serde(default = "unless_it_says")]
        sent: bool,
        primary_gone: bool,
        trouble: Trouble,
    },
    /// A tombstone. Keeps the fingerprint, by which a replica that turns up late is known.
    Destroyed { fingerprint: Option<Fingerprint> },
}

/// What is recorded of a key when the primary accepts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Facts {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) alg: KeyAlg,
}

/// Where the copy of a version is, and what an answer from there is checked against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replica {
    pub(crate) at: KeyVersionId,
    pub(crate) fidelity: Fidelity,
    pub(crate) key: Facts,
    /// What it was last shown as; forgotten with every change of the record.
    #[serde(skip)]
    pub(crate) shown: Shown,
}

/// An answer of the secondary that was checked, and what it is shown as under the primary's name.
///
/// It says nothing that the rest of the record does not say: all are equal, and a copy has none.
#[derive(Debug, Default)]
pub(crate) struct Shown(OnceLock<Box<(KeyRef, KeyRef)>>);

impl Shown {
    /// What this very answer was shown as before.
    pub(crate) fn of(&self, answer: &KeyRef) -> Option<&KeyRef> {
        let (checked, shown) = &**self.0.get()?;
        checked.is_same(answer).then_some(shown)
    }

    /// Remembers it, if it is the first and holds no secret.
    pub(crate) fn keep(&self, answer: &KeyRef, shown: &KeyRef) {
        if answer.secret().is_none() {
            let _ = self.0.set(Box::new((answer.clone(), shown.clone())));
        }
    }
}

impl Clone for Shown {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Shown {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Shown {}

/// How often the secondary was tried in vain, and what it said last.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trouble {
    pub(crate) attempts: u32,
    pub(crate) last_error: Option<Box<str>>,
}

impl Trouble {
    pub(super) fn note(&mut self, error: &str) {
        self.attempts = self.attempts.saturating_add(1);
        self.last_error = Some(error.into());
    }
}

impl Replica {
    pub(crate) fn new(at: KeyVersionId, fidelity: Fidelity, key: Facts) -> Self {
        Self { at, fidelity, key, shown: Shown::default() }
    }
}

impl Facts {
    /// The facts of a key. The thumbprint of a pair is computed, not believed.
    pub(crate) fn of(key: &KeyRef) -> Self {
        let fingerprint = key.public_key().map_or_else(|| key.fingerprint().clone(), PublicKey::thumbprint);
        Self { fingerprint, alg: key.alg() }
    }
}

impl VersionState {
    /// What is recorded of the key, if anything is.
    pub(crate) fn facts(&self) -> Option<&Facts> {
        match self {
            Self::Pending { key, .. } | Self::Kept { key, .. } | Self::Mirrored(Replica { key, .. }) => {
                Some(key)
            }
            Self::Destroying { was, .. } => was.as_ref()?.facts(),
            Self::Destroyed { .. } => None,
        }
    }

    /// The fingerprint, also that of a tombstone.
    pub(crate) fn fingerprint(&self) -> Option<&Fingerprint> {
        match self {
            Self::Destroyed { fingerprint } => fingerprint.as_ref(),
            other => other.facts().map(|key| &key.fingerprint),
        }
    }

    /// The replica that is known, also that of a version on its way out.
    pub(crate) fn replica(&self) -> Option<&Replica> {
        match self {
            Self::Mirrored(replica) => Some(replica),
            Self::Destroying { was, .. } => was.as_ref()?.replica(),
            Self::Pending { .. } | Self::Kept { .. } | Self::Destroyed { .. } => None,
        }
    }

    /// Whether the secondary may hold a replica whose place is not known.
    pub(crate) fn may_have_stray_replica(&self) -> bool {
        match self {
            Self::Pending { attempted, .. } => *attempted,
            Self::Destroying { was, .. } => was.as_ref().is_some_and(|was| was.may_have_stray_replica()),
            Self::Mirrored(_) | Self::Kept { .. } | Self::Destroyed { .. } => false,
        }
    }

    /// Whether all that is known is that somebody has asked for its destruction: there may never have been such a version.
    pub(crate) fn is_mark(&self) -> bool {
        matches!(self, Self::Destroying { was: None, primary_gone: false, .. })
    }

    pub(super) fn is_live(&self) -> bool {
        matches!(self, Self::Pending { .. } | Self::Mirrored(_) | Self::Kept { .. })
    }

    /// On its way out, from what it was before, if anything was known.
    pub(super) fn doomed(was: Option<Self>, primary_gone: bool) -> Self {
        let trouble = Trouble::default();
        Self::Destroying { was: was.map(Box::new), asked: 1, sent: false, primary_gone, trouble }
    }

    /// The primary no longer has it. Without a replica that is the end of it.
    pub(super) fn gone(self) -> Self {
        let fingerprint = self.fingerprint().cloned();
        if self.replica().is_none() && !self.may_have_stray_replica() {
            return Self::Destroyed { fingerprint };
        }
        match self {
            Self::Destroying { was, asked, trouble, .. } => {
                Self::Destroying { was, asked, sent: false, primary_gone: true, trouble }
            }
            state => Self::doomed(Some(state), true),
        }
    }
}

/// What is taken of a record that does not say whether a destroy was sent.
pub(super) fn unless_it_says() -> bool {
    true
}
