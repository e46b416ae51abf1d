//! What keys do.

use swarmauri_keyprovider_testkit::Method;
use swarmauri_keys::{
    Acceptance, KeyAlg, KeyError, KeyId, KeyMaterial, KeyOperation, KeySpec, KeyVersion, KeyVersionId,
    Signature, VerifyWith,
};
use swarmauri_softkeys::SoftKey;

use super::{Case, Use, is_calm, is_owed};
use crate::call::{Answer, Ask, MESSAGE, PLAINTEXT};
use crate::pass::Pass;
use crate::world::World;

/// How many signatures and ciphertexts are kept for later calls.
const KEPT: usize = 4;
/// One signature in so many is verified here.
const SAMPLE: u64 = 5;

pub(super) fn check(world: &mut World, case: &Case<'_>) {
    match (&case.done.ask, &case.done.answer) {
        (Ask::Make { kid, version, .. }, Answer::Signature(Ok(signature))) => {
            made(world, case, kid, *version, signature);
        }
        (Ask::Encrypt(kid, version), Answer::Ciphertext(Ok(sealed))) => {
            let id = sealed.kid.at(sealed.version);
            works(world, case, kid, *version, &id, (false, false), Method::Encrypt);
            world.ciphertexts.push_front(sealed.clone());
            world.ciphertexts.truncate(KEPT);
        }
        (Ask::Check { signature, named, acceptance }, Answer::Verified(Ok(version))) => {
            if *version != signature.version {
                let what = format!("a signature of {} is said to be of {version}", of(signature));
                world.ground.lock().violate(2, what);
            }
            let public = signature.alg != KeyAlg::HmacSha256;
            let method = if public { Method::Verify } else { Method::VerifyMac };
            let asked = named.then_some(signature.version);
            let disabled_too = *acceptance == Acceptance::AllowDisabled;
            works(world, case, &signature.kid, asked, &of(signature), (public, disabled_too), method);
        }
        (Ask::Check { signature, .. }, Answer::Verified(Err(KeyError::NotAuthentic))) => {
            not_authentic(world, case, &of(signature));
        }
        (Ask::Decrypt(sealed, acceptance), Answer::Bytes(Ok(plain))) => {
            let id = sealed.kid.at(sealed.version);
            if plain.expose_secret() != PLAINTEXT {
                world.ground.lock().violate(3, format!("what {id} encrypted is decrypted to something else"));
            }
            let disabled_too = *acceptance == Acceptance::AllowDisabled;
            works(world, case, &sealed.kid, Some(id.version), &id, (false, disabled_too), Method::Decrypt);
        }
        (Ask::Decrypt(sealed, _), Answer::Bytes(Err(KeyError::NotAuthentic))) => {
            not_authentic(world, case, &sealed.kid.at(sealed.version));
        }
        _ => {}
    }
}

fn works(
    world: &World,
    case: &Case<'_>,
    kid: &KeyId,
    version: Option<KeyVersion>,
    id: &KeyVersionId,
    (public, disabled_too): (bool, bool),
    method: Method,
) {
    let ground = &mut *world.ground.lock();
    if id.kid != *kid || version.is_some_and(|version| version != id.version) {
        ground.violate(2, format!("asked {kid} {version:?} to work, and {id} did"));
    }
    // A decryption does not say by which version it was: it was by the one that is named.
    let by = if method == Method::Decrypt { decrypted_by(case) } else { case.by(&[method], id.version) };
    case.served(
        ground,
        id,
        by,
        Use::Works { public, disabled_too },
        &[method, Method::GetKey, Method::ListVersions],
    );
}

fn decrypted_by(case: &Case<'_>) -> super::By {
    let mut primary = case.asked(crate::script::Place::Primary, &[Method::Decrypt]);
    let answered = primary.any(|call| matches!(call.end, Some(crate::ground::SideEnd::Ok(_))));
    if answered { super::By::Primary } else { super::By::Secondary }
}

fn made(world: &mut World, case: &Case<'_>, kid: &KeyId, version: Option<KeyVersion>, signature: &Signature) {
    let method = if signature.alg == KeyAlg::HmacSha256 { Method::Mac } else { Method::Sign };
    works(world, case, kid, version, &of(signature), (false, false), method);
    if case.done.started.is_multiple_of(SAMPLE) && !verifies(world, signature) {
        let what = format!("what is answered as a signature of {} is none", of(signature));
        world.ground.lock().violate(3, what);
    }
    world.signatures.push_front(signature.clone());
    world.signatures.truncate(KEPT);
}

/// Verifies with the key that the primary made.
fn verifies(world: &World, signature: &Signature) -> bool {
    let name = KeyId::new(of(signature).to_string()).unwrap();
    if world.archive.list_versions(&name).is_err() {
        let ground = world.ground.lock();
        let Some(life) = ground.model.life(&signature.kid, signature.version) else { return false };
        let material = match (&life.secret, &life.truth.public) {
            (Some(secret), _) => KeyMaterial::from(secret.clone()),
            (None, Some(public)) => KeyMaterial::Public(public.clone()),
            (None, None) => return false,
        };
        let key = SoftKey::import(life.truth.alg, material).unwrap();
        world.archive.create(&KeySpec::new(life.truth.alg).with_kid(name.clone()), key).unwrap();
    }
    let mac = signature.alg == KeyAlg::HmacSha256;
    let operation = if mac { KeyOperation::VerifyMac } else { KeyOperation::Verify };
    let keys =
        world.archive.usable_for_verifying(&name, VerifyWith::AnyLive, operation, Acceptance::EnabledOnly);
    keys.is_ok_and(|keys| {
        keys.iter().any(|key| {
            if mac {
                key.verify_mac(MESSAGE, &signature.bytes).is_ok()
            } else {
                key.verify(MESSAGE, &signature.bytes).is_ok()
            }
        })
    })
}

/// A signature or ciphertext that is right is said to be wrong: as if it were of another key.
fn not_authentic(world: &World, case: &Case<'_>, id: &KeyVersionId) {
    let stale = case.done.trace.iter().any(|call| call.stale);
    if stale || !case.mirrors() || !is_calm(world, &id.kid, case.done.started) {
        return;
    }
    // A version counts as disabled until it is known what became of a disable or enable.
    let owed = is_owed(world, case.done.process, &id.kid).then_some(Pass::Owed);
    let mut ground = world.ground.lock();
    ground.tally.count("said not to be authentic", case.done.ask.name());
    let there = ground.model.keys.get(&id.kid).is_some_and(|key| {
        key.versions.get(&id.version).is_some_and(|life| {
            life.on_primary
                && life.is_enabled()
                && life.known.is_some_and(|known| known < case.done.started)
                && key.begun(life).is_none()
        })
    });
    if there && !case.is_behind(&mut ground) {
        let what = || format!("{} says that what {id} made is not authentic", case.done.ask.name());
        ground.violate_unless(owed, 2, what);
    }
}

fn of(signature: &Signature) -> KeyVersionId {
    signature.kid.at(signature.version)
}
