//! What repair costs as the number of keys grows: the backfill of an empty secondary, the rebuild of a lost map, and a
//! survey that finds nothing to do.
//!
//! `cargo run --release --example scale` takes 10,000 and 100,000 keys, or as many as its arguments say. For each it prints
//! the time, and the memory that was in use at the peak beyond what was in use before and is kept afterwards.

#![allow(clippy::print_stdout, clippy::cast_precision_loss, reason = "it prints what it measures")]

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use peak_alloc::PeakAlloc;
use swarmauri_keyprovider::KeyProvider;
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_mirrored::MirroredKeyProvider;
use swarmauri_keys::{KeyAlg, KeySpec};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

type Outcome = Result<(), Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let asked: Vec<usize> = std::env::args().skip(1).map(|text| text.parse()).collect::<Result<_, _>>()?;
    let sizes = if asked.is_empty() { vec![10_000, 100_000] } else { asked };
    println!(
        "{:>8}  {:<9}  {:>6}  {:>9}  {:>11}  {:>11}",
        "keys", "what", "steps", "seconds", "kept MB", "peak MB"
    );
    for keys in sizes {
        measure(keys).await?;
    }
    Ok(())
}

async fn measure(keys: usize) -> Outcome {
    let (primary, secondary) = (Arc::new(LocalKeyProvider::new()), Arc::new(LocalKeyProvider::new()));
    for _ in 0..keys {
        primary.create_key(&KeySpec::new(KeyAlg::Ed25519)).await?;
    }
    let mirror = MirroredKeyProvider::new(primary.clone(), secondary.clone())?;
    reconcile("backfill", keys, keys, &mirror).await?;
    reconcile("clean", keys, 0, &mirror).await?;
    drop(mirror);
    let mirror = MirroredKeyProvider::new(primary, secondary)?;
    reconcile("rebuild", keys, keys, &mirror).await?;
    reconcile("clean", keys, 0, &mirror).await
}

async fn reconcile(what: &str, keys: usize, expected: usize, mirror: &MirroredKeyProvider) -> Outcome {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let started = Instant::now();
    let report = mirror.reconcile_with(|_| {}).await;
    let took = started.elapsed();
    assert!(report.is_clean() && report.done == expected, "{report:?}");
    let after = MEMORY.current_usage();
    let megabytes = |bytes: usize| bytes as f64 / 1e6;
    let kept = megabytes(after.saturating_sub(before));
    let peak = megabytes(MEMORY.peak_usage().saturating_sub(after.max(before)));
    let seconds = took.as_secs_f64();
    println!("{keys:>8}  {what:<9}  {:>6}  {seconds:>9.2}  {kept:>11.1}  {peak:>11.1}", report.done);
    Ok(())
}
