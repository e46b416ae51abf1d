//! What a state on a store survives: the end of the process, and its own loss.

use std::sync::Arc;

use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_mirrored::{BuildError, MirrorMode, MirroredKeyProvider};
use swarmauri_keyprovider_testkit::{Fault, Lie, Method, assert_no_secrets, secret_parts};
use swarmauri_keys::{KeyAlg, KeyError, KeyErrorKind, KeySpec};
use swarmauri_keystore::{KeyStore, MemoryStore, Precondition, ScanRequest, StoreKey};

use crate::support::*;

async fn next_process(world: World) -> World {
    let store = Arc::new(world.store.clone());
    world.over(store).await
}

async fn entries(store: &MemoryStore) -> Vec<swarmauri_keystore::Entry> {
    store.scan(&ScanRequest::all(b"").limit(10_000)).await.unwrap().entries
}

#[tokio::test]
async fn promise_4_a_later_process_serves_no_destroyed_key_and_pays_what_an_earlier_one_owed() {
    for whole in [true, false] {
        let world = world_in(MirrorMode::Full);
        let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
        world.secondary.outage();
        let which = (!whole).then_some(key.version());
        assert!(world.mirror.destroy_key(key.kid(), which).await.unwrap());
        world.secondary.recover();
        let world = next_process(world).await;
        assert_eq!(world.backlog(), [format!("destroy replica {}", key.id())]);
        for out in [false, true] {
            if out {
                world.primary.outage();
            }
            let read = world.read(key.kid(), Some(key.version())).await;
            assert_eq!(kind(read), KeyErrorKind::NotFound, "whole: {whole}, out: {out}");
            for query in [JwksQuery::LATEST, JwksQuery::ALL_LIVE] {
                assert!(world.mirror.jwks(&query).await.unwrap().keys.is_empty());
            }
        }
        world.primary.recover();
        assert_eq!(world.replicas().await, 1, "it is still there");
        assert!(world.mirror.reconcile().await.is_clean());
        assert_eq!(world.replicas().await, 0);
        let world = next_process(world).await;
        assert!(world.mirror.plan_reconcile().await.is_empty());
        assert_eq!(world.mirror.status().tombstones, 1);
    }
}

#[tokio::test]
async fn promise_4_tombstones_outrank_a_primary_that_answers_from_the_past_in_a_later_process_too() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.fail_next(Method::DestroyKey, Fault::Lie(Lie::DestroyNothingSayTrue));
    assert!(world.mirror.destroy_key(key.kid(), None).await.unwrap());
    let world = next_process(world).await;
    assert!(world.primary_keys.get_key(key.kid(), None, Secrets::Omit).await.is_ok(), "it still has it");
    assert_eq!(kind(world.read(key.kid(), None).await), KeyErrorKind::NotFound);
    let again = KeySpec::new(KeyAlg::Ed25519).with_kid(key.kid().clone());
    assert_eq!(
        kind(world.mirror.create_key(&again).await),
        KeyErrorKind::Conflict,
        "a kid is not used again"
    );
}

#[tokio::test]
async fn a_later_process_knows_replicas_debts_and_states_without_asking_anybody() {
    let world = world_in(MirrorMode::Full);
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    let rotated = world.mirror.rotate(key.kid()).await.unwrap();
    world.mirror.disable_key(key.kid(), key.version()).await.unwrap();
    world.secondary.fail_next(Method::ImportKey, Fault::FailBefore(KeyError::unavailable("told to")));
    let owed = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    let doomed = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.fail_next(Method::DestroyKey, Fault::FailBefore(KeyError::timeout("no answer")));
    world.mirror.destroy_key(doomed.kid(), None).await.unwrap_err();
    world.primary.fail_next(Method::RotateKey, Fault::FailBefore(KeyError::timeout("no answer")));
    world.mirror.rotate(owed.kid()).await.unwrap_err();
    world.primary.fail_next(Method::DisableKey, Fault::FailBefore(KeyError::timeout("no answer")));
    world.mirror.disable_key(rotated.kid(), rotated.version()).await.unwrap_err();
    let before = world.mirror.status();
    assert_eq!((before.backlog.len(), before.disabled), (4, 2));

    world.primary.journal().clear();
    world.secondary.journal().clear();
    let world = next_process(world).await;
    assert_eq!(world.mirror.status(), before);
    assert!(world.primary.journal().calls().is_empty() && world.secondary.journal().calls().is_empty());
    world.primary.outage();
    assert_eq!(kind(world.jwk(key.kid(), Some(rotated.version())).await), KeyErrorKind::Disabled);
    assert_eq!(kind(world.jwk(doomed.kid(), None).await), KeyErrorKind::Unavailable);
    world.primary.recover();
    assert!(world.mirror.reconcile().await.is_clean());
    assert!(next_process(world).await.mirror.plan_reconcile().await.is_empty());
}

