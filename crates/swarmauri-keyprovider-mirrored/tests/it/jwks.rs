//! Merging the JWKS of both sides.

use std::sync::Arc;

use swarmauri_keyprovider::{Feature, JwksQuery, KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_mirrored::{JwksMerge, MirrorMode, OnPrimaryLoss};
use swarmauri_keyprovider_testkit::{Answer, Fault, Method};
use swarmauri_keys::{ExportPolicy, KeyAlg, KeyErrorKind, KeySpec, SpecOverrides};

use crate::support::*;

async fn kids(world: &World, query: JwksQuery) -> Vec<String> {
    let set = world.mirror.jwks(&query).await.unwrap();
    set.keys.iter().map(|jwk| jwk.kid.clone().unwrap()).collect()
}

fn named(name: &str) -> KeySpec {
    KeySpec::new(KeyAlg::Ed25519).with_kid(kid(name))
}

#[tokio::test]
async fn a_key_shows_once_however_often_it_is_rotated() {
    let world = world();
    world.mirror.create_key(&named("a")).await.unwrap();
    world.mirror.rotate(&kid("a")).await.unwrap();
    world.mirror.rotate(&kid("a")).await.unwrap();
    for out in [false, true] {
        if out {
            world.primary.outage();
        }
        assert_eq!(kids(&world, JwksQuery::LATEST).await, ["a.3"]);
        assert_eq!(kids(&world, JwksQuery::ALL_LIVE).await, ["a.1", "a.2", "a.3"]);
    }
}

#[tokio::test]
async fn a_prefix_is_one_of_the_primarys_bare_kid_also_during_an_outage() {
    let world = world();
    for name in ["app.sign", "app.verify", "other"] {
        world.mirror.create_key(&named(name)).await.unwrap();
    }
    world.secondary_keys.create_key(&named("app.foreign")).await.unwrap();
    for out in [false, true] {
        if out {
            world.primary.outage();
        }
        let query = JwksQuery::LATEST.with_prefix("app.");
        assert_eq!(kids(&world, query).await, ["app.foreign.1", "app.sign.1", "app.verify.1"]);
        assert!(
            kids(&world, JwksQuery::LATEST.with_prefix("app.sign.")).await.is_empty(),
            "not of the JWK's kid"
        );
    }
}

#[tokio::test]
async fn foreign_keys_are_merged_latest_version_each_and_the_primary_wins() {
    let world = world();
    world.mirror.create_key(&named("a")).await.unwrap();
    world.secondary_keys.create_key(&named("b")).await.unwrap();
    world.secondary_keys.rotate(&kid("b")).await.unwrap();
    // Under the primary's own name, and as if it were its next version.
    world.secondary_keys.create_key(&named("a")).await.unwrap();
    world.secondary_keys.rotate(&kid("a")).await.unwrap();
    let right = world.jwk(&kid("a"), None).await.unwrap();
    for out in [false, true] {
        if out {
            world.primary.outage();
        }
        assert_eq!(kids(&world, JwksQuery::LATEST).await, ["a.1", "b.2"]);
        assert_eq!(kids(&world, JwksQuery::ALL_LIVE).await, ["a.1", "b.1", "b.2"]);
        assert_eq!(world.mirror.jwks(&JwksQuery::LATEST).await.unwrap().keys[0], right);
    }
}

#[tokio::test]
async fn replicas_only_takes_no_foreign_key() {
    for mode in [MirrorMode::PublicOnly, MirrorMode::Full, MirrorMode::None] {
        let world = world_with(|builder| builder.mode(mode).jwks_merge(JwksMerge::ReplicasOnly));
        world.mirror.create_key(&named("a")).await.unwrap();
        world.secondary_keys.create_key(&named("b")).await.unwrap();
        assert_eq!(kids(&world, JwksQuery::LATEST).await, ["a.1"], "{mode}");
        world.primary.outage();
        if mode == MirrorMode::None {
            let error = world.mirror.jwks(&JwksQuery::LATEST).await.unwrap_err();
            assert!(error.is_outage(), "an empty document would deny every token");
        } else {
            assert_eq!(kids(&world, JwksQuery::LATEST).await, ["a.1"], "{mode}");
        }
    }
}

#[tokio::test]
async fn with_fail_open_off_the_secondary_adds_nothing() {
    for mode in [MirrorMode::PublicOnly, MirrorMode::None] {
        let world = world_with(|builder| builder.mode(mode).fail_open_reads(false));
        world.mirror.create_key(&named("a")).await.unwrap();
        world.secondary_keys.create_key(&named("b")).await.unwrap();
        assert_eq!(kids(&world, JwksQuery::LATEST).await, ["a.1"]);
        world.primary_keys.destroy_key(&kid("a"), None).await.unwrap();
        assert!(kids(&world, JwksQuery::LATEST).await.is_empty());
    }
}

#[tokio::test]
async fn mode_none_merges_by_default_as_ever() {
    let world = world_in(MirrorMode::None);
    world.mirror.create_key(&named("a")).await.unwrap();
    world.secondary_keys.create_key(&named("b")).await.unwrap();
    assert_eq!(kids(&world, JwksQuery::LATEST).await, ["a.1", "b.1"]);
    world.primary.outage();
    assert_eq!(kids(&world, JwksQuery::LATEST).await, ["b.1"]);
}

#[tokio::test]
async fn one_side_down_means_the_other_sides_keys_alone() {
    let world = world();
    world.mirror.create_key(&named("a")).await.unwrap();
    world.secondary_keys.create_key(&named("b")).await.unwrap();
    world.secondary.outage();
    assert_eq!(kids(&world, JwksQuery::LATEST).await, ["a.1"]);
    world.secondary.recover();
    world.primary.outage();
    assert_eq!(kids(&world, JwksQuery::LATEST).await, ["a.1", "b.1"]);
}

#[tokio::test]
async fn a_stray_replica_of_a_lost_answer_does_not_show() {
    for takes_kid in [true, false] {
        let world = world_without(if takes_kid { &[] } else { &[Feature::ChosenKid] });
        world.mirror.jwks(&JwksQuery::LATEST).await.unwrap();
        world.secondary.fail_next(Method::ImportKey, Fault::FailAfter(outages().remove(1)));
        let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        assert_eq!(kids(&world, JwksQuery::LATEST).await, [key.id().to_string()]);
    }
}

#[tokio::test]
async fn replicas_that_another_process_made_do_not_show_as_keys() {
    let world = world();
    world.mirror.jwks(&JwksQuery::LATEST).await.unwrap();
    let other = world_over(&world);
    let key = other.create(KeyAlg::Ed25519).await.unwrap();
    let rotated = other.rotate(key.kid()).await.unwrap();
    assert_eq!(kids(&world, JwksQuery::LATEST).await, [rotated.id().to_string()]);
}

#[tokio::test]
async fn a_document_is_shared_until_a_key_changes() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let first = world.mirror.jwks(&JwksQuery::LATEST).await.unwrap();
    let second = world.mirror.jwks(&JwksQuery::LATEST).await.unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    world.mirror.rotate(key.kid()).await.unwrap();
    let third = world.mirror.jwks(&JwksQuery::LATEST).await.unwrap();
    assert_ne!(first, third);
    world.secondary_keys.create(KeyAlg::Ed25519).await.unwrap();
    assert_eq!(world.mirror.jwks(&JwksQuery::LATEST).await.unwrap().keys.len(), 2);
}

