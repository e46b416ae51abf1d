//! A store in the memory of this process.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::RwLock;

use crate::watch::Watches;
use crate::{
    Change, Entry, KeyStore, Precondition, Revision, ScanPage, ScanRequest, StoreError, StoreKey, Watch,
};

/// A store in the memory of this process. Clones are of one store, so that several users can share it as processes share
/// a store on a network. `Debug` shows how many entries there are, and nothing of them.
#[derive(Clone, Default)]
pub struct MemoryStore {
    shared: Arc<RwLock<Shared>>,
}

#[derive(Default)]
struct Shared {
    entries: BTreeMap<StoreKey, Entry>,
    revision: Revision,
    watches: Watches,
}

/// The most entries that one page of a scan holds.
const MAX_PAGE: usize = 10_000;

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Shared {
    fn found(&self, key: &StoreKey) -> Option<Revision> {
        self.entries.get(key).map(|entry| entry.revision)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.watches.end(&StoreError::unavailable("the store is gone"));
    }
}

#[async_trait]
impl KeyStore for MemoryStore {
    async fn get(&self, key: &StoreKey) -> Result<Option<Entry>, StoreError> {
        Ok(self.shared.read().entries.get(key).cloned())
    }

    async fn put(&self, key: &StoreKey, value: &[u8], when: Precondition) -> Result<Revision, StoreError> {
        Entry::check_value(value)?;
        let value = Arc::from(value);
        let mut shared = self.shared.write();
        when.check(shared.found(key))?;
        let revision = shared.revision.next();
        let entry = Entry { key: key.clone(), value, revision };
        shared.revision = revision;
        shared.entries.insert(key.clone(), entry.clone());
        shared.watches.tell(&Change::Put(entry));
        Ok(revision)
    }

    async fn delete(&self, key: &StoreKey, when: Precondition) -> Result<Option<Revision>, StoreError> {
        let mut shared = self.shared.write();
        when.check(shared.found(key))?;
        if shared.entries.remove(key).is_none() {
            return Ok(None);
        }
        let revision = shared.revision.next();
        shared.revision = revision;
        shared.watches.tell(&Change::Deleted { key: key.clone(), revision });
        Ok(Some(revision))
    }

    async fn scan(&self, request: &ScanRequest) -> Result<ScanPage, StoreError> {
        let limit = request.limit.clamp(1, MAX_PAGE);
        let shared = self.shared.read();
        let from = match &request.after {
            Some(after) if after.as_bytes() >= request.prefix.as_slice() => Bound::Excluded(after.clone()),
            _ => StoreKey::new(&request.prefix).map_or(Bound::Unbounded, Bound::Included),
        };
        let mut under = shared
            .entries
            .range((from, Bound::Unbounded))
            .map(|(_, entry)| entry)
            .take_while(|entry| entry.key.as_bytes().starts_with(&request.prefix));
        let entries: Vec<_> = under.by_ref().take(limit).cloned().collect();
        Ok(ScanPage { entries, more: under.next().is_some() })
    }

