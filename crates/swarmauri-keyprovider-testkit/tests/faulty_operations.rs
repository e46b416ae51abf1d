//! Faults and lies about the use of keys, and about taking them out of use.

#![allow(clippy::unwrap_used, reason = "these are tests, also outside of test functions")]

use std::sync::Arc;
use std::time::Duration;

use swarmauri_keyprovider::{KeyOperationsExt as _, KeyProvider, KeyProviderExt as _, Secrets};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_testkit::{CallEnd, Fault, Faults, FaultyProvider, Lie, Method};
use swarmauri_keys::{
    Acceptance, KeyAlg, KeyError, KeyErrorKind, KeyId, KeyOperation, KeyState, KeyVersion, SecretBytes,
    VerifyWith,
};
use tokio::time::timeout;

const ACCEPT: Acceptance = Acceptance::EnabledOnly;
const LATEST: Option<KeyVersion> = None;

async fn provider(alg: KeyAlg) -> (Arc<FaultyProvider>, Faults, KeyId) {
    around(LocalKeyProvider::new(), alg).await
}

async fn around(local: LocalKeyProvider, alg: KeyAlg) -> (Arc<FaultyProvider>, Faults, KeyId) {
    let provider = FaultyProvider::new(Arc::new(local));
    let (faults, key) = (provider.faults(), provider.create(alg).await.unwrap());
    (Arc::new(provider), faults, key.kid().clone())
}

fn kind<T>(result: Result<T, KeyError>) -> Option<KeyErrorKind> {
    result.err().map(|error| error.kind())
}

