//! What holds of every public and private key, however it came in.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use swarmauri_cbor::cose;
use swarmauri_keys::{
    Jwk, KeyAlg, KeyId, KeyMaterial, KeyType, KeyVersion, KeyVersionId, PrivateKey, PublicKey, SecretMaterial,
};
use swarmauri_softkeys::SoftKey;

use crate::check::survives_json;

/// Holds a public key to all its encodings: each is read back as the same key.
pub(crate) fn public_key(key: &PublicKey) {
    let der = key.to_spki_der();
    let pem = key.to_spki_pem();
    for read in [
        PublicKey::from_spki_der(&der),
        PublicKey::from_der(&der),
        PublicKey::from_spki_pem(&pem),
        PublicKey::from_pem(&pem),
    ] {
        assert_eq!(&read.expect("what was written can be read"), key);
    }
    for material in [KeyMaterial::from_der(&der), KeyMaterial::from_pem(&pem)] {
        assert!(matches!(material, Ok(KeyMaterial::Public(read)) if read == *key));
    }
    match key.to_raw() {
        Some(raw) => assert_eq!(&PublicKey::from_raw(key.key_type(), &raw).expect("it is raw"), key),
        None => assert_eq!(key.key_type(), KeyType::Rsa),
    }
    jwk_and_cose(key);
    for alg in algorithms(key.key_type()) {
        // It may be no point on its curve; whoever takes it over finds that.
        if let Ok(imported) = SoftKey::import(alg, KeyMaterial::Public(key.clone())) {
            assert_eq!(imported.public_key(), Some(key));
            assert_eq!(*imported.fingerprint(), key.thumbprint());
        }
    }
}

fn jwk_and_cose(key: &PublicKey) {
    let jwk = Jwk { key: key.clone(), kid: None, alg: None, use_: None, key_ops: None };
    let json = survives_json(&jwk);
    let members: Map<String, Value> = serde_json::from_slice(&json).expect("a JWK is an object");
    // RFC 7638 section 3, by another way: there are none but the required members.
    let canonical = swarmauri_jsoncanon::to_vec(&members).expect("texts have a canonical form");
    let hash = Base64UrlUnpadded::encode_string(&Sha256::digest(&canonical));
    assert_eq!(key.thumbprint().as_str(), hash, "the thumbprint is that of the JWK");
    let encoded = cose::key_to_vec(&jwk).expect("every public key has a COSE form");
    let read = cose::key_from_slice(&encoded).expect("what was written can be read");
    assert_eq!(read, jwk, "COSE and JWK agree");
}

/// Holds a private key to its encodings, and to what its import says of it.
pub(crate) fn private_key(key: &PrivateKey) {
    let der = key.to_pkcs8_der();
    let pem = key.to_pkcs8_pem();
    let text = std::str::from_utf8(pem.expose_secret()).expect("PEM is text");
    for read in [
        PrivateKey::from_pkcs8_der(der.expose_secret()),
        PrivateKey::from_der(der.expose_secret()),
        PrivateKey::from_pkcs8_pem(text),
        PrivateKey::from_pem(text),
    ] {
        let read = read.expect("what was written can be read");
        same_secret(&read, key);
        assert_eq!(read.to_pkcs8_der(), der, "PKCS#8 is stable");
    }
    if let Some(raw) = key.to_raw() {
        same_secret(&PrivateKey::from_raw(key.key_type(), raw.expose_secret()).expect("it is raw"), key);
        shows_nothing(key, raw.expose_secret());
    }
    if let Some(public) = key.public_key() {
        public_key(public);
    }
    for alg in algorithms(key.key_type()) {
        import(alg, key);
    }
}

/// What is shown of a key is shown of every other that has the same public half.
fn shows_nothing(key: &PrivateKey, raw: &[u8]) {
    let inverted: Vec<u8> = raw.iter().map(|byte| !byte).collect();
    let mut other = PrivateKey::from_raw(key.key_type(), &inverted).expect("it has the same length");
    if let Some(public) = key.public_key() {
        other = other.with_public_key(public.clone());
    }
    assert_eq!(format!("{key:?}"), format!("{other:?}"));
}

/// Whoever takes it over derives the public half, and what is exported is the same key.
fn import(alg: KeyAlg, key: &PrivateKey) {
    let Ok(imported) = SoftKey::import(alg, KeyMaterial::Private(key.clone())) else { return };
    let public = imported.public_key().expect("a pair has a public half");
    assert!(key.public_key().is_none_or(|claimed| claimed == public), "a false public half is refused");
    assert_eq!(*imported.fingerprint(), public.thumbprint());
    let Some(SecretMaterial::Private(exported)) = imported.secret() else { panic!("it has a secret") };
    same_secret(&exported, key);
    private_jwk(alg, &exported);
    let again = PrivateKey::from_pkcs8_der(exported.to_pkcs8_der().expose_secret()).expect("it was written");
    let again = SoftKey::import(alg, KeyMaterial::Private(again)).expect("it was imported before");
    assert_eq!(again.fingerprint(), imported.fingerprint());
}

/// Holds a private key with a public half to its JWK.
pub(crate) fn private_jwk(alg: KeyAlg, key: &PrivateKey) {
    let jwk = key.to_jwk(&any_id(), alg).expect("its public half is known");
    let Ok(KeyMaterial::Private(read)) = KeyMaterial::from_jwk(alg, jwk.expose_secret()) else {
        panic!("what was written can be read")
    };
    same_numbers(&read, key);
    assert_eq!(read.public_key(), key.public_key());
    let again = read.to_jwk(&any_id(), alg).expect("it was written before");
    assert_eq!(again, jwk, "a private JWK is stable");
    let canonical = swarmauri_jsoncanon::canonicalize(jwk.expose_secret()).expect("a JWK is JSON");
    assert!(canonical == jwk.expose_secret(), "a private JWK is in canonical form");
    assert!(serde_json::from_slice::<Jwk>(jwk.expose_secret()).is_err(), "it is no public JWK");
}

/// As [`same_secret`]; but the form of a JWK's RSA numbers is written anew.
fn same_numbers(one: &PrivateKey, other: &PrivateKey) {
    assert_eq!(one.key_type(), other.key_type());
    if one.key_type() != KeyType::Rsa {
        same_secret(one, other);
    }
}

pub(crate) fn same_secret(one: &PrivateKey, other: &PrivateKey) {
    assert_eq!(one.key_type(), other.key_type());
    assert!(one.expose_secret() == other.expose_secret(), "it is another secret");
}

/// Every algorithm that works with keys of a type.
pub(crate) fn algorithms(key_type: KeyType) -> impl Iterator<Item = KeyAlg> {
    KeyAlg::ALL.iter().copied().filter(move |alg| alg.key_type() == key_type)
}

pub(crate) fn any_id() -> KeyVersionId {
    KeyId::new("any").expect("it is a kid").at(KeyVersion::FIRST)
}
