//! Stopping a call, looking, and letting it go.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::Call;

/// One call that is stopped on its way, or will be: see [`Faults::hold`](super::Faults::hold). Dropping it
/// lets the call go.
#[derive(Debug)]
pub struct Hold {
    arrived: watch::Receiver<Option<Call>>,
    release: watch::Sender<bool>,
}

/// The other end of a [`Hold`]: where the call stops.
#[derive(Debug)]
pub(super) struct Slot {
    arrived: watch::Sender<Option<Call>>,
    release: watch::Receiver<bool>,
}

impl Hold {
    pub(super) fn new() -> (Self, Slot) {
        let (here, arrived) = watch::channel(None);
        let (release, go) = watch::channel(false);
        (Self { arrived, release }, Slot { arrived: here, release: go })
    }

    /// Waits until a call is stopped here, and tells which.
    ///
    /// # Panics
    ///
    /// If no call can come any more, because the hold was cleared or the provider is gone, or if none comes
    /// within a minute of tokio's time: a test that waits for ever tells nobody what is wrong.
    pub async fn arrived(&self) -> Call {
        let mut arrived = self.arrived.clone();
        let call = timeout(Duration::from_mins(1), arrived.wait_for(Option::is_some)).await;
        let call = call.expect("no call came to this hold").expect("no call can come to this hold any more");
        call.clone().expect("waited for it")
    }

    /// Whether a call is stopped here, or was.
    pub fn has_arrived(&self) -> bool {
        self.arrived.borrow().is_some()
    }

    /// Lets the call go, also one that is still to come.
    pub fn release(&self) {
        self.release.send_replace(true);
    }
}

impl Slot {
    pub(super) async fn stop(mut self, call: &Call) {
        self.arrived.send_replace(Some(call.clone()));
        let _ = self.release.wait_for(|go| *go).await; // an error: the hold was dropped
    }
}
