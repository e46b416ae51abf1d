//! Which primary version lives where on the secondary: the state machine, one record per `kid`.
//!
//! ```text
//!             primary accepted                copied
//!  (absent) ────────────────▶ Pending ────────────────▶ Mirrored
//!                                │                          │
//!                                └────── destroy asked ─────┤
//!                                                           ▼
//!                              Destroying ── both gone ──▶ Destroyed
//! ```
//!
//! A destroy of a whole key is a state of the record, [`Whole`], that covers every version, also those
//! that are still to come. Transitions are pure; where records are kept is [`MirrorMap`]'s business.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use swarmauri_keys::{KeyState, KeyVersion, KeyVersionId};

use crate::mode::KeptReason;

mod by_version;
mod destroy;
mod switch;
mod version;

#[cfg(test)]
mod tests;

pub(crate) use by_version::ByVersion;
pub(crate) use switch::{Position, Switch};
pub(crate) use version::{Facts, Replica, Trouble, VersionState};

/// What the mirror knows of one `kid`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KidRecord {
    pub(crate) whole: Whole,
    #[serde(default, skip_serializing_if = "ByVersion::is_empty")]
    pub(crate) versions: ByVersion<VersionState>,
    /// The versions that are disabled, or may be, or whose replicas are.
    #[serde(default, skip_serializing_if = "ByVersion::is_empty")]
    pub(crate) switches: ByVersion<Switch>,
    /// Disabled versions that are being brought back to a primary that lost them, and may be enabled there.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) restoring: BTreeSet<KeyVersion>,
    /// Whether the secondary may have replicas of what is destroyed, and could not be asked for them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unsought: bool,
    /// Whether some of it was found on a side, rather than made here: until the secondary has been searched to the end, more of
    /// it may be there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) found: bool,
    /// A write that the primary may have accepted without our knowing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) intent: Option<Intent>,
}

/// The life of a key as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Whole {
    #[default]
    Live,
    /// So many destroys have started; the primary has confirmed none. `sent`: it was asked, and what it did is not known.
    Destroying {
        asked: u32,
        #[serde(default = "version::unless_it_says")]
        sent: bool,
    },
    /// A tombstone: the `kid` is never served or used again.
    Destroyed,
}

/// A write whose outcome on the primary is not recorded yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Intent {
    Create,
    Rotate,
}

/// The primary gave a new key the name of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NameReused;

impl KidRecord {
    /// The state of one version, if it has any.
    pub(crate) fn state(&self, version: KeyVersion) -> Option<&VersionState> {
        self.versions.get(version)
    }

    /// Whether there is nothing to remember.
    pub(crate) fn is_blank(&self) -> bool {
        let Self { whole, versions, switches, restoring, unsought, found: _, intent } = self;
        *whole == Whole::Live
            && !unsought
            && versions.is_empty()
            && switches.is_empty()
            && restoring.is_empty()
            && intent.is_none()
    }

    /// Whether this version, or with `None` the whole key, must not be served by anyone (promise 4).
    pub(crate) fn is_destroyed(&self, version: Option<KeyVersion>) -> bool {
        let version_gone = |version| {
            matches!(
                self.versions.get(version),
                Some(VersionState::Destroyed { .. } | VersionState::Destroying { primary_gone: true, .. })
            )
        };
        self.whole == Whole::Destroyed || version.is_some_and(version_gone)
    }

    /// The replica that may answer for this version, or with `None` for the latest that is mirrored.
    ///
    /// A latest version that is kept from the secondary on purpose is not stood in for by an older one: for
    /// it the primary would have refused, and that is not turned into an answer.
    pub(crate) fn servable(&self, version: Option<KeyVersion>) -> Option<(KeyVersion, &Replica)> {
        if self.whole != Whole::Live {
            return None;
        }
        let Some(version) = version else {
            let mut latest_first = self.versions.iter().rev();
            return latest_first.find_map(|(version, state)| match state {
                VersionState::Mirrored(replica) => Some(Some((*version, replica))),
                VersionState::Kept { .. } => Some(None),
                VersionState::Pending { .. }
                | VersionState::Destroying { .. }
                | VersionState::Destroyed { .. } => None,
            })?;
        };
        match self.versions.get(version)? {
            VersionState::Mirrored(replica) => Some((version, replica)),
            _ => None,
        }
    }

