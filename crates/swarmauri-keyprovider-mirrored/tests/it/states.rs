//! Disabling and enabling: on both sides, through outages, restarts, and behind the mirror's back.

use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_mirrored::{KeptReason, MirrorMode};
use swarmauri_keyprovider_testkit::{Fault, Method};
use swarmauri_keys::{
    Acceptance, KeyAlg, KeyError, KeyErrorKind, KeyId, KeyRef, KeyState, PageRequest, VerifyWith,
};

use crate::jobs::MESSAGE;
use crate::support::*;

pub(crate) async fn published(world: &World, query: &JwksQuery) -> Vec<String> {
    let jwks = world.mirror.jwks(query).await.unwrap();
    jwks.keys.iter().map(|jwk| jwk.kid.clone().unwrap()).collect()
}

pub(crate) async fn signs(world: &World, kid: &KeyId) -> Result<(), KeyError> {
    world.mirror.work().unwrap().sign(kid, None, MESSAGE).await.map(drop)
}

pub(crate) async fn replica_state(world: &World, key: &KeyRef) -> KeyState {
    let at = kid(&key.id().to_string());
    world.secondary_keys.get_key(&at, None, Secrets::Omit).await.unwrap().state()
}

/// Every way in which a version is not served while it is disabled, whichever side would answer.
pub(crate) async fn assert_disabled(world: &World, key: &KeyRef, what: &str) {
    let shown = world.read(key.kid(), None).await.unwrap();
    assert_eq!(shown.state(), KeyState::Disabled, "{what}");
    assert_eq!(kind(world.jwk(key.kid(), None).await), KeyErrorKind::Disabled, "{what}");
    assert_eq!(kind(world.secret(key.kid()).await), KeyErrorKind::Disabled, "{what}");
    assert_eq!(kind(signs(world, key.kid()).await), KeyErrorKind::Disabled, "{what}");
    for query in [JwksQuery::LATEST, JwksQuery::ALL_LIVE] {
        assert!(!published(world, &query).await.contains(&key.id().to_string()), "{what}");
    }
    let listed = world.mirror.list_keys(&PageRequest::default()).await.unwrap().items;
    let listed = listed.iter().find(|summary| summary.kid == *key.kid());
    assert_eq!(listed.unwrap().state, KeyState::Disabled, "{what}");
}

pub(crate) async fn assert_enabled(world: &World, key: &KeyRef, what: &str) {
    assert_eq!(world.read(key.kid(), None).await.unwrap().parts(), key.parts(), "{what}");
    assert_eq!(world.jwk(key.kid(), None).await.unwrap(), key.public_jwk().unwrap(), "{what}");
    world.secret(key.kid()).await.unwrap();
    signs(world, key.kid()).await.unwrap();
    assert!(published(world, &JwksQuery::LATEST).await.contains(&key.id().to_string()), "{what}");
}

#[tokio::test]
async fn a_disabled_key_is_served_by_neither_side_and_an_enabled_one_by_both() {
    let world = world_in(MirrorMode::Full);
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    for _ in 0..2 {
        world.mirror.disable_key(key.kid(), key.version()).await.unwrap();
        assert_disabled(&world, &key, "primary up").await;
        assert_eq!(replica_state(&world, &key).await, KeyState::Disabled, "the replica follows");
        assert_eq!(world.mirror.status().disabled, 1);
        world.primary.outage();
        assert_disabled(&world, &key, "primary out").await;
        world.primary.recover();

        world.mirror.enable_key(key.kid(), key.version()).await.unwrap();
        assert_enabled(&world, &key, "primary up").await;
        assert_eq!(replica_state(&world, &key).await, KeyState::Enabled);
        world.primary.outage();
        assert_enabled(&world, &key, "primary out").await;
        world.primary.recover();
        assert_eq!(world.mirror.status().disabled, 0);
        assert!(world.backlog().is_empty() && world.mirror.plan_reconcile().await.is_empty());
    }
}