#[tokio::test]
async fn a_secondary_that_cannot_tell_replicas_apart_adds_none_of_its_own() {
    let world = world();
    world.mirror.create_key(&named("a")).await.unwrap();
    world.secondary_keys.create_key(&named("b")).await.unwrap();
    world.secondary.set(Method::ListKeys, Some(Fault::FailBefore(outages().remove(0))));
    assert_eq!(kids(&world, JwksQuery::LATEST).await, ["a.1"]);
    world.secondary.recover();
    assert_eq!(kids(&world, JwksQuery::LATEST).await, ["a.1", "b.1"], "and that is not remembered");
}

#[tokio::test]
async fn keys_under_names_of_other_forms_are_kept() {
    let world = world();
    world.mirror.create_key(&named("a")).await.unwrap();
    world.secondary_keys.create_key(&named("b")).await.unwrap();
    let rename = Fault::answer(|_, honest| {
        let Ok(Answer::Jwks(set)) = honest else { panic!("no JWKS") };
        let mut set = (*set).clone();
        for jwk in set.keys.iter_mut().filter(|jwk| jwk.kid.as_deref() == Some("b.1")) {
            jwk.kid = Some("no version".to_owned());
        }
        Ok(Answer::Jwks(set.into()))
    });
    world.secondary.set(Method::Jwks, Some(rename));
    assert_eq!(kids(&world, JwksQuery::LATEST).await, ["a.1", "no version"]);
    assert_eq!(kids(&world, JwksQuery::LATEST.with_prefix("a")).await, ["a.1"]);
    assert_eq!(kids(&world, JwksQuery::LATEST.with_prefix("no")).await, ["no version"]);
}

