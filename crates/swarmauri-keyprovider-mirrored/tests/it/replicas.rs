//! What replicas carry, and which claims to be one are believed.

use swarmauri_keyprovider::{Feature, JwksQuery, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_mirrored::MirrorMode;
use swarmauri_keyprovider_testkit::{Answer, Fault, Method};
use swarmauri_keys::{
    ExportPolicy, KeyAlg, KeyClass, KeyError, KeyErrorKind, KeyMaterial, KeyRef, KeyRefParts, KeySpec,
    KeyUse, SpecOverrides,
};

use crate::support::*;

fn named(name: &str) -> KeySpec {
    KeySpec::new(KeyAlg::Ed25519).with_kid(kid(name))
}

async fn replica_of(world: &World, key: &KeyRef) -> KeyRef {
    world.secondary_keys.get_key(&kid(&key.id().to_string()), None, Secrets::Omit).await.unwrap()
}

/// Imports a public key with the tags of a replica.
async fn plant(world: &World, name: &str, replica: &KeyRef, key: &KeyRef) {
    let spec = KeySpec::new(key.alg()).with_kid(kid(name)).with_tags(replica.tags().clone());
    let public = KeyMaterial::Public(key.public_key().unwrap().clone());
    world.secondary_keys.import_key(&spec, public).await.unwrap();
}

#[tokio::test]
async fn promise_2_uses_and_a_class_of_the_primarys_own_survive_an_outage() {
    let world = world();
    let spec = KeySpec::builder(KeyAlg::Ed25519).uses([KeyUse::Verify]).label("l").build().unwrap();
    let verifier = world.mirror.create_key(&spec).await.unwrap();
    let opaque = Fault::answer(|_, honest| match honest? {
        Answer::Key(key) => {
            let parts = KeyRefParts { class: KeyClass::Opaque, ..key.parts().clone() };
            Ok(Answer::Key(KeyRef::new(parts)))
        }
        answer => Ok(answer),
    });
    world.primary.fail_next(Method::CreateKey, opaque);
    let hardware = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    assert_eq!(hardware.class(), KeyClass::Opaque);
    world.primary.outage();
    for key in [verifier, hardware] {
        assert_eq!(world.read(key.kid(), None).await.unwrap().parts(), key.parts());
    }
}

#[tokio::test]
async fn promise_5_a_public_replica_has_a_public_policy_and_a_full_one_the_keys_own() {
    for (mode, policy) in [
        (MirrorMode::PublicOnly, ExportPolicy::PublicOnly),
        (MirrorMode::Full, ExportPolicy::SecretWhenAllowed),
    ] {
        let world = world_in(mode);
        let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
        assert_eq!(replica_of(&world, &key).await.export_policy(), policy, "{mode}");
        world.primary.outage();
        let shown = world.read(key.kid(), None).await.unwrap().export_policy();
        assert_eq!(shown, ExportPolicy::SecretWhenAllowed, "the primary's, whatever the replica's");
    }
}

#[tokio::test]
async fn the_fingerprint_of_a_pair_is_computed_and_not_believed() {
    let world = world();
    let other = world.mirror.create(KeyAlg::Ed25519).await.unwrap().fingerprint().clone();
    let forged = Fault::answer(move |_, honest| match honest? {
        Answer::Key(key) => {
            let parts = KeyRefParts { fingerprint: other.clone(), ..key.parts().clone() };
            Ok(Answer::Key(KeyRef::new(parts)))
        }
        answer => Ok(answer),
    });
    world.primary.fail_next(Method::CreateKey, forged);
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    assert!(world.backlog().is_empty(), "{:?}", world.backlog());
    world.primary.outage();
    assert_eq!(world.jwk(key.kid(), None).await.unwrap(), key.public_jwk().unwrap());
}

#[tokio::test]
async fn a_claim_that_its_own_key_belies_does_not_stand_beside_the_right_replica() {
    let world = world();
    let key = world.mirror.create_key(&named("k")).await.unwrap();
    let other = world.primary_keys.create(KeyAlg::Ed25519).await.unwrap();
    // First in the order of the secondary's listing.
    plant(&world, "a", &replica_of(&world, &key).await, &other).await;
    let world = world.restart();
    world.primary.outage();
    assert_eq!(world.jwk(key.kid(), None).await.unwrap(), key.public_jwk().unwrap());
}

#[tokio::test]
async fn a_replica_of_another_key_under_the_telling_kid_is_neither_taken_nor_destroyed() {
    let world = world();
    let other = world.mirror.create_key(&named("other")).await.unwrap();
    let replica = replica_of(&world, &other).await;
    plant(&world, "k.1", &replica, &other).await;
    for _ in 0..2 {
        // Of the first the answer is `Conflict`; that of the second is lost.
        world.secondary.fail_next(Method::ImportKey, Fault::FailAfter(KeyError::timeout("late")));
    }
    let key = world.mirror.create_key(&named("k")).await.unwrap();
    assert_eq!(world.replicas().await, 3);
    assert_eq!(world.backlog(), ["copy k.1"]);
    assert!(world.mirror.destroy_key(key.kid(), None).await.unwrap());
    let left: Vec<_> = world.secondary_keys.list_all_keys().await.unwrap();
    assert_eq!(left.iter().map(|key| key.kid.as_str()).collect::<Vec<_>>(), ["k.1", "other.1"]);
}

#[tokio::test]
async fn promise_8_a_stray_that_cannot_be_looked_for_yet_stays_owed() {
    for (denied, method) in [(None, Method::GetKey), (Some(Feature::ChosenKid), Method::ListKeys)] {
        let world = restricted_world(
            |_, secondary| {
                secondary.restrict_capabilities(|can| can.features.retain(|has| Some(*has) != denied));
            },
            |builder| builder,
        );
        world.secondary.fail_next(Method::ImportKey, Fault::FailAfter(KeyError::timeout("late")));
        let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        // Where it cannot be read by its name, a listing would find it.
        for method in [method, Method::ListKeys] {
            world.secondary.set(method, Some(Fault::FailBefore(KeyError::unavailable("out"))));
        }
        assert!(world.mirror.destroy_key(key.kid(), None).await.unwrap());
        assert!(world.backlog().contains(&format!("destroy replica {}", key.id())), "{method:?}");
        world.secondary.recover();
        assert!(world.mirror.reconcile().await.is_clean());
        assert_eq!((world.replicas().await, world.backlog().len()), (0, 0));
    }
}

/// More keys than are asked for, or taken from the map, at a time.
#[tokio::test]
async fn many_keys_are_found_again_published_listed_and_counted() {
    let world = world();
    let mut last = None;
    for n in 0..502 {
        last = Some(world.mirror.create_key(&named(&format!("k{n:03}"))).await.unwrap());
    }
    let last = last.unwrap();
    let before = world.mirror.jwks(&JwksQuery::LATEST).await.unwrap();
    let world = world.restart();
    world.primary.outage();
    assert_eq!(world.jwk(last.kid(), None).await.unwrap(), last.public_jwk().unwrap());
    assert_eq!(world.mirror.jwks(&JwksQuery::LATEST).await.unwrap(), before);
    assert_eq!(world.mirror.list_all_keys().await.unwrap().len(), 502);
    assert_eq!(world.mirror.status().replicas.values().sum::<usize>(), 502);
    world.primary.recover();
    assert!(world.mirror.plan_reconcile().await.is_empty());
    assert_eq!(world.restart().mirror.plan_reconcile().await.steps.len(), 502);
}

#[tokio::test]
async fn an_algorithm_that_one_side_lacks_is_refused_before_the_primary_is_asked() {
    for primary_lacks in [true, false] {
        let world = restricted_world(
            |primary, secondary| {
                let side = if primary_lacks { primary } else { secondary };
                side.restrict_capabilities(|can| {
                    can.import_public.remove(&KeyAlg::X25519);
                    can.create.remove(&KeyAlg::EcdsaP256Sha256);
                    can.import_public.remove(&KeyAlg::EcdsaP256Sha256);
                });
            },
            |builder| builder,
        );
        let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        let foreign = world.primary_keys.create(KeyAlg::X25519).await.unwrap();
        let public = KeyMaterial::Public(foreign.public_key().unwrap().clone());
        world.primary.journal().clear();
        let import = world.mirror.import_key(&KeySpec::new(KeyAlg::X25519), public).await;
        let overrides = SpecOverrides { alg: Some(KeyAlg::EcdsaP256Sha256), ..SpecOverrides::NONE };
        let rotate = world.mirror.rotate_key(key.kid(), &overrides).await;
        for answer in [import, rotate] {
            assert_eq!(kind(answer), KeyErrorKind::UnsupportedAlgorithm);
        }
        assert!(world.primary.journal().calls().is_empty());
    }
}

#[tokio::test]
async fn replicas_that_cannot_be_destroyed_deny_the_destroy_and_mode_none_has_none() {
    for mode in [MirrorMode::PublicOnly, MirrorMode::Full, MirrorMode::None] {
        let world = restricted_world(
            |_, secondary| {
                secondary.restrict_capabilities(|can| {
                    can.features.remove(&Feature::Destroy);
                });
            },
            |builder| builder.mode(mode),
        );
        let can = mode == MirrorMode::None;
        let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        assert_eq!(world.mirror.supports().has(Feature::Destroy), can, "{mode}");
        let answer = world.mirror.destroy_key(key.kid(), None).await;
        assert_eq!(
            answer.map_err(|error| error.kind()),
            if can { Ok(true) } else { Err(KeyErrorKind::Unsupported) }
        );
        assert_eq!(world.primary.journal().calls_of(Method::DestroyKey).len(), usize::from(can), "{mode}");
    }
}
