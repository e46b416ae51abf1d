//! One write at a time per `kid`; writes to different ones do not wait for each other.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use swarmauri_keys::KeyId;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// The locks that are held or waited for.
#[derive(Debug, Default)]
pub(crate) struct KidLocks {
    in_use: Mutex<HashMap<KeyId, Arc<AsyncMutex<()>>>>,
}

/// The right to write to one `kid`, until it is dropped.
#[derive(Debug)]
pub(crate) struct KidGuard<'a> {
    locks: &'a KidLocks,
    kid: KeyId,
    guard: Option<OwnedMutexGuard<()>>,
}

impl KidLocks {
    /// Waits for the right to write to this `kid`.
    pub(crate) async fn lock(&self, kid: &KeyId) -> KidGuard<'_> {
        // Made before the wait, so that a waiter that is dropped tidies up too.
        let mut right = KidGuard { locks: self, kid: kid.clone(), guard: None };
        let lock = Arc::clone(self.in_use.lock().entry(kid.clone()).or_default());
        right.guard = Some(lock.lock_owned().await);
        right
    }
}

impl Drop for KidGuard<'_> {
    fn drop(&mut self) {
        let mut in_use = self.locks.in_use.lock();
        drop(self.guard.take());
        // Clones are made under `in_use` alone, so one reference means that nobody holds or waits.
        if in_use.get(&self.kid).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            in_use.remove(&self.kid);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_at_a_time_and_nothing_left_behind() {
        let locks = KidLocks::default();
        let (a, b) = (KeyId::new("a").unwrap(), KeyId::new("b").unwrap());
        let first = locks.lock(&a).await;
        drop(locks.lock(&b).await);
        let second = tokio::time::timeout(Duration::from_secs(1), locks.lock(&a)).await;
        assert!(second.is_err(), "the first holds it, and the second is dropped while it waits");
        drop(first);
        assert!(locks.in_use.lock().is_empty());
        drop(locks.lock(&a).await);
        assert!(locks.in_use.lock().is_empty());
    }
}
