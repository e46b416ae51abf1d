//! Reading keys.

use swarmauri_keyprovider::{Feature, KeyReference, Secrets};
use swarmauri_keys::{ExportPolicy, KeyErrorKind, KeyMaterial, SecretMaterial};

use crate::Subject;
use crate::subject::{built, done, exportable, kid, refused, refused_as, spec, version};
use crate::suite::CaseResult;

pub(crate) async fn a_read_without_version_is_of_the_latest(on: Subject) -> CaseResult {
    on.needs(Feature::Rotate)?;
    let first = on.create(spec(on.any()?)).await;
    for _ in 0..10 {
        let made = on.rotate(first.kid()).await;
        let latest = done(on.get_key(first.kid(), None, Secrets::Omit).await, "reading the latest");
        assert_eq!(latest.parts(), made.parts());
    }
    Ok(())
}

pub(crate) async fn reads_agree_with_each_other(on: Subject) -> CaseResult {
    on.any()?;
    for alg in on.quick() {
        let key = on.create(spec(alg).label("l").tag("env", "prod")).await;
        let reference = KeyReference::new(key.kid().clone(), Some(key.version()));
        let reads = [
            on.get_key(key.kid(), None, Secrets::Omit).await,
            on.get_key(key.kid(), Some(key.version()), Secrets::Omit).await,
            on.get_key_by_ref(&reference, Secrets::Omit).await,
        ];
        for read in reads {
            assert_eq!(done(read, "reading").parts(), key.parts(), "a read is not what create answered");
        }
    }
    Ok(())
}

pub(crate) async fn absent_keys_and_versions_are_not_found(on: Subject) -> CaseResult {
    let absent = kid("absent");
    let read = on.get_key(&absent, None, Secrets::Omit).await;
    let error = refused(read, KeyErrorKind::NotFound, "reading an absent key");
    assert!(error.to_string().contains("absent"), "the error names the key: {error}");
    refused(on.list_versions(&absent).await, KeyErrorKind::NotFound, "the versions of an absent key");
    let key = on.create(spec(on.any()?)).await;
    for number in [2, u32::MAX] {
        let read = on.get_key(key.kid(), Some(version(number)), Secrets::Omit).await;
        refused(read, KeyErrorKind::NotFound, &format!("reading version {number} of 1"));
    }
    Ok(())
}

pub(crate) async fn versions_are_listed_in_order(on: Subject) -> CaseResult {
    on.needs(Feature::Rotate)?;
    let key = on.create(spec(on.any()?)).await;
    let mut made = vec![key.version()];
    for _ in 0..10 {
        made.push(on.rotate(key.kid()).await.version());
    }
    assert!(made.is_sorted(), "versions grow: {made:?}");
    assert_eq!(done(on.list_versions(key.kid()).await, "listing versions"), made);
    Ok(())
}

pub(crate) async fn secrets_come_if_and_only_if_asked_for(on: Subject) -> CaseResult {
    on.any()?;
    for alg in on.quick() {
        let key = on.create(exportable(alg)).await;
        let read = done(on.get_key(key.kid(), None, Secrets::Omit).await, "reading without the secret");
        assert!(read.secret().is_none(), "a {alg} secret came without being asked for");
        if on.can.has(Feature::ExportSecret) {
            let read = done(on.get_key(key.kid(), None, Secrets::Include).await, "reading the secret");
            assert_eq!(read.parts(), key.parts());
            let secret = read.secret().unwrap_or_else(|| panic!("no {alg} secret came, though asked for"));
            assert_eq!(secret.key_type(), alg.key_type());
        }
    }
    Ok(())
}

pub(crate) async fn secrets_that_policy_keeps_are_denied(on: Subject) -> CaseResult {
    use KeyErrorKind::{PermissionDenied, Unsupported};
    on.any()?;
    let kinds = if on.can.has(Feature::ExportSecret) {
        &[PermissionDenied][..]
    } else {
        &[PermissionDenied, Unsupported]
    };
    for policy in [ExportPolicy::None, ExportPolicy::PublicOnly] {
        for alg in on.quick() {
            let key = on.create(spec(alg).export_policy(policy)).await;
            let read = on.get_key(key.kid(), None, Secrets::Include).await;
            refused_as(read, kinds, &format!("reading a {alg} secret under policy {policy}"));
        }
    }
    Ok(())
}

/// The secret of a pair makes the same pair when it is imported; that of a symmetric key the same key.
pub(crate) async fn an_exported_secret_is_that_of_the_key(on: Subject) -> CaseResult {
    on.needs(Feature::ExportSecret)?;
    on.any()?;
    for alg in on.quick().into_iter().filter(|alg| on.can.import.contains(alg)) {
        let key = on.create(exportable(alg)).await;
        let read = done(on.get_key(key.kid(), None, Secrets::Include).await, "reading the secret");
        let secret = read.secret().cloned().unwrap_or_else(|| panic!("no {alg} secret came"));
        if let SecretMaterial::Private(private) = &secret {
            assert_eq!(private.public_key(), key.public_key(), "the exported halves belong together");
        }
        let again = done(on.import_key(&built(spec(alg)), KeyMaterial::from(secret)).await, "importing it");
        assert_eq!(again.fingerprint(), key.fingerprint(), "the exported {alg} secret is another key's");
    }
    Ok(())
}
