//! Tests of the key table that need no provider around it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use swarmauri_keys::{
    Cursor, ExportPolicy, KeyAlg, KeyClass, KeyErrorKind, KeyId, KeyMaterial, KeyRef, KeySpec, KeyState,
    KeyVersion, PageRequest, SpecOverrides,
};

use crate::{KeyTable, SoftKey};

fn kid(name: &str) -> KeyId {
    KeyId::new(name).unwrap()
}

fn version(number: u32) -> KeyVersion {
    KeyVersion::new(number).unwrap()
}

fn generated(alg: KeyAlg) -> SoftKey {
    SoftKey::generate(alg, None).unwrap()
}

fn create(table: &KeyTable, name: &str, alg: KeyAlg) -> KeyRef {
    table.create(&KeySpec::new(alg).with_kid(kid(name)), generated(alg)).unwrap()
}

fn rotate(table: &KeyTable, name: &str) -> KeyRef {
    let spec = table.rotation_spec(&kid(name), &SpecOverrides::NONE).unwrap();
    table.add_version(&kid(name), &spec, generated(spec.alg())).unwrap()
}

/// `"a.1 b.2"`
fn published(table: &KeyTable, prefix: Option<&str>, all_live: bool) -> String {
    let set = table.jwks(prefix, all_live);
    set.keys.iter().map(|jwk| jwk.kid.clone().unwrap()).collect::<Vec<_>>().join(" ")
}

/// Of ever more changes at once, at last of more than are known.
#[test]
fn a_document_that_is_amended_is_the_one_that_would_be_made_anew() {
    let (table, mut random) = (KeyTable::new(), fastrand::Rng::with_seed(5));
    for changes in 0..120 {
        for _ in 0..changes {
            let (name, number) =
                (random.choice(["a", "a.1", "b", "c", "d"]).unwrap(), version(random.u32(1..5)));
            let _ = match random.u32(0..5) {
                0 => table
                    .create(&KeySpec::new(KeyAlg::Ed25519).with_kid(kid(name)), generated(KeyAlg::Ed25519))
                    .map(drop),
                1 => table
                    .rotation_spec(&kid(name), &SpecOverrides::NONE)
                    .and_then(|spec| table.add_version(&kid(name), &spec, generated(KeyAlg::Ed25519)))
                    .map(drop),
                2 => table.set_state(&kid(name), number, KeyState::Disabled),
                3 => table.set_state(&kid(name), number, KeyState::Enabled),
                _ => {
                    table.destroy(&kid(name), Some(number));
                    if random.u8(0..9) == 0 {
                        table.forget(&kid(name));
                    }
                    Ok(())
                }
            };
        }
        for all_live in [false, true] {
            assert_eq!(*table.jwks(None, all_live), table.publish("", all_live).1, "{changes} changes");
        }
    }
}

#[test]
fn version_numbers_grow_also_after_destroying_the_highest() {
    let table = KeyTable::new();
    create(&table, "k", KeyAlg::Ed25519);
    assert_eq!(rotate(&table, "k").version(), version(2));
    assert!(table.destroy(&kid("k"), Some(version(2))));
    assert_eq!(table.get(&kid("k"), None, false).unwrap().version(), version(1));
    assert_eq!(rotate(&table, "k").version(), version(3));
    assert_eq!(table.list_versions(&kid("k")).unwrap(), [version(1), version(3)]);
}

#[test]
fn version_numbers_run_out_without_wrapping() {
    let table = KeyTable::new();
    create(&table, "k", KeyAlg::Ed25519);
    table.shards.write(&kid("k")).set_last(version(u32::MAX - 1));
    assert_eq!(rotate(&table, "k").version(), version(u32::MAX));
    let spec = table.rotation_spec(&kid("k"), &SpecOverrides::NONE).unwrap();
    let error = table.add_version(&kid("k"), &spec, generated(KeyAlg::Ed25519)).unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::InvalidState);
    assert_eq!(table.list_versions(&kid("k")).unwrap(), [version(1), version(u32::MAX)]);
}

#[test]
fn with_its_last_version_a_key_goes_and_its_kid_is_not_used_again() {
    let table = KeyTable::new();
    create(&table, "k", KeyAlg::Ed25519);
    rotate(&table, "k");
    assert!(table.destroy(&kid("k"), Some(version(1))));
    assert!(table.destroy(&kid("k"), Some(version(2))));
    assert!(!table.destroy(&kid("k"), None) && table.is_empty());
    assert_eq!(table.list_versions(&kid("k")).unwrap_err().kind(), KeyErrorKind::NotFound);
    let spec = KeySpec::new(KeyAlg::Ed25519).with_kid(kid("k"));
    for error in [table.check_new(&spec), table.create(&spec, generated(KeyAlg::Ed25519)).map(|_| ())] {
        let error = error.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::Conflict);
        assert!(error.to_string().contains("not used again"), "{error}");
    }
}