#[tokio::test]
async fn older_versions_do_not_stand_in_for_a_disabled_latest_one() {
    let world = world_in(MirrorMode::Full);
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    let rotated = world.mirror.rotate(key.kid()).await.unwrap();
    world.mirror.disable_key(key.kid(), rotated.version()).await.unwrap();
    let before = published(&world, &JwksQuery::ALL_LIVE).await;
    for out in [false, true] {
        if out {
            world.primary.outage();
        }
        assert_disabled(&world, &rotated, &format!("out: {out}")).await;
        assert_eq!(published(&world, &JwksQuery::LATEST).await, Vec::<String>::new());
        assert_eq!(published(&world, &JwksQuery::ALL_LIVE).await, [key.id().to_string()]);
        assert_eq!(published(&world, &JwksQuery::ALL_LIVE).await, before);
        world.jwk(key.kid(), Some(key.version())).await.unwrap();
        assert_eq!(world.mirror.list_versions(key.kid()).await.unwrap().len(), 2);
    }
    world.primary.recover();
    let third = world.mirror.rotate(key.kid()).await.unwrap();
    assert_enabled(&world, &third, "a rotation makes an enabled version").await;
}

/// The wait for the primary's answer is no time in which the secondary signs.
#[tokio::test(start_paused = true)]
async fn from_the_moment_the_primary_is_asked_the_secondary_does_no_work() {
    let world = world_in(MirrorMode::Full);
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    let held = world.primary.hold(Method::DisableKey);
    let (mirror, id) = (world.mirror.clone(), key.id().clone());
    let disabling = tokio::spawn(async move { mirror.disable_key(&id.kid, id.version).await });
    held.arrived().await;
    world.primary.set(Method::Sign, Some(Fault::FailBefore(KeyError::unavailable("out"))));
    assert_eq!(kind(signs(&world, key.kid()).await), KeyErrorKind::Disabled);
    held.release();
    disabling.await.unwrap().unwrap();
    assert_eq!(kind(signs(&world, key.kid()).await), KeyErrorKind::Disabled);
}

/// The replica has signed, and then the key was disabled: the signature is not handed out.
#[tokio::test(start_paused = true)]
async fn what_a_replica_did_is_not_served_once_the_key_is_disabled() {
    let world = world_in(MirrorMode::Full);
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    world.primary.outage();
    let held = world.secondary.hold_after(Method::Sign);
    let (mirror, kid) = (world.mirror.clone(), key.kid().clone());
    let signing =
        tokio::spawn(async move { mirror.work().unwrap().sign(&kid, None, MESSAGE).await.map(|_| ()) });
    held.arrived().await;
    world.primary.recover();
    world.mirror.disable_key(key.kid(), key.version()).await.unwrap();
    held.release();
    assert_eq!(kind(signing.await.unwrap()), KeyErrorKind::Disabled);
}

/// The same for a secret that is on its way from the replica.
#[tokio::test(start_paused = true)]
async fn a_secret_is_not_handed_out_once_the_key_is_disabled() {
    let world = world_in(MirrorMode::Full);
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    world.primary.outage();
    let held = world.secondary.hold_after(Method::GetKey);
    let (mirror, kid) = (world.mirror.clone(), key.kid().clone());
    let reading = tokio::spawn(async move { mirror.get_key(&kid, None, Secrets::Include).await.map(drop) });
    held.arrived().await;
    world.primary.recover();
    world.mirror.disable_key(key.kid(), key.version()).await.unwrap();
    held.release();
    assert_eq!(kind(reading.await.unwrap()), KeyErrorKind::Disabled);
}

