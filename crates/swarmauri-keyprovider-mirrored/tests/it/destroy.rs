//! Promise 4: no resurrection.

use std::sync::Arc;
use std::time::Duration;

use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_mirrored::MirrorMode;
use swarmauri_keyprovider_testkit::{Call, Fault, Lie, Method};
use swarmauri_keys::{KeyAlg, KeyError, KeyErrorKind, KeyId, KeySpec, KeyVersion};

use crate::support::*;

/// Whoever is asked, in whatever state the sides are, this is not served.
async fn assert_gone(world: &World, kid: &KeyId, which: Option<KeyVersion>) {
    let recover = || {
        world.primary.recover();
        world.secondary.recover();
    };
    for state in ["both up", "primary out", "secondary out", "primary lies"] {
        recover();
        match state {
            "primary out" => world.primary.outage(),
            "secondary out" => world.secondary.outage(),
            "primary lies" => world.primary.set_all(Some(Fault::Lie(Lie::NotFound))),
            _ => {}
        }
        let jwk = world.jwk(kid, which).await;
        assert_eq!(jwk.map_err(|error| error.kind()), Err(KeyErrorKind::NotFound), "{state}");
        assert_eq!(kind(world.read(kid, which).await), KeyErrorKind::NotFound, "{state}");
        for query in [JwksQuery::LATEST, JwksQuery::ALL_LIVE] {
            for jwk in &world.mirror.jwks(&query).await.unwrap().keys {
                let id = jwk.version_id().unwrap();
                let gone = id.kid == *kid && which.is_none_or(|which| which == id.version);
                assert!(!gone, "{state}: {id} is in the JWKS");
                assert!(!id.kid.as_str().starts_with(&format!("{kid}.")), "{state}: the replica {id} shows");
            }
        }
    }
    recover();
}

#[tokio::test(start_paused = true)]
async fn promise_4_a_destroy_with_a_failing_secondary_is_a_debt_and_no_resurrection() {
    let faults = [
        Fault::FailBefore(KeyError::unavailable("before")),
        Fault::FailAfter(KeyError::unavailable("after")),
        Fault::FailBefore(KeyError::permission_denied("refused")),
        Fault::HangBefore,
        Fault::HangAfter,
    ];
    for fault in faults {
        for which in [None, Some(version(2))] {
            let world = world();
            let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
            world.mirror.rotate(key.kid()).await.unwrap();
            world.secondary.set_all(Some(fault.clone()));
            let answer = give_up(world.mirror.destroy_key(key.kid(), which)).await;
            let hung = matches!(fault, Fault::HangBefore | Fault::HangAfter);
            assert_eq!(answer.is_none(), hung);
            assert!(answer.is_none_or(|answer| answer.unwrap()));
            let owed = world.backlog();
            assert_eq!(owed.len(), if which.is_none() { 2 } else { 1 }, "{owed:?}");
            assert!(owed.iter().all(|debt| debt.starts_with("destroy replica")), "{owed:?}");

            assert_gone(&world, key.kid(), which).await;
            assert!(world.mirror.reconcile().await.is_clean());
            assert!(world.backlog().is_empty(), "{:?}", world.backlog());
            assert_eq!(world.replicas().await, usize::from(which.is_some()));
            assert_gone(&world, key.kid(), which).await;
            if which.is_some() {
                assert_eq!(
                    world.jwk(key.kid(), None).await.unwrap().version_id().unwrap().version,
                    version(1)
                );
            }
        }
    }
}

#[tokio::test]
async fn promise_4_from_the_start_of_a_destroy_the_secondary_serves_no_more() {
    for which in [None, Some(version(1))] {
        let world = world();
        let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        let hold = world.primary.hold(Method::DestroyKey);
        let mirror = world.mirror.clone();
        let kid = key.kid().clone();
        let destroy = tokio::spawn(async move { mirror.destroy_key(&kid, which).await });
        hold.arrived().await;

        assert!(world.jwk(key.kid(), None).await.is_ok(), "the primary still has it");
        world.primary.set(Method::GetPublicJwk, Some(Fault::FailBefore(KeyError::unavailable("out"))));
        world.primary.set(Method::Jwks, Some(Fault::FailBefore(KeyError::unavailable("out"))));
        assert!(world.jwk(key.kid(), None).await.unwrap_err().is_outage());
        assert!(world.mirror.jwks(&JwksQuery::LATEST).await.unwrap().keys.is_empty());
        hold.release();
        assert!(destroy.await.unwrap().unwrap());
        assert_gone(&world, key.kid(), which).await;
    }
}

