//! Creates and imports under way on a primary that takes no `kid`: they are known by a tag instead.

use std::collections::BTreeSet;

use parking_lot::Mutex;

/// The values of the tag `mirror.intent` whose keys may or may not exist on the primary.
#[derive(Debug, Default)]
pub(crate) struct TagIntents {
    open: Mutex<BTreeSet<String>>,
}

impl TagIntents {
    /// Records an intent, before the primary is asked.
    pub(crate) fn begin(&self, tag: &str) {
        self.open.lock().insert(tag.to_owned());
    }

    /// The outcome is recorded elsewhere, or there is none.
    pub(crate) fn settle(&self, tag: &str) {
        self.open.lock().remove(tag);
    }

    /// The intents whose outcome is not known.
    pub(crate) fn open(&self) -> Vec<String> {
        self.open.lock().iter().cloned().collect()
    }
}
