//! Rotating keys.

use swarmauri_keyprovider::{Feature, KeyProviderExt as _, Secrets};
use swarmauri_keys::{
    ExportPolicy, KeyAlg, KeyErrorKind, KeyMaterial, KeyRef, KeySpec, KeyType, KeyVersion, SpecOverrides,
    Tags,
};

use crate::Subject;
use crate::subject::{built, done, kid, refused, refused_as, spec, version};
use crate::suite::{CaseResult, NotApplicable};
use crate::vectors;

pub(crate) async fn a_rotation_adds_the_latest_version(on: Subject) -> CaseResult {
    on.needs(Feature::Rotate)?;
    let first = on.create(spec(on.any()?)).await;
    let second = on.rotate(first.kid()).await;
    assert_eq!(second.kid(), first.kid());
    assert!(second.version() > first.version(), "{} after {}", second.version(), first.version());
    assert_ne!(second.fingerprint(), first.fingerprint(), "a rotation makes another key");
    let latest = done(on.get_key(first.kid(), None, Secrets::Omit).await, "reading the latest");
    assert_eq!(latest.parts(), second.parts());
    let versions = done(on.list_versions(first.kid()).await, "listing versions");
    assert_eq!(versions, [first.version(), second.version()]);
    Ok(())
}

pub(crate) async fn a_rotation_keeps_what_is_not_overridden(on: Subject) -> CaseResult {
    on.needs(Feature::Rotate)?;
    on.any()?;
    for alg in on.quick() {
        for policy in ExportPolicy::ALL {
            let wanted = spec(alg).uses([alg.uses()[0]]).export_policy(*policy).label("l").tag("env", "prod");
            let first = on.create(wanted).await;
            let second = on.rotate(first.kid()).await;
            assert_eq!(spec_of(&second), spec_of(&first));
        }
    }
    Ok(())
}

/// The size of an RSA key is that of its material, also if no spec ever named it.
pub(crate) async fn a_rotation_keeps_the_size(on: Subject) -> CaseResult {
    on.needs(Feature::Rotate)?;
    let both = on.can.import.intersection(&on.can.create);
    let rsa = both.copied().filter(|alg| alg.key_type() == KeyType::Rsa).last();
    let alg = rsa.ok_or_else(|| NotApplicable("does not both import and create RSA keys".to_owned()))?;
    let imported = on.import_key(&KeySpec::new(alg), vectors::secret_material(alg)).await;
    let first = done(imported, "importing an RSA key of 2048 bits");
    let second = on.rotate(first.kid()).await;
    assert_eq!((second.alg(), second.size_bits()), (alg, Some(vectors::RSA_BITS)));
    Ok(())
}

pub(crate) async fn a_rotation_changes_what_is_overridden(on: Subject) -> CaseResult {
    on.needs(Feature::Rotate)?;
    let alg = on.any()?;
    let key = on.create(spec(alg).label("old").tag("env", "prod").tag("team", "a")).await;
    let one_use = [alg.uses()[0]].into_iter().collect();
    let tags = done(Tags::default().with("env", "test"), "a tag");
    let overrides = [
        SpecOverrides { label: Some("new".to_owned()), ..SpecOverrides::NONE },
        SpecOverrides { tags: Some(tags), ..SpecOverrides::NONE },
        SpecOverrides { uses: Some(one_use), ..SpecOverrides::NONE },
        SpecOverrides { export_policy: Some(ExportPolicy::SecretWhenAllowed), ..SpecOverrides::NONE },
    ];
    let mut before = key;
    for change in overrides {
        let after = done(on.rotate_key(before.kid(), &change).await, &format!("rotating with {change:?}"));
        let wanted = done(spec_of(&before).overridden(&change), "the changed spec");
        assert_eq!(spec_of(&after), wanted);
        before = after;
    }
    let others = on.quick().into_iter().find(|other| *other != alg && other.uses() == alg.uses());
    if let Some(other) = others {
        let change = SpecOverrides { alg: Some(other), uses: Some(uses(other)), ..SpecOverrides::NONE };
        let after = done(on.rotate_key(before.kid(), &change).await, "rotating to another algorithm");
        assert_eq!((after.kid(), after.alg(), after.uses()), (before.kid(), other, uses(other)));
    }
    Ok(())
}

