//! The files of a store: who may read them, and whether they are still there.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::error::io_error;
use crate::StoreError;

/// The folder that a file is in.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// The same path with more at its end: `keys.redb.lock` beside `keys.redb`.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Makes the folder, for its owner alone, or checks that it is so.
pub(super) fn prepare_folder(folder: &Path) -> Result<(), StoreError> {
    match fs::metadata(folder) {
        Ok(found) if found.is_dir() => check_private(folder, &found, 0o700),
        Ok(_) => Err(StoreError::refused(format!("{} is not a folder", folder.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut builder = DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(folder).map_err(|error| io_error(folder, "making the folder", error))?;
            sync_folder(self::folder(folder))
        }
        Err(error) => Err(io_error(folder, "looking at the folder", error)),
    }
}

/// What is at a path, if anything is: a file of ours that nobody else may read.
pub(super) fn private_file(path: &Path) -> Result<Option<Metadata>, StoreError> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(path, "looking at", error)),
    };
    if found.is_symlink() {
        // Locks and checks would be beside the link, and the file elsewhere.
        return Err(StoreError::refused(format!(
            "{} is a symbolic link; name the file itself",
            path.display()
        )));
    }
    if !found.is_file() {
        return Err(StoreError::refused(format!("{} is not a file", path.display())));
    }
    check_private(path, &found, 0o600)?;
    Ok(Some(found))
}

/// Reading and writing; a file that is made is its owner's alone.
pub(super) fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(unix)]
fn check_private(path: &Path, found: &Metadata, wanted: u32) -> Result<(), StoreError> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o7777;
    let others = mode & 0o077;
    if others == 0 {
        return Ok(());
    }
    let own = if wanted == 0o700 { ", or choose a folder of its own for the store" } else { "" };
    Err(StoreError::refused(format!(
        "others may use {}, whose mode is {mode:o}; run `chmod {wanted:o} {}`{own}",
        path.display(),
        quoted(path)
    )))
}

#[cfg(not(unix))]
fn check_private(_: &Path, _: &Metadata, _: u32) -> Result<(), StoreError> {
    Ok(())
}

/// As a shell reads it.
#[cfg(unix)]
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if !text.starts_with('-') && text.chars().all(plain) {
        return text;
    }
    format!("-- '{}'", text.replace('\'', r"'\''"))
}

/// Makes names in a folder durable, where the system can.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    if cfg!(unix) {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| io_error(folder, "writing the folder", error))?;
    }
    Ok(())
}

/// Which file it is that we have open, so that we notice if it is deleted or another takes its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    path: PathBuf,
    numbers: (u64, u64),
}

impl Identity {
    pub(super) fn of(path: &Path, file: &Metadata) -> Self {
        Self { path: path.to_owned(), numbers: numbers(file) }
    }

    /// What is written to a file that has lost its name is gone when it is closed.
    pub(super) fn check_there(&self) -> Result<(), StoreError> {
        let found = fs::symlink_metadata(&self.path).map_err(|error| {
            StoreError::unavailable_because(format!("{} is gone: {error}", self.path.display()), error)
        })?;
        if Self::of(&self.path, &found) == *self {
            return Ok(());
        }
        Err(StoreError::unavailable(format!("another file has taken the place of {}", self.path.display())))
    }
}

/// Device and inode.
#[cfg(unix)]
fn numbers(file: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt as _;
    (file.dev(), file.ino())
}

/// Elsewhere a file that is open cannot be deleted.
#[cfg(not(unix))]
fn numbers(_: &Metadata) -> (u64, u64) {
    (0, 0)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_quoted_for_a_shell() {
        assert_eq!(quoted(Path::new("/var/lib/keys.redb")), "/var/lib/keys.redb");
        assert_eq!(quoted(Path::new("my keys")), "-- 'my keys'");
        assert_eq!(quoted(Path::new("it's")), r"-- 'it'\''s'");
        assert_eq!(quoted(Path::new("-x")), "-- '-x'");
    }

    #[test]
    fn a_bare_name_is_in_this_folder() {
        assert_eq!(folder(Path::new("keys.redb")), Path::new("."));
        assert_eq!(beside(Path::new("a/keys.redb"), ".lock"), Path::new("a/keys.redb.lock"));
    }
}
