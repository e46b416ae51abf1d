//! The write path: the intent first, then the primary, then a record, then the copy.

use swarmauri_keyprovider::{Feature, random_kid};
use swarmauri_keys::{KeyError, KeyId, KeyMaterial, KeyRef, KeySpec, KeyState, SpecOverrides, Tags};

use crate::copy::{Made, Recorded};
use crate::events;
use crate::map::{Facts, Intent, KidRecord, Whole};
use crate::marks;
use crate::mode::{self, CopyPlan};
use crate::provider::MirroredKeyProvider;
use crate::store::update;

/// Whether this call recorded the intent, or one from before is still open and must stay so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begun {
    Fresh,
    Earlier,
}

impl MirroredKeyProvider {
    /// Creates a key, or imports this one: by a chosen `kid` where the primary takes one, else by a tag.
    pub(crate) async fn make(
        &self,
        spec: &KeySpec,
        material: Option<KeyMaterial>,
    ) -> Result<KeyRef, KeyError> {
        check_tags(spec.tags())?;
        self.primary.check_asked()?;
        self.catch_up().await;
        match spec.kid() {
            Some(kid) => self.make_at(kid, spec, material).await,
            None if !self.mirrors() => self.ask_to_make(spec, material).await,
            None if self.primary_can.has(Feature::ChosenKid) => {
                let kid = random_kid()?;
                self.make_at(&kid, &spec.clone().with_kid(kid.clone()), material).await
            }
            None => self.make_tagged(spec, material).await,
        }
    }

    pub(crate) async fn rotate(&self, kid: &KeyId, overrides: &SpecOverrides) -> Result<KeyRef, KeyError> {
        if let Some(tags) = &overrides.tags {
            check_tags(tags)?;
        }
        self.primary.check_asked()?;
        self.catch_up().await;
        let _right = self.lock(kid).await?;
        let begun = match self.begin(kid, Intent::Rotate).await? {
            Ok(begun) => begun,
            Err(Whole::Destroyed) => return Err(KeyError::not_found(kid, None)),
            Err(_) => return Err(KeyError::conflict(format!("{kid} is being destroyed"))),
        };
        match self.primary.rotate_key(kid, overrides).await {
            Ok(key) => self.made(key, begun, false).await,
            Err(error) => Err(self.not_made(kid, "rotate", begun, error).await),
        }
    }

    async fn ask_to_make(&self, spec: &KeySpec, material: Option<KeyMaterial>) -> Result<KeyRef, KeyError> {
        match material {
            Some(material) => self.primary.import_key(spec, material).await,
            None => self.primary.create_key(spec).await,
        }
    }

    async fn make_at(
        &self,
        kid: &KeyId,
        spec: &KeySpec,
        material: Option<KeyMaterial>,
    ) -> Result<KeyRef, KeyError> {
        let _right = self.lock(kid).await?;
        let begun = self.begin(kid, Intent::Create).await?.map_err(|_| {
            KeyError::conflict(format!("{kid} was destroyed, or is being destroyed; a kid is not used again"))
        })?;
        let public_alone = matches!(material, Some(KeyMaterial::Public(_)));
        match self.ask_to_make(spec, material).await {
            Ok(key) => self.made(key, begun, public_alone).await,
            Err(error) => Err(self.not_made(kid, "create", begun, error).await),
        }
    }

    async fn make_tagged(&self, spec: &KeySpec, material: Option<KeyMaterial>) -> Result<KeyRef, KeyError> {
        let tag = random_kid()?;
        let tagged = spec.clone().with_tags(spec.tags().clone().with(marks::INTENT, tag.as_str())?);
        let public_alone = matches!(material, Some(KeyMaterial::Public(_)));
        self.map.begin_intent(tag.as_str()).await?;
        match self.ask_to_make(&tagged, material).await {
            Ok(key) => {
                let _right = self.lock(key.kid()).await?;
                let recorded = self.record(&key, Begun::Earlier).await?;
                self.map.settle_intent(tag.as_str()).await?;
                self.copy(key.id(), Some(Made { key: &key, recorded: &recorded, public_alone })).await;
                Ok(key)
            }
            Err(error) => {
                if error.is_outage() {
                    events::outcome_unknown("create", None, &error);
                } else {
                    // A map that cannot be written leaves the intent open, and reconcile closes it.
                    let _ = self.map.settle_intent(tag.as_str()).await;
                }
                Err(error)
            }
        }
    }

