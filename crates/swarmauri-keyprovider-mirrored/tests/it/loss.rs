//! Giving up what the primary has lost: only when asked for, and only what is lost.

use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_mirrored::{MirrorMode, Step};
use swarmauri_keyprovider_testkit::{Fault, Method};
use swarmauri_keys::{KeyAlg, KeyError, KeyErrorKind};

use crate::support::*;

#[tokio::test]
async fn what_the_primary_lost_is_given_up_when_asked_for_and_nothing_else() {
    for mode in [MirrorMode::PublicOnly, MirrorMode::Full] {
        let world = world_in(mode);
        let kept = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
        let lost = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
        let half = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
        world.mirror.rotate(half.kid()).await.unwrap();
        world.primary_keys.destroy_key(lost.kid(), None).await.unwrap();
        world.primary_keys.destroy_key(half.kid(), Some(half.version())).await.unwrap();
        assert!(world.mirror.reconcile().await.is_clean());
        world.jwk(lost.kid(), None).await.unwrap();

        let plan = world.mirror.plan_propagate_loss().await.unwrap();
        let mut steps = plan.steps.clone();
        let mut expected = [&lost, &half].map(|key| Step::GiveUp { id: key.id().clone() });
        steps.sort_by_key(ToString::to_string);
        expected.sort_by_key(ToString::to_string);
        assert_eq!(steps, expected);
        assert!(plan.to_string().contains("which the primary has lost"), "{plan}");
        world.jwk(lost.kid(), None).await.unwrap();

        assert!(world.mirror.apply(plan).await.is_clean());
        for gone in [&lost, &half] {
            let read = world.read(gone.kid(), Some(gone.version())).await;
            assert_eq!(kind(read), KeyErrorKind::NotFound, "{mode}");
        }
        assert_eq!(world.replicas().await, 2);
        assert_eq!(world.mirror.jwks(&JwksQuery::ALL_LIVE).await.unwrap().keys.len(), 2);
        world.jwk(kept.kid(), None).await.unwrap();
        assert!(world.mirror.plan_propagate_loss().await.unwrap().is_empty());
        assert!(world.mirror.plan_reconcile().await.is_empty());
    }
}

/// Silence is no loss; and a key that is back when the plan is carried out stays.
#[tokio::test]
async fn nothing_is_given_up_on_an_outage_or_after_a_second_look() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.outage();
    assert!(world.mirror.plan_propagate_loss().await.unwrap_err().is_outage());
    world.primary.recover();
    world.primary.fail_next(Method::GetKey, Fault::FailBefore(KeyError::not_found(key.kid(), None)));
    let plan = world.mirror.plan_propagate_loss().await.unwrap();
    assert_eq!(plan.steps.len(), 1);
    assert!(world.mirror.apply(plan.clone()).await.is_clean());
    assert_eq!(world.replicas().await, 1, "it is there after all");

    world.primary_keys.destroy_key(key.kid(), None).await.unwrap();
    world.secondary.fail_next(Method::DestroyKey, Fault::FailBefore(KeyError::unavailable("told to")));
    let report = world.mirror.apply(plan).await;
    assert_eq!(report.failed.len(), 1);
    assert_eq!(kind(world.jwk(key.kid(), None).await), KeyErrorKind::NotFound, "not served from then on");
    assert_eq!(world.backlog(), [format!("destroy replica {}", key.id())]);
    assert!(world.mirror.reconcile().await.is_clean());
    assert_eq!(world.replicas().await, 0);
}

/// What neither side has is forgotten: there is nothing to copy, and nobody asked for its destruction.
#[tokio::test]
async fn what_neither_side_has_is_forgotten_by_reconcile() {
    let world = world();
    world.secondary.outage();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.secondary.recover();
    world.primary.outage();
    let plan = world.mirror.plan_reconcile().await;
    assert_eq!(plan.steps, [Step::Copy { id: key.id().clone() }], "silence is no loss");
    world.primary.recover();
    world.primary_keys.destroy_key(key.kid(), None).await.unwrap();
    let plan = world.mirror.plan_reconcile().await;
    assert_eq!(plan.steps, [Step::Forget { id: key.id().clone() }]);
    assert!(plan.to_string().contains("neither side has it"), "{plan}");
    assert!(world.mirror.apply(plan).await.is_clean());
    assert!(world.backlog().is_empty() && world.mirror.plan_reconcile().await.is_empty());
    assert_eq!(world.mirror.status().tombstones, 0);
}

#[tokio::test]
async fn a_primary_that_is_out_is_asked_once_for_what_it_may_have_lost() {
    let world = world();
    world.secondary.outage();
    for _ in 0..3 {
        world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    }
    world.primary.outage();
    let asked = || world.primary.journal().calls_of(Method::GetKey).len();
    let before = asked();
    let plan = world.mirror.plan_reconcile().await;
    assert_eq!(plan.steps.iter().filter(|step| matches!(step, Step::Copy { .. })).count(), 3, "{plan}");
    assert_eq!(asked() - before, 1);
}
