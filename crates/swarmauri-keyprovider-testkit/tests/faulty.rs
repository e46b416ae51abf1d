//! Every fault does what it says, and nothing else.

#![allow(clippy::unwrap_used, clippy::panic, reason = "these are tests, also outside of test functions")]

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use swarmauri_keyprovider::{Feature, JwksQuery, KeyProvider, KeyProviderExt as _, KeyReference, Secrets};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_testkit::{
    Answer, CallEnd, Fault, Faults, FaultyProvider, Lie, Method, secret_parts,
};
use swarmauri_keys::{
    Acceptance, ExportPolicy, KeyAlg, KeyError, KeyErrorKind, KeyId, KeyMaterial, KeyRef, KeySpec,
    KeyVersion, PageRequest, SecretBytes, SpecOverrides, VerifyWith,
};
use tokio::time::{Instant, timeout};

fn provider() -> (Arc<FaultyProvider>, Faults) {
    let provider = FaultyProvider::new(Arc::new(LocalKeyProvider::new()));
    let faults = provider.faults();
    (Arc::new(provider), faults)
}

fn kid(name: &str) -> KeyId {
    KeyId::new(name).unwrap()
}

fn exportable(alg: KeyAlg) -> KeySpec {
    KeySpec::builder(alg).export_policy(ExportPolicy::SecretWhenAllowed).build().unwrap()
}

/// No version is imported twice.
static LOST: AtomicU32 = AtomicU32::new(1);

/// Calls one method, and tells the kind of its error.
async fn call(on: &FaultyProvider, method: Method, key: &KeyId) -> Option<KeyErrorKind> {
    if Method::OPERATIONS.contains(&method) {
        return operate(on, method).await;
    }
    let spec = KeySpec::new(KeyAlg::Aes256Gcm);
    let material = KeyMaterial::Symmetric(vec![9; 32].into());
    let ikm = SecretBytes::from(vec![7; 32]);
    let reference = KeyReference::new(key.clone(), None);
    let lost = kid("lost").at(KeyVersion::new(LOST.fetch_add(1, Ordering::Relaxed)).unwrap());
    let error = match method {
        Method::CreateKey => on.create_key(&spec).await.err(),
        Method::ImportKey => on.import_key(&spec, material).await.err(),
        Method::ImportVersion => on.import_version(&lost, &spec, material).await.err(),
        Method::RotateKey => on.rotate_key(key, &SpecOverrides::NONE).await.err(),
        Method::DestroyKey => on.destroy_key(key, None).await.err(),
        Method::DisableKey => on.disable_key(key, KeyVersion::FIRST).await.err(),
        Method::EnableKey => on.enable_key(key, KeyVersion::FIRST).await.err(),
        Method::GetKey => on.get_key(key, None, Secrets::Omit).await.err(),
        Method::GetKeyByRef => on.get_key_by_ref(&reference, Secrets::Omit).await.err(),
        Method::ListVersions => on.list_versions(key).await.err(),
        Method::ListKeys => on.list_keys(&PageRequest::default()).await.err(),
        Method::GetPublicJwk => on.get_public_jwk(key, None).await.err(),
        Method::Jwks => on.jwks(&JwksQuery::LATEST).await.err(),
        Method::RandomBytes => on.random_bytes(8).await.err(),
        Method::Hkdf => on.hkdf(&ikm, b"", b"", 8).await.err(),
        other => panic!("the test does not know {other:?}"),
    };
    error.map(|error| error.kind())
}

/// Uses a new key, made behind the faults like what is to be read with it, and tells the kind of the error.
async fn operate(on: &FaultyProvider, method: Method) -> Option<KeyErrorKind> {
    const ACCEPT: Acceptance = Acceptance::EnabledOnly;
    let alg = match method {
        Method::Sign | Method::Verify => KeyAlg::Ed25519,
        Method::Mac | Method::VerifyMac => KeyAlg::HmacSha256,
        Method::Agree => KeyAlg::X25519,
        _ => KeyAlg::Aes256Gcm,
    };
    let (inner, work) = (on.inner(), on.work().unwrap());
    let (honest, key) = (inner.work().unwrap(), inner.create(alg).await.unwrap());
    let (id, with, secret) = (key.kid(), VerifyWith::AnyLive, SecretBytes::from(vec![7; 32]));
    let error = match method {
        Method::Sign => work.sign(id, None, b"m").await.err(),
        Method::Verify => {
            let signature = honest.sign(id, None, b"m").await.unwrap().bytes;
            work.verify(id, with, b"m", &signature, ACCEPT).await.err()
        }
        Method::Mac => work.mac(id, None, b"m").await.err(),
        Method::VerifyMac => {
            let mac = honest.mac(id, None, b"m").await.unwrap().bytes;
            work.verify_mac(id, with, b"m", &mac, ACCEPT).await.err()
        }
        Method::Encrypt => work.encrypt(id, None, b"m", b"").await.err(),
        Method::Decrypt => {
            let sealed = honest.encrypt(id, None, b"m", b"").await.unwrap();
            work.decrypt(&sealed, b"", ACCEPT).await.err()
        }
        Method::Agree => work.agree(id, None, key.public_key().unwrap(), ACCEPT).await.err(),
        Method::WrapKey => work.wrap_key(id, None, &secret).await.err(),
        Method::UnwrapKey => {
            let wrapped = honest.wrap_key(id, None, &secret).await.unwrap();
            work.unwrap_key(&wrapped, ACCEPT).await.err()
        }
        other => panic!("{other:?} is no operation"),
    };
    error.map(|error| error.kind())
}

