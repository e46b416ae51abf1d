//! No secret lies open on the store, or shows anywhere.

use std::sync::Arc;

use swarmauri_keyprovider::{KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_stored::{Argon2Cost, SealingKey, StoredKeyProvider};
use swarmauri_keyprovider_testkit::{assert_no_secrets, capture_tracing_of, secret_parts};
use swarmauri_keys::{KeyErrorKind, SecretBytes};
use swarmauri_keystore::{KeyStore, MemoryStore, Precondition};

use crate::faulty::{End, FaultyStore};
use crate::{copy, entries, kid, kind, place, put, spec};

const PHRASE: &[u8] = b"zebra-quartz-43-violin-umbrella";

fn passphrase() -> SealingKey {
    let cost = Argon2Cost::new(64, 1, 1).unwrap();
    SealingKey::passphrase(PHRASE.into()).unwrap().at_cost(cost)
}

/// Everything that the store has, as text in which the testkit finds bytes in each of their forms.
async fn as_text(store: &MemoryStore) -> String {
    let all = entries(store).await;
    all.iter().map(|entry| entry.value.escape_ascii().to_string()).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn no_secret_lies_open_on_the_store() {
    let raw = [0xa7, 0x15, 0x88, 0x03, 0xfe, 0x61, 0x9c, 0x42].repeat(4);
    for sealing in [SealingKey::new(raw.clone().into()).unwrap(), passphrase()] {
        let store = MemoryStore::new();
        let provider = StoredKeyProvider::open(Arc::new(store.clone()), sealing).await.unwrap();
        let mut secrets = vec![SecretBytes::from(PHRASE), SecretBytes::from(raw.clone())];
        for alg in provider.supports().create {
            let key = provider.create_key(&spec(alg, alg.as_str())).await.unwrap();
            let key = provider.get_key(key.kid(), None, Secrets::Include).await.unwrap();
            secrets.extend(secret_parts(alg, key.secret().unwrap()));
        }
        assert_no_secrets(&as_text(&store).await, &secrets);
        for name in ["a label", "ED25519\u{1}", "secret_when_allowed"] {
            assert!(!as_text(&store).await.contains(name), "{name} is sealed, too");
        }
        assert_no_secrets(&format!("{provider:?} {provider:#?}"), &secrets);
    }
}

#[cfg(feature = "rsa")]
#[tokio::test]
async fn of_a_destroyed_key_no_material_is_left() {
    let store = MemoryStore::new();
    let provider = StoredKeyProvider::open(Arc::new(store.clone()), passphrase()).await.unwrap();
    provider.create_key(&spec(swarmauri_keys::KeyAlg::RsaPssSha256, "k")).await.unwrap();
    let before = as_text(&store).await.len();
    provider.rotate(&kid("k")).await.unwrap();
    provider.destroy_key(&kid("k"), Some(crate::version(1))).await.unwrap();
    let of_one = as_text(&store).await.len();
    assert!(of_one < before + before / 4, "{of_one}, and {before} before");
    provider.destroy_key(&kid("k"), None).await.unwrap();
    let tombstone = store.get(&place("keys/key/k")).await.unwrap().unwrap().value.len();
    assert!(tombstone < 250, "a tombstone of {tombstone} bytes");
}

/// Faults of every kind, with everything traced.
#[tokio::test]
async fn no_secret_shows_in_errors_or_traces() {
    let store = MemoryStore::new();
    let provider = StoredKeyProvider::open(Arc::new(store.clone()), passphrase()).await.unwrap();
    let alg = swarmauri_keys::KeyAlg::Ed25519;
    provider.create_key(&spec(alg, "k")).await.unwrap();
    let key = provider.get_key(&kid("k"), None, Secrets::Include).await.unwrap();
    let mut secrets = secret_parts(alg, key.secret().unwrap());
    secrets.push(PHRASE.into());
    let mut said = Vec::new();
    let ((), traced) = capture_tracing_of(async {
        let wrong = SealingKey::passphrase(b"another phrase"[..].into()).unwrap();
        for sealing in [wrong, SealingKey::new(vec![1; 32].into()).unwrap()] {
            let refused = StoredKeyProvider::open(Arc::new(store.clone()), sealing).await;
            said.push(format!("{:?}", refused.unwrap_err()));
        }
        for end in [End::FailBefore, End::FailAfter] {
            let store = copy(&store).await;
            let faulty = FaultyStore::after(&store, 0, end);
            let faulty = StoredKeyProvider::open(Arc::new(faulty), passphrase()).await.unwrap();
            said.push(format!("{:?}", faulty.rotate(&kid("k")).await.unwrap_err()));
            said.push(format!("{faulty:?}"));
        }
        store.delete(&place("keys/key/k"), Precondition::Any).await.unwrap();
        let refused = provider.get_key(&kid("k"), None, Secrets::Include).await;
        said.push(format!("{:?}", refused.as_ref().unwrap_err()));
        assert_eq!(kind(refused), Some(KeyErrorKind::Integrity));
        put(&store, &place("keys/key/k"), b"damaged").await;
        let refused = StoredKeyProvider::open(Arc::new(store.clone()), passphrase()).await;
        said.push(refused.unwrap_err().to_string());
    })
    .await;
    assert!(traced.contains("outcome of a write is unknown"), "{traced}");
    assert!(traced.contains("is not what was written"), "{traced}");
    assert_no_secrets(&format!("{traced} {}", said.join(" ")), &secrets);
}

#[test]
fn debug_shows_no_sealing_key() {
    let key = SealingKey::new(vec![0x5a; 32].into()).unwrap();
    assert_eq!(
        format!("{key:?} {:?}", passphrase()),
        "SealingKey(key [redacted]) SealingKey(passphrase [redacted])"
    );
    let builder = StoredKeyProvider::builder(Arc::new(MemoryStore::new()), passphrase());
    assert_no_secrets(&format!("{builder:?}"), &[SecretBytes::from(PHRASE)]);
}
