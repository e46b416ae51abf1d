//! The file provider.

use std::collections::btree_map::{BTreeMap, Entry};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::try_join_all;
use swarmauri_keyprovider::{KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_stored::{SealingKey, StoredKeyProvider};
use swarmauri_keys::{KeyAlg, KeyId};
use swarmauri_keystore::RedbStore;
use tokio::runtime::{Handle, Runtime};

use crate::{Desk, Outcome, Turns, create, time};

/// Names the folder for files; that of temporary ones may be one that is kept in memory, where nothing is durable.
const FOLDER: &str = "BENCH_FOLDER";

/// A provider and what it is made of; the files go with it.
struct Files {
    folder: PathBuf,
    sealing: SealingKey,
    store: RedbStore,
    provider: Arc<StoredKeyProvider>,
}

impl Files {
    async fn new(name: &str) -> Outcome<Self> {
        let folder = std::env::var_os(FOLDER).map_or_else(std::env::temp_dir, PathBuf::from);
        let folder = folder.join(format!("keys-{name}-{}", std::process::id()));
        let sealing = SealingKey::new(swarmauri_softkeys::random_bytes(32)?)?;
        let store = RedbStore::open(file_in(&folder)).await?;
        let provider = StoredKeyProvider::open(Arc::new(store.clone()), sealing.clone()).await?;
        Ok(Self { folder, sealing, store, provider: Arc::new(provider) })
    }

    /// So many writers, each of which creates so many keys.
    async fn create_at_once(&self, writers: usize, each: usize) -> Outcome {
        self.create_by(&Handle::current(), writers, each).await
    }

    /// The same, on those threads.
    async fn create_by(&self, threads: &Handle, writers: usize, each: usize) -> Outcome {
        let tasks = (0..writers).map(|_| {
            let provider = Arc::clone(&self.provider);
            threads.spawn(async move { create(&*provider, each).await })
        });
        for created in try_join_all(tasks).await? {
            created?;
        }
        Ok(())
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // What stays lies in a folder of build output.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn file_in(folder: &Path) -> PathBuf {
    folder.join("keys.redb")
}

/// As many threads as there are cores, as services have them.
struct Threads(Option<Runtime>);

impl Threads {
    fn new() -> Outcome<Self> {
        Ok(Self(Some(tokio::runtime::Builder::new_multi_thread().enable_time().build()?)))
    }

    fn handle(&self) -> Outcome<&Handle> {
        Ok(self.0.as_ref().ok_or("no threads")?.handle())
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Not to be waited for by those of another runtime.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Nanoseconds for one key.
pub(super) async fn durable_create(desk: &mut Desk) -> Outcome {
    let (files, threads) = (Files::new("create").await?, Threads::new()?);
    while let Some(asked) = desk.asked()? {
        let (writers, each) = match asked.as_str() {
            "64" => (64, 8),
            "one" => (1, 32),
            _ => Desk::unknown(&asked)?,
        };
        let begun = Instant::now();
        files.create_by(threads.handle()?, writers, each).await?;
        #[allow(clippy::cast_precision_loss, reason = "they are few")]
        desk.answer(&[begun.elapsed().as_secs_f64() * 1e9 / (writers * each) as f64])?;
    }
    Ok(())
}

pub(super) async fn get_key(desk: &mut Desk) -> Outcome {
    const KEYS: usize = 1000;
    let files = Files::new("read").await?;
    files.create_at_once(KEYS, 1).await?;
    let stored = files.provider.list_all_keys().await?;
    let mut stored = Turns::of(&stored.into_iter().map(|key| key.kid).collect::<Vec<_>>());
    let local = LocalKeyProvider::new();
    let mut kids = Turns::of(&create(&local, KEYS).await?);
    while let Some(asked) = desk.asked()? {
        let figures = match asked.as_str() {
            "ours" => read(&*files.provider, &mut stored).await?,
            "local" => read(&local, &mut kids).await?,
            _ => Desk::unknown(&asked)?,
        };
        desk.answer(&figures)?;
    }
    Ok(())
}

async fn read(provider: &dyn KeyProvider, kids: &mut Turns) -> Outcome<Vec<f64>> {
    time(async || Ok(provider.get_key(kids.kid()?, None, Secrets::Omit).await?)).await
}

/// Asked for by the number of keys; nanoseconds for each of them.
pub(super) async fn open(desk: &mut Desk) -> Outcome {
    let mut all = BTreeMap::new();
    while let Some(asked) = desk.asked()? {
        let keys: usize = asked.parse()?;
        let files = match all.entry(keys) {
            Entry::Occupied(files) => files.into_mut(),
            Entry::Vacant(none) => {
                let files = Files::new(&asked).await?;
                files.create_at_once(keys.min(1000), keys.div_ceil(1000)).await?;
                none.insert(files)
            }
        };
        let took = reopen(files).await?;
        #[allow(clippy::cast_precision_loss, reason = "they are at most a million")]
        desk.answer(&[took.as_secs_f64() * 1e9 / keys as f64])?;
    }
    Ok(())
}

/// Until one key has been read: what is left for later shows there.
async fn reopen(files: &mut Files) -> Outcome<std::time::Duration> {
    let kid: KeyId = files.provider.create(KeyAlg::Ed25519).await?.kid().clone();
    files.store.close().await;
    let begun = Instant::now();
    files.store = RedbStore::open(file_in(&files.folder)).await?;
    let opened = StoredKeyProvider::open(Arc::new(files.store.clone()), files.sealing.clone()).await?;
    opened.get_key(&kid, None, Secrets::Omit).await?;
    let took = begun.elapsed();
    files.provider = Arc::new(opened);
    Ok(took)
}
