//! Dropping a future at each of its awaits.

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::timeout;

/// More often than any call of ours is polled that ends at all.
const MOST_POLLS: usize = 10_000;

/// How long a call may keep whoever waits for it: far more than any takes that does not hang.
const DEADLINE: Duration = Duration::from_mins(5);

/// Polls a future that many times at most, each time when it has been woken, and drops it then.
///
/// The answer, if it came by then. With `0` the future is dropped as it was made.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use swarmauri_keyprovider_testkit::drop_after;
/// use tokio::task::yield_now;
///
/// assert_eq!(drop_after(1, async { yield_now().await; 7 }).await, None);
/// assert_eq!(drop_after(2, async { yield_now().await; 7 }).await, Some(7));
/// # }
/// ```
pub async fn drop_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        let Some(fewer) = left.checked_sub(1) else { return Poll::Ready(None) };
        left = fewer;
        match future.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            // Nobody would come back for the last one.
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Where a call was dropped, to be shown when a check fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropped {
    /// How often it had been polled.
    pub polls: usize,
    /// Whether it had ended by then.
    pub ended: bool,
}

/// Makes the same call again and again, each time in a world of its own, and drops it after 0, 1, 2, … polls until it ends
/// by itself. Each time what is left of the world is checked.
///
/// It says how many polls the call took: as many awaits as were there, and one more. A call that never waits is polled once,
/// and was dropped nowhere but before it began; for that not to be so, what it calls has to be pending: see
/// [`Faults::pause`](crate::Faults::pause) and [`PausingStore`](crate::PausingStore).
///
/// # Panics
///
/// If the call hangs.
pub async fn at_every_await<W>(
    world: impl AsyncFn() -> W,
    call: impl AsyncFn(&W),
    check: impl AsyncFn(W, Dropped),
) -> usize {
    for polls in 0..MOST_POLLS {
        let world = world().await;
        let ended = timeout(DEADLINE, drop_after(polls, call(&world))).await;
        let ended = ended
            .unwrap_or_else(|_| panic!("the call hangs: nothing has woken it for {DEADLINE:?}"))
            .is_some();
        check(world, Dropped { polls, ended }).await;
        if ended {
            return polls;
        }
    }
    panic!("no end after {MOST_POLLS} polls")
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { polls, ended } = self;
        write!(f, "{} {polls} polls", if *ended { "ended after" } else { "dropped after" })
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn a_call_is_dropped_at_each_of_its_awaits_in_a_world_of_its_own() {
        let seen = RefCell::new(Vec::new());
        let polls = at_every_await(
            async || RefCell::new(Vec::new()),
            async |world| {
                for step in 0..3 {
                    world.borrow_mut().push(step);
                    yield_now().await;
                }
            },
            async |world, dropped| seen.borrow_mut().push((world.into_inner(), dropped.ended)),
        );
        assert_eq!(polls.await, 4);
        let (seen, all) = (seen.into_inner(), vec![0, 1, 2]);
        let expected =
            [(vec![], false), (vec![0], false), (vec![0, 1], false), (all.clone(), false), (all, true)];
        assert_eq!(seen, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn it_waits_until_the_call_is_woken() {
        let started = tokio::time::Instant::now();
        let waits = || tokio::time::sleep(Duration::from_secs(1));
        assert!(drop_after(1, waits()).await.is_none());
        assert!(started.elapsed().is_zero(), "nobody waits for what comes after the last poll");
        assert!(drop_after(2, waits()).await.is_some());
        assert_eq!(started.elapsed().as_secs(), 1);
    }

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "nothing has woken it")]
    async fn a_call_that_hangs_is_told() {
        at_every_await(async || (), async |()| std::future::pending().await, async |(), _| {}).await;
    }
}
