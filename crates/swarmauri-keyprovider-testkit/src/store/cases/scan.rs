//! Scans.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use swarmauri_keystore::{Entry, Precondition, ScanRequest, StoreKey};

use crate::store::subject::{Store, done, key};
use crate::suite::CaseResult;

pub(crate) async fn a_scan_is_of_its_prefix_alone(on: Store) -> CaseResult {
    fill(&on, &[b"a", b"a/", b"a/1", b"a/2", b"a0", b"b/1", b"A/1"]).await;
    assert_eq!(names(&on.all(b"a/", 100).await), [b"a/".as_slice(), b"a/1", b"a/2"]);
    assert_eq!(names(&on.all(b"a/2", 100).await), [b"a/2"]);
    for nothing in [b"c".as_slice(), b"a/1/", &[b'a'; 2000]] {
        assert_eq!(on.all(nothing, 100).await, [], "{}", nothing.escape_ascii());
    }
    Ok(())
}

pub(crate) async fn an_empty_prefix_is_everything(on: Store) -> CaseResult {
    assert_eq!(on.all(b"", 100).await, []);
    fill(&on, &[b"\0", b"a", b"\xff\xff"]).await;
    assert_eq!(names(&on.all(b"", 100).await), [b"\0".as_slice(), b"a", b"\xff\xff"]);
    Ok(())
}

pub(crate) async fn keys_come_in_the_order_of_their_bytes(on: Store) -> CaseResult {
    let mut all: Vec<Vec<u8>> = Vec::new();
    let bytes = [0x00, 0x01, b'a', 0x7f, 0x80, 0xfe, 0xff];
    for first in bytes {
        all.push(vec![b'p', first]);
        all.extend(bytes.map(|second| vec![b'p', first, second]));
    }
    // Neither the order of the keys nor its reverse.
    for name in all.iter().step_by(2).rev().chain(all.iter().skip(1).step_by(2)) {
        done(on.put(&key(name), b"", Precondition::Absent).await, "putting");
    }
    all.sort();
    for limit in [1, 3, 1000] {
        assert_eq!(names(&on.all(b"p", limit).await), all, "in pages of {limit}");
    }
    assert_eq!(on.all(b"p\xff", 3).await.len(), 1 + bytes.len());
    Ok(())
}

pub(crate) async fn a_scan_shows_what_a_get_shows(on: Store) -> CaseResult {
    for round in 0..3 {
        for name in ["a", "b", "c"] {
            on.put_any(name, &format!("{name}{round}")).await;
        }
    }
    on.delete_any("b").await;
    for entry in on.all(b"", 100).await {
        assert_eq!(done(on.get(&entry.key).await, "getting"), Some(entry));
    }
    assert_eq!(on.all(b"b", 100).await, [], "it was deleted");
    Ok(())
}

pub(crate) async fn pages_are_as_small_as_asked_for_and_tell_whether_there_are_more(on: Store) -> CaseResult {
    fill(&on, &[b"a", b"p1", b"p2", b"p3", b"p4", b"q"]).await;
    for limit in 1..=6 {
        let mut left = 4;
        let mut request = ScanRequest::all(b"p").limit(limit);
        loop {
            let page = on.page(&request).await;
            assert!(page.entries.len() <= limit, "{} of at most {limit}", page.entries.len());
            left -= page.entries.len();
            assert_eq!(page.more, left > 0, "{left} are left");
            match page.entries.last() {
                Some(last) if page.more => request = request.after(last.key.clone()),
                last => {
                    assert!(last.is_some(), "an empty page");
                    break;
                }
            }
        }
        assert_eq!(left, 0);
    }
    Ok(())
}

pub(crate) async fn a_limit_of_zero_is_one(on: Store) -> CaseResult {
    fill(&on, &[b"a", b"b"]).await;
    let page = on.page(&ScanRequest::all(b"").limit(0)).await;
    assert_eq!((names(&page.entries), page.more), (vec![b"a".to_vec()], true));
    Ok(())
}

