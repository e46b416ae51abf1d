//! Providers by name.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use swarmauri_keys::KeyError;

use crate::{KeyProvider, ProviderConfig};

/// The group of names under which key providers register.
pub const GROUP: &str = "swarmauri.key_providers";

/// The group of short names that peagen's configuration files use.
pub const PEAGEN_GROUP: &str = "peagen.plugins.key_providers";

/// A future that builds a provider.
pub type BuildFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Arc<dyn KeyProvider>, RegistryError>> + Send + 'a>>;

/// How a provider is built from its configuration; the registry serves nested ones.
pub type BuildFn = for<'a> fn(&'a ProviderConfig, &'a Registry) -> BuildFuture<'a>;

/// One name of one provider, as a crate submits it.
///
/// ```
/// # use std::sync::Arc;
/// # use swarmauri_keyprovider::registry::{self, ProviderRegistration, BuildFuture, Registry};
/// # use swarmauri_keyprovider::ProviderConfig;
/// fn build<'a>(config: &'a ProviderConfig, _: &'a Registry) -> BuildFuture<'a> {
///     // Read config.settings(), and make the provider.
/// #   Box::pin(async move { Err(config.error("an example")) })
/// }
///
/// inventory::submit! {
///     ProviderRegistration::new(registry::GROUP, "MyKeyProvider", env!("CARGO_PKG_NAME"), build)
/// }
/// # fn main() {}
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ProviderRegistration {
    group: &'static str,
    name: &'static str,
    crate_name: &'static str,
    build: BuildFn,
}

inventory::collect!(ProviderRegistration);

impl ProviderRegistration {
    /// Registers a name in a group for the provider of a crate.
    pub const fn new(
        group: &'static str,
        name: &'static str,
        crate_name: &'static str,
        build: BuildFn,
    ) -> Self {
        Self { group, name, crate_name, build }
    }

    /// The group.
    pub fn group(&self) -> &'static str {
        self.group
    }

    /// The name within the group.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The crate that submitted it.
    pub fn crate_name(&self) -> &'static str {
        self.crate_name
    }

    /// Builds the provider.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Config`] for settings that it does not know or understand,
    /// [`RegistryError::Provider`] if the provider refuses to start.
    pub async fn build(
        &self,
        config: &ProviderConfig,
        registry: &Registry,
    ) -> Result<Arc<dyn KeyProvider>, RegistryError> {
        (self.build)(config, registry).await
    }
}

/// What goes wrong when a provider is looked up or built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// No provider of that name is linked into this program, or registered.
    #[error(
        "unknown key provider {name:?} in group {group}; known are: {}. A crate that is only named in \
         Cargo.toml is not linked: write `use its_crate as _;`",
        list(known)
    )]
    Unknown {
        /// The group that was searched.
        group: String,
        /// The name that was looked up.
        name: String,
        /// The names there are, sorted.
        known: Vec<String>,
    },
    /// Two crates claim one name.
    #[error("key provider {name:?} in group {group} is registered twice: by {first} and by {second}")]
    Duplicate {
        /// The group.
        group: String,
        /// The name.
        name: String,
        /// One crate.
        first: String,
        /// The other crate.
        second: String,
    },
    /// The configuration is wrong.
    #[error("configuration of {provider}: {reason}")]
    Config {
        /// The provider's name; for nested ones with the path to it.
        provider: String,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// The provider refused to start.
    #[error("{provider}: {source}")]
    Provider {
        /// The provider's name; for nested ones with the path to it.
        provider: String,
        /// Its error.
        source: KeyError,
    },
}

impl RegistryError {
    /// The same error, of a provider that is nested in the setting of this name.
    #[must_use]
    pub fn nested_in(self, setting: &str) -> Self {
        let nested = |provider: String| format!("{setting}: {provider}");
        match self {
            Self::Config { provider, reason } => Self::Config { provider: nested(provider), reason },
            Self::Provider { provider, source } => Self::Provider { provider: nested(provider), source },
            unknown @ (Self::Unknown { .. } | Self::Duplicate { .. }) => unknown,
        }
    }
}

fn list(known: &[String]) -> String {
    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
}

/// Providers by group and name.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    by_name: BTreeMap<(&'static str, &'static str), ProviderRegistration>,
}

impl Registry {
    /// An empty registry, for those who do not want link-time registration.
    pub fn new() -> Self {
        Self::default()
    }

    /// A registry of all providers that are linked into this program.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Duplicate`] if two crates claim one name.
    pub fn linked() -> Result<Self, RegistryError> {
        let mut registry = Self::new();
        for registration in inventory::iter::<ProviderRegistration> {
            registry.register(*registration)?;
        }
        Ok(registry)
    }

