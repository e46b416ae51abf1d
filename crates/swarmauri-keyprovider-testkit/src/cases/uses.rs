//! What a key may be used for, and what plays no part in it.

use swarmauri_keyprovider::Feature;
use swarmauri_keys::{
    Acceptance, ExportPolicy, KeyAlg, KeyErrorKind, KeyMaterial, KeyOperation, KeyRef, KeyVersion,
};

use crate::Subject;
use crate::subject::{built, done, kid, refused, spec, version};
use crate::suite::{CaseResult, NotApplicable};
use crate::vectors;
use crate::work::{Input, MESSAGE, Sealing};

const ACCEPT: Acceptance = Acceptance::EnabledOnly;

pub(crate) async fn a_key_without_the_use_is_denied(on: Subject) -> CaseResult {
    let mut checked = 0;
    for (operation, alg) in on.all_work()? {
        let needed = operation.key_use();
        let others: Vec<_> = alg.uses().iter().copied().filter(|one| *one != needed).collect();
        let key = on.key(spec(alg).uses(others)).await;
        denied(&on, operation, &key).await;
        checked += 1;
    }
    assert!(checked > 0, "every operation requires a use");
    Ok(())
}

/// Keys of algorithms that have no such use at all.
pub(crate) async fn a_key_that_cannot_have_the_use_is_denied(on: Subject) -> CaseResult {
    let keys = one_of_each(&on).await?;
    for operation in claimed(&on) {
        for key in keys.iter().filter(|key| !key.alg().uses().contains(&operation.key_use())) {
            denied(&on, operation, key).await;
        }
    }
    Ok(())
}

pub(crate) async fn a_key_that_does_something_else_is_refused(on: Subject) -> CaseResult {
    let keys = one_of_each(&on).await?;
    let misfit = |operation: KeyOperation, alg: KeyAlg| {
        alg.uses().contains(&operation.key_use()) && !operation.algs().contains(&alg)
    };
    let mut checked = 0;
    for operation in claimed(&on) {
        for key in keys.iter().filter(|key| misfit(operation, key.alg())) {
            let input = Input::made_up(key.id(), key.alg());
            for version in [None, Some(key.version())] {
                let done = on.attempt(operation, key.kid(), version, &input, ACCEPT).await;
                refused(
                    done,
                    KeyErrorKind::InvalidInput,
                    &format!("{operation} with a key of {}", key.alg()),
                );
                checked += 1;
            }
        }
    }
    if checked == 0 { Err(NotApplicable("no key is for what it cannot do".to_owned())) } else { Ok(()) }
}

pub(crate) async fn a_public_key_alone_does_public_work(on: Subject) -> CaseResult {
    let public = public_keys(&on).await?;
    let mut checked = 0;
    for key in public.iter().filter(|key| on.can.import.contains(&key.alg())) {
        let alg = key.alg();
        let pair = on.imported(built(spec(alg)), vectors::secret_material(alg)).await;
        if on.can.does(KeyOperation::Sign, alg) && on.can.does(KeyOperation::Verify, alg) {
            let input = Input { proof: on.input(&pair).await.proof, ..Input::made_up(key.id(), alg) };
            for version in [None, Some(key.version())] {
                let verified = on.attempt(KeyOperation::Verify, key.kid(), version, &input, ACCEPT).await;
                done(verified, &format!("verifying with a public key of {alg} alone"));
                checked += 1;
            }
        }
        for sealing in Sealing::BOTH {
            let both = sealing.operations();
            if !both.iter().all(|operation| on.can.does(*operation, alg)) {
                continue;
            }
            let sealed = on.seal(sealing, key.kid(), None, MESSAGE, &[]).await;
            let mut sealed = done(sealed, &format!("{} with a public key alone", both[0]));
            assert_eq!(sealed.id(), *key.id());
            (sealed.kid, sealed.version) = (pair.kid().clone(), pair.version());
            let opened = done(on.open(sealing, &sealed, &[]).await, "decrypting with the private key");
            assert!(opened.expose_secret() == MESSAGE, "other bytes than were encrypted");
            checked += 1;
        }
    }
    if checked == 0 { Err(NotApplicable("no public work".to_owned())) } else { Ok(()) }
}

pub(crate) async fn a_public_key_alone_does_no_secret_work(on: Subject) -> CaseResult {
    let mut checked = 0;
    for key in public_keys(&on).await? {
        let (alg, input) = (key.alg(), Input::made_up(key.id(), key.alg()));
        let secret = |operation: &KeyOperation| on.can.does(*operation, alg) && !operation.is_public(alg);
        for operation in claimed(&on).into_iter().filter(secret) {
            for version in [None, Some(key.version())] {
                let done = on.attempt(operation, key.kid(), version, &input, ACCEPT).await;
                refused(done, KeyErrorKind::InvalidState, &format!("{operation} with a public key alone"));
                checked += 1;
            }
        }
    }
    if checked == 0 { Err(NotApplicable("no secret work".to_owned())) } else { Ok(()) }
}

