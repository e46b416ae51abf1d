//! Configuration and lookup by name.

#[cfg(feature = "redb")]
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use swarmauri_keyprovider::registry::{self, PEAGEN_GROUP, Registry};
use swarmauri_keyprovider::{Feature, KeyProvider, KeyProviderExt, ProviderConfig};
use swarmauri_keyprovider_mirrored::{Fidelity, KeptReason, MirrorMode, MirroredKeyProvider, Settings};
use swarmauri_keys::KeyAlg;
#[cfg(feature = "redb")]
use swarmauri_keys::{KeyErrorKind, KeySpec};

fn config(settings: &str) -> ProviderConfig {
    serde_json::from_str(&format!(
        r#"{{"type":"MirroredKeyProvider","primary":{{"type":"LocalKeyProvider"}},
            "secondary":{{"type":"LocalKeyProvider"}}{settings}}}"#
    ))
    .unwrap()
}

async fn refusal(config: &ProviderConfig) -> String {
    registry::build(config).await.unwrap_err().to_string()
}

#[tokio::test]
async fn it_is_built_from_configuration_under_both_its_names() {
    assert!(registry::lookup("MirroredKeyProvider").is_ok());
    assert!(registry::lookup_in(PEAGEN_GROUP, "mirrored").is_ok());
    assert!(registry::lookup("mirrored").is_err(), "that name is of the other group");
    let provider = registry::build(&config(r#","mode":"full","fail_open_reads":false"#)).await.unwrap();
    let can = provider.supports();
    assert!(can.has(Feature::MirrorFull) && !can.has(Feature::Failover));
    provider.create(KeyAlg::Ed25519).await.unwrap();
    let short: ProviderConfig = serde_json::from_str(
        r#"{"type":"mirrored","primary":{"type":"local"},"secondary":{"type":"local"},"mirror_mode":"none"}"#,
    )
    .unwrap();
    assert!(registry::build(&short).await.unwrap().supports().has(Feature::MirrorNone));
}

#[tokio::test]
async fn wrong_configuration_says_what_is_wrong_and_where() {
    for (settings, hints) in [
        (r#","mode":"both""#, &["`both`", "public_only", "full", "none"][..]),
        (r#","fail_open":true"#, &["`fail_open`", "fail_open_reads"]),
        (r#","jwks_merge":"some""#, &["`some`", "replicas_only"]),
        (r#","on_primary_loss":"cry""#, &["`cry`", "serve_replica"]),
    ] {
        let error = refusal(&config(settings)).await;
        for hint in hints {
            assert!(error.contains(hint), "{error}");
        }
    }
    let nested: ProviderConfig = serde_json::from_str(
        r#"{"type":"MirroredKeyProvider","primary":{"type":"LocalKeyProvider","pth":1},
            "secondary":{"type":"LocalKeyProvider"}}"#,
    )
    .unwrap();
    let error = refusal(&nested).await;
    assert!(error.contains("primary: LocalKeyProvider") && error.contains("`pth`"), "{error}");
    let missing: ProviderConfig =
        serde_json::from_str(r#"{"type":"MirroredKeyProvider","primary":{"type":"LocalKeyProvider"}}"#)
            .unwrap();
    assert!(refusal(&missing).await.contains("`secondary`"));
}

#[tokio::test]
async fn a_registry_can_be_filled_by_hand() {
    let mut own = Registry::new();
    own.register(MirroredKeyProvider::REGISTRATION).unwrap();
    let error = own.build(&config("")).await.unwrap_err().to_string();
    assert!(error.contains("\"LocalKeyProvider\"") && error.contains("MirroredKeyProvider"), "{error}");
    let error = own.register(MirroredKeyProvider::REGISTRATION).unwrap_err().to_string();
    assert!(error.contains("twice"), "{error}");
    let _: Arc<dyn KeyProvider> = registry::build(&config("")).await.unwrap();
}

#[test]
fn names_are_the_same_in_serde_in_display_and_in_parsing() {
    fn shown<T: serde::Serialize + ToString>(all: &[T]) -> Vec<String> {
        let name = |one: &T| {
            assert_eq!(serde_json::to_value(one).unwrap(), one.to_string());
            one.to_string()
        };
        all.iter().map(name).collect()
    }
    let modes = [MirrorMode::PublicOnly, MirrorMode::Full, MirrorMode::None];
    assert_eq!(shown(&modes), ["public_only", "full", "none"]);
    assert_eq!(modes.map(|mode| mode.as_str().parse::<MirrorMode>().unwrap()), modes);
    let fidelities = [Fidelity::PublicOnly, Fidelity::PublicOnlyFallback, Fidelity::Full];
    assert_eq!(shown(&fidelities), ["public_only", "public_only_fallback", "full"]);
    assert_eq!(fidelities.map(|fidelity| fidelity.as_str().parse::<Fidelity>().unwrap()), fidelities);
    assert_eq!(shown(&[KeptReason::NoPublicPart, KeptReason::Policy]), ["no_public_part", "policy"]);
}

/// With its state in a file, a mirror that is built again from the same configuration knows what it did.
#[cfg(feature = "redb")]
#[tokio::test]
async fn its_state_is_kept_in_the_file_that_is_configured() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("configured-{}", std::process::id()));
    let path = folder.join("state.redb");
    let settings = format!(r#","state":{{"path":{}}}"#, serde_json::to_string(&path).unwrap());
    let mirror = registry::build(&config(&settings)).await.unwrap();
    let key = mirror.create(KeyAlg::Ed25519).await.unwrap();
    assert!(mirror.destroy_key(key.kid(), None).await.unwrap());

    let error = refusal(&config(&settings)).await;
    assert!(error.contains("state: ") && error.contains(&std::process::id().to_string()), "{error}");
    drop(mirror);
    let again = registry::build(&config(&settings)).await.unwrap();
    let same = KeySpec::new(KeyAlg::Ed25519).with_kid(key.kid().clone());
    let refused = again.create_key(&same).await.unwrap_err();
    assert_eq!(refused.kind(), KeyErrorKind::Conflict, "the local primary is new, and the tombstone is not");
    drop(again);
    std::fs::remove_dir_all(folder).unwrap();
}

#[cfg(not(feature = "redb"))]
#[tokio::test]
async fn without_its_feature_a_state_in_a_file_is_refused() {
    let error = refusal(&config(r#","state":{"path":"state.redb"}"#)).await;
    assert!(error.contains("enable the feature `redb`"), "{error}");
}

#[tokio::test]
async fn waits_are_written_in_words_and_wrong_ones_say_so() {
    let all = config(
        r#","deadlines":{"public_read":"250ms","write":"1m 30s"},"breaker":{"consecutive":3,"max_wait":"1m"},
        "hedge":{"delay":"50ms"},"jwks_max_stale":"10m","maintenance":{"reconcile_every":"1h"}"#,
    );
    registry::build(&all).await.unwrap();
    for (settings, hint) in [
        (r#","deadlines":{"public_read":"soon"}"#, "\"soon\" is no duration"),
        (r#","deadlines":{"public_read":250}"#, "of type integer"),
        (r#","deadlines":{"mirror":"0s"}"#, "deadlines.mirror is zero"),
        (r#","deadlines":{"read":"1s"}"#, "`read`"),
        (r#","breaker":{"window":65}"#, "breaker.window is 65; it must be from 1 to 64"),
        (r#","breaker":{"wait":"2m"}"#, "breaker.max_wait"),
        (r#","hedge":{"delay":"2s"}"#, "hedge.delay"),
        (r#","hedge":{}"#, "`delay`"),
        (r#","jwks_max_stale":"0s""#, "jwks_max_stale is zero"),
        (r#","maintenance":{"retry_at_most":"1ms"}"#, "maintenance.retry_at_most"),
    ] {
        let error = refusal(&config(settings)).await;
        assert!(error.contains(hint), "{settings}: {error}");
    }
}

/// As they are written to a log, say.
#[test]
fn settings_show_their_waits_in_words() {
    let settings = Settings { jwks_max_stale: Some(Duration::from_mins(10)), ..Settings::default() };
    let shown = serde_json::to_value(settings).unwrap();
    assert_eq!(shown["deadlines"]["write"], "15s");
    assert_eq!(shown["maintenance"]["retry_after"], "500ms");
    assert_eq!(shown["jwks_max_stale"], "10m");
}
