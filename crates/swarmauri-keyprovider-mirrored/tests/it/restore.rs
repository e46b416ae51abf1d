//! Bringing back what the primary has lost: only when asked for, and as it was.

use swarmauri_keyprovider::{Feature, JwksQuery, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_mirrored::{MirrorMode, ReconcilePlan, Step};
use swarmauri_keyprovider_testkit::{Fault, Lie, Method};
use swarmauri_keys::{
    ExportPolicy, KeyAlg, KeyError, KeyErrorKind, KeyId, KeyMaterial, KeyRef, KeySpec, KeyState, PublicKey,
};

use crate::support::*;

fn spec(name: &str, alg: KeyAlg) -> KeySpec {
    let spec = KeySpec::builder(alg).export_policy(ExportPolicy::SecretWhenAllowed).kid(kid(name));
    spec.label("a label").tag("env", "prod").build().unwrap()
}

fn public() -> KeyMaterial {
    let hex = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let digit = |at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
    KeyMaterial::Public(PublicKey::Ed25519(std::array::from_fn(digit)))
}

/// A pair of three versions whose first is disabled, a symmetric key, and a public key alone.
async fn furnish(world: &World) {
    let pair = world.mirror.create_key(&spec("pair", KeyAlg::Ed25519)).await.unwrap();
    world.mirror.rotate(pair.kid()).await.unwrap();
    world.mirror.rotate(pair.kid()).await.unwrap();
    world.mirror.disable_key(pair.kid(), version(1)).await.unwrap();
    world.mirror.create_key(&spec("sym", KeyAlg::HmacSha256)).await.unwrap();
    world.mirror.import_key(&spec("public", KeyAlg::Ed25519), public()).await.unwrap();
    assert!(world.backlog().is_empty());
}

/// Everything that a primary shows, secrets where there are any.
pub(crate) async fn shown(primary: &dyn KeyProvider) -> Vec<String> {
    let mut all = Vec::new();
    for summary in primary.list_all_keys().await.unwrap() {
        for version in primary.list_versions(&summary.kid).await.unwrap() {
            let key = primary.get_key(&summary.kid, Some(version), Secrets::Omit).await.unwrap();
            all.push(format!("{:?}", key.parts()));
        }
    }
    all.push(format!("{:?}", primary.jwks(&JwksQuery::ALL_LIVE).await.unwrap()));
    all
}

fn restores(plan: &ReconcilePlan) -> Vec<String> {
    plan.steps
        .iter()
        .map(|step| match step {
            Step::Restore { id } => id.to_string(),
            other => panic!("{other}"),
        })
        .collect()
}

fn conflicts(plan: &ReconcilePlan) -> Vec<String> {
    plan.conflicts.iter().map(|conflict| conflict.id.to_string()).collect()
}

async fn secret(on: &dyn KeyProvider, name: &str) -> KeyRef {
    on.get_key(&kid(name), None, Secrets::Include).await.unwrap()
}

#[tokio::test]
async fn an_empty_primary_gets_back_what_it_had() {
    let world = world_in(MirrorMode::Full);
    furnish(&world).await;
    let before = shown(&*world.primary_keys).await;
    let signature = world.mirror.work().unwrap().sign(&kid("pair"), None, b"m").await.unwrap();
    let world = world.with_empty_primary();
    assert!(
        world.mirror.plan_reconcile().await.steps.iter().all(|step| !matches!(step, Step::Restore { .. }))
    );

    let plan = world.mirror.plan_restore_primary().await.unwrap();
    assert_eq!(restores(&plan), ["pair.1", "pair.2", "pair.3", "public.1", "sym.1"]);
    assert!(plan.conflicts.is_empty(), "{plan}");
    assert!(plan.to_string().contains("bring pair.1 back to the primary"), "{plan}");
    assert!(world.primary_keys.list_all_keys().await.unwrap().is_empty(), "a plan changes nothing");
    let report = world.mirror.apply(plan.clone()).await;
    assert!(report.is_clean(), "{report:?}");

    assert_eq!(shown(&*world.primary_keys).await, before);
    assert!(world.mirror.plan_restore_primary().await.unwrap().is_empty());
    assert!(world.mirror.plan_reconcile().await.is_empty());
    assert!(world.backlog().is_empty());
    world.secondary.outage();
    let work = world.mirror.work().unwrap();
    assert_eq!(work.sign(&kid("pair"), None, b"m").await.unwrap().version, version(3));
    let with = swarmauri_keys::VerifyWith::AnyLive;
    let accept = swarmauri_keys::Acceptance::EnabledOnly;
    let verified = work.verify(&kid("pair"), with, b"m", &signature.bytes, accept).await;
    assert_eq!(verified.unwrap(), version(3));
    for name in ["pair", "sym"] {
        assert!(secret(&*world.mirror, name).await.secret().is_some());
    }
    let read = world.mirror.get_key(&kid("pair"), Some(version(1)), Secrets::Include).await;
    assert_eq!(kind(read), KeyErrorKind::Disabled);
    world.secondary.recover();
    assert_eq!(world.mirror.rotate(&kid("pair")).await.unwrap().version(), version(4));
    assert!(world.mirror.apply(plan).await.is_clean(), "once more, and nothing is left to do");
}

#[tokio::test]
async fn a_disabled_secret_is_back_when_it_is_enabled_and_its_replica_stays_disabled() {
    let world = world_in(MirrorMode::Full);
    world.mirror.create_key(&spec("k", KeyAlg::HmacSha256)).await.unwrap();
    let before = secret(&*world.primary_keys, "k").await;
    world.mirror.disable_key(before.kid(), version(1)).await.unwrap();
    let world = world.with_empty_primary();
    let plan = world.mirror.plan_restore_primary().await.unwrap();
    assert!(world.mirror.apply(plan).await.is_clean());
    for side in [&world.primary_keys, &world.secondary_keys] {
        assert_eq!(side.list_all_keys().await.unwrap()[0].state, KeyState::Disabled);
    }
    world.mirror.enable_key(before.kid(), version(1)).await.unwrap();
    let after = secret(&*world.primary_keys, "k").await;
    assert_eq!((after.parts(), after.fingerprint()), (before.parts(), before.fingerprint()));
}

#[tokio::test]
async fn a_pair_does_not_come_back_as_a_public_key() {
    let world = world_in(MirrorMode::PublicOnly);
    furnish(&world).await;
    let world = world.with_empty_primary();
    let plan = world.mirror.plan_restore_primary().await.unwrap();
    assert_eq!(restores(&plan), ["public.1"]);
    // In memory nobody knows of the symmetric key any more.
    let mut expected = vec!["pair.1", "pair.2", "pair.3"];
    expected.extend(crate::STORED.then_some("sym.1"));
    assert_eq!(conflicts(&plan), expected);
    assert!(plan.conflicts[0].reason.contains("the private key is lost"), "{plan}");
    assert_eq!(world.mirror.apply(plan).await.done, 1);
    assert_eq!(world.primary_keys.list_all_keys().await.unwrap().len(), 1);
    let read = world.primary_keys.get_key(&kid("public"), None, Secrets::Omit).await.unwrap();
    assert_eq!(read.export_policy(), ExportPolicy::SecretWhenAllowed);

    // By hand: refused as well.
    let step = Step::Restore { id: kid("pair").at(version(1)) };
    let report = world.mirror.apply(ReconcilePlan { steps: vec![step], ..ReconcilePlan::default() }).await;
    assert_eq!(report.failed[0].error.kind(), KeyErrorKind::Conflict);
}

#[tokio::test]
async fn in_mode_full_a_pair_that_the_policy_kept_is_a_conflict() {
    let world = world_in(MirrorMode::Full);
    let kept = KeySpec::builder(KeyAlg::Ed25519).kid(kid("kept")).build().unwrap();
    world.mirror.create_key(&kept).await.unwrap();
    world.mirror.import_key(&kept.clone().with_kid(kid("public")), public()).await.unwrap();
    let world = world.with_empty_primary();
    let plan = world.mirror.plan_restore_primary().await.unwrap();
    assert_eq!((restores(&plan), conflicts(&plan)), (vec!["public.1".to_owned()], vec!["kept.1".to_owned()]));
}

#[tokio::test]
async fn what_is_destroyed_stays_so() {
    let world = world_in(MirrorMode::Full);
    furnish(&world).await;
    world.mirror.destroy_key(&kid("pair"), Some(version(2))).await.unwrap();
    world.mirror.destroy_key(&kid("sym"), None).await.unwrap();
    let world = world.with_empty_primary();
    let plan = world.mirror.plan_restore_primary().await.unwrap();
    assert_eq!(restores(&plan), ["pair.1", "pair.3", "public.1"]);
    world.mirror.destroy_key(&kid("public"), None).await.unwrap();
    world.secondary.fail_next(Method::DestroyKey, Fault::FailBefore(KeyError::unavailable("told to")));
    world.mirror.destroy_key(&kid("pair"), Some(version(3))).await.unwrap();
    assert!(world.mirror.apply(plan).await.is_clean());
    let versions = world.primary_keys.list_versions(&kid("pair")).await.unwrap();
    assert_eq!((world.primary_keys.list_all_keys().await.unwrap().len(), versions), (1, vec![version(1)]));
    let steps: Vec<_> = [("pair", 2), ("pair", 3), ("sym", 1), ("public", 1)]
        .map(|(name, number)| Step::Restore { id: kid(name).at(version(number)) })
        .into();
    assert!(world.mirror.apply(ReconcilePlan { steps, ..ReconcilePlan::default() }).await.is_clean());
    assert_eq!(world.primary_keys.list_all_keys().await.unwrap().len(), 1);

    // The primary knows nothing of the numbers 2 and 3, and the mirror does, but for what it has only in memory.
    if !crate::STORED {
        return;
    }
    for _ in [2, 3] {
        assert_eq!(kind(world.mirror.rotate(&kid("pair")).await), KeyErrorKind::Integrity);
        assert_eq!(world.read(&kid("pair"), None).await.unwrap().version(), version(1));
    }
    assert_eq!(world.mirror.rotate(&kid("pair")).await.unwrap().version(), version(4));
}

/// Silence is no loss, and what the primary has is left alone.
#[tokio::test]
async fn nothing_is_restored_on_an_outage_or_over_a_key() {
    let world = world_in(MirrorMode::Full);
    furnish(&world).await;
    world.primary.outage();
    assert!(world.mirror.plan_restore_primary().await.unwrap_err().is_outage());
    world.primary.recover();
    assert!(world.mirror.plan_restore_primary().await.unwrap().is_empty());
    let steps = vec![Step::Restore { id: kid("sym").at(version(1)) }];
    let plan = ReconcilePlan { steps, ..ReconcilePlan::default() };
    world.primary.outage();
    assert!(world.mirror.apply(plan.clone()).await.failed[0].error.is_outage());
    world.primary.recover();
    assert!(world.mirror.apply(plan.clone()).await.is_clean());
    assert!(world.primary.journal().calls_of(Method::ImportVersion).is_empty());

    let world = world.with_empty_primary();
    world.mirror.plan_restore_primary().await.unwrap();
    world.primary_keys.create_key(&spec("sym", KeyAlg::HmacSha256)).await.unwrap();
    let report = world.mirror.apply(plan).await;
    assert_eq!(report.failed[0].error.kind(), KeyErrorKind::Integrity, "another key is there");
    assert!(world.primary.journal().calls_of(Method::ImportVersion).is_empty());
}

#[tokio::test]
async fn a_primary_that_remembers_the_destruction_refuses_and_the_report_says_so() {
    let world = world_in(MirrorMode::Full);
    furnish(&world).await;
    world.primary_keys.destroy_key(&kid("pair"), None).await.unwrap();
    let plan = world.mirror.plan_restore_primary().await.unwrap();
    let report = world.mirror.apply(plan).await;
    assert_eq!(report.failed.len(), 3);
    assert!(report.failed.iter().any(|failed| failed.error.kind() == KeyErrorKind::Conflict), "{report:?}");
    assert_eq!(kind(world.primary_keys.list_versions(&kid("pair")).await), KeyErrorKind::NotFound);
}

/// After a later version a primary takes no earlier one: so none is let past.
#[tokio::test]
async fn versions_come_back_in_order_or_not_at_all() {
    let world = world_in(MirrorMode::Full);
    furnish(&world).await;
    let world = world.with_empty_primary();
    let plan = world.mirror.plan_restore_primary().await.unwrap();
    world.primary.fail_next(Method::ImportVersion, Fault::FailBefore(KeyError::unavailable("told to")));
    let report = world.mirror.apply(plan).await;
    let failed: Vec<_> = report.failed.iter().map(|failed| failed.error.kind()).collect();
    assert_eq!(failed, [KeyErrorKind::Unavailable, KeyErrorKind::InvalidState, KeyErrorKind::InvalidState]);
    assert!(world.mirror.apply(report.remaining()).await.is_clean());
    assert_eq!(world.primary_keys.list_versions(&kid("pair")).await.unwrap().len(), 3);

    let world = world.with_empty_primary();
    world.mirror.plan_restore_primary().await.unwrap();
    let alone = spec("pair", KeyAlg::Ed25519);
    let (id, other) = (kid("pair").at(version(9)), public());
    world.primary_keys.import_version(&id, &alone, other).await.unwrap();
    let plan = world.mirror.plan_restore_primary().await.unwrap();
    assert_eq!(conflicts(&plan), ["pair.1", "pair.2", "pair.3"]);
    assert!(plan.conflicts[0].reason.contains("later versions"), "{plan}");
}

#[tokio::test]
async fn a_primary_that_takes_no_version_takes_a_key_of_one() {
    for chosen_kid in [true, false] {
        let world = world_in(MirrorMode::Full);
        furnish(&world).await;
        let before = secret(&*world.primary_keys, "sym").await;
        let world = world.with_primary(|primary| {
            let denied = [Feature::ImportVersion, Feature::ChosenKid];
            deny(primary, if chosen_kid { &denied[..1] } else { &denied });
        });
        let plan = world.mirror.plan_restore_primary().await.unwrap();
        let (restored, left): (&[&str], &[&str]) = if chosen_kid {
            (&["public.1", "sym.1"], &["pair.1", "pair.2", "pair.3"])
        } else {
            (&[], &["pair.1", "pair.2", "pair.3", "public.1", "sym.1"])
        };
        assert_eq!(restores(&plan), restored);
        assert_eq!(conflicts(&plan), left);
        assert!(plan.conflicts[0].reason.contains("cannot take it back"), "{plan}");
        world.mirror.apply(plan).await;
        if chosen_kid {
            assert_eq!(secret(&*world.primary_keys, "sym").await.parts(), before.parts());
        }
    }
}

#[tokio::test]
async fn wrong_keys_are_not_brought_back() {
    for lie in [Lie::WrongKey, Lie::ForgedFingerprint] {
        let world = world_in(MirrorMode::Full);
        world.mirror.create_key(&spec("k", KeyAlg::Ed25519)).await.unwrap();
        let world = world.with_empty_primary();
        let plan = world.mirror.plan_restore_primary().await.unwrap();
        assert_eq!(restores(&plan), ["k.1"]);
        world.secondary.set(Method::GetKey, Some(Fault::Lie(lie.clone())));
        assert_eq!(conflicts(&world.mirror.plan_restore_primary().await.unwrap()), ["k.1"]);
        let report = world.mirror.apply(plan.clone()).await;
        assert_eq!(report.failed[0].error.kind(), KeyErrorKind::Integrity);
        assert!(world.primary.journal().calls_of(Method::ImportVersion).is_empty());
        world.secondary.recover();
        world.secondary.set(Method::GetKey, None);
        world.primary.fail_next(Method::ImportVersion, Fault::Lie(lie));
        let report = world.mirror.apply(plan).await;
        assert_eq!(report.failed[0].error.kind(), KeyErrorKind::Integrity);
    }
}

/// Reconcile in between does not enable what was disabled.
#[tokio::test(start_paused = true)]
async fn a_restore_that_is_cut_off_at_any_call_of_a_side_is_done_by_the_next() {
    for method in Method::ALL {
        for (on_primary, after) in [(true, false), (true, true), (false, false), (false, true)] {
            for hangs in [true, false] {
                let world = world_in(MirrorMode::Full);
                furnish(&world).await;
                let before = shown(&*world.primary_keys).await;
                let world = world.with_empty_primary();
                let plan = world.mirror.plan_restore_primary().await.unwrap();
                let error = KeyError::timeout("told to");
                let side = if on_primary { &world.primary } else { &world.secondary };
                side.fail_next(
                    method,
                    match (hangs, after) {
                        (true, true) => Fault::HangAfter,
                        (true, false) => Fault::HangBefore,
                        (false, true) => Fault::FailAfter(error),
                        (false, false) => Fault::FailBefore(error),
                    },
                );
                let _ = give_up(world.mirror.apply(plan)).await;
                let what = format!("{method:?} primary: {on_primary} after: {after} hangs: {hangs}");
                world.primary.clear();
                world.secondary.clear();
                world.mirror.reconcile().await;
                assert_not_enabled(&world, &kid("pair"), &what).await;
                let plan = world.mirror.plan_restore_primary().await.unwrap();
                assert!(plan.conflicts.is_empty(), "{what}: {plan}");
                let report = world.mirror.apply(plan).await;
                assert!(report.is_clean(), "{what}: {report:?}");
                assert_eq!(shown(&*world.primary_keys).await, before, "{what}");
                assert!(world.mirror.reconcile().await.is_clean(), "{what}");
                assert_eq!(shown(&*world.primary_keys).await, before, "{what}");
                assert!(world.mirror.plan_reconcile().await.is_empty(), "{what}");
                assert!(world.mirror.plan_restore_primary().await.unwrap().is_empty(), "{what}");
            }
        }
    }
}

async fn assert_not_enabled(world: &World, name: &KeyId, what: &str) {
    for (side, id) in
        [(&world.primary_keys, name.at(version(1))), (&world.secondary_keys, kid("pair.1").at(version(1)))]
    {
        if let Ok(key) = side.get_key(&id.kid, Some(id.version), Secrets::Omit).await {
            assert_eq!(key.state(), KeyState::Disabled, "{what}: {id}");
        }
    }
}
