//! Who may use the files, and what happens when they go away.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use swarmauri_keystore::{KeyStore, Precondition, RedbStore, StoreError};

use crate::child::Process;
use crate::folder::{Folder, mode, set_mode};
use crate::key;

async fn refused(path: &Path) -> String {
    match RedbStore::open(path).await {
        Err(StoreError::Refused { reason }) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_made_is_for_its_owner_alone() {
    let folder = Folder::new();
    let database = folder.join("new").join("folders").join("keys.redb");
    let store = RedbStore::open(&database).await.unwrap();
    store.put(&key("k"), b"v", Precondition::Any).await.unwrap();
    assert_eq!(mode(&database), 0o600);
    assert_eq!(mode(&database.with_extension("redb.lock")), 0o600);
    assert_eq!(mode(database.parent().unwrap()), 0o700);
    assert_eq!(mode(&folder.join("new")), 0o700);
    let names: Vec<_> =
        fs::read_dir(database.parent().unwrap()).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[tokio::test]
async fn files_that_others_may_use_are_refused_with_the_command_that_mends_it() {
    let folder = Folder::new();
    let database = folder.database();
    RedbStore::open(&database).await.unwrap().close().await;
    let lock = database.with_extension("redb.lock");
    for (path, loose, tight) in [
        (&database, 0o640, 0o600),
        (&database, 0o602, 0o600),
        (&lock, 0o604, 0o600),
        (&folder.to_path_buf(), 0o750, 0o700),
    ] {
        set_mode(path, loose);
        let reason = refused(&database).await;
        let command = format!("chmod {tight:o} {}", path.display());
        assert!(reason.contains(&command), "{reason}");
        set_mode(path, tight);
        RedbStore::open(&database).await.unwrap().close().await;
    }
}

#[tokio::test]
async fn links_and_folders_are_no_databases() {
    let folder = Folder::new();
    let database = folder.database();
    RedbStore::open(&database).await.unwrap().close().await;
    let link = folder.join("link.redb");
    std::os::unix::fs::symlink(&database, &link).unwrap();
    assert!(refused(&link).await.contains("symbolic link"));
    std::os::unix::fs::symlink(folder.join("nowhere"), folder.join("dangling")).unwrap();
    assert!(refused(&folder.join("dangling")).await.contains("symbolic link"));
    fs::create_dir(folder.join("sub")).unwrap();
    set_mode(&folder.join("sub"), 0o700);
    assert!(refused(&folder.join("sub")).await.contains("not a file"));
    assert!(refused(&database.join("under a file")).await.contains("keys.redb"));
}

#[tokio::test]
async fn a_second_one_in_this_process_is_refused_until_the_first_is_closed() {
    let folder = Folder::new();
    let database = folder.database();
    let store = RedbStore::open(&database).await.unwrap();
    let reason = refused(&database).await;
    assert!(reason.contains(&format!("process {}, which is this one", std::process::id())), "{reason}");
    let clone = store.clone();
    drop(store);
    refused(&database).await;
    clone.close().await;
    let store = RedbStore::open(&database).await.unwrap();
    drop(clone);
    refused(&database).await;
    drop(store);
    RedbStore::open(&database).await.unwrap();
}

#[tokio::test]
async fn a_second_process_is_refused_and_told_which_has_it() {
    let folder = Folder::new();
    let database = folder.database();
    let store = RedbStore::open(&database).await.unwrap();
    let mut other = Process::start("hold", &database, "");
    let answer = other.line("opened: ").unwrap();
    assert!(answer.contains(&format!("is open in process {}", std::process::id())), "{answer}");
    store.put(&key("k"), b"v", Precondition::Any).await.unwrap();
    store.close().await;

    let mut other = Process::start("hold", &database, "");
    assert_eq!(other.line("opened: ").unwrap(), "yes");
    let reason = refused(&database).await;
    assert!(reason.contains(&format!("is open in process {}", other.child.id())), "{reason}");
    // Killed, it leaves its pid in the file, and no lock.
    drop(other);
    let store = RedbStore::open(&database).await.unwrap();
    assert_eq!(&*store.get(&key("k")).await.unwrap().unwrap().value, b"v");
}

/// A child has the files of its parent until it has become another program.
#[test]
fn a_child_that_is_being_started_does_not_keep_the_lock() {
    let folder = Folder::new();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let _ = std::process::Command::new("true").status();
            }
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let opened = std::thread::spawn({
            let database = folder.database();
            move || {
                runtime.block_on(async {
                    for _ in 0..100 {
                        RedbStore::open(&database).await?.close().await;
                    }
                    Ok::<_, StoreError>(())
                })
            }
        });
        let opened = opened.join();
        stop.store(true, Ordering::Relaxed);
        opened.unwrap().unwrap();
    });
}

#[tokio::test]
async fn a_file_that_goes_away_ends_the_store_and_is_not_made_anew() {
    for replaced in [false, true] {
        let folder = Folder::new();
        let database = folder.database();
        let store = RedbStore::open(&database).await.unwrap();
        store.put(&key("k"), b"v", Precondition::Any).await.unwrap();
        let mut watch = store.watch(b"").await.unwrap();
        if replaced {
            fs::copy(&database, folder.join("copy")).unwrap();
            fs::rename(folder.join("copy"), &database).unwrap();
        } else {
            fs::remove_file(&database).unwrap();
        }
        let error = store.put(&key("k"), b"w", Precondition::Any).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
        assert!(error.to_string().contains("keys.redb"), "{error}");
        assert!(store.get(&key("k")).await.is_err(), "what was not acknowledged is not served");
        assert!(store.scan(&swarmauri_keystore::ScanRequest::all(b"")).await.is_err());
        assert!(watch.next().await.is_err());
        store.close().await;
        match RedbStore::open(&database).await {
            Ok(store) if replaced => {
                assert_eq!(&*store.get(&key("k")).await.unwrap().unwrap().value, b"v");
            }
            Err(StoreError::Integrity { reason }) if !replaced => {
                assert!(reason.contains("is gone") && !database.exists(), "{reason}");
                // As it says.
                fs::remove_file(database.with_extension("redb.lock")).unwrap();
                RedbStore::open(&database).await.unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_older_copy_in_its_place_is_noticed() {
    let folder = Folder::new();
    let database = folder.database();
    let store = RedbStore::open(&database).await.unwrap();
    store.put(&key("k"), b"old", Precondition::Any).await.unwrap();
    store.close().await;
    fs::copy(&database, folder.join("copy")).unwrap();
    let store = RedbStore::open(&database).await.unwrap();
    store.delete(&key("k"), Precondition::Any).await.unwrap();
    store.close().await;
    fs::rename(folder.join("copy"), &database).unwrap();
    match RedbStore::open(&database).await {
        Err(StoreError::Integrity { reason }) => {
            assert!(reason.contains("is at revision 1, and revision 2"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    fs::remove_file(database.with_extension("redb.lock")).unwrap();
    let store = RedbStore::open(&database).await.unwrap();
    assert_eq!(&*store.get(&key("k")).await.unwrap().unwrap().value, b"old");
}
