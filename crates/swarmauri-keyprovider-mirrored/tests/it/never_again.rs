//! What goes wrong in the Python packages, fault by fault, and does not here.
//! `docs/differences-from-python.md` lists them. Those of the local provider are tested in its own crate.

use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt, Secrets, registry};
use swarmauri_keyprovider_mirrored::{BuildError, MirrorMode, MirroredKeyProvider};
use swarmauri_keyprovider_testkit::{Fault, Method, capture_tracing_of};
use swarmauri_keys::{
    ExportPolicy, KeyAlg, KeyClass, KeyError, KeyErrorKind, KeyMaterial, KeySpec, PrivateKey,
};

use crate::support::*;

async fn kids_in(world: &World, query: JwksQuery) -> Vec<String> {
    let set = world.mirror.jwks(&query).await.unwrap();
    set.keys.iter().map(|jwk| jwk.kid.clone().unwrap()).collect()
}

fn pkcs8_of(key: &swarmauri_keys::KeyRef) -> KeyMaterial {
    key.secret().unwrap().clone().into()
}

/// The same key without its public half, as a bare seed is imported.
async fn bare_private_key(world: &World) -> KeyMaterial {
    let key = world.primary_keys.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    let key = world.primary_keys.get_key(key.kid(), None, Secrets::Include).await.unwrap();
    let KeyMaterial::Private(private) = pkcs8_of(&key) else { panic!("no private key") };
    KeyMaterial::Private(PrivateKey::from_raw(KeyAlg::Ed25519.key_type(), private.expose_secret()).unwrap())
}

#[tokio::test]
async fn never_again_two_mirrored_keys_overwrite_each_other() {
    let world = world();
    let a = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let b = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.outage();
    for key in [a, b] {
        assert_eq!(world.jwk(key.kid(), None).await.unwrap(), key.public_jwk().unwrap());
    }
}

#[tokio::test]
async fn never_again_v1_answers_with_the_key_of_v2() {
    let world = world();
    let first = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.mirror.rotate(first.kid()).await.unwrap();
    world.primary.outage();
    assert_eq!(world.jwk(first.kid(), Some(version(1))).await.unwrap(), first.public_jwk().unwrap());
}

#[tokio::test]
async fn never_again_destroying_v1_removes_the_mirror_of_v2() {
    let world = world();
    let first = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let second = world.mirror.rotate(first.kid()).await.unwrap();
    world.mirror.destroy_key(first.kid(), Some(version(1))).await.unwrap();
    world.primary.outage();
    assert_eq!(world.jwk(first.kid(), None).await.unwrap(), second.public_jwk().unwrap());
}

#[tokio::test]
async fn never_again_reads_without_version_and_list_versions_fail_during_an_outage() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.outage();
    assert_eq!(world.read(key.kid(), None).await.unwrap().id(), key.id());
    assert_eq!(world.mirror.list_versions(key.kid()).await.unwrap(), [version(1)]);
}

#[tokio::test]
async fn never_again_the_jwks_of_an_outage_bears_other_kids() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let by_prefix = JwksQuery::LATEST.with_prefix(&key.kid().as_str()[..8]);
    world.primary.outage();
    assert_eq!(kids_in(&world, JwksQuery::LATEST).await, [key.id().to_string()]);
    assert_eq!(kids_in(&world, by_prefix).await, [key.id().to_string()]);
}

#[tokio::test]
async fn never_again_a_mirrored_key_shows_twice_in_the_jwks() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    assert_eq!(kids_in(&world, JwksQuery::LATEST).await.len(), 1);
    world.mirror.rotate(key.kid()).await.unwrap();
    assert_eq!(kids_in(&world, JwksQuery::LATEST).await.len(), 1);
}

#[tokio::test]
async fn never_again_full_copies_private_bytes_whatever_the_policy() {
    let world = world_in(MirrorMode::Full);
    let spec = KeySpec::new(KeyAlg::Ed25519);
    let material = bare_private_key(&world).await;
    let imported = world.mirror.import_key(&spec, material).await.unwrap();
    world.mirror.rotate(imported.kid()).await.unwrap();
    assert!(world.secondary.journal().secret_bytes_handed().is_empty());
}

