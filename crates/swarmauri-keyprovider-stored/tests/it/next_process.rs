//! What outlives the process: everything.

use std::sync::Arc;

use swarmauri_keyprovider::{JwksQuery, KeyOperations, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_stored::StoredKeyProvider;
use swarmauri_keys::{
    Acceptance, Ciphertext, ExportPolicy, KeyAlg, KeyErrorKind, KeyId, KeyMaterial, KeyRef, KeySpec,
    KeyState, SecretMaterial, Signature, SpecOverrides, VerifyWith,
};
use swarmauri_keystore::MemoryStore;

use crate::{kid, kind, open, shown, spec, version};

async fn read(provider: &StoredKeyProvider, kid: &KeyId, secrets: Secrets) -> KeyRef {
    provider.get_key(kid, None, secrets).await.unwrap()
}

fn secret_of(key: &KeyRef) -> Vec<u8> {
    match key.secret().unwrap() {
        SecretMaterial::Symmetric(bytes) => bytes.expose_secret().to_vec(),
        SecretMaterial::Private(private) => private.expose_secret().to_vec(),
    }
}

fn algs(provider: &StoredKeyProvider) -> Vec<KeyAlg> {
    provider.supports().create.into_iter().collect()
}

#[tokio::test]
async fn keys_of_every_algorithm_are_as_they_were() {
    let store = MemoryStore::new();
    let provider = open(&store).await;
    let mut before = Vec::new();
    for alg in algs(&provider) {
        let key = provider.create_key(&spec(alg, alg.as_str())).await.unwrap();
        before.push(read(&provider, key.kid(), Secrets::Include).await);
    }
    let jwks = provider.jwks(&JwksQuery::ALL_LIVE).await.unwrap();
    drop(provider);
    let provider = open(&store).await;
    for key in before {
        let same = read(&provider, key.kid(), Secrets::Include).await;
        assert_eq!(same.parts(), key.parts());
        assert_eq!(secret_of(&same), secret_of(&key), "{}", key.alg());
    }
    assert_eq!(provider.jwks(&JwksQuery::ALL_LIVE).await.unwrap(), jwks);
}

enum Made {
    Signature(Signature),
    Mac(Signature),
    Ciphertext(Ciphertext),
    None,
}

async fn work_with(work: &dyn KeyOperations, alg: KeyAlg, kid: &KeyId) -> Made {
    match alg {
        KeyAlg::Ed25519 | KeyAlg::EcdsaP256Sha256 | KeyAlg::RsaPssSha256 => {
            Made::Signature(work.sign(kid, None, b"message").await.unwrap())
        }
        KeyAlg::HmacSha256 => Made::Mac(work.mac(kid, None, b"message").await.unwrap()),
        KeyAlg::Aes256Gcm | KeyAlg::RsaOaepSha256 => {
            Made::Ciphertext(work.encrypt(kid, None, b"message", b"aad").await.unwrap())
        }
        KeyAlg::X25519 => Made::None,
    }
}

#[tokio::test]
async fn what_an_earlier_process_made_is_opened_and_verified() {
    let store = MemoryStore::new();
    let provider = open(&store).await;
    let mut made = Vec::new();
    for alg in algs(&provider) {
        let name = kid(alg.as_str());
        provider.create_key(&KeySpec::new(alg).with_kid(name.clone())).await.unwrap();
        made.push((name.clone(), work_with(provider.operations().unwrap(), alg, &name).await));
    }
    drop(provider);
    let provider = open(&store).await;
    let work = provider.operations().unwrap();
    for (name, made) in made {
        let acceptance = Acceptance::EnabledOnly;
        match made {
            Made::Signature(signature) => {
                let with = VerifyWith::AnyLive;
                work.verify(&name, with, b"message", &signature.bytes, acceptance).await.unwrap();
            }
            Made::Mac(mac) => {
                let with = VerifyWith::AnyLive;
                work.verify_mac(&name, with, b"message", &mac.bytes, acceptance).await.unwrap();
            }
            Made::Ciphertext(sealed) => {
                let text = work.decrypt(&sealed, b"aad", acceptance).await.unwrap();
                assert_eq!(text.expose_secret(), b"message");
            }
            Made::None => {}
        }
    }
}

#[tokio::test]
async fn versions_states_and_policies_are_as_they_were() {
    let store = MemoryStore::new();
    let provider = open(&store).await;
    let name = kid("k");
    provider.create_key(&spec(KeyAlg::Ed25519, "k")).await.unwrap();
    let to = SpecOverrides {
        alg: Some(KeyAlg::HmacSha256),
        label: Some("another".to_owned()),
        export_policy: Some(ExportPolicy::None),
        ..SpecOverrides::NONE
    };
    provider.rotate_key(&name, &to).await.unwrap();
    provider.rotate(&name).await.unwrap();
    provider.disable_key(&name, version(1)).await.unwrap();
    provider.destroy_key(&name, Some(version(3))).await.unwrap();
    let before = shown(&provider).await;
    assert_eq!(before, "k.1 disabled, k.2 enabled");
    let latest = read(&provider, &name, Secrets::Omit).await;
    drop(provider);
    let provider = open(&store).await;
    assert_eq!(shown(&provider).await, before);
    assert_eq!(read(&provider, &name, Secrets::Omit).await.parts(), latest.parts());
    let denied = provider.get_key(&name, None, Secrets::Include).await;
    assert_eq!(kind(denied), Some(KeyErrorKind::PermissionDenied));
    let first = provider.get_key(&name, Some(version(1)), Secrets::Include).await;
    assert_eq!(kind(first), Some(KeyErrorKind::Disabled));
    // The number of the destroyed one is not used again.
    assert_eq!(provider.rotate(&name).await.unwrap().version(), version(4));
    provider.enable_key(&name, version(1)).await.unwrap();
    let provider = open(&store).await;
    let first = provider.get_key(&name, Some(version(1)), Secrets::Omit).await.unwrap();
    assert_eq!(first.state(), KeyState::Enabled);
}

#[tokio::test]
async fn a_public_key_alone_stays_one() {
    let store = MemoryStore::new();
    let provider = open(&store).await;
    let pair = provider.create(KeyAlg::EcdsaP256Sha256).await.unwrap();
    let material = KeyMaterial::Public(pair.public_key().unwrap().clone());
    let public = provider.import_key(&spec(KeyAlg::EcdsaP256Sha256, "p"), material).await.unwrap();
    drop(provider);
    let provider = open(&store).await;
    assert_eq!(read(&provider, public.kid(), Secrets::Omit).await.parts(), public.parts());
    let secret = provider.get_key(public.kid(), None, Secrets::Include).await;
    assert_eq!(kind(secret), Some(KeyErrorKind::InvalidState));
    assert_eq!(kind(provider.rotate(public.kid()).await), Some(KeyErrorKind::InvalidState));
}

#[tokio::test]
async fn the_kid_of_a_destroyed_key_is_not_used_again() {
    let store = MemoryStore::new();
    let provider = open(&store).await;
    provider.create_key(&spec(KeyAlg::Ed25519, "whole")).await.unwrap();
    provider.create_key(&spec(KeyAlg::Ed25519, "by version")).await.unwrap();
    assert!(provider.destroy_key(&kid("whole"), None).await.unwrap());
    assert!(provider.destroy_key(&kid("by version"), Some(version(1))).await.unwrap());
    drop(provider);
    let provider = Arc::new(open(&store).await);
    for name in ["whole", "by version"] {
        let again = provider.create_key(&spec(KeyAlg::Ed25519, name)).await;
        assert_eq!(kind(again), Some(KeyErrorKind::Conflict), "{name}");
        let gone = provider.get_key(&kid(name), None, Secrets::Omit).await;
        assert_eq!(kind(gone), Some(KeyErrorKind::NotFound), "{name}");
        assert!(!provider.destroy_key(&kid(name), None).await.unwrap());
    }
    assert_eq!(shown(&*provider).await, "");
}

#[tokio::test]
async fn awkward_kids_are_only_names() {
    let store = MemoryStore::new();
    let provider = open(&store).await;
    let longest = "é".repeat(128);
    let names = ["a/b", "..", "keys/header", "header", "clé", "a.1", &longest];
    for name in names {
        provider.create_key(&spec(KeyAlg::HmacSha256, name)).await.unwrap();
    }
    let before = shown(&provider).await;
    assert_eq!(before.split(", ").count(), names.len());
    assert_eq!(shown(&open(&store).await).await, before);
}

/// More records than one page of a scan holds.
#[tokio::test]
async fn many_keys_come_back() {
    let store = MemoryStore::new();
    let provider = open(&store).await;
    for number in 0..1100 {
        provider.create_key(&spec(KeyAlg::HmacSha256, &format!("k{number}"))).await.unwrap();
    }
    assert_eq!(open(&store).await.list_all_keys().await.unwrap().len(), 1100);
}
