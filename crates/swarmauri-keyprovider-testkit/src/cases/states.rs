//! Taking versions out of use, and into use again.

use swarmauri_keyprovider::{Feature, JwksQuery, KeyProviderExt as _, KeyReference, Secrets};
use swarmauri_keys::{KeyErrorKind, KeyId, KeyMaterial, KeyRef, KeyState, KeySummary, KeyVersion};

use crate::Subject;
use crate::cases::destroy::key_is_absent;
use crate::cases::jwks::published;
use crate::subject::{built, done, exportable, kid, refused, spec, version};
use crate::suite::CaseResult;

pub(crate) async fn a_disabled_version_is_read_with_its_state(on: Subject) -> CaseResult {
    on.needs(Feature::Disable)?;
    on.any()?;
    for alg in on.quick() {
        let key = on.create(exportable(alg).label("l").tag("env", "prod")).await;
        disable(&on, &key).await;
        let reference = KeyReference::new(key.kid().clone(), None);
        for read in [
            on.get_key(key.kid(), None, Secrets::Omit).await,
            on.get_key(key.kid(), Some(key.version()), Secrets::Omit).await,
            on.get_key_by_ref(&reference, Secrets::Omit).await,
        ] {
            let read = done(read, "reading a disabled version");
            assert_eq!(read.parts(), key.with_state(KeyState::Disabled).parts(), "but for its state");
            assert!(read.secret().is_none(), "a secret came that nobody asked for");
        }
        assert_eq!(done(on.list_versions(key.kid()).await, "listing versions"), [key.version()]);
    }
    Ok(())
}

pub(crate) async fn a_disabled_version_is_listed_with_its_state(on: Subject) -> CaseResult {
    on.needs(Feature::Disable)?;
    on.needs(Feature::ListKeys)?;
    let key = on.create(spec(on.any()?)).await;
    disable(&on, &key).await;
    let listed = done(on.list_all_keys().await, "listing");
    let summary = listed.into_iter().find(|one| one.kid == *key.kid());
    assert_eq!(summary, Some(KeySummary { state: KeyState::Disabled, ..KeySummary::from(&key) }));
    Ok(())
}

pub(crate) async fn the_secret_of_a_disabled_version_is_not_read(on: Subject) -> CaseResult {
    on.needs(Feature::Disable)?;
    on.needs(Feature::ExportSecret)?;
    on.any()?;
    for alg in on.quick() {
        let key = on.create(exportable(alg)).await;
        disable(&on, &key).await;
        let reference = KeyReference::new(key.kid().clone(), Some(key.version()));
        for read in [
            on.get_key(key.kid(), None, Secrets::Include).await,
            on.get_key(key.kid(), Some(key.version()), Secrets::Include).await,
            on.get_key_by_ref(&reference, Secrets::Include).await,
        ] {
            refused(read, KeyErrorKind::Disabled, "reading the secret of a disabled version");
        }
    }
    Ok(())
}

pub(crate) async fn the_jwk_of_a_disabled_version_is_refused(on: Subject) -> CaseResult {
    on.needs(Feature::Disable)?;
    on.needs(Feature::Jwks)?;
    let mut keys = vec![on.create(spec(on.pair()?)).await];
    if let Ok((alg, public)) = on.public_import() {
        keys.push(on.imported(built(spec(alg)), KeyMaterial::Public(public)).await);
    }
    for key in keys {
        disable(&on, &key).await;
        for version in [None, Some(key.version())] {
            let jwk = on.get_public_jwk(key.kid(), version).await;
            refused(jwk, KeyErrorKind::Disabled, "the public JWK of a disabled version");
        }
    }
    Ok(())
}

