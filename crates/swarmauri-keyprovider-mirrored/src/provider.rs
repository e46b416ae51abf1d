//! The provider: its settings, its builder, and a thin `impl KeyProvider`.

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use swarmauri_keyprovider::{
    Capabilities, Feature, JwksQuery, KeyOperations, KeyProvider, KeyReference, Secrets,
};
use swarmauri_keys::{
    Jwk, JwkSet, KeyAlg, KeyError, KeyId, KeyMaterial, KeyRef, KeySpec, KeyState, KeySummary, KeyVersion,
    KeyVersionId, Page, PageRequest, SecretBytes, SpecOverrides,
};
use swarmauri_keystore::KeyStore;

use crate::capabilities;
use crate::events;
use crate::failover::answered_by_secondary;
use crate::jwks::JwksCache;
use crate::locks::KidLocks;
use crate::mode::MirrorMode;
use crate::store::{MemoryMap, MirrorMap};
use crate::stored::StoredMap;

/// The name under which the provider is registered.
pub const NAME: &str = "MirroredKeyProvider";

/// Mirrors a primary to a secondary, and keeps answering reads when the primary is gone.
///
/// One secondary serves one mirror: replicas are known by the `kid` they are copies of.
#[derive(Debug)]
pub struct MirroredKeyProvider {
    pub(crate) primary: Arc<dyn KeyProvider>,
    pub(crate) secondary: Arc<dyn KeyProvider>,
    pub(crate) settings: Settings,
    pub(crate) capabilities: Capabilities,
    pub(crate) primary_can: Capabilities,
    pub(crate) secondary_can: Capabilities,
    pub(crate) map: Box<dyn MirrorMap>,
    pub(crate) locks: KidLocks,
    /// Set once the replicas of earlier processes have been found by their tags.
    pub(crate) adopted: tokio::sync::OnceCell<()>,
    pub(crate) jwks_cache: JwksCache,
}

/// How a mirrored provider behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// What is copied.
    pub mode: MirrorMode,
    /// Whether reads go to the secondary when the primary fails.
    pub fail_open_reads: bool,
    /// Which keys of the secondary a JWKS may hold.
    pub jwks_merge: JwksMerge,
    /// What happens to reads of a mirrored key that the primary no longer has.
    pub on_primary_loss: OnPrimaryLoss,
    /// How many keys `reconcile` repairs at once, at most.
    pub repairs_at_once: NonZeroUsize,
}

impl Settings {
    /// The default of [`Settings::repairs_at_once`].
    pub const REPAIRS_AT_ONCE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);
}

/// Which keys of the secondary a JWKS may hold, beside those of the primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JwksMerge {
    /// Replicas, and keys that only the secondary has. Whoever can write to the secondary can then add a
    /// key that verifiers trust.
    #[default]
    All,
    /// Replicas alone, each checked against the fingerprint recorded when it was copied.
    ReplicasOnly,
}

/// What happens to reads of a mirrored key that the primary, up and well, says it does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnPrimaryLoss {
    /// The replica answers for its public part: a primary that lost keys costs no reader anything. A key
    /// that somebody destroys on the primary directly, behind the mirror's back, stays published.
    #[default]
    ServeReplica,
    /// The answer is the primary's "not found". For those who revoke keys on the primary directly.
    Refuse,
}

/// Builds a [`MirroredKeyProvider`].
#[derive(Debug, Clone)]
pub struct MirroredBuilder {
    primary: Arc<dyn KeyProvider>,
    secondary: Arc<dyn KeyProvider>,
    settings: Settings,
    state: Option<Arc<dyn KeyStore>>,
}

/// Why a mirrored provider cannot be built.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A provider cannot be its own mirror.
    #[error("primary and secondary are the same provider; a mirror needs two")]
    SameProvider,
    /// The secondary takes no key of the kinds that the mode copies.
    #[error(
        "mode {mode} copies keys to the secondary, and {secondary} imports none that {primary} creates or \
         imports; use mode none to fail over without copies"
    )]
    NothingToMirror {
        /// The mode that was asked for.
        mode: MirrorMode,
        /// The name of the primary.
        primary: String,
        /// The name of the secondary.
        secondary: String,
    },
    /// A mirror with a state store must read it first.
    #[error("a mirror with a state store is opened, not built: call open() and await it")]
    NotOpened,
    /// The state of the mirror cannot be read.
    #[error("the state of the mirror cannot be read: {0}")]
    State(#[source] KeyError),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: MirrorMode::default(),
            fail_open_reads: true,
            jwks_merge: JwksMerge::default(),
            on_primary_loss: OnPrimaryLoss::default(),
            repairs_at_once: Self::REPAIRS_AT_ONCE,
        }
    }
}

impl MirroredBuilder {
    /// Sets what is copied. Default: `public_only`.
    #[must_use]
    pub fn mode(mut self, mode: MirrorMode) -> Self {
        self.settings.mode = mode;
        self
    }

