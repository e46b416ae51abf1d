//! Copying one version to the secondary.

use swarmauri_keyprovider::{Feature, Secrets};
use swarmauri_keys::{KeyError, KeyErrorKind, KeyId, KeyMaterial, KeyRef, KeySpec, KeyVersionId};

use crate::adopt::Found;
use crate::events;
use crate::failover::check_copy;
use crate::map::{Facts, Replica, VersionState, Whole};
use crate::marks;
use crate::mode::{self, CopyPlan, Fidelity, KeptReason, MirrorMode};
use crate::provider::MirroredKeyProvider;
use crate::store::update;

/// A key that the primary has just accepted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Made<'a> {
    pub(crate) key: &'a KeyRef,
    pub(crate) recorded: &'a Recorded,
    /// Whether a public key alone was imported.
    pub(crate) public_alone: bool,
}

/// What has been recorded of it.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) facts: Facts,
    /// Whether the record says already that the secondary is about to be handed a copy, the first there can be.
    pub(crate) copying: bool,
}

/// A version that is owed to the secondary.
struct Owed {
    facts: Facts,
    /// Whether the secondary may have it, all the same.
    attempted: bool,
}

/// What there is to hand to the secondary.
enum Copyable {
    Material(Fidelity, KeyMaterial),
    Nothing(KeptReason),
}

impl MirroredKeyProvider {
    /// Copies a pending version, if it still is one. To be called under the lock of its `kid`.
    ///
    /// The copy is put into the state that the version has. A failure is recorded and told as an event; it does not
    /// fail the write that led here (promise 8).
    pub(crate) async fn copy(&self, id: &KeyVersionId, made: Option<Made<'_>>) -> Option<KeyError> {
        let owed = self.owed_copy(id)?;
        let Err(error) = self.try_copy(id, owed, made).await else {
            return self.follow(id).await;
        };
        events::copy_failed(id, &error);
        let said = error.to_string();
        let noted = update(&*self.map, &id.kid, |record| record.trouble(id.version, &said)).await;
        noted.err().or(Some(error))
    }

    async fn try_copy(&self, id: &KeyVersionId, owed: Owed, made: Option<Made<'_>>) -> Result<(), KeyError> {
        let (key, facts) = if let Some(made) = made {
            (made.key.clone(), made.recorded.facts.clone())
        } else {
            let key = self.primary.get_key(&id.kid, Some(id.version), Secrets::Omit).await?;
            let facts = Facts::of(&key);
            (key, facts)
        };
        if facts != owed.facts {
            return Err(KeyError::integrity(format!(
                "{id} on the primary is not the key that was recorded under this name"
            )));
        }
        let copying = made.is_some_and(|made| made.recorded.copying);
        // First: a retry that finds its copy in place reads no secret.
        let earlier = if owed.attempted && !copying { self.replica_of(id, &facts).await? } else { None };
        let replica = match earlier {
            Some(replica) => replica,
            None => match self.copyable(&key).await? {
                Copyable::Nothing(reason) => {
                    return update(&*self.map, &id.kid, |record| record.keep(id.version, reason)).await;
                }
                Copyable::Material(fidelity, material) => {
                    if !copying
                        && !update(&*self.map, &id.kid, |record| record.begin_copy(id.version)).await?
                    {
                        return Ok(());
                    }
                    // In mode full the primary has said so when it was asked for the secret.
                    let said = self.settings.mode == MirrorMode::Full && fidelity == Fidelity::PublicOnly;
                    let public_alone = said || made.is_some_and(|made| made.public_alone);
                    let spec = marks::replica_spec(&key, &facts.fingerprint, fidelity, public_alone)?;
                    self.hand_over(&key, facts, &spec, fidelity, material).await?
                }
            },
        };
        let wanted = update(&*self.map, &id.kid, |record| record.copied(id.version, replica.clone()));
        if wanted.await? { Ok(()) } else { self.undo_copy(id, &replica).await }
    }

    /// Another process has forgotten the version, or destroyed it, while it was being copied, and could not know of the copy.
    async fn undo_copy(&self, id: &KeyVersionId, replica: &Replica) -> Result<(), KeyError> {
        let Err(error) = self.secondary.destroy_key(&replica.at.kid, Some(replica.at.version)).await else {
            return Ok(());
        };
        events::replica_destroy_failed(id, &error);
        update(&*self.map, &id.kid, |record| record.unwanted(id.version, replica)).await
    }

