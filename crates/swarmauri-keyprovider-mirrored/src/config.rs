//! Configuration and registration.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use swarmauri_keyprovider::registry::{BuildFuture, GROUP, PEAGEN_GROUP, ProviderRegistration, Registry};
use swarmauri_keyprovider::{KeyProvider, ProviderConfig, RegistryError, inventory};
use swarmauri_keystore::{KeyStore, StoreError};

use crate::breaker::BreakerSettings;
use crate::deadline::Deadlines;
use crate::hedge::Hedge;
use crate::maintain::Maintenance;
use crate::mode::MirrorMode;
use crate::provider::{MirroredKeyProvider, NAME};
use crate::settings::{JwksMerge, OnPrimaryLoss, Settings};

/// The configuration of a mirrored provider: two more providers, and the [`Settings`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    primary: ProviderConfig,
    secondary: ProviderConfig,
    #[serde(alias = "mirror_mode", default)]
    mode: MirrorMode,
    #[serde(default = "yes")]
    fail_open_reads: bool,
    #[serde(default)]
    jwks_merge: JwksMerge,
    #[serde(default)]
    on_primary_loss: OnPrimaryLoss,
    #[serde(default = "some")]
    repairs_at_once: NonZeroUsize,
    #[serde(default)]
    deadlines: Deadlines,
    #[serde(default)]
    breaker: BreakerSettings,
    hedge: Option<Hedge>,
    #[serde(default, with = "crate::durations::optional")]
    jwks_max_stale: Option<Duration>,
    #[serde(default)]
    maintenance: Maintenance,
    state: Option<StateConfig>,
}

/// Where the mirror keeps its state, if not in memory.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateConfig {
    /// A file of this machine, for a `RedbStore`.
    path: PathBuf,
}

const fn yes() -> bool {
    true
}

const fn some() -> NonZeroUsize {
    Settings::REPAIRS_AT_ONCE
}

inventory::submit! { MirroredKeyProvider::REGISTRATION }
inventory::submit! { ProviderRegistration::new(PEAGEN_GROUP, "mirrored", env!("CARGO_PKG_NAME"), build) }

impl MirroredKeyProvider {
    /// What registers this provider under [`NAME`], for registries that are filled by hand.
    pub const REGISTRATION: ProviderRegistration =
        ProviderRegistration::new(GROUP, NAME, env!("CARGO_PKG_NAME"), build);
}

fn build<'a>(config: &'a ProviderConfig, registry: &'a Registry) -> BuildFuture<'a> {
    Box::pin(async move {
        let given: Config = config.settings()?;
        let primary = nested(registry, "primary", &given.primary).await?;
        let secondary = nested(registry, "secondary", &given.secondary).await?;
        let settings = Settings {
            mode: given.mode,
            fail_open_reads: given.fail_open_reads,
            jwks_merge: given.jwks_merge,
            on_primary_loss: given.on_primary_loss,
            repairs_at_once: given.repairs_at_once,
            deadlines: given.deadlines,
            breaker: given.breaker,
            hedge: given.hedge,
            jwks_max_stale: given.jwks_max_stale,
            maintenance: given.maintenance,
        };
        let mut builder = MirroredKeyProvider::builder(primary, secondary).settings(settings);
        if let Some(StateConfig { path }) = given.state {
            let store = open_state(&path).await.map_err(|error| config.error(format!("state: {error}")))?;
            builder = builder.state(store);
        }
        let mirror = builder.open().await.map_err(|error| config.error(error.to_string()))?;
        Ok(Arc::new(mirror) as Arc<dyn KeyProvider>)
    })
}

#[cfg(feature = "redb")]
async fn open_state(path: &Path) -> Result<Arc<dyn KeyStore>, StoreError> {
    Ok(Arc::new(swarmauri_keystore::RedbStore::open(path).await?))
}

#[cfg(not(feature = "redb"))]
#[allow(clippy::unused_async, reason = "the one with the engine waits")]
async fn open_state(path: &Path) -> Result<Arc<dyn KeyStore>, StoreError> {
    Err(StoreError::refused(format!(
        "to keep it in {} enable the feature `redb` of swarmauri-keyprovider-mirrored",
        path.display()
    )))
}

async fn nested(
    registry: &Registry,
    side: &str,
    config: &ProviderConfig,
) -> Result<Arc<dyn KeyProvider>, RegistryError> {
    registry.build(config).await.map_err(|error| error.nested_in(side))
}