#[tokio::test]
async fn a_refused_change_of_state_changes_nothing_and_comes_back_unchanged() {
    for first in [false, true] {
        for refusal in refusals() {
            let world = world_in(MirrorMode::Full);
            let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
            if first {
                world.mirror.disable_key(key.kid(), key.version()).await.unwrap();
            }
            let before =
                (world.mirror.status(), world.secondary.journal().calls_of(Method::DisableKey).len());
            for method in [Method::DisableKey, Method::EnableKey] {
                world.primary.fail_next(method, Fault::FailBefore(refusal.clone()));
            }
            let disabled = world.mirror.disable_key(key.kid(), key.version()).await;
            let enabled = world.mirror.enable_key(key.kid(), key.version()).await;
            for answer in [disabled, enabled] {
                assert_eq!(answer.unwrap_err().to_string(), refusal.to_string());
            }
            let after = (world.mirror.status(), world.secondary.journal().calls_of(Method::DisableKey).len());
            assert_eq!(after, before, "{refusal}");
            world.primary.outage();
            assert_eq!(signs(&world, key.kid()).await.is_ok(), !first, "{refusal}");
        }
    }
}

#[tokio::test]
async fn an_absent_version_is_not_found_and_leaves_no_trace() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    for (kid, version) in [(kid("absent"), version(1)), (key.kid().clone(), version(7))] {
        assert_eq!(kind(world.mirror.disable_key(&kid, version).await), KeyErrorKind::NotFound);
        assert_eq!(kind(world.mirror.enable_key(&kid, version).await), KeyErrorKind::NotFound);
    }
    assert!(world.mirror.destroy_key(key.kid(), None).await.unwrap());
    assert_eq!(kind(world.mirror.disable_key(key.kid(), version(1)).await), KeyErrorKind::NotFound);
    assert_eq!(world.mirror.status().disabled, 0);
    assert!(world.backlog().is_empty());
}

/// Promise 11: whoever asked for a disable and got no answer is on the safe side until reconcile knows.
#[tokio::test]
async fn a_change_of_state_of_unknown_outcome_counts_as_disabled_until_reconcile_asks() {
    let outage = || KeyError::timeout("no answer");
    for (method, took_effect) in [
        (Method::DisableKey, false),
        (Method::DisableKey, true),
        (Method::EnableKey, false),
        (Method::EnableKey, true),
    ] {
        let world = world_in(MirrorMode::Full);
        let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
        let enabling = method == Method::EnableKey;
        if enabling {
            world.mirror.disable_key(key.kid(), key.version()).await.unwrap();
        }
        let fault = if took_effect { Fault::FailAfter(outage()) } else { Fault::FailBefore(outage()) };
        world.primary.fail_next(method, fault);
        let answer = if enabling {
            world.mirror.enable_key(key.kid(), key.version()).await
        } else {
            world.mirror.disable_key(key.kid(), key.version()).await
        };
        assert!(answer.unwrap_err().is_outage());
        assert_eq!(world.backlog(), [format!("state of unknown outcome {}", key.id())]);
        world.primary.outage();
        assert_eq!(kind(signs(&world, key.kid()).await), KeyErrorKind::Disabled, "{method:?} {took_effect}");
        assert!(!world.mirror.reconcile().await.is_clean(), "the primary cannot be asked");
        world.primary.recover();

        assert!(world.mirror.reconcile().await.is_clean());
        assert!(world.backlog().is_empty() && world.mirror.plan_reconcile().await.is_empty());
        world.primary.outage();
        if enabling == took_effect {
            assert_enabled(&world, &key, "settled").await;
        } else {
            assert_disabled(&world, &key, "settled").await;
        }
    }
}

