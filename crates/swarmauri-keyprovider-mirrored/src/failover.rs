//! The read path: the primary first, and on an outage or a loss the replica, checked.
//!
//! What is rarely waited for is boxed, so that the future of a read stays small: it is allocated for each one.

mod check;
mod unread;

use std::sync::Arc;

use swarmauri_keyprovider::Secrets;
use swarmauri_keys::{KeyError, KeyId, KeyRef, KeyState, KeyVersion, KeyVersionId};

pub(crate) use self::check::{check_answer, check_copy};
pub(crate) use self::unread::Unread;
use crate::events;
use crate::hedge::{Hedge, hedged};
use crate::map::{KidRecord, Replica};
use crate::marks;
use crate::mode::Fidelity;
use crate::provider::MirroredKeyProvider;
use crate::settings::OnPrimaryLoss;
use crate::store::update;

/// How often a read that is overtaken by rotations and destroys of its key starts again.
pub(crate) const OVERTAKEN: usize = 3;

impl MirroredKeyProvider {
    pub(crate) async fn read_key(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        secrets: Secrets,
    ) -> Result<KeyRef, KeyError> {
        self.catch_up().await;
        self.check_not_destroyed(kid, version)?;
        match self.hedge_of(kid, version, secrets) {
            None => self.read_from_primary(kid, version, secrets).await,
            Some((hedge, id, replica)) => {
                let primary = self.read_from_primary(kid, version, secrets);
                Box::pin(hedged(hedge, &self.hedges, primary, self.read_hedged(&id, &replica))).await
            }
        }
    }

    async fn read_from_primary(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        secrets: Secrets,
    ) -> Result<KeyRef, KeyError> {
        let answer = self.primary.get_key(kid, version, secrets).await;
        self.judge(kid, version, secrets, answer).await
    }

    /// What a caller gets for the primary's answer.
    pub(crate) async fn judge(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        secrets: Secrets,
        answer: Result<KeyRef, KeyError>,
    ) -> Result<KeyRef, KeyError> {
        match answer {
            // Asked again: a destroy may have ended while the primary was answering from before it.
            Ok(key) if !self.is_destroyed(kid, Some(key.version())) => {
                if key.state() == KeyState::Disabled {
                    Box::pin(self.learn_disabled(key.id())).await;
                }
                Ok(key)
            }
            Ok(_) => Box::pin(self.read_undestroyed(kid, version, secrets)).await,
            Err(error) => self.fail_over_key("get_key", kid, version, secrets, error).await,
        }
    }

    /// Whether a read may be hedged, and with which replica: never one of a secret, and of the latest version only if
    /// that is mirrored.
    pub(crate) fn hedge_of(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        secrets: Secrets,
    ) -> Option<(Hedge, KeyVersionId, Replica)> {
        let hedge = self.settings.hedge?;
        if secrets == Secrets::Include || !self.settings.fail_open_reads || !self.mirrors() {
            return None;
        }
        let record = self.map.get(kid)?.record;
        let (found, replica) = record.servable(version)?;
        let is_latest = || record.intent.is_none() && record.live_versions().last() == Some(found);
        (version.is_some() || is_latest()).then(|| (hedge, kid.at(found), replica.clone()))
    }

    pub(crate) async fn read_hedged(&self, id: &KeyVersionId, replica: &Replica) -> Result<KeyRef, KeyError> {
        let slow = KeyError::unavailable("the primary has not answered yet");
        Ok(self.read_replica(id, replica, Secrets::Omit, &slow).await?)
    }

    pub(crate) async fn read_versions(&self, kid: &KeyId) -> Result<Vec<KeyVersion>, KeyError> {
        self.catch_up().await;
        self.check_not_destroyed(kid, None)?;
        let error = match self.undestroyed_versions(kid).await {
            Ok(versions) if versions.is_empty() => return Err(KeyError::not_found(kid, None)),
            Ok(versions) => return Ok(versions),
            Err(error) => error,
        };
        if !self.may_fail_over(&error, Secrets::Omit) {
            return Err(error);
        }
        events::failing_over(self.primary.breaker(), "list_versions", kid, None, &error);
        if !self.mirrors() {
            let answer = self.undestroyed_of_secondary(kid).await;
            return answered_by_secondary("list_versions", answer, error);
        }
        let Some(record) = self.record_for_failover(kid, None).await else {
            return Err(error);
        };
        let versions: Vec<_> = if error.is_outage() {
            record.live_versions().collect()
        } else {
            record.all_servable().map(|(version, _)| version).collect()
        };
        if versions.is_empty() { Err(error) } else { Ok(versions) }
    }

