//! What other processes write while the watch is gone, and a call waits for a side.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_mirrored::{
    Backend, BreakerSettings, BreakerState, Deadlines, MirrorMode, MirroredKeyProvider,
};
use swarmauri_keyprovider_testkit::{FaultyStore, Hold, Method, StoreEnd, StoreFaults};
use swarmauri_keys::{Jwk, KeyAlg, KeyId, KeyMaterial, KeyRef, PageRequest};
use tokio::time::Instant;

use crate::support::*;

/// Whether a read serves a key.
type Serves = fn(Arc<MirroredKeyProvider>, KeyId) -> BoxFuture<'static, bool>;

const GET_KEY: Serves =
    |mirror, kid| async move { mirror.get_key(&kid, None, Secrets::Omit).await.is_ok() }.boxed();

const JWKS: Serves = |mirror, kid| {
    async move {
        let Ok(set) = mirror.jwks(&JwksQuery::LATEST).await else { return false };
        set.keys.iter().filter_map(Jwk::version_id).any(|id| id.kid == kid)
    }
    .boxed()
};

/// A key, a process that reads it, and another one.
struct Scene {
    one: World,
    other: World,
    faults: StoreFaults,
    key: KeyRef,
}

impl Scene {
    async fn of(one: World) -> Self {
        let (store, other) = (Arc::new(one.store.clone()), one.clone());
        let before = Arc::new(FaultyStore::new(store.clone()));
        let faults = before.faults();
        let (one, other) = (one.over(before).await, other.over(store).await);
        let key = one.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
        Self { one, other, faults, key }
    }

    /// Mode `none`: the same key on the secondary.
    async fn provision(&self) {
        let secret = self.one.secret(self.key.kid()).await.unwrap();
        let material = KeyMaterial::from(secret.secret().unwrap().clone());
        let spec = exportable(KeyAlg::Ed25519).with_kid(self.key.kid().clone());
        self.one.secondary_keys.import_version(self.key.id(), &spec, material).await.unwrap();
    }

    fn read(&self, serves: Serves) -> BoxFuture<'static, bool> {
        serves(self.one.mirror.clone(), self.key.kid().clone())
    }

    /// The other process begins to destroy the key while a read waits; word of that is lost with the watch.
    async fn serves_what_is_being_destroyed(&self, serves: Serves, hold: Hold) -> bool {
        let read = tokio::spawn(self.read(serves));
        hold.arrived().await;
        self.one.primary.outage();
        assert!(self.other.mirror.destroy_key(self.key.kid(), None).await.unwrap_err().is_outage());
        self.faults.end_watches();
        hold.release();
        read.await.unwrap()
    }
}

/// The store is read before the secondary's answer counts.
#[tokio::test]
async fn promise_4_what_was_missed_while_a_side_was_waited_for_is_heeded() {
    // What the primary is asked, and what the secondary.
    let reads: [(Method, Method, Serves); 6] = [
        (Method::GetKey, Method::GetKey, GET_KEY),
        (Method::GetPublicJwk, Method::GetKey, |mirror, kid| {
            async move { mirror.get_public_jwk(&kid, Some(version(1))).await.is_ok() }.boxed()
        }),
        (Method::Sign, Method::Sign, |mirror, kid| {
            async move { mirror.work().unwrap().sign(&kid, None, b"message").await.is_ok() }.boxed()
        }),
        (Method::ListVersions, Method::ListVersions, |mirror, kid| {
            async move { mirror.list_versions(&kid).await.is_ok() }.boxed()
        }),
        (Method::Jwks, Method::Jwks, JWKS),
        (Method::ListKeys, Method::GetKey, |mirror, _| {
            let page = async move { mirror.list_keys(&PageRequest::default()).await };
            page.map(|page| page.is_ok_and(|page| !page.items.is_empty())).boxed()
        }),
    ];
    for mode in [MirrorMode::Full, MirrorMode::None] {
        for (of_primary, of_secondary, serves) in reads {
            for (primary_up, method) in [(true, of_primary), (false, of_secondary)] {
                let none = mode == MirrorMode::None;
                let method = match method {
                    // The records tell.
                    Method::ListVersions if !primary_up && !none => continue,
                    Method::GetKey if of_primary == Method::ListKeys && none => Method::ListKeys,
                    method => method,
                };
                let scene = Scene::of(world_in(mode)).await;
                if none {
                    scene.provision().await;
                }
                if !primary_up {
                    scene.one.primary.outage();
                }
                let what = format!("{mode:?}, {method:?} waits, and the primary is up: {primary_up}");
                assert!(scene.read(serves).await, "{what}");
                let side = if primary_up { &scene.one.primary } else { &scene.one.secondary };
                let hold = side.hold(method);
                assert!(!scene.serves_what_is_being_destroyed(serves, hold).await, "{what}");
            }
        }
    }
}

/// The primary is left alone, and the answer of the secondary is one that was checked before.
#[tokio::test]
async fn promise_4_what_was_missed_is_heeded_where_the_breaker_is_open() {
    let breaker =
        BreakerSettings { consecutive: 1, wait: Duration::from_hours(1), ..BreakerSettings::default() };
    let breaker = BreakerSettings { max_wait: breaker.wait, ..breaker };
    let scene = Scene::of(world_with(|builder| builder.breaker(breaker))).await;
    scene.one.primary.outage();
    for _ in 0..2 {
        assert!(scene.read(GET_KEY).await);
    }
    assert_eq!(scene.one.mirror.breakers()[&Backend::Primary], BreakerState::Open);
    let hold = scene.one.secondary.hold(Method::GetKey);
    assert!(!scene.serves_what_is_being_destroyed(GET_KEY, hold).await);
}

/// The secondary has a key of its own, and is asked which those are.
#[tokio::test]
async fn promise_4_what_was_missed_is_heeded_by_a_jwks_that_asks_once_more() {
    let scene = Scene::of(world()).await;
    scene.one.secondary_keys.create(KeyAlg::Ed25519).await.unwrap();
    // That has every replica found, and then the document is not the same any more.
    assert!(scene.read(JWKS).await);
    scene.one.mirror.create(KeyAlg::Ed25519).await.unwrap();
    scene.one.primary.outage();
    let hold = scene.one.secondary.hold(Method::ListKeys);
    assert!(!scene.serves_what_is_being_destroyed(JWKS, hold).await);
}

#[tokio::test]
async fn promise_4_what_was_missed_is_heeded_by_the_last_good_jwks() {
    let scene = Scene::of(world_with(|builder| builder.jwks_max_stale(Duration::from_hours(1)))).await;
    assert!(scene.read(JWKS).await);
    scene.one.secondary.outage();
    let hold = scene.one.primary.hold(Method::Jwks);
    assert!(!scene.serves_what_is_being_destroyed(JWKS, hold).await);
}

/// At the start of a call it has been waited for.
#[tokio::test(start_paused = true)]
async fn promise_7_a_store_that_hangs_is_waited_for_once_by_a_read() {
    let deadlines = Deadlines::default();
    let scene = Scene::of(world_with(|builder| builder.deadlines(deadlines))).await;
    scene.one.primary.outage();
    assert!(scene.read(GET_KEY).await);
    scene.faults.choose(|_| StoreEnd::HangBefore.into());
    scene.faults.end_watches();
    let begun = Instant::now();
    assert!(scene.read(GET_KEY).await);
    let took = begun.elapsed();
    assert!(took >= deadlines.state && took <= deadlines.state + Duration::from_millis(5), "{took:?}");
}
