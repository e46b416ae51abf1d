//! Whether a version is in use. It goes beside the life of the version: whatever its state, it may be disabled.

use serde::{Deserialize, Serialize};
use swarmauri_keys::{KeyState, KeyVersion, KeyVersionId};

use super::{KidRecord, Trouble, VersionState};
use crate::mode::KeptReason;

/// What is recorded of a version that is not simply enabled, on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Switch {
    pub(crate) primary: Position,
    /// Whether the replica, if there is one, is known to be in the same position.
    pub(crate) followed: bool,
    /// With telling the replica.
    pub(crate) trouble: Trouble,
}

/// What the primary has said last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Position {
    Enabled,
    Disabled,
    /// It was asked to disable or enable, and has not answered. Taken for disabled.
    Unknown,
}

impl Switch {
    fn at(primary: Position, followed: bool) -> Self {
        Self { primary, followed, trouble: Trouble::default() }
    }
}

impl From<KeyState> for Position {
    fn from(state: KeyState) -> Self {
        match state {
            KeyState::Enabled => Self::Enabled,
            KeyState::Disabled | KeyState::Destroyed => Self::Disabled,
        }
    }
}

impl KidRecord {
    /// Whether this version may do no work, and its public key is not to be trusted.
    pub(crate) fn is_disabled(&self, version: KeyVersion) -> bool {
        self.switches.get(version).is_some_and(|switch| switch.primary != Position::Enabled)
    }

    /// The state in which to show a version whose replica is in this one.
    pub(crate) fn shown_state(&self, version: KeyVersion, replica: KeyState) -> KeyState {
        match self.switches.get(version) {
            // Whoever disabled the replica on the secondary itself had a reason.
            None => replica,
            Some(Switch { primary: Position::Enabled, .. }) => KeyState::Enabled,
            Some(_) => KeyState::Disabled,
        }
    }

    /// The primary is about to be asked to disable or enable a version. Gives what was recorded before.
    pub(crate) fn begin_switch(&mut self, version: KeyVersion) -> Option<Switch> {
        self.switches.insert(version, Switch::at(Position::Unknown, false))
    }

    /// The primary has refused: what was before the question is true again.
    pub(crate) fn switch_refused(&mut self, version: KeyVersion, before: Option<Switch>) {
        let Some(Switch { primary: Position::Unknown, .. }) = self.switches.get(version) else {
            return;
        };
        match before {
            Some(before) => self.switches.insert(version, before),
            None => self.switches.remove(version),
        };
    }

    /// The primary has a version in this state. A copy that waited for it to be enabled is owed then.
    pub(crate) fn switched(&mut self, version: KeyVersion, state: KeyState) {
        if self.is_destroyed(Some(version)) {
            self.switches.remove(version);
            return;
        }
        let (primary, before) = (Position::from(state), self.switches.get(version));
        if primary == Position::Enabled
            && let Some(kept @ VersionState::Kept { reason: KeptReason::Disabled, .. }) =
                self.versions.get_mut(version)
            && let Some(key) = kept.facts().cloned()
        {
            *kept = VersionState::Pending { key, attempted: false, trouble: Trouble::default() };
        }
        let followed = match before {
            Some(before) => before.followed && before.primary == primary,
            // Of what is not recorded, both sides are enabled.
            None => primary == Position::Enabled,
        };
        self.set_switch(version, primary, followed);
    }

    /// The primary, which has lost this disabled version, is about to be handed it, and will have it enabled. The
    /// replica may be enabled for a moment, too, for its secret to be read.
    pub(crate) fn begin_restore(&mut self, version: KeyVersion) {
        self.restoring.insert(version);
        self.switches.insert(version, Switch::at(Position::Disabled, false));
    }

    /// Whether what the primary shows of this version may be left over from a restore that was cut off.
    pub(crate) fn is_restoring(&self, version: KeyVersion) -> bool {
        self.restoring.contains(&version)
    }

    /// The primary has been told what state the version is in.
    pub(crate) fn restored(&mut self, version: KeyVersion) {
        self.restoring.remove(&version);
    }

    /// The replica at this place was seen, or put, in this state.
    pub(crate) fn replica_seen(&mut self, version: KeyVersion, at: &KeyVersionId, state: KeyState) {
        if self.replica_place(version) != Some(at) {
            return;
        }
        let primary = self.switches.get(version).map_or(Position::Enabled, |switch| switch.primary);
        self.set_switch(version, primary, Position::from(state) == primary);
    }

    /// There is a replica now, which nobody has told anything.
    pub(super) fn replica_is_new(&mut self, version: KeyVersion) {
        if let Some(switch) = self.switches.get_mut(version) {
            switch.followed = false;
        }
    }

    /// An earlier process has left a replica in this state. If nothing else is known, its state is what the primary
    /// had then.
    pub(super) fn replica_is_found(&mut self, version: KeyVersion, state: KeyState) {
        let primary = self.switches.get(version).map_or(Position::from(state), |switch| switch.primary);
        self.set_switch(version, primary, Position::from(state) == primary);
    }

    /// There is no replica to tell any more.
    pub(super) fn replica_is_no_more(&mut self, version: KeyVersion) {
        if let Some(switch) = self.switches.get(version) {
            let primary = switch.primary;
            self.set_switch(version, primary, true);
        }
    }

    /// Telling the replica failed.
    pub(crate) fn switch_trouble(&mut self, version: KeyVersion, error: &str) {
        if let Some(switch) = self.switches.get_mut(version) {
            switch.trouble.note(error);
        }
    }

    /// The replica to be told, and what.
    pub(crate) fn to_be_told(&self, version: KeyVersion) -> Option<(&KeyVersionId, Position)> {
        let switch = self.switches.get(version).filter(|switch| !switch.followed)?;
        Some((self.replica_place(version)?, switch.primary))
    }

    fn replica_place(&self, version: KeyVersion) -> Option<&KeyVersionId> {
        match self.versions.get(version)? {
            VersionState::Mirrored(replica) => Some(&replica.at),
            _ => None,
        }
    }

    /// Without a replica there is none that does not follow.
    fn set_switch(&mut self, version: KeyVersion, primary: Position, followed: bool) {
        let followed = followed || self.replica_place(version).is_none();
        if primary == Position::Enabled && followed {
            self.switches.remove(version);
            return;
        }
        match self.switches.get_mut(version) {
            Some(switch) if switch.primary == primary && switch.followed == followed => {}
            _ => {
                self.switches.insert(version, Switch::at(primary, followed));
            }
        }
    }
}