    /// The versions that the primary has and that are not destroyed.
    async fn undestroyed_versions(&self, kid: &KeyId) -> Result<Vec<KeyVersion>, KeyError> {
        for _ in 0..OVERTAKEN {
            let mut versions = self.primary.list_versions(kid).await?;
            versions.retain(|version| !self.is_destroyed(kid, Some(*version)));
            // All of them gone, and the key not: others have taken their place meanwhile.
            if !versions.is_empty() || self.is_destroyed(kid, None) {
                return Ok(versions);
            }
        }
        Ok(Vec::new())
    }

    /// The latest version that the primary has and that is not destroyed: its own idea of the latest is
    /// from before a destroy, as a follower in a cluster may answer.
    pub(crate) async fn read_undestroyed(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        secrets: Secrets,
    ) -> Result<KeyRef, KeyError> {
        let attempts = if version.is_none() { OVERTAKEN } else { 0 };
        for _ in 0..attempts {
            for live in self.undestroyed_versions(kid).await?.into_iter().rev() {
                match self.primary.get_key(kid, Some(live), secrets).await {
                    Ok(key) if !self.is_destroyed(kid, Some(live)) => return Ok(key),
                    // Destroyed meanwhile: the one before it is the latest.
                    Ok(_) | Err(KeyError::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Err(KeyError::not_found(kid, version))
    }

    pub(crate) async fn fail_over_key(
        &self,
        operation: &str,
        kid: &KeyId,
        version: Option<KeyVersion>,
        secrets: Secrets,
        error: KeyError,
    ) -> Result<KeyRef, KeyError> {
        if !self.may_fail_over(&error, secrets) {
            Box::pin(self.learn_from(&error)).await;
            return Err(error);
        }
        if !self.mirrors() {
            events::failing_over(self.primary.breaker(), operation, kid, version, &error);
            let answer = Box::pin(self.read_same_name(kid, version, secrets)).await;
            let key = answered_by_secondary(operation, answer, error)?;
            if secrets == Secrets::Include {
                key.check_enabled()?;
            }
            return Ok(key);
        }
        let Some(mut record) = self.record_for_failover(kid, version).await else {
            return Err(error);
        };
        loop {
            let Some((found, replica)) = record.servable(version) else {
                let gone = record.is_destroyed(version);
                return Err(if gone { KeyError::not_found(kid, version) } else { error });
            };
            events::failing_over(self.primary.breaker(), operation, kid, Some(found), &error);
            let unread = match self.read_replica(&kid.at(found), replica, secrets, &error).await {
                Ok(key) => return Ok(key),
                Err(unread) => unread,
            };
            match self.other_latest(kid, found) {
                Some(now) if version.is_none() && !unread.silent => record = now,
                _ => return Err(unread.error),
            }
        }
    }

    /// The latest version may have been destroyed during a read of it: the record, if it is another one now.
    fn other_latest(&self, kid: &KeyId, read: KeyVersion) -> Option<Arc<KidRecord>> {
        let now = self.map.get(kid).map(|known| known.record).unwrap_or_default();
        (now.servable(None).map(|(latest, _)| latest) != Some(read)).then_some(now)
    }

    /// What a caller gets when the secondary has answered so for this replica of the version that it asked for.
    pub(crate) async fn fail_over_from(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        (found, replica): (KeyVersion, &Replica),
        answer: Result<KeyRef, KeyError>,
        error: KeyError,
    ) -> Result<KeyRef, KeyError> {
        match self.judge_replica(&kid.at(found), replica, Secrets::Omit, &error, answer).await {
            Err(unread) if version.is_none() && !unread.silent && self.other_latest(kid, found).is_some() => {
                self.fail_over_key("get_key", kid, version, Secrets::Omit, error).await
            }
            shown => Ok(shown?),
        }
    }

    /// Reads a replica, and shows it as the primary would have shown its key.
    pub(crate) async fn read_replica(
        &self,
        id: &KeyVersionId,
        replica: &Replica,
        secrets: Secrets,
        error: &KeyError,
    ) -> Result<KeyRef, Unread> {
        if secrets == Secrets::Include && (replica.fidelity != Fidelity::Full || self.is_disabled(id)) {
            // Whoever may not have the secret hears so from either side.
            let public = Box::pin(self.read_replica(id, replica, Secrets::Omit, error)).await?;
            public.check_secret_export()?;
            public.check_enabled()?;
            return Err(public_replica_only(id, error).into());
        }
        let answer = self.secondary.get_key(&replica.at.kid, Some(replica.at.version), secrets).await;
        self.judge_replica(id, replica, secrets, error, answer).await
    }

    /// What a caller gets for the answer of the secondary.
    async fn judge_replica(
        &self,
        id: &KeyVersionId,
        replica: &Replica,
        secrets: Secrets,
        error: &KeyError,
        answer: Result<KeyRef, KeyError>,
    ) -> Result<KeyRef, Unread> {
        let answer = match answer {
            Ok(answer) => answer,
            Err(second) => return Err(Box::pin(self.replica_unreadable(id, replica, error, second)).await),
        };
        // From here on by the record as it is now.
        let record = self.still_served_by(id, replica, error).await?;
        let now = record.servable(Some(id.version)).map_or(replica, |(_, now)| now);
        if let Some(shown) = now.shown.of(&answer) {
            return Ok(shown.clone());
        }
        check_answer(id, replica, &answer)?;
        let shown = marks::as_primary(&answer, id.clone(), record.shown_state(id.version, answer.state()))?;
        if secrets == Secrets::Include {
            shown.check_enabled()?;
        }
        now.shown.keep(&answer, &shown);
        Ok(shown)
    }

    /// That a replica has the right to answer for a version also now that it has answered: a destroy may have
    /// started meanwhile (promise 4).
    pub(crate) async fn still_served_by(
        &self,
        id: &KeyVersionId,
        replica: &Replica,
        error: &KeyError,
    ) -> Result<Arc<KidRecord>, KeyError> {
        self.catch_up_again().await;
        let record = self.map.get(&id.kid).map(|known| known.record).unwrap_or_default();
        match record.servable(Some(id.version)) {
            Some((_, now)) if std::ptr::eq(now, replica) || now == replica => Ok(record),
            _ if record.is_destroyed(Some(id.version)) => Err(KeyError::not_found(&id.kid, Some(id.version))),
            _ => Err(error.clone()),
        }
    }

    /// What to tell the caller when the secondary fails too.
    pub(crate) async fn replica_unreadable(
        &self,
        id: &KeyVersionId,
        replica: &Replica,
        first: &KeyError,
        second: KeyError,
    ) -> Unread {
        let silent = second.is_outage();
        if matches!(second, KeyError::NotFound { .. }) {
            events::replica_lost(id);
            // If this cannot be written, the next read or reconcile finds it again.
            let _ = update(&*self.map, &id.kid, |record| {
                record.replica_lost(id.version, &replica.at);
            })
            .await;
        } else {
            events::secondary_failed("get_key", &second);
        }
        // The primary's outage must not be hidden by whatever the secondary says. A primary that lost the
        // key is another matter: a replica that is merely out of reach will be back.
        let error = if first.is_outage() || !silent { first.clone() } else { second };
        Unread { error, silent }
    }

    /// Mode `none`: the secondary's key of the same name. Nothing is recorded to check it against but the
    /// name, the tombstones, and what is disabled: of that it gives no secret.
    pub(crate) async fn read_same_name(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        secrets: Secrets,
    ) -> Result<KeyRef, KeyError> {
        let mut key = self.secondary.get_key(kid, version, secrets).await?;
        self.catch_up_again().await;
        if version.is_none() && self.is_going(kid, key.version()) {
            let latest = self.undestroyed_of_secondary(kid).await?.last().copied();
            key = self.secondary.get_key(kid, latest, secrets).await?;
        }
        if key.kid() != kid || version.is_some_and(|version| version != key.version()) {
            return Err(KeyError::integrity(format!(
                "asked for {kid}, the secondary answered with {}",
                key.id()
            )));
        }
        if self.is_going(kid, key.version()) {
            return Err(KeyError::not_found(kid, version));
        }
        if self.is_disabled(key.id()) { Ok(key.with_state(KeyState::Disabled)) } else { Ok(key) }
    }

    /// Mode `none`: the secondary's versions of the same name, tombstones apart; at least one.
    async fn undestroyed_of_secondary(&self, kid: &KeyId) -> Result<Vec<KeyVersion>, KeyError> {
        let mut versions = self.secondary.list_versions(kid).await?;
        self.catch_up_again().await;
        versions.retain(|version| !self.is_going(kid, *version));
        if versions.is_empty() { Err(KeyError::not_found(kid, None)) } else { Ok(versions) }
    }

    /// The record of a key for a read that the primary did not answer; replicas of earlier processes are
    /// looked for by their tags, never by an equal `kid`.
    pub(crate) async fn record_for_failover(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
    ) -> Option<Arc<KidRecord>> {
        self.catch_up_again().await;
        let suffices =
            |record: &KidRecord| record.servable(version).is_some() || record.is_destroyed(version);
        if let Some(known) = self.map.get(kid).filter(|known| suffices(&known.record)) {
            return Some(known.record);
        }
        if let Err(error) = Box::pin(self.ensure_adopted()).await {
            events::secondary_failed("list_keys", &error);
        }
        self.map.get(kid).map(|known| known.record)
    }

    /// Whether a read goes to the secondary: on outages, and public ones also for keys that the primary has
    /// lost. Never on a refusal (promise 6).
    pub(crate) fn may_fail_over(&self, error: &KeyError, secrets: Secrets) -> bool {
        let lost = matches!(error, KeyError::NotFound { .. })
            && secrets == Secrets::Omit
            && self.settings.on_primary_loss == OnPrimaryLoss::ServeReplica;
        self.settings.fail_open_reads && (error.is_outage() || lost)
    }

    /// Whether a read that is about no key goes to the secondary.
    pub(crate) fn fails_over_on(&self, error: &KeyError) -> bool {
        self.settings.fail_open_reads && error.is_outage()
    }

    pub(crate) fn is_destroyed(&self, kid: &KeyId, version: Option<KeyVersion>) -> bool {
        self.map.is_destroyed(kid, version)
    }

    /// Whether a destroy of this version, or of its whole key, has begun: the secondary serves it no more.
    pub(crate) fn is_going(&self, kid: &KeyId, version: KeyVersion) -> bool {
        let known = self.map.get(kid);
        known.is_some_and(|known| known.record.is_marked(None) || known.record.is_marked(Some(version)))
    }

    pub(crate) fn check_not_destroyed(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
    ) -> Result<(), KeyError> {
        if self.is_destroyed(kid, version) { Err(KeyError::not_found(kid, version)) } else { Ok(()) }
    }
}

/// The replica of this version has no secret to answer or work with.
pub(crate) fn public_replica_only(id: &KeyVersionId, error: &KeyError) -> KeyError {
    KeyError::unavailable(format!(
        "the replica of {id} has the public key only, and the primary failed: {error}"
    ))
}

/// The secondary's answer; if it failed too, the primary's error, which it must not hide.
pub(crate) fn answered_by_secondary<T>(
    operation: &str,
    answer: Result<T, KeyError>,
    first: KeyError,
) -> Result<T, KeyError> {
    answer.map_err(|second| {
        events::secondary_failed(operation, &second);
        if matches!(second, KeyError::Integrity { .. }) || (!first.is_outage() && second.is_outage()) {
            second
        } else {
            first
        }
    })
}
