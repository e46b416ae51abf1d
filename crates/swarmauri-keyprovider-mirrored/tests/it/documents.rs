//! JWKS documents: when they are shared, what is told, and what strays and odd names make of them.

use std::sync::Arc;

use swarmauri_keyprovider::{Feature, JwksQuery, KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_mirrored::OnPrimaryLoss;
use swarmauri_keyprovider_testkit::{Answer, Fault, Lie, Method, capture_tracing_of};
use swarmauri_keys::{Jwk, JwkSet, KeyAlg, KeySpec, KeySummary, Page};

use crate::support::*;

async fn document(world: &World, query: &JwksQuery) -> Arc<JwkSet> {
    world.mirror.jwks(query).await.unwrap()
}

#[tokio::test]
async fn documents_of_several_queries_are_shared_whoever_is_asked() {
    for fail_open in [true, false] {
        let world = world_with(|builder| builder.fail_open_reads(fail_open));
        world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        let queries = [JwksQuery::LATEST, JwksQuery::ALL_LIVE];
        for primary_out in [false, true] {
            if primary_out && fail_open {
                world.primary.outage();
            }
            let mut first = Vec::new();
            for query in &queries {
                first.push(document(&world, query).await);
            }
            for (query, first) in queries.iter().zip(first) {
                let again = document(&world, query).await;
                assert!(Arc::ptr_eq(&first, &again), "fail open: {fail_open}, out: {primary_out}");
            }
        }
    }
}

#[tokio::test]
async fn a_document_is_made_anew_when_either_side_or_the_map_changed() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    assert_eq!(document(&world, &JwksQuery::LATEST).await.keys.len(), 1);
    world.primary_keys.create(KeyAlg::Ed25519).await.unwrap();
    assert_eq!(document(&world, &JwksQuery::LATEST).await.keys.len(), 2);
    world.secondary_keys.create(KeyAlg::Ed25519).await.unwrap();
    assert_eq!(document(&world, &JwksQuery::LATEST).await.keys.len(), 3);
    // Neither side's document changes, only what is recorded.
    for side in [&world.primary, &world.secondary] {
        side.fail_next(Method::DestroyKey, Fault::Lie(Lie::DestroyNothingSayTrue));
    }
    world.mirror.destroy_key(key.kid(), None).await.unwrap();
    assert_eq!(document(&world, &JwksQuery::LATEST).await.keys.len(), 2);
}

#[tokio::test]
async fn a_stray_that_cannot_be_told_by_its_tags_is_known_by_its_key() {
    let world = world_without(&[Feature::ChosenKid, Feature::ListKeys]);
    world.secondary.fail_next(Method::ImportKey, Fault::FailAfter(outages().remove(1)));
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    assert_eq!(world.replicas().await, 1);
    for query in [JwksQuery::LATEST, JwksQuery::ALL_LIVE] {
        assert_eq!(document(&world, &query).await.keys, [key.public_jwk().unwrap()]);
    }
    world.mirror.destroy_key(key.kid(), None).await.unwrap();
    for out in [false, true] {
        if out {
            world.primary.outage();
        }
        assert!(document(&world, &JwksQuery::ALL_LIVE).await.keys.is_empty(), "promise 4, out: {out}");
    }
}

#[tokio::test]
async fn of_two_keys_under_one_name_of_another_form_the_primarys_is_published() {
    let world = world();
    let ours = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let theirs = world.secondary_keys.create(KeyAlg::Ed25519).await.unwrap();
    let third = world.secondary_keys.create(KeyAlg::Ed25519).await.unwrap();
    for (side, kids) in [
        (&world.primary, vec![(ours.id().to_string(), "odd")]),
        (&world.secondary, vec![(theirs.id().to_string(), "odd"), (third.id().to_string(), "even")]),
    ] {
        let rename = Fault::answer(move |_, honest| {
            let Ok(Answer::Jwks(set)) = honest else { panic!("no JWKS") };
            let mut set = (*set).clone();
            for jwk in &mut set.keys {
                let new = kids.iter().find(|(old, _)| jwk.kid.as_deref() == Some(old));
                jwk.kid = new.map(|(_, new)| (*new).to_owned()).or(jwk.kid.take());
            }
            Ok(Answer::Jwks(set.into()))
        });
        side.set(Method::Jwks, Some(rename));
    }
    let document = document(&world, &JwksQuery::ALL_LIVE).await;
    let of_name = |name: &str| -> Vec<&Jwk> {
        document.keys.iter().filter(|jwk| jwk.kid.as_deref() == Some(name)).collect()
    };
    assert_eq!(of_name("odd").len(), 1);
    assert_eq!(Some(&of_name("odd")[0].key), ours.public_key());
    assert_eq!(of_name("even").len(), 1);
}

