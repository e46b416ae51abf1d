//! Listing keys page by page.

use serde::{Deserialize, Serialize};

use crate::{
    ExportPolicy, Fingerprint, KeyAlg, KeyClass, KeyId, KeyRef, KeyState, KeyUses, KeyVersion, Tags,
};

/// One key in a listing: what its latest version is. No material.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is documented on the accessor of KeyRef that bears its name")]
pub struct KeySummary {
    pub kid: KeyId,
    /// The latest live version.
    pub version: KeyVersion,
    pub alg: KeyAlg,
    pub class: KeyClass,
    pub uses: KeyUses,
    pub state: KeyState,
    pub export_policy: ExportPolicy,
    pub label: Option<String>,
    pub tags: Tags,
    pub fingerprint: Fingerprint,
}

/// Where a listing goes on; only the provider that made it can read it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(String);

/// Which part of a listing is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageRequest {
    /// Where to go on; `None` starts at the beginning.
    pub cursor: Option<Cursor>,
    /// How many items at most; providers may give fewer, and take 0 for 1.
    pub limit: usize,
}

/// Part of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items; a page may be empty and not the last.
    pub items: Vec<T>,
    /// Where the listing goes on; `None` on the last page.
    pub next: Option<Cursor>,
}

impl PageRequest {
    /// The page size of [`PageRequest::default`].
    pub const DEFAULT_LIMIT: usize = 100;

    /// The first page, of at most this many items.
    pub fn first(limit: usize) -> Self {
        Self { cursor: None, limit }
    }

    /// The page at this cursor, of at most this many items.
    pub fn at(cursor: Cursor, limit: usize) -> Self {
        Self { cursor: Some(cursor), limit }
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self::first(Self::DEFAULT_LIMIT)
    }
}

impl Cursor {
    /// Wraps what a provider wants back.
    pub fn new(position: impl Into<String>) -> Self {
        Self(position.into())
    }

    /// What the provider wrapped.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&KeyRef> for KeySummary {
    fn from(key: &KeyRef) -> Self {
        Self {
            kid: key.kid().clone(),
            version: key.version(),
            alg: key.alg(),
            class: key.class(),
            uses: key.uses(),
            state: key.state(),
            export_policy: key.export_policy(),
            label: key.label().map(str::to_owned),
            tags: key.tags().clone(),
            fingerprint: key.fingerprint().clone(),
        }
    }
}