pub(crate) async fn a_page_may_begin_after_any_key(on: Store) -> CaseResult {
    fill(&on, &[b"a", b"p1", b"p3", b"q"]).await;
    for (after, expected) in [
        ("a", vec![b"p1".to_vec(), b"p3".to_vec()]), // before the prefix
        ("p", vec![b"p1".to_vec(), b"p3".to_vec()]), // not there
        ("p1", vec![b"p3".to_vec()]),
        ("p2", vec![b"p3".to_vec()]), // not there
        ("p3", vec![]),
        ("p4", vec![]),
        ("q", vec![]), // behind the prefix
    ] {
        let page = on.page(&ScanRequest::all(b"p").after(key(after))).await;
        assert_eq!((names(&page.entries), page.more), (expected, false), "after {after}");
    }
    Ok(())
}

/// One task writes n to each key in turn, then n + 1, and so on: at any moment the numbers fall by one at most, once.
pub(crate) async fn a_page_shows_one_moment(on: Store) -> CaseResult {
    let all = ["m/0", "m/1", "m/2", "m/3", "m/4", "m/5"];
    let writer = Busy::with(&on, move |on, round| async move {
        for name in all {
            on.put_any(name, &format!("{round:08}")).await;
        }
    });
    let mut pages = 0;
    while pages < 100 && !writer.ended() {
        let page = on.page(&ScanRequest::all(b"m/")).await.entries;
        let values: Vec<_> = page.iter().map(|entry| entry.value.clone()).collect();
        let different: BTreeSet<_> = values.iter().collect();
        let moment = values.iter().rev().is_sorted() && different.len() <= 2;
        assert!(moment, "these were never there together: {}", text(&values));
        pages += usize::from(page.len() == all.len());
        tokio::task::yield_now().await;
    }
    writer.stop().await;
    Ok(())
}

pub(crate) async fn what_stays_is_in_a_scan_exactly_once(on: Store) -> CaseResult {
    let stays: Vec<_> = (0..20).map(|number| format!("s/{number:02}")).collect();
    for name in &stays {
        on.put_any(name, "first").await;
    }
    let rewritten = stays.clone();
    let writer = Busy::with(&on, move |on, round| {
        let name = rewritten[round % rewritten.len()].clone();
        async move {
            // Something before and behind each of them comes and goes, and they themselves are written anew.
            let passing = format!("{name}+");
            on.put_any(&passing, "passing").await;
            tokio::task::yield_now().await;
            on.put_any(&name, "again").await;
            tokio::task::yield_now().await;
            on.delete_any(&passing).await;
        }
    });
    for limit in [1, 2, 3, 7].into_iter().cycle().take(40) {
        let found = names(&on.all(b"s/", limit).await);
        assert!(found.is_sorted_by(|one, next| one < next), "not in order, or twice");
        let missing: Vec<_> =
            stays.iter().filter(|name| !found.iter().any(|one| one == name.as_bytes())).collect();
        assert!(missing.is_empty(), "a scan in pages of {limit} has missed {missing:?}");
    }
    writer.stop().await;
    Ok(())
}

async fn fill(on: &Store, names: &[&[u8]]) {
    for name in names {
        done(on.put(&key(name), name, Precondition::Absent).await, "putting");
    }
}

fn names(entries: &[Entry]) -> Vec<Vec<u8>> {
    entries.iter().map(|entry| StoreKey::as_bytes(&entry.key).to_vec()).collect()
}

fn text(values: &[Arc<[u8]>]) -> String {
    let texts: Vec<_> = values.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect();
    texts.join(" ")
}

/// A task that does something over and over until it is told to stop.
struct Busy {
    stop: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<()>,
}

impl Busy {
    fn with<F: Future<Output = ()> + Send>(
        on: &Store,
        work: impl Fn(Store, usize) -> F + Send + 'static,
    ) -> Self {
        let (on, stop) = (on.clone(), Arc::new(AtomicBool::new(false)));
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            for round in 0.. {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                work(on.clone(), round).await;
                tokio::task::yield_now().await;
            }
        });
        Self { stop, task }
    }

    fn ended(&self) -> bool {
        self.task.is_finished()
    }

    async fn stop(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        (&mut self.task).await.expect("the task that writes");
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        // When the case has failed.
        self.task.abort();
    }
}
