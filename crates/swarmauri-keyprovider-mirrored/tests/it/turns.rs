//! Writes to one `kid` take turns: until one has ended, copy and all, no other reaches a side.

use swarmauri_keyprovider::{Feature, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_mirrored::Step;
use swarmauri_keyprovider_testkit::{Fault, Faults, Method};
use swarmauri_keys::{KeyAlg, KeyError, KeyId, KeyMaterial, KeySpec};

use crate::support::*;

fn timeout() -> Fault {
    Fault::FailBefore(KeyError::timeout("no answer"))
}

fn named(name: &str) -> KeySpec {
    KeySpec::new(KeyAlg::Ed25519).with_kid(kid(name))
}

/// While something is stopped here, a rotation waits; afterwards it does not.
async fn assert_rotation_waits<T: Send + 'static>(
    world: &World,
    kid: &KeyId,
    (side, method): (&Faults, Method),
    busy: impl Future<Output = T> + Send + 'static,
    what: &str,
) {
    let hold = side.hold(method);
    let busy = tokio::spawn(busy);
    hold.arrived().await;
    world.primary.journal().clear();
    assert!(give_up(world.mirror.rotate(kid)).await.is_none(), "{what}: it must wait");
    assert!(world.primary.journal().calls_of(Method::RotateKey).is_empty(), "{what}");
    hold.release();
    busy.await.unwrap();
    assert!(give_up(world.mirror.rotate(kid)).await.is_some(), "{what}: its turn has come");
}

#[tokio::test(start_paused = true)]
async fn a_write_keeps_its_turn_until_its_copy_or_replica_is_dealt_with() {
    for (name, on_primary, method) in [
        ("create", true, Method::CreateKey),
        ("create", false, Method::ImportKey),
        ("rotate", true, Method::RotateKey),
        ("rotate", false, Method::ImportKey),
        ("destroy", true, Method::DestroyKey),
        ("destroy", false, Method::DestroyKey),
    ] {
        let world = world();
        if name != "create" {
            world.mirror.create_key(&named("k")).await.unwrap();
        }
        let mirror = world.mirror.clone();
        let write = async move {
            match name {
                "create" => drop(mirror.create_key(&named("k")).await.unwrap()),
                "rotate" => drop(mirror.rotate(&kid("k")).await.unwrap()),
                _ => assert!(mirror.destroy_key(&kid("k"), Some(version(1))).await.unwrap()),
            }
        };
        let side = if on_primary { &world.primary } else { &world.secondary };
        assert_rotation_waits(&world, &kid("k"), (side, method), write, name).await;
    }
}

/// A world in which the first step of a plan is this one, and where it can be stopped in the middle.
async fn world_that_owes(step: &str) -> (World, KeyId, bool, Method) {
    let no_kid = step == "SettleTaggedIntent";
    let world = restricted_world(
        |primary, _| {
            if no_kid {
                deny(primary, &[Feature::ChosenKid]);
            }
        },
        |builder| builder,
    );
    let mut name = kid("k");
    let (on_primary, method) = match step {
        "SettleIntent" => {
            world.primary.fail_next(Method::CreateKey, Fault::FailAfter(KeyError::timeout("no answer")));
            world.mirror.create_key(&named("k")).await.unwrap_err();
            (true, Method::ListVersions)
        }
        "SettleTaggedIntent" => {
            world.primary.fail_next(Method::CreateKey, Fault::FailAfter(KeyError::timeout("no answer")));
            world.mirror.create(KeyAlg::Ed25519).await.unwrap_err();
            name = world.primary_keys.list_all_keys().await.unwrap()[0].kid.clone();
            (true, Method::ListVersions)
        }
        "TakeIn" => {
            world.primary_keys.create_key(&named("k")).await.unwrap();
            (true, Method::ListVersions)
        }
        "Copy" => {
            world.secondary.fail_next(Method::ImportKey, timeout());
            world.mirror.create_key(&named("k")).await.unwrap();
            (false, Method::ImportKey)
        }
        _ => {
            world.mirror.create_key(&named("k")).await.unwrap();
            owe_for_a_mirrored_key(&world, step).await
        }
    };
    let world = if step == "AdoptReplica" { world.restart() } else { world };
    (world, name, on_primary, method)
}

