//! The deterministic simulation of the mirrored provider: faulty sides and stores, concurrent callers, crashes, a model of
//! what is true, and a check for each promise. See `docs/simulation.md`.
//!
//! Everything follows from a seed. `cargo xtask simulate` runs many.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "this is how a test fails, or says what it did"
)]
#![allow(clippy::similar_names, reason = "the words of the field are alike: kid and kind, cause and case")]
#![allow(clippy::match_same_arms, clippy::collapsible_match, reason = "a case each, in their order")]
#![allow(dead_code, reason = "what is only ever shown, by Debug, when a promise is broken")]

mod about;
mod behind;
mod call;
mod evidence;
mod expected;
mod ground;
mod model;
mod pass;
mod pool;
mod promises;
mod provider;
mod quiet;
mod resolve;
mod run;
mod script;
mod shrink;
mod sides;
mod since;
mod tally;
mod untruth;
mod weather;
mod world;

use std::time::Instant;

use run::Plan;

/// What runs with all other tests.
const SMALL: Plan = Plan { from: 1, seeds: 100, time: None, operations: 500 };

#[test]
fn simulated_worlds_keep_every_promise() {
    let begun = Instant::now();
    match SMALL.or_from_environment().run() {
        Ok(total) => {
            println!("{}", total.tally);
            println!(
                "{} operations over {} seeds in {:?}: every promise was kept",
                total.operations,
                total.seeds,
                begun.elapsed()
            );
        }
        Err(broken) => panic!("{broken}"),
    }
}
