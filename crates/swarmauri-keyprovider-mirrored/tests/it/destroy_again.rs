//! Promise 4: destroys whose outcome is not known, and what is said of them later.

use futures_util::FutureExt as _;
use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_mirrored::MirrorMode;
use swarmauri_keyprovider_testkit::{Fault, Method};
use swarmauri_keys::{KeyAlg, KeyError, KeyErrorKind, KeySpec};

use crate::support::*;

/// Replicas of an earlier process are known once the secondary was asked.
#[tokio::test]
async fn promise_8_a_destroy_that_could_not_look_for_replicas_is_owed() {
    for whole in [true, false] {
        let world = world();
        let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        let world = world.restart();
        world.secondary.outage();
        let target = (!whole).then(|| version(1));
        assert!(world.mirror.destroy_key(key.kid(), target).await.unwrap());
        assert_eq!(world.backlog(), [format!("destroy replica {}", key.kid())]);
        world.secondary.recover();
        assert!(world.mirror.reconcile().await.is_clean());
        assert_eq!((world.backlog().len(), world.replicas().await), (0, 0));
    }
}

/// Of a key that an earlier process made, the later one knows the version that it has made itself.
#[tokio::test]
async fn promise_8_the_destroy_of_a_key_finds_the_replicas_of_versions_from_an_earlier_process() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let world = world.restart();
    world.mirror.rotate(key.kid()).await.unwrap();
    assert_eq!(world.replicas().await, 2);
    assert!(world.mirror.destroy_key(key.kid(), None).await.unwrap());
    assert_eq!((world.replicas().await, world.backlog().len()), (0, 0));
}

#[tokio::test]
async fn a_destroy_of_what_never_was_uses_no_number_up() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let world = world.restart();
    world.secondary.outage();
    // Whether there is a replica of that cannot be found out.
    assert!(world.mirror.destroy_key(key.kid(), Some(version(2))).await.unwrap_err().is_outage());
    assert_eq!(world.backlog(), [format!("destroy of unknown outcome {}.2", key.kid())]);
    world.secondary.recover();
    assert!(world.mirror.reconcile().await.is_clean());
    let second = world.mirror.rotate(key.kid()).await.unwrap();
    assert_eq!(second.version(), version(2));
    world.primary.outage();
    assert_eq!(world.read(key.kid(), None).await.unwrap().parts(), second.parts());
}

/// The first destroy was carried out, and its answer lost. Whatever is said of a second one does not bring the key back.
#[tokio::test]
async fn promise_4_what_an_earlier_destroy_has_carried_out_no_later_answer_takes_back() {
    let refusal = || Fault::FailBefore(KeyError::permission_denied("told to"));
    for again in [true, false] {
        for past in [true, false] {
            let world = world();
            let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
            world.primary.fail_next(Method::DestroyKey, Fault::FailAfter(KeyError::timeout("told to")));
            assert!(world.mirror.destroy_key(key.kid(), None).await.is_err());
            // Asked again, the primary says that there is nothing, or that it must not.
            if past {
                // A follower answers from before.
                let key = key.clone();
                let answer = Fault::answer(move |_, _| Ok(key.clone().into()));
                world.primary.fail_next(Method::GetKey, answer);
            } else {
                world.primary.fail_next(Method::DestroyKey, refusal());
            }
            if again {
                assert!(world.mirror.destroy_key(key.kid(), None).await.is_err());
            } else {
                assert_eq!(world.mirror.reconcile().await.failed.len(), 1);
            }
            assert_eq!(kind(world.read(key.kid(), None).await), KeyErrorKind::NotFound);
            assert_eq!(world.backlog(), [format!("destroy of unknown outcome {}", key.kid())]);
            assert!(world.mirror.reconcile().await.is_clean());
            assert_eq!((world.backlog().len(), world.replicas().await), (0, 0));
        }
    }
}

