//! Mutants that take more than a line.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use swarmauri_keyprovider_testkit::Method::{CreateKey, ListKeys, RotateKey};
use swarmauri_keyprovider_testkit::{Answer, Faults};
use swarmauri_keys::{
    ExportPolicy, Jwk, KeyAlg, KeyId, KeyRef, KeyVersion, PublicKey, SecretBytes, SecretMaterial,
};

use crate::mutants::kid;
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
            parts.label = Some(format!("{:x?}", bytes.expose_secret()));
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
