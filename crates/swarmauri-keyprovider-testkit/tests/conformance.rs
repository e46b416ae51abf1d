//! The suite over the faulty provider without faults, which must be as good as what it wraps; and over the
//! paths that the macro does not take.

use std::sync::Arc;

use swarmauri_keyprovider::{Feature, KeyProvider};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_testkit::{CASES, FaultyProvider, Outcome, Suite, conformance, run_all};
use swarmauri_keys::KeyOperation;

fn faultless() -> FaultyProvider {
    FaultyProvider::new(Arc::new(LocalKeyProvider::new()))
}

conformance!(async || Arc::new(faultless()));

conformance!(mod with_exemption, async || Arc::new(faultless()) as Arc<dyn KeyProvider>, except = {
    claimed_algorithms_can_be_created: "RSA keys are made often enough above",
    a_cancelled_create_is_all_or_nothing: "RSA keys are made often enough above",
});

#[tokio::test(start_paused = true)]
async fn the_suite_passes_on_one_thread_in_paused_time() {
    let report = run_all(async || Arc::new(faultless())).await;
    report.assert_passed();
    assert_eq!(report.results.len(), CASES.len());
}

/// A provider that can do little is not failed for it, and what it denies is checked.
#[tokio::test]
async fn denied_capabilities_are_chosen_around_and_checked() {
    for denied in [None].into_iter().chain(Feature::ALL.iter().map(Some)) {
        let report = run_all(async || {
            let provider = quick();
            provider.faults().restrict_capabilities(|can| match denied {
                Some(feature) => {
                    can.features.remove(feature);
                }
                None => *can = swarmauri_keyprovider::Capabilities::default(),
            });
            Arc::new(provider)
        });
        let report = report.await;
        report.assert_passed();
        assert_eq!(report.outcome("denied_features_are_unsupported"), Some(&Outcome::Passed));
        if denied == Some(&Feature::Rotate) {
            let skipped = report.outcome("a_rotation_adds_the_latest_version");
            assert_eq!(skipped, Some(&Outcome::NotApplicable("no rotate".to_owned())));
        }
    }
}

/// So with operations: all of one taken away, or one algorithm of it.
#[tokio::test]
async fn denied_operations_are_chosen_around_and_checked() {
    let topics = ["capabilities", "signing", "encryption", "agreement", "uses", "disabled", "secrets"];
    let about_work = CASES.iter().filter(|case| topics.contains(&case.topic)).map(|case| case.name);
    let suite = Suite::new().only(about_work);
    for denied in KeyOperation::ALL.iter().copied() {
        for entirely in [true, false] {
            let report = suite.run(async || {
                let provider = quick();
                provider.faults().restrict_capabilities(|can| {
                    let algs = can.operations.entry(denied).or_default();
                    algs.pop_first();
                    if entirely || algs.is_empty() {
                        can.operations.remove(&denied);
                    }
                });
                Arc::new(provider)
            });
            let report = report.await;
            report.assert_passed();
            assert_eq!(report.outcome("denied_operations_are_unsupported"), Some(&Outcome::Passed));
        }
    }
}

#[tokio::test]
async fn an_exempt_case_is_not_run_and_the_report_says_why() {
    let suite = Suite::new().only(["random_bytes_differ"]).except("random_bytes_differ", "no patience");
    let report = suite.run(async || Arc::new(quick())).await;
    assert_eq!(report.outcome("random_bytes_differ"), Some(&Outcome::Exempt("no patience".to_owned())));
    assert!(report.to_string().contains("exempt  derive::random_bytes_differ: no patience"), "{report}");
}

/// Without RSA, whose keys take long to make, and longest to check.
fn quick() -> FaultyProvider {
    let provider = faultless();
    provider.faults().restrict_capabilities(|can| {
        for algs in [&mut can.create, &mut can.import, &mut can.import_public] {
            algs.retain(|alg| !alg.as_str().starts_with("RSA"));
        }
    });
    provider
}
