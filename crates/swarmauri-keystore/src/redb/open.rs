//! Opening and making databases.

use std::fs::{self, File};
use std::path::Path;

use ::redb::backends::FileBackend;
use ::redb::{Builder, Database, ReadTransaction, ReadableDatabase as _, ReadableTable as _};

use super::error::{engine, guarded, io_error};
use super::files::{self, Identity};
use super::lock::Lock;
use super::record::{self, ENTRIES, FORMAT, FORMAT_KEY, META, STATE_KEY, State};
use crate::{Revision, StoreError};

/// How much of the database the engine keeps in memory, in bytes.
const CACHE: usize = 16 << 20;

/// A database that is ours, and checked.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) database: Database,
    pub(super) state: State,
    pub(super) lock: Lock,
    pub(super) identity: Identity,
}

/// Opens the database at a path, or makes one if nothing is there.
pub(super) fn open(path: &Path) -> Result<Opened, StoreError> {
    files::prepare_folder(files::folder(path))?;
    let mut lock = Lock::take(path)?;
    let noted = lock.revision();
    if files::private_file(path)?.is_none() {
        if noted > Revision::START {
            return Err(StoreError::integrity(format!(
                "{} is gone, and revision {noted} was written to it; restore it, or remove {} to begin anew",
                path.display(),
                lock.path().display()
            )));
        }
        make(path)?;
    }
    let (database, identity) = open_file(path)?;
    let state = guarded(path, "checking", || check(path, &database))?;
    if state.revision < noted {
        return Err(StoreError::integrity(format!(
            "{} is at revision {}, and revision {noted} was written to it; if it is an older copy that is there on \
             purpose, remove {}",
            path.display(),
            state.revision,
            lock.path().display()
        )));
    }
    lock.note(state.revision)?;
    Ok(Opened { database, state, lock, identity })
}

/// Makes an empty database, whole or not at all: what lies at the path has always been complete.
fn make(path: &Path) -> Result<(), StoreError> {
    let unfinished = files::beside(path, ".new");
    if files::private_file(&unfinished)?.is_some() {
        fs::remove_file(&unfinished).map_err(|error| io_error(&unfinished, "removing", error))?;
    }
    let file = files::private_options().create_new(true).open(&unfinished);
    let file = file.map_err(|error| io_error(path, "making", error))?;
    guarded(path, "making", || {
        let failed = |error: ::redb::Error| engine(path, "making", error);
        let database = engine_open(path, file)?;
        let mut transaction = database.begin_write().map_err(|error| failed(error.into()))?;
        transaction.set_two_phase_commit(true);
        fill(&transaction).map_err(failed)?;
        transaction.commit().map_err(|error| failed(error.into()))?;
        database.close().map_err(|error| failed(error.into()))
    })?;
    fs::rename(&unfinished, path).map_err(|error| io_error(path, "making", error))?;
    files::sync_folder(files::folder(path))
}

fn fill(transaction: &::redb::WriteTransaction) -> Result<(), ::redb::Error> {
    transaction.open_table(ENTRIES)?;
    let mut meta = transaction.open_table(META)?;
    meta.insert(FORMAT_KEY, FORMAT.to_le_bytes().as_slice())?;
    meta.insert(STATE_KEY, State::default().encode().as_slice())?;
    Ok(())
}

fn open_file(path: &Path) -> Result<(Database, Identity), StoreError> {
    let file = files::private_options().open(path).map_err(|error| io_error(path, "opening", error))?;
    let found = file.metadata().map_err(|error| io_error(path, "opening", error))?;
    if found.len() == 0 {
        // The engine would take it for a new one.
        return Err(StoreError::integrity(format!("{} is empty", path.display())));
    }
    let identity = Identity::of(path, &found);
    identity.check_there()?;
    Ok((guarded(path, "opening", || engine_open(path, file))?, identity))
}

fn engine_open(path: &Path, file: File) -> Result<Database, StoreError> {
    let backend = FileBackend::new(file).map_err(|error| engine(path, "opening", error))?;
    let mut builder = Builder::new();
    // Without this the engine trusts its pages, and panics or worse where they are damaged.
    builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
    builder.create_with_backend(backend).map_err(|error| engine(path, "opening", error))
}

/// Checks each entry, and that they are all there, and no others.
fn check(path: &Path, database: &Database) -> Result<State, StoreError> {
    let failed = |error: ::redb::Error| engine(path, "checking", error);
    let transaction = database.begin_read().map_err(|error| failed(error.into()))?;
    let expected = recorded(path, &transaction)?;
    let entries = transaction.open_table(ENTRIES).map_err(|error| failed(error.into()))?;
    let mut found = State { revision: expected.revision, ..State::default() };
    for entry in entries.iter().map_err(|error| failed(error.into()))? {
        let (key, stored) = entry.map_err(|error| failed(error.into()))?;
        let record = record::decode(key.value(), stored.value()).map_err(|record::Damaged| {
            StoreError::integrity(format!(
                "{}: the entry at {} is damaged",
                path.display(),
                key.value().escape_ascii()
            ))
        })?;
        found.add(record.sum);
    }
    if found.count != expected.count {
        return Err(StoreError::integrity(format!(
            "{} holds {} entries, and {} were written to it",
            path.display(),
            found.count,
            expected.count
        )));
    }
    if found != expected {
        return Err(StoreError::integrity(format!(
            "{} holds entries that are not those of revision {}: one or more are older or foreign",
            path.display(),
            expected.revision
        )));
    }
    Ok(expected)
}

/// The state that the database says it is in, if it is of a format that we know.
fn recorded(path: &Path, transaction: &ReadTransaction) -> Result<State, StoreError> {
    let failed = |error: ::redb::Error| engine(path, "checking", error);
    let meta = transaction.open_table(META).map_err(|error| failed(error.into()))?;
    let format = meta.get(FORMAT_KEY).map_err(|error| failed(error.into()))?;
    let format = format.and_then(|format| Some(u32::from_le_bytes(format.value().try_into().ok()?)));
    match format {
        Some(FORMAT) => {}
        Some(newer) if newer > FORMAT => {
            return Err(StoreError::refused(format!(
                "{} was written by a newer version: format {newer}, this one knows {FORMAT}",
                path.display()
            )));
        }
        _ => return Err(StoreError::integrity(format!("{} has no record of its format", path.display()))),
    }
    let state = meta.get(STATE_KEY).map_err(|error| failed(error.into()))?;
    let state = state.and_then(|state| State::decode(state.value()).ok());
    state.ok_or_else(|| StoreError::integrity(format!("{} has no record of its state", path.display())))
}
