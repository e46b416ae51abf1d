//! Vectors that others published.

use swarmauri_cbor::cose::{Error, key_from_slice, key_to_vec, keyset_from_slice, keyset_to_vec};
use swarmauri_keys::{Jwk, JwkSet};

use crate::common::unhex;
use crate::fixtures::{BILBO, ELEVEN, Ec2, MERIADOC, PEREGRIN, SYMMETRIC, encode, map, read, set, symmetric};

#[test]
fn rfc9052_c_7_1_public_keys() {
    let encoded = set([MERIADOC, ELEVEN, BILBO, PEREGRIN].map(|key| key.public()).into());
    assert_eq!(encoded.len(), 481, "the size that the RFC gives");
    // P-521 is not one of our curves: skipped in a set, an error alone.
    let expected = JwkSet { keys: [MERIADOC, ELEVEN, PEREGRIN].map(|key| key.jwk()).into() };
    assert_eq!(keyset_from_slice(&encoded), Ok(expected.clone()));
    let unsupported = Error::Unsupported { member: "crv", value: "3 of an EC2 key".to_owned() };
    assert_eq!(read(BILBO.public()), Err(unsupported));

    let ours = keyset_to_vec(&expected).unwrap();
    assert_eq!(ours, set([MERIADOC, ELEVEN, PEREGRIN].map(|key| key.public()).into()));
    for key in [MERIADOC, ELEVEN, PEREGRIN] {
        assert_eq!(read(key.public()), Ok(key.jwk()));
        assert_eq!(key_to_vec(&key.jwk()).unwrap(), encode(&map(key.public())));
    }
}

#[test]
fn rfc9052_c_7_2_private_keys_are_refused() {
    let [first, second, third] = SYMMETRIC.map(symmetric);
    let keys =
        vec![MERIADOC.private(), ELEVEN.private(), BILBO.private(), first, PEREGRIN.private(), second, third];
    let encoded = set(keys.clone());
    assert_eq!(encoded.len(), 816, "the size that the RFC gives");
    let refusals = [
        Error::Private { member: "d" },
        Error::Private { member: "d" },
        Error::Private { member: "d" },
        Error::Symmetric,
        Error::Private { member: "d" },
        Error::Symmetric,
        Error::Symmetric,
    ];
    for (key, refusal) in keys.into_iter().zip(refusals) {
        assert_eq!(read(key.clone()), Err(refusal.clone()));
        let in_set = keyset_from_slice(&set(vec![MERIADOC.public(), key]));
        assert_eq!(in_set, Err(Error::Element { index: 1, error: Box::new(refusal) }));
    }
    assert!(keyset_from_slice(&encoded).is_err());
}

/// The example of WebAuthn level 2 section 6.5.1.1.
#[test]
fn webauthn_credential_public_key() {
    let Ec2(_, _, x, y, _) = MERIADOC;
    let encoded = unhex(&format!("a5 0102 0326 2001 215820 {x} 225820 {y}"));
    let jwk = key_from_slice(&encoded).unwrap();
    assert_eq!(jwk, Jwk { kid: None, alg: Some("ES256".into()), ..MERIADOC.jwk() });
    assert_eq!(key_to_vec(&jwk).unwrap(), encoded);
}
