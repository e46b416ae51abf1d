//! Destroys that another process may have under way, on a state store that several share.
//!
//! A record says that a destroy was sent and not answered, and not by whom. Whoever sends it again and is refused knows what
//! became of his own, and nothing of one that is still on its way: to take the destroy back then would serve what is about to go.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use swarmauri_keys::{KeyId, KeyVersion};
use tokio::time::Instant;

use crate::store::{Revision, Written};

/// What a destroy is of.
type Target = (KeyId, Option<KeyVersion>);

/// What this process knows of the destroys that it has sent and that are not decided.
#[derive(Debug, Default)]
pub(crate) struct Doubts {
    known: Mutex<HashMap<Target, Doubt>>,
}

#[derive(Debug, Clone, Copy)]
struct Doubt {
    /// The revision at which this process left the record: at any other one somebody else may have sent it, too.
    at: Revision,
    /// Since when others may have; `None` if this process alone has sent it.
    since: Option<Instant>,
}

impl Doubts {
    /// Enough for any backlog that is worked off; to forget them makes a destroy wait, and nothing worse.
    const CAPACITY: usize = 1024;

    /// This process has changed the record, and sends nothing.
    pub(crate) fn changed(&self, target: &Target, written: Written) {
        if let Some(doubt) = self.known.lock().get_mut(target)
            && written.from == Some(doubt.at)
        {
            doubt.at = written.to.unwrap_or_default();
        }
    }

    /// This process is about to send a destroy, and has recorded it so; `earlier` ones may have been sent. Says whether
    /// nobody else can have one under way, which takes no longer than the limit.
    pub(crate) fn sent(&self, target: Target, earlier: bool, written: Written, limit: Duration) -> bool {
        let mut known = self.known.lock();
        if known.len() >= Self::CAPACITY {
            known.clear();
        }
        let since = match known.get(&target) {
            _ if !earlier => None,
            Some(doubt) if Some(doubt.at) == written.from => doubt.since,
            _ => Some(Instant::now()),
        };
        known.insert(target, Doubt { at: written.to.unwrap_or_default(), since });
        since.is_none_or(|since| since.elapsed() > limit)
    }

    /// It is decided.
    pub(crate) fn end(&self, target: &Target) {
        self.known.lock().remove(target);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    fn written(from: Revision, to: Revision) -> Written {
        Written { from: Some(from), to: Some(to) }
    }

    fn target(name: &str) -> Target {
        (KeyId::new(name).unwrap(), None)
    }

    #[tokio::test(start_paused = true)]
    async fn what_this_process_alone_has_sent_is_nobody_elses() {
        let doubts = Doubts::default();
        assert!(doubts.sent(target("k"), false, written(1, 2), LIMIT));
        assert!(doubts.sent(target("k"), true, written(2, 3), LIMIT));
        doubts.changed(&target("k"), written(3, 4));
        assert!(doubts.sent(target("k"), true, written(4, 5), LIMIT));
        doubts.changed(&target("k"), written(6, 7));
        assert!(!doubts.sent(target("k"), true, written(7, 8), LIMIT), "somebody else has written 6");
    }

    #[tokio::test(start_paused = true)]
    async fn what_others_have_sent_is_over_after_the_limit_unless_they_send_again() {
        let doubts = Doubts::default();
        assert!(!doubts.sent(target("k"), true, written(1, 2), LIMIT));
        tokio::time::sleep(LIMIT).await;
        assert!(!doubts.sent(target("k"), true, written(2, 3), LIMIT));
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(doubts.sent(target("k"), true, written(3, 4), LIMIT));
        assert!(!doubts.sent(target("k"), true, written(5, 6), LIMIT));
        tokio::time::sleep(LIMIT + Duration::from_millis(1)).await;
        doubts.end(&target("k"));
        assert!(!doubts.sent(target("k"), true, written(6, 7), LIMIT), "another destroy");
    }

    #[tokio::test(start_paused = true)]
    async fn there_are_only_so_many() {
        let doubts = Doubts::default();
        for n in 0..3 * Doubts::CAPACITY {
            doubts.sent(target(&n.to_string()), true, written(0, 1), LIMIT);
        }
        assert!(doubts.known.lock().len() <= Doubts::CAPACITY);
    }
}
