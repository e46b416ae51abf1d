//! What the engine's errors mean to a caller.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use ::redb::Error as Engine;

use crate::StoreError;

/// An error of the engine. `doing` says what it was about: "reading".
pub(super) fn engine(path: &Path, doing: &str, error: impl Into<Engine>) -> StoreError {
    let at = format!("{doing} {}", path.display());
    match error.into() {
        Engine::Io(error) => io_error(path, doing, error),
        Engine::DatabaseAlreadyOpen | Engine::LockProtocolMismatch => {
            StoreError::refused(format!("{at}: another program has it open"))
        }
        Engine::UpgradeRequired(version) => {
            StoreError::refused(format!("{at}: it is in version {version} of redb's format, which this redb does not read"))
        }
        error @ (Engine::Corrupted(_)
        | Engine::TableDoesNotExist(_)
        | Engine::TableTypeMismatch { .. }
        | Engine::TableIsMultimap(_)
        | Engine::TableIsNotMultimap(_)
        | Engine::TypeDefinitionChanged { .. }
        | Engine::RepairAborted
        // Another thread broke off while it held the engine's lock.
        | Engine::LockPoisoned(_)) => StoreError::integrity(format!("{at}: {error}")),
        error => StoreError::unavailable_because(at, error),
    }
}

/// An error of the file system.
pub(super) fn io_error(path: &Path, doing: &str, error: io::Error) -> StoreError {
    let at = format!("{doing} {}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => StoreError::integrity(at),
        io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::NotADirectory => StoreError::refused(at),
        _ => StoreError::unavailable_because(at, error),
    }
}

/// Keeps a panic of the engine, which some damage to the file leads to, from the caller. Its text is on standard error
/// already, and not in the error, where nobody could vouch for what it shows.
pub(super) fn guarded<T>(
    path: &Path,
    doing: &str,
    work: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(StoreError::integrity(format!(
            "{doing} {}: the engine broke off, and the file is damaged",
            path.display()
        )))
    })
}
