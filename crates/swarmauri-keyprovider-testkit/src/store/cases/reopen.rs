//! Stores that outlive their process.

use swarmauri_keystore::{Precondition, StoreKey};

use crate::store::subject::{Store, conflict, done, key};
use crate::suite::CaseResult;

pub(crate) async fn everything_is_there_after_reopening(on: Store) -> CaseResult {
    on.durable()?;
    for number in 0..30 {
        on.put_any(&format!("{number}"), &format!("value {number}")).await;
    }
    on.put_any("3", "").await;
    on.delete_any("7").await;
    done(on.put(&key([0xff; StoreKey::MAX_LEN]), &[0; 10_000], Precondition::Absent).await, "putting");
    let before = on.all(b"", 100).await;
    let on = on.reopened().await;
    assert_eq!(on.all(b"", 100).await, before);
    for entry in before {
        let put = on.put(&entry.key, b"new", Precondition::At(entry.revision)).await;
        done(put, "putting at the revision from before");
    }
    assert_eq!(on.read("7").await, None, "it was deleted");
    Ok(())
}

pub(crate) async fn revisions_go_on_after_reopening(mut on: Store) -> CaseResult {
    on.durable()?;
    let put = on.put_any("a", "1").await;
    on = on.reopened().await;
    let again = on.put_any("a", "2").await;
    assert!(again > put, "revision {again} after {put}");
    // The last write of all is a deletion, and leaves nothing behind that shows its revision.
    let deleted = on.delete_any("a").await.expect("a revision");
    on = on.reopened().await;
    let third = on.put_any("a", "3").await;
    assert!(third > deleted, "revision {third} after the deletion at {deleted}");
    assert_eq!(
        conflict(on.put(&key("a"), b"4", Precondition::At(again)).await, "an old revision"),
        Some(third)
    );
    Ok(())
}
