//! The form in which the map lies in a store.

use serde::{Deserialize, Serialize};
use swarmauri_keys::{KeyError, KeyId};
use swarmauri_keystore::StoreKey;

use super::store_failed;
use crate::map::KidRecord;

/// What all keys of the mirror in a store start with.
pub(super) const ROOT: &[u8] = b"mirror/";
/// `mirror/key/<kid>`: the record of a key.
pub(super) const RECORD: &[u8] = b"mirror/key/";
/// `mirror/intent/<tag>`: a create under way on a primary that takes no `kid`.
pub(super) const INTENT: &[u8] = b"mirror/intent/";
/// Says that the replicas of earlier processes are all in the map.
pub(super) const COMPLETE: &[u8] = b"mirror/complete";

/// The version of the form in which records are written.
const FORMAT: u32 = 1;

/// A record as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u32,
    record: KidRecord,
}

pub(super) fn store_key(bytes: &[u8]) -> Result<StoreKey, KeyError> {
    StoreKey::new(bytes).map_err(|error| store_failed(&error))
}

pub(super) fn record_key(kid: &KeyId) -> Result<StoreKey, KeyError> {
    store_key(&[RECORD, kid.as_str().as_bytes()].concat())
}

pub(super) fn intent_key(tag: &str) -> Result<StoreKey, KeyError> {
    store_key(&[INTENT, tag.as_bytes()].concat())
}

pub(super) fn kid_of(bytes: &[u8]) -> Result<KeyId, KeyError> {
    let kid = std::str::from_utf8(bytes).ok().and_then(|kid| KeyId::new(kid).ok());
    kid.ok_or_else(|| KeyError::integrity("the mirror's state has a record under what is no kid"))
}

pub(super) fn tag_of(bytes: &[u8]) -> Result<String, KeyError> {
    let tag = std::str::from_utf8(bytes).map(str::to_owned);
    tag.map_err(|_| KeyError::integrity("the mirror's state has an intent under what is no text"))
}

pub(super) fn write_record(record: &KidRecord) -> Result<Vec<u8>, KeyError> {
    serde_json::to_vec(&Written { format: FORMAT, record: record.clone() })
        .map_err(|error| KeyError::invalid_state(format!("a record of the mirror's state: {error}")))
}

pub(super) fn read_record(kid: &KeyId, value: &[u8]) -> Result<KidRecord, KeyError> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let damaged = |error: &dyn std::fmt::Display| {
        KeyError::integrity(format!("the record of {kid} in the mirror's state cannot be read: {error}"))
    };
    let Format { format } = serde_json::from_slice(value).map_err(|error| damaged(&error))?;
    if format != FORMAT {
        return Err(damaged(&format!("its format is {format}, and this version knows {FORMAT} only")));
    }
    let written: Written = serde_json::from_slice(value).map_err(|error| damaged(&error))?;
    Ok(written.record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::Whole;

    #[test]
    fn a_record_is_written_in_a_form_that_does_not_change() {
        let tombstone = KidRecord { whole: Whole::Destroyed, ..KidRecord::default() };
        let text = String::from_utf8(write_record(&tombstone).unwrap()).unwrap();
        assert_eq!(text, r#"{"format":1,"record":{"whole":"destroyed"}}"#);
        let kid = KeyId::new("k").unwrap();
        assert_eq!(read_record(&kid, text.as_bytes()).unwrap(), tombstone);
    }
}
