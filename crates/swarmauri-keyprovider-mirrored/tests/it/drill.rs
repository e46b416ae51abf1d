//! The drill: what would be left if the primary were gone.

use std::collections::BTreeMap;

use swarmauri_keyprovider::{KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_mirrored::{
    Backend, BreakerSettings, BreakerState, Deadlines, MirrorMode, NotAtWork, Proof, RiskReason,
};
use swarmauri_keyprovider_testkit::{Fault, Lie, Method};
use swarmauri_keys::{KeyAlg, KeyErrorKind};

use crate::support::*;

#[tokio::test]
async fn in_mode_full_every_key_is_read_and_works_and_the_primary_is_not_asked() {
    let world = world_in(MirrorMode::Full);
    for alg in
        [KeyAlg::Ed25519, KeyAlg::EcdsaP256Sha256, KeyAlg::HmacSha256, KeyAlg::Aes256Gcm, KeyAlg::X25519]
    {
        world.mirror.create_key(&exportable(alg)).await.unwrap();
    }
    let closed = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.journal().clear();
    world.primary.hang();
    let (status, drill) = (world.mirror.status(), world.mirror.drill().await);
    assert!(drill.is_clean(), "{drill:?}");
    assert_eq!(drill.read, 6);
    let worked = [(Proof::Signature, 2), (Proof::Mac, 1), (Proof::Decryption, 1), (Proof::Agreement, 1)];
    assert_eq!(drill.worked, BTreeMap::from(worked));
    assert_eq!(drill.not_at_work, BTreeMap::from([(NotAtWork::PublicOnly, 1)]), "{}", closed.id());
    assert!(world.primary.journal().calls().is_empty());
    assert_eq!(world.mirror.status(), status);
}

#[tokio::test]
async fn what_has_no_replica_is_named_with_the_reason() {
    let world = world();
    let secret = world.mirror.create(KeyAlg::Aes256Gcm).await.unwrap();
    world.secondary.outage();
    let owed = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.secondary.recover();
    let mut at_risk = world.mirror.drill().await.at_risk;
    at_risk.sort();
    let mut expected = vec![(secret.id().clone(), RiskReason::Mode), (owed.id().clone(), RiskReason::Debt)];
    expected.sort();
    assert_eq!(at_risk, expected);
}

#[tokio::test]
async fn replicas_that_are_wrong_or_gone_are_found_and_left_as_they_are() {
    let world = world_in(MirrorMode::Full);
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    let status = world.mirror.status();
    world.secondary.fail_next(Method::GetKey, Fault::Lie(Lie::WrongKey));
    let drill = world.mirror.drill().await;
    assert_eq!((drill.failed[0].error.kind(), &drill.failed[0].id), (KeyErrorKind::Integrity, key.id()));
    let at = drill.failed[0].at.clone();
    world.secondary_keys.destroy_key(&at.kid, None).await.unwrap();
    let drill = world.mirror.drill().await;
    assert_eq!(drill.failed[0].error.kind(), KeyErrorKind::NotFound);
    assert!(!drill.is_clean());
    assert_eq!(world.mirror.status(), status, "it repairs nothing");
}

#[tokio::test(start_paused = true)]
async fn a_secondary_that_hangs_ends_it_and_no_breaker_is_told() {
    let world =
        world_with(|builder| builder.deadlines(Deadlines::default()).breaker(BreakerSettings::default()));
    for _ in 0..30 {
        world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    }
    world.secondary.hang();
    let drill = give_up(world.mirror.drill()).await.unwrap();
    assert_eq!(drill.failed.len() + drill.not_tried, 30);
    assert!(drill.not_tried > 0 && !drill.is_clean());
    assert_eq!(world.mirror.breakers()[&Backend::Secondary], BreakerState::Closed);
}
