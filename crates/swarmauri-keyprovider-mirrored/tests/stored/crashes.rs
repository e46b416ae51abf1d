//! A process that dies at any step, and the next one: what it finds on the store, it repairs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use swarmauri_keyprovider::{Feature, KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_mirrored::{MirrorMode, MirroredKeyProvider};
use swarmauri_keyprovider_testkit::{Fault, FaultyStore, Method, StoreEnd, StoreMethod};
use swarmauri_keys::{KeyAlg, KeyErrorKind};
use swarmauri_keystore::{MemoryStore, StoreError};

use crate::cancellation::{Write, assert_repaired};
use crate::support::*;

/// Its first version is disabled.
async fn world_with_a_key(mode: MirrorMode) -> (World, swarmauri_keys::KeyRef) {
    let world = world_in(mode);
    let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
    world.mirror.rotate(key.kid()).await.unwrap();
    world.mirror.disable_key(key.kid(), version(1)).await.unwrap();
    (world, key)
}

/// How the last write to the store ends.
fn ends() -> [StoreEnd; 4] {
    let out = StoreError::unavailable("told to be out");
    [StoreEnd::HangBefore, StoreEnd::HangAfter, StoreEnd::FailBefore(out.clone()), StoreEnd::FailAfter(out)]
}

/// The same store, answering so many writes more, and then one more in this way. If that one hangs, so do all after it, and the
/// process is dead: that is told. A store that is merely out comes back.
fn last_writes(inner: &MemoryStore, writes: usize, last: &StoreEnd) -> (Arc<FaultyStore>, Arc<AtomicBool>) {
    let (store, dead) = (FaultyStore::new(Arc::new(inner.clone())), Arc::new(AtomicBool::new(false)));
    let hangs = matches!(last, StoreEnd::HangBefore | StoreEnd::HangAfter);
    let (mut left, last, dies) = (Some(writes), last.clone(), Arc::clone(&dead));
    store.faults().choose(move |method| {
        if !matches!(method, StoreMethod::Put | StoreMethod::Delete) {
            return StoreEnd::Honest.into();
        }
        let end = match left {
            Some(0) => last.clone(),
            None if hangs => StoreEnd::HangBefore,
            Some(_) | None => StoreEnd::Honest,
        };
        dies.store(hangs && left.is_none_or(|left| left == 0), Ordering::SeqCst);
        left = left.and_then(|left| left.checked_sub(1));
        end.into()
    });
    (Arc::new(store), dead)
}

/// The write is cut off at each of its own writes to the store, one after the other, until there are no more.
#[tokio::test(start_paused = true)]
async fn promise_11_a_process_that_dies_at_any_write_of_its_state_is_repaired_by_the_next() {
    let mut cut_off = 0;
    for mode in [MirrorMode::PublicOnly, MirrorMode::Full] {
        for write in Write::ALL {
            for last in ends() {
                for writes in 0.. {
                    let (world, key) = world_with_a_key(mode).await;
                    let (store, dead) = last_writes(&world.store, writes, &last);
                    let dying = world.clone().over(store).await;
                    let ended = give_up(write.run(&dying, key.kid())).await;
                    let what = format!("{mode} {write:?} {last:?} after {writes} writes");
                    let hung = ended.is_none();
                    assert_eq!(hung, dead.load(Ordering::SeqCst), "{what}");
                    let store = Arc::new(world.store.clone());
                    let acknowledged = matches!(ended, Some(Ok(_)));
                    let next = world.over(store).await;
                    if acknowledged && matches!(write, Write::Destroy) {
                        next.primary.outage();
                        assert_eq!(kind(next.read(key.kid(), None).await), KeyErrorKind::NotFound, "{what}");
                        next.primary.recover();
                    }
                    assert_repaired(&next, &what).await;
                    cut_off += 1;
                    if acknowledged && !hung && writes > 8 {
                        break;
                    }
                }
            }
        }
    }
    assert!(cut_off > 300, "{cut_off} ends of processes were tried");
}