#[tokio::test]
async fn promise_4_a_read_that_the_secondary_answers_after_the_destroy_began_is_not_served() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.set(Method::GetPublicJwk, Some(Fault::FailBefore(KeyError::unavailable("out"))));
    let hold = world.secondary.hold_after(Method::GetKey);
    let (mirror, kid) = (world.mirror.clone(), key.kid().clone());
    let read = tokio::spawn(async move { mirror.get_public_jwk(&kid, None).await });
    hold.arrived().await;
    world.mirror.destroy_key(key.kid(), None).await.unwrap();
    hold.release();
    assert_eq!(kind(read.await.unwrap()), KeyErrorKind::NotFound);
}

#[tokio::test]
async fn a_read_of_the_latest_goes_on_to_the_one_before_when_the_latest_is_destroyed_meanwhile() {
    let world = world();
    let first = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.mirror.rotate(first.kid()).await.unwrap();
    world.primary.set(Method::GetPublicJwk, Some(Fault::FailBefore(KeyError::unavailable("out"))));
    let hold = world.secondary.hold_after(Method::GetKey);
    let (mirror, kid) = (world.mirror.clone(), first.kid().clone());
    let read = tokio::spawn(async move { mirror.get_public_jwk(&kid, None).await });
    hold.arrived().await;
    world.mirror.destroy_key(first.kid(), Some(version(2))).await.unwrap();
    hold.release();
    assert_eq!(read.await.unwrap().unwrap(), first.public_jwk().unwrap());

    // The same where the primary answers, and loses one more while it is asked for the one before.
    let world = world_in(MirrorMode::PublicOnly);
    let first = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.mirror.rotate(first.kid()).await.unwrap();
    world.mirror.rotate(first.kid()).await.unwrap();
    let latest = world.primary.hold_after(Method::GetKey);
    let (mirror, kid) = (world.mirror.clone(), first.kid().clone());
    let read = tokio::spawn(async move { mirror.get_key(&kid, None, Secrets::Omit).await });
    latest.arrived().await;
    let before = world.primary.hold(Method::GetKey);
    world.mirror.destroy_key(first.kid(), Some(version(3))).await.unwrap();
    latest.release();
    before.arrived().await;
    world.mirror.destroy_key(first.kid(), Some(version(2))).await.unwrap();
    before.release();
    assert_eq!(read.await.unwrap().unwrap().version(), version(1));
}

#[tokio::test]
async fn promise_4_a_read_that_the_primary_answers_from_before_the_destroy_is_not_served() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let hold = world.primary.hold_after(Method::GetPublicJwk);
    let (mirror, kid) = (world.mirror.clone(), key.kid().clone());
    let read = tokio::spawn(async move { mirror.get_public_jwk(&kid, None).await });
    hold.arrived().await;
    world.mirror.destroy_key(key.kid(), None).await.unwrap();
    hold.release();
    assert_eq!(kind(read.await.unwrap()), KeyErrorKind::NotFound);
}

#[tokio::test]
async fn promise_4_tombstones_outrank_a_primary_that_answers_from_the_past() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.mirror.rotate(key.kid()).await.unwrap();
    // The primary says that it destroyed version 2, and did nothing.
    world.primary.fail_next(Method::DestroyKey, Fault::Lie(Lie::DestroyNothingSayTrue));
    assert!(world.mirror.destroy_key(key.kid(), Some(version(2))).await.unwrap());
    assert_eq!(kind(world.jwk(key.kid(), Some(version(2))).await), KeyErrorKind::NotFound);
    assert_eq!(world.jwk(key.kid(), None).await.unwrap().version_id().unwrap().version, version(1));
    assert_eq!(world.mirror.list_versions(key.kid()).await.unwrap(), [version(1)]);
    let latest = world.mirror.jwks(&JwksQuery::LATEST).await.unwrap();
    assert_eq!(latest.keys[0].version_id().unwrap().version, version(1));
    assert_eq!(world.mirror.list_all_keys().await.unwrap()[0].version, version(1));

    world.primary.fail_next(Method::DestroyKey, Fault::Lie(Lie::DestroyNothingSayTrue));
    assert!(world.mirror.destroy_key(key.kid(), None).await.unwrap());
    assert_gone(&world, key.kid(), None).await;
    assert!(world.mirror.list_all_keys().await.unwrap().is_empty());
}

