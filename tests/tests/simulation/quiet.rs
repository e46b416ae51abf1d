//! Calm: every fault is over, everything is repaired, and then map, primary and secondary must agree (promise 11).

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use swarmauri_keyprovider::{JwksQuery, KeyProvider as _, Secrets};
use swarmauri_keyprovider_mirrored::{MirrorMode, MirroredKeyProvider, OnPrimaryLoss, ReconcilePlan};
use swarmauri_keys::{Jwk, JwkSet, KeyId, KeyState, KeyVersionId};

use crate::behind::replicas;
use crate::call::Ask;
use crate::ground::{CallId, Caller, State};
use crate::model::{KeyLife, Life};
use crate::pass::Pass;
use crate::promises::backlog::wants_copy;
use crate::script::{Breaker, Place, Watches};
use crate::since::Since;
use crate::weather::Weather;
use crate::world::World;

/// How often five seconds pass until all that hung must have ended.
const ENDING: usize = 60;
/// The longest that a breaker leaves a side alone.
const REST: Duration = Duration::from_secs(61);
/// How often a reconcile may find something more to do.
const ROUNDS: usize = 5;
/// The caller who is none of those in the script.
const OPERATOR: CallId = CallId::MAX;

pub(crate) async fn calm(world: &mut World, seed: u32) {
    for place in [Place::Primary, Place::Secondary, Place::Store] {
        world.turn(place, Weather::Fair, seed);
    }
    world.watches(Watches::LetGo);
    for process in &mut world.processes {
        if let Some(stop) = process.upkeep.take() {
            stop.notify_one();
        }
    }
    // What is slow or hangs ends, since nothing is waited for without end.
    world.run(seed);
    for _ in 0..ENDING {
        if !world.calls.is_empty() {
            world.advance(Duration::from_secs(5)).await;
        }
    }
    let hung: Vec<_> = world.calls.values().map(|call| (call.id, call.ask.name())).collect();
    for (id, name) in hung {
        world.drop_call(id);
        world
            .ground
            .lock()
            .violate(7, format!("{name} has no end, and everything has been well for minutes"));
    }
    for process in 0..world.processes.len() {
        repair(world, process).await;
    }
    if world.config.processes > 1 {
        repair(world, 0).await;
    }
    for process in &mut world.processes {
        process.blind = None;
        process.ended = None;
    }
    world.ground.lock().tally.count("somebody", "sees everything at rest");
    compare(world);
    check_documents(world).await;
    let there = replicas(world).into_iter().map(|(_, source)| source).collect();
    settle(&mut world.ground.lock(), &there);
    read_in_an_outage(world, seed).await;
}

/// Lets the operator do something, which ends because nothing fails.
fn now<T>(world: &World, process: usize, what: impl AsyncFnOnce(&MirroredKeyProvider) -> T) -> T {
    let mirror = &*world.processes[process].mirror;
    let mut future = pin!(tokio::task::unconstrained(what(mirror)));
    {
        let mut ground = world.ground.lock();
        let started = ground.tick();
        ground.caller = Some(Caller { id: OPERATOR, process, started });
    }
    for _ in 0..1_000_000 {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            let mut ground = world.ground.lock();
            ground.caller = None;
            ground.traces.remove(&OPERATOR);
            return answer;
        }
    }
    panic!("everything is well, and a call of the operator does not end");
}

async fn repair(world: &World, process: usize) {
    let mut left = ReconcilePlan::default();
    for _ in 0..ROUNDS {
        if world.config.breaker != Breaker::Off {
            tokio::time::advance(REST).await;
        }
        now(world, process, async |mirror| mirror.reconcile().await);
        left = now(world, process, async |mirror| mirror.plan_reconcile().await);
        let mut ground = world.ground.lock();
        // A primary that refuses the secret now and gave it before makes a conflict, which people settle.
        left.conflicts.retain(|conflict| {
            let kept = ground.model.life(&conflict.id.kid, conflict.id.version).is_some_and(|life| life.kept);
            if kept {
                ground.let_pass(Pass::SecretRefused);
            }
            !kept
        });
        if left.is_empty() {
            break;
        }
    }
    let status = world.processes[process].mirror.status();
    let mut ground = world.ground.lock();
    if !left.is_empty() {
        ground.violate(11, format!("after {ROUNDS} times reconcile there still is: {left}"));
    } else if !status.backlog.is_empty() {
        ground.violate(11, format!("there is nothing to reconcile, and this is owed: {:?}", status.backlog));
    }
}