    /// All replicas that may answer, by version.
    pub(crate) fn all_servable(&self) -> impl Iterator<Item = (KeyVersion, &Replica)> {
        let live = self.whole == Whole::Live;
        self.versions.iter().filter(move |_| live).filter_map(|(version, state)| match state {
            VersionState::Mirrored(replica) => Some((*version, replica)),
            _ => None,
        })
    }

    /// The versions that the primary is believed to have, those on their way out apart.
    pub(crate) fn live_versions(&self) -> impl Iterator<Item = KeyVersion> {
        let live = self.whole == Whole::Live;
        let states = self.versions.iter().filter(move |(_, state)| live && state.is_live());
        states.map(|(version, _)| *version)
    }

    /// Whether the primary is believed to have this version, and nobody has asked for its destruction.
    pub(crate) fn is_live(&self, version: KeyVersion) -> bool {
        self.whole == Whole::Live && self.versions.get(version).is_some_and(VersionState::is_live)
    }

    /// Whether some version is destroyed, or may be any moment.
    pub(crate) fn has_destroyed_versions(&self) -> bool {
        let goes = |state: &VersionState| {
            matches!(state, VersionState::Destroying { .. } | VersionState::Destroyed { .. })
        };
        self.versions.values().any(goes)
    }

    /// Whether something is still to be done: a copy, a destroy, a state to be passed on or found out.
    pub(crate) fn owes(&self) -> bool {
        let Self { whole, versions, switches, restoring, unsought, found: _, intent } = self;
        let unsettled = |state: &VersionState| {
            matches!(state, VersionState::Pending { .. } | VersionState::Destroying { .. })
        };
        let untold = |version: &KeyVersion, switch: &Switch| {
            switch.primary == Position::Unknown || self.to_be_told(*version).is_some()
        };
        matches!(whole, Whole::Destroying { .. })
            || intent.is_some()
            || *unsought
            || !restoring.is_empty()
            || versions.values().any(unsettled)
            || switches.iter().any(|(version, switch)| untold(version, switch))
    }

    /// The versions that the primary no longer has, and the secondary may.
    pub(crate) fn doomed(&self) -> Vec<KeyVersion> {
        let gone =
            |state: &VersionState| matches!(state, VersionState::Destroying { primary_gone: true, .. });
        self.versions.iter().filter(|(_, state)| gone(state)).map(|(version, _)| *version).collect()
    }

    /// The primary has accepted a version; `kept` says why it is not to be copied.
    pub(crate) fn accept(
        &mut self,
        version: KeyVersion,
        key: Facts,
        kept: Option<KeptReason>,
    ) -> Result<(), NameReused> {
        if self.whole == Whole::Destroyed {
            return Err(NameReused);
        }
        let state = match kept {
            Some(reason) => VersionState::Kept { key, reason },
            None => VersionState::Pending { key, attempted: false, trouble: Trouble::default() },
        };
        match self.versions.get_mut(version) {
            None => {}
            // Somebody asked for the destruction of this version before it was there.
            Some(VersionState::Destroying { was: was @ None, primary_gone: false, .. }) => {
                *was = Some(Box::new(state));
                return Ok(());
            }
            Some(known) => {
                let same = known.is_live() && known.fingerprint() == state.fingerprint();
                return if same { Ok(()) } else { Err(NameReused) };
            }
        }
        self.versions.insert(version, state);
        Ok(())
    }

    /// The secondary is about to be handed a copy. False if there is nothing to copy any more.
    pub(crate) fn begin_copy(&mut self, version: KeyVersion) -> bool {
        match self.versions.get_mut(version) {
            Some(VersionState::Pending { attempted, .. }) if self.whole == Whole::Live => {
                *attempted = true;
                true
            }
            _ => false,
        }
    }

