//! What is refused, and how values of Rust become CBOR.

use std::collections::{BTreeMap, HashMap};

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use swarmauri_cbor::{
    Error, MAX_DEPTH, MAX_LEN, Value, from_slice, from_slice_deterministic, to_vec, value_from_slice,
    value_to_vec,
};

#[test]
fn trailing_bytes_are_refused() {
    assert_eq!(value_from_slice(&[0x00, 0x00]), Err(Error::Trailing { offset: 1 }));
    assert_eq!(value_from_slice(&[0x80, 0xff]), Err(Error::Trailing { offset: 1 }));
    assert_eq!(from_slice::<u8>(&[0x01, 0x02]), Err(Error::Trailing { offset: 1 }));
}

#[test]
fn duplicate_keys_are_refused_however_they_are_written() {
    let table: [&[u8]; 7] = [
        &[0xa2, 0x01, 0x00, 0x01, 0x00],
        // 1 in one byte and in two
        &[0xa2, 0x01, 0x00, 0x18, 0x01, 0x00],
        // "a" whole and in chunks
        &[0xa2, 0x61, b'a', 0x00, 0x7f, 0x61, b'a', 0xff, 0x00],
        // 1.5 in half and in single precision
        &[0xa2, 0xf9, 0x3e, 0x00, 0x00, 0xfa, 0x3f, 0xc0, 0x00, 0x00, 0x00],
        // two NaNs
        &[0xa2, 0xf9, 0x7e, 0x00, 0x00, 0xf9, 0x7e, 0x01, 0x00],
        // {1: 0, 2: 0} in either order, as keys
        &[0xa2, 0xa2, 1, 0, 2, 0, 0x00, 0xa2, 2, 0, 1, 0, 0x00],
        // inside of arrays, tags and maps of indefinite length
        &[0x81, 0xc1, 0xbf, 0x00, 0xa0, 0x02, 0x00, 0x00, 0x00, 0xff],
    ];
    for input in table {
        assert_eq!(value_from_slice(input), Err(Error::DuplicateKey), "{input:02x?}");
        assert_eq!(from_slice::<Value>(input), Err(Error::DuplicateKey), "{input:02x?}");
    }
    // The integer 1 and the float 1.0 are two keys (RFC 8949 section 5.6.1).
    assert!(value_from_slice(&[0xa2, 0x01, 0x00, 0xf9, 0x3c, 0x00, 0x00]).is_ok());
}

struct Twice;

impl Serialize for Twice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([("a", 1), ("b", 2), ("a", 1)])
    }
}

#[test]
fn duplicate_keys_in_values_are_refused() {
    assert_eq!(to_vec(&[Twice]), Err(Error::DuplicateKey));
    let map = Value::Map(vec![(f64::NAN.into(), 0.into()), ((-f64::NAN).into(), 0.into())]);
    assert_eq!(value_to_vec(&map), Err(Error::DuplicateKey));
}

/// Input in which each level is one more of the same, around null.
fn nest(prefix: &[u8], depth: usize, suffix: &[u8]) -> Vec<u8> {
    [prefix.repeat(depth), vec![0xf6], suffix.repeat(depth)].concat()
}

#[test]
fn nesting_is_bounded() {
    let table: [(&str, &[u8], &[u8]); 6] = [
        ("array", &[0x81], &[]),
        ("array of indefinite length", &[0x9f], &[0xff]),
        ("value in a map", &[0xa1, 0x00], &[]),
        ("key of a map", &[0xa1], &[0x00]),
        ("map of indefinite length", &[0xbf, 0x00], &[0xff]),
        ("tag", &[0xc1], &[]),
    ];
    for (what, prefix, suffix) in table {
        let deepest = value_from_slice(&nest(prefix, MAX_DEPTH, suffix));
        let value = deepest.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(value_to_vec(&value).is_ok(), "{what}");
        for depth in [MAX_DEPTH + 1, 1_000_000] {
            let refused = value_from_slice(&nest(prefix, depth, suffix));
            assert_eq!(refused, Err(Error::TooDeep), "{what}, {depth}");
        }
        let wrapped = Value::Array(vec![value]);
        assert_eq!(value_to_vec(&wrapped), Err(Error::TooDeep), "{what}");
        assert_eq!(to_vec(&wrapped), Err(Error::TooDeep), "{what}");
    }
}

#[test]
fn declared_lengths_reserve_no_memory() {
    for major in 2..=5_u8 {
        for declared in [u64::MAX, u64::MAX / 2, 1 << 62, 1 << 40, u64::from(u32::MAX)] {
            let mut input = vec![major << 5 | 0x1b];
            input.extend(declared.to_be_bytes());
            input.extend([0; 16]);
            let got = value_from_slice(&input);
            assert!(matches!(got, Err(Error::Malformed { .. })), "{major} {declared}: {got:?}");
        }
    }
}

#[test]
fn length_is_bounded() {
    let mut input = to_vec(&"a".repeat(MAX_LEN - 5)).unwrap();
    assert_eq!(input.len(), MAX_LEN);
    assert!(value_from_slice(&input).is_ok());
    input.push(0);
    assert_eq!(value_from_slice(&input), Err(Error::TooLong));
}

