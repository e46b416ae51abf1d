//! Going through a key table in the order of the `kid`s.

use std::collections::btree_set;
use std::ops::Bound;

use swarmauri_keys::{Cursor, KeyError, KeyId, KeyRef, KeySummary, Page, PageRequest};

use super::KeyTable;
use super::shard::{Moment, Shard};
use super::versions::Key;

impl KeyTable {
    /// The keys in the order of their `kid`s, page by page; a page has at most [`KeyTable::MAX_PAGE`].
    ///
    /// A key that is there during the whole of a listing is in it exactly once.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] if the cursor is not one of a key table.
    pub fn list(&self, page: &PageRequest) -> Result<Page<KeySummary>, KeyError> {
        let after = page.cursor.as_ref().map(last_kid).transpose()?;
        let limit = page.limit.clamp(1, Self::MAX_PAGE);
        let mut latest = self.latest_after(after.as_ref(), limit + 1);
        let more = latest.len() > limit;
        latest.truncate(limit);
        let last = latest.last().filter(|_| more);
        let next = last.map(|key| Cursor::new(key.kid().as_str()));
        Ok(Page { items: latest.iter().map(KeySummary::from).collect(), next })
    }

    fn latest_after(&self, after: Option<&KeyId>, limit: usize) -> Vec<KeyRef> {
        let from = after.map_or(Bound::Unbounded, |kid| Bound::Excluded(kid.as_str()));
        let moment = self.shards.read_all();
        let latest = in_kid_order(&moment, from).filter_map(|(_, key)| key.latest());
        latest.take(limit).map(|version| version.reference.clone()).collect()
    }
}

fn last_kid(cursor: &Cursor) -> Result<KeyId, KeyError> {
    KeyId::new(cursor.as_str())
        .map_err(|error| KeyError::invalid_input(format!("not a cursor of this listing: {error}")))
}

/// Merges the shards' keys, each shard being sorted in itself.
pub(super) fn in_kid_order<'a>(
    moment: &'a Moment<'_>,
    from: Bound<&str>,
) -> impl Iterator<Item = (&'a KeyId, &'a Key)> + use<'a> {
    let mut heads: Vec<_> = moment.shards.iter().map(|shard| Head::new(shard, from)).collect();
    std::iter::from_fn(move || {
        let waiting = heads.iter_mut().filter(|head| head.next.is_some());
        let first = waiting.min_by_key(|head| head.next)?;
        Some((first.shard, first.advance()?))
    })
    .filter_map(|(shard, kid)| Some((kid, moment.key(shard, kid)?)))
}

struct Head<'a> {
    shard: &'a Shard,
    next: Option<&'a KeyId>,
    rest: btree_set::Range<'a, KeyId>,
}

impl<'a> Head<'a> {
    fn new(shard: &'a Shard, from: Bound<&str>) -> Self {
        let mut rest = shard.range(from);
        Self { shard, next: rest.next(), rest }
    }

    fn advance(&mut self) -> Option<&'a KeyId> {
        std::mem::replace(&mut self.next, self.rest.next())
    }
}