pub(crate) async fn a_disabled_version_leaves_the_jwks(on: Subject) -> CaseResult {
    on.needs(Feature::Disable)?;
    on.needs(Feature::Jwks)?;
    on.needs(Feature::Rotate)?;
    let first = on.create(spec(on.pair()?)).await;
    let second = on.rotate(first.kid()).await;
    let jwks = async |query| published(&on, &query, &[&first]).await;
    let jwk = |key: &KeyRef| done(key.public_jwk(), "a public JWK");
    assert_eq!(jwks(JwksQuery::ALL_LIVE).await, [jwk(&first), jwk(&second)]);
    assert_eq!(jwks(JwksQuery::LATEST).await, [jwk(&second)]);
    disable(&on, &first).await;
    assert_eq!(jwks(JwksQuery::ALL_LIVE).await, [jwk(&second)]);
    assert_eq!(jwks(JwksQuery::LATEST).await, [jwk(&second)]);
    disable(&on, &second).await;
    assert_eq!(jwks(JwksQuery::ALL_LIVE).await, []);
    assert_eq!(jwks(JwksQuery::LATEST).await, []);
    Ok(())
}

pub(crate) async fn nothing_stands_in_for_a_disabled_latest(on: Subject) -> CaseResult {
    on.needs(Feature::Disable)?;
    on.needs(Feature::Rotate)?;
    let first = on.create(spec(on.pair().or_else(|_| on.any())?)).await;
    let has_jwk = on.can.has(Feature::Jwks) && first.public_key().is_some();
    if has_jwk {
        let latest = published(&on, &JwksQuery::LATEST, &[&first]).await;
        assert_eq!(latest, [done(first.public_jwk(), "a public JWK")]);
    }
    let second = on.rotate(first.kid()).await;
    disable(&on, &second).await;
    let latest = done(on.get_key(first.kid(), None, Secrets::Omit).await, "reading the latest");
    assert_eq!((latest.version(), latest.state()), (second.version(), KeyState::Disabled));
    if has_jwk {
        assert_eq!(published(&on, &JwksQuery::LATEST, &[&first]).await, [], "version 1 stands in for it");
    }
    Ok(())
}

pub(crate) async fn enabling_brings_everything_back(on: Subject) -> CaseResult {
    on.needs(Feature::Disable)?;
    on.any()?;
    for alg in on.quick() {
        let key = on.create(exportable(alg)).await;
        let before = (on.snapshot().await, seen(&on, key.kid()).await);
        disable(&on, &key).await;
        done(on.enable_key(key.kid(), key.version()).await, "enabling");
        assert_eq!((on.snapshot().await, seen(&on, key.kid()).await), before);
        if on.can.has(Feature::ExportSecret) {
            let read = done(on.get_key(key.kid(), None, Secrets::Include).await, "reading the secret");
            assert!(read.secret().is_some(), "no secret came");
        }
        if on.can.has(Feature::Jwks) && key.public_key().is_some() {
            done(on.get_public_jwk(key.kid(), None).await, "the public JWK of an enabled version");
        }
    }
    Ok(())
}

pub(crate) async fn disabling_twice_changes_nothing(on: Subject) -> CaseResult {
    on.needs(Feature::Disable)?;
    let key = on.create(spec(on.any()?)).await;
    let (id, version) = (key.kid(), key.version());
    let enabled = (on.snapshot().await, seen(&on, id).await);
    done(on.enable_key(id, version).await, "enabling what is enabled");
    assert_eq!((on.snapshot().await, seen(&on, id).await), enabled);
    disable(&on, &key).await;
    let disabled = (on.snapshot().await, seen(&on, id).await);
    done(on.disable_key(id, version).await, "disabling what is disabled");
    assert_eq!((on.snapshot().await, seen(&on, id).await), disabled);
    done(on.enable_key(id, version).await, "enabling");
    assert_eq!((on.snapshot().await, seen(&on, id).await), enabled);
    Ok(())
}

