//! Work that fails over: what goes to replicas, to which, and in whose name.

use std::time::Duration;

use swarmauri_keyprovider::{KeyOperationsExt, KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_mirrored::MirrorMode;
use swarmauri_keyprovider_testkit::{Fault, Lie, Method, capture_tracing_of};
use swarmauri_keys::{
    Acceptance, ExportPolicy, KeyAlg, KeyClass, KeyError, KeyErrorKind, KeyOperation, KeySpec, KeyVersion,
    VerifyWith,
};

use crate::jobs::{Came, Jobs, MESSAGE, all_jobs, material, method, spec_without};
use crate::support::*;

const ENABLED: Acceptance = Acceptance::EnabledOnly;

#[tokio::test]
async fn promise_2_in_mode_full_every_operation_survives_an_outage_under_the_primarys_name() {
    for (operation, alg) in all_jobs() {
        for error in outages() {
            let world = world_in(MirrorMode::Full);
            let key = world.mirror.import_key(&spec_without(alg, None), material(alg)).await.unwrap();
            let jobs = Jobs::of(&*world.mirror, &key).await;
            world.primary.set_all(Some(Fault::FailBefore(error)));
            let came = jobs.run(operation, &*world.mirror, ENABLED).await;
            world.primary.recover();
            let came = came.unwrap_or_else(|error| panic!("{operation} {alg}: {error}"));
            jobs.check(&came, &*world.primary_keys).await;
        }
    }
}

#[tokio::test]
async fn in_mode_public_only_public_work_survives_and_secret_work_says_why_it_does_not() {
    for (operation, alg) in all_jobs() {
        let world = world();
        let key = world.mirror.import_key(&spec_without(alg, None), material(alg)).await.unwrap();
        let jobs = Jobs::of(&*world.mirror, &key).await;
        world.primary.outage();
        let answer = jobs.run(operation, &*world.mirror, ENABLED).await;
        world.primary.recover();
        if operation.is_public(alg) {
            jobs.check(&answer.unwrap(), &*world.primary_keys).await;
            continue;
        }
        let error = answer.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::Unavailable, "{operation} {alg}");
        let why = if alg.class() == KeyClass::Symmetric { "(no_public_part)" } else { "public key only" };
        assert!(error.to_string().contains(why), "{operation} {alg}: {error}");
        let asked = world.secondary.journal().calls_of(method(operation));
        assert!(asked.is_empty(), "{operation} {alg}: a public replica was asked");
    }
}

#[tokio::test]
async fn in_mode_none_the_key_of_the_same_name_works() {
    for (operation, alg) in all_jobs() {
        let world = world_in(MirrorMode::None);
        let key = world.mirror.import_key(&spec_without(alg, None), material(alg)).await.unwrap();
        let jobs = Jobs::of(&*world.mirror, &key).await;
        world.primary.outage();
        let nobody = jobs.run(operation, &*world.mirror, ENABLED).await;
        assert_eq!(kind(nobody), KeyErrorKind::Unavailable, "{operation} {alg}");
        let same = spec_without(alg, None).with_kid(key.kid().clone());
        world.secondary_keys.import_key(&same, material(alg)).await.unwrap();
        let came = jobs.run(operation, &*world.mirror, ENABLED).await.unwrap();
        jobs.check(&came, &*world.secondary_keys).await;
    }
}

/// Ciphertexts of before a rotation and before an outage decrypt during it; new ones are made by the latest version.
#[tokio::test]
async fn old_ciphertexts_and_signatures_are_read_during_an_outage() {
    for alg in [KeyAlg::Aes256Gcm, KeyAlg::HmacSha256, KeyAlg::Ed25519, KeyAlg::RsaOaepSha256] {
        let world = world_in(MirrorMode::Full);
        let key = world.mirror.import_key(&spec_without(alg, None), material(alg)).await.unwrap();
        let old = Jobs::of(&*world.mirror, &key).await;
        let rotated = world.mirror.rotate(key.kid()).await.unwrap();
        let new = Jobs::of(&*world.mirror, &rotated).await;
        world.primary.outage();
        for operation in KeyOperation::ALL.iter().filter(|one| one.algs().contains(&alg)) {
            for jobs in [&old, &new] {
                let came = jobs.run(*operation, &*world.mirror, ENABLED).await.unwrap();
                jobs.check(&came, &*world.primary_keys).await;
            }
        }
        let work = world.mirror.work().unwrap();
        let latest = match alg {
            KeyAlg::Ed25519 => work.sign(key.kid(), None, MESSAGE).await.unwrap().version,
            KeyAlg::HmacSha256 => work.mac(key.kid(), None, MESSAGE).await.unwrap().version,
            _ => work.encrypt(key.kid(), None, MESSAGE, b"").await.unwrap().version,
        };
        assert_eq!(latest, rotated.version(), "{alg}");
    }
}

