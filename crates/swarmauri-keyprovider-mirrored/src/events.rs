//! What the mirror tells the outside: one function per event, so that names and fields stay stable.
//!
//! No event carries secret material; errors do not either.

use swarmauri_keys::{KeyError, KeyId, KeyRef, KeyVersion, KeyVersionId};
use tracing::{info, warn};

fn show(version: Option<KeyVersion>) -> String {
    version.map_or_else(|| "latest".to_owned(), |version| version.to_string())
}

/// The primary had lost a version, and has been given it back.
pub(crate) fn restored(id: &KeyVersionId) {
    info!(kid = %id.kid, version = %id.version, "restored to the primary");
}

/// The secondary did not take a copy; it is owed.
pub(crate) fn copy_failed(id: &KeyVersionId, error: &KeyError) {
    warn!(kid = %id.kid, version = %id.version, kind = %error.kind(), %error, "mirror copy failed");
}

/// Mode `full` copies less than everything: the policy, or the primary itself, keeps the secret.
pub(crate) fn fell_back(key: &KeyRef) {
    let (kid, version, policy) = (key.kid(), key.version(), key.export_policy());
    info!(%kid, %version, %policy, "mirror copies the public key only");
}

/// A replica could not be destroyed; that is owed.
pub(crate) fn replica_destroy_failed(id: &KeyVersionId, error: &KeyError) {
    warn!(kid = %id.kid, version = %id.version, kind = %error.kind(), %error, "mirror destroy failed");
}

/// A replica could not be disabled or enabled; that is owed. The mirror itself goes by what the primary said.
pub(crate) fn replica_state_failed(id: &KeyVersionId, error: &KeyError) {
    warn!(kid = %id.kid, version = %id.version, kind = %error.kind(), %error, "mirror state failed");
}

/// Whether the primary has done what it was asked for is not known.
///
/// There is no `kid` yet where the primary takes none.
pub(crate) fn outcome_unknown(operation: &str, kid: Option<&KeyId>, error: &KeyError) {
    let kid = kid.map(KeyId::as_str);
    warn!(operation, kid, kind = %error.kind(), %error, "outcome on the primary is unknown");
}

/// The secondary is asked, because the primary failed.
pub(crate) fn failing_over(operation: &str, kid: &KeyId, version: Option<KeyVersion>, error: &KeyError) {
    let version = show(version);
    warn!(operation, %kid, version, kind = %error.kind(), %error, "failing over to the secondary");
}

/// The secondary is asked for something that is not about one key.
pub(crate) fn failing_over_all(operation: &str, error: &KeyError) {
    warn!(operation, kind = %error.kind(), %error, "failing over to the secondary");
}

/// The secondary failed too.
pub(crate) fn secondary_failed(operation: &str, error: &KeyError) {
    warn!(operation, kind = %error.kind(), %error, "the secondary failed");
}

/// The secondary answered with a key that is not the one that was copied.
pub(crate) fn wrong_key(id: &KeyVersionId, error: &KeyError) {
    warn!(kid = %id.kid, version = %id.version, %error, "the secondary answered with a wrong key");
}

/// The secondary no longer has a replica; it is owed again.
pub(crate) fn replica_lost(id: &KeyVersionId) {
    warn!(kid = %id.kid, version = %id.version, "replica lost");
}

/// Two replicas claim to be of one version, and differ.
pub(crate) fn rival_replicas(id: &KeyVersionId) {
    warn!(kid = %id.kid, version = %id.version, "replicas contradict each other; none is served");
}

/// The primary gave a new key the name of one that was there before.
pub(crate) fn name_reused(id: &KeyVersionId) {
    warn!(kid = %id.kid, version = %id.version, "the primary used a version again");
}

/// What other processes wrote to the mirror's state cannot be read; the mirror goes on with what it knows.
pub(crate) fn state_store_failed(error: &KeyError) {
    warn!(kind = %error.kind(), %error, "the state of the mirror is out of reach");
}
