//! The circuit breaker: a side that fails is left alone for a while, and then asked by one caller at a time.
//!
//! ```text
//!            too many failures                 the wait is over: one probe
//!  Closed ────────────────────▶ Open ─────────────────────────────▶ HalfOpen
//!    ▲                           ▲                                    │   │
//!    │                           └──────── the probe failed ──────────┘   │
//!    └──────────────────────────────────── it was answered ───────────────┘
//! ```
//!
//! A side that answers every call costs it two loads, and no lock.

mod settings;

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::Instant;

pub use settings::{BreakerSettings, BreakerState};

/// Whether a side is asked.
#[derive(Debug)]
pub(crate) struct Breaker {
    settings: BreakerSettings,
    /// While closed: how the latest calls ended, the latest in the lowest bit; 1 is a failure.
    outcomes: AtomicU64,
    /// While closed: how many more calls must be answered before the side counts as well again. Until then one failure
    /// opens.
    probation: AtomicU32,
    /// Whether it is closed; if not, `inner` says what it is.
    closed: AtomicBool,
    /// Grows with every transition, so that what was asked before one does not count after it.
    epoch: AtomicU64,
    /// While not closed: when the side may be asked again, in nanoseconds after `begun`; `NEVER` while a probe is out.
    again: AtomicU64,
    begun: Instant,
    inner: Mutex<Inner>,
    /// Tells of every transition.
    changed: watch::Sender<u64>,
    /// How many there are that ask by themselves whether the side is back. Callers leave it to them, then.
    probers: AtomicU32,
}

#[derive(Debug)]
struct Inner {
    state: BreakerState,
    /// How often it has opened since the side was well.
    opened: u32,
    random: fastrand::Rng,
}

const NEVER: u64 = u64::MAX;

/// How long callers wait, in nanoseconds, for somebody who said that he would ask and does not.
const PATIENCE: u64 = 5_000_000_000;

/// Asks by itself whether the side is back.
#[derive(Debug)]
pub(crate) struct Prober<'a> {
    breaker: &'a Breaker,
}

impl<'a> Prober<'a> {
    /// Waits until it is time to ask, and has the right to.
    pub(crate) async fn turn(&self) -> Permit<'a> {
        let mut changes = self.breaker.changes();
        loop {
            let wait = if self.breaker.is_closed() { None } else { self.breaker.wait() };
            if let Some(wait) = wait {
                if wait.is_zero()
                    && let Some(permit) = self.breaker.admit_probe(0)
                {
                    return permit;
                }
                // Never at once: somebody else may be asking just now.
                tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
            } else if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Drop for Prober<'_> {
    fn drop(&mut self) {
        self.breaker.probers.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The right to ask once. Whoever has it says how that ended; a call that is dropped says nothing.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    breaker: &'a Breaker,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Call { epoch: u64 },
    Probe { epoch: u64 },
    Ended,
}

impl Breaker {
    pub(crate) fn new(settings: BreakerSettings, random: fastrand::Rng) -> Self {
        Self {
            settings,
            outcomes: AtomicU64::new(0),
            probation: AtomicU32::new(0),
            closed: AtomicBool::new(true),
            epoch: AtomicU64::new(0),
            again: AtomicU64::new(NEVER),
            begun: Instant::now(),
            inner: Mutex::new(Inner { state: BreakerState::Closed, opened: 0, random }),
            changed: watch::Sender::new(0),
            probers: AtomicU32::new(0),
        }
    }

    /// The right to ask the side now, if it is to be asked.
    #[inline]
    pub(crate) fn admit(&self) -> Option<Permit<'_>> {
        if self.is_closed() {
            return Some(Permit::of_call(self, self.epoch()));
        }
        self.admit_probe(self.patience())
    }

    /// How long after the wait is over a caller asks, for want of somebody who does so by himself.
    fn patience(&self) -> u64 {
        if self.probers.load(Ordering::Acquire) == 0 { 0 } else { PATIENCE }
    }

    fn admit_probe(&self, patience: u64) -> Option<Permit<'_>> {
        let is_time = || self.now() >= self.again.load(Ordering::Acquire).saturating_add(patience);
        if !is_time() {
            return None;
        }
        let mut inner = self.inner.lock();
        match inner.state {
            BreakerState::Open if is_time() => {
                self.again.store(NEVER, Ordering::Release);
                let epoch = self.change(&mut inner, BreakerState::HalfOpen);
                Some(Permit { breaker: self, kind: Kind::Probe { epoch } })
            }
            BreakerState::Closed => Some(Permit::of_call(self, self.epoch())),
            BreakerState::Open | BreakerState::HalfOpen => None,
        }
    }

    /// Whether the side would be asked now.
    pub(crate) fn admits(&self) -> bool {
        self.is_closed() || self.now() >= self.again.load(Ordering::Acquire).saturating_add(self.patience())
    }

    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(crate) fn state(&self) -> BreakerState {
        self.inner.lock().state
    }

    /// How long it is until the side may be asked again; zero if it may now, `None` while a probe is out.
    pub(crate) fn wait(&self) -> Option<Duration> {
        if self.is_closed() {
            return Some(Duration::ZERO);
        }
        match self.again.load(Ordering::Acquire) {
            NEVER => None,
            again => Some(Duration::from_nanos(again.saturating_sub(self.now()))),
        }
    }

