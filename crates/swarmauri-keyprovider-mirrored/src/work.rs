//! Working with keys: by the primary, and on an outage or a loss by the replica.
//!
//! What the public half suffices for goes the way of public reads; what takes the secret goes to full replicas
//! alone, and on outages alone.

use std::sync::Arc;

use swarmauri_keyprovider::Secrets;
use swarmauri_keys::{Acceptance, KeyError, KeyId, KeyVersion, KeyVersionId};

use crate::deadline::within;
use crate::events;
use crate::failover::{OVERTAKEN, Unread, answered_by_secondary, public_replica_only};
use crate::job::{Done, Job};
use crate::map::{KidRecord, Replica, VersionState};
use crate::mode::Fidelity;
use crate::provider::MirroredKeyProvider;

impl MirroredKeyProvider {
    /// Has work done, with the version that is named or the latest; verifying, with any live one.
    pub(crate) async fn work(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        acceptance: Acceptance,
        job: Job<'_>,
    ) -> Result<Done, KeyError> {
        self.catch_up().await;
        self.capabilities.require_operation(job.operation())?;
        let error = match self.work_on_primary(kid, version, acceptance, job).await {
            Err(error) => error,
            done => return done,
        };
        self.learn_from(&error).await;
        let operation = job.operation();
        // Whether the public half suffices depends on the key; where it never does, a loss is not made up for.
        let public = operation.algs().iter().any(|alg| operation.is_public(*alg));
        if !self.may_fail_over(&error, if public { Secrets::Omit } else { Secrets::Include }) {
            return Err(error);
        }
        events::failing_over(self.primary.breaker(), operation.as_str(), kid, version, &error);
        if !self.mirrors() {
            return self.work_on_same_name(kid, version, acceptance, job, error).await;
        }
        let Some(record) = self.record_for_failover(kid, version).await else {
            return Err(error);
        };
        if job.is_verifying() && version.is_none() {
            let limit = self.settings.deadlines.public_read;
            // One replica after the other, and together no longer than one read.
            let verified = self.verify_on_replicas(kid, &record, acceptance, job, error.clone());
            return within(limit, verified).await.unwrap_or(Err(error));
        }
        self.work_on_replica_of(kid, version, record, acceptance, job, error).await
    }

    /// Has the replica of the version that is named do it, or of the latest.
    async fn work_on_replica_of(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        mut record: Arc<KidRecord>,
        acceptance: Acceptance,
        job: Job<'_>,
        error: KeyError,
    ) -> Result<Done, KeyError> {
        loop {
            let Some((found, replica)) = record.servable(version) else {
                return Err(no_replica(kid, version, &record, error));
            };
            let unread = match self.work_on_replica(&kid.at(found), replica, acceptance, job, &error).await {
                Ok(done) => return Ok(done),
                Err(unread) => unread,
            };
            // The latest may have been destroyed meanwhile; then it is another one.
            let now = self.map.get(kid).map(|known| known.record).unwrap_or_default();
            let latest = now.servable(None).map(|(latest, _)| latest);
            if version.is_some() || unread.silent || latest == Some(found) {
                return Err(unread.error);
            }
            record = now;
        }
    }

    /// Has the primary do it. What a version does that is destroyed, tombstones being ahead of the primary, is not
    /// served.
    async fn work_on_primary(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        acceptance: Acceptance,
        job: Job<'_>,
    ) -> Result<Done, KeyError> {
        let primary = self.primary.operations();
        let primary = primary.ok_or_else(|| KeyError::unsupported(job.operation().as_str()))?;
        self.check_not_destroyed(kid, version)?;
        for _ in 0..OVERTAKEN {
            let asked =
                if job.is_verifying() { version } else { self.latest_if_unclear(kid, version).await? };
            let done = match job.ask(primary, kid, asked, acceptance).await {
                // The latest was destroyed meanwhile; then it is another one.
                Err(KeyError::NotFound { .. }) if asked != version => continue,
                done => done?,
            };
            match done.version().or(asked) {
                Some(by) if self.is_destroyed(kid, Some(by)) => {}
                _ if self.is_destroyed(kid, None) => {}
                _ => return Ok(done),
            }
            if job.is_verifying() && version.is_none() {
                return Err(KeyError::NotAuthentic);
            }
            if version.is_some() || self.is_destroyed(kid, None) {
                break;
            }
        }
        Err(KeyError::not_found(kid, version))
    }

    /// Names the latest version where the primary, a follower perhaps, may take a destroyed one for it.
    async fn latest_if_unclear(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
    ) -> Result<Option<KeyVersion>, KeyError> {
        let known = self.map.get(kid);
        let unclear = known.is_some_and(|known| known.record.has_destroyed_versions());
        if version.is_some() || !unclear {
            return Ok(version);
        }
        // Of the primary alone: one that is silent is waited for once.
        let latest = self.primary.get_key(kid, None, Secrets::Omit).await?;
        if !self.is_destroyed(kid, Some(latest.version())) {
            return Ok(Some(latest.version()));
        }
        Ok(Some(self.read_undestroyed(kid, None, Secrets::Omit).await?.version()))
    }

