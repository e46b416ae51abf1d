//! A map that was lost with its process is found again by the replicas' tags.

use swarmauri_keyprovider::{Feature, JwksQuery, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_mirrored::MirrorMode;
use swarmauri_keyprovider_testkit::{Fault, Lie, Method, capture_tracing_of};
use swarmauri_keys::{KeyAlg, KeyErrorKind, KeyMaterial, KeySpec};

use crate::support::*;

#[tokio::test]
async fn a_new_process_serves_the_replicas_of_the_one_before() {
    let world = world_in(MirrorMode::Full);
    let spec = KeySpec::builder(KeyAlg::Ed25519)
        .export_policy(swarmauri_keys::ExportPolicy::SecretWhenAllowed)
        .label("l")
        .tag("env", "prod")
        .build()
        .unwrap();
    let first = world.mirror.create_key(&spec).await.unwrap();
    let second = world.mirror.rotate(first.kid()).await.unwrap();
    let jwks = world.mirror.jwks(&JwksQuery::ALL_LIVE).await.unwrap();
    let world = world.restart();
    world.primary.outage();
    assert_eq!(world.read(first.kid(), None).await.unwrap().parts(), second.parts());
    assert_eq!(world.jwk(first.kid(), Some(version(1))).await.unwrap(), first.public_jwk().unwrap());
    assert_eq!(world.mirror.list_versions(first.kid()).await.unwrap(), [version(1), version(2)]);
    assert_eq!(world.mirror.jwks(&JwksQuery::ALL_LIVE).await.unwrap(), jwks);
    assert!(world.secret(first.kid()).await.is_ok());
}

#[tokio::test]
async fn a_key_shows_once_after_a_restart_too() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.mirror.rotate(key.kid()).await.unwrap();
    let before = world.mirror.jwks(&JwksQuery::LATEST).await.unwrap();
    let world = world.restart();
    assert_eq!(world.mirror.jwks(&JwksQuery::LATEST).await.unwrap(), before);
}

#[tokio::test]
async fn a_destroy_after_a_restart_finds_the_replicas() {
    for which in [None, Some(version(1))] {
        let world = world();
        let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        let world = world.restart();
        assert!(world.mirror.destroy_key(key.kid(), which).await.unwrap());
        assert_eq!(world.replicas().await, 0);
        assert!(world.backlog().is_empty());
    }
}

/// That something is known of the key does not mean that all of it is.
#[tokio::test]
async fn a_destroy_after_a_restart_and_a_rotation_finds_the_replicas_of_before_it() {
    for secondary_out in [false, true] {
        let world = world();
        let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        let world = world.restart();
        world.mirror.rotate(key.kid()).await.unwrap();
        if secondary_out {
            world.secondary.outage();
        }
        assert!(world.mirror.destroy_key(key.kid(), None).await.unwrap());
        assert_eq!(world.backlog().is_empty(), !secondary_out);
        world.secondary.recover();
        assert!(world.mirror.reconcile().await.is_clean());
        assert_eq!(world.replicas().await, 0);
        assert!(world.backlog().is_empty());
    }
}

/// What the primary shows of a key does not tell whether an earlier process has copied it.
#[tokio::test]
async fn a_key_that_is_taken_in_while_the_secondary_cannot_be_read_may_have_a_replica() {
    for destroyed in [false, true] {
        let world = world();
        world.secondary.restrict_capabilities(|can| {
            can.features.remove(&Feature::ChosenKid);
        });
        let world = world.restart();
        let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        let world = world.restart();
        for method in [Method::ListKeys, Method::GetKey] {
            world.secondary.set(method, Some(Fault::FailBefore(outages().remove(0))));
        }
        assert!(!world.mirror.reconcile().await.is_clean());
        assert_eq!(world.replicas().await, 1, "there is none beside it");
        if destroyed {
            assert!(world.mirror.destroy_key(key.kid(), None).await.unwrap());
        }
        assert!(!world.backlog().is_empty());
        world.secondary.recover();
        assert!(world.mirror.reconcile().await.is_clean());
        assert_eq!(world.replicas().await, usize::from(!destroyed));
        assert!(world.backlog().is_empty());
    }
}

