//! Promises 1 and 8: the primary decides, and a copy that fails is owed.

use swarmauri_keyprovider::{Feature, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_mirrored::{BuildError, MirrorMode, MirroredKeyProvider};
use swarmauri_keyprovider_testkit::{Answer, Fault, Lie, Method, capture_tracing_of};
use swarmauri_keys::{
    ExportPolicy, KeyAlg, KeyErrorKind, KeyMaterial, KeyRef, KeyRefParts, KeySpec, PageRequest, SpecOverrides,
};

use crate::support::*;

#[tokio::test]
async fn promise_1_a_write_that_the_primary_refuses_comes_back_unchanged_and_touches_nothing() {
    for error in refusals().into_iter().chain(outages()) {
        let world = world();
        let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        let material = KeyMaterial::Public(key.public_key().unwrap().clone());
        world.secondary.journal().clear();
        world.primary.set_all(Some(Fault::FailBefore(error.clone())));

        let spec = KeySpec::new(KeyAlg::Ed25519);
        let create = world.mirror.create_key(&spec).await.unwrap_err();
        let import = world.mirror.import_key(&spec, material).await.unwrap_err();
        let rotate = world.mirror.rotate(key.kid()).await.unwrap_err();
        let destroy = world.mirror.destroy_key(key.kid(), None).await.unwrap_err();
        for answer in [create, import, rotate, destroy] {
            assert_eq!(answer.to_string(), error.to_string());
        }
        assert!(world.secondary.journal().calls().is_empty(), "{error}");
    }
}

#[tokio::test]
async fn promise_1_a_write_answers_with_the_primarys_reference() {
    let world = world();
    let spec = exportable(KeyAlg::EcdsaP256Sha256);
    let key = world.mirror.create_key(&spec).await.unwrap();
    let same = world.primary_keys.get_key(key.kid(), None, Secrets::Omit).await.unwrap();
    assert_eq!(key.parts(), same.parts());
    assert_eq!(key.tags().len(), 0);
}

#[tokio::test]
async fn promise_8_a_failed_copy_does_not_fail_the_write_and_is_owed_and_told() {
    for error in refusals().into_iter().chain(outages()) {
        let world = world();
        world.secondary.fail_next(Method::ImportKey, Fault::FailBefore(error.clone()));
        // A foreign key under the telling `kid` is the one refusal that is answered at once.
        let paid_at_once = error.kind() == KeyErrorKind::Conflict;

        let (key, told) = capture_tracing_of(world.mirror.create(KeyAlg::Ed25519)).await;
        let id = key.unwrap().id().clone();
        if paid_at_once {
            assert!(world.backlog().is_empty());
            continue;
        }
        assert_eq!(world.backlog(), [format!("copy {id}")]);
        let debt = &world.mirror.status().backlog[0];
        assert_eq!((debt.attempts, debt.last_error.as_deref()), (1, Some(error.to_string().as_str())));
        assert!(told.contains("mirror copy failed") && told.contains(id.kid.as_str()), "{told}");

        assert!(world.mirror.reconcile().await.is_clean());
        assert!(world.backlog().is_empty());
        world.primary.outage();
        assert_eq!(world.jwk(&id.kid, None).await.unwrap().version_id(), Some(id));
    }
}

#[tokio::test]
async fn a_copy_whose_answer_was_lost_is_found_again_and_not_made_twice() {
    for takes_kid in [true, false] {
        let world = world_without(if takes_kid { &[] } else { &[Feature::ChosenKid] });
        world.secondary.fail_next(Method::ImportKey, Fault::FailAfter(outages().remove(1)));
        let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        assert_eq!(world.backlog(), [format!("copy {}", key.id())]);
        assert_eq!(world.replicas().await, 1);
        assert!(world.mirror.reconcile().await.is_clean());
        assert_eq!(world.replicas().await, 1);
        assert!(world.backlog().is_empty());
        world.primary.outage();
        assert_eq!(world.jwk(key.kid(), None).await.unwrap(), key.public_jwk().unwrap());
    }
}

#[tokio::test]
async fn a_foreign_key_under_the_telling_kid_is_left_alone() {
    let world = world();
    let name = kid("signing");
    let foreign = KeySpec::new(KeyAlg::Ed25519).with_kid(kid("signing.1"));
    let foreign = world.secondary_keys.create_key(&foreign).await.unwrap();
    let ours = world.mirror.create_key(&KeySpec::new(KeyAlg::Ed25519).with_kid(name.clone())).await.unwrap();
    assert!(world.backlog().is_empty());
    world.primary.outage();
    assert_eq!(world.jwk(&name, None).await.unwrap(), ours.public_jwk().unwrap());
    let still = world.secondary_keys.get_key(foreign.kid(), None, Secrets::Omit).await.unwrap();
    assert_eq!(still.fingerprint(), foreign.fingerprint());
}

#[tokio::test]
async fn every_version_of_every_key_has_a_replica_of_its_own() {
    let world = world();
    for _ in 0..3 {
        let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        world.mirror.rotate(key.kid()).await.unwrap();
    }
    assert_eq!(world.replicas().await, 6);
}

#[tokio::test]
async fn importing_the_same_material_twice_makes_two_keys_with_a_replica_each() {
    let world = world();
    let key = world.primary_keys.create(KeyAlg::Ed25519).await.unwrap();
    let material = KeyMaterial::Public(key.public_key().unwrap().clone());
    let spec = KeySpec::new(KeyAlg::Ed25519);
    let first = world.mirror.import_key(&spec, material.clone()).await.unwrap();
    let second = world.mirror.import_key(&spec, material).await.unwrap();
    assert_ne!(first.kid(), second.kid());
    assert_eq!(world.replicas().await, 2);
    world.mirror.destroy_key(first.kid(), None).await.unwrap();
    world.primary.outage();
    assert_eq!(world.jwk(second.kid(), None).await.unwrap(), second.public_jwk().unwrap());
    assert_eq!(kind(world.jwk(first.kid(), None).await), KeyErrorKind::NotFound);
}

#[tokio::test]
async fn mode_none_copies_nothing() {
    let world = world_in(MirrorMode::None);
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.mirror.rotate(key.kid()).await.unwrap();
    assert!(world.secondary.journal().calls().is_empty());
    assert!(world.mirror.status().replicas.is_empty());
}

#[tokio::test]
async fn tags_of_the_mirror_are_its_own() {
    let world = world();
    let spec = KeySpec::builder(KeyAlg::Ed25519).tag("mirror.source", "k.1").build().unwrap();
    let error = world.mirror.create_key(&spec).await.unwrap_err();
    assert!(error.to_string().contains("\"mirror.source\""), "{error}");
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let tags = Some(spec.tags().clone());
    let error = world.mirror.rotate_key(key.kid(), &SpecOverrides { tags, ..SpecOverrides::NONE }).await;
    assert_eq!(kind(error), KeyErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_key_with_all_the_tags_it_may_have_is_mirrored() {
    let world = world();
    let spec = (0..64).fold(KeySpec::builder(KeyAlg::Ed25519), |spec, n| spec.tag(format!("t{n}"), "v"));
    let key = world.mirror.create_key(&spec.label("full").build().unwrap()).await.unwrap();
    world.primary.outage();
    assert_eq!(world.read(key.kid(), None).await.unwrap().parts(), key.parts());
}

#[tokio::test]
async fn a_version_that_the_primary_uses_again_is_not_served() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.mirror.rotate(key.kid()).await.unwrap();
    world.mirror.destroy_key(key.kid(), Some(version(2))).await.unwrap();
    world.primary.fail_next(
        Method::RotateKey,
        Fault::answer(|_, honest| {
            let Ok(Answer::Key(key)) = honest else { panic!("rotation failed") };
            let id = key.kid().at(version(2));
            Ok(Answer::Key(KeyRef::new(KeyRefParts { id, ..key.parts().clone() })))
        }),
    );
    assert_eq!(kind(world.mirror.rotate(key.kid()).await), KeyErrorKind::Integrity);
    assert_eq!(kind(world.jwk(key.kid(), Some(version(2))).await), KeyErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn writes_to_one_kid_are_serialised_and_those_to_others_are_not() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let hold = world.primary.hold(Method::RotateKey);
    let mirror = world.mirror.clone();
    let slow = tokio::spawn({
        let kid = key.kid().clone();
        async move { mirror.rotate(&kid).await }
    });
    hold.arrived().await;
    assert!(give_up(world.mirror.rotate(key.kid())).await.is_none(), "it waits for the first");
    world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    hold.release();
    assert_eq!(slow.await.unwrap().unwrap().version(), version(2));
    assert_eq!(world.mirror.rotate(key.kid()).await.unwrap().version(), version(3));
}

#[tokio::test]
async fn of_two_creates_for_one_kid_one_wins_and_has_the_replica() {
    let world = world();
    let spec = KeySpec::new(KeyAlg::Ed25519).with_kid(kid("k"));
    let (a, b) = tokio::join!(world.mirror.create_key(&spec), world.mirror.create_key(&spec));
    let (won, lost) = if a.is_ok() { (a, b) } else { (b, a) };
    assert_eq!(kind(lost), KeyErrorKind::Conflict);
    assert_eq!(world.replicas().await, 1);
    world.primary.outage();
    assert_eq!(world.jwk(&kid("k"), None).await.unwrap(), won.unwrap().public_jwk().unwrap());
}

#[tokio::test]
async fn a_secondary_that_says_it_copied_another_key_is_not_believed() {
    let world = world();
    let other = world.secondary_keys.create(KeyAlg::Ed25519).await.unwrap();
    world.secondary.fail_next(Method::ImportKey, Fault::Lie(Lie::WrongKey));
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    assert_eq!(world.backlog(), [format!("copy {}", key.id())]);
    assert_ne!(other.fingerprint(), key.fingerprint());
}

#[tokio::test]
async fn what_has_no_public_part_is_kept_and_counted() {
    let world = world();
    world.mirror.create(KeyAlg::Aes256Gcm).await.unwrap();
    let hidden = KeySpec::builder(KeyAlg::Ed25519).export_policy(ExportPolicy::None).build().unwrap();
    world.mirror.create_key(&hidden).await.unwrap();
    let status = serde_json::to_value(world.mirror.status()).unwrap();
    assert_eq!(status["kept"], serde_json::json!({"no_public_part": 1, "policy": 1}));
    assert_eq!(world.replicas().await, 0);
    assert!(world.backlog().is_empty());
}

#[tokio::test]
async fn a_mirror_of_itself_and_a_mirror_of_nothing_cannot_be_built() {
    let world = restricted_world(|_, _| {}, |builder| builder);
    let side = world.primary_keys.clone();
    assert!(matches!(
        MirroredKeyProvider::new(side.clone(), side.clone()).unwrap_err(),
        BuildError::SameProvider
    ));
    let deaf = swarmauri_keyprovider_testkit::FaultyProvider::new(world.secondary_keys.clone());
    deaf.faults().restrict_capabilities(|can| can.import_public.clear());
    let error = MirroredKeyProvider::new(side, std::sync::Arc::new(deaf)).unwrap_err();
    assert!(error.to_string().contains("mode none"), "{error}");
}

#[tokio::test]
async fn a_primary_that_takes_no_kid_still_leaves_no_orphan() {
    let world = restricted_world(|primary, _| deny(primary, &[Feature::ChosenKid]), |builder| builder);
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.fail_next(Method::CreateKey, Fault::FailAfter(outages().remove(0)));
    assert!(world.mirror.create(KeyAlg::Ed25519).await.unwrap_err().is_outage());
    assert!(world.backlog()[0].starts_with("create of unknown outcome"));
    assert!(world.mirror.reconcile().await.is_clean());
    assert!(world.backlog().is_empty());
    assert_eq!(world.replicas().await, 2);

    // The tag shows on neither side's answer more than on the other's.
    let before = world.read(key.kid(), None).await.unwrap();
    world.primary.outage();
    assert_eq!(world.read(key.kid(), None).await.unwrap().parts(), before.parts());
}

#[tokio::test]
async fn what_is_denied_is_refused_before_the_primary_is_asked() {
    let world = restricted_world(
        |_, secondary| {
            secondary.restrict_capabilities(|can| {
                can.import_public.remove(&KeyAlg::X25519);
                can.features.remove(&Feature::Hkdf);
            });
        },
        |builder| builder,
    );
    assert_eq!(kind(world.mirror.create(KeyAlg::X25519).await), KeyErrorKind::UnsupportedAlgorithm);
    let ikm = vec![7; 32].into();
    assert_eq!(kind(world.mirror.hkdf(&ikm, b"", b"", 16).await), KeyErrorKind::Unsupported);
    assert!(world.primary.journal().calls().is_empty());
    assert!(world.mirror.list_keys(&PageRequest::default()).await.is_ok());
}
