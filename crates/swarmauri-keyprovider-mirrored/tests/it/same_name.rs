//! Mode `none`: what somebody else put on the secondary under the same name.

use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_mirrored::MirrorMode;
use swarmauri_keyprovider_testkit::{Fault, Method};
use swarmauri_keys::{Jwk, KeyAlg, KeyError, KeyId, KeyMaterial, KeyRef, PageRequest};

use crate::support::*;

/// A key of the primary, and the same one on the secondary, at this many versions.
async fn provisioned(world: &World, versions: usize) -> KeyRef {
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    for _ in 1..versions {
        world.mirror.rotate(key.kid()).await.unwrap();
    }
    for version in world.primary_keys.list_versions(key.kid()).await.unwrap() {
        let answer = world.primary_keys.get_key(key.kid(), Some(version), Secrets::Include).await.unwrap();
        let material = KeyMaterial::from(answer.secret().unwrap().clone());
        let spec = exportable(KeyAlg::Ed25519).with_kid(key.kid().clone());
        world.secondary_keys.import_version(answer.id(), &spec, material).await.unwrap();
    }
    key
}

async fn is_served(world: &World, kid: &KeyId) -> bool {
    let jwks = world.mirror.jwks(&JwksQuery::ALL_LIVE).await.unwrap();
    let listed = world.mirror.list_keys(&PageRequest::default()).await.unwrap().items;
    let work = world.mirror.work().unwrap();
    let served = [
        world.read(kid, None).await.is_ok(),
        world.read(kid, Some(version(1))).await.is_ok(),
        world.secret(kid).await.is_ok(),
        world.mirror.list_versions(kid).await.is_ok(),
        work.sign(kid, None, b"m").await.is_ok(),
        jwks.keys.iter().filter_map(Jwk::version_id).any(|id| id.kid == *kid),
        listed.iter().any(|summary| summary.kid == *kid),
    ];
    assert!(served.iter().all(|one| *one == served[0]), "{served:?}");
    served[0]
}

#[tokio::test]
async fn promise_4_in_mode_none_too_the_secondary_serves_no_more_from_the_start_of_a_destroy() {
    for whole in [true, false] {
        let world = world_in(MirrorMode::None);
        let key = provisioned(&world, 1).await;
        world.primary.outage();
        assert!(is_served(&world, key.kid()).await);
        let target = (!whole).then(|| version(1));
        assert!(world.mirror.destroy_key(key.kid(), target).await.unwrap_err().is_outage());
        assert!(!is_served(&world, key.kid()).await);
        // And once it turns out that the primary refuses, it does again.
        world.primary.recover();
        let refusal = Fault::FailBefore(KeyError::permission_denied("told to"));
        world.primary.fail_next(Method::DestroyKey, refusal);
        world.mirror.reconcile().await;
        world.primary.outage();
        assert!(is_served(&world, key.kid()).await);
    }
}

/// The primary is up, and publishes nothing of the key, or another version.
#[tokio::test]
async fn what_the_primary_withholds_the_secondary_does_not_publish() {
    let world = world_in(MirrorMode::None);
    let key = provisioned(&world, 2).await;
    let foreign = world.secondary_keys.create(KeyAlg::Ed25519).await.unwrap();
    world.primary_keys.disable_key(key.kid(), version(2)).await.unwrap();
    for query in [JwksQuery::LATEST, JwksQuery::ALL_LIVE] {
        let own = world.primary_keys.jwks(&query).await.unwrap();
        let mut expected: Vec<_> = own.keys.iter().filter_map(|jwk| jwk.kid.clone()).collect();
        expected.push(foreign.id().to_string());
        expected.sort();
        let set = world.mirror.jwks(&query).await.unwrap();
        let mut published: Vec<_> = set.keys.iter().filter_map(|jwk| jwk.kid.clone()).collect();
        published.sort();
        assert_eq!(published, expected);
    }
}
