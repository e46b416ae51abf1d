//! Repair.

use swarmauri_keyprovider::{Feature, KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_mirrored::{MirrorMode, Step};
use swarmauri_keyprovider_testkit::{Fault, Lie, Method};
use swarmauri_keys::{KeyAlg, KeyError, KeyErrorKind, KeySpec};

use crate::support::*;

async fn steps(world: &World) -> Vec<String> {
    world.mirror.plan_reconcile().await.steps.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn with_nothing_owed_there_is_nothing_to_do() {
    for mode in [MirrorMode::PublicOnly, MirrorMode::Full, MirrorMode::None] {
        let world = world_in(mode);
        let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
        world.mirror.rotate(key.kid()).await.unwrap();
        world.mirror.create(KeyAlg::Aes256Gcm).await.unwrap();
        world.mirror.destroy_key(key.kid(), Some(version(1))).await.unwrap();
        let plan = world.mirror.plan_reconcile().await;
        assert!(plan.is_empty(), "{mode}: {plan}");
        assert_eq!(plan.to_string(), "nothing to do\n");
    }
}

#[tokio::test]
async fn promise_8_the_backlog_of_an_outage_of_the_secondary_is_paid() {
    let world = world_in(MirrorMode::Full);
    let doomed = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.secondary.outage();
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    world.mirror.rotate(key.kid()).await.unwrap();
    world.mirror.destroy_key(doomed.kid(), None).await.unwrap();
    assert_eq!(world.backlog().len(), 3);

    let report = world.mirror.reconcile().await;
    assert!(!report.is_clean() && report.failed.len() == 3, "{report:?}");
    assert!(report.not_compared[0].starts_with("secondary: unavailable"), "{report:?}");
    let tried = world.mirror.status().backlog.iter().map(|debt| debt.attempts).max();
    assert_eq!(tried, Some(2));

    world.secondary.recover();
    assert!(world.mirror.reconcile().await.is_clean());
    assert!(world.backlog().is_empty());
    assert_eq!(world.replicas().await, 2);
    assert!(steps(&world).await.is_empty());
}

#[tokio::test]
async fn keys_that_were_there_before_the_mirror_are_copied() {
    let world = world();
    let old = world.primary_keys.create(KeyAlg::Ed25519).await.unwrap();
    world.primary_keys.rotate(old.kid()).await.unwrap();
    world.mirror.rotate(old.kid()).await.unwrap();
    assert_eq!(steps(&world).await, [format!("take in and copy versions of {}", old.kid())]);
    assert!(world.mirror.reconcile().await.is_clean());
    assert_eq!(world.replicas().await, 3);
    world.primary.outage();
    assert_eq!(world.jwk(old.kid(), Some(version(1))).await.unwrap(), old.public_jwk().unwrap());
}

#[tokio::test]
async fn a_create_or_rotation_of_unknown_outcome_is_found_out() {
    for took_effect in [true, false] {
        let world = world();
        let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        let error = KeyError::timeout("no answer");
        let fault = if took_effect { Fault::FailAfter(error) } else { Fault::FailBefore(error) };
        world.primary.fail_next(Method::CreateKey, fault.clone());
        world.primary.fail_next(Method::RotateKey, fault);
        let spec = KeySpec::new(KeyAlg::Ed25519).with_kid(kid("asked"));
        assert!(world.mirror.create_key(&spec).await.unwrap_err().is_outage());
        assert!(world.mirror.rotate(key.kid()).await.unwrap_err().is_outage());
        assert_eq!(world.backlog().len(), 2);
        // A second try that the primary refuses does not make the first one forgotten.
        if took_effect {
            world.mirror.create_key(&spec).await.unwrap_err();
            assert_eq!(world.backlog().len(), 2);
        }
        assert!(world.mirror.reconcile().await.is_clean());
        assert!(world.backlog().is_empty());
        assert_eq!(world.replicas().await, if took_effect { 3 } else { 1 });
    }
}

#[tokio::test]
async fn a_replica_that_is_gone_is_copied_again() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.secondary_keys.destroy_key(&kid(&key.id().to_string()), None).await.unwrap();
    assert!(matches!(world.mirror.plan_reconcile().await.steps[..], [Step::CopyAgain { .. }]));
    assert!(world.mirror.reconcile().await.is_clean());
    world.primary.outage();
    assert_eq!(world.jwk(key.kid(), None).await.unwrap(), key.public_jwk().unwrap());
}

#[tokio::test]
async fn replicas_too_many_and_of_destroyed_keys_are_destroyed() {
    let world = world_without(&[Feature::ChosenKid]);
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    // Another process copies it once more, by another mirror over the same sides.
    world_over(&world).reconcile().await;
    let copy = world.secondary_keys.list_all_keys().await.unwrap().remove(0);
    let copy =
        world.secondary_keys.get_key(&copy.kid, None, swarmauri_keyprovider::Secrets::Omit).await.unwrap();
    let public = swarmauri_keys::KeyMaterial::Public(copy.public_key().unwrap().clone());
    world.secondary_keys.import_key(&copy.spec().unwrap(), public.clone()).await.unwrap();
    assert_eq!(world.replicas().await, 2);
    assert!(world.mirror.reconcile().await.is_clean());
    assert_eq!(world.replicas().await, 1);

    world.mirror.destroy_key(key.kid(), None).await.unwrap();
    world.secondary_keys.import_key(&copy.spec().unwrap(), public).await.unwrap();
    assert!(world.mirror.reconcile().await.is_clean());
    assert_eq!(world.replicas().await, 0);
}

#[tokio::test]
async fn what_the_primary_lost_before_it_was_copied_is_forgotten() {
    let world = world();
    world.secondary.outage();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.secondary.recover();
    world.primary_keys.destroy_key(key.kid(), None).await.unwrap();
    assert!(world.mirror.reconcile().await.is_clean());
    assert!(world.backlog().is_empty());
}

#[tokio::test]
async fn a_primary_that_is_out_is_not_compared_and_its_keys_are_not_touched() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.outage();
    let report = world.mirror.reconcile().await;
    assert!(report.done == 0 && report.not_compared[0].starts_with("primary: "), "{report:?}");
    assert_eq!(world.jwk(key.kid(), None).await.unwrap(), key.public_jwk().unwrap());
}