#[tokio::test(start_paused = true)]
async fn every_method_fails_hangs_and_waits_by_itself() {
    for method in Method::ALL {
        let (on, faults) = provider();
        let key = on.create(KeyAlg::Ed25519).await.unwrap();
        faults.fail_next(method, Fault::FailBefore(KeyError::timeout("one")));
        faults.fail_next(method, Fault::HangBefore);
        faults.fail_next(method, Fault::Delay(Duration::from_secs(7)));
        for other in Method::ALL.into_iter().filter(|other| *other != method && *other != Method::DestroyKey)
        {
            assert_eq!(call(&on, other, key.kid()).await, None, "{other:?} is not {method:?}");
        }
        assert_eq!(call(&on, method, key.kid()).await, Some(KeyErrorKind::Timeout), "{method:?}");
        let hung = timeout(Duration::from_mins(1), call(&on, method, key.kid())).await;
        assert!(hung.is_err(), "{method:?} was to hang");
        let start = Instant::now();
        assert_eq!(call(&on, method, key.kid()).await, None, "{method:?} after its faults");
        assert!(start.elapsed() >= Duration::from_secs(7), "{method:?} was to wait");
    }
}

#[tokio::test]
async fn an_outage_lasts_until_it_ends() {
    let (on, faults) = provider();
    let key = on.create(KeyAlg::Ed25519).await.unwrap();
    faults.outage();
    for method in Method::ALL {
        for _ in 0..2 {
            assert_eq!(call(&on, method, key.kid()).await, Some(KeyErrorKind::Unavailable), "{method:?}");
        }
    }
    faults.recover();
    for method in Method::ALL.into_iter().filter(|method| *method != Method::DestroyKey) {
        assert_eq!(call(&on, method, key.kid()).await, None, "{method:?} after the outage");
    }
    assert_eq!(on.inner().list_versions(key.kid()).await.unwrap().len(), 2, "one rotation took effect");
}

#[tokio::test(start_paused = true)]
async fn before_has_no_effect_and_after_has() {
    let lost = || KeyError::timeout("no answer");
    for (fault, effect) in [
        (Fault::FailBefore(lost()), false),
        (Fault::FailAfter(lost()), true),
        (Fault::HangBefore, false),
        (Fault::HangAfter, true),
    ] {
        let (on, faults) = provider();
        let key = on.create(KeyAlg::Ed25519).await.unwrap();
        faults.set_all(Some(fault.clone()));
        let rotated = timeout(Duration::from_mins(1), on.rotate_key(key.kid(), &SpecOverrides::NONE)).await;
        assert!(!matches!(rotated, Ok(Ok(_))), "{fault:?} gives no answer");
        let wanted = if effect { 2 } else { 1 };
        assert_eq!(on.inner().list_versions(key.kid()).await.unwrap().len(), wanted, "{fault:?}");
        let _ = timeout(Duration::from_mins(1), on.destroy_key(key.kid(), None)).await;
        assert_eq!(on.inner().list_versions(key.kid()).await.is_err(), effect, "{fault:?}");
        let journal = faults.journal().calls_of(Method::DestroyKey);
        assert_eq!(journal[0].reached, effect, "{fault:?}: the journal knows");
    }
}

#[tokio::test]
async fn a_refusal_is_not_hidden_by_a_failure_after_it() {
    let (on, faults) = provider();
    faults.fail_next(Method::RotateKey, Fault::FailAfter(KeyError::timeout("no answer")));
    assert_eq!(call(&on, Method::RotateKey, &kid("absent")).await, Some(KeyErrorKind::NotFound));
}

