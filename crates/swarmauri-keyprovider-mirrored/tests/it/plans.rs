//! What a plan of reconcile says before it is applied, and what its steps do when the world has moved on.

use std::time::Duration;

use swarmauri_keyprovider::{Feature, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_mirrored::{Conflict, FailedStep, ReconcilePlan, ReconcileReport, Step};
use swarmauri_keyprovider_testkit::{Fault, Lie, Method};
use swarmauri_keys::{ExportPolicy, KeyAlg, KeyError, KeyMaterial, KeySpec, KeyVersionId};

use crate::support::*;

fn id(text: &str) -> KeyVersionId {
    text.parse().unwrap()
}

async fn world_with_key() -> World {
    let world = world();
    world.mirror.create_key(&KeySpec::new(KeyAlg::Ed25519).with_kid(kid("k"))).await.unwrap();
    world
}

/// Another replica of `k.1` that says so; returns its place.
async fn copy_once_more(world: &World) -> KeyVersionId {
    let copy = world.secondary_keys.get_key(&kid("k.1"), None, Secrets::Omit).await.unwrap();
    let public = KeyMaterial::Public(copy.public_key().unwrap().clone());
    world.secondary_keys.import_key(&copy.spec().unwrap(), public).await.unwrap().id().clone()
}

async fn steps(world: &World) -> Vec<String> {
    world.mirror.plan_reconcile().await.steps.iter().map(ToString::to_string).collect()
}

async fn apply(world: &World, step: Step) -> ReconcileReport {
    world.mirror.apply(ReconcilePlan { steps: vec![step], ..ReconcilePlan::default() }).await
}

#[test]
fn a_plan_with_anything_in_it_is_not_empty_and_such_a_report_not_clean() {
    let step = Step::Copy { id: id("k.1") };
    let conflict = Conflict { id: id("k.1"), reason: "why".to_owned() };
    let (steps, conflicts) = (vec![step.clone()], vec![conflict.clone()]);
    let not_compared = vec!["primary".to_owned()];
    let empty = ReconcilePlan::default;
    assert!(empty().is_empty());
    assert!(!ReconcilePlan { steps, ..empty() }.is_empty());
    assert!(!ReconcilePlan { conflicts: conflicts.clone(), ..empty() }.is_empty());
    assert!(!ReconcilePlan { not_compared: not_compared.clone(), ..empty() }.is_empty());

    let clean = || ReconcileReport { done: 1, ..ReconcileReport::default() };
    let failed = vec![FailedStep { step: step.clone(), error: KeyError::timeout("no answer") }];
    assert!(clean().is_clean());
    assert!(!ReconcileReport { failed, ..clean() }.is_clean());
    assert!(!ReconcileReport { conflicts, ..clean() }.is_clean());
    assert!(!ReconcileReport { not_compared, ..clean() }.is_clean());
}

#[tokio::test]
async fn a_side_that_cannot_list_its_keys_is_not_compared_and_that_is_said() {
    for on_primary in [true, false] {
        let world = restricted_world(
            |primary, secondary| {
                let side = if on_primary { primary } else { secondary };
                side.restrict_capabilities(|can| {
                    can.features.remove(&Feature::ListKeys);
                });
            },
            |builder| builder,
        );
        world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        let report = world.mirror.reconcile().await;
        let side = if on_primary { "primary: " } else { "secondary: " };
        assert!(report.not_compared.len() == 1 && report.not_compared[0].starts_with(side), "{report:?}");
    }
}

#[tokio::test]
async fn conflicts_are_reported_and_not_only_planned() {
    let world = world_with_key().await;
    let other = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let place = kid(&other.id().to_string());
    let copy = world.secondary_keys.get_key(&place, None, Secrets::Omit).await.unwrap();
    let tags = copy.tags().clone().with("mirror.source", "k.1").unwrap();
    let public = KeyMaterial::Public(copy.public_key().unwrap().clone());
    world.secondary_keys.import_key(&copy.spec().unwrap().with_tags(tags), public).await.unwrap();
    let report = world.mirror.reconcile().await;
    assert_eq!(report.conflicts.len(), 1, "{report:?}");
    assert!(report.failed.is_empty() && report.conflicts[0].id == id("k.1"), "{report:?}");
    assert_eq!(world.replicas().await, 3, "left to people");
}

#[tokio::test]
async fn what_one_step_settles_is_not_planned_twice() {
    let world = world();
    world.primary.fail_next(Method::CreateKey, Fault::FailAfter(KeyError::timeout("no answer")));
    world.mirror.create_key(&KeySpec::new(KeyAlg::Ed25519).with_kid(kid("k"))).await.unwrap_err();
    assert_eq!(steps(&world).await, ["find out what the primary made of k"]);
    world.mirror.reconcile().await;

    world.primary.fail_next(Method::DestroyKey, Fault::FailBefore(KeyError::timeout("no answer")));
    world.mirror.destroy_key(&kid("k"), None).await.unwrap_err();
    world.secondary_keys.destroy_key(&kid("k.1"), None).await.unwrap();
    assert_eq!(steps(&world).await, ["finish the destroy of k"]);
}

#[tokio::test]
async fn a_lost_replica_is_made_up_for_by_another_one_that_is_there() {
    let world = world_with_key().await;
    let other = copy_once_more(&world).await;
    world.secondary_keys.destroy_key(&kid("k.1"), None).await.unwrap();
    assert_eq!(steps(&world).await, ["copy k.1 again, its replica k.1.1 is gone"]);
    for _ in 0..2 {
        assert!(world.mirror.reconcile().await.is_clean());
    }
    assert_eq!(world.replicas().await, 1);
    world.primary.outage();
    assert!(world.jwk(&kid("k"), None).await.is_ok(), "{other} was there");
}

#[tokio::test]
async fn an_old_plan_destroys_neither_the_replica_in_use_nor_a_foreign_key() {
    let world = world_with_key().await;
    let foreign = world.secondary_keys.create(KeyAlg::Ed25519).await.unwrap();
    let another = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let of_another = kid(&another.id().to_string()).at(version(1));
    for at in [id("k.1.1"), foreign.id().clone(), of_another, id("gone.1")] {
        let report = apply(&world, Step::DestroyReplica { id: id("k.1"), at }).await;
        assert!(report.is_clean(), "{report:?}");
    }
    assert_eq!(world.replicas().await, 3);
}

#[tokio::test]
async fn an_old_plan_neither_copies_again_nor_adopts_what_is_not_as_it_says() {
    let world = world_with_key().await;
    let before = world.mirror.status();
    let foreign = world.secondary_keys.create(KeyAlg::Ed25519).await.unwrap();
    world.secondary.journal().clear();
    let again = Step::CopyAgain { id: id("k.1"), at: id("k.1.1") };
    assert!(apply(&world, again.clone()).await.is_clean());
    let adopt = Step::AdoptReplica { id: id("unknown.1"), at: foreign.id().clone() };
    assert!(apply(&world, adopt).await.is_clean());
    world.secondary.outage();
    assert_eq!(apply(&world, again).await.failed.len(), 1, "out of reach is not gone");
    assert_eq!(world.mirror.status(), before);
    assert!(world.secondary.journal().calls_of(Method::ImportKey).is_empty());
}

#[tokio::test]
async fn a_replica_is_not_adopted_while_the_primary_cannot_be_asked() {
    let world = world_with_key().await.restart();
    let step = Step::AdoptReplica { id: id("k.1"), at: id("k.1.1") };
    for error in refusals().into_iter().chain(outages()) {
        world.primary.fail_next(Method::GetKey, Fault::FailBefore(error));
        assert_eq!(apply(&world, step.clone()).await.failed.len(), 1);
        world.secondary.fail_next(Method::GetKey, Fault::FailBefore(outages().remove(0)));
        assert_eq!(apply(&world, step.clone()).await.failed.len(), 1);
        assert!(world.mirror.status().replicas.is_empty());
    }
    assert!(apply(&world, step).await.is_clean());
    assert_eq!(world.mirror.status().replicas.len(), 1);
}

#[tokio::test]
async fn a_destroyed_unwanted_replica_is_no_debt_any_more() {
    let world = world_with_key().await;
    world.secondary.outage();
    world.mirror.destroy_key(&kid("k"), None).await.unwrap();
    world.secondary.recover();
    assert_eq!(world.backlog(), ["destroy replica k.1"]);
    assert!(apply(&world, Step::DestroyReplica { id: id("k.1"), at: id("k.1.1") }).await.is_clean());
    assert!(world.backlog().is_empty());
}

#[tokio::test]
async fn a_destroy_asked_for_again_is_settled_by_a_refusal_and_not_by_an_outage() {
    for error in refusals().into_iter().chain(outages()) {
        for which in [None, Some(version(1))] {
            let world = world_with_key().await;
            world.primary.fail_next(Method::DestroyKey, Fault::FailBefore(KeyError::timeout("no answer")));
            world.mirror.destroy_key(&kid("k"), which).await.unwrap_err();
            world.primary.fail_next(Method::DestroyKey, Fault::FailBefore(error.clone()));
            let report = world.mirror.reconcile().await;
            assert_eq!(report.failed.len(), usize::from(error.is_outage()), "{error}: {report:?}");
            assert_eq!(world.backlog().len(), usize::from(error.is_outage()), "{error}");
            world.primary.outage();
            assert_eq!(world.jwk(&kid("k"), None).await.is_ok(), !error.is_outage(), "{error}");
        }
    }
}

#[tokio::test]
async fn a_destroy_whose_outcome_is_known_is_not_asked_for_again() {
    let world = world_with_key().await;
    world.secondary.outage();
    world.mirror.destroy_key(&kid("k"), None).await.unwrap();
    world.primary.journal().clear();
    assert_eq!(world.mirror.reconcile().await.failed.len(), 1);
    world.secondary.recover();
    assert!(world.mirror.reconcile().await.is_clean());
    assert!(world.primary.journal().calls_of(Method::DestroyKey).is_empty());
}

#[tokio::test]
async fn taking_in_passes_over_what_is_destroyed_though_the_primary_still_shows_it() {
    let world = world_with_key().await;
    world.primary.fail_next(Method::DestroyKey, Fault::Lie(Lie::DestroyNothingSayTrue));
    assert!(world.mirror.destroy_key(&kid("k"), Some(version(1))).await.unwrap());
    world.primary_keys.rotate(&kid("k")).await.unwrap();
    let report = world.mirror.reconcile().await;
    assert!(report.is_clean(), "{report:?}");
    let ids: Vec<_> = world.secondary_keys.list_all_keys().await.unwrap();
    assert_eq!(ids.iter().map(|key| key.kid.as_str()).collect::<Vec<_>>(), ["k.2"]);
}

#[tokio::test]
async fn a_destroyed_key_is_not_taken_in_though_the_primary_still_shows_it() {
    let world = world_with_key().await;
    world.primary.fail_next(Method::DestroyKey, Fault::Lie(Lie::DestroyNothingSayTrue));
    assert!(world.mirror.destroy_key(&kid("k"), None).await.unwrap());
    world.primary_keys.rotate(&kid("k")).await.unwrap();
    let report = apply(&world, Step::TakeIn { kid: kid("k") }).await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(world.replicas().await, 0);
}

#[tokio::test]
async fn an_intent_that_cannot_be_settled_yet_stays() {
    for method in [Method::ListVersions, Method::GetKey] {
        let world = world();
        world.primary.fail_next(Method::CreateKey, Fault::FailAfter(KeyError::timeout("no answer")));
        world.mirror.create_key(&KeySpec::new(KeyAlg::Ed25519).with_kid(kid("k"))).await.unwrap_err();
        world.primary.fail_next(method, Fault::FailBefore(KeyError::timeout("again")));
        assert_eq!(apply(&world, Step::SettleIntent { kid: kid("k") }).await.failed.len(), 1);
        assert_eq!(world.backlog(), ["create of unknown outcome k"], "{method:?}");
        assert!(apply(&world, Step::SettleIntent { kid: kid("k") }).await.is_clean());
        assert!(world.backlog().is_empty());
    }
}

#[tokio::test]
async fn a_copy_that_the_primary_lost_meanwhile_is_found_where_the_first_try_left_it() {
    let world = world();
    world.jwk(&kid("unknown"), None).await.unwrap_err(); // looks for replicas, once
    world.secondary.fail_next(Method::ImportKey, Fault::FailAfter(KeyError::timeout("late")));
    let key = world.mirror.create_key(&KeySpec::new(KeyAlg::Ed25519).with_kid(kid("k"))).await.unwrap();
    assert_eq!(steps(&world).await, ["adopt k.1.1 as the replica of k.1"]);
    world.primary_keys.destroy_key(&kid("k"), None).await.unwrap();
    assert!(apply(&world, Step::Copy { id: id("k.1") }).await.is_clean());
    assert_eq!(world.jwk(&kid("k"), None).await.unwrap(), key.public_jwk().unwrap());
}

#[tokio::test]
async fn a_create_that_cannot_be_looked_for_stays_owed() {
    let world = restricted_world(
        |primary, _| {
            let lost = [Feature::ChosenKid, Feature::ListKeys];
            primary.restrict_capabilities(|can| can.features.retain(|has| !lost.contains(has)));
        },
        |builder| builder,
    );
    world.primary.fail_next(Method::CreateKey, Fault::FailAfter(KeyError::timeout("no answer")));
    world.mirror.create(KeyAlg::Ed25519).await.unwrap_err();
    assert_eq!(world.mirror.reconcile().await.failed.len(), 1);
    assert!(world.backlog()[0].starts_with("create of unknown outcome"));
}

#[tokio::test]
async fn after_a_restart_a_replica_is_adopted_and_its_key_not_taken_in() {
    let world = world_with_key().await.restart();
    assert_eq!(steps(&world).await, ["adopt k.1.1 as the replica of k.1"]);
}

#[tokio::test]
async fn a_replica_of_what_is_to_be_kept_is_a_conflict() {
    let world = world_with_key().await;
    let hidden = KeySpec::builder(KeyAlg::Ed25519).export_policy(ExportPolicy::None).build().unwrap();
    world.mirror.create_key(&hidden.with_kid(kid("hidden"))).await.unwrap();
    let copy = world.secondary_keys.get_key(&kid("k.1"), None, Secrets::Omit).await.unwrap();
    let tags = copy.tags().clone().with("mirror.source", "hidden.1").unwrap();
    let public = KeyMaterial::Public(copy.public_key().unwrap().clone());
    world.secondary_keys.import_key(&copy.spec().unwrap().with_tags(tags), public).await.unwrap();
    let plan = world.mirror.plan_reconcile().await;
    assert_eq!(plan.conflicts[0].id, id("hidden.1"), "{plan}");
    assert!(plan.conflicts[0].reason.contains("forbids"), "{plan}");
}

/// A plan can be written down, and applied by whoever reads it; half of it, and later the rest.
#[tokio::test]
async fn a_plan_that_was_written_down_is_applied_and_what_failed_goes_on() {
    let world = world_with(|builder| builder.repairs_at_once(std::num::NonZeroUsize::MIN));
    world.secondary.outage();
    for _ in 0..4 {
        world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    }
    world.secondary.recover();
    let plan = world.mirror.plan_reconcile().await;
    let written = serde_json::to_string(&plan).unwrap();
    let read: ReconcilePlan = serde_json::from_str(&written).unwrap();
    assert_eq!(read, plan);

    // The secondary fails after the second copy.
    let mut told = Vec::new();
    let secondary = world.secondary.clone();
    let report = world
        .mirror
        .apply_with(read, |progress| {
            told.push((progress.done, progress.total, progress.current.clone()));
            if progress.done == 2 {
                secondary.outage();
            }
        })
        .await;
    let expected: Vec<_> =
        plan.steps.iter().enumerate().map(|(done, step)| (done, 4, step.clone())).collect();
    assert_eq!(told, expected);
    assert_eq!((report.done, report.failed.len()), (2, 2));
    assert_eq!(report.remaining().steps, plan.steps[2..]);
    world.secondary.recover();
    assert!(world.mirror.apply(report.remaining()).await.is_clean());
    assert!(world.mirror.plan_reconcile().await.is_empty());
    // Applied once more, it does nothing.
    world.secondary.journal().clear();
    assert!(world.mirror.apply(plan).await.is_clean());
    assert!(world.secondary.journal().calls().is_empty());
}

/// Some keys at once, and no more; and the steps of one key in turn.
#[tokio::test(start_paused = true)]
async fn as_many_keys_are_repaired_at_once_as_is_set() {
    for most in [1, 3, 8] {
        let at_once = std::num::NonZeroUsize::new(most).unwrap();
        let world = world_with(|builder| builder.repairs_at_once(at_once));
        world.secondary.outage();
        for _ in 0..10 {
            let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
            world.mirror.rotate(key.kid()).await.unwrap();
        }
        world.secondary.recover();
        // Every copy takes a second, and twenty are to be made, two for each key.
        world.secondary.set(Method::ImportKey, Some(Fault::Delay(Duration::from_secs(1))));
        let started = tokio::time::Instant::now();
        let mirror = world.mirror.clone();
        let repaired = tokio::spawn(async move { mirror.reconcile().await }).await.unwrap();
        assert!(repaired.is_clean());
        let expected = 2 * 10_u64.div_ceil(u64::try_from(most).unwrap());
        assert_eq!(started.elapsed().as_secs(), expected, "{most} at once");
    }
}
