//! The mirrored provider is a provider like any other, in every mode.

use std::sync::Arc;

use swarmauri_keyprovider::KeyProvider;
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_mirrored::{MirroredBuilder, MirroredKeyProvider};

fn mirror(build: impl FnOnce(MirroredBuilder) -> MirroredBuilder) -> Arc<dyn KeyProvider> {
    let local = || Arc::new(LocalKeyProvider::new());
    Arc::new(build(MirroredKeyProvider::builder(local(), local())).build().unwrap())
}

fn nested_mirror() -> Arc<dyn KeyProvider> {
    let inner = mirror(|builder| builder);
    Arc::new(MirroredKeyProvider::new(inner, Arc::new(LocalKeyProvider::new())).unwrap())
}

mod public_only {
    swarmauri_keyprovider_testkit::conformance!(async || crate::conformance::mirror(|builder| builder));
}

mod full {
    swarmauri_keyprovider_testkit::conformance!(async || crate::conformance::mirror(
        |builder| builder.mode(swarmauri_keyprovider_mirrored::MirrorMode::Full)
    ));
}

mod none {
    swarmauri_keyprovider_testkit::conformance!(async || crate::conformance::mirror(
        |builder| builder.mode(swarmauri_keyprovider_mirrored::MirrorMode::None)
    ));
}

mod fail_closed {
    swarmauri_keyprovider_testkit::conformance!(async || crate::conformance::mirror(
        |builder| builder.fail_open_reads(false)
    ));
}

/// A mirror may be a side of another mirror.
mod nested {
    swarmauri_keyprovider_testkit::conformance!(async || crate::conformance::nested_mirror());
}
