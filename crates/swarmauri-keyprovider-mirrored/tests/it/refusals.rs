//! Promise 6 for work: a refusal of the primary is never turned into a success by the secondary, for every operation,
//! in every mode.

use swarmauri_keyprovider::KeyProvider;
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_mirrored::MirrorMode;
use swarmauri_keyprovider_testkit::{CallEnd, Fault, Faults, Method};
use swarmauri_keys::{Acceptance, KeyAlg, KeyErrorKind, KeyOperation, KeyRef, KeySpec};

use crate::jobs::{Jobs, all_jobs, material, method, spec_without};
use crate::support::*;

const MODES: [MirrorMode; 3] = [MirrorMode::PublicOnly, MirrorMode::Full, MirrorMode::None];

/// A key on both sides: mirrored, or in mode `none` put on the secondary by somebody else, for every use.
async fn key_in(world: &World, mode: MirrorMode, spec: &KeySpec) -> KeyRef {
    let key = world.mirror.import_key(spec, material(spec.alg())).await.unwrap();
    if mode == MirrorMode::None {
        let same = spec_without(spec.alg(), None).with_kid(key.kid().clone());
        world.secondary_keys.import_key(&same, material(spec.alg())).await.unwrap();
    }
    key
}

fn worked(side: &Faults) -> bool {
    Method::OPERATIONS
        .into_iter()
        .any(|method| side.journal().calls_of(method).iter().any(|call| call.end == CallEnd::Answered))
}

#[tokio::test]
async fn promise_6_what_is_disabled_does_no_work_on_either_side() {
    for mode in MODES {
        for (operation, alg) in all_jobs() {
            let what = format!("{mode} {operation} {alg}");
            let world = world_in(mode);
            let key = key_in(&world, mode, &spec_without(alg, None)).await;
            let jobs = Jobs::of(&*world.mirror, &key).await;
            world.mirror.disable_key(key.kid(), key.version()).await.unwrap();
            world.secondary.journal().clear();

            let refused = jobs.run(operation, &*world.mirror, Acceptance::EnabledOnly).await;
            assert_eq!(kind(refused), KeyErrorKind::Disabled, "{what}");
            assert!(world.secondary.journal().calls().is_empty(), "{what}: the secondary was asked");
            world.primary.outage();
            let refused = jobs.run(operation, &*world.mirror, Acceptance::EnabledOnly).await.unwrap_err();
            let kept =
                mode == MirrorMode::PublicOnly && [KeyAlg::Aes256Gcm, KeyAlg::HmacSha256].contains(&alg);
            let how = if kept { KeyErrorKind::Unavailable } else { KeyErrorKind::Disabled };
            assert_eq!(refused.kind(), how, "{what} during an outage: {refused}");
            assert!(!worked(&world.secondary), "{what}: the secondary did it");
            if operation.makes() {
                jobs.run(operation, &*world.mirror, Acceptance::AllowDisabled).await.unwrap_err();
            }
        }
    }
}

#[tokio::test]
async fn promise_6_what_a_key_is_not_for_is_not_done_by_the_secondary() {
    for mode in MODES {
        for (operation, alg) in all_jobs() {
            let what = format!("{mode} {operation} {alg}");
            let world = world_in(mode);
            let key = key_in(&world, mode, &spec_without(alg, Some(operation))).await;
            let jobs = Jobs::of(&*world.mirror, &key).await;
            world.secondary.journal().clear();
            let refused = jobs.run(operation, &*world.mirror, Acceptance::AllowDisabled).await.unwrap_err();
            assert_eq!(refused.kind(), KeyErrorKind::PermissionDenied, "{what}: {refused}");
            assert!(refused.to_string().contains(operation.key_use().as_str()), "{what}: {refused}");
            assert!(world.secondary.journal().calls().is_empty(), "{what}: the secondary was asked");

            // In mode none the secondary's key is somebody else's, and goes by its own uses.
            if mode != MirrorMode::None {
                world.primary.outage();
                let refused = jobs.run(operation, &*world.mirror, Acceptance::AllowDisabled).await;
                let refused = refused.unwrap_err();
                let kept = refused.kind() == KeyErrorKind::Unavailable;
                assert!(kept || refused.kind() == KeyErrorKind::PermissionDenied, "{what}: {refused}");
                assert!(!worked(&world.secondary), "{what}: the secondary did it");
            }
        }
    }
}

