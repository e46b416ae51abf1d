//! Making keys, and entering them into a table. RSA is left out: how long it takes is chance.
//!
//! `cargo bench -p swarmauri-softkeys`

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use swarmauri_keys::{KeyAlg, KeySpec};
use swarmauri_softkeys::{KeyTable, SoftKey, generates, is_slow_to_generate};

fn create(criterion: &mut Criterion) {
    for alg in KeyAlg::ALL.iter().copied().filter(|alg| generates(*alg) && !is_slow_to_generate(*alg)) {
        criterion.bench_function(&format!("softkeys/generate/{alg}"), |bencher| {
            bencher.iter(|| black_box(SoftKey::generate(alg, None).unwrap()));
        });
        let (table, spec) = (KeyTable::new(), KeySpec::new(alg));
        criterion.bench_function(&format!("softkeys/create/{alg}"), |bencher| {
            bencher.iter(|| black_box(table.create(&spec, SoftKey::generate(alg, None).unwrap()).unwrap()));
        });
    }
}

criterion_group!(benches, create);
criterion_main!(benches);