#[test]
fn text_must_be_utf8() {
    let table: [&[u8]; 4] = [
        &[0x61, 0xff],
        &[0x63, 0xed, 0xa0, 0x80],
        // U+00FC over two chunks (RFC 8949 section 3.2.3)
        &[0x7f, 0x61, 0xc3, 0x61, 0xbc, 0xff],
        &[0xa1, 0x61, 0xff, 0x00],
    ];
    for input in table {
        let got = value_from_slice(input);
        assert!(matches!(got, Err(Error::Malformed { reason: "text is not UTF-8", .. })), "{got:?}");
    }
}

/// Cut off anywhere, or with any byte changed: an answer, never a panic.
#[test]
fn damaged_input_never_panics() {
    let value = Everything::sample();
    let encoded = to_vec(&value).unwrap();
    for at in 0..encoded.len() {
        assert!(value_from_slice(&encoded[..at]).is_err(), "cut at {at}");
        for byte in 0..=u8::MAX {
            let mut damaged = encoded.clone();
            damaged[at] = byte;
            if let Ok(value) = value_from_slice(&damaged) {
                let again = value_to_vec(&value).unwrap();
                assert!(from_slice_deterministic::<Value>(&again).is_ok(), "{again:02x?}");
            }
            let _ = from_slice::<Everything>(&damaged);
        }
    }
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
enum Shape {
    Unit,
    Newtype(u8),
    Tuple(i8, char),
    Struct { z: Option<bool>, a: () },
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Everything {
    shapes: Vec<Shape>,
    tuple: (u16, f32),
    by_number: BTreeMap<i64, String>,
}

impl Everything {
    fn sample() -> Self {
        Self {
            shapes: vec![
                Shape::Unit,
                Shape::Newtype(7),
                Shape::Tuple(-1, 'x'),
                Shape::Struct { z: Some(true), a: () },
            ],
            tuple: (65535, 0.5),
            by_number: [(-1, "minus one".to_owned()), (24, "twenty-four".to_owned())].into(),
        }
    }
}

#[test]
fn values_of_rust_make_the_round_trip() {
    let value = Everything::sample();
    let encoded = to_vec(&value).unwrap();
    let expected = [
        b"\xa3\x65tuple\x82\x19\xff\xff\xf9\x38\x00".as_slice(),
        b"\x66shapes\x84\x64Unit\xa1\x67Newtype\x07\xa1\x65Tuple\x82\x20\x61x",
        b"\xa1\x66Struct\xa2\x61a\xf6\x61z\xf5",
        b"\x69by_number\xa2\x18\x18\x6btwenty-four\x20\x69minus one",
    ]
    .concat();
    assert_eq!(encoded, expected);
    assert_eq!(from_slice_deterministic::<Everything>(&encoded).unwrap(), value);
}

#[test]
fn errors_quote_no_value() {
    let encoded = to_vec(&HashMap::from([("x", "c2VjcmV0")])).unwrap();
    let error = from_slice::<HashMap<String, u8>>(&encoded).unwrap_err();
    assert_eq!(error, Error::Mismatch);
    assert!(!format!("{error} {error:?}").contains("c2VjcmV0"));
}

#[test]
fn keys_and_values_come_in_pairs() {
    struct Calls(&'static str);
    impl Serialize for Calls {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            for call in self.0.chars() {
                if call == 'k' { map.serialize_key("a")? } else { map.serialize_value(&1)? }
            }
            map.end()
        }
    }
    assert_eq!(to_vec(&Calls("kv")).as_deref(), Ok(b"\xa1\x61a\x01".as_slice()));
    for calls in ["v", "k", "kvv", "kkv", "kvk"] {
        assert!(to_vec(&Calls(calls)).is_err(), "{calls}");
    }
}

/// As `ciborium` writes them, but for what it lets pass: a number that is none, and fields without end.
#[test]
fn tags_have_a_number_and_one_content() {
    #[derive(Serialize)]
    #[serde(rename = "@@TAG@@")]
    enum Tag<N> {
        #[serde(rename = "@@TAGGED@@")]
        Two(N, bool),
        #[serde(rename = "@@TAGGED@@")]
        Three(N, bool, bool),
    }
    assert_eq!(to_vec(&Tag::Two(24, true)).as_deref(), Ok(b"\xd8\x18\xf5".as_slice()));
    assert!(matches!(to_vec(&Tag::Two(-1, true)), Err(Error::Serialize(_))));
    assert!(matches!(to_vec(&Tag::Two("1", true)), Err(Error::Serialize(_))));
    assert!(matches!(to_vec(&Tag::Three(1, true, true)), Err(Error::Serialize(_))));
    let captured = ciborium::tag::Captured(None, 1);
    assert_eq!(to_vec(&captured).as_deref(), Ok(b"\x01".as_slice()));
}

#[test]
fn a_failing_serialize_is_reported() {
    struct Fails;
    impl Serialize for Fails {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no"))
        }
    }
    assert!(matches!(to_vec(&Fails), Err(Error::Serialize(message)) if message.contains("no")));
}

#[test]
fn a_dropped_error_counts() {
    struct Drops;
    impl Serialize for Drops {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            map.serialize_entry("a", &Twice).unwrap_or_default();
            map.end()
        }
    }
    assert_eq!(to_vec(&[Drops]), Err(Error::DuplicateKey));
}
