//! Promise 11, to the letter: every async method is dropped at each of its awaits, and what it left behind is repaired.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_mirrored::MirrorMode;
use swarmauri_keyprovider_testkit::{Dropped, Fault, Method, at_every_await, secret_parts};
use swarmauri_keys::{KeyError, KeyRef, KeyState, KeyVersionId};

use crate::cancellation::assert_repaired;
use crate::every_call::{CALLS, Call, Scene, Stage};
use crate::every_scene::{Before, Out, furnish, ids, set};
use crate::restore::shown;
use crate::support::*;

#[tokio::test(start_paused = true)]
async fn promise_11_every_call_that_is_dropped_at_any_await_is_repaired() {
    drop_all(MirrorMode::Full, Out::Nobody).await;
}

#[tokio::test(start_paused = true)]
async fn promise_11_every_call_that_is_dropped_at_any_await_in_mode_public_only_is_repaired() {
    drop_all(MirrorMode::PublicOnly, Out::Nobody).await;
}

#[tokio::test(start_paused = true)]
async fn promise_11_every_call_that_is_dropped_at_any_await_in_an_outage_of_the_primary_is_repaired() {
    drop_all(MirrorMode::Full, Out::Primary).await;
}

#[tokio::test(start_paused = true)]
async fn promise_11_every_call_that_is_dropped_at_any_await_in_an_outage_of_the_secondary_is_repaired() {
    drop_all(MirrorMode::Full, Out::Secondary).await;
}

async fn drop_all(mode: MirrorMode, out: Out) {
    let mut longest = BTreeMap::new();
    for call in CALLS {
        // Of a pair no public key brings the private one back.
        let may = |scene: &&Scene| mode == MirrorMode::Full || **scene != Scene::Lost;
        for scene in call.scenes.iter().filter(may) {
            let what = What { name: call.name, scene: *scene, out };
            let polls = at_every_await(
                async || set(mode, *scene, out).await,
                async |(stage, _)| (call.run)(stage).await,
                async |(stage, before), dropped| {
                    let checked = give_up(check(&stage, &before, call, what, dropped)).await;
                    assert!(checked.is_some(), "{what}, {dropped}: after that, something waits for ever");
                },
            );
            let (polls, most) = (polls.await, longest.entry(call.name).or_default());
            *most = polls.max(*most);
        }
    }
    for (name, polls) in longest {
        // A side is asked, before its effect and after; without that it was not dropped anywhere.
        assert!(polls >= 3 || !is_to_wait(name), "{name} took {polls} polls at most");
    }
}

/// Whether the call asks anybody: unsupported ones do not, nor do those that are compiled out, or have nothing to read.
fn is_to_wait(name: &str) -> bool {
    match name {
        "import_version" => false,
        "open" => crate::STORED,
        "jwks_canonical_json" => cfg!(feature = "jsoncanon"),
        "jwks_cbor" => cfg!(feature = "cbor"),
        _ => true,
    }
}

#[derive(Debug, Clone, Copy)]
struct What {
    name: &'static str,
    scene: Scene,
    out: Out,
}

async fn check(stage: &Stage, before: &Before, call: &Call, what: What, dropped: Dropped) {
    let world = &stage.world;
    let (scene, what) = (what.scene, format!("{what}, {dropped}"));
    well_again(world);
    if scene == Scene::Tidy {
        assert_not_silent(world, before, &what).await;
    }
    if !matches!(call.scenes, [Scene::Lost | Scene::GivenUp]) {
        assert_nothing_comes_back(world, before, &what).await;
    }
    assert_repairable(world, before, call, &what).await;
    assert_stands_in(world, before, &what).await;
    // Whoever was dropped holds no lock.
    assert!(give_up((call.run)(stage)).await.is_some(), "{what}: made once more, it hangs");
    assert_repairable(world, before, call, &format!("{what}, and made once more")).await;
}

fn well_again(world: &World) {
    for side in [&world.primary, &world.secondary] {
        side.clear();
        side.pause(false);
    }
}

async fn assert_repairable(world: &World, before: &Before, call: &Call, what: &str) {
    match call.scenes {
        [Scene::Lost] => assert_brought_back(world, before, what).await,
        [Scene::GivenUp] => assert_given_up(world, what).await,
        _ => assert_repaired(world, what).await,
    }
}

/// Before anything is repaired: what one side has and the other has not is owed, and shows.
async fn assert_not_silent(world: &World, before: &Before, what: &str) {
    let (there, backlog) = (ids(world).await, world.backlog());
    let owed = |id: &KeyVersionId| backlog.iter().any(|debt| debt.contains(id.kid.as_str()));
    for id in there.iter().chain(&before.ids) {
        let primary = world.primary_keys.get_key(&id.kid, Some(id.version), Secrets::Omit).await.is_ok();
        let replica = kid(&id.to_string());
        let secondary = world.secondary_keys.get_key(&replica, None, Secrets::Omit).await.is_ok();
        assert!(
            primary == secondary || owed(id),
            "{what}: {id} is on one side alone, and not owed: {backlog:?}"
        );
    }
}