    /// Chooses what to copy, and reads it.
    async fn copyable(&self, key: &KeyRef) -> Result<Copyable, KeyError> {
        let plan = match mode::plan(self.settings.mode, key) {
            CopyPlan::Full => match self.read_secret(key).await? {
                Ok(secret) => return Ok(Copyable::Material(Fidelity::Full, secret)),
                Err(less) => less,
            },
            less => less,
        };
        match (plan, key.public_key()) {
            (CopyPlan::Keep(reason), _) => Ok(Copyable::Nothing(reason)),
            (CopyPlan::Public(fidelity), Some(public)) => {
                if fidelity == Fidelity::PublicOnlyFallback {
                    events::fell_back(key);
                }
                Ok(Copyable::Material(fidelity, KeyMaterial::Public(public.clone())))
            }
            (CopyPlan::Full | CopyPlan::Public(_), _) => Err(KeyError::integrity(format!(
                "the primary answered for {} without its public key",
                key.id()
            ))),
        }
    }

    /// Reads the secret for a copy in mode `full`: the one place where the mirror asks for a secret on its
    /// own account (promise 5).
    ///
    /// A primary may keep a secret that policy would let out, and a public key has none; the inner error
    /// is what can be copied then. An outage is no reason to copy less.
    async fn read_secret(&self, key: &KeyRef) -> Result<Result<KeyMaterial, CopyPlan>, KeyError> {
        let error = match self.primary.get_key(key.kid(), Some(key.version()), Secrets::Include).await {
            Ok(answer) => match answer.secret() {
                Some(secret) => return Ok(Ok(secret.clone().into())),
                None => KeyError::integrity("the primary answered without the secret"),
            },
            Err(error) => error,
        };
        match error.kind() {
            // What is disabled does no work and is not published: there is nothing to stand in for.
            KeyErrorKind::Disabled => Ok(Err(CopyPlan::Keep(KeptReason::Disabled))),
            KeyErrorKind::InvalidState => Ok(Err(mode::public(key, Fidelity::PublicOnly))),
            KeyErrorKind::PermissionDenied | KeyErrorKind::Unsupported => {
                Ok(Err(mode::public(key, Fidelity::PublicOnlyFallback)))
            }
            _ => Err(error),
        }
    }

    /// Imports the copy: under a telling `kid` if that is free, else under a random one.
    async fn hand_over(
        &self,
        key: &KeyRef,
        facts: Facts,
        spec: &KeySpec,
        fidelity: Fidelity,
        material: KeyMaterial,
    ) -> Result<Replica, KeyError> {
        let answer = match self.replica_kid(key.id()) {
            Some(kid) => {
                let answer = self.secondary.import_key(&spec.clone().with_kid(kid), material.clone()).await;
                if matches!(answer, Err(KeyError::Conflict { .. })) {
                    if let Some(replica) = self.replica_of(key.id(), &facts).await? {
                        return Ok(replica);
                    }
                    self.secondary.import_key(spec, material).await
                } else {
                    answer
                }
            }
            None => self.secondary.import_key(spec, material).await,
        };
        let copy = answer?;
        let replica = Replica::new(copy.id().clone(), fidelity, facts);
        check_copy(key, &replica, &copy)?;
        Ok(replica)
    }

    /// The replica of this key that an earlier try left on the secondary, if there is one.
    async fn replica_of(&self, id: &KeyVersionId, facts: &Facts) -> Result<Option<Replica>, KeyError> {
        let Some(Found { replica, .. }) = self.find_replica(id).await? else {
            return Ok(None);
        };
        if replica.key == *facts {
            return Ok(Some(replica));
        }
        Err(KeyError::integrity(format!(
            "the secondary has another key as the replica of {id}, at {}",
            replica.at
        )))
    }

    /// The `kid` of a replica where the secondary takes one: that of the JWK, `"<kid>.<version>"`. A retry
    /// after a lost answer then meets the first try instead of adding to it.
    pub(crate) fn replica_kid(&self, id: &KeyVersionId) -> Option<KeyId> {
        self.secondary_can.has(Feature::ChosenKid).then(|| KeyId::new(id.to_string()).ok()).flatten()
    }

    /// What is owed of a version, if it is.
    fn owed_copy(&self, id: &KeyVersionId) -> Option<Owed> {
        let record = self.map.get(&id.kid)?.record;
        match record.state(id.version)? {
            VersionState::Pending { key, attempted, .. } if record.whole == Whole::Live => {
                Some(Owed { facts: key.clone(), attempted: *attempted })
            }
            _ => None,
        }
    }
}