#[tokio::test]
async fn a_signature_is_held_against_all_live_versions_during_an_outage() {
    let world = world_in(MirrorMode::Full);
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    let work = world.mirror.work().unwrap();
    let mut made = vec![work.sign(key.kid(), None, MESSAGE).await.unwrap()];
    for _ in 0..2 {
        world.mirror.rotate(key.kid()).await.unwrap();
        made.push(work.sign(key.kid(), None, MESSAGE).await.unwrap());
    }
    let verify = async |bytes: &[u8], acceptance| {
        work.verify(key.kid(), VerifyWith::AnyLive, MESSAGE, bytes, acceptance).await
    };
    for out in [false, true] {
        if out {
            world.primary.outage();
        }
        for signature in &made {
            assert_eq!(verify(&signature.bytes, ENABLED).await.unwrap(), signature.version, "out: {out}");
            work.verify_signature(MESSAGE, signature).await.unwrap();
        }
        assert_eq!(kind(verify(&[0; 64], ENABLED).await), KeyErrorKind::NotAuthentic);
    }
    world.primary.recover();
    world.mirror.disable_key(key.kid(), version(1)).await.unwrap();
    assert!(world.mirror.destroy_key(key.kid(), Some(version(2))).await.unwrap());
    for out in [false, true] {
        if out {
            world.primary.outage();
        }
        for gone in &made[..2] {
            assert_eq!(kind(verify(&gone.bytes, ENABLED).await), KeyErrorKind::NotAuthentic, "out: {out}");
        }
        assert_eq!(verify(&made[0].bytes, Acceptance::AllowDisabled).await.unwrap(), version(1));
        assert_eq!(kind(verify(&made[1].bytes, Acceptance::AllowDisabled).await), KeyErrorKind::NotAuthentic);
        assert_eq!(verify(&made[2].bytes, ENABLED).await.unwrap(), version(3));
    }
}

/// "Not authentic" would be a lie where the version that may have made it is out of reach.
#[tokio::test]
async fn a_signature_of_a_version_that_is_out_of_reach_is_not_called_a_forgery() {
    let world = world_in(MirrorMode::Full);
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    world.secondary.set(Method::ImportKey, Some(Fault::FailBefore(KeyError::unavailable("told to"))));
    world.mirror.rotate(key.kid()).await.unwrap();
    let work = world.mirror.work().unwrap();
    let signature = work.sign(key.kid(), None, MESSAGE).await.unwrap();
    assert_eq!(signature.version, version(2));
    world.primary.outage();
    let any = work.verify(key.kid(), VerifyWith::AnyLive, MESSAGE, &signature.bytes, ENABLED).await;
    assert_eq!(kind(any), KeyErrorKind::Unavailable);
    let error = work.verify_signature(MESSAGE, &signature).await.unwrap_err();
    assert!(error.to_string().contains("not copied to the secondary yet"), "{error}");

    world.secondary.recover();
    world.primary.recover();
    assert!(world.mirror.reconcile().await.is_clean());
    world.primary.outage();
    // One replica cannot be read: the other one does not fit, and that proves nothing.
    world.secondary.fail_next(Method::GetKey, Fault::FailBefore(KeyError::timeout("told to")));
    let any = work.verify(key.kid(), VerifyWith::AnyLive, MESSAGE, &signature.bytes, ENABLED).await;
    assert!(any.unwrap_err().is_outage());
}

#[tokio::test]
async fn promise_3_a_replica_that_is_another_key_does_no_work() {
    for (operation, alg) in all_jobs() {
        let world = world_in(MirrorMode::Full);
        let key = world.mirror.import_key(&spec_without(alg, None), material(alg)).await.unwrap();
        let jobs = Jobs::of(&*world.mirror, &key).await;
        world.primary.outage();
        world.secondary.set(Method::GetKey, Some(Fault::Lie(Lie::WrongKey)));
        let answer = jobs.run(operation, &*world.mirror, ENABLED).await;
        assert_eq!(kind(answer), KeyErrorKind::Integrity, "{operation} {alg}");
        assert!(world.secondary.journal().calls_of(method(operation)).is_empty(), "it was asked to work");
    }
}

