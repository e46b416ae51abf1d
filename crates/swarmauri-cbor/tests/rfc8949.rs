//! The vectors of RFC 8949.

mod common;

use common::unhex;
use swarmauri_cbor::{Error, Value, from_slice, from_slice_deterministic, value_from_slice, value_to_vec};

#[expect(clippy::unwrap_used, reason = "the table below holds no larger numbers")]
fn int(number: i128) -> Value {
    Value::Integer(number.try_into().unwrap())
}

fn ints(numbers: impl IntoIterator<Item = i128>) -> Value {
    Value::Array(numbers.into_iter().map(int).collect())
}

fn float(number: f64) -> Value {
    Value::Float(number)
}

fn text(text: &str) -> Value {
    text.into()
}

fn bytes(hex: &str) -> Value {
    Value::Bytes(unhex(hex))
}

fn array<const N: usize>(items: [Value; N]) -> Value {
    Value::Array(items.into())
}

fn map<const N: usize>(entries: [(Value, Value); N]) -> Value {
    Value::Map(entries.into())
}

fn tag(number: u64, content: Value) -> Value {
    Value::Tag(number, Box::new(content))
}

/// Appendix A, the rows that are deterministic.
fn deterministic() -> Vec<(&'static str, Value)> {
    vec![
        ("00", int(0)),
        ("01", int(1)),
        ("0a", int(10)),
        ("17", int(23)),
        ("1818", int(24)),
        ("1819", int(25)),
        ("1864", int(100)),
        ("1903e8", int(1000)),
        ("1a000f4240", int(1_000_000)),
        ("1b000000e8d4a51000", int(1_000_000_000_000)),
        ("1bffffffffffffffff", int(18_446_744_073_709_551_615)),
        ("c249010000000000000000", tag(2, bytes("010000000000000000"))),
        ("3bffffffffffffffff", int(-18_446_744_073_709_551_616)),
        ("c349010000000000000000", tag(3, bytes("010000000000000000"))),
        ("20", int(-1)),
        ("29", int(-10)),
        ("3863", int(-100)),
        ("3903e7", int(-1000)),
        ("f90000", float(0.0)),
        ("f98000", float(-0.0)),
        ("f93c00", float(1.0)),
        ("fb3ff199999999999a", float(1.1)),
        ("f93e00", float(1.5)),
        ("f97bff", float(65504.0)),
        ("fa47c35000", float(100_000.0)),
        ("fa7f7fffff", float(3.402_823_466_385_288_6e38)),
        ("fb7e37e43c8800759c", float(1.0e300)),
        ("f90001", float(5.960_464_477_539_063e-8)),
        ("f90400", float(0.000_061_035_156_25)),
        ("f9c400", float(-4.0)),
        ("fbc010666666666666", float(-4.1)),
        ("f97c00", float(f64::INFINITY)),
        ("f97e00", float(f64::NAN)),
        ("f9fc00", float(f64::NEG_INFINITY)),
        ("f4", Value::Bool(false)),
        ("f5", Value::Bool(true)),
        ("f6", Value::Null),
        ("c074323031332d30332d32315432303a30343a30305a", tag(0, text("2013-03-21T20:04:00Z"))),
        ("c11a514b67b0", tag(1, int(1_363_896_240))),
        ("c1fb41d452d9ec200000", tag(1, float(1_363_896_240.5))),
        ("d74401020304", tag(23, bytes("01020304"))),
        ("d818456449455446", tag(24, bytes("6449455446"))),
        ("d82076687474703a2f2f7777772e6578616d706c652e636f6d", tag(32, text("http://www.example.com"))),
        ("40", bytes("")),
        ("4401020304", bytes("01020304")),
        ("60", text("")),
        ("6161", text("a")),
        ("6449455446", text("IETF")),
        ("62225c", text("\"\\")),
        ("62c3bc", text("\u{fc}")),
        ("63e6b0b4", text("\u{6c34}")),
        ("64f0908591", text("\u{10151}")),
        ("80", array([])),
        ("83010203", ints(1..=3)),
        ("8301820203820405", nested()),
        ("98190102030405060708090a0b0c0d0e0f101112131415161718181819", ints(1..=25)),
        ("a0", map([])),
        ("a201020304", map([(int(1), int(2)), (int(3), int(4))])),
        ("a26161016162820203", a_and_b()),
        ("826161a161626163", array([text("a"), map([(text("b"), text("c"))])])),
        (
            "a56161614161626142616361436164614461656145",
            map(["a", "b", "c", "d", "e"].map(|name| (text(name), text(&name.to_uppercase())))),
        ),
    ]
}

