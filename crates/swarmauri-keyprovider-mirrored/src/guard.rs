//! What stands before each call of a side or of the state store: its breaker, its deadline, its figures.

use std::fmt;

use serde::Serialize;
use swarmauri_keys::{KeyError, KeyId};
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::breaker::{Breaker, BreakerSettings, BreakerState, Permit};
use crate::deadline::{Class, within};
use crate::settings::Settings;
use crate::{events, figures};

/// What a mirror depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// The system of record.
    Primary,
    /// Where the replicas are.
    Secondary,
    /// Where the mirror keeps its state.
    State,
}

/// Guards the calls of one backend.
#[derive(Debug)]
pub(crate) struct Guard {
    backend: Backend,
    deadlines: crate::deadline::Deadlines,
    slow_percent: u32,
    breaker: Breaker,
    /// Whether its calls are left out of events and figures.
    aside: bool,
}

/// A call, as events and figures know it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) operation: &'static str,
    pub(crate) class: Class,
    pub(crate) kid: Option<&'a KeyId>,
}

impl Guard {
    pub(crate) fn new(backend: Backend, settings: &Settings, random: fastrand::Rng) -> Self {
        Self {
            backend,
            deadlines: settings.deadlines,
            slow_percent: settings.breaker.slow_percent,
            breaker: Breaker::new(settings.breaker, random),
            aside: false,
        }
    }

    /// The same deadlines, without a breaker, for calls that are not to count.
    pub(crate) fn aside(&self) -> Self {
        let Self { backend, deadlines, slow_percent, breaker: _, aside: _ } = *self;
        let breaker = Breaker::new(BreakerSettings::OFF, fastrand::Rng::with_seed(0));
        Self { backend, deadlines, slow_percent, breaker, aside: true }
    }

    pub(crate) fn limit(&self, class: Class) -> std::time::Duration {
        self.deadlines.of(class)
    }

    pub(crate) fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// Makes the call, within its deadline, unless the breaker is open.
    ///
    /// # Errors
    ///
    /// [`KeyError::Unavailable`] if it was not made; [`KeyError::Timeout`] if it was dropped.
    pub(crate) async fn call<T: Answered>(
        &self,
        call: Call<'_>,
        future: impl Future<Output = T>,
    ) -> Result<T, KeyError> {
        let Some(permit) = self.breaker.admit() else {
            figures::rejected(self.backend, call.operation);
            return Err(self.not_asked());
        };
        self.call_with(permit, call, future).await
    }

    /// Makes a call that there is a permit for.
    pub(crate) async fn call_with<T: Answered>(
        &self,
        permit: Permit<'_>,
        call: Call<'_>,
        future: impl Future<Output = T>,
    ) -> Result<T, KeyError> {
        if permit.is_probe() {
            events::breaker_changed(self.backend, BreakerState::HalfOpen, &self.breaker);
        }
        let span = events::call_span(self.backend, &call);
        self.timed(permit, call, &span, future).instrument(span.clone()).await
    }

    /// The error of a call that is not made because the breaker is open.
    pub(crate) fn not_asked(&self) -> KeyError {
        KeyError::unavailable(match self.backend {
            Backend::Primary => "the primary is not asked: its circuit breaker is open",
            Backend::Secondary => "the secondary is not asked: its circuit breaker is open",
            Backend::State => "the state store is not asked: its circuit breaker is open",
        })
    }

    async fn timed<T: Answered>(
        &self,
        permit: Permit<'_>,
        call: Call<'_>,
        span: &tracing::Span,
        future: impl Future<Output = T>,
    ) -> Result<T, KeyError> {
        let limit = self.deadlines.of(call.class);
        let figures = figures::Timer::start();
        let mut future = std::pin::pin!(future);
        let mut waited_since = None;
        // Time is looked at only where there is a wait.
        let answer = within(
            limit,
            std::future::poll_fn(|context| {
                let poll = future.as_mut().poll(context);
                if poll.is_pending() && waited_since.is_none() {
                    waited_since = Some(Instant::now());
                }
                poll
            }),
        )
        .await;
        let slow = matches!(call.class, Class::PublicRead | Class::SecretRead)
            && waited_since
                .is_some_and(|since| since.elapsed() * 100 > limit.saturating_mul(self.slow_percent));
        let outage = answer.as_ref().is_none_or(Answered::is_outage);
        let error = answer.as_ref().and_then(Answered::error);
        if !self.aside {
            figures.end(self.backend, call.operation, answer.is_none(), error);
        }
        events::call_ended(span, answer.is_none(), error);
        if let Some(state) = permit.end(!outage && !slow) {
            events::breaker_changed(self.backend, state, &self.breaker);
        }
        answer.ok_or_else(|| self.timed_out(call, limit))
    }

    fn timed_out(&self, call: Call<'_>, limit: std::time::Duration) -> KeyError {
        let Call { operation, class, kid } = call;
        let (backend, limit) = (self.backend, humantime::format_duration(limit));
        let unknown = match class {
            Class::PublicRead | Class::SecretRead => "",
            Class::Write | Class::Mirror | Class::State => "; whether it took effect is unknown",
        };
        match kid {
            Some(kid) => KeyError::timeout_of(
                kid,
                format!("the {backend} has not answered {operation} of {kid} within {limit}{unknown}"),
            ),
            None => KeyError::timeout(format!(
                "the {backend} has not answered {operation} within {limit}{unknown}"
            )),
        }
    }
}

/// What calls come to.
pub(crate) trait Answered {
    /// Whether the backend failed to answer at all.
    fn is_outage(&self) -> bool;

    /// The error, for events and figures.
    fn error(&self) -> Option<swarmauri_keys::KeyErrorKind>;
}

impl<T> Answered for Result<T, KeyError> {
    fn is_outage(&self) -> bool {
        self.as_ref().is_err_and(KeyError::is_outage)
    }

    fn error(&self) -> Option<swarmauri_keys::KeyErrorKind> {
        self.as_ref().err().map(KeyError::kind)
    }
}

impl Backend {
    /// The name that serde, `Display`, events and metrics use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
            Self::State => "state",
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::State => "state store",
            side => side.as_str(),
        })
    }
}
