//! What somebody does to the sides behind the mirror's back.

use swarmauri_keyprovider_mirrored::MirrorMode;
use swarmauri_keys::{KeyId, KeyState, KeyVersionId, SpecOverrides};

use crate::evidence;
use crate::resolve;
use crate::script::{Behind, Pick};
use crate::world::World;

pub(crate) fn happens(world: &mut World, what: Behind) {
    let done = match what {
        Behind::PrimaryCreate { slot, alg, policy } => {
            let spec = resolve::new_spec(world, slot, alg, policy, true);
            spec.and_then(|spec| world.primary.create(&spec).ok()).inspect(|made| {
                world.ground.lock().model.slots[usize::from(slot)].kid = Some(made.kid().clone());
            });
            "creates on the primary"
        }
        Behind::PrimaryRotate { slot } => {
            let _ = world.primary.rotate(&resolve::kid(world, slot), &SpecOverrides::NONE);
            "rotates on the primary"
        }
        Behind::PrimaryDestroy { slot, pick } => {
            if let Some(id) = picked(world, slot, pick) {
                world.primary.destroy(&id.kid, Some(id.version));
            }
            "destroys on the primary"
        }
        Behind::PrimaryDisable { slot, pick } => {
            if let Some(id) = picked(world, slot, pick) {
                let _ = world.primary.switch(&id.kid, id.version, KeyState::Disabled);
            }
            "disables on the primary"
        }
        Behind::PrimaryEnable { slot, pick } => {
            if let Some(id) = picked(world, slot, pick) {
                let _ = world.primary.switch(&id.kid, id.version, KeyState::Enabled);
            }
            "enables on the primary"
        }
        Behind::PrimaryForgets { slot } => {
            forget(world, &resolve::kid(world, slot));
            "makes the primary forget"
        }
        Behind::SecondaryDestroy { slot } => {
            lose_replicas(world, &resolve::kid(world, slot));
            "destroys on the secondary"
        }
        Behind::Provision => {
            provision(world);
            "copies to the secondary in mode none"
        }
    };
    world.ground.lock().tally.count("somebody", done);
}

fn picked(world: &World, slot: u8, pick: Pick) -> Option<KeyVersionId> {
    let pick = if pick == Pick::Latest { Pick::Live(0) } else { pick };
    let kid = resolve::kid(world, slot);
    let version = world.ground.lock().model.pick(&kid, pick)?;
    Some(kid.at(version))
}

/// The primary has lost a key whose destruction nobody has asked for.
fn forget(world: &World, kid: &KeyId) {
    let mut ground = world.ground.lock();
    let at = ground.tick();
    let Some(key) = ground.model.keys.get_mut(kid) else { return };
    if key.latest().is_none() {
        return;
    }
    key.forgotten = true;
    key.touched = at;
    ground.model.gone(kid, None, at, true);
    world.primary.table.forget(kid);
}

fn lose_replicas(world: &World, kid: &KeyId) {
    let mut ground = world.ground.lock();
    if world.config.mode == MirrorMode::None {
        return;
    }
    for (at, source) in replicas(world) {
        if source.kid == *kid {
            world.secondary.table.destroy(&at.kid, Some(at.version));
            if let Some(life) = ground.model.life_mut(kid, source.version) {
                (life.replica_gone, life.name_used) = (true, true);
            }
        }
    }
}

/// Where the secondary really has replicas, and of what.
pub(crate) fn replicas(world: &World) -> Vec<(KeyVersionId, KeyVersionId)> {
    evidence::replicas(&world.secondary)
}

/// Mode `none`: whoever runs the sides copies what is missing, under the same names and in the same state.
fn provision(world: &World) {
    if world.config.mode != MirrorMode::None {
        return;
    }
    let lives: Vec<_> = {
        let ground = world.ground.lock();
        let there =
            ground.model.lives().filter(|(_, _, key, life)| life.on_primary && key.begun(life).is_none());
        there.map(|(_, _, _, life)| (life.truth.clone(), life.secret.clone())).collect()
    };
    for (truth, secret) in lives {
        let key = swarmauri_keys::KeyRef::new(truth.clone());
        let material = match (secret, truth.public.clone()) {
            (Some(secret), _) => secret.into(),
            (None, Some(public)) => swarmauri_keys::KeyMaterial::Public(public),
            (None, None) => continue,
        };
        if let Ok(spec) = key.spec() {
            let _ = world.secondary.import_version(key.id(), &spec, material);
        }
        let _ = world.secondary.switch(key.kid(), key.version(), truth.state);
    }
}