/// An encryption is the one operation whose effect can be seen: it counts.
#[tokio::test(start_paused = true)]
async fn an_encryption_that_fails_before_does_not_count_and_one_that_fails_after_does() {
    let lost = || KeyError::timeout("no answer");
    for (fault, counts) in [
        (Fault::FailBefore(lost()), false),
        (Fault::FailAfter(lost()), true),
        (Fault::HangBefore, false),
        (Fault::HangAfter, true),
    ] {
        let local = LocalKeyProvider::with_max_encryptions(1).unwrap();
        let (on, faults, key) = around(local, KeyAlg::Aes256Gcm).await;
        faults.fail_next(Method::Encrypt, fault.clone());
        let work = on.work().unwrap();
        let failed = timeout(Duration::from_mins(1), work.encrypt(&key, LATEST, b"m", b"")).await;
        assert!(!matches!(failed, Ok(Ok(_))), "{fault:?} gives no answer");
        assert_eq!(faults.journal().calls_of(Method::Encrypt)[0].reached, counts, "{fault:?}");
        let next = kind(work.encrypt(&key, LATEST, b"m", b"").await);
        assert_eq!(next, counts.then_some(KeyErrorKind::InvalidState), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn disabling_that_fails_before_has_no_effect_and_after_has() {
    let lost = || KeyError::timeout("no answer");
    for (fault, state) in
        [(Fault::FailBefore(lost()), KeyState::Enabled), (Fault::FailAfter(lost()), KeyState::Disabled)]
    {
        let (on, faults, key) = provider(KeyAlg::Ed25519).await;
        faults.fail_next(Method::DisableKey, fault);
        let failed = on.disable_key(&key, KeyVersion::FIRST).await;
        assert_eq!(kind(failed), Some(KeyErrorKind::Timeout));
        assert_eq!(on.get_key(&key, None, Secrets::Omit).await.unwrap().state(), state);
    }
}

#[tokio::test]
async fn a_held_signature_was_made_and_the_journal_knows_the_call() {
    let (on, faults, key) = provider(KeyAlg::Ed25519).await;
    let hold = faults.hold_after(Method::Sign);
    let (signing, id) = (on.clone(), key.clone());
    let task = tokio::spawn(async move { signing.work().unwrap().sign(&id, LATEST, b"m").await });
    let stopped = hold.arrived().await;
    assert_eq!((stopped.method, stopped.kid.as_ref()), (Method::Sign, Some(&key)));
    hold.release();
    let signature = task.await.unwrap().unwrap();
    let with = VerifyWith::Version(signature.version);
    let (work, accept) = (on.work().unwrap(), Acceptance::AllowDisabled);
    work.verify(&key, with, b"m", &signature.bytes, accept).await.unwrap();
    let [verified] = &faults.journal().calls_of(Method::Verify)[..] else { unreachable!("one call") };
    assert_eq!((verified.version, verified.acceptance), (Some(KeyVersion::FIRST), Some(accept)));
    assert_eq!((verified.end, verified.reached), (CallEnd::Answered, true));
}

#[tokio::test]
async fn what_is_taken_from_the_operations_is_refused() {
    for operation in KeyOperation::ALL.iter().copied() {
        let (on, faults, _) = provider(KeyAlg::Ed25519).await;
        faults.restrict_capabilities(|can| drop(can.operations.remove(&operation)));
        assert!(on.supports().require_operation(operation).is_err());
        for alg in KeyAlg::ALL.iter().copied().filter(|alg| !alg.as_str().starts_with("RSA")) {
            let refused = kind(operate(&on, operation, alg).await);
            assert_eq!(refused, Some(KeyErrorKind::Unsupported), "{operation} {alg}");
        }
    }
    let (on, faults, key) = provider(KeyAlg::Ed25519).await;
    faults.restrict_capabilities(|can| {
        can.operations.entry(KeyOperation::Sign).or_default().remove(&KeyAlg::Ed25519);
    });
    let refused = kind(on.work().unwrap().sign(&key, LATEST, b"m").await);
    assert_eq!(refused, Some(KeyErrorKind::UnsupportedAlgorithm));
    assert_eq!(kind(operate(&on, KeyOperation::Sign, KeyAlg::EcdsaP256Sha256).await), None);
    assert_eq!(kind(operate(&on, KeyOperation::Mac, KeyAlg::HmacSha256).await), None);
    faults.restrict_capabilities(|can| can.operations.clear());
    assert!(on.operations().is_none());
}

/// Does this with a new key. What is read is made behind the faults, if keys of the algorithm make it.
async fn operate(on: &FaultyProvider, operation: KeyOperation, alg: KeyAlg) -> Result<(), KeyError> {
    let inner = on.inner();
    let (key, honest) = (inner.create(alg).await?, inner.work()?);
    let (work, id, secret) = (on.work()?, key.kid(), SecretBytes::from(vec![7; 32]));
    let signed = honest.sign(id, LATEST, b"m").await.map_or(vec![0; 64], |made| made.bytes);
    let mac = honest.mac(id, LATEST, b"m").await.map_or(vec![0; 32], |made| made.bytes);
    let box_key = inner.create(KeyAlg::Aes256Gcm).await?;
    let sealed = honest.wrap_key(box_key.kid(), LATEST, &secret).await?;
    let peer = inner.create(KeyAlg::X25519).await?.public_key().cloned().unwrap();
    match operation {
        KeyOperation::Sign => drop(work.sign(id, LATEST, b"m").await?),
        KeyOperation::Verify => drop(work.verify(id, VerifyWith::AnyLive, b"m", &signed, ACCEPT).await?),
        KeyOperation::Mac => drop(work.mac(id, LATEST, b"m").await?),
        KeyOperation::VerifyMac => drop(work.verify_mac(id, VerifyWith::AnyLive, b"m", &mac, ACCEPT).await?),
        KeyOperation::Encrypt => drop(work.encrypt(id, LATEST, b"m", b"").await?),
        KeyOperation::Decrypt => drop(work.decrypt(&sealed, b"", ACCEPT).await?),
        KeyOperation::Agree => drop(work.agree(id, LATEST, &peer, ACCEPT).await?),
        KeyOperation::WrapKey => drop(work.wrap_key(id, LATEST, &secret).await?),
        KeyOperation::UnwrapKey => drop(work.unwrap_key(&sealed, ACCEPT).await?),
    }
    Ok(())
}

#[tokio::test]
async fn with_the_wrong_key_nothing_fits() {
    for lie in [Lie::WrongKey, Lie::ForgedFingerprint] {
        for alg in [KeyAlg::Ed25519, KeyAlg::EcdsaP256Sha256, KeyAlg::HmacSha256] {
            let (on, faults, key) = provider(alg).await;
            let (inner, work) = (on.inner(), on.work().unwrap());
            let sign = async || match alg {
                KeyAlg::HmacSha256 => work.mac(&key, LATEST, b"m").await.unwrap(),
                _ => work.sign(&key, LATEST, b"m").await.unwrap(),
            };
            let right = sign().await;
            faults.set_all(Some(Fault::Lie(lie.clone())));
            let wrong = sign().await;
            assert_eq!(wrong.id(), right.id());
            let seen = kind(inner.work().unwrap().verify_signature(b"m", &wrong).await);
            assert_eq!(seen, Some(KeyErrorKind::NotAuthentic), "{alg}");
            let denied = kind(work.verify_signature(b"m", &right).await);
            assert_eq!(denied, Some(KeyErrorKind::NotAuthentic), "{alg}");
        }
    }
}

#[tokio::test]
async fn with_the_wrong_key_secrets_are_other_bytes() {
    let secret = SecretBytes::from((1..=32).collect::<Vec<u8>>());
    for alg in [KeyAlg::Aes256Gcm, KeyAlg::RsaOaepSha256] {
        let (on, faults, key) = provider(alg).await;
        let (inner, work) = (on.inner(), on.work().unwrap());
        let sealed = work.encrypt(&key, LATEST, secret.expose_secret(), b"").await.unwrap();
        let empty = work.encrypt(&key, LATEST, b"", b"").await.unwrap();
        let wrapped = work.wrap_key(&key, LATEST, &secret).await.unwrap();
        faults.set_all(Some(Fault::Lie(Lie::WrongKey)));
        assert_ne!(work.decrypt(&sealed, b"", ACCEPT).await.unwrap(), secret);
        assert!(!work.decrypt(&empty, b"", ACCEPT).await.unwrap().is_empty());
        assert_ne!(work.unwrap_key(&wrapped, ACCEPT).await.unwrap(), secret);
        let sealed = work.encrypt(&key, LATEST, b"m", b"").await.unwrap();
        let wrapped = work.wrap_key(&key, LATEST, &secret).await.unwrap();
        let honest = inner.work().unwrap();
        assert_eq!(kind(honest.decrypt(&sealed, b"", ACCEPT).await), Some(KeyErrorKind::NotAuthentic));
        assert_eq!(kind(honest.unwrap_key(&wrapped, ACCEPT).await), Some(KeyErrorKind::NotAuthentic));
        assert_eq!(faults.journal().secret_bytes_handed(), [secret.clone(), secret.clone()]);
    }
    let (on, faults, key) = provider(KeyAlg::X25519).await;
    let (work, peer) = (on.work().unwrap(), on.create(KeyAlg::X25519).await.unwrap());
    let peer = peer.public_key().unwrap();
    let agreed = work.agree(&key, LATEST, peer, ACCEPT).await.unwrap();
    faults.set_all(Some(Fault::Lie(Lie::WrongKey)));
    assert_ne!(work.agree(&key, LATEST, peer, ACCEPT).await.unwrap(), agreed);
}

#[tokio::test]
async fn the_wrong_version_is_the_one_after() {
    let two = KeyVersion::new(2).unwrap();
    let (on, faults, key) = provider(KeyAlg::Ed25519).await;
    let box_key = on.create(KeyAlg::Aes256Gcm).await.unwrap();
    let work = on.work().unwrap();
    faults.set_all(Some(Fault::Lie(Lie::WrongVersion)));
    let signature = work.sign(&key, LATEST, b"m").await.unwrap();
    let verified = work.verify(&key, VerifyWith::AnyLive, b"m", &signature.bytes, ACCEPT).await.unwrap();
    let sealed = work.encrypt(box_key.kid(), LATEST, b"m", b"").await.unwrap();
    assert_eq!([signature.version, verified, sealed.version], [two, two, two]);
}

#[tokio::test]
async fn lies_about_states_and_absence() {
    let (on, faults, key) = provider(KeyAlg::Ed25519).await;
    faults.set_all(Some(Fault::Lie(Lie::DisableNothing)));
    on.disable_key(&key, KeyVersion::FIRST).await.unwrap();
    let state = async || on.inner().get_key(&key, None, Secrets::Omit).await.unwrap().state();
    assert_eq!(state().await, KeyState::Enabled);
    on.inner().disable_key(&key, KeyVersion::FIRST).await.unwrap();
    on.enable_key(&key, KeyVersion::FIRST).await.unwrap();
    assert_eq!(state().await, KeyState::Disabled);
    faults.set_all(Some(Fault::Lie(Lie::NotFound)));
    assert_eq!(kind(on.enable_key(&key, KeyVersion::FIRST).await), Some(KeyErrorKind::NotFound));
    assert_eq!(state().await, KeyState::Disabled, "nothing happened");
    let signed = on.work().unwrap().sign(&key, LATEST, b"m").await;
    assert_eq!(kind(signed), Some(KeyErrorKind::NotFound));
}
