//! Two hundred keys through a mirror in mode `public_only`.

use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_mirrored::MirrorMode;
use swarmauri_keyprovider_testkit::Fault;
use swarmauri_keys::{ExportPolicy, KeyAlg, KeyError, KeyErrorKind, KeyId};

use crate::support::{Sides, View, sides, spec, view};

const KEYS: usize = 200;

/// Keys of every algorithm that has a public half; every other one is rotated.
async fn populated() -> (Sides, Vec<KeyId>) {
    let sides = sides(MirrorMode::PublicOnly);
    let mut kids = Vec::new();
    for number in 0..KEYS {
        let alg = match number {
            0 | 1 => KeyAlg::RsaPssSha256,
            2 | 3 => KeyAlg::RsaOaepSha256,
            _ => [KeyAlg::Ed25519, KeyAlg::X25519, KeyAlg::EcdsaP256Sha256][number % 3],
        };
        let policy = [ExportPolicy::PublicOnly, ExportPolicy::SecretWhenAllowed][number / 2 % 2];
        let mut spec = spec(alg, policy);
        if number % 5 == 0 {
            // A dot: where does the version begin?
            spec =
                spec.kid(KeyId::new(format!("team.{number}")).unwrap()).label("signing").tag("env", "prod");
        }
        let key = sides.mirror.create_key(&spec.build().unwrap()).await.unwrap();
        if number % 2 == 1 {
            sides.mirror.rotate(key.kid()).await.unwrap();
        }
        kids.push(key.kid().clone());
    }
    (sides, kids)
}

/// Keys that no JWKS holds.
async fn bystanders(sides: &Sides) -> Vec<KeyId> {
    let mut kids = Vec::new();
    for (alg, policy) in [
        (KeyAlg::Aes256Gcm, ExportPolicy::SecretWhenAllowed),
        (KeyAlg::HmacSha256, ExportPolicy::PublicOnly),
        (KeyAlg::Ed25519, ExportPolicy::None),
        (KeyAlg::EcdsaP256Sha256, ExportPolicy::None),
    ] {
        let key = sides.mirror.create_key(&spec(alg, policy).build().unwrap()).await.unwrap();
        kids.push(key.kid().clone());
    }
    kids
}

async fn look(sides: &Sides, kids: &[KeyId]) -> View {
    view(&sides.mirror, kids).await.unwrap()
}

#[tokio::test]
async fn promise_2_two_hundred_keys_that_the_primary_lost_are_read_as_before() {
    let (sides, kids) = populated().await;
    let others = bystanders(&sides).await;
    let before = look(&sides, &kids).await;
    assert_eq!(before.reads(), KEYS + KEYS / 2 + KEYS, "each version, and each latest");
    assert_eq!(before.published(), [KEYS, KEYS + KEYS / 2]);

    sides.lose(kids.iter().chain(&others)).await;
    assert!(sides.primary_keys.jwks(&JwksQuery::ALL_LIVE).await.unwrap().keys.is_empty());
    look(&sides, &kids).await.assert_same(&before);
    for kid in &others {
        let error = sides.mirror.get_public_jwk(kid, None).await.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::NotFound, "{kid} was copied");
    }
    assert!(sides.mirror.status().backlog.is_empty());
}

#[tokio::test]
async fn promise_2_two_hundred_keys_are_read_as_before_during_an_outage() {
    let (sides, kids) = populated().await;
    let others = bystanders(&sides).await;
    let before = look(&sides, &kids).await;
    for error in [KeyError::unavailable("out"), KeyError::timeout("no answer")] {
        sides.primary.set_all(Some(Fault::FailBefore(error)));
        look(&sides, &kids).await.assert_same(&before);
        for kid in &others {
            assert!(sides.mirror.get_public_jwk(kid, None).await.unwrap_err().is_outage(), "{kid}");
        }
        sides.primary.recover();
        look(&sides, &kids).await.assert_same(&before);
    }
}

#[tokio::test]
async fn promise_2_a_primary_that_lost_half_of_its_keys_is_completed_and_then_replaced() {
    let (sides, kids) = populated().await;
    let before = look(&sides, &kids).await;
    sides.lose(kids.iter().step_by(2)).await;
    look(&sides, &kids).await.assert_same(&before);
    sides.primary.outage();
    look(&sides, &kids).await.assert_same(&before);
}

#[tokio::test]
async fn promise_5_no_byte_of_two_hundred_private_keys_reached_the_secondary() {
    let (sides, kids) = populated().await;
    bystanders(&sides).await;
    sides.primary.outage();
    look(&sides, &kids).await;
    assert!(sides.mirror.reconcile().await.failed.is_empty());
    assert!(sides.secondary.journal().secret_bytes_handed().is_empty());
    assert!(sides.primary.journal().secret_reads().is_empty(), "the mirror asked for a secret");
}
