//! Promises 2, 3, 6 and 10: the same identity, never the wrong key, a refusal is no outage, fail closed on
//! request.

use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_mirrored::{Backend, BreakerSettings, BreakerState, MirrorMode, OnPrimaryLoss};
use swarmauri_keyprovider_testkit::{Fault, Lie, Method, capture_tracing_of};
use swarmauri_keys::{KeyAlg, KeyError, KeyErrorKind, KeyRef, KeySpec, PageRequest};

use crate::support::*;

#[tokio::test]
async fn promise_2_nobody_can_tell_which_side_answered() {
    let world = world();
    let spec = KeySpec::builder(KeyAlg::EcdsaP256Sha256).label("tokens").tag("env", "prod").build().unwrap();
    let first = world.mirror.create_key(&spec).await.unwrap();
    let (kid, second) = (first.kid(), world.mirror.rotate(first.kid()).await.unwrap());
    world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let versions = world.mirror.list_versions(kid).await.unwrap();
    let latest = world.mirror.jwks(&JwksQuery::LATEST).await.unwrap();
    let all = world.mirror.jwks(&JwksQuery::ALL_LIVE).await.unwrap();

    for error in outages() {
        world.primary.set_all(Some(Fault::FailBefore(error)));
        assert_eq!(world.read(kid, None).await.unwrap().parts(), second.parts());
        assert_eq!(world.read(kid, Some(version(1))).await.unwrap().parts(), first.parts());
        assert_eq!(world.jwk(kid, None).await.unwrap(), second.public_jwk().unwrap());
        assert_eq!(world.jwk(kid, Some(version(1))).await.unwrap(), first.public_jwk().unwrap());
        assert_eq!(world.mirror.list_versions(kid).await.unwrap(), versions);
        assert_eq!(world.mirror.jwks(&JwksQuery::LATEST).await.unwrap(), latest);
        assert_eq!(world.mirror.jwks(&JwksQuery::ALL_LIVE).await.unwrap(), all);
        let reference = format!("MirroredKeyProvider:{kid}@1").parse().unwrap();
        let by_ref = world.mirror.get_key_by_ref(&reference, Secrets::Omit).await.unwrap();
        assert_eq!(by_ref.parts(), first.parts());
    }
}

#[tokio::test]
async fn promise_2_a_key_that_the_primary_lost_is_served_all_the_same() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let jwks = world.mirror.jwks(&JwksQuery::LATEST).await.unwrap();
    world.primary_keys.destroy_key(key.kid(), None).await.unwrap();
    assert_eq!(world.jwk(key.kid(), None).await.unwrap(), key.public_jwk().unwrap());
    assert_eq!(world.read(key.kid(), Some(version(1))).await.unwrap().parts(), key.parts());
    assert_eq!(world.mirror.list_versions(key.kid()).await.unwrap(), [version(1)]);
    assert_eq!(world.mirror.jwks(&JwksQuery::LATEST).await.unwrap(), jwks);
}

#[tokio::test]
async fn on_primary_loss_refuse_serves_no_key_that_was_revoked_on_the_primary() {
    let world = world_with(|builder| builder.on_primary_loss(OnPrimaryLoss::Refuse));
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary_keys.destroy_key(key.kid(), None).await.unwrap();
    assert_eq!(kind(world.jwk(key.kid(), None).await), KeyErrorKind::NotFound);
    assert_eq!(kind(world.mirror.list_versions(key.kid()).await), KeyErrorKind::NotFound);
    assert!(world.mirror.jwks(&JwksQuery::LATEST).await.unwrap().keys.is_empty());
    world.primary.outage();
    assert!(world.jwk(key.kid(), None).await.is_ok(), "an outage is another matter");
}

