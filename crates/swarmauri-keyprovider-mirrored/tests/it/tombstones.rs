//! Promise 4 where calls overlap, where a side lies, and where there is no secondary to help.

use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_mirrored::MirrorMode;
use swarmauri_keyprovider_testkit::{Answer, Fault, Lie, Method};
use swarmauri_keys::{KeyAlg, KeyError, KeyErrorKind, KeyId, KeyRef, KeyRefParts, KeySpec, KeyVersion};

use crate::support::*;

fn named(name: &str) -> KeySpec {
    KeySpec::new(KeyAlg::Ed25519).with_kid(kid(name))
}

/// A key with so many versions.
async fn key_of(world: &World, versions: u32) -> KeyId {
    let key = world.mirror.create_key(&named("k")).await.unwrap();
    for _ in 1..versions {
        world.mirror.rotate(key.kid()).await.unwrap();
    }
    key.kid().clone()
}

/// Destroys a version (or all) of a primary that says so and does not do it.
async fn destroy_in_name_only(world: &World, kid: &KeyId, which: Option<KeyVersion>) {
    world.primary.fail_next(Method::DestroyKey, Fault::Lie(Lie::DestroyNothingSayTrue));
    assert!(world.mirror.destroy_key(kid, which).await.unwrap());
}

/// What a read shows of the key: the versions that its answer is of.
async fn shown(world: &World, method: Method, kid: &KeyId, which: Option<KeyVersion>) -> Vec<u32> {
    let mirror = &world.mirror;
    let versions = match method {
        Method::GetKey => {
            let key = mirror.get_key(kid, which, Secrets::Omit).await;
            key.into_iter().map(|key| key.version()).collect()
        }
        Method::GetPublicJwk => {
            let jwk = mirror.get_public_jwk(kid, which).await;
            jwk.into_iter().map(|jwk| jwk.version_id().unwrap().version).collect()
        }
        Method::ListVersions => mirror.list_versions(kid).await.unwrap_or_default(),
        Method::ListKeys => {
            let all = mirror.list_all_keys().await.unwrap();
            all.into_iter().map(|summary| summary.version).collect()
        }
        _ => {
            let document = mirror.jwks(&JwksQuery::ALL_LIVE).await.unwrap();
            document.keys.iter().map(|jwk| jwk.version_id().unwrap().version).collect::<Vec<_>>()
        }
    };
    versions.into_iter().map(KeyVersion::get).collect()
}

#[tokio::test]
async fn promise_4_an_answer_of_the_primary_from_before_the_destroy_is_not_served() {
    let methods =
        [Method::GetKey, Method::GetPublicJwk, Method::ListVersions, Method::ListKeys, Method::Jwks];
    for method in methods {
        for destroyed in [None, Some(version(2))] {
            for asked in [None, Some(version(2))] {
                let world = std::sync::Arc::new(world());
                let name = key_of(&world, 2).await;
                let hold = world.primary.hold_after(method);
                let read = tokio::spawn({
                    let (world, name) = (world.clone(), name.clone());
                    async move { shown(&world, method, &name, asked).await }
                });
                hold.arrived().await;
                world.mirror.destroy_key(&name, destroyed).await.unwrap();
                hold.release();
                let by_version = matches!(method, Method::GetKey | Method::GetPublicJwk);
                let left: &[u32] =
                    if destroyed.is_none() || (by_version && asked.is_some()) { &[] } else { &[1] };
                assert_eq!(read.await.unwrap(), left, "{method:?} {destroyed:?} {asked:?}");
            }
        }
    }
}

#[tokio::test]
async fn promise_4_a_second_look_at_the_primary_is_checked_too() {
    let world = std::sync::Arc::new(world());
    let name = key_of(&world, 2).await;
    destroy_in_name_only(&world, &name, Some(version(2))).await;
    // The first answer is version 2, the one that is held is version 1.
    world.primary.hold_after(Method::GetKey).release();
    let hold = world.primary.hold_after(Method::GetKey);
    let read = tokio::spawn({
        let (world, name) = (world.clone(), name.clone());
        async move { world.read(&name, None).await }
    });
    hold.arrived().await;
    destroy_in_name_only(&world, &name, None).await;
    hold.release();
    assert_eq!(kind(read.await.unwrap()), KeyErrorKind::NotFound);
}

