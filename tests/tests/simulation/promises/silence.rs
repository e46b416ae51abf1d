//! Promise 9: no secret shows in what is printed.

use swarmauri_keyprovider_testkit::contains_secret;
use swarmauri_keys::{SecretBytes, SecretMaterial};

use super::Case;
use crate::world::World;

/// One answer in so many is looked at.
const SAMPLE: u64 = 61;

pub(super) fn check(world: &World, case: &Case<'_>) {
    if !case.done.started.is_multiple_of(SAMPLE) {
        return;
    }
    let status = world.processes[case.done.process].mirror.status();
    let mut text = format!("{:?} {status:?}", case.done.answer);
    if let Some(error) = case.done.answer.error() {
        text.push_str(&error.to_string());
    }
    let mut ground = world.ground.lock();
    let about = case.done.ask.kid();
    let lives = ground.model.lives().filter(|(kid, ..)| about.is_none_or(|about| about == *kid));
    let secrets: Vec<SecretBytes> =
        lives.filter_map(|(_, _, _, life)| life.secret.as_ref()).map(bytes).collect();
    ground.tally.count("answers searched for secrets", case.done.ask.name());
    if secrets.iter().any(|secret| contains_secret(&text, secret.expose_secret())) {
        ground.violate(9, format!("a secret shows in what {} prints", case.done.ask.name()));
    }
}

fn bytes(secret: &SecretMaterial) -> SecretBytes {
    match secret {
        SecretMaterial::Symmetric(bytes) => bytes.clone(),
        SecretMaterial::Private(key) => key.expose_secret().into(),
    }
}
