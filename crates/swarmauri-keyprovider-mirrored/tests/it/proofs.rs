//! `verify_replicas`: a replica is what it can do.

use std::collections::BTreeMap;

use swarmauri_keyprovider::{KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_mirrored::{MirrorMode, Proof};
use swarmauri_keyprovider_testkit::{Answer, Fault, Lie, Method};
use swarmauri_keys::{KeyAlg, KeyError, KeyErrorKind, KeyOperation, KeyRef, SecretBytes};

use crate::jobs::{material, method, spec_without};
use crate::support::*;

const PROOFS: [(KeyAlg, KeyOperation, Proof); 7] = [
    (KeyAlg::Ed25519, KeyOperation::Sign, Proof::Signature),
    (KeyAlg::EcdsaP256Sha256, KeyOperation::Sign, Proof::Signature),
    (KeyAlg::RsaPssSha256, KeyOperation::Sign, Proof::Signature),
    (KeyAlg::HmacSha256, KeyOperation::Mac, Proof::Mac),
    (KeyAlg::Aes256Gcm, KeyOperation::Decrypt, Proof::Decryption),
    (KeyAlg::RsaOaepSha256, KeyOperation::Decrypt, Proof::Decryption),
    (KeyAlg::X25519, KeyOperation::Agree, Proof::Agreement),
];

async fn imported(world: &World, alg: KeyAlg) -> KeyRef {
    world.mirror.import_key(&spec_without(alg, None), material(alg)).await.unwrap()
}

#[tokio::test]
async fn full_replicas_are_proved_by_what_they_do_and_no_secret_is_read() {
    let world = world_in(MirrorMode::Full);
    let mut expected = BTreeMap::new();
    for (alg, _, proof) in PROOFS {
        imported(&world, alg).await;
        *expected.entry(proof).or_default() += 1;
    }
    world.primary.journal().clear();
    world.secondary.journal().clear();
    let report = world.mirror.verify_replicas().await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.proved, expected);
    for side in [&world.primary, &world.secondary] {
        assert!(side.journal().secret_reads().is_empty(), "a secret was read to be compared");
    }
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["proved"]["signature"], 3);
}

#[tokio::test]
async fn a_wrapping_key_is_proved_by_unwrapping() {
    for alg in [KeyAlg::Aes256Gcm, KeyAlg::RsaOaepSha256] {
        let world = world_in(MirrorMode::Full);
        world
            .mirror
            .import_key(&spec_without(alg, Some(KeyOperation::Decrypt)), material(alg))
            .await
            .unwrap();
        let report = world.mirror.verify_replicas().await;
        assert_eq!(report.proved, BTreeMap::from([(Proof::Decryption, 1)]), "{alg} {report:?}");
        assert_eq!(world.secondary.journal().calls_of(Method::UnwrapKey).len(), 1);
    }
}

#[tokio::test]
async fn public_replicas_are_proved_by_thumbprint() {
    let world = world();
    let key = imported(&world, KeyAlg::Ed25519).await;
    let report = world.mirror.verify_replicas().await;
    assert_eq!(report.proved, BTreeMap::from([(Proof::Thumbprint, 1)]));
    world.secondary.set(Method::GetKey, Some(Fault::Lie(Lie::ForgedFingerprint)));
    let report = world.mirror.verify_replicas().await;
    assert_eq!((report.proved.len(), report.failed.len()), (0, 1));
    assert_eq!((&report.failed[0].id, report.failed[0].error.kind()), (key.id(), KeyErrorKind::Integrity));
}

/// What leaves no challenge is proved by thumbprint: a key that may sign and not verify, a disabled one.
#[tokio::test]
async fn what_leaves_no_challenge_is_proved_by_thumbprint() {
    let world = world_in(MirrorMode::Full);
    let signs_only = spec_without(KeyAlg::Ed25519, Some(KeyOperation::Verify));
    world.mirror.import_key(&signs_only, material(KeyAlg::Ed25519)).await.unwrap();
    let disabled = imported(&world, KeyAlg::EcdsaP256Sha256).await;
    world.mirror.disable_key(disabled.kid(), disabled.version()).await.unwrap();
    let report = world.mirror.verify_replicas().await;
    assert_eq!(report.proved, BTreeMap::from([(Proof::Thumbprint, 2)]), "{report:?}");
}

/// The replica shows the right public key and fingerprint, and holds another secret.
#[tokio::test]
async fn a_replica_that_only_looks_right_fails_the_challenge() {
    for (alg, operation, _) in PROOFS {
        let world = world_in(MirrorMode::Full);
        let key = imported(&world, alg).await;
        let wrong = Fault::answer(move |_, honest| match honest? {
            Answer::Signature(mut signature) => {
                signature.bytes[0] ^= 1;
                Ok(signature.into())
            }
            Answer::Bytes(_) => Ok(SecretBytes::from(vec![1; 32]).into()),
            other => Ok(other),
        });
        world.secondary.set(method(operation), Some(wrong));
        let report = world.mirror.verify_replicas().await;
        assert_eq!((report.proved.len(), report.failed.len()), (0, 1), "{alg} {report:?}");
        let failed = &report.failed[0];
        assert_eq!((&failed.id, failed.error.kind()), (key.id(), KeyErrorKind::Integrity), "{alg}");

        world.secondary.set(method(operation), Some(Fault::FailBefore(KeyError::NotAuthentic)));
        let report = world.mirror.verify_replicas().await;
        assert!(!report.is_clean(), "{alg}");
    }
}

/// That a side is out proves nothing, one way or the other.
#[tokio::test]
async fn an_outage_is_told_apart_from_a_failure() {
    for primary_is_out in [false, true] {
        let world = world_in(MirrorMode::Full);
        world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
        if primary_is_out {
            world.primary.outage();
        } else {
            world.secondary.outage();
        }
        let report = world.mirror.verify_replicas().await;
        assert_eq!(report.failed.len(), 1);
        assert!(report.failed[0].error.is_outage(), "{report:?}");
    }
}

#[tokio::test]
async fn replicas_of_an_earlier_process_are_proved_too() {
    let world = world_in(MirrorMode::Full);
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    world.mirror.rotate(key.kid()).await.unwrap();
    let world = world.restart();
    assert_eq!(world.mirror.verify_replicas().await.proved, BTreeMap::from([(Proof::Signature, 2)]));
}