#[tokio::test]
async fn never_again_modes_that_copy_no_secret_read_it_out_of_the_primary() {
    for mode in [MirrorMode::PublicOnly, MirrorMode::None] {
        let world = world_in(mode);
        let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
        world.mirror.rotate(key.kid()).await.unwrap();
        assert!(world.primary.journal().secret_reads().is_empty(), "{mode}");
    }
}

#[tokio::test]
async fn never_again_a_failed_secret_read_downgrades_full_silently() {
    let world = world_in(MirrorMode::Full);
    world.primary.fail_next(Method::GetKey, Fault::FailBefore(KeyError::permission_denied("hardware")));
    let (_, told) = capture_tracing_of(world.mirror.create_key(&exportable(KeyAlg::Ed25519))).await;
    assert!(told.contains("public key only"), "{told}");
}

#[tokio::test]
async fn never_again_a_full_import_without_a_public_half_is_declared_symmetric() {
    let world = world_in(MirrorMode::Full);
    let material = bare_private_key(&world).await;
    let key = world.mirror.import_key(&exportable(KeyAlg::Ed25519), material).await.unwrap();
    world.primary.outage();
    let replica = world.secret(key.kid()).await.unwrap();
    assert_eq!(replica.class(), KeyClass::Asymmetric);
    assert_eq!(replica.public_key(), key.public_key());
}

#[tokio::test]
async fn never_again_a_destroy_while_the_secondary_is_down_leaves_the_replica_published() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.secondary.outage();
    assert!(world.mirror.destroy_key(key.kid(), None).await.unwrap());
    world.secondary.recover();
    assert!(kids_in(&world, JwksQuery::ALL_LIVE).await.is_empty());
    assert_eq!(world.backlog(), [format!("destroy replica {}", key.id())]);
    world.mirror.reconcile().await;
    assert_eq!(world.replicas().await, 0);
}

#[tokio::test]
async fn never_again_a_destroy_that_answers_false_deletes_mirrors() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    assert!(!world.mirror.destroy_key(key.kid(), Some(version(9))).await.unwrap());
    world.primary.fail_next(
        Method::DestroyKey,
        Fault::Lie(swarmauri_keyprovider_testkit::Lie::DestroyNothingSayFalse),
    );
    world.mirror.destroy_key(key.kid(), None).await.unwrap_err();
    assert_eq!(world.replicas().await, 1);
    world.primary.outage();
    assert!(world.jwk(key.kid(), None).await.is_ok());
}

#[tokio::test]
async fn never_again_a_rotation_racing_a_destroy_leaves_the_rotated_key_readable() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let hold = world.primary.hold(Method::RotateKey);
    let (rotating, destroying) = (world.mirror.clone(), world.mirror.clone());
    let (one, same) = (key.kid().clone(), key.kid().clone());
    let rotate = tokio::spawn(async move { rotating.rotate(&one).await });
    hold.arrived().await;
    let destroy = tokio::spawn(async move { destroying.destroy_key(&same, None).await });
    tokio::task::yield_now().await;
    hold.release();
    let _ = rotate.await.unwrap();
    assert!(destroy.await.unwrap().unwrap());
    world.primary.outage();
    for which in [None, Some(version(1)), Some(version(2))] {
        assert_eq!(kind(world.jwk(key.kid(), which).await), KeyErrorKind::NotFound);
    }
}

#[tokio::test]
async fn never_again_a_kid_that_happens_to_exist_answers_for_an_unrelated_key() {
    let world = world();
    let spec = KeySpec::new(KeyAlg::Ed25519).with_kid(kid("default"));
    world.primary_keys.create_key(&spec).await.unwrap(); // not mirrored
    world.secondary_keys.create_key(&spec).await.unwrap();
    world.primary.outage();
    assert!(world.jwk(&kid("default"), None).await.unwrap_err().is_outage());
    assert!(world.jwk(&kid("default"), Some(version(1))).await.unwrap_err().is_outage());
}

#[tokio::test]
async fn never_again_any_error_fails_over() {
    for error in refusals() {
        let world = world();
        let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        world.primary.set_all(Some(Fault::FailBefore(error.clone())));
        assert_eq!(kind(world.jwk(key.kid(), None).await), error.kind());
    }
}

