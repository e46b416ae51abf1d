//! The provider, and a thin `impl KeyProvider`.

use std::future::ready;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use swarmauri_keyprovider::{
    Capabilities, Feature, JwksQuery, KeyOperations, KeyProvider, KeyReference, Secrets,
};
use swarmauri_keys::{
    Jwk, JwkSet, KeyAlg, KeyError, KeyId, KeyMaterial, KeyRef, KeySpec, KeyState, KeySummary, KeyVersion,
    KeyVersionId, Page, PageRequest, SecretBytes, SpecOverrides,
};

use crate::builder::{BuildError, MirroredBuilder};
use crate::doubts::Doubts;
use crate::events;
use crate::failover::answered_by_secondary;
use crate::hedge::Budget;
use crate::jwks::JwksCache;
use crate::locks::KidLocks;
use crate::mode::MirrorMode;
use crate::settings::Settings;
use crate::side::Side;
use crate::stale::LastGood;
use crate::store::MirrorMap;

/// The name under which the provider is registered.
pub const NAME: &str = "MirroredKeyProvider";

/// Mirrors a primary to a secondary, and keeps answering reads when the primary is gone.
///
/// One secondary serves one mirror: replicas are known by the `kid` they are copies of.
#[derive(Debug)]
pub struct MirroredKeyProvider {
    pub(crate) primary: Side,
    pub(crate) secondary: Side,
    pub(crate) settings: Settings,
    pub(crate) capabilities: Capabilities,
    /// Whether JWKs are among them: every read of one asks.
    pub(crate) publishes: bool,
    pub(crate) primary_can: Capabilities,
    pub(crate) secondary_can: Capabilities,
    pub(crate) map: Box<dyn MirrorMap>,
    pub(crate) locks: KidLocks,
    pub(crate) doubts: Doubts,
    /// Whether the replicas of earlier processes have been found by their tags; held by whoever is looking.
    pub(crate) adoption: tokio::sync::Mutex<bool>,
    pub(crate) jwks_cache: JwksCache,
    pub(crate) last_good: LastGood,
    pub(crate) hedges: Budget,
    pub(crate) random: parking_lot::Mutex<fastrand::Rng>,
}

impl MirroredKeyProvider {
    /// A mirror with the default settings: `public_only`, and reads fail over.
    ///
    /// # Errors
    ///
    /// Any [`BuildError`].
    pub fn new(primary: Arc<dyn KeyProvider>, secondary: Arc<dyn KeyProvider>) -> Result<Self, BuildError> {
        Self::builder(primary, secondary).build()
    }

    /// Starts from the default settings.
    pub fn builder(primary: Arc<dyn KeyProvider>, secondary: Arc<dyn KeyProvider>) -> MirroredBuilder {
        MirroredBuilder::new(primary, secondary)
    }

    /// How this provider behaves.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Takes in what other processes have written, if some of that did not arrive by itself. Without it the mirror goes
    /// on with what it knows.
    pub(crate) async fn catch_up(&self) {
        if self.map.is_behind()
            && let Err(error) = self.map.catch_up().await
        {
            events::state_store_failed(&error);
        }
    }

    /// The same before an answer of the secondary counts: there was a wait for a side, and the watch may have ended meanwhile.
    /// A store that has not answered since is not waited for once more.
    pub(crate) async fn catch_up_again(&self) {
        if self.map.is_newly_behind() {
            Box::pin(self.catch_up()).await;
        }
    }

    /// As `capabilities.require(Feature::Jwks)`, in a fraction of the time.
    fn check_publishes(&self) -> Result<(), KeyError> {
        if self.publishes { Ok(()) } else { Err(KeyError::unsupported(Feature::Jwks.as_str())) }
    }

    /// Whether keys are copied at all.
    pub(crate) fn mirrors(&self) -> bool {
        self.settings.mode != MirrorMode::None
    }
}

