//! How often one version of an AES-GCM key encrypts, over all processes.

use std::collections::BTreeSet;
use std::sync::Arc;

use swarmauri_keyprovider::{KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_stored::StoredKeyProvider;
use swarmauri_keys::{Acceptance, KeyAlg, KeyErrorKind};
use swarmauri_keystore::{KeyStore, MemoryStore};
use tokio::task::JoinSet;

use crate::faulty::FaultyStore;
use crate::{kid, kind, sealing, spec, version};

async fn limited(store: &MemoryStore, most: u64) -> StoredKeyProvider {
    over(Arc::new(store.clone()), most).await
}

async fn over(store: Arc<dyn KeyStore>, most: u64) -> StoredKeyProvider {
    StoredKeyProvider::builder(store, sealing()).max_encryptions(most).open().await.unwrap()
}

/// Until it is refused.
async fn encrypt_all(provider: &StoredKeyProvider) -> u64 {
    let work = provider.work().unwrap();
    for made in 0.. {
        if let Err(error) = work.encrypt(&kid("k"), Some(version(1)), b"text", b"").await {
            assert_eq!(error.kind(), KeyErrorKind::InvalidState);
            assert!(error.to_string().contains("rotate"), "{error}");
            return made;
        }
    }
    0
}

#[tokio::test]
async fn the_count_goes_on_in_the_next_process() {
    let store = MemoryStore::new();
    let provider = limited(&store, 10).await;
    provider.create_key(&spec(KeyAlg::Aes256Gcm, "k")).await.unwrap();
    let mut left = 10;
    for made in [1, 2, 3] {
        // One block is one encryption, at so low a bound.
        let provider = limited(&store, 10).await;
        for _ in 0..made {
            provider.work().unwrap().encrypt(&kid("k"), None, b"", b"").await.unwrap();
        }
        left -= made;
    }
    assert_eq!(encrypt_all(&limited(&store, 10).await).await, left);
    let provider = limited(&store, 10).await;
    assert_eq!(encrypt_all(&provider).await, 0);
    provider.rotate(&kid("k")).await.unwrap();
    let sealed = provider.work().unwrap().encrypt(&kid("k"), None, b"", b"").await.unwrap();
    assert_eq!(sealed.version, version(2));
    // A higher bound goes on where the lower one ended, and a lower one refuses at once.
    assert_eq!(encrypt_all(&limited(&store, 64 * 3).await).await, 64 * 3 - 10);
    assert_eq!(encrypt_all(&limited(&store, 5).await).await, 0);
}

#[tokio::test]
async fn a_process_that_ends_loses_its_block_and_counts_no_encryption_twice() {
    let store = MemoryStore::new();
    let most = 64 * 10;
    let provider = limited(&store, most).await;
    provider.create_key(&spec(KeyAlg::Aes256Gcm, "k")).await.unwrap();
    let mut made = 0;
    for _ in 0..7 {
        let provider = limited(&store, most).await;
        for _ in 0..13 {
            made += 1;
            provider.work().unwrap().encrypt(&kid("k"), None, b"", b"").await.unwrap();
        }
    }
    let rest = encrypt_all(&limited(&store, most).await).await;
    assert_eq!(rest, most - 7 * 20, "two blocks of ten were begun each time");
    assert!(made + rest <= most);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn encryptions_that_race_in_two_processes_keep_the_bound_together() {
    let store = MemoryStore::new();
    let most = 64 * 5;
    let providers = [Arc::new(limited(&store, most).await), Arc::new(limited(&store, most).await)];
    providers[0].create_key(&spec(KeyAlg::Aes256Gcm, "k")).await.unwrap();
    let mut tasks = JoinSet::new();
    for task in 0..8 {
        let provider = Arc::clone(&providers[task % 2]);
        tasks.spawn(async move {
            let (work, mut nonces) = (provider.work().unwrap(), Vec::new());
            while let Ok(sealed) = work.encrypt(&kid("k"), None, b"text", b"").await {
                nonces.push(sealed.nonce);
            }
            nonces
        });
    }
    let nonces = tasks.join_all().await.concat();
    let made = nonces.len() as u64;
    assert!(made <= most && made > most - 2 * 5, "{made} of {most}");
    assert_eq!(nonces.iter().collect::<BTreeSet<_>>().len(), nonces.len());
}

#[tokio::test]
async fn a_block_costs_one_write_and_without_a_store_its_rest_is_used() {
    let store = FaultyStore::sound(&MemoryStore::new());
    let provider = over(Arc::new(store.clone()), 64 * 100).await;
    provider.create_key(&spec(KeyAlg::Aes256Gcm, "k")).await.unwrap();
    let work = provider.work().unwrap();
    let before = store.writes();
    for _ in 0..250 {
        work.encrypt(&kid("k"), None, b"text", b"").await.unwrap();
    }
    assert_eq!(store.writes() - before, 3);
    store.set_out(true);
    for _ in 0..50 {
        work.encrypt(&kid("k"), None, b"text", b"").await.unwrap();
    }
    let refused = work.encrypt(&kid("k"), None, b"text", b"").await;
    assert_eq!(kind(refused), Some(KeyErrorKind::Unavailable));
    store.set_out(false);
    let sealed = work.encrypt(&kid("k"), None, b"text", b"").await.unwrap();
    assert!(work.decrypt(&sealed, b"", Acceptance::EnabledOnly).await.is_ok());
}

#[tokio::test]
async fn the_bound_has_bounds() {
    for most in [0, (1 << 31) + 1] {
        let store = Arc::new(MemoryStore::new());
        let refused = StoredKeyProvider::builder(store, sealing()).max_encryptions(most).open().await;
        assert_eq!(kind(refused), Some(KeyErrorKind::InvalidInput));
    }
}