/// Before anything is repaired: what the primary has destroyed is not served, and what it has disabled is not published.
async fn assert_nothing_comes_back(world: &World, before: &Before, what: &str) {
    for id in &before.ids {
        let own = world.primary_keys.get_key(&id.kid, Some(id.version), Secrets::Omit).await;
        if own.is_ok_and(|own| own.state() == KeyState::Enabled) {
            continue;
        }
        // First in an outage: whoever asks the primary learns from it.
        world.primary.outage();
        let out = world.jwk(&id.kid, Some(id.version)).await;
        world.primary.recover();
        let read = world.jwk(&id.kid, Some(id.version)).await;
        assert!(out.is_err(), "{what}: {id} is destroyed or disabled, and served in an outage");
        assert!(read.is_err(), "{what}: {id} is destroyed or disabled, and served");
    }
}

/// The secondary stands in for all that the primary has, secrets too, and for nothing else.
async fn assert_stands_in(world: &World, before: &Before, what: &str) {
    let jwks = world.mirror.jwks(&JwksQuery::ALL_LIVE).await.unwrap();
    let full = world.mirror.settings().mode == MirrorMode::Full;
    let secrets = if full { Secrets::Include } else { Secrets::Omit };
    let mut all: BTreeSet<_> = before.ids.iter().cloned().collect();
    all.extend(ids(world).await);
    for id in all {
        let own = world.primary_keys.get_key(&id.kid, Some(id.version), secrets).await;
        for out in [false, true] {
            if out {
                world.primary.outage();
            }
            let read = world.mirror.get_key(&id.kid, Some(id.version), secrets).await;
            world.primary.recover();
            match (&own, read) {
                (Ok(own), read) => {
                    let read = read.unwrap_or_else(|error| panic!("{what}: {id}: {error}"));
                    let parts = |key: &KeyRef| key.secret().map(|secret| secret_parts(key.alg(), secret));
                    assert_eq!(parts(own), parts(&read), "{what}: {id}, out: {out}");
                    assert_eq!(own.parts(), read.parts(), "{what}: {id}, out: {out}");
                }
                (Err(_), read) => assert!(read.is_err(), "{what}: {id} is served, out: {out}"),
            }
        }
    }
    world.primary.outage();
    assert_eq!(world.mirror.jwks(&JwksQuery::ALL_LIVE).await.unwrap(), jwks, "{what}");
    world.primary.recover();
    if crate::STORED {
        let next = world.clone().over(Arc::new(world.store.clone())).await;
        assert!(
            next.mirror.plan_reconcile().await.is_empty(),
            "{what}: the next process has to do something"
        );
        assert_eq!(
            next.mirror.status(),
            world.mirror.status(),
            "{what}: the next process knows it otherwise"
        );
    }
}

/// What the primary had it has again, once that is asked for.
async fn assert_brought_back(world: &World, before: &Before, what: &str) {
    world.mirror.reconcile().await;
    let plan = world.mirror.plan_restore_primary().await.unwrap();
    assert!(plan.conflicts.is_empty(), "{what}: {plan}");
    let report = world.mirror.apply(plan).await;
    assert!(report.is_clean(), "{what}: {report:?}");
    assert_eq!(shown(&*world.primary_keys).await, before.shown, "{what}");
    assert_repaired(world, what).await;
}

async fn assert_given_up(world: &World, what: &str) {
    let plan = world.mirror.plan_propagate_loss().await.unwrap();
    let report = world.mirror.apply(plan).await;
    assert!(report.is_clean(), "{what}: {report:?}");
    assert_repaired(world, what).await;
    assert_eq!(world.replicas().await, 0, "{what}");
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, scene, out } = self;
        write!(f, "{name} in a world that is {scene:?}, out: {out:?}")
    }
}

/// A mirror that knows of nothing takes in a key because of an intent, before it has looked at the replicas.
#[tokio::test]
async fn a_disabled_version_that_is_taken_in_keeps_its_replica() {
    let world = world_in(MirrorMode::Full);
    furnish(&world).await;
    let world = world.restart();
    world.primary.fail_next(Method::RotateKey, Fault::FailBefore(KeyError::timeout("no answer")));
    world.mirror.rotate(&kid("pair")).await.unwrap_err();
    assert_repaired(&world, "after a rotation of unknown outcome").await;
    assert!(world.mirror.destroy_key(&kid("pair"), Some(version(1))).await.unwrap());
    assert_repaired(&world, "after the destroy").await;
}