/// What is on the secondary follows from what is on the primary, the mode and the policies.
fn compare(world: &World) {
    let mode = world.config.mode;
    if mode == MirrorMode::None {
        return;
    }
    let mut there: BTreeMap<KeyVersionId, Vec<KeyVersionId>> = BTreeMap::new();
    for (at, source) in replicas(world) {
        there.entry(source).or_default().push(at);
    }
    let mut ground = world.ground.lock();
    let (mut wrong, mut orphans) = (Vec::new(), Vec::new());
    for (kid, version, key, life) in ground.model.lives() {
        let id = kid.at(version);
        let places = there.remove(&id).unwrap_or_default();
        // Made in one process while another one destroyed it: the primary has it, and the tombstone wins.
        if life.is_orphan && life.on_primary && places.is_empty() {
            orphans.push(id);
            continue;
        }
        if let Err(what) = compare_one(world, key, life, &places) {
            wrong.push(format!("{id} {what}; the primary has it: {}", life.on_primary));
        }
    }
    wrong.extend(there.keys().map(|id| format!("there is a replica of {id}, which there never was")));
    for _ in orphans {
        ground.let_pass(Pass::Orphan);
    }
    for what in wrong {
        ground.violate(11, what);
    }
}

fn compare_one(world: &World, key: &KeyLife, life: &Life, places: &[KeyVersionId]) -> Result<(), String> {
    let mode = world.config.mode;
    let wanted = wants_copy(mode, life) && life.on_primary;
    let waits = mode == MirrorMode::Full && life.is_exportable() && !life.is_enabled();
    let lost = is_lost(world.config.stored, life) && key.over(life).is_none();
    match places {
        [] if !wanted || waits || life.kept => {}
        [] => return Err("has no replica".to_owned()),
        [_] if !wanted && !lost => return Err("has a replica, and must have none".to_owned()),
        // Of a secret that was refused, replicas are a conflict, which people settle, be they one or two.
        [_, _, ..] if !life.kept => return Err(format!("has {} replicas", places.len())),
        _ => {}
    }
    places.iter().try_for_each(|at| compare_place(world, life, at))
}

/// What a replica is must follow from the version that it is of.
fn compare_place(world: &World, life: &Life, at: &KeyVersionId) -> Result<(), String> {
    let secret = world.secondary.table.get(&at.kid, Some(at.version), true);
    let replica =
        world.secondary.table.get(&at.kid, Some(at.version), false).map_err(|error| error.to_string())?;
    if *replica.fingerprint() != life.truth.fingerprint {
        return Err("has a replica that is another key".to_owned());
    }
    let full = world.config.mode == MirrorMode::Full && life.may_leave();
    if secret.is_ok() && !full {
        return Err("has a replica with its secret".to_owned());
    }
    if full && !life.kept && secret.is_err() && replica.state() == KeyState::Enabled {
        return Err("has a replica without its secret".to_owned());
    }
    if life.on_primary && !life.kept && replica.state() != life.truth.state {
        return Err(format!("is {} and its replica {}", life.truth.state, replica.state()));
    }
    Ok(())
}

/// Whether the primary has lost a version, or it looks like that: without a store the next process takes a replica that it finds
/// for one that the primary has lost.
fn is_lost(stored: bool, life: &Life) -> bool {
    life.lost.is_some() || (!stored && !life.on_primary && life.known.is_none())
}