fn supported(algs: &std::collections::BTreeSet<KeyAlg>, alg: KeyAlg, what: &str) -> Result<(), KeyError> {
    if algs.contains(&alg) {
        return Ok(());
    }
    Err(KeyError::unsupported_algorithm(
        alg,
        format!("primary and secondary together cannot {what} such keys"),
    ))
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl KeyProvider for MirroredKeyProvider {
    fn name(&self) -> &str {
        NAME
    }

    fn supports(&self) -> Capabilities {
        self.capabilities.clone()
    }

    async fn create_key(&self, spec: &KeySpec) -> Result<KeyRef, KeyError> {
        supported(&self.capabilities.create, spec.alg(), "create")?;
        self.make(spec, None).await
    }

    async fn import_key(&self, spec: &KeySpec, material: KeyMaterial) -> Result<KeyRef, KeyError> {
        let algs = match &material {
            KeyMaterial::Public(_) => &self.capabilities.import_public,
            KeyMaterial::Symmetric(_) | KeyMaterial::Private(_) => &self.capabilities.import,
        };
        supported(algs, spec.alg(), "import")?;
        self.make(spec, Some(material)).await
    }

    async fn import_version(
        &self,
        _id: &KeyVersionId,
        _spec: &KeySpec,
        _material: KeyMaterial,
    ) -> Result<KeyRef, KeyError> {
        Err(KeyError::unsupported(Feature::ImportVersion.as_str()))
    }

    async fn rotate_key(&self, kid: &KeyId, overrides: &SpecOverrides) -> Result<KeyRef, KeyError> {
        self.capabilities.require(Feature::Rotate)?;
        if let Some(alg) = overrides.alg {
            supported(&self.capabilities.create, alg, "create")?;
        }
        self.rotate(kid, overrides).await
    }

    async fn destroy_key(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<bool, KeyError> {
        self.capabilities.require(Feature::Destroy)?;
        self.destroy(kid, version).await
    }

    async fn disable_key(&self, kid: &KeyId, version: KeyVersion) -> Result<(), KeyError> {
        self.capabilities.require(Feature::Disable)?;
        self.set_state(kid, version, KeyState::Disabled).await
    }

    async fn enable_key(&self, kid: &KeyId, version: KeyVersion) -> Result<(), KeyError> {
        self.capabilities.require(Feature::Disable)?;
        self.set_state(kid, version, KeyState::Enabled).await
    }

    fn operations(&self) -> Option<&dyn KeyOperations> {
        let any = !self.capabilities.operations.is_empty() && self.primary.has_operations();
        any.then_some(self)
    }

    /// What `async_trait` makes of its siblings, by hand.
    fn get_key<'a, 'kid, 'read>(
        &'a self,
        kid: &'kid KeyId,
        version: Option<KeyVersion>,
        secrets: Secrets,
    ) -> BoxFuture<'read, Result<KeyRef, KeyError>>
    where
        'a: 'read,
        'kid: 'read,
        Self: 'read,
    {
        self.begin_read(kid, version, secrets)
    }

    async fn get_key_by_ref(&self, reference: &KeyReference, secrets: Secrets) -> Result<KeyRef, KeyError> {
        reference.check_provider(NAME)?;
        self.begin_read(reference.kid(), reference.version(), secrets).await
    }

    async fn list_versions(&self, kid: &KeyId) -> Result<Vec<KeyVersion>, KeyError> {
        self.read_versions(kid).await
    }

    async fn list_keys(&self, page: &PageRequest) -> Result<Page<KeySummary>, KeyError> {
        self.capabilities.require(Feature::ListKeys)?;
        self.read_page(page).await
    }

    fn get_public_jwk<'a, 'kid, 'read>(
        &'a self,
        kid: &'kid KeyId,
        version: Option<KeyVersion>,
    ) -> BoxFuture<'read, Result<Jwk, KeyError>>
    where
        'a: 'read,
        'kid: 'read,
        Self: 'read,
    {
        match self.check_publishes() {
            Ok(()) => self.begin_read_of_jwk(kid, version),
            Err(refused) => Box::pin(ready(Err(refused))),
        }
    }

    async fn jwks(&self, query: &JwksQuery) -> Result<Arc<JwkSet>, KeyError> {
        self.check_publishes()?;
        self.read_jwks(query).await
    }

    async fn random_bytes(&self, len: usize) -> Result<SecretBytes, KeyError> {
        self.capabilities.require(Feature::Random)?;
        match self.primary.random_bytes(len).await {
            Err(outage) if self.fails_over_on(&outage) => {
                let answer = self.secondary.random_bytes(len).await;
                answered_by_secondary("random_bytes", answer, outage)
            }
            answer => answer,
        }
    }

    async fn hkdf(
        &self,
        ikm: &SecretBytes,
        salt: &[u8],
        info: &[u8],
        len: usize,
    ) -> Result<SecretBytes, KeyError> {
        self.capabilities.require(Feature::Hkdf)?;
        match self.primary.hkdf(ikm, salt, info, len).await {
            Err(outage) if self.fails_over_on(&outage) => {
                let answer = self.secondary.hkdf(ikm, salt, info, len).await;
                answered_by_secondary("hkdf", answer, outage)
            }
            answer => answer,
        }
    }
}
