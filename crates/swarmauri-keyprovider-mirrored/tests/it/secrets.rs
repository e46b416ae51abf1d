//! Promises 5 and 9: private material stays where it may be, and never shows.

use swarmauri_keyprovider::{KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_mirrored::{Fidelity, MirrorMode};
use swarmauri_keyprovider_testkit::{Fault, Method, assert_no_secrets, capture_tracing_of, secret_parts};
use swarmauri_keys::{
    ExportPolicy, KeyAlg, KeyError, KeyErrorKind, KeyMaterial, KeySpec, SecretBytes, SpecOverrides,
};

use crate::support::*;

/// Every algorithm that is quick to generate.
const ALGS: [KeyAlg; 5] =
    [KeyAlg::Aes256Gcm, KeyAlg::HmacSha256, KeyAlg::Ed25519, KeyAlg::X25519, KeyAlg::EcdsaP256Sha256];

async fn secrets_of(world: &World) -> Vec<SecretBytes> {
    let mut secrets = Vec::new();
    for summary in world.primary_keys.list_all_keys().await.unwrap() {
        for version in world.primary_keys.list_versions(&summary.kid).await.unwrap() {
            let key = world.primary_keys.get_key(&summary.kid, Some(version), Secrets::Include).await;
            if let Ok(key) = key {
                secrets.extend(secret_parts(key.alg(), key.secret().unwrap()));
            }
        }
    }
    secrets
}

#[tokio::test]
async fn promise_5_only_mode_full_hands_a_secret_over_and_only_where_policy_lets_it() {
    for mode in [MirrorMode::PublicOnly, MirrorMode::Full, MirrorMode::None] {
        for policy in ExportPolicy::ALL.iter().copied() {
            for alg in ALGS {
                let world = world_in(mode);
                let spec = KeySpec::builder(alg).export_policy(policy).build().unwrap();
                let created = world.mirror.create_key(&spec).await.unwrap();
                world.mirror.rotate(created.kid()).await.unwrap();
                let material = world.primary_keys.create_key(&exportable(alg)).await.unwrap();
                let material = world
                    .primary_keys
                    .get_key(material.kid(), None, Secrets::Include)
                    .await
                    .unwrap()
                    .secret()
                    .unwrap()
                    .clone();
                world.mirror.import_key(&spec, material.into()).await.unwrap();

                let allowed = mode == MirrorMode::Full && policy == ExportPolicy::SecretWhenAllowed;
                let handed = world.secondary.journal().secret_bytes_handed();
                assert_eq!(!handed.is_empty(), allowed, "{mode} {policy} {alg}");
                if !allowed {
                    world.secondary.journal().assert_never_handed(&secrets_of(&world).await);
                    let reads = world.primary.journal().secret_reads();
                    assert!(reads.is_empty(), "{mode} {policy}: the mirror asked for a secret");
                }
            }
        }
    }
}

#[tokio::test]
async fn promise_5_a_rotation_that_tightens_the_policy_copies_less() {
    let world = world_in(MirrorMode::Full);
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    let tighter = SpecOverrides { export_policy: Some(ExportPolicy::PublicOnly), ..SpecOverrides::NONE };
    world.mirror.rotate_key(key.kid(), &tighter).await.unwrap();
    let replicas = world.mirror.status().replicas;
    assert_eq!(replicas[&Fidelity::Full], 1);
    assert_eq!(replicas[&Fidelity::PublicOnlyFallback], 1);
}

#[tokio::test]
async fn promise_5_full_falls_back_to_public_and_says_so() {
    let world = world_in(MirrorMode::Full);
    let (key, told) = capture_tracing_of(world.mirror.create(KeyAlg::Ed25519)).await;
    let key = key.unwrap();
    assert!(told.contains("public key only"), "{told}");
    let replica =
        world.secondary_keys.get_key(&kid(&key.id().to_string()), None, Secrets::Omit).await.unwrap();
    assert_eq!(replica.tags().get("mirror.fidelity"), Some("public_only_fallback"));
    assert_eq!(replica.tags().get("mirror.source"), Some(key.id().to_string().as_str()));
    assert_eq!(replica.export_policy(), ExportPolicy::PublicOnly);
}

#[tokio::test]
async fn a_primary_that_keeps_the_secret_gets_a_public_copy_and_one_that_is_out_gets_none_yet() {
    let world = world_in(MirrorMode::Full);
    world.primary.fail_next(Method::GetKey, Fault::FailBefore(KeyError::permission_denied("hardware")));
    world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    assert_eq!(world.mirror.status().replicas[&Fidelity::PublicOnlyFallback], 1);

    world.primary.fail_next(Method::GetKey, Fault::FailBefore(KeyError::unavailable("out")));
    world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    assert_eq!(world.backlog().len(), 1, "an outage is no reason to copy less");
    assert!(world.mirror.reconcile().await.is_clean());
    assert_eq!(world.mirror.status().replicas[&Fidelity::Full], 1);
}

#[tokio::test]
async fn mode_full_serves_secrets_during_an_outage() {
    for alg in ALGS {
        let world = world_in(MirrorMode::Full);
        let key = world.mirror.create_key(&exportable(alg)).await.unwrap();
        let before = world.secret(key.kid()).await.unwrap();
        world.primary.outage();
        let after = world.secret(key.kid()).await.unwrap();
        assert_eq!(after.parts(), before.parts());
        let jwk = |key: &swarmauri_keys::KeyRef| key.secret().unwrap().to_jwk(key.id(), key.alg()).unwrap();
        assert_eq!(jwk(&after), jwk(&before), "{alg}");
        assert!(world.read(key.kid(), None).await.unwrap().secret().is_none(), "only if asked for");
    }
}

#[tokio::test]
async fn a_public_replica_asked_for_its_secret_is_an_error_and_no_empty_secret() {
    for (mode, spec, answer) in [
        (MirrorMode::PublicOnly, exportable(KeyAlg::Ed25519), KeyErrorKind::Unavailable),
        (MirrorMode::PublicOnly, KeySpec::new(KeyAlg::Ed25519), KeyErrorKind::PermissionDenied),
        (MirrorMode::Full, KeySpec::new(KeyAlg::Ed25519), KeyErrorKind::PermissionDenied),
    ] {
        let world = world_in(mode);
        let key = world.mirror.create_key(&spec).await.unwrap();
        let denied = world.secret(key.kid()).await;
        world.primary.outage();
        let error = world.secret(key.kid()).await.unwrap_err();
        assert_eq!(error.kind(), answer, "{error}");
        match answer {
            KeyErrorKind::Unavailable => assert!(error.to_string().contains("public key only"), "{error}"),
            _ => assert_eq!(error.to_string(), denied.unwrap_err().to_string(), "as the primary says it"),
        }
    }
}

#[tokio::test]
async fn a_public_key_is_mirrored_as_a_public_key_in_mode_full() {
    let world = world_in(MirrorMode::Full);
    let public = world.primary_keys.create(KeyAlg::Ed25519).await.unwrap().public_key().unwrap().clone();
    let key =
        world.mirror.import_key(&exportable(KeyAlg::Ed25519), KeyMaterial::Public(public)).await.unwrap();
    assert_eq!(world.mirror.status().replicas[&Fidelity::PublicOnly], 1);
    world.primary.outage();
    assert_eq!(world.jwk(key.kid(), None).await.unwrap(), key.public_jwk().unwrap());
    assert!(world.secret(key.kid()).await.is_err());
}

#[tokio::test]
async fn promise_9_no_secret_shows_in_what_the_mirror_prints_tells_or_serialises() {
    let world = world_in(MirrorMode::Full);
    let ((), told) = capture_tracing_of(async {
        for alg in ALGS {
            let key = world.mirror.create_key(&exportable(alg)).await.unwrap();
            world.secondary.fail_next(Method::ImportKey, Fault::FailAfter(KeyError::timeout("late")));
            world.mirror.rotate(key.kid()).await.unwrap();
            world.primary.outage();
            world.secret(key.kid()).await.unwrap();
            world.secondary.outage();
            world.secret(key.kid()).await.unwrap_err();
            world.primary.recover();
            world.secondary.recover();
        }
    })
    .await;
    let secrets = secrets_of(&world).await;
    assert!(!secrets.is_empty());
    let mut shown = vec![told];
    for summary in world.mirror.list_all_keys().await.unwrap() {
        let key = world.secret(&summary.kid).await.unwrap();
        shown.push(format!("{key:?} {key:#?} {} ", serde_json::to_string(&key).unwrap()));
    }
    let status = world.mirror.status();
    let plan = world.mirror.plan_reconcile().await;
    shown.push(format!("{:?} {status:?} {plan} {plan:?}", world.mirror));
    shown.push(serde_json::to_string(&status).unwrap());
    shown.push(serde_json::to_string(&world.mirror.reconcile().await).unwrap());
    assert_no_secrets(&shown.join("\n"), &secrets);
}
