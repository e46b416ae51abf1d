//! A store that is not as it was written: told with its place, and never a wrong key.

use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keys::{KeyAlg, KeyError, KeyErrorKind, KeyMaterial};
use swarmauri_keystore::{KeyStore, MemoryStore, Precondition};

use crate::{HEADER, copy, entries, kid, kind, open, place, put, shown, spec, try_open, value, version};

/// Keys of several kinds, also a destroyed one.
async fn world() -> MemoryStore {
    let store = MemoryStore::new();
    let provider = open(&store).await;
    let pair = provider.create_key(&spec(KeyAlg::Ed25519, "pair")).await.unwrap();
    provider.rotate(&kid("pair")).await.unwrap();
    provider.disable_key(&kid("pair"), version(1)).await.unwrap();
    provider.create_key(&spec(KeyAlg::Aes256Gcm, "secret")).await.unwrap();
    let public = KeyMaterial::Public(pair.public_key().unwrap().clone());
    provider.import_key(&spec(KeyAlg::Ed25519, "public"), public).await.unwrap();
    provider.create_key(&spec(KeyAlg::HmacSha256, "gone")).await.unwrap();
    provider.destroy_key(&kid("gone"), None).await.unwrap();
    store
}

#[track_caller]
fn assert_integrity<T>(outcome: Result<T, KeyError>, place: &str, what: &str) {
    match outcome {
        Err(KeyError::Integrity { reason }) => assert!(reason.contains(place), "{what}: {reason}"),
        Err(other) => panic!("{what}: {other}"),
        Ok(_) => panic!("{what}: it opened"),
    }
}

#[tokio::test]
async fn a_flipped_bit_anywhere_is_told_with_its_place() {
    let store = world().await;
    let mut flipped = 0;
    for entry in entries(&store).await {
        let name = entry.key.as_bytes().escape_ascii().to_string();
        let damaged = copy(&store).await;
        for byte in 0..entry.value.len() {
            // Of most bytes one bit, another each time; of the header's all.
            let bits = if name == HEADER { 0..8 } else { byte % 8..byte % 8 + 1 };
            for bit in bits {
                let mut value = entry.value.to_vec();
                value[byte] ^= 1 << bit;
                put(&damaged, &entry.key, &value).await;
                assert_integrity(try_open(&damaged).await, &name, &format!("bit {bit} of byte {byte}"));
                flipped += 1;
            }
        }
    }
    assert!(flipped > 2000, "{flipped}");
}

/// So many that several threads open them.
#[tokio::test]
async fn one_damaged_record_among_many_is_told_with_its_place() {
    let store = MemoryStore::new();
    let provider = open(&store).await;
    let names: Vec<_> = (0..100).map(|number| format!("k{number:03}")).collect();
    for name in &names {
        provider.create_key(&spec(KeyAlg::Ed25519, name)).await.unwrap();
    }
    let all = shown(&provider).await;
    assert_eq!(shown(&open(&store).await).await, all);
    for name in ["k000", "k050", "k099"] {
        let damaged = copy(&store).await;
        let at = place(&format!("keys/key/{name}"));
        let mut bytes = damaged.get(&at).await.unwrap().unwrap().value.to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        put(&damaged, &at, &bytes).await;
        assert_integrity(try_open(&damaged).await, &format!("keys/key/{name}"), name);
    }
}

#[tokio::test]
async fn what_is_cut_short_or_goes_on_is_told() {
    let store = world().await;
    for entry in entries(&store).await {
        let name = entry.key.as_bytes().escape_ascii().to_string();
        let damaged = copy(&store).await;
        for len in 0..entry.value.len() {
            put(&damaged, &entry.key, &entry.value[..len]).await;
            assert_integrity(try_open(&damaged).await, &name, &format!("{len} bytes"));
        }
        put(&damaged, &entry.key, &[&*entry.value, b"\0"].concat()).await;
        assert_integrity(try_open(&damaged).await, &name, "one byte more");
    }
}

