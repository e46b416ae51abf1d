//! How entries and the state of the store lie in the database, and the checksums over them.
//!
//! The checksums are against damage and mishaps. They are not keyed: whoever writes to the file on purpose can make
//! them fit.

use ::redb::TableDefinition;
use sha2::{Digest as _, Sha256};

use crate::{Revision, StoreKey};

/// Entries by key, each as [`encode`] makes it.
pub(super) const ENTRIES: TableDefinition<&[u8], &[u8]> = TableDefinition::new("entries");

/// [`FORMAT_KEY`] and [`STATE_KEY`].
pub(super) const META: TableDefinition<&str, &[u8]> = TableDefinition::new("swarmauri-keystore");

/// Where the format's version is, in four bytes, little-endian. It stays there in every format.
pub(super) const FORMAT_KEY: &str = "format";

/// The version of the format that this code reads and writes.
pub(super) const FORMAT: u32 = 1;

/// Where the [`State`] is.
pub(super) const STATE_KEY: &str = "state";

const REVISION_LEN: usize = 8;
const SUM_LEN: usize = 32;

/// What is stored is not what was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damaged;

/// A stored entry whose checksum fits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) revision: Revision,
    pub(super) sum: Sum,
    pub(super) value: &'a [u8],
}

/// The bytes to store at a key: revision, checksum, value.
pub(super) fn encode(key: &StoreKey, revision: Revision, value: &[u8]) -> (Vec<u8>, Sum) {
    let sum = Sum::of_entry(key.as_bytes(), revision, value);
    let mut stored = Vec::with_capacity(REVISION_LEN + SUM_LEN + value.len());
    stored.extend_from_slice(&revision.get().to_le_bytes());
    stored.extend_from_slice(&sum.to_bytes());
    stored.extend_from_slice(value);
    (stored, sum)
}

/// What is stored at a key, if it is what was written there.
pub(super) fn decode<'a>(key: &[u8], stored: &'a [u8]) -> Result<Record<'a>, Damaged> {
    let (revision, rest) = number(stored)?;
    let (sum, value) = rest.split_first_chunk::<SUM_LEN>().ok_or(Damaged)?;
    let (revision, sum) = (Revision::new(revision), Sum::from_bytes(sum));
    let fits = sum == Sum::of_entry(key, revision, value);
    if fits { Ok(Record { revision, sum, value }) } else { Err(Damaged) }
}

fn number(bytes: &[u8]) -> Result<(u64, &[u8]), Damaged> {
    let (number, rest) = bytes.split_first_chunk::<REVISION_LEN>().ok_or(Damaged)?;
    Ok((u64::from_le_bytes(*number), rest))
}

/// What the store as a whole must add up to. It changes in the transaction of every write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct State {
    /// Of the last write, also if that was a deletion.
    pub(super) revision: Revision,
    /// How many entries there are.
    pub(super) count: u64,
    /// The checksums of all entries, added up.
    pub(super) sum: Sum,
}

impl State {
    pub(super) fn add(&mut self, entry: Sum) {
        self.count = self.count.wrapping_add(1);
        self.sum = self.sum.plus(entry);
    }

    pub(super) fn remove(&mut self, entry: Sum) {
        self.count = self.count.wrapping_sub(1);
        self.sum = self.sum.minus(entry);
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut stored = Vec::new();
        stored.extend_from_slice(&self.revision.get().to_le_bytes());
        stored.extend_from_slice(&self.count.to_le_bytes());
        stored.extend_from_slice(&self.sum.to_bytes());
        let check = Sum::hash(b"swarmauri-keystore state 1", &[&stored]);
        stored.extend_from_slice(&check.to_bytes());
        stored
    }

    pub(super) fn decode(stored: &[u8]) -> Result<Self, Damaged> {
        let (revision, rest) = number(stored)?;
        let (count, rest) = number(rest)?;
        let sum = rest.first_chunk::<SUM_LEN>().ok_or(Damaged)?;
        let state = Self { revision: Revision::new(revision), count, sum: Sum::from_bytes(sum) };
        if state.encode() == stored { Ok(state) } else { Err(Damaged) }
    }
}

/// A SHA-256 hash, as a number of 256 bits that can be added and subtracted; four words, the lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sum([u64; 4]);

impl Sum {
    fn of_entry(key: &[u8], revision: Revision, value: &[u8]) -> Self {
        let key_len = u64::try_from(key.len()).unwrap_or(u64::MAX).to_le_bytes();
        let revision = revision.get().to_le_bytes();
        Self::hash(b"swarmauri-keystore entry 1", &[&key_len, key, &revision, value])
    }

    fn hash(domain: &[u8], parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new_with_prefix(domain);
        for part in parts {
            hash.update(part);
        }
        Self::from_bytes(&hash.finalize().into())
    }

    fn from_bytes(bytes: &[u8; SUM_LEN]) -> Self {
        let mut words = [0; 4];
        for (word, chunk) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_le_bytes(*chunk);
        }
        Self(words)
    }

    fn to_bytes(self) -> [u8; SUM_LEN] {
        let mut bytes = [0; SUM_LEN];
        for (word, chunk) in self.0.iter().zip(bytes.as_chunks_mut().0) {
            *chunk = word.to_le_bytes();
        }
        bytes
    }

    fn plus(mut self, other: Self) -> Self {
        let mut carry = false;
        for (word, more) in self.0.iter_mut().zip(other.0) {
            (*word, carry) = word.carrying_add(more, carry);
        }
        self
    }

    fn minus(mut self, other: Self) -> Self {
        let mut borrow = false;
        for (word, less) in self.0.iter_mut().zip(other.0) {
            (*word, borrow) = word.borrowing_sub(less, borrow);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_of_its_key_its_revision_and_its_value() {
        let (key, revision) = (StoreKey::new("key").unwrap(), Revision::new(7));
        let (stored, sum) = encode(&key, revision, b"value");
        assert_eq!(decode(b"key", &stored), Ok(Record { revision, sum, value: b"value" }));
        assert_eq!(decode(b"kex", &stored), Err(Damaged));
        for at in 0..stored.len() {
            let mut bad = stored.clone();
            bad[at] ^= 1;
            assert_eq!(decode(b"key", &bad), Err(Damaged), "{at}");
            assert_eq!(decode(b"key", &stored[..at]), Err(Damaged), "{at}");
        }
    }

    #[test]
    fn the_state_adds_up_in_any_order() {
        let sums = [[u64::MAX; 4], [1, 0, 0, 0], [u64::MAX, 0, 7, u64::MAX]].map(Sum);
        let mut state = State::default();
        for sum in sums {
            state.add(sum);
        }
        let stored = state.encode();
        assert_eq!(State::decode(&stored), Ok(state));
        for at in 0..stored.len() {
            let mut bad = stored.clone();
            bad[at] ^= 1;
            assert_eq!(State::decode(&bad), Err(Damaged), "{at}");
        }
        assert_eq!(State::decode(&[&stored[..], &[0]].concat()), Err(Damaged));
        for sum in sums.into_iter().rev() {
            state.remove(sum);
        }
        assert_eq!(state, State::default());
    }
}