#[tokio::test]
async fn promise_3_a_replica_that_is_another_key_is_not_served() {
    for lie in [Lie::WrongKey, Lie::ForgedFingerprint] {
        let world = world();
        let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        world.primary.outage();
        world.secondary.set_all(Some(Fault::Lie(lie.clone())));
        let (answer, told) = capture_tracing_of(world.jwk(key.kid(), None)).await;
        assert_eq!(kind(answer), KeyErrorKind::Integrity, "{lie:?}");
        assert!(told.contains("wrong key"), "{told}");
        assert_eq!(kind(world.read(key.kid(), None).await), KeyErrorKind::Integrity, "{lie:?}");
    }
}

#[tokio::test]
async fn promise_3_replicas_that_were_swapped_are_not_served() {
    let world = world_in(MirrorMode::Full);
    let a = world.mirror.create_key(&exportable(KeyAlg::Aes256Gcm)).await.unwrap();
    let b = world.mirror.create_key(&exportable(KeyAlg::Aes256Gcm)).await.unwrap();
    let other = kid(&b.id().to_string());
    world.primary.outage();
    world.secondary.set(Method::GetKey, Some(Fault::Lie(Lie::KeyOf(other))));
    assert_eq!(kind(world.secret(a.kid()).await), KeyErrorKind::Integrity);
}

#[tokio::test]
async fn promise_3_a_wrong_key_in_the_secondarys_jwks_is_left_out_and_the_others_stay() {
    let world = world();
    let right = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let wrong = world.mirror.create(KeyAlg::X25519).await.unwrap();
    world.primary.outage();
    let forged = world.secondary_keys.create(KeyAlg::X25519).await.unwrap();
    let place = wrong.id().to_string();
    world.secondary.set(
        Method::Jwks,
        Some(Fault::answer(move |_, honest| {
            let Ok(swarmauri_keyprovider_testkit::Answer::Jwks(set)) = honest else { panic!("no JWKS") };
            let mut set = (*set).clone();
            for jwk in &mut set.keys {
                if jwk.kid.as_deref().is_some_and(|kid| kid.starts_with(&place)) {
                    jwk.key = forged.public_key().unwrap().clone();
                }
            }
            Ok(swarmauri_keyprovider_testkit::Answer::Jwks(set.into()))
        })),
    );
    let jwks = world.mirror.jwks(&JwksQuery::LATEST).await.unwrap();
    let ours: Vec<_> = jwks.keys.iter().filter_map(swarmauri_keys::Jwk::version_id).collect();
    assert!(ours.contains(right.id()) && !ours.contains(wrong.id()), "{ours:?}");
}

#[tokio::test]
async fn promise_6_a_refusal_is_not_an_outage() {
    for error in refusals() {
        let world = world_in(MirrorMode::Full);
        let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
        world.secondary.journal().clear();
        world.primary.set_all(Some(Fault::FailBefore(error.clone())));
        let answers = [
            world.read(key.kid(), None).await.unwrap_err(),
            world.secret(key.kid()).await.unwrap_err(),
            world.jwk(key.kid(), None).await.unwrap_err(),
            world.mirror.list_versions(key.kid()).await.unwrap_err(),
            world.mirror.jwks(&JwksQuery::LATEST).await.unwrap_err(),
            world.mirror.random_bytes(8).await.unwrap_err(),
            world.mirror.hkdf(&vec![1; 32].into(), b"", b"", 8).await.unwrap_err(),
        ];
        for answer in answers {
            assert_eq!(answer.to_string(), error.to_string());
        }
        assert!(world.secondary.journal().calls().is_empty(), "{error}");
    }
}

#[tokio::test]
async fn promise_6_secrets_of_a_key_that_the_primary_lost_are_not_served() {
    let world = world_in(MirrorMode::Full);
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    world.primary_keys.destroy_key(key.kid(), None).await.unwrap();
    assert_eq!(kind(world.secret(key.kid()).await), KeyErrorKind::NotFound);
    assert!(world.jwk(key.kid(), None).await.is_ok());
}