#[tokio::test]
async fn promise_8_a_replica_that_cannot_be_told_is_owed_and_the_map_has_the_say() {
    for error in [KeyError::unavailable("told to"), KeyError::permission_denied("told to")] {
        let world = world_in(MirrorMode::Full);
        let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
        world.secondary.fail_next(Method::DisableKey, Fault::FailBefore(error.clone()));
        world.mirror.disable_key(key.kid(), key.version()).await.unwrap();
        assert_eq!(world.backlog(), [format!("state of replica {}", key.id())]);
        let debt = &world.mirror.status().backlog[0];
        assert_eq!((debt.attempts, debt.last_error.clone()), (1, Some(error.to_string())));
        assert_eq!(replica_state(&world, &key).await, KeyState::Enabled);
        world.primary.outage();
        assert_disabled(&world, &key, "an enabled replica of a disabled key").await;
        world.primary.recover();
        assert!(world.mirror.reconcile().await.is_clean());
        assert_eq!(replica_state(&world, &key).await, KeyState::Disabled);

        world.secondary.fail_next(Method::EnableKey, Fault::FailBefore(error));
        world.mirror.enable_key(key.kid(), key.version()).await.unwrap();
        world.primary.outage();
        assert_eq!(world.jwk(key.kid(), None).await.unwrap(), key.public_jwk().unwrap());
        let error = signs(&world, key.kid()).await.unwrap_err();
        assert!(error.is_outage(), "the replica does not work yet, and the key is not disabled: {error}");
        world.primary.recover();
        assert!(world.mirror.reconcile().await.is_clean());
        world.primary.outage();
        assert_enabled(&world, &key, "paid").await;
    }
}

/// In mode `full` the copy of a key that is disabled waits: its secret cannot be read.
#[tokio::test]
async fn a_key_that_is_disabled_before_it_was_copied_is_copied_when_it_is_enabled() {
    let world = world_in(MirrorMode::Full);
    world.secondary.fail_next(Method::ImportKey, Fault::FailBefore(KeyError::unavailable("told to")));
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    world.mirror.disable_key(key.kid(), key.version()).await.unwrap();
    assert!(world.mirror.reconcile().await.is_clean());
    assert_eq!(world.mirror.status().kept[&KeptReason::Disabled], 1);
    assert!(world.backlog().is_empty() && world.mirror.plan_reconcile().await.is_empty());
    assert!(world.secondary.journal().secret_bytes_handed().len() <= 1, "nothing new was handed over");

    world.mirror.enable_key(key.kid(), key.version()).await.unwrap();
    assert!(world.mirror.status().kept.is_empty());
    world.primary.outage();
    assert_enabled(&world, &key, "copied").await;
}

/// The same, enabled behind the mirror's back.
#[tokio::test]
async fn reconcile_copies_what_was_kept_for_being_disabled() {
    let world = world_in(MirrorMode::Full);
    world.secondary.fail_next(Method::ImportKey, Fault::FailBefore(KeyError::unavailable("told to")));
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    world.mirror.disable_key(key.kid(), key.version()).await.unwrap();
    assert!(world.mirror.reconcile().await.is_clean());
    world.primary_keys.enable_key(key.kid(), key.version()).await.unwrap();
    assert!(world.mirror.reconcile().await.is_clean());
    assert!(world.mirror.reconcile().await.is_clean());
    assert!(world.mirror.plan_reconcile().await.is_empty());
    world.primary.outage();
    assert_enabled(&world, &key, "copied").await;
}

#[tokio::test]
async fn a_lost_replica_is_copied_again_in_its_state() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.mirror.disable_key(key.kid(), key.version()).await.unwrap();
    world.secondary_keys.destroy_key(&kid(&key.id().to_string()), None).await.unwrap();
    assert!(world.mirror.reconcile().await.is_clean());
    assert!(world.mirror.plan_reconcile().await.is_empty());
    assert_eq!(world.replicas().await, 1);
    let replica = world.secondary_keys.list_all_keys().await.unwrap().remove(0);
    assert_eq!(replica.state, KeyState::Disabled);

    // Lost at the moment when it is to be told.
    world.secondary_keys.destroy_key(&replica.kid, None).await.unwrap();
    world.mirror.enable_key(key.kid(), key.version()).await.unwrap();
    assert!(world.mirror.reconcile().await.is_clean());
    world.primary.outage();
    assert_eq!(world.jwk(key.kid(), None).await.unwrap(), key.public_jwk().unwrap());
}

