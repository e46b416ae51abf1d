//! Reads of single keys, and listings.

use swarmauri_keyprovider::Secrets;
use swarmauri_keyprovider_mirrored::MirrorMode;
use swarmauri_keyprovider_testkit::Method;
use swarmauri_keys::{
    Jwk, KeyId, KeyRef, KeyRefParts, KeyState, KeySummary, KeyVersion, SecretMaterial, Tags,
};

use super::{By, Case, Use, asks_secondary, is_calm, is_outage, is_owed};
use crate::behind::replicas;
use crate::call::{Answer, Ask};
use crate::ground::{SideEnd, State};
use crate::model::Life;
use crate::pass::Pass;
use crate::script::Place;
use crate::weather::Weather;
use crate::world::World;

const KEY_READS: [Method; 2] = [Method::GetKey, Method::GetKeyByRef];

pub(super) fn key(
    case: &Case<'_>,
    ground: &mut State,
    kid: &KeyId,
    version: Option<KeyVersion>,
    secrets: Secrets,
    key: &KeyRef,
) {
    if key.kid() != kid || version.is_some_and(|version| version != key.version()) {
        return ground.violate(2, format!("asked for {kid} {version:?}, answered with {}", key.id()));
    }
    let by = case.by(&KEY_READS, key.version());
    let used = if secrets == Secrets::Include { Use::Secret } else { Use::Shown };
    same_identity(case, ground, key, by);
    // Of a latest version from the past it is asked which there are.
    let causes = [&KEY_READS[..], &[Method::ListVersions]].concat();
    case.served(ground, key.id(), by, used, &causes);
    let Some(life) = ground.model.life(kid, key.version()) else { return };
    let foreign = by == By::Secondary && case.config.mode == MirrorMode::None;
    match (secrets, key.secret()) {
        (Secrets::Omit, Some(_)) => ground.violate(9, format!("{} comes with a secret unasked", key.id())),
        (Secrets::Include, None) => {
            ground.violate(2, format!("{} is answered without the secret that was asked for", key.id()));
        }
        (Secrets::Include, Some(secret)) if !foreign && !same_secret(life, secret) => {
            ground.violate(3, format!("the secret of {} is that of another key", key.id()));
        }
        _ => {}
    }
    let Some(life) = ground.model.life(kid, key.version()) else { return };
    let (disabled, started) = (life.disabled, case.done.started);
    let at_once = life.switched_at_once.then_some(Pass::SwitchedAtOnce);
    if by == By::Secondary
        && key.state() != KeyState::Disabled
        && case.must_know(ground, disabled, Some(started))
    {
        let what = || format!("{} is disabled, and the secondary shows it as {}", key.id(), key.state());
        ground.violate_unless(at_once, 6, what);
    }
}

/// Promises 2 and 3: that an answer is what the primary made, its state apart.
pub(super) fn same_identity(case: &Case<'_>, ground: &mut State, key: &KeyRef, by: By) {
    if by == By::Secondary && case.config.mode == MirrorMode::None {
        return;
    }
    let Some(life) = ground.model.life(key.kid(), key.version()) else { return };
    let truth = KeyRefParts { state: key.state(), ..own(life.truth.clone()) };
    if own(key.parts().clone()) == truth {
        return;
    }
    let promise = if key.fingerprint() == &truth.fingerprint && key.public_key() == truth.public.as_ref() {
        2
    } else {
        3
    };
    let name = case.done.ask.name();
    ground.violate(promise, format!("{name} by {by:?} shows {:?}, and it is {truth:?}", key.parts()));
}

/// Without the mirror's own tags: a key that is brought back to a primary has none.
fn own(parts: KeyRefParts) -> KeyRefParts {
    let tags = parts.tags.clone().retaining(|name| !name.starts_with(Tags::RESERVED_PREFIX));
    KeyRefParts { tags, ..parts }
}

