//! The fuzz targets on the inputs that are checked in, and on many that are like them: what a fuzzer has found stays found, and
//! a little is fuzzed wherever tests run.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]
#![allow(clippy::print_stderr, reason = "a test that fails says how to see it again")]

mod inputs;
mod mutate;

use std::collections::BTreeSet;
use std::env;

use inputs::{Input, folders, inputs};
use mutate::mutated;
use swarmauri_keyproviders_fuzzing::{TARGETS, Target};
use swarmauri_keyproviders_tests::random::Seeded;
use toml::Table;

macro_rules! targets {
    ($($name:ident)+) => {
        /// The targets that have a test here.
        const TESTED: &[&str] = &[$(stringify!($name)),+];
        $(
            #[test]
            fn $name() {
                holds(stringify!($name));
            }
        )+
    };
}

targets! {
    canonical_json cbor config cose jwk jwks key_reference mirror_record private_key public_key sealed_record values
}

/// Runs a target on its inputs as they are, and then on changed ones.
fn holds(name: &str) {
    let (_, target) = TARGETS.iter().find(|(target, _)| *target == name).unwrap();
    let corpus = inputs("corpus", name);
    assert!(!corpus.is_empty(), "fuzz/corpus/{name} has no input");
    let regressions = inputs("regressions", name);
    let all: Vec<_> = corpus.into_iter().chain(regressions).collect();
    for input in &all {
        run(*target, &input.bytes, &|| input.path.clone());
    }
    let seed = number("SWARMAURI_SEED").unwrap_or(1);
    for round in 0..number("SWARMAURI_MUTATIONS").unwrap_or(1000) {
        // Each round by itself, so that one is quickly run again.
        let mut random = Seeded::new(seed.wrapping_add(round << 32));
        let changed = mutated(&mut random, &all);
        run(*target, &changed, &|| format!("round {round} with SWARMAURI_SEED={seed}"));
    }
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{variable}: {text:?} is no number")))
}

/// Runs a target; if it panics, says on what.
fn run(target: Target, input: &[u8], what: &dyn Fn() -> String) {
    struct Told<'a>(&'a [u8], &'a dyn Fn() -> String);
    impl Drop for Told<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("the input is {}: b\"{}\"", self.1(), self.0.escape_ascii());
            }
        }
    }
    let told = Told(input, what);
    target(input);
    drop(told);
}

#[test]
fn every_target_has_a_test_a_corpus_and_a_binary() {
    let targets: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(targets.len(), TARGETS.len(), "no name is there twice");
    assert_eq!(TESTED.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(), targets);
    assert_eq!(folders("corpus"), targets);
    assert!(folders("regressions").is_subset(&targets), "{:?}", folders("regressions"));

    let manifest: Table = inputs::text("fuzz/Cargo.toml").parse().unwrap();
    let binaries = manifest["bin"].as_array().unwrap();
    let mut named = BTreeSet::new();
    for binary in binaries {
        let name = binary["name"].as_str().unwrap();
        assert_eq!(binary["path"].as_str(), Some(&*format!("fuzz_targets/{name}.rs")));
        let source = inputs::text(&format!("fuzz/fuzz_targets/{name}.rs"));
        assert!(
            source.contains(&format!("{name}::run(input)")),
            "fuzz_targets/{name}.rs runs another target"
        );
        named.insert(name.to_owned());
    }
    assert_eq!(named, targets);
}

#[test]
fn the_corpus_stays_small() {
    for (name, _) in TARGETS {
        let corpus = inputs("corpus", name);
        assert!(corpus.len() <= 40, "fuzz/corpus/{name} has {} inputs; choose", corpus.len());
        let large: Vec<_> =
            corpus.iter().filter(|input| input.bytes.len() > 4096).map(|input| &input.path).collect();
        assert!(large.is_empty(), "over 4096 bytes: {large:?}");
    }
}

#[test]
fn a_seed_repeats_its_mutations_and_they_differ() {
    let all = [b"an input".as_slice(), b"another one"]
        .map(|bytes| Input { path: String::new(), bytes: bytes.to_vec() });
    let draw = |seed: u64| {
        (0..200).map(|round| mutated(&mut Seeded::new(seed + (round << 32)), &all)).collect::<Vec<_>>()
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    assert!(draw(1).iter().collect::<BTreeSet<_>>().len() > 150);
}
