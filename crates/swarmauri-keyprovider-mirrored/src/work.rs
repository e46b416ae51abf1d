//! Work with keys: by the primary, and on an outage or a loss by the replica.
//!
//! What the public half suffices for goes the way of public reads; what takes the secret goes to full replicas
//! alone, and on outages alone.

use swarmauri_keyprovider::{KeyOperations, Secrets};
use swarmauri_keys::{
    Acceptance, Ciphertext, KeyError, KeyId, KeyOperation, KeyRef, KeyVersion, KeyVersionId, PublicKey,
    SecretBytes, Signature, VerifyWith,
};

use crate::events;
use crate::failover::{OVERTAKEN, answered_by_secondary, public_replica_only};
use crate::map::{KidRecord, Replica, VersionState};
use crate::mode::Fidelity;
use crate::provider::MirroredKeyProvider;

/// What is to be done, whoever does it.
#[derive(Clone, Copy)]
pub(crate) enum Work<'a> {
    Sign { message: &'a [u8] },
    Verify { message: &'a [u8], signature: &'a [u8] },
    Mac { message: &'a [u8] },
    VerifyMac { message: &'a [u8], mac: &'a [u8] },
    Encrypt { plaintext: &'a [u8], aad: &'a [u8] },
    Decrypt { sealed: &'a Ciphertext, aad: &'a [u8] },
    Agree { peer: &'a PublicKey },
    WrapKey { key: &'a SecretBytes },
    UnwrapKey { wrapped: &'a Ciphertext },
}

/// What comes of it.
#[derive(Debug)]
pub(crate) enum Done {
    Signature(Signature),
    Ciphertext(Ciphertext),
    Secret(SecretBytes),
    Verified(KeyVersion),
}

impl Work<'_> {
    pub(crate) fn operation(&self) -> KeyOperation {
        match self {
            Self::Sign { .. } => KeyOperation::Sign,
            Self::Verify { .. } => KeyOperation::Verify,
            Self::Mac { .. } => KeyOperation::Mac,
            Self::VerifyMac { .. } => KeyOperation::VerifyMac,
            Self::Encrypt { .. } => KeyOperation::Encrypt,
            Self::Decrypt { .. } => KeyOperation::Decrypt,
            Self::Agree { .. } => KeyOperation::Agree,
            Self::WrapKey { .. } => KeyOperation::WrapKey,
            Self::UnwrapKey { .. } => KeyOperation::UnwrapKey,
        }
    }

    /// Whether it is held against all live versions, rather than done with the latest, where none is named.
    fn is_verifying(&self) -> bool {
        matches!(self, Self::Verify { .. } | Self::VerifyMac { .. })
    }

    /// Has it done with a key of one side, under that side's name for it.
    async fn ask(
        &self,
        side: &dyn KeyOperations,
        kid: &KeyId,
        version: Option<KeyVersion>,
        acceptance: Acceptance,
    ) -> Result<Done, KeyError> {
        let with = version.map_or(VerifyWith::AnyLive, VerifyWith::Version);
        match *self {
            Self::Sign { message } => side.sign(kid, version, message).await.map(Done::Signature),
            Self::Verify { message, signature } => {
                side.verify(kid, with, message, signature, acceptance).await.map(Done::Verified)
            }
            Self::Mac { message } => side.mac(kid, version, message).await.map(Done::Signature),
            Self::VerifyMac { message, mac } => {
                side.verify_mac(kid, with, message, mac, acceptance).await.map(Done::Verified)
            }
            Self::Encrypt { plaintext, aad } => {
                side.encrypt(kid, version, plaintext, aad).await.map(Done::Ciphertext)
            }
            Self::WrapKey { key } => side.wrap_key(kid, version, key).await.map(Done::Ciphertext),
            Self::Agree { peer } => side.agree(kid, version, peer, acceptance).await.map(Done::Secret),
            Self::Decrypt { sealed, aad } => match renamed(sealed, kid, version) {
                None => side.decrypt(sealed, aad, acceptance).await.map(Done::Secret),
                Some(renamed) => side.decrypt(&renamed, aad, acceptance).await.map(Done::Secret),
            },
            Self::UnwrapKey { wrapped } => match renamed(wrapped, kid, version) {
                None => side.unwrap_key(wrapped, acceptance).await.map(Done::Secret),
                Some(renamed) => side.unwrap_key(&renamed, acceptance).await.map(Done::Secret),
            },
        }
    }
}

/// A ciphertext under another side's name for its key; `None` if it bears that one.
fn renamed(sealed: &Ciphertext, kid: &KeyId, version: Option<KeyVersion>) -> Option<Ciphertext> {
    let version = version.unwrap_or(sealed.version);
    let same = sealed.kid == *kid && sealed.version == version;
    (!same).then(|| Ciphertext { kid: kid.clone(), version, ..sealed.clone() })
}

impl Done {
    /// The version that did it, where that shows.
    fn version(&self) -> Option<KeyVersion> {
        match self {
            Self::Signature(signature) => Some(signature.version),
            Self::Ciphertext(ciphertext) => Some(ciphertext.version),
            Self::Verified(version) => Some(*version),
            Self::Secret(_) => None,
        }
    }

    /// What a replica did, under the primary's name; an error if it was not the replica that was asked.
    fn of_primary(self, at: &KeyVersionId, shown: &KeyRef) -> Result<Self, KeyError> {
        let alg = shown.alg();
        let right = match &self {
            Self::Signature(done) => done.id() == *at && done.alg == alg,
            Self::Ciphertext(done) => done.id() == *at && done.alg == alg,
            Self::Verified(version) => *version == at.version,
            Self::Secret(_) => true,
        };
        if !right {
            let error = KeyError::integrity(format!(
                "the secondary was asked to work with the replica of {}, and worked with another key",
                shown.id()
            ));
            events::wrong_key(shown.id(), &error);
            return Err(error);
        }
        let KeyVersionId { kid, version } = shown.id().clone();
        Ok(match self {
            Self::Signature(done) => Self::Signature(Signature { kid, version, ..done }),
            Self::Ciphertext(done) => Self::Ciphertext(Ciphertext { kid, version, ..done }),
            Self::Verified(_) => Self::Verified(version),
            secret @ Self::Secret(_) => secret,
        })
    }
}

impl MirroredKeyProvider {
    /// Has work done, with the version that is named or the latest; verifying, with any live one.
    pub(crate) async fn work(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        acceptance: Acceptance,
        work: Work<'_>,
    ) -> Result<Done, KeyError> {
        self.capabilities.require_operation(work.operation())?;
        let error = match self.work_on_primary(kid, version, acceptance, work).await {
            Err(error) => error,
            done => return done,
        };
        self.learn_from(&error).await;
        // A loss is made up for by replicas if it is a public read that meets it.
        let public = work.operation() == KeyOperation::Verify
            || matches!(work, Work::Encrypt { .. } | Work::WrapKey { .. });
        if !self.may_fail_over(&error, if public { Secrets::Omit } else { Secrets::Include }) {
            return Err(error);
        }
        events::failing_over(work.operation().as_str(), kid, version, &error);
        if !self.mirrors() {
            return self.work_on_same_name(kid, version, acceptance, work, error).await;
        }
        let Some(record) = self.record_for_failover(kid, version).await else {
            return Err(error);
        };
        if work.is_verifying() && version.is_none() {
            return self.verify_on_replicas(kid, &record, acceptance, work, error).await;
        }
        let Some((found, replica)) = record.servable(version) else {
            return Err(no_replica(kid, version, &record, error));
        };
        self.work_on_replica(&kid.at(found), replica, acceptance, work, error).await
    }

    /// Has the primary do it. What a version does that is destroyed, tombstones being ahead of the primary, is not
    /// served.
    async fn work_on_primary(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        acceptance: Acceptance,
        work: Work<'_>,
    ) -> Result<Done, KeyError> {
        let primary = self.primary.operations();
        let primary = primary.ok_or_else(|| KeyError::unsupported(work.operation().as_str()))?;
        self.check_not_destroyed(kid, version)?;
        for _ in 0..OVERTAKEN {
            let asked =
                if work.is_verifying() { version } else { self.latest_if_unclear(kid, version).await? };
            let done = work.ask(primary, kid, asked, acceptance).await?;
            match done.version().or(asked) {
                Some(by) if self.is_destroyed(kid, Some(by)) => {}
                _ if self.is_destroyed(kid, None) => {}
                _ => return Ok(done),
            }
            if work.is_verifying() && version.is_none() {
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
        Ok(Some(self.read_key(kid, None, Secrets::Omit).await?.version()))
    }

    /// Has a replica do it, in the primary's name: after a look at what is there, and if nothing has happened to the
    /// version meanwhile.
    async fn work_on_replica(
        &self,
        id: &KeyVersionId,
        replica: &Replica,
        acceptance: Acceptance,
        work: Work<'_>,
        error: KeyError,
    ) -> Result<Done, KeyError> {
        let operation = work.operation();
        let public = operation.is_public(replica.key.alg);
        if !public && !error.is_outage() {
            return Err(error);
        }
        let shown = self.read_replica(id, replica, Secrets::Omit, error.clone()).await?;
        // What the primary would refuse is refused here.
        shown.check_operation(operation, acceptance)?;
        if !public && replica.fidelity != Fidelity::Full {
            return Err(public_replica_only(id, &error));
        }
        let Some(secondary) = self.secondary.operations() else {
            return Err(error);
        };
        let at = &replica.at;
        let done = match work.ask(secondary, &at.kid, Some(at.version), acceptance).await {
            Ok(done) => done.of_primary(at, &shown)?,
            Err(second) if is_about_input(&second) => return Err(second),
            Err(second) => return Err(self.replica_unreadable(id, replica, error, second).await),
        };
        let record = self.still_served_by(id, replica, error)?;
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
        work: Work<'_>,
        error: KeyError,
    ) -> Result<Done, KeyError> {
        let replicas: Vec<_> = record.all_servable().collect();
        if replicas.is_empty() {
            return Err(no_replica(kid, None, record, error));
        }
        let (mut held_against_any, mut refusal) = (false, None);
        for (version, replica) in replicas.into_iter().rev() {
            match self.work_on_replica(&kid.at(version), replica, acceptance, work, error.clone()).await {
                Ok(done) => return Ok(done),
                Err(KeyError::NotAuthentic) => held_against_any = true,
                // Of versions that do not verify the latest one tells why; but another may have made it, and not be
                // in reach.
                Err(other)
                    if refusal
                        .as_ref()
                        .is_none_or(|first: &KeyError| !first.is_outage() && other.is_outage()) =>
                {
                    refusal = Some(other);
                }
                Err(_) => {}
            }
        }
        match refusal {
            Some(refusal) if refusal.is_outage() || !held_against_any => Err(refusal),
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
        work: Work<'_>,
        error: KeyError,
    ) -> Result<Done, KeyError> {
        let operation = work.operation();
        let Some(secondary) = self.secondary.operations() else {
            return Err(error);
        };
        let shown = self.read_same_name(kid, version, Secrets::Omit).await;
        let shown = answered_by_secondary(operation.as_str(), shown, error.clone())?;
        if !operation.is_public(shown.alg()) && !error.is_outage() {
            return Err(error);
        }
        let any = work.is_verifying() && version.is_none();
        if !any {
            shown.check_operation(operation, acceptance)?;
        }
        let asked = if any { None } else { Some(shown.version()) };
        let done = match work.ask(secondary, kid, asked, acceptance).await {
            Ok(done) => done,
            Err(second) if is_about_input(&second) => return Err(second),
            failed => return answered_by_secondary(operation.as_str(), failed, error),
        };
        let by = done.version().or(asked);
        self.check_not_destroyed(kid, by)?;
        let waived = acceptance == Acceptance::AllowDisabled && !operation.makes();
        match by.map(|version| kid.at(version)) {
            Some(id) if !waived && self.is_disabled(&id) => Err(KeyError::disabled(&id)),
            _ => Ok(done),
        }
    }
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