/// Appendix A, the rows that are valid and not deterministic: long floats and indefinite lengths.
fn not_deterministic() -> Vec<(&'static str, Value)> {
    vec![
        ("fa7f800000", float(f64::INFINITY)),
        ("fa7fc00000", float(f64::NAN)),
        ("faff800000", float(f64::NEG_INFINITY)),
        ("fb7ff0000000000000", float(f64::INFINITY)),
        ("fb7ff8000000000000", float(f64::NAN)),
        ("fbfff0000000000000", float(f64::NEG_INFINITY)),
        ("5f42010243030405ff", bytes("0102030405")),
        ("7f657374726561646d696e67ff", text("streaming")),
        ("9fff", array([])),
        ("9f018202039f0405ffff", nested()),
        ("9f01820203820405ff", nested()),
        ("83018202039f0405ff", nested()),
        ("83019f0203ff820405", nested()),
        ("9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff", ints(1..=25)),
        ("bf61610161629f0203ffff", a_and_b()),
        ("826161bf61626163ff", array([text("a"), map([(text("b"), text("c"))])])),
        ("bf6346756ef563416d7421ff", map([(text("Fun"), Value::Bool(true)), (text("Amt"), int(-2))])),
    ]
}

/// Appendix A, left out: `undefined`, simple(16) and simple(255). [`Value`] holds no simple values but
/// false, true and null, and no application of ours has a meaning for others, so they are errors.
const SIMPLE: [&str; 3] = ["f7", "f0", "f8ff"];

fn nested() -> Value {
    array([int(1), ints(2..=3), ints(4..=5)])
}

fn a_and_b() -> Value {
    map([(text("a"), int(1)), (text("b"), ints(2..=3))])
}

/// NaN is not equal to itself.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Float(one), Value::Float(other)) => {
            one.to_bits() == other.to_bits() || one.is_nan() && other.is_nan()
        }
        _ => one == other,
    }
}

#[test]
fn appendix_a_is_complete() {
    assert_eq!((deterministic().len(), not_deterministic().len(), SIMPLE.len()), (61, 17, 3));
}

#[test]
fn appendix_a_deterministic_rows() {
    for (hex, value) in deterministic() {
        let encoded = unhex(hex);
        let decoded = value_from_slice(&encoded).unwrap_or_else(|error| panic!("{hex}: {error}"));
        assert!(same(&decoded, &value), "{hex}: {decoded:?}");
        assert_eq!(value_to_vec(&value).unwrap(), encoded, "{hex}");
        assert!(from_slice_deterministic::<Value>(&encoded).is_ok(), "{hex}");
        assert_eq!(swarmauri_cbor::to_vec(&value).unwrap(), encoded, "{hex}");
    }
}

#[test]
fn appendix_a_other_rows() {
    for (hex, value) in not_deterministic() {
        let encoded = unhex(hex);
        let decoded = value_from_slice(&encoded).unwrap_or_else(|error| panic!("{hex}: {error}"));
        assert!(same(&decoded, &value), "{hex}: {decoded:?}");
        let refused = from_slice_deterministic::<Value>(&encoded);
        assert_eq!(refused, Err(Error::NotDeterministic), "{hex}");
    }
}

#[test]
fn appendix_a_simple_values_are_refused() {
    for hex in SIMPLE {
        assert_eq!(value_from_slice(&unhex(hex)), Err(Error::SimpleValue { offset: 0 }), "{hex}");
    }
    assert_eq!(value_from_slice(&unhex("8201f7")), Err(Error::SimpleValue { offset: 2 }));
}

/// Appendix F: one line for each way not to be well-formed.
const NOT_WELL_FORMED: [(&str, &str); 11] = [
    (
        "end of input in a head",
        "|18|19|1a|1b|19 01|1a 01 02|1b 01 02 03 04 05 06 07|38|58|78|98|9a 01 ff 00|b8|d8|f8|f9 00|fa 00 00\
         |fb 00 00 00",
    ),
    (
        "strings with short data",
        "41|61|5a ff ff ff ff 00|5b ff ff ff ff ff ff ff ff 01 02 03|7a ff ff ff ff 00\
         |7b 7f ff ff ff ff ff ff ff 01 02 03",
    ),
    (
        "arrays and maps with too few items",
        "81|81 81 81 81 81 81 81 81 81|82 00|a1|a2 01 02|a1 00|a2 00 00 00",
    ),
    ("tags without content", "c0"),
    ("strings of indefinite length that are not closed", "5f 41 00|7f 61 00"),
    (
        "arrays and maps of indefinite length that are not closed",
        "9f|9f 01 02|bf|bf 01 02 01 02|81 9f|9f 80 00|9f 9f 9f 9f 9f ff ff ff ff|9f 81 9f 81 9f 9f ff ff ff",
    ),
    (
        "reserved additional information",
        "1c|1d|1e|3c|3d|3e|5c|5d|5e|7c|7d|7e|9c|9d|9e|bc|bd|be|dc|dd|de|fc|fd|fe",
    ),
    ("reserved simple values in two bytes", "f8 00|f8 01|f8 18|f8 1f"),
    (
        "chunks of the wrong type, or of indefinite length",
        "5f 00 ff|5f 21 ff|5f 61 00 ff|5f 80 ff|5f a0 ff|5f c0 00 ff|5f e0 ff|7f 41 00 ff|5f 5f 41 00 ff ff\
         |7f 7f 61 00 ff ff",
    ),
    (
        "breaks where none may be",
        "ff|81 ff|82 00 ff|a1 ff|a1 ff 00|a1 00 ff|a2 00 00 ff|9f 81 ff|9f 82 9f 81 9f 9f ff ff ff ff\
         |bf 00 ff|bf 00 00 00 ff",
    ),
    ("integers and tags of indefinite length", "1f|3f|df"),
];

