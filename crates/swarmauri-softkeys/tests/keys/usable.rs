//! Which keys a table gives out to work with, and what becomes of those it gave out.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;

use swarmauri_keys::{
    Acceptance, KeyAlg, KeyErrorKind, KeyId, KeyMaterial, KeyOperation, KeyRef, KeySpec, KeyState, KeyUse,
    KeyVersion, SpecOverrides, VerifyWith,
};
use swarmauri_softkeys::{KeyTable, MAX_ENCRYPTIONS, SoftKey, UsableKey, operates};

use crate::support::{RSA_2048, hex};

const ENABLED: Acceptance = Acceptance::EnabledOnly;
const DISABLED_TOO: Acceptance = Acceptance::AllowDisabled;

fn create(table: &KeyTable, alg: KeyAlg) -> KeyRef {
    table.create(&KeySpec::new(alg), SoftKey::generate(alg, None).unwrap()).unwrap()
}

fn rotate(table: &KeyTable, kid: &KeyId) -> KeyVersion {
    let spec = table.rotation_spec(kid, &SpecOverrides::NONE).unwrap();
    let key = SoftKey::generate(spec.alg(), None).unwrap();
    table.add_version(kid, &spec, key).unwrap().version()
}

fn encryptor(table: &KeyTable, kid: &KeyId) -> UsableKey {
    table.usable(kid, None, KeyOperation::Encrypt, ENABLED).unwrap()
}

fn numbers(keys: &[UsableKey]) -> Vec<u32> {
    keys.iter().map(|key| key.id().version.get()).collect()
}

#[test]
fn a_key_that_was_given_out_outlives_its_destruction() {
    let table = KeyTable::new();
    let made = create(&table, KeyAlg::Ed25519);
    let held = table.usable(made.kid(), None, KeyOperation::Sign, ENABLED).unwrap();
    assert!(table.destroy(made.kid(), None));
    let signature = held.sign(b"message").unwrap();
    held.verify(b"message", &signature.bytes).unwrap();
    for version in [None, Some(KeyVersion::FIRST)] {
        let error = table.usable(made.kid(), version, KeyOperation::Sign, ENABLED).unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::NotFound);
    }
    for with in [VerifyWith::AnyLive, VerifyWith::Version(KeyVersion::FIRST)] {
        let found = table.usable_for_verifying(made.kid(), with, KeyOperation::Verify, DISABLED_TOO);
        assert_eq!(found.unwrap_err().kind(), KeyErrorKind::NotFound);
    }
}

/// Also not after its first use, when it holds the form of the secret that it computes with.
#[test]
fn debug_of_a_key_at_work_shows_no_secret() {
    let table = KeyTable::new();
    let seed = hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    let hmac = KeyMaterial::Symmetric(seed.clone().into());
    let made =
        table.create(&KeySpec::new(KeyAlg::HmacSha256), SoftKey::import(KeyAlg::HmacSha256, hmac).unwrap());
    let key = table.usable(made.unwrap().kid(), None, KeyOperation::Mac, ENABLED).unwrap();
    key.mac(b"message").unwrap();
    let shown = format!("{key:?} {key:#?}");
    assert!(shown.contains("redacted") && shown.contains("UsableKey"), "{shown}");
    for part in ["9d61b1", "9D61B1", "157, 97, 177", "nWGx"] {
        assert!(!shown.contains(part), "{part}");
    }

    let rsa = SoftKey::import(KeyAlg::RsaPssSha256, KeyMaterial::from_pem(RSA_2048).unwrap()).unwrap();
    let jwk = crate::support::jwk(&rsa);
    let made = table.create(&KeySpec::new(KeyAlg::RsaPssSha256), rsa).unwrap();
    let key = table.usable(made.kid(), None, KeyOperation::Sign, ENABLED).unwrap();
    key.sign(b"message").unwrap();
    let shown = format!("{key:?}");
    for name in ["d", "p", "q", "dp", "dq", "qi"] {
        assert!(!shown.contains(jwk[name].as_str().unwrap()), "{name}");
    }
}

#[test]
fn a_version_encrypts_so_often_and_its_successor_again() {
    let table = KeyTable::with_max_encryptions(3).unwrap();
    let made = create(&table, KeyAlg::Aes256Gcm);
    // All that are given out count together, and a wrap is an encryption.
    let (one, other) = (encryptor(&table, made.kid()), encryptor(&table, made.kid()));
    let sealed = one.encrypt(b"text", b"").unwrap();
    other.wrap_key(&vec![7; 32].into()).unwrap();
    one.encrypt(b"text", b"").unwrap();
    for refused in [one.encrypt(b"", b""), other.encrypt(b"", b""), other.wrap_key(&vec![7; 32].into())] {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::InvalidState);
        assert!(error.to_string().contains("rotate the key"), "{error}");
    }
    assert_eq!(one.decrypt(&sealed, b"").unwrap().expose_secret(), b"text", "reading has no bound");

    rotate(&table, made.kid());
    let second = encryptor(&table, made.kid());
    (0..3).for_each(|_| assert_eq!(second.encrypt(b"", b"").unwrap().version.get(), 2));
    assert_eq!(second.encrypt(b"", b"").unwrap_err().kind(), KeyErrorKind::InvalidState);
}

