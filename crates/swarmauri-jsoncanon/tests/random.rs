//! Random values: what is written is what `serde_jcs` writes.

use fastrand::Rng;
use serde::{Serialize, Serializer};
use swarmauri_jsoncanon::{Error, canonicalize, from_slice_canonical, to_vec};

/// JSON whose members are written in the order in which they stand here, repeated ones too.
#[derive(Debug)]
enum Json {
    Null,
    Bool(bool),
    Integer(i64),
    Number(f64),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Number(value) => serializer.serialize_f64(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Array(items) => serializer.collect_seq(items),
            Self::Object(members) => {
                serializer.collect_map(members.iter().map(|(name, value)| (name, value)))
            }
        }
    }
}

impl Json {
    fn random(rng: &mut Rng, depth: usize) -> Self {
        match rng.u8(if depth == 0 { 0..5 } else { 0..9 }) {
            0 => Self::Null,
            1 => Self::Bool(rng.bool()),
            2 => Self::Integer(rng.i64(-(1 << 53) + 1..1 << 53) >> rng.u32(0..53)),
            3 => Self::Number(
                Some(f64::from_bits(rng.u64(..))).filter(|number| number.is_finite()).unwrap_or(0.5),
            ),
            4 => Self::Text(text(rng)),
            5 | 6 => Self::Array((0..rng.usize(0..5)).map(|_| Self::random(rng, depth - 1)).collect()),
            _ => Self::object(rng, depth),
        }
    }

    /// Some are in order, as most objects of the world are, and some end out of it.
    fn object(rng: &mut Rng, depth: usize) -> Self {
        let mut names: Vec<_> = (0..rng.usize(0..12)).map(|_| text(rng)).collect();
        names.sort_by_cached_key(|name| name.encode_utf16().collect::<Vec<_>>());
        names.dedup();
        match rng.u8(0..3) {
            0 => rng.shuffle(&mut names),
            1 if !names.is_empty() => names.rotate_left(1),
            _ => {}
        }
        Self::Object(names.into_iter().map(|name| (name, Self::random(rng, depth - 1))).collect())
    }

    /// Repeats a name of some object, and tells which; `None` if there is no name on the way.
    fn repeat_a_name(&mut self, rng: &mut Rng) -> Option<String> {
        match self {
            Self::Array(items) => rng.choice(items)?.repeat_a_name(rng),
            Self::Object(members) => {
                let (name, value) = rng.choice(members.iter_mut())?;
                let name = name.clone();
                if let Some(inner) = value.repeat_a_name(rng) {
                    return Some(inner);
                }
                members.insert(rng.usize(0..=members.len()), (name.clone(), Self::Null));
                Some(name)
            }
            _ => None,
        }
    }
}

/// Of characters at which the order, the escaping or the length in UTF-8 changes.
fn text(rng: &mut Rng) -> String {
    const CHARACTERS: [char; 24] = [
        '\0',
        '\u{8}',
        '\t',
        '\n',
        '\u{c}',
        '\r',
        '\u{1f}',
        ' ',
        '"',
        '/',
        '\\',
        'a',
        'b',
        'n',
        'u',
        '\u{7f}',
        '\u{e9}',
        '\u{7ff}',
        '\u{d7ff}',
        '\u{e000}',
        '\u{fb33}',
        '\u{ffff}',
        '\u{10000}',
        '\u{1f600}',
    ];
    let plain = rng.bool();
    let len = rng.usize(0..4) * rng.usize(1..12);
    let character = |_| if plain { rng.lowercase() } else { rng.choice(CHARACTERS).unwrap_or_default() };
    (0..len).map(character).collect()
}

#[test]
fn what_is_written_is_what_serde_jcs_writes() {
    for seed in 0..3_000 {
        let value = Json::random(&mut Rng::with_seed(seed), 5);
        let written = to_vec(&value).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let expected = serde_jcs::to_vec(&value).unwrap();
        assert_eq!(String::from_utf8_lossy(&written), String::from_utf8_lossy(&expected), "seed {seed}");
        let text = serde_json::to_vec_pretty(&value).unwrap();
        assert_eq!(canonicalize(&text).as_ref(), Ok(&written), "seed {seed}");
        assert!(from_slice_canonical::<serde_json::Value>(&written).is_ok(), "seed {seed}");
    }
}

/// Wherever a name is repeated, in objects in order and out of it.
#[test]
fn a_repeated_name_is_refused() {
    let mut refused = 0;
    for seed in 0..3_000 {
        let rng = &mut Rng::with_seed(seed);
        let mut value = Json::random(rng, 5);
        let Some(name) = value.repeat_a_name(rng) else { continue };
        let expected = Err(Error::DuplicateName(name));
        assert_eq!(to_vec(&value), expected, "seed {seed}");
        assert_eq!(canonicalize(&serde_json::to_vec(&value).unwrap()), expected, "seed {seed}");
        refused += 1;
    }
    assert!(refused > 500, "{refused}");
}

/// Every character of ASCII, and some beyond, at every place of a string.
#[test]
fn escapes_are_found_wherever_they_stand() {
    for character in ('\0'..='\u{80}').chain(['\u{e000}', '\u{10ffff}']) {
        for len in 0..40 {
            for at in 0..=len {
                let text = format!("{}{character}{}", "a".repeat(at), "a".repeat(len - at));
                assert_eq!(to_vec(&text).unwrap(), serde_json::to_vec(&text).unwrap(), "{text:?}");
            }
        }
    }
}
