//! What stands before each call of a side or of the state store: its breaker, its deadline, its figures.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use serde::Serialize;
use swarmauri_keys::{KeyError, KeyErrorKind, KeyId};
use tokio::time::{Instant, Sleep};
use tracing::Span;

use crate::breaker::{Breaker, BreakerSettings, BreakerState, Permit};
use crate::deadline::Class;
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
    /// Whether its calls are left out of the figures.
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

    #[inline]
    pub(crate) fn limit(&self, class: Class) -> Duration {
        self.deadlines.of(class)
    }

    pub(crate) fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// Makes the call, within its deadline, unless the breaker is open. It is asked for only if it is made.
    ///
    /// # Errors
    ///
    /// [`KeyError::Unavailable`] if it was not made; [`KeyError::Timeout`] if it was dropped.
    pub(crate) fn call<'a, F>(&'a self, call: Call<'a>, ask: impl FnOnce() -> F) -> Guarded<'a, F> {
        match self.breaker.admit() {
            Some(permit) => self.call_with(permit, call, ask),
            None => Guarded { guard: self, call, running: None },
        }
    }

    /// Makes a call that there is a permit for.
    pub(crate) fn call_with<'a, F>(
        &'a self,
        permit: Permit<'a>,
        call: Call<'a>,
        ask: impl FnOnce() -> F,
    ) -> Guarded<'a, F> {
        if permit.is_probe() {
            events::breaker_changed(self.backend, BreakerState::HalfOpen, &self.breaker);
        }
        let (span, timer) = (events::call_span(self.backend, &call), figures::Timer::start());
        let running = Running { future: ask(), permit, span, timer, waiting: None };
        Guarded { guard: self, call, running: Some(running) }
    }

    /// Makes the call, as [`Guard::call`] does, and polls it once. Where that gives the answer nothing is kept of the call,
    /// and it costs little more than the backend's own.
    #[allow(
        clippy::inline_always,
        reason = "what is saved is the second copy of the answer, a tenth of the mirror's part"
    )]
    #[inline(always)]
    pub(crate) fn first<'a, F: Future<Output: Answered> + Unpin>(
        &'a self,
        call: Call<'a>,
        context: &mut Context<'_>,
        ask: impl FnOnce() -> F,
    ) -> First<'a, F> {
        if !self.breaker.is_closed() || events::calls_are_heard() {
            return First::of(self.call(call, ask), context);
        }
        let (epoch, timer) = (self.breaker.epoch(), figures::Timer::start());
        let mut future = ask();
        match Pin::new(&mut future).poll(context) {
            Poll::Ready(answer) if answer.error().is_none() => {
                if !self.aside {
                    timer.end(self.backend, call.operation, false, None);
                }
                self.breaker.answered(epoch);
                First::Answered(answer.answered())
            }
            polled => {
                self.first_told(call, Permit::of_call(&self.breaker, epoch), timer, future, polled, context)
            }
        }
    }

    /// What [`Guard::first`] comes to where the first poll is not all there is to the call.
    #[cold]
    fn first_told<'a, F: Future<Output: Answered> + Unpin>(
        &'a self,
        call: Call<'a>,
        mut permit: Permit<'a>,
        timer: figures::Timer,
        future: F,
        polled: Poll<F::Output>,
        context: &mut Context<'_>,
    ) -> First<'a, F> {
        if let Poll::Ready(answer) = polled {
            let how = How { permit: &mut permit, span: None, timer, waited: Duration::ZERO };
            self.ended(call, how, Some(&answer));
            return First::Answered(answer.answered());
        }
        let mut running = Running { future, permit, span: None, timer, waiting: None };
        match running.wait(context, self.limit(call.class)) {
            Poll::Pending => First::Pending(Guarded { guard: self, call, running: Some(running) }),
            Poll::Ready(()) => First::of(Guarded { guard: self, call, running: Some(running) }, context),
        }
    }

    /// The error of a call that is not made because the breaker is open.
    pub(crate) fn not_asked(&self) -> KeyError {
        KeyError::unavailable(match self.backend {
            Backend::Primary => "the primary is not asked: its circuit breaker is open",
            Backend::Secondary => "the secondary is not asked: its circuit breaker is open",
            Backend::State => "the state store is not asked: its circuit breaker is open",
        })
    }

    /// The same, for somebody who would have asked: it is counted.
    pub(crate) fn refuse(&self, operation: &'static str) -> KeyError {
        if !self.aside {
            figures::rejected(self.backend, operation);
        }
        self.not_asked()
    }

    /// What is to be told of a call that ended, or did not in time.
    #[inline]
    fn ended<T: Answered>(&self, call: Call<'_>, how: How<'_, '_>, answer: Option<&T>) {
        let How { permit, span, timer, waited } = how;
        let slow = !waited.is_zero()
            && matches!(call.class, Class::PublicRead | Class::SecretRead)
            && waited * 100 > self.limit(call.class).saturating_mul(self.slow_percent);
        let (outage, error) = (answer.is_none_or(T::is_outage), answer.and_then(T::error));
        if !self.aside {
            timer.end(self.backend, call.operation, answer.is_none(), error);
        }
        events::call_ended(span, answer.is_none(), error);
        if let Some(state) = permit.end(!outage && !slow) {
            events::breaker_changed(self.backend, state, &self.breaker);
        }
    }

    fn timed_out(&self, call: Call<'_>, limit: Duration) -> KeyError {
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

/// What is left of a call that ended.
struct How<'a, 'guard> {
    permit: &'a mut Permit<'guard>,
    span: Option<&'a Span>,
    timer: figures::Timer,
    waited: Duration,
}

/// What became of a call when it was polled for the first time.
pub(crate) enum First<'a, F: Future<Output: Answered>> {
    Answered(<F::Output as Answered>::Guarded),
    /// The task will be woken.
    Pending(Guarded<'a, F>),
}

/// A call that is guarded, by hand: one future around that of the backend, and small.
#[derive(Debug)]
pub(crate) struct Guarded<'a, F> {
    guard: &'a Guard,
    call: Call<'a>,
    /// `None` if it is not made.
    running: Option<Running<'a, F>>,
}

