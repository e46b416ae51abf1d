//! The destroy of a version, or of a whole key: what is recorded before the primary is asked, and after.

use swarmauri_keys::KeyVersion;

use super::{KidRecord, Replica, VersionState, Whole};

impl KidRecord {
    /// A destroy starts, of this version or with `None` of the whole key. To be recorded before the
    /// primary is asked.
    pub(crate) fn begin_destroy(&mut self, version: Option<KeyVersion>) {
        if self.whole == Whole::Destroyed {
            return;
        }
        let Some(version) = version else {
            self.whole = match self.whole {
                Whole::Live => Whole::Destroying { asked: 1, sent: false },
                Whole::Destroying { asked, sent } => {
                    Whole::Destroying { asked: asked.saturating_add(1), sent }
                }
                Whole::Destroyed => Whole::Destroyed,
            };
            return;
        };
        match self.versions.get_mut(version) {
            Some(VersionState::Destroying { asked, .. }) => *asked = asked.saturating_add(1),
            Some(VersionState::Destroyed { .. }) => {}
            Some(_) | None => {
                let was = self.versions.remove(version);
                self.versions.insert(version, VersionState::doomed(was, false));
            }
        }
    }

    /// The primary is about to be asked for a destroy, which is marked if it was not. Says whether an earlier one was
    /// sent, and its outcome is not known.
    pub(crate) fn send_destroy(&mut self, version: Option<KeyVersion>) -> bool {
        if !self.is_marked(version) {
            self.begin_destroy(version);
        }
        self.sent_destroy(version).is_some_and(|sent| std::mem::replace(sent, true))
    }

    /// Whether the number of a version of which nothing is recorded has been used all the same: a later one is known.
    pub(crate) fn has_used(&self, version: Option<KeyVersion>) -> bool {
        let latest = self.versions.iter().rev().find(|(_, state)| !state.is_mark());
        version.is_some_and(|version| latest.is_some_and(|(latest, _)| *latest > version))
    }

    fn sent_destroy(&mut self, version: Option<KeyVersion>) -> Option<&mut bool> {
        match version {
            None => match &mut self.whole {
                Whole::Destroying { sent, .. } => Some(sent),
                Whole::Live | Whole::Destroyed => None,
            },
            Some(version) => match self.versions.get_mut(version)? {
                VersionState::Destroying { sent, .. } => Some(sent),
                _ => None,
            },
        }
    }

    /// Whether a destroy of this version, or with `None` of the whole key, is recorded.
    pub(crate) fn is_marked(&self, version: Option<KeyVersion>) -> bool {
        match version {
            None => self.whole != Whole::Live,
            Some(version) => {
                let state = self.versions.get(version);
                self.whole == Whole::Destroyed
                    || matches!(state, Some(VersionState::Destroying { .. } | VersionState::Destroyed { .. }))
            }
        }
    }

    /// The primary refused a destroy: the state goes back, unless `others` may still be about to ask.
    pub(crate) fn destroy_refused(&mut self, version: Option<KeyVersion>, others: bool) {
        let left = |asked: u32| if others { asked.saturating_sub(1) } else { 0 };
        let Some(version) = version else {
            if let Whole::Destroying { asked, .. } = self.whole {
                let asked = left(asked);
                self.whole = if asked == 0 { Whole::Live } else { Whole::Destroying { asked, sent: false } };
            }
            return;
        };
        if let Some(VersionState::Destroying { was, asked, sent, primary_gone: false, .. }) =
            self.versions.get_mut(version)
        {
            (*asked, *sent) = (left(*asked), false);
            if *asked == 0 {
                match was.take() {
                    Some(before) => self.versions.insert(version, *before),
                    None => self.versions.remove(version),
                };
            }
        }
    }

    /// The primary no longer has this version, or with `None` the whole key. Nobody serves it any more.
    pub(crate) fn primary_gone(&mut self, version: Option<KeyVersion>) {
        if let Some(version) = version {
            let before = self.versions.remove(version);
            let after = before.map_or(VersionState::Destroyed { fingerprint: None }, VersionState::gone);
            self.versions.insert(version, after);
            self.switches.remove(version);
            self.restoring.remove(&version);
        } else {
            self.whole = Whole::Destroyed;
            self.intent = None;
            self.switches.clear();
            self.restoring.clear();
            let versions = std::mem::take(&mut self.versions);
            self.versions = versions.into_iter().map(|(version, state)| (version, state.gone())).collect();
        }
    }

    /// The secondary no longer has a replica of this version either.
    pub(crate) fn replica_gone(&mut self, version: KeyVersion) {
        if let Some(state @ VersionState::Destroying { primary_gone: true, .. }) =
            self.versions.get_mut(version)
        {
            *state = VersionState::Destroyed { fingerprint: state.fingerprint().cloned() };
        }
    }

    /// There is a replica at this place of what nobody wants any more, and it could not be destroyed. Of what is destroyed that
    /// is owed; what was merely forgotten is known again, so that a destroy finds it.
    pub(crate) fn unwanted(&mut self, version: KeyVersion, replica: &Replica) {
        let found = VersionState::Mirrored(replica.clone());
        match self.state(version) {
            None if self.whole != Whole::Destroyed => self.versions.insert(version, found),
            None | Some(VersionState::Destroyed { .. }) => {
                self.versions.insert(version, VersionState::doomed(Some(found), true))
            }
            Some(_) => None,
        };
    }
}
