//! Registration by name, and configuration.

use std::sync::Arc;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use swarmauri_keyprovider::registry::{BuildFuture, GROUP, PEAGEN_GROUP, ProviderRegistration, Registry};
use swarmauri_keyprovider::{KeyProvider, ProviderConfig, inventory};

use crate::LocalKeyProvider;

impl LocalKeyProvider {
    /// What registers this provider under [`LocalKeyProvider::NAME`], for registries that are filled by hand.
    pub const REGISTRATION: ProviderRegistration =
        ProviderRegistration::new(GROUP, Self::NAME, env!("CARGO_PKG_NAME"), build);
}

inventory::submit! { LocalKeyProvider::REGISTRATION }

inventory::submit! {
    ProviderRegistration::new(PEAGEN_GROUP, "local", env!("CARGO_PKG_NAME"), build)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LocalConfig {
    #[serde(default, deserialize_with = "whole_number")]
    max_encryptions: Option<u64>,
}

/// What is read as a number and is none is refused without a word on which setting it is.
fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Option::deserialize(deserializer)
        .map_err(|_| D::Error::custom("max_encryptions is a positive whole number"))
}

fn build<'a>(config: &'a ProviderConfig, _: &'a Registry) -> BuildFuture<'a> {
    Box::pin(async move {
        let LocalConfig { max_encryptions } = config.settings()?;
        let provider = match max_encryptions {
            None => LocalKeyProvider::new(),
            Some(most) => LocalKeyProvider::with_max_encryptions(most)
                .map_err(|error| config.error(format!("max_encryptions: {error}")))?,
        };
        Ok(Arc::new(provider) as Arc<dyn KeyProvider>)
    })
}
