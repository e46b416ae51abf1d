//! Configuration of a provider, as serde data with a `type`.

use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::RegistryError;

/// Configuration of a provider: the name it is registered by, and its settings.
///
/// Settings may hold passwords: `Debug` shows their names alone, and there is no `Serialize`.
///
/// ```
/// use swarmauri_keyprovider::ProviderConfig;
///
/// let config: ProviderConfig = serde_json::from_str(r#"{"type": "LocalKeyProvider"}"#)?;
/// assert_eq!(config.type_name(), "LocalKeyProvider");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Deserialize)]
pub struct ProviderConfig {
    #[serde(rename = "type")]
    type_name: String,
    #[serde(flatten)]
    settings: Map<String, Value>,
}

impl ProviderConfig {
    /// Configuration without settings.
    pub fn new(type_name: impl Into<String>) -> Self {
        Self { type_name: type_name.into(), settings: Map::new() }
    }

    /// The same with one more setting.
    #[must_use]
    pub fn with(mut self, setting: impl Into<String>, value: impl Into<Value>) -> Self {
        self.settings.insert(setting.into(), value.into());
        self
    }

    /// The name that the provider is registered by.
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// Reads the settings as a provider's own type, which should `deny_unknown_fields`.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Config`] that says which setting is wrong.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T, RegistryError> {
        serde_json::from_value(Value::Object(self.settings.clone()))
            .map_err(|error| self.error(error.to_string()))
    }

    /// [`RegistryError::Config`] about this configuration.
    pub fn error(&self, reason: impl Into<String>) -> RegistryError {
        RegistryError::Config { provider: self.type_name.clone(), reason: reason.into() }
    }
}

impl fmt::Debug for ProviderConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.settings.keys().collect();
        f.debug_struct("ProviderConfig").field("type", &self.type_name).field("settings", &names).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        #[serde(default)]
        size: u32,
    }

    #[test]
    fn unknown_settings_are_named() {
        let config = ProviderConfig::new("P").with("size", 1).with("sise", 2);
        let error = config.settings::<Settings>().unwrap_err().to_string();
        assert!(error.contains("configuration of P") && error.contains("`sise`"), "{error}");
        assert_eq!(ProviderConfig::new("P").with("size", 1).settings::<Settings>().unwrap().size, 1);
    }

    #[test]
    fn debug_shows_no_value() {
        let shown = format!("{:?}", ProviderConfig::new("P").with("password", "hunter2"));
        assert_eq!(shown, r#"ProviderConfig { type: "P", settings: ["password"] }"#);
    }

    #[test]
    fn a_missing_type_is_named() {
        let error = serde_json::from_str::<ProviderConfig>("{}").unwrap_err().to_string();
        assert!(error.contains("`type`"), "{error}");
    }
}
