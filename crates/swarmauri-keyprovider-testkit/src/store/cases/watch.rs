//! Watches.

use std::collections::BTreeMap;

use swarmauri_keystore::{Arrivals, Change, Precondition, Revision, StoreKey};

use crate::store::subject::{Store, TASKS, done, dropped_after, key, next, race, until};
use crate::suite::{CaseResult, NotApplicable};

pub(crate) async fn a_watch_has_the_changes_under_its_prefix_alone(on: Store) -> CaseResult {
    let mut watch = on.watching(b"a/").await;
    let mut everything = on.watching(b"").await;
    on.put_any("a", "1").await;
    let put = on.put_any("a/1", "2").await;
    on.put_any("b/1", "3").await;
    let again = on.put_any("a/1", "4").await;
    on.delete_any("b/1").await;
    let deleted = on.delete_any("a/1").await.expect("a revision");
    on.put_any("a/end", "5").await;
    let changes = until(&mut watch, &key("a/end")).await;
    let seen: Vec<_> = changes.iter().map(shown).collect();
    let expected = [("a/1", Some("2"), put), ("a/1", Some("4"), again), ("a/1", None, deleted)];
    assert_eq!(seen, expected.map(|(name, value, at)| (name.to_owned(), value.map(str::to_owned), at)));
    assert_eq!(until(&mut everything, &key("a/end")).await.len(), 6);
    Ok(())
}

pub(crate) async fn a_watch_begins_when_it_is_asked_for(on: Store) -> CaseResult {
    on.put_any("a", "before").await;
    on.delete_any("a").await;
    let mut watch = on.watching(b"").await;
    let after = on.put_any("b", "after").await;
    assert_eq!(next(&mut watch).await.revision(), after);
    Ok(())
}

pub(crate) async fn changes_come_once_each_in_the_order_of_their_revisions(on: Store) -> CaseResult {
    let mut watch = on.watching(b"").await;
    let written = race(&on, |on, task| async move {
        let mut made: Vec<(StoreKey, Revision)> = Vec::new();
        for round in 0..20 {
            // Some of the keys are everybody's.
            let name = if round % 2 == 0 { format!("{task}") } else { "shared".to_owned() };
            let revision = match round % 5 {
                4 => on.delete_any(&name).await,
                _ => Some(on.put_any(&name, &format!("{round}")).await),
            };
            made.extend(revision.map(|revision| (key(&name), revision)));
        }
        made
    });
    let mut written: Vec<_> = written.await.into_iter().flatten().collect();
    written.sort_by_key(|(_, revision)| *revision);
    assert!(written.is_sorted_by(|one, next| one.1 < next.1), "two writes have one revision");
    on.put_any("the end", "").await;
    let seen = until(&mut watch, &key("the end")).await;
    let seen: Vec<_> = seen.iter().map(|change| (change.key().clone(), change.revision())).collect();
    assert_eq!(seen, written);
    Ok(())
}

pub(crate) async fn a_change_is_here_by_the_time_the_write_returns(on: Store) -> CaseResult {
    if !on.in_process {
        return Err(NotApplicable("not in this process".to_owned()));
    }
    let mut watch = on.watching(b"").await;
    for round in 0..10 {
        assert_eq!(done(watch.try_next(), "looking for a change"), None, "nothing was written");
        let put = on.put_any("a", &format!("{round}")).await;
        let change = done(watch.try_next(), "looking for a change");
        assert_eq!(change.as_ref().map(Change::revision), Some(put));
        let deleted = on.delete_any("a").await;
        let change = done(watch.try_next(), "looking for a change");
        assert_eq!(change.as_ref().map(Change::revision), deleted);
    }
    Ok(())
}

pub(crate) async fn a_watch_that_counts_has_counted_by_the_time_the_write_returns(on: Store) -> CaseResult {
    let (mut watch, arrivals) = (on.watching(b"a").await, Arrivals::new());
    if !on.in_process || !watch.count_in(&arrivals) {
        return Err(NotApplicable("it does not count, or is not in this process".to_owned()));
    }
    for round in 0..10 {
        let before = arrivals.count();
        on.put_any("a", &format!("{round}")).await;
        let put = arrivals.count();
        assert!(put > before, "a put is not counted");
        on.delete_any("a").await;
        assert!(arrivals.count() > put, "a deletion is not counted");
    }
    Ok(())
}