#[derive(Debug)]
struct Running<'a, F> {
    future: F,
    permit: Permit<'a>,
    span: Option<Box<Span>>,
    timer: figures::Timer,
    /// Since when it is waited for, and what ends that. Nobody looks at the time before.
    waiting: Option<Box<Waiting>>,
}

impl<F: Future<Output: Answered> + Unpin> Future for Guarded<'_, F> {
    type Output = <F::Output as Answered>::Guarded;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { guard, call, running } = &mut *self;
        let Some(running) = running else {
            return Poll::Ready(F::Output::failed(guard.refuse(call.operation)));
        };
        let answer = match running.poll(context, guard.limit(call.class)) {
            Poll::Ready(answer) => answer,
            Poll::Pending => return Poll::Pending,
        };
        // It stays where it is: to move it would cost more than the rest.
        guard.ended(*call, running.how(), answer.as_ref());
        Poll::Ready(match answer {
            Some(answer) => answer.answered(),
            None => F::Output::failed(guard.timed_out(*call, guard.limit(call.class))),
        })
    }
}

impl<F> Drop for Guarded<'_, F> {
    fn drop(&mut self) {
        if let Some(running) = &mut self.running
            && let Some(state) = running.permit.give_up()
        {
            events::breaker_changed(self.guard.backend, state, &self.guard.breaker);
        }
    }
}

impl<'a, F: Future<Output: Answered> + Unpin> First<'a, F> {
    fn of(mut guarded: Guarded<'a, F>, context: &mut Context<'_>) -> Self {
        match Pin::new(&mut guarded).poll(context) {
            Poll::Ready(answer) => Self::Answered(answer),
            Poll::Pending => Self::Pending(guarded),
        }
    }
}

impl<'guard, F: Future + Unpin> Running<'guard, F> {
    fn how(&mut self) -> How<'_, 'guard> {
        let waited = self.waiting.as_ref().map(|waiting| waiting.since.elapsed()).unwrap_or_default();
        How { permit: &mut self.permit, span: self.span.as_deref(), timer: self.timer, waited }
    }

    /// The answer; `None` when the time is up.
    fn poll(&mut self, context: &mut Context<'_>, limit: Duration) -> Poll<Option<F::Output>> {
        let Self { future, span, .. } = self;
        let entered = span.as_ref().map(|span| span.enter());
        if let Poll::Ready(answer) = Pin::new(future).poll(context) {
            return Poll::Ready(Some(answer));
        }
        drop(entered);
        self.wait(context, limit).map(|()| None)
    }

    /// Ready when the time is up.
    fn wait(&mut self, context: &mut Context<'_>, limit: Duration) -> Poll<()> {
        let waiting = self.waiting.get_or_insert_with(|| {
            let timer = (limit != Duration::MAX).then(|| Box::pin(tokio::time::sleep(limit)));
            Box::new(Waiting { since: Instant::now(), timer })
        });
        match &mut waiting.timer {
            Some(timer) => timer.as_mut().poll(context),
            None => Poll::Pending,
        }
    }
}

#[derive(Debug)]
struct Waiting {
    since: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

/// What calls come to.
pub(crate) trait Answered: Sized {
    /// The same, or that there was none.
    type Guarded;

    /// Whether the backend failed to answer at all.
    fn is_outage(&self) -> bool;

    /// The error, for events and figures.
    fn error(&self) -> Option<KeyErrorKind>;

    fn answered(self) -> Self::Guarded;

    fn failed(error: KeyError) -> Self::Guarded;
}

impl<T> Answered for Result<T, KeyError> {
    type Guarded = Self;

    fn is_outage(&self) -> bool {
        self.as_ref().is_err_and(KeyError::is_outage)
    }

    fn error(&self) -> Option<KeyErrorKind> {
        self.as_ref().err().map(KeyError::kind)
    }

    fn answered(self) -> Self {
        self
    }

    fn failed(error: KeyError) -> Self {
        Err(error)
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

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use futures_util::FutureExt as _;
    use futures_util::future::{BoxFuture, pending, ready};

    use super::*;

    const CALL: Call<'_> = Call { operation: "get_key", class: Class::PublicRead, kid: None };

    /// Whoever is let through to find out asks, rather than giving that up and asking for it once more.
    #[tokio::test(start_paused = true)]
    async fn the_first_poll_of_a_probe_is_one_probe() {
        let breaker = BreakerSettings { consecutive: 1, ..BreakerSettings::default() };
        let settings = Settings { breaker, ..Settings::default() };
        let guard = Guard::new(Backend::Primary, &settings, fastrand::Rng::with_seed(1));
        let mut context = Context::from_waker(Waker::noop());
        let out = || ready(Err::<(), _>(KeyError::unavailable("told to"))).boxed();
        assert!(matches!(guard.first(CALL, &mut context, out), First::Answered(Err(_))));
        tokio::time::sleep(Duration::from_hours(1)).await;
        let mut changes = guard.breaker().changes();
        let before = *changes.borrow_and_update();
        let silent = || -> BoxFuture<'static, Result<(), KeyError>> { pending().boxed() };
        let asked = guard.first(CALL, &mut context, silent);
        assert!(matches!(asked, First::Pending(_)));
        assert_eq!((guard.breaker().state(), *changes.borrow()), (BreakerState::HalfOpen, before + 1));
    }
}
