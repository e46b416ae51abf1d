//! Two local providers behind faults, and the mirror over them.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use swarmauri_keyprovider::{Feature, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_mirrored::{
    BreakerSettings, Deadlines, MirrorMode, MirroredBuilder, MirroredKeyProvider,
};
use swarmauri_keyprovider_testkit::{Faults, FaultyProvider};
use swarmauri_keys::{ExportPolicy, Jwk, KeyAlg, KeyError, KeyErrorKind, KeyId, KeyRef, KeySpec, KeyVersion};
use swarmauri_keystore::{KeyStore, MemoryStore};

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) mirror: Arc<MirroredKeyProvider>,
    pub(crate) primary: Faults,
    pub(crate) secondary: Faults,
    /// The keys of each side, past its faults and its journal.
    pub(crate) primary_keys: Arc<dyn KeyProvider>,
    pub(crate) secondary_keys: Arc<dyn KeyProvider>,
    sides: (Arc<FaultyProvider>, Arc<FaultyProvider>),
    /// Where the state of the mirror is, if it is not in memory.
    #[allow(dead_code, reason = "for the tests of what only a store gives")]
    pub(crate) store: MemoryStore,
}

pub(crate) fn world() -> World {
    world_with(|builder| builder)
}

pub(crate) fn world_in(mode: MirrorMode) -> World {
    world_with(|builder| builder.mode(mode))
}

pub(crate) fn world_with(build: impl FnOnce(MirroredBuilder) -> MirroredBuilder) -> World {
    restricted_world(|_, _| {}, build)
}

/// A world whose sides lose capabilities before the mirror sees them.
pub(crate) fn restricted_world(
    restrict: impl FnOnce(&Faults, &Faults),
    build: impl FnOnce(MirroredBuilder) -> MirroredBuilder,
) -> World {
    let primary = Arc::new(FaultyProvider::new(Arc::new(LocalKeyProvider::new())));
    let secondary = Arc::new(FaultyProvider::new(Arc::new(LocalKeyProvider::new())));
    restrict(&primary.faults(), &secondary.faults());
    // Most tests are of what becomes of one call, be it dropped or answered late, and not of the calls before it.
    let builder = MirroredKeyProvider::builder(primary.clone(), secondary.clone())
        .deadlines(Deadlines::UNBOUNDED)
        .breaker(BreakerSettings::OFF);
    let store = MemoryStore::new();
    World {
        mirror: Arc::new(opened(build(builder), &store)),
        primary: primary.faults(),
        secondary: secondary.faults(),
        primary_keys: primary.inner(),
        secondary_keys: secondary.inner(),
        sides: (primary, secondary),
        store,
    }
}

/// The mirror, its state in memory or, where the same tests are run for that, on this store.
fn opened(builder: MirroredBuilder, store: &MemoryStore) -> MirroredKeyProvider {
    if !crate::STORED {
        return builder.build().unwrap();
    }
    let opening = builder.state(Arc::new(store.clone())).open();
    let mut opening = Box::pin(tokio::task::unconstrained(opening));
    match opening.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(mirror) => mirror.unwrap(),
        Poll::Pending => panic!("a store in memory does not keep anybody waiting"),
    }
}

/// A world whose secondary cannot do these.
pub(crate) fn world_without(features: &[Feature]) -> World {
    restricted_world(|_, secondary| deny(secondary, features), |builder| builder)
}

pub(crate) fn deny(side: &Faults, features: &[Feature]) {
    side.restrict_capabilities(|can| can.features.retain(|feature| !features.contains(feature)));
}

impl World {
    /// The same two sides under a new mirror that knows nothing: what a restart of the process leaves of a map in
    /// memory, or the loss of its store.
    pub(crate) fn restart(self) -> Self {
        let store = MemoryStore::new();
        Self { mirror: Arc::new(opened(self.builder(), &store)), store, ..self }
    }

