//! Several mirrors on one store: what one does, the others know at their very next look.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_mirrored::{Deadlines, MirrorMode};
use swarmauri_keyprovider_testkit::{Fault, FaultyStore, Lie, Method, PausingStore, StoreEnd, StoreMethod};
use swarmauri_keys::{KeyAlg, KeyError, KeyErrorKind, KeyId, KeySpec, KeySummary, Page};
use swarmauri_keystore::{KeyStore, Precondition, StoreError, StoreKey};

use crate::support::*;

async fn two(mode: MirrorMode) -> (World, World) {
    and_another(world_in(mode)).await
}

/// Two whose calls end in time.
async fn two_bounded() -> (World, World) {
    and_another(world_with(|builder| builder.deadlines(Deadlines::default()))).await
}

async fn and_another(one: World) -> (World, World) {
    let store = Arc::new(one.store.clone());
    let other = one.clone().over(store).await;
    (one, other)
}

#[tokio::test]
async fn promise_4_a_destroy_in_one_process_is_honoured_by_the_next_read_of_another() {
    for whole in [true, false] {
        let (one, other) = two(MirrorMode::Full).await;
        let key = one.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
        one.primary.outage();
        assert_eq!(
            other.jwk(key.kid(), None).await.unwrap(),
            key.public_jwk().unwrap(),
            "it knows the replica"
        );
        one.primary.recover();
        // Even if the primary goes on answering from the past.
        one.primary.fail_next(Method::DestroyKey, Fault::Lie(Lie::DestroyNothingSayTrue));
        let which = (!whole).then_some(key.version());
        assert!(one.mirror.destroy_key(key.kid(), which).await.unwrap());
        for out in [false, true] {
            if out {
                one.primary.outage();
            }
            let read = other.read(key.kid(), Some(key.version())).await;
            assert_eq!(kind(read), KeyErrorKind::NotFound, "whole: {whole}, out: {out}");
            assert!(other.mirror.jwks(&JwksQuery::LATEST).await.unwrap().keys.is_empty());
        }
    }
}

/// Both have read that nobody destroys it before either has written that it does.
#[tokio::test]
async fn promise_4_of_two_destroys_at_once_no_refusal_takes_back_what_the_other_may_have_done() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let store = Arc::new(PausingStore::new(Arc::new(world.store.clone())));
    let world = world.over(store).await;
    world.primary.fail_next(Method::DestroyKey, Fault::FailAfter(KeyError::timeout("told to")));
    world.primary.fail_next(Method::DestroyKey, Fault::FailBefore(KeyError::permission_denied("told to")));
    let destroy = || world.mirror.destroy_key(key.kid(), None);
    let (one, other) = tokio::join!(destroy(), destroy());
    assert!(one.is_err() && other.is_err());
    assert_destroy_goes_on(&world, key.kid()).await;
}

/// A destroy waits for its turn in one process, while another one carries out what it has recorded, and dies.
#[tokio::test]
async fn promise_4_a_destroy_that_waits_heeds_what_another_process_may_have_done_for_it() {
    let (one, other) = two(MirrorMode::PublicOnly).await;
    let key = one.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let hold = one.primary.hold(Method::RotateKey);
    let (mirror, kid) = (one.mirror.clone(), key.kid().clone());
    let rotate = tokio::spawn(async move { mirror.rotate(&kid).await });
    hold.arrived().await;
    let mut destroy = Box::pin(one.mirror.destroy_key(key.kid(), None));
    assert!((&mut destroy).now_or_never().is_none());
    other.primary.fail_next(Method::DestroyKey, Fault::FailAfter(KeyError::timeout("told to")));
    assert!(!other.mirror.reconcile().await.is_clean());
    hold.release();
    assert!(rotate.await.unwrap().is_err());
    one.primary.fail_next(Method::DestroyKey, Fault::FailBefore(KeyError::permission_denied("told to")));
    assert!(destroy.await.is_err());
    assert_destroy_goes_on(&one, key.kid()).await;
}