#[test]
fn a_rotation_that_loses_to_a_destroy_leaves_nothing() {
    let table = KeyTable::new();
    create(&table, "k", KeyAlg::Ed25519);
    let spec = table.rotation_spec(&kid("k"), &SpecOverrides::NONE).unwrap();
    assert!(table.destroy(&kid("k"), None));
    let error = table.add_version(&kid("k"), &spec, generated(KeyAlg::Ed25519)).unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::NotFound);
    assert!(table.is_empty() && table.jwks(None, true).keys.is_empty());
}

#[test]
fn destroying_takes_nothing_back_that_was_handed_out() {
    let table = KeyTable::new();
    let spec = KeySpec::builder(KeyAlg::Aes256Gcm).export_policy(ExportPolicy::SecretWhenAllowed);
    let key = table.create(&spec.build().unwrap(), generated(KeyAlg::Aes256Gcm)).unwrap();
    let held = table.get(key.kid(), None, true).unwrap();
    assert!(table.destroy(key.kid(), None));
    assert!(held.secret().is_some());
    assert_eq!(table.get(key.kid(), None, true).unwrap_err().kind(), KeyErrorKind::NotFound);
}

#[test]
fn secrets_come_out_when_asked_for_and_allowed() {
    use KeyErrorKind::{InvalidState, PermissionDenied};
    let public = |key: &SoftKey| KeyMaterial::Public(key.public_key().unwrap().clone());
    for (policy, public_only, expected) in [
        (ExportPolicy::None, false, Some(PermissionDenied)),
        (ExportPolicy::PublicOnly, false, Some(PermissionDenied)),
        (ExportPolicy::SecretWhenAllowed, false, None),
        (ExportPolicy::PublicOnly, true, Some(PermissionDenied)),
        (ExportPolicy::SecretWhenAllowed, true, Some(InvalidState)),
    ] {
        let table = KeyTable::new();
        let spec = KeySpec::builder(KeyAlg::Ed25519).export_policy(policy).build().unwrap();
        let mut key = generated(KeyAlg::Ed25519);
        if public_only {
            key = SoftKey::import(KeyAlg::Ed25519, public(&key)).unwrap();
        }
        let made = table.create(&spec, key).unwrap();
        assert!(made.secret().is_none());
        assert!(table.get(made.kid(), None, false).unwrap().secret().is_none());
        let read = table.get(made.kid(), None, true);
        assert_eq!(read.as_ref().err().map(swarmauri_keys::KeyError::kind), expected, "{policy}");
        assert!(read.is_err() || read.unwrap().secret().is_some());
    }
}

#[test]
fn a_public_key_alone_is_not_rotated() {
    let table = KeyTable::new();
    let public = generated(KeyAlg::Ed25519).public_key().unwrap().clone();
    let key = SoftKey::import(KeyAlg::Ed25519, KeyMaterial::Public(public)).unwrap();
    let made = table.create(&KeySpec::new(KeyAlg::Ed25519), key).unwrap();
    let error = table.rotation_spec(made.kid(), &SpecOverrides::NONE).unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::InvalidState);
}

#[test]
fn a_key_that_is_not_what_the_spec_says_is_refused() {
    let table = KeyTable::new();
    let refused = |spec: &KeySpec| table.create(spec, generated(KeyAlg::Ed25519)).unwrap_err().kind();
    assert_eq!(refused(&KeySpec::new(KeyAlg::EcdsaP256Sha256)), KeyErrorKind::InvalidInput);
    let opaque = KeySpec::builder(KeyAlg::Ed25519).class(KeyClass::Opaque).build().unwrap();
    assert_eq!(refused(&opaque), KeyErrorKind::Unsupported);
    assert_eq!(table.check_new(&opaque).unwrap_err().kind(), KeyErrorKind::Unsupported);
    assert!(table.is_empty());
}

#[test]
fn the_jwks_is_sorted_and_holds_what_may_be_published() {
    let table = KeyTable::new();
    for name in ["b", "a", "a.b", "ab", "c"] {
        create(&table, name, KeyAlg::Ed25519);
    }
    create(&table, "symmetric", KeyAlg::HmacSha256);
    let hidden = KeySpec::builder(KeyAlg::Ed25519).export_policy(ExportPolicy::None).kid(kid("hidden"));
    table.create(&hidden.build().unwrap(), generated(KeyAlg::Ed25519)).unwrap();
    (0..9).for_each(|_| drop(rotate(&table, "b")));
    table.destroy(&kid("b"), Some(version(10)));
    (3..9).for_each(|gone| assert!(table.destroy(&kid("b"), Some(version(gone)))));
    assert_eq!(published(&table, None, false), "a.1 a.b.1 ab.1 b.9 c.1");
    assert_eq!(published(&table, None, true), "a.1 a.b.1 ab.1 b.1 b.2 b.9 c.1");
    assert_eq!(published(&table, Some("a"), true), "a.1 a.b.1 ab.1");
    assert_eq!(published(&table, Some("b"), false), "b.9");
    assert_eq!(published(&table, Some("b."), true), "", "the prefix is that of the bare kid");
    assert_eq!(published(&table, Some(""), false), published(&table, None, false));
}

