//! Helpers for the tests that cross crates.

pub mod jws;
pub mod probe;
pub mod random;

/// The Rust blocks of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
