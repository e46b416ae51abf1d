//! The folder that all processes share, and the mirror in it.

use std::fs;
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use swarmauri_keyprovider_mirrored::{BreakerSettings, MirrorMode, MirroredKeyProvider};
use swarmauri_keyprovider_stored::{SealingKey, StoredKeyProvider};
use swarmauri_keyprovider_testkit::FaultyProvider;
use swarmauri_keystore::RedbStore;
use swarmauri_softkeys::random_bytes;

/// A folder of this process alone, gone with it; in it a sealing key that was drawn for it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = format!("killed-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        let key = folder.join("sealing.key");
        fs::write(&key, random_bytes(32).unwrap().expose_secret()).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        Self(folder)
    }
}

impl Deref for Folder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A mirror in mode `full` over two file providers, each behind faults.
pub(crate) struct House {
    pub(crate) mirror: MirroredKeyProvider,
    pub(crate) primary: Arc<FaultyProvider>,
    pub(crate) secondary: Arc<FaultyProvider>,
    stores: Vec<RedbStore>,
}

impl House {
    pub(crate) async fn open(folder: &Path) -> Self {
        let mut stores = Vec::new();
        for name in ["primary.redb", "secondary.redb", "state.redb"] {
            let store = RedbStore::open(folder.join(name)).await;
            stores.push(store.unwrap_or_else(|error| panic!("{name}: {error}")));
        }
        let mut sides = Vec::new();
        for store in &stores[..2] {
            let sealing = SealingKey::from_file(folder.join("sealing.key")).unwrap();
            let provider = StoredKeyProvider::open(Arc::new(store.clone()), sealing).await.unwrap();
            sides.push(Arc::new(FaultyProvider::new(Arc::new(provider))));
        }
        let (secondary, primary) = (sides.pop().unwrap(), sides.pop().unwrap());
        let builder = MirroredKeyProvider::builder(primary.clone(), secondary.clone());
        let builder =
            builder.mode(MirrorMode::Full).breaker(BreakerSettings::OFF).state(Arc::new(stores[2].clone()));
        Self { mirror: builder.open().await.unwrap(), primary, secondary, stores }
    }

    /// Frees the files for the next process.
    pub(crate) async fn close(self) {
        let Self { mirror, primary, secondary, stores } = self;
        drop((mirror, primary, secondary));
        for store in stores {
            store.close().await;
        }
    }
}