#[test]
fn the_jwks_is_shared_until_a_key_changes() {
    let table = KeyTable::new();
    for all_live in [false, true] {
        let key = table.create(&KeySpec::new(KeyAlg::Ed25519), generated(KeyAlg::Ed25519)).unwrap();
        let before = table.jwks(None, all_live);
        assert!(Arc::ptr_eq(&before, &table.jwks(None, all_live)));
        rotate(&table, key.kid().as_str());
        let after = table.jwks(None, all_live);
        assert_ne!(before, after);
        assert!(table.destroy(key.kid(), Some(version(2))));
        assert_eq!(table.jwks(None, all_live), before);
        assert!(!table.destroy(key.kid(), Some(version(2))));
        assert!(table.destroy(key.kid(), None));
        assert!(table.jwks(None, all_live).keys.is_empty());
    }
}

#[test]
fn pages_are_in_kid_order_and_end() {
    let table = KeyTable::new();
    let mut names: Vec<_> = (0..57).map(|n| format!("k{}", n * 7919 % 1000)).collect();
    for name in &names {
        create(&table, name, KeyAlg::HmacSha256);
    }
    names.sort();
    for limit in [0, 1, 2, 19, 56, 57, 58, usize::MAX] {
        let (mut request, mut listed) = (PageRequest::first(limit), Vec::new());
        loop {
            let page = table.list(&request).unwrap();
            assert!(!page.items.is_empty() && page.items.len() <= limit.max(1));
            listed.extend(page.items.iter().map(|key| key.kid.to_string()));
            let Some(next) = page.next else { break };
            request.cursor = Some(next);
        }
        assert_eq!(listed, names, "pages of {limit}");
    }
}

#[test]
fn a_page_has_a_greatest_size() {
    let table = KeyTable::new();
    let key = generated(KeyAlg::HmacSha256);
    for _ in 0..=KeyTable::MAX_PAGE {
        table.create(&KeySpec::new(KeyAlg::HmacSha256), key.clone()).unwrap();
    }
    let page = table.list(&PageRequest::first(usize::MAX)).unwrap();
    assert_eq!(page.items.len(), KeyTable::MAX_PAGE);
    let last = table.list(&PageRequest::at(page.next.unwrap(), 10)).unwrap();
    assert_eq!((last.items.len(), last.next), (1, None));
}

#[test]
fn a_cursor_is_checked_and_may_name_a_key_that_is_gone() {
    let table = KeyTable::new();
    for name in ["a", "b", "c"] {
        create(&table, name, KeyAlg::HmacSha256);
    }
    let next = table.list(&PageRequest::first(2)).unwrap().next.unwrap();
    table.destroy(&kid("b"), None);
    let rest = table.list(&PageRequest::at(next, 2)).unwrap();
    assert_eq!(rest.items.iter().map(|key| key.kid.as_str()).collect::<Vec<_>>(), ["c"]);
    for foreign in ["", "a\nb"] {
        let error = table.list(&PageRequest::at(Cursor::new(foreign), 2)).unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::InvalidInput);
        assert!(error.to_string().contains("not a cursor"), "{error}");
    }
}

#[test]
fn of_creates_that_race_for_a_kid_one_succeeds() {
    let (table, key, together) = (KeyTable::new(), generated(KeyAlg::HmacSha256), Barrier::new(4));
    for round in 0..200 {
        let spec = KeySpec::new(KeyAlg::HmacSha256).with_kid(kid(&format!("k{round}")));
        let attempt = || {
            together.wait();
            table.create(&spec, key.clone()).map_err(|error| error.kind())
        };
        let outcomes = thread::scope(|scope| {
            let tasks: Vec<_> = (0..4).map(|_| scope.spawn(attempt)).collect();
            tasks.into_iter().map(|task| task.join().unwrap()).collect::<Vec<_>>()
        });
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        assert!(outcomes.iter().filter_map(|one| one.as_ref().err()).all(|e| *e == KeyErrorKind::Conflict));
    }
}

#[test]
fn a_jwks_or_page_shows_one_moment_of_all_shards() {
    let (table, key) = (KeyTable::new(), generated(KeyAlg::Ed25519));
    let name = |round: u32| kid(&format!("k{round}"));
    let make = |round| table.create(&KeySpec::new(KeyAlg::Ed25519).with_kid(name(round)), key.clone());
    make(0).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            // Before one key goes the next is there.
            for round in 0..20_000 {
                make(round + 1).unwrap();
                table.destroy(&name(round), None);
            }
            done.store(true, Ordering::Relaxed);
        });
        while !done.load(Ordering::Relaxed) {
            assert!((1..=2).contains(&table.jwks(None, true).keys.len()));
            assert!((1..=2).contains(&table.list(&PageRequest::first(9)).unwrap().items.len()));
        }
    });
}

#[test]
fn debug_shows_the_number_of_keys() {
    let table = KeyTable::new();
    create(&table, "k", KeyAlg::Aes256Gcm);
    assert_eq!(format!("{table:?}"), "KeyTable { keys: 1 }");
}
