//! Values that hold secrets, and values that are made of them.

use swarmauri_keyprovider::{KeyProvider, KeyReference, Secrets};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_testkit::Answer;
use swarmauri_keys::{
    Jwk, JwkSet, KeyMaterial, KeyRef, KeySummary, Page, PageRequest, SecretMaterial, SpecOverrides,
};
use swarmauri_softkeys::KeyTable;

use crate::shown::Shown;
use crate::specimens::{Specimen, all_parts, specimens};

#[test]
fn promise_9_material_in_any_form_shows_no_secret() {
    for one in specimens() {
        let mut shown = Shown::default();
        shown.debug(&one.soft);
        shown.debug(&one.secret);
        shown.debug(&KeyMaterial::from(one.secret.clone()));
        shown.debug(&one.secret.to_jwk(&Specimen::id(), one.alg).unwrap());
        match &one.secret {
            SecretMaterial::Symmetric(bytes) => shown.debug(bytes),
            SecretMaterial::Private(key) => {
                shown.debug(key);
                shown.debug(&key.to_raw());
                shown.debug(&key.to_pkcs8_der());
                shown.debug(&key.to_pkcs8_pem());
                shown.debug(&key.to_jwk(&Specimen::id(), one.alg));
            }
        }
        shown.debug(one.soft.fingerprint());
        shown.display(one.soft.fingerprint());
        shown.serialised(one.soft.fingerprint());
        shown.assert_free_of(&one.parts);
    }
}

#[test]
fn promise_9_the_public_half_shows_no_secret() {
    for one in specimens() {
        let Some(public) = one.soft.public_key() else { continue };
        let jwk = Jwk::published(&Specimen::id(), one.alg, public.clone());
        let mut shown = Shown::default();
        shown.debug(public);
        shown.text(&public.to_spki_pem());
        shown.debug(&public.to_spki_der());
        shown.debug(&public.to_raw());
        shown.debug(&jwk);
        shown.serialised(&jwk);
        shown.debug(&swarmauri_cbor::cose::key_to_vec(&jwk).unwrap());
        let set = JwkSet { keys: vec![jwk] };
        shown.debug(&set);
        shown.serialised(&set);
        shown.debug(&swarmauri_cbor::cose::keyset_to_vec(&set).unwrap());
        shown.assert_free_of(&one.parts);
    }
}

async fn with_secrets() -> (LocalKeyProvider, Vec<KeyRef>) {
    let provider = LocalKeyProvider::new();
    let mut keys = Vec::new();
    for one in specimens() {
        let key = provider.import_key(&one.spec(), one.secret.clone().into()).await.unwrap();
        let key = provider.get_key(key.kid(), None, Secrets::Include).await.unwrap();
        assert!(key.secret().is_some());
        keys.push(key);
    }
    (provider, keys)
}

#[tokio::test]
async fn promise_9_references_that_hold_their_secret_show_everything_else() {
    let (provider, keys) = with_secrets().await;
    let mut shown = Shown::default();
    for key in &keys {
        shown.debug(key);
        shown.serialised(key);
        shown.debug(key.parts());
        shown.debug(&key.spec().unwrap());
        shown.serialised(&key.spec().unwrap());
        shown.debug(&KeySummary::from(key));
        shown.serialised(&KeySummary::from(key));
        shown.debug(&key.public_jwk());
        shown.error_of(key.public_jwk());
        shown.debug(&Answer::Key(key.clone()));
        shown.display(&KeyReference::new(key.kid().clone(), None));
    }
    let page: Page<KeySummary> = provider.list_keys(&PageRequest::default()).await.unwrap();
    shown.debug(&page);
    shown.serialised(&page);
    shown.debug(&SpecOverrides::NONE);
    shown.debug(&Answer::Bytes(provider.random_bytes(32).await.unwrap()));
    shown.assert_free_of(&all_parts());
}

#[tokio::test]
async fn promise_9_what_holds_many_keys_shows_none() {
    let table = KeyTable::new();
    for one in specimens() {
        table.create(&one.spec(), one.soft.clone()).unwrap();
    }
    let (provider, _) = with_secrets().await;
    let mut shown = Shown::default();
    shown.debug(&table);
    shown.debug(&table.jwks(None, true));
    shown.serialised(&*table.jwks(None, true));
    shown.debug(&provider);
    shown.assert_free_of(&all_parts());
}

#[tokio::test]
async fn promise_9_random_bytes_and_derived_keys_do_not_show() {
    let provider = LocalKeyProvider::new();
    let random = provider.random_bytes(64).await.unwrap();
    let derived = provider.hkdf(&random, b"salt", b"info", 64).await.unwrap();
    let mut shown = Shown::default();
    shown.debug(&random);
    shown.debug(&derived);
    shown.error(&provider.hkdf(&random, b"salt", b"info", 0).await.unwrap_err());
    shown.error(&provider.hkdf(&random, b"salt", b"info", usize::MAX).await.unwrap_err());
    shown.assert_free_of([&random, &derived]);
}
