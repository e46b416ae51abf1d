//! Databases that are well-formed, and were changed behind the store's back.

use std::path::Path;

use redb::{Database, ReadableDatabase as _, TableDefinition, WriteTransaction};
use swarmauri_keystore::{KeyStore, Precondition, RedbStore, StoreError};

use crate::folder::Folder;
use crate::key;

const ENTRIES: TableDefinition<&[u8], &[u8]> = TableDefinition::new("entries");
const META: TableDefinition<&str, &[u8]> = TableDefinition::new("swarmauri-keystore");

/// What lies in the table at a key.
fn raw(database: &Path, name: &[u8]) -> Vec<u8> {
    let database = Database::open(database).unwrap();
    let entries = database.begin_read().unwrap().open_table(ENTRIES).unwrap();
    entries.get(name).unwrap().unwrap().value().to_vec()
}

fn change(database: &Path, change: impl FnOnce(&WriteTransaction)) {
    let database = Database::open(database).unwrap();
    let transaction = database.begin_write().unwrap();
    change(&transaction);
    transaction.commit().unwrap();
}

fn set(database: &Path, name: &[u8], stored: &[u8]) {
    change(database, |transaction| {
        drop(transaction.open_table(ENTRIES).unwrap().insert(name, stored).unwrap());
    });
}

fn remove(database: &Path, name: &[u8]) {
    change(database, |transaction| drop(transaction.open_table(ENTRIES).unwrap().remove(name).unwrap()));
}

/// Three entries, one of which was written twice, and one that was deleted; closed. With it, what two of them were.
async fn prepared(folder: &Folder) -> (Vec<u8>, Vec<u8>) {
    let database = folder.database();
    let store = RedbStore::open(&database).await.unwrap();
    for name in ["a", "b", "c", "gone"] {
        store.put(&key(name), b"first", Precondition::Absent).await.unwrap();
    }
    store.close().await;
    let before = (raw(&database, b"a"), raw(&database, b"gone"));
    let store = RedbStore::open(&database).await.unwrap();
    store.put(&key("a"), b"again", Precondition::Any).await.unwrap();
    store.delete(&key("gone"), Precondition::Any).await.unwrap();
    store.close().await;
    before
}

async fn integrity(folder: &Folder, what: &str, telling: &str) {
    match RedbStore::open(folder.database()).await {
        Err(StoreError::Integrity { reason }) => assert!(reason.contains(telling), "{what}: {reason}"),
        other => panic!("{what}: {other:?}"),
    }
}

#[tokio::test]
async fn entries_that_were_changed_behind_its_back_are_noticed() {
    type Splice = fn(&Path, &(Vec<u8>, Vec<u8>));
    let splices: [(&str, &str, Splice); 8] = [
        ("an older copy", "not those of revision 6", |database, before| set(database, b"a", &before.0)),
        ("two swapped", "the entry at ", |database, _| {
            let (a, b) = (raw(database, b"a"), raw(database, b"b"));
            set(database, b"a", &b);
            set(database, b"b", &a);
        }),
        ("one copied over another", "the entry at b is damaged", |database, _| {
            set(database, b"b", &raw(database, b"c"));
        }),
        ("one removed", "holds 2 entries, and 3", |database, _| remove(database, b"c")),
        ("all removed", "holds 0 entries, and 3", |database, _| {
            change(database, |transaction| assert!(transaction.delete_table(ENTRIES).unwrap()));
            change(database, |transaction| drop(transaction.open_table(ENTRIES).unwrap()));
        }),
        ("a deleted one is back", "holds 4 entries, and 3", |database, before| {
            set(database, b"gone", &before.1);
        }),
        ("a deleted one for another", "not those of revision 6", |database, before| {
            remove(database, b"c");
            set(database, b"gone", &before.1);
        }),
        ("cut short", "the entry at c is damaged", |database, _| set(database, b"c", &[0; 20])),
    ];
    for (what, telling, splice) in splices {
        let folder = Folder::new();
        let before = prepared(&folder).await;
        splice(&folder.database(), &before);
        integrity(&folder, what, telling).await;
        // It stays so.
        integrity(&folder, what, telling).await;
    }
}

#[tokio::test]
async fn without_its_records_a_database_is_not_ours() {
    type Change = fn(&WriteTransaction);
    let changes: [(&str, &str, Change); 7] = [
        ("no format", "no record of its format", |on| {
            drop(on.open_table(META).unwrap().remove("format").unwrap());
        }),
        ("format 0", "no record of its format", |on| {
            on.open_table(META).unwrap().insert("format", [0; 4].as_slice()).unwrap();
        }),
        ("an odd format", "no record of its format", |on| {
            on.open_table(META).unwrap().insert("format", [1, 0, 0].as_slice()).unwrap();
        }),
        ("no state", "no record of its state", |on| {
            drop(on.open_table(META).unwrap().remove("state").unwrap());
        }),
        ("an odd state", "no record of its state", |on| {
            on.open_table(META).unwrap().insert("state", [1; 80].as_slice()).unwrap();
        }),
        ("no table of records", "swarmauri-keystore", |on| assert!(on.delete_table(META).unwrap())),
        ("no table of entries", "entries", |on| assert!(on.delete_table(ENTRIES).unwrap())),
    ];
    for (what, telling, changed) in changes {
        let folder = Folder::new();
        prepared(&folder).await;
        change(&folder.database(), changed);
        integrity(&folder, what, telling).await;
    }
}

#[tokio::test]
async fn a_newer_format_is_refused_and_left_alone() {
    let folder = Folder::new();
    prepared(&folder).await;
    let newer = |on: &WriteTransaction| {
        on.open_table(META).unwrap().insert("format", 2u32.to_le_bytes().as_slice()).unwrap();
        // Whatever it has instead.
        on.delete_table(ENTRIES).unwrap();
    };
    change(&folder.database(), newer);
    for _ in 0..2 {
        match RedbStore::open(folder.database()).await {
            Err(StoreError::Refused { reason }) => {
                assert!(
                    reason.contains("written by a newer version: format 2, this one knows 1"),
                    "{reason}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn the_database_of_another_program_is_not_ours() {
    let folder = Folder::new();
    drop(Database::create(folder.database()).unwrap());
    #[cfg(unix)]
    crate::folder::set_mode(&folder.database(), 0o600);
    integrity(&folder, "nothing in it", "does not exist").await;
    let theirs =
        |on: &WriteTransaction| drop(on.open_table(TableDefinition::<u64, u64>::new("entries")).unwrap());
    change(&folder.database(), theirs);
    integrity(&folder, "theirs", "does not exist").await;
    let odd = |on: &WriteTransaction| {
        on.open_table(META).unwrap().insert("format", 1u32.to_le_bytes().as_slice()).unwrap();
    };
    change(&folder.database(), odd);
    integrity(&folder, "half ours", "").await;
}
