//! Importing keys as the versions that they were.

use swarmauri_keyprovider::{Feature, Secrets};
use swarmauri_keys::{KeyAlg, KeyErrorKind, KeyId, KeyMaterial, KeyRef, KeyState};

use crate::Subject;
use crate::subject::{CHEAP_FIRST, built, done, exportable, kid, refused, spec, version};
use crate::suite::{CaseResult, NotApplicable};
use crate::vectors;

pub(crate) async fn an_import_at_a_version_is_that_version(on: Subject) -> CaseResult {
    importable(&on)?;
    for alg in on.can.import.clone() {
        let id = kid(&format!("lost-{alg}")).at(version(3));
        let wanted = built(spec(alg).label("a label").tag("env", "prod"));
        let made = on.import_version(&id, &wanted, vectors::secret_material(alg)).await;
        let made = done(made, "importing at version 3");
        assert_eq!((made.id(), made.state(), made.secret().is_some()), (&id, KeyState::Enabled, false));
        assert_eq!(done(made.spec(), "the spec of the imported version"), wanted);
        if let Some(pair) = vectors::pair(alg) {
            assert_eq!(made.fingerprint(), &pair.thumbprint(), "{alg}: the thumbprint");
        }
        let read = done(on.get_key(&id.kid, None, Secrets::Omit).await, "reading the latest");
        assert_eq!(read.parts(), made.parts());
        assert_eq!(done(on.list_versions(&id.kid).await, "listing versions"), [id.version]);
    }
    Ok(())
}

pub(crate) async fn a_public_key_alone_is_imported_at_a_version(on: Subject) -> CaseResult {
    on.needs(Feature::ImportVersion)?;
    let (alg, public) = on.public_import()?;
    let id = kid("lost").at(version(2));
    let made = on.import_version(&id, &built(exportable(alg)), KeyMaterial::Public(public.clone())).await;
    let made = done(made, "importing a public key at version 2");
    assert_eq!((made.id(), made.public_key()), (&id, Some(&public)));
    if on.can.has(Feature::ExportSecret) {
        let read = on.get_key(&id.kid, None, Secrets::Include).await;
        refused(read, KeyErrorKind::InvalidState, "reading the secret of a public key");
    }
    Ok(())
}

pub(crate) async fn versions_grow_from_an_imported_one(on: Subject) -> CaseResult {
    let (name, mut expected) = (kid("lost"), vec![version(3), version(7)]);
    let alg = importable(&on)?;
    import(&on, alg, &name, 3).await;
    import(&on, alg, &name, 7).await;
    if on.can.has(Feature::Rotate) && on.can.create.contains(&alg) {
        expected.push(version(8));
        assert_eq!(on.rotate(&name).await.version(), version(8), "the rotation of what is at version 7");
    }
    assert_eq!(done(on.list_versions(&name).await, "listing versions"), expected);
    Ok(())
}

pub(crate) async fn an_import_at_a_version_that_was_is_a_conflict(on: Subject) -> CaseResult {
    let (name, alg) = (kid("lost"), importable(&on)?);
    import(&on, alg, &name, 2).await;
    let mut taken = vec![1, 2];
    if on.can.has(Feature::Destroy) {
        import(&on, alg, &name, 4).await;
        done(on.destroy_key(&name, Some(version(4))).await, "destroying version 4");
        taken.extend([3, 4]);
    }
    let before = on.snapshot().await;
    for number in taken {
        let id = name.at(version(number));
        let again = on.import_version(&id, &built(spec(alg)), vectors::secret_material(alg)).await;
        refused(
            again,
            KeyErrorKind::Conflict,
            &format!("importing at version {number}, used or passed over,"),
        );
    }
    assert_eq!(on.snapshot().await, before, "refused imports change nothing");
    assert_eq!(done(on.list_versions(&name).await, "listing versions"), [version(2)]);
    Ok(())
}

pub(crate) async fn an_import_at_a_version_of_a_destroyed_key_is_a_conflict(on: Subject) -> CaseResult {
    on.needs(Feature::Destroy)?;
    let (name, alg) = (kid("lost"), importable(&on)?);
    import(&on, alg, &name, 1).await;
    done(on.destroy_key(&name, None).await, "destroying the key");
    for number in [1, 2, 9] {
        let id = name.at(version(number));
        let again = on.import_version(&id, &built(spec(alg)), vectors::secret_material(alg)).await;
        refused(again, KeyErrorKind::Conflict, &format!("importing version {number} of a destroyed key"));
    }
    let read = on.get_key(&name, None, Secrets::Omit).await;
    refused(read, KeyErrorKind::NotFound, "reading the destroyed key");
    Ok(())
}

pub(crate) async fn a_bad_import_at_a_version_is_refused(on: Subject) -> CaseResult {
    let (id, alg) = (kid("lost").at(version(2)), importable(&on)?);
    let material = || vectors::secret_material(alg);
    let elsewhere = built(spec(alg).kid(kid("other")));
    let imported = on.import_version(&id, &elsewhere, material()).await;
    refused(imported, KeyErrorKind::InvalidInput, "importing a version under the kid of another key");
    let mut others = on.can.import.iter().filter(|other| other.key_type() != alg.key_type());
    if let Some(other) = others.next() {
        let imported = on.import_version(&id, &built(spec(*other)), material()).await;
        refused(imported, KeyErrorKind::InvalidInput, "importing material of another type at a version");
    }
    let read = on.list_versions(&id.kid).await;
    refused(read, KeyErrorKind::NotFound, "listing versions of what was not imported");
    let same = built(spec(alg).kid(id.kid.clone()));
    assert_eq!(done(on.import_version(&id, &same, material()).await, "importing it").id(), &id);
    Ok(())
}

/// An algorithm that secret keys can be imported for.
fn importable(on: &Subject) -> Result<KeyAlg, NotApplicable> {
    on.needs(Feature::ImportVersion)?;
    let first = CHEAP_FIRST.into_iter().find(|alg| on.can.import.contains(alg));
    first.ok_or_else(|| NotApplicable("imports no secret keys".to_owned()))
}

async fn import(on: &Subject, alg: KeyAlg, name: &KeyId, number: u32) -> KeyRef {
    let id = name.at(version(number));
    let made = on.import_version(&id, &built(spec(alg)), vectors::secret_material(alg)).await;
    done(made, &format!("importing at version {number}"))
}