#[tokio::test]
async fn promise_3_work_of_another_key_is_not_passed_on() {
    use swarmauri_keyprovider_testkit::Answer;
    let world = world_in(MirrorMode::Full);
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    world.primary.outage();
    let renamed = Fault::answer(|_, honest| match honest? {
        Answer::Signature(mut signature) => {
            signature.kid = kid("other");
            Ok(signature.into())
        }
        other => Ok(other),
    });
    world.secondary.fail_next(Method::Sign, renamed);
    let work = world.mirror.work().unwrap();
    assert_eq!(kind(work.sign(key.kid(), None, MESSAGE).await), KeyErrorKind::Integrity);
}

#[tokio::test(start_paused = true)]
async fn promise_4_what_a_replica_did_is_not_served_once_a_destroy_has_begun() {
    for whole in [false, true] {
        let world = world_in(MirrorMode::Full);
        let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
        world.primary.outage();
        let held = world.secondary.hold_after(Method::Sign);
        let (mirror, kid) = (world.mirror.clone(), key.kid().clone());
        let signing =
            tokio::spawn(async move { mirror.work().unwrap().sign(&kid, None, MESSAGE).await.map(|_| ()) });
        held.arrived().await;
        world.primary.recover();
        let which = (!whole).then_some(KeyVersion::FIRST);
        assert!(world.mirror.destroy_key(key.kid(), which).await.unwrap());
        held.release();
        // Whether the primary, which was out, has another version is not known.
        let told = if whole { KeyErrorKind::NotFound } else { KeyErrorKind::Unavailable };
        assert_eq!(kind(signing.await.unwrap()), told);
    }
}

#[tokio::test]
async fn promise_4_destroyed_versions_do_no_work_on_a_primary_that_answers_from_the_past() {
    for (operation, alg) in all_jobs() {
        let world = world_in(MirrorMode::Full);
        let key = world.mirror.import_key(&spec_without(alg, None), material(alg)).await.unwrap();
        let jobs = Jobs::of(&*world.mirror, &key).await;
        // The primary says that it has destroyed the key, and still has it.
        world.primary.fail_next(Method::DestroyKey, Fault::Lie(Lie::DestroyNothingSayTrue));
        assert!(world.mirror.destroy_key(key.kid(), None).await.unwrap());
        world.primary.journal().clear();
        let answer = jobs.run(operation, &*world.mirror, ENABLED).await;
        assert_eq!(kind(answer), KeyErrorKind::NotFound, "{operation} {alg}");
        assert!(world.primary.journal().calls().is_empty(), "{operation} {alg}: nobody is asked");
    }
}

/// The primary takes a destroyed version for its latest.
#[tokio::test]
async fn promise_4_new_work_is_done_by_the_latest_version_that_is_not_destroyed() {
    let world = world_in(MirrorMode::Full);
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    let rotated = world.mirror.rotate(key.kid()).await.unwrap();
    let work = world.mirror.work().unwrap();
    let of_rotated = work.sign(key.kid(), None, MESSAGE).await.unwrap();
    world.primary.fail_next(Method::DestroyKey, Fault::Lie(Lie::DestroyNothingSayTrue));
    assert!(world.mirror.destroy_key(key.kid(), Some(rotated.version())).await.unwrap());
    assert_eq!(work.sign(key.kid(), None, MESSAGE).await.unwrap().version, key.version());
    let verified = work.verify(key.kid(), VerifyWith::AnyLive, MESSAGE, &of_rotated.bytes, ENABLED).await;
    assert_eq!(kind(verified), KeyErrorKind::NotAuthentic);
}

#[tokio::test]
async fn both_sides_down_the_outage_of_the_primary_is_told() {
    for (operation, alg) in all_jobs() {
        let world = world_in(MirrorMode::Full);
        let key = world.mirror.import_key(&spec_without(alg, None), material(alg)).await.unwrap();
        let jobs = Jobs::of(&*world.mirror, &key).await;
        world.primary.set_all(Some(Fault::FailBefore(KeyError::unavailable("the primary is out"))));
        for method in [Method::GetKey, method(operation)] {
            for error in [KeyError::timeout("the other one"), KeyError::permission_denied("the other one")] {
                world.secondary.fail_next(method, Fault::FailBefore(error));
                let error = jobs.run(operation, &*world.mirror, ENABLED).await.unwrap_err();
                assert!(error.to_string().contains("the primary is out"), "{operation} {alg}: {error}");
            }
        }
    }
}

