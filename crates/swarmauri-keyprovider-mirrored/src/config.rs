//! Configuration and registration.

use std::sync::Arc;

use serde::Deserialize;
use swarmauri_keyprovider::registry::{BuildFuture, GROUP, PEAGEN_GROUP, ProviderRegistration, Registry};
use swarmauri_keyprovider::{KeyProvider, ProviderConfig, RegistryError, inventory};

use crate::mode::MirrorMode;
use crate::provider::{JwksMerge, MirroredKeyProvider, NAME, OnPrimaryLoss, Settings};

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
}

const fn yes() -> bool {
    true
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
        let Config { primary, secondary, mode, fail_open_reads, jwks_merge, on_primary_loss } =
            config.settings()?;
        let primary = nested(registry, "primary", &primary).await?;
        let secondary = nested(registry, "secondary", &secondary).await?;
        let settings = Settings { mode, fail_open_reads, jwks_merge, on_primary_loss };
        let mirror = MirroredKeyProvider::builder(primary, secondary).settings(settings).build();
        let mirror: Arc<dyn KeyProvider> = Arc::new(mirror.map_err(|error| config.error(error.to_string()))?);
        Ok(mirror)
    })
}

async fn nested(
    registry: &Registry,
    side: &str,
    config: &ProviderConfig,
) -> Result<Arc<dyn KeyProvider>, RegistryError> {
    registry.build(config).await.map_err(|error| error.nested_in(side))
}
