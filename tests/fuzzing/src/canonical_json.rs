//! Canonical JSON.

use serde_json::Value;
use swarmauri_jsoncanon::{Error, canonicalize, from_slice, from_slice_canonical, to_vec};

use crate::check::{quotes_little, refuses};

/// Every text has one canonical form: it is stable, it is the only one that the strict reader takes, and `serde_jcs` and the
/// way over a value lead to the same.
pub fn run(input: &[u8]) {
    let written = match canonicalize(input) {
        Ok(written) => written,
        Err(error) => {
            assert!(from_slice::<Value>(input).is_err() && from_slice_canonical::<Value>(input).is_err());
            return quotes_little(&error, input);
        }
    };
    refuses(canonicalize(&[input, b","].concat()), "text after the value");
    assert_eq!(canonicalize(&written).expect("what was written can be read"), written, "the form is stable");
    let value: Value = from_slice(input).expect("it has a canonical form");
    from_slice_canonical::<Value>(&written).expect("what is written is canonical");
    if input != written {
        let error = refuses(from_slice_canonical::<Value>(input), "what is not canonical");
        assert_eq!(error, Error::NotCanonical);
    }
    assert_eq!(
        serde_jcs::to_vec(&value).expect("JSON has a canonical form"),
        written,
        "serde_jcs says the same"
    );
    match to_vec(&value) {
        Ok(of_value) => assert_eq!(of_value, written, "the way over a value leads to the same"),
        // Text is rounded, and values are not.
        Err(error) => assert_eq!(error, Error::InexactInteger),
    }
}
