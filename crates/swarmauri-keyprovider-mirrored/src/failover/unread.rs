//! Why a replica did not answer.

use swarmauri_keys::KeyError;

/// What a caller is told of a replica that was not read, or did no work.
#[derive(Debug)]
pub(crate) struct Unread {
    pub(crate) error: KeyError,
    /// Whether the secondary gave no answer: one that is silent is not waited for once more.
    pub(crate) silent: bool,
}

impl From<KeyError> for Unread {
    fn from(error: KeyError) -> Self {
        Self { error, silent: false }
    }
}

impl From<Unread> for KeyError {
    fn from(unread: Unread) -> Self {
        unread.error
    }
}
