//! The last good JWKS, when neither side answers.

use std::time::Duration;

use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_testkit::{Fault, Method, capture_tracing_of};
use swarmauri_keys::{JwkSet, KeyAlg, KeyError};

use crate::support::*;

const AGE: Duration = Duration::from_mins(10);

fn lenient() -> World {
    world_with(|builder| builder.jwks_max_stale(AGE))
}

fn both_out(world: &World) {
    world.primary.outage();
    world.secondary.outage();
}

fn kids(set: &JwkSet) -> Vec<&str> {
    set.keys.iter().filter_map(|jwk| jwk.kid.as_deref()).collect()
}

#[tokio::test(start_paused = true)]
async fn it_is_served_up_to_its_age_and_said_to_be_so() {
    let world = lenient();
    world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let before = world.mirror.jwks(&JwksQuery::LATEST).await.unwrap();
    both_out(&world);
    tokio::time::sleep(AGE).await;
    let (served, told) = capture_tracing_of(world.mirror.jwks(&JwksQuery::LATEST)).await;
    assert_eq!(served.unwrap(), before);
    assert!(told.contains("serving the last good JWKS") && told.contains("age_seconds=600"), "{told}");
    assert!(world.mirror.jwks(&JwksQuery::ALL_LIVE).await.unwrap_err().is_outage(), "nobody asked for that");
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(world.mirror.jwks(&JwksQuery::LATEST).await.unwrap_err().is_outage());
}

#[tokio::test(start_paused = true)]
async fn it_is_off_unless_it_is_asked_for_and_where_reads_fail_closed() {
    for world in [world(), world_with(|builder| builder.jwks_max_stale(AGE).fail_open_reads(false))] {
        world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        world.mirror.jwks(&JwksQuery::LATEST).await.unwrap();
        both_out(&world);
        assert!(world.mirror.jwks(&JwksQuery::LATEST).await.unwrap_err().is_outage());
    }
}

#[tokio::test(start_paused = true)]
async fn promise_4_what_was_destroyed_or_disabled_since_is_not_in_it() {
    let world = lenient();
    let [destroyed, disabled, kept] = [(); 3].map(|()| world.mirror.create(KeyAlg::Ed25519));
    let (destroyed, disabled) = (destroyed.await.unwrap(), disabled.await.unwrap());
    let kept = kept.await.unwrap();
    assert_eq!(world.mirror.jwks(&JwksQuery::LATEST).await.unwrap().keys.len(), 3);
    world.mirror.destroy_key(destroyed.kid(), None).await.unwrap();
    world.mirror.disable_key(disabled.kid(), version(1)).await.unwrap();
    both_out(&world);
    let served = world.mirror.jwks(&JwksQuery::LATEST).await.unwrap();
    assert_eq!(kids(&served), [kept.id().to_string()]);
}

#[tokio::test(start_paused = true)]
async fn while_one_side_answers_it_is_not_needed() {
    let world = lenient();
    world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.mirror.jwks(&JwksQuery::LATEST).await.unwrap();
    let newer = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.outage();
    let served = world.mirror.jwks(&JwksQuery::LATEST).await.unwrap();
    assert!(kids(&served).contains(&newer.id().to_string().as_str()));
}

/// The mirror knows of the key from the primary's document alone, and of its end from an answer that was lost: no tombstone tells.
#[tokio::test(start_paused = true)]
async fn promise_4_what_was_destroyed_without_ever_being_recorded_is_not_in_it() {
    for whole in [true, false] {
        let world = lenient();
        let kept = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        let key = world.primary_keys.create(KeyAlg::Ed25519).await.unwrap();
        assert_eq!(world.mirror.jwks(&JwksQuery::LATEST).await.unwrap().keys.len(), 2);
        world.primary.fail_next(Method::DestroyKey, Fault::FailAfter(KeyError::timeout("told to")));
        let which = (!whole).then_some(key.version());
        assert!(world.mirror.destroy_key(key.kid(), which).await.unwrap_err().is_outage());
        assert!(world.mirror.reconcile().await.is_clean());
        both_out(&world);
        let served = world.mirror.jwks(&JwksQuery::LATEST).await.unwrap();
        assert_eq!(kids(&served), [format!("{}.1", kept.kid())]);
    }
}