#[tokio::test]
async fn promise_6_no_refusal_of_any_kind_goes_to_the_secondary() {
    for mode in MODES {
        for (operation, alg) in all_jobs() {
            let world = world_in(mode);
            let key = key_in(&world, mode, &spec_without(alg, None)).await;
            let jobs = Jobs::of(&*world.mirror, &key).await;
            let not_authentic = swarmauri_keys::KeyError::NotAuthentic;
            for refusal in refusals().into_iter().chain([not_authentic]) {
                world.secondary.journal().clear();
                world.primary.fail_next(method(operation), Fault::FailBefore(refusal.clone()));
                let answer = jobs.run(operation, &*world.mirror, Acceptance::AllowDisabled).await;
                assert_eq!(answer.unwrap_err().to_string(), refusal.to_string(), "{mode} {operation} {alg}");
                assert!(world.secondary.journal().calls().is_empty(), "{mode} {operation} {alg} {refusal}");
            }
        }
    }
}

/// Secret work is no public read: a primary that lost the key has refused.
#[tokio::test]
async fn promise_6_a_lost_key_does_public_work_alone() {
    for mode in MODES {
        for (operation, alg) in all_jobs() {
            let what = format!("{mode} {operation} {alg}");
            let world = world_in(mode);
            let key = key_in(&world, mode, &spec_without(alg, None)).await;
            let jobs = Jobs::of(&*world.mirror, &key).await;
            world.primary_keys.destroy_key(key.kid(), None).await.unwrap();
            let answer = jobs.run(operation, &*world.mirror, Acceptance::EnabledOnly).await;
            if operation.is_public(alg) {
                let came = answer.unwrap_or_else(|error| panic!("{what}: {error}"));
                // The primary has it no more, so somebody else who has the same key is asked.
                let other = LocalKeyProvider::new();
                let same = spec_without(alg, None).with_kid(key.kid().clone());
                other.import_key(&same, material(alg)).await.unwrap();
                jobs.check(&came, &other).await;
            } else {
                assert_eq!(kind(answer), KeyErrorKind::NotFound, "{what}");
                assert!(!worked(&world.secondary), "{what}: the secondary did it");
            }
        }
    }
}

#[tokio::test]
async fn promise_10_work_fails_closed_on_request() {
    for (operation, alg) in all_jobs() {
        let world = world_with(|builder| builder.mode(MirrorMode::Full).fail_open_reads(false));
        let key = world.mirror.import_key(&spec_without(alg, None), material(alg)).await.unwrap();
        let jobs = Jobs::of(&*world.mirror, &key).await;
        world.secondary.journal().clear();
        for error in outages() {
            world.primary.fail_next(method(operation), Fault::FailBefore(error.clone()));
            let answer = jobs.run(operation, &*world.mirror, Acceptance::EnabledOnly).await;
            assert_eq!(answer.unwrap_err().to_string(), error.to_string(), "{operation} {alg}");
        }
        assert!(world.secondary.journal().calls().is_empty());
    }
}

/// An operation that the primary does not offer is not offered.
#[tokio::test]
async fn what_the_primary_cannot_do_is_unsupported() {
    for operation in KeyOperation::ALL.iter().copied() {
        let world = restricted_world(
            |primary, _| {
                primary.restrict_capabilities(|can| {
                    can.operations.remove(&operation);
                });
            },
            |builder| builder.mode(MirrorMode::Full),
        );
        assert!(!world.mirror.supports().operations.contains_key(&operation));
        for alg in operation.algs() {
            let key =
                world.mirror.import_key(&spec_without(*alg, Some(operation)), material(*alg)).await.unwrap();
            let jobs = Jobs::of_nothing(&key);
            let answer = jobs.run(operation, &*world.mirror, Acceptance::EnabledOnly).await;
            assert_eq!(kind(answer), KeyErrorKind::Unsupported, "{operation} {alg}");
        }
    }
    let world = restricted_world(
        |primary, _| primary.restrict_capabilities(|can| can.operations.clear()),
        |builder| builder,
    );
    assert!(world.mirror.operations().is_none());
}