    /// The same secondary under a new mirror, in front of a primary that came back empty. In memory the map is found by the
    /// tags of the replicas; a store is the same as before.
    pub(crate) fn with_empty_primary(self) -> Self {
        self.with_primary(|_| {})
    }

    pub(crate) fn with_primary(self, restrict: impl FnOnce(&Faults)) -> Self {
        let primary = Arc::new(FaultyProvider::new(Arc::new(LocalKeyProvider::new())));
        restrict(&primary.faults());
        let secondary = self.sides.1.clone();
        let settings = *self.mirror.settings();
        let builder = MirroredKeyProvider::builder(primary.clone(), secondary.clone()).settings(settings);
        Self {
            mirror: Arc::new(opened(builder, &self.store)),
            primary: primary.faults(),
            primary_keys: primary.inner(),
            sides: (primary, secondary),
            ..self
        }
    }

    /// The same two sides under another mirror, with its state on this store.
    #[allow(dead_code, reason = "for the tests of what only a store gives")]
    pub(crate) async fn over(self, store: Arc<dyn KeyStore>) -> Self {
        Self { mirror: Arc::new(self.builder().state(store).open().await.unwrap()), ..self }
    }

    /// For another mirror over the same two sides, which behaves like this one.
    pub(crate) fn builder(&self) -> MirroredBuilder {
        let (primary, secondary) = self.sides.clone();
        MirroredKeyProvider::builder(primary, secondary).settings(*self.mirror.settings())
    }

    /// The debts, as `kind key`.
    pub(crate) fn backlog(&self) -> Vec<String> {
        let backlog = self.mirror.status().backlog;
        backlog.iter().map(|debt| format!("{} {}", debt.kind, debt.key)).collect()
    }

    pub(crate) async fn replicas(&self) -> usize {
        self.secondary_keys.list_all_keys().await.unwrap().len()
    }

    pub(crate) async fn jwk(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<Jwk, KeyError> {
        self.mirror.get_public_jwk(kid, version).await
    }

    pub(crate) async fn read(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<KeyRef, KeyError> {
        self.mirror.get_key(kid, version, Secrets::Omit).await
    }

    pub(crate) async fn secret(&self, kid: &KeyId) -> Result<KeyRef, KeyError> {
        self.mirror.get_key(kid, None, Secrets::Include).await
    }
}

/// Another mirror over the same two sides, in mode `public_only`: another process.
pub(crate) fn world_over(world: &World) -> MirroredKeyProvider {
    let (primary, secondary) = world.sides.clone();
    MirroredKeyProvider::new(primary, secondary).unwrap()
}

pub(crate) fn exportable(alg: KeyAlg) -> KeySpec {
    KeySpec::builder(alg).export_policy(ExportPolicy::SecretWhenAllowed).build().unwrap()
}

pub(crate) fn version(n: u32) -> KeyVersion {
    KeyVersion::new(n).unwrap()
}

pub(crate) fn kid(name: &str) -> KeyId {
    KeyId::new(name).unwrap()
}

pub(crate) fn kind<T: std::fmt::Debug>(result: Result<T, KeyError>) -> KeyErrorKind {
    result.unwrap_err().kind()
}

/// Drops a future that does not end within a minute of paused time.
pub(crate) async fn give_up<F: Future>(future: F) -> Option<F::Output> {
    tokio::time::timeout(Duration::from_mins(1), future).await.ok()
}

/// One error of every kind but outages.
pub(crate) fn refusals() -> Vec<KeyError> {
    let kid = kid("other");
    vec![
        KeyError::Disabled { kid, version: None },
        KeyError::permission_denied("told to"),
        KeyError::unsupported_algorithm(KeyAlg::Ed25519, "told to"),
        KeyError::unsupported("told to"),
        KeyError::invalid_input("told to"),
        KeyError::invalid_state("told to"),
        KeyError::conflict("told to"),
        KeyError::integrity("told to"),
    ]
}

pub(crate) fn outages() -> Vec<KeyError> {
    vec![KeyError::unavailable("told to"), KeyError::timeout("told to")]
}