/// Neither does taking it out of use and into use again start the count anew.
#[test]
fn the_count_stays_with_the_version() {
    let table = KeyTable::with_max_encryptions(1).unwrap();
    let made = create(&table, KeyAlg::Aes256Gcm);
    encryptor(&table, made.kid()).encrypt(b"", b"").unwrap();
    for state in [KeyState::Disabled, KeyState::Enabled] {
        table.set_state(made.kid(), made.version(), state).unwrap();
    }
    let error = encryptor(&table, made.kid()).encrypt(b"", b"").unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::InvalidState);
}

#[test]
fn encryptions_at_once_never_pass_the_bound_together() {
    const BOUND: usize = 100;
    let table = KeyTable::with_max_encryptions(BOUND as u64).unwrap();
    let made = create(&table, KeyAlg::Aes256Gcm);
    let work = || {
        let key = encryptor(&table, made.kid());
        (0..BOUND).filter_map(|_| key.encrypt(b"text", b"").ok()).map(|one| one.nonce).collect::<Vec<_>>()
    };
    let nonces = thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(nonces.len(), BOUND);
    assert_eq!(nonces.iter().collect::<BTreeSet<_>>().len(), BOUND);
}

#[test]
fn rsa_has_no_nonces_to_count() {
    if !operates(KeyOperation::Encrypt, KeyAlg::RsaOaepSha256) {
        return;
    }
    let table = KeyTable::with_max_encryptions(1).unwrap();
    let rsa = SoftKey::import(KeyAlg::RsaOaepSha256, KeyMaterial::from_pem(RSA_2048).unwrap()).unwrap();
    let made = table.create(&KeySpec::new(KeyAlg::RsaOaepSha256), rsa).unwrap();
    let key = encryptor(&table, made.kid());
    let sealed: BTreeSet<_> = (0..3).map(|_| key.encrypt(b"text", b"").unwrap().ciphertext).collect();
    assert_eq!(sealed.len(), 3, "each is another, for OAEP draws a seed");
}

#[test]
fn the_bound_has_bounds() {
    for most in [1, MAX_ENCRYPTIONS] {
        KeyTable::with_max_encryptions(most).unwrap();
    }
    for most in [0, MAX_ENCRYPTIONS + 1, u64::MAX] {
        let error = KeyTable::with_max_encryptions(most).unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::InvalidInput);
        assert!(error.to_string().contains(&format!("not {most}")), "{error}");
    }
}

#[test]
fn a_disabled_version_makes_nothing_and_reads_when_told_so() {
    let table = KeyTable::new();
    let made = create(&table, KeyAlg::Aes256Gcm);
    let sealed = encryptor(&table, made.kid()).encrypt(b"text", b"").unwrap();
    table.set_state(made.kid(), made.version(), KeyState::Disabled).unwrap();
    for operation in [KeyOperation::Encrypt, KeyOperation::WrapKey] {
        for acceptance in [ENABLED, DISABLED_TOO] {
            let error = table.usable(made.kid(), None, operation, acceptance).unwrap_err();
            assert_eq!(error.kind(), KeyErrorKind::Disabled, "{operation}");
        }
    }
    for operation in [KeyOperation::Decrypt, KeyOperation::UnwrapKey] {
        let error = table.usable(made.kid(), None, operation, ENABLED).unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::Disabled, "{operation}");
        let key = table.usable(made.kid(), None, operation, DISABLED_TOO).unwrap();
        assert_eq!(key.decrypt(&sealed, b"").unwrap().expose_secret(), b"text");
    }
    table.set_state(made.kid(), made.version(), KeyState::Enabled).unwrap();
    encryptor(&table, made.kid()).encrypt(b"text", b"").unwrap();
}

#[test]
fn of_any_live_versions_the_disabled_are_left_out() {
    let table = KeyTable::new();
    let made = create(&table, KeyAlg::Ed25519);
    for _ in 0..2 {
        rotate(&table, made.kid());
    }
    let any = |acceptance| {
        table.usable_for_verifying(made.kid(), VerifyWith::AnyLive, KeyOperation::Verify, acceptance)
    };
    let disable = |number| {
        table.set_state(made.kid(), KeyVersion::new(number).unwrap(), KeyState::Disabled).unwrap();
    };
    assert_eq!(numbers(&any(ENABLED).unwrap()), [3, 2, 1]);
    disable(2);
    assert_eq!(numbers(&any(ENABLED).unwrap()), [3, 1]);
    assert_eq!(numbers(&any(DISABLED_TOO).unwrap()), [3, 2, 1]);
    disable(1);
    disable(3);
    let error = any(ENABLED).unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Disabled);
    assert!(error.to_string().contains("version 3"), "the error is that of the latest: {error}");
}

