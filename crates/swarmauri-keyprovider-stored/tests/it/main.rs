//! The stored provider, from outside.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]
#![cfg(test)]

mod config;
mod crashes;
mod damage;
mod encryption_bound;
#[cfg(feature = "x25519")]
mod every_await;
mod faulty;
mod next_process;
mod processes;
mod random;
mod sealing;
mod secrets;

use std::sync::Arc;

use swarmauri_keyprovider::{KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_stored::{SealingKey, StoredKeyProvider};
use swarmauri_keys::{ExportPolicy, KeyAlg, KeyError, KeyErrorKind, KeyId, KeySpec, KeyVersion};
use swarmauri_keystore::{Entry, KeyStore, MemoryStore, Precondition, ScanRequest, StoreKey};

const HEADER: &str = "keys/header";

fn kid(name: &str) -> KeyId {
    KeyId::new(name).unwrap()
}

fn version(number: u32) -> KeyVersion {
    KeyVersion::new(number).unwrap()
}

/// An exportable key.
fn spec(alg: KeyAlg, name: &str) -> KeySpec {
    let spec = KeySpec::builder(alg).export_policy(ExportPolicy::SecretWhenAllowed).kid(kid(name));
    spec.label("a label").tag("env", "test").build().unwrap()
}

fn sealing() -> SealingKey {
    SealingKey::new(vec![7; 32].into()).unwrap()
}

async fn try_open(store: &MemoryStore) -> Result<StoredKeyProvider, KeyError> {
    StoredKeyProvider::open(Arc::new(store.clone()), sealing()).await
}

async fn open(store: &MemoryStore) -> StoredKeyProvider {
    try_open(store).await.unwrap()
}

fn kind<T>(outcome: Result<T, KeyError>) -> Option<KeyErrorKind> {
    outcome.err().map(|error| error.kind())
}

async fn entries(store: &MemoryStore) -> Vec<Entry> {
    store.scan(&ScanRequest::all(b"").limit(10_000)).await.unwrap().entries
}

/// Another store with the same contents.
async fn copy(store: &MemoryStore) -> MemoryStore {
    let other = MemoryStore::new();
    for entry in entries(store).await {
        put(&other, &entry.key, &entry.value).await;
    }
    other
}

fn place(name: &str) -> StoreKey {
    StoreKey::new(name).unwrap()
}

async fn put(store: &MemoryStore, key: &StoreKey, value: &[u8]) {
    store.put(key, value, Precondition::Any).await.unwrap();
}

async fn value(store: &MemoryStore, name: &str) -> Vec<u8> {
    store.get(&place(name)).await.unwrap().unwrap().value.to_vec()
}

/// All live versions with their states: `"a.1 enabled, b.3 disabled"`.
async fn shown(provider: &dyn KeyProvider) -> String {
    let mut versions = Vec::new();
    for key in provider.list_all_keys().await.unwrap() {
        for number in provider.list_versions(&key.kid).await.unwrap() {
            let key = provider.get_key(&key.kid, Some(number), Secrets::Omit).await.unwrap();
            versions.push(format!("{} {}", key.id(), key.state()));
        }
    }
    versions.join(", ")
}
