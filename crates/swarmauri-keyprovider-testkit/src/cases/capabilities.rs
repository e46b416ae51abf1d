//! `supports()` is the truth: what it claims works, and what it denies is refused.

use swarmauri_keyprovider::{Feature, JwksQuery, Secrets};
use swarmauri_keys::{
    Acceptance, KeyAlg, KeyClass, KeyErrorKind, KeyMaterial, KeyOperation, KeyState, KeyType, KeyVersion,
    PageRequest, SecretBytes, SpecOverrides,
};

use crate::Subject;
use crate::cases::uses::readable;
use crate::subject::{built, done, exportable, kid, refused, refused_as, spec};
use crate::suite::{CaseResult, NotApplicable};
use crate::vectors;
use crate::work::Input;

const ACCEPT: Acceptance = Acceptance::EnabledOnly;

pub(crate) async fn the_provider_has_a_name_that_references_can_bear(on: Subject) -> CaseResult {
    let name = on.name();
    assert!(!name.is_empty() && !name.contains([':', '@']), "a reference cannot bear the name {name:?}");
    Ok(())
}

pub(crate) async fn capabilities_stay_the_same(on: Subject) -> CaseResult {
    if let Ok(alg) = on.any() {
        let key = on.create(spec(alg)).await;
        if on.can.has(Feature::Destroy) {
            done(on.destroy_key(key.kid(), None).await, "destroying the key");
        }
    }
    assert_eq!(on.supports(), on.can);
    Ok(())
}

pub(crate) async fn claimed_algorithms_can_be_created(on: Subject) -> CaseResult {
    on.any()?;
    for alg in on.can.create.clone() {
        let key = on.create(spec(alg)).await;
        let bits = (alg.key_type() == KeyType::Rsa).then_some(vectors::RSA_BITS);
        assert_eq!((key.alg(), key.size_bits()), (alg, bits));
    }
    Ok(())
}

/// Without RSA, which takes long and is rotated in `a_rotation_keeps_the_size`.
pub(crate) async fn claimed_algorithms_can_be_rotated(on: Subject) -> CaseResult {
    on.needs(Feature::Rotate)?;
    on.any()?;
    for alg in on.quick() {
        let first = on.create(spec(alg)).await;
        let second = on.rotate(first.kid()).await;
        assert_eq!(second.alg(), alg);
        assert_ne!(first.fingerprint(), second.fingerprint(), "{alg}: a rotation makes another key");
    }
    Ok(())
}

pub(crate) async fn claimed_imports_work(on: Subject) -> CaseResult {
    some(&on.can.import, "imports no secret keys")?;
    for alg in on.can.import.clone() {
        let imported = on.import_key(&built(spec(alg)), vectors::secret_material(alg)).await;
        let key = done(imported, &format!("importing a key for {alg}"));
        assert_eq!((key.alg(), key.version(), key.state()), (alg, KeyVersion::FIRST, KeyState::Enabled));
    }
    Ok(())
}

pub(crate) async fn claimed_public_imports_work(on: Subject) -> CaseResult {
    some(&on.can.import_public, "imports no public keys")?;
    for alg in on.can.import_public.clone() {
        let pair = vectors::pair(alg).unwrap_or_else(|| panic!("{alg} keys have no public half to import"));
        let imported = on.import_key(&built(spec(alg)), KeyMaterial::Public(pair.public(alg))).await;
        let key = done(imported, &format!("importing a public key for {alg}"));
        assert_eq!((key.alg(), key.fingerprint()), (alg, &pair.thumbprint()));
    }
    Ok(())
}

pub(crate) async fn denied_features_are_unsupported(on: Subject) -> CaseResult {
    use KeyErrorKind::Unsupported;
    let denied = |feature| !on.can.has(feature);
    let absent = kid("absent");
    if denied(Feature::ImportVersion) {
        let (id, alg) = (absent.at(KeyVersion::FIRST), KeyAlg::Ed25519);
        let imported = on.import_version(&id, &built(spec(alg)), vectors::secret_material(alg)).await;
        refused(imported, Unsupported, "import_version, denied,");
    }
    if denied(Feature::Rotate) {
        refused(on.rotate_key(&absent, &SpecOverrides::NONE).await, Unsupported, "rotate_key, denied,");
    }
    if denied(Feature::Destroy) {
        refused(on.destroy_key(&absent, None).await, Unsupported, "destroy_key, denied,");
    }
    if denied(Feature::Disable) {
        let first = KeyVersion::FIRST;
        refused(on.disable_key(&absent, first).await, Unsupported, "disable_key, denied,");
        refused(on.enable_key(&absent, first).await, Unsupported, "enable_key, denied,");
    }
    if denied(Feature::ListKeys) {
        refused(on.list_keys(&PageRequest::default()).await, Unsupported, "list_keys, denied,");
    }
    if denied(Feature::Jwks) {
        refused(on.jwks(&JwksQuery::LATEST).await, Unsupported, "jwks, denied,");
        refused(on.get_public_jwk(&absent, None).await, Unsupported, "get_public_jwk, denied,");
    }
    if denied(Feature::Random) {
        refused(on.random_bytes(32).await, Unsupported, "random_bytes, denied,");
    }
    if denied(Feature::Hkdf) {
        let ikm = SecretBytes::from(&[7; 32][..]);
        refused(on.hkdf(&ikm, b"salt", b"info", 32).await, Unsupported, "hkdf, denied,");
    }
    denied_choices_are_unsupported(&on).await
}

