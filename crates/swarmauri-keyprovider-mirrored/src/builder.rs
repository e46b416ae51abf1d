//! Building a mirrored provider.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use swarmauri_keyprovider::{Feature, KeyProvider};
use swarmauri_keys::KeyError;
use swarmauri_keystore::KeyStore;

use crate::breaker::BreakerSettings;
use crate::capabilities;
use crate::deadline::Deadlines;
use crate::doubts::Doubts;
use crate::guard::{Backend, Guard};
use crate::hedge::{Budget, Hedge};
use crate::jwks::JwksCache;
use crate::locks::KidLocks;
use crate::maintain::Maintenance;
use crate::mode::MirrorMode;
use crate::provider::MirroredKeyProvider;
use crate::settings::{JwksMerge, OnPrimaryLoss, Settings};
use crate::side::Side;
use crate::stale::LastGood;
use crate::store::{MemoryMap, MirrorMap};
use crate::stored::StoredMap;

/// Builds a [`MirroredKeyProvider`].
#[derive(Debug, Clone)]
pub struct MirroredBuilder {
    primary: Arc<dyn KeyProvider>,
    secondary: Arc<dyn KeyProvider>,
    settings: Settings,
    state: Option<Arc<dyn KeyStore>>,
    seed: Option<u64>,
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
    /// A setting has a value that makes no sense.
    #[error("{0}")]
    Settings(String),
    /// A mirror with a state store must read it first.
    #[error("a mirror with a state store is opened, not built: call open() and await it")]
    NotOpened,
    /// The state of the mirror cannot be read.
    #[error("the state of the mirror cannot be read: {0}")]
    State(#[source] KeyError),
}

impl MirroredBuilder {
    /// Starts from the default settings.
    pub(crate) fn new(primary: Arc<dyn KeyProvider>, secondary: Arc<dyn KeyProvider>) -> Self {
        Self { primary, secondary, settings: Settings::default(), state: None, seed: None }
    }

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

    /// Sets how long a call of a side, or of the state store, may take. Default: see [`Deadlines`].
    #[must_use]
    pub fn deadlines(mut self, deadlines: Deadlines) -> Self {
        self.settings.deadlines = deadlines;
        self
    }

    /// Sets when a side that fails is no longer asked, and when again. Default: see [`BreakerSettings`].
    #[must_use]
    pub fn breaker(mut self, breaker: BreakerSettings) -> Self {
        self.settings.breaker = breaker;
        self
    }

    /// Has the secondary asked, too, when the primary is slow to answer a public read. Default: it is not.
    #[must_use]
    pub fn hedge(mut self, hedge: Hedge) -> Self {
        self.settings.hedge = Some(hedge);
        self
    }

    /// Lets a JWKS that is no older than this be served when neither side answers; keys that were destroyed or disabled
    /// since are left out. Default: none is served.
    #[must_use]
    pub fn jwks_max_stale(mut self, age: Duration) -> Self {
        self.settings.jwks_max_stale = Some(age);
        self
    }

    /// Sets what [`maintain`](MirroredKeyProvider::maintain) does, and how often. Default: see [`Maintenance`].
    #[must_use]
    pub fn maintenance(mut self, maintenance: Maintenance) -> Self {
        self.settings.maintenance = maintenance;
        self
    }

    /// Sets what the chance in waits is drawn from, so that a run can be repeated. Default: another seed each time.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
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
        self.settings.check().map_err(BuildError::Settings)?;
        let random = self.random();
        let guard = Guard::new(Backend::State, &self.settings, random);
        let map = StoredMap::open(store, guard).await.map_err(BuildError::State)?;
        self.with_map(Box::new(map))
    }

    /// A source of chance; each is another one.
    fn random(&mut self) -> fastrand::Rng {
        match &mut self.seed {
            Some(seed) => {
                *seed = seed.wrapping_add(1);
                fastrand::Rng::with_seed(*seed)
            }
            None => fastrand::Rng::new(),
        }
    }

    fn with_map(mut self, map: Box<dyn MirrorMap>) -> Result<MirroredKeyProvider, BuildError> {
        let (for_primary, for_secondary, for_rest) = (self.random(), self.random(), self.random());
        let Self { primary, secondary, settings, state: _, seed: _ } = self;
        settings.check().map_err(BuildError::Settings)?;
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
        let capabilities = capabilities::of_mirror(settings, &primary_can, &secondary_can);
        Ok(MirroredKeyProvider {
            publishes: capabilities.has(Feature::Jwks),
            capabilities,
            primary: Side::primary(primary, &settings, for_primary),
            secondary: Side::secondary(secondary, &settings, for_secondary),
            settings,
            primary_can,
            secondary_can,
            map,
            locks: KidLocks::default(),
            adoption: tokio::sync::Mutex::new(false),
            jwks_cache: JwksCache::default(),
            last_good: LastGood::default(),
            doubts: Doubts::default(),
            hedges: Budget::default(),
            random: parking_lot::Mutex::new(for_rest),
        })
    }
}