#[tokio::test]
async fn promise_4_a_rotation_that_races_a_destroy_leaves_nothing_to_read() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let hold = world.primary.hold_after(Method::RotateKey);
    let (mirror, kid) = (world.mirror.clone(), key.kid().clone());
    let rotate = tokio::spawn(async move { mirror.rotate(&kid).await });
    hold.arrived().await;
    let (mirror, kid) = (world.mirror.clone(), key.kid().clone());
    let destroy = tokio::spawn(async move { mirror.destroy_key(&kid, None).await });
    tokio::task::yield_now().await;
    hold.release();
    rotate.await.unwrap().unwrap();
    assert!(destroy.await.unwrap().unwrap());
    for which in [None, Some(version(1)), Some(version(2))] {
        assert_gone(&world, key.kid(), which).await;
    }
    assert_eq!(world.replicas().await, 0);
    assert!(world.backlog().is_empty());
}

#[tokio::test]
async fn a_destroyed_kid_is_not_used_again() {
    let world = world();
    let spec = KeySpec::new(KeyAlg::Ed25519).with_kid(kid("k"));
    world.mirror.create_key(&spec).await.unwrap();
    // Even a primary that would allow it does not get to.
    world.primary.fail_next(Method::DestroyKey, Fault::Lie(Lie::DestroyNothingSayTrue));
    world.mirror.destroy_key(&kid("k"), None).await.unwrap();
    assert_eq!(kind(world.mirror.create_key(&spec).await), KeyErrorKind::Conflict);
    assert_eq!(kind(world.mirror.rotate(&kid("k")).await), KeyErrorKind::NotFound);
}

#[tokio::test]
async fn a_refused_destroy_leaves_everything_as_it_was() {
    for error in refusals() {
        for which in [None, Some(version(1))] {
            let world = world();
            let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
            let before = world.mirror.status();
            world.primary.fail_next(Method::DestroyKey, Fault::FailBefore(error.clone()));
            assert_eq!(kind(world.mirror.destroy_key(key.kid(), which).await), error.kind());
            assert_eq!(world.mirror.status(), before);
            world.primary.outage();
            assert_eq!(world.jwk(key.kid(), None).await.unwrap(), key.public_jwk().unwrap());
        }
    }
}

#[tokio::test]
async fn a_destroy_of_unknown_outcome_is_settled_by_reconcile() {
    for took_effect in [true, false] {
        for which in [None, Some(version(1))] {
            let world = world();
            let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
            let error = KeyError::timeout("no answer");
            let fault = if took_effect { Fault::FailAfter(error) } else { Fault::FailBefore(error) };
            world.primary.fail_next(Method::DestroyKey, fault);
            assert_eq!(kind(world.mirror.destroy_key(key.kid(), which).await), KeyErrorKind::Timeout);
            assert!(world.backlog()[0].starts_with("destroy of unknown outcome"), "{:?}", world.backlog());
            world.primary.outage();
            assert!(world.jwk(key.kid(), None).await.unwrap_err().is_outage(), "not from the secondary");
            assert!(!world.mirror.reconcile().await.is_clean());
            world.primary.recover();
            assert!(world.mirror.reconcile().await.is_clean());
            assert_gone(&world, key.kid(), which).await;
            assert_eq!(world.replicas().await, 0);
        }
    }
}

#[tokio::test]
async fn a_destroy_of_unknown_outcome_that_the_primary_then_refuses_goes_back() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.fail_next(Method::DestroyKey, Fault::FailBefore(KeyError::timeout("no answer")));
    world.mirror.destroy_key(key.kid(), None).await.unwrap_err();
    world.primary.fail_next(Method::DestroyKey, Fault::FailBefore(KeyError::permission_denied("no")));
    world.mirror.reconcile().await;
    world.primary.outage();
    assert_eq!(world.jwk(key.kid(), None).await.unwrap(), key.public_jwk().unwrap());
}

#[tokio::test]
async fn a_destroy_that_answers_false_does_not_touch_what_the_primary_has() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    assert!(!world.mirror.destroy_key(key.kid(), Some(version(7))).await.unwrap());
    assert!(!world.mirror.destroy_key(&kid("unknown"), None).await.unwrap());
    world.primary.fail_next(Method::DestroyKey, Fault::Lie(Lie::DestroyNothingSayFalse));
    assert_eq!(kind(world.mirror.destroy_key(key.kid(), None).await), KeyErrorKind::Integrity);
    assert_eq!(world.replicas().await, 1);
    assert_eq!(world.mirror.status().tombstones, 0);
    world.primary.outage();
    assert_eq!(world.jwk(key.kid(), None).await.unwrap(), key.public_jwk().unwrap());
}

