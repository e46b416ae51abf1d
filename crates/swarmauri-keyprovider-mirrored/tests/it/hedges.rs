//! Hedged reads: both sides are asked when the primary is slow, and promises hold all the same.

use std::time::Duration;

use swarmauri_keyprovider::{KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_mirrored::{Hedge, MirrorMode};
use swarmauri_keyprovider_testkit::{Fault, Lie, Method};
use swarmauri_keys::{KeyAlg, KeyError, KeyErrorKind};
use tokio::time::Instant;

use crate::support::*;

const SLOW: Duration = Duration::from_millis(500);
const DELAY: Duration = Duration::from_millis(50);
const TICK: Duration = Duration::from_millis(5);

fn hedged() -> World {
    let hedge = Hedge { budget_percent: 100, ..Hedge::after(DELAY) };
    world_with(|builder| builder.mode(MirrorMode::Full).hedge(hedge))
}

#[tokio::test(start_paused = true)]
async fn a_slow_primary_is_outrun_by_the_replica_under_the_primarys_name() {
    let world = hedged();
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    world.primary.set_all(Some(Fault::Delay(SLOW)));
    for version in [None, Some(version(1))] {
        let begun = Instant::now();
        assert_eq!(world.read(key.kid(), version).await.unwrap().parts(), key.parts());
        assert_eq!(world.jwk(key.kid(), version).await.unwrap(), key.public_jwk().unwrap());
        assert!(begun.elapsed() <= 2 * (DELAY + TICK), "{:?}", begun.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_primary_that_is_fast_enough_answers_alone() {
    let world = hedged();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.secondary.journal().clear();
    world.primary.set_all(Some(Fault::Delay(DELAY.saturating_sub(TICK))));
    world.read(key.kid(), None).await.unwrap();
    assert!(world.secondary.journal().calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn secrets_are_never_hedged() {
    let world = hedged();
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    world.secondary.journal().clear();
    world.primary.set_all(Some(Fault::Delay(SLOW)));
    let begun = Instant::now();
    world.mirror.get_key(key.kid(), None, Secrets::Include).await.unwrap();
    assert!(begun.elapsed() >= SLOW && world.secondary.journal().calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_is_wrong_or_out_leaves_it_to_the_primary() {
    let world = hedged();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.set_all(Some(Fault::Delay(SLOW)));
    for fault in
        [Fault::Lie(Lie::WrongKey), Fault::FailBefore(KeyError::unavailable("told to")), Fault::HangBefore]
    {
        world.secondary.set(Method::GetKey, Some(fault));
        assert_eq!(world.read(key.kid(), None).await.unwrap().parts(), key.parts());
    }
}

#[tokio::test(start_paused = true)]
async fn promise_4_what_is_destroyed_during_a_hedge_is_not_served() {
    let world = hedged();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.set(Method::GetKey, Some(Fault::Delay(SLOW)));
    let held = world.secondary.hold_after(Method::GetKey);
    let mirror = world.mirror.clone();
    let kid = key.kid().clone();
    let read = tokio::spawn(async move { mirror.get_key(&kid, None, Secrets::Omit).await });
    tokio::time::sleep(DELAY + TICK).await;
    assert!(held.has_arrived());
    assert!(world.mirror.destroy_key(key.kid(), None).await.unwrap());
    held.release();
    assert_eq!(kind(read.await.unwrap()), KeyErrorKind::NotFound);
}

/// The primary has a version that is not copied yet: its replica before that is not the latest.
#[tokio::test(start_paused = true)]
async fn the_latest_version_is_hedged_only_if_it_is_mirrored() {
    let world = hedged();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.secondary.outage();
    let second = world.mirror.rotate(key.kid()).await.unwrap();
    world.secondary.recover();
    world.primary.set(Method::GetKey, Some(Fault::Delay(SLOW)));
    assert_eq!(world.read(key.kid(), None).await.unwrap().parts(), second.parts());
}

#[tokio::test(start_paused = true)]
async fn promise_10_nothing_is_hedged_where_reads_fail_closed() {
    let hedge = Hedge { budget_percent: 100, ..Hedge::after(DELAY) };
    let world = world_with(|builder| builder.hedge(hedge).fail_open_reads(false));
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.secondary.journal().clear();
    world.primary.set_all(Some(Fault::Delay(SLOW)));
    world.read(key.kid(), None).await.unwrap();
    assert!(world.secondary.journal().calls().is_empty());
}