    /// Sets whether reads fail over. Default: they do. If not, the secondary answers nothing at all: errors
    /// of the primary come back unchanged, and the JWKS is the primary's.
    #[must_use]
    pub fn fail_open_reads(mut self, fail_open: bool) -> Self {
        self.settings.fail_open_reads = fail_open;
        self
    }

    /// Sets which keys of the secondary a JWKS may hold. Default: all.
    #[must_use]
    pub fn jwks_merge(mut self, merge: JwksMerge) -> Self {
        self.settings.jwks_merge = merge;
        self
    }

    /// Sets what happens to reads of a mirrored key that the primary no longer has. Default: the replica
    /// answers.
    #[must_use]
    pub fn on_primary_loss(mut self, on_loss: OnPrimaryLoss) -> Self {
        self.settings.on_primary_loss = on_loss;
        self
    }

    /// Sets how many keys `reconcile` repairs at once, at most. Default: 8. Steps of one key are taken one after the other.
    #[must_use]
    pub fn repairs_at_once(mut self, most: NonZeroUsize) -> Self {
        self.settings.repairs_at_once = most;
        self
    }

    /// Sets everything at once.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Sets where the mirror keeps its state: what is mirrored where, what is owed, what is destroyed. Default: in memory,
    /// for as long as the provider lives. With a store it outlives the process, and processes that share the store agree.
    ///
    /// A store is for one mirror, as a secondary is. It holds no key material.
    #[must_use]
    pub fn state(mut self, store: Arc<dyn KeyStore>) -> Self {
        self.state = Some(store);
        self
    }

    /// Builds a provider that keeps its state in memory. Nothing is read or written yet.
    ///
    /// # Errors
    ///
    /// Any [`BuildError`]; [`BuildError::NotOpened`] if there is a state store.
    pub fn build(self) -> Result<MirroredKeyProvider, BuildError> {
        if self.state.is_some() {
            return Err(BuildError::NotOpened);
        }
        self.with_map(Box::new(MemoryMap::default()))
    }

    /// Reads the state, and builds the provider.
    ///
    /// # Errors
    ///
    /// Any [`BuildError`]; [`BuildError::State`] if the store fails, or holds what cannot be read.
    pub async fn open(mut self) -> Result<MirroredKeyProvider, BuildError> {
        let Some(store) = self.state.take() else {
            return self.build();
        };
        let map = StoredMap::open(store).await.map_err(BuildError::State)?;
        self.with_map(Box::new(map))
    }

    fn with_map(self, map: Box<dyn MirrorMap>) -> Result<MirroredKeyProvider, BuildError> {
        let Self { primary, secondary, settings, state: _ } = self;
        if std::ptr::addr_eq(Arc::as_ptr(&primary), Arc::as_ptr(&secondary)) {
            return Err(BuildError::SameProvider);
        }
        let (primary_can, secondary_can) = (primary.supports(), secondary.supports());
        if !capabilities::can_mirror(settings.mode, &primary_can, &secondary_can) {
            return Err(BuildError::NothingToMirror {
                mode: settings.mode,
                primary: primary.name().to_owned(),
                secondary: secondary.name().to_owned(),
            });
        }
        Ok(MirroredKeyProvider {
            capabilities: capabilities::of_mirror(settings, &primary_can, &secondary_can),
            primary,
            secondary,
            settings,
            primary_can,
            secondary_can,
            map,
            locks: KidLocks::default(),
            adopted: tokio::sync::OnceCell::new(),
            jwks_cache: JwksCache::default(),
        })
    }
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
        MirroredBuilder { primary, secondary, settings: Settings::default(), state: None }
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
        let any = !self.capabilities.operations.is_empty() && self.primary.operations().is_some();
        any.then_some(self)
    }

    async fn get_key(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        secrets: Secrets,
    ) -> Result<KeyRef, KeyError> {
        self.read_key(kid, version, secrets).await
    }

    async fn get_key_by_ref(&self, reference: &KeyReference, secrets: Secrets) -> Result<KeyRef, KeyError> {
        reference.check_provider(NAME)?;
        self.read_key(reference.kid(), reference.version(), secrets).await
    }

    async fn list_versions(&self, kid: &KeyId) -> Result<Vec<KeyVersion>, KeyError> {
        self.read_versions(kid).await
    }

    async fn list_keys(&self, page: &PageRequest) -> Result<Page<KeySummary>, KeyError> {
        self.capabilities.require(Feature::ListKeys)?;
        self.read_page(page).await
    }

    async fn get_public_jwk(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<Jwk, KeyError> {
        self.capabilities.require(Feature::Jwks)?;
        self.read_public_jwk(kid, version).await
    }

    async fn jwks(&self, query: &JwksQuery) -> Result<Arc<JwkSet>, KeyError> {
        self.capabilities.require(Feature::Jwks)?;
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
