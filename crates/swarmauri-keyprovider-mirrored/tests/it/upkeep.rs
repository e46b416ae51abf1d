//! `maintain`: pays what is owed, asks sides that are out, reconciles; and nothing of it unless somebody polls it.

use std::num::NonZeroUsize;
use std::time::Duration;

use swarmauri_keyprovider::{KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_mirrored::{
    Backend, BreakerSettings, BreakerState, Deadlines, MaintenanceReport, MirroredBuilder,
};
use swarmauri_keyprovider_testkit::{Fault, Method};
use swarmauri_keys::{KeyAlg, KeyError};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::support::*;

const SECOND: Duration = Duration::from_secs(1);

fn usual(builder: MirroredBuilder) -> MirroredBuilder {
    builder.deadlines(Deadlines::default()).breaker(BreakerSettings::default()).seed(7)
}

fn world_in_upkeep(breaker: BreakerSettings) -> World {
    world_with(|builder| usual(builder).breaker(breaker))
}

async fn wait_for(world: &World, state: BreakerState) {
    while world.mirror.breakers()[&Backend::Secondary] != state {
        sleep(SECOND / 100).await;
    }
}

struct Upkeep {
    stop: oneshot::Sender<()>,
    task: JoinHandle<MaintenanceReport>,
}

impl Upkeep {
    fn of(world: &World) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let mirror = world.mirror.clone();
        let task = tokio::spawn(async move { mirror.maintain(async { drop(stopped.await) }).await });
        Self { stop, task }
    }

    async fn stop(self) -> MaintenanceReport {
        drop(self.stop);
        self.task.await.unwrap()
    }
}

/// Has so many keys created that the secondary is out for; then it is back.
async fn debts(world: &World, count: usize) {
    world.secondary.outage();
    for _ in 0..count {
        world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    }
    world.secondary.recover();
    assert_eq!(world.backlog().len(), count);
}