#[tokio::test]
async fn promise_4_the_latest_that_is_left_answers_also_without_the_secondary() {
    for fail_open in [true, false] {
        let world = world_with(|builder| builder.fail_open_reads(fail_open));
        let name = key_of(&world, 3).await;
        destroy_in_name_only(&world, &name, Some(version(3))).await;
        world.mirror.create_key(&named("other")).await.unwrap();
        for _ in 0..3 {
            world.mirror.rotate(&kid("other")).await.unwrap();
        }
        assert_eq!(world.read(&name, None).await.unwrap().version(), version(2));
        assert_eq!(world.jwk(&name, None).await.unwrap().version_id().unwrap().version, version(2));
        let latest = world.mirror.jwks(&JwksQuery::LATEST).await.unwrap();
        let ids: Vec<_> = latest.keys.iter().filter_map(swarmauri_keys::Jwk::version_id).collect();
        assert_eq!(ids, [name.at(version(2)), kid("other").at(version(4))], "fail open: {fail_open}");
    }
}

#[tokio::test]
async fn promise_4_the_versions_of_a_destroyed_key_are_not_found_whoever_is_out() {
    for (mode, versions, which) in [
        (MirrorMode::PublicOnly, 2, None),
        (MirrorMode::None, 2, None),
        (MirrorMode::PublicOnly, 1, Some(version(1))),
    ] {
        let world = world_in(mode);
        let name = key_of(&world, versions).await;
        destroy_in_name_only(&world, &name, which).await;
        assert_eq!(kind(world.mirror.list_versions(&name).await), KeyErrorKind::NotFound);
        if which.is_some() {
            continue;
        }
        world.primary.outage();
        assert_eq!(kind(world.mirror.list_versions(&name).await), KeyErrorKind::NotFound);
        world.secondary.outage();
        assert_eq!(kind(world.mirror.list_versions(&name).await), KeyErrorKind::NotFound);
    }
}

#[tokio::test]
async fn promise_4_a_destroy_that_waits_for_its_turn_hides_the_replica_already() {
    for which in [None, Some(version(1))] {
        let world = world();
        let name = key_of(&world, 1).await;
        let hold = world.primary.hold(Method::RotateKey);
        let rotate = tokio::spawn({
            let (mirror, name) = (world.mirror.clone(), name.clone());
            async move { mirror.rotate(&name).await }
        });
        hold.arrived().await;
        let destroy = tokio::spawn({
            let (mirror, name) = (world.mirror.clone(), name.clone());
            async move { mirror.destroy_key(&name, which).await }
        });
        tokio::task::yield_now().await;
        world.primary.set(Method::GetPublicJwk, Some(Fault::FailBefore(KeyError::unavailable("out"))));
        assert!(world.jwk(&name, Some(version(1))).await.unwrap_err().is_outage());
        hold.release();
        rotate.await.unwrap().unwrap();
        assert!(destroy.await.unwrap().unwrap());
    }
}

#[tokio::test]
async fn a_read_that_a_destroy_overtakes_whose_outcome_is_open_is_an_outage() {
    for asked in [None, Some(version(1))] {
        let world = world();
        let name = key_of(&world, 1).await;
        world.primary.set(Method::GetPublicJwk, Some(Fault::FailBefore(KeyError::unavailable("out"))));
        let answers = world.secondary.hold_after(Method::GetKey);
        let read = tokio::spawn({
            let (mirror, name) = (world.mirror.clone(), name.clone());
            async move { mirror.get_public_jwk(&name, asked).await }
        });
        answers.arrived().await;
        world.primary.fail_next(Method::DestroyKey, Fault::FailBefore(KeyError::timeout("no answer")));
        world.mirror.destroy_key(&name, None).await.unwrap_err();
        answers.release();
        assert_eq!(kind(read.await.unwrap()), KeyErrorKind::Unavailable, "it may still live");
    }
}

/// "Nothing to destroy" is looked after, and the look may fail as well.
#[tokio::test]
async fn a_false_that_cannot_be_looked_after_is_an_open_outcome() {
    for error in refusals().into_iter().chain(outages()) {
        let world = world();
        let name = key_of(&world, 1).await;
        world.primary.fail_next(Method::DestroyKey, Fault::Lie(Lie::DestroyNothingSayFalse));
        world.primary.fail_next(Method::GetKey, Fault::FailBefore(error.clone()));
        let answer = kind(world.mirror.destroy_key(&name, None).await);
        world.primary.outage();
        if error.kind() == KeyErrorKind::Disabled {
            // That says that it is there.
            assert_eq!(answer, KeyErrorKind::Integrity);
            assert!(world.backlog().is_empty());
            assert!(world.jwk(&name, None).await.is_ok());
        } else {
            assert_eq!(answer, error.kind());
            assert_eq!(world.backlog(), ["destroy of unknown outcome k"]);
            assert!(world.jwk(&name, None).await.unwrap_err().is_outage());
        }
    }
}

