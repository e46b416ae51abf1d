//! What we export is read by other implementations, and what they make is read by us.
//!
//! `cargo xtask test` sets them up. Without them a test here is skipped, which it says in a log that the
//! command counts; with `SWARMAURI_INTEROP=required` it fails instead.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "this is how a test fails, or says that it did not run"
)]

mod jose;
mod jwe;
mod keys;
mod openssl;
mod outage;
mod peer;
mod python;
mod tools;
mod work;