#[tokio::test]
async fn a_replica_that_turned_into_another_key_is_a_failure_that_shows() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    for method in [Method::ListKeys, Method::GetKey] {
        world.secondary.set(method, Some(Fault::Lie(Lie::WrongKey)));
    }
    let report = world.mirror.reconcile().await;
    let failed: Vec<_> = report.failed.iter().map(|failed| failed.error.kind()).collect();
    assert_eq!(failed, [KeyErrorKind::Integrity; 2], "{report:?}");
    world.secondary.clear();
    assert!(world.mirror.reconcile().await.is_clean());
    world.primary.outage();
    assert_eq!(world.jwk(key.kid(), None).await.unwrap(), key.public_jwk().unwrap());
}

#[tokio::test]
async fn reconcile_destroys_nothing_on_the_primary_that_nobody_asked_for() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.secondary_keys.destroy_key(&kid(&key.id().to_string()), None).await.unwrap();
    world.primary.journal().clear();
    world.mirror.reconcile().await;
    assert!(world.primary.journal().calls_of(Method::DestroyKey).is_empty());
}

#[tokio::test]
async fn a_replica_that_holds_more_than_the_mode_copies_is_a_conflict_for_people() {
    let world = world_in(MirrorMode::Full);
    world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    let narrower = world_over(&world);
    let plan = narrower.plan_reconcile().await;
    assert!(plan.conflicts[0].reason.contains("secret"), "{plan}");
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["steps"][0]["step"], "adopt_replica");
}

/// More keys than a page holds: each page is done before the next is looked at.
#[tokio::test]
async fn many_keys_are_copied_and_found_page_by_page() {
    const KEYS: usize = 1_300;
    let world = world();
    for n in 0..KEYS {
        let spec = KeySpec::new(KeyAlg::Ed25519).with_kid(kid(&format!("key-{n:04}")));
        world.primary_keys.create_key(&spec).await.unwrap();
    }
    assert_eq!(world.mirror.plan_reconcile().await.steps.len(), KEYS);
    let mut totals = std::collections::BTreeSet::new();
    let report = world.mirror.reconcile_with(|progress| totals.extend([progress.total])).await;
    assert!(report.is_clean() && report.done == KEYS, "{report:?}");
    assert!(totals.iter().all(|total| *total <= 500), "{totals:?}");
    assert_eq!(world.replicas().await, KEYS);
    assert!(world.mirror.plan_reconcile().await.is_empty());

    // A replica that is gone is noticed among all the others.
    let gone = kid("key-0777.1");
    assert!(world.secondary_keys.destroy_key(&gone, None).await.unwrap());
    let plan = world.mirror.plan_reconcile().await;
    assert_eq!(plan.steps, [Step::CopyAgain { id: kid("key-0777").at(version(1)), at: gone.at(version(1)) }]);
    assert!(world.mirror.apply(plan).await.is_clean());

    // The map is lost.
    let world = world.restart();
    let report = world.mirror.reconcile().await;
    assert!(report.is_clean() && report.done == KEYS, "{report:?}");
    assert!(world.mirror.plan_reconcile().await.is_empty());
}
