//! Several providers on one store, as processes are.

use std::sync::Arc;

use swarmauri_keyprovider::{JwksQuery, KeyOperationsExt, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_stored::StoredKeyProvider;
use swarmauri_keys::{KeyAlg, KeyErrorKind};
use swarmauri_keystore::MemoryStore;
use tokio::task::JoinSet;

use crate::faulty::{End, FaultyStore};
use crate::{kid, kind, open, sealing, shown, spec, version};

#[tokio::test]
async fn each_sees_what_the_other_wrote_at_once() {
    let store = MemoryStore::new();
    let (one, other) = (open(&store).await, open(&store).await);
    let name = kid("k");
    let key = one.create_key(&spec(KeyAlg::Ed25519, "k")).await.unwrap();
    let read = other.get_key(&name, None, Secrets::Include).await.unwrap();
    assert_eq!(read.parts(), key.parts());
    assert_eq!(other.jwks(&JwksQuery::LATEST).await.unwrap(), one.jwks(&JwksQuery::LATEST).await.unwrap());
    assert_eq!(other.rotate(&name).await.unwrap().version(), version(2));
    assert_eq!(one.rotate(&name).await.unwrap().version(), version(3));
    one.disable_key(&name, version(3)).await.unwrap();
    let work = other.work().unwrap();
    assert_eq!(kind(work.sign(&name, None, b"").await), Some(KeyErrorKind::Disabled));
    other.enable_key(&name, version(3)).await.unwrap();
    let signature = one.work().unwrap().sign(&name, None, b"message").await.unwrap();
    work.verify_signature(b"message", &signature).await.unwrap();
    assert!(other.destroy_key(&name, None).await.unwrap());
    assert_eq!(kind(one.get_key(&name, None, Secrets::Omit).await), Some(KeyErrorKind::NotFound));
    assert_eq!(kind(one.create_key(&spec(KeyAlg::Ed25519, "k")).await), Some(KeyErrorKind::Conflict));
    assert!(shown(&one).await.is_empty() && shown(&other).await.is_empty());
}

/// Nothing comes by the watch of this store: compare-and-swap alone has to tell.
#[tokio::test]
async fn one_who_does_not_know_of_a_write_meets_it_when_it_writes() {
    let store = MemoryStore::new();
    let blind = Arc::new(FaultyStore::sound(&store));
    let late = StoredKeyProvider::open(blind, sealing()).await.unwrap();
    let early = open(&store).await;
    early.create_key(&spec(KeyAlg::Ed25519, "k")).await.unwrap();
    assert_eq!(kind(late.create_key(&spec(KeyAlg::Ed25519, "k")).await), Some(KeyErrorKind::Conflict));
    early.rotate(&kid("k")).await.unwrap();
    assert_eq!(late.rotate(&kid("k")).await.unwrap().version(), version(3));
    assert_eq!(shown(&late).await, shown(&early).await);
    early.destroy_key(&kid("k"), None).await.unwrap();
    assert_eq!(kind(late.rotate(&kid("k")).await), Some(KeyErrorKind::NotFound));
    assert!(!late.destroy_key(&kid("k"), None).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rotations_that_race_each_add_a_version() {
    let store = MemoryStore::new();
    let providers = [Arc::new(open(&store).await), Arc::new(open(&store).await)];
    providers[0].create_key(&spec(KeyAlg::HmacSha256, "k")).await.unwrap();
    let mut tasks = JoinSet::new();
    for task in 0..8 {
        let provider = Arc::clone(&providers[task % 2]);
        tasks.spawn(async move {
            let mut made = Vec::new();
            for _ in 0..10 {
                made.push(provider.rotate(&kid("k")).await.unwrap().version().get());
            }
            made
        });
    }
    let mut made = tasks.join_all().await.concat();
    made.sort_unstable();
    assert_eq!(made, (2..82).collect::<Vec<_>>());
    assert_eq!(shown(&*providers[0]).await, shown(&open(&store).await).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_first_opens_that_race_all_have_one_root_key() {
    for round in 0..20 {
        let store = MemoryStore::new();
        let mut tasks = JoinSet::new();
        for task in 0..4 {
            let store = store.clone();
            tasks.spawn(async move {
                let provider = open(&store).await;
                provider.create_key(&spec(KeyAlg::HmacSha256, &format!("k{task}"))).await.unwrap();
                provider
            });
        }
        for provider in tasks.join_all().await {
            assert_eq!(provider.list_all_keys().await.unwrap().len(), 4, "round {round}");
        }
        assert_eq!(open(&store).await.list_all_keys().await.unwrap().len(), 4);
    }
}

#[tokio::test]
async fn without_the_store_keys_are_read_and_work_and_are_not_written() {
    let store = FaultyStore::sound(&MemoryStore::new());
    let provider = StoredKeyProvider::open(Arc::new(store.clone()), sealing()).await.unwrap();
    provider.create_key(&spec(KeyAlg::Ed25519, "k")).await.unwrap();
    store.set_out(true);
    provider.get_key(&kid("k"), None, Secrets::Include).await.unwrap();
    provider.work().unwrap().sign(&kid("k"), None, b"").await.unwrap();
    assert_eq!(provider.jwks(&JwksQuery::LATEST).await.unwrap().keys.len(), 1);
    assert_eq!(kind(provider.rotate(&kid("k")).await), Some(KeyErrorKind::Unavailable));
    // Now nobody knows whether it was rotated, and nobody says so.
    assert_eq!(kind(provider.get_key(&kid("k"), None, Secrets::Omit).await), Some(KeyErrorKind::Unavailable));
    assert_eq!(kind(provider.jwks(&JwksQuery::LATEST).await), Some(KeyErrorKind::Unavailable));
    store.set_out(false);
    assert_eq!(shown(&provider).await, "k.1 enabled");
    assert_eq!(provider.rotate(&kid("k")).await.unwrap().version(), version(2));
}

#[tokio::test]
async fn a_destroy_whose_answer_was_lost_is_known_at_the_next_look() {
    let store = MemoryStore::new();
    open(&store).await.create_key(&spec(KeyAlg::Ed25519, "k")).await.unwrap();
    let faulty = Arc::new(FaultyStore::after(&store, 0, End::FailAfter));
    let provider = StoredKeyProvider::open(faulty, sealing()).await.unwrap();
    assert_eq!(kind(provider.destroy_key(&kid("k"), None).await), Some(KeyErrorKind::Unavailable));
    assert_eq!(kind(provider.get_key(&kid("k"), None, Secrets::Omit).await), Some(KeyErrorKind::NotFound));
    assert!(!provider.destroy_key(&kid("k"), None).await.unwrap());
}

#[tokio::test]
async fn whoever_lost_changes_reads_everything_anew() {
    let store = MemoryStore::new();
    let faulty = FaultyStore::sound(&store);
    let late = StoredKeyProvider::open(Arc::new(faulty.clone()), sealing()).await.unwrap();
    let early = open(&store).await;
    for round in 0..3 {
        early.create_key(&spec(KeyAlg::Ed25519, &format!("k{round}"))).await.unwrap();
        early.create_key(&spec(KeyAlg::Ed25519, &format!("gone{round}"))).await.unwrap();
        early.destroy_key(&kid(&format!("gone{round}")), None).await.unwrap();
        faulty.lose_changes();
        assert_eq!(shown(&late).await, shown(&early).await, "round {round}");
        let again = late.create_key(&spec(KeyAlg::Ed25519, &format!("gone{round}"))).await;
        assert_eq!(kind(again), Some(KeyErrorKind::Conflict));
    }
    // Out of reach besides: reads go on with what is known, and writes do not.
    early.rotate(&kid("k0")).await.unwrap();
    faulty.lose_changes();
    faulty.set_out(true);
    let known = late.get_key(&kid("k0"), None, Secrets::Omit).await.unwrap();
    assert_eq!(known.version(), version(1));
    assert_eq!(kind(late.rotate(&kid("k0")).await), Some(KeyErrorKind::Unavailable));
    faulty.set_out(false);
    assert_eq!(late.rotate(&kid("k0")).await.unwrap().version(), version(3));
}

#[tokio::test]
async fn a_key_whose_record_grows_too_long_says_so_and_stays() {
    let store = MemoryStore::new();
    let provider = open(&store).await;
    let mut builder = swarmauri_keys::KeySpec::builder(KeyAlg::HmacSha256).kid(kid("k"));
    for number in 0..64 {
        builder = builder.tag(format!("tag{number}"), "v".repeat(256));
    }
    provider.create_key(&builder.build().unwrap()).await.unwrap();
    let error = loop {
        if let Err(error) = provider.rotate(&kid("k")).await {
            break error;
        }
    };
    assert_eq!(error.kind(), KeyErrorKind::InvalidState);
    assert!(error.to_string().contains("at most 1048576 bytes"), "{error}");
    let versions = provider.list_versions(&kid("k")).await.unwrap();
    assert!(versions.len() > 50, "{}", versions.len());
    provider.destroy_key(&kid("k"), Some(version(1))).await.unwrap();
    provider.rotate(&kid("k")).await.unwrap();
    assert_eq!(shown(&open(&store).await).await, shown(&provider).await);
}

/// The reader was told that there is no such record, and hears it late.
#[tokio::test]
async fn a_key_made_during_a_look_at_the_store_is_not_taken_for_deleted() {
    let store = FaultyStore::sound(&MemoryStore::new());
    let provider = StoredKeyProvider::open(Arc::new(store.clone()), sealing()).await.unwrap();
    store.set_out(true);
    let refused = provider.create_key(&spec(KeyAlg::Ed25519, "k")).await;
    assert_eq!(kind(refused), Some(KeyErrorKind::Unavailable));
    store.set_out(false);
    let release = store.hold_next_read();
    let name = kid("k");
    let making = async {
        provider.create_key(&spec(KeyAlg::Ed25519, "k")).await.unwrap();
        release.send(()).unwrap();
    };
    let (read, ()) = tokio::join!(provider.get_key(&name, None, Secrets::Omit), making);
    read.unwrap();
    provider.rotate(&kid("k")).await.unwrap();
}
