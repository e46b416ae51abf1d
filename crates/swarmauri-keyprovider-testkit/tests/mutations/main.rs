//! The suite finds what is wrong with a provider: each mutant is broken in one way, and names the cases that
//! must fail for it. Together they name every case, so that none is there for show.

#![allow(clippy::unwrap_used, clippy::panic, reason = "these are tests, also outside of test functions")]

mod breaks;
mod mutants;
mod sloppy;
mod tampering;
mod workers;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use parking_lot::Mutex;
use swarmauri_keyprovider::KeyProvider;
use swarmauri_keyprovider_testkit::{CASES, Report, Suite, run_all};

/// A provider broken in one way.
struct Mutant {
    name: &'static str,
    make: fn() -> Arc<dyn KeyProvider>,
    noticed_by: &'static [&'static str],
}

/// Defines a list of mutants: a name, what makes it, and the cases that notice it.
macro_rules! mutant_list {
    ($list:ident: $($name:ident = $make:expr => $($case:ident)+;)*) => {
        pub(crate) const $list: &[crate::Mutant] = &[$(crate::Mutant {
            name: stringify!($name),
            make: || $make,
            noticed_by: &[$(stringify!($case)),+],
        }),*];
    };
}
pub(crate) use mutant_list;

fn all() -> Vec<&'static Mutant> {
    mutants::MUTANTS.iter().chain(workers::WORKERS).collect()
}

#[test]
fn every_mutant_is_noticed() {
    let problems: Mutex<Vec<String>> = Mutex::default();
    in_parallel(&all(), |mutant| {
        let suite = Suite::new().only(mutant.noticed_by.iter().copied());
        let report = block_on(suite.run(async || (mutant.make)()));
        problems.lock().extend(unnoticed(mutant, &report));
    });
    let problems = problems.into_inner();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_case_notices_a_mutant() {
    let noticing: BTreeSet<_> = all().into_iter().flat_map(|mutant| mutant.noticed_by).collect();
    let idle: Vec<_> = CASES.iter().map(|case| case.name).filter(|name| !noticing.contains(name)).collect();
    assert!(idle.is_empty(), "no mutant shows that these cases can fail: {idle:?}");
}

/// One fault is found among all cases, and does not drown in the failures of others.
#[test]
fn the_whole_suite_finds_a_single_fault() {
    let names = [
        "brings_versions_back",
        "keeps_no_secret",
        "publishes_in_any_order",
        "forgets_labels_on_rotation",
        "repeats_nonces",
        "trusts_everything",
    ];
    let picked: Vec<_> = all().into_iter().filter(|mutant| names.contains(&mutant.name)).collect();
    assert_eq!(picked.len(), names.len());
    in_parallel(&picked, |mutant| {
        let report = block_on(run_all(async || (mutant.make)()));
        assert_eq!(unnoticed(mutant, &report), Vec::<String>::new());
        assert!(report.failed().len() < CASES.len() / 4, "{}: {report}", mutant.name);
    });
}

fn unnoticed(mutant: &Mutant, report: &Report) -> Vec<String> {
    let failed = report.failed();
    let silent = mutant.noticed_by.iter().filter(|case| !failed.contains(case));
    silent.map(|case| format!("{}: {case} did not notice", mutant.name)).collect()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.unwrap().block_on(future)
}

fn in_parallel<T: Sync>(all: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    let workers = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(one);
                }
            });
        }
    });
}
