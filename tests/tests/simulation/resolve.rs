//! From what a script says to what is asked in the world as it is.

use swarmauri_keyprovider::{JwksQuery, JwksVersions, Secrets};
use swarmauri_keys::{Acceptance, ExportPolicy, KeyAlg, KeyId, KeySpec, KeyState, KeyVersion, SpecOverrides};

use crate::call::Ask;
use crate::pool;
use crate::script::{Op, Pick};
use crate::weather::Weather;
use crate::world::World;

/// `None` where it makes no sense.
pub(crate) fn ask(world: &mut World, op: Op) -> Option<Ask> {
    let named = |slot, pick| name(world, slot, pick);
    Some(match op {
        Op::Create { slot, alg, policy, anew } => {
            Ask::Create { slot, spec: new_spec(world, slot, alg, policy, anew)? }
        }
        Op::Import { slot, alg, policy, public } => {
            let spec = new_spec(world, slot, alg, policy, true)?;
            let key = world.primary.draw(alg);
            Ask::Import { slot, spec, material: pool::material(&key, public) }
        }
        Op::Rotate { slot, policy } => {
            Ask::Rotate(kid(world, slot), SpecOverrides { export_policy: policy, ..SpecOverrides::NONE })
        }
        Op::Destroy { slot, pick } => {
            let (kid, version) = named(slot, pick);
            // As long as the secondary could not be asked for replicas of earlier processes, the number counts as used.
            unname(world, &kid);
            let version = if pick == Pick::Next { KeyVersion::new(1_000_000).ok() } else { version };
            Ask::Destroy(kid, version)
        }
        Op::Disable { slot, pick } => switch(world, slot, pick, KeyState::Disabled)?,
        Op::Enable { slot, pick } => switch(world, slot, pick, KeyState::Enabled)?,
        Op::Get { slot, pick, secret, by_ref } => {
            let (kid, version) = named(slot, pick);
            let secrets = if secret { Secrets::Include } else { Secrets::Omit };
            Ask::Get { kid, version, secrets, by_ref }
        }
        Op::PublicJwk { slot, pick } => {
            let (kid, version) = named(slot, pick);
            Ask::PublicJwk(kid, version)
        }
        Op::Versions { slot } => Ask::Versions(kid(world, slot)),
        Op::List { limit } => Ask::List { limit: usize::from(limit) },
        Op::Jwks { all, of_slot } => Ask::Jwks(JwksQuery {
            prefix: of_slot.map(|slot| kid(world, slot).to_string()),
            versions: if all { JwksVersions::AllLive } else { JwksVersions::Latest },
        }),
        Op::Make { slot, pick } => {
            let (kid, version) = named(slot, pick);
            let alg = alg(world, &kid);
            if alg == KeyAlg::Aes256Gcm {
                Ask::Encrypt(kid, version)
            } else {
                Ask::Make { kid, version, alg }
            }
        }
        Op::Encrypt { slot, pick } => {
            let (kid, version) = named(slot, pick);
            Ask::Encrypt(kid, version)
        }
        Op::Check { which, named, allow, .. } => Ask::Check {
            signature: world.signatures.get(usize::from(which))?.clone(),
            named,
            acceptance: acceptance(allow),
        },
        Op::Decrypt { which, allow, .. } => {
            Ask::Decrypt(world.ciphertexts.get(usize::from(which))?.clone(), acceptance(allow))
        }
        Op::Random => Ask::Random,
        Op::Reconcile => Ask::Reconcile,
        Op::PlanAndApply => Ask::PlanAndApply,
        // Whoever gives up what a primary has lost must be able to believe it.
        Op::GiveUpLost if world.primary.weather() == Weather::Stale => return None,
        Op::GiveUpLost => Ask::GiveUpLost,
        Op::RestoreLost => Ask::RestoreLost,
        Op::Prove => Ask::Prove,
        Op::Drill => Ask::Drill,
    })
}

/// The spec of a new key, and the slot's new name for it. Under a name that is not used up it will be a conflict.
pub(crate) fn new_spec(
    world: &mut World,
    slot: u8,
    alg: KeyAlg,
    policy: ExportPolicy,
    anew: bool,
) -> Option<KeySpec> {
    let chosen = world.config.primary_chosen;
    if !chosen && create_is_open(world) {
        return None;
    }
    let mut ground = world.ground.lock();
    let model = &mut ground.model;
    let used_up = model.kid(slot).is_none_or(|kid| {
        let key = model.keys.get(kid);
        key.is_some_and(|key| key.destroy_begun.is_some() || key.latest().is_none())
    });
    let spec = KeySpec::builder(alg)
        .export_policy(policy)
        .label(format!("slot {slot}"))
        .tag("team", "simulation")
        .build()
        .ok()?;
    if !chosen {
        return used_up.then_some(spec);
    }
    let place = &mut model.slots[usize::from(slot)];
    if used_up && (anew || place.kid.is_none()) {
        place.generation += 1;
        place.kid = KeyId::new(format!("slot-{slot}-{}", place.generation)).ok();
    }
    place.kid.clone().map(|kid| spec.with_kid(kid))
}

/// Whether a create without a `kid` is under way, or its outcome is not known. Intents are named at random: if there
/// were two, the order in which they are settled would not follow from the seed.
fn create_is_open(world: &World) -> bool {
    let under_way =
        world.calls.values().any(|call| matches!(call.ask, Ask::Create { .. } | Ask::Import { .. }));
    under_way
        || world.processes.iter().any(|process| {
            let backlog = process.mirror.status().backlog;
            backlog.iter().any(|debt| debt.kind == swarmauri_keyprovider_mirrored::DebtKind::CreateOutcome)
        })
}

fn name(world: &World, slot: u8, pick: Pick) -> (KeyId, Option<KeyVersion>) {
    let kid = kid(world, slot);
    let version = world.ground.lock().model.pick(&kid, pick);
    (kid, version)
}

/// The key in a slot, or one that there never was.
pub(crate) fn kid(world: &World, slot: u8) -> KeyId {
    let kid = world.ground.lock().model.kid(slot).cloned();
    kid.unwrap_or_else(|| KeyId::new(format!("nobody-{slot}")).unwrap())
}

/// As for a number, so for a name that no key has had yet.
fn unname(world: &World, kid: &KeyId) {
    let model = &mut world.ground.lock().model;
    if !model.keys.contains_key(kid) {
        model.slots.iter_mut().filter(|slot| slot.kid.as_ref() == Some(kid)).for_each(|slot| slot.kid = None);
    }
}

fn switch(world: &World, slot: u8, pick: Pick, state: KeyState) -> Option<Ask> {
    let pick = if pick == Pick::Latest { Pick::Live(0) } else { pick };
    let (kid, version) = name(world, slot, pick);
    Some(Ask::Switch(kid, version?, state))
}

fn alg(world: &World, kid: &KeyId) -> KeyAlg {
    let ground = world.ground.lock();
    let key = ground.model.keys.get(kid).and_then(|key| key.versions.values().next_back());
    key.map_or(KeyAlg::Ed25519, |life| life.truth.alg)
}

fn acceptance(allow: bool) -> Acceptance {
    if allow { Acceptance::AllowDisabled } else { Acceptance::EnabledOnly }
}
