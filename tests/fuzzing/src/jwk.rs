//! One JSON Web Key, public, private or symmetric.

use serde_json::Value;
use swarmauri_cbor::cose;
use swarmauri_keys::{Jwk, KeyAlg, KeyMaterial, PublicKey, SecretMaterial};
use swarmauri_softkeys::SoftKey;

use crate::check::{quotes_little, refuses, survives_json};
use crate::keys;

/// The public parser takes no secret, the one for material says the same of public keys, and what is read is written in
/// canonical form and read back.
pub fn run(input: &[u8]) {
    let public = serde_json::from_slice::<Jwk>(input);
    match &public {
        Ok(jwk) => {
            public_jwk(jwk);
            refuses(serde_json::from_slice::<Jwk>(&[input, b"}"].concat()), "text after the JWK");
            if let Ok(value) = serde_json::from_slice::<Value>(input) {
                assert_eq!(serde_json::from_value::<Jwk>(value).ok().as_ref(), Some(jwk));
            }
        }
        Err(error) => quotes_little(error, input),
    }
    for alg in KeyAlg::ALL {
        material(*alg, input, public.as_ref().ok());
    }
}

/// What holds of every public JWK, also in a set.
pub(crate) fn public_jwk(jwk: &Jwk) {
    keys::public_key(&jwk.key);
    let written = survives_json(jwk);
    assert_eq!(swarmauri_jsoncanon::canonicalize(&written).expect("it is JSON"), written, "it is canonical");
    if let Some(id) = jwk.version_id() {
        assert_eq!(jwk.kid.as_deref(), Some(id.to_string().as_str()));
    }
    // COSE knows fewer algorithms, and no empty list of operations.
    match cose::key_to_vec(jwk) {
        Ok(encoded) => {
            let read = cose::key_from_slice(&encoded).expect("what was written can be read");
            assert_eq!(read, Jwk { use_: None, ..jwk.clone() }, "COSE and JWK agree");
        }
        Err(error) => quotes_little(&error, &written),
    }
}

fn material(alg: KeyAlg, input: &[u8], public: Option<&Jwk>) {
    let material = match KeyMaterial::from_jwk(alg, input) {
        Ok(material) => material,
        Err(error) => return quotes_little(&error, input),
    };
    assert_eq!(material.key_type(), alg.key_type());
    refuses(KeyMaterial::from_jwk(alg, &[input, b"}"].concat()), "text after the JWK");
    match material {
        KeyMaterial::Public(key) => same_public(&key, public),
        KeyMaterial::Private(key) => {
            assert!(public.is_none(), "the public parser takes no private key");
            keys::private_jwk(alg, &key);
            keys::private_key(&key);
        }
        KeyMaterial::Symmetric(secret) => {
            assert!(public.is_none(), "the public parser takes no symmetric key");
            let written = SecretMaterial::Symmetric(secret.clone());
            let written = written.to_jwk(&keys::any_id(), alg).expect("its type fits");
            let read = KeyMaterial::from_jwk(alg, written.expose_secret());
            let Ok(KeyMaterial::Symmetric(read)) = read else { panic!("what was written can be read") };
            assert_eq!(read, secret);
            if let Ok(imported) = SoftKey::import(alg, KeyMaterial::Symmetric(secret)) {
                assert!(imported.public_key().is_none());
            }
        }
    }
}

/// The public parser may still refuse it: it reads `kid` and `key_ops`, which an import ignores.
fn same_public(key: &PublicKey, public: Option<&Jwk>) {
    if let Some(jwk) = public {
        assert_eq!(jwk.key, *key);
    }
}
