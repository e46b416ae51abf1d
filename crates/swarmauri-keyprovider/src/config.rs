//! Configuration of a provider, as serde data with a `type`.

use std::fmt;

use serde::de::{DeserializeOwned, Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use serde_path_to_error::Segment;
use swarmauri_keys::quoted;

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
#[derive(Clone, PartialEq)]
pub struct ProviderConfig {
    type_name: String,
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
        serde_path_to_error::deserialize(Value::Object(self.settings.clone())).map_err(|error| {
            let setting = name_of(error.path());
            self.error(without_values(&setting, &error.into_inner().to_string()))
        })
    }

    /// [`RegistryError::Config`] about this configuration.
    pub fn error(&self, reason: impl Into<String>) -> RegistryError {
        RegistryError::Config { provider: self.type_name.clone(), reason: reason.into() }
    }
}

/// The setting at this place, as `deadlines.public_read`. Names that are long are cut: they may be no names.
fn name_of(path: &serde_path_to_error::Path) -> String {
    let names = path.iter().filter_map(|segment| match segment {
        Segment::Map { key } => Some(key.chars().take(MAX_NAME).collect()),
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    names.collect::<Vec<String>>().join(".")
}

const MAX_NAME: usize = 24;

/// The message of a JSON error, without the value that had the wrong type: it may be a password.
fn without_values(setting: &str, message: &str) -> String {
    let (Some(what), Some((_, expected))) = (
        message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: ")),
        message.rsplit_once(", expected "),
    ) else {
        return message.to_owned();
    };
    let kind = what.split(['"', '`', ',']).next().unwrap_or_default().trim_end();
    if setting.is_empty() {
        return format!("a setting is of type {kind}, expected is {expected}");
    }
    format!("the setting `{setting}` is of type {kind}, expected is {expected}")
}

impl<'de> Deserialize<'de> for ProviderConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ConfigVisitor)
    }
}

struct ConfigVisitor;

const NO_OBJECT: &str = "the configuration of a provider is an object with a `type`";

impl<'de> Visitor<'de> for ConfigVisitor {
    type Value = ProviderConfig;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NO_OBJECT)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ProviderConfig, A::Error> {
        let mut settings = Map::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if settings.contains_key(&name) {
                return Err(A::Error::custom(format_args!("the setting {} is there twice", quoted(&name))));
            }
            settings.insert(name, value);
        }
        match settings.remove("type") {
            Some(Value::String(type_name)) => Ok(ProviderConfig { type_name, settings }),
            Some(_) => Err(A::Error::custom("the `type` of a provider is a string")),
            None => Err(A::Error::missing_field("type")),
        }
    }

    // The default methods would quote what may be a password.

    fn visit_str<E: Error>(self, _: &str) -> Result<ProviderConfig, E> {
        Err(E::custom(NO_OBJECT))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<ProviderConfig, E> {
        Err(E::custom(NO_OBJECT))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<ProviderConfig, E> {
        Err(E::custom(NO_OBJECT))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<ProviderConfig, E> {
        Err(E::custom(NO_OBJECT))
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
    fn a_setting_of_the_wrong_type_is_not_quoted() {
        for (value, kind) in [(serde_json::json!("hunter2"), "string"), (serde_json::json!(-4711), "integer")]
        {
            let error = ProviderConfig::new("P").with("size", value).settings::<Settings>().unwrap_err();
            let shown = error.to_string();
            assert!(shown.contains(&format!("`size` is of type {kind}, expected is u32")), "{shown}");
            assert!(!shown.contains("hunter2") && !shown.contains("4711"), "{shown}");
        }
        for text in [r#""hunter2""#, "4711", r#"{"type":4711}"#, r#"{"type":"P","a":1,"a":2}"#] {
            let shown = serde_json::from_str::<ProviderConfig>(text).unwrap_err().to_string();
            assert!(!shown.contains("hunter2") && !shown.contains("4711"), "{shown}");
        }
    }

    #[test]
    fn a_setting_of_a_nested_provider_is_named_with_its_place() {
        #[derive(Debug, Deserialize)]
        struct Outer {
            #[allow(dead_code, reason = "it is only read")]
            limits: Vec<Settings>,
        }
        let config = ProviderConfig::new("P").with("limits", serde_json::json!([{}, { "size": "4711" }]));
        let shown = config.settings::<Outer>().unwrap_err().to_string();
        assert!(shown.contains("the setting `limits.1.size` is of type string, expected is u32"), "{shown}");
    }

    #[test]
    fn a_missing_type_is_named() {
        let error = serde_json::from_str::<ProviderConfig>("{}").unwrap_err().to_string();
        assert!(error.contains("`type`"), "{error}");
    }
}
