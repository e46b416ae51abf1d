//! Our side of `cargo xtask bench`: programs that set up some work, and measure it whenever they are asked to. The other side is
//! `tests/benches/rounds.py`, which does the same with the Python packages.
//!
//! Both are asked alternately, so that what disturbs the machine disturbs both. They call the public API alone.

#![allow(clippy::missing_errors_doc, reason = "what is measured fails as it does anywhere")]

mod desk;
mod house;
mod meter;
pub mod rows;

pub use desk::Desk;
pub use house::{House, Houses, Turns, create};
pub use meter::{time, time_parts};

/// What a measurement fails with.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What measurements return.
pub type Outcome<T = ()> = Result<T, Failure>;
