//! CBOR, deterministic and not.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use swarmauri_cbor::{
    Error, Value, from_slice, from_slice_deterministic, to_vec, value_from_slice, value_to_vec,
};

use crate::check::{quotes_little, refuses};

/// Every item has one deterministic encoding: it is stable, it is the only one that the strict reader takes, and `ciborium`
/// reads the same item from it.
pub fn run(input: &[u8]) {
    let value = match value_from_slice(input) {
        Ok(value) => value,
        Err(error) => {
            assert!(from_slice_deterministic::<Value>(input).is_err());
            return quotes_little(&error, input);
        }
    };
    refuses(value_from_slice(&[input, b"\0"].concat()), "a byte after the item");
    refuses(value_from_slice(&input[..input.len() - 1]), "an item without its end");
    let written = value_to_vec(&value).expect("what was read can be written");
    let read = value_from_slice(&written).expect("what was written can be read");
    assert_eq!(value_to_vec(&read).expect("it was written before"), written, "the encoding is stable");
    from_slice_deterministic::<Value>(&written).expect("what is written is deterministic");
    if input != written {
        let error = refuses(from_slice_deterministic::<Value>(input), "what is not deterministic");
        assert_eq!(error, Error::NotDeterministic);
    }
    match ciborium::from_reader::<Value, _>(&*written) {
        Ok(other) => assert_eq!(value_to_vec(&other).ok(), Some(written), "ciborium reads the same item"),
        // It makes a number of each bignum of up to 16 bytes, and not all of them fit.
        Err(ciborium::de::Error::Semantic(_, reason)) => assert_eq!(reason, "integer too large"),
        Err(error) => panic!("ciborium does not read what was written: {error}"),
    }
    typed::<BTreeMap<String, u64>>(input);
    typed::<Vec<i64>>(input);
    typed::<(String, Option<bool>)>(input);
}

fn typed<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(input: &[u8]) {
    match from_slice::<T>(input) {
        Ok(value) => {
            let written = to_vec(&value).expect("what was read can be written");
            let read: T = from_slice_deterministic(&written).expect("what was written is deterministic");
            assert_eq!(read, value);
        }
        Err(error) => quotes_little(&error, input),
    }
}