#[tokio::test]
async fn a_record_in_the_place_of_another_is_told() {
    let store = world().await;
    let all = entries(&store).await;
    for (one, other) in all.iter().flat_map(|one| all.iter().map(move |other| (one, other))) {
        if one.key != other.key {
            let swapped = copy(&store).await;
            put(&swapped, &one.key, &other.value).await;
            put(&swapped, &other.key, &one.value).await;
            assert_integrity(try_open(&swapped).await, "keys/", "a pair is swapped");
        }
    }
    let another = copy(&store).await;
    put(&another, &place("keys/key/another"), &value(&store, "keys/key/secret").await).await;
    assert_integrity(try_open(&another).await, "keys/key/another", "under another kid");
    put(&another, &place("keys/key/\n"), b"").await;
    assert_integrity(try_open(&another).await, r"keys/key/\n", "under what is no kid");
}

#[tokio::test]
async fn a_record_or_header_of_another_store_is_told() {
    let (store, other) = (world().await, world().await);
    for entry in entries(&other).await {
        let mixed = copy(&store).await;
        put(&mixed, &entry.key, &entry.value).await;
        assert_integrity(try_open(&mixed).await, "keys/key/", "of another root key");
    }
}

#[tokio::test]
async fn a_store_with_keys_and_no_header_is_not_made_anew() {
    let store = world().await;
    store.delete(&place(HEADER), Precondition::Any).await.unwrap();
    let before = entries(&store).await;
    assert_integrity(try_open(&store).await, HEADER, "no header");
    assert_eq!(entries(&store).await, before);
}

#[tokio::test]
async fn a_newer_format_is_told() {
    let store = world().await;
    for name in [HEADER, "keys/key/secret"] {
        let newer = copy(&store).await;
        let mut bytes = value(&store, name).await;
        assert_eq!(bytes[1], 1, "an array whose first item is the format");
        bytes[1] = 2;
        put(&newer, &place(name), &bytes).await;
        let error = try_open(&newer).await.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::Integrity);
        let text = error.to_string();
        assert!(text.contains(name) && text.contains("format 2") && text.contains("format 1"), "{text}");
    }
}

#[tokio::test]
async fn a_record_that_breaks_while_it_is_in_use_is_served_no_more() {
    for how in ["changed", "deleted", "an older one", "of another key"] {
        let store = world().await;
        let provider = open(&store).await;
        let older = value(&store, "keys/key/pair").await;
        provider.rotate(&kid("pair")).await.unwrap();
        let key = place("keys/key/pair");
        match how {
            "deleted" => drop(store.delete(&key, Precondition::Any).await.unwrap()),
            "an older one" => put(&store, &key, &older).await,
            "changed" => put(&store, &key, b"\x85").await,
            _ => put(&store, &key, &value(&store, "keys/key/secret").await).await,
        }
        let name = kid("pair");
        let work = provider.work().unwrap();
        assert_integrity(provider.get_key(&name, None, Secrets::Omit).await, "keys/key/pair", how);
        assert_integrity(work.sign(&name, None, b"").await, "keys/key/pair", how);
        assert_integrity(provider.rotate(&name).await, "keys/key/pair", how);
        assert_integrity(provider.create_key(&spec(KeyAlg::Ed25519, "pair")).await, "keys/key/pair", how);
        assert_integrity(provider.destroy_key(&name, None).await, "keys/key/pair", how);
        assert!(!shown(&provider).await.contains("pair"), "{how}");
        let published = provider.jwks(&JwksQuery::ALL_LIVE).await.unwrap();
        assert!(published.keys.iter().all(|jwk| !jwk.kid.as_ref().unwrap().starts_with("pair")), "{how}");
        // Others go on.
        assert_eq!(kind(provider.get_key(&kid("secret"), None, Secrets::Include).await), None);
        provider.rotate(&kid("secret")).await.unwrap();
    }
}

/// What cannot be told by this crate, and is by the engine: see the documentation.
#[tokio::test]
async fn an_older_copy_that_lay_there_before_the_open_is_a_key_of_before() {
    let store = world().await;
    let older = value(&store, "keys/key/pair").await;
    open(&store).await.rotate(&kid("pair")).await.unwrap();
    put(&store, &place("keys/key/pair"), &older).await;
    assert!(!shown(&open(&store).await).await.contains("pair.3"));
}
