//! Writes that are dropped after 0, 1, 2, … polls.

use swarmauri_keystore::Precondition;

use crate::store::subject::{Store, dropped_after, key, until};
use crate::suite::CaseResult;

const MOST_POLLS: usize = 5;

pub(crate) async fn a_dropped_put_is_whole_or_nothing(on: Store) -> CaseResult {
    let before = on.put_any("a", "old").await;
    let mut watch = on.watching(b"").await;
    let value = vec![b'n'; 100_000];
    for polls in 0..=MOST_POLLS {
        let name = key(format!("{polls}"));
        dropped_after(polls, on.put(&name, &value, Precondition::Absent)).await;
        dropped_after(polls, on.put(&key("a"), &value, Precondition::At(before))).await;
    }
    // What takes effect later than this is not seen by this test, and need not be.
    settle(&on).await;
    on.put_any("end", "").await;
    let told = until(&mut watch, &key("end")).await;
    for entry in on.all(b"", 3).await {
        let whole = *entry.value == *value;
        let untouched = entry.revision == before && &*entry.value == b"old";
        assert!(
            whole || untouched || matches!(entry.key.as_bytes(), b"end" | b"settle"),
            "half a put: {entry:?}"
        );
        if whole {
            let changes = told.iter().filter(|change| *change.key() == entry.key).count();
            assert_eq!(changes, 1, "the watch has not seen the put at {:?} once", entry.key);
        }
    }
    Ok(())
}

pub(crate) async fn a_dropped_delete_is_whole_or_nothing(on: Store) -> CaseResult {
    for polls in 0..=MOST_POLLS {
        let name = format!("{polls}");
        let put = on.put_any(&name, "value").await;
        dropped_after(polls, on.delete(&key(&name), Precondition::Any)).await;
        settle(&on).await;
        let read = on.read(&name).await;
        assert!(
            read.as_ref().is_none_or(|entry| entry.revision == put && &*entry.value == b"value"),
            "{read:?}"
        );
        assert_eq!(on.all(name.as_bytes(), 1).await.first(), read.as_ref(), "scan and get disagree");
    }
    Ok(())
}

pub(crate) async fn a_write_that_is_never_polled_does_nothing(on: Store) -> CaseResult {
    on.put_any("a", "1").await;
    let before = on.all(b"", 10).await;
    drop(on.put(&key("a"), b"2", Precondition::Any));
    drop(on.put(&key("b"), b"2", Precondition::Any));
    drop(on.delete(&key("a"), Precondition::Any));
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(on.all(b"", 10).await, before);
    Ok(())
}

/// A write behind those that were dropped; engines with a queue have them done by then.
async fn settle(on: &Store) {
    on.put_any("settle", "").await;
}
