//! Hedged reads: when the primary is slow, the secondary is asked as well, and the first good answer is taken.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use swarmauri_keys::KeyError;

use crate::deadline::{Deadlines, within};
use crate::figures;

/// When the secondary is asked, too. Only for public reads of keys that are mirrored: `get_key` without the secret and
/// `get_public_jwk`; never for secrets or writes.
///
/// A primary that refuses later than the delay may be outrun by the replica, as in an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hedge {
    /// How long the primary has for itself. Less than the deadline of a public read; best a little more than what
    /// nearly all reads take.
    #[serde(with = "crate::durations")]
    pub delay: Duration,
    /// How many of the reads may ask both sides, in percent, so that hedges cannot double the load. From 1 to 100;
    /// default: 10.
    #[serde(default = "usual_budget")]
    pub budget_percent: u32,
}

const fn usual_budget() -> u32 {
    10
}

impl Hedge {
    /// Asks both sides after this delay, for one read in ten at most.
    pub const fn after(delay: Duration) -> Self {
        Self { delay, budget_percent: usual_budget() }
    }

    pub(crate) fn check(&self, deadlines: &Deadlines) -> Result<(), String> {
        if self.delay.is_zero() || self.delay >= deadlines.public_read {
            return Err("hedge.delay must be more than zero, and less than deadlines.public_read".to_owned());
        }
        if self.budget_percent == 0 || self.budget_percent > 100 {
            let percent = self.budget_percent;
            return Err(format!("hedge.budget_percent is {percent}; it must be from 1 to 100"));
        }
        Ok(())
    }
}

/// How many hedges may still be made: each read earns some percent of one.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    /// In hundredths of a hedge.
    saved: AtomicU32,
}

/// What one hedge costs.
const ONE: u32 = 100;
/// What may be saved, for when many reads are slow at once.
const MOST: u32 = 10 * ONE;

impl Budget {
    fn earn(&self, percent: u32) {
        let more = |saved: u32| (saved < MOST).then(|| (saved + percent).min(MOST));
        let _ = self.saved.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    fn spend(&self) -> bool {
        let less = |saved: u32| saved.checked_sub(ONE);
        self.saved.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

/// The answer of the primary, or, if it is slow, of the replica when that is first and good.
///
/// A replica that fails leaves the matter to the primary. Whoever is not needed any more is dropped.
pub(crate) async fn hedged<T>(
    hedge: Hedge,
    budget: &Budget,
    primary: impl Future<Output = Result<T, KeyError>>,
    replica: impl Future<Output = Result<T, KeyError>>,
) -> Result<T, KeyError> {
    budget.earn(hedge.budget_percent);
    let mut primary = pin!(primary);
    if let Some(answer) = within(hedge.delay, primary.as_mut()).await {
        return answer;
    }
    if !budget.spend() {
        return primary.await;
    }
    let mut replica = pin!(replica);
    let mut failed = false;
    let (answer, won) = poll_fn(|context| {
        if let Poll::Ready(answer) = primary.as_mut().poll(context) {
            return Poll::Ready((answer, false));
        }
        if failed {
            return Poll::Pending;
        }
        match replica.as_mut().poll(context) {
            Poll::Ready(Ok(answer)) => Poll::Ready((Ok(answer), true)),
            Poll::Ready(Err(_)) => {
                failed = true;
                Poll::Pending
            }
            Poll::Pending => Poll::Pending,
        }
    })
    .await;
    figures::hedged(won);
    answer
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    const DELAY: Duration = Duration::from_millis(50);

    async fn after(wait: Duration, answer: Result<u8, KeyError>) -> Result<u8, KeyError> {
        sleep(wait).await;
        answer
    }

    fn budget() -> Budget {
        Budget { saved: AtomicU32::new(ONE) }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_good_answer_is_taken() {
        let ms = Duration::from_millis;
        let no = || KeyError::permission_denied("told to");
        let cases = [
            // primary, replica, answer, after
            ((40, Ok(1)), (0, Ok(2)), Ok(1), 40),
            ((500, Ok(1)), (10, Ok(2)), Ok(2), 60),
            ((70, Ok(1)), (30, Ok(2)), Ok(1), 70),
            ((500, Ok(1)), (10, Err(no())), Ok(1), 500),
            ((60, Err(no())), (30, Ok(2)), Err(no()), 60),
        ];
        for ((wait, primary), (wait_too, replica), expected, took) in cases {
            let (begun, budget) = (Instant::now(), budget());
            let primary = after(ms(wait), primary);
            let answer = hedged(Hedge::after(DELAY), &budget, primary, after(ms(wait_too), replica)).await;
            assert_eq!(answer.map_err(|error| error.kind()), expected.map_err(|error| error.kind()));
            // The clock of tokio counts whole milliseconds.
            assert!(begun.elapsed() <= ms(took + 2) && begun.elapsed() >= ms(took), "{:?}", begun.elapsed());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn hedges_stay_within_their_budget() {
        let (budget, mut asked) = (Budget::default(), 0);
        let hedge = Hedge::after(DELAY);
        for _ in 0..1000 {
            let replica = async {
                asked += 1;
                Ok(2)
            };
            hedged(hedge, &budget, after(Duration::from_millis(500), Ok(1)), replica).await.unwrap();
        }
        assert_eq!(asked, 100);
        let full = Hedge { budget_percent: 100, ..hedge };
        for _ in 0..1000 {
            let _ = hedged(full, &budget, after(Duration::ZERO, Ok(1)), async { Ok(2) }).await;
        }
        assert_eq!(budget.saved.load(Ordering::Relaxed), MOST, "and none is saved without end");
    }

    #[test]
    fn a_hedge_leaves_the_primary_some_time() {
        let deadlines = Deadlines::default();
        assert!(Hedge::after(DELAY).check(&deadlines).is_ok());
        assert!(Hedge::after(deadlines.public_read).check(&deadlines).is_err());
        assert!(Hedge::after(Duration::ZERO).check(&deadlines).is_err());
        assert!(Hedge { budget_percent: 0, ..Hedge::after(DELAY) }.check(&deadlines).is_err());
    }
}
