//! Links all providers, and never names them otherwise.

use std::process::ExitCode;

use swarmauri_keyprovider_local as _;
use swarmauri_keyprovider_mirrored as _;
use swarmauri_keyprovider_stored as _;

fn main() -> ExitCode {
    swarmauri_keyproviders_tests::probe::run()
}
