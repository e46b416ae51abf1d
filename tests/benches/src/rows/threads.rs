//! What a second thread adds.

use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use swarmauri_keyprovider::{JwksQuery, KeyProvider, Secrets};
use swarmauri_keys::KeyId;

use crate::{Desk, Failure, House, Outcome, Turns};

const KEYS: usize = 1000;
/// Rounds of mixed reads that each thread makes.
const ROUNDS: u32 = 20_000;
/// Reads in one of them.
const READS: u32 = 6;

/// Nanoseconds for each read of all threads together.
pub(super) async fn mixed_reads(desk: &mut Desk) -> Outcome {
    let house = House::with_keys(KEYS).await?;
    while let Some(asked) = desk.asked()? {
        let threads = match asked.as_str() {
            "two" => 2,
            "one" => 1,
            _ => Desk::unknown(&asked)?,
        };
        let took = at_once(&house, threads)?;
        let reads = f64::from(threads * ROUNDS * READS);
        desk.answer(&[took.as_secs_f64() * 1e9 / reads])?;
    }
    Ok(())
}

/// From when all threads begin until all have ended.
fn at_once(house: &House, threads: u32) -> Outcome<Duration> {
    let start = Arc::new(Barrier::new(threads as usize + 1));
    let workers: Vec<_> = (0..threads)
        .map(|thread| {
            let (mirror, mut kids, start) = (house.mirror.clone(), house.kids.clone(), start.clone());
            // Each is at keys of its own, as callers are.
            kids.rotate_left(KEYS / threads as usize * thread as usize);
            thread::spawn(move || one_thread(&*mirror, &kids, &start))
        })
        .collect();
    start.wait();
    let begun = Instant::now();
    for worker in workers {
        worker.join().map_err(|_| Failure::from("a thread panicked"))??;
    }
    Ok(begun.elapsed())
}

/// Each thread has an executor of its own, so that what they share is the mirror.
fn one_thread(mirror: &dyn KeyProvider, kids: &[KeyId], start: &Barrier) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let mut kids = Turns::of(kids);
    start.wait();
    runtime?.block_on(async {
        for _ in 0..ROUNDS {
            for _ in 0..3 {
                black_box(mirror.get_key(kids.kid()?, None, Secrets::Omit).await?);
            }
            black_box(mirror.get_public_jwk(kids.kid()?, None).await?);
            black_box(mirror.list_versions(kids.kid()?).await?);
            black_box(mirror.jwks(&JwksQuery::LATEST).await?);
        }
        Ok(())
    })
}
