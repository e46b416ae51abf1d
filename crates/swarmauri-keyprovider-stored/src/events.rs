//! What is told by `tracing`. No event holds material.

use swarmauri_keys::{KeyError, KeyId};

/// What others write is not known at the moment.
pub(crate) fn out_of_touch(error: &KeyError) {
    tracing::warn!(%error, "lost touch with the store of the keys; reads go on with what is known");
}

/// A record became unreadable while it was in use; the key is served no more.
pub(crate) fn record_broken(kid: &KeyId, error: &KeyError) {
    tracing::error!(%kid, %error, "the record of a key is not what was written; the key is not served");
}

/// Nobody knows whether a write took effect.
pub(crate) fn outcome_unknown(kid: &KeyId, error: &KeyError) {
    tracing::warn!(%kid, %error, "the outcome of a write is unknown; the record is read before the key is used again");
}
