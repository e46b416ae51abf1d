//! What the hammer found, each in the few calls that it takes.

use std::sync::Arc;

use swarmauri_keyprovider::{KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_mirrored::{BreakerSettings, MirroredKeyProvider};
use swarmauri_keyprovider_testkit::{Fault, Faults, FaultyProvider, Method};
use swarmauri_keys::{KeyAlg, KeyError, KeyId, KeyVersion};

/// A mirror, and the faults of its two sides.
fn faulty() -> (MirroredKeyProvider, Faults, Faults) {
    let side = || Arc::new(FaultyProvider::new(Arc::new(LocalKeyProvider::new())));
    let (primary, secondary) = (side(), side());
    let faults = (primary.faults(), secondary.faults());
    let mirror = MirroredKeyProvider::builder(primary, secondary).breaker(BreakerSettings::OFF);
    (mirror.build().unwrap(), faults.0, faults.1)
}

/// With both sides up and nobody calling, one reconcile pays everything.
async fn assert_one_reconcile_pays(mirror: &MirroredKeyProvider) {
    let report = mirror.reconcile().await;
    assert!(report.is_clean(), "{:?} {:?} {:?}", report.failed, report.conflicts, report.not_compared);
    assert_eq!(mirror.status().backlog, []);
    assert_eq!(mirror.plan_reconcile().await.steps, []);
}

fn version(number: u32) -> KeyVersion {
    KeyVersion::new(number).unwrap()
}

#[tokio::test]
async fn a_version_of_a_destroyed_key_that_is_destroyed_during_an_outage_is_not_owed_for_ever() {
    for number in [1, 2] {
        let (mirror, primary, _) = faulty();
        let key = mirror.create(KeyAlg::Ed25519).await.unwrap();
        assert!(mirror.destroy_key(key.kid(), None).await.unwrap());
        primary.outage();
        let _ = mirror.destroy_key(key.kid(), Some(version(number))).await;
        primary.recover();
        assert_one_reconcile_pays(&mirror).await;
    }
}

#[tokio::test]
async fn destroys_of_nothing_during_an_outage_are_settled_together() {
    let (mirror, primary, _) = faulty();
    let nothing = KeyId::new("nothing").unwrap();
    let key = mirror.create(KeyAlg::Ed25519).await.unwrap();
    primary.outage();
    for _ in 0..3 {
        mirror.destroy_key(&nothing, None).await.unwrap_err();
        mirror.destroy_key(key.kid(), Some(version(7))).await.unwrap_err();
    }
    primary.recover();
    assert_one_reconcile_pays(&mirror).await;
}

#[tokio::test]
async fn destroys_that_the_primary_refuses_after_an_outage_are_settled_together() {
    let (mirror, primary, _) = faulty();
    let key = mirror.create(KeyAlg::Ed25519).await.unwrap();
    primary.outage();
    for _ in 0..3 {
        mirror.destroy_key(key.kid(), Some(version(1))).await.unwrap_err();
    }
    primary.recover();
    primary.set(Method::DestroyKey, Some(Fault::FailBefore(KeyError::permission_denied("keys stay"))));
    assert_one_reconcile_pays(&mirror).await;
    primary.outage();
    assert!(mirror.get_public_jwk(key.kid(), None).await.is_ok(), "it lives on, and its replica answers");
}

#[tokio::test]
async fn a_rotation_and_then_a_destroy_of_unknown_outcome_are_settled_in_one_go() {
    let (mirror, primary, secondary) = faulty();
    secondary.outage();
    let key = mirror.create(KeyAlg::Ed25519).await.unwrap();
    let lost = || Fault::FailAfter(KeyError::timeout("no answer"));
    primary.fail_next(Method::RotateKey, lost());
    mirror.rotate(key.kid()).await.unwrap_err();
    primary.fail_next(Method::DestroyKey, lost());
    mirror.destroy_key(key.kid(), None).await.unwrap_err();
    secondary.recover();
    assert_one_reconcile_pays(&mirror).await;
    assert_eq!(mirror.status().tombstones, 1);
}
