//! JWKS documents.

use std::collections::BTreeSet;

use swarmauri_keyprovider::{JwksQuery, JwksVersions};
use swarmauri_keyprovider_mirrored::{JwksMerge, MirrorMode, OnPrimaryLoss};
use swarmauri_keyprovider_testkit::Method;
use swarmauri_keys::{Jwk, JwkSet, KeyVersion, KeyVersionId};

use super::reads::published;
use super::{By, Case, Use, asks_secondary, is_calm, is_owed};
use crate::behind::replicas;
use crate::call::{Answer, Ask};
use crate::ground::{SideCall, SideEnd, State, Tick};
use crate::model::{KeyLife, Life};
use crate::pass::Pass;
use crate::script::Place;
use crate::weather::Weather;
use crate::world::World;

pub(super) fn check(case: &Case<'_>, ground: &mut State, query: &JwksQuery, set: &JwkSet) {
    let up = is_up(case);
    let mut seen = BTreeSet::new();
    for jwk in &set.keys {
        let Some(id) = jwk.version_id() else {
            ground.violate(2, format!("a JWKS holds a key that is named {:?}", jwk.kid));
            continue;
        };
        let once = if query.versions == JwksVersions::Latest {
            seen.insert((id.kid.clone(), None))
        } else {
            seen.insert((id.kid.clone(), Some(id.version)))
        };
        if !once || !query.matches(&id.kid) {
            ground.violate(2, format!("a JWKS of {query:?} holds {id}"));
        }
        let of_primary = (up && may_be_shown(case, ground, &id)) || is_from_before(case, ground, &id);
        let by = if of_primary { By::Primary } else { By::Secondary };
        // Such a replica is taken for a key that the secondary alone has.
        if case.config.merge == JwksMerge::All && ground.model.disguised.contains(&id) {
            ground.let_pass(Pass::Disguised);
            continue;
        }
        // Mode none publishes what the secondary has under any name that the primary does not publish.
        let named_alike = case.config.mode == MirrorMode::None;
        let withheld = up && by == By::Secondary && !is_given_up(case);
        if withheld && !named_alike && !is_missing(case, ground, &id) {
            let what = || format!("a JWKS holds {id} from the secondary, and the primary withholds it");
            ground.violate_unless(looks_lost(case, ground, &id), 6, what);
        }
        // Why the secondary may answer is known by then.
        let cause: &[Method] = if up { &[] } else { &[Method::Jwks] };
        case.served(ground, &id, by, Use::Published, cause);
        let Some(life) = ground.model.life(&id.kid, id.version) else { continue };
        if !named_alike && Some(jwk) != published(life).as_ref() {
            ground.violate(3, format!("a JWKS holds another key as {id}"));
        }
    }
}

/// Whether the document of a primary that was up during the call may hold this.
fn may_be_shown(case: &Case<'_>, ground: &State, id: &KeyVersionId) -> bool {
    let meanwhile = |at: Option<Tick>| at.is_some_and(|at| at >= case.done.started);
    let stale = case.asked(Place::Primary, &[Method::Jwks]).any(|call| call.stale);
    ground.model.life(&id.kid, id.version).is_some_and(|life| {
        let shown = life.on_primary && (life.is_enabled() || meanwhile(life.switched));
        shown || (stale && life.is_past()) || meanwhile(life.gone)
    })
}

/// Whether this is of the last good document, and the primary's: nobody has answered, and the mirror knows no such key. What a
/// primary says that answers from the past is in such a document, too.
fn is_from_before(case: &Case<'_>, ground: &State, id: &KeyVersionId) -> bool {
    let jwks = &[Method::Jwks];
    let nobody = !is_up(case) && !case.asked(Place::Secondary, jwks).any(answered);
    let unknown = ground.model.life(&id.kid, id.version).is_some_and(|life| life.known.is_none());
    case.config.stale_jwks && nobody && unknown
}

/// Whether the primary, which is up, has lost a key, or did not say so of one that its document lacks.
fn is_missing(case: &Case<'_>, ground: &State, id: &KeyVersionId) -> bool {
    let life = ground.model.life(&id.kid, id.version);
    let lost = life.is_some_and(|life| life.lost.is_some());
    let silent = |call: &&SideCall| call.end.as_ref().is_none_or(SideEnd::is_outage);
    let about = |call: &&SideCall| call.kid.as_ref() == Some(&id.kid) && call.version == Some(id.version);
    let asked = || case.asked(Place::Primary, &[Method::GetKey]);
    // After the first that it does not answer it is not asked for the others.
    let silent = match asked().find(about) {
        Some(call) => silent(&call),
        None => case.left_alone || asked().any(|call| silent(&call)),
    };
    case.config.on_loss == OnPrimaryLoss::ServeReplica && (lost || silent)
}

