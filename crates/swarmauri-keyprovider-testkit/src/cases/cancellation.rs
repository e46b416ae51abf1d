//! A future that is dropped has had its full effect or none. Each case drops one after 0, 1, 2, … polls, until it ends by
//! itself.

use swarmauri_keyprovider::{Feature, JwksQuery, KeyProviderExt as _, Secrets};
use swarmauri_keys::{Acceptance, KeyErrorKind, KeyId, KeyState, KeyVersion, SpecOverrides};

use crate::cases::destroy::key_is_absent;
use crate::cases::uses::readable;
use crate::subject::{built, done, kid, spec, version};
use crate::suite::{CaseResult, NotApplicable};
use crate::vectors;
use crate::{Subject, drop_after};

/// After how many polls at most a future is dropped. Providers far away may be polled more often.
const MOST_POLLS: usize = 100;

pub(crate) async fn a_cancelled_create_is_all_or_nothing(on: Subject) -> CaseResult {
    on.needs(Feature::ChosenKid)?;
    on.any()?;
    for alg in on.can.create.clone() {
        for polls in 0..=MOST_POLLS {
            let chosen = kid(&format!("{alg}-{polls}"));
            let wanted = built(spec(alg).kid(chosen.clone()));
            let ended = drop_after(polls, on.create_key(&wanted)).await.is_some();
            let versions = consistent(&on, &chosen).await;
            assert!(matches!(versions.as_slice(), [] | [KeyVersion::FIRST]), "half a key: {versions:?}");
            if ended {
                break;
            }
        }
    }
    Ok(())
}

pub(crate) async fn a_cancelled_import_is_all_or_nothing(on: Subject) -> CaseResult {
    on.needs(Feature::ChosenKid)?;
    if on.can.import.is_empty() {
        return Err(NotApplicable("imports no secret keys".to_owned()));
    }
    for alg in on.can.import.clone() {
        for polls in 0..=MOST_POLLS {
            let chosen = kid(&format!("{alg}-{polls}"));
            let wanted = built(spec(alg).kid(chosen.clone()));
            let import = on.import_key(&wanted, vectors::secret_material(alg));
            let ended = drop_after(polls, import).await.is_some();
            let versions = consistent(&on, &chosen).await;
            assert!(matches!(versions.as_slice(), [] | [KeyVersion::FIRST]), "half a key: {versions:?}");
            if ended {
                break;
            }
        }
    }
    Ok(())
}

pub(crate) async fn a_cancelled_rotation_is_all_or_nothing(on: Subject) -> CaseResult {
    on.needs(Feature::Rotate)?;
    let key = on.create(spec(on.any()?)).await;
    let mut before = vec![key.version()];
    for polls in 0..=MOST_POLLS {
        let rotated = drop_after(polls, on.rotate_key(key.kid(), &SpecOverrides::NONE)).await;
        let after = consistent(&on, key.kid()).await;
        assert!(after.starts_with(&before), "versions {before:?} became {after:?}");
        assert!(after.len() <= before.len() + 1, "one rotation added more than one version: {after:?}");
        before = after;
        if rotated.is_some() {
            break;
        }
    }
    let next = on.rotate(key.kid()).await.version();
    assert!(before.iter().all(|used| *used < next), "version {next} after {before:?}");
    Ok(())
}

pub(crate) async fn a_cancelled_destroy_is_all_or_nothing(on: Subject) -> CaseResult {
    on.needs(Feature::Destroy)?;
    let alg = on.any()?;
    for polls in 0..=MOST_POLLS {
        let key = on.create(spec(alg)).await;
        let mut all = vec![key.version()];
        if on.can.has(Feature::Rotate) {
            all.push(on.rotate(key.kid()).await.version());
        }
        let destroyed = drop_after(polls, on.destroy_key(key.kid(), None)).await;
        let left = consistent(&on, key.kid()).await;
        assert!(left.is_empty() || left == all, "of the versions {all:?} {left:?} are left");
        done(on.destroy_key(key.kid(), None).await, "destroying it for good");
        key_is_absent(&on, key.kid()).await;
        if destroyed.is_some() {
            break;
        }
    }
    Ok(())
}

