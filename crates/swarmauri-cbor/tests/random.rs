//! Random items: what is written is what `ciborium` writes of the same item in its deterministic form.

#![expect(clippy::expect_used, reason = "a wrong draw should fail its test at once")]

use std::cell::Cell;

use fastrand::Rng;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use swarmauri_cbor::{Error, Value, from_slice_deterministic, to_vec, value_from_slice, value_to_vec};

fn random(rng: &mut Rng, depth: usize) -> Value {
    match rng.u8(if depth == 0 { 0..7 } else { 0..14 }) {
        0 => Value::Null,
        1 => Value::Bool(rng.bool()),
        2 | 3 => integer(rng),
        4 => Value::Float(float(rng)),
        5 => Value::Bytes((0..length(rng)).map(|_| rng.u8(..)).collect()),
        6 => Value::Text((0..length(rng)).map(|_| rng.char(..)).collect()),
        7 => Value::Tag(rng.u64(..) >> rng.u32(0..64), Box::new(random(rng, depth - 1))),
        8 => bignum(rng),
        9 | 10 => Value::Array((0..length(rng)).map(|_| random(rng, depth.min(2) - 1)).collect()),
        _ => map(rng, depth),
    }
}

/// Mostly small, now and then past the lengths at which the head grows.
fn length(rng: &mut Rng) -> usize {
    match rng.u8(0..40) {
        0 => rng.usize(250..260),
        1..4 => rng.usize(20..30),
        _ => rng.usize(0..6),
    }
}

fn integer(rng: &mut Rng) -> Value {
    let magnitude = i128::from(rng.u64(..) >> rng.u32(0..64));
    let integer = if rng.bool() { magnitude } else { -1 - magnitude };
    Value::Integer(integer.try_into().expect("it fits"))
}

fn float(rng: &mut Rng) -> f64 {
    match rng.u8(0..4) {
        0 => f64::from_bits(rng.u64(..)),
        1 => f64::from(f32::from_bits(rng.u32(..))),
        2 => f64::from(rng.i16(..)) / 16.0,
        _ => rng.choice([f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0]).unwrap_or_default(),
    }
}

/// With leading zeros, with as few bytes as an integer has, with none.
fn bignum(rng: &mut Rng) -> Value {
    let mut digits = vec![0; rng.usize(0..3)];
    digits.extend((0..rng.usize(0..20)).map(|_| rng.u8(..)));
    Value::Tag(rng.u64(2..=3), Box::new(Value::Bytes(digits)))
}

/// In order, out of order at the end, or in no order at all.
fn map(rng: &mut Rng, depth: usize) -> Value {
    let mut keys: Vec<_> = (0..length(rng)).map(|_| random(rng, depth.min(2) - 1)).collect();
    keys.sort_by_cached_key(expected);
    keys.dedup_by_key(|key| expected(key));
    match rng.u8(0..3) {
        0 => rng.shuffle(&mut keys),
        1 if !keys.is_empty() => keys.rotate_left(1),
        _ => {}
    }
    Value::Map(keys.into_iter().map(|key| (key, random(rng, depth - 1))).collect())
}

/// Sorted here, written by `ciborium`.
fn expected(value: &Value) -> Vec<u8> {
    let mut written = Vec::new();
    ciborium::into_writer(&normal(value), &mut written).expect("a vector takes everything");
    written
}

fn normal(value: &Value) -> Value {
    match value {
        Value::Float(number) if number.is_nan() => Value::Float(f64::NAN),
        Value::Array(items) => Value::Array(items.iter().map(normal).collect()),
        Value::Map(entries) => {
            let mut entries: Vec<_> =
                entries.iter().map(|(key, value)| (normal(key), normal(value))).collect();
            entries.sort_by_cached_key(|(key, _)| expected(key));
            Value::Map(entries)
        }
        Value::Tag(number, content) => match (number, &**content) {
            (2 | 3, Value::Bytes(digits)) => normal_bignum(*number, digits),
            _ => Value::Tag(*number, Box::new(normal(content))),
        },
        _ => value.clone(),
    }
}

fn normal_bignum(number: u64, digits: &[u8]) -> Value {
    let digits: Vec<_> = digits.iter().copied().skip_while(|digit| *digit == 0).collect();
    if digits.len() > 8 {
        return Value::Tag(number, Box::new(Value::Bytes(digits)));
    }
    let magnitude = digits.iter().fold(0, |sum, digit| sum << 8 | i128::from(*digit));
    let integer = if number == 2 { magnitude } else { -1 - magnitude };
    Value::Integer(integer.try_into().expect("it fits"))
}

/// Tells nothing, or something wrong, of how many items and entries there will be.
struct Misleading<'a>(&'a Value, &'a Cell<u64>);

impl Misleading<'_> {
    fn length(&self) -> Option<usize> {
        let mut rng = Rng::with_seed(self.1.get());
        self.1.set(rng.u64(..));
        rng.bool().then(|| rng.usize(0..300))
    }
}

impl Serialize for Misleading<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Array(items) => {
                let mut array = serializer.serialize_seq(self.length())?;
                items.iter().try_for_each(|item| array.serialize_element(&Misleading(item, self.1)))?;
                array.end()
            }
            Value::Map(entries) => {
                let mut map = serializer.serialize_map(self.length())?;
                for (key, value) in entries {
                    map.serialize_entry(&Misleading(key, self.1), &Misleading(value, self.1))?;
                }
                map.end()
            }
            other => other.serialize(serializer),
        }
    }
}

#[test]
fn what_is_written_is_what_ciborium_writes_of_the_sorted_item() {
    for seed in 0..1_000 {
        let value = random(&mut Rng::with_seed(seed), 4);
        let expected = expected(&value);
        assert_eq!(value_to_vec(&value).as_ref(), Ok(&expected), "seed {seed}");
        assert_eq!(to_vec(&Misleading(&value, &Cell::new(seed))).as_ref(), Ok(&expected), "seed {seed}");
        assert!(from_slice_deterministic::<Value>(&expected).is_ok(), "seed {seed}");
    }
}

/// Repeats a key of some map, and tells whether there was one on the way.
fn repeat_a_key(value: &mut Value, rng: &mut Rng) -> bool {
    match value {
        Value::Array(items) => rng.choice(items).is_some_and(|item| repeat_a_key(item, rng)),
        Value::Tag(_, content) => repeat_a_key(content, rng),
        Value::Map(entries) => {
            let Some((key, value)) = rng.choice(entries.iter_mut()) else { return false };
            let key = key.clone();
            if !repeat_a_key(value, rng) {
                entries.insert(rng.usize(0..=entries.len()), (key, Value::Null));
            }
            true
        }
        _ => false,
    }
}

/// Wherever a key is repeated, in maps in order and out of it.
#[test]
fn a_repeated_key_is_refused() {
    let mut refused = 0;
    for seed in 0..1_000 {
        let rng = &mut Rng::with_seed(seed);
        let mut value = random(rng, 4);
        if repeat_a_key(&mut value, rng) {
            assert_eq!(value_to_vec(&value), Err(Error::DuplicateKey), "seed {seed}");
            let mut written = Vec::new();
            ciborium::into_writer(&value, &mut written).unwrap();
            assert_eq!(value_from_slice(&written), Err(Error::DuplicateKey), "seed {seed}");
            refused += 1;
        }
    }
    assert!(refused > 200, "{refused}");
}