#[tokio::test]
async fn queued_faults_come_before_the_standing_one_and_clear_ends_both() {
    let (on, faults) = provider();
    let key = on.create(KeyAlg::Ed25519).await.unwrap();
    faults.set(Method::GetKey, Some(Fault::FailBefore(KeyError::unavailable("standing"))));
    faults.fail_next(Method::GetKey, Fault::FailBefore(KeyError::timeout("queued")));
    let mut kinds = Vec::new();
    for _ in 0..3 {
        kinds.push(call(&on, Method::GetKey, key.kid()).await.unwrap());
    }
    assert_eq!(kinds, [KeyErrorKind::Timeout, KeyErrorKind::Unavailable, KeyErrorKind::Unavailable]);
    faults.fail_next(Method::GetKey, Fault::FailBefore(KeyError::timeout("queued")));
    faults.clear();
    assert_eq!(call(&on, Method::GetKey, key.kid()).await, None);
}

#[tokio::test]
async fn a_held_call_stops_before_or_after_its_effect() {
    for after in [false, true] {
        let (on, faults) = provider();
        let key = on.create(KeyAlg::Ed25519).await.unwrap();
        let hold = if after { faults.hold_after(Method::RotateKey) } else { faults.hold(Method::RotateKey) };
        let (rotating, id) = (on.clone(), key.kid().clone());
        let task = tokio::spawn(async move { rotating.rotate_key(&id, &SpecOverrides::NONE).await });
        let stopped = hold.arrived().await;
        assert_eq!((stopped.method, stopped.kid.as_ref()), (Method::RotateKey, Some(key.kid())));
        assert_eq!(on.list_versions(key.kid()).await.unwrap().len(), 1 + usize::from(after));
        assert!(!task.is_finished());
        hold.release();
        assert_eq!(task.await.unwrap().unwrap().version().get(), 2);
        on.rotate(key.kid()).await.unwrap(); // a hold is for one call
    }
}

#[tokio::test]
async fn a_dropped_hold_lets_the_call_go_and_a_dropped_call_is_noted() {
    let (on, faults) = provider();
    let key = on.create(KeyAlg::Ed25519).await.unwrap();
    drop(faults.hold(Method::RotateKey));
    on.rotate(key.kid()).await.unwrap();
    let hold = faults.hold_after(Method::DestroyKey);
    {
        let mut destroying = pin!(on.destroy_key(key.kid(), None));
        let polled = poll_fn(|context| Poll::Ready(destroying.as_mut().poll(context))).await;
        assert!(polled.is_pending() && hold.has_arrived());
        assert_eq!(faults.journal().calls_of(Method::DestroyKey)[0].end, CallEnd::InFlight);
    }
    let [destroyed] = &faults.journal().calls_of(Method::DestroyKey)[..] else { panic!("one destroy") };
    assert_eq!((destroyed.end, destroyed.reached), (CallEnd::Cancelled, true));
    assert!(on.list_versions(key.kid()).await.is_err(), "cancelled after its effect");
}

#[tokio::test]
async fn the_journal_knows_calls_and_how_they_ended() {
    let (on, faults) = provider();
    let key = on.create(KeyAlg::Ed25519).await.unwrap();
    let _ = on.get_key(key.kid(), Some(KeyVersion::FIRST), Secrets::Include).await;
    let calls = faults.journal().calls();
    assert_eq!(calls.iter().map(|call| call.method).collect::<Vec<_>>(), [Method::CreateKey, Method::GetKey]);
    assert_eq!(calls[0].end, CallEnd::Answered);
    assert_eq!(calls[0].spec.as_ref().map(KeySpec::alg), Some(KeyAlg::Ed25519));
    assert_eq!(calls[1].end, CallEnd::Failed(KeyErrorKind::PermissionDenied));
    assert_eq!((calls[1].kid.as_ref(), calls[1].version), (Some(key.kid()), Some(KeyVersion::FIRST)));
    assert_eq!(faults.journal().secret_reads().len(), 1);
    faults.journal().clear();
    assert!(faults.journal().calls().is_empty());
}

#[tokio::test]
async fn secrets_that_were_handed_in_are_kept_even_if_the_call_failed() {
    let (on, faults) = provider();
    faults.outage();
    let secret = SecretBytes::from((0..32).collect::<Vec<u8>>());
    let (spec, material) = (KeySpec::new(KeyAlg::Aes256Gcm), KeyMaterial::Symmetric(secret.clone()));
    assert!(on.import_key(&spec, material).await.is_err());
    let ikm = SecretBytes::from((100..132).collect::<Vec<u8>>());
    assert!(on.hkdf(&ikm, b"", b"", 8).await.is_err());
    assert_eq!(faults.journal().secret_bytes_handed(), [secret, ikm]);
}

