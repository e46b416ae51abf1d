//! What maintenance tries next, and when.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use swarmauri_keys::KeyId;
use tokio::time::Instant;

use super::{Maintenance, Tried};
use crate::provider::MirroredKeyProvider;

/// How long maintenance sleeps at most, so that it also sees what other processes wrote.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How soon after one look at what is owed comes the next, at least: writes during an outage bring many.
const LOOK_AT_MOST: Duration = Duration::from_millis(100);
/// How long a create may be under way, at most, before its outcome is looked for.
const LONGEST_GRACE: Duration = Duration::from_mins(1);
/// How many debtors are looked at before something else gets its turn.
const LOOK_AT_ONCE: usize = 64;

/// Who owes something.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Debtor {
    Key(KeyId),
    /// A create under way on a primary that takes no `kid`, by its tag.
    Intent(String),
}

/// What is tried next, and when.
#[derive(Debug)]
pub(super) struct Schedule {
    settings: Maintenance,
    random: fastrand::Rng,
    /// Those that have to wait, and the longest of their waits to come, one after the other; `None` until the first try
    /// has failed.
    waiting: HashMap<Debtor, Option<ExponentialBackoff>>,
    /// The same, in the order in which their turn comes.
    queue: BTreeSet<(Instant, Debtor)>,
    /// Those that are being tried, likewise.
    trying: HashMap<Debtor, Option<ExponentialBackoff>>,
    look: Look,
    looked: Option<Instant>,
    /// `None`: never.
    reconcile_at: Option<Instant>,
}

/// The look at who owes something.
#[derive(Debug)]
enum Look {
    NotWanted,
    Wanted,
    /// Under way, after this `kid`.
    At(Option<KeyId>),
}

impl Schedule {
    pub(super) fn new(settings: Maintenance, random: fastrand::Rng) -> Self {
        Self {
            settings,
            random,
            waiting: HashMap::new(),
            queue: BTreeSet::new(),
            trying: HashMap::new(),
            look: Look::Wanted,
            looked: None,
            reconcile_at: Some(Instant::now()),
        }
    }

    pub(super) fn reconcile_is_due(&self) -> bool {
        self.reconcile_at.is_some_and(|at| at <= Instant::now())
    }

    pub(super) fn reconciled(&mut self) {
        // A tenth sooner by chance, so that many processes do not go on together.
        let every = self.settings.reconcile_every;
        let sooner = (every / 10).mul_f64(self.random.f64());
        self.reconcile_at = Instant::now().checked_add(every.saturating_sub(sooner));
        self.look = Look::Wanted;
    }

    /// Something has begun to be owed.
    pub(super) fn look_soon(&mut self) {
        if let Look::NotWanted = self.look {
            self.look = Look::Wanted;
        }
    }

    /// A sleep is over.
    pub(super) fn woken(&mut self) {
        if self.looked.is_none_or(|looked| looked.elapsed() >= LOOK_AGAIN) {
            self.look_soon();
        }
    }

    /// If both sides are there now, nobody has to wait any longer.
    pub(super) fn a_side_changed(&mut self, both_up: bool) {
        if !both_up {
            return;
        }
        let now = Instant::now();
        for waits in self.waiting.values_mut().chain(self.trying.values_mut()) {
            *waits = None;
        }
        self.queue = self.waiting.keys().map(|debtor| (now, debtor.clone())).collect();
        self.look_soon();
    }

    /// Who is tried now.
    pub(super) fn next_due(&mut self, mirror: &MirroredKeyProvider) -> Option<Debtor> {
        let now = Instant::now();
        while let Some((_, debtor)) = self.queue.pop_first_if(now) {
            if self.is_next(mirror, &debtor, now) {
                return Some(debtor);
            }
        }
        if let Look::Wanted = self.look
            && self.looked.is_none_or(|looked| now >= looked + LOOK_AT_MOST)
        {
            self.looked = Some(now);
            self.look = Look::At(None);
            // What is under way may be so for as long as a write may take.
            let grace = mirror.settings.deadlines.write.min(LONGEST_GRACE);
            for tag in mirror.map.open_intents() {
                let debtor = Debtor::Intent(tag);
                if !self.is_known(&debtor) {
                    self.wait(debtor, now + grace, None);
                }
            }
        }
        self.look_on(mirror, now)
    }