/// The intent; that the primary has it and that a copy is about to be made, which are known at once; where the copy is. In mode
/// `full` the secret is asked for before the copy begins, which takes one more.
#[tokio::test(start_paused = true)]
async fn a_create_writes_its_state_as_often_as_there_is_something_to_wait_for() {
    for (mode, writes) in [(MirrorMode::PublicOnly, 3), (MirrorMode::Full, 4)] {
        for (allowed, suffices) in [(writes, true), (writes - 1, false)] {
            let world = world_in(mode);
            let (store, _) = last_writes(&world.store, allowed, &StoreEnd::HangBefore);
            let dying = world.clone().over(store).await;
            let ended = give_up(dying.mirror.create_key(&exportable(KeyAlg::Ed25519))).await;
            assert_eq!(ended.is_some(), suffices, "{mode}: {allowed} writes of {writes}");
            assert!(!suffices || dying.backlog().is_empty(), "{mode}");
        }
    }
}

/// The write is cut off at each call of a side, before and after that took effect.
#[tokio::test(start_paused = true)]
async fn promise_11_a_process_that_dies_at_any_call_of_a_side_is_repaired_by_the_next() {
    for mode in [MirrorMode::PublicOnly, MirrorMode::Full] {
        for write in Write::ALL {
            for method in Method::ALL {
                for (on_primary, after) in [(true, false), (true, true), (false, false), (false, true)] {
                    let (world, key) = world_with_a_key(mode).await;
                    let side = if on_primary { &world.primary } else { &world.secondary };
                    side.fail_next(method, if after { Fault::HangAfter } else { Fault::HangBefore });
                    let _ = give_up(write.run(&world, key.kid())).await;
                    world.primary.clear();
                    world.secondary.clear();
                    let store = Arc::new(world.store.clone());
                    let next = world.over(store).await;
                    let what = format!("{mode} {write:?} {method:?} primary: {on_primary} after: {after}");
                    assert_repaired(&next, &what).await;
                }
            }
        }
    }
}

/// On a primary that takes no `kid`, a create that was cut off is known by its tag, in the next process too.
#[tokio::test(start_paused = true)]
async fn promise_11_a_create_without_a_chosen_kid_is_adopted_by_the_next_process() {
    let world = restricted_world(|primary, _| deny(primary, &[Feature::ChosenKid]), |builder| builder);
    world.primary.fail_next(Method::CreateKey, Fault::HangAfter);
    assert!(give_up(world.mirror.create(KeyAlg::Ed25519)).await.is_none());
    let store = Arc::new(world.store.clone());
    let world = world.over(store).await;
    assert_eq!(world.backlog().len(), 1, "the next process knows");
    assert!(world.mirror.reconcile().await.is_clean());
    assert!(world.backlog().is_empty());
    assert_eq!(world.replicas().await, 1);
    let store: Arc<dyn swarmauri_keystore::KeyStore> = Arc::new(world.store.clone());
    let again = world.clone().over(store).await;
    assert!(again.backlog().is_empty() && again.mirror.plan_reconcile().await.is_empty());
}

/// A write whose intent cannot be recorded is not asked for.
#[tokio::test(start_paused = true)]
async fn promise_1_what_cannot_be_recorded_is_not_done() {
    for write in Write::ALL {
        let (world, key) = world_with_a_key(MirrorMode::Full).await;
        let out = StoreEnd::FailBefore(StoreError::unavailable("told to be out"));
        let (store, _) = last_writes(&world.store, 0, &out);
        let world = world.over(store).await;
        world.primary.journal().clear();
        let error = write.run(&world, key.kid()).await.unwrap_err();
        assert!(error.is_outage() && error.to_string().contains("the mirror's state"), "{write:?}: {error}");
        for method in Method::WRITES {
            assert!(world.primary.journal().calls_of(method).is_empty(), "{write:?}: the primary was asked");
        }
        // The store is back.
        write.run(&world, key.kid()).await.unwrap();
        assert_repaired(&world, &format!("{write:?}")).await;
    }
}

#[tokio::test]
async fn a_mirror_with_a_store_is_opened_and_not_built() {
    let (world, _) = world_with_a_key(MirrorMode::Full).await;
    let builder = MirroredKeyProvider::builder(world.primary_keys, world.secondary_keys);
    let error = builder.state(Arc::new(world.store)).build().unwrap_err();
    assert!(error.to_string().contains("open()"), "{error}");
}
