//! Counting what a version of an AES-GCM key encrypts.

use std::sync::atomic::{AtomicU64, Ordering};

/// Encryptions are numbered from 0; these are the numbers that may be used: from `next` up to, and without, `end`.
///
/// What is in memory alone may use all there are from the start. Where the count is kept elsewhere, too, a block of
/// numbers is granted once it is recorded there.
#[derive(Debug)]
pub(crate) struct Encryptions {
    next: AtomicU64,
    end: AtomicU64,
}

impl Encryptions {
    /// May use these numbers.
    pub(crate) fn granted(next: u64, end: u64) -> Self {
        Self { next: AtomicU64::new(next), end: AtomicU64::new(end) }
    }

    /// Uses a number, if there is one left.
    pub(crate) fn count(&self) -> bool {
        let (order, read) = (Ordering::AcqRel, Ordering::Acquire);
        self.next
            .fetch_update(order, read, |next| (next < self.end.load(Ordering::Acquire)).then_some(next + 1))
            .is_ok()
    }

    /// Whether there is no number left.
    pub(crate) fn is_used_up(&self) -> bool {
        // In this order: whoever sees the new end sees the new beginning.
        let end = self.end.load(Ordering::Acquire);
        self.next.load(Ordering::Acquire) >= end
    }

    /// Takes over another block, once the one before is used up. Blocks are granted one after the other, and each lies
    /// behind all that were granted before.
    pub(crate) fn grant(&self, from: u64, end: u64) {
        // In this order: until the new end is there, the old one refuses.
        self.next.store(from, Ordering::Release);
        self.end.store(end, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn no_more_than_was_granted() {
        let numbers = Encryptions::granted(4, 6);
        assert!(numbers.count() && !numbers.is_used_up());
        assert!(numbers.count() && numbers.is_used_up());
        assert!(!numbers.count());
        numbers.grant(10, 11);
        assert!(!numbers.is_used_up());
        assert!(numbers.count() && !numbers.count());
    }

    #[test]
    fn a_grant_that_is_raced_for_is_used_once() {
        let numbers = Encryptions::granted(0, 0);
        let used = AtomicU64::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while used.load(Ordering::Acquire) < 2000 {
                        if numbers.count() {
                            used.fetch_add(1, Ordering::AcqRel);
                        }
                    }
                });
            }
            for block in 0..20 {
                while !numbers.is_used_up() {
                    thread::yield_now();
                }
                numbers.grant(block * 100, (block + 1) * 100);
            }
        });
        assert_eq!(used.into_inner(), 2000);
    }
}
