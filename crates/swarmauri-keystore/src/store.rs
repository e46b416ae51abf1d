//! The trait, and its vocabulary.

use std::fmt::{self, Debug};
use std::sync::Arc;

use async_trait::async_trait;

use crate::{StoreError, Watch};

/// Keys with values and revisions.
///
/// # What holds for every method
///
/// * **Linearizable.** Each call takes effect at one moment between its start and its end, for all users of the store.
/// * **Durable.** What `Ok` says has happened is there after a crash, as far as the engine keeps anything at all.
/// * **Revisions** are of the whole store: each write gets one of its own, greater than every one before it. They are
///   never used again, not even by a store that was closed and opened meanwhile.
/// * **Cancellation.** A write that is dropped takes effect as a whole or not at all, now or a moment later.
/// * **Outages** are [`StoreError::Unavailable`]: whether a write took effect is unknown then. Every other error says
///   that it did not.
#[async_trait]
pub trait KeyStore: Send + Sync + Debug {
    /// The entry at a key.
    async fn get(&self, key: &StoreKey) -> Result<Option<Entry>, StoreError>;

    /// Writes an entry if the precondition holds, and gives its revision.
    ///
    /// * A precondition that does not hold is [`StoreError::Conflict`], which tells the revision that was found.
    /// * A value of more than [`Entry::MAX_VALUE_LEN`] bytes is [`StoreError::InvalidInput`].
    /// * Writing the same value again is a write, with a revision of its own.
    async fn put(&self, key: &StoreKey, value: &[u8], when: Precondition) -> Result<Revision, StoreError>;

    /// Deletes the entry at a key if the precondition holds, and gives the revision of the deletion; `None` if there was
    /// nothing to delete, which with [`Precondition::At`] is a [`StoreError::Conflict`].
    async fn delete(&self, key: &StoreKey, when: Precondition) -> Result<Option<Revision>, StoreError>;

    /// The entries whose keys start with a prefix, in the order of their keys' bytes, page by page.
    ///
    /// One page shows one moment; from page to page the store may change. An entry that is there during the whole of a
    /// scan is in it exactly once.
    async fn scan(&self, request: &ScanRequest) -> Result<ScanPage, StoreError>;

    /// Every change to keys that start with a prefix from now on: those that take effect after this has returned are all
    /// in it, once each, in the order of their revisions.
    ///
    /// To follow the store without a gap: watch first, then scan, then take the changes whose revisions are greater than
    /// what the scan has shown of their keys.
    async fn watch(&self, prefix: &[u8]) -> Result<Box<dyn Watch>, StoreError>;
}

const _: Option<&dyn KeyStore> = None; // object safety

/// A key: 1 to [`StoreKey::MAX_LEN`] bytes. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoreKey(Arc<[u8]>);

impl StoreKey {
    /// The longest key, in bytes.
    pub const MAX_LEN: usize = 1024;

    /// Checks a key.
    ///
    /// # Errors
    ///
    /// [`StoreError::InvalidInput`] if it is empty or too long.
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, StoreError> {
        let bytes = bytes.as_ref();
        if bytes.is_empty() || bytes.len() > Self::MAX_LEN {
            return Err(StoreError::invalid_input(format!(
                "a key has 1 to {} bytes, this one has {}",
                Self::MAX_LEN,
                bytes.len()
            )));
        }
        Ok(Self(bytes.into()))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreKey({})", self.0.escape_ascii())
    }
}

/// When a write happened, in the order of all writes to a store: 1 and up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Revision(u64);

impl Revision {
    /// Before the first write.
    pub const START: Self = Self(0);

    /// The revision of this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The one after this.
    #[must_use]
    pub const fn next(self) -> Self {
        // A write a nanosecond lasts for more than five hundred years.
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What is at a key. `Debug` shows how long the value is, and not what.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: StoreKey,
    /// What was written last.
    pub value: Arc<[u8]>,
    /// When it was written.
    pub revision: Revision,
}

impl Entry {
    /// The longest value, in bytes: 1 MiB.
    pub const MAX_VALUE_LEN: usize = 1 << 20;

    /// Checks the length of a value, for engines.
    ///
    /// # Errors
    ///
    /// [`StoreError::InvalidInput`] if it is too long.
    pub fn check_value(value: &[u8]) -> Result<(), StoreError> {
        if value.len() <= Self::MAX_VALUE_LEN {
            return Ok(());
        }
        Err(StoreError::invalid_input(format!(
            "a value has at most {} bytes, this one has {}",
            Self::MAX_VALUE_LEN,
            value.len()
        )))
    }
}

impl Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("key", &self.key)
            .field("value", &format_args!("{} bytes", self.value.len()))
            .field("revision", &self.revision)
            .finish()
    }
}

/// What must be so for a write to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Precondition {
    /// Nothing: it happens.
    Any,
    /// There is no entry at the key.
    Absent,
    /// The entry at the key is the one of this revision.
    At(Revision),
}

impl Precondition {
    /// Checks it against the revision that is there, for engines.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] if it does not hold.
    pub fn check(self, found: Option<Revision>) -> Result<(), StoreError> {
        let holds = match self {
            Self::Any => true,
            Self::Absent => found.is_none(),
            Self::At(expected) => found == Some(expected),
        };
        if holds { Ok(()) } else { Err(StoreError::Conflict { found }) }
    }
}

/// Which part of a scan is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanRequest {
    /// What the keys start with.
    pub prefix: Vec<u8>,
    /// The last key of the page before; `None` starts at the beginning.
    pub after: Option<StoreKey>,
    /// How many entries at most; engines may give fewer, and take 0 for 1.
    pub limit: usize,
}

impl ScanRequest {
    /// The page size of [`ScanRequest::all`].
    pub const DEFAULT_LIMIT: usize = 500;

    /// The first page of all keys that start with a prefix.
    pub fn all(prefix: impl Into<Vec<u8>>) -> Self {
        Self { prefix: prefix.into(), after: None, limit: Self::DEFAULT_LIMIT }
    }

    /// The page after this one.
    #[must_use]
    pub fn after(self, last: StoreKey) -> Self {
        Self { after: Some(last), ..self }
    }

    /// The same, of at most so many entries a page.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }
}

/// Part of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanPage {
    /// The entries, in the order of their keys.
    pub entries: Vec<Entry>,
    /// Whether there are more behind the last of them. If there are, the page is not empty.
    pub more: bool,
}