    /// Told of the transitions from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Until it is dropped, callers leave it to somebody else to ask whether the side is back.
    pub(crate) fn prober(&self) -> Prober<'_> {
        self.probers.fetch_add(1, Ordering::AcqRel);
        Prober { breaker: self }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(NEVER - 1)
    }

    /// The number of transitions so far, by which a call that began now is known when it ends.
    #[inline]
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// A call that began in this epoch, while the breaker was closed, was answered.
    #[inline]
    pub(crate) fn answered(&self, epoch: u64) {
        let quiet = self.outcomes.load(Ordering::Relaxed) == 0 && self.probation.load(Ordering::Relaxed) == 0;
        if quiet || !self.settings.enabled || epoch != self.epoch() {
            return;
        }
        let _ = self.outcomes.fetch_update(Ordering::AcqRel, Ordering::Acquire, |known| Some(known << 1));
        let left =
            self.probation.fetch_update(Ordering::AcqRel, Ordering::Acquire, |calls| calls.checked_sub(1));
        if left == Ok(1) {
            self.inner.lock().opened = 0;
        }
    }

    fn failed(&self, epoch: u64) -> Option<BreakerState> {
        if !self.settings.enabled {
            return None;
        }
        let mut inner = self.inner.lock();
        if inner.state != BreakerState::Closed || epoch != self.epoch() {
            return None;
        }
        let noted =
            self.outcomes.fetch_update(Ordering::AcqRel, Ordering::Acquire, |known| Some(known << 1 | 1));
        let outcomes = noted.unwrap_or_default() << 1 | 1;
        let on_probation = self.probation.load(Ordering::Acquire) > 0;
        if !on_probation && !self.settings.opens_on(outcomes) {
            return None;
        }
        self.open(&mut inner);
        Some(BreakerState::Open)
    }

    fn open(&self, inner: &mut Inner) {
        let longest = self.settings.wait_after(inner.opened);
        inner.opened = inner.opened.saturating_add(1);
        // Half of it at least, so that the side has its rest; the other half by chance, so that many processes do not
        // ask at once.
        let half = longest / 2;
        let wait = half + half.mul_f64(inner.random.f64());
        let again = self.now().saturating_add(u64::try_from(wait.as_nanos()).unwrap_or(NEVER));
        self.again.store(again.min(NEVER - 1), Ordering::Release);
        self.change(inner, BreakerState::Open);
    }

    fn probe_ended(&self, epoch: u64, answered: bool) -> Option<BreakerState> {
        let mut inner = self.inner.lock();
        if epoch != self.epoch() {
            return None;
        }
        if answered {
            self.outcomes.store(0, Ordering::Release);
            self.probation.store(self.settings.probation, Ordering::Release);
            if self.settings.probation == 0 {
                inner.opened = 0;
            }
            self.change(&mut inner, BreakerState::Closed);
            Some(BreakerState::Closed)
        } else {
            self.open(&mut inner);
            Some(BreakerState::Open)
        }
    }

    /// The caller that was to find out has gone away: the next one does.
    fn probe_dropped(&self, epoch: u64) -> Option<BreakerState> {
        let mut inner = self.inner.lock();
        if epoch != self.epoch() {
            return None;
        }
        self.again.store(0, Ordering::Release);
        self.change(&mut inner, BreakerState::Open);
        Some(BreakerState::Open)
    }

    /// To be called with the lock held; `again` is set before.
    fn change(&self, inner: &mut Inner, to: BreakerState) -> u64 {
        inner.state = to;
        let epoch = self.epoch.fetch_add(1, Ordering::AcqRel) + 1;
        self.closed.store(to == BreakerState::Closed, Ordering::Release);
        self.changed.send_replace(epoch);
        epoch
    }
}

impl<'a> Permit<'a> {
    /// Of a call that began in this epoch, while the breaker was closed.
    pub(crate) fn of_call(breaker: &'a Breaker, epoch: u64) -> Self {
        Self { breaker, kind: Kind::Call { epoch } }
    }

    /// Whether this is the one call that finds out whether the side is back.
    #[inline]
    pub(crate) fn is_probe(&self) -> bool {
        matches!(self.kind, Kind::Probe { .. })
    }

    /// Says how the call ended. The state that the breaker has gone over to by that, if it has.
    #[inline]
    pub(crate) fn end(&mut self, answered: bool) -> Option<BreakerState> {
        match std::mem::replace(&mut self.kind, Kind::Ended) {
            Kind::Call { epoch } if answered => {
                self.breaker.answered(epoch);
                None
            }
            Kind::Call { epoch } => self.breaker.failed(epoch),
            Kind::Probe { epoch } => self.breaker.probe_ended(epoch, answered),
            Kind::Ended => None,
        }
    }

    /// The call was dropped. The state that the breaker has gone over to by that, if it has.
    #[inline]
    pub(crate) fn give_up(&mut self) -> Option<BreakerState> {
        match std::mem::replace(&mut self.kind, Kind::Ended) {
            Kind::Probe { epoch } => self.breaker.probe_dropped(epoch),
            Kind::Call { .. } | Kind::Ended => None,
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.give_up();
    }
}