#[tokio::test]
async fn a_destroy_after_a_restart_of_a_key_that_only_the_replica_has_ends_it() {
    for secondary_out in [true, false] {
        let world = world();
        let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        world.primary_keys.destroy_key(key.kid(), None).await.unwrap();
        let world = world.restart();
        if secondary_out {
            world.secondary.outage();
        }
        let destroyed = world.mirror.destroy_key(key.kid(), None).await;
        if secondary_out {
            // Whether there was anything to destroy cannot be found out; that is owed.
            assert!(destroyed.unwrap_err().is_outage());
        } else {
            assert!(!destroyed.unwrap());
        }
        world.secondary.recover();
        assert_eq!(kind(world.jwk(key.kid(), None).await), KeyErrorKind::NotFound);
        assert!(world.mirror.reconcile().await.is_clean());
        assert_eq!(world.replicas().await, 0);
    }
}

#[tokio::test]
async fn replicas_that_contradict_each_other_are_not_served_and_told() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let other = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let copy = world.secondary_keys.get_key(&kid(&key.id().to_string()), None, Secrets::Omit).await.unwrap();
    let fingerprint = other.fingerprint().as_str();
    let tags = copy.tags().clone().with("mirror.fingerprint", fingerprint).unwrap();
    let forged = KeyMaterial::Public(other.public_key().unwrap().clone());
    world.secondary_keys.import_key(&copy.spec().unwrap().with_tags(tags), forged).await.unwrap();
    let world = world.restart();
    world.primary.outage();
    let (answer, told) = capture_tracing_of(world.jwk(key.kid(), None)).await;
    assert!(answer.unwrap_err().is_outage());
    assert!(told.contains("contradict"), "{told}");
    assert_eq!(world.jwk(other.kid(), None).await.unwrap(), other.public_jwk().unwrap());
    world.primary.recover();
    let plan = world.mirror.plan_reconcile().await;
    assert_eq!(plan.conflicts.len(), 1, "{plan}");
}

#[tokio::test]
async fn a_claim_that_the_primary_belies_is_not_adopted() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let copy = world.secondary_keys.get_key(&kid(&key.id().to_string()), None, Secrets::Omit).await.unwrap();
    // Another key of the primary has that name by now.
    let other = world.primary_keys.create(KeyAlg::Ed25519).await.unwrap();
    let claim = copy.tags().clone().with("mirror.source", other.id().to_string()).unwrap();
    let forged = KeyMaterial::Public(copy.public_key().unwrap().clone());
    world.secondary_keys.import_key(&copy.spec().unwrap().with_tags(claim), forged).await.unwrap();
    let world = world.restart();
    let report = world.mirror.reconcile().await;
    assert_eq!(report.failed.len(), 1, "{report:?}");
    assert_eq!(report.failed[0].error.kind(), KeyErrorKind::Integrity);
}

#[tokio::test]
async fn a_failed_look_is_repeated_and_a_good_one_is_not() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let world = world.restart();
    world.primary.outage();
    world.secondary.fail_next(Method::ListKeys, Fault::FailBefore(outages().remove(0)));
    assert!(world.jwk(key.kid(), None).await.unwrap_err().is_outage());
    assert!(world.jwk(key.kid(), None).await.is_ok());
    world.secondary.journal().clear();
    assert!(world.jwk(&kid("unknown"), None).await.is_err());
    assert!(world.secondary.journal().calls().is_empty());
}

#[tokio::test]
async fn a_replica_whose_key_is_not_the_tagged_one_is_not_served() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let world = world.restart();
    world.primary.outage();
    world.secondary.set(Method::GetKey, Some(Fault::Lie(Lie::WrongKey)));
    assert_eq!(kind(world.jwk(key.kid(), None).await), KeyErrorKind::Integrity);
}