/// Promise 2: the JWKS in an outage is the one before it.
async fn check_documents(world: &mut World) {
    if world.config.mode == MirrorMode::None || !world.config.fail_open {
        return;
    }
    for query in [JwksQuery::ALL_LIVE, JwksQuery::LATEST] {
        let before = now(world, 0, async |mirror| mirror.jwks(&query).await);
        world.turn(Place::Primary, Weather::Out, 7);
        let during = now(world, 0, async |mirror| mirror.jwks(&query).await);
        world.turn(Place::Primary, Weather::Fair, 7);
        repair(world, 0).await;
        let names = |set: &JwkSet| -> Vec<_> { set.keys.iter().map(|jwk| jwk.kid.clone()).collect() };
        let mut ground = world.ground.lock();
        let (before, during) = match (before, during) {
            (Ok(before), Ok(during)) => (before, during),
            (before, during) => return ground.violate(2, format!("no JWKS: {before:?} {during:?}")),
        };
        ground.tally.count("somebody", "compares the JWKS of an outage with the one before it");
        if before == during {
            continue;
        }
        let is_lost = |jwk: &Jwk| loses(&ground, world.config.on_loss, &query, jwk);
        let without =
            |set: &JwkSet| -> Vec<_> { set.keys.iter().filter(|jwk| !is_lost(jwk)).cloned().collect() };
        let excuse = (without(&before) == without(&during)).then_some(Pass::LatestLost);
        let (before, during) = (names(&before), names(&during));
        ground.violate_unless(excuse, 2, || {
            format!("the JWKS is {before:?}, and in an outage {during:?} ({query:?})")
        });
    }
}

/// Whether a primary that is up publishes this key otherwise than the secondary does in an outage: it has lost a version that
/// is served in an outage alone, or the latest, and calls another one the latest.
fn loses(ground: &State, on_loss: OnPrimaryLoss, query: &JwksQuery, jwk: &Jwk) -> bool {
    let Some(id) = jwk.version_id() else { return false };
    let Some(key) = ground.model.keys.get(&id.kid) else { return false };
    let lost = |life: &Life| is_lost(ground.config.stored, life);
    let this = key.versions.get(&id.version).is_some_and(lost) && on_loss == OnPrimaryLoss::Refuse;
    let latest = key.latest();
    let lost_latest =
        latest.is_some() && key.versions.iter().any(|(version, life)| Some(*version) > latest && lost(life));
    this || (*query == JwksQuery::LATEST && lost_latest)
}

/// From here on everything is known to the mirror, whatever it did not know before.
fn settle(ground: &mut State, there: &BTreeSet<KeyVersionId>) {
    let at = ground.tick();
    ground.model.disguised.clear();
    ground.model.unwanted.clear();
    let mode = ground.config.mode;
    for key in ground.model.keys.values_mut() {
        if key.destroyed.is_none() {
            (key.destroy_begun, key.destroys_open) = (Since::default(), 0);
        }
        for life in key.versions.values_mut() {
            (life.replica_gone, life.lied_about, life.hidden) = (false, false, false);
            if !life.on_primary {
                if there.contains(&life.truth.id) {
                    life.lost.get_or_insert(at);
                    (life.destroy_begun, life.destroys_open) = (Since::default(), 0);
                }
                continue;
            }
            life.is_orphan &= !there.contains(&life.truth.id);
            if life.is_orphan {
                continue;
            }
            life.known.get_or_insert(at);
            (life.destroy_begun, life.destroys_open) = (Since::default(), 0);
            life.switched_behind = false;
            // Mode none is not told what is disabled behind its back.
            if mode != MirrorMode::None {
                life.switched_at_once = false;
                life.disabled = if life.is_enabled() { Since::default() } else { Since::all(at) };
            }
        }
    }
}

/// What is mirrored answers when the primary is out.
async fn read_in_an_outage(world: &mut World, seed: u32) {
    let lives: Vec<(KeyId, _)> = {
        let ground = world.ground.lock();
        let there = ground.model.lives().filter(|(_, _, _, life)| life.on_primary);
        there.map(|(kid, version, ..)| (kid.clone(), version)).collect()
    };
    world.turn(Place::Primary, Weather::Out, seed);
    for (kid, version) in lives.into_iter().rev().take(6) {
        for secrets in [Secrets::Omit, Secrets::Include] {
            let ask = Ask::Get { kid: kid.clone(), version: Some(version), secrets, by_ref: false };
            world.start(0, ask);
            world.run(seed);
        }
    }
    world.turn(Place::Primary, Weather::Fair, seed);
    repair(world, 0).await;
}
