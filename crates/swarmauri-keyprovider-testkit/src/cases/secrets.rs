//! Secrets do not leak.

use std::fmt::Debug;

use sha2::{Digest as _, Sha256};
use swarmauri_keyprovider::{Feature, JwksQuery, KeyProviderExt as _, Secrets};
use swarmauri_keys::{
    Acceptance, ExportPolicy, KeyAlg, KeyMaterial, KeyOperation, KeyRef, KeySummary, SecretBytes,
    SecretMaterial, SpecOverrides,
};

use crate::Subject;
use crate::leaks::{assert_no_secrets, secret_parts};
use crate::subject::{built, done, exportable, kid, spec, version};
use crate::suite::{CaseResult, NotApplicable};
use crate::trace::capture_tracing_of;
use crate::vectors;
use crate::work::{Input, MESSAGE, Sealing};

pub(crate) async fn writes_answer_without_secrets(on: Subject) -> CaseResult {
    on.any()?;
    for alg in on.quick() {
        let key = on.create(exportable(alg)).await;
        assert!(key.secret().is_none(), "create answers with the secret");
        if on.can.has(Feature::Rotate) {
            assert!(on.rotate(key.kid()).await.secret().is_none(), "rotate answers with the secret");
        }
    }
    if let Some(alg) = on.can.import.first() {
        let imported = on.import_key(&built(exportable(*alg)), vectors::secret_material(*alg)).await;
        assert!(done(imported, "importing").secret().is_none(), "import answers with the secret");
    }
    Ok(())
}

pub(crate) async fn references_print_no_secret(on: Subject) -> CaseResult {
    on.needs(Feature::ExportSecret)?;
    on.any()?;
    for alg in on.quick().into_iter().chain(on.can.import.clone()) {
        let (key, secrets) = exported(&on, alg).await;
        let secret = key.secret().cloned().unwrap_or_else(|| panic!("no {alg} secret came"));
        let spec = done(key.spec(), "the spec of the key");
        let summary = KeySummary::from(&key);
        let mut shown = printed(&[&key, &secret, &spec, &summary, &KeyMaterial::from(secret.clone())]);
        shown += &serde_json::to_string(&key).expect("a reference is serialisable");
        shown += &serde_json::to_string(&spec).expect("a spec is serialisable");
        shown += &serde_json::to_string(&summary).expect("a summary is serialisable");
        assert_no_secrets(&shown, &secrets);
    }
    Ok(())
}

/// Whatever is done with a key, right or wrong, neither errors nor traces hold its secret.
pub(crate) async fn errors_and_traces_hold_no_secret(on: Subject) -> CaseResult {
    for alg in on.can.import.clone() {
        let secrets = secret_parts(alg, &secret_vector(alg));
        let (errors, traced) = capture_tracing_of(import_and_err(&on, alg)).await;
        assert_no_secrets(&errors, &secrets);
        assert_no_secrets(&traced, &secrets);
    }
    for (alg, _) in imported_work(&on) {
        let mut secrets = secret_parts(alg, &secret_vector(alg));
        secrets.push(SecretBytes::from(MESSAGE));
        let (errors, traced) = capture_tracing_of(work_and_err(&on, alg)).await;
        assert_no_secrets(&errors, &secrets);
        assert_no_secrets(&traced, &secrets);
    }
    if on.any().is_ok() && on.can.has(Feature::ExportSecret) {
        for alg in on.quick() {
            let ((_, secrets), traced) = capture_tracing_of(exported(&on, alg)).await;
            assert_no_secrets(&traced, &secrets);
        }
    }
    if on.can.has(Feature::Hkdf) {
        let ikm = SecretBytes::from(&vectors::SYMMETRIC[..]);
        let (derived, traced) = capture_tracing_of(on.hkdf(&ikm, b"salt", b"info", 32)).await;
        assert_no_secrets(&traced, &[ikm.clone(), done(derived, "deriving")]);
        let (error, traced) = capture_tracing_of(on.hkdf(&ikm, b"salt", b"info", 0)).await;
        assert_no_secrets(&format!("{error:?}{traced}"), &[ikm]);
    }
    Ok(())
}

