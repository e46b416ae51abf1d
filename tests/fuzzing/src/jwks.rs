//! Sets of JSON Web Keys.

use serde_json::Value;
use swarmauri_cbor::cose;
use swarmauri_keys::{Jwk, JwkSet};

use crate::check::{quotes_little, refuses, survives_json};
use crate::jwk::public_jwk;

/// RFC 7518 sections 6.2.2, 6.3.2 and 6.4, RFC 8037 section 2.
const SECRET: [&str; 8] = ["d", "dp", "dq", "k", "oth", "p", "q", "qi"];

/// A set with a secret in it is refused as a whole; of others, the keys are those that are read alone, in their order.
pub fn run(input: &[u8]) {
    let set = match serde_json::from_slice::<JwkSet>(input) {
        Ok(set) => set,
        Err(error) => return quotes_little(&error, input),
    };
    refuses(serde_json::from_slice::<JwkSet>(&[input, b"}"].concat()), "text after the set");
    set.keys.iter().for_each(public_jwk);
    let written = survives_json(&set);
    assert_eq!(swarmauri_jsoncanon::canonicalize(&written).expect("it is JSON"), written, "it is canonical");
    if let Ok(document) = serde_json::from_slice::<Value>(input) {
        each_by_itself(&set, &document);
    }
    match cose::keyset_to_vec(&set) {
        Ok(encoded) => {
            let read = cose::keyset_from_slice(&encoded).expect("what was written can be read");
            let without_use = set.keys.into_iter().map(|jwk| Jwk { use_: None, ..jwk }).collect();
            assert_eq!(read, JwkSet { keys: without_use }, "COSE and JWK agree");
        }
        Err(error) => quotes_little(&error, input),
    }
}

fn each_by_itself(set: &JwkSet, document: &Value) {
    let keys = document["keys"].as_array().expect("the set has a list of keys");
    for key in keys {
        let members = key.as_object().expect("each key is an object");
        assert!(!SECRET.iter().any(|name| members.contains_key(*name)), "a secret member is never skipped");
    }
    let alone: Vec<_> =
        keys.iter().filter_map(|key| serde_json::from_value::<Jwk>(key.clone()).ok()).collect();
    assert_eq!(alone, set.keys);
}
