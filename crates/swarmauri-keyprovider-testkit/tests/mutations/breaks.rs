//! Mutants that take more than a line.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use swarmauri_keyprovider_testkit::Method::{
    CreateKey, DisableKey, EnableKey, Encrypt, GetKey, Jwks, ListKeys, RotateKey, Sign,
};
use swarmauri_keyprovider_testkit::{Answer, Faults};
use swarmauri_keys::{
    Ciphertext, ExportPolicy, Jwk, JwkSet, KeyAlg, KeyError, KeyId, KeyRef, KeyRefParts, KeyState,
    KeyVersion, PublicKey, SecretBytes, SecretMaterial, Signature,
};

use crate::mutants::{SEED, kid};
use crate::tampering::{answer, change_jwks, change_with_secret};

pub(crate) fn forgets_what_it_can_do(faults: &Faults) {
    let later = faults.clone();
    answer(faults, CreateKey, move |_, honest| {
        later.misreport_capabilities(|can| can.features.clear());
        honest
    });
}

/// Every rotation leaves a key in the listing.
pub(crate) fn leaves_ghosts(faults: &Faults) {
    let rotated: Arc<Mutex<bool>> = Arc::default();
    let noted = rotated.clone();
    answer(faults, RotateKey, move |_, honest| {
        *noted.lock() = true;
        honest
    });
    answer(faults, ListKeys, move |_, honest| match honest? {
        Answer::Keys(mut page) => {
            if let Some(mut ghost) = page.items.last().cloned().filter(|_| *rotated.lock()) {
                ghost.kid = kid("ghost");
                page.items.push(ghost);
            }
            Ok(Answer::Keys(page))
        }
        other => Ok(other),
    });
}

/// Publishes every key that was ever created.
pub(crate) fn publishes_everything(faults: &Faults) {
    let made: Arc<Mutex<BTreeSet<KeyId>>> = Arc::default();
    let noted = made.clone();
    answer(faults, CreateKey, move |_, honest| {
        if let Ok(Answer::Key(key)) = &honest {
            noted.lock().insert(key.kid().clone());
        }
        honest
    });
    change_jwks(faults, move |keys| {
        let listed: BTreeSet<_> = keys.iter().filter_map(Jwk::version_id).map(|id| id.kid).collect();
        for absent in made.lock().difference(&listed) {
            let id = absent.at(KeyVersion::FIRST);
            keys.push(Jwk::published(&id, KeyAlg::Ed25519, PublicKey::Ed25519([7; 32])));
        }
        keys.sort_by_key(Jwk::version_id);
    });
}

pub(crate) fn answers_writes_with_secrets(faults: &Faults) {
    answer(faults, CreateKey, |_, honest| match honest? {
        Answer::Key(key) if key.export_policy() == ExportPolicy::SecretWhenAllowed => {
            let secret = SecretMaterial::Symmetric(SecretBytes::from(vec![7; 32]));
            Ok(Answer::Key(key.with_secret(secret)?))
        }
        other => Ok(other),
    });
}

/// Answers the loser of two creates with the winner's key.
pub(crate) fn overwrites_keys(faults: &Faults) {
    let won: Mutex<BTreeMap<KeyId, KeyRef>> = Mutex::default();
    answer(faults, CreateKey, move |call, honest| {
        let asked = call.spec.as_ref().and_then(|spec| spec.kid());
        match (honest, asked) {
            (Ok(Answer::Key(key)), _) => {
                won.lock().insert(key.kid().clone(), key.clone());
                Ok(key.into())
            }
            (Err(error), Some(kid)) => won.lock().get(kid).cloned().map(Answer::Key).ok_or(error),
            (honest, _) => honest,
        }
    });
}

pub(crate) fn writes_secrets_on_labels(faults: &Faults) {
    change_with_secret(faults, |parts, secret| {
        if let SecretMaterial::Symmetric(bytes) = secret {
            parts.label = Some(format!("{:x?}", bytes.expose_secret()).into());
        }
    });
}

pub(crate) fn hashes_secrets_plainly(faults: &Faults) {
    change_with_secret(faults, |parts, secret| {
        if let SecretMaterial::Symmetric(bytes) = secret {
            let hash = Sha256::digest(bytes.expose_secret());
            parts.fingerprint = Base64UrlUnpadded::encode_string(&hash).parse().unwrap();
        }
    });
}