#[tokio::test]
async fn promise_10_fail_closed_returns_the_primarys_error_unchanged() {
    for error in refusals().into_iter().chain(outages()).chain([KeyError::not_found(&kid("k"), None)]) {
        let world = world_with(|builder| builder.fail_open_reads(false));
        let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        world.secondary.journal().clear();
        world.primary.set_all(Some(Fault::FailBefore(error.clone())));
        let answers = [
            world.read(key.kid(), None).await.unwrap_err(),
            world.jwk(key.kid(), None).await.unwrap_err(),
            world.mirror.list_versions(key.kid()).await.unwrap_err(),
            world.mirror.jwks(&JwksQuery::LATEST).await.unwrap_err(),
            world.mirror.list_keys(&PageRequest::default()).await.unwrap_err(),
            world.mirror.random_bytes(8).await.unwrap_err(),
            world.mirror.hkdf(&vec![1; 32].into(), b"", b"", 8).await.unwrap_err(),
        ];
        for answer in answers {
            assert_eq!(answer.to_string(), error.to_string());
        }
        assert!(world.secondary.journal().calls().is_empty(), "{error}");
    }
}

#[tokio::test]
async fn both_sides_down_the_outage_is_not_hidden() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let never_copied = kid("unknown");
    for second in [KeyError::not_found(&never_copied, None), KeyError::unavailable("it too")] {
        world.primary.set_all(Some(Fault::FailBefore(KeyError::timeout("the first"))));
        world.secondary.set_all(Some(Fault::FailBefore(second)));
        for answer in [
            world.jwk(key.kid(), None).await.unwrap_err(),
            world.jwk(&never_copied, None).await.unwrap_err(),
            world.mirror.jwks(&JwksQuery::LATEST).await.unwrap_err(),
            world.mirror.random_bytes(8).await.unwrap_err(),
        ] {
            assert_eq!(answer.to_string(), "timeout: the first");
        }
    }
}

#[tokio::test]
async fn a_lost_key_whose_replica_is_out_of_reach_is_unavailable_and_not_absent() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary_keys.destroy_key(key.kid(), None).await.unwrap();
    world.secondary.outage();
    assert!(world.jwk(key.kid(), None).await.unwrap_err().is_outage());
}

#[tokio::test]
async fn a_replica_that_is_gone_is_noticed_and_owed() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.secondary_keys.destroy_key(&kid(&key.id().to_string()), None).await.unwrap();
    world.primary.outage();
    assert!(world.jwk(key.kid(), None).await.unwrap_err().is_outage());
    assert_eq!(world.backlog(), [format!("copy {}", key.id())]);
    world.primary.recover();
    assert!(world.mirror.reconcile().await.is_clean());
    world.primary.outage();
    assert_eq!(world.jwk(key.kid(), None).await.unwrap(), key.public_jwk().unwrap());
}

#[tokio::test]
async fn an_equal_kid_on_the_secondary_answers_for_nothing() {
    let world = world();
    let name = kid("default");
    world.secondary_keys.create_key(&KeySpec::new(KeyAlg::Ed25519).with_kid(name.clone())).await.unwrap();
    assert_eq!(kind(world.jwk(&name, None).await), KeyErrorKind::NotFound);
    world.primary.outage();
    for answer in [world.jwk(&name, None).await.unwrap_err(), world.read(&name, None).await.unwrap_err()] {
        assert!(answer.is_outage());
    }
    assert!(world.mirror.list_versions(&name).await.unwrap_err().is_outage());
}

#[tokio::test]
async fn mode_none_goes_by_equal_kid() {
    let world = world_in(MirrorMode::None);
    let spec = KeySpec::new(KeyAlg::Ed25519).with_kid(kid("shared"));
    let there = world.secondary_keys.create_key(&spec).await.unwrap();
    assert_eq!(world.jwk(&kid("shared"), None).await.unwrap(), there.public_jwk().unwrap());
    world.primary.outage();
    assert_eq!(world.read(&kid("shared"), Some(version(1))).await.unwrap().parts(), there.parts());
    assert_eq!(world.mirror.list_versions(&kid("shared")).await.unwrap(), [version(1)]);
    assert_eq!(world.mirror.jwks(&JwksQuery::LATEST).await.unwrap().keys, [there.public_jwk().unwrap()]);
    world.secondary.set(Method::GetKey, Some(Fault::Lie(Lie::Stale)));
    assert!(world.jwk(&kid("shared"), None).await.is_ok());
}