#[tokio::test]
async fn the_journal_finds_secrets_in_material_and_elsewhere() {
    let (source, _) = provider();
    for alg in [KeyAlg::HmacSha256, KeyAlg::Ed25519, KeyAlg::EcdsaP256Sha256, KeyAlg::RsaPssSha256] {
        let made = source.create_key(&exportable(alg)).await.unwrap();
        let key = source.get_key(made.kid(), None, Secrets::Include).await.unwrap();
        let secret = key.secret().unwrap().clone();
        let parts = secret_parts(alg, &secret);

        let (on, faults) = provider();
        if let Some(public) = key.public_key() {
            on.import_key(&KeySpec::new(alg), KeyMaterial::Public(public.clone())).await.unwrap();
        }
        faults.journal().assert_never_handed(&parts);
        on.import_key(&KeySpec::new(alg), KeyMaterial::from(secret)).await.unwrap();
        assert!(panics(|| faults.journal().assert_never_handed(&parts)), "{alg}: as material");

        let (on, faults) = provider();
        let tag = format!("{:?}", &parts[0].expose_secret()[..16]);
        on.create_key(&KeySpec::builder(alg).tag("note", tag).build().unwrap()).await.unwrap();
        assert!(panics(|| faults.journal().assert_never_handed(&parts)), "{alg}: on a tag");
    }
}

fn panics(what: impl FnOnce()) -> bool {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(what)).is_err()
}

#[tokio::test]
async fn what_is_taken_from_the_capabilities_is_refused() {
    let (on, faults) = provider();
    faults.restrict_capabilities(|can| {
        can.features.remove(&Feature::ChosenKid);
        can.import.clear();
    });
    assert!(!on.supports().has(Feature::ChosenKid));
    let chosen = KeySpec::new(KeyAlg::Ed25519).with_kid(kid("chosen"));
    assert_eq!(on.create_key(&chosen).await.unwrap_err().kind(), KeyErrorKind::Unsupported);
    assert!(on.create(KeyAlg::Ed25519).await.is_ok());
    let refused = call(&on, Method::ImportKey, &kid("any")).await;
    assert_eq!(refused, Some(KeyErrorKind::UnsupportedAlgorithm));
    assert!(faults.journal().calls_of(Method::ImportKey).iter().all(|call| !call.reached));
}

async fn read(on: &FaultyProvider, id: &KeyId, secrets: Secrets) -> KeyRef {
    on.get_key(id, None, secrets).await.unwrap()
}

#[tokio::test]
async fn the_wrong_key_is_consistent_and_a_forged_one_bears_the_right_fingerprint() {
    for alg in [KeyAlg::Ed25519, KeyAlg::X25519, KeyAlg::EcdsaP256Sha256, KeyAlg::Aes256Gcm] {
        let (on, faults) = provider();
        let key = on.create_key(&exportable(alg)).await.unwrap();
        faults.set_all(Some(Fault::Lie(Lie::WrongKey)));
        let wrong = read(&on, key.kid(), Secrets::Include).await;
        assert_eq!(wrong.id(), key.id());
        assert_ne!(wrong.fingerprint(), key.fingerprint());
        assert_eq!(
            wrong.public_key().map(swarmauri_keys::PublicKey::thumbprint),
            wrong.public_key().map(|_| wrong.fingerprint().clone())
        );
        faults.set_all(Some(Fault::Lie(Lie::ForgedFingerprint)));
        let forged = read(&on, key.kid(), Secrets::Omit).await;
        assert_eq!(forged.fingerprint(), key.fingerprint());
        assert_eq!(forged.public_key(), wrong.public_key());
        if key.public_key().is_some() {
            assert_ne!(on.get_public_jwk(key.kid(), None).await.unwrap(), key.public_jwk().unwrap());
            assert_ne!(on.jwks(&JwksQuery::LATEST).await.unwrap().keys, [key.public_jwk().unwrap()]);
        }
    }
}