/// Another process has heard since that the primary refuses it, and whoever asked last has not heard of that: nothing comes to
/// it by the watch, and it cannot read the store.
#[tokio::test(start_paused = true)]
async fn a_destroy_that_another_process_has_settled_is_not_sent_again() {
    let (one, other) = two_bounded().await;
    let store = Arc::new(FaultyStore::new(Arc::new(one.store.clone())));
    let faults = store.faults();
    let one = one.over(store).await;
    let key = one.mirror.create(KeyAlg::Ed25519).await.unwrap();
    for version in [None, Some(key.version())] {
        one.primary.fail_next(Method::DestroyKey, Fault::FailBefore(KeyError::timeout("told to")));
        assert!(one.mirror.destroy_key(key.kid(), version).await.unwrap_err().is_outage());
        faults.hold_watches(true);
        let out = |method| match method {
            StoreMethod::Get | StoreMethod::Scan => StoreEnd::FailBefore(StoreError::unavailable("told to")),
            StoreMethod::Put | StoreMethod::Delete | StoreMethod::Watch => StoreEnd::Honest,
        };
        faults.choose(move |method| out(method).into());
        for _ in 0..2 {
            let refusal = Fault::FailBefore(KeyError::permission_denied("told to"));
            one.primary.fail_next(Method::DestroyKey, refusal);
            other.mirror.reconcile().await;
            tokio::time::sleep(Duration::from_mins(1)).await;
        }
        assert!(other.backlog().is_empty(), "the primary has refused twice, and shows the key");
        one.primary.journal().clear();
        assert!(!one.mirror.reconcile().await.is_clean());
        assert!(one.primary.journal().calls_of(Method::DestroyKey).is_empty(), "{version:?}");
        faults.clear();
        assert!(one.mirror.reconcile().await.is_clean());
        assert!(one.read(key.kid(), None).await.is_ok());
    }
}

/// One process has a destroy under way, and another one, which the primary refuses, takes it for one of unknown outcome: what is
/// about to be carried out is not taken back, and the first process may be gone before it can record that it was.
#[tokio::test(start_paused = true)]
async fn promise_4_a_destroy_that_is_under_way_in_another_process_is_not_taken_back() {
    for version in [None, Some(version(1))] {
        let (one, other) = two_bounded().await;
        let key = one.mirror.create(KeyAlg::Ed25519).await.unwrap();
        let hold = one.primary.hold(Method::DestroyKey);
        let (mirror, kid) = (one.mirror.clone(), key.kid().clone());
        let destroy = tokio::spawn(async move { mirror.destroy_key(&kid, version).await });
        hold.arrived().await;
        one.primary.fail_next(Method::DestroyKey, Fault::FailBefore(KeyError::permission_denied("told to")));
        assert!(!other.mirror.reconcile().await.is_clean());
        assert_eq!(other.backlog().len(), 1);
        one.primary_keys.destroy_key(key.kid(), version).await.unwrap();
        destroy.abort();
        assert!(destroy.await.is_err());
        for process in [&one, &other] {
            assert!(process.read(key.kid(), None).await.is_err());
            assert!(process.mirror.jwks(&JwksQuery::LATEST).await.unwrap().keys.is_empty());
        }
        drop(hold);
        assert!(other.mirror.reconcile().await.is_clean());
        assert_eq!((one.backlog().len(), one.replicas().await), (0, 0));
    }
}

/// Both have sent a destroy; the one that sent it first is refused, and the other one's is still under way.
#[tokio::test(start_paused = true)]
async fn promise_4_a_destroy_that_another_process_has_sent_since_is_not_taken_back() {
    let (one, other) = two_bounded().await;
    let key = one.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let holds = [one.primary.hold(Method::DestroyKey), one.primary.hold(Method::DestroyKey)];
    let (mirror, kid) = (one.mirror.clone(), key.kid().clone());
    let destroy = tokio::spawn(async move { mirror.destroy_key(&kid, None).await });
    holds[0].arrived().await;
    let mirror = other.mirror.clone();
    let again = tokio::spawn(async move { mirror.reconcile().await });
    holds[1].arrived().await;
    one.primary.fail_next(Method::DestroyKey, Fault::FailBefore(KeyError::permission_denied("told to")));
    holds[0].release();
    assert!(destroy.await.unwrap().is_err());
    assert_eq!(one.backlog(), [format!("destroy of unknown outcome {}", key.kid())]);
    holds[1].release();
    assert!(again.await.unwrap().is_clean());
    assert_eq!((one.backlog().len(), one.replicas().await), (0, 0));
}

/// Mode `none`: a destroy finds nothing, as another process has sent the same one meanwhile, and was not answered.
#[tokio::test]
async fn promise_4_in_mode_none_a_destroy_that_another_process_has_carried_out_leaves_a_tombstone() {
    let (one, other) = two(MirrorMode::None).await;
    let key = one.mirror.create(KeyAlg::Ed25519).await.unwrap();
    one.secondary_keys.create_key(&KeySpec::new(KeyAlg::Ed25519).with_kid(key.kid().clone())).await.unwrap();
    let hold = one.primary.hold(Method::DestroyKey);
    let (mirror, kid) = (one.mirror.clone(), key.kid().clone());
    let destroy = tokio::spawn(async move { mirror.destroy_key(&kid, None).await });
    hold.arrived().await;
    one.primary.fail_next(Method::DestroyKey, Fault::FailAfter(KeyError::timeout("told to")));
    assert!(!other.mirror.reconcile().await.is_clean());
    hold.release();
    assert!(!destroy.await.unwrap().unwrap());
    for process in [&one, &other] {
        assert_eq!(kind(process.read(key.kid(), None).await), KeyErrorKind::NotFound);
    }
}

