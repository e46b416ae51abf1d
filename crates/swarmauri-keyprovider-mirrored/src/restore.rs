//! Keys that the primary has lost, when the operator says that they are to come back.

use swarmauri_keyprovider::{Feature, Secrets};
use swarmauri_keys::{
    KeyError, KeyErrorKind, KeyId, KeyMaterial, KeyRef, KeySpec, KeyState, KeyVersion, KeyVersionId, Tags,
};

use crate::adopt::PAGE;
use crate::events;
use crate::failover::check_answer;
use crate::map::{Facts, KidRecord, Replica, VersionState};
use crate::marks::{self, Claim};
use crate::mode::Fidelity;
use crate::plan::{ReconcilePlan, Step};
use crate::provider::MirroredKeyProvider;
use crate::store::update;

/// A replica that can be brought back, and what the mirror has it as.
struct Restorable {
    replica: Replica,
    /// Without its secret.
    answer: KeyRef,
    /// What the version is to be on the primary.
    state: KeyState,
}

/// Why a lost version cannot be brought back.
enum Refusal {
    /// Lost, and this.
    Because(&'static str),
    /// The replica does not answer, or not with the key that was copied.
    Replica(KeyError),
}

impl Refusal {
    fn reason(&self) -> String {
        match self {
            Self::Because(reason) => format!("lost on the primary, {reason}"),
            Self::Replica(error) => format!("lost on the primary, and its replica is of no use: {error}"),
        }
    }

    fn into_error(self) -> KeyError {
        match self {
            Self::Because(_) => KeyError::conflict(self.reason()),
            Self::Replica(error) => error,
        }
    }
}

impl MirroredKeyProvider {
    /// What it would take to bring back, from their replicas, the versions that the primary, up and well, says it does not
    /// have: each is imported into the primary under its `kid` and version, and put into its state. Changes nothing;
    /// [`apply`](Self::apply) carries it out.
    ///
    /// The counterpart of [`plan_propagate_loss`](Self::plan_propagate_loss); `reconcile` never does this either. It is for a
    /// primary that came back without its keys. What is destroyed, or being destroyed, stays so, and a key that the primary
    /// has is never overwritten. A primary that itself remembers a `kid` or a number as used refuses it, and the step fails.
    ///
    /// * Conflicts name what cannot come back: what has no replica, pairs whose replica is the public key alone, and what the
    ///   primary cannot take.
    /// * A primary takes versions in ascending order only. So no version is brought back before an earlier one that can be.
    /// * The secret of a disabled version is read from a replica that is enabled for that moment. Nobody uses it meanwhile.
    /// * Encryptions of an AES-GCM key are counted anew, as for any key that is imported.
    ///
    /// # Errors
    ///
    /// Those of the primary, and outages of the secondary: what they do not answer for is not planned.
    pub async fn plan_restore_primary(&self) -> Result<ReconcilePlan, KeyError> {
        self.catch_up().await;
        self.ensure_adopted().await?;
        let (mut plan, mut after) = (ReconcilePlan::default(), None);
        loop {
            let page = self.map.page(after.as_ref(), PAGE);
            for (kid, record) in &page {
                self.plan_restore(kid, record, &mut plan).await?;
            }
            match page.into_iter().last() {
                Some((kid, _)) => after = Some(kid),
                None => return Ok(plan),
            }
        }
    }

    async fn plan_restore(
        &self,
        kid: &KeyId,
        record: &KidRecord,
        plan: &mut ReconcilePlan,
    ) -> Result<(), KeyError> {
        if record.live_versions().next().is_none() {
            return Ok(());
        }
        let present = self.present_on_primary(kid).await?;
        for version in record.live_versions() {
            let id = kid.at(version);
            if present.contains(&version) || !self.is_lost(&id).await? {
                if record.is_restoring(version) {
                    plan.steps.push(Step::Restore { id });
                }
                continue;
            }
            match self.restorable(&id, record, &present).await? {
                Ok(_) => plan.steps.push(Step::Restore { id }),
                Err(refusal) => plan.conflict(&id, &refusal.reason()),
            }
        }
        Ok(())
    }

    async fn present_on_primary(&self, kid: &KeyId) -> Result<Vec<KeyVersion>, KeyError> {
        match self.primary.list_versions(kid).await {
            Err(KeyError::NotFound { .. }) => Ok(Vec::new()),
            versions => versions,
        }
    }