/// A map that is known to be complete spares the search for replicas by their tags.
#[tokio::test]
async fn replicas_are_looked_for_by_tags_once_in_the_life_of_a_store() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let looks = |world: &World| world.secondary.journal().calls_of(Method::ListKeys).len();
    world.mirror.jwks(&JwksQuery::LATEST).await.unwrap();
    assert_eq!(looks(&world), 1);
    let world = next_process(world).await;
    world.primary.outage();
    world.mirror.jwks(&JwksQuery::LATEST).await.unwrap();
    world.jwk(key.kid(), None).await.unwrap();
    assert_eq!(looks(&world), 1);
}

#[tokio::test]
async fn a_map_that_is_lost_is_rebuilt_from_the_replicas() {
    for mode in [MirrorMode::PublicOnly, MirrorMode::Full] {
        let world = world_in(mode);
        let mut before = Vec::new();
        for n in 0..30 {
            let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
            for _ in 0..n % 3 {
                world.mirror.rotate(key.kid()).await.unwrap();
            }
            if n % 5 == 0 {
                world.mirror.disable_key(key.kid(), key.version()).await.unwrap();
            }
            for version in world.mirror.list_versions(key.kid()).await.unwrap() {
                before.push((key.kid().clone(), version));
            }
        }
        world.primary.outage();
        let read_all = async |world: &World| {
            let mut all = Vec::new();
            for (kid, version) in &before {
                let key = world.read(kid, Some(*version)).await.unwrap();
                all.push((key.parts().clone(), world.jwk(kid, Some(*version)).await.map_err(|e| e.kind())));
            }
            (all, world.mirror.jwks(&JwksQuery::ALL_LIVE).await.unwrap())
        };
        let answers = read_all(&world).await;
        world.primary.recover();

        for entry in entries(&world.store).await {
            world.store.delete(&entry.key, Precondition::Any).await.unwrap();
        }
        let world = next_process(world).await;
        assert!(world.mirror.status().replicas.is_empty());
        let report = world.mirror.reconcile().await;
        assert!(report.is_clean(), "{report:?}");
        assert!(world.mirror.plan_reconcile().await.is_empty(), "a second one finds nothing to do");
        world.primary.outage();
        assert_eq!(read_all(&world).await, answers, "{mode}");
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_named_and_nothing_is_opened() {
    for (damage, says) in [
        (&b"not JSON"[..], "cannot be read"),
        (br#"{"format":2,"record":{"whole":"live"}}"#, "its format is 2, and this version knows 1"),
        (br#"{"format":1,"record":{"whole":"live","surprise":1}}"#, "unknown field"),
        (br#"{"format":1,"record":{"whole":"dead"}}"#, "unknown variant"),
    ] {
        let world = world();
        let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        let at = StoreKey::new(format!("mirror/key/{}", key.kid())).unwrap();
        world.store.put(&at, damage, Precondition::Any).await.unwrap();
        let builder = MirroredKeyProvider::builder(world.primary_keys, world.secondary_keys);
        let error = builder.state(Arc::new(world.store)).open().await.unwrap_err();
        let BuildError::State(error) = error else { panic!("{error}") };
        assert_eq!(error.kind(), KeyErrorKind::Integrity);
        let text = error.to_string();
        assert!(text.contains(key.kid().as_str()) && text.contains(says), "{text}");
    }
}

#[tokio::test]
async fn promise_9_the_store_holds_no_key_material() {
    let world = world_in(MirrorMode::Full);
    let mut secrets = Vec::new();
    for alg in [KeyAlg::Ed25519, KeyAlg::Aes256Gcm, KeyAlg::HmacSha256, KeyAlg::X25519] {
        let key = world.mirror.create_key(&exportable(alg)).await.unwrap();
        let secret = world.secret(key.kid()).await.unwrap();
        secrets.extend(secret_parts(alg, secret.secret().unwrap()));
    }
    let written = entries(&world.store).await;
    assert!(written.len() >= 4);
    for entry in written {
        let text = String::from_utf8_lossy(&entry.value).into_owned();
        assert_no_secrets(&text, &secrets);
    }
}