#[tokio::test]
async fn promise_3_a_wrong_key_in_a_document_is_told_and_a_right_one_is_not() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.outage();
    let (document, told) = capture_tracing_of(world.mirror.jwks(&JwksQuery::LATEST)).await;
    assert_eq!(document.unwrap().keys, [key.public_jwk().unwrap()]);
    assert!(!told.contains("wrong key"), "{told}");
    world.secondary.set(Method::Jwks, Some(Fault::Lie(Lie::WrongKey)));
    let (document, told) = capture_tracing_of(world.mirror.jwks(&JwksQuery::LATEST)).await;
    assert!(document.unwrap().keys.is_empty());
    assert!(told.contains("wrong key") && told.contains(key.kid().as_str()), "{told}");
}

#[tokio::test]
async fn what_only_another_process_mirrored_is_published_in_an_outage() {
    let world = world();
    let spec = KeySpec::new(KeyAlg::Ed25519).with_kid(kid("a"));
    let key = world.mirror.create_key(&spec).await.unwrap();
    let world = world.restart();
    world.primary.outage();
    assert_eq!(document(&world, &JwksQuery::LATEST).await.keys, [key.public_jwk().unwrap()]);
}

#[tokio::test]
async fn promise_3_a_wrong_key_in_a_replicas_place_is_no_foreign_key_either() {
    let world = world_without(&[Feature::ListKeys]);
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.secondary.set(Method::Jwks, Some(Fault::Lie(Lie::WrongKey)));
    assert_eq!(document(&world, &JwksQuery::ALL_LIVE).await.keys, [key.public_jwk().unwrap()]);
    world.primary.outage();
    assert!(document(&world, &JwksQuery::ALL_LIVE).await.keys.is_empty());
}

/// Another process has made it, and this one has not heard of that. When the secondary is asked which of its keys are
/// replicas, it is there no more.
#[tokio::test]
async fn promise_4_a_replica_that_goes_between_the_document_and_the_list_is_no_foreign_key() {
    let world = world();
    world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let other = world.clone().restart();
    let before = document(&other, &JwksQuery::LATEST).await;
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.fail_next(Method::Jwks, Fault::answer(move |_, _| Ok(before.clone().into())));
    let none = Page::<KeySummary> { items: Vec::new(), next: None };
    world.secondary.fail_next(Method::ListKeys, Fault::answer(move |_, _| Ok(none.clone().into())));
    let published = document(&other, &JwksQuery::LATEST).await;
    assert_eq!(published.keys.len(), 1, "nothing of {}: {published:?}", key.kid());
}

#[tokio::test]
async fn a_prefix_is_of_the_primarys_kid_also_where_replicas_have_random_ones() {
    let world = world_without(&[Feature::ChosenKid]);
    let spec = KeySpec::new(KeyAlg::Ed25519).with_kid(kid("app.sign"));
    let key = world.mirror.create_key(&spec).await.unwrap();
    world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.outage();
    let of_app = document(&world, &JwksQuery::LATEST.with_prefix("app.")).await;
    assert_eq!(of_app.keys, [key.public_jwk().unwrap()]);
}

#[tokio::test]
async fn promise_2_a_replica_is_published_as_the_primary_would() {
    let world = world();
    let key = world.mirror.create(KeyAlg::EcdsaP256Sha256).await.unwrap();
    let bare = Fault::answer(|_, honest| {
        let Ok(Answer::Jwks(set)) = honest else { panic!("no JWKS") };
        let stripped = |jwk: &Jwk| Jwk { alg: None, use_: None, ..jwk.clone() };
        Ok(Answer::Jwks(Arc::new(JwkSet { keys: set.keys.iter().map(stripped).collect() })))
    });
    world.secondary.set(Method::Jwks, Some(bare));
    world.primary.outage();
    assert_eq!(document(&world, &JwksQuery::LATEST).await.keys, [key.public_jwk().unwrap()]);
}

#[tokio::test]
async fn on_primary_loss_refuse_publishes_replicas_in_an_outage() {
    let world = world_with(|builder| builder.on_primary_loss(OnPrimaryLoss::Refuse));
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.outage();
    assert_eq!(document(&world, &JwksQuery::LATEST).await.keys, [key.public_jwk().unwrap()]);
}

#[tokio::test]
async fn a_latest_version_that_is_not_copied_yet_is_the_only_latest() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.secondary.fail_next(Method::ImportKey, Fault::FailBefore(outages().remove(0)));
    let latest = world.mirror.rotate(key.kid()).await.unwrap();
    assert_eq!(document(&world, &JwksQuery::LATEST).await.keys, [latest.public_jwk().unwrap()]);
}

#[tokio::test]
async fn promise_4_a_key_whose_destroy_is_open_is_in_no_document_of_an_outage() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.mirror.rotate(key.kid()).await.unwrap();
    world.primary.outage();
    world.mirror.destroy_key(key.kid(), None).await.unwrap_err();
    for query in [JwksQuery::LATEST, JwksQuery::ALL_LIVE] {
        assert!(document(&world, &query).await.keys.is_empty());
    }
}
