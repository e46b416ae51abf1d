//! Configuration of providers, mirrored ones with two more in them included.

use std::sync::LazyLock;

use serde_json::Value;
use swarmauri_keyprovider::ProviderConfig;
use swarmauri_keyprovider::registry::{GROUP, PEAGEN_GROUP, Registry};

use crate::check::{now, quotes_little};
// Whoever is not named is not linked.
use swarmauri_keyprovider_local as _;
use swarmauri_keyprovider_mirrored as _;
use swarmauri_keyprovider_stored as _;

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::linked().expect("no name is there twice"));

/// Settings whose values errors may name: they are no secrets, and whoever wrote them wants to know which is wrong.
const NAMES: [&str; 10] = [
    "type",
    "mode",
    "mirror_mode",
    "jwks_merge",
    "on_primary_loss",
    "path",
    "file",
    "env",
    "passphrase_file",
    "passphrase_env",
];

/// Settings that are numbers.
const COUNTS: [&str; 2] = ["max_encryptions", "repairs_at_once"];

/// A provider is built, or an error says of which one what is wrong; what it says does not depend on any setting's value.
pub fn run(input: &[u8]) {
    let config = match serde_json::from_slice::<ProviderConfig>(input) {
        Ok(config) => config,
        Err(error) => return quotes_little(&error, input),
    };
    let again = serde_json::from_slice::<ProviderConfig>(input).expect("it was read before");
    assert!(config == again, "it is read as the same");
    let document: Value = serde_json::from_slice(input).expect("what was read is JSON");
    let masked = read(masked(document.clone()));
    assert_eq!(format!("{config:?}"), format!("{masked:?}"), "no value is shown");

    let registered = lookup(config.type_name());
    let built = build(document);
    match &built {
        Ok(()) => assert!(registered, "an unknown provider is not built"),
        Err(text) => assert!(registered || REGISTRY.names().iter().all(|name| text.contains(name)), "{text}"),
    }
    let of_masked = serde_json::from_slice(input).map(self::masked).expect("it is JSON");
    assert_eq!(build(of_masked), built, "no value is repeated");
}

/// Whether a name is known in either group.
fn lookup(name: &str) -> bool {
    let groups = [GROUP, PEAGEN_GROUP];
    let found = groups.iter().any(|group| REGISTRY.lookup_in(group, name).is_ok());
    assert_eq!(found, groups.iter().any(|group| REGISTRY.names_in(group).contains(&name)));
    found
}

/// Builds what is configured, but for its files; gives the text of an error.
fn build(mut document: Value) -> Result<(), String> {
    nowhere(&mut document);
    let provider = now(REGISTRY.build(&read(document))).map_err(|error| error.to_string())?;
    assert!(!provider.name().is_empty() && !format!("{provider:?}").is_empty());
    assert_eq!(provider.supports(), provider.supports());
    Ok(())
}

fn read(document: Value) -> ProviderConfig {
    serde_json::from_value(document).expect("it was read before")
}

/// The same with other texts and numbers as values, but for those that may be named.
fn masked(mut document: Value) -> Value {
    each_value(&mut document, &|setting, value| match value {
        Value::String(text) if setting.is_some_and(|name| !NAMES.contains(&name)) => {
            "masked".clone_into(text);
        }
        Value::Number(number) if setting.is_some_and(|name| !COUNTS.contains(&name)) => {
            *value = if number.is_f64() { 0.5.into() } else { 1.into() };
        }
        _ => {}
    });
    document
}

/// Puts all paths where no file can be: a fuzzer has no business in the file system.
fn nowhere(document: &mut Value) {
    each_value(document, &|setting, value| {
        // A struct may be read from a list, too.
        if let Value::String(text) = value
            && setting.is_none_or(|name| ["path", "file", "passphrase_file"].contains(&name))
        {
            // No path has a NUL in it, on any system.
            "\0/nowhere".clone_into(text);
        }
    });
}

/// Calls with each value that has none in it, and the name of the setting that it is the value of.
fn each_value(document: &mut Value, change: &impl Fn(Option<&str>, &mut Value)) {
    let one = |setting: Option<&str>, value: &mut Value| match value {
        Value::Object(_) | Value::Array(_) => each_value(value, change),
        _ => change(setting, value),
    };
    match document {
        Value::Object(members) => members.iter_mut().for_each(|(name, value)| one(Some(name), value)),
        Value::Array(items) => items.iter_mut().for_each(|item| one(None, item)),
        _ => {}
    }
}
