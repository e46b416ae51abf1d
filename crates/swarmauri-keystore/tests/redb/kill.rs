//! Processes that are killed while they write.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use swarmauri_keystore::{Entry, KeyStore, Precondition, RedbStore, Revision, StoreKey};

use crate::child::{Process, say};
use crate::folder::{Folder, Random, number};
use crate::{all, key};

/// How many tasks write at once.
const WRITERS: usize = 6;

/// What a writer does as its nth write: the key, and a value, or none to delete it.
fn nth(round: &str, writer: usize, n: usize) -> (StoreKey, Option<Vec<u8>>) {
    let name = |n: usize| key(format!("{round}/{writer}/{n}"));
    match n % 4 {
        3 => (name(n - 2), None),
        2 => (name(n - 2), Some(format!("again {n}").into_bytes())),
        _ => (name(n), Some(vec![u8::try_from(n % 256).unwrap(); n * 37 % 3000])),
    }
}

/// What a child does: writes, and says so after each write that has returned.
pub(crate) fn write_until_killed(database: &Path, round: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = RedbStore::open(database).await.unwrap();
        say("written: -");
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..WRITERS {
            let (store, round) = (store.clone(), round.to_owned());
            writers.spawn(async move {
                for n in 0.. {
                    let (key, value) = nth(&round, writer, n);
                    let revision = match value {
                        Some(value) => store.put(&key, &value, Precondition::Any).await.unwrap(),
                        None => store.delete(&key, Precondition::Any).await.unwrap().unwrap(),
                    };
                    say(&format!("written: {writer} {n} {revision}"));
                }
            });
        }
        writers.join_all().await;
    });
}

/// What was acknowledged is there, and of what was not, each write as a whole or not at all. The same store goes through
/// all of it. `KEYSTORE_KILLS` sets how often.
#[tokio::test]
async fn nothing_acknowledged_is_lost_to_a_kill() {
    let kills = number("KEYSTORE_KILLS", 30);
    let mut random = Random::seeded();
    let folder = Folder::new();
    let database = folder.database();
    let mut settled: BTreeMap<StoreKey, Entry> = BTreeMap::new();
    let mut last = Revision::START;
    let mut acknowledged = 0;
    for round in 0..kills {
        let round = format!("{round:04}");
        let mut process = Process::start("write", &database, &round);
        // Some are killed while they open, or before.
        let patience = if random.below(6) == 0 { 0 } else { 1 + random.below(150) };
        let mut written = [0; WRITERS];
        if patience == 0 {
            std::thread::sleep(Duration::from_micros(random.next() % 30_000));
        }
        for _ in 0..patience {
            note(&process.line("written: ").expect("it writes until it is killed"), &mut written, &mut last);
        }
        process.child.kill().unwrap();
        process.child.wait().unwrap();
        while let Some(line) = process.line("written: ") {
            note(&line, &mut written, &mut last);
        }
        acknowledged += written.iter().sum::<usize>();

        let store = RedbStore::open(&database).await.unwrap_or_else(|error| panic!("round {round}: {error}"));
        let found = all(&store).await.unwrap();
        let found: BTreeMap<_, _> = found.into_iter().map(|entry| (entry.key.clone(), entry)).collect();
        for (key, entry) in &settled {
            assert_eq!(found.get(key), Some(entry), "round {round}: an earlier round's entry");
        }
        for (writer, written) in written.into_iter().enumerate() {
            let prefix = format!("{round}/{writer}/");
            let there: BTreeMap<_, _> = found
                .iter()
                .filter(|(key, _)| key.as_bytes().starts_with(prefix.as_bytes()))
                .map(|(key, entry)| (key.clone(), entry.value.to_vec()))
                .collect();
            // One more may have been written, and its answer lost.
            let possible = [after(&round, writer, written), after(&round, writer, written + 1)];
            assert!(possible.contains(&there), "round {round}: writer {writer} was told of {written} writes");
        }
        let next = store.put(&key("next"), b"", Precondition::Any).await.unwrap();
        assert!(next > last, "round {round}: revision {next} comes again after {last}");
        last = next;
        settled = all(&store).await.unwrap().into_iter().map(|entry| (entry.key.clone(), entry)).collect();
        settled.remove(&key("next"));
        store.close().await;
    }
    println!("{kills} kills, {acknowledged} acknowledged writes");
    assert!(acknowledged > 0);
}

fn note(line: &str, written: &mut [usize; WRITERS], last: &mut Revision) {
    let numbers: Vec<u64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
    if let [writer, n, revision] = numbers[..] {
        written[usize::try_from(writer).unwrap()] = usize::try_from(n).unwrap() + 1;
        *last = (*last).max(Revision::new(revision));
    }
}

/// What a writer leaves after so many writes.
fn after(round: &str, writer: usize, end: usize) -> BTreeMap<StoreKey, Vec<u8>> {
    let mut there = BTreeMap::new();
    for n in 0..end {
        match nth(round, writer, n) {
            (key, Some(value)) => there.insert(key, value),
            (key, None) => there.remove(&key),
        };
    }
    there
}