    /// Records an intent, unless the key is on its way out. Mode `none` records nothing.
    async fn begin(&self, kid: &KeyId, intent: Intent) -> Result<Result<Begun, Whole>, KeyError> {
        update(&*self.map, kid, |record| {
            if record.whole != Whole::Live {
                return Err(record.whole);
            }
            if record.intent.is_some() || !self.mirrors() {
                return Ok(Begun::Earlier);
            }
            record.intent = Some(intent);
            Ok(Begun::Fresh)
        })
        .await
    }

    /// The primary has accepted a version: records it, and copies it.
    async fn made(&self, key: KeyRef, begun: Begun, public_alone: bool) -> Result<KeyRef, KeyError> {
        let recorded = self.record(&key, begun).await?;
        self.copy(key.id(), Some(Made { key: &key, recorded: &recorded, public_alone })).await;
        Ok(key)
    }

    /// The primary has refused, or its answer is unknown: then the intent stays, for reconcile to look.
    async fn not_made(&self, kid: &KeyId, operation: &str, begun: Begun, error: KeyError) -> KeyError {
        if error.is_outage() {
            events::outcome_unknown(operation, Some(kid), &error);
            return error;
        }
        // A map that cannot be written leaves the intent open, and reconcile closes it.
        let _ = self.forget_intent(kid, begun).await;
        error
    }

    async fn forget_intent(&self, kid: &KeyId, begun: Begun) -> Result<(), KeyError> {
        if begun == Begun::Earlier {
            return Ok(());
        }
        update(&*self.map, kid, |record| record.intent = None).await
    }

    /// Records what the primary has accepted, and in the same breath that the intent is settled and that a copy is about to
    /// be made, if nothing else comes before that. Mode `none` has nothing to record, and still a tombstone is not brought
    /// back.
    async fn record(&self, key: &KeyRef, begun: Begun) -> Result<Recorded, KeyError> {
        let plan = mode::plan(self.settings.mode, key);
        let facts = Facts::of(key);
        let accepted = update(&*self.map, key.kid(), |record: &mut KidRecord| {
            let is_new = record.state(key.version()).is_none();
            let accepted = self.accept(record, key, facts.clone(), plan);
            if accepted && begun == Begun::Fresh {
                record.intent = None;
            }
            let at_once = is_new && matches!(plan, CopyPlan::Public(_));
            accepted.then(|| at_once && record.begin_copy(key.version()))
        });
        if let Some(copying) = accepted.await? {
            return Ok(Recorded { facts, copying });
        }
        Err(name_reused(key))
    }

    /// Records a version of the primary that nobody had recorded, to be copied later.
    pub(crate) async fn record_found(&self, key: &KeyRef) -> Result<(), KeyError> {
        let (plan, facts) = (mode::plan(self.settings.mode, key), Facts::of(key));
        let take_in = |record: &mut KidRecord| {
            record.found |= record.state(key.version()).is_none();
            self.accept(record, key, facts.clone(), plan)
        };
        let accepted = update(&*self.map, key.kid(), take_in).await?;
        if accepted { Ok(()) } else { Err(name_reused(key)) }
    }

    fn accept(&self, record: &mut KidRecord, key: &KeyRef, facts: Facts, plan: CopyPlan) -> bool {
        if !self.mirrors() {
            return !record.is_destroyed(Some(key.version()));
        }
        let kept = match plan {
            CopyPlan::Keep(reason) => Some(reason),
            CopyPlan::Full | CopyPlan::Public(_) => None,
        };
        let is_new = record.state(key.version()).is_none();
        let accepted = record.accept(key.version(), facts, kept).is_ok();
        // At once: a replica of an earlier process may be found before anybody asks again.
        if is_new && key.state() == KeyState::Disabled {
            record.switched(key.version(), KeyState::Disabled);
        }
        accepted
    }
}

/// The error of a version that is not the one which has its name.
fn name_reused(key: &KeyRef) -> KeyError {
    events::name_reused(key.id());
    KeyError::integrity(format!(
        "the primary gave a new key the name {}, which another key has or had; it is not served",
        key.id()
    ))
}

fn check_tags(tags: &Tags) -> Result<(), KeyError> {
    match tags.iter().find(|(name, _)| name.starts_with(Tags::RESERVED_PREFIX)) {
        Some((name, _)) => Err(KeyError::invalid_input(format!(
            "tags that start with {} belong to the mirror; rename the tag {name:?}",
            Tags::RESERVED_PREFIX
        ))),
        None => Ok(()),
    }
}