#[tokio::test]
async fn an_unknown_kid_that_was_destroyed_can_still_be_created() {
    for mode in [MirrorMode::PublicOnly, MirrorMode::Full, MirrorMode::None] {
        let world = world_in(mode);
        let name = kid("later");
        let (a, b) =
            tokio::join!(world.mirror.destroy_key(&name, None), world.mirror.destroy_key(&name, None));
        assert!(!a.unwrap() && !b.unwrap());
        world.mirror.create_key(&KeySpec::new(KeyAlg::Ed25519).with_kid(name)).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_destroy_of_an_unknown_kid_leaves_the_kid_free() {
    for which in [None, Some(version(1))] {
        let world = world();
        let name = kid("later");
        world.primary.fail_next(Method::DestroyKey, Fault::HangBefore);
        assert!(give_up(world.mirror.destroy_key(&name, which)).await.is_none());
        assert!(world.mirror.reconcile().await.is_clean());
        assert!(world.backlog().is_empty());
        world.mirror.create_key(&KeySpec::new(KeyAlg::Ed25519).with_kid(name.clone())).await.unwrap();
        assert!(world.jwk(&name, Some(version(1))).await.is_ok());
    }
}

#[tokio::test]
async fn destroying_what_only_the_replica_has_left_ends_it() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary_keys.destroy_key(key.kid(), None).await.unwrap();
    assert!(!world.mirror.destroy_key(key.kid(), None).await.unwrap(), "the primary destroyed nothing");
    assert_gone(&world, key.kid(), None).await;
    assert_eq!(world.replicas().await, 0);
}

#[tokio::test]
async fn mode_none_keeps_tombstones_too() {
    let world = world_in(MirrorMode::None);
    let spec = KeySpec::new(KeyAlg::Ed25519).with_kid(kid("shared"));
    world.mirror.create_key(&spec).await.unwrap();
    world.secondary_keys.create_key(&spec).await.unwrap();
    assert!(world.mirror.destroy_key(&kid("shared"), None).await.unwrap());
    assert_gone(&world, &kid("shared"), None).await;
    assert_eq!(world.replicas().await, 1, "what the mirror did not put there it does not destroy");
}

#[tokio::test]
async fn promise_4_mode_none_shows_no_destroyed_version_of_the_secondary() {
    let world = world_in(MirrorMode::None);
    let spec = KeySpec::new(KeyAlg::Ed25519).with_kid(kid("k"));
    for side in [&world.primary_keys, &world.secondary_keys] {
        side.create_key(&spec).await.unwrap();
        side.rotate(&kid("k")).await.unwrap();
    }
    assert!(world.mirror.destroy_key(&kid("k"), Some(version(2))).await.unwrap());
    world.primary.outage();
    for query in [JwksQuery::LATEST, JwksQuery::ALL_LIVE] {
        let set = world.mirror.jwks(&query).await.unwrap();
        let kids: Vec<_> = set.keys.iter().filter_map(|jwk| jwk.kid.as_deref()).collect();
        assert_eq!(kids, ["k.1"], "{query:?}");
    }
    assert_eq!(world.mirror.list_versions(&kid("k")).await.unwrap(), [version(1)]);
    assert_eq!(world.read(&kid("k"), None).await.unwrap().version(), version(1));
    let listed = world.mirror.list_all_keys().await.unwrap();
    assert_eq!((listed.len(), listed[0].version), (1, version(1)));
    assert_eq!(kind(world.read(&kid("k"), Some(version(2))).await), KeyErrorKind::NotFound);
}

#[tokio::test]
async fn two_destroys_of_nothing_at_once_leave_the_kid_free() {
    let world = world();
    let name = kid("later");
    let hold = world.primary.hold(Method::DestroyKey);
    let (whole, one) = (world.mirror.clone(), world.mirror.clone());
    let (a, b) = (name.clone(), name.clone());
    let whole = tokio::spawn(async move { whole.destroy_key(&a, None).await });
    hold.arrived().await;
    let one = tokio::spawn(async move { one.destroy_key(&b, Some(version(1))).await });
    tokio::task::yield_now().await;
    hold.release();
    assert!(!whole.await.unwrap().unwrap() && !one.await.unwrap().unwrap());
    world.mirror.create_key(&KeySpec::new(KeyAlg::Ed25519).with_kid(name)).await.unwrap();
}

#[tokio::test]
async fn destroying_one_version_leaves_the_others_mirrored() {
    let world = world();
    let first = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let second = world.mirror.rotate(first.kid()).await.unwrap();
    assert!(world.mirror.destroy_key(first.kid(), Some(version(1))).await.unwrap());
    world.primary.outage();
    assert_eq!(world.jwk(first.kid(), Some(version(2))).await.unwrap(), second.public_jwk().unwrap());
    assert_eq!(kind(world.jwk(first.kid(), Some(version(1))).await), KeyErrorKind::NotFound);
    assert_eq!(world.mirror.list_versions(first.kid()).await.unwrap(), [version(2)]);
}

#[tokio::test]
async fn many_destroys_at_once_agree() {
    let world = Arc::new(world());
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let destroys: Vec<_> = (0..8)
        .map(|_| {
            let (mirror, kid) = (world.mirror.clone(), key.kid().clone());
            tokio::spawn(async move { mirror.destroy_key(&kid, None).await.unwrap() })
        })
        .collect();
    let mut destroyed = 0;
    for destroy in destroys {
        destroyed += usize::from(destroy.await.unwrap());
    }
    assert_eq!(destroyed, 1);
    assert!(world.backlog().is_empty(), "{:?}", world.backlog());
    assert_gone(&world, key.kid(), None).await;
}

/// An earlier process has copied two versions; the search for them has come to the first one, and to no end.
#[tokio::test]
async fn promise_8_a_destroy_of_a_key_that_was_found_in_part_leaves_no_replica() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.mirror.rotate(key.kid()).await.unwrap();
    let world = world.restart();
    world.secondary.fail_next(Method::GetKey, Fault::Delay(Duration::ZERO));
    world.secondary.fail_next(Method::GetKey, Fault::FailBefore(KeyError::unavailable("told to")));
    assert_eq!(world.mirror.reconcile().await.failed.len(), 1);
    assert!(world.mirror.destroy_key(key.kid(), None).await.unwrap());
    assert_eq!((world.replicas().await, world.backlog().len()), (0, 0));
}