pub(crate) async fn the_export_policy_plays_no_part_in_work(on: Subject) -> CaseResult {
    let all = on.all_work()?;
    for policy in ExportPolicy::ALL.iter().copied() {
        for alg in KeyAlg::ALL.iter().copied().filter(|alg| all.iter().any(|work| work.1 == *alg)) {
            let key = on.key(spec(alg).export_policy(policy)).await;
            let input = on.input(&key).await;
            for operation in all.iter().filter(|work| work.1 == alg).map(|work| work.0) {
                if !readable(&on, operation, alg) {
                    continue;
                }
                for version in [None, Some(key.version())] {
                    let worked = on.attempt(operation, key.kid(), version, &input, ACCEPT).await;
                    done(worked, &format!("{operation} with a key of {alg} under policy {policy}"));
                }
            }
        }
    }
    Ok(())
}

pub(crate) async fn work_with_what_is_absent_is_not_found(on: Subject) -> CaseResult {
    for (operation, alg) in on.all_work()? {
        let key = on.key(spec(alg)).await;
        let made = on.input(&key).await;
        let mut absent = vec![
            (kid("absent"), None),
            (kid("absent"), Some(KeyVersion::FIRST)),
            (key.kid().clone(), Some(version(2))),
        ];
        if on.can.has(Feature::Destroy) && alg.key_type() != swarmauri_keys::KeyType::Rsa {
            let gone = on.key(spec(alg)).await;
            done(on.destroy_key(gone.kid(), None).await, "destroying a key");
            absent.extend([(gone.kid().clone(), None), (gone.kid().clone(), Some(gone.version()))]);
        }
        for (id, version) in absent {
            let mut input = made.clone();
            for sealed in [&mut input.sealed, &mut input.wrapped] {
                (sealed.kid, sealed.version) = (id.clone(), version.unwrap_or(KeyVersion::FIRST));
            }
            let done = on.attempt(operation, &id, version, &input, ACCEPT).await;
            refused(done, KeyErrorKind::NotFound, &format!("{operation} with what is absent"));
        }
    }
    Ok(())
}

/// Whether what it reads was made by the key itself, or can be made up.
pub(crate) fn readable(on: &Subject, operation: KeyOperation, alg: KeyAlg) -> bool {
    match operation {
        KeyOperation::Verify => on.can.does(KeyOperation::Sign, alg),
        KeyOperation::VerifyMac => on.can.does(KeyOperation::Mac, alg),
        KeyOperation::Decrypt => on.can.does(KeyOperation::Encrypt, alg),
        KeyOperation::UnwrapKey => on.can.does(KeyOperation::WrapKey, alg),
        KeyOperation::Sign
        | KeyOperation::Mac
        | KeyOperation::Encrypt
        | KeyOperation::WrapKey
        | KeyOperation::Agree => true,
    }
}

fn claimed(on: &Subject) -> Vec<KeyOperation> {
    on.can.operations.keys().copied().collect()
}

async fn denied(on: &Subject, operation: KeyOperation, key: &KeyRef) {
    let input = Input::made_up(key.id(), key.alg());
    for version in [None, Some(key.version())] {
        let done = on.attempt(operation, key.kid(), version, &input, ACCEPT).await;
        let what = format!("{operation} with a key of {} that is for {:?}", key.alg(), key.uses());
        let error = refused(done, KeyErrorKind::PermissionDenied, &what);
        let needed = operation.key_use().as_str();
        assert!(error.to_string().contains(needed), "the error names the use, {needed}: {error}");
    }
}

/// A key of each algorithm that is quick to have, if there is any work at all.
async fn one_of_each(on: &Subject) -> Result<Vec<KeyRef>, NotApplicable> {
    on.all_work()?;
    let mut keys = Vec::new();
    for alg in on.quick() {
        keys.push(on.key(spec(alg)).await);
    }
    Ok(keys)
}

/// A public key alone of each algorithm that there is work for.
async fn public_keys(on: &Subject) -> Result<Vec<KeyRef>, NotApplicable> {
    let has_work = |alg: &KeyAlg| on.can.operations.values().any(|algs| algs.contains(alg));
    let mut keys = Vec::new();
    for alg in on.can.import_public.iter().copied().filter(has_work) {
        let Some(pair) = vectors::pair(alg) else { continue };
        keys.push(on.imported(built(spec(alg)), KeyMaterial::Public(pair.public(alg))).await);
    }
    if keys.is_empty() { Err(NotApplicable("no work for public keys alone".to_owned())) } else { Ok(keys) }
}