/// The primary loses a key while one process copies it, and another one, which finds it nowhere, forgets it.
#[tokio::test]
async fn promise_4_a_copy_of_what_another_process_has_forgotten_meanwhile_is_undone() {
    for undone in [true, false] {
        let (one, other) = two(MirrorMode::PublicOnly).await;
        let hold = one.secondary.hold(Method::ImportKey);
        let mirror = one.mirror.clone();
        let create = tokio::spawn(async move { mirror.create(KeyAlg::Ed25519).await });
        hold.arrived().await;
        let lost = || Some(Fault::FailBefore(KeyError::not_found(&kid("told to"), None)));
        let none = Page::<KeySummary> { items: Vec::new(), next: None };
        one.primary.set(Method::ListKeys, Some(Fault::answer(move |_, _| Ok(none.clone().into()))));
        one.primary.set(Method::ListVersions, lost());
        one.primary.set(Method::GetKey, lost());
        other.mirror.reconcile().await;
        assert!(other.backlog().is_empty(), "it is forgotten");
        if !undone {
            one.secondary.fail_next(Method::DestroyKey, Fault::FailBefore(KeyError::unavailable("told to")));
        }
        hold.release();
        let key = create.await.unwrap().unwrap();
        assert_eq!(one.replicas().await, usize::from(!undone));
        one.primary.clear();
        one.primary.fail_next(Method::DestroyKey, Fault::Lie(Lie::DestroyNothingSayTrue));
        one.mirror.destroy_key(key.kid(), None).await.unwrap();
        assert_eq!((one.replicas().await, one.backlog().len()), (0, 0), "undone: {undone}");
    }
}

async fn assert_destroy_goes_on(world: &World, kid: &KeyId) {
    assert_eq!(world.backlog(), [format!("destroy of unknown outcome {kid}")]);
    world.primary.outage();
    assert!(world.read(kid, None).await.is_err());
    world.primary.recover();
    assert!(world.mirror.reconcile().await.is_clean());
    assert_eq!((world.backlog().len(), world.replicas().await), (0, 0));
}

#[tokio::test]
async fn a_state_set_in_one_process_is_heeded_by_another() {
    let (one, other) = two(MirrorMode::Full).await;
    let key = one.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    for _ in 0..2 {
        one.mirror.disable_key(key.kid(), key.version()).await.unwrap();
        one.primary.outage();
        let signed = other.mirror.work().unwrap().sign(key.kid(), None, b"message").await;
        assert_eq!(kind(signed), KeyErrorKind::Disabled);
        one.primary.recover();
        other.mirror.enable_key(key.kid(), key.version()).await.unwrap();
        one.primary.outage();
        one.mirror.work().unwrap().sign(key.kid(), None, b"message").await.unwrap();
        one.primary.recover();
    }
    assert!(one.mirror.plan_reconcile().await.is_empty());
}

/// What the primary showed before another process disabled the version is not recorded over that.
#[tokio::test]
async fn promise_6_a_state_that_is_settled_late_does_not_undo_what_another_process_did_meanwhile() {
    let (one, other) = two(MirrorMode::Full).await;
    let key = one.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    one.primary.fail_next(Method::DisableKey, Fault::FailBefore(KeyError::timeout("no answer")));
    one.mirror.disable_key(key.kid(), key.version()).await.unwrap_err();

    let mut plan = one.mirror.plan_reconcile().await;
    // A second look would find it out.
    plan.steps.truncate(1);
    let shown = one.primary.hold_after(Method::GetKey);
    let settle = one.mirror.apply(plan);
    let disable = async {
        shown.arrived().await;
        other.mirror.disable_key(key.kid(), key.version()).await.unwrap();
        shown.release();
    };
    tokio::join!(settle, disable);
    one.primary.outage();
    for process in [&one, &other] {
        let signed = process.mirror.work().unwrap().sign(key.kid(), None, b"message").await;
        assert_eq!(kind(signed), KeyErrorKind::Disabled);
    }
}

