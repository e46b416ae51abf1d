//! The form of sealed stores, written down a second time: it makes records that the provider has to open or to refuse.
//!
//! The keys and nonces are constants, so that equal records are equal bytes. Nobody else may do so.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use serde::Deserialize;
use serde_json::json;
use swarmauri_cbor::{Value, from_slice, to_vec, value_from_slice, value_to_vec};
use swarmauri_keys::{Fingerprint, KeyAlg, KeySpec, KeyVersion, SecretBytes};
use swarmauri_softkeys::hkdf_sha256;

/// What the store is sealed with.
pub const SEALING_KEY: [u8; 32] = [7; 32];
/// The `kid` whose record it is about.
pub const KID: &str = "k";
/// Where its record lies.
pub const PLACE: &str = "keys/key/k";
/// Where the header lies.
pub const HEADER_PLACE: &str = "keys/header";

const ROOT: [u8; 32] = [9; 32];
const SALT: [u8; 32] = [3; 32];
const NONCE: [u8; 12] = [5; 12];
const INFO: &[u8] = b"swarmauri-keyprovider-stored record 1: ";

/// The header of the store.
pub fn header() -> Vec<u8> {
    let how = Value::Array(vec![Value::from("key")]);
    let aad = form(&[Value::from(HEADER_PLACE), how.clone()]);
    let mut items = vec![how, bytes(&NONCE), Value::Bytes(seal(&SEALING_KEY, &aad, &ROOT))];
    let sum = digest(&SHA256, &form(&items)).as_ref().to_vec();
    items.push(Value::Bytes(sum));
    form(&items)
}

/// The record that seals this text, as the one of this number.
pub fn record(sequence: u64, text: &[u8]) -> Vec<u8> {
    let sealed = seal(&record_key(&SALT), &record_aad(sequence), text);
    form(&[Value::from(sequence), bytes(&SALT), bytes(&NONCE), Value::Bytes(sealed)])
}

/// The number of a record, and the text that it seals; `None` if it is no record of this store.
pub fn opened(record: &[u8]) -> Option<(u64, Vec<u8>)> {
    let items = value_from_slice(record).ok()?.into_array().ok()?;
    let [_, sequence, salt, nonce, text]: [Value; 5] = items.try_into().ok()?;
    let sequence = sequence.as_integer()?.try_into().ok()?;
    let key = record_key(&salt.into_bytes().ok()?);
    let nonce = Nonce::try_assume_unique_for_key(&nonce.into_bytes().ok()?).ok()?;
    let mut text = text.into_bytes().ok()?;
    let aad = record_aad(sequence);
    let len = cipher(&key).open_in_place(nonce, Aad::from(aad), &mut text).ok()?.len();
    text.truncate(len);
    Some((sequence, text))
}

/// What the record of a symmetric key seals, of number one.
pub fn sample() -> Vec<u8> {
    let secret = SecretBytes::from(vec![0x42; 32]);
    let version = json!({
        "version": 1,
        "spec": KeySpec::new(KeyAlg::Aes256Gcm),
        "state": "enabled",
        "fingerprint": Fingerprint::of_symmetric(KeyAlg::Aes256Gcm, &secret),
        "encryptions": 0,
        "form": "octets",
        "len": secret.len(),
    });
    let body = json!({ "format": 1, "kid": KID, "sequence": 1, "last": 1, "versions": [version] });
    text(&to_vec(&body).expect("it has an encoding"), secret.expose_secret())
}

/// What a record seals: how long its body is, the body, and the material of all versions.
pub fn text(body: &[u8], material: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).expect("it is short");
    [&len.to_be_bytes()[..], body, material].concat()
}

/// The versions that a text says are in it, and their fingerprints.
pub fn fingerprints(text: &[u8]) -> Vec<(KeyVersion, String)> {
    #[derive(Deserialize)]
    struct Body {
        versions: Vec<Version>,
    }
    #[derive(Deserialize)]
    struct Version {
        version: KeyVersion,
        fingerprint: String,
    }
    let (len, rest) = text.split_first_chunk().expect("it was opened");
    let len = usize::try_from(u32::from_be_bytes(*len)).expect("it was opened");
    let body: Body = from_slice(&rest[..len]).expect("it was opened");
    body.versions.into_iter().map(|one| (one.version, one.fingerprint)).collect()
}

fn record_key(salt: &[u8]) -> Vec<u8> {
    let info = [INFO, PLACE.as_bytes()].concat();
    let key = hkdf_sha256(&ROOT[..].into(), salt, &info, 32).expect("it is short");
    key.expose_secret().to_vec()
}

fn record_aad(sequence: u64) -> Vec<u8> {
    form(&[Value::from(PLACE), Value::from(sequence)])
}

fn form(items: &[Value]) -> Vec<u8> {
    let items = [&[Value::from(1)], items].concat();
    value_to_vec(&Value::Array(items)).expect("it has an encoding")
}

fn bytes(of: &[u8]) -> Value {
    Value::Bytes(of.to_vec())
}

fn seal(key: &[u8], aad: &[u8], text: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    let nonce = Nonce::assume_unique_for_key(NONCE);
    cipher(key).seal_in_place_append_tag(nonce, Aad::from(aad), &mut text).expect("it is short");
    text
}

fn cipher(key: &[u8]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("it has 32 bytes"))
}
