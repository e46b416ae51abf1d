//! Reading.

use std::sync::Arc;

use ::redb::{ReadOnlyTable, ReadableDatabase as _};

use super::Shared;
use super::error::{engine, guarded};
use super::record::{self, ENTRIES};
use crate::{Entry, Revision, ScanPage, ScanRequest, StoreError, StoreErrorKind, StoreKey};

/// The most entries that one page of a scan holds.
const MAX_PAGE: usize = 10_000;

/// How many bytes of values a page holds before it ends.
const PAGE_BYTES: usize = 16 << 20;

type Entries = ReadOnlyTable<&'static [u8], &'static [u8]>;

impl Shared {
    pub(super) fn get(&self, key: &StoreKey) -> Result<Option<Entry>, StoreError> {
        self.read(|entries| {
            let found = entries.get(key.as_bytes()).map_err(|error| engine(&self.path, "reading", error))?;
            found.map(|stored| self.entry(key.as_bytes(), stored.value())).transpose()
        })
    }

    pub(super) fn scan(&self, request: &ScanRequest) -> Result<ScanPage, StoreError> {
        self.read(|entries| self.page(entries, request))
    }

    fn page(&self, entries: &Entries, request: &ScanRequest) -> Result<ScanPage, StoreError> {
        let failed = |error: ::redb::StorageError| engine(&self.path, "reading", error);
        let limit = request.limit.clamp(1, MAX_PAGE);
        let after = request.after.as_ref().map(StoreKey::as_bytes);
        let from = after.map_or(&*request.prefix, |after| after.max(&*request.prefix));
        let mut page = ScanPage { entries: Vec::new(), more: false };
        let mut bytes = 0;
        for found in entries.range(from..).map_err(failed)? {
            let (key, stored) = found.map_err(failed)?;
            if after == Some(key.value()) {
                continue;
            }
            if !key.value().starts_with(&request.prefix) {
                break;
            }
            if page.entries.len() >= limit || bytes > PAGE_BYTES {
                page.more = true;
                break;
            }
            let entry = self.entry(key.value(), stored.value())?;
            bytes += entry.value.len();
            page.entries.push(entry);
        }
        Ok(page)
    }

    fn entry(&self, key: &[u8], stored: &[u8]) -> Result<Entry, StoreError> {
        let record = record::decode(key, stored).map_err(|record::Damaged| self.damaged(key))?;
        let (value, revision): (Arc<[u8]>, Revision) = (record.value.into(), record.revision);
        // A key that the checksum fits was one when it was written.
        Ok(Entry { key: StoreKey::new(key).map_err(|_| self.damaged(key))?, value, revision })
    }

    pub(super) fn damaged(&self, key: &[u8]) -> StoreError {
        let path = self.path.display();
        StoreError::integrity(format!("{path}: the entry at {} is damaged", key.escape_ascii()))
    }

    /// Reads at one moment.
    fn read<T>(&self, work: impl FnOnce(&Entries) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.check_usable()?;
        let database = self.database.read();
        let database = database.as_ref().ok_or_else(|| self.closed())?;
        let mut began = false;
        let read = guarded(&self.path, "reading", || {
            let failed = |error: ::redb::Error| engine(&self.path, "reading", error);
            let transaction = database.begin_read().map_err(|error| failed(error.into()))?;
            let entries = transaction.open_table(ENTRIES).map_err(|error| failed(error.into()))?;
            began = true;
            work(&entries)
        });
        // A commit may have gone wrong meanwhile, and what it left is nobody's to see.
        self.check_usable()?;
        if !began
            && let Err(error) = &read
            && error.kind() == StoreErrorKind::Integrity
        {
            self.fail(error.clone());
        }
        read
    }
}
