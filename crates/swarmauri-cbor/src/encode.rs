//! The deterministic encoder.

use crate::{Error, MAX_DEPTH, Value};

/// The one NaN (RFC 8949 section 4.2.2, the first of the choices it leaves).
const NAN: [u8; 3] = [0xf9, 0x7e, 0x00];

const BIGNUM_POSITIVE: u64 = 2;
const BIGNUM_NEGATIVE: u64 = 3;

pub(crate) fn encode(value: &Value) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    item(value, 0, &mut out)?;
    Ok(out)
}

/// The depth inside one more array, map or tag.
pub(crate) fn deeper(depth: usize) -> Result<usize, Error> {
    if depth < MAX_DEPTH { Ok(depth + 1) } else { Err(Error::TooDeep) }
}

fn item(value: &Value, depth: usize, out: &mut Vec<u8>) -> Result<(), Error> {
    match value {
        Value::Float(number) if number.is_nan() => out.extend(NAN),
        // Integers and floats in their shortest form are what ciborium writes already.
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => leaf(value, out)?,
        Value::Bytes(bytes) => string(2, bytes, out),
        Value::Text(text) => string(3, text.as_bytes(), out),
        Value::Array(items) => {
            let depth = deeper(depth)?;
            head(4, length(items.len()), out);
            for value in items {
                item(value, depth, out)?;
            }
        }
        Value::Map(entries) => map(entries, deeper(depth)?, out)?,
        Value::Tag(number, content) => tag(*number, content, deeper(depth)?, out)?,
        _ => return Err(Error::Serialize("unknown kind of value".to_owned())),
    }
    Ok(())
}

fn leaf(value: &Value, out: &mut Vec<u8>) -> Result<(), Error> {
    ciborium::into_writer(value, out).map_err(|error| Error::Serialize(error.to_string()))
}

fn string(major: u8, bytes: &[u8], out: &mut Vec<u8>) {
    head(major, length(bytes.len()), out);
    out.extend(bytes);
}

/// Entries in the bytewise order of their encoded keys.
fn map(entries: &[(Value, Value)], depth: usize, out: &mut Vec<u8>) -> Result<(), Error> {
    let mut sorted = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let mut encoded = Vec::new();
        item(key, depth, &mut encoded)?;
        sorted.push((encoded, value));
    }
    sorted.sort_by(|(one, _), (other, _)| one.cmp(other));
    if sorted.windows(2).any(|pair| matches!(pair, [(one, _), (other, _)] if one == other)) {
        return Err(Error::DuplicateKey);
    }
    head(5, length(entries.len()), out);
    for (key, value) in sorted {
        out.extend(key);
        item(value, depth, out)?;
    }
    Ok(())
}

/// Bignums without leading zeros, and as plain integers where they fit (RFC 8949 section 3.4.3).
fn tag(number: u64, content: &Value, depth: usize, out: &mut Vec<u8>) -> Result<(), Error> {
    let (BIGNUM_POSITIVE | BIGNUM_NEGATIVE, Value::Bytes(digits)) = (number, content) else {
        head(6, number, out);
        return item(content, depth, out);
    };
    let zeros = digits.iter().take_while(|&&digit| digit == 0).count();
    let digits = digits.get(zeros..).unwrap_or_default();
    if digits.len() <= size_of::<u64>() {
        let magnitude = digits.iter().fold(0, |sum, &digit| sum << 8 | u64::from(digit));
        head(u8::from(number == BIGNUM_NEGATIVE), magnitude, out);
    } else {
        head(6, number, out);
        string(2, digits, out);
    }
    Ok(())
}

/// The initial byte and its argument in the shortest form (RFC 8949 sections 3 and 4.1).
fn head(major: u8, argument: u64, out: &mut Vec<u8>) {
    let [.., b3, b2, b1, b0] = argument.to_be_bytes();
    let major = major << 5;
    match argument {
        0..=23 => out.push(major | b0),
        24..=0xff => out.extend([major | 0x18, b0]),
        0x100..=0xffff => out.extend([major | 0x19, b1, b0]),
        0x1_0000..=0xffff_ffff => out.extend([major | 0x1a, b3, b2, b1, b0]),
        _ => {
            out.push(major | 0x1b);
            out.extend(argument.to_be_bytes());
        }
    }
}

/// A `usize` is at most 64 bits on every platform of Rust.
fn length(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
