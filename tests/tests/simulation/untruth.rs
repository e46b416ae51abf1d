//! What sides answer when they lie, or speak of the past.

use std::collections::BTreeMap;
use std::sync::Arc;

use swarmauri_keyprovider::{JwksQuery, JwksVersions};
use swarmauri_keys::{
    Jwk, JwkSet, KeyAlg, KeyError, KeyId, KeyRef, KeyRefParts, KeySummary, KeyVersion, Page,
};

use crate::model::{Life, Model};
use crate::pool;
use crate::weather::Lie;

/// Another key than the honest one.
pub(crate) fn of_key(
    lie: Lie,
    kid: &KeyId,
    version: Option<KeyVersion>,
    honest: Result<KeyRef, KeyError>,
) -> Result<KeyRef, KeyError> {
    match lie {
        Lie::Nothing => Err(KeyError::not_found(kid, version)),
        Lie::WrongKey | Lie::Forged => {
            let honest = honest?;
            let other = pool::impostor(honest.alg());
            let mut parts: KeyRefParts = honest.parts().clone();
            parts.public = parts.public.and(other.public_key().cloned());
            if lie == Lie::WrongKey {
                parts.fingerprint = other.fingerprint().clone();
            }
            let swapped = KeyRef::new(parts);
            match (honest.secret(), other.secret()) {
                (Some(_), Some(secret)) => swapped.with_secret(secret),
                _ => Ok(swapped),
            }
        }
        Lie::Done | Lie::NothingToDestroy => honest,
    }
}

pub(crate) fn of_document(lie: Lie, honest: Arc<JwkSet>) -> Arc<JwkSet> {
    match lie {
        Lie::Nothing => Arc::default(),
        Lie::WrongKey | Lie::Forged => {
            let other = pool::impostor(KeyAlg::Ed25519).public_key().cloned();
            let swapped = |jwk: &Jwk| Jwk { key: other.clone().unwrap_or(jwk.key.clone()), ..jwk.clone() };
            Arc::new(JwkSet { keys: honest.keys.iter().map(swapped).collect() })
        }
        Lie::Done | Lie::NothingToDestroy => honest,
    }
}

pub(crate) fn of_page(lie: Lie, honest: Page<KeySummary>) -> Page<KeySummary> {
    match lie {
        Lie::Nothing => Page { items: Vec::new(), next: None },
        Lie::WrongKey => {
            let swapped = |key: KeySummary| KeySummary {
                fingerprint: pool::impostor(key.alg).fingerprint().clone(),
                ..key
            };
            Page { items: honest.items.into_iter().map(swapped).collect(), next: honest.next }
        }
        Lie::Forged | Lie::Done | Lie::NothingToDestroy => honest,
    }
}

/// The key as it was before it was destroyed, if the answer then would have been another one.
pub(crate) fn past(
    model: &Model,
    kid: &KeyId,
    version: Option<KeyVersion>,
    secret: bool,
) -> Option<Result<KeyRef, KeyError>> {
    let key = model.keys.get(kid)?;
    let mut there = key.versions.values().filter(|life| life.on_primary || life.is_past());
    let life = match version {
        Some(version) => there.find(|life| life.truth.id.version == version)?,
        None => there.next_back()?,
    };
    if life.on_primary {
        return None;
    }
    Some(shown(life, secret))
}

fn shown(life: &Life, secret: bool) -> Result<KeyRef, KeyError> {
    let key = KeyRef::new(life.truth.clone());
    match &life.secret {
        _ if !secret => Ok(key),
        Some(known) => {
            key.check_secret_export()?;
            key.check_enabled()?;
            key.with_secret(known.clone())
        }
        None => Err(KeyError::invalid_state("a public key alone")),
    }
}

/// Those that were destroyed are there, and the latest is not yet.
pub(crate) fn past_versions(model: &Model, kid: &KeyId, versions: &mut Vec<KeyVersion>) {
    let Some(key) = model.keys.get(kid) else { return };
    if versions.len() > 1 {
        versions.pop();
    }
    versions.extend(key.versions.iter().filter(|(_, life)| life.is_past()).map(|(version, _)| *version));
    versions.sort_unstable();
    versions.dedup();
}

pub(crate) fn past_document(model: &Model, query: &JwksQuery, honest: &JwkSet) -> Arc<JwkSet> {
    let mut all: BTreeMap<_, _> =
        honest.keys.iter().filter_map(|jwk| Some((jwk.version_id()?, jwk.clone()))).collect();
    for (kid, version, _, life) in model.lives() {
        if life.is_past()
            && query.matches(kid)
            && let Ok(jwk) = KeyRef::new(life.truth.clone()).public_jwk()
        {
            let latest = query.versions == JwksVersions::Latest;
            let later = all.keys().any(|id| id.kid == *kid && id.version > version);
            if latest && later {
                continue;
            }
            if latest {
                all.retain(|id, _| id.kid != *kid);
            }
            all.insert(kid.at(version), jwk);
        }
    }
    Arc::new(JwkSet { keys: all.into_values().collect() })
}
