//! What a second thread adds.

use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use swarmauri_keyprovider::{JwksQuery, KeyProvider, Secrets};
use swarmauri_keys::KeyId;

use crate::{Desk, Failure, House, Outcome, Turns};

const KEYS: usize = 1000;
/// Rounds of mixed reads that each thread makes: a fifth of a second of them, beside which it is nothing that threads are woken
/// and find a core.
const ROUNDS: u32 = 200_000;
/// Reads in one of them.
const READS: u32 = 6;

/// Nanoseconds for each read of all threads together.
pub(super) async fn mixed_reads(desk: &mut Desk) -> Outcome {
    let house = House::with_keys(KEYS).await?;
    let parts: Vec<_> = house.kids.chunks(KEYS / 2).collect();
    while let Some(asked) = desk.asked()? {
        let of_each: &[&[KeyId]] = match asked.as_str() {
            "one" => &[&house.kids],
            "two" => &parts,
            "two-at-the-same" => &[&house.kids, &house.kids],
            _ => Desk::unknown(&asked)?,
        };
        let took = at_once(&house, of_each)?;
        let threads = u32::try_from(of_each.len())?;
        let reads = f64::from(threads * ROUNDS * READS);
        desk.answer(&[took.as_secs_f64() * 1e9 / reads])?;
    }
    Ok(())
}

/// From when all threads begin until all have ended.
fn at_once(house: &House, of_each: &[&[KeyId]]) -> Outcome<Duration> {
    let start = Arc::new(Barrier::new(of_each.len() + 1));
    let workers: Vec<_> = of_each
        .iter()
        .map(|kids| {
            let (mirror, kids, start) = (house.mirror.clone(), kids.to_vec(), start.clone());
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
