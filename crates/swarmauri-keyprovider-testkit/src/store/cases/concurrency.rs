//! Many callers at once.

use swarmauri_keystore::{Precondition, StoreError};

use crate::store::subject::{Store, TASKS, done, key, race};
use crate::suite::CaseResult;

pub(crate) async fn of_many_writes_that_want_the_same_one_wins(on: Store) -> CaseResult {
    for round in 0..10 {
        let name = format!("{round}");
        let mut when = Precondition::Absent;
        // The first creates it, the second replaces it, the third deletes it.
        for step in 0..3 {
            let raced = race(&on, |on, task| {
                let name = key(&name);
                async move {
                    match step {
                        2 => on.delete(&name, when).await,
                        _ => on.put(&name, format!("{task}").as_bytes(), when).await.map(Some),
                    }
                }
            });
            let (won, lost): (Vec<_>, Vec<_>) =
                raced.await.into_iter().enumerate().partition(|(_, outcome)| outcome.is_ok());
            assert_eq!(won.len(), 1, "{} of the writes with {when:?} succeeded", won.len());
            for (_, outcome) in lost {
                assert!(matches!(outcome, Err(StoreError::Conflict { .. })), "{outcome:?}");
            }
            let there = on.read(&name).await;
            let (winner, revision) = (won[0].0, won[0].1.as_ref().ok().copied().flatten());
            if step == 2 {
                assert_eq!(there, None, "it was deleted");
            } else {
                let there = there.expect("what the winner wrote");
                assert_eq!(*there.value, *format!("{winner}").as_bytes(), "another value than the winner's");
                assert_eq!(Some(there.revision), revision);
                when = Precondition::At(there.revision);
            }
        }
    }
    Ok(())
}

pub(crate) async fn a_counter_loses_no_increment(on: Store) -> CaseResult {
    const EACH: usize = 20;
    on.put_any("counter", "0").await;
    let counted = race(&on, |on, _| async move {
        for _ in 0..EACH {
            loop {
                let there = on.read("counter").await.expect("the counter");
                tokio::task::yield_now().await;
                let next = (number(&there.value) + 1).to_string();
                let written = on.put(&there.key, next.as_bytes(), Precondition::At(there.revision)).await;
                match written {
                    Ok(_) => break,
                    Err(StoreError::Conflict { .. }) => tokio::task::yield_now().await,
                    Err(error) => panic!("counting failed: {error}"),
                }
            }
        }
    });
    counted.await;
    assert_eq!(number(&on.read("counter").await.expect("the counter").value), TASKS * EACH);
    Ok(())
}

/// Who has seen a write, or made it, never again sees what was there before.
pub(crate) async fn reads_never_go_back(on: Store) -> CaseResult {
    on.put_any("a", "0").await;
    let read = race(&on, |on, task| async move {
        let mut last = on.read("a").await.expect("the entry").revision;
        for round in 0..40 {
            let seen = match (task + round) % 4 {
                0 => on.put_any("a", "1").await,
                1 => on.all(b"a", 1).await.first().expect("the entry").revision,
                _ => done(on.get(&key("a")).await, "getting").expect("the entry").revision,
            };
            assert!(seen >= last, "revision {seen} was read after {last}");
            last = seen;
        }
    });
    read.await;
    Ok(())
}

fn number(text: &[u8]) -> usize {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).expect("a number")
}
