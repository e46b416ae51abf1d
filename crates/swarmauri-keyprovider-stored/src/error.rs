//! Errors of a store, as the callers of a provider meet them.

use std::sync::Arc;

use swarmauri_keys::KeyError;
use swarmauri_keystore::StoreError;

pub(crate) fn store_failed(error: StoreError) -> KeyError {
    let reason = format!("the store of the keys: {error}");
    match error {
        StoreError::Conflict { .. } => KeyError::conflict(reason),
        StoreError::Integrity { .. } => KeyError::integrity(reason),
        StoreError::Refused { .. } => KeyError::permission_denied(reason),
        StoreError::Unavailable { .. } | StoreError::Lagged => {
            KeyError::Unavailable { reason: reason.into(), source: Some(Arc::new(error)) }
        }
        // A key of so many versions that its record is longer than a value may be.
        _ => KeyError::invalid_state(reason),
    }
}