fn same_secret(life: &Life, secret: &SecretMaterial) -> bool {
    match (&life.secret, secret) {
        (Some(SecretMaterial::Symmetric(one)), SecretMaterial::Symmetric(other)) => {
            one.expose_secret() == other.expose_secret()
        }
        (Some(SecretMaterial::Private(one)), SecretMaterial::Private(other)) => {
            one.expose_secret() == other.expose_secret()
        }
        _ => false,
    }
}

pub(super) fn jwk(case: &Case<'_>, ground: &mut State, kid: &KeyId, version: Option<KeyVersion>, jwk: &Jwk) {
    let Some(id) = jwk.version_id() else {
        return ground.violate(2, format!("the JWK of {kid} is named {:?}", jwk.kid));
    };
    if id.kid != *kid || version.is_some_and(|version| version != id.version) {
        return ground.violate(2, format!("asked for the JWK of {kid} {version:?}, answered with {id}"));
    }
    let methods = [Method::GetPublicJwk, Method::GetKey];
    let by = case.by(&methods, id.version);
    let causes = [&methods[..], &[Method::ListVersions]].concat();
    case.served(ground, &id, by, Use::Published, &causes);
    if by == By::Secondary && case.config.mode == MirrorMode::None {
        return;
    }
    let Some(life) = ground.model.life(&id.kid, id.version) else { return };
    if Some(jwk) != published(life).as_ref() {
        ground.violate(3, format!("the JWK of {id} is not the one that the primary publishes"));
    }
}

/// The JWK that a version has, if it may be seen.
pub(super) fn published(life: &Life) -> Option<Jwk> {
    let public = life.truth.public.clone()?;
    Some(Jwk::published(&life.truth.id, life.truth.alg, public))
}

pub(super) fn versions(case: &Case<'_>, ground: &mut State, kid: &KeyId, versions: &[KeyVersion]) {
    if versions.is_empty() || !versions.is_sorted_by(|one, next| one < next) {
        ground.violate(2, format!("the versions of {kid} are given as {versions:?}"));
    }
    let by = listed_by(case, Method::ListVersions);
    for version in versions {
        case.served(ground, &kid.at(*version), by, Use::Listed, &[Method::ListVersions]);
    }
}

pub(super) fn listing(case: &Case<'_>, ground: &mut State, keys: &[KeySummary]) {
    let by = listed_by(case, Method::ListKeys);
    if !keys.is_sorted_by(|one, next| one.kid < next.kid) {
        ground.violate(2, "a listing is not in order, or names a key twice");
    }
    for key in keys {
        let id = key.kid.at(key.version);
        case.served(ground, &id, by, Use::Listed, &[Method::ListKeys]);
        if by == By::Secondary && case.config.mode == MirrorMode::None {
            continue;
        }
        let truth = ground
            .model
            .life(&key.kid, key.version)
            .map(|life| KeyRefParts { state: key.state, ..own(life.truth.clone()) });
        let mut shown = key.clone();
        shown.tags = shown.tags.retaining(|name| !name.starts_with(Tags::RESERVED_PREFIX));
        if let Some(truth) = truth
            && shown != KeySummary::from(&KeyRef::new(truth))
        {
            ground.violate(2, format!("{id} is listed as {key:?}"));
        }
    }
}

/// What the primary began it may have answered in part.
fn listed_by(case: &Case<'_>, method: Method) -> By {
    let answered = |call: &crate::ground::SideCall| matches!(call.end, Some(SideEnd::Ok(_)));
    if case.asked(Place::Primary, &[method]).any(answered) { By::Primary } else { By::Secondary }
}

