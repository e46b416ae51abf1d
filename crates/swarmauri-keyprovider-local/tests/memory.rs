//! What a key takes in memory, all of its table included.
//!
//! A test binary of its own with this one test: what others allocate meanwhile would be counted too.

#![cfg(test)]

use peak_alloc::PeakAlloc;
use swarmauri_keyprovider::KeyProvider;
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keys::{KeyAlg, KeyMaterial, KeySpec, PublicKey};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// So many that the hash tables are neither full nor half empty, as they are with a hundred thousand.
const KEYS: usize = 25_000;

#[tokio::test]
async fn a_key_takes_few_bytes() {
    let pairs = LocalKeyProvider::new();
    let before = MEMORY.current_usage();
    for _ in 0..KEYS {
        pairs.create_key(&KeySpec::new(KeyAlg::Ed25519)).await.unwrap();
    }
    let pair = each_since(before);
    let key = pairs.create_key(&KeySpec::new(KeyAlg::Ed25519)).await.unwrap();
    let public = key.public_key().unwrap();

    let alone = imported(public, &KeySpec::new(KeyAlg::Ed25519)).await;
    let source = key.id().to_string();
    let replica = KeySpec::builder(KeyAlg::Ed25519).tag("mirror.source", &source).build().unwrap();
    let tagged = imported(public, &replica).await;
    println!("a pair takes {pair} bytes, a public key alone {alone}, with a tag {tagged}");
    assert!(pair <= 400, "an Ed25519 pair takes {pair} bytes");
    assert!(alone <= 280, "an Ed25519 public key alone takes {alone} bytes");
    let tag = "mirror.source".len() + source.len();
    assert!(tagged <= alone + tag + 32, "a tag of {tag} bytes takes {} bytes", tagged - alone);
}

/// What each takes if a key is imported so often. That it is one and the same saves nothing.
async fn imported(key: &PublicKey, spec: &KeySpec) -> usize {
    let provider = LocalKeyProvider::new();
    let tags: Vec<(String, String)> =
        spec.tags().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let before = MEMORY.current_usage();
    for _ in 0..KEYS {
        // Tags of its own for each, as each replica has.
        let own = tags.iter().fold(KeySpec::builder(spec.alg()), |spec, (name, value)| spec.tag(name, value));
        provider.import_key(&own.build().unwrap(), KeyMaterial::Public(key.clone())).await.unwrap();
    }
    each_since(before)
}

fn each_since(before: usize) -> usize {
    (MEMORY.current_usage() - before) / KEYS
}
