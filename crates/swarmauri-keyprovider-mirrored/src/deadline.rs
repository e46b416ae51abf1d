//! How long a call may take.

use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Sleep;

/// How long one call of a side, or of the state store, may take, by what is asked. When the time is up the call is
/// dropped, and the answer is [`KeyError::Timeout`](swarmauri_keys::KeyError::Timeout): an outage.
///
/// A call that is answered without waiting costs no timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Deadlines {
    /// Reads of public parts: `get_key` without its secret, `get_public_jwk`, `jwks`, the lists; verifying. Default: 1 s.
    #[serde(with = "crate::durations")]
    pub public_read: Duration,
    /// Reads of secrets, and work with them: signing, decrypting, random bytes. Default: 2 s.
    #[serde(with = "crate::durations")]
    pub secret_read: Duration,
    /// Writes to the primary. Default: 15 s, since some make RSA keys.
    #[serde(with = "crate::durations")]
    pub write: Duration,
    /// Writes to the secondary, and the listings that repair is made from. A write of a caller waits for its copy, and so at
    /// most this long for the secondary. Default: 5 s.
    #[serde(with = "crate::durations")]
    pub mirror: Duration,
    /// Reads and writes of the state store. Default: 2 s.
    #[serde(with = "crate::durations")]
    pub state: Duration,
}

/// What other waits may be set to, at most: longer ones are mistakes, and clocks overflow.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_hours(365 * 24);

/// What is asked, as far as the time it may take goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    PublicRead,
    SecretRead,
    Write,
    Mirror,
    State,
}

impl Deadlines {
    /// None: a side that hangs is waited for until the caller drops the call.
    pub const UNBOUNDED: Self = Self {
        public_read: Duration::MAX,
        secret_read: Duration::MAX,
        write: Duration::MAX,
        mirror: Duration::MAX,
        state: Duration::MAX,
    };

    pub(crate) fn of(&self, class: Class) -> Duration {
        match class {
            Class::PublicRead => self.public_read,
            Class::SecretRead => self.secret_read,
            Class::Write => self.write,
            Class::Mirror => self.mirror,
            Class::State => self.state,
        }
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        let Self { public_read, secret_read, write, mirror, state } = *self;
        let named = [
            ("public_read", public_read),
            ("secret_read", secret_read),
            ("write", write),
            ("mirror", mirror),
            ("state", state),
        ];
        match named.into_iter().find(|(_, limit)| limit.is_zero()) {
            Some((name, _)) => Err(format!("deadlines.{name} is zero; nothing can be done in no time")),
            None => Ok(()),
        }
    }
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            public_read: Duration::from_secs(1),
            secret_read: Duration::from_secs(2),
            write: Duration::from_secs(15),
            mirror: Duration::from_secs(5),
            state: Duration::from_secs(2),
        }
    }
}

/// Waits for a future no longer than this; `None` when the time is up. What is ready at once costs no timer.
pub(crate) async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    // Boxed, so that those who need none carry none.
    let mut timer: Option<Pin<Box<Sleep>>> = None;
    std::future::poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        if timer.is_none() && limit != Duration::MAX {
            timer = Some(Box::pin(tokio::time::sleep(limit)));
        }
        match &mut timer {
            Some(timer) => timer.as_mut().poll(context).map(|()| None),
            None => Poll::Pending,
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_when_its_time_is_up_and_not_before() {
        let limit = Duration::from_secs(3);
        let begun = Instant::now();
        assert_eq!(within(limit, std::future::pending::<()>()).await, None);
        assert_eq!(begun.elapsed(), limit);
        let late = async { tokio::time::sleep(limit.saturating_sub(Duration::from_millis(1))).await };
        assert_eq!(within(limit, late).await, Some(()));
    }

    /// Nor a runtime: there is none here.
    #[test]
    fn what_is_ready_at_once_needs_no_timer() {
        let mut ready = pin!(within(Duration::from_secs(1), std::future::ready(7)));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert_eq!(ready.as_mut().poll(&mut context), Poll::Ready(Some(7)));
    }

    #[test]
    fn no_time_at_all_is_refused() {
        let none = Deadlines { mirror: Duration::ZERO, ..Deadlines::default() };
        assert!(none.check().unwrap_err().contains("deadlines.mirror"));
        assert!(Deadlines::default().check().is_ok() && Deadlines::UNBOUNDED.check().is_ok());
    }
}
