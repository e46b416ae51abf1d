//! States that changed where the mirror did not see it: on either side itself, or before it was there.

use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_mirrored::{JwksMerge, MirrorMode, Step};
use swarmauri_keyprovider_testkit::{Answer, Fault, Lie, Method};
use swarmauri_keys::{KeyAlg, KeyErrorKind, KeyState};

use crate::states::{assert_disabled, assert_enabled, published, replica_state, signs};
use crate::support::*;

/// Somebody disables a key on the primary itself.
#[tokio::test]
async fn a_key_disabled_behind_the_mirrors_back_is_not_published_and_not_used_once_that_was_seen() {
    #[derive(Debug, Clone, Copy)]
    enum SeenBy {
        Read,
        Jwk,
        Secret,
        Work,
        Jwks,
        Reconcile,
    }
    for seen_by in [SeenBy::Read, SeenBy::Jwk, SeenBy::Secret, SeenBy::Work, SeenBy::Jwks, SeenBy::Reconcile]
    {
        let world = world_in(MirrorMode::Full);
        let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
        world.primary_keys.disable_key(key.kid(), key.version()).await.unwrap();
        match seen_by {
            SeenBy::Read => drop(world.read(key.kid(), None).await.unwrap()),
            SeenBy::Jwk => drop(world.jwk(key.kid(), None).await.unwrap_err()),
            SeenBy::Secret => drop(world.secret(key.kid()).await.unwrap_err()),
            SeenBy::Work => signs(&world, key.kid()).await.unwrap_err().to_string().clear(),
            SeenBy::Jwks => {
                for query in [JwksQuery::ALL_LIVE, JwksQuery::LATEST] {
                    assert_eq!(published(&world, &query).await, Vec::<String>::new(), "it is not lost");
                }
            }
            SeenBy::Reconcile => {
                let plan = world.mirror.plan_reconcile().await;
                assert_eq!(plan.steps, [Step::SettleState { id: key.id().clone() }]);
                assert!(plan.to_string().contains("whether"), "{plan}");
                assert!(world.mirror.apply(plan).await.is_clean());
            }
        }
        world.primary.outage();
        assert_disabled(&world, &key, &format!("{seen_by:?}")).await;
        world.primary.recover();
        assert!(world.mirror.reconcile().await.is_clean());
        assert_eq!(replica_state(&world, &key).await, KeyState::Disabled);

        world.primary_keys.enable_key(key.kid(), key.version()).await.unwrap();
        assert_enabled(&world, &key, "the primary has the say").await;
        assert!(world.mirror.reconcile().await.is_clean());
        assert!(world.mirror.plan_reconcile().await.is_empty());
        world.primary.outage();
        assert_enabled(&world, &key, "after reconcile").await;
    }
}

/// A JWKS cannot tell a lost key from a disabled one; the primary can.
#[tokio::test]
async fn of_two_keys_that_the_primary_does_not_publish_the_lost_one_is_published() {
    for merge in [JwksMerge::All, JwksMerge::ReplicasOnly] {
        let world = world_with(|builder| builder.jwks_merge(merge));
        let lost = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        let disabled = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        world.primary_keys.destroy_key(lost.kid(), None).await.unwrap();
        world.primary_keys.disable_key(disabled.kid(), disabled.version()).await.unwrap();
        for query in [JwksQuery::LATEST, JwksQuery::ALL_LIVE] {
            assert_eq!(published(&world, &query).await, [lost.id().to_string()]);
        }
    }
}

#[tokio::test]
async fn an_older_version_disabled_behind_the_mirrors_back_is_found_by_reconcile() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.mirror.rotate(key.kid()).await.unwrap();
    world.primary_keys.disable_key(key.kid(), key.version()).await.unwrap();
    assert_eq!(world.mirror.plan_reconcile().await.steps, [Step::SettleState { id: key.id().clone() }]);
    assert!(world.mirror.reconcile().await.is_clean());
    assert!(world.mirror.plan_reconcile().await.is_empty());
    world.primary.outage();
    assert_eq!(kind(world.jwk(key.kid(), Some(key.version())).await), KeyErrorKind::Disabled);
    world.jwk(key.kid(), None).await.unwrap();
}

/// Whoever disables a replica on the secondary is heard until reconcile puts it back into the primary's state.
#[tokio::test]
async fn a_replica_disabled_on_the_secondary_itself_is_enabled_again_by_reconcile() {
    let world = world_in(MirrorMode::Full);
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    world.secondary_keys.disable_key(&kid(&key.id().to_string()), version(1)).await.unwrap();
    assert_enabled(&world, &key, "the primary is up").await;
    world.primary.outage();
    assert_eq!(kind(world.jwk(key.kid(), None).await), KeyErrorKind::Disabled);
    world.primary.recover();
    assert_eq!(world.mirror.plan_reconcile().await.steps, [Step::SettleState { id: key.id().clone() }]);
    assert!(world.mirror.reconcile().await.is_clean());
    assert!(world.mirror.plan_reconcile().await.is_empty());
    world.primary.outage();
    assert_enabled(&world, &key, "after reconcile").await;
}

#[tokio::test]
async fn a_new_process_takes_replicas_as_it_finds_them() {
    let world = world_in(MirrorMode::Full);
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    world.mirror.disable_key(key.kid(), key.version()).await.unwrap();
    let world = world.restart();
    world.primary.outage();
    assert_disabled(&world, &key, "after a restart").await;
    world.primary.recover();
    assert!(world.mirror.plan_reconcile().await.is_empty());

    // Enabled on the primary while nobody looked.
    world.primary_keys.enable_key(key.kid(), key.version()).await.unwrap();
    let world = world.restart();
    assert!(world.mirror.reconcile().await.is_clean());
    assert!(world.mirror.plan_reconcile().await.is_empty());
    world.primary.outage();
    assert_enabled(&world, &key, "the primary had the say").await;
}

/// What a follower says that is behind is not taken for the latest state.
#[tokio::test]
async fn an_answer_from_before_an_enable_teaches_nothing() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let stale = Fault::answer(|_, honest| match honest? {
        Answer::Key(key) => Ok(key.with_state(KeyState::Disabled).into()),
        other => Ok(other),
    });
    world.primary.fail_next(Method::GetKey, stale);
    assert_eq!(world.read(key.kid(), None).await.unwrap().state(), KeyState::Disabled);
    assert_eq!(world.mirror.status().disabled, 0);
    world.primary.fail_next(Method::GetKey, Fault::Lie(Lie::Stale));
    world.primary.outage();
    world.jwk(key.kid(), None).await.unwrap();
}
