//! Single entries: writing, reading, deleting.

use swarmauri_keystore::{Entry, Precondition, Revision, StoreErrorKind, StoreKey};

use crate::store::subject::{Store, done, key, refused};
use crate::suite::CaseResult;

pub(crate) async fn what_was_put_is_read(on: Store) -> CaseResult {
    assert_eq!(on.read("a").await, None, "a fresh store is empty");
    for value in ["value", ""] {
        let revision = on.put_any("a", value).await;
        assert!(revision > Revision::START, "revisions are 1 and up");
        let expected = Entry { key: key("a"), value: value.as_bytes().into(), revision };
        assert_eq!(on.read("a").await, Some(expected));
        assert_eq!(on.read("b").await, None, "nothing was put there");
    }
    Ok(())
}

pub(crate) async fn a_put_takes_the_place_of_what_was_there(on: Store) -> CaseResult {
    on.put_any("a", "a longer value").await;
    on.put_any("b", "other").await;
    let second = on.put_any("a", "new").await;
    let read = on.read("a").await.expect("an entry");
    assert_eq!((&*read.value, read.revision), (b"new".as_slice(), second));
    assert_eq!(&*on.read("b").await.expect("the other entry").value, b"other");
    assert_eq!(on.all(b"", 10).await.len(), 2);
    Ok(())
}

pub(crate) async fn writing_the_same_value_again_is_a_write(on: Store) -> CaseResult {
    let first = on.put_any("a", "same").await;
    let second = on.put_any("a", "same").await;
    assert!(second > first, "revision {second} after {first}");
    assert_eq!(on.read("a").await.map(|entry| entry.revision), Some(second));
    Ok(())
}

pub(crate) async fn what_was_deleted_is_absent(on: Store) -> CaseResult {
    on.put_any("a", "1").await;
    let kept = on.put_any("ab", "2").await;
    let deleted = on.delete_any("a").await.expect("a revision of the deletion");
    assert!(deleted > kept);
    assert_eq!(on.read("a").await, None);
    assert_eq!(on.read("ab").await.map(|entry| entry.revision), Some(kept), "another key was deleted too");
    let again = done(on.put(&key("a"), b"3", Precondition::Absent).await, "putting what was deleted");
    assert!(again > deleted);
    Ok(())
}

pub(crate) async fn deleting_nothing_is_none_and_no_write(on: Store) -> CaseResult {
    let before = on.put_any("other", "1").await;
    for when in [Precondition::Any, Precondition::Absent] {
        assert_eq!(done(on.delete(&key("a"), when).await, "deleting nothing"), None, "{when:?}");
    }
    assert_eq!(on.read("other").await.map(|entry| entry.revision), Some(before));
    Ok(())
}

pub(crate) async fn keys_are_bytes(on: Store) -> CaseResult {
    let names: [&[u8]; 9] =
        [b"\0", b"\0\0", b"a", b"a\0", b"A", b"a/b", b"\xff", b"\xff\xff", "\u{e9}".as_bytes()];
    for name in names {
        done(on.put(&key(name), name, Precondition::Absent).await, "putting a key of any bytes");
    }
    for name in names {
        let read = done(on.get(&key(name)).await, "getting").expect("an entry");
        assert_eq!((read.key.as_bytes(), &*read.value), (name, name));
    }
    assert!(done(on.delete(&key(b"a\0"), Precondition::Any).await, "deleting").is_some());
    assert!(on.read("a").await.is_some(), "another key was deleted too");
    Ok(())
}

pub(crate) async fn the_longest_keys_and_values_fit(on: Store) -> CaseResult {
    let long = key([0xff; StoreKey::MAX_LEN]);
    let value: Vec<u8> = (0..=u8::MAX).cycle().take(Entry::MAX_VALUE_LEN).collect();
    done(on.put(&long, &value, Precondition::Absent).await, "putting the longest value at the longest key");
    let read = done(on.get(&long).await, "getting").expect("an entry");
    assert!(*read.value == *value, "another value came back");
    assert_eq!(on.all(&long.as_bytes()[..StoreKey::MAX_LEN - 1], 2).await.len(), 1);
    Ok(())
}

pub(crate) async fn a_value_that_is_too_long_is_refused(on: Store) -> CaseResult {
    let value = vec![0; Entry::MAX_VALUE_LEN + 1];
    let put = on.put(&key("a"), &value, Precondition::Any).await;
    assert_eq!(refused(put, "putting too much"), StoreErrorKind::InvalidInput);
    assert_eq!(on.read("a").await, None);
    Ok(())
}

pub(crate) async fn revisions_grow_with_every_write(on: Store) -> CaseResult {
    let mut last = Revision::START;
    for round in 0..20 {
        let name = format!("{}", round % 3);
        let written = match round % 4 {
            3 => on.delete_any(&name).await,
            _ => Some(on.put_any(&name, "v").await),
        };
        if let Some(written) = written {
            assert!(written > last, "revision {written} after {last}");
            last = written;
        }
    }
    Ok(())
}
