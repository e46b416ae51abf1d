//! A mirror under eight callers who create, rotate, destroy and read the same few keys.
//!
//! What each caller does is chosen by a seed, which is printed; `HAMMER_SEED` sets another one. How the callers
//! meet is up to the scheduler, so that a seed repeats the calls and not the races between them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "this is how a test fails, or says what it did"
)]

mod aftermath;
mod arena;
mod caller;
mod dawdling;
mod found;
mod ledger;
mod tally;

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use swarmauri_keyprovider_mirrored::MirrorMode;

use arena::Arena;
use caller::Caller;
use tally::Tally;

const CALLERS: u64 = 8;
/// Longer than any machine should need; only a deadlock takes this long.
const LIMIT: Duration = Duration::from_mins(10);

#[test]
fn promises_4_and_12_a_million_calls_on_the_same_keys() {
    hammer(1_000_000, || Arena::new(MirrorMode::Full));
}

#[test]
fn promises_4_and_12_calls_on_the_same_keys_while_either_side_fails() {
    for mode in [MirrorMode::PublicOnly, MirrorMode::Full] {
        hammer(100_000, || Arena::with_faults(mode));
    }
}

fn hammer(calls: u64, arena: impl FnOnce() -> Arena) {
    let seed = std::env::var("HAMMER_SEED").map_or(8_421, |seed| seed.parse().unwrap());
    println!("HAMMER_SEED={seed}");
    let (arena, started) = (Arc::new(arena()), Instant::now());
    let (done, finished) = mpsc::channel();
    // On threads of its own: callers that block each other for good must not block the test too.
    std::thread::spawn(move || done.send(run(&arena, calls, seed)));
    match finished.recv_timeout(LIMIT) {
        Ok(Ok(tally)) => {
            println!("{calls} calls in {:?}\n{tally}", started.elapsed());
            tally.assert_complete(calls);
        }
        Ok(Err(violation)) => panic!("with HAMMER_SEED={seed}: {violation}"),
        Err(RecvTimeoutError::Timeout) => {
            panic!("with HAMMER_SEED={seed}: no end after {LIMIT:?}; this is a deadlock")
        }
        Err(RecvTimeoutError::Disconnected) => panic!("with HAMMER_SEED={seed}: the mirror panicked"),
    }
}

fn run(arena: &Arc<Arena>, calls: u64, seed: u64) -> Result<Tally, String> {
    let workers = usize::try_from(CALLERS).unwrap();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_time().build().unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..CALLERS)
            .map(|number| Caller::new(arena, seed, number))
            .map(|caller| tokio::spawn(caller.call(calls / CALLERS)))
            .collect();
        let mut total = Tally::default();
        for task in tasks {
            total.add(&task.await.map_err(|error| format!("a caller panicked: {error}"))??);
        }
        aftermath::check(arena).await?;
        Ok(total)
    })
}
