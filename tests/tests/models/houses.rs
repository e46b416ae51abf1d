//! Where keys live: one small adapter for each kind of provider.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use swarmauri_keyprovider::KeyProvider;
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_stored::{SealingKey, StoredKeyProvider};
use swarmauri_keystore::{MemoryStore, RedbStore};

/// A provider, and how another one takes over from it.
pub(crate) trait House: Sized + 'static {
    /// Whether another one can.
    const REOPENS: bool;

    /// Without keys.
    async fn new() -> Self;

    fn provider(&self) -> &dyn KeyProvider;

    /// Goes, and comes back to the same keys.
    async fn reopened(self) -> Self;
}

pub(crate) struct InMemory(LocalKeyProvider);

impl House for InMemory {
    const REOPENS: bool = false;

    async fn new() -> Self {
        Self(LocalKeyProvider::new())
    }

    fn provider(&self) -> &dyn KeyProvider {
        &self.0
    }

    async fn reopened(self) -> Self {
        self
    }
}

pub(crate) struct OnMemoryStore {
    store: MemoryStore,
    provider: StoredKeyProvider,
}

impl OnMemoryStore {
    async fn over(store: MemoryStore) -> Self {
        let provider = StoredKeyProvider::open(Arc::new(store.clone()), sealing()).await.unwrap();
        Self { store, provider }
    }
}

impl House for OnMemoryStore {
    const REOPENS: bool = true;

    async fn new() -> Self {
        Self::over(MemoryStore::new()).await
    }

    fn provider(&self) -> &dyn KeyProvider {
        &self.provider
    }

    async fn reopened(self) -> Self {
        let Self { store, provider } = self;
        drop(provider);
        Self::over(store).await
    }
}

pub(crate) struct OnDisk {
    provider: StoredKeyProvider,
    store: RedbStore,
    folder: Folder,
}

impl OnDisk {
    async fn within(folder: Folder) -> Self {
        let store = RedbStore::open(folder.0.join("keys.redb")).await.unwrap();
        let provider = StoredKeyProvider::open(Arc::new(store.clone()), sealing()).await.unwrap();
        Self { provider, store, folder }
    }
}

impl House for OnDisk {
    const REOPENS: bool = true;

    async fn new() -> Self {
        Self::within(Folder::new()).await
    }

    fn provider(&self) -> &dyn KeyProvider {
        &self.provider
    }

    async fn reopened(self) -> Self {
        let Self { provider, store, folder } = self;
        drop(provider);
        store.close().await;
        drop(store);
        Self::within(folder).await
    }
}

fn sealing() -> SealingKey {
    SealingKey::new(vec![7; 32].into()).unwrap()
}

/// A folder that goes when the house does.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("models-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
