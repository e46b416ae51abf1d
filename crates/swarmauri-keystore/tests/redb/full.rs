//! Disks that are full, or may not be written.

use std::path::Path;
use std::process::Command;
use std::task::{Context, Poll, Waker};

use swarmauri_keystore::{KeyStore, Precondition, RedbStore, StoreError};

use crate::folder::{Folder, set_mode, skip};
use crate::{all, key};

/// A small file system in memory, where this process may mount one.
struct Disk {
    folder: Folder,
}

impl Disk {
    fn mount() -> Option<Self> {
        let disk = Self { folder: Folder::new() };
        let mounted =
            disk.run(Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs"]));
        if !mounted {
            skip("no file system in memory can be mounted here");
        }
        mounted.then_some(disk)
    }

    fn remount(&self, option: &str) {
        assert!(self.run(Command::new("mount").args(["-o", &format!("remount,{option}")])), "{option}");
    }

    fn run(&self, command: &mut Command) -> bool {
        command.arg(&*self.folder).output().is_ok_and(|output| output.status.success())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.run(Command::new("umount").arg("-l"));
    }
}

#[tokio::test]
async fn a_full_disk_loses_nothing_that_was_acknowledged() {
    let Some(disk) = Disk::mount() else { return };
    let database = disk.folder.database();
    let store = RedbStore::open(&database).await.unwrap();
    let mut acknowledged = Vec::new();
    let value = |n: u8| vec![n; 50_000];
    let error = loop {
        let n = u8::try_from(acknowledged.len()).expect("the disk is smaller than this");
        match store.put(&key([n]), &value(n), Precondition::Absent).await {
            Ok(revision) => acknowledged.push(revision),
            Err(error) => break error,
        }
    };
    assert!(acknowledged.len() > 10, "{}", acknowledged.len());
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("No space left"), "{error}");
    // What is in doubt is not shown.
    for outcome in [
        store.get(&key([0])).await.map(drop),
        store.put(&key("more"), b"", Precondition::Any).await.map(drop),
        all(&store).await.map(drop),
    ] {
        assert!(matches!(outcome, Err(StoreError::Unavailable { .. })), "{outcome:?}");
    }
    store.close().await;
    // While the disk is full it may not open, but says so.
    match RedbStore::open(&database).await {
        Ok(store) => store.close().await,
        Err(error) => assert!(matches!(error, StoreError::Unavailable { .. }), "{error}"),
    }
    disk.remount("size=64m");
    let store = RedbStore::open(&database).await.unwrap();
    let found = all(&store).await.unwrap();
    assert!(found.len() == acknowledged.len() || found.len() == acknowledged.len() + 1, "{}", found.len());
    for (n, (entry, revision)) in found.iter().zip(&acknowledged).enumerate() {
        assert_eq!((entry.revision, &*entry.value), (*revision, &*value(u8::try_from(n).unwrap())));
    }
    store.put(&key("more"), b"", Precondition::Any).await.unwrap();
}

/// All of a batch share the failure of its commit, and none of them is told that it is durable.
#[tokio::test]
async fn a_batch_whose_commit_fails_is_no_ones_success() {
    let Some(disk) = Disk::mount() else { return };
    let database = disk.folder.database();
    let store = RedbStore::open(&database).await.unwrap();
    let value = |n: u8| vec![n; 900_000];
    let mut context = Context::from_waker(Waker::noop());
    // The others come together while the first is being committed, and are more than the disk holds.
    let (keys, values): (Vec<_>, Vec<_>) = (0..16).map(|n| (key([n]), value(n))).unzip();
    let mut writes = Vec::new();
    for (key, value) in keys.iter().zip(&values) {
        let mut write = store.put(key, value, Precondition::Absent);
        // By now the disk may be full already; then the answer is here at once.
        let early = write.as_mut().poll(&mut context);
        writes.push((write, early));
    }
    let mut outcomes = Vec::new();
    for (write, early) in writes {
        outcomes.push(match early {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => write.await,
        });
    }
    assert!(
        outcomes.is_sorted_by_key(Result::is_err),
        "after a failed commit there is no success: {outcomes:?}"
    );
    assert!(outcomes.last().unwrap().is_err(), "16 values fit on the disk");
    for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    }
    store.close().await;
    disk.remount("size=64m");
    let store = RedbStore::open(&database).await.unwrap();
    for ((key, value), outcome) in keys.iter().zip(&values).zip(&outcomes) {
        let found = store.get(key).await.unwrap();
        match outcome {
            Ok(revision) => assert_eq!(found.as_ref().map(|entry| entry.revision), Some(*revision)),
            Err(_) => assert!(found.as_ref().is_none_or(|entry| *entry.value == **value)),
        }
    }
}

#[tokio::test]
async fn no_store_is_made_on_a_full_disk() {
    let Some(disk) = Disk::mount() else { return };
    let filler = disk.folder.join("filler");
    let _ = std::fs::write(&filler, vec![1; 5 << 20]);
    let error = RedbStore::open(disk.folder.database()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    assert!(!disk.folder.database().exists(), "half a database");
    std::fs::remove_file(filler).unwrap();
    RedbStore::open(disk.folder.database()).await.unwrap();
}

#[tokio::test]
async fn a_disk_that_may_only_be_read_is_refused() {
    let Some(disk) = Disk::mount() else { return };
    let database = disk.folder.database();
    let store = RedbStore::open(&database).await.unwrap();
    store.put(&key("k"), b"v", Precondition::Any).await.unwrap();
    store.close().await;
    disk.remount("ro");
    for path in [&database, &disk.folder.join("new.redb")] {
        let error = RedbStore::open(path).await.unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }), "{error}");
    }
    disk.remount("rw");
    RedbStore::open(&database).await.unwrap();
}

#[tokio::test]
async fn a_folder_that_may_only_be_read_is_refused() {
    let folder = Folder::new();
    set_mode(&folder, 0o500);
    if may_write_anyway(&folder) {
        // Permissions do not bind this user; a file system does.
        let Some(disk) = Disk::mount() else { return };
        disk.remount("ro");
        return assert_refused(&disk.folder).await;
    }
    assert_refused(&folder).await;
    set_mode(&folder, 0o700);
}

async fn assert_refused(folder: &Folder) {
    for path in [folder.database(), folder.join("sub").join("keys.redb")] {
        let error = RedbStore::open(&path).await.unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }), "{error}");
    }
}

fn may_write_anyway(folder: &Path) -> bool {
    std::fs::write(folder.join("probe"), b"").is_ok()
}
