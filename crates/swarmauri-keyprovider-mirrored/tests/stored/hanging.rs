//! Promise 7: a state store that hangs costs a caller at most its deadline, too.

use std::sync::Arc;
use std::time::Duration;

use swarmauri_keyprovider::{KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_mirrored::{
    Backend, BreakerSettings, BreakerState, Deadlines, MirroredKeyProvider,
};
use swarmauri_keyprovider_testkit::{FaultyStore, Method, StoreEnd};
use swarmauri_keys::{KeyAlg, KeyErrorKind};
use swarmauri_keystore::MemoryStore;
use tokio::time::Instant;

use crate::support::*;

/// From now on the store answers nothing.
fn hang(store: &FaultyStore) {
    store.faults().choose(|_| StoreEnd::HangBefore.into());
}

const LIMIT: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_millis(5);

fn store() -> Arc<FaultyStore> {
    Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())))
}

async fn mirror(world: &World, store: &Arc<FaultyStore>) -> MirroredKeyProvider {
    let builder = world.builder().deadlines(Deadlines::default()).breaker(BreakerSettings::default());
    builder.state(store.clone()).open().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn promise_7_a_state_store_that_hangs_costs_a_write_its_deadline_and_then_nothing_and_a_read_never() {
    let (world, store) = (world(), store());
    let mirror = mirror(&world, &store).await;
    let key = mirror.create(KeyAlg::Ed25519).await.unwrap();
    hang(&store);
    for write in 0..10 {
        let (begun, calls) = (Instant::now(), world.primary.journal().calls_of(Method::CreateKey).len());
        let error = mirror.create(KeyAlg::Ed25519).await.unwrap_err();
        assert!(error.is_outage() && error.to_string().contains("state store"), "{error}");
        let limit = if write < 5 { LIMIT + TICK } else { Duration::ZERO };
        assert!(begun.elapsed() <= limit, "write {write} took {:?}", begun.elapsed());
        // What cannot be recorded is not begun.
        assert_eq!(world.primary.journal().calls_of(Method::CreateKey).len(), calls);
    }
    assert_eq!(mirror.breakers()[&Backend::State], BreakerState::Open);
    let begun = Instant::now();
    world.primary.outage();
    assert_eq!(mirror.get_public_jwk(key.kid(), None).await.unwrap(), key.public_jwk().unwrap());
    assert_eq!(begun.elapsed(), Duration::ZERO);

    world.primary.recover();
    store.faults().clear();
    tokio::time::sleep(Duration::from_secs(1)).await;
    mirror.create(KeyAlg::Ed25519).await.unwrap();
    assert!(mirror.reconcile().await.is_clean());
    assert!(mirror.status().backlog.is_empty());
}

/// The primary has done it, and the store takes no note of it.
#[tokio::test(start_paused = true)]
async fn what_the_store_took_no_note_of_is_found_again() {
    let (world, store) = (world(), store());
    let mirror = mirror(&world, &store).await;
    let held = world.primary.hold_after(Method::CreateKey);
    let create = mirror.create(KeyAlg::Ed25519);
    let hang = async {
        held.arrived().await;
        hang(&store);
        held.release();
    };
    let (error, ()) = tokio::join!(create, hang);
    let error = error.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Timeout);
    let kid = error.kid().unwrap().clone();
    store.faults().clear();
    assert!(mirror.reconcile().await.is_clean());
    world.primary.outage();
    assert_eq!(mirror.get_public_jwk(&kid, None).await.unwrap().version_id().unwrap().kid, kid);
}

/// A mirror whose state cannot be read is not opened, and does not wait for ever.
#[tokio::test(start_paused = true)]
async fn opening_ends_as_well() {
    let (world, store) = (world(), store());
    hang(&store);
    let builder = world.builder().deadlines(Deadlines::default());
    let begun = Instant::now();
    assert!(builder.state(store).open().await.is_err());
    assert!(begun.elapsed() <= LIMIT + TICK);
}
