//! One write at a time per `kid`; writes to different ones do not wait for each other.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use swarmauri_keys::{KeyError, KeyId};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::deadline::within;
use crate::provider::MirroredKeyProvider;

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
    /// Waits for the right to write to this `kid`, no longer than this.
    ///
    /// # Errors
    ///
    /// [`KeyError::Unavailable`] if another write has not ended by then.
    pub(crate) async fn lock(&self, kid: &KeyId, limit: Duration) -> Result<KidGuard<'_>, KeyError> {
        // Made before the wait, so that a waiter that is dropped tidies up too.
        let mut right = KidGuard { locks: self, kid: kid.clone(), guard: None };
        let lock = Arc::clone(self.in_use.lock().entry(kid.clone()).or_default());
        let guard = within(limit, lock.lock_owned()).await;
        right.guard = Some(guard.ok_or_else(|| {
            KeyError::unavailable(format!(
                "another write to {kid} is still under way; this one has not begun"
            ))
        })?);
        Ok(right)
    }

    /// The right to write to this `kid`, if nobody has it now.
    pub(crate) fn try_lock(&self, kid: &KeyId) -> Option<KidGuard<'_>> {
        let mut right = KidGuard { locks: self, kid: kid.clone(), guard: None };
        let lock = Arc::clone(self.in_use.lock().entry(kid.clone()).or_default());
        right.guard = Some(lock.try_lock_owned().ok()?);
        Some(right)
    }
}

impl MirroredKeyProvider {
    /// Waits for the right to write to this `kid`, as long as a write may take.
    pub(crate) async fn lock(&self, kid: &KeyId) -> Result<KidGuard<'_>, KeyError> {
        self.locks.lock(kid, self.settings.deadlines.write).await
    }
}

impl KidGuard<'_> {
    /// Whether somebody waits for the same right.
    pub(crate) fn is_contended(&self) -> bool {
        // One reference is the table's, one is this guard's, every other is of somebody who waits.
        self.guard.as_ref().is_some_and(|guard| Arc::strong_count(OwnedMutexGuard::mutex(guard)) > 2)
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
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_at_a_time_and_nothing_left_behind() {
        let (locks, second) = (KidLocks::default(), Duration::from_secs(1));
        let (a, b) = (KeyId::new("a").unwrap(), KeyId::new("b").unwrap());
        let first = locks.lock(&a, second).await.unwrap();
        let _other = locks.lock(&b, second).await.unwrap();
        assert!(!first.is_contended());
        assert!(locks.try_lock(&a).is_none());
        assert!(!first.is_contended(), "who does not get the right at once does not wait for it");
        let late = locks.lock(&a, second).await;
        assert!(late.unwrap_err().is_outage(), "the first holds it, and a wait has an end");
        let mut waiter = Box::pin(locks.lock(&a, Duration::MAX));
        assert!(within(second, &mut waiter).await.is_none());
        assert!(first.is_contended());
        drop(waiter);
        assert!(!first.is_contended());
        drop(first);
        assert_eq!(locks.in_use.lock().len(), 1);
        drop(locks.lock(&a, second).await);
        assert_eq!(locks.in_use.lock().len(), 1);
    }
}
