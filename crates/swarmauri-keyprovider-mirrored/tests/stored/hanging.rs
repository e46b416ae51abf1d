//! Promise 7: a state store that hangs costs a caller at most its deadline, too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use swarmauri_keyprovider::{KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_mirrored::{
    Backend, BreakerSettings, BreakerState, Deadlines, MirroredKeyProvider,
};
use swarmauri_keyprovider_testkit::Method;
use swarmauri_keys::{KeyAlg, KeyErrorKind};
use swarmauri_keystore::{
    Entry, KeyStore, MemoryStore, Precondition, Revision, ScanPage, ScanRequest, StoreError, StoreKey, Watch,
};
use tokio::time::Instant;

use crate::support::*;

/// A store that answers nothing while it is told so.
#[derive(Debug, Default)]
struct Hanging {
    inner: MemoryStore,
    hangs: AtomicBool,
}

impl Hanging {
    async fn pass(&self) {
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl KeyStore for Hanging {
    async fn get(&self, key: &StoreKey) -> Result<Option<Entry>, StoreError> {
        self.pass().await;
        self.inner.get(key).await
    }

    async fn put(&self, key: &StoreKey, value: &[u8], when: Precondition) -> Result<Revision, StoreError> {
        self.pass().await;
        self.inner.put(key, value, when).await
    }

    async fn delete(&self, key: &StoreKey, when: Precondition) -> Result<Option<Revision>, StoreError> {
        self.pass().await;
        self.inner.delete(key, when).await
    }

    async fn scan(&self, request: &ScanRequest) -> Result<ScanPage, StoreError> {
        self.pass().await;
        self.inner.scan(request).await
    }

    async fn watch(&self, prefix: &[u8]) -> Result<Box<dyn Watch>, StoreError> {
        self.pass().await;
        self.inner.watch(prefix).await
    }
}

const LIMIT: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_millis(5);

async fn mirror(world: &World, store: &Arc<Hanging>) -> MirroredKeyProvider {
    let builder = world.builder().deadlines(Deadlines::default()).breaker(BreakerSettings::default());
    builder.state(store.clone()).open().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn promise_7_a_state_store_that_hangs_costs_a_write_its_deadline_and_then_nothing_and_a_read_never() {
    let (world, store) = (world(), Arc::new(Hanging::default()));
    let mirror = mirror(&world, &store).await;
    let key = mirror.create(KeyAlg::Ed25519).await.unwrap();
    store.hangs.store(true, Ordering::SeqCst);
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
    store.hangs.store(false, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(1)).await;
    mirror.create(KeyAlg::Ed25519).await.unwrap();
    assert!(mirror.reconcile().await.is_clean());
    assert!(mirror.status().backlog.is_empty());
}

/// The primary has done it, and the store takes no note of it.
#[tokio::test(start_paused = true)]
async fn what_the_store_took_no_note_of_is_found_again() {
    let (world, store) = (world(), Arc::new(Hanging::default()));
    let mirror = mirror(&world, &store).await;
    let held = world.primary.hold_after(Method::CreateKey);
    let create = mirror.create(KeyAlg::Ed25519);
    let hang = async {
        held.arrived().await;
        store.hangs.store(true, Ordering::SeqCst);
        held.release();
    };
    let (error, ()) = tokio::join!(create, hang);
    let error = error.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Timeout);
    let kid = error.kid().unwrap().clone();
    store.hangs.store(false, Ordering::SeqCst);
    assert!(mirror.reconcile().await.is_clean());
    world.primary.outage();
    assert_eq!(mirror.get_public_jwk(&kid, None).await.unwrap().version_id().unwrap().kid, kid);
}

/// A mirror whose state cannot be read is not opened, and does not wait for ever.
#[tokio::test(start_paused = true)]
async fn opening_ends_as_well() {
    let (world, store) = (world(), Arc::new(Hanging::default()));
    store.hangs.store(true, Ordering::SeqCst);
    let builder = world.builder().deadlines(Deadlines::default());
    let begun = Instant::now();
    assert!(builder.state(store).open().await.is_err());
    assert!(begun.elapsed() <= LIMIT + TICK);
}
