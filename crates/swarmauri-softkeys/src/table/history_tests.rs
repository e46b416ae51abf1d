//! Tests of keys as values, and of putting them into a table.

use swarmauri_keys::{
    Acceptance, KeyAlg, KeyErrorKind, KeyId, KeyOperation, KeySpec, KeyState, KeyVersion, SpecOverrides,
};

use crate::{KeyHistory, KeyTable, SoftKey, VersionRecord};

fn kid() -> KeyId {
    KeyId::new("k").unwrap()
}

fn version(number: u32) -> KeyVersion {
    KeyVersion::new(number).unwrap()
}

fn generated(alg: KeyAlg) -> SoftKey {
    SoftKey::generate(alg, None).unwrap()
}

fn created(alg: KeyAlg) -> KeyHistory {
    KeyHistory::created(kid(), &KeySpec::new(alg), generated(alg)).unwrap().0
}

fn records(history: &KeyHistory) -> Vec<VersionRecord> {
    history.versions().collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_value_changes_as_a_table_does() {
    let (table, spec) = (KeyTable::new(), KeySpec::new(KeyAlg::Ed25519).with_kid(kid()));
    let key = generated(KeyAlg::Ed25519);
    let made = table.create(&spec, key.clone()).unwrap();
    let (mut history, same) = KeyHistory::created(kid(), &spec, key.clone()).unwrap();
    assert_eq!(same.parts(), made.parts());
    let next = table.rotation_spec(&kid(), &SpecOverrides::NONE).unwrap();
    let made = table.add_version(&kid(), &next, key.clone()).unwrap();
    assert_eq!(history.add_version(&next, key).unwrap().parts(), made.parts());
    table.set_state(&kid(), version(1), KeyState::Disabled).unwrap();
    assert!(history.set_state(version(1), KeyState::Disabled).unwrap());
    assert!(!history.set_state(version(1), KeyState::Disabled).unwrap());
    assert!(history.destroy(Some(version(2))) && !history.destroy(Some(version(2))));
    table.destroy(&kid(), Some(version(2)));
    let other = KeyTable::new();
    other.put(history);
    let of = |table: &KeyTable| table.get(&kid(), None, false).unwrap();
    assert_eq!(of(&other).parts(), of(&table).parts());
    assert_eq!(other.history(&kid()).unwrap().last(), version(2));
}

#[test]
fn what_was_recorded_comes_back() {
    let mut history = created(KeyAlg::Aes256Gcm);
    history.add_version(&KeySpec::new(KeyAlg::HmacSha256), generated(KeyAlg::HmacSha256)).unwrap();
    history.set_state(version(2), KeyState::Disabled).unwrap();
    history.reserve(version(1), 10, 100).unwrap();
    let table = KeyTable::new();
    table.put(KeyHistory::restored(kid(), version(7), records(&history)).unwrap());
    assert_eq!(table.get(&kid(), None, false).unwrap().state(), KeyState::Disabled);
    let mut again = table.history(&kid()).unwrap();
    assert_eq!((again.last(), again.reserve(version(1), 10, 100).unwrap()), (version(7), (10, 20)));
    let spec = table.rotation_spec(&kid(), &SpecOverrides::NONE).unwrap();
    let made = again.add_version(&spec, generated(KeyAlg::HmacSha256)).unwrap();
    assert_eq!(made.version(), version(8));
}

#[test]
fn what_cannot_have_been_recorded_is_refused() {
    let one = records(&created(KeyAlg::Ed25519)).remove(0);
    let refused = |last, versions: Vec<VersionRecord>| {
        KeyHistory::restored(kid(), version(last), versions).unwrap_err().kind()
    };
    assert_eq!(refused(1, vec![one.clone(), one.clone()]), KeyErrorKind::Integrity);
    assert_eq!(
        refused(1, vec![VersionRecord { version: version(2), ..one.clone() }]),
        KeyErrorKind::Integrity
    );
    let destroyed = VersionRecord { state: KeyState::Destroyed, ..one.clone() };
    assert_eq!(refused(1, vec![destroyed]), KeyErrorKind::Integrity);
    let other = VersionRecord { spec: KeySpec::new(KeyAlg::X25519), ..one };
    assert_eq!(refused(1, vec![other]), KeyErrorKind::InvalidInput);
}

#[test]
fn a_destroyed_key_put_into_a_table_is_not_used_again() {
    let table = KeyTable::new();
    table.put(created(KeyAlg::Ed25519));
    let mut history = table.history(&kid()).unwrap();
    assert!(history.destroy(None) && history.is_destroyed() && !history.destroy(None));
    let spec = KeySpec::new(KeyAlg::Ed25519);
    let error = history.add_version(&spec, generated(KeyAlg::Ed25519)).unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::NotFound);
    table.put(history);
    assert!(table.is_empty() && table.history(&kid()).unwrap().is_destroyed());
    let spec = spec.with_kid(kid());
    assert_eq!(table.check_new(&spec).unwrap_err().kind(), KeyErrorKind::Conflict);
    table.forget(&kid());
    assert!(table.history(&kid()).is_none());
    table.check_new(&spec).unwrap();
}

