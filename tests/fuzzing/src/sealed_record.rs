//! Sealed records: what lies in a store under `keys/`, and what is sealed in it.
//!
//! The first byte of the input says what the rest is: `R` a record, `H` a header, `X` changes to a record that is right, as
//! places of two bytes with a byte each; `B` the number of a record in eight bytes and what is sealed in it, as one might
//! write it who has the key.

use std::sync::Arc;

use swarmauri_keyprovider::{JwksQuery, KeyProvider, Secrets};
use swarmauri_keyprovider_stored::{SealingKey, StoredKeyProvider};
use swarmauri_keys::{KeyAlg, KeyError, KeyErrorKind, KeyId, KeyRef, KeySpec, KeyState, KeyVersion};
use swarmauri_keystore::{KeyStore, MemoryStore, Precondition, StoreKey};
use swarmauri_softkeys::SoftKey;

use crate::check::{now, quotes_little};
use crate::sealing::{self, HEADER_PLACE, KID, PLACE};

/// What was changed is never opened; what is opened is the key that its fingerprint says, and is written and read back.
pub fn run(input: &[u8]) {
    let Some((kind, rest)) = input.split_first() else { return };
    match kind {
        b'R' => record(rest),
        b'H' => header(rest),
        b'X' => changed(rest),
        b'B' => sealed(rest),
        _ => {}
    }
}

fn record(value: &[u8]) {
    let store = store(&sealing::header(), value);
    match open(&store) {
        Ok(provider) => {
            assert!(sealing::opened(value).is_some(), "what opens was sealed with the key");
            for at in [0, value.len() / 3, value.len() / 2, value.len() - 1] {
                let mut changed = value.to_vec();
                changed[at] ^= 1;
                refused_as_damaged(&changed);
            }
            sound(&provider, &store);
        }
        Err(error) => refused(&error, PLACE, value),
    }
}

fn header(value: &[u8]) {
    let right = sealing::header();
    match open(&store(value, &sealing::record(1, &sealing::sample()))) {
        Ok(_) => assert!(value == right, "there is one header that opens"),
        Err(error) if error.kind() == KeyErrorKind::PermissionDenied => quotes_little(&error, value),
        Err(error) => refused(&error, HEADER_PLACE, value),
    }
}

fn changed(changes: &[u8]) {
    let right = sealing::record(1, &sealing::sample());
    let mut value = right.clone();
    for change in changes.chunks_exact(3) {
        let at = usize::from(change[0]) << 8 | usize::from(change[1]);
        let len = value.len();
        value[at % len] ^= change[2];
    }
    if value == right {
        let store = store(&sealing::header(), &value);
        sound(&open(&store).expect("it is right"), &store);
    } else {
        refused_as_damaged(&value);
    }
}

fn sealed(rest: &[u8]) {
    let Some((sequence, text)) = rest.split_first_chunk() else { return };
    let store = store(&sealing::header(), &sealing::record(u64::from_be_bytes(*sequence), text));
    match open(&store) {
        Ok(provider) => {
            for (version, fingerprint) in sealing::fingerprints(text) {
                assert_eq!(key(&provider, version).fingerprint().as_str(), fingerprint, "it is another key");
            }
            sound(&provider, &store);
        }
        Err(error) => refused(&error, PLACE, text),
    }
}

fn refused_as_damaged(value: &[u8]) {
    match open(&store(&sealing::header(), value)) {
        Ok(_) => panic!("a record that was changed is opened"),
        Err(error) => refused(&error, PLACE, value),
    }
}

fn refused(error: &KeyError, place: &str, value: &[u8]) {
    assert_eq!(error.kind(), KeyErrorKind::Integrity, "{error}");
    assert!(error.to_string().contains(place), "{error}");
    quotes_little(error, value);
}

/// Holds whatever was opened to what it says of itself, and to being the same when it was written anew.
fn sound(provider: &StoredKeyProvider, store: &MemoryStore) {
    let kid = kid();
    let Ok(versions) = now(provider.list_versions(&kid)) else { return destroyed(provider) };
    let keys: Vec<_> = versions.iter().map(|version| key(provider, *version)).collect();
    for jwk in &now(provider.jwks(&JwksQuery::ALL_LIVE)).expect("it is open").keys {
        let id = jwk.version_id().expect("ours have versions");
        let published = keys.iter().find(|key| *key.id() == id).expect("what is published is there");
        assert_eq!(published.public_key(), Some(&jwk.key));
    }
    let first = keys.first().expect("a key that is there has a version");
    let switched = match first.state() {
        KeyState::Enabled => now(provider.disable_key(&kid, first.version())),
        _ => now(provider.enable_key(&kid, first.version())),
    };
    switched.expect("a record that was read can be written");
    let place = StoreKey::new(PLACE).expect("it is short");
    let written = now(store.get(&place)).expect("it is in memory").expect("it was written").value;
    assert!(sealing::opened(&written).is_some(), "records are sealed in the form that is written down here");
    let again = open(store).expect("what was written can be read");
    assert_eq!(now(again.list_versions(&kid)).expect("it is there"), versions);
    for before in &keys {
        let after = key(&again, before.version());
        assert_eq!((after.fingerprint(), after.alg()), (before.fingerprint(), before.alg()));
        assert_eq!(after.state() == before.state(), before.version() != first.version());
    }
}

/// A key whose fingerprint is that of its material.
fn key(provider: &StoredKeyProvider, version: KeyVersion) -> KeyRef {
    let key = now(provider.get_key(&kid(), Some(version), Secrets::Omit)).expect("it is listed");
    if let Some(public) = key.public_key() {
        assert_eq!(*key.fingerprint(), public.thumbprint());
    }
    if let Ok(with_secret) = now(provider.get_key(&kid(), Some(version), Secrets::Include))
        && let Some(secret) = with_secret.secret()
    {
        let imported = SoftKey::import(key.alg(), secret.clone().into()).expect("it was imported before");
        assert_eq!(imported.fingerprint(), key.fingerprint());
    }
    key
}

/// The `kid` of a destroyed key is not used again.
fn destroyed(provider: &StoredKeyProvider) {
    let read = now(provider.get_key(&kid(), None, Secrets::Omit)).unwrap_err();
    assert_eq!(read.kind(), KeyErrorKind::NotFound);
    let again = now(provider.create_key(&KeySpec::new(KeyAlg::Ed25519).with_kid(kid())));
    assert_eq!(again.unwrap_err().kind(), KeyErrorKind::Conflict);
}

fn kid() -> KeyId {
    KeyId::new(KID).expect("it is a kid")
}

fn open(store: &MemoryStore) -> Result<StoredKeyProvider, KeyError> {
    let key = SealingKey::new(sealing::SEALING_KEY[..].into()).expect("it has 32 bytes");
    now(StoredKeyProvider::open(Arc::new(store.clone()), key))
}

fn store(header: &[u8], record: &[u8]) -> MemoryStore {
    let store = MemoryStore::new();
    for (place, value) in [(HEADER_PLACE, header), (PLACE, record)] {
        let place = StoreKey::new(place).expect("it is short");
        now(store.put(&place, value, Precondition::Any)).expect("it is short");
    }
    store
}
