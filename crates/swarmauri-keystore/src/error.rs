//! The one error type of stores.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::Revision;

/// What went wrong, sorted by what the caller can do about it. No variant holds a value of the store.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The precondition of a write did not hold; nothing was written. Read again, and decide anew.
    #[error("conflict: {}", found_text(*found))]
    Conflict {
        /// The revision that is there; `None` if nothing is.
        found: Option<Revision>,
    },
    /// The caller's input is wrong.
    #[error("invalid input: {reason}")]
    InvalidInput {
        /// What was wrong, and what would be right.
        reason: String,
    },
    /// What is stored is not what was written. Restore it from a copy.
    #[error("integrity: {reason}")]
    Integrity {
        /// Where, and which check failed.
        reason: String,
    },
    /// The store may not be used like this: permissions, another process that has it, a format of another version.
    #[error("refused: {reason}")]
    Refused {
        /// Why, and what to do.
        reason: String,
    },
    /// A watch has fallen so far behind that changes were lost. Watch again, and then scan.
    #[error("the watch has fallen behind, and lost changes; watch again, and then scan")]
    Lagged,
    /// The store is out of reach, its disk is full, or it is closed. Whether a write took effect is unknown.
    #[error("unavailable: {reason}")]
    Unavailable {
        /// What is out of reach.
        reason: String,
        /// The engine's own error, if there is one.
        #[source]
        source: Option<Arc<dyn StdError + Send + Sync>>,
    },
}

/// The variants of [`StoreError`] without their contents: to compare, count and label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each is the variant of StoreError that bears its name")]
pub enum StoreErrorKind {
    Conflict,
    InvalidInput,
    Integrity,
    Refused,
    Lagged,
    Unavailable,
}

impl StoreError {
    /// The variant, without its contents.
    pub fn kind(&self) -> StoreErrorKind {
        match self {
            Self::Conflict { .. } => StoreErrorKind::Conflict,
            Self::InvalidInput { .. } => StoreErrorKind::InvalidInput,
            Self::Integrity { .. } => StoreErrorKind::Integrity,
            Self::Refused { .. } => StoreErrorKind::Refused,
            Self::Lagged => StoreErrorKind::Lagged,
            Self::Unavailable { .. } => StoreErrorKind::Unavailable,
        }
    }

    /// [`StoreError::InvalidInput`] for this reason.
    pub fn invalid_input(reason: impl Into<String>) -> Self {
        Self::InvalidInput { reason: reason.into() }
    }

    /// [`StoreError::Integrity`] for this reason.
    pub fn integrity(reason: impl Into<String>) -> Self {
        Self::Integrity { reason: reason.into() }
    }

    /// [`StoreError::Refused`] for this reason.
    pub fn refused(reason: impl Into<String>) -> Self {
        Self::Refused { reason: reason.into() }
    }

    /// [`StoreError::Unavailable`] without an underlying error.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable { reason: reason.into(), source: None }
    }

    /// [`StoreError::Unavailable`] for an error of the engine.
    pub fn unavailable_because(
        reason: impl Into<String>,
        source: impl StdError + Send + Sync + 'static,
    ) -> Self {
        Self::Unavailable { reason: reason.into(), source: Some(Arc::new(source)) }
    }
}

impl fmt::Display for StoreErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Conflict => "conflict",
            Self::InvalidInput => "invalid_input",
            Self::Integrity => "integrity",
            Self::Refused => "refused",
            Self::Lagged => "lagged",
            Self::Unavailable => "unavailable",
        })
    }
}

fn found_text(found: Option<Revision>) -> String {
    match found {
        Some(revision) => format!("the entry is at revision {revision}"),
        None => "there is no entry".to_owned(),
    }
}
