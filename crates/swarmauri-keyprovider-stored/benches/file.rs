//! Keys in a file: durable writes by one and by many, reads beside those of keys in memory, and opening.
//!
//! ```sh
//! cargo bench -p swarmauri-keyprovider-stored
//! ```
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench fails by panicking, and prints")]

use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, process};

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use swarmauri_keyprovider::{KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_stored::{SealingKey, StoredKeyProvider};
use swarmauri_keys::{KeyAlg, KeyId, KeySpec};
use swarmauri_keystore::RedbStore;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

/// How many write at once, where many do.
const WRITERS: u64 = 64;

/// How many write at once to fill a file: as many as one transaction holds.
const FILLERS: u64 = 1024;

/// How many keys there are where reads are measured.
const KEYS: u64 = 1024;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    create(&mut criterion);
    get_key(&mut criterion);
    open(&mut criterion);
    criterion.final_summary();
}

/// Ed25519 keys, each durable when its writer goes on: the time for 64 of them.
fn create(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("file/create");
    group.sampling_mode(SamplingMode::Flat).sample_size(20).throughput(Throughput::Elements(WRITERS));
    let house = House::new();
    let store = house.store();
    let file: Arc<dyn KeyProvider> = Arc::new(house.provider(&store));
    for writers in [1, WRITERS] {
        group.bench_function(BenchmarkId::new("writers", writers), |bencher| {
            bencher.iter_custom(|rounds| house.create(&file, writers, rounds * WRITERS));
        });
    }
    group.finish();
    let before = store.stats();
    house.create(&file, WRITERS, 100 * WRITERS);
    let (writes, commits) = (store.stats().writes - before.writes, store.stats().commits - before.commits);
    println!("of 64 writers at once, {writes} writes were in {commits} commits");
    let one = || house.create(&file, 1, WRITERS);
    print_ratio("the time of one writer, by that of 64", 40, one, || house.create(&file, WRITERS, WRITERS));
}

/// Reads of keys in memory, and of those in a file.
fn get_key(criterion: &mut Criterion) {
    let house = House::new();
    let memory: Arc<dyn KeyProvider> = Arc::new(LocalKeyProvider::new());
    let file: Arc<dyn KeyProvider> = Arc::new(house.provider(&house.store()));
    let mut group = criterion.benchmark_group("get_key");
    let [memory, file] = [("memory", memory), ("file", file)].map(|(name, provider)| {
        house.create(&provider, FILLERS, KEYS);
        let keys = house.runtime.block_on(provider.list_all_keys()).unwrap();
        let kids: Vec<_> = keys.into_iter().map(|key| key.kid).collect();
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|reads| house.read(&*provider, &kids, reads));
        });
        (provider, kids)
    });
    group.finish();
    let read = |(provider, kids): &(Arc<dyn KeyProvider>, Vec<_>)| house.read(&**provider, kids, KEYS);
    print_ratio("the time of a read of the file, by that of memory", 2000, || read(&file), || read(&memory));
}

/// Opening a file that was closed, until any of its keys can be read.
fn open(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("file/open");
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    for keys in [1_000, 10_000, 100_000] {
        let house = House::new();
        let mut full = false;
        group.throughput(Throughput::Elements(keys));
        group.bench_function(BenchmarkId::new("keys", keys), |bencher| {
            if !full {
                let file: Arc<dyn KeyProvider> = Arc::new(house.provider(&house.store()));
                house.create(&file, FILLERS, keys);
                full = true;
            }
            bencher.iter_custom(|opens| (0..opens).map(|_| house.time_open()).sum());
        });
    }
    group.finish();
}

/// A file of its own, in a folder that goes with it, and a runtime of two threads.
struct House {
    folder: PathBuf,
    runtime: Runtime,
}

impl House {
    fn new() -> Self {
        static HOUSES: AtomicU64 = AtomicU64::new(0);
        let number = HOUSES.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("file-bench-{}-{number}", process::id()));
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        Self { folder, runtime }
    }

    fn store(&self) -> RedbStore {
        self.runtime.block_on(RedbStore::open(self.folder.join("keys.redb"))).unwrap()
    }

    fn provider(&self, store: &RedbStore) -> StoredKeyProvider {
        let sealing = SealingKey::new(vec![7; 32].into()).unwrap();
        self.runtime.block_on(StoredKeyProvider::open(Arc::new(store.clone()), sealing)).unwrap()
    }

    fn time_open(&self) -> Duration {
        let begun = Instant::now();
        let store = self.store();
        let file = black_box(self.provider(&store));
        let taken = begun.elapsed();
        drop(file);
        // Else the next one to open waits for that.
        self.runtime.block_on(store.close());
        taken
    }

    /// How long so many writers take to make so many keys together.
    fn create(&self, provider: &Arc<dyn KeyProvider>, writers: u64, keys: u64) -> Duration {
        let begun = Instant::now();
        self.runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for writer in 0..writers {
                let provider = Arc::clone(provider);
                tasks.spawn(async move {
                    for _ in (writer..keys).step_by(usize::try_from(writers).unwrap()) {
                        provider.create_key(&KeySpec::new(KeyAlg::Ed25519)).await.unwrap();
                    }
                });
            }
            tasks.join_all().await;
        });
        begun.elapsed()
    }

    /// How long so many reads take, one after the other.
    fn read(&self, provider: &dyn KeyProvider, kids: &[KeyId], reads: u64) -> Duration {
        let begun = Instant::now();
        self.runtime.block_on(async {
            for (_, kid) in (0..reads).zip(kids.iter().cycle()) {
                black_box(provider.get_key(black_box(kid), None, Secrets::Omit).await.unwrap());
            }
        });
        begun.elapsed()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The ratio of the medians. Both take turns, so that whatever else the machine does bears on both alike.
fn print_ratio(
    what: &str,
    rounds: usize,
    mut dividend: impl FnMut() -> Duration,
    mut divisor: impl FnMut() -> Duration,
) {
    let (mut dividends, mut divisors): (Vec<_>, Vec<_>) =
        (0..rounds).map(|_| (dividend(), divisor())).unzip();
    let [dividend, divisor] = [&mut dividends, &mut divisors].map(|all| {
        let (_, median, _) = all.select_nth_unstable(rounds / 2);
        median.as_secs_f64()
    });
    println!("{what}: {:.2}\n", dividend / divisor);
}
