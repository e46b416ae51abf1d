//! The outer form of what is stored: an array in deterministic CBOR, whose first item is the number of the format.

use swarmauri_cbor::{Value, from_slice_deterministic, value_to_vec};
use swarmauri_keys::KeyError;

/// The format that is written, and the only one that is read.
pub(crate) const FORMAT: u64 = 1;

/// The bytes of these items behind the number of the format.
pub(crate) fn write(items: impl IntoIterator<Item = Value>) -> Result<Vec<u8>, KeyError> {
    let items = [Value::from(FORMAT)].into_iter().chain(items).collect();
    value_to_vec(&Value::Array(items))
        .map_err(|error| KeyError::invalid_state(format!("what is to be stored has no encoding: {error}")))
}

/// The items behind the number of the format.
pub(crate) fn read<const N: usize>(place: &str, bytes: &[u8]) -> Result<[Value; N], KeyError> {
    let value = from_slice_deterministic(bytes).map_err(|error| damaged(place, error))?;
    let Value::Array(mut items) = value else { return Err(damaged(place, "it is no array")) };
    if items.is_empty() {
        return Err(damaged(place, "it is empty"));
    }
    check_format(place, number(&items.remove(0)).ok_or_else(|| damaged(place, "it has no format"))?)?;
    items.try_into().map_err(|_| damaged(place, "it has not the parts of its format"))
}

/// Refuses what another version has written.
pub(crate) fn check_format(place: &str, format: u64) -> Result<(), KeyError> {
    if format == FORMAT {
        return Ok(());
    }
    Err(damaged(
        place,
        format!(
            "it is of format {format}, and this version reads format {FORMAT} only; it was written by another version, \
             or is damaged"
        ),
    ))
}

/// The error of what is not as it was written. It names the place, and no contents.
pub(crate) fn damaged(place: &str, reason: impl std::fmt::Display) -> KeyError {
    KeyError::integrity(format!("{place} cannot be read: {reason}"))
}

pub(crate) fn number(value: &Value) -> Option<u64> {
    value.as_integer().and_then(|number| number.try_into().ok())
}

pub(crate) fn bytes(value: Value) -> Option<Vec<u8>> {
    value.into_bytes().ok()
}
