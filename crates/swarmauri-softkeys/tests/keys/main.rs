//! Software keys: what is generated, what is taken over, and what is refused, with every set of features.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail like tests"
)]

mod foreign_halves;
mod forgeries;
mod generate;
mod operations;
mod refusals;
mod support;
mod usable;
mod vectors;