#[tokio::test]
async fn the_key_of_another_is_given_under_the_name_that_was_asked_for() {
    let (on, faults) = provider();
    let (asked, other) =
        (on.create(KeyAlg::Ed25519).await.unwrap(), on.create(KeyAlg::Ed25519).await.unwrap());
    faults.set_all(Some(Fault::Lie(Lie::KeyOf(other.kid().clone()))));
    let given = read(&on, asked.kid(), Secrets::Omit).await;
    assert_eq!((given.id(), given.public_key()), (asked.id(), other.public_key()));
    let jwk = on.get_public_jwk(asked.kid(), None).await.unwrap();
    assert_eq!((jwk.version_id().as_ref(), Some(&jwk.key)), (Some(asked.id()), other.public_key()));
}

#[tokio::test]
async fn lies_about_what_is_there() {
    let (on, faults) = provider();
    let key = on.create(KeyAlg::Ed25519).await.unwrap();
    faults.set_all(Some(Fault::Lie(Lie::NotFound)));
    for method in
        [Method::GetKey, Method::GetKeyByRef, Method::ListVersions, Method::GetPublicJwk, Method::RotateKey]
    {
        assert_eq!(call(&on, method, key.kid()).await, Some(KeyErrorKind::NotFound), "{method:?}");
    }
    assert!(!on.destroy_key(key.kid(), None).await.unwrap());
    for lie in [Lie::NotFound, Lie::Empty] {
        faults.set_all(Some(Fault::Lie(lie)));
        assert!(on.jwks(&JwksQuery::LATEST).await.unwrap().keys.is_empty());
        assert!(on.list_all_keys().await.unwrap().is_empty());
    }
    faults.recover();
    assert_eq!(on.list_versions(key.kid()).await.unwrap(), [KeyVersion::FIRST], "nothing happened");
}

#[tokio::test]
async fn stale_answers_are_from_the_past() {
    let (on, faults) = provider();
    let first = on.create(KeyAlg::Ed25519).await.unwrap();
    let before = on.jwks(&JwksQuery::LATEST).await.unwrap();
    faults.set_all(Some(Fault::Lie(Lie::Stale)));
    on.rotate(first.kid()).await.unwrap();
    assert_eq!(read(&on, first.kid(), Secrets::Omit).await.parts(), first.parts());
    assert_eq!(on.list_versions(first.kid()).await.unwrap(), [first.version()]);
    assert_eq!(on.get_public_jwk(first.kid(), None).await.unwrap(), first.public_jwk().unwrap());
    assert_eq!(on.jwks(&JwksQuery::LATEST).await.unwrap(), before);
    assert!(on.jwks(&JwksQuery::ALL_LIVE).await.unwrap().keys.is_empty(), "never asked for before");
}

#[tokio::test]
async fn lies_about_destroying_and_keeping() {
    for (lie, says, gone) in [
        (Lie::DestroyNothingSayFalse, false, false),
        (Lie::DestroyNothingSayTrue, true, false),
        (Lie::DestroySayFalse, false, true),
    ] {
        let (on, faults) = provider();
        let key = on.create(KeyAlg::Ed25519).await.unwrap();
        faults.set_all(Some(Fault::Lie(lie.clone())));
        assert_eq!(on.destroy_key(key.kid(), None).await.unwrap(), says, "{lie:?}");
        assert_eq!(on.inner().list_versions(key.kid()).await.is_err(), gone, "{lie:?}");
    }
    let (on, faults) = provider();
    faults.set_all(Some(Fault::Lie(Lie::Forget)));
    let key = on.create(KeyAlg::Ed25519).await.unwrap();
    assert!(on.inner().list_versions(key.kid()).await.is_err(), "forgotten");
}

#[tokio::test]
async fn lies_about_secrets() {
    let (on, faults) = provider();
    let key = on.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    let kept = on.create(KeyAlg::Ed25519).await.unwrap();
    faults.set_all(Some(Fault::Lie(Lie::SecretUnasked)));
    assert!(read(&on, key.kid(), Secrets::Omit).await.secret().is_some());
    assert!(read(&on, kept.kid(), Secrets::Omit).await.secret().is_none(), "policy keeps it");
    faults.set_all(Some(Fault::Lie(Lie::SecretDropped)));
    assert!(read(&on, key.kid(), Secrets::Include).await.secret().is_none());
}

#[tokio::test]
async fn an_answer_can_be_made_by_hand() {
    let (on, faults) = provider();
    faults.fail_next(
        Method::RandomBytes,
        Fault::answer(|call, honest| {
            assert_eq!((call.len, honest.is_ok()), (Some(4), true));
            Ok(Answer::Bytes(vec![1, 2, 3, 4].into()))
        }),
    );
    assert_eq!(on.random_bytes(4).await.unwrap().expose_secret(), [1, 2, 3, 4]);
}
