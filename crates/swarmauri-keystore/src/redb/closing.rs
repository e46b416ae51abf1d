//! Stores of this process that are dropped and not closed yet: whoever opens one of them waits for that.

use parking_lot::{Condvar, Mutex};

static CLOSING: Mutex<usize> = Mutex::new(0);
static LESS: Condvar = Condvar::new();

/// A store that is closing, until this is dropped.
#[derive(Debug)]
pub(super) struct Closing(());

impl Closing {
    pub(super) fn begin() -> Self {
        *CLOSING.lock() += 1;
        Self(())
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        *CLOSING.lock() -= 1;
        LESS.notify_all();
    }
}

/// How many are.
pub(super) fn count() -> usize {
    *CLOSING.lock()
}

/// Waits until there are fewer.
pub(super) fn wait_for_fewer_than(count: usize) {
    let mut closing = CLOSING.lock();
    while *closing >= count.max(1) {
        LESS.wait(&mut closing);
    }
}
