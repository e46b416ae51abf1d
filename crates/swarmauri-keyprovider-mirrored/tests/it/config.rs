//! Configuration and lookup by name.

use std::sync::Arc;

use swarmauri_keyprovider::registry::{self, PEAGEN_GROUP, Registry};
use swarmauri_keyprovider::{Feature, KeyProvider, KeyProviderExt, ProviderConfig};
use swarmauri_keyprovider_mirrored::{Fidelity, KeptReason, MirrorMode, MirroredKeyProvider};
use swarmauri_keys::KeyAlg;

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