#[tokio::test(start_paused = true)]
async fn promise_8_what_is_owed_after_an_outage_of_the_secondary_is_paid_by_itself() {
    let world = world_with(usual);
    let doomed = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let upkeep = Upkeep::of(&world);
    sleep(SECOND).await;
    world.secondary.outage();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.mirror.destroy_key(doomed.kid(), None).await.unwrap();
    sleep(60 * SECOND).await;
    assert_eq!(world.backlog().len(), 2);
    let tries = world.secondary.journal().calls_of(Method::ImportKey).len();
    assert!(tries <= 10, "a side that is out is left alone: {tries} tries");
    world.secondary.recover();
    sleep(31 * SECOND).await;
    assert!(world.backlog().is_empty(), "{:?}", world.backlog());
    world.primary.outage();
    assert_eq!(world.read(key.kid(), None).await.unwrap().parts(), key.parts());
    assert_eq!(world.replicas().await, 1);
    let report = upkeep.stop().await;
    assert!(report.paid >= 2 && report.probes >= 1, "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn debts_are_paid_some_at_once_and_never_more() {
    let four = NonZeroUsize::new(4).unwrap();
    let world = world_with(|builder| usual(builder).repairs_at_once(four));
    let upkeep = Upkeep::of(&world);
    sleep(SECOND).await;
    debts(&world, 20).await;
    world.secondary.set(Method::ImportKey, Some(Fault::Delay(SECOND)));
    wait_for(&world, BreakerState::Closed).await;
    let begun = Instant::now();
    let mut owed = 20;
    while owed > 0 {
        sleep(SECOND / 10).await;
        let now = world.backlog().len();
        assert!(owed - now <= 4, "{owed}, and then {now}");
        owed = now;
    }
    assert!(begun.elapsed() >= 5 * SECOND && begun.elapsed() <= 6 * SECOND, "{:?}", begun.elapsed());
    upkeep.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_debt_that_cannot_be_paid_is_tried_again_ever_more_rarely() {
    let world = world_with(usual);
    world.secondary.set(Method::ImportKey, Some(Fault::FailBefore(KeyError::permission_denied("told to"))));
    let upkeep = Upkeep::of(&world);
    sleep(SECOND).await;
    world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let tries = || world.secondary.journal().calls_of(Method::ImportKey).len();
    sleep(10 * SECOND).await;
    let soon = tries();
    assert!((4..=40).contains(&soon), "{soon} tries in ten seconds");
    sleep(7200 * SECOND).await;
    let later = tries();
    sleep(7200 * SECOND).await;
    // At most every five minutes, and twice as often on average; a reconcile every five minutes tries, too.
    let rate = tries() - later;
    assert!((30..=120).contains(&rate), "{rate} tries in two hours");
    upkeep.stop().await;
    assert_eq!(world.backlog().len(), 1, "and it stays owed");
}

#[tokio::test(start_paused = true)]
async fn what_is_in_flight_when_it_is_stopped_ends_and_nothing_more_is_begun() {
    let world = world_with(usual);
    let upkeep = Upkeep::of(&world);
    sleep(SECOND).await;
    debts(&world, 20).await;
    world.secondary.set(Method::ImportKey, Some(Fault::Delay(SECOND)));
    wait_for(&world, BreakerState::Closed).await;
    sleep(SECOND / 2).await;
    let begun = Instant::now();
    let report = upkeep.stop().await;
    assert_eq!((report.paid, world.backlog().len()), (8, 12), "{report:?}");
    assert!(begun.elapsed() <= SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_reconcile_that_is_stopped_ends_what_it_is_about_and_begins_no_more() {
    let world = world_in_upkeep(BreakerSettings::OFF);
    debts(&world, 20).await;
    world.secondary.set(Method::ImportKey, Some(Fault::Delay(SECOND)));
    let upkeep = Upkeep::of(&world);
    sleep(SECOND / 2).await;
    let begun = Instant::now();
    upkeep.stop().await;
    assert_eq!(world.backlog().len(), 12);
    assert!(begun.elapsed() <= SECOND);
}

#[tokio::test(start_paused = true)]
async fn promise_11_it_may_be_dropped_at_any_time() {
    let world = world_in_upkeep(BreakerSettings::OFF);
    debts(&world, 20).await;
    world.secondary.set_all(Some(Fault::Delay(SECOND / 10)));
    world.primary.set_all(Some(Fault::Delay(SECOND / 10)));
    for turn in 1..20_u32 {
        let upkeep = world.mirror.maintain(std::future::pending());
        let _ = tokio::time::timeout(SECOND * turn / 20, upkeep).await;
    }
    crate::cancellation::assert_repaired(&world, "maintain").await;
}

#[tokio::test(start_paused = true)]
async fn while_it_runs_no_caller_pays_for_finding_out_whether_a_side_is_back() {
    let world = world_with(usual);
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let upkeep = Upkeep::of(&world);
    sleep(SECOND).await;
    world.primary.hang();
    for read in 0..600 {
        let before = Instant::now();
        world.read(key.kid(), None).await.unwrap();
        assert!(read < 5 || before.elapsed().is_zero(), "read {read} took {:?}", before.elapsed());
        sleep(SECOND).await;
    }
    world.primary.recover();
    sleep(31 * SECOND).await;
    assert_eq!(world.mirror.breakers()[&Backend::Primary], BreakerState::Closed);
    let report = upkeep.stop().await;
    assert!((15..=60).contains(&report.probes), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn it_reconciles_at_once_and_from_time_to_time() {
    let world = world_with(usual);
    let early = world.primary_keys.create(KeyAlg::Ed25519).await.unwrap();
    let upkeep = Upkeep::of(&world);
    sleep(SECOND).await;
    assert_eq!(world.replicas().await, 1);
    let late = world.primary_keys.create(KeyAlg::Ed25519).await.unwrap();
    sleep(301 * SECOND).await;
    assert_eq!(world.replicas().await, 2);
    assert_eq!(upkeep.stop().await.reconciled, 2);
    world.primary.outage();
    for key in [early, late] {
        assert_eq!(world.read(key.kid(), None).await.unwrap().parts(), key.parts());
    }
}

#[tokio::test(start_paused = true)]
async fn writes_of_unknown_outcome_are_settled_when_the_primary_is_back() {
    let world = world_with(usual);
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let doomed = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let upkeep = Upkeep::of(&world);
    sleep(SECOND).await;
    world.primary.set_all(Some(Fault::HangAfter));
    assert!(world.mirror.rotate(key.kid()).await.is_err());
    assert!(world.mirror.destroy_key(doomed.kid(), None).await.is_err());
    assert_eq!(world.backlog().len(), 2);
    world.primary.recover();
    sleep(60 * SECOND).await;
    assert!(world.backlog().is_empty(), "{:?}", world.backlog());
    world.primary.outage();
    assert_eq!(world.read(key.kid(), None).await.unwrap().version(), version(2));
    upkeep.stop().await;
}

/// A create on a primary that takes no `kid` is known by its tag alone.
#[tokio::test(start_paused = true)]
async fn creates_of_unknown_outcome_and_unknown_name_are_settled_too() {
    let world =
        restricted_world(|primary, _| deny(primary, &[swarmauri_keyprovider::Feature::ChosenKid]), usual);
    let upkeep = Upkeep::of(&world);
    sleep(SECOND).await;
    world.primary.fail_next(Method::CreateKey, Fault::HangAfter);
    assert!(world.mirror.create(KeyAlg::Ed25519).await.is_err());
    assert_eq!(world.backlog().len(), 1);
    sleep(30 * SECOND).await;
    assert!(world.backlog().is_empty(), "{:?}", world.backlog());
    assert_eq!(world.replicas().await, 1);
    upkeep.stop().await;
}

/// The other side comes back meanwhile: that is no reason to begin the same again.
#[tokio::test(start_paused = true)]
async fn what_is_being_tried_is_not_tried_beside_that() {
    let world =
        restricted_world(|primary, _| deny(primary, &[swarmauri_keyprovider::Feature::ChosenKid]), usual);
    let upkeep = Upkeep::of(&world);
    sleep(SECOND).await;
    world.primary.fail_next(Method::CreateKey, Fault::FailAfter(KeyError::timeout("told to")));
    assert!(world.mirror.create(KeyAlg::Ed25519).await.is_err());
    let hold = world.primary.hold(Method::ListKeys);
    let looks = || world.primary.journal().calls_of(Method::ListKeys).len();
    let before = looks();
    hold.arrived().await;
    world.secondary.outage();
    while world.mirror.breakers()[&Backend::Secondary] != BreakerState::Open {
        let _ = world.mirror.drill().await;
        let _ = world.mirror.verify_replicas().await;
        world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    }
    world.secondary.recover();
    wait_for(&world, BreakerState::Closed).await;
    sleep(SECOND).await;
    assert_eq!(looks() - before, 1);
    hold.release();
    sleep(30 * SECOND).await;
    assert!(world.backlog().is_empty(), "{:?}", world.backlog());
    upkeep.stop().await;
}
