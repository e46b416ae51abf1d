//! Found by name, from a binary that links the crate.

use swarmauri_keyprovider::registry::{self, GROUP, PEAGEN_GROUP};
use swarmauri_keyprovider::{KeyProvider, ProviderConfig};
use swarmauri_keyprovider_local::LocalKeyProvider;

#[test]
fn it_is_registered_under_both_groups() {
    for (group, name) in [(GROUP, "LocalKeyProvider"), (PEAGEN_GROUP, "local")] {
        let found = registry::lookup_in(group, name).unwrap();
        assert_eq!(found.crate_name(), "swarmauri-keyprovider-local");
    }
    assert_eq!(LocalKeyProvider::new().name(), "LocalKeyProvider");
}

#[tokio::test]
async fn it_is_built_by_either_name_and_refuses_settings_it_does_not_know() {
    for name in ["LocalKeyProvider", "local"] {
        let built = registry::build(&ProviderConfig::new(name)).await.unwrap();
        assert_eq!(built.name(), "LocalKeyProvider");
        let error = registry::build(&ProviderConfig::new(name).with("path", "/")).await.unwrap_err();
        assert!(error.to_string().contains("`path`"), "{error}");
    }
}