/// That nothing is hidden: what the primary answered with is not "not found", and what is mirrored is there in an outage.
pub(super) fn availability(world: &World, case: &Case<'_>) {
    let (kid, version, secret) = match &case.done.ask {
        Ask::Get { kid, version, secrets, .. } => (kid, *version, *secrets == Secrets::Include),
        Ask::PublicJwk(kid, version) => (kid, *version, false),
        _ => return,
    };
    let Some(error) = case.done.answer.error() else { return };
    if matches!(error, swarmauri_keys::KeyError::NotFound { .. }) {
        return hidden(world, case, kid);
    }
    if !is_outage(Some(error)) || !case.mirrors() || !case.config.fail_open {
        return;
    }
    let secondary_ok = case
        .done
        .trace
        .iter()
        .filter(|call| call.place == Place::Secondary)
        .all(|call| matches!(call.end, Some(SideEnd::Ok(_))));
    let fair = world.secondary.weather() == Weather::Fair && world.store_sky == Weather::Fair;
    if !secondary_ok
        || !fair
        || !asks_secondary(world, case.done.process)
        || !is_calm(world, kid, case.done.started)
        || case.is_behind(&mut world.ground.lock())
    {
        return;
    }
    world.ground.lock().tally.count("failures in an outage looked into", case.done.ask.name());
    if let Some((id, excuse)) = expected_there(world, case, kid, version, secret) {
        let owed = is_owed(world, case.done.process, kid).then_some(Pass::Owed);
        let what = || format!("{} of {id} fails with {error}, and it is mirrored", case.done.ask.name());
        world.ground.lock().violate_unless(excuse.or(owed), 2, what);
    }
}

fn hidden(world: &World, case: &Case<'_>, kid: &KeyId) {
    let ground = &mut *world.ground.lock();
    let shown =
        case.asked(Place::Primary, &[Method::GetKey, Method::GetPublicJwk]).find_map(|call| match call.end {
            Some(SideEnd::Ok(Some(version))) => Some(version),
            _ => None,
        });
    let Some(version) = shown else { return };
    let Some(key) = ground.model.keys.get(kid) else { return };
    let lives = key.versions.get(&version).is_some_and(|life| life.on_primary && key.begun(life).is_none());
    ground.tally.count("not found, and the primary had answered", case.done.ask.name());
    if lives && matches!(case.done.answer, Answer::Key(_) | Answer::Jwk(_)) && !case.is_behind(ground) {
        let what = format!("{} is not found, and the primary answered with it", kid.at(version));
        ground.violate(2, what);
    }
}

/// The version that must be answered for by its replica.
fn expected_there(
    world: &World,
    case: &Case<'_>,
    kid: &KeyId,
    version: Option<KeyVersion>,
    secret: bool,
) -> Option<(swarmauri_keys::KeyVersionId, Option<Pass>)> {
    let ground = world.ground.lock();
    let key = ground.model.keys.get(kid)?;
    let named = version.is_some();
    let version = version.or_else(|| key.latest())?;
    let life = key.versions.get(&version)?;
    // Of which the primary has lost the latest, the mirror has another latest.
    let lost_latest = key.versions.range(version..).any(|(_, later)| later.lost.is_some());
    let usable = life.on_primary
        && life.known.is_some_and(|known| known < case.done.started)
        && key.begun(life).is_none()
        && life.is_enabled();
    let copied = if secret {
        case.config.mode == MirrorMode::Full && life.may_leave()
    } else {
        life.is_public() || (case.config.mode == MirrorMode::Full && life.may_leave())
    };
    let id = kid.at(version);
    let reasons = [
        (life.is_orphan, Pass::Orphan),
        (life.lied_about, Pass::LiedAbout),
        (life.replica_gone, Pass::ReplicaDestroyed),
        (life.kept, Pass::SecretRefused),
        (life.switched_behind, Pass::CopyWaits),
        (!named && lost_latest, Pass::LatestLost),
    ];
    let excuse = reasons.into_iter().find(|(holds, _)| *holds).map(|(_, pass)| pass);
    let there = || replicas(world).iter().any(|(_, source)| *source == id);
    (usable && copied && there()).then_some((id, excuse))
}