#[test]
fn appendix_f_is_refused() {
    let mut count = 0;
    for (what, table) in NOT_WELL_FORMED {
        for hex in table.split('|') {
            let got = value_from_slice(&unhex(hex));
            assert!(matches!(got, Err(Error::Malformed { .. })), "{what}: {hex}: {got:?}");
            count += 1;
        }
    }
    assert_eq!(count, 95);
}

#[test]
fn heads_longer_than_need_be_are_not_deterministic() {
    let table = [
        "1817",
        "1900ff",
        "1a0000ffff",
        "1b00000000ffffffff",
        "3817",
        "5800",
        "7800",
        "9800",
        "b800",
        "d80500",
        "fb3ff0000000000000",
        "fa3f800000",
        "fa00000000",
        "f97e01",
        "f9fe00",
        "fa7fc00001",
    ];
    for hex in table {
        assert!(from_slice::<Value>(&unhex(hex)).is_ok(), "{hex}");
        let refused = from_slice_deterministic::<Value>(&unhex(hex));
        assert_eq!(refused, Err(Error::NotDeterministic), "{hex}");
    }
}

#[test]
fn section_4_2_1_key_order() {
    let sorted = "a8 0a00 186400 2000 617a00 62616100 81186400 812000 f400";
    let keys =
        [Value::Bool(false), ints([-1]), ints([100]), text("aa"), text("z"), int(-1), int(100), int(10)];
    let map = map(keys.map(|key| (key, int(0))));
    assert_eq!(value_to_vec(&map).unwrap(), unhex(sorted));
    assert!(from_slice_deterministic::<Value>(&unhex(sorted)).is_ok());
    let swapped = "a2 617a00 186400";
    assert_eq!(from_slice_deterministic::<Value>(&unhex(swapped)), Err(Error::NotDeterministic));
}

#[test]
fn bignums_are_written_as_section_3_4_3_prefers() {
    let table = [
        ("c2 40", "00"),
        ("c2 41 18", "1818"),
        ("c3 41 00", "20"),
        ("c2 48 ffffffffffffffff", "1bffffffffffffffff"),
        ("c3 4a 0000 ffffffffffffffff", "3bffffffffffffffff"),
        ("c2 4a 00 010000000000000000", "c249010000000000000000"),
        ("c2 51 01 00000000000000000000000000000000", "c251 0100000000000000000000000000000000"),
        ("c2 61 31", "c26131"),
    ];
    for (hex, preferred) in table {
        let value = value_from_slice(&unhex(hex)).unwrap();
        assert_eq!(value_to_vec(&value).unwrap(), unhex(preferred), "{hex}");
        let got = from_slice_deterministic::<Value>(&unhex(hex));
        assert_eq!(got.is_ok(), unhex(hex) == unhex(preferred), "{hex}");
    }
    assert_eq!(swarmauri_cbor::to_vec(&u64::MAX), Ok(unhex("1bffffffffffffffff")));
    assert_eq!(swarmauri_cbor::to_vec(&(u128::from(u64::MAX) + 1)), Ok(unhex("c249010000000000000000")));
    assert_eq!(swarmauri_cbor::to_vec(&(-1 - i128::from(u64::MAX))), Ok(unhex("3bffffffffffffffff")));
}

#[test]
fn floats_take_the_shortest_form_that_keeps_them() {
    for half in 0..=u16::MAX {
        let [high, low] = half.to_be_bytes();
        let encoded = [0xf9, high, low];
        let again = value_to_vec(&value_from_slice(&encoded).unwrap()).unwrap();
        let nan = half & 0x7c00 == 0x7c00 && half & 0x03ff != 0;
        assert_eq!(again, if nan { [0xf9, 0x7e, 0x00] } else { encoded }, "{half:04x}");
    }
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    println!("seed {state:#x}");
    for _ in 0..50_000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let double = f64::from_bits(state);
        let [b0, b1, b2, b3, ..] = state.to_be_bytes();
        let single = f64::from(f32::from_be_bytes([b0, b1, b2, b3]));
        for (number, longest) in [(double, 9), (single, 5)] {
            let encoded = value_to_vec(&float(number)).unwrap();
            let Ok(Value::Float(back)) = value_from_slice(&encoded) else { panic!("{number}") };
            assert!(encoded.len() <= longest, "{number}");
            assert!(back.to_bits() == number.to_bits() || number.is_nan(), "{number}");
        }
    }
}
