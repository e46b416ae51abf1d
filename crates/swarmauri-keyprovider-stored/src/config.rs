//! Registration by name, and configuration.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use swarmauri_keyprovider::registry::{
    BuildFuture, GROUP, PEAGEN_GROUP, ProviderRegistration, Registry, RegistryError,
};
use swarmauri_keyprovider::{KeyProvider, ProviderConfig, inventory};
use swarmauri_keys::KeyError;
use swarmauri_keystore::KeyStore;

use crate::blocking::off_the_executor;
use crate::{SealingKey, StoredKeyProvider};

impl StoredKeyProvider {
    /// What registers this provider under [`StoredKeyProvider::NAME`], for registries that are filled by hand.
    pub const REGISTRATION: ProviderRegistration =
        ProviderRegistration::new(GROUP, Self::NAME, env!("CARGO_PKG_NAME"), build);
}

inventory::submit! { StoredKeyProvider::REGISTRATION }

inventory::submit! {
    ProviderRegistration::new(PEAGEN_GROUP, "file", env!("CARGO_PKG_NAME"), build)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileConfig {
    path: PathBuf,
    sealing_key: Source,
    #[serde(default, deserialize_with = "whole_number")]
    max_encryptions: Option<u64>,
}

/// Where the sealing key comes from: just one of these. No secret is written into a configuration.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    file: Option<PathBuf>,
    env: Option<String>,
    passphrase_file: Option<PathBuf>,
    passphrase_env: Option<String>,
}

/// What is read as a number and is none is refused without a word on which setting it is.
fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Option::deserialize(deserializer)
        .map_err(|_| D::Error::custom("max_encryptions is a positive whole number"))
}

impl Source {
    /// Blocks.
    fn read(self) -> Result<SealingKey, KeyError> {
        match self {
            Self { file: Some(path), env: None, passphrase_file: None, passphrase_env: None } => {
                SealingKey::from_file(path)
            }
            Self { file: None, env: Some(name), passphrase_file: None, passphrase_env: None } => {
                SealingKey::from_env(&name)
            }
            Self { file: None, env: None, passphrase_file: Some(path), passphrase_env: None } => {
                SealingKey::passphrase_from_file(path)
            }
            Self { file: None, env: None, passphrase_file: None, passphrase_env: Some(name) } => {
                SealingKey::passphrase_from_env(&name)
            }
            _ => Err(KeyError::invalid_input(
                "sealing_key has one of file, env, passphrase_file and passphrase_env",
            )),
        }
    }
}

fn build<'a>(config: &'a ProviderConfig, _: &'a Registry) -> BuildFuture<'a> {
    Box::pin(async move {
        let config_of: FileConfig = config.settings()?;
        let provider = open(config_of).await;
        let refused = |source| RegistryError::Provider { provider: config.type_name().to_owned(), source };
        provider.map(|provider| Arc::new(provider) as Arc<dyn KeyProvider>).map_err(refused)
    })
}

async fn open(config: FileConfig) -> Result<StoredKeyProvider, KeyError> {
    let FileConfig { path, sealing_key, max_encryptions } = config;
    let sealing = off_the_executor(move || sealing_key.read()).await?;
    let mut builder = StoredKeyProvider::builder(open_file(&path).await?, sealing);
    if let Some(most) = max_encryptions {
        builder = builder.max_encryptions(most);
    }
    builder.open().await
}

/// Opens the embedded engine on a file: the one place that knows it.
#[cfg(feature = "redb")]
async fn open_file(path: &Path) -> Result<Arc<dyn KeyStore>, KeyError> {
    let store = swarmauri_keystore::RedbStore::open(path).await;
    Ok(Arc::new(store.map_err(crate::error::store_failed)?))
}

#[cfg(not(feature = "redb"))]
#[allow(clippy::unused_async, reason = "the one with the engine waits")]
async fn open_file(path: &Path) -> Result<Arc<dyn KeyStore>, KeyError> {
    Err(KeyError::unsupported(format!(
        "keys in {}: enable the feature `redb` of swarmauri-keyprovider-stored",
        path.display()
    )))
}
