//! A mirror of two file providers, its state in a file, in a process that is killed at random moments: what it
//! acknowledged is there for the next one.
//!
//! `SWARMAURI_KILLS` sets how often, `SWARMAURI_SEED` what the process does and when it dies; both are printed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "this is how a test fails, or says what it did"
)]
#![cfg(unix)]

mod child;
mod house;
mod ledger;
mod lost;

use std::time::Duration;

use swarmauri_keyproviders_tests::random::Seeded;

use child::Process;
use house::{Folder, House};
use ledger::Ledger;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn promises_4_and_11_nothing_acknowledged_is_lost_to_a_kill() {
    let (kills, seed) = (number("SWARMAURI_KILLS", 25), number("SWARMAURI_SEED", 1));
    println!("SWARMAURI_KILLS={kills} SWARMAURI_SEED={seed}");
    let folder = Folder::new();
    let mut random = Seeded::new(seed);
    let mut ledger = Ledger::default();
    for round in 0..kills {
        let mut process = Process::start(&folder, random.next_u64());
        // Some are killed while they open, or soon after.
        let most = if random.one_in(4) { 30_000 } else { 400_000 };
        std::thread::sleep(Duration::from_micros(random.below(most).into()));
        for line in process.kill() {
            ledger.read(&line);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let checked = runtime.block_on(async {
            let house = House::open(&folder).await;
            let checked = ledger.check(&house).await;
            house.close().await;
            checked
        });
        checked.unwrap_or_else(|broken| panic!("round {round}, seed {seed}: {broken}"));
    }
    println!("{kills} kills: {ledger}");
    assert!(ledger.acknowledged() > kills, "hardly anything was acknowledged");
}
