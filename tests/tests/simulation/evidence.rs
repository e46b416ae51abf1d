//! What the sides testify: every effect on the primary goes into the model, and every copy that arrives at the secondary is
//! looked at.

use std::sync::Arc;

use swarmauri_keyprovider_mirrored::MirrorMode;
use swarmauri_keyprovider_testkit::Method;
use swarmauri_keys::{
    Ciphertext, ExportPolicy, Jwk, JwkSet, KeyError, KeyId, KeyRef, KeySpec, KeyState, KeySummary,
    KeyVersion, KeyVersionId, Page, PageRequest, SecretBytes, SecretMaterial, Signature,
};
use swarmauri_softkeys::SoftKey;

use crate::ground::State;
use crate::script::Place;
use crate::sides::Side;
use crate::since::Since;
use crate::weather::Lie;

/// What an answer says of a version.
pub(crate) trait Told {
    fn version(&self) -> Option<KeyVersion>;
}

pub(crate) fn made(ground: &mut State, key: &KeyRef, secret: Option<SecretMaterial>) {
    let at = ground.tick();
    if !ground.model.made(key, secret, at) {
        ground.violate(
            1,
            format!("{} was another key before, and the mirror brought it back as this", key.id()),
        );
    }
    // What one process makes while another one finds nothing to destroy is tombstoned, and there.
    let caller = ground.caller;
    let meets = caller.is_some_and(|by| ground.model.is_unwanted_elsewhere(key.kid(), by));
    let by_mirror = caller.is_some();
    if let Some(life) = ground.model.life_mut(key.kid(), key.version()) {
        life.is_orphan |= meets;
        life.switched_behind &= !by_mirror;
    }
}

pub(crate) fn destroyed(ground: &mut State, kid: &KeyId, version: Option<KeyVersion>) {
    let at = ground.tick();
    let lost = ground.caller.is_none();
    ground.model.touch(kid, at);
    ground.model.gone(kid, version, at, lost);
}

/// If its name told what it was a replica of, that name is used up.
pub(crate) fn replica_destroyed(ground: &mut State, kid: &KeyId) {
    if let Ok(source) = kid.as_str().parse::<KeyVersionId>()
        && let Some(life) = ground.model.life_mut(&source.kid, source.version)
    {
        life.name_used = true;
    }
}

pub(crate) fn switched(ground: &mut State, kid: &KeyId, version: KeyVersion, state: KeyState) {
    let at = ground.tick();
    let caller = ground.caller;
    ground.model.touch(kid, at);
    let Some(life) = ground.model.life_mut(kid, version) else { return };
    let already = life.truth.state == state;
    life.truth.state = state;
    life.switched = Some(at);
    life.switched_behind = caller.is_none();
    match caller {
        Some(by) if state == KeyState::Disabled => life.disabled.by(by.process, at),
        // Nothing has changed.
        None if already && state == KeyState::Disabled => {
            life.switched_behind = life.disabled.first().is_none();
        }
        _ => life.disabled = Since::default(),
    }
}

pub(crate) fn destroy_begins(ground: &mut State, place: Place, kid: &KeyId, version: Option<KeyVersion>) {
    if let (Place::Primary, Some(by)) = (place, ground.caller) {
        let at = ground.tick();
        ground.model.destroy_begins(kid, version, by, at);
    }
}

/// A primary that refuses, or says that there was nothing while there is something, takes it back.
pub(crate) fn destroy_ended(
    ground: &mut State,
    place: Place,
    kid: &KeyId,
    version: Option<KeyVersion>,
    answer: &Result<bool, KeyError>,
) {
    let refused = match answer {
        Ok(destroyed) => !destroyed,
        Err(error) => !error.is_outage(),
    };
    if place == Place::Primary && refused {
        ground.model.destroy_refused(kid, version);
    }
}

/// A primary that keeps a secret which policy would let out gets less of it copied.
pub(crate) fn secret_denied(ground: &mut State, place: Place, kid: &KeyId, version: Option<KeyVersion>) {
    if place == Place::Primary
        && let Some(version) = version
        && let Some(life) = ground.model.life_mut(kid, version)
    {
        life.kept |= life.may_leave();
    }
}

