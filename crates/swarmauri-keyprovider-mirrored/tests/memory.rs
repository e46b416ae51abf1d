//! What a mirrored key takes in memory: both sides, and the map of the mirror.
//!
//! A test binary of its own with this one test: what others allocate meanwhile would be counted too.

#![cfg(test)]

use std::sync::Arc;

use peak_alloc::PeakAlloc;
use swarmauri_keyprovider::KeyProviderExt;
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_mirrored::MirroredKeyProvider;
use swarmauri_keys::KeyAlg;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// So many that the hash tables are neither full nor half empty, as they are with a hundred thousand.
const KEYS: usize = 25_000;

#[tokio::test]
async fn a_mirrored_key_takes_less_than_a_thousand_bytes() {
    let before = MEMORY.current_usage();
    let side = || Arc::new(LocalKeyProvider::new());
    let mirror = MirroredKeyProvider::new(side(), side()).unwrap();
    for _ in 0..KEYS {
        mirror.create(KeyAlg::Ed25519).await.unwrap();
    }
    let each = (MEMORY.current_usage() - before) / KEYS;
    println!("a mirrored Ed25519 key takes {each} bytes");
    assert!(each < 1000, "a mirrored Ed25519 key takes {each} bytes");
}
