//! Canonical JSON: the JSON Canonicalization Scheme (RFC 8785).
//!
//! Equal data gives equal bytes: members sorted by the UTF-16 code units of their names, no white space,
//! ECMAScript numbers, UTF-8. Use it for what is hashed, signed or compared.
//!
//! ```
//! use std::collections::HashMap;
//!
//! let jwk = HashMap::from([("kty", "OKP"), ("x", "11qY…"), ("crv", "Ed25519")]);
//! assert_eq!(
//!     swarmauri_jsoncanon::to_string(&jwk)?,
//!     r#"{"crv":"Ed25519","kty":"OKP","x":"11qY…"}"#
//! );
//! assert_eq!(swarmauri_jsoncanon::canonicalize(b"[1E30, 4.50, -0]")?, b"[1e+30,4.5,0]");
//! assert!(swarmauri_jsoncanon::canonicalize(br#"{"kid":"a","kid":"b"}"#).is_err());
//! # Ok::<(), swarmauri_jsoncanon::Error>(())
//! ```
//!
//! Reading is strict, as I-JSON (RFC 7493) asks: duplicate member names, lone surrogates, invalid UTF-8 and
//! anything after the value are errors, and so is text over [`MAX_LEN`] or nested deeper than [`MAX_DEPTH`].
//!
//! Numbers are those of ECMAScript, IEEE 754 double precision. *Text* is rounded to the nearest double, as
//! RFC 8785 section 3.2.2.3 says. *Values* are not rounded behind the caller's back: an integer outside
//! ±(2^53 - 1), where doubles no longer tell neighbours apart, is an error; write it as a string (RFC 8785
//! appendix D).
//!
//! Members that come in canonical order cost little; those of other objects are moved once. A JWKS of 10,000 P-256
//! keys, which comes in order, takes 1.4 times what `serde_json::to_vec` takes (Ed25519: 1.5 times), by the
//! fastest of 201 turns of each: `cargo bench -p swarmauri-jsoncanon`, which also runs `serde_jcs`. Medians are in
//! `docs/benchmarks.md`, made by `cargo xtask bench`.
//!
//! It does not normalise Unicode (RFC 8785 section 3.1 forbids that), does not keep `serde_json::RawValue` or
//! `arbitrary_precision` numbers (both are errors, never silently altered), and does not wipe memory: it is
//! not for secrets.

mod compound;
mod error;
mod order;
mod output;
mod parse;
mod ser;

use serde::{Deserialize, Serialize};

pub use error::Error;

/// The media type of what this crate writes (RFC 8259 section 11; RFC 8785 registers none of its own).
pub const MEDIA_TYPE: &str = "application/json";

/// The longest text that is read, in bytes.
pub const MAX_LEN: usize = 4 * 1024 * 1024;

/// The deepest nesting of arrays and objects, read and written.
pub const MAX_DEPTH: usize = 100;

/// The canonical form of a value, as UTF-8 bytes.
///
/// # Errors
///
/// If the value has no canonical form: NaN or an infinity, an integer outside ±(2^53 - 1), two members of
/// one name, a member name that is no string, number, or truth value, nesting deeper than [`MAX_DEPTH`]; or
/// if its `Serialize` fails.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    ser::to_vec(value)
}

/// The canonical form of a value, as a string.
///
/// # Errors
///
/// Those of [`to_vec`].
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    String::from_utf8(to_vec(value)?).map_err(|error| Error::Serialize(error.to_string()))
}

/// The canonical form of JSON text (RFC 8785 section 3.2).
///
/// # Errors
///
/// If the text is not I-JSON (RFC 7493): not JSON, not UTF-8, a lone surrogate, two members of one name, a
/// number beyond double precision, anything after the value; or if it exceeds [`MAX_LEN`] or [`MAX_DEPTH`].
pub fn canonicalize(text: &[u8]) -> Result<Vec<u8>, Error> {
    parse::parse(text)
}

/// Reads a value from JSON text, canonical or not, with the strictness of [`canonicalize`].
///
/// # Errors
///
/// Those of [`canonicalize`], and [`Error::Mismatch`] if the text does not fit `T`.
pub fn from_slice<'de, T: Deserialize<'de>>(text: &'de [u8]) -> Result<T, Error> {
    parse::parse(text)?;
    read(text)
}

/// Reads a value from canonical JSON text, and refuses any other.
///
/// # Errors
///
/// Those of [`from_slice`], and [`Error::NotCanonical`] if the text is not byte for byte its own canonical
/// form: white space, members out of order, numbers or escapes written in another way.
pub fn from_slice_canonical<'de, T: Deserialize<'de>>(text: &'de [u8]) -> Result<T, Error> {
    if canonicalize(text)? != text {
        return Err(Error::NotCanonical);
    }
    read(text)
}

fn read<'de, T: Deserialize<'de>>(text: &'de [u8]) -> Result<T, Error> {
    serde_json::from_slice(text).map_err(|error| Error::from_json(&error))
}
