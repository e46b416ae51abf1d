//! Found by name, and configured.

use serde_json::json;
use swarmauri_keyprovider::{ProviderConfig, registry};
use swarmauri_keyprovider_stored::StoredKeyProvider;

async fn refusal(settings: serde_json::Value) -> String {
    let config: ProviderConfig = serde_json::from_value(settings).unwrap();
    registry::build(&config).await.unwrap_err().to_string()
}

#[test]
fn it_is_registered_by_both_names() {
    assert_eq!(StoredKeyProvider::NAME, "FileKeyProvider");
    for found in [registry::lookup("FileKeyProvider"), registry::lookup_in(registry::PEAGEN_GROUP, "file")] {
        assert_eq!(found.unwrap().crate_name(), "swarmauri-keyprovider-stored");
    }
}

#[tokio::test]
async fn wrong_settings_are_named_and_not_quoted() {
    let with = |sealing_key| json!({"type": "FileKeyProvider", "path": "keys", "sealing_key": sealing_key});
    for (settings, named) in [
        (json!({"type": "FileKeyProvider"}), "`path`"),
        (json!({"type": "FileKeyProvider", "path": "keys"}), "`sealing_key`"),
        (json!({"type": "FileKeyProvider", "pathh": "keys"}), "`pathh`"),
        (with(json!("hunter2")), "string"),
        (with(json!(["hunter2"])), "invalid length"),
        (with(json!({"key": "hunter2"})), "`key`"),
        (with(json!({})), "one of file, env, passphrase_file and passphrase_env"),
        (with(json!({"file": "a", "env": "b"})), "one of file, env"),
        (with(json!({"env": "STORED_NOT_SET"})), "STORED_NOT_SET is not set"),
        (with(json!({"file": "no/such/file"})), "no/such/file"),
    ] {
        let error = refusal(settings).await;
        assert!(error.contains(named), "{named} is missing from: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    let mut settings = with(json!({"env": "X"}));
    settings["max_encryptions"] = json!("hunter2");
    let error = refusal(settings).await;
    assert!(error.contains("max_encryptions") && !error.contains("hunter2"), "{error}");
}
