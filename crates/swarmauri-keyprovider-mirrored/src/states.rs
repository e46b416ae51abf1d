//! Disabling and enabling: the primary decides, the map remembers, the replica follows.

use swarmauri_keyprovider::{Feature, Secrets};
use swarmauri_keys::{KeyError, KeyId, KeyState, KeyVersion, KeyVersionId};

use crate::events;
use crate::map::{KidRecord, Position};
use crate::provider::MirroredKeyProvider;
use crate::store::update;

impl MirroredKeyProvider {
    /// Disables or enables a version.
    ///
    /// From before the primary is asked until it has answered, the version counts as disabled; if the answer is lost,
    /// until reconcile has asked again.
    pub(crate) async fn set_state(
        &self,
        kid: &KeyId,
        version: KeyVersion,
        state: KeyState,
    ) -> Result<(), KeyError> {
        self.catch_up().await;
        let _right = self.lock(kid).await?;
        self.check_not_destroyed(kid, Some(version))?;
        let before = update(&*self.map, kid, |record| record.begin_switch(version)).await?;
        let (operation, answer) = if state == KeyState::Enabled {
            ("enable", self.primary.enable_key(kid, version).await)
        } else {
            ("disable", self.primary.disable_key(kid, version).await)
        };
        if let Err(error) = answer {
            if error.is_outage() {
                events::outcome_unknown(operation, Some(kid), &error);
            } else {
                update(&*self.map, kid, |record| record.switch_refused(version, before.clone())).await?;
            }
            return Err(error);
        }
        self.switched(&kid.at(version), state).await
    }

    /// Records the state that the primary has given or shown, and lets the replica follow. That the replica does not
    /// is owed (promise 8). To be called under the lock of the `kid`.
    pub(crate) async fn switched(&self, id: &KeyVersionId, state: KeyState) -> Result<(), KeyError> {
        update(&*self.map, &id.kid, |record| {
            record.restored(id.version);
            record.switched(id.version, state);
        })
        .await?;
        self.follow(id).await;
        // A copy may have waited for this.
        self.copy(id, None).await;
        Ok(())
    }

    /// Tells the replica of a version what the primary said, if that is still to be done.
    pub(crate) async fn follow(&self, id: &KeyVersionId) -> Option<KeyError> {
        let record = self.map.get(&id.kid)?.record;
        let (at, position) = self.to_be_told(&record, id.version)?;
        let (state, told) = match position {
            Position::Unknown => return None,
            Position::Enabled => (KeyState::Enabled, self.secondary.enable_key(&at.kid, at.version).await),
            Position::Disabled => (KeyState::Disabled, self.secondary.disable_key(&at.kid, at.version).await),
        };
        let noted = match &told {
            Ok(()) => update(&*self.map, &id.kid, |record| record.replica_seen(id.version, at, state)).await,
            Err(KeyError::NotFound { .. }) => {
                events::replica_lost(id);
                update(&*self.map, &id.kid, |record| record.replica_lost(id.version, at)).await
            }
            Err(error) => {
                events::replica_state_failed(id, error);
                let said = error.to_string();
                update(&*self.map, &id.kid, |record| record.switch_trouble(id.version, &said)).await
            }
        };
        noted.err().or(told.err())
    }

    /// The replica to be told, and what: none where the secondary cannot be told. The map has the say then.
    pub(crate) fn to_be_told<'a>(
        &self,
        record: &'a KidRecord,
        version: KeyVersion,
    ) -> Option<(&'a KeyVersionId, Position)> {
        record.to_be_told(version).filter(|_| self.secondary_can.has(Feature::Disable))
    }

    /// Finds out what state a version is in, when that is not known, or not what was seen on either side.
    pub(crate) async fn settle_state(&self, id: &KeyVersionId) -> Result<(), KeyError> {
        let _right = self.lock(&id.kid).await?;
        let record = self.map.get(&id.kid).map(|known| known.record).unwrap_or_default();
        if record.is_destroyed(Some(id.version)) {
            // Another process may have begun to ask after this one's destroy was recorded, and have died.
            return update(&*self.map, &id.kid, |record| record.switched(id.version, KeyState::Disabled))
                .await;
        }
        if record.is_restoring(id.version) && self.settle_restore(id).await? {
            return self.follow(id).await.map_or(Ok(()), Err);
        }
        let state = match self.primary.get_key(&id.kid, Some(id.version), Secrets::Omit).await {
            Ok(key) => key.state(),
            // Lost. If somebody has asked for it to be disabled, so it stays; if it ever was there.
            Err(KeyError::NotFound { .. }) => {
                let was_there = !self.mirrors() || record.state(id.version).is_some();
                let disabled = was_there && record.is_disabled(id.version);
                if disabled { KeyState::Disabled } else { KeyState::Enabled }
            }
            Err(error) => return Err(error),
        };
        update(&*self.map, &id.kid, |now| {
            // Another process that has disabled or enabled it since the primary was asked knows better.
            if now.switches.get(id.version) == record.switches.get(id.version) {
                now.switched(id.version, state);
            }
        })
        .await?;
        self.look_at_replica(id).await?;
        self.follow(id).await.map_or(Ok(()), Err)
    }

    /// Records the state that the replica is in.
    async fn look_at_replica(&self, id: &KeyVersionId) -> Result<(), KeyError> {
        let record = self.map.get(&id.kid).map(|known| known.record).unwrap_or_default();
        let Some((_, replica)) = record.servable(Some(id.version)) else {
            return Ok(());
        };
        match self.secondary.get_key(&replica.at.kid, Some(replica.at.version), Secrets::Omit).await {
            Ok(answer) => {
                let state = answer.state();
                update(&*self.map, &id.kid, |record| record.replica_seen(id.version, &replica.at, state))
                    .await
            }
            // Whoever reads it, or the next reconcile, will find that out, too.
            Err(KeyError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The primary shows or says that a version is disabled: somebody has disabled it behind the mirror's back. From
    /// now on the secondary does no work with it either. False if the primary was asked again, and has fallen silent.
    pub(crate) async fn learn_disabled(&self, id: &KeyVersionId) -> bool {
        if self.is_disabled(id) {
            return true;
        }
        // Whoever is writing to it now knows better.
        let Some(_right) = self.locks.try_lock(&id.kid) else {
            return true;
        };
        // The answer may be from before it was enabled again.
        match self.primary.get_key(&id.kid, Some(id.version), Secrets::Omit).await {
            Ok(key) if key.state() == KeyState::Disabled => {
                let learnt =
                    update(&*self.map, &id.kid, |record| record.switched(id.version, KeyState::Disabled));
                // If it cannot be written, the next read finds it again.
                let _ = learnt.await;
                true
            }
            answer => !answer.is_err_and(|error| error.is_outage()),
        }
    }

    /// The same, from an error.
    pub(crate) async fn learn_from(&self, error: &KeyError) {
        if let KeyError::Disabled { kid, version: Some(version) } = error {
            self.learn_disabled(&kid.at(*version)).await;
        }
    }

    pub(crate) fn is_disabled(&self, id: &KeyVersionId) -> bool {
        self.map.get(&id.kid).is_some_and(|known| known.record.is_disabled(id.version))
    }
}
