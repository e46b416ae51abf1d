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
    let (mut one, mut many) = (Mean::default(), Mean::default());
    for (writers, mean) in [(1, &mut one), (WRITERS, &mut many)] {
        let house = House::new();
        let file: Arc<dyn KeyProvider> = Arc::new(house.provider(&house.store()));
        group.bench_function(BenchmarkId::new("writers", writers), |bencher| {
            bencher.iter_custom(|rounds| mean.of(rounds, || house.create(&file, writers, rounds * WRITERS)));
        });
    }
    group.finish();
    print_ratio("64 writers make so many times the keys of one in the same time", &one, &many);
}

/// Reads of keys in memory, and of those in a file.
fn get_key(criterion: &mut Criterion) {
    let house = House::new();
    let (memory, file) = (Arc::new(LocalKeyProvider::new()), Arc::new(house.provider(&house.store())));
    let mut group = criterion.benchmark_group("get_key");
    let (mut local, mut stored) = (Mean::default(), Mean::default());
    let sides: [(_, Arc<dyn KeyProvider>, _); 2] =
        [("memory", memory, &mut local), ("file", file, &mut stored)];
    for (name, provider, mean) in sides {
        house.create(&provider, FILLERS, KEYS);
        let keys = house.runtime.block_on(provider.list_all_keys()).unwrap();
        let kids: Vec<_> = keys.into_iter().map(|key| key.kid).collect();
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|reads| mean.of(reads, || house.read(&*provider, &kids, reads)));
        });
    }
    group.finish();
    print_ratio("a read of a key in a file takes so many times that of one in memory", &stored, &local);
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

/// Of everything that was measured, to divide one by another.
#[derive(Default)]
struct Mean {
    taken: Duration,
    times: u64,
}

impl Mean {
    fn of(&mut self, times: u64, work: impl FnOnce() -> Duration) -> Duration {
        let taken = work();
        self.taken += taken;
        self.times += times;
        taken
    }

    /// Seconds for each time.
    #[allow(clippy::cast_precision_loss, reason = "nobody measures 2^53 times")]
    fn seconds(&self) -> Option<f64> {
        (self.times > 0).then(|| self.taken.as_secs_f64() / self.times as f64)
    }
}

/// If both were measured.
fn print_ratio(what: &str, dividend: &Mean, divisor: &Mean) {
    if let (Some(dividend), Some(divisor)) = (dividend.seconds(), divisor.seconds()) {
        println!("{what}: {:.2}\n", dividend / divisor);
    }
}