#[tokio::test]
async fn never_again_the_secondarys_not_found_hides_an_outage() {
    let world = world();
    world.primary.outage();
    assert!(world.jwk(&kid("unknown"), None).await.unwrap_err().is_outage());
}

#[tokio::test]
async fn never_again_with_fail_open_off_a_weaker_store_injects_trust() {
    let world = world_with(|builder| builder.fail_open_reads(false));
    world.secondary_keys.create(KeyAlg::Ed25519).await.unwrap();
    assert!(kids_in(&world, JwksQuery::LATEST).await.is_empty());
}

#[tokio::test]
async fn never_again_the_secret_of_a_public_replica_is_an_empty_one() {
    let world = world();
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    world.primary.outage();
    assert!(world.secret(key.kid()).await.is_err());
}

#[tokio::test]
async fn never_again_a_rotation_fails_after_rotating_for_want_of_a_tag() {
    let world = world();
    let key = world.primary_keys.create(KeyAlg::Ed25519).await.unwrap(); // made without the mirror
    assert_eq!(world.mirror.rotate(key.kid()).await.unwrap().version(), version(2));
    assert!(world.backlog().is_empty());
}

#[tokio::test]
async fn never_again_an_error_inside_the_fall_back_escapes() {
    let world = world_in(MirrorMode::Full);
    world.secondary.set_all(Some(Fault::FailBefore(KeyError::invalid_state("broken"))));
    assert!(world.mirror.create(KeyAlg::Ed25519).await.is_ok());
    let key = world.mirror.create_key(&exportable(KeyAlg::Aes256Gcm)).await.unwrap();
    world.primary.outage();
    assert_eq!(kind(world.read(key.kid(), None).await), KeyErrorKind::Unavailable);
}

#[tokio::test]
async fn never_again_unknown_modes_are_accepted() {
    assert!("both".parse::<MirrorMode>().unwrap_err().to_string().contains("public_only, full, none"));
    let config = serde_json::from_str(
        r#"{"type":"MirroredKeyProvider","mode":"both",
            "primary":{"type":"LocalKeyProvider"},"secondary":{"type":"LocalKeyProvider"}}"#,
    );
    assert!(registry::build(&config.unwrap()).await.unwrap_err().to_string().contains("`both`"));
}

#[tokio::test]
async fn never_again_one_provider_may_be_both_sides() {
    let side = world().primary_keys;
    assert!(matches!(MirroredKeyProvider::new(side.clone(), side).unwrap_err(), BuildError::SameProvider));
}

#[tokio::test(start_paused = true)]
async fn never_again_cancelling_a_create_orphans_the_key() {
    let world = world();
    world.primary.fail_next(Method::CreateKey, Fault::HangAfter);
    assert!(give_up(world.mirror.create(KeyAlg::Ed25519)).await.is_none());
    let orphan = world.primary_keys.list_all_keys().await.unwrap().remove(0);
    assert_eq!(world.backlog(), [format!("create of unknown outcome {}", orphan.kid)]);
    world.mirror.reconcile().await;
    world.primary.outage();
    assert!(world.jwk(&orphan.kid, None).await.is_ok());
}

#[tokio::test]
async fn never_again_a_re_import_makes_two_mirrors_and_maps_one() {
    let world = world();
    let material = bare_private_key(&world).await;
    let spec = KeySpec::builder(KeyAlg::Ed25519).export_policy(ExportPolicy::PublicOnly).build().unwrap();
    let first = world.mirror.import_key(&spec, material.clone()).await.unwrap();
    let second = world.mirror.import_key(&spec, material).await.unwrap();
    world.mirror.destroy_key(first.kid(), None).await.unwrap();
    world.mirror.destroy_key(second.kid(), None).await.unwrap();
    assert_eq!(world.replicas().await, 0);
}

#[tokio::test]
async fn never_again_supports_lists_one_algorithm_under_two_names() {
    let can = serde_json::to_value(world().mirror.supports()).unwrap();
    let algs: Vec<_> = can["create"].as_array().unwrap().iter().map(|alg| alg.as_str().unwrap()).collect();
    assert_eq!(algs.len(), KeyAlg::ALL.len());
    assert!(algs.iter().all(|alg| alg.parse::<KeyAlg>().is_ok()), "{algs:?}");
}