pub(crate) async fn an_override_that_does_not_fit_changes_nothing(on: Subject) -> CaseResult {
    on.needs(Feature::Rotate)?;
    let alg = on.pair()?;
    let key = on.create(spec(alg)).await;
    let before = on.snapshot().await;
    let foreign = KeyAlg::ALL.iter().find(|other| !other.uses().contains(&alg.uses()[0]));
    let foreign = uses(*foreign.expect("no use is one of all algorithms"));
    let misfits = [
        SpecOverrides { uses: Some(foreign), ..SpecOverrides::NONE },
        SpecOverrides { size_bits: Some(1024), ..SpecOverrides::NONE },
        SpecOverrides { label: Some("line\nbreak".to_owned()), ..SpecOverrides::NONE },
    ];
    for misfit in misfits {
        let what = format!("rotating a {alg} key with {misfit:?}");
        refused(on.rotate_key(key.kid(), &misfit).await, KeyErrorKind::InvalidInput, &what);
    }
    assert_eq!(on.snapshot().await, before, "refused rotations change nothing");
    assert_eq!(done(on.list_versions(key.kid()).await, "listing versions"), [KeyVersion::FIRST]);
    Ok(())
}

pub(crate) async fn older_versions_stay_as_they_are(on: Subject) -> CaseResult {
    on.needs(Feature::Rotate)?;
    let first = on.create(spec(on.any()?).label("old")).await;
    let change = SpecOverrides {
        label: Some("new".to_owned()),
        export_policy: Some(ExportPolicy::None),
        ..SpecOverrides::NONE
    };
    done(on.rotate_key(first.kid(), &change).await, "rotating");
    let read = on.get_key(first.kid(), Some(first.version()), Secrets::Omit).await;
    assert_eq!(done(read, "reading the older version").parts(), first.parts());
    Ok(())
}

pub(crate) async fn a_rotation_leaves_nothing_else_behind(on: Subject) -> CaseResult {
    on.needs(Feature::Rotate)?;
    on.needs(Feature::ListKeys)?;
    let key = on.create(spec(on.any()?)).await;
    let kids =
        |keys: Vec<swarmauri_keys::KeySummary>| keys.into_iter().map(|one| one.kid).collect::<Vec<_>>();
    let before = kids(done(on.list_all_keys().await, "listing"));
    on.rotate(key.kid()).await;
    assert_eq!(kids(done(on.list_all_keys().await, "listing")), before, "a rotation makes no other key");
    Ok(())
}

pub(crate) async fn rotating_an_absent_key_is_not_found(on: Subject) -> CaseResult {
    on.needs(Feature::Rotate)?;
    let rotated = on.rotate_key(&kid("absent"), &SpecOverrides::NONE).await;
    refused(rotated, KeyErrorKind::NotFound, "rotating an absent key");
    if on.can.has(Feature::Destroy) {
        let key = on.create(spec(on.any()?)).await;
        done(on.destroy_key(key.kid(), None).await, "destroying");
        let rotated = on.rotate_key(key.kid(), &SpecOverrides::NONE).await;
        refused(rotated, KeyErrorKind::NotFound, "rotating a destroyed key");
    }
    Ok(())
}

pub(crate) async fn a_public_key_alone_cannot_be_rotated(on: Subject) -> CaseResult {
    on.needs(Feature::Rotate)?;
    let (alg, public) = on.public_import()?;
    let imported = on.import_key(&built(spec(alg)), KeyMaterial::Public(public)).await;
    let key = done(imported, "importing a public key");
    let rotated = on.rotate_key(key.kid(), &SpecOverrides::NONE).await;
    refused_as(rotated, &[KeyErrorKind::InvalidState], "rotating a public key");
    assert_eq!(done(on.list_versions(key.kid()).await, "listing versions"), [key.version()]);
    Ok(())
}

pub(crate) async fn a_destroyed_version_number_never_comes_back(on: Subject) -> CaseResult {
    on.needs(Feature::Rotate)?;
    on.needs(Feature::Destroy)?;
    let key = on.create(spec(on.any()?)).await;
    let mut highest = key.version();
    for _ in 0..4 {
        let next = on.rotate(key.kid()).await.version();
        assert!(next > highest, "version {next} after {highest} had been used");
        highest = next;
        assert!(done(on.destroy_key(key.kid(), Some(next)).await, "destroying the highest version"));
    }
    Ok(())
}

pub(crate) async fn a_rotation_goes_by_the_latest_live_version(on: Subject) -> CaseResult {
    on.needs(Feature::Rotate)?;
    on.needs(Feature::Destroy)?;
    let first = on.create(spec(on.any()?).label("first")).await;
    let change = SpecOverrides { label: Some("second".to_owned()), ..SpecOverrides::NONE };
    let second = done(on.rotate_key(first.kid(), &change).await, "rotating");
    done(on.destroy_key(first.kid(), Some(second.version())).await, "destroying version 2");
    let third = on.rotate(first.kid()).await;
    assert_eq!((third.label(), third.version()), (Some("first"), version(3)));
    Ok(())
}

#[track_caller]
fn spec_of(key: &KeyRef) -> KeySpec {
    done(key.spec(), "the spec of the key")
}

fn uses(alg: KeyAlg) -> swarmauri_keys::KeyUses {
    alg.uses().iter().copied().collect()
}
