//! Keys to test with, and the encodings that the crates under test do not write.

use swarmauri_keys::{
    Acceptance, KeyAlg, KeyErrorKind, KeyId, KeyMaterial, KeyOperation, KeySpec, KeyVersion, PrivateKey,
    PublicKey, SecretMaterial,
};
use swarmauri_softkeys::{KeyTable, SoftKey, UsableKey, imports};

pub(crate) const RSA_2048: &str = include_str!("../data/rsa2048.pem");
pub(crate) const RSA_2048_OTHER: &str = include_str!("../data/rsa2048-other.pem");

pub(crate) const PAIRS: [KeyAlg; 5] =
    [KeyAlg::Ed25519, KeyAlg::X25519, KeyAlg::EcdsaP256Sha256, KeyAlg::RsaOaepSha256, KeyAlg::RsaPssSha256];

/// The key pairs that can be had with the features that are on: of each algorithm two that differ.
pub(crate) fn pairs() -> Vec<[SoftKey; 2]> {
    PAIRS
        .into_iter()
        .filter(|alg| imports(*alg))
        .map(|alg| [pair(alg, RSA_2048), pair(alg, RSA_2048_OTHER)])
        .collect()
}

fn pair(alg: KeyAlg, rsa: &str) -> SoftKey {
    match alg {
        KeyAlg::RsaOaepSha256 | KeyAlg::RsaPssSha256 => {
            SoftKey::import(alg, KeyMaterial::from_pem(rsa).unwrap()).unwrap()
        }
        _ => SoftKey::generate(alg, None).unwrap(),
    }
}

/// The key at work, as a table of its own gives it out for this.
pub(crate) fn usable(key: SoftKey, operation: KeyOperation) -> UsableKey {
    let table = KeyTable::new();
    let made = table.create(&KeySpec::new(key.alg()), key).unwrap();
    table.usable(made.kid(), None, operation, Acceptance::EnabledOnly).unwrap()
}

pub(crate) fn private(key: &SoftKey) -> PrivateKey {
    match key.secret() {
        Some(SecretMaterial::Private(key)) => key,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn jwk(key: &SoftKey) -> serde_json::Map<String, serde_json::Value> {
    let id = KeyId::new("k").unwrap().at(KeyVersion::FIRST);
    let jwk = key.secret().unwrap().to_jwk(&id, key.alg()).unwrap();
    serde_json::from_slice(jwk.expose_secret()).unwrap()
}

pub(crate) fn from_jwk(
    alg: KeyAlg,
    jwk: &serde_json::Map<String, serde_json::Value>,
) -> Result<KeyMaterial, swarmauri_keys::KeyError> {
    KeyMaterial::from_jwk(alg, &serde_json::to_vec(jwk).unwrap())
}

/// PKCS#8 version 2 (RFC 5958 section 2): version 1 with a public half appended.
pub(crate) fn pkcs8_v2(v1: &[u8], public: &PublicKey) -> Vec<u8> {
    let spki = public.to_spki_der();
    // The BIT STRING is the second and last element of SubjectPublicKeyInfo.
    let (_, rest) = element(&spki);
    let (_, bits) = split(rest);
    let (_, fields) = element(v1);
    let (version, rest) = split(fields);
    assert_eq!(version, [2, 1, 0]);
    tlv(0x30, &[&[2, 1, 1], rest, &tlv(0x81, &[element(bits).1])])
}

/// ECPrivateKey (RFC 5915 section 3) with its curve and this public half.
pub(crate) fn sec1(key: &PrivateKey, public: &PublicKey) -> Vec<u8> {
    let curve = tlv(0xa0, &[&[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]]);
    let bits = tlv(3, &[&[0], &public.to_raw().unwrap()]);
    tlv(0x30, &[&[2, 1, 1], &tlv(4, &[key.expose_secret()]), &curve, &tlv(0xa1, &[&bits])])
}

/// The reason of an [`KeyErrorKind::InvalidInput`].
pub(crate) fn refusal(alg: KeyAlg, material: Result<KeyMaterial, swarmauri_keys::KeyError>) -> String {
    let error = material.and_then(|material| SoftKey::import(alg, material)).expect_err("must be refused");
    assert_eq!(error.kind(), KeyErrorKind::InvalidInput, "{error}");
    error.to_string()
}

/// Tag and content of the element at the front.
fn element(der: &[u8]) -> (u8, &[u8]) {
    let (header, len) = match der[1] {
        short @ 0..=0x7f => (2, usize::from(short)),
        0x81 => (3, usize::from(der[2])),
        _ => (4, usize::from(der[2]) << 8 | usize::from(der[3])),
    };
    (der[0], &der[header..header + len])
}

/// The element at the front as a whole, and what follows it.
fn split(der: &[u8]) -> (&[u8], &[u8]) {
    let content = element(der).1;
    let end = content.as_ptr() as usize - der.as_ptr() as usize + content.len();
    der.split_at(end)
}

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let len = u16::try_from(content.len()).unwrap().to_be_bytes();
    let header = match len {
        [0, short @ 0..0x80] => vec![tag, short],
        [0, long] => vec![tag, 0x81, long],
        [high, low] => vec![tag, 0x82, high, low],
    };
    [header, content].concat()
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}