pub(crate) async fn a_cancelled_disable_is_all_or_nothing(on: Subject) -> CaseResult {
    on.needs(Feature::Disable)?;
    let first = on.create(spec(on.any()?)).await;
    let second = if on.can.has(Feature::Rotate) { Some(on.rotate(first.kid()).await) } else { None };
    let versions = consistent(&on, first.kid()).await;
    for polls in 0..=MOST_POLLS {
        let mut ended = true;
        for disable in [true, false] {
            let (kid, version) = (first.kid(), first.version());
            let call = if disable { on.disable_key(kid, version) } else { on.enable_key(kid, version) };
            ended &= drop_after(polls, call).await.is_some();
            assert_eq!(consistent(&on, first.kid()).await, versions);
            if let Some(other) = &second {
                let read = on.get_key(other.kid(), Some(other.version()), Secrets::Omit).await;
                assert_eq!(done(read, "reading another version").parts(), other.parts());
            }
        }
        if ended {
            break;
        }
    }
    done(on.enable_key(first.kid(), first.version()).await, "enabling it for good");
    let read = done(on.get_key(first.kid(), Some(first.version()), Secrets::Omit).await, "reading it");
    assert_eq!(read.parts(), first.parts());
    Ok(())
}

/// Whoever stops waiting for work changes nothing, and it can be done thereafter.
pub(crate) async fn work_that_is_dropped_does_no_harm(on: Subject) -> CaseResult {
    for (operation, alg) in on.all_work()? {
        let key = on.key(spec(alg)).await;
        let before = on.snapshot().await;
        let (id, version, input) = (key.kid(), Some(key.version()), on.input(&key).await);
        let accept = Acceptance::EnabledOnly;
        for polls in 0..=MOST_POLLS {
            if drop_after(polls, on.attempt(operation, id, version, &input, accept)).await.is_some() {
                break;
            }
        }
        if readable(&on, operation, alg) {
            let worked = on.attempt(operation, id, version, &input, accept).await;
            done(worked, &format!("{operation} with a key of {alg}, after it was dropped"));
        }
        assert_eq!(on.snapshot().await, before, "{operation} that is dropped changes something");
    }
    Ok(())
}

pub(crate) async fn a_future_that_is_never_polled_does_nothing(on: Subject) -> CaseResult {
    let key = on.create(spec(on.any()?)).await;
    let before = on.snapshot().await;
    let wanted = built(spec(on.any()?));
    drop(on.create_key(&wanted));
    drop(on.rotate_key(key.kid(), &SpecOverrides::NONE));
    drop(on.destroy_key(key.kid(), None));
    drop(on.disable_key(key.kid(), key.version()));
    assert_eq!(on.snapshot().await, before);
    assert_eq!(done(on.list_versions(key.kid()).await, "listing versions"), [version(1)]);
    Ok(())
}

/// The live versions of a key, none if it is absent; all ways of reading agree about them.
async fn consistent(on: &Subject, key: &KeyId) -> Vec<KeyVersion> {
    let versions = match on.list_versions(key).await {
        Ok(versions) => versions,
        Err(error) if error.kind() == KeyErrorKind::NotFound => {
            key_is_absent(on, key).await;
            return Vec::new();
        }
        Err(error) => panic!("listing the versions after a cancellation: {error}"),
    };
    for version in &versions {
        let read = done(on.get_key(key, Some(*version), Secrets::Omit).await, "reading a listed version");
        let shown = read.public_key().is_some() && read.state() == KeyState::Enabled;
        if on.can.has(Feature::Jwks) {
            let jwks = done(on.jwks(&JwksQuery::ALL_LIVE).await, "the JWKS");
            let id = Some(key.at(*version));
            let published = jwks.keys.iter().any(|jwk| jwk.version_id() == id);
            assert_eq!(published, shown, "version {version} can be read, and the JWKS disagrees");
        }
    }
    if on.can.has(Feature::ListKeys) {
        let listed = done(on.list_all_keys().await, "listing");
        assert!(listed.iter().any(|one| one.kid == *key), "the key can be read, and is not listed");
    }
    versions
}