/// Publishes every version that it has ever published.
pub(crate) fn publishes_what_is_disabled(faults: &Faults) {
    let published: Mutex<BTreeMap<Option<String>, Jwk>> = Mutex::default();
    answer(faults, Jwks, move |_, honest| match honest? {
        Answer::Jwks(jwks) => {
            let mut published = published.lock();
            published.extend(jwks.keys.iter().map(|jwk| (jwk.kid.clone(), jwk.clone())));
            let mut keys: Vec<_> = published.values().cloned().collect();
            keys.sort_by_key(Jwk::version_id);
            Ok(Answer::Jwks(Arc::new(JwkSet { keys })))
        }
        other => Ok(other),
    });
}

pub(crate) fn reads_an_older_version_instead(faults: &Faults) {
    answer(faults, GetKey, |call, honest| match honest? {
        Answer::Key(key) if call.version.is_none() && key.state() == KeyState::Disabled => {
            let id = key.kid().at(KeyVersion::FIRST);
            Ok(KeyRef::new(KeyRefParts { id, state: KeyState::Enabled, ..key.parts().clone() }).into())
        }
        other => Ok(other),
    });
}

pub(crate) fn refuses_to_disable_twice(faults: &Faults) {
    let disabled: Arc<Mutex<BTreeSet<Option<KeyId>>>> = Arc::default();
    let enabled = disabled.clone();
    answer(faults, DisableKey, move |call, honest| {
        let first = disabled.lock().insert(call.kid.clone());
        if first { honest } else { Err(KeyError::conflict("it is disabled")) }
    });
    answer(faults, EnableKey, move |call, honest| {
        enabled.lock().remove(&call.kid);
        honest
    });
}

/// Reads every version of a key as disabled when one is.
pub(crate) fn disables_whole_keys(faults: &Faults) {
    let disabled: Arc<Mutex<BTreeSet<Option<KeyId>>>> = Arc::default();
    let noted = disabled.clone();
    answer(faults, DisableKey, move |call, honest| {
        noted.lock().insert(call.kid.clone());
        honest
    });
    answer(faults, GetKey, move |call, honest| match honest? {
        Answer::Key(key) if disabled.lock().contains(&call.kid) => {
            Ok(key.with_state(KeyState::Disabled).into())
        }
        other => Ok(other),
    });
}

/// Encrypts each message like the first one.
pub(crate) fn encrypts_always_alike(faults: &Faults) {
    let first: Mutex<Option<Ciphertext>> = Mutex::default();
    answer(faults, Encrypt, move |_, honest| match honest? {
        Answer::Ciphertext(sealed) => Ok(first.lock().get_or_insert(sealed).clone().into()),
        other => Ok(other),
    });
}

/// Does not sign with keys that must not leave.
pub(crate) fn keeps_keys_from_work(faults: &Faults) {
    let kept: Arc<Mutex<BTreeSet<KeyId>>> = Arc::default();
    let noted = kept.clone();
    answer(faults, CreateKey, move |_, honest| {
        if let Ok(Answer::Key(key)) = &honest
            && key.export_policy() == ExportPolicy::None
        {
            noted.lock().insert(key.kid().clone());
        }
        honest
    });
    answer(faults, Sign, move |call, honest| match &call.kid {
        Some(kid) if kept.lock().contains(kid) => Err(KeyError::permission_denied("it must not leave")),
        _ => honest,
    });
}

/// Every signature leaves its mark on the listing.
pub(crate) fn marks_what_has_signed(faults: &Faults) {
    let marked: Arc<Mutex<BTreeSet<Option<KeyId>>>> = Arc::default();
    let noted = marked.clone();
    answer(faults, Sign, move |call, honest| {
        noted.lock().insert(call.kid.clone());
        honest
    });
    answer(faults, ListKeys, move |_, honest| match honest? {
        Answer::Keys(mut page) => {
            let marked = marked.lock();
            for key in page.items.iter_mut().filter(|key| marked.contains(&Some(key.kid.clone()))) {
                key.label = Some("has signed".to_owned());
            }
            Ok(Answer::Keys(page))
        }
        other => Ok(other),
    });
}

/// Gives the seed that the suite imports for a signature.
pub(crate) fn signs_with_its_secret(faults: &Faults) {
    answer(faults, Sign, |_, honest| match honest? {
        Answer::Signature(signature) if signature.alg == KeyAlg::Ed25519 => {
            let digits = SEED.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
            let bytes = digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
            Ok(Signature { bytes, ..signature }.into())
        }
        other => Ok(other),
    });
}
