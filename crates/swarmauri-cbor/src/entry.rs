//! The entries of maps, and the order of their keys (RFC 8949 section 4.2.1).

use std::cmp::Ordering;

use crate::Error;

/// Where an entry is.
pub(crate) struct Entry {
    pub(crate) start: usize,
    pub(crate) key_end: usize,
    pub(crate) end: usize,
    /// How its key begins: one comparison of numbers tells most keys apart.
    pub(crate) prefix: u64,
}

impl Entry {
    pub(crate) fn key<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        bytes.get(self.start..self.key_end).unwrap_or_default()
    }

    pub(crate) fn compare(&self, other: &Self, bytes: &[u8]) -> Ordering {
        self.prefix.cmp(&other.prefix).then_with(|| self.key(bytes).cmp(other.key(bytes)))
    }
}

/// Whether one entry comes before the other. Two of one key are an error.
pub(crate) fn in_order(bytes: &[u8], one: &Entry, other: &Entry) -> Result<bool, Error> {
    match one.compare(other, bytes) {
        Ordering::Less => Ok(true),
        Ordering::Greater => Ok(false),
        Ordering::Equal => Err(Error::DuplicateKey),
    }
}

/// The first eight bytes of a key, as a number that sorts as they do. No encoded item begins with another, so that
/// zeros after a shorter one tell nothing wrong.
#[inline]
pub(crate) fn prefix(key: impl Iterator<Item = u8>) -> u64 {
    let add = |(first, bits), byte| (first << 8 | u64::from(byte), bits + 8);
    let (first, bits) = key.take(size_of::<u64>()).fold((0_u64, 0), add);
    first.checked_shl(u64::BITS - bits).unwrap_or(0)
}
