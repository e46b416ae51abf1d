//! What the secondary is handed, and when: first copies, retries, and keys that are not what they were.

use swarmauri_keyprovider::{Feature, JwksQuery, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_mirrored::{KeptReason, MirrorMode, RiskReason, Step};
use swarmauri_keyprovider_testkit::{Fault, Lie, Method};
use swarmauri_keys::{ExportPolicy, KeyAlg, KeyError, KeyErrorKind, KeyMaterial, KeySpec, SpecOverrides};

use crate::support::*;

fn named(name: &str) -> KeySpec {
    KeySpec::new(KeyAlg::Ed25519).with_kid(kid(name))
}

#[tokio::test]
async fn a_first_copy_costs_the_secondary_one_call() {
    for mode in [MirrorMode::PublicOnly, MirrorMode::Full] {
        let world = world_in(mode);
        let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
        world.mirror.rotate(key.kid()).await.unwrap();
        let methods: Vec<_> = world.secondary.journal().calls().iter().map(|call| call.method).collect();
        assert_eq!(methods, [Method::ImportKey; 2], "{mode}");
    }
}

#[tokio::test]
async fn a_retry_finds_the_first_try_and_does_not_hand_the_key_over_again() {
    for denied in [&[][..], &[Feature::ListKeys], &[Feature::ChosenKid]] {
        let world = world_without(denied);
        world.secondary.fail_next(Method::ImportKey, Fault::FailAfter(outages().remove(1)));
        let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        let report = world.mirror.reconcile().await;
        assert!(report.failed.is_empty(), "{report:?}");
        assert_eq!(world.secondary.journal().calls_of(Method::ImportKey).len(), 1, "without {denied:?}");
        assert!(world.backlog().is_empty());
        world.primary.outage();
        assert_eq!(world.jwk(key.kid(), None).await.unwrap(), key.public_jwk().unwrap());
    }
}

#[tokio::test]
async fn a_destroy_after_a_lost_answer_destroys_the_copy_of_unknown_place() {
    for denied in [&[][..], &[Feature::ListKeys], &[Feature::ChosenKid]] {
        for which in [None, Some(version(1))] {
            let world = world_without(denied);
            world.secondary.fail_next(Method::ImportKey, Fault::FailAfter(outages().remove(1)));
            let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
            assert_eq!(world.replicas().await, 1);
            assert!(world.mirror.destroy_key(key.kid(), which).await.unwrap());
            assert_eq!(world.replicas().await, 0, "without {denied:?}");
            assert!(world.backlog().is_empty());
        }
    }
}

#[tokio::test]
async fn promise_3_a_forged_replica_under_the_telling_kid_is_not_taken_for_the_copy() {
    let world = world();
    let pattern = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let place = kid(&pattern.id().to_string());
    let pattern = world.secondary_keys.get_key(&place, None, Secrets::Omit).await.unwrap();
    let tags = pattern.tags().clone().with("mirror.source", "signing.1").unwrap();
    let forged = KeyMaterial::Public(pattern.public_key().unwrap().clone());
    let spec = pattern.spec().unwrap().with_tags(tags).with_kid(kid("signing.1"));
    world.secondary_keys.import_key(&spec, forged).await.unwrap();

    world.mirror.create_key(&named("signing")).await.unwrap();
    assert_eq!(world.backlog(), ["copy signing.1"]);
    let said = world.mirror.status().backlog[0].last_error.clone().unwrap();
    assert!(said.contains("another key"), "{said}");
    world.primary.outage();
    assert!(world.jwk(&kid("signing"), None).await.unwrap_err().is_outage());
}

#[tokio::test]
async fn promise_3_a_key_that_changed_on_the_primary_before_its_copy_is_not_copied() {
    let world = world();
    world.secondary.outage();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.secondary.recover();
    world.primary.set(Method::GetKey, Some(Fault::Lie(Lie::WrongKey)));
    let report = world.mirror.reconcile().await;
    assert_eq!(report.failed[0].error.kind(), KeyErrorKind::Integrity);
    assert_eq!((world.replicas().await, world.backlog().len()), (0, 1));
    world.primary.recover();
    assert!(world.mirror.reconcile().await.is_clean());
    world.primary.outage();
    assert_eq!(world.jwk(key.kid(), None).await.unwrap(), key.public_jwk().unwrap());
}

#[tokio::test]
async fn a_destroy_that_starts_before_the_copy_lets_nothing_be_handed_over() {
    let world = world_in(MirrorMode::Full);
    let reads_secret = world.primary.hold(Method::GetKey);
    let (mirror, spec) = (world.mirror.clone(), exportable(KeyAlg::Ed25519).with_kid(kid("k")));
    let create = tokio::spawn(async move { mirror.create_key(&spec).await });
    reads_secret.arrived().await;
    let mirror = world.mirror.clone();
    let destroy = tokio::spawn(async move { mirror.destroy_key(&kid("k"), None).await });
    tokio::task::yield_now().await;
    reads_secret.release();
    create.await.unwrap().unwrap();
    assert!(destroy.await.unwrap().unwrap());
    assert!(world.secondary.journal().calls().is_empty());
}

#[tokio::test]
async fn taking_in_one_version_leaves_the_others_alone() {
    let world = world_in(MirrorMode::Full);
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    world.mirror.rotate(key.kid()).await.unwrap();
    world.mirror.destroy_key(key.kid(), Some(version(1))).await.unwrap();
    world.primary_keys.rotate(key.kid()).await.unwrap();
    world.primary.journal().clear();
    let report = world.mirror.reconcile().await;
    assert!(report.is_clean(), "{report:?}");
    let read: Vec<_> = world.primary.journal().secret_reads().iter().map(|call| call.version).collect();
    assert_eq!(read, [Some(version(3))]);
}

#[tokio::test(start_paused = true)]
async fn a_create_without_a_kid_is_owed_from_its_start_until_its_outcome_is_known() {
    let no_kid = || restricted_world(|primary, _| deny(primary, &[Feature::ChosenKid]), |builder| builder);
    let world = no_kid();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    assert!(world.backlog().is_empty(), "known at once");
    let made = world.primary_keys.get_key(key.kid(), None, Secrets::Omit).await.unwrap();
    assert!(made.tags().get("mirror.intent").is_some(), "by this it would have been found");
    for error in refusals() {
        world.primary.fail_next(Method::CreateKey, Fault::FailBefore(error.clone()));
        world.mirror.create(KeyAlg::Ed25519).await.unwrap_err();
        assert!(world.backlog().is_empty(), "{error} is an outcome");
    }
    world.primary.fail_next(Method::CreateKey, Fault::HangAfter);
    assert!(give_up(world.mirror.create(KeyAlg::Ed25519)).await.is_none());
    assert!(world.backlog()[0].starts_with("create of unknown outcome"), "{:?}", world.backlog());

    let mut plan = world.mirror.plan_reconcile().await;
    plan.steps.retain(|step| matches!(step, Step::SettleTaggedIntent { .. }));
    assert!(world.mirror.apply(plan).await.is_clean());
    assert!(world.backlog().is_empty());
    assert_eq!(world.replicas().await, 2, "found by its tag");
}

#[tokio::test]
async fn mode_none_hands_the_spec_to_the_primary_as_it_is() {
    for denied in [&[][..], &[Feature::ChosenKid]] {
        let world = restricted_world(|primary, _| deny(primary, denied), |all| all.mode(MirrorMode::None));
        let spec = KeySpec::new(KeyAlg::Ed25519);
        world.mirror.create_key(&spec).await.unwrap();
        assert_eq!(world.primary.journal().calls()[0].spec.as_ref(), Some(&spec));
    }
}

#[tokio::test]
async fn a_symmetric_key_whose_secret_the_primary_keeps_is_kept_and_not_owed() {
    for error in [KeyError::permission_denied("hardware"), KeyError::unsupported("hardware")] {
        let world = world_in(MirrorMode::Full);
        world.primary.fail_next(Method::GetKey, Fault::FailBefore(error));
        world.mirror.create_key(&exportable(KeyAlg::Aes256Gcm)).await.unwrap();
        assert!(world.backlog().is_empty(), "{:?}", world.backlog());
        assert_eq!(world.mirror.status().kept[&KeptReason::NoPublicPart], 1);
        assert_eq!(world.replicas().await, 0);
    }
}

#[tokio::test]
async fn every_tag_of_the_mirror_is_its_own_in_every_write() {
    for name in ["mirror.source", "mirror.fingerprint", "mirror.policy", "mirror.intent", "mirror.later"] {
        let world = world();
        let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        let spec = KeySpec::builder(KeyAlg::Ed25519).tag(name, "v").build().unwrap();
        let public = KeyMaterial::Public(key.public_key().unwrap().clone());
        let overrides = SpecOverrides { tags: Some(spec.tags().clone()), ..SpecOverrides::NONE };
        for answer in [
            world.mirror.create_key(&spec).await,
            world.mirror.import_key(&spec, public).await,
            world.mirror.rotate_key(key.kid(), &overrides).await,
        ] {
            assert_eq!(kind(answer), KeyErrorKind::InvalidInput, "{name}");
        }
        assert_eq!(world.primary.journal().calls().len(), 1, "{name}: the first create alone");
    }
}

#[tokio::test]
async fn what_cannot_be_listed_and_mode_none_are_never_scanned_for_replicas() {
    let listed = |world: &World| world.secondary.journal().calls_of(Method::ListKeys).len();
    for world in [world_in(MirrorMode::None), world_without(&[Feature::ListKeys])] {
        world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        world.secondary_keys.create(KeyAlg::Ed25519).await.unwrap();
        world.mirror.jwks(&JwksQuery::LATEST).await.unwrap();
        world.primary.outage();
        world.mirror.jwks(&JwksQuery::LATEST).await.unwrap();
        assert!(world.jwk(&kid("unknown"), None).await.unwrap_err().is_outage());
        assert_eq!(listed(&world), 0);
    }
}

/// `status()` says what a loss of the primary at this moment would cost, and that is what it costs.
#[tokio::test]
async fn what_would_be_lost_with_the_primary_is_told_with_the_reason() {
    for (mode, expected) in [
        (
            MirrorMode::PublicOnly,
            [(RiskReason::Policy, 1), (RiskReason::Mode, 2), (RiskReason::Debt, 1)].as_slice(),
        ),
        (MirrorMode::Full, &[(RiskReason::Policy, 2), (RiskReason::Debt, 1)]),
    ] {
        let world = world_in(mode);
        let spec = |alg, policy| KeySpec::builder(alg).export_policy(policy).build().unwrap();
        let mut keys = Vec::new();
        for (alg, policy) in [
            (KeyAlg::Ed25519, ExportPolicy::None),
            (KeyAlg::Ed25519, ExportPolicy::PublicOnly),
            (KeyAlg::Aes256Gcm, ExportPolicy::PublicOnly),
            (KeyAlg::Aes256Gcm, ExportPolicy::SecretWhenAllowed),
        ] {
            keys.push(world.mirror.create_key(&spec(alg, policy)).await.unwrap());
        }
        let gone = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        assert!(world.mirror.destroy_key(gone.kid(), None).await.unwrap());
        world.secondary.fail_next(Method::ImportKey, Fault::FailBefore(KeyError::unavailable("told to")));
        keys.push(world.mirror.create(KeyAlg::Ed25519).await.unwrap());
        let at_risk = world.mirror.status().at_risk;
        assert_eq!(at_risk, expected.iter().copied().collect(), "{mode}");

        world.primary.outage();
        let mut lost = 0;
        for key in &keys {
            lost += usize::from(world.read(key.kid(), None).await.is_err());
        }
        assert_eq!(lost, at_risk.values().sum::<usize>(), "{mode}");
        world.primary.recover();
        assert!(world.mirror.reconcile().await.is_clean());
        assert!(!world.mirror.status().at_risk.contains_key(&RiskReason::Debt), "{mode}");
    }
}
