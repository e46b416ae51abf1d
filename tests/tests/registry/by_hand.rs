//! A registry that is filled by hand holds what was put into it, and nothing else.

use swarmauri_keyprovider::registry::{self, PEAGEN_GROUP, Registry};
use swarmauri_keyprovider::{KeyProviderExt, ProviderConfig};
use swarmauri_keyprovider_local as _;
use swarmauri_keyprovider_mirrored::MirroredKeyProvider;
use swarmauri_keys::KeyAlg;

fn mirror_of_locals() -> ProviderConfig {
    let json = r#"{"type": "MirroredKeyProvider", "primary": {"type": "LocalKeyProvider"},
        "secondary": {"type": "LocalKeyProvider"}}"#;
    serde_json::from_str(json).unwrap()
}

#[tokio::test]
async fn nested_providers_come_from_the_registry_that_builds_the_outer_one() {
    let mut registry = Registry::new();
    registry.register(MirroredKeyProvider::REGISTRATION).unwrap();
    assert_eq!(registry.names(), ["MirroredKeyProvider"]);
    assert!(registry.names_in(PEAGEN_GROUP).is_empty());

    // The local provider is linked, and still not known here.
    let error = registry.build(&mirror_of_locals()).await.unwrap_err().to_string();
    assert!(error.contains("\"LocalKeyProvider\"") && error.contains("known are: Mirrored"), "{error}");

    registry.register(registry::lookup("LocalKeyProvider").unwrap()).unwrap();
    let provider = registry.build(&mirror_of_locals()).await.unwrap();
    assert_eq!(provider.name(), "MirroredKeyProvider");
    let key = provider.create(KeyAlg::Ed25519).await.unwrap();
    assert_eq!(provider.get_public_jwk(key.kid(), None).await.unwrap(), key.public_jwk().unwrap());
}

#[test]
fn a_name_is_taken_once() {
    let mut registry = Registry::new();
    registry.register(MirroredKeyProvider::REGISTRATION).unwrap();
    let error = registry.register(MirroredKeyProvider::REGISTRATION).unwrap_err().to_string();
    assert!(error.contains("twice") && error.contains("swarmauri-keyprovider-mirrored"), "{error}");
    assert_eq!(registry.names(), ["MirroredKeyProvider"]);
}
