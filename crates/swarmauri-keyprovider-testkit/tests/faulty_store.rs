//! Every fault of a store does what it says, and nothing else.

#![allow(clippy::unwrap_used, clippy::panic, reason = "these are tests, also outside of test functions")]

use std::sync::Arc;
use std::time::Duration;

use swarmauri_keyprovider_testkit::{FaultyStore, StoreEnd, StoreFault, StoreMethod, drop_after};
use swarmauri_keystore::{
    KeyStore, MemoryStore, Precondition, ScanRequest, StoreError, StoreErrorKind, StoreKey,
};
use tokio::time::{Instant, timeout};

const METHODS: [StoreMethod; 5] =
    [StoreMethod::Get, StoreMethod::Put, StoreMethod::Delete, StoreMethod::Scan, StoreMethod::Watch];
const LONG: Duration = Duration::from_hours(1);

fn key(name: &str) -> StoreKey {
    StoreKey::new(name).unwrap()
}

fn told() -> StoreError {
    StoreError::unavailable("told to")
}

/// A store that has "old" and no "new".
async fn store() -> FaultyStore {
    let inner = MemoryStore::new();
    inner.put(&key("old"), b"1", Precondition::Absent).await.unwrap();
    FaultyStore::new(Arc::new(inner))
}

/// Calls one method: a put makes "new", a delete removes "old".
async fn call(on: &FaultyStore, method: StoreMethod) -> Result<(), StoreError> {
    match method {
        StoreMethod::Get => on.get(&key("old")).await.map(drop),
        StoreMethod::Put => on.put(&key("new"), b"2", Precondition::Absent).await.map(drop),
        StoreMethod::Delete => on.delete(&key("old"), Precondition::Any).await.map(drop),
        StoreMethod::Scan => on.scan(&ScanRequest::all(b"")).await.map(drop),
        StoreMethod::Watch => on.watch(b"").await.map(drop),
    }
}

/// Whether the call took effect. One that only reads has none.
async fn took_effect(on: &FaultyStore, method: StoreMethod) -> bool {
    let there = async |name| on.inner().get(&key(name)).await.unwrap().is_some();
    match method {
        StoreMethod::Put => there("new").await,
        StoreMethod::Delete => !there("old").await,
        StoreMethod::Get | StoreMethod::Scan | StoreMethod::Watch => false,
    }
}

fn writes(method: StoreMethod) -> bool {
    matches!(method, StoreMethod::Put | StoreMethod::Delete)
}

/// An end, whether it is with an effect, and whether with an answer.
fn ends() -> [(StoreEnd, bool, bool); 5] {
    [
        (StoreEnd::Honest, true, true),
        (StoreEnd::FailBefore(told()), false, true),
        (StoreEnd::FailAfter(told()), true, true),
        (StoreEnd::HangBefore, false, false),
        (StoreEnd::HangAfter, true, false),
    ]
}

#[tokio::test(start_paused = true)]
async fn each_end_has_its_effect_and_its_answer_and_is_for_one_call() {
    for method in METHODS {
        for (end, effect, answers) in ends() {
            let what = format!("{method:?} that ends with {end:?}");
            let store = store().await;
            let fails = !matches!(end, StoreEnd::Honest);
            store.faults().fail_next(method, end.into());
            let answer = timeout(LONG, call(&store, method)).await;
            assert_eq!(answer.is_ok(), answers, "{what}");
            assert_eq!(took_effect(&store, method).await, effect && writes(method), "{what}");
            if let Ok(answer) = answer {
                assert_eq!(
                    answer.err().map(|error| error.kind()),
                    fails.then_some(StoreErrorKind::Unavailable),
                    "{what}"
                );
            }
            // The next call meets the store as it is.
            let next = timeout(LONG, call(&store, method)).await.unwrap();
            let conflicts = method == StoreMethod::Put && effect;
            assert_eq!(next.is_err(), conflicts, "the call after {what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_is_for_its_own_method() {
    for faulty in METHODS {
        let store = store().await;
        store.faults().fail_next(faulty, StoreEnd::FailBefore(told()).into());
        for method in METHODS.into_iter().filter(|method| *method != faulty) {
            assert!(call(&store, method).await.is_ok(), "{method:?} beside a fault of {faulty:?}");
        }
        assert!(call(&store, faulty).await.is_err(), "{faulty:?}");
    }
}

#[tokio::test]
async fn a_store_that_refuses_says_so_itself() {
    let store = store().await;
    store.faults().fail_next(StoreMethod::Put, StoreEnd::FailAfter(told()).into());
    let answer = store.put(&key("old"), b"2", Precondition::Absent).await;
    assert_eq!(answer.unwrap_err().kind(), StoreErrorKind::Conflict);
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_before_its_effect() {
    let store = store().await;
    let delay = Duration::from_secs(3);
    store.faults().fail_next(StoreMethod::Put, StoreFault { delay, ..StoreFault::default() });
    let begun = Instant::now();
    let put = async { call(&store, StoreMethod::Put).await };
    let look = async {
        tokio::time::sleep(Duration::from_millis(2_999)).await;
        took_effect(&store, StoreMethod::Put).await
    };
    let (put, early) = tokio::join!(put, look);
    put.unwrap();
    assert!(!early && took_effect(&store, StoreMethod::Put).await);
    assert_eq!(begun.elapsed(), delay);
}

#[tokio::test]
async fn pauses_are_on_either_side_of_the_effect() {
    // After how many polls it is dropped, and whether it has taken effect then.
    for (polls, effect) in [(0, false), (1, false), (2, false), (3, true), (4, true), (5, true)] {
        let store = store().await;
        let fault = StoreFault { pauses_before: 2, pauses_after: 2, ..StoreFault::default() };
        store.faults().fail_next(StoreMethod::Delete, fault);
        let ended = drop_after(polls, call(&store, StoreMethod::Delete)).await.is_some();
        assert_eq!(ended, polls == 5, "after {polls} polls");
        assert_eq!(took_effect(&store, StoreMethod::Delete).await, effect, "after {polls} polls");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_queued_comes_before_what_is_chosen_and_all_of_it_can_be_cleared() {
    let store = store().await;
    let faults = store.faults();
    faults.choose(|_| StoreEnd::HangBefore.into());
    faults.fail_next(StoreMethod::Get, StoreEnd::FailBefore(told()).into());
    assert!(call(&store, StoreMethod::Get).await.is_err());
    assert!(timeout(LONG, call(&store, StoreMethod::Get)).await.is_err());
    faults.fail_next(StoreMethod::Get, StoreEnd::FailBefore(told()).into());
    faults.clear();
    for method in METHODS {
        call(&store, method).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn held_watches_tell_later_and_ended_ones_nothing() {
    let store = store().await;
    let mut watch = store.watch(b"").await.unwrap();
    store.faults().hold_watches(true);
    call(&store, StoreMethod::Put).await.unwrap();
    assert!(watch.try_next().unwrap().is_none());
    assert!(timeout(LONG, watch.next()).await.is_err());
    store.faults().hold_watches(false);
    assert_eq!(watch.next().await.unwrap().key(), &key("new"));

    store.faults().end_watches();
    assert_eq!(watch.try_next().unwrap_err().kind(), StoreErrorKind::Lagged);
    assert_eq!(watch.next().await.unwrap_err().kind(), StoreErrorKind::Lagged);
    let mut another = store.watch(b"").await.unwrap();
    call(&store, StoreMethod::Delete).await.unwrap();
    assert_eq!(another.next().await.unwrap().key(), &key("old"));
}
