//! The mirrored provider is a provider like any other, in every mode.

use std::sync::Arc;

use swarmauri_keyprovider::KeyProvider;
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_mirrored::{MirrorMode, MirroredBuilder, MirroredKeyProvider};
use swarmauri_keystore::MemoryStore;

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

async fn stored_mirror() -> Arc<dyn KeyProvider> {
    let local = || Arc::new(LocalKeyProvider::new());
    let builder = MirroredKeyProvider::builder(local(), local()).mode(MirrorMode::Full);
    Arc::new(builder.state(Arc::new(MemoryStore::new())).open().await.unwrap())
}

/// Its state on a store.
mod stored {
    swarmauri_keyprovider_testkit::conformance!(async || crate::conformance::stored_mirror().await);
}

/// A mirror may be a side of another mirror.
mod nested {
    swarmauri_keyprovider_testkit::conformance!(async || crate::conformance::nested_mirror());
}
