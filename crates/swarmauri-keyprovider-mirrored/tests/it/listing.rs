//! `list_keys`, with and without the primary.

use swarmauri_keyprovider::{KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_mirrored::MirrorMode;
use swarmauri_keyprovider_testkit::{Answer, Fault, Lie, Method};
use swarmauri_keys::{Cursor, KeyAlg, KeyError, KeyErrorKind, KeySpec, PageRequest};

use crate::support::*;

async fn fill(world: &World, count: usize) {
    for n in 0..count {
        let spec =
            KeySpec::builder(KeyAlg::Ed25519).kid(kid(&format!("k{n:02}"))).label("l").build().unwrap();
        world.mirror.create_key(&spec).await.unwrap();
    }
}

#[tokio::test]
async fn promise_2_a_listing_is_the_same_during_an_outage() {
    let world = world();
    fill(&world, 7).await;
    world.mirror.rotate(&kid("k03")).await.unwrap();
    world.mirror.destroy_key(&kid("k05"), None).await.unwrap();
    let before = world.mirror.list_all_keys().await.unwrap();
    world.primary.outage();
    assert_eq!(world.mirror.list_all_keys().await.unwrap(), before);
    assert_eq!(before.len(), 6);
}

#[tokio::test]
async fn a_listing_goes_on_when_the_primary_fails_in_the_middle() {
    let world = world();
    fill(&world, 7).await;
    let first = world.mirror.list_keys(&PageRequest::first(3)).await.unwrap();
    world.primary.outage();
    let mut all = first.items;
    let mut next = first.next;
    while let Some(cursor) = next {
        let page = world.mirror.list_keys(&PageRequest::at(cursor, 3)).await.unwrap();
        all.extend(page.items);
        next = page.next;
        world.primary.recover();
    }
    let names: Vec<_> = all.iter().map(|summary| summary.kid.to_string()).collect();
    assert_eq!(names, (0..7).map(|n| format!("k{n:02}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn mode_none_lists_the_secondarys_keys_and_cannot_change_over_in_the_middle() {
    let world = world_in(MirrorMode::None);
    for n in 0..5 {
        let spec = KeySpec::new(KeyAlg::Ed25519).with_kid(kid(&format!("k{n:02}")));
        world.primary_keys.create_key(&spec).await.unwrap();
        world.secondary_keys.create_key(&spec).await.unwrap();
    }
    let first = world.mirror.list_keys(&PageRequest::first(2)).await.unwrap();
    world.primary.outage();
    let rest = world.mirror.list_keys(&PageRequest::at(first.next.unwrap(), 2)).await;
    assert!(rest.unwrap_err().is_outage());
    assert_eq!(world.mirror.list_all_keys().await.unwrap().len(), 5);
    let page = world.mirror.list_keys(&PageRequest::first(2)).await.unwrap();
    let page = world.mirror.list_keys(&PageRequest::at(page.next.unwrap(), 2)).await.unwrap();
    assert_eq!(page.items[0].kid, kid("k02"));
}

#[tokio::test]
async fn a_foreign_cursor_is_refused() {
    let world = world();
    for text in ["", "k01", "{}x", r#"{"later":1}"#] {
        let answer = world.mirror.list_keys(&PageRequest::at(Cursor::new(text), 3)).await;
        assert_eq!(kind(answer), KeyErrorKind::InvalidInput, "{text:?}");
    }
}

#[tokio::test]
async fn one_wrong_replica_does_not_take_the_listing_away_and_an_outage_of_both_does() {
    let world = world();
    fill(&world, 3).await;
    world.primary.outage();
    world.secondary.fail_next(Method::GetKey, Fault::Lie(Lie::WrongKey));
    assert_eq!(world.mirror.list_all_keys().await.unwrap().len(), 2);
    world.secondary.outage();
    assert!(world.mirror.list_all_keys().await.unwrap_err().is_outage());
}

#[tokio::test]
async fn a_refusal_is_not_an_outage_here_either() {
    let world = world();
    fill(&world, 1).await;
    world.primary.set_all(Some(Fault::FailBefore(KeyError::permission_denied("no"))));
    assert_eq!(kind(world.mirror.list_all_keys().await), KeyErrorKind::PermissionDenied);
}

async fn names(world: &World) -> Vec<String> {
    let all = world.mirror.list_all_keys().await.unwrap();
    all.iter().map(|summary| summary.kid.to_string()).collect()
}

#[tokio::test]
async fn after_a_restart_a_listing_in_an_outage_finds_the_replicas() {
    let world = world();
    fill(&world, 3).await;
    let world = world.restart();
    world.primary.outage();
    assert_eq!(names(&world).await, ["k00", "k01", "k02"]);
}

#[tokio::test]
async fn promise_4_mode_none_lists_no_destroyed_key_of_the_secondary() {
    let world = world_in(MirrorMode::None);
    fill(&world, 2).await;
    for name in ["k00", "k01"] {
        world.secondary_keys.create_key(&KeySpec::new(KeyAlg::Ed25519).with_kid(kid(name))).await.unwrap();
    }
    world.mirror.destroy_key(&kid("k00"), None).await.unwrap();
    world.primary.outage();
    assert_eq!(names(&world).await, ["k01"]);
}

#[tokio::test]
async fn an_empty_page_of_the_primary_does_not_make_the_listing_start_again() {
    let world = world();
    fill(&world, 4).await;
    let first = world.mirror.list_keys(&PageRequest::first(2)).await.unwrap();
    let emptied = Fault::answer(|call, honest| {
        let Ok(Answer::Keys(mut page)) = honest else { panic!("no page") };
        page.items.clear();
        page.next = call.page.clone().unwrap().cursor;
        Ok(Answer::Keys(page))
    });
    world.primary.fail_next(Method::ListKeys, emptied);
    let empty = world.mirror.list_keys(&PageRequest::at(first.next.unwrap(), 2)).await.unwrap();
    assert!(empty.items.is_empty());
    world.primary.outage();
    let rest = world.mirror.list_keys(&PageRequest::at(empty.next.unwrap(), 2)).await.unwrap();
    assert_eq!(rest.items[0].kid, kid("k02"));
}
