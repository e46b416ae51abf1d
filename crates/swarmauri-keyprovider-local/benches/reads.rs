//! Reads of keys in memory.
//!
//! `cargo bench -p swarmauri-keyprovider-local`

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keys::KeyAlg;
use tokio::runtime::Builder;

fn reads(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().build().unwrap();
    for keys in [100, 10_000] {
        let provider = LocalKeyProvider::new();
        let kids = runtime.block_on(async {
            let mut kids = Vec::new();
            for _ in 0..keys {
                kids.push(provider.create(KeyAlg::Ed25519).await.unwrap().kid().clone());
            }
            kids
        });
        // All of it inside of the executor: entering it takes as long as a read.
        criterion.bench_function(&format!("local/get_key/{keys}"), |bencher| {
            bencher.iter_custom(|rounds| {
                runtime.block_on(async {
                    let begun = Instant::now();
                    for (_, kid) in (0..rounds).zip(kids.iter().cycle()) {
                        black_box(provider.get_key(kid, None, Secrets::Omit).await.unwrap());
                    }
                    begun.elapsed()
                })
            });
        });
        criterion.bench_function(&format!("local/jwks/{keys}"), |bencher| {
            bencher.iter_custom(|rounds| {
                runtime.block_on(async {
                    let begun = Instant::now();
                    for _ in 0..rounds {
                        black_box(provider.jwks(&JwksQuery::LATEST).await.unwrap());
                    }
                    begun.elapsed()
                })
            });
        });
    }
}

criterion_group!(benches, reads);
criterion_main!(benches);
