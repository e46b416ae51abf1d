//! Deterministic CBOR (RFC 8949 section 4.2.1) and COSE keys (RFC 9052 section 7).
//!
//! Equal data gives equal bytes: shortest integers, lengths and floats, definite lengths, map entries in the
//! bytewise order of their encoded keys, one NaN. Use it for what is hashed, signed or compared.
//!
//! ```
//! use std::collections::HashMap;
//! use swarmauri_cbor::{Error, from_slice, from_slice_deterministic, to_vec};
//!
//! let encoded = to_vec(&HashMap::from([("crv", 6), ("kty", 1)]))?;
//! assert_eq!(encoded, b"\xa2\x63crv\x06\x63kty\x01");
//!
//! let unsorted = b"\xa2\x63kty\x01\x63crv\x06";
//! assert!(from_slice::<HashMap<String, u8>>(unsorted).is_ok());
//! let refused = from_slice_deterministic::<HashMap<String, u8>>(unsorted);
//! assert_eq!(refused, Err(Error::NotDeterministic));
//! # Ok::<(), Error>(())
//! ```
//!
//! Reading is strict: duplicate map keys, invalid UTF-8 and anything after the item are errors, and so is
//! input over [`MAX_LEN`] or nested deeper than [`MAX_DEPTH`]. Lengths that the input merely declares
//! reserve no memory. [`cose`] maps public JSON Web Keys to COSE keys and back.
//!
//! Entries that come in order cost little; those of other maps are moved once. A JWKS of 10,000 P-256 keys, which
//! comes in order, takes 1.5 times what `ciborium::into_writer` takes (Ed25519: 1.7 times), and a COSE_KeySet of the
//! same keys less than `ciborium` takes for its items (0.9 and 0.7 times), by the fastest of 201 turns of each:
//! `cargo bench -p swarmauri-cbor`. Medians are in `docs/benchmarks.md`, made by `cargo xtask bench`.
//!
//! It knows no simple values but false, true and null (`undefined` is an error), and no NaN payloads; it does
//! not check what tags mean, except for bignums; and it does not wipe memory: it is not for secrets.

mod compound;
pub mod cose;
mod decode;
mod entry;
mod error;
mod head;
mod output;
mod ser;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use ciborium::Value;
pub use error::Error;

/// The media type of what this crate writes (RFC 8949 section 9.3); COSE keys have [their own](cose).
pub const MEDIA_TYPE: &str = "application/cbor";

/// The longest input that is read, in bytes.
pub const MAX_LEN: usize = 4 * 1024 * 1024;

/// The deepest nesting of arrays, maps and tags, read and written.
pub const MAX_DEPTH: usize = 100;

/// The deterministic encoding of a value.
///
/// # Errors
///
/// If the value has none: two entries of one map with the same key, nesting deeper than [`MAX_DEPTH`]; or if
/// its `Serialize` fails.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    ser::to_vec(value)
}

/// The deterministic encoding of a CBOR item.
///
/// Bignums (tags 2 and 3) lose leading zeros, and become plain integers where they fit 64 bits.
///
/// # Errors
///
/// [`Error::DuplicateKey`] and [`Error::TooDeep`].
pub fn value_to_vec(value: &Value) -> Result<Vec<u8>, Error> {
    ser::to_vec(value)
}

/// Reads a value from CBOR, deterministic or not.
///
/// # Errors
///
/// If the input is not one valid item of at most [`MAX_LEN`] bytes and [`MAX_DEPTH`] levels, and
/// [`Error::Mismatch`] if that item does not fit `T`.
pub fn from_slice<T: DeserializeOwned>(input: &[u8]) -> Result<T, Error> {
    read(&value_from_slice(input)?)
}

/// Reads a value from deterministically encoded CBOR, and refuses any other.
///
/// # Errors
///
/// Those of [`from_slice`], and [`Error::NotDeterministic`].
pub fn from_slice_deterministic<T: DeserializeOwned>(input: &[u8]) -> Result<T, Error> {
    let (value, deterministic) = parse(input)?;
    if deterministic != input {
        return Err(Error::NotDeterministic);
    }
    read(&value)
}

/// Reads a CBOR item, deterministic or not.
///
/// # Errors
///
/// Those of [`from_slice`], except [`Error::Mismatch`].
pub fn value_from_slice(input: &[u8]) -> Result<Value, Error> {
    parse(input).map(|(value, _)| value)
}

/// The item, and its deterministic encoding: equal keys show only there, however the input wrote them.
fn parse(input: &[u8]) -> Result<(Value, Vec<u8>), Error> {
    let value = decode::decode(input)?;
    let deterministic = ser::to_vec(&value)?;
    Ok((value, deterministic))
}

/// The messages of ciborium quote values and are dropped.
fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
    value.deserialized().map_err(|_| Error::Mismatch)
}