#[tokio::test]
async fn in_mode_none_a_disabled_key_is_not_stood_in_for_either() {
    let world = world_in(MirrorMode::None);
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    let secret = world.secret(key.kid()).await.unwrap().secret().unwrap().clone();
    let same = exportable(KeyAlg::Ed25519).with_kid(key.kid().clone());
    world.secondary_keys.import_key(&same, secret.into()).await.unwrap();
    world.mirror.disable_key(key.kid(), key.version()).await.unwrap();
    for out in [false, true] {
        if out {
            world.primary.outage();
        }
        assert_disabled(&world, &key, &format!("out: {out}")).await;
        let secondary = world.secondary_keys.get_key(key.kid(), None, Secrets::Omit).await.unwrap();
        assert_eq!(secondary.state(), KeyState::Enabled, "it is somebody else's key");
    }
    world.primary.recover();
    world.mirror.enable_key(key.kid(), key.version()).await.unwrap();
    world.primary.outage();
    signs(&world, key.kid()).await.unwrap();
}

#[tokio::test]
async fn destroying_a_disabled_key_leaves_nothing_of_it() {
    let world = world_in(MirrorMode::Full);
    for whole in [true, false] {
        let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
        world.mirror.disable_key(key.kid(), key.version()).await.unwrap();
        let which = (!whole).then_some(key.version());
        assert!(world.mirror.destroy_key(key.kid(), which).await.unwrap());
        assert_eq!(world.mirror.status().disabled, 0);
        assert_eq!(kind(world.read(key.kid(), Some(key.version())).await), KeyErrorKind::NotFound);
    }
    assert_eq!(world.replicas().await, 0);
    assert!(world.mirror.plan_reconcile().await.is_empty());
}

/// A version whose state is unknown, and which the primary has lost meanwhile, stays disabled.
#[tokio::test]
async fn what_the_primary_lost_while_it_was_being_disabled_stays_disabled() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.fail_next(Method::DisableKey, Fault::FailBefore(KeyError::timeout("no answer")));
    world.mirror.disable_key(key.kid(), key.version()).await.unwrap_err();
    world.primary_keys.destroy_key(key.kid(), None).await.unwrap();
    assert!(world.mirror.reconcile().await.is_clean());
    assert!(world.mirror.plan_reconcile().await.is_empty());
    assert_eq!(kind(world.jwk(key.kid(), None).await), KeyErrorKind::Disabled);
    assert_eq!(published(&world, &JwksQuery::LATEST).await, Vec::<String>::new());
}

/// A secondary that cannot disable is told nothing; the mirror does not offer it, and still heeds the primary.
#[tokio::test]
async fn without_a_secondary_that_can_disable_it_is_not_offered() {
    use swarmauri_keyprovider::Feature;
    let world = world_without(&[Feature::Disable]);
    assert!(!world.mirror.supports().has(Feature::Disable));
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    assert_eq!(kind(world.mirror.disable_key(key.kid(), key.version()).await), KeyErrorKind::Unsupported);
    world.primary_keys.disable_key(key.kid(), key.version()).await.unwrap();
    assert!(world.mirror.reconcile().await.is_clean());
    assert!(world.mirror.plan_reconcile().await.is_empty(), "there is nobody to tell");
    world.primary.outage();
    assert_eq!(kind(world.jwk(key.kid(), None).await), KeyErrorKind::Disabled);
}

#[tokio::test]
async fn disabled_versions_verify_when_asked_by_name_on_either_side() {
    for mode in [MirrorMode::PublicOnly, MirrorMode::Full] {
        let world = world_in(mode);
        let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
        let work = world.mirror.work().unwrap();
        let made = work.sign(key.kid(), None, MESSAGE).await.unwrap();
        world.mirror.disable_key(key.kid(), key.version()).await.unwrap();
        for out in [false, true] {
            if out {
                world.primary.outage();
            }
            let verify = async |acceptance| {
                let with = VerifyWith::Version(key.version());
                work.verify(key.kid(), with, MESSAGE, &made.bytes, acceptance).await
            };
            assert_eq!(kind(verify(Acceptance::EnabledOnly).await), KeyErrorKind::Disabled, "{mode} {out}");
            assert_eq!(verify(Acceptance::AllowDisabled).await.unwrap(), key.version(), "{mode} {out}");
        }
    }
}