pub(crate) async fn writes_that_do_not_happen_are_no_changes(on: Store) -> CaseResult {
    let there = on.put_any("a", "1").await;
    let mut watch = on.watching(b"").await;
    for when in [Precondition::Absent, Precondition::At(there.next())] {
        let _ = on.put(&key("a"), b"2", when).await;
        let _ = on.delete(&key("a"), when).await;
    }
    on.delete_any("nothing").await;
    let end = on.put_any("end", "").await;
    assert_eq!(next(&mut watch).await.revision(), end);
    Ok(())
}

pub(crate) async fn a_wait_that_is_dropped_loses_nothing(on: Store) -> CaseResult {
    let mut watch = on.watching(b"").await;
    for polls in 0..4 {
        // Before there is a change, and when there is one: it is taken, or stays.
        dropped_after(polls, watch.next()).await;
        let put = on.put_any("a", "1").await;
        let mut taken = None;
        dropped_after(polls, async { taken = Some(watch.next().await) }).await;
        let change = match taken {
            Some(change) => done(change, "waiting for a change"),
            None => next(&mut watch).await,
        };
        assert_eq!(change.revision(), put, "after {polls} polls");
    }
    Ok(())
}

pub(crate) async fn watches_do_not_disturb_each_other(on: Store) -> CaseResult {
    let mut one = on.watching(b"a").await;
    let gone = on.watching(b"a").await;
    let mut other = on.watching(b"a").await;
    let first = on.put_any("a", "1").await;
    assert_eq!(next(&mut one).await.revision(), first);
    drop(gone);
    let second = on.put_any("a", "2").await;
    let mut late = on.watching(b"a").await;
    let third = on.put_any("a", "3").await;
    assert_eq!(next(&mut late).await.revision(), third);
    for revision in [second, third] {
        assert_eq!(next(&mut one).await.revision(), revision);
    }
    drop(one);
    for revision in [first, second, third] {
        assert_eq!(next(&mut other).await.revision(), revision);
    }
    Ok(())
}

/// A follower who watches, then scans, then takes the changes after that, has what is there in the end.
pub(crate) async fn watching_and_then_scanning_misses_nothing(on: Store) -> CaseResult {
    let followed = race(&on, |on, task| async move {
        if task == 0 {
            return Some(follow(&on).await);
        }
        for round in 0..20 {
            let name = format!("f/{}", (task + round) % 5);
            match round % 3 {
                2 => drop(on.delete_any(&name).await),
                _ => drop(on.put_any(&name, &format!("{task}/{round}")).await),
            }
            // What is missed of these is not made good by later writes.
            on.put_any(&format!("f/once/{task}/{round}"), "").await;
            tokio::task::yield_now().await;
        }
        on.put_any(&format!("f/end/{task}"), "").await;
        None
    });
    let followed = followed.await.into_iter().flatten().next().expect("what was followed");
    let there: BTreeMap<_, _> =
        on.all(b"f/", 3).await.into_iter().map(|entry| (entry.key, entry.revision)).collect();
    assert_eq!(followed, there);
    Ok(())
}

async fn follow(on: &Store) -> BTreeMap<StoreKey, Revision> {
    // Some writes come before, some between, and some after.
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
    let mut watch = on.watching(b"f/").await;
    let mut known: BTreeMap<_, _> =
        on.all(b"f/", 2).await.into_iter().map(|entry| (entry.key, entry.revision)).collect();
    let ended = |known: &BTreeMap<StoreKey, _>| {
        known.keys().filter(|key| key.as_bytes().starts_with(b"f/end")).count()
    };
    while ended(&known) < TASKS - 1 {
        let change = next(&mut watch).await;
        if known.get(change.key()).is_some_and(|shown| *shown >= change.revision()) {
            continue;
        }
        match change {
            Change::Put(entry) => drop(known.insert(entry.key, entry.revision)),
            Change::Deleted { key, .. } => drop(known.remove(&key)),
        }
    }
    known
}

fn shown(change: &Change) -> (String, Option<String>, Revision) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let value = match change {
        Change::Put(entry) => Some(text(&entry.value)),
        Change::Deleted { .. } => None,
    };
    (text(change.key().as_bytes()), value, change.revision())
}
