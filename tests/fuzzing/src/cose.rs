//! COSE_Key and COSE_KeySet.

use swarmauri_cbor::{Value, cose, from_slice_deterministic};
use swarmauri_keys::{Jwk, JwkSet};

use crate::check::{quotes_little, refuses, survives_json};
use crate::jwk::public_jwk;

/// What is read is written deterministically, is read back as the same key, and its JWK is the same key too.
pub fn run(input: &[u8]) {
    match cose::key_from_slice(input) {
        Ok(jwk) => key(&jwk, input),
        Err(error) => quotes_little(&error, input),
    }
    match cose::keyset_from_slice(input) {
        Ok(set) => keyset(&set, input),
        Err(error) => quotes_little(&error, input),
    }
}

fn key(jwk: &Jwk, input: &[u8]) {
    refuses(cose::key_from_slice(&[input, b"\0"].concat()), "a byte after the key");
    let written = cose::key_to_vec(jwk).expect("what was read can be written");
    assert_eq!(cose::key_from_slice(&written).expect("what was written can be read"), *jwk);
    from_slice_deterministic::<Value>(&written).expect("what is written is deterministic");
    public_jwk(jwk);
    let json: Jwk = serde_json::from_slice(&survives_json(jwk)).expect("it survives");
    assert_eq!(cose::key_to_vec(&json).expect("it was written before"), written, "COSE and JWK agree");
}

fn keyset(set: &JwkSet, input: &[u8]) {
    refuses(cose::keyset_from_slice(&[input, b"\0"].concat()), "a byte after the set");
    assert!(cose::key_from_slice(input).is_err(), "a set is no key");
    survives_json(set);
    if set.keys.is_empty() {
        // All were skipped.
        refuses(cose::keyset_to_vec(set), "an empty set");
        return;
    }
    let written = cose::keyset_to_vec(set).expect("what was read can be written");
    assert_eq!(cose::keyset_from_slice(&written).expect("what was written can be read"), *set);
    from_slice_deterministic::<Value>(&written).expect("what is written is deterministic");
    set.keys.iter().for_each(public_jwk);
}