/// What is denied of create, import and `get_key`.
async fn denied_choices_are_unsupported(on: &Subject) -> CaseResult {
    use KeyErrorKind::Unsupported;
    if !on.can.has(Feature::ChosenKid) {
        if let Ok(alg) = on.any() {
            let chosen = built(spec(alg).kid(kid("chosen")));
            refused(on.create_key(&chosen).await, Unsupported, "a chosen kid, denied, in create_key");
        }
        if let Some(alg) = on.can.import.first() {
            let chosen = built(spec(*alg).kid(kid("chosen")));
            let imported = on.import_key(&chosen, vectors::secret_material(*alg)).await;
            refused(imported, Unsupported, "a chosen kid, denied, in import_key");
        }
    }
    if !on.can.has(Feature::ExportSecret)
        && let Ok(alg) = on.any()
    {
        let key = on.create(exportable(alg)).await;
        let read = on.get_key(key.kid(), None, Secrets::Include).await;
        refused(read, Unsupported, "get_key with the secret, denied,");
    }
    Ok(())
}

pub(crate) async fn denied_algorithms_are_unsupported(on: Subject) -> CaseResult {
    use KeyErrorKind::{Unsupported, UnsupportedAlgorithm};
    let how = |none: bool| {
        if none { vec![UnsupportedAlgorithm, Unsupported] } else { vec![UnsupportedAlgorithm] }
    };
    for alg in KeyAlg::ALL.iter().copied() {
        let spec = built(spec(alg));
        if !on.can.create.contains(&alg) {
            let what = format!("creating a key for {alg}, denied,");
            refused_as(on.create_key(&spec).await, &how(on.can.create.is_empty()), &what);
        }
        if !on.can.import.contains(&alg) {
            let what = format!("importing a key for {alg}, denied,");
            let imported = on.import_key(&spec, vectors::secret_material(alg)).await;
            refused_as(imported, &how(on.can.import.is_empty()), &what);
        }
        if alg.class() == KeyClass::Asymmetric && !on.can.import_public.contains(&alg) {
            let what = format!("importing a public key for {alg}, denied,");
            let public = vectors::pair(alg).expect("an asymmetric algorithm has a pair").public(alg);
            let imported = on.import_key(&spec, KeyMaterial::Public(public)).await;
            refused_as(imported, &how(on.can.import_public.is_empty()), &what);
        }
    }
    Ok(())
}

pub(crate) async fn operations_are_there_if_and_only_if_claimed(on: Subject) -> CaseResult {
    let claimed = &on.can.operations;
    assert_eq!(on.operations().is_some(), !claimed.is_empty(), "operations() and supports() disagree");
    for (operation, algs) in claimed {
        assert!(!algs.is_empty(), "{operation} is claimed for no algorithm");
        let strange: Vec<_> = algs.iter().filter(|alg| !operation.algs().contains(alg)).collect();
        assert!(strange.is_empty(), "{operation} is claimed for {strange:?}");
    }
    Ok(())
}

pub(crate) async fn claimed_operations_work(on: Subject) -> CaseResult {
    for (operation, alg) in on.all_work()? {
        let key = on.key(spec(alg)).await;
        let (input, what) = (on.input(&key).await, format!("{operation} with a key of {alg}"));
        let worked = on.attempt(operation, key.kid(), Some(key.version()), &input, ACCEPT).await;
        if readable(&on, operation, alg) {
            done(worked, &what);
        } else {
            refused(worked, KeyErrorKind::NotAuthentic, &what);
        }
    }
    Ok(())
}

pub(crate) async fn denied_operations_are_unsupported(on: Subject) -> CaseResult {
    use KeyErrorKind::{Unsupported, UnsupportedAlgorithm};
    if on.operations().is_none() {
        return Err(NotApplicable("no operations".to_owned()));
    }
    for operation in KeyOperation::ALL.iter().copied() {
        let kind =
            if on.can.require_operation(operation).is_ok() { UnsupportedAlgorithm } else { Unsupported };
        for alg in operation.algs().iter().copied() {
            if on.can.does(operation, alg) || !on.has_keys_of(alg) {
                continue;
            }
            let key = on.key(spec(alg)).await;
            let input = Input::made_up(key.id(), alg);
            let worked = on.attempt(operation, key.kid(), Some(key.version()), &input, ACCEPT).await;
            refused(worked, kind, &format!("{operation} with a key of {alg}, denied,"));
        }
    }
    Ok(())
}

fn some<T>(claimed: &std::collections::BTreeSet<T>, otherwise: &str) -> CaseResult {
    if claimed.is_empty() { Err(NotApplicable(otherwise.to_owned())) } else { Ok(()) }
}
