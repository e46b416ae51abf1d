//! Upkeep that the user runs: pays debts as they arise, asks for sides that are out, reconciles now and then.
//!
//! It is one future. Nothing of it runs unless somebody polls it, and it may be stopped or dropped at any moment.

mod schedule;

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use serde::{Deserialize, Serialize};
use swarmauri_keys::KeyId;
use tracing::Instrument as _;

use self::schedule::{Debtor, Schedule};
use crate::deadline::{LONGEST_WAIT, within};
use crate::figures;
use crate::plan::Step;
use crate::provider::MirroredKeyProvider;
use crate::side::Side;

/// What [`maintain`](MirroredKeyProvider::maintain) does, and how often.
///
/// A debt that could not be paid is tried again after a time drawn from nought to
/// [`retry_after`](Self::retry_after), doubled with each try up to [`retry_at_most`](Self::retry_at_most): exponential
/// backoff with full jitter. When a side that was out is back, everything is tried at once, as far as
/// [`Settings::repairs_at_once`](crate::Settings::repairs_at_once) lets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Maintenance {
    /// How long a debt waits at most before it is tried a second time. Default: 500 ms.
    #[serde(with = "crate::durations")]
    pub retry_after: Duration,
    /// How long it waits at most, however often it was tried. Default: 5 min.
    #[serde(with = "crate::durations")]
    pub retry_at_most: Duration,
    /// How long one try may take, all its calls together. Default: 30 s.
    #[serde(with = "crate::durations")]
    pub try_deadline: Duration,
    /// How often all keys of both sides are compared; the first time at once. Default: 5 min.
    #[serde(with = "crate::durations")]
    pub reconcile_every: Duration,
}

/// What [`maintain`](MirroredKeyProvider::maintain) did until it was stopped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct MaintenanceReport {
    /// How often a key was looked at, and nothing of it was owed any more.
    pub paid: u64,
    /// How often that failed; it was tried again, or is still owed.
    pub failed: u64,
    /// How often all keys were compared.
    pub reconciled: u64,
    /// How often a side that was out was asked whether it is back.
    pub probes: u64,
}

/// What became of one try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tried {
    Paid,
    Failed,
    /// Somebody is writing to the key; what they leave behind is seen later.
    Busy,
}

type Repairs<'a> = FuturesUnordered<Pin<Box<dyn Future<Output = (Debtor, Tried)> + Send + 'a>>>;

impl MirroredKeyProvider {
    /// Keeps the mirror in order until told to stop: pays what is owed, asks sides that are out whether they are back
    /// (callers need not, then), and reconciles at once and from time to time.
    ///
    /// Spawn it, and keep the handle by which it is stopped:
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use swarmauri_keyprovider_mirrored::MirroredKeyProvider;
    /// # async fn example(mirror: Arc<MirroredKeyProvider>) {
    /// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    /// let upkeep = tokio::spawn({
    ///     let mirror = Arc::clone(&mirror);
    ///     async move { mirror.maintain(async { drop(stopped.await) }).await }
    /// });
    /// // … serve …
    /// drop(stop);
    /// let report = upkeep.await;
    /// # }
    /// ```
    ///
    /// When `stop` is ready nothing more is begun; what is in flight ends, which takes no longer than
    /// [`Maintenance::try_deadline`]. It may be dropped instead: what was under way is recorded, and the next one goes on. In
    /// each process one is enough; several do no harm, nor do those of several processes on one state store.
    pub async fn maintain(&self, stop: impl Future<Output = ()> + Send) -> MaintenanceReport {
        let span = tracing::info_span!("key_mirror.maintain");
        self.keep_up(stop).instrument(span).await
    }

    async fn keep_up(&self, stop: impl Future<Output = ()> + Send) -> MaintenanceReport {
        let (probes, mut report) = (AtomicU64::new(0), MaintenanceReport::default());
        let mut schedule = Schedule::new(self.settings.maintenance, self.another_random());
        let mut repairs: Repairs<'_> = FuturesUnordered::new();
        let (mut stop, sides) = (pin!(stop), [&self.primary, &self.secondary]);
        let [ask_primary, ask_secondary] = sides.map(|side| self.keep_asking(side, &probes));
        let mut ask = pin!(join(ask_primary, ask_secondary));
        let [mut primary, mut secondary] = sides.map(|side| side.breaker().changes());
        loop {
            if schedule.reconcile_is_due() && self.both_up() && repairs.is_empty() {
                let stopping = AtomicBool::new(false);
                let mut reconcile = pin!(self.reconcile_while(|| !stopping.load(Ordering::Acquire), |_| {}));
                tokio::select! {
                    biased;
                    () = &mut stop => {
                        stopping.store(true, Ordering::Release);
                        reconcile.await;
                        break;
                    }
                    _ = &mut ask => {}
                    _ = &mut reconcile => {
                        report.reconciled += 1;
                        schedule.reconciled();
                    }
                }
                continue;
            }
            self.begin_repairs(&mut schedule, &mut repairs);
            // Before all keys are compared, what is under way ends, and nothing else begins.
            let ending = schedule.reconcile_is_due() && self.both_up();
            let full = ending || repairs.len() >= self.settings.repairs_at_once.get();
            let wake = schedule.next_event(full, self.both_up() && !ending);
            tokio::select! {
                biased;
                () = &mut stop => break,
                _ = &mut ask => {}
                Some((debtor, tried)) = repairs.next(), if !repairs.is_empty() => {
                    report.note(tried);
                    schedule.tried(debtor, tried);
                    // Whoever serves on this thread comes first.
                    tokio::task::yield_now().await;
                }
                _ = primary.changed() => schedule.a_side_changed(self.both_up()),
                _ = secondary.changed() => schedule.a_side_changed(self.both_up()),
                () = self.map.owed().notified() => schedule.look_soon(),
                () = tokio::time::sleep_until(wake) => {
                    schedule.woken();
                    figures::backlog(|| self.debtors());
                }
            }
        }
        while let Some((_, tried)) = repairs.next().await {
            report.note(tried);
        }
        report.probes = probes.load(Ordering::Relaxed);
        report
    }