#[tokio::test]
async fn promise_4_mode_none_remembers_a_destroy_whose_answer_was_lost() {
    for again in [true, false] {
        let world = world_in(MirrorMode::None);
        let spec = KeySpec::new(KeyAlg::Ed25519).with_kid(kid("shared"));
        world.mirror.create_key(&spec).await.unwrap();
        world.secondary_keys.create_key(&spec).await.unwrap();
        world.primary.fail_next(Method::DestroyKey, Fault::FailAfter(KeyError::timeout("told to")));
        assert!(world.mirror.destroy_key(&kid("shared"), None).await.is_err());
        if again {
            assert!(!world.mirror.destroy_key(&kid("shared"), None).await.unwrap());
        } else {
            assert!(world.mirror.reconcile().await.is_clean());
        }
        world.primary.outage();
        assert!(world.read(&kid("shared"), None).await.is_err());
        assert!(world.mirror.jwks(&JwksQuery::LATEST).await.unwrap().keys.is_empty());
    }
}

/// Two callers who clean up after the same thing, which there never was.
#[tokio::test]
async fn destroys_of_what_never_was_use_no_name_up_when_they_meet() {
    for mode in [MirrorMode::PublicOnly, MirrorMode::None] {
        let world = world_in(mode);
        let hold = world.primary.hold(Method::DestroyKey);
        let destroy = || {
            let mirror = world.mirror.clone();
            tokio::spawn(async move { mirror.destroy_key(&kid("never"), None).await })
        };
        let (one, other) = (destroy(), destroy());
        hold.arrived().await;
        tokio::task::yield_now().await;
        hold.release();
        assert!(!one.await.unwrap().unwrap() && !other.await.unwrap().unwrap());
        world.mirror.create_key(&KeySpec::new(KeyAlg::Ed25519).with_kid(kid("never"))).await.unwrap();
    }
}

/// A destroy that was recorded, and dropped before the primary was asked, is no reason to doubt a refusal.
#[tokio::test]
async fn what_no_destroy_has_reached_a_refusal_gives_back() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let hold = world.primary.hold(Method::RotateKey);
    let (mirror, kid) = (world.mirror.clone(), key.kid().clone());
    let rotate = tokio::spawn(async move { mirror.rotate(&kid).await });
    hold.arrived().await;
    assert!(world.mirror.destroy_key(key.kid(), None).now_or_never().is_none());
    let open = format!("destroy of unknown outcome {}", key.kid());
    assert!(world.backlog().contains(&open));
    hold.release();
    rotate.await.unwrap().unwrap();
    world.primary.fail_next(Method::DestroyKey, Fault::FailBefore(KeyError::permission_denied("told to")));
    world.primary.fail_next(Method::GetKey, Fault::FailBefore(KeyError::unavailable("told to")));
    assert!(world.mirror.destroy_key(key.kid(), None).await.is_err());
    assert!(!world.backlog().contains(&open), "{:?}", world.backlog());
    world.primary.outage();
    assert!(world.read(key.kid(), Some(version(1))).await.is_ok());
}

/// A version whose making was answered by nobody, and whose destroy was not, either: once a later one is known, a primary that
/// answers from the past does not bring it back. Before, it is not known that its number was ever used.
#[tokio::test]
async fn promise_4_what_was_made_and_destroyed_without_an_answer_stays_destroyed() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let lost = || Fault::FailAfter(KeyError::timeout("told to"));
    world.primary.fail_next(Method::RotateKey, lost());
    assert!(world.mirror.rotate(key.kid()).await.is_err());
    let second = world.read(key.kid(), None).await.unwrap();
    world.primary.fail_next(Method::DestroyKey, lost());
    assert!(world.mirror.destroy_key(key.kid(), Some(version(2))).await.unwrap_err().is_outage());
    world.mirror.rotate(key.kid()).await.unwrap();
    assert!(world.mirror.reconcile().await.is_clean());
    assert!(world.backlog().is_empty());
    world.primary.fail_next(Method::GetKey, Fault::answer(move |_, _| Ok(second.clone().into())));
    assert_eq!(kind(world.read(key.kid(), Some(version(2))).await), KeyErrorKind::NotFound);
}

