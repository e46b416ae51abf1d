//! What the mirror tells the outside: one function per event, so that names and fields stay stable.
//!
//! No event carries secret material; errors do not either.

use std::time::Duration;

use swarmauri_keys::{KeyError, KeyErrorKind, KeyId, KeyRef, KeyVersion, KeyVersionId};
use tracing::{Span, debug, debug_span, info, warn};

use crate::breaker::{Breaker, BreakerState};
use crate::figures;
use crate::guard::{Backend, Call};

fn show(version: Option<KeyVersion>) -> String {
    version.map_or_else(|| "latest".to_owned(), |version| version.to_string())
}

/// The primary had lost a version, and has been given it back.
pub(crate) fn restored(id: &KeyVersionId) {
    info!(kid = %id.kid, version = %id.version, "restored to the primary");
}

/// The secondary did not take a copy; it is owed.
pub(crate) fn copy_failed(id: &KeyVersionId, error: &KeyError) {
    warn!(kid = %id.kid, version = %id.version, kind = %error.kind(), %error, "mirror copy failed");
}

/// Mode `full` copies less than everything: the policy, or the primary itself, keeps the secret.
pub(crate) fn fell_back(key: &KeyRef) {
    let (kid, version, policy) = (key.kid(), key.version(), key.export_policy());
    info!(%kid, %version, %policy, "mirror copies the public key only");
}

/// A replica could not be destroyed; that is owed.
pub(crate) fn replica_destroy_failed(id: &KeyVersionId, error: &KeyError) {
    warn!(kid = %id.kid, version = %id.version, kind = %error.kind(), %error, "mirror destroy failed");
}

/// A replica could not be disabled or enabled; that is owed. The mirror itself goes by what the primary said.
pub(crate) fn replica_state_failed(id: &KeyVersionId, error: &KeyError) {
    warn!(kid = %id.kid, version = %id.version, kind = %error.kind(), %error, "mirror state failed");
}

/// Whether the primary has done what it was asked for is not known.
///
/// There is no `kid` yet where the primary takes none.
pub(crate) fn outcome_unknown(operation: &str, kid: Option<&KeyId>, error: &KeyError) {
    let kid = kid.map(KeyId::as_str);
    warn!(operation, kid, kind = %error.kind(), %error, "outcome on the primary is unknown");
}

/// The secondary is asked, because the primary failed. While the primary is left alone that is nothing new.
pub(crate) fn failing_over(
    primary: &Breaker,
    operation: &str,
    kid: &KeyId,
    version: Option<KeyVersion>,
    error: &KeyError,
) {
    figures::failed_over(operation);
    if primary.is_closed() {
        warn!(operation, %kid, version = show(version), kind = %error.kind(), %error, "failing over to the secondary");
    } else {
        debug!(operation, %kid, version = show(version), kind = %error.kind(), %error, "failing over to the secondary");
    }
}

/// The secondary is asked for something that is not about one key.
pub(crate) fn failing_over_all(primary: &Breaker, operation: &str, error: &KeyError) {
    figures::failed_over(operation);
    if primary.is_closed() {
        warn!(operation, kind = %error.kind(), %error, "failing over to the secondary");
    } else {
        debug!(operation, kind = %error.kind(), %error, "failing over to the secondary");
    }
}

/// Neither side answers: a JWKS of this age is served.
pub(crate) fn serving_stale_jwks(age: Duration) {
    figures::served_stale_jwks();
    warn!(age_seconds = age.as_secs(), "serving the last good JWKS; neither side answers");
}

/// A backend is left alone, asked for a try, or asked as before.
pub(crate) fn breaker_changed(backend: Backend, to: BreakerState, breaker: &Breaker) {
    figures::breaker(backend, to);
    let side = backend.as_str();
    match to {
        BreakerState::Open => {
            let wait_ms = breaker.wait().map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
            warn!(side, to = to.as_str(), wait_ms, "circuit breaker opened");
        }
        BreakerState::HalfOpen => info!(side, to = to.as_str(), "circuit breaker lets one call through"),
        BreakerState::Closed => info!(side, to = to.as_str(), "circuit breaker closed"),
    }
}

/// The span of one call of a backend.
///
/// `None` if nobody listens: a span is large beside what else a call carries with it.
pub(crate) fn call_span(backend: Backend, call: &Call<'_>) -> Option<Box<Span>> {
    let span = debug_span!(
        "key_mirror.call",
        side = backend.as_str(),
        operation = call.operation,
        kid = call.kid.map(KeyId::as_str),
        outcome = tracing::field::Empty,
    );
    (!span.is_disabled()).then(|| Box::new(span))
}

/// Whether anybody may listen to the spans of calls.
pub(crate) fn calls_are_heard() -> bool {
    tracing::level_enabled!(tracing::Level::DEBUG)
}

/// How that call ended.
pub(crate) fn call_ended(span: Option<&Span>, timed_out: bool, error: Option<KeyErrorKind>) {
    if let Some(span) = span {
        let outcome = if timed_out { Some(KeyErrorKind::Timeout) } else { error };
        span.record("outcome", outcome.map_or("ok", KeyErrorKind::as_str));
    }
}

/// The secondary failed too.
pub(crate) fn secondary_failed(operation: &str, error: &KeyError) {
    warn!(operation, kind = %error.kind(), %error, "the secondary failed");
}

/// The secondary answered with a key that is not the one that was copied.
pub(crate) fn wrong_key(id: &KeyVersionId, error: &KeyError) {
    warn!(kid = %id.kid, version = %id.version, %error, "the secondary answered with a wrong key");
}

/// The secondary no longer has a replica; it is owed again.
pub(crate) fn replica_lost(id: &KeyVersionId) {
    warn!(kid = %id.kid, version = %id.version, "replica lost");
}

/// Two replicas claim to be of one version, and differ.
pub(crate) fn rival_replicas(id: &KeyVersionId) {
    warn!(kid = %id.kid, version = %id.version, "replicas contradict each other; none is served");
}

/// The primary gave a new key the name of one that was there before.
pub(crate) fn name_reused(id: &KeyVersionId) {
    warn!(kid = %id.kid, version = %id.version, "the primary used a version again");
}

/// What other processes wrote to the mirror's state cannot be read; the mirror goes on with what it knows.
pub(crate) fn state_store_failed(error: &KeyError) {
    warn!(kind = %error.kind(), %error, "the state of the mirror is out of reach");
}
