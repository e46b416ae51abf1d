//! The life of keys, held against a model: calls are drawn at random, and each answer of a provider is to be the one that a
//! much simpler thing gives. What fails is made as short as it goes.
//!
//! The seed is printed when a test fails; `PROPTEST_RNG_SEED` sets another one, and `PROPTEST_CASES` says how many
//! sequences are tried. Nothing is written into the checkout.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is how a test fails, or says what it did"
)]

mod check;
mod compare;
mod houses;
mod model;
mod outcome;
mod system;
mod transition;

use crate::check::{answers, check};
use crate::houses::{InMemory, OnDisk, OnMemoryStore};

#[test]
fn keys_in_memory_live_as_the_model_says() {
    check::<InMemory>("keys_in_memory_live_as_the_model_says", 1_000);
}

#[test]
fn keys_on_a_store_live_as_the_model_says_and_survive_what_opens_them() {
    check::<OnMemoryStore>("keys_on_a_store_live_as_the_model_says_and_survive_what_opens_them", 600);
}

#[test]
fn keys_in_a_file_live_as_the_model_says_and_survive_its_closing() {
    check::<OnDisk>("keys_in_a_file_live_as_the_model_says_and_survive_its_closing", 40);
}

/// A sequence that only ever asks for what is not there would prove little.
#[test]
fn every_answer_of_the_model_comes_up() {
    let answers = answers(300);
    let all = "Conflict Destroyed(false) Destroyed(true) Disabled Done InvalidInput InvalidState Made NotAuthentic NotFound \
               PermissionDenied Read Unsupported Worked";
    assert_eq!(answers.into_iter().collect::<Vec<_>>().join(" "), all);
}
