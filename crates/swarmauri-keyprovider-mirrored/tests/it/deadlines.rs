//! Promise 7: a side that hangs costs a caller at most its deadline, and after a few times nothing.

use std::sync::Arc;
use std::time::Duration;

use swarmauri_keyprovider::{JwksQuery, KeyOperations, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_mirrored::{Backend, BreakerSettings, BreakerState, Deadlines, MirrorMode};
use swarmauri_keyprovider_testkit::{Fault, Lie, Method, capture_tracing_of};
use swarmauri_keys::{
    Acceptance, JwkSet, KeyAlg, KeyErrorKind, KeyId, KeySpec, KeyState, PageRequest, SecretBytes,
    SpecOverrides, VerifyWith,
};
use tokio::time::Instant;

use crate::support::*;

const LIMITS: Deadlines = Deadlines {
    public_read: Duration::from_secs(1),
    secret_read: Duration::from_secs(2),
    write: Duration::from_secs(15),
    mirror: Duration::from_secs(5),
    state: Duration::from_secs(2),
};
/// The clock of tokio counts whole milliseconds.
const TICK: Duration = Duration::from_millis(5);

fn bounded() -> World {
    world_with(|builder| builder.mode(MirrorMode::Full).deadlines(LIMITS))
}

fn guarded() -> World {
    world_with(|builder| builder.deadlines(LIMITS).breaker(BreakerSettings::default()))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Key,
    Secret,
    Jwk,
    Versions,
    List,
    Jwks,
    Random,
    Hkdf,
    Sign,
    Verify,
    Create,
    Rotate,
    Destroy,
    Disable,
}

impl Asked {
    const ALL: [Self; 14] = [
        Self::Key,
        Self::Secret,
        Self::Jwk,
        Self::Versions,
        Self::List,
        Self::Jwks,
        Self::Random,
        Self::Hkdf,
        Self::Sign,
        Self::Verify,
        Self::Create,
        Self::Rotate,
        Self::Destroy,
        Self::Disable,
    ];

    /// What it may wait for the primary, and for the secondary.
    fn limits(self) -> (Duration, Duration) {
        match self {
            Self::Key | Self::Jwk | Self::Versions | Self::List | Self::Jwks | Self::Verify => {
                (LIMITS.public_read, LIMITS.public_read)
            }
            // The replica is looked at before it works.
            Self::Secret | Self::Random | Self::Hkdf | Self::Sign => (LIMITS.secret_read, LIMITS.secret_read),
            Self::Create | Self::Rotate | Self::Destroy | Self::Disable => (LIMITS.write, LIMITS.mirror),
        }
    }

    async fn of(self, world: &World, kid: &KeyId, signature: &[u8]) -> Result<(), KeyErrorKind> {
        let (mirror, message) = (&world.mirror, b"message");
        let (with, accept) = (VerifyWith::AnyLive, Acceptance::EnabledOnly);
        let done = match self {
            Self::Key => mirror.get_key(kid, None, Secrets::Omit).await.map(drop),
            Self::Secret => mirror.get_key(kid, None, Secrets::Include).await.map(drop),
            Self::Jwk => mirror.get_public_jwk(kid, None).await.map(drop),
            Self::Versions => mirror.list_versions(kid).await.map(drop),
            Self::List => mirror.list_keys(&PageRequest::default()).await.map(drop),
            Self::Jwks => mirror.jwks(&JwksQuery::LATEST).await.map(drop),
            Self::Random => mirror.random_bytes(8).await.map(drop),
            Self::Hkdf => mirror.hkdf(&SecretBytes::from(&b"ikm"[..]), b"", b"", 8).await.map(drop),
            Self::Sign => mirror.sign(kid, None, message).await.map(drop),
            Self::Verify => mirror.verify(kid, with, message, signature, accept).await.map(drop),
            Self::Create => mirror.create(KeyAlg::Ed25519).await.map(drop),
            Self::Rotate => mirror.rotate_key(kid, &SpecOverrides::default()).await.map(drop),
            Self::Destroy => mirror.destroy_key(kid, None).await.map(drop),
            Self::Disable => mirror.disable_key(kid, version(1)).await,
        };
        done.map_err(|error| error.kind())
    }
}

#[tokio::test(start_paused = true)]
async fn promise_7_a_side_that_hangs_costs_a_caller_at_most_its_deadline() {
    for asked in Asked::ALL {
        for (primary, secondary) in [(true, false), (false, true), (true, true)] {
            let world = bounded();
            let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
            let signature = world.mirror.sign(key.kid(), None, b"message").await.unwrap();
            if primary {
                world.primary.hang();
            }
            if secondary {
                world.secondary.hang();
            }
            let begun = Instant::now();
            let done = give_up(asked.of(&world, key.kid(), &signature.bytes)).await;
            let done = done.unwrap_or_else(|| panic!("{asked:?} hangs"));
            let what = format!("{asked:?}: {done:?} after {:?}", begun.elapsed());
            let (for_primary, for_secondary) = asked.limits();
            let mut limit = TICK;
            if primary {
                limit += for_primary;
            }
            if secondary {
                limit += for_secondary;
            }
            assert!(begun.elapsed() <= limit, "{what}, {primary} {secondary}");
            let is_write = for_secondary == LIMITS.mirror;
            // Which versions there are is in the map.
            let answered = !is_write && (!secondary || asked == Asked::Versions);
            assert_eq!(done.is_ok(), !primary || answered, "{what}");
            if primary && done.is_err() {
                assert_eq!(done, Err(KeyErrorKind::Timeout), "{what}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn promise_7_after_a_few_times_a_side_that_hangs_costs_nothing() {
    let world = guarded();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.hang();
    let begun = Instant::now();
    for read in 0..1000 {
        let before = Instant::now();
        assert_eq!(world.read(key.kid(), None).await.unwrap().parts(), key.parts());
        let limit = if read < 5 { LIMITS.public_read + TICK } else { Duration::ZERO };
        assert!(before.elapsed() <= limit, "read {read} took {:?}", before.elapsed());
    }
    assert!(begun.elapsed() <= 5 * (LIMITS.public_read + TICK));
    assert_eq!(world.mirror.breakers()[&Backend::Primary], BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn promise_7_a_primary_that_is_always_just_in_time_is_left_alone_too() {
    let world = guarded();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.set_all(Some(Fault::Delay(LIMITS.public_read.saturating_sub(Duration::from_millis(50)))));
    for read in 0..100 {
        let before = Instant::now();
        assert_eq!(world.read(key.kid(), None).await.unwrap().parts(), key.parts());
        assert_eq!(before.elapsed() > TICK, read < 5, "read {read} took {:?}", before.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn promise_7_a_primary_that_flaps_costs_little() {
    let world = guarded();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let mut slow = 0;
    for read in 0..10_000 {
        // Half a second up, half a second down, for 1,000 seconds.
        if read / 5 % 2 == 0 {
            world.primary.hang();
        } else {
            world.primary.recover();
        }
        let before = Instant::now();
        assert_eq!(world.read(key.kid(), None).await.unwrap().parts(), key.parts());
        assert!(before.elapsed() <= LIMITS.public_read + TICK);
        slow += u32::from(before.elapsed() > TICK);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // A probe now and then, and a few more whenever the side seemed to be well.
    assert!(slow <= 100, "{slow} of 10,000 reads were slow");
    assert!(slow >= 5);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_timed_out_says_so_and_reconcile_finds_what_became_of_it() {
    for done in [true, false] {
        let world = bounded();
        let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        let fault = if done { Fault::HangAfter } else { Fault::HangBefore };
        world.primary.fail_next(Method::RotateKey, fault);
        let error = world.mirror.rotate(key.kid()).await.unwrap_err();
        assert_eq!((error.kind(), error.kid()), (KeyErrorKind::Timeout, Some(key.kid())));
        assert!(error.to_string().contains("whether it took effect is unknown"), "{error}");
        assert_eq!(world.backlog(), [format!("rotation of unknown outcome {}", key.kid())]);
        assert!(world.mirror.reconcile().await.is_clean());
        assert!(world.backlog().is_empty());
        world.primary.outage();
        let latest = world.read(key.kid(), None).await.unwrap();
        assert_eq!(latest.version(), version(if done { 2 } else { 1 }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_that_timed_out_names_the_key_that_it_was_to_be() {
    let world = bounded();
    world.primary.fail_next(Method::CreateKey, Fault::HangAfter);
    let error = world.mirror.create(KeyAlg::Ed25519).await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Timeout);
    let kid = error.kid().unwrap().clone();
    assert!(world.mirror.reconcile().await.is_clean());
    assert_eq!(world.read(&kid, None).await.unwrap().kid(), &kid);
}

/// The copy arrives at the secondary after its time was up, and after the key was destroyed.
#[tokio::test(start_paused = true)]
async fn a_copy_that_arrives_late_brings_nothing_back() {
    let world = bounded();
    world.secondary.fail_next(Method::ImportKey, Fault::HangAfter);
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    assert_eq!(world.backlog(), [format!("copy {}", key.id())]);
    assert!(world.mirror.destroy_key(key.kid(), None).await.unwrap());
    world.primary.outage();
    assert_eq!(kind(world.read(key.kid(), None).await), KeyErrorKind::NotFound);
    world.primary.recover();
    assert!(world.mirror.reconcile().await.is_clean());
    assert_eq!(world.replicas().await, 0);
}

#[tokio::test(start_paused = true)]
async fn while_the_primary_is_left_alone_writes_that_make_something_are_refused_at_once() {
    let world = guarded();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.outage();
    for _ in 0..5 {
        world.read(key.kid(), None).await.unwrap();
    }
    let calls = world.primary.journal().calls().len();
    for refused in [world.mirror.create(KeyAlg::Ed25519).await, world.mirror.rotate(key.kid()).await] {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::Unavailable);
        assert!(error.to_string().contains("circuit breaker is open"), "{error}");
    }
    assert!(world.backlog().is_empty(), "nothing was begun");
    assert_eq!(world.primary.journal().calls().len(), calls);
    // A destroy is meant, whoever is out.
    let error = world.mirror.destroy_key(key.kid(), None).await.unwrap_err();
    assert!(error.is_outage());
    assert!(world.read(key.kid(), None).await.unwrap_err().is_outage(), "the secondary serves it no more");
    assert_eq!(world.backlog(), [format!("destroy of unknown outcome {}", key.kid())]);
}

#[tokio::test(start_paused = true)]
async fn a_write_waits_for_another_to_the_same_key_as_long_as_a_write_may_take() {
    let world = bounded();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    // Three calls, each just in time: the primary's, and two of the secondary.
    world.primary.set(Method::RotateKey, Some(Fault::Delay(LIMITS.write.saturating_sub(TICK))));
    world.secondary.set(Method::ImportKey, Some(Fault::Delay(LIMITS.mirror.saturating_sub(TICK))));
    let (first, second) = tokio::join!(world.mirror.rotate(key.kid()), world.mirror.rotate(key.kid()));
    assert!(first.is_ok());
    let error = second.unwrap_err();
    assert!(error.to_string().contains("has not begun"), "{error}");
    assert_eq!(world.mirror.list_versions(key.kid()).await.unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_look_at_the_secondary_waits_no_longer_than_a_read_may_take() {
    let world = bounded();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let world = if crate::STORED { world } else { world.restart() };
    world.primary.outage();
    world.secondary.hang();
    let begun = Instant::now();
    let reads = (0..100).map(|_| world.read(key.kid(), None));
    let all: Vec<_> = futures_util::future::join_all(reads).await;
    assert!(all.iter().all(Result::is_err));
    // The first one looks; the others wait for it, and then look for themselves.
    let limit = 2 * LIMITS.public_read + TICK;
    assert!(begun.elapsed() <= limit, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_breaker_is_told_of_and_a_side_that_is_back_is_found_by_a_caller() {
    let world = guarded();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.outage();
    let ((), told) = capture_tracing_of(async {
        for _ in 0..10 {
            world.read(key.kid(), None).await.unwrap();
        }
    })
    .await;
    assert_eq!(told.matches("circuit breaker opened").count(), 1, "{told}");
    assert!(told.contains("side=\"primary\""), "{told}");
    // Fail-over is news until the breaker is open.
    let warned = told.lines().filter(|line| line.contains("WARN") && line.contains("failing over")).count();
    assert_eq!(warned, 4, "{told}");
    assert_eq!(world.mirror.status().breakers[&Backend::Primary], BreakerState::Open);

    world.primary.recover();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (_, told) = capture_tracing_of(world.read(key.kid(), None)).await;
    assert!(told.contains("lets one call through") && told.contains("circuit breaker closed"), "{told}");
    assert_eq!(world.mirror.breakers()[&Backend::Primary], BreakerState::Closed);
    world.mirror.create_key(&KeySpec::builder(KeyAlg::Ed25519).build().unwrap()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn refusals_open_no_breaker() {
    let world = guarded();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    for refusal in refusals() {
        world.primary.set_all(Some(Fault::FailBefore(refusal)));
        for _ in 0..20 {
            assert!(world.secret(key.kid()).await.is_err());
        }
    }
    assert_eq!(world.mirror.breakers()[&Backend::Primary], BreakerState::Closed);
}

/// The document is from before a destroy and a create: two questions are open, and a primary that is silent is asked one.
#[tokio::test(start_paused = true)]
async fn promise_7_a_jwks_waits_once_for_a_primary_that_answers_from_the_past_and_falls_silent() {
    let world = bounded();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    let latest = world.mirror.rotate_key(key.kid(), &SpecOverrides::NONE).await.unwrap();
    world.mirror.jwks(&JwksQuery::LATEST).await.unwrap();
    world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.mirror.destroy_key(key.kid(), Some(latest.version())).await.unwrap();

    world.primary.hang();
    world.primary.fail_next(Method::Jwks, Fault::Lie(Lie::Stale));
    let begun = Instant::now();
    let served = world.mirror.jwks(&JwksQuery::LATEST).await.unwrap();
    assert!(begun.elapsed() <= LIMITS.public_read + TICK, "{:?}", begun.elapsed());
    assert_eq!(served.keys.len(), 2, "of the secondary, which has both keys");
    assert!(served.keys.contains(&key.public_jwk().unwrap()));
}

/// It says that a version is disabled, and when it is asked whether that still holds, it says nothing more.
#[tokio::test(start_paused = true)]
async fn promise_7_a_jwks_waits_once_for_a_primary_that_falls_silent_while_it_is_asked_what_is_disabled() {
    let world = bounded();
    let spec = |name| KeySpec::new(KeyAlg::Ed25519).with_kid(kid(name));
    let disabled = world.mirror.create_key(&spec("a")).await.unwrap().with_state(KeyState::Disabled);
    world.mirror.create_key(&spec("b")).await.unwrap();
    world.primary.hang();
    world.primary.fail_next(Method::Jwks, Fault::answer(|_, _| Ok(Arc::<JwkSet>::default().into())));
    world.primary.fail_next(Method::GetKey, Fault::answer(move |_, _| Ok(disabled.clone().into())));
    let begun = Instant::now();
    world.mirror.jwks(&JwksQuery::LATEST).await.unwrap();
    assert!(begun.elapsed() <= LIMITS.public_read + TICK, "{:?}", begun.elapsed());
}

/// The latest version is destroyed while its replica is waited for: the secondary, which is silent, is not asked for the next.
#[tokio::test(start_paused = true)]
async fn promise_7_a_secondary_that_is_silent_is_waited_for_once_also_where_the_latest_changes() {
    for (method, limit) in [(Method::GetKey, LIMITS.public_read), (Method::Sign, LIMITS.secret_read)] {
        let world = bounded();
        let key = world.mirror.create_key(&exportable(KeyAlg::Ed25519)).await.unwrap();
        let latest = world.mirror.rotate(key.kid()).await.unwrap();
        world.primary.outage();
        world.secondary.set(method, Some(Fault::HangBefore));
        let begun = Instant::now();
        let work = world.mirror.work().unwrap();
        let read = async {
            let failed = match method {
                Method::Sign => work.sign(key.kid(), None, b"message").await.is_err(),
                _ => world.read(key.kid(), None).await.is_err(),
            };
            (failed, begun.elapsed())
        };
        let destroy = async {
            tokio::time::sleep(TICK).await;
            world.mirror.destroy_key(key.kid(), Some(latest.version())).await
        };
        let ((failed, took), destroyed) = tokio::join!(read, destroy);
        assert!(failed && destroyed.unwrap_err().is_outage());
        assert!(took <= limit + TICK, "{method:?}: {took:?}");
    }
}