    /// What can be brought back of a lost version; the inner error says why it cannot.
    async fn restorable(
        &self,
        id: &KeyVersionId,
        record: &KidRecord,
        present: &[KeyVersion],
    ) -> Result<Result<Restorable, Refusal>, KeyError> {
        let Some((_, replica)) = record.servable(Some(id.version)) else {
            return Ok(Err(no_replica(record, id.version)));
        };
        let answer = self.secondary.get_key(&replica.at.kid, Some(replica.at.version), Secrets::Omit).await;
        let answer = match answer.and_then(|answer| check_answer(id, replica, &answer).map(|()| answer)) {
            Ok(answer) => answer,
            Err(error) if error.is_outage() => return Err(error),
            Err(error) => {
                return Ok(Err(Refusal::Replica(error)));
            }
        };
        let alone = Claim::read(answer.tags()).is_some_and(|claim| claim.public_alone);
        if replica.fidelity != Fidelity::Full && !alone {
            return Ok(Err(Refusal::Because(PRIVATE_KEY_LOST)));
        }
        let state = record.shown_state(id.version, answer.state());
        let restorable = Restorable { replica: replica.clone(), answer, state };
        let refusal = self.primary_cannot_take(id, record, present, &restorable);
        Ok(refusal.map_or(Ok(restorable), |reason| Err(Refusal::Because(reason))))
    }

    fn primary_cannot_take(
        &self,
        id: &KeyVersionId,
        record: &KidRecord,
        present: &[KeyVersion],
        restorable: &Restorable,
    ) -> Option<&'static str> {
        let can = &self.primary_can;
        let full = restorable.replica.fidelity == Fidelity::Full;
        let algs = if full { &can.import } else { &can.import_public };
        // As a new key it gets the number 1, and the next one 2.
        let as_new = can.has(Feature::ChosenKid)
            && id.version == KeyVersion::FIRST
            && present.is_empty()
            && record.live_versions().count() == 1;
        if present.iter().any(|other| *other > id.version) {
            Some("which has later versions of the key, and takes none before them")
        } else if !algs.contains(&restorable.replica.key.alg) {
            Some("which cannot take it back: it imports no keys of this algorithm")
        } else if !can.has(Feature::ImportVersion) && !as_new {
            Some("which cannot take it back: it imports no keys at a chosen version")
        } else if restorable.state == KeyState::Disabled && !can.has(Feature::Disable) {
            Some("which cannot take it back: it is disabled, and would be enabled there")
        } else {
            None
        }
    }