/// Whether it has been destroyed, and this process cannot know: then it looks lost.
fn looks_lost(case: &Case<'_>, ground: &State, id: &KeyVersionId) -> Option<Pass> {
    let (key, life) =
        ground.model.keys.get(&id.kid).and_then(|key| Some((key, key.versions.get(&id.version)?)))?;
    let begun = key.begun(life);
    let unheard = !life.on_primary && begun.is_some() && begun.known_to(case.view).is_none();
    let settled = life.lied_about && life.known.is_none() && !life.on_primary;
    unheard.then_some(Pass::Behind).or(settled.then_some(Pass::LiedAbout))
}

fn answered(call: &SideCall) -> bool {
    matches!(call.end, Some(SideEnd::Ok(_)))
}

/// Whether the document is one that the primary answered for, each time that it was asked.
fn is_up(case: &Case<'_>) -> bool {
    let mut asked = case.asked(Place::Primary, &[Method::Jwks]).peekable();
    asked.peek().is_some() && asked.all(answered)
}

/// Whether it answered from the past, and may have been left alone when it should have been asked once more.
fn is_given_up(case: &Case<'_>) -> bool {
    case.left_alone && case.asked(Place::Primary, &[Method::Jwks]).any(|call| call.stale)
}

/// Why a document may lack a version that the primary has.
fn excuse(up: bool, version: KeyVersion, key: &KeyLife, life: &Life) -> Option<Pass> {
    if life.is_orphan {
        return Some(Pass::Orphan);
    }
    // Of which the primary has lost the latest, the mirror has another latest.
    let lost_latest = key.versions.range(version..).any(|(_, later)| later.lost.is_some());
    let reasons = [
        (life.lied_about, Pass::LiedAbout),
        (life.replica_gone, Pass::ReplicaDestroyed),
        (life.kept, Pass::SecretRefused),
        (life.switched_behind, Pass::CopyWaits),
        (life.switched_at_once, Pass::SwitchedAtOnce),
        (lost_latest, Pass::LatestLost),
    ];
    reasons.into_iter().find(|(holds, _)| *holds && !up).map(|(_, pass)| pass)
}

/// Promise 2: nothing is missing, on whichever side.
pub(super) fn availability(world: &World, case: &Case<'_>) {
    let (Ask::Jwks(query), Answer::Jwks(Ok(set))) = (&case.done.ask, &case.done.answer) else {
        return;
    };
    let up = is_up(case);
    let fair = |weather: Weather| weather == Weather::Fair;
    if (up && !fair(world.primary.weather())) || case.is_behind(&mut world.ground.lock()) {
        return;
    }
    // What has been fair since need not have been when it was asked.
    let mut of_secondary = case.asked(Place::Secondary, &[Method::Jwks, Method::ListKeys]);
    if !up && (!asks_secondary(world, case.done.process) || !of_secondary.all(answered)) {
        return;
    }
    if !up && (!case.mirrors() || !fair(world.secondary.weather()) || !fair(world.store_sky)) {
        return;
    }
    let there: BTreeSet<KeyVersionId> = set.keys.iter().filter_map(Jwk::version_id).collect();
    let expected: Vec<_> = {
        let mut ground = world.ground.lock();
        ground.tally.count("documents searched for what they lack", if up { "up" } else { "in an outage" });
        let lives = ground.model.lives().filter(|(kid, version, key, life)| {
            life.on_primary
                && life.is_public()
                && life.is_enabled()
                && query.matches(kid)
                && life.made < case.done.started
                && key.begun(life).is_none()
                && (query.versions == JwksVersions::AllLive || key.latest() == Some(*version))
                && (life.known.is_some() || (up && world.processes.len() == 1))
        });
        let lives = lives.map(|(kid, version, key, life)| (kid.at(version), excuse(up, version, key, life)));
        lives.filter(|(id, _)| !there.contains(id)).collect()
    };
    for (id, excuse) in expected {
        let mirrored = || {
            replicas(world).iter().any(|(_, source)| *source == id)
                && !is_owed(world, case.done.process, &id.kid)
        };
        if is_calm(world, &id.kid, case.done.started) && (up || mirrored()) {
            let side = if up { "the primary" } else { "the secondary" };
            let what = || format!("a JWKS by {side} lacks {id}");
            world.ground.lock().violate_unless(excuse, 2, what);
        }
    }
}