    /// Somebody may have copied this version before it was recorded here, whatever has begun to happen to it since.
    pub(crate) fn may_have_replica(&mut self, version: KeyVersion) {
        let state = match self.versions.get_mut(version) {
            Some(VersionState::Destroying { was: Some(was), .. }) => Some(&mut **was),
            other => other,
        };
        if let Some(VersionState::Pending { attempted, .. }) = state {
            *attempted = true;
        }
    }

    /// The secondary has a copy. If a destroy started meanwhile, it learns where the copy is. False if nobody wants the copy any
    /// more: the version was forgotten, or is destroyed.
    pub(crate) fn copied(&mut self, version: KeyVersion, replica: Replica) -> bool {
        let mirrored = VersionState::Mirrored(replica);
        match self.versions.get_mut(version) {
            None | Some(VersionState::Destroyed { .. }) => return false,
            Some(state @ VersionState::Pending { .. }) => {
                *state = mirrored;
                self.replica_is_new(version);
            }
            Some(VersionState::Destroying { was, .. })
                if !matches!(was.as_deref(), Some(VersionState::Mirrored(_))) =>
            {
                *was = Some(Box::new(mirrored));
            }
            Some(_) => {}
        }
        true
    }

    /// It turned out that nothing may be copied of this version.
    pub(crate) fn keep(&mut self, version: KeyVersion, reason: KeptReason) {
        if let Some(state @ VersionState::Pending { .. }) = self.versions.get_mut(version)
            && let Some(key) = state.facts().cloned()
        {
            *state = VersionState::Kept { key, reason };
        }
    }

    /// The replica at this place is gone: it is owed again.
    pub(crate) fn replica_lost(&mut self, version: KeyVersion, at: &KeyVersionId) {
        if let Some(state @ VersionState::Mirrored(_)) = self.versions.get_mut(version)
            && let VersionState::Mirrored(replica) = &*state
            && replica.at == *at
        {
            let key = replica.key.clone();
            *state = VersionState::Pending { key, attempted: true, trouble: Trouble::default() };
            self.replica_is_no_more(version);
        }
    }

    /// Neither side has this version any more, and nobody asked for its destruction.
    pub(crate) fn forget(&mut self, version: KeyVersion) {
        if let Some(VersionState::Pending { .. }) = self.versions.get(version) {
            self.versions.remove(version);
            self.switches.remove(version);
            self.restoring.remove(&version);
        }
    }

    /// A replica that says it is of this version was found, in this state. One too many, or of another key,
    /// changes nothing.
    pub(crate) fn adopt(&mut self, version: KeyVersion, replica: &Replica, state: KeyState) {
        let found = VersionState::Mirrored(replica.clone());
        let gone = self.whole == Whole::Destroyed;
        match self.versions.get_mut(version) {
            None if gone => {
                self.versions.insert(version, VersionState::doomed(Some(found), true));
            }
            None => {
                self.versions.insert(version, found);
                self.found = true;
                self.replica_is_found(version, state);
            }
            Some(state @ VersionState::Destroyed { .. }) => *state = VersionState::doomed(Some(found), true),
            Some(VersionState::Pending { key, .. }) if key.fingerprint != replica.key.fingerprint => {}
            Some(VersionState::Pending { .. } | VersionState::Destroying { .. }) => {
                self.copied(version, replica.clone());
                self.replica_seen(version, &replica.at, state);
            }
            // A look for it had missed it.
            Some(kept @ VersionState::Kept { reason: KeptReason::Disabled, .. })
                if kept.fingerprint() == Some(&replica.key.fingerprint) =>
            {
                *kept = found;
                self.replica_seen(version, &replica.at, state);
            }
            Some(VersionState::Mirrored(_) | VersionState::Kept { .. }) => {}
        }
    }

    /// The secondary was tried in vain.
    pub(crate) fn trouble(&mut self, version: KeyVersion, error: &str) {
        if let Some(VersionState::Pending { trouble, .. } | VersionState::Destroying { trouble, .. }) =
            self.versions.get_mut(version)
        {
            trouble.note(error);
        }
    }
}