#[test]
fn a_version_encrypts_as_often_as_it_was_granted() {
    let table = KeyTable::with_max_encryptions(5).unwrap();
    table.put(created(KeyAlg::Aes256Gcm));
    let usable = || table.usable(&kid(), None, KeyOperation::Encrypt, Acceptance::EnabledOnly).unwrap();
    let encrypt = || usable().encrypt(b"text", b"").map(drop).map_err(|error| error.kind());
    let mut encrypted = 0;
    loop {
        assert_eq!(encrypt(), Err(KeyErrorKind::InvalidState));
        assert!(table.needs_grant(&kid(), version(1)).unwrap());
        let mut history = table.history(&kid()).unwrap();
        let Ok((from, end)) = history.reserve(version(1), 2, table.max_encryptions()) else { break };
        table.put(history);
        assert_eq!(encrypt(), Err(KeyErrorKind::InvalidState), "reserved, and not granted");
        table.grant(&kid(), version(1), (from, end)).unwrap();
        while encrypt().is_ok() {
            encrypted += 1;
            table.put(table.history(&kid()).unwrap()); // the count stays
        }
    }
    assert_eq!(encrypted, 5);
}

#[test]
fn a_version_is_added_under_the_number_it_had() {
    let (table, spec) = (KeyTable::new(), KeySpec::new(KeyAlg::Ed25519));
    let key = || generated(KeyAlg::Ed25519);
    let (mut history, made) = KeyHistory::with_version(None, &kid().at(version(3)), &spec, key()).unwrap();
    assert_eq!((made.version(), history.last()), (version(3), version(3)));
    assert_eq!(history.add_version(&spec, key()).unwrap().version(), version(4));
    let (history, _) = KeyHistory::with_version(Some(history), &kid().at(version(9)), &spec, key()).unwrap();
    table.put(history);
    assert_eq!(table.list_versions(&kid()).unwrap(), [version(3), version(4), version(9)]);
    let made = table.insert_version(&kid().at(version(12)), &spec, key()).unwrap();
    assert_eq!(table.get(&kid(), None, false).unwrap().parts(), made.parts());
    assert_eq!(table.add_version(&kid(), &spec, key()).unwrap().version(), version(13));
    let last = KeyVersion::new(u32::MAX).unwrap();
    table.insert_version(&kid().at(last), &spec, key()).unwrap();
    assert_eq!(table.add_version(&kid(), &spec, key()).unwrap_err().kind(), KeyErrorKind::InvalidState);
}

/// By the table and by the value alike, and before material is looked at.
#[test]
fn a_number_that_was_is_not_added_again() {
    let (table, spec) = (KeyTable::new(), KeySpec::new(KeyAlg::Ed25519));
    let key = || generated(KeyAlg::Ed25519);
    let refused = |number, spec: &KeySpec| {
        let id = kid().at(version(number));
        let kind = table.insert_version(&id, spec, key()).unwrap_err().kind();
        assert_eq!(table.check_new_version(&id, spec).unwrap_err().kind(), kind);
        let by_value = KeyHistory::with_version(table.history(&kid()), &id, spec, key()).unwrap_err();
        assert_eq!(by_value.kind(), kind);
        kind
    };
    let elsewhere = spec.clone().with_kid(KeyId::new("other").unwrap());
    assert_eq!(refused(1, &elsewhere), KeyErrorKind::InvalidInput);
    assert!(table.is_empty() && table.history(&kid()).is_none());
    table.insert_version(&kid().at(version(2)), &spec.clone().with_kid(kid()), key()).unwrap();
    table.insert_version(&kid().at(version(5)), &spec, key()).unwrap();
    table.destroy(&kid(), Some(version(5)));
    for number in 1..=5 {
        assert_eq!(refused(number, &spec), KeyErrorKind::Conflict, "{number}");
    }
    table.destroy(&kid(), None);
    assert_eq!(refused(6, &spec), KeyErrorKind::Conflict);
    let other = KeySpec::new(KeyAlg::X25519);
    let error = table.insert_version(&KeyId::new("new").unwrap().at(version(1)), &other, key()).unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::InvalidInput);
}
