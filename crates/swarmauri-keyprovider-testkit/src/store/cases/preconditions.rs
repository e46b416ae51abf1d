//! What must be so for a write to happen.

use swarmauri_keystore::{Precondition, Revision};

use crate::store::subject::{Store, conflict, done, key};
use crate::suite::CaseResult;

pub(crate) async fn absent_holds_where_nothing_is(on: Store) -> CaseResult {
    let a = key("a");
    let first = done(on.put(&a, b"1", Precondition::Absent).await, "putting where nothing is");
    let again = on.put(&a, b"2", Precondition::Absent).await;
    assert_eq!(conflict(again, "putting where something is"), Some(first));
    let deleted = on.delete(&a, Precondition::Absent).await;
    assert_eq!(conflict(deleted, "deleting what should be absent"), Some(first));
    on.delete_any("a").await;
    done(on.put(&a, b"3", Precondition::Absent).await, "putting where nothing is any more");
    Ok(())
}

pub(crate) async fn a_revision_holds_while_it_is_the_last(on: Store) -> CaseResult {
    let a = key("a");
    let first = on.put_any("a", "1").await;
    on.put_any("b", "elsewhere").await;
    let second = done(on.put(&a, b"2", Precondition::At(first)).await, "putting at the last revision");
    for late in [first, Revision::START, second.next(), Revision::new(u64::MAX)] {
        let put = on.put(&a, b"3", Precondition::At(late)).await;
        assert_eq!(conflict(put, "putting at another revision"), Some(second), "{late}");
        let deleted = on.delete(&a, Precondition::At(late)).await;
        assert_eq!(conflict(deleted, "deleting another revision"), Some(second), "{late}");
    }
    assert!(done(on.delete(&a, Precondition::At(second)).await, "deleting the last revision") > Some(second));
    assert_eq!(on.read("a").await, None);
    Ok(())
}

pub(crate) async fn a_conflict_tells_what_is_there_and_changes_nothing(on: Store) -> CaseResult {
    let there = on.put_any("a", "1").await;
    let before = on.all(b"", 10).await;
    for when in [Precondition::Absent, Precondition::At(there.next())] {
        assert_eq!(conflict(on.put(&key("a"), b"2", when).await, "a put"), Some(there));
        assert_eq!(conflict(on.delete(&key("a"), when).await, "a delete"), Some(there));
    }
    let put = on.put(&key("b"), b"2", Precondition::At(there)).await;
    assert_eq!(conflict(put, "putting at a revision of nothing"), None);
    assert_eq!(on.all(b"", 10).await, before);
    Ok(())
}

pub(crate) async fn deleting_a_revision_of_nothing_is_a_conflict(on: Store) -> CaseResult {
    let first = on.put_any("a", "1").await;
    on.delete_any("a").await;
    for name in ["a", "never"] {
        let deleted = on.delete(&key(name), Precondition::At(first)).await;
        assert_eq!(conflict(deleted, "deleting a revision of nothing"), None, "{name}");
    }
    Ok(())
}