    /// Has a replica do it, in the primary's name: after a look at what is there, and if nothing has happened to the
    /// version meanwhile.
    async fn work_on_replica(
        &self,
        id: &KeyVersionId,
        replica: &Replica,
        acceptance: Acceptance,
        job: Job<'_>,
        error: &KeyError,
    ) -> Result<Done, Unread> {
        let operation = job.operation();
        let public = operation.is_public(replica.key.alg);
        if !public && !error.is_outage() {
            return Err(error.clone().into());
        }
        let shown = self.read_replica(id, replica, Secrets::Omit, error).await?;
        // What the primary would refuse is refused here.
        shown.check_operation(operation, acceptance)?;
        if !public && replica.fidelity != Fidelity::Full {
            return Err(public_replica_only(id, error).into());
        }
        let Some(secondary) = self.secondary.operations() else {
            return Err(error.clone().into());
        };
        let at = &replica.at;
        let done = match job.ask(secondary, &at.kid, Some(at.version), acceptance).await {
            Ok(done) => done.of_primary(at, &shown)?,
            Err(second) if is_about_input(&second) => return Err(second.into()),
            Err(second) => return Err(self.replica_unreadable(id, replica, error, second).await),
        };
        let record = self.still_served_by(id, replica, error).await?;
        shown
            .with_state(record.shown_state(id.version, shown.state()))
            .check_operation(operation, acceptance)?;
        Ok(done)
    }

    /// Holds a signature or MAC against all replicas of a key, that of the latest version first.
    async fn verify_on_replicas(
        &self,
        kid: &KeyId,
        record: &KidRecord,
        acceptance: Acceptance,
        job: Job<'_>,
        error: KeyError,
    ) -> Result<Done, KeyError> {
        let replicas: Vec<_> = record.all_servable().collect();
        if replicas.is_empty() {
            return Err(no_replica(kid, None, record, error));
        }
        let (mut held_against_any, mut refusal) = (false, None);
        for (version, replica) in replicas.into_iter().rev() {
            let done = self.work_on_replica(&kid.at(version), replica, acceptance, job, &error).await;
            match done.map_err(KeyError::from) {
                Ok(done) => return Ok(done),
                Err(KeyError::NotAuthentic) => held_against_any = true,
                // Of versions that do not verify the latest one tells why; but another may have made it, and not be
                // in reach.
                Err(other)
                    if refusal.as_ref().is_none_or(|first: &KeyError| {
                        !is_out_of_reach(first) && is_out_of_reach(&other)
                    }) =>
                {
                    refusal = Some(other);
                }
                Err(_) => {}
            }
        }
        match refusal {
            Some(refusal) if is_out_of_reach(&refusal) || !held_against_any => Err(refusal),
            // A version that is not mirrored may have made it.
            _ if record.live_versions().any(|version| record.servable(Some(version)).is_none()) => Err(error),
            _ => Err(KeyError::NotAuthentic),
        }
    }

    /// Mode `none`: the secondary's key of the same name does it.
    async fn work_on_same_name(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        acceptance: Acceptance,
        job: Job<'_>,
        error: KeyError,
    ) -> Result<Done, KeyError> {
        let operation = job.operation();
        let Some(secondary) = self.secondary.operations() else {
            return Err(error);
        };
        let shown = self.read_same_name(kid, version, Secrets::Omit).await;
        let shown = answered_by_secondary(operation.as_str(), shown, error.clone())?;
        if !operation.is_public(shown.alg()) && !error.is_outage() {
            return Err(error);
        }
        let any = job.is_verifying() && version.is_none();
        if !any {
            shown.check_operation(operation, acceptance)?;
        }
        let asked = if any { None } else { Some(shown.version()) };
        let done = match job.ask(secondary, kid, asked, acceptance).await {
            Ok(done) => done,
            Err(second) if is_about_input(&second) => return Err(second),
            failed => return answered_by_secondary(operation.as_str(), failed, error),
        };
        self.catch_up_again().await;
        let by = done.version().or(asked);
        if by.is_some_and(|version| self.is_going(kid, version)) {
            return Err(error);
        }
        match by.map(|version| kid.at(version)) {
            Some(id) if !acceptance.waives(operation) && self.is_disabled(&id) => {
                Err(KeyError::disabled(&id))
            }
            _ => Ok(done),
        }
    }
}

/// Errors of a replica that say nothing of what the version would have said.
fn is_out_of_reach(error: &KeyError) -> bool {
    error.is_outage() || matches!(error, KeyError::Integrity { .. })
}

/// Errors that say something of the caller's input, and nothing of the side that found it: either side would.
fn is_about_input(error: &KeyError) -> bool {
    matches!(error, KeyError::NotAuthentic | KeyError::InvalidInput { .. } | KeyError::Integrity { .. })
}

/// Why no replica does it, in so many words.
fn no_replica(kid: &KeyId, version: Option<KeyVersion>, record: &KidRecord, error: KeyError) -> KeyError {
    if record.is_destroyed(version) {
        return KeyError::not_found(kid, version);
    }
    if !error.is_outage() {
        return error;
    }
    let latest = || record.live_versions().last();
    let state = version.or_else(latest).and_then(|version| Some((version, record.state(version)?)));
    match state {
        Some((version, VersionState::Kept { reason, .. })) => KeyError::unavailable(format!(
            "{} is kept from the secondary ({reason}), and the primary failed: {error}",
            kid.at(version)
        )),
        Some((version, VersionState::Pending { .. })) => KeyError::unavailable(format!(
            "{} is not copied to the secondary yet, and the primary failed: {error}",
            kid.at(version)
        )),
        _ => error,
    }
}
