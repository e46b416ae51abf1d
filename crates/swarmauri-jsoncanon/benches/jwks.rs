//! A JWKS of 10,000 keys in canonical JSON, beside plain JSON by `serde_json` and canonical JSON by `serde_jcs`.
//!
//! `cargo bench -p swarmauri-jsoncanon`

#![expect(clippy::expect_used, reason = "a bench of nothing should fail at once")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use swarmauri_keys::{Jwk, JwkSet, KeyAlg, KeyId, KeyVersion, P256Point, PublicKey};

const KEYS: u64 = 10_000;

fn jwks(criterion: &mut Criterion) {
    let mut rng = fastrand::Rng::with_seed(1);
    let mut octets = || std::array::from_fn(|_| rng.u8(..));
    let ed25519 = set(KeyAlg::Ed25519, || PublicKey::Ed25519(octets()));
    side_by_side(criterion, "jwks/ed25519", &ed25519);
    let p256 =
        set(KeyAlg::EcdsaP256Sha256, || PublicKey::P256(P256Point { x: octets(), y: octets() }.into()));
    side_by_side(criterion, "jwks/p256", &p256);
}

fn set(alg: KeyAlg, mut key: impl FnMut() -> PublicKey) -> JwkSet {
    let jwk = |number| {
        let kid = KeyId::new(format!("{number:032x}")).expect("a valid kid");
        Jwk::published(&kid.at(KeyVersion::FIRST), alg, key())
    };
    JwkSet { keys: (0..KEYS).map(jwk).collect() }
}

fn side_by_side(criterion: &mut Criterion, what: &str, set: &JwkSet) {
    let written = swarmauri_jsoncanon::to_vec(set).expect("a canonical form");
    assert_eq!(written, serde_jcs::to_vec(set).expect("a canonical form"), "serde_jcs says the same");
    let value: serde_json::Value = serde_json::from_slice(&written).expect("JSON");
    take_turns(what, || swarmauri_jsoncanon::to_vec(set), || serde_json::to_vec(set));
    let mut group = criterion.benchmark_group(what);
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

/// Criterion measures one after the other; here they take turns, so that a machine that is busy at times is busy
/// with both.
#[expect(clippy::print_stdout, reason = "what a bench is for")]
fn take_turns<A, B>(what: &str, mut ours: impl FnMut() -> A, mut theirs: impl FnMut() -> B) {
    // Not where benches run as tests.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let (mut our_times, mut their_times): (Vec<_>, Vec<_>) =
        (0..201).map(|_| (time(&mut theirs), time(&mut ours))).map(|(theirs, ours)| (ours, theirs)).unzip();
    our_times.sort_unstable();
    their_times.sort_unstable();
    let at = |place: usize| match (our_times.get(place), their_times.get(place)) {
        (Some(ours), Some(theirs)) => ours.as_secs_f64() / theirs.as_secs_f64(),
        _ => f64::NAN,
    };
    println!("{what}, 201 turns: {:.2} times by medians, {:.2} times by the fastest", at(100), at(0));
}

fn time<T>(work: &mut impl FnMut() -> T) -> Duration {
    let start = Instant::now();
    black_box(work());
    start.elapsed()
}

criterion_group!(benches, jwks);
criterion_main!(benches);