/// Neither the key nor what was encrypted, wrapped or agreed on.
pub(crate) async fn results_print_no_secret(on: Subject) -> CaseResult {
    let all = imported_work(&on);
    if all.is_empty() {
        return Err(NotApplicable("no work for keys that were imported".to_owned()));
    }
    for (alg, work) in all {
        let key = on.imported(built(spec(alg)), vectors::secret_material(alg)).await;
        let mut secrets = secret_parts(alg, &secret_vector(alg));
        secrets.push(SecretBytes::from(MESSAGE));
        let input = on.input(&key).await;
        let mut shown = printed(&[&input.sealed, &input.wrapped, &input.proof]);
        shown += &serde_json::to_string(&[&input.sealed, &input.wrapped]).expect("it is serialisable");
        if work.contains(&KeyOperation::Sign) || work.contains(&KeyOperation::Mac) {
            let signature = done(on.sign(&key, None, MESSAGE).await, "signing");
            shown += &printed(&[&signature]);
            shown += &serde_json::to_string(&signature).expect("a signature is serialisable");
        }
        for sealing in
            Sealing::BOTH.into_iter().filter(|one| one.operations().iter().all(|one| work.contains(one)))
        {
            let sealed = done(on.seal(sealing, key.kid(), None, MESSAGE, &[]).await, "encrypting");
            shown += &printed(&[&on.open(sealing, &sealed, &[]).await]);
        }
        if work.contains(&KeyOperation::Agree) {
            let agreed = on.work().agree(key.kid(), None, &input.peer, Acceptance::EnabledOnly).await;
            shown += &printed(&[&agreed]);
            secrets.push(done(agreed, "agreeing on a secret"));
        }
        assert_no_secrets(&shown, &secrets);
    }
    Ok(())
}

pub(crate) async fn the_provider_prints_no_secret(on: Subject) -> CaseResult {
    let mut secrets = Vec::new();
    if on.any().is_ok() && on.can.has(Feature::ExportSecret) {
        for alg in on.quick() {
            secrets.extend(exported(&on, alg).await.1);
        }
    }
    for alg in on.can.import.clone() {
        done(on.import_key(&built(spec(alg)), vectors::secret_material(alg)).await, "importing");
        secrets.extend(secret_parts(alg, &secret_vector(alg)));
    }
    let mut shown = printed(&[&on, &on.supports()]) + on.name();
    if on.can.has(Feature::ListKeys) {
        let listed = done(on.list_all_keys().await, "listing");
        shown += &printed(&[&listed]);
        shown += &serde_json::to_string(&listed).expect("summaries are serialisable");
    }
    if on.can.has(Feature::Jwks) {
        let jwks = done(on.jwks(&JwksQuery::ALL_LIVE).await, "the JWKS");
        shown += &printed(&[&jwks]);
        shown += &serde_json::to_string(&*jwks).expect("a JWKS is serialisable");
    }
    assert_no_secrets(&shown, &secrets);
    Ok(())
}

/// Whoever knows the fingerprint must not be able to try keys against a plain hash.
pub(crate) async fn a_symmetric_fingerprint_is_no_plain_hash(on: Subject) -> CaseResult {
    on.needs(Feature::ExportSecret)?;
    let (key, secrets) = exported(&on, on.symmetric()?).await;
    let hash = SecretBytes::from(&Sha256::digest(secrets[0].expose_secret())[..]);
    let shown = format!("{} {}", key.fingerprint(), key.kid());
    assert_no_secrets(&shown, &[hash, secrets[0].clone()]);
    Ok(())
}