#[tokio::test]
async fn without_anything_to_take_from_it_the_secondary_is_not_asked() {
    let world = world_with(|builder| {
        builder.jwks_merge(JwksMerge::ReplicasOnly).on_primary_loss(OnPrimaryLoss::Refuse)
    });
    world.mirror.create_key(&named("a")).await.unwrap();
    world.secondary.journal().clear();
    assert_eq!(kids(&world, JwksQuery::LATEST).await, ["a.1"]);
    assert!(world.secondary.journal().calls().is_empty());
}

#[tokio::test]
async fn symmetric_and_hidden_keys_are_in_no_jwks() {
    let world = world_in(MirrorMode::Full);
    let secret = world.mirror.create_key(&exportable(KeyAlg::HmacSha256)).await.unwrap();
    assert_eq!(kind(world.jwk(secret.kid(), None).await), KeyErrorKind::Unsupported);
    for out in [false, true] {
        if out {
            world.primary.outage();
        }
        assert!(kids(&world, JwksQuery::ALL_LIVE).await.is_empty());
    }
}

#[tokio::test]
async fn a_key_destroyed_while_the_document_is_made_is_not_in_it() {
    let world = world();
    world.mirror.create_key(&named("a")).await.unwrap();
    world.secondary_keys.create_key(&named("b")).await.unwrap();
    world.mirror.jwks(&JwksQuery::LATEST.with_prefix("nothing")).await.unwrap(); // adopts
    let hold = world.secondary.hold_after(Method::ListKeys);
    let mirror = world.mirror.clone();
    let document = tokio::spawn(async move { mirror.jwks(&JwksQuery::LATEST).await.unwrap() });
    hold.arrived().await;
    world.mirror.destroy_key(&kid("a"), None).await.unwrap();
    hold.release();
    let kids: Vec<_> = document.await.unwrap().keys.iter().map(|jwk| jwk.kid.clone().unwrap()).collect();
    assert_eq!(kids, ["b.1"]);
}

#[tokio::test]
async fn an_older_version_does_not_stand_in_for_a_latest_that_is_hidden() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let hide = SpecOverrides { export_policy: Some(ExportPolicy::None), ..SpecOverrides::NONE };
    world.mirror.rotate_key(key.kid(), &hide).await.unwrap();
    for out in [false, true] {
        if out {
            world.primary.outage();
        }
        assert!(kids(&world, JwksQuery::LATEST).await.is_empty());
        assert_eq!(kids(&world, JwksQuery::ALL_LIVE).await, [key.id().to_string()]);
        assert!(world.jwk(key.kid(), None).await.is_err());
        assert!(world.jwk(key.kid(), Some(version(1))).await.is_ok());
    }
}

#[cfg(feature = "jsoncanon")]
#[tokio::test]
async fn the_canonical_document_is_the_same_during_an_outage() {
    let world = world();
    world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.mirror.create(KeyAlg::EcdsaP256Sha256).await.unwrap();
    let before = world.mirror.jwks_canonical_json(&JwksQuery::LATEST).await.unwrap();
    world.primary.outage();
    assert_eq!(world.mirror.jwks_canonical_json(&JwksQuery::LATEST).await.unwrap(), before);
    assert!(before.starts_with(br#"{"keys":[{"alg":""#));
}

#[cfg(feature = "cbor")]
#[tokio::test]
async fn the_cose_key_set_is_the_same_during_an_outage() {
    let world = world();
    world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let before = world.mirror.jwks_cbor(&JwksQuery::LATEST).await.unwrap();
    world.primary.outage();
    assert_eq!(world.mirror.jwks_cbor(&JwksQuery::LATEST).await.unwrap(), before);
    let read = swarmauri_cbor::cose::keyset_from_slice(&before).unwrap();
    assert_eq!(read.keys.len(), 1);
}
