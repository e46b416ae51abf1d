//! Claims a name that a provider it links has already.

use std::process::ExitCode;

use swarmauri_keyprovider::registry::{BuildFuture, GROUP, ProviderRegistration, Registry};
use swarmauri_keyprovider::{ProviderConfig, inventory};
use swarmauri_keyprovider_local as _;

inventory::submit! {
    ProviderRegistration::new(GROUP, "LocalKeyProvider", env!("CARGO_PKG_NAME"), build)
}

fn build<'a>(config: &'a ProviderConfig, _: &'a Registry) -> BuildFuture<'a> {
    Box::pin(async move { Err(config.error("this one is never built")) })
}

fn main() -> ExitCode {
    swarmauri_keyproviders_tests::probe::run()
}
