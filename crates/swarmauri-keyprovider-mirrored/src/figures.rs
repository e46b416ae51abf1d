//! Counters, gauges and histograms through the `metrics` facade, behind the feature `metrics`. Without it all of this is
//! nothing.
//!
//! `docs/signals.md` lists the names; they are part of what users depend on.

use swarmauri_keys::KeyErrorKind;

use crate::breaker::BreakerState;
use crate::guard::Backend;
use crate::provider::MirroredKeyProvider;
use crate::status::MirrorStatus;

/// The time that a call takes.
#[derive(Debug)]
pub(crate) struct Timer {
    #[cfg(feature = "metrics")]
    begun: std::time::Instant,
}

impl Timer {
    pub(crate) fn start() -> Self {
        Self {
            #[cfg(feature = "metrics")]
            begun: std::time::Instant::now(),
        }
    }
}

#[cfg(feature = "metrics")]
pub(crate) use on::*;

#[cfg(not(feature = "metrics"))]
pub(crate) use off::*;

#[cfg(feature = "metrics")]
mod on {
    use metrics::{counter, gauge, histogram};

    use super::{Backend, BreakerState, KeyErrorKind, MirrorStatus, MirroredKeyProvider, Timer};

    impl Timer {
        pub(crate) fn end(
            self,
            backend: Backend,
            operation: &'static str,
            timed_out: bool,
            error: Option<KeyErrorKind>,
        ) {
            let outcome = match error {
                _ if timed_out => KeyErrorKind::Timeout.as_str(),
                Some(error) => error.as_str(),
                None => "ok",
            };
            let side = backend.as_str();
            counter!("key_mirror_requests_total", "side" => side, "operation" => operation, "outcome" => outcome)
                .increment(1);
            histogram!("key_mirror_request_seconds", "side" => side, "operation" => operation)
                .record(self.begun.elapsed());
        }
    }

    pub(crate) fn rejected(backend: Backend, operation: &'static str) {
        let side = backend.as_str();
        counter!("key_mirror_requests_total", "side" => side, "operation" => operation, "outcome" => "not_asked")
            .increment(1);
    }

    pub(crate) fn breaker(backend: Backend, state: BreakerState) {
        let side = backend.as_str();
        counter!("key_mirror_breaker_transitions_total", "side" => side, "to" => state.as_str()).increment(1);
        gauge!("key_mirror_breaker_state", "side" => side).set(match state {
            BreakerState::Closed => 0.0,
            BreakerState::HalfOpen => 1.0,
            BreakerState::Open => 2.0,
        });
    }

    pub(crate) fn failed_over(operation: &str) {
        counter!("key_mirror_failovers_total", "operation" => operation.to_owned()).increment(1);
    }

    pub(crate) fn hedged(won: bool) {
        let outcome = if won { "won" } else { "lost" };
        counter!("key_mirror_hedges_total", "outcome" => outcome).increment(1);
    }

    pub(crate) fn served_stale_jwks() {
        counter!("key_mirror_stale_jwks_total").increment(1);
    }

    /// All keys have been looked at anyway; once more is nothing beside that.
    pub(crate) fn looked_through(mirror: &MirroredKeyProvider) {
        mirror.status();
    }

    pub(crate) fn backlog(debtors: impl FnOnce() -> usize) {
        gauge!("key_mirror_backlog").set(float(debtors()));
    }

    pub(crate) fn status(status: &MirrorStatus) {
        gauge!("key_mirror_at_risk").set(float(status.at_risk.values().sum()));
        gauge!("key_mirror_tombstones").set(float(status.tombstones));
    }

    #[allow(clippy::cast_precision_loss, reason = "a gauge is a float; 2^52 keys are not to be feared")]
    fn float(count: usize) -> f64 {
        count as f64
    }
}

#[cfg(not(feature = "metrics"))]
mod off {
    use super::{Backend, BreakerState, KeyErrorKind, MirrorStatus, MirroredKeyProvider, Timer};

    impl Timer {
        #[allow(clippy::unused_self, reason = "the one with metrics uses it")]
        pub(crate) fn end(self, _: Backend, _: &'static str, _: bool, _: Option<KeyErrorKind>) {}
    }

    pub(crate) fn rejected(_: Backend, _: &'static str) {}
    pub(crate) fn breaker(_: Backend, _: BreakerState) {}
    pub(crate) fn failed_over(_: &str) {}
    pub(crate) fn hedged(_: bool) {}
    pub(crate) fn served_stale_jwks() {}
    pub(crate) fn looked_through(_: &MirroredKeyProvider) {}
    pub(crate) fn backlog(_: impl FnOnce() -> usize) {}
    pub(crate) fn status(_: &MirrorStatus) {}
}