    /// Adds a provider.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Duplicate`] if its name is taken; the registry is unchanged then.
    pub fn register(&mut self, registration: ProviderRegistration) -> Result<(), RegistryError> {
        let key = (registration.group, registration.name);
        if let Some(first) = self.by_name.get(&key) {
            let mut crates = [first.crate_name, registration.crate_name];
            crates.sort_unstable();
            let [first, second] = crates.map(str::to_owned);
            return Err(RegistryError::Duplicate {
                group: registration.group.to_owned(),
                name: registration.name.to_owned(),
                first,
                second,
            });
        }
        self.by_name.insert(key, registration);
        Ok(())
    }

    /// The names in [`GROUP`], sorted.
    pub fn names(&self) -> Vec<&'static str> {
        self.names_in(GROUP)
    }

    /// The names in a group, sorted.
    pub fn names_in(&self, group: &str) -> Vec<&'static str> {
        self.by_name.keys().filter(|(of, _)| *of == group).map(|(_, name)| *name).collect()
    }

    /// Looks a provider up in [`GROUP`].
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unknown`], listing the known names.
    pub fn lookup(&self, name: &str) -> Result<ProviderRegistration, RegistryError> {
        self.lookup_in(GROUP, name)
    }

    /// Looks a provider up in a group.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unknown`], listing the known names.
    pub fn lookup_in(&self, group: &str, name: &str) -> Result<ProviderRegistration, RegistryError> {
        let found = self.by_name.values().find(|one| one.group == group && one.name == name);
        found.copied().ok_or_else(|| RegistryError::Unknown {
            group: group.to_owned(),
            name: name.to_owned(),
            known: self.names_in(group).into_iter().map(str::to_owned).collect(),
        })
    }

    /// Builds the provider that the configuration's `type` names: a name in [`GROUP`], or failing that
    /// in [`PEAGEN_GROUP`].
    ///
    /// # Errors
    ///
    /// Any [`RegistryError`].
    pub async fn build(&self, config: &ProviderConfig) -> Result<Arc<dyn KeyProvider>, RegistryError> {
        let name = config.type_name();
        let found = match self.lookup_in(PEAGEN_GROUP, name) {
            Ok(short) if self.lookup(name).is_err() => short,
            _ => self.lookup(name)?,
        };
        found.build(config, self).await
    }
}

/// The names in [`GROUP`] of the providers that are linked into this program, sorted.
///
/// # Errors
///
/// [`RegistryError::Duplicate`] if two crates claim one name.
pub fn names() -> Result<Vec<&'static str>, RegistryError> {
    Ok(Registry::linked()?.names())
}

/// Looks a linked provider up in [`GROUP`].
///
/// # Errors
///
/// [`RegistryError::Unknown`] or [`RegistryError::Duplicate`].
pub fn lookup(name: &str) -> Result<ProviderRegistration, RegistryError> {
    Registry::linked()?.lookup(name)
}

/// Looks a linked provider up in a group.
///
/// # Errors
///
/// [`RegistryError::Unknown`] or [`RegistryError::Duplicate`].
pub fn lookup_in(group: &str, name: &str) -> Result<ProviderRegistration, RegistryError> {
    Registry::linked()?.lookup_in(group, name)
}

/// Builds a linked provider from its configuration.
///
/// # Errors
///
/// Any [`RegistryError`].
pub async fn build(config: &ProviderConfig) -> Result<Arc<dyn KeyProvider>, RegistryError> {
    Registry::linked()?.build(config).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn never<'a>(config: &'a ProviderConfig, _: &'a Registry) -> BuildFuture<'a> {
        Box::pin(async move { Err(config.error("this one is never built")) })
    }

    fn registration(name: &'static str, crate_name: &'static str) -> ProviderRegistration {
        ProviderRegistration::new(GROUP, name, crate_name, never)
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones_sorted() {
        let mut registry = Registry::new();
        registry.register(registration("B", "b")).unwrap();
        registry.register(registration("A", "a")).unwrap();
        let error = registry.lookup("C").unwrap_err().to_string();
        assert!(error.contains("\"C\"") && error.contains("A, B"), "{error}");
        assert!(registry.lookup_in(PEAGEN_GROUP, "A").unwrap_err().to_string().contains("known are: none"));
    }

    #[test]
    fn a_duplicate_names_both_crates_and_keeps_the_first() {
        let mut registry = Registry::new();
        registry.register(registration("A", "zebra")).unwrap();
        let error = registry.register(registration("A", "ant")).unwrap_err().to_string();
        assert!(error.contains("by ant and by zebra"), "{error}");
        assert_eq!(registry.lookup("A").unwrap().crate_name(), "zebra");
    }

    #[tokio::test]
    async fn build_goes_by_type() {
        let mut registry = Registry::new();
        registry.register(registration("A", "a")).unwrap();
        let config: ProviderConfig = serde_json::from_str(r#"{"type":"A"}"#).unwrap();
        let error = registry.build(&config).await.unwrap_err().nested_in("primary").to_string();
        assert_eq!(error, "configuration of primary: A: this one is never built");
    }
}
