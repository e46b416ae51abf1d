//! Destroying versions and keys.

use swarmauri_keyprovider::{Feature, JwksQuery, Secrets};
use swarmauri_keys::{KeyErrorKind, KeyId, KeyVersion, SpecOverrides};

use crate::Subject;
use crate::subject::{built, done, kid, refused, spec, version};
use crate::suite::CaseResult;
use crate::vectors;

pub(crate) async fn a_destroyed_version_is_absent_and_others_stay(on: Subject) -> CaseResult {
    on.needs(Feature::Destroy)?;
    on.needs(Feature::Rotate)?;
    let first = on.create(spec(on.any()?)).await;
    let id = first.kid();
    let (second, third) = (on.rotate(id).await, on.rotate(id).await);
    assert!(done(on.destroy_key(id, Some(second.version())).await, "destroying version 2"));
    version_is_absent(&on, id, second.version()).await;
    assert_eq!(done(on.list_versions(id).await, "listing versions"), [first.version(), third.version()]);
    for stays in [&first, &third] {
        let read =
            done(on.get_key(id, Some(stays.version()), Secrets::Omit).await, "reading another version");
        assert_eq!(read.parts(), stays.parts());
    }
    Ok(())
}

pub(crate) async fn a_destroyed_key_is_absent(on: Subject) -> CaseResult {
    on.needs(Feature::Destroy)?;
    let key = on.create(spec(on.any()?)).await;
    let bystander = on.create(spec(on.any()?)).await;
    if on.can.has(Feature::Rotate) {
        on.rotate(key.kid()).await;
    }
    assert!(done(on.destroy_key(key.kid(), None).await, "destroying a key"));
    key_is_absent(&on, key.kid()).await;
    let read = done(on.get_key(bystander.kid(), None, Secrets::Omit).await, "reading another key");
    assert_eq!(read.parts(), bystander.parts());
    Ok(())
}

pub(crate) async fn the_latest_version_falls_back(on: Subject) -> CaseResult {
    on.needs(Feature::Destroy)?;
    on.needs(Feature::Rotate)?;
    let first = on.create(spec(on.any()?)).await;
    let second = on.rotate(first.kid()).await;
    done(on.destroy_key(first.kid(), Some(second.version())).await, "destroying the latest version");
    let latest = done(on.get_key(first.kid(), None, Secrets::Omit).await, "reading the latest version");
    assert_eq!(latest.parts(), first.parts());
    Ok(())
}

pub(crate) async fn the_last_version_takes_the_key_with_it(on: Subject) -> CaseResult {
    on.needs(Feature::Destroy)?;
    on.needs(Feature::Rotate)?;
    let first = on.create(spec(on.any()?)).await;
    let second = on.rotate(first.kid()).await;
    for one in [&first, &second] {
        assert!(done(on.destroy_key(first.kid(), Some(one.version())).await, "destroying a version"));
    }
    key_is_absent(&on, first.kid()).await;
    let rotated = on.rotate_key(first.kid(), &SpecOverrides::NONE).await;
    refused(rotated, KeyErrorKind::NotFound, "rotating a key whose versions are all destroyed");
    Ok(())
}

pub(crate) async fn destroying_what_is_not_there_is_false(on: Subject) -> CaseResult {
    on.needs(Feature::Destroy)?;
    for version in [None, Some(KeyVersion::FIRST)] {
        let destroyed = done(on.destroy_key(&kid("absent"), version).await, "destroying an absent key");
        assert!(!destroyed, "an absent key was destroyed");
    }
    let key = on.create(spec(on.any()?)).await;
    for absent in [2, u32::MAX] {
        let destroyed = on.destroy_key(key.kid(), Some(version(absent))).await;
        assert!(!done(destroyed, "destroying an absent version"), "version {absent} was destroyed");
    }
    done(on.get_key(key.kid(), None, Secrets::Omit).await, "reading the key that is left");
    assert!(done(on.destroy_key(key.kid(), None).await, "destroying the key"), "there was something");
    for version in [None, Some(KeyVersion::FIRST)] {
        let again = done(on.destroy_key(key.kid(), version).await, "destroying it again");
        assert!(!again, "a destroyed key was destroyed again");
    }
    Ok(())
}

pub(crate) async fn a_destroyed_kid_is_never_used_again(on: Subject) -> CaseResult {
    on.needs(Feature::Destroy)?;
    on.needs(Feature::ChosenKid)?;
    let alg = on.any()?;
    for (name, version) in [("whole", None), ("by-version", Some(KeyVersion::FIRST))] {
        on.create(spec(alg).kid(kid(name))).await;
        assert!(done(on.destroy_key(&kid(name), version).await, "destroying"));
        let created = on.create_key(&built(spec(alg).kid(kid(name)))).await;
        refused(created, KeyErrorKind::Conflict, "creating at a destroyed kid");
        if let Some(alg) = on.can.import.first() {
            let wanted = built(spec(*alg).kid(kid(name)));
            let imported = on.import_key(&wanted, vectors::secret_material(*alg)).await;
            refused(imported, KeyErrorKind::Conflict, "importing to a destroyed kid");
        }
        key_is_absent(&on, &kid(name)).await;
    }
    Ok(())
}

async fn version_is_absent(on: &Subject, id: &KeyId, version: KeyVersion) {
    let read = on.get_key(id, Some(version), Secrets::Omit).await;
    refused(read, KeyErrorKind::NotFound, "reading a destroyed version");
    if on.can.has(Feature::Jwks) {
        let jwk = on.get_public_jwk(id, Some(version)).await;
        refused(jwk, KeyErrorKind::NotFound, "the public JWK of a destroyed version");
        let jwks = done(on.jwks(&JwksQuery::ALL_LIVE).await, "the JWKS");
        let published = jwks.keys.iter().filter_map(swarmauri_keys::Jwk::version_id);
        assert!(!published.into_iter().any(|one| one == id.at(version)), "the JWKS has a destroyed version");
    }
}

/// No way of reading finds the key.
pub(crate) async fn key_is_absent(on: &Subject, id: &KeyId) {
    version_is_absent(on, id, KeyVersion::FIRST).await;
    for secrets in [Secrets::Omit, Secrets::Include] {
        if secrets == Secrets::Omit || on.can.has(Feature::ExportSecret) {
            let read = on.get_key(id, None, secrets).await;
            refused(read, KeyErrorKind::NotFound, "reading a destroyed key");
        }
    }
    refused(on.list_versions(id).await, KeyErrorKind::NotFound, "the versions of a destroyed key");
    if on.can.has(Feature::Jwks) {
        let jwk = on.get_public_jwk(id, None).await;
        refused(jwk, KeyErrorKind::NotFound, "the public JWK of a destroyed key");
    }
    assert!(
        !format!("{:?}", on.snapshot().await).contains(&format!("{id:?}")),
        "a listing has a destroyed key"
    );
}
