//! Importing keys.

use swarmauri_keyprovider::{Feature, Secrets};
use swarmauri_keys::{
    ExportPolicy, KeyAlg, KeyClass, KeyErrorKind, KeyMaterial, KeyType, KeyVersion, P256Point, SecretMaterial,
};

use crate::Subject;
use crate::subject::{built, done, exportable, kid, refused, spec};
use crate::suite::{CaseResult, NotApplicable};
use crate::vectors;

pub(crate) async fn an_imported_key_is_as_its_spec_says(on: Subject) -> CaseResult {
    importable(&on)?;
    for alg in on.can.import.clone() {
        let wanted = built(spec(alg).uses([alg.uses()[0]]).label("a label").tag("env", "prod"));
        let key = done(on.import_key(&wanted, vectors::secret_material(alg)).await, "importing");
        assert_eq!(key.version(), KeyVersion::FIRST);
        assert_eq!(done(key.spec(), "the spec of the imported key"), wanted);
        let Some(pair) = vectors::pair(alg) else { continue };
        assert_eq!(key.public_key(), Some(&pair.public(alg)), "{alg}: the public half");
        assert_eq!(key.fingerprint(), &pair.thumbprint(), "{alg}: the thumbprint");
    }
    Ok(())
}

pub(crate) async fn importing_twice_makes_two_keys(on: Subject) -> CaseResult {
    let (alg, wanted) = importable(&on).map(|alg| (alg, built(spec(alg))))?;
    let one = done(on.import_key(&wanted, vectors::secret_material(alg)).await, "importing");
    let two = done(on.import_key(&wanted, vectors::secret_material(alg)).await, "importing again");
    assert_ne!(one.kid(), two.kid(), "a second import is another key");
    assert_eq!(one.fingerprint(), two.fingerprint(), "the same material has the same fingerprint");
    assert_eq!((one.version(), two.version()), (KeyVersion::FIRST, KeyVersion::FIRST));
    Ok(())
}

pub(crate) async fn an_import_to_a_taken_kid_is_a_conflict(on: Subject) -> CaseResult {
    on.needs(Feature::ChosenKid)?;
    let alg = importable(&on)?;
    let wanted = built(spec(alg).kid(kid("taken")));
    let first = done(on.import_key(&wanted, vectors::secret_material(alg)).await, "importing");
    assert_eq!(first.kid(), &kid("taken"));
    let again = on.import_key(&wanted, vectors::secret_material(alg)).await;
    refused(again, KeyErrorKind::Conflict, "importing to a taken kid");
    let versions = done(on.list_versions(&kid("taken")).await, "listing versions");
    assert_eq!(versions, [KeyVersion::FIRST], "a refused import changes nothing");
    Ok(())
}

pub(crate) async fn material_of_another_type_is_refused(on: Subject) -> CaseResult {
    importable(&on)?;
    let before = on.snapshot().await;
    for alg in on.can.import.clone() {
        for other in KeyAlg::ALL.iter().filter(|other| other.key_type() != alg.key_type()) {
            let imported = on.import_key(&built(spec(alg)), vectors::secret_material(*other)).await;
            let what = format!("importing the material of a {other} key as {alg}");
            refused(imported, KeyErrorKind::InvalidInput, &what);
        }
    }
    assert_eq!(on.snapshot().await, before, "refused imports change nothing");
    Ok(())
}

/// AES-256 has keys of 32 bytes; those of HMAC are at least as long as the hash (RFC 7518 section 3.2).
pub(crate) async fn symmetric_material_of_a_wrong_length_is_refused(on: Subject) -> CaseResult {
    let wrong: [(KeyAlg, &[usize]); 2] =
        [(KeyAlg::Aes256Gcm, &[0, 16, 24, 31, 33]), (KeyAlg::HmacSha256, &[0, 1, 31])];
    let wrong = wrong.into_iter().filter(|(alg, _)| on.can.import.contains(alg)).collect::<Vec<_>>();
    if wrong.is_empty() {
        return Err(NotApplicable("imports no symmetric keys".to_owned()));
    }
    let before = on.snapshot().await;
    for (alg, lens) in wrong {
        for len in lens {
            let material = KeyMaterial::Symmetric(vec![0x5a; *len].into());
            let imported = on.import_key(&built(spec(alg)), material).await;
            refused(imported, KeyErrorKind::InvalidInput, &format!("importing a {alg} key of {len} bytes"));
        }
    }
    assert_eq!(on.snapshot().await, before, "refused imports change nothing");
    Ok(())
}