async fn owe_for_a_mirrored_key(world: &World, step: &str) -> (bool, Method) {
    let replica = kid("k.1");
    match step {
        "CopyAgain" => {
            world.secondary_keys.destroy_key(&replica, None).await.unwrap();
            (false, Method::GetKey)
        }
        "AdoptReplica" => (false, Method::GetKey),
        "DestroyReplica" => {
            let copy = world.secondary_keys.get_key(&replica, None, Secrets::Omit).await.unwrap();
            let public = KeyMaterial::Public(copy.public_key().unwrap().clone());
            world.secondary_keys.import_key(&copy.spec().unwrap(), public).await.unwrap();
            (false, Method::GetKey)
        }
        _ => {
            world.primary.fail_next(Method::DestroyKey, timeout());
            world.mirror.destroy_key(&kid("k"), Some(version(1))).await.unwrap_err();
            (true, Method::DestroyKey)
        }
    }
}

fn is(step: &Step, name: &str) -> bool {
    format!("{step:?}").starts_with(&format!("{name} "))
}

#[tokio::test(start_paused = true)]
async fn a_step_of_reconcile_keeps_its_turn_too() {
    for step in [
        "SettleIntent",
        "SettleTaggedIntent",
        "TakeIn",
        "Copy",
        "CopyAgain",
        "AdoptReplica",
        "DestroyReplica",
        "FinishDestroy",
    ] {
        let (world, name, on_primary, method) = world_that_owes(step).await;
        let mut plan = world.mirror.plan_reconcile().await;
        plan.steps.retain(|planned| is(planned, step));
        assert_eq!(plan.steps.len(), 1, "{step}");
        let mirror = world.mirror.clone();
        let apply = async move {
            let report = mirror.apply(plan).await;
            assert!(report.failed.is_empty(), "{report:?}");
        };
        let side = if on_primary { &world.primary } else { &world.secondary };
        assert_rotation_waits(&world, &name, (side, method), apply, step).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_under_a_kid_of_the_primarys_choice_keeps_its_turn_too() {
    let world = restricted_world(|primary, _| deny(primary, &[Feature::ChosenKid]), |builder| builder);
    let hold = world.secondary.hold(Method::ImportKey);
    let mirror = world.mirror.clone();
    let create = tokio::spawn(async move { mirror.create(KeyAlg::Ed25519).await });
    hold.arrived().await;
    let name = world.primary_keys.list_all_keys().await.unwrap()[0].kid.clone();
    assert!(give_up(world.mirror.rotate(&name)).await.is_none(), "it must wait");
    hold.release();
    assert_eq!(create.await.unwrap().unwrap().kid(), &name);
    assert_eq!(world.mirror.rotate(&name).await.unwrap().version(), version(2));
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_third_waits_for_the_second() {
    let world = world();
    world.mirror.create_key(&named("k")).await.unwrap();
    let holds = [world.primary.hold(Method::RotateKey), world.primary.hold(Method::RotateKey)];
    let rotations = [(); 2].map(|()| {
        let mirror = world.mirror.clone();
        tokio::spawn(async move { mirror.rotate(&kid("k")).await })
    });
    for hold in &holds {
        hold.arrived().await;
        assert!(give_up(world.mirror.rotate(&kid("k"))).await.is_none(), "it must wait");
        hold.release();
    }
    for rotation in rotations {
        rotation.await.unwrap().unwrap();
    }
    assert_eq!(world.mirror.rotate(&kid("k")).await.unwrap().version(), version(4));
}
