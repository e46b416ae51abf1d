//! Merged documents, kept until something of what they are made of changes.

use std::sync::{Arc, PoisonError};

use crossbeam_utils::sync::ShardedLock;
use swarmauri_keyprovider::JwksQuery;
use swarmauri_keys::JwkSet;

/// The latest merged documents, one for each query.
///
/// Under a lock such that threads which read do not write to the same memory.
#[derive(Debug, Default)]
pub(crate) struct JwksCache {
    entries: ShardedLock<Vec<Made>>,
}

/// A merged document.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) of: Sources,
    pub(super) document: Arc<JwkSet>,
    /// Whether it is what the primary says, all keys of the secondary are known, and nothing had to be asked beside.
    pub(super) plain: bool,
}

/// What a merged document is made of.
#[derive(Debug, Clone)]
pub(super) struct Sources {
    pub(super) query: JwksQuery,
    /// `None` during an outage.
    pub(super) primary: Option<Arc<JwkSet>>,
    /// `None` if the secondary did not answer, or was not asked.
    pub(super) secondary: Option<Arc<JwkSet>>,
    pub(super) generation: u64,
}

impl JwksCache {
    /// One document for each usual query.
    const CAPACITY: usize = 8;

    /// The document that is made of these; they come back if there is none.
    pub(super) fn find(&self, sources: Sources) -> Result<Arc<JwkSet>, Sources> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        match entries.iter().find(|made| made.of.same_as(&sources)) {
            None => Err(sources),
            // All threads count their references to it: once is enough.
            Some(made) => Ok(sources
                .primary
                .filter(|primary| Arc::ptr_eq(primary, &made.document))
                .unwrap_or_else(|| Arc::clone(&made.document))),
        }
    }

    pub(super) fn earlier(&self, query: &JwksQuery) -> Option<Made> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.iter().find(|made| made.of.query == *query).cloned()
    }

    pub(super) fn keep(&self, new: Made) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|made| made.of.query != new.of.query);
        if entries.len() == Self::CAPACITY {
            entries.remove(0);
        }
        entries.push(new);
    }
}

impl Sources {
    /// Whether these are the same documents, not merely equal ones.
    fn same_as(&self, other: &Self) -> bool {
        let same = |one: &Option<Arc<JwkSet>>, other: &Option<Arc<JwkSet>>| match (one, other) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        let Self { query, primary, secondary, generation } = self;
        *query == other.query
            && *generation == other.generation
            && same(primary, &other.primary)
            && same(secondary, &other.secondary)
    }
}