    fn look_on(&mut self, mirror: &MirroredKeyProvider, now: Instant) -> Option<Debtor> {
        for _ in 0..LOOK_AT_ONCE {
            let Look::At(after) = &self.look else {
                return None;
            };
            let Some(kid) = mirror.map.owing(after.as_ref(), 1).pop() else {
                self.look = Look::NotWanted;
                return None;
            };
            self.look = Look::At(Some(kid.clone()));
            let debtor = Debtor::Key(kid);
            if !self.is_known(&debtor) && self.is_next(mirror, &debtor, now) {
                return Some(debtor);
            }
        }
        None
    }

    fn is_known(&self, debtor: &Debtor) -> bool {
        self.waiting.contains_key(debtor) || self.trying.contains_key(debtor)
    }

    /// Whether a debtor whose turn it is can be tried. If not it waits for the sides, and its tries do not count.
    fn is_next(&mut self, mirror: &MirroredKeyProvider, debtor: &Debtor, now: Instant) -> bool {
        let waits = self.waiting.remove(debtor).flatten();
        if mirror.can_be_tried(debtor) {
            self.trying.insert(debtor.clone(), waits);
            return true;
        }
        if !matches!(debtor, Debtor::Key(kid) if mirror.debts_of(kid).is_empty()) {
            self.wait(debtor.clone(), now + LOOK_AGAIN, waits);
        }
        false
    }

    fn wait(&mut self, debtor: Debtor, until: Instant, waits: Option<ExponentialBackoff>) {
        self.queue.insert((until, debtor.clone()));
        self.waiting.insert(debtor, waits);
    }

    /// How a try went.
    pub(super) fn tried(&mut self, debtor: Debtor, tried: Tried) {
        let waits = self.trying.remove(&debtor).flatten();
        let now = Instant::now();
        match tried {
            Tried::Paid => {}
            Tried::Busy => self.wait(debtor, now + LOOK_AT_MOST, waits),
            Tried::Failed => {
                let mut waits = waits.unwrap_or_else(|| backoff(&self.settings));
                let longest = waits.next().unwrap_or(self.settings.retry_at_most);
                let wait = longest.mul_f64(self.random.f64());
                self.wait(debtor, now + wait, Some(waits));
            }
        }
    }

    /// When there is something to do, unless something happens before. `full`: no more can be tried at present.
    pub(super) fn next_event(&self, full: bool, both_up: bool) -> Instant {
        let now = Instant::now();
        let looking = match (&self.look, self.looked) {
            _ if full => None,
            (Look::NotWanted, _) => None,
            (Look::Wanted, Some(looked)) => Some(looked + LOOK_AT_MOST),
            (Look::Wanted, None) | (Look::At(_), _) => Some(now),
        };
        let turn = self.queue.first().map(|(at, _)| *at).filter(|_| !full);
        let reconcile = self.reconcile_at.filter(|_| both_up);
        [looking, turn, reconcile].into_iter().flatten().fold(now + LOOK_AGAIN, Instant::min)
    }
}

/// Twice as long each time, without end.
fn backoff(settings: &Maintenance) -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_factor(2.0)
        .with_min_delay(settings.retry_after)
        .with_max_delay(settings.retry_at_most)
        .without_max_times()
        .build()
}

/// Takes the first one whose time has come.
trait PopFirstIf {
    fn pop_first_if(&mut self, now: Instant) -> Option<(Instant, Debtor)>;
}

impl PopFirstIf for BTreeSet<(Instant, Debtor)> {
    fn pop_first_if(&mut self, now: Instant) -> Option<(Instant, Debtor)> {
        self.first().is_some_and(|(at, _)| *at <= now).then(|| self.pop_first()).flatten()
    }
}