/// Promises 1 and 5, at the moment when a copy arrives.
pub(crate) fn replica_arrives(ground: &mut State, spec: &KeySpec, key: &SoftKey) {
    if ground.caller.is_none() {
        return;
    }
    let mode = ground.config.mode;
    if mode == MirrorMode::None {
        return ground.violate(5, "mode none copies nothing, and the secondary was handed a key");
    }
    let source = spec.tags().get("mirror.source").and_then(|source| source.parse::<KeyVersionId>().ok());
    let Some(source) = source else {
        return ground.violate(1, "the secondary was handed a key that says of no key that it is its copy");
    };
    let secret = key.secret().is_some();
    let Some(life) = ground.model.life(&source.kid, source.version) else {
        return ground.violate(1, format!("the secondary was handed {source}, which the primary never had"));
    };
    let (policy, same) = (life.truth.export_policy, life.truth.fingerprint == *key.fingerprint());
    ground.tally.count("copies", if secret { "with the secret" } else { "public" });
    if !same {
        ground.violate(1, format!("the secondary was handed another key as {source}"));
    }
    if secret && (mode != MirrorMode::Full || policy != ExportPolicy::SecretWhenAllowed) {
        ground.violate(5, format!("the secret of {source} was copied in mode {mode} under policy {policy}"));
    }
    if policy == ExportPolicy::None {
        ground.violate(5, format!("{source} was copied, and its policy lets nothing out"));
    }
    if let Some(life) = ground.model.life_mut(&source.kid, source.version) {
        life.replica_gone = false;
    }
}

/// The secondary has said something untrue, of one key or of all: of which replicas, and which it hid from a listing or
/// published as another key.
pub(crate) fn lied(side: &Side, lie: Lie, method: Method, kid: Option<&KeyId>) {
    let tells = match lie {
        Lie::Nothing => !Method::WRITES.contains(&method),
        Lie::WrongKey | Lie::Forged => {
            matches!(method, Method::GetKey | Method::GetPublicJwk | Method::ListKeys | Method::Jwks)
        }
        Lie::Done => matches!(method, Method::DestroyKey | Method::DisableKey | Method::EnableKey),
        Lie::NothingToDestroy => method == Method::DestroyKey,
    };
    if side.place != Place::Secondary || !tells {
        return;
    }
    let replicas = replicas(side).into_iter().filter(|(at, _)| kid.is_none_or(|kid| *kid == at.kid));
    let ground = &mut *side.ground.lock();
    for (at, source) in replicas {
        if method == Method::Jwks {
            ground.model.disguised.insert(at);
        }
        if let Some(life) = ground.model.life_mut(&source.kid, source.version) {
            life.lied_about = true;
            life.hidden |= lie == Lie::Nothing;
        }
    }
}

/// Where a side really has replicas, and of what.
pub(crate) fn replicas(side: &Side) -> Vec<(KeyVersionId, KeyVersionId)> {
    let page = side.table.list(&PageRequest::first(1000)).unwrap();
    assert!(page.next.is_none(), "there are never so many keys");
    let replicas = page.items.into_iter().filter_map(|key| {
        let source = key.tags.get("mirror.source")?.parse().ok()?;
        Some((key.kid.at(key.version), source))
    });
    replicas.collect()
}

impl Told for KeyRef {
    fn version(&self) -> Option<KeyVersion> {
        Some(KeyRef::version(self))
    }
}

impl Told for Jwk {
    fn version(&self) -> Option<KeyVersion> {
        self.version_id().map(|id| id.version)
    }
}

impl Told for Signature {
    fn version(&self) -> Option<KeyVersion> {
        Some(self.version)
    }
}

impl Told for Ciphertext {
    fn version(&self) -> Option<KeyVersion> {
        Some(self.version)
    }
}

impl Told for KeyVersion {
    fn version(&self) -> Option<KeyVersion> {
        Some(*self)
    }
}

macro_rules! tells_of_none {
    ($($kind:ty),*) => {
        $(impl Told for $kind {
            fn version(&self) -> Option<KeyVersion> {
                None
            }
        })*
    };
}

tells_of_none!(bool, (), Vec<KeyVersion>, Page<KeySummary>, Arc<JwkSet>, SecretBytes);