    /// Brings a version back, if it still is lost and nobody has asked for its destruction.
    ///
    /// That a disabled version is on its way is recorded first: until it is disabled there, whoever finds it enabled on the
    /// primary knows that this is not what somebody asked for.
    pub(crate) async fn restore(&self, id: &KeyVersionId) -> Result<(), KeyError> {
        let _right = self.lock(&id.kid).await?;
        self.catch_up().await;
        let record = self.map.get(&id.kid).map(|known| known.record).unwrap_or_default();
        let Some((_, replica)) = record.servable(Some(id.version)) else {
            return Ok(());
        };
        match self.primary.get_key(&id.kid, Some(id.version), Secrets::Omit).await {
            Ok(key) => {
                check_made(id, replica, &key)?;
                return self.finish_restore(id).await;
            }
            Err(KeyError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
        let present = self.present_on_primary(&id.kid).await?;
        self.check_turn(id, &record, &present).await?;
        let restorable = self.restorable(id, &record, &present).await?.map_err(Refusal::into_error)?;
        if restorable.state == KeyState::Disabled {
            update(&*self.map, &id.kid, |record| record.begin_restore(id.version)).await?;
        }
        let material = self.material_of(id, &restorable).await?;
        let spec = spec_on_primary(&restorable.answer, id)?;
        let made = if self.primary_can.has(Feature::ImportVersion) {
            self.primary.import_version(id, &spec, material).await?
        } else {
            self.primary.import_key(&spec.with_kid(id.kid.clone()), material).await?
        };
        check_made(id, &restorable.replica, &made)?;
        events::restored(id);
        self.catch_up().await;
        let record = self.map.get(&id.kid).map(|known| known.record).unwrap_or_default();
        if record.is_marked(Some(id.version)) || record.is_marked(None) {
            // Another process may have asked the primary to destroy it before it was there.
            return self.primary.destroy_key(&id.kid, Some(id.version)).await.map(drop);
        }
        self.finish_restore(id).await
    }

    /// That no earlier version would be shut out, because a primary takes none after a later one.
    async fn check_turn(
        &self,
        id: &KeyVersionId,
        record: &KidRecord,
        present: &[KeyVersion],
    ) -> Result<(), KeyError> {
        for version in record.live_versions().take_while(|version| *version < id.version) {
            let earlier = id.kid.at(version);
            if !present.contains(&version)
                && self.is_lost(&earlier).await?
                && self.restorable(&earlier, record, present).await?.is_ok()
            {
                return Err(KeyError::invalid_state(format!(
                    "{earlier} is to be brought back first: after {id} the primary does not take it any more"
                )));
            }
        }
        Ok(())
    }

    async fn material_of(&self, id: &KeyVersionId, restorable: &Restorable) -> Result<KeyMaterial, KeyError> {
        let Restorable { replica, answer, .. } = restorable;
        if replica.fidelity != Fidelity::Full {
            let public = answer.public_key().cloned().map(KeyMaterial::Public);
            return public
                .ok_or_else(|| KeyError::integrity(format!("the replica of {id} shows no public key")));
        }
        let at = &replica.at;
        let disabled = answer.state() == KeyState::Disabled;
        if disabled {
            self.secondary.enable_key(&at.kid, at.version).await?;
        }
        let read = self.secondary.get_key(&at.kid, Some(at.version), Secrets::Include).await;
        if disabled {
            // If that fails it is owed: the record says that the replica has not been told.
            self.follow(id).await;
        }
        let read = read?;
        check_answer(id, replica, &read)?;
        let secret = read.secret().cloned();
        secret.map(KeyMaterial::from).ok_or_else(|| {
            KeyError::integrity(format!("the replica of {id} was answered without its secret"))
        })
    }

    /// The primary has the version: it is put into its state there.
    async fn finish_restore(&self, id: &KeyVersionId) -> Result<(), KeyError> {
        let record = self.map.get(&id.kid).map(|known| known.record).unwrap_or_default();
        if record.is_restoring(id.version) {
            self.primary.disable_key(&id.kid, id.version).await?;
            self.switched(id, KeyState::Disabled).await?;
        }
        Ok(())
    }

    /// A restore that was cut off has left a disabled version enabled on the primary. False if it is not there.
    pub(crate) async fn settle_restore(&self, id: &KeyVersionId) -> Result<bool, KeyError> {
        match self.primary.disable_key(&id.kid, id.version).await {
            Ok(()) => self.switched(id, KeyState::Disabled).await.map(|()| true),
            Err(error) if error.kind() == KeyErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

const PRIVATE_KEY_LOST: &str = "and its replica is the public key alone: the private key is lost, \
    and only the public one could come back; import the pair from elsewhere under another kid, or give it up";

fn no_replica(record: &KidRecord, version: KeyVersion) -> Refusal {
    Refusal::Because(match record.state(version) {
        Some(VersionState::Pending { .. }) => {
            "and its copy was not recorded; reconcile looks for a replica of it"
        }
        _ => "and kept from the secondary: there is no replica of it",
    })
}

/// That the key which the primary has now is the one that it had.
fn check_made(id: &KeyVersionId, replica: &Replica, key: &KeyRef) -> Result<(), KeyError> {
    if key.id() == id && Facts::of(key) == replica.key {
        return Ok(());
    }
    Err(KeyError::integrity(format!(
        "the primary has another key as {id} than the one that was copied: it answered with {}",
        key.id()
    )))
}

/// What the primary had the key as, and none of the mirror's own tags.
fn spec_on_primary(answer: &KeyRef, id: &KeyVersionId) -> Result<KeySpec, KeyError> {
    let spec = marks::as_primary(answer, id.clone(), KeyState::Enabled)?.spec()?;
    let tags = spec.tags().clone().retaining(|name| !name.starts_with(Tags::RESERVED_PREFIX));
    Ok(spec.with_tags(tags))
}
