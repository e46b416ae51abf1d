//! What is refused, and how values of Rust become JSON.

use std::collections::{BTreeMap, HashMap};

use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use swarmauri_jsoncanon::{
    Error, MAX_DEPTH, MAX_LEN, canonicalize, from_slice, from_slice_canonical, to_string,
};

fn syntax(text: &[u8]) -> Option<String> {
    match canonicalize(text) {
        Err(Error::Syntax(reason)) => Some(reason),
        _ => None,
    }
}

#[test]
fn text_that_is_not_json_is_refused() {
    let table: [(&[u8], &str); 17] = [
        (b"", "EOF"),
        (b"nul", "EOF"),
        (b"{} {}", "trailing characters"),
        (b"[1,]", "trailing comma"),
        (b"[01]", "invalid number"),
        (b"[+1]", "expected value"),
        (b"[1.]", "invalid number"),
        (b"[NaN]", "expected value"),
        (b"[1e400]", "out of range"),
        (b"[-1e400]", "out of range"),
        (b"{1:2}", "key must be a string"),
        (b"\"\x01\"", "control character"),
        (b"\xef\xbb\xbf[]", "expected value"),
        (b"\"\xff\"", "invalid unicode"),
        (b"\"\xed\xa0\x80\"", "invalid unicode"),
        (br#""\ud83d""#, ""),
        (br#""\ude00\ud83d""#, "surrogate"),
    ];
    for (text, reason) in table {
        let got = syntax(text);
        let text = String::from_utf8_lossy(text);
        assert!(got.as_deref().is_some_and(|got| got.contains(reason)), "{text}: {got:?}");
    }
}

#[test]
fn duplicate_names_are_refused_however_they_are_written() {
    for text in [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":2}"#, r#"[{"b":{"a":[],"c":0,"a":{}}}]"#] {
        let refused = Err(Error::DuplicateName("a".to_owned()));
        assert_eq!(canonicalize(text.as_bytes()), refused, "{text}");
        assert_eq!(from_slice::<Value>(text.as_bytes()).map(drop), refused.map(drop), "{text}");
    }
    // Equal after Unicode normalisation is not equal (RFC 8785 section 3.1).
    assert!(canonicalize("{\"\u{e5}\":1,\"a\u{30a}\":2}".as_bytes()).is_ok());
}

#[test]
fn nesting_is_bounded_in_text_and_in_values() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(canonicalize(nested(MAX_DEPTH).as_bytes()).is_ok());
    for depth in [MAX_DEPTH + 1, 127, 128] {
        let refused = canonicalize(nested(depth).as_bytes());
        assert_eq!(refused, Err(Error::TooDeep), "{depth}");
    }
    assert_eq!(canonicalize("[".repeat(1_000_000).as_bytes()), Err(Error::TooDeep));
    assert_eq!(canonicalize(r#"{"a":"#.repeat(800_000).as_bytes()), Err(Error::TooDeep));

    let deep = |depth| (1..depth).fold(json!([]), |value, _| json!([value]));
    assert!(to_string(&deep(MAX_DEPTH)).is_ok());
    assert_eq!(to_string(&deep(MAX_DEPTH + 1)), Err(Error::TooDeep));
    let deep = |depth| (1..depth).fold(json!({}), |value, _| json!({ "a": value }));
    assert!(to_string(&deep(MAX_DEPTH)).is_ok());
    assert_eq!(to_string(&deep(MAX_DEPTH + 1)), Err(Error::TooDeep));
}

#[test]
fn length_is_bounded() {
    let text = format!("\"{}\"", "a".repeat(MAX_LEN - 2));
    assert!(canonicalize(text.as_bytes()).is_ok());
    assert_eq!(canonicalize(format!("{text} ").as_bytes()), Err(Error::TooLong));
}

#[test]
fn only_canonical_text_is_canonical() {
    let table = [
        (r#"{"a":1}"#, true),
        (r#"{"a": 1}"#, false),
        ("{\"a\":1}\n", false),
        (r#"{"b":1,"a":1}"#, false),
        ("[1.0]", false),
        ("[1e2]", false),
        ("[-0]", false),
        ("[9007199254740993]", false),
        ("[9007199254740992]", true),
        (r#"["\u0041"]"#, false),
        (r#"["\/"]"#, false),
        (r#"["\u001F"]"#, false),
        (r#"["\u001f"]"#, true),
        (r#"["\u000a"]"#, false),
        (r#"["\n"]"#, true),
    ];
    for (text, canonical) in table {
        let got = from_slice_canonical::<Value>(text.as_bytes());
        assert!(from_slice::<Value>(text.as_bytes()).is_ok(), "{text}");
        if canonical {
            assert!(got.is_ok(), "{text}: {got:?}");
        } else {
            assert_eq!(got, Err(Error::NotCanonical), "{text}");
        }
    }
}

#[test]
fn integers_beyond_exactness_are_refused_in_values_and_rounded_in_text() {
    const SAFE: i64 = (1 << 53) - 1;
    assert_eq!(to_string(&[SAFE, -SAFE]), Ok("[9007199254740991,-9007199254740991]".to_owned()));
    assert_eq!(to_string(&[SAFE + 1]), Err(Error::InexactInteger));
    assert_eq!(to_string(&[-SAFE - 1]), Err(Error::InexactInteger));
    assert_eq!(to_string(&u64::MAX), Err(Error::InexactInteger));
    assert_eq!(to_string(&u128::MAX), Err(Error::InexactInteger));
    assert_eq!(to_string(&i128::MIN), Err(Error::InexactInteger));
    assert_eq!(canonicalize(b"9007199254740993").unwrap(), b"9007199254740992");
    assert_eq!(canonicalize(b"18446744073709551616").unwrap(), b"18446744073709552000");
}

#[test]
fn not_finite_is_refused_below_the_top_level_too() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(to_string(&[Some(value)]), Err(Error::NotFinite));
        assert_eq!(to_string(&BTreeMap::from([("a", value)])), Err(Error::NotFinite));
    }
    assert_eq!(to_string(&(f32::NAN,)), Err(Error::NotFinite));
}

/// Writes the pairs as one map, duplicates and all.
struct Pairs<K, V>(Vec<(K, V)>);

impl<K: Serialize, V: Serialize> Serialize for Pairs<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[test]
fn duplicate_names_in_values_are_refused() {
    let refused = |name: &str| Err(Error::DuplicateName(name.to_owned()));
    assert_eq!(to_string(&Pairs(vec![("a", 1), ("b", 2), ("a", 1)])), refused("a"));
    assert_eq!(to_string(&Pairs(vec![(true, 1), (true, 2)])), refused("true"));
}

#[test]
fn names_that_are_no_strings() {
    let big = 1_u64 << 53;
    // As numbers these two would be one.
    let close = Pairs(vec![(big + 1, "b"), (big, "a")]);
    assert_eq!(to_string(&close), Ok(r#"{"9007199254740992":"a","9007199254740993":"b"}"#.to_owned()));
    assert_eq!(to_string(&HashMap::from([(u128::MAX, 1)])), Ok(format!(r#"{{"{}":1}}"#, u128::MAX)));
    assert_eq!(to_string(&Pairs(vec![(true, 1), (false, 2)])), Ok(r#"{"false":2,"true":1}"#.to_owned()));
    assert_eq!(to_string(&Pairs(vec![('b', 1), ('a', 2)])), Ok(r#"{"a":2,"b":1}"#.to_owned()));
    assert_eq!(to_string(&Pairs(vec![(1.5, 1)])), Err(Error::InvalidName));
    assert_eq!(to_string(&Pairs(vec![((), 1)])), Err(Error::InvalidName));
    assert_eq!(to_string(&Pairs(vec![([1], 1)])), Err(Error::InvalidName));
    assert_eq!(to_string(&Pairs(vec![(BTreeMap::from([(1, 1)]), 1)])), Err(Error::InvalidName));
}

#[test]
fn names_and_values_come_in_pairs() {
    struct Calls(&'static str);
    impl Serialize for Calls {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            for call in self.0.chars() {
                if call == 'n' { map.serialize_key("a")? } else { map.serialize_value(&1)? }
            }
            map.end()
        }
    }
    assert_eq!(to_string(&Calls("nv")), Ok(r#"{"a":1}"#.to_owned()));
    for calls in ["v", "n", "nvv", "nnv", "nvn"] {
        assert!(to_string(&Calls(calls)).is_err(), "{calls}");
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
    newtype: Newtype,
    unit: UnitStruct,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Newtype(String);

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct UnitStruct;

#[test]
fn every_shape_of_serde_is_written_as_serde_json_writes_it() {
    let value = Everything {
        shapes: vec![
            Shape::Unit,
            Shape::Newtype(7),
            Shape::Tuple(-1, 'x'),
            Shape::Struct { z: Some(true), a: () },
        ],
        tuple: (65535, 0.5),
        newtype: Newtype("\u{7f}".to_owned()),
        unit: UnitStruct,
    };
    let text = to_string(&value).unwrap();
    assert_eq!(
        text,
        "{\"newtype\":\"\u{7f}\",\"shapes\":[\"Unit\",{\"Newtype\":7},{\"Tuple\":[-1,\"x\"]},\
         {\"Struct\":{\"a\":null,\"z\":true}}],\"tuple\":[65535,0.5],\"unit\":null}"
    );
    assert_eq!(from_slice_canonical::<Everything>(text.as_bytes()).unwrap(), value);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), serde_json::to_value(&value).unwrap());
}

#[test]
fn bytes_are_arrays_of_numbers_as_in_serde_json() {
    struct Bytes;
    impl Serialize for Bytes {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(&[0, 255])
        }
    }
    assert_eq!(to_string(&Bytes), Ok("[0,255]".to_owned()));
}

#[test]
fn what_serde_json_keeps_for_itself_is_refused() {
    #[derive(Serialize)]
    #[serde(rename = "$serde_json::private::RawValue")]
    struct Raw {
        raw: &'static str,
    }
    assert_eq!(to_string(&Raw { raw: "{}" }), Err(Error::Raw));
    let text = br#"{"$serde_json::private::Number":"1"}"#;
    assert_eq!(canonicalize(text), Err(Error::Raw));
}

#[test]
fn errors_quote_no_value() {
    let text = br#"{"x":"c2VjcmV0"}"#;
    let error = from_slice::<HashMap<String, u8>>(text).unwrap_err();
    assert_eq!(error, Error::Mismatch { line: 1, column: 15 });
    assert!(!format!("{error} {error:?}").contains("c2VjcmV0"));
}

#[test]
fn a_failing_serialize_is_reported() {
    struct Fails;
    impl Serialize for Fails {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no"))
        }
    }
    assert_eq!(to_string(&[Fails]), Err(Error::Serialize("no".to_owned())));
}

/// Half a document would be no JSON.
#[test]
fn a_dropped_error_counts() {
    struct Drops;
    impl Serialize for Drops {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            map.serialize_entry("a", &f64::NAN).unwrap_or_default();
            map.serialize_entry("b", &1)?;
            map.end()
        }
    }
    assert_eq!(to_string(&[Drops]), Err(Error::NotFinite));
}

#[test]
fn text_may_be_borrowed() {
    let name: &str = from_slice(br#""abc""#).unwrap();
    assert_eq!(name, "abc");
}