#[test]
fn a_key_is_given_out_for_its_uses_alone() {
    let table = KeyTable::new();
    let spec = KeySpec::builder(KeyAlg::Ed25519).uses([KeyUse::Verify]).build().unwrap();
    let made = table.create(&spec, SoftKey::generate(KeyAlg::Ed25519, None).unwrap()).unwrap();
    let error = table.usable(made.kid(), None, KeyOperation::Sign, ENABLED).unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::PermissionDenied);
    assert!(error.to_string().contains("for sign") && error.to_string().contains("verify only"), "{error}");
    // It is for signing, and has another operation for that.
    let hmac = create(&table, KeyAlg::HmacSha256);
    let error = table.usable(hmac.kid(), None, KeyOperation::Sign, ENABLED).unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::InvalidInput);
}

#[test]
fn a_public_key_alone_does_public_work() {
    let table = KeyTable::new();
    let pair = SoftKey::generate(KeyAlg::EcdsaP256Sha256, None).unwrap();
    let public = KeyMaterial::Public(pair.public_key().unwrap().clone());
    let public = SoftKey::import(KeyAlg::EcdsaP256Sha256, public).unwrap();
    let spec = KeySpec::new(KeyAlg::EcdsaP256Sha256);
    let [pair, public] = [pair, public].map(|key| table.create(&spec, key).unwrap());
    let signer = table.usable(pair.kid(), None, KeyOperation::Sign, ENABLED).unwrap();
    let verifier = table.usable(public.kid(), None, KeyOperation::Verify, ENABLED).unwrap();
    verifier.verify(b"message", &signer.sign(b"message").unwrap().bytes).unwrap();
    let error = table.usable(public.kid(), None, KeyOperation::Sign, ENABLED).unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::InvalidState);
    assert!(error.to_string().contains("public key alone"), "{error}");
}

#[test]
fn a_state_is_set_on_what_is_there_and_a_destruction_is_none() {
    let table = KeyTable::new();
    let made = create(&table, KeyAlg::Ed25519);
    let set = |version, state| table.set_state(made.kid(), version, state);
    let two = KeyVersion::new(2).unwrap();
    assert_eq!(set(two, KeyState::Disabled).unwrap_err().kind(), KeyErrorKind::NotFound);
    let error = set(made.version(), KeyState::Destroyed).unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::InvalidInput);
    assert_eq!(table.get(made.kid(), None, false).unwrap().state(), KeyState::Enabled);
    set(made.version(), KeyState::Disabled).unwrap();
    let read = table.get(made.kid(), None, false).unwrap();
    assert_eq!((read.state(), read.fingerprint()), (KeyState::Disabled, made.fingerprint()));
    // What is disabled can be followed by another version, and destroyed.
    rotate(&table, made.kid());
    assert_eq!(table.get(made.kid(), None, false).unwrap().state(), KeyState::Enabled);
    assert!(table.destroy(made.kid(), Some(made.version())));
    assert_eq!(set(made.version(), KeyState::Enabled).unwrap_err().kind(), KeyErrorKind::NotFound);
}

/// The document is the same one until something changes; a state that is set to what it was is no change.
#[test]
fn the_jwks_follows_the_states() {
    let table = KeyTable::new();
    let made = create(&table, KeyAlg::Ed25519);
    rotate(&table, made.kid());
    let two = KeyVersion::new(2).unwrap();
    let before = [false, true].map(|all_live| table.jwks(None, all_live));
    table.set_state(made.kid(), two, KeyState::Enabled).unwrap();
    for (all_live, before) in [false, true].into_iter().zip(&before) {
        assert!(Arc::ptr_eq(before, &table.jwks(None, all_live)));
    }
    table.set_state(made.kid(), two, KeyState::Disabled).unwrap();
    assert!(table.jwks(None, false).keys.is_empty(), "no older version stands in for the latest");
    assert_eq!(table.jwks(None, true).keys, before[1].keys[..1]);
    let disabled = table.jwks(None, true);
    table.set_state(made.kid(), two, KeyState::Disabled).unwrap();
    assert!(Arc::ptr_eq(&disabled, &table.jwks(None, true)));
    table.set_state(made.kid(), two, KeyState::Enabled).unwrap();
    assert_eq!([false, true].map(|all_live| table.jwks(None, all_live)), before);
}
