//! The local provider keeps the contract of the trait.

use std::sync::Arc;

use swarmauri_keyprovider_local::LocalKeyProvider;

swarmauri_keyprovider_testkit::conformance!(async || Arc::new(LocalKeyProvider::new()));
