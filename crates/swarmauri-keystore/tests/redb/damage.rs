//! Damaged files: an error, or exactly what was written; never anything else, and no panic.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use swarmauri_keystore::{Entry, KeyStore, Precondition, RedbStore, StoreError};

use crate::folder::{Folder, Random, number, set_mode};
use crate::{all, key};

/// A database, and what is in it.
struct Image {
    database: Vec<u8>,
    lock: Vec<u8>,
    entries: Vec<Entry>,
    survivals: Cell<u32>,
}

impl Image {
    /// As it is after it was closed, or as a crash would leave it.
    async fn new(closed: bool) -> Self {
        let folder = Folder::new();
        let path = folder.database();
        let store = RedbStore::open(&path).await.unwrap();
        for n in 0..120usize {
            let name = key(format!("{}/{n}", n % 7));
            let value = vec![u8::try_from(n).unwrap(); n * 53 % 900];
            store.put(&name, &value, Precondition::Absent).await.unwrap();
            if n % 5 == 0 {
                store.put(&name, b"again", Precondition::Any).await.unwrap();
            }
            if n % 11 == 0 {
                store.delete(&name, Precondition::Any).await.unwrap();
            }
        }
        store.put(&key("long"), &vec![7; 20_000], Precondition::Absent).await.unwrap();
        let entries = all(&store).await.unwrap();
        if closed {
            store.close().await;
        }
        let lock = fs::read(path.with_extension("redb.lock")).unwrap();
        Self { database: fs::read(path).unwrap(), lock, entries, survivals: Cell::new(0) }
    }

    /// Where something is written, in pieces.
    fn used(&self) -> Vec<usize> {
        const PIECE: usize = 64;
        let pieces = self.database.chunks(PIECE).enumerate();
        pieces.filter(|(_, piece)| piece.iter().any(|byte| *byte != 0)).map(|(n, _)| n * PIECE).collect()
    }

    /// Puts it there, damaged, and opens it. Whether that is an error.
    async fn survives(&self, folder: &Path, database: &[u8], with_lock: bool, what: &str) -> bool {
        let path = folder.join("keys.redb");
        fs::write(&path, database).unwrap();
        set_mode(&path, 0o600);
        let lock = path.with_extension("redb.lock");
        let _ = fs::remove_file(&lock);
        if with_lock {
            fs::write(&lock, &self.lock).unwrap();
            set_mode(&lock, 0o600);
        }
        let store = match RedbStore::open(&path).await {
            Ok(store) => store,
            Err(error) => {
                let expected = matches!(error, StoreError::Integrity { .. } | StoreError::Refused { .. });
                assert!(expected, "{what}: {error}");
                return false;
            }
        };
        let found = match all(&store).await {
            Ok(found) => found,
            Err(error) => {
                assert!(matches!(error, StoreError::Integrity { .. }), "{what}: {error}");
                return false;
            }
        };
        assert!(found == self.entries, "{what}: other entries than were written");
        for entry in found.iter().step_by(9) {
            assert_eq!(store.get(&entry.key).await.unwrap().as_ref(), Some(entry), "{what}");
        }
        self.survivals.set(self.survivals.get() + 1);
        if self.survivals.get().is_multiple_of(5) {
            self.goes_on(&store, &path, what).await;
        }
        // Before anything else is put in its place.
        store.close().await;
        true
    }

    /// What is written after that is right, too, and does no harm to what is there.
    async fn goes_on(&self, store: &RedbStore, path: &Path, what: &str) {
        let mut expected: BTreeMap<_, _> =
            self.entries.iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect();
        let last = self.entries.iter().map(|entry| entry.revision).max();
        for n in 0..6u8 {
            let (name, value) = (key(format!("next/{n}")), vec![n; usize::from(n) * 2000]);
            match store.put(&name, &value, Precondition::Absent).await {
                Ok(revision) => assert!(Some(revision) > last, "{what}: revision {revision} comes again"),
                Err(StoreError::Integrity { .. }) => return,
                Err(error) => panic!("{what}: {error}"),
            }
            expected.insert(name, value.into());
        }
        store.close().await;
        match RedbStore::open(path).await {
            Ok(store) => {
                let found: BTreeMap<_, _> =
                    all(&store).await.unwrap().into_iter().map(|entry| (entry.key, entry.value)).collect();
                assert!(found == expected, "{what}: other entries than were written");
                store.close().await;
            }
            Err(error) => panic!("{what}: {error}"),
        }
    }
}

/// One bit each. A third of them in the header, a third where something is written, a third anywhere. `KEYSTORE_FLIPS` sets
/// how many.
async fn flip(closed: bool, with_lock: bool, times: u64) {
    let image = Image::new(closed).await;
    let used = image.used();
    let mut random = Random::seeded();
    let folder = Folder::new();
    let mut outcomes = BTreeMap::new();
    for _ in 0..times {
        let at = match random.below(3) {
            0 => random.below(320),
            1 => used[random.below(used.len())] + random.below(64),
            _ => random.below(image.database.len()),
        };
        let bit = random.below(8);
        let mut damaged = image.database.clone();
        damaged[at] ^= 1 << bit;
        let survived = image.survives(&folder, &damaged, with_lock, &format!("bit {bit} of byte {at}")).await;
        *outcomes.entry(survived).or_insert(0) += 1;
    }
    println!("of {} bytes, {} in use: {outcomes:?}", image.database.len(), used.len() * 64);
    assert!(outcomes.len() == 2, "all alike: {outcomes:?}");
}

