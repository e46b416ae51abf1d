//! The suite for stores finds what is wrong with a store: each mutant is broken in one way, and names the cases that
//! must fail for it. Together they name every case, so that none is there for show.

#![allow(clippy::unwrap_used, clippy::panic, reason = "these are tests, also outside of test functions")]

mod broken;
mod mutants;
mod scan;
mod watch;

use std::collections::BTreeSet;

use swarmauri_keyprovider_testkit::{STORE_CASES, StoreUnderTest, run_all_store_cases, run_store_cases};

use broken::{Broken, Disk, Fault};
use mutants::MUTANTS;

/// Paused time, so that what waits for a change that never comes does not take long.
#[tokio::test(start_paused = true)]
async fn every_mutant_is_noticed() {
    let mut silent = Vec::new();
    for (fault, cases) in MUTANTS {
        let report = run_store_cases(cases, async || mutant(*fault)).await;
        let failed = report.failed();
        silent.extend(
            cases.iter().filter(|case| !failed.contains(case)).map(|case| format!("{fault:?}: {case}")),
        );
    }
    assert!(silent.is_empty(), "these did not notice:\n{}", silent.join("\n"));
}

#[test]
fn every_case_notices_a_mutant() {
    let noticing: BTreeSet<_> = MUTANTS.iter().flat_map(|(_, cases)| *cases).collect();
    let idle: Vec<_> =
        STORE_CASES.iter().map(|case| case.name).filter(|name| !noticing.contains(name)).collect();
    assert!(idle.is_empty(), "no mutant shows that these cases can fail: {idle:?}");
}

/// What wraps the mutants is itself without fault.
#[tokio::test(start_paused = true)]
async fn without_a_fault_nothing_is_noticed() {
    let report = run_all_store_cases(async || mutant(Fault::None)).await;
    report.assert_passed();
    assert_eq!(report.passed().len(), STORE_CASES.len());
}

fn mutant(fault: Fault) -> StoreUnderTest {
    let disk = Disk::default();
    let store = Broken::on(disk.clone(), fault);
    StoreUnderTest::new(store).reopened_by(move || {
        let disk = disk.clone();
        async move { Broken::on(disk.reopened(fault).await, fault) }
    })
}
