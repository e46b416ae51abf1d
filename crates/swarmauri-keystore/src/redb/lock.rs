//! The file beside the database: the lock that keeps others out, and how far the database has come.
//!
//! The lock is the kernel's, and ends with the process. The last revision is written down here after each commit, and
//! may lag behind after a loss of power, but never runs ahead: a database that is behind it has lost acknowledged
//! writes, be it that an old copy was put in its place or that damage made the engine fall back to an older commit.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process;

use super::error::io_error;
use super::{closing, files};
use crate::{Revision, StoreError};

/// The lock, while it is held.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock of the database at this path.
    pub(super) fn take(database: &Path) -> Result<Self, StoreError> {
        let path = files::beside(database, ".lock");
        files::private_file(&path)?;
        loop {
            let closing = closing::count();
            let file = files::private_options().create(true).truncate(false).open(&path);
            let file = file.map_err(|error| io_error(&path, "opening", error))?;
            match file.try_lock() {
                Ok(()) => return Ok(Self { file, path }),
                Err(TryLockError::WouldBlock) if closing > 0 => closing::wait_for_fewer_than(closing),
                Err(TryLockError::WouldBlock) => return Err(taken(database, file)),
                Err(TryLockError::Error(error)) => return Err(io_error(&path, "locking", error)),
            }
        }
    }

    /// The last revision that was written down; the first of all if none can be read.
    pub(super) fn revision(&mut self) -> Revision {
        let text = read(&mut self.file).unwrap_or_default();
        Revision::new(field(&text, "revision").unwrap_or_default())
    }

    /// Writes down who holds the lock, and the last revision.
    pub(super) fn note(&mut self, revision: Revision) -> Result<(), StoreError> {
        // Always as long, and in one write, so that no reader finds half of it.
        let text = format!("pid {:010}\nrevision {:020}\n", process::id(), revision.get());
        let written = self.file.rewind().and_then(|()| self.file.write_all(text.as_bytes()));
        written.map_err(|error| io_error(&self.path, "writing", error))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file alone leaves the lock to a child process that is being started, for as long as that takes.
        let _ = self.file.unlock();
    }
}

fn taken(database: &Path, mut file: File) -> StoreError {
    let owner = match field(&read(&mut file).unwrap_or_default(), "pid") {
        Some(pid) if pid == u64::from(process::id()) => format!("process {pid}, which is this one"),
        Some(pid) => format!("process {pid}"),
        None => "another process".to_owned(),
    };
    StoreError::refused(format!("{} is open in {owner}", database.display()))
}

fn read(file: &mut File) -> io::Result<String> {
    let mut text = String::new();
    file.rewind()?;
    // Ours is shorter; whatever else it is need not fit into memory.
    file.take(1024).read_to_string(&mut text)?;
    Ok(text)
}

fn field(text: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.find(|(found, _)| *found == name)?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_found() {
        let text = "pid 0000004242\nrevision 00000000000000000017\n";
        assert_eq!((field(text, "pid"), field(text, "revision")), (Some(4242), Some(17)));
        for odd in ["", "pid", "pid x", "revision -1", "\0\0\0"] {
            assert_eq!((field(odd, "pid"), field(odd, "revision")), (None, None), "{odd:?}");
        }
    }
}
