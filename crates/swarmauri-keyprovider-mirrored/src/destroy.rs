//! The destroy path: recorded before the primary is asked, and never taken back by an outage.

use swarmauri_keyprovider::Secrets;
use swarmauri_keys::{KeyError, KeyId, KeyVersion, KeyVersionId};

use crate::events;
use crate::locks::KidGuard;
use crate::map::{KidRecord, VersionState, Whole};
use crate::provider::MirroredKeyProvider;
use crate::store::{Versioned, Written, update, update_or_affirm};

/// How a destroy was sent to the primary.
#[derive(Debug)]
struct Sent {
    /// Whether the map knew what it is of.
    was_known: bool,
    /// Whether an earlier one was sent, and its outcome is not known.
    earlier: bool,
    /// Whether nobody but this process can have sent one that is still under way.
    alone: bool,
    /// The record as it was then, where others may write to it, too.
    record: Option<Versioned>,
}

impl MirroredKeyProvider {
    pub(crate) async fn destroy(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<bool, KeyError> {
        self.catch_up().await;
        // Before anything else, the wait for other writes included: from here on the secondary answers no
        // read of it (promise 4).
        let begin = |record: &mut KidRecord| record.begin_destroy(version);
        let ((), written) = update_or_affirm(&*self.map, kid, begin, |()| false).await?;
        self.doubts.changed(&(kid.clone(), version), written);
        let right = self.lock(kid).await?;
        let destroyed = self.settle_destroy(&right, kid, version).await?;
        self.destroy_replicas(kid).await;
        Ok(destroyed)
    }

    /// Carries a recorded destroy out, but for the replicas.
    pub(crate) async fn settle_destroy(
        &self,
        right: &KidGuard<'_>,
        kid: &KeyId,
        version: Option<KeyVersion>,
    ) -> Result<bool, KeyError> {
        // Whoever dies from here on leaves behind that the primary may have been asked. What was left behind is sent again only
        // if it still is to be.
        let send = |record: &mut KidRecord| {
            (knows(record, version), record.send_destroy(version), record.has_used(version))
        };
        let ((was_known, earlier, is_used), written) =
            update_or_affirm(&*self.map, kid, send, |(_, earlier, _)| *earlier).await?;
        let how = self.sent(kid, version, was_known, earlier, written);
        let mut destroyed = self.destroy_on_primary(right, kid, version, &how).await?;
        // What another one may have destroyed. Of mode none nothing else is recorded than that somebody has asked.
        let others = earlier || !self.is_alone(kid, &how);
        let was_known = was_known || (others && (is_used || !self.mirrors()));
        if !destroyed && !was_known {
            match self.adopts(kid, version).await {
                // A replica was found, or another process has made it meanwhile: then the primary has it now.
                Ok(true) => {
                    let how = Sent { was_known: true, earlier: false, ..how };
                    destroyed = self.destroy_on_primary(right, kid, version, &how).await?;
                }
                // There was nothing of that name anywhere: nothing to remember either, and nothing to be shown from before.
                Ok(false) => {
                    self.last_good.forget(kid, version);
                    self.take_back(right, kid, version).await?;
                    return Ok(false);
                }
                // That the primary has nothing stays: a refusal that comes later is not to undo it.
                Err(error) => return Err(error),
            }
        }
        let incomplete = !self.is_adopted();
        update(&*self.map, kid, |record| {
            record.unsought |= incomplete && !knows_all(record, version);
            record.primary_gone(version);
        })
        .await?;
        self.doubts.end(&(kid.clone(), version));
        Ok(destroyed)
    }

    /// Asks the primary. On `Ok` it no longer has the version, or with `None` the key, and the answer says
    /// whether it had. On a refusal the state has gone back; after an outage it stays `Destroying`.
    ///
    /// An earlier destroy of unknown outcome may have been carried out. Then a refusal says nothing unless the primary
    /// shows the key, and a contradiction nothing at all: a follower may be answering from the past. Of what `was_known`,
    /// that there is nothing must be borne out by a read; if that is refused, the outcome is unknown.
    async fn destroy_on_primary(
        &self,
        right: &KidGuard<'_>,
        kid: &KeyId,
        version: Option<KeyVersion>,
        how: &Sent,
    ) -> Result<bool, KeyError> {
        let error = match self.primary.destroy_key(kid, version).await {
            Ok(true) => return Ok(true),
            // "Nothing of that name" destroys replicas only if it is true.
            Ok(false) => match self.primary.get_key(kid, version, Secrets::Omit).await {
                Err(KeyError::NotFound { .. }) => return Ok(false),
                Err(error) if error.is_outage() => error,
                // It does not say. Somebody else may have sent the same destroy meanwhile.
                Err(error) if !matches!(error, KeyError::Disabled { .. }) => {
                    if how.earlier || how.was_known {
                        events::outcome_unknown("destroy", Some(kid), &error);
                    } else {
                        self.take_back(right, kid, version).await?;
                    }
                    return Err(error);
                }
                Ok(_) | Err(_) => {
                    let error = KeyError::integrity(format!(
                        "the primary said that it had nothing to destroy of {kid}, and still has it"
                    ));
                    if !how.earlier && self.is_alone(kid, how) {
                        self.take_back(right, kid, version).await?;
                    }
                    return Err(error);
                }
            },
            Err(error) => error,
        };
        let lives = async || self.primary.get_key(kid, version, Secrets::Omit).await.is_ok();
        if error.is_outage() {
            events::outcome_unknown("destroy", Some(kid), &error);
        } else if (!how.earlier || lives().await) && self.is_alone(kid, how) {
            self.take_back(right, kid, version).await?;
        }
        Err(error)
    }

    /// Notes that a destroy is about to be sent.
    fn sent(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        was_known: bool,
        earlier: bool,
        written: Written,
    ) -> Sent {
        if !self.map.is_shared() {
            return Sent { was_known, earlier, alone: true, record: None };
        }
        let limit = self.settings.deadlines.write.saturating_add(self.settings.deadlines.state);
        let record = self.map.get(kid).filter(|known| Some(known.revision) == written.to);
        let alone = self.doubts.sent((kid.clone(), version), earlier, written, limit) && record.is_some();
        Sent { was_known, earlier, alone, record }
    }

    /// Whether no other process can have the same destroy under way.
    fn is_alone(&self, kid: &KeyId, how: &Sent) -> bool {
        // Whoever sends a destroy once more writes the record as it was.
        let sent_since = how.record.as_ref().is_some_and(|before| {
            let now = self.map.get(kid);
            now.is_some_and(|now| now.revision != before.revision && now.record == before.record)
        });
        how.alone && !sent_since
    }

    /// The primary has decided: there is no destroy. That settles those of unknown outcome, too; those who
    /// wait for the lock have still to ask.
    async fn take_back(
        &self,
        right: &KidGuard<'_>,
        kid: &KeyId,
        version: Option<KeyVersion>,
    ) -> Result<(), KeyError> {
        self.doubts.end(&(kid.clone(), version));
        let others = right.is_contended();
        update(&*self.map, kid, |record| record.destroy_refused(version, others)).await
    }

    /// Destroys the replicas of what the primary no longer has. What fails is owed (promise 8). To be
    /// called under the lock of the `kid`.
    pub(crate) async fn destroy_replicas(&self, kid: &KeyId) -> Option<KeyError> {
        let mut failure = self.seek_replicas(kid).await.err();
        if failure.as_ref().is_some_and(KeyError::is_outage) {
            return failure;
        }
        for version in self.map.get(kid).map(|known| known.record.doomed()).unwrap_or_default() {
            let id = kid.at(version);
            let outcome = match self.destroy_replica(&id).await {
                Ok(()) => update(&*self.map, kid, |record| record.replica_gone(version)).await,
                Err(error) => Err(error),
            };
            if let Err(error) = outcome {
                events::replica_destroy_failed(&id, &error);
                let said = error.to_string();
                let noted = update(&*self.map, kid, |record| record.trouble(version, &said)).await;
                // The others would wait as long.
                let out = error.is_outage() || noted.is_err();
                failure = noted.err().or(Some(error));
                if out {
                    break;
                }
            }
        }
        failure
    }

    async fn destroy_replica(&self, id: &KeyVersionId) -> Result<(), KeyError> {
        let Some(known) = self.map.get(&id.kid) else {
            return Ok(());
        };
        let state = known.record.state(id.version);
        let at = match state.and_then(VersionState::replica) {
            Some(replica) => Some(replica.at.clone()),
            None if state.is_some_and(VersionState::may_have_stray_replica) => {
                self.find_replica(id).await?.map(|found| found.replica.at)
            }
            None => None,
        };
        if let Some(at) = at {
            // `false` says that it is gone already.
            self.secondary.destroy_key(&at.kid, Some(at.version)).await?;
        }
        Ok(())
    }

    /// Whether the secondary has replicas of this from an earlier process.
    ///
    /// # Errors
    ///
    /// Those of a secondary that cannot be asked.
    async fn adopts(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<bool, KeyError> {
        if !self.mirrors() {
            return Ok(false);
        }
        self.ensure_adopted().await?;
        Ok(self.map.get(kid).is_some_and(|known| knows(&known.record, version)))
    }

    /// Looks for the replicas of earlier processes, if that is owed.
    async fn seek_replicas(&self, kid: &KeyId) -> Result<(), KeyError> {
        if self.map.get(kid).is_some_and(|known| known.record.unsought) {
            self.ensure_adopted().await?;
            update(&*self.map, kid, |record| record.unsought = false).await?;
        }
        Ok(())
    }
}

/// Whether there is anything of this name, the marks of other destroys apart.
fn knows(record: &KidRecord, version: Option<KeyVersion>) -> bool {
    match version {
        Some(version) => record.state(version).is_some_and(|state| !state.is_mark()),
        None => {
            record.whole == Whole::Destroyed
                || record.intent.is_some()
                || record.versions.values().any(|state| !state.is_mark())
        }
    }
}

/// Whether the map knows this version and where it was copied to, or with `None` every version that the key can have had.
fn knows_all(record: &KidRecord, version: Option<KeyVersion>) -> bool {
    // What was found or taken in does not tell what else earlier processes have copied, nor under which names.
    if record.found {
        return false;
    }
    if version.is_some() {
        return knows(record, version);
    }
    let is_sure = |state: &VersionState| !state.is_mark() && !state.may_have_stray_replica();
    let known = record.versions.iter().filter(|(_, state)| is_sure(state));
    let count = record.versions.len();
    count > 0 && known.map(|(version, _)| version.get()).eq((1..).take(count))
}
