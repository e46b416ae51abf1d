//! A document that is made from the one before it is the one that would be made of everything.

use std::sync::Arc;

use fastrand::Rng;
use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_mirrored::{JwksMerge, MirrorMode, OnPrimaryLoss};
use swarmauri_keys::{KeyAlg, KeyId, KeySpec, KeyVersion};

use crate::support::*;

const SEEDS: u64 = 60;
const STEPS: usize = 40;

/// By chance: what callers do, and what is done to the sides behind the mirror's back.
async fn step(world: &World, random: &mut Rng) {
    let kid = kid(random.choice(["app.a", "app.b", "c", "d", "e"]).unwrap());
    let spec = KeySpec::new(KeyAlg::Ed25519).with_kid(kid.clone());
    let version = KeyVersion::new(random.u32(1..4)).unwrap();
    let (mirror, primary, secondary) = (&world.mirror, &world.primary_keys, &world.secondary_keys);
    // Much of it is refused, which is as well.
    match random.u32(0..24) {
        0..6 => drop(mirror.create_key(&spec).await),
        6..9 => drop(mirror.rotate(&kid).await),
        9 => drop(mirror.destroy_key(&kid, None).await),
        10 | 11 => drop(mirror.destroy_key(&kid, Some(version)).await),
        12 => drop(mirror.disable_key(&kid, version).await),
        13 => drop(mirror.enable_key(&kid, version).await),
        14 | 15 => drop(primary.create_key(&spec).await),
        16 => drop(primary.rotate(&kid).await),
        17 => drop(primary.destroy_key(&kid, Some(version)).await),
        18 => drop(primary.disable_key(&kid, version).await),
        19 => drop(secondary.create_key(&spec).await),
        20 => {
            if let Some(replica) = any(&**secondary, random).await {
                drop(secondary.destroy_key(&replica, None).await);
            }
        }
        21 => {
            if let Some(replica) = any(&**secondary, random).await {
                drop(secondary.rotate(&replica).await);
            }
        }
        22 => drop(mirror.reconcile().await),
        _ => drop(world.read(&kid, Some(version)).await),
    }
}

async fn any(provider: &dyn KeyProvider, random: &mut Rng) -> Option<KeyId> {
    let keys = provider.list_all_keys().await.unwrap();
    random.choice(&keys).map(|key| key.kid.clone())
}

#[tokio::test]
async fn a_document_made_from_the_one_before_is_the_one_made_of_everything() {
    for seed in 0..SEEDS {
        let mut random = Rng::with_seed(seed);
        let world = world_with(|builder| {
            builder
                .mode(*random.choice(&[MirrorMode::PublicOnly, MirrorMode::Full, MirrorMode::None]).unwrap())
                .jwks_merge(*random.choice(&[JwksMerge::All, JwksMerge::ReplicasOnly]).unwrap())
                .on_primary_loss(
                    *random.choice(&[OnPrimaryLoss::ServeReplica, OnPrimaryLoss::Refuse]).unwrap(),
                )
        });
        for number in 0..STEPS {
            step(&world, &mut random).await;
            for query in [JwksQuery::LATEST, JwksQuery::ALL_LIVE, JwksQuery::LATEST.with_prefix("app.")] {
                let document = world.mirror.jwks(&query).await.unwrap();
                let afresh = world.clone().over(Arc::new(world.store.clone())).await;
                let whole = afresh.mirror.jwks(&query).await.unwrap();
                assert_eq!(document, whole, "seed {seed}, step {number}, {query:?}");
            }
        }
    }
}

/// The primary's own, where there is nothing to add to it or to leave out: it is in memory once.
#[tokio::test]
async fn a_document_is_the_primarys_own_where_it_says_it_all() {
    let world = world();
    for _ in 0..3 {
        let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        world.mirror.rotate(key.kid()).await.unwrap();
        for query in [JwksQuery::LATEST, JwksQuery::ALL_LIVE] {
            let document = world.mirror.jwks(&query).await.unwrap();
            assert!(Arc::ptr_eq(&document, &world.primary_keys.jwks(&query).await.unwrap()));
        }
    }
    world.secondary_keys.create(KeyAlg::Ed25519).await.unwrap();
    assert_eq!(world.mirror.jwks(&JwksQuery::LATEST).await.unwrap().keys.len(), 4);
}