pub(crate) async fn the_state_of_what_is_absent_is_not_found(on: Subject) -> CaseResult {
    on.needs(Feature::Disable)?;
    let key = on.create(spec(on.any()?)).await;
    let mut absent = vec![kid("absent").at(KeyVersion::FIRST), key.kid().at(version(2))];
    if on.can.has(Feature::Destroy) && on.can.has(Feature::Rotate) {
        let second = on.rotate(key.kid()).await;
        done(on.destroy_key(second.kid(), Some(second.version())).await, "destroying version 2");
        let whole = on.create(spec(on.any()?)).await;
        done(on.destroy_key(whole.kid(), None).await, "destroying a key");
        absent.push(whole.id().clone());
    }
    for id in absent {
        let disabled = on.disable_key(&id.kid, id.version).await;
        refused(disabled, KeyErrorKind::NotFound, "disabling what is absent");
        let enabled = on.enable_key(&id.kid, id.version).await;
        refused(enabled, KeyErrorKind::NotFound, "enabling what is absent");
        let read = on.get_key(&id.kid, Some(id.version), Secrets::Omit).await;
        refused(read, KeyErrorKind::NotFound, "reading it thereafter");
    }
    Ok(())
}

pub(crate) async fn a_key_whose_latest_is_disabled_can_be_rotated(on: Subject) -> CaseResult {
    on.needs(Feature::Disable)?;
    on.needs(Feature::Rotate)?;
    on.any()?;
    for alg in on.quick() {
        let first = on.create(spec(alg)).await;
        disable(&on, &first).await;
        let second = on.rotate(first.kid()).await;
        assert_eq!(second.state(), KeyState::Enabled, "a new version is in use");
        let latest = done(on.get_key(first.kid(), None, Secrets::Omit).await, "reading the latest");
        assert_eq!(latest.parts(), second.parts());
        assert_eq!(state(&on, &first).await, KeyState::Disabled, "the older one stays out of use");
    }
    Ok(())
}

pub(crate) async fn a_disabled_version_can_be_destroyed(on: Subject) -> CaseResult {
    on.needs(Feature::Disable)?;
    on.needs(Feature::Destroy)?;
    let first = on.create(spec(on.any()?)).await;
    let id = first.kid();
    if on.can.has(Feature::Rotate) {
        let second = on.rotate(id).await;
        disable(&on, &second).await;
        assert!(done(on.destroy_key(id, Some(second.version())).await, "destroying a disabled version"));
        let latest = done(on.get_key(id, None, Secrets::Omit).await, "reading the latest");
        assert_eq!(latest.parts(), first.parts());
    }
    disable(&on, &first).await;
    assert!(done(on.destroy_key(id, None).await, "destroying a key whose last version is disabled"));
    key_is_absent(&on, id).await;
    Ok(())
}

pub(crate) async fn disabling_leaves_other_versions_alone(on: Subject) -> CaseResult {
    on.needs(Feature::Disable)?;
    on.needs(Feature::Rotate)?;
    on.any()?;
    for alg in on.quick() {
        let first = on.create(exportable(alg)).await;
        let second = on.rotate(first.kid()).await;
        let third = on.rotate(first.kid()).await;
        let bystander = on.create(exportable(alg)).await;
        disable(&on, &second).await;
        let include = if on.can.has(Feature::ExportSecret) { Secrets::Include } else { Secrets::Omit };
        for other in [&first, &third, &bystander] {
            let read = on.get_key(other.kid(), Some(other.version()), include).await;
            assert_eq!(done(read, "reading another version").parts(), other.parts());
        }
        let latest = done(on.get_key(first.kid(), None, Secrets::Omit).await, "reading the latest");
        assert_eq!(latest.parts(), third.parts());
    }
    Ok(())
}

pub(crate) async fn disable(on: &Subject, key: &KeyRef) {
    done(on.disable_key(key.kid(), key.version()).await, &format!("disabling {}", key.id()));
    assert_eq!(state(on, key).await, KeyState::Disabled, "the version was disabled");
}

async fn state(on: &Subject, key: &KeyRef) -> KeyState {
    let read = on.get_key(key.kid(), Some(key.version()), Secrets::Omit).await;
    done(read, "reading a version").state()
}

/// Every version of a key, as it is read.
async fn seen(on: &Subject, key: &KeyId) -> Vec<swarmauri_keys::KeyRefParts> {
    let mut seen = Vec::new();
    for version in done(on.list_versions(key).await, "listing versions") {
        let read = on.get_key(key, Some(version), Secrets::Omit).await;
        seen.push(done(read, "reading a listed version").parts().clone());
    }
    seen
}
