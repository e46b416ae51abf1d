//! A JWKS of 10,000 keys in canonical JSON, beside plain JSON by `serde_json` and canonical JSON by `serde_jcs`.
//!
//! `cargo bench -p swarmauri-jsoncanon`

#![expect(clippy::expect_used, reason = "a bench of nothing should fail at once")]

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use swarmauri_keys::{Jwk, JwkSet, KeyAlg, KeyId, KeyVersion, P256Point, PublicKey};

const KEYS: u64 = 10_000;

fn jwks(criterion: &mut Criterion) {
    let mut rng = fastrand::Rng::with_seed(1);
    let mut octets = || std::array::from_fn(|_| rng.u8(..));
    let ed25519 = set(KeyAlg::Ed25519, || PublicKey::Ed25519(octets()));
    side_by_side(criterion.benchmark_group("jwks/ed25519"), &ed25519);
    let p256 = set(KeyAlg::EcdsaP256Sha256, || PublicKey::P256(P256Point { x: octets(), y: octets() }));
    side_by_side(criterion.benchmark_group("jwks/p256"), &p256);
}

fn set(alg: KeyAlg, mut key: impl FnMut() -> PublicKey) -> JwkSet {
    let jwk = |number| {
        let kid = KeyId::new(format!("{number:032x}")).expect("a valid kid");
        Jwk::published(&kid.at(KeyVersion::FIRST), alg, key())
    };
    JwkSet { keys: (0..KEYS).map(jwk).collect() }
}

fn side_by_side(mut group: BenchmarkGroup<'_, WallTime>, set: &JwkSet) {
    let written = swarmauri_jsoncanon::to_vec(set).expect("a canonical form");
    assert_eq!(written, serde_jcs::to_vec(set).expect("a canonical form"), "serde_jcs says the same");
    let value: serde_json::Value = serde_json::from_slice(&written).expect("JSON");
    group.throughput(Throughput::Bytes(written.len() as u64));
    group.bench_function("serde_json", |b| b.iter(|| serde_json::to_vec(black_box(set))));
    group.bench_function("jsoncanon", |b| b.iter(|| swarmauri_jsoncanon::to_vec(black_box(set))));
    group.bench_function("serde_json of a value", |b| b.iter(|| serde_json::to_vec(black_box(&value))));
    group.bench_function("jsoncanon of a value", |b| {
        b.iter(|| swarmauri_jsoncanon::to_vec(black_box(&value)));
    });
    group.bench_function("jsoncanon of text", |b| {
        b.iter(|| swarmauri_jsoncanon::canonicalize(black_box(&written)));
    });
    group.sample_size(10);
    group.bench_function("serde_jcs", |b| b.iter(|| serde_jcs::to_vec(black_box(set))));
    group.finish();
}

criterion_group!(benches, jwks);
criterion_main!(benches);
