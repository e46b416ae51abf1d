//! Has both providers in its `Cargo.toml`, and does not link them.

use std::process::ExitCode;

fn main() -> ExitCode {
    swarmauri_keyproviders_tests::probe::run()
}