/// A destroy that finds nothing, of a version that another process is about to make: no tombstone of what the primary has.
#[tokio::test]
async fn promise_1_what_another_process_makes_while_a_destroy_finds_nothing_is_destroyed_as_well() {
    let (one, other) = two(MirrorMode::Full).await;
    let key = one.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    let latest = version(2);
    let look = one.secondary.hold(Method::ListKeys);
    let destroy = one.mirror.destroy_key(key.kid(), Some(latest));
    let rotate = async {
        look.arrived().await;
        let made = other.mirror.rotate(key.kid()).await;
        look.release();
        made
    };
    let (destroyed, made) = tokio::join!(destroy, rotate);
    assert_eq!(made.unwrap().version(), latest);
    assert!(destroyed.unwrap());
    assert_eq!(one.primary_keys.list_versions(key.kid()).await.unwrap(), [version(1)]);
    assert_eq!(kind(other.read(key.kid(), Some(latest)).await), KeyErrorKind::NotFound);
    assert_eq!(one.replicas().await, 1);
    assert!(one.mirror.plan_reconcile().await.is_empty());
}

#[tokio::test]
async fn a_debt_of_one_process_is_paid_by_another() {
    let (one, other) = two(MirrorMode::PublicOnly).await;
    one.secondary.outage();
    let key = one.mirror.create(KeyAlg::Ed25519).await.unwrap();
    one.secondary.recover();
    assert_eq!(other.backlog(), [format!("copy {}", key.id())]);
    assert!(other.mirror.reconcile().await.is_clean());
    assert!(one.backlog().is_empty());
    one.primary.outage();
    one.jwk(key.kid(), None).await.unwrap();
}

/// Two processes, each with several tasks, at the same few keys.
#[test]
fn processes_that_meet_at_the_same_keys_agree() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    for round in 0..20 {
        runtime.block_on(async {
            let (one, other) = two(MirrorMode::Full).await;
            let mut kids = Vec::new();
            for _ in 0..3 {
                let key = one.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
                kids.push(key.kid().clone());
            }
            let mut tasks = Vec::new();
            for n in 0..8_u32 {
                let mirror = if n % 2 == 0 { one.mirror.clone() } else { other.mirror.clone() };
                let kids = kids.clone();
                tasks.push(tokio::spawn(async move {
                    for (step, kid) in (0..6_u32).zip(kids.iter().cycle()) {
                        let _ = match (n + step) % 5 {
                            0 => mirror.destroy_key(kid, Some(version(1 + step % 3))).await.map(drop),
                            1 => mirror.disable_key(kid, version(1 + step % 3)).await,
                            2 => mirror.enable_key(kid, version(1 + step % 3)).await,
                            _ => mirror.rotate(kid).await.map(drop),
                        };
                    }
                }));
            }
            for task in tasks {
                task.await.unwrap();
            }
            assert_eq!(one.mirror.status(), other.mirror.status(), "round {round}");
            let report = other.mirror.reconcile().await;
            assert!(report.is_clean(), "round {round}: {report:?}");
            let plan = one.mirror.plan_reconcile().await;
            assert!(plan.is_empty(), "round {round}: {plan}");
            let mut live = 0;
            for kid in &kids {
                live += one.primary_keys.list_versions(kid).await.map_or(0, |versions| versions.len());
            }
            assert_eq!(one.replicas().await, live, "round {round}: one replica for each version");
        });
    }
}

/// A process that has not looked for so long that its watch lost changes reads everything anew.
#[tokio::test]
async fn a_process_that_fell_behind_catches_up_before_it_answers() {
    let (one, other) = two(MirrorMode::PublicOnly).await;
    let key = one.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let gone = one.mirror.create(KeyAlg::Ed25519).await.unwrap();
    other.read(key.kid(), None).await.unwrap();
    let noise = StoreKey::new("mirror/noise").unwrap();
    for _ in 0..70_000 {
        one.store.put(&noise, b"", Precondition::Any).await.unwrap();
    }
    one.primary.fail_next(Method::DestroyKey, Fault::Lie(Lie::DestroyNothingSayTrue));
    assert!(one.mirror.destroy_key(gone.kid(), None).await.unwrap());
    // The first look finds that the watch has ended; the next call has caught up.
    let _ = other.mirror.status();
    assert_eq!(kind(other.read(gone.kid(), None).await), KeyErrorKind::NotFound);
    let late = one.mirror.create(KeyAlg::Ed25519).await.unwrap();
    one.primary.outage();
    assert_eq!(other.jwk(late.kid(), None).await.unwrap(), late.public_jwk().unwrap(), "it follows again");
}