/// A key, read with its secret, and the pieces of the secret.
async fn exported(on: &Subject, alg: KeyAlg) -> (KeyRef, Vec<SecretBytes>) {
    let made = if on.can.import.contains(&alg) {
        let imported = on.import_key(&built(exportable(alg)), vectors::secret_material(alg)).await;
        done(imported, "importing")
    } else {
        on.create(exportable(alg)).await
    };
    let key = done(on.get_key(made.kid(), None, Secrets::Include).await, "reading the secret");
    let secret = key.secret().unwrap_or_else(|| panic!("no {alg} secret came"));
    let secrets = secret_parts(alg, secret);
    (key, secrets)
}

/// Imports a key, does things with it that are wrong, and tells the errors.
async fn import_and_err(on: &Subject, alg: KeyAlg) -> String {
    let material = || vectors::secret_material(alg);
    let kept = built(spec(alg).export_policy(ExportPolicy::None));
    let key = done(on.import_key(&kept, material()).await, "importing");
    let other = *KeyAlg::ALL.iter().find(|other| other.key_type() != alg.key_type()).expect("types differ");
    let misfit = SpecOverrides { size_bits: Some(1), ..SpecOverrides::NONE };
    let mut errors = vec![
        on.import_key(&built(spec(other)), material()).await.err(),
        on.get_key(key.kid(), None, Secrets::Include).await.err(),
        on.get_key(key.kid(), Some(version(9)), Secrets::Include).await.err(),
        on.get_public_jwk(key.kid(), None).await.err(),
        on.rotate_key(key.kid(), &misfit).await.err(),
        on.destroy_key(&kid("absent"), None).await.err(),
    ];
    if let (KeyMaterial::Private(private), Some(pair)) = (material(), vectors::pair(alg)) {
        let mixed = KeyMaterial::Private(private.with_public_key(pair.foreign_public()));
        errors.push(on.import_key(&built(spec(alg)), mixed).await.err());
    }
    let shown = errors.iter().flatten().map(|error| format!("{error} {error:?} {error:#?}\n"));
    shown.collect()
}

/// Uses an imported key, rightly and wrongly, and tells the errors.
async fn work_and_err(on: &Subject, alg: KeyAlg) -> String {
    let key = on.imported(built(spec(alg)), vectors::secret_material(alg)).await;
    let made_up = Input::made_up(key.id(), alg);
    let right = on.input(&key).await;
    let mut errors = Vec::new();
    for operation in on.can.operations.keys() {
        for (version, input) in [(None, &right), (None, &made_up), (Some(version(9)), &made_up)] {
            let worked = on.attempt(*operation, key.kid(), version, input, Acceptance::EnabledOnly).await;
            errors.extend(worked.err());
        }
    }
    let shown = errors.iter().map(|error| format!("{error} {error:?} {error:#?}\n"));
    shown.collect()
}

/// The algorithms that keys can be imported for, with what is done with these.
fn imported_work(on: &Subject) -> Vec<(KeyAlg, Vec<KeyOperation>)> {
    let work = |alg: KeyAlg| {
        KeyOperation::ALL.iter().copied().filter(|operation| on.can.does(*operation, alg)).collect::<Vec<_>>()
    };
    let each = on.can.import.iter().map(|alg| (*alg, work(*alg)));
    each.filter(|(_, work)| !work.is_empty()).collect()
}

fn secret_vector(alg: KeyAlg) -> SecretMaterial {
    match vectors::secret_material(alg) {
        KeyMaterial::Symmetric(bytes) => SecretMaterial::Symmetric(bytes),
        KeyMaterial::Private(key) => SecretMaterial::Private(key),
        KeyMaterial::Public(_) => panic!("the vector for {alg} is secret material"),
    }
}

fn printed(all: &[&dyn Debug]) -> String {
    let shown: Vec<_> = all.iter().map(|one| format!("{one:?}\n{one:#?}\n")).collect();
    shown.concat()
}