fn flips() -> u64 {
    number("KEYSTORE_FLIPS", 2100) / 3
}

#[tokio::test]
async fn a_flipped_bit_is_noticed_or_harmless() {
    flip(true, true, flips()).await;
}

#[tokio::test]
async fn a_flipped_bit_is_noticed_or_harmless_also_in_a_copy() {
    flip(true, false, flips()).await;
}

#[tokio::test]
async fn a_flipped_bit_after_a_crash_is_noticed_or_harmless() {
    flip(false, true, flips()).await;
}

/// Where the engine keeps which of its last two commits counts. After a crash some of these flips make it fall back to the
/// older one, which only the file beside it can tell.
async fn every_bit_of_the_header(closed: bool, with_lock: bool) {
    let image = Image::new(closed).await;
    let folder = Folder::new();
    for at in 0..320 {
        for bit in 0..8 {
            let mut damaged = image.database.clone();
            damaged[at] ^= 1 << bit;
            image.survives(&folder, &damaged, with_lock, &format!("bit {bit} of byte {at}")).await;
        }
    }
}

#[tokio::test]
async fn every_bit_of_the_header_is_noticed_or_harmless_after_a_crash() {
    every_bit_of_the_header(false, true).await;
}

#[tokio::test]
async fn every_bit_of_the_header_is_noticed_or_harmless_in_a_copy() {
    every_bit_of_the_header(true, false).await;
}

#[tokio::test]
async fn what_was_cut_off_is_noticed() {
    let image = Image::new(true).await;
    let mut random = Random::seeded();
    let folder = Folder::new();
    let len = image.database.len();
    let mut lengths = vec![1, 8, 9, 63, 64, 319, 320, 4095, 4096, 4097, 8192, len - 4096, len - 1];
    lengths.extend((0..120).map(|_| random.below(len)));
    for cut in lengths {
        let survived = image.survives(&folder, &image.database[..cut], true, &format!("cut to {cut}")).await;
        assert!(!survived, "cut to {cut} of {len} bytes");
    }
    // What follows is not ours, and no reason to give up what is.
    for more in [1, 4096] {
        let longer = [&image.database[..], &vec![1; more]].concat();
        image.survives(&folder, &longer, true, &format!("{more} more")).await;
    }
}

#[tokio::test]
async fn pages_that_are_lost_or_swapped_are_noticed_or_harmless() {
    const PAGE: usize = 4096;
    let image = Image::new(true).await;
    let mut random = Random::seeded();
    let folder = Folder::new();
    let mut used: Vec<_> = image.used().into_iter().map(|at| at / PAGE).collect();
    used.dedup();
    for _ in 0..150 {
        let (one, other) = (used[random.below(used.len())] * PAGE, used[random.below(used.len())] * PAGE);
        let mut damaged = image.database.clone();
        if random.below(2) == 0 {
            damaged[one..one + PAGE].fill(0);
        } else {
            damaged.copy_within(one..one + PAGE, other);
        }
        image.survives(&folder, &damaged, true, &format!("page at {one} lost, or copied to {other}")).await;
    }
}

#[tokio::test]
async fn what_is_no_database_is_left_as_it_is() {
    let folder = Folder::new();
    let path = folder.database();
    for (what, text) in [
        ("empty", Vec::new()),
        ("a byte", vec![b'r']),
        ("a text", b"keys: []\n".to_vec()),
        ("zeros", vec![0; 1 << 20]),
        ("its beginning", b"redb\x1a\x0a\xa9\x0d\x0a".to_vec()),
    ] {
        fs::write(&path, &text).unwrap();
        set_mode(&path, 0o600);
        for _ in 0..2 {
            let opened = RedbStore::open(&path).await;
            assert!(matches!(opened, Err(StoreError::Integrity { .. })), "{what}: {opened:?}");
        }
        assert_eq!(fs::read(&path).unwrap(), text, "{what}");
    }
}

/// Damage under a store that is open: what it still has in memory is right, and what it reads anew is checked.
#[tokio::test]
async fn damage_while_it_is_open_is_noticed_or_harmless() {
    let mut random = Random::seeded();
    let folder = Folder::new();
    let path = folder.database();
    let store = RedbStore::open(&path).await.unwrap();
    let value: Arc<[u8]> = vec![9; 1 << 20].into();
    // More than the engine keeps in memory.
    for n in 0..30u8 {
        store.put(&key([n]), &value, Precondition::Absent).await.unwrap();
    }
    let len = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap();
    let mut noticed = 0;
    for _ in 0..40 {
        use std::os::unix::fs::FileExt as _;
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        let at = 8192 + random.below(len - 8192);
        file.write_all_at(&[random.next().to_le_bytes()[0]], u64::try_from(at).unwrap()).unwrap();
        for n in 0..30u8 {
            match store.get(&key([n])).await {
                Ok(Some(entry)) => assert!(entry.value == value, "entry {n} after damage at {at}"),
                Ok(None) => panic!("entry {n} is gone after damage at {at}"),
                Err(error) => {
                    assert!(matches!(error, StoreError::Integrity { .. }), "{error}");
                    noticed += 1;
                }
            }
        }
    }
    assert!(noticed > 0);
}