    async fn watch(&self, prefix: &[u8]) -> Result<Box<dyn Watch>, StoreError> {
        Ok(self.shared.write().watches.add(prefix))
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("entries", &self.shared.read().entries.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Arrivals, watch_channel};

    fn key(name: &str) -> StoreKey {
        StoreKey::new(name).unwrap()
    }

    #[tokio::test]
    async fn a_write_needs_its_precondition() {
        let store = MemoryStore::new();
        let first = store.put(&key("a"), b"1", Precondition::Absent).await.unwrap();
        for when in [Precondition::Absent, Precondition::At(Revision::START), Precondition::At(first.next())]
        {
            let refused = store.put(&key("a"), b"2", when).await.unwrap_err();
            assert!(matches!(refused, StoreError::Conflict { found } if found == Some(first)), "{when:?}");
            assert!(store.delete(&key("a"), when).await.is_err(), "{when:?}");
        }
        let second = store.put(&key("a"), b"2", Precondition::At(first)).await.unwrap();
        assert!(second > first);
        let gone = store.delete(&key("a"), Precondition::At(second)).await.unwrap();
        assert!(gone > Some(second));
        assert_eq!(store.delete(&key("a"), Precondition::Any).await.unwrap(), None);
        let missing = store.put(&key("a"), b"3", Precondition::At(second)).await.unwrap_err();
        assert!(matches!(missing, StoreError::Conflict { found: None }));
    }

    #[tokio::test]
    async fn a_scan_is_of_a_prefix_in_order_and_in_pages() {
        let store = MemoryStore::new();
        for name in ["b/2", "a", "b/1", "c", "b", "b/3"] {
            store.put(&key(name), name.as_bytes(), Precondition::Any).await.unwrap();
        }
        let names = |page: &ScanPage| -> Vec<_> { page.entries.iter().map(|one| one.key.clone()).collect() };
        let request = ScanRequest::all(b"b/").limit(2);
        let page = store.scan(&request).await.unwrap();
        assert_eq!((names(&page), page.more), (vec![key("b/1"), key("b/2")], true));
        let page = store.scan(&request.after(key("b/2"))).await.unwrap();
        assert_eq!((names(&page), page.more), (vec![key("b/3")], false));
        assert_eq!(store.scan(&ScanRequest::all(b"")).await.unwrap().entries.len(), 6);
        assert_eq!(store.scan(&ScanRequest::all(b"d")).await.unwrap().entries, []);
    }

    #[tokio::test]
    async fn a_watch_has_every_change_by_the_time_the_write_returns() {
        let store = MemoryStore::new();
        let mut watch = store.watch(b"b").await.unwrap();
        assert!(watch.try_next().unwrap().is_none());
        store.put(&key("a"), b"", Precondition::Any).await.unwrap();
        let put = store.put(&key("b"), b"1", Precondition::Any).await.unwrap();
        let deleted = store.delete(&key("b"), Precondition::Any).await.unwrap().unwrap();
        let first = watch.try_next().unwrap().unwrap();
        assert_eq!((first.key(), first.revision()), (&key("b"), put));
        assert_eq!(watch.next().await.unwrap(), Change::Deleted { key: key("b"), revision: deleted });
        assert!(watch.try_next().unwrap().is_none());
        drop(store);
        assert!(matches!(watch.next().await, Err(StoreError::Unavailable { .. })));
        assert!(watch.try_next().is_err(), "it stays ended");
    }

    #[tokio::test]
    async fn a_watch_that_nobody_reads_is_told_that_it_lost_changes() {
        let (mut sender, mut watch) = watch_channel(2);
        let change = |n| Change::Deleted { key: key("a"), revision: Revision::new(n) };
        assert!(sender.send(&change(1)) && sender.send(&change(2)));
        assert!(!sender.send(&change(3)) && !sender.send(&change(4)));
        assert_eq!(watch.next().await.unwrap().revision(), Revision::new(1));
        assert_eq!(watch.try_next().unwrap().unwrap().revision(), Revision::new(2));
        assert!(matches!(watch.next().await, Err(StoreError::Lagged)));
        assert!(matches!(watch.try_next(), Err(StoreError::Lagged)));
    }

    #[tokio::test]
    async fn a_watch_that_counts_counts_its_end_too() {
        type End = fn(crate::WatchSender);
        let change = Change::Deleted { key: key("a"), revision: Revision::new(1) };
        let ends: [(&str, End); 3] = [
            ("dropped", drop),
            ("ended", |sender| sender.end(StoreError::Lagged)),
            ("full", |mut sender| {
                let change = Change::Deleted { key: key("a"), revision: Revision::new(2) };
                assert!(!sender.send(&change));
                // Counted at once, and not when somebody drops it.
                std::mem::forget(sender);
            }),
        ];
        for (what, end) in ends {
            let ((mut sender, mut watch), arrivals) = (watch_channel(1), Arrivals::new());
            assert!(watch.count_in(&arrivals) && arrivals.count() == 0, "{what}");
            assert!(sender.send(&change));
            let before = arrivals.count();
            assert!(before > 0, "{what}");
            end(sender);
            assert!(arrivals.count() > before, "{what}");
            assert_eq!(watch.try_next().unwrap(), Some(change.clone()), "{what}");
            assert!(watch.try_next().is_err(), "{what}");
        }
    }

    #[test]
    fn keys_and_values_have_bounds() {
        for bad in [0, StoreKey::MAX_LEN + 1] {
            assert!(StoreKey::new(vec![0; bad]).is_err(), "{bad}");
        }
        assert!(Entry::check_value(&vec![0; Entry::MAX_VALUE_LEN]).is_ok());
        let error = Entry::check_value(&vec![0; Entry::MAX_VALUE_LEN + 1]).unwrap_err().to_string();
        assert!(error.contains("1048577"), "{error}");
    }
}