/// What is wrong with the input is said by whoever finds it.
#[tokio::test]
async fn forgeries_are_forgeries_on_either_side() {
    let world = world_in(MirrorMode::Full);
    let key = world.mirror.create_key(&exportable(KeyAlg::Aes256Gcm)).await.unwrap();
    let work = world.mirror.work().unwrap();
    let mut sealed = work.encrypt(key.kid(), None, MESSAGE, b"aad").await.unwrap();
    let mut told = Vec::new();
    for out in [false, true] {
        if out {
            world.primary.outage();
        }
        told.push(work.decrypt(&sealed, b"other", ENABLED).await.unwrap_err());
        sealed.tag[0] ^= 1;
        told.push(work.decrypt(&sealed, b"aad", ENABLED).await.unwrap_err());
        sealed.tag[0] ^= 1;
    }
    let told: std::collections::BTreeSet<_> = told.iter().map(|error| format!("{error} {error:?}")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told.first().unwrap().contains("NotAuthentic"));
}

#[tokio::test]
async fn work_of_a_policy_none_key_has_no_replica_and_says_so() {
    let world = world_in(MirrorMode::Full);
    let spec = KeySpec::builder(KeyAlg::Ed25519).export_policy(ExportPolicy::None).build().unwrap();
    let key = world.mirror.create_key(&spec).await.unwrap();
    let work = world.mirror.work().unwrap();
    let signature = work.sign(key.kid(), None, MESSAGE).await.unwrap();
    work.verify_signature(MESSAGE, &signature).await.unwrap();
    world.primary.outage();
    let error = work.sign(key.kid(), None, MESSAGE).await.unwrap_err();
    assert!(error.is_outage() && error.to_string().contains("(policy)"), "{error}");
}

/// The primary and its full replica each count their encryptions, and each has a bound.
#[tokio::test]
async fn a_bound_of_the_replica_does_not_hide_the_outage() {
    let primary = std::sync::Arc::new(LocalKeyProvider::new());
    let faulty = std::sync::Arc::new(swarmauri_keyprovider_testkit::FaultyProvider::new(primary));
    let secondary = std::sync::Arc::new(LocalKeyProvider::with_max_encryptions(1).unwrap());
    let builder = swarmauri_keyprovider_mirrored::MirroredKeyProvider::builder(faulty.clone(), secondary);
    let mirror = builder.mode(MirrorMode::Full).build().unwrap();
    let key = mirror.create_key(&exportable(KeyAlg::Aes256Gcm)).await.unwrap();
    faulty.faults().outage();
    let work = mirror.work().unwrap();
    work.encrypt(key.kid(), None, MESSAGE, b"").await.unwrap();
    let ((), told) = capture_tracing_of(async {
        assert!(work.encrypt(key.kid(), None, MESSAGE, b"").await.unwrap_err().is_outage());
    })
    .await;
    assert!(told.contains("rotate the key"), "{told}");
}

#[tokio::test]
async fn fail_over_of_work_is_told() {
    let world = world_in(MirrorMode::Full);
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    world.primary.outage();
    let (signed, told) =
        capture_tracing_of(world.mirror.work().unwrap().sign(key.kid(), None, MESSAGE)).await;
    signed.unwrap();
    assert!(told.contains("failing over to the secondary") && told.contains("sign"), "{told}");
}

/// Promise 11: work leaves nothing behind, and a call that is dropped does not keep others.
#[tokio::test(start_paused = true)]
async fn promise_11_work_that_is_dropped_at_any_call_of_a_side_leaves_nothing_behind() {
    for (operation, alg) in all_jobs() {
        let world = world_in(MirrorMode::Full);
        let key = world.mirror.import_key(&spec_without(alg, None), material(alg)).await.unwrap();
        let jobs = Jobs::of(&*world.mirror, &key).await;
        for fault in [Fault::HangBefore, Fault::HangAfter] {
            world.primary.fail_next(method(operation), fault.clone());
            assert!(give_up(jobs.run(operation, &*world.mirror, ENABLED)).await.is_none());
            world.primary.outage();
            for on_secondary in [Method::GetKey, method(operation)] {
                world.secondary.fail_next(on_secondary, fault.clone());
                assert!(give_up(jobs.run(operation, &*world.mirror, ENABLED)).await.is_none());
            }
            let came: Came = jobs.run(operation, &*world.mirror, ENABLED).await.unwrap();
            world.primary.recover();
            jobs.check(&came, &*world.primary_keys).await;
        }
        assert!(world.backlog().is_empty());
        let rotated = tokio::time::timeout(Duration::from_secs(9), world.mirror.rotate(key.kid())).await;
        assert!(rotated.is_ok() || alg.as_str().starts_with("RSA"), "{operation} {alg}: a lock is held");
    }
}