#[tokio::test]
async fn random_bytes_and_hkdf_survive_an_outage() {
    let world = world();
    let ikm = vec![9; 32].into();
    let before = world.mirror.hkdf(&ikm, b"salt", b"info", 42).await.unwrap();
    world.primary.outage();
    assert_eq!(world.mirror.hkdf(&ikm, b"salt", b"info", 42).await.unwrap(), before);
    assert_eq!(world.mirror.random_bytes(16).await.unwrap().len(), 16);
}

#[tokio::test]
async fn fail_over_is_told() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.outage();
    let (_, told) = capture_tracing_of(world.jwk(key.kid(), None)).await;
    assert!(told.contains("failing over") && told.contains("get_public_jwk"), "{told}");
    let (_, told) = capture_tracing_of(world.mirror.jwks(&JwksQuery::LATEST)).await;
    assert!(told.contains("failing over"), "{told}");
}

#[tokio::test]
async fn a_healthy_primary_is_asked_alone() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.secondary.journal().clear();
    world.secondary.hang();
    world.read(key.kid(), None).await.unwrap();
    world.jwk(key.kid(), None).await.unwrap();
    world.mirror.list_versions(key.kid()).await.unwrap();
    world.mirror.list_keys(&PageRequest::default()).await.unwrap();
    assert!(world.secondary.journal().calls().is_empty());
}

#[tokio::test]
async fn a_pending_version_is_not_served_and_the_latest_mirrored_one_is() {
    let world = world();
    let first = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.secondary.outage();
    let second = world.mirror.rotate(first.kid()).await.unwrap();
    world.secondary.recover();
    world.primary.outage();
    assert_eq!(world.jwk(first.kid(), None).await.unwrap(), first.public_jwk().unwrap());
    assert!(world.jwk(first.kid(), Some(second.version())).await.unwrap_err().is_outage());
    assert_eq!(world.mirror.list_versions(first.kid()).await.unwrap(), [version(1), version(2)]);
}

/// Whose breaker leaves the primary alone, once a read has been served by the replica.
async fn world_past_the_primary() -> (World, KeyRef) {
    let world = world_with(|builder| builder.breaker(BreakerSettings::default()).seed(1));
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.outage();
    while world.mirror.breakers()[&Backend::Primary] == BreakerState::Closed {
        world.read(key.kid(), None).await.unwrap();
    }
    let asked = || world.primary.journal().calls_of(Method::GetKey).len();
    let before = asked();
    assert_eq!(world.read(key.kid(), None).await.unwrap().parts(), key.parts());
    assert_eq!(asked(), before, "the primary is left alone");
    (world, key)
}

#[tokio::test(start_paused = true)]
async fn promise_4_a_destroy_that_begins_while_only_the_replica_is_asked_is_heeded() {
    let (world, key) = world_past_the_primary().await;
    let hold = world.secondary.hold(Method::GetKey);
    let (mirror, kid) = (world.mirror.clone(), key.kid().clone());
    let read = tokio::spawn(async move { mirror.get_key(&kid, None, Secrets::Omit).await });
    hold.arrived().await;
    assert!(world.mirror.destroy_key(key.kid(), None).await.unwrap_err().is_outage());
    hold.release();
    assert!(read.await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn while_only_the_replica_is_asked_it_is_checked_and_its_failures_are_the_primarys() {
    let (world, key) = world_past_the_primary().await;
    world.secondary.fail_next(Method::GetKey, Fault::Lie(Lie::WrongKey));
    assert_eq!(kind(world.read(key.kid(), None).await), KeyErrorKind::Integrity);
    world.secondary.fail_next(Method::GetKey, Fault::FailBefore(KeyError::permission_denied("told to")));
    let error = world.read(key.kid(), None).await.unwrap_err();
    assert!(error.is_outage() && error.to_string().contains("circuit breaker"), "{error}");
    assert_eq!(world.read(key.kid(), None).await.unwrap().parts(), key.parts());
}
