//! What the mirror tells the outside is what `docs/signals.md` says.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::FutureExt as _;
use swarmauri_keyprovider::KeyProviderExt;
use swarmauri_keyprovider_mirrored::{Backend, BreakerSettings, BreakerState, Deadlines};
use swarmauri_keyprovider_testkit::capture_tracing_of;
use swarmauri_keys::KeyAlg;

use crate::support::*;

fn page() -> String {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/signals.md");
    std::fs::read_to_string(page).unwrap()
}

/// The first words in backticks of the tables' rows.
fn rows() -> BTreeSet<String> {
    let page = page();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next().map(str::to_owned));
    rows.collect()
}

/// What is between quotes and begins like this.
fn quoted(file: &str, beginning: &str) -> BTreeSet<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let quoted = text.split('"').skip(1).step_by(2);
    quoted.filter(|text| text.starts_with(beginning)).map(str::to_owned).collect()
}

#[test]
fn every_metric_and_span_is_documented_and_there() {
    let mut there = quoted("figures.rs", "key_mirror_");
    for file in ["events.rs", "maintain.rs", "reconcile.rs", "drill.rs"] {
        there.extend(quoted(file, "key_mirror."));
    }
    let documented: BTreeSet<_> = rows().into_iter().filter(|row| row.starts_with("key_mirror")).collect();
    assert_eq!(documented, there);
}

#[test]
fn every_event_is_documented() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/events.rs");
    let text = std::fs::read_to_string(path).unwrap();
    let messages = text.lines().filter(|line| line.trim_end().ends_with("\");") || line.contains("!("));
    let messages = messages.filter_map(|line| line.rsplit('"').nth(1)).filter(|text| text.contains(' '));
    let told: BTreeSet<_> = messages.map(str::to_owned).collect();
    assert!(told.len() >= 15, "{told:?}");
    let documented = rows();
    for message in told {
        assert!(documented.contains(&message), "{message:?} is not in docs/signals.md");
    }
}

#[tokio::test]
async fn a_call_of_a_side_has_a_span_with_its_outcome() {
    let world = world();
    let (key, told) = capture_tracing_of(world.mirror.create(KeyAlg::Ed25519)).await;
    let key = key.unwrap();
    assert!(told.contains("key_mirror.call") && told.contains("operation=\"create_key\""), "{told}");
    assert!(told.contains("side=\"primary\"") && told.contains("side=\"secondary\""), "{told}");
    assert!(told.contains(&format!("kid=\"{}\"", key.kid())) && told.contains("outcome=\"ok\""), "{told}");
    world.primary.outage();
    let (_, told) = capture_tracing_of(world.read(key.kid(), None)).await;
    assert!(told.contains("outcome=\"unavailable\""), "{told}");
}

/// Else it would be shown as asking for as long as nobody asks again.
#[tokio::test(start_paused = true)]
async fn a_dropped_probe_is_told_like_one_that_failed() {
    let world = world_with(|builder| {
        builder.deadlines(Deadlines::default()).breaker(BreakerSettings::default()).seed(7)
    });
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.outage();
    let state = || world.mirror.breakers()[&Backend::Primary];
    while state() == BreakerState::Closed {
        world.read(key.kid(), None).await.unwrap();
    }
    world.primary.hang();
    let ((), told) = capture_tracing_of(async {
        tokio::time::sleep(Duration::from_mins(1)).await;
        assert!(world.read(key.kid(), None).now_or_never().is_none());
    })
    .await;
    assert_eq!(state(), BreakerState::Open);
    let told: Vec<_> = told.lines().filter(|line| line.contains("breaker")).collect();
    assert!(told.len() == 2 && told[0].contains("half_open") && told[1].contains("\"open\""), "{told:?}");
}

#[cfg(feature = "metrics")]
mod figures {
    use std::collections::BTreeMap;

    use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
    use swarmauri_keyprovider::KeyProvider;

    use super::*;

    /// Counters and gauges, by name and labels.
    fn figures(snapshot: &Snapshotter) -> BTreeMap<String, f64> {
        let mut figures = BTreeMap::new();
        for (key, _, _, value) in snapshot.snapshot().into_vec() {
            let labels: Vec<_> =
                key.key().labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
            let value = match value {
                DebugValue::Counter(count) => f64::from(u32::try_from(count).unwrap()),
                DebugValue::Gauge(value) => value.into_inner(),
                DebugValue::Histogram(times) => f64::from(u32::try_from(times.len()).unwrap()),
            };
            figures.insert(format!("{} {}", key.key().name(), labels.join(" ")), value);
        }
        figures
    }

    #[test]
    fn an_outage_shows_in_the_figures() {
        let recorder = DebuggingRecorder::new();
        let snapshot = recorder.snapshotter();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        ::metrics::with_local_recorder(&recorder, || {
            runtime.block_on(async {
                let world = world_with(|builder| builder.breaker(BreakerSettings::default()));
                let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
                world.secondary.outage();
                world.mirror.create(KeyAlg::Ed25519).await.unwrap();
                world.secondary.recover();
                world.primary.outage();
                for _ in 0..7 {
                    world.mirror.get_public_jwk(key.kid(), None).await.unwrap();
                }
                for _ in 0..3 {
                    world.read(key.kid(), None).await.unwrap();
                }
                world.mirror.status();
            });
        });
        let figures = figures(&snapshot);
        for (name, value) in [
            ("key_mirror_requests_total side=primary operation=create_key outcome=ok", 2.0),
            ("key_mirror_requests_total side=secondary operation=import_key outcome=ok", 1.0),
            ("key_mirror_requests_total side=secondary operation=import_key outcome=unavailable", 1.0),
            ("key_mirror_requests_total side=primary operation=get_public_jwk outcome=unavailable", 5.0),
            ("key_mirror_requests_total side=primary operation=get_public_jwk outcome=not_asked", 2.0),
            ("key_mirror_requests_total side=primary operation=get_key outcome=not_asked", 3.0),
            ("key_mirror_request_seconds side=primary operation=get_public_jwk", 5.0),
            ("key_mirror_failovers_total operation=get_public_jwk", 7.0),
            ("key_mirror_failovers_total operation=get_key", 3.0),
            ("key_mirror_breaker_transitions_total side=primary to=open", 1.0),
            ("key_mirror_breaker_state side=primary", 2.0),
            ("key_mirror_backlog ", 1.0),
            ("key_mirror_at_risk ", 1.0),
            ("key_mirror_tombstones ", 0.0),
        ] {
            assert_eq!(figures.get(name), Some(&value), "{name} in {figures:#?}");
        }
    }
}