/// The primary has nothing, says so, and whether the secondary has replicas nobody can say: a refusal that comes later does not
/// bring them back.
#[tokio::test]
async fn promise_4_a_refusal_gives_nothing_back_of_which_the_primary_has_said_that_it_is_gone() {
    for whole in [true, false] {
        let world = world();
        let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        let which = (!whole).then_some(key.version());
        world.secondary.outage();
        assert!(world.mirror.destroy_key(key.kid(), which).await.unwrap());
        let world = world.restart();
        assert!(world.mirror.destroy_key(key.kid(), which).await.unwrap_err().is_outage());
        world
            .primary
            .fail_next(Method::DestroyKey, Fault::FailBefore(KeyError::permission_denied("told to")));
        assert_eq!(kind(world.mirror.destroy_key(key.kid(), which).await), KeyErrorKind::PermissionDenied);
        world.secondary.recover();
        assert_eq!(kind(world.read(key.kid(), which).await), KeyErrorKind::NotFound);
        assert!(world.mirror.reconcile().await.is_clean());
        assert_eq!((world.replicas().await, world.backlog().len()), (0, 0));
    }
}

/// An earlier process has copied two versions; a primary that answers from the past tells of one, and the secondary is not
/// searched.
#[tokio::test]
async fn promise_8_a_destroy_of_a_key_that_was_taken_in_in_part_leaves_no_replica() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.mirror.rotate(key.kid()).await.unwrap();
    let world = world.restart();
    let refusal = || Fault::FailBefore(KeyError::permission_denied("told to"));
    world.secondary.set(Method::ListKeys, Some(refusal()));
    let first = |_: &Call, _| Ok(vec![version(1)].into());
    world.primary.set(Method::ListVersions, Some(Fault::answer(first)));
    world.mirror.reconcile().await;
    world.secondary.recover();
    assert!(world.mirror.destroy_key(key.kid(), None).await.unwrap());
    assert_eq!((world.replicas().await, world.backlog().len()), (0, 0));
}
