//! Listing keys. Other keys than those of the case may be there.

use std::collections::BTreeSet;

use swarmauri_keyprovider::{Feature, KeyProviderExt as _, Secrets};
use swarmauri_keys::{
    Cursor, ExportPolicy, KeyErrorKind, KeyId, KeyMaterial, KeySummary, Page, PageRequest, SpecOverrides,
};

use crate::Subject;
use crate::subject::{built, done, refused, spec};
use crate::suite::CaseResult;

pub(crate) async fn keys_are_listed_in_order_once_each(on: Subject) -> CaseResult {
    on.needs(Feature::ListKeys)?;
    let alg = on.any()?;
    let mut made = BTreeSet::new();
    for policy in ExportPolicy::ALL.iter().cycle().take(12) {
        made.insert(on.create(spec(alg).export_policy(*policy)).await.kid().clone());
    }
    if let Ok((alg, public)) = on.public_import() {
        let imported = on.import_key(&built(spec(alg)), KeyMaterial::Public(public)).await;
        made.insert(done(imported, "importing a public key").kid().clone());
    }
    for limit in [1, 3, 100, usize::MAX] {
        let listed: Vec<_> = all(&on, limit).await.into_iter().map(|one| one.kid).collect();
        assert!(listed.is_sorted(), "pages of {limit}: the keys come in order");
        let mine: Vec<_> = listed.into_iter().filter(|kid| made.contains(kid)).collect();
        assert!(mine.iter().eq(&made), "pages of {limit}: each key comes exactly once");
    }
    Ok(())
}

pub(crate) async fn pages_are_as_small_as_asked_for(on: Subject) -> CaseResult {
    on.needs(Feature::ListKeys)?;
    let alg = on.any()?;
    for _ in 0..5 {
        on.create(spec(alg)).await;
    }
    for (limit, most) in [(0, 1), (1, 1), (2, 2), (4, 4)] {
        let mut request = PageRequest::first(limit);
        while let Some(cursor) = {
            let page = done(on.list_keys(&request).await, "listing");
            assert!(page.items.len() <= most, "{} keys on a page of {limit}", page.items.len());
            page.next
        } {
            request = PageRequest::at(cursor, limit);
        }
    }
    Ok(())
}

pub(crate) async fn a_summary_is_of_the_latest_version(on: Subject) -> CaseResult {
    on.needs(Feature::ListKeys)?;
    let alg = on.any()?;
    let mut latest = on.create(spec(alg).label("old").tag("env", "prod")).await;
    if on.can.has(Feature::Rotate) {
        let change = SpecOverrides { label: Some("new".to_owned()), ..SpecOverrides::NONE };
        latest = done(on.rotate_key(latest.kid(), &change).await, "rotating");
    }
    let listed = done(on.list_all_keys().await, "listing");
    let summary = listed.into_iter().find(|one| one.kid == *latest.kid());
    assert_eq!(summary, Some(KeySummary::from(&latest)));
    Ok(())
}

pub(crate) async fn destroyed_keys_are_not_listed(on: Subject) -> CaseResult {
    on.needs(Feature::ListKeys)?;
    on.needs(Feature::Destroy)?;
    let alg = on.any()?;
    let (gone, stays) = (on.create(spec(alg)).await, on.create(spec(alg)).await);
    done(on.destroy_key(gone.kid(), None).await, "destroying");
    let listed: BTreeSet<_> = all(&on, 2).await.into_iter().map(|one| one.kid).collect();
    assert!(!listed.contains(gone.kid()), "a destroyed key is listed");
    assert!(listed.contains(stays.kid()), "another key is not");
    Ok(())
}

pub(crate) async fn a_foreign_cursor_is_refused(on: Subject) -> CaseResult {
    on.needs(Feature::ListKeys)?;
    for foreign in ["", "\0", "no cursor\n"] {
        let page = on.list_keys(&PageRequest::at(Cursor::new(foreign), 10)).await;
        refused(page, KeyErrorKind::InvalidInput, &format!("listing at the cursor {foreign:?}"));
    }
    Ok(())
}

/// Keys that are there all the time are listed once, whatever comes and goes between two pages.
pub(crate) async fn a_listing_stands_changes(on: Subject) -> CaseResult {
    on.needs(Feature::ListKeys)?;
    let alg = on.any()?;
    let (mut stay, mut go) = (BTreeSet::new(), Vec::new());
    for _ in 0..8 {
        stay.insert(on.create(spec(alg)).await.kid().clone());
        go.push(on.create(spec(alg)).await.kid().clone());
    }
    let mut listed: Vec<KeyId> = Vec::new();
    let mut request = PageRequest::first(2);
    loop {
        let Page { items, next } = done(on.list_keys(&request).await, "listing");
        listed.extend(items.into_iter().map(|one| one.kid));
        on.create(spec(alg)).await;
        if let Some(kid) = go.pop().filter(|_| on.can.has(Feature::Destroy)) {
            done(on.destroy_key(&kid, None).await, "destroying");
        }
        if let Some(last) = listed.last().filter(|last| go.contains(last) && on.can.has(Feature::Destroy)) {
            done(on.destroy_key(last, None).await, "destroying the key that the cursor may stand on");
        }
        match next {
            Some(cursor) => request = PageRequest::at(cursor, 2),
            None => break,
        }
    }
    let mine: Vec<_> = listed.into_iter().filter(|kid| stay.contains(kid)).collect();
    assert!(mine.iter().eq(&stay), "each key that was there all the time comes exactly once");
    done(on.get_key(&mine[0], None, Secrets::Omit).await, "reading a listed key");
    Ok(())
}

async fn all(on: &Subject, limit: usize) -> Vec<KeySummary> {
    let mut all = Vec::new();
    let mut request = PageRequest::first(limit);
    loop {
        let page = done(on.list_keys(&request).await, &format!("listing {limit} keys at a time"));
        all.extend(page.items);
        match page.next {
            Some(cursor) => request = PageRequest::at(cursor, limit),
            None => return all,
        }
    }
}
