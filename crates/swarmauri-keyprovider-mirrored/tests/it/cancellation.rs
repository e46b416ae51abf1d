//! Promise 11: dropping any call at any await point leaves a state that reconcile repairs.

use swarmauri_keyprovider::{KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_mirrored::MirrorMode;
use swarmauri_keyprovider_testkit::{Fault, Method};
use swarmauri_keys::{KeyAlg, KeyError, KeyId, KeyRef};

use crate::support::*;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Write {
    Create,
    Rotate,
    DestroyVersion,
    Destroy,
    Disable,
    Enable,
}

impl Write {
    pub(crate) const ALL: [Self; 6] =
        [Self::Create, Self::Rotate, Self::DestroyVersion, Self::Destroy, Self::Disable, Self::Enable];

    pub(crate) async fn run(self, world: &World, kid: &KeyId) -> Result<Option<KeyRef>, KeyError> {
        match self {
            Self::Create => world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.map(Some),
            Self::Rotate => world.mirror.rotate(kid).await.map(Some),
            Self::DestroyVersion => world.mirror.destroy_key(kid, Some(version(1))).await.map(|_| None),
            Self::Destroy => world.mirror.destroy_key(kid, None).await.map(|_| None),
            Self::Disable => world.mirror.disable_key(kid, version(2)).await.map(|()| None),
            // Version 1 is disabled to begin with.
            Self::Enable => world.mirror.enable_key(kid, version(1)).await.map(|()| None),
        }
    }
}

/// After reconcile: every version that the primary has is mirrored, in its state, nothing else is, nothing is owed.
pub(crate) async fn assert_repaired(world: &World, what: &str) {
    world.primary.clear();
    world.secondary.clear();
    let report = world.mirror.reconcile().await;
    assert!(report.is_clean(), "{what}: {report:?}");
    assert!(world.backlog().is_empty(), "{what}: {:?}", world.backlog());
    let mut versions = 0;
    for summary in world.primary_keys.list_all_keys().await.unwrap() {
        for version in world.primary_keys.list_versions(&summary.kid).await.unwrap() {
            let jwk = world.primary_keys.get_public_jwk(&summary.kid, Some(version)).await;
            world.primary.outage();
            let mirrored = world.jwk(&summary.kid, Some(version)).await;
            assert_eq!(mirrored.map_err(|error| error.kind()), jwk.map_err(|error| error.kind()), "{what}");
            world.primary.recover();
            versions += 1;
        }
    }
    assert_eq!(world.replicas().await, versions, "{what}");
    assert!(world.mirror.plan_reconcile().await.is_empty(), "{what}");
}

#[tokio::test(start_paused = true)]
async fn promise_11_a_write_that_is_dropped_at_any_call_of_a_side_is_repaired() {
    for mode in [MirrorMode::PublicOnly, MirrorMode::Full] {
        for write in Write::ALL {
            for method in Method::ALL {
                for (on_primary, after) in [(true, false), (true, true), (false, false), (false, true)] {
                    let world = world_in(mode);
                    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
                    world.mirror.rotate(key.kid()).await.unwrap();
                    world.mirror.disable_key(key.kid(), version(1)).await.unwrap();
                    let side = if on_primary { &world.primary } else { &world.secondary };
                    side.fail_next(method, if after { Fault::HangAfter } else { Fault::HangBefore });
                    let _ = give_up(write.run(&world, key.kid())).await;
                    let what = format!("{mode} {write:?} {method:?} primary: {on_primary} after: {after}");
                    assert_repaired(&world, &what).await;
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn promise_11_a_write_that_fails_at_any_call_of_a_side_is_repaired() {
    for write in Write::ALL {
        for method in Method::ALL {
            for (on_primary, after) in [(true, false), (true, true), (false, false), (false, true)] {
                let world = world_in(MirrorMode::Full);
                let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
                world.mirror.rotate(key.kid()).await.unwrap();
                world.mirror.disable_key(key.kid(), version(1)).await.unwrap();
                let error = KeyError::unavailable("told to");
                let side = if on_primary { &world.primary } else { &world.secondary };
                side.fail_next(
                    method,
                    if after { Fault::FailAfter(error) } else { Fault::FailBefore(error) },
                );
                let _ = write.run(&world, key.kid()).await;
                let what = format!("{write:?} {method:?} primary: {on_primary} after: {after}");
                assert_repaired(&world, &what).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn promise_11_a_reconcile_that_is_dropped_is_repaired_by_the_next() {
    for method in
        [Method::ImportKey, Method::DestroyKey, Method::GetKey, Method::ListKeys, Method::ListVersions]
    {
        for fault in [Fault::HangBefore, Fault::HangAfter] {
            for on_primary in [true, false] {
                let world = world();
                let doomed = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
                world.secondary.outage();
                world.mirror.create(KeyAlg::Ed25519).await.unwrap();
                world.mirror.destroy_key(doomed.kid(), None).await.unwrap();
                world.secondary.recover();
                world.primary_keys.create(KeyAlg::Ed25519).await.unwrap();
                let side = if on_primary { &world.primary } else { &world.secondary };
                side.fail_next(method, fault.clone());
                let _ = give_up(world.mirror.reconcile()).await;
                assert_repaired(&world, &format!("{method:?} {fault:?} primary: {on_primary}")).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_holds_no_lock() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    for write in [Write::Rotate, Write::DestroyVersion, Write::Destroy] {
        world.primary.hang();
        assert!(give_up(write.run(&world, key.kid())).await.is_none());
        world.primary.recover();
        assert!(give_up(world.read(key.kid(), None)).await.is_some());
    }
    assert!(give_up(world.mirror.destroy_key(key.kid(), None)).await.unwrap().unwrap());
}