pub(crate) async fn a_public_half_that_does_not_belong_is_refused(on: Subject) -> CaseResult {
    let pairs = on.can.import.iter().filter_map(|alg| Some((*alg, vectors::pair(*alg)?)));
    let pairs: Vec<_> = pairs.collect();
    if pairs.is_empty() {
        return Err(NotApplicable("imports no private keys".to_owned()));
    }
    let before = on.snapshot().await;
    for (alg, pair) in pairs {
        let mixed = pair.private(alg).with_public_key(pair.foreign_public());
        let imported = on.import_key(&built(spec(alg)), KeyMaterial::Private(mixed)).await;
        let what = format!("importing a {alg} key with another's public half");
        refused(imported, KeyErrorKind::InvalidInput, &what);
    }
    assert_eq!(on.snapshot().await, before, "refused imports change nothing");
    Ok(())
}

pub(crate) async fn a_point_off_the_curve_is_refused(on: Subject) -> CaseResult {
    let alg = KeyAlg::EcdsaP256Sha256;
    if !on.can.import_public.contains(&alg) {
        return Err(NotApplicable("imports no public P-256 keys".to_owned()));
    }
    for (what, x, y) in [("at infinity", [0; 32], [0; 32]), ("off the curve", [1; 32], [1; 32])] {
        let point = KeyMaterial::Public(P256Point { x, y }.into());
        let imported = on.import_key(&built(spec(alg)), point).await;
        refused(imported, KeyErrorKind::InvalidInput, &format!("importing a point {what}"));
    }
    Ok(())
}

pub(crate) async fn a_size_that_is_not_the_materials_is_refused(on: Subject) -> CaseResult {
    let rsa = on.can.import.iter().copied().find(|alg| alg.key_type() == KeyType::Rsa);
    let alg = rsa.ok_or_else(|| NotApplicable("imports no RSA keys".to_owned()))?;
    let wrong = built(spec(alg).size_bits(3072));
    let imported = on.import_key(&wrong, vectors::secret_material(alg)).await;
    refused(imported, KeyErrorKind::InvalidInput, "importing an RSA key of 2048 bits as one of 3072");
    for sized in [built(spec(alg)), swarmauri_keys::KeySpec::new(alg)] {
        let key = done(on.import_key(&sized, vectors::secret_material(alg)).await, "importing");
        assert_eq!(key.size_bits(), Some(vectors::RSA_BITS), "the size is that of the material");
    }
    Ok(())
}

pub(crate) async fn a_public_key_alone_stays_one(on: Subject) -> CaseResult {
    let (alg, public) = on.public_import()?;
    let imported = on.import_key(&built(exportable(alg)), KeyMaterial::Public(public.clone())).await;
    let key = done(imported, "importing a public key");
    assert_eq!((key.class(), key.public_key()), (KeyClass::Asymmetric, Some(&public)));
    let read = done(on.get_key(key.kid(), None, Secrets::Omit).await, "reading it");
    assert_eq!((read.parts(), read.secret().is_some()), (key.parts(), false));
    if on.can.has(Feature::ExportSecret) {
        let read = on.get_key(key.kid(), None, Secrets::Include).await;
        refused(read, KeyErrorKind::InvalidState, "reading the secret of a public key");
    }
    Ok(())
}

pub(crate) async fn an_imported_secret_comes_back_unchanged(on: Subject) -> CaseResult {
    on.needs(Feature::ExportSecret)?;
    importable(&on)?;
    for alg in on.can.import.clone() {
        let wanted = built(spec(alg).export_policy(ExportPolicy::SecretWhenAllowed));
        let key = done(on.import_key(&wanted, vectors::secret_material(alg)).await, "importing");
        let read = done(on.get_key(key.kid(), None, Secrets::Include).await, "reading the secret");
        assert_eq!(read.parts(), key.parts());
        let same = match (read.secret(), vectors::secret_material(alg)) {
            (Some(SecretMaterial::Symmetric(out)), KeyMaterial::Symmetric(into)) => *out == into,
            (Some(SecretMaterial::Private(out)), KeyMaterial::Private(into)) => {
                out.expose_secret() == into.expose_secret() && out.public_key() == into.public_key()
            }
            _ => false,
        };
        assert!(same, "the secret of an imported {alg} key came back changed");
    }
    Ok(())
}

/// An algorithm that secret keys can be imported for.
fn importable(on: &Subject) -> Result<KeyAlg, NotApplicable> {
    on.can.import.first().copied().ok_or_else(|| NotApplicable("imports no secret keys".to_owned()))
}