/// A rotation that the primary never heard of, and destroys of the version that it would have made: the number is free.
#[tokio::test]
async fn destroys_of_what_an_unheard_rotation_would_have_made_use_no_number_up() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let out = || Fault::FailBefore(KeyError::timeout("told to"));
    world.primary.fail_next(Method::RotateKey, out());
    assert!(world.mirror.rotate(key.kid()).await.is_err());
    world.primary.fail_next(Method::DestroyKey, out());
    assert!(world.mirror.destroy_key(key.kid(), Some(version(2))).await.is_err());
    assert!(!world.mirror.destroy_key(key.kid(), Some(version(2))).await.unwrap());
    assert_eq!(world.mirror.rotate(key.kid()).await.unwrap().version(), version(2));
}

/// Somebody asks for the destruction of versions that are still to come: that one of them comes later uses no number up.
#[tokio::test]
async fn destroys_of_versions_that_are_still_to_come_use_no_number_up() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let destroy = |number| world.mirror.destroy_key(key.kid(), Some(version(number)));
    for number in [3, 2] {
        world.primary.fail_next(Method::DestroyKey, Fault::FailBefore(KeyError::timeout("told to")));
        assert!(destroy(number).await.unwrap_err().is_outage());
    }
    assert!(!destroy(2).await.unwrap());
    assert!(!destroy(3).await.unwrap());
    assert_eq!(world.mirror.rotate(key.kid()).await.unwrap().version(), version(2));
    assert_eq!(world.mirror.rotate(key.kid()).await.unwrap().version(), version(3));
}

/// Another process has sent the destroy that this one recorded, so that the primary has nothing left; whether that is so it
/// refuses to say.
#[tokio::test]
async fn promise_4_a_primary_that_has_nothing_to_destroy_and_refuses_the_read_gives_nothing_back() {
    for whole in [true, false] {
        let world = world();
        let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        let which = (!whole).then_some(key.version());
        world.primary_keys.destroy_key(key.kid(), which).await.unwrap();
        world.primary.fail_next(Method::GetKey, Fault::FailBefore(KeyError::permission_denied("told to")));
        assert_eq!(kind(world.mirror.destroy_key(key.kid(), which).await), KeyErrorKind::PermissionDenied);
        assert_eq!(kind(world.read(key.kid(), Some(version(1))).await), KeyErrorKind::NotFound);
        assert!(world.mirror.jwks(&JwksQuery::LATEST).await.unwrap().keys.is_empty());
        assert_eq!(world.backlog().len(), 1, "its outcome is unknown");
        assert!(world.mirror.reconcile().await.is_clean());
        assert_eq!((world.backlog().len(), world.replicas().await), (0, 0));
    }
}

/// Of what nobody has ever heard there is nothing to keep, and its name stays free.
#[tokio::test]
async fn a_destroy_of_what_never_was_whose_proof_is_refused_uses_no_name_up() {
    let world = world();
    world.primary.fail_next(Method::GetKey, Fault::FailBefore(KeyError::permission_denied("told to")));
    assert!(world.mirror.destroy_key(&kid("never"), None).await.is_err());
    assert!(world.backlog().is_empty());
    world.mirror.create_key(&KeySpec::new(KeyAlg::Ed25519).with_kid(kid("never"))).await.unwrap();
}

/// An earlier process has copied a version under a name that does not tell, as the one that does was used up.
#[tokio::test]
async fn promise_8_a_destroy_of_a_version_that_was_taken_in_leaves_no_replica_under_another_name() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    for listed in world.secondary_keys.list_all_keys().await.unwrap() {
        world.secondary_keys.destroy_key(&listed.kid, None).await.unwrap();
    }
    assert!(world.mirror.reconcile().await.is_clean());
    assert_eq!(world.replicas().await, 1);
    let world = world.restart();
    // It is searched by nobody, and takes no second copy.
    for method in [Method::ListKeys, Method::ImportKey] {
        world.secondary.set(method, Some(Fault::FailBefore(KeyError::permission_denied("told to"))));
    }
    world.mirror.reconcile().await;
    world.secondary.recover();
    assert!(world.mirror.destroy_key(key.kid(), Some(key.version())).await.unwrap());
    assert_eq!((world.replicas().await, world.backlog().len()), (0, 0));
}
