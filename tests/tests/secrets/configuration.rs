//! Settings may hold passwords.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;
use swarmauri_keyprovider::registry::{BuildFuture, GROUP, ProviderRegistration, Registry};
use swarmauri_keyprovider::{KeyProvider, ProviderConfig};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_mirrored::MirroredKeyProvider;
use swarmauri_keyprovider_testkit::capture_tracing_of;

use crate::shown::Shown;

const PASSWORD: &str = "correct-horse-battery-staple";
/// A password that somebody forgot to quote.
const PIN: u64 = 4_815_162_342_108;

/// What a provider that is out on a network would want to know.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VaultSettings {
    password: String,
    #[serde(default)]
    port: u16,
}

fn build<'a>(config: &'a ProviderConfig, _: &'a Registry) -> BuildFuture<'a> {
    Box::pin(async move {
        let VaultSettings { password, port } = config.settings()?;
        assert!(!password.is_empty() && port < u16::MAX);
        Ok(Arc::new(LocalKeyProvider::new()) as Arc<dyn KeyProvider>)
    })
}

fn registry() -> Registry {
    let mut registry = Registry::new();
    registry.register(MirroredKeyProvider::REGISTRATION).unwrap();
    registry.register(ProviderRegistration::new(GROUP, "Vault", env!("CARGO_PKG_NAME"), build)).unwrap();
    registry
}

/// Builds from this, alone and as either side of a mirror, and collects what is said of it.
async fn build_everywhere(shown: &mut Shown, vault: serde_json::Value) -> usize {
    let good = json!({ "type": "Vault", "password": "another" });
    let mut refused = 0;
    for config in [
        vault.clone(),
        json!({ "type": "MirroredKeyProvider", "primary": vault, "secondary": good }),
        json!({ "type": "MirroredKeyProvider", "primary": good, "secondary": vault }),
    ] {
        match serde_json::from_str::<ProviderConfig>(&config.to_string()) {
            Err(error) => {
                refused += 1;
                shown.error(&error);
            }
            Ok(config) => {
                shown.debug(&config);
                let registry = registry();
                let (built, told) = capture_tracing_of(registry.build(&config)).await;
                shown.text(&told);
                refused += usize::from(built.is_err());
                shown.error_of(built);
            }
        }
    }
    refused
}

#[tokio::test]
async fn promise_9_a_password_does_not_show_in_its_configuration() {
    let mut shown = Shown::default();
    let right = json!({ "type": "Vault", "password": PASSWORD });
    assert_eq!(build_everywhere(&mut shown, right).await, 0);
    shown.debug(&ProviderConfig::new("Vault").with("password", PASSWORD));
    shown.debug(&registry());
    shown.assert_free_of_text(PASSWORD);
}

#[tokio::test]
async fn promise_9_a_password_does_not_show_in_errors_about_the_settings_beside_it() {
    for wrong in [
        json!({ "type": "Vault", "password": PASSWORD, "prot": 1 }),
        json!({ "type": "Vault", "password": PASSWORD, "port": -1 }),
        json!({ "type": "Vault", "passwort": PASSWORD }),
        json!({ "type": "Wault", "password": PASSWORD }),
        json!({ "password": PASSWORD }),
    ] {
        let mut shown = Shown::default();
        assert_eq!(build_everywhere(&mut shown, wrong).await, 3);
        shown.assert_free_of_text(PASSWORD);
    }
}

#[tokio::test]
async fn promise_9_a_password_of_the_wrong_type_or_in_the_wrong_place_is_not_quoted() {
    for wrong in [
        json!({ "type": "Vault", "password": [PASSWORD] }),
        json!({ "type": "Vault", "password": { "value": PASSWORD } }),
        json!({ "type": "Vault", "password": PIN }),
        json!({ "type": "Vault", "password": "x", "port": PASSWORD }),
        json!(format!("vault://user:{PASSWORD}@example.com")),
        json!([PASSWORD]),
    ] {
        let mut shown = Shown::default();
        assert_eq!(build_everywhere(&mut shown, wrong).await, 3);
        shown.assert_free_of_text(PASSWORD);
        shown.assert_free_of_text(&PIN.to_string());
    }
}
