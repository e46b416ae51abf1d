//! A JWKS of 10,000 keys in deterministic CBOR, beside plain CBOR by `ciborium`: with the members of a JWK, and
//! as a COSE_KeySet.
//!
//! `cargo bench -p swarmauri-cbor`

#![expect(clippy::expect_used, reason = "a bench of nothing should fail at once")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use serde::Serialize;
use swarmauri_cbor::{Value, cose, to_vec, value_from_slice, value_to_vec};
use swarmauri_keys::{Jwk, JwkSet, KeyAlg, KeyId, KeyVersion, P256Point, PublicKey};

const KEYS: u64 = 10_000;

fn jwks(criterion: &mut Criterion) {
    let mut rng = fastrand::Rng::with_seed(1);
    let mut octets = || std::array::from_fn(|_| rng.u8(..));
    let ed25519 = set(KeyAlg::Ed25519, || PublicKey::Ed25519(octets()));
    side_by_side(criterion, "ed25519", &ed25519);
    let p256 =
        set(KeyAlg::EcdsaP256Sha256, || PublicKey::P256(P256Point { x: octets(), y: octets() }.into()));
    side_by_side(criterion, "p256", &p256);
}

fn set(alg: KeyAlg, mut key: impl FnMut() -> PublicKey) -> JwkSet {
    let jwk = |number| {
        let kid = KeyId::new(format!("{number:032x}")).expect("a valid kid");
        Jwk::published(&kid.at(KeyVersion::FIRST), alg, key())
    };
    JwkSet { keys: (0..KEYS).map(jwk).collect() }
}

fn side_by_side(criterion: &mut Criterion, keys: &str, set: &JwkSet) {
    let value = value_from_slice(&cose::keyset_to_vec(set).expect("keys that COSE knows")).expect("CBOR");
    take_turns(&format!("jwks/{keys}"), || to_vec(set), || by_ciborium(set));
    take_turns(&format!("cose_keyset/{keys}"), || cose::keyset_to_vec(set), || by_ciborium(&value));
    take_turns(&format!("cose_keyset/{keys} of items"), || value_to_vec(&value), || by_ciborium(&value));
    of_members(criterion.benchmark_group(format!("jwks/{keys}")), set);
    of_keyset(criterion.benchmark_group(format!("cose_keyset/{keys}")), set, &value);
}

fn of_members(mut group: BenchmarkGroup<'_, WallTime>, set: &JwkSet) {
    group.throughput(Throughput::Bytes(by_ciborium(set).len() as u64));
    group.bench_function("ciborium", |b| b.iter(|| by_ciborium(black_box(set))));
    group.bench_function("cbor", |b| b.iter(|| to_vec(black_box(set))));
    group.finish();
}

/// `ciborium` has no COSE, and gets the key set as CBOR items.
fn of_keyset(mut group: BenchmarkGroup<'_, WallTime>, set: &JwkSet, value: &Value) {
    group.throughput(Throughput::Bytes(by_ciborium(value).len() as u64));
    group.bench_function("ciborium of items", |b| b.iter(|| by_ciborium(black_box(value))));
    group.bench_function("cbor of items", |b| b.iter(|| value_to_vec(black_box(value))));
    group.bench_function("cose of keys", |b| b.iter(|| cose::keyset_to_vec(black_box(set))));
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

fn by_ciborium<T: Serialize>(value: &T) -> Vec<u8> {
    let mut encoded = Vec::new();
    ciborium::into_writer(value, &mut encoded).expect("a vector takes everything");
    encoded
}

criterion_group!(benches, jwks);
criterion_main!(benches);