#[tokio::test]
async fn a_destroy_ends_a_create_whose_outcome_is_open() {
    let world = world();
    world.primary.fail_next(Method::CreateKey, Fault::FailBefore(KeyError::timeout("no answer")));
    world.mirror.create_key(&named("asked")).await.unwrap_err();
    assert!(!world.mirror.destroy_key(&kid("asked"), None).await.unwrap());
    assert!(world.backlog().is_empty(), "{:?}", world.backlog());
    // The create may still be on its way.
    let late = world.primary_keys.create_key(&named("asked")).await.unwrap();
    assert_eq!(kind(world.jwk(late.kid(), None).await), KeyErrorKind::NotFound);
}

#[tokio::test]
async fn promise_4_mode_none_serves_no_destroyed_version_from_the_secondary() {
    let world = world_in(MirrorMode::None);
    let name = key_of(&world, 2).await;
    world.secondary_keys.create_key(&named("k")).await.unwrap();
    world.secondary_keys.rotate(&name).await.unwrap();
    assert!(world.mirror.destroy_key(&name, Some(version(2))).await.unwrap());
    world.primary.outage();
    for method in [Method::GetKey, Method::GetPublicJwk] {
        for asked in [None, Some(version(2))] {
            let served = shown(&world, method, &name, asked).await;
            assert!(!served.contains(&2), "{method:?} {asked:?}");
        }
    }
}

#[tokio::test]
async fn while_a_destroy_is_open_its_key_takes_no_write() {
    let world = world();
    let name = key_of(&world, 1).await;
    world.primary.fail_next(Method::DestroyKey, Fault::FailBefore(KeyError::timeout("no answer")));
    world.mirror.destroy_key(&name, None).await.unwrap_err();
    world.primary.journal().clear();
    assert_eq!(kind(world.mirror.create_key(&named("k")).await), KeyErrorKind::Conflict);
    assert_eq!(kind(world.mirror.rotate(&name).await), KeyErrorKind::Conflict);
    assert!(world.primary.journal().calls().is_empty());
}

#[tokio::test]
async fn a_destroyed_version_that_the_primary_hands_out_again_is_refused_in_every_mode() {
    for mode in [MirrorMode::PublicOnly, MirrorMode::Full, MirrorMode::None] {
        let world = world_in(mode);
        let name = key_of(&world, 2).await;
        world.mirror.destroy_key(&name, Some(version(2))).await.unwrap();
        let again = Fault::answer(|_, honest| {
            let Ok(Answer::Key(key)) = honest else { panic!("rotation failed") };
            let id = key.kid().at(version(2));
            Ok(Answer::Key(KeyRef::new(KeyRefParts { id, ..key.parts().clone() })))
        });
        world.primary.fail_next(Method::RotateKey, again);
        assert_eq!(kind(world.mirror.rotate(&name).await), KeyErrorKind::Integrity, "{mode}");
    }
}

#[tokio::test]
async fn promise_8_a_replica_that_cannot_be_destroyed_is_owed_with_what_was_said() {
    let world = world();
    let name = key_of(&world, 1).await;
    world.secondary.set(Method::DestroyKey, Some(Fault::FailBefore(KeyError::permission_denied("no"))));
    assert!(world.mirror.destroy_key(&name, None).await.unwrap());
    for attempts in 1..=2 {
        let debt = &world.mirror.status().backlog[0];
        assert_eq!((debt.attempts, debt.last_error.as_deref()), (attempts, Some("permission denied: no")));
        assert_eq!(world.mirror.reconcile().await.failed.len(), 1);
    }
    world.secondary.recover();
    world.secondary.journal().clear();
    assert!(world.mirror.reconcile().await.is_clean());
    let asked = &world.secondary.journal().calls_of(Method::DestroyKey)[0];
    assert_eq!((asked.kid.clone(), asked.version), (Some(kid("k.1")), Some(version(1))), "no more than that");
}

#[tokio::test]
async fn tombstones_are_counted_by_version() {
    let world = world();
    let name = key_of(&world, 3).await;
    assert!(world.mirror.destroy_key(&name, Some(version(1))).await.unwrap());
    assert_eq!(world.mirror.status().tombstones, 1);
    assert!(world.mirror.destroy_key(&name, None).await.unwrap());
    assert_eq!(world.mirror.status().tombstones, 3);
}

#[tokio::test]
async fn a_refused_destroy_settles_an_earlier_one_of_unknown_outcome() {
    for which in [None, Some(version(1))] {
        let world = world();
        let name = key_of(&world, 1).await;
        for error in [KeyError::timeout("no answer"), KeyError::permission_denied("no")] {
            world.primary.fail_next(Method::DestroyKey, Fault::FailBefore(error.clone()));
            assert_eq!(kind(world.mirror.destroy_key(&name, which).await), error.kind());
        }
        assert!(world.backlog().is_empty(), "{:?}", world.backlog());
        world.primary.outage();
        assert!(world.jwk(&name, None).await.is_ok());
    }
}
