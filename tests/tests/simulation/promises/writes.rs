//! Writes: what callers are told of them, and what is owed afterwards.

use swarmauri_keyprovider_testkit::Method;
use swarmauri_keys::{KeyId, KeyRef, KeyVersion};

use super::reads::same_identity;
use super::{By, Case, backlog};
use crate::call::{Answer, Ask};
use crate::ground::{SideEnd, State};
use crate::pass::Pass;
use crate::script::Place;
use crate::world::World;

/// Promise 1, and what the model learns from an answer.
pub(super) fn check(case: &Case<'_>, ground: &mut State) {
    match (&case.done.ask, &case.done.answer) {
        (Ask::Create { slot, .. }, Answer::Key(Ok(key))) => {
            made(case, ground, key, Method::CreateKey);
            ground.model.slots[usize::from(*slot)].kid = Some(key.kid().clone());
        }
        (Ask::Import { slot, .. }, Answer::Key(Ok(key))) => {
            made(case, ground, key, Method::ImportKey);
            ground.model.slots[usize::from(*slot)].kid = Some(key.kid().clone());
        }
        (Ask::Rotate(..), Answer::Key(Ok(key))) => made(case, ground, key, Method::RotateKey),
        (Ask::Destroy(kid, version), Answer::Destroyed(Ok(had))) => {
            destroyed(case, ground, kid, *version, *had);
        }
        (Ask::Switch(..), Answer::Done(Ok(()))) => {
            if !case.asked(Place::Primary, &[Method::DisableKey, Method::EnableKey]).any(accepted) {
                ground.violate(1, "a disable or enable succeeds that the primary has not accepted");
            }
        }
        _ => {}
    }
}

fn accepted(call: &crate::ground::SideCall) -> bool {
    matches!(call.end, Some(SideEnd::Ok(_)))
}

fn made(case: &Case<'_>, ground: &mut State, key: &KeyRef, by: Method) {
    let id = key.id();
    let told = case
        .asked(Place::Primary, &[by])
        .any(|call| matches!(call.end, Some(SideEnd::Ok(Some(version))) if version == id.version));
    if !told || ground.model.life(&id.kid, id.version).is_none() {
        return ground.violate(1, format!("{id} is answered as made, and the primary has not accepted it"));
    }
    same_identity(case, ground, key, By::Primary);
    if key.secret().is_some() {
        ground.violate(9, format!("{id} is made, and its secret comes with the answer"));
    }
    let at = ground.tick();
    // Whoever makes a key under no name of his own touches it, too.
    ground.model.touch(&id.kid, at);
    let started = case.done.started;
    let Some(of) = ground.model.keys.get_mut(&id.kid) else { return };
    let over = of.destroyed.first().is_some_and(|over| over <= started);
    let Some(life) = of.versions.get_mut(&id.version) else { return };
    let again = over || life.made <= started || life.destroyed.first().is_some_and(|over| over <= started);
    life.known.get_or_insert(at);
    if again {
        ground.violate(4, format!("{id} is answered as made, and there was such a version before"));
    }
}

fn destroyed(case: &Case<'_>, ground: &mut State, kid: &KeyId, version: Option<KeyVersion>, had: bool) {
    if !case.asked(Place::Primary, &[Method::DestroyKey]).any(accepted) {
        ground.violate(1, format!("a destroy of {kid} succeeds that the primary has not accepted"));
    }
    let at = ground.tick();
    let nothing_known = |key: &crate::model::KeyLife| key.versions.values().all(|life| life.known.is_none());
    if !had && ground.model.keys.get(kid).is_none_or(nothing_known) {
        // If the secondary could not be asked, the name counts as used.
        ground
            .model
            .slots
            .iter_mut()
            .filter(|slot| slot.kid.as_ref() == Some(kid))
            .for_each(|slot| slot.kid = None);
    }
    let Some(key) = ground.model.keys.get_mut(kid) else { return };
    let (mut left, mut any, mut passes) = (None, had, Vec::new());
    for (number, life) in &mut key.versions {
        if version.is_some_and(|version| version != *number) {
            continue;
        }
        // Whatever is made in another process while this one finds nothing to destroy.
        life.is_orphan |=
            !had && life.on_primary && case.config.processes > 1 && life.made > case.done.started;
        if life.on_primary && life.made <= case.done.started {
            left = Some(*number);
        }
        // Mode none remembers no keys: where there is nothing any more, it takes it that there never was.
        let was_told = case.mirrors() && life.known.is_some_and(|known| known <= case.done.started);
        // The secondary said that it had no replica of what the primary has lost: then nobody has it.
        let forgotten = life.lost.is_some() && life.hidden && !had;
        passes.extend((was_told && forgotten).then_some(Pass::LiedAbout));
        any |= was_told && !forgotten;
        if version.is_some() && any {
            life.destroyed.by(case.done.process, at);
        }
    }
    if version.is_none() && any {
        key.destroyed.by(case.done.process, at);
    }
    for pass in passes {
        ground.let_pass(pass);
    }
    if let Some(left) = left {
        ground.violate(1, format!("the destroy of {kid} {version:?} returned, and the primary has {left}"));
    }
}

/// Promise 8: what a write could not do is owed when it returns.
pub(super) fn debts(world: &World, case: &Case<'_>) {
    if case.done.ask.is_write() && case.done.answer.error().is_none() && case.view.blind.is_none() {
        backlog::check_process(world, case.done.process, case.done.ask.kid());
    }
}
