//! `outage_series`: how long public reads take before, during and after an outage, for the picture that `cargo xtask bench` draws.
//!
//! Eight readers read one after the other, each as fast as it can, while `maintain` runs. At one moment the primary hangs, and at a
//! later one it answers again. Each line is a window of time: when it begins, in milliseconds; how many reads began in it; their
//! median and their longest, in nanoseconds. A line that begins with `#` tells what happened when.

#![allow(clippy::print_stdout, reason = "figures leave by the standard output")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use swarmauri_keyprovider::{KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_mirrored::{Deadlines, MirroredKeyProvider};
use swarmauri_keyprovider_testkit::FaultyProvider;
use swarmauri_keyproviders_benches::{Failure, Outcome};
use swarmauri_keys::{KeyAlg, KeyId};

const READERS: usize = 8;
const DEADLINE: Duration = Duration::from_millis(100);
const WINDOW: Duration = Duration::from_millis(10);
const OUT_AT: Duration = Duration::from_millis(500);
const BACK_AT: Duration = Duration::from_millis(1500);
const END_AT: Duration = Duration::from_secs(3);
/// Between two reads of one reader, so that figures do not fill the memory.
const PAUSE: Duration = Duration::from_millis(1);

/// When a read began, counted from the first one, and how long it took.
type Read = (Duration, Duration);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let primary = Arc::new(FaultyProvider::new(Arc::new(LocalKeyProvider::new())));
    let deadlines = Deadlines { public_read: DEADLINE, ..Deadlines::default() };
    let builder = MirroredKeyProvider::builder(primary.clone(), Arc::new(LocalKeyProvider::new()));
    let mirror = Arc::new(builder.deadlines(deadlines).build()?);
    let key = mirror.create(KeyAlg::Ed25519).await?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let upkeep = tokio::spawn({
        let mirror = Arc::clone(&mirror);
        async move { mirror.maintain(async { drop(stopped.await) }).await }
    });
    let begun = Instant::now();
    let readers = (0..READERS).map(|_| tokio::spawn(reader(Arc::clone(&mirror), key.kid().clone(), begun)));
    let readers: Vec<_> = readers.collect();
    tokio::time::sleep_until((begun + OUT_AT).into()).await;
    println!("# {} the primary hangs", begun.elapsed().as_millis());
    primary.faults().hang();
    tokio::time::sleep_until((begun + BACK_AT).into()).await;
    println!("# {} it answers again", begun.elapsed().as_millis());
    primary.faults().recover();
    let reads = try_join_all(readers).await?.into_iter().collect::<Outcome<Vec<_>>>()?;
    drop(stop);
    upkeep.await?;
    show(reads.into_iter().flatten());
    Ok(())
}

async fn reader(mirror: Arc<MirroredKeyProvider>, kid: KeyId, first: Instant) -> Outcome<Vec<Read>> {
    let mut reads = Vec::new();
    while first.elapsed() < END_AT {
        let begun = Instant::now();
        let answer = mirror.get_key(&kid, None, Secrets::Omit).await?;
        reads.push((begun - first, begun.elapsed()));
        if *answer.kid() != kid {
            return Err(Failure::from("another key"));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(reads)
}

fn show(reads: impl Iterator<Item = Read>) {
    let mut windows: BTreeMap<u128, Vec<Duration>> = BTreeMap::new();
    for (at, took) in reads {
        windows.entry(at.as_millis() / WINDOW.as_millis()).or_default().push(took);
    }
    for (window, mut took) in windows {
        took.sort_unstable();
        let median = took.get(took.len() / 2).copied().unwrap_or_default();
        let longest = took.last().copied().unwrap_or_default();
        println!(
            "{} {} {} {}",
            window * WINDOW.as_millis(),
            took.len(),
            median.as_nanos(),
            longest.as_nanos()
        );
    }
}
