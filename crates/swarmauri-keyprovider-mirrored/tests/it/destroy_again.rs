//! Promise 4: destroys whose outcome is not known, and what is said of them later.

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