    /// Begins what is due, as long as there is room.
    fn begin_repairs<'a>(&'a self, schedule: &mut Schedule, repairs: &mut Repairs<'a>) {
        if schedule.reconcile_is_due() && self.both_up() {
            // That does all of it.
            return;
        }
        while repairs.len() < self.settings.repairs_at_once.get()
            && let Some(debtor) = schedule.next_due(self)
        {
            repairs.push(Box::pin(async move {
                let tried = self.pay(&debtor).await;
                (debtor, tried)
            }));
        }
    }

    fn both_up(&self) -> bool {
        self.primary.breaker().is_closed() && self.secondary.breaker().is_closed()
    }

    /// Asks a side that is out, each time its breaker lets one call through, whether it is back.
    async fn keep_asking(&self, side: &Side, probes: &AtomicU64) {
        let turns = side.breaker().prober();
        loop {
            let permit = turns.turn().await;
            let kid = self.map.page(None, 1).into_iter().next().map(|(kid, _)| kid);
            // A key that is not there does as well: "not found" is an answer.
            match kid.map_or_else(|| KeyId::new("mirror-probe"), Ok) {
                Ok(kid) => side.ask_whether_back(permit, &kid).await,
                Err(_) => return,
            }
            probes.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn pay(&self, debtor: &Debtor) -> Tried {
        let limit = self.settings.maintenance.try_deadline;
        let steps = match debtor {
            Debtor::Intent(tag) => vec![Step::SettleTaggedIntent { tag: tag.clone() }],
            Debtor::Key(kid) => {
                if self.locks.try_lock(kid).is_none() {
                    return Tried::Busy;
                }
                self.debts_of(kid)
            }
        };
        let pay = async {
            let mut paid = true;
            for step in steps {
                paid &= self.apply_step(&step).await.is_ok();
            }
            paid
        };
        let paid = within(limit, pay).await == Some(true);
        let more = || matches!(debtor, Debtor::Key(kid) if !self.debts_of(kid).is_empty());
        if paid && !more() { Tried::Paid } else { Tried::Failed }
    }

    /// What a debt takes.
    pub(crate) fn can_be_tried(&self, debtor: &Debtor) -> bool {
        let (primary, secondary) = (self.primary.breaker().is_closed(), self.secondary.breaker().is_closed());
        let Debtor::Key(kid) = debtor else {
            return primary;
        };
        self.debts_of(kid).iter().any(|step| match step {
            Step::FinishDestroy { kid, version } => {
                let known = self.map.get(kid);
                let gone =
                    known.is_some_and(|known| known.record.unsought || known.record.is_destroyed(*version));
                if gone { secondary } else { primary }
            }
            Step::SettleIntent { .. } | Step::SettleState { .. } => primary,
            _ => primary && secondary,
        })
    }

    fn another_random(&self) -> fastrand::Rng {
        self.random.lock().fork()
    }
}

impl Maintenance {
    pub(crate) fn check(&self) -> Result<(), String> {
        let Self { retry_after, retry_at_most, try_deadline, reconcile_every } = *self;
        if retry_after.is_zero() || retry_at_most < retry_after || retry_at_most > LONGEST_WAIT {
            return Err(
                "maintenance.retry_after must be more than zero, and maintenance.retry_at_most no less than \
                        that and no more than a year"
                    .to_owned(),
            );
        }
        if try_deadline.is_zero() || reconcile_every.is_zero() {
            return Err(
                "maintenance.try_deadline and maintenance.reconcile_every must be more than zero".to_owned()
            );
        }
        Ok(())
    }
}

impl Default for Maintenance {
    fn default() -> Self {
        Self {
            retry_after: Duration::from_millis(500),
            retry_at_most: Duration::from_mins(5),
            try_deadline: Duration::from_secs(30),
            reconcile_every: Duration::from_mins(5),
        }
    }
}

impl MaintenanceReport {
    fn note(&mut self, tried: Tried) {
        match tried {
            Tried::Paid => self.paid += 1,
            Tried::Failed => self.failed += 1,
            Tried::Busy => {}
        }
    }
}
