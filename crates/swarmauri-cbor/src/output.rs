//! Deterministic CBOR as it grows.

use crate::entry::{Entry, in_order, prefix};
use crate::head::{content, head};
use crate::{Error, MAX_DEPTH};

/// The one NaN (RFC 8949 section 4.2.2, the first of the choices it leaves).
const NAN: [u8; 3] = [0xf9, 0x7e, 0x00];

/// The tags of bignums (RFC 8949 section 3.4.3), as they are written.
const BIGNUM_POSITIVE: u8 = 0xc2;
const BIGNUM_NEGATIVE: u8 = 0xc3;

/// What is written here is deterministic, array by array and map by map as they end.
///
/// Entries that come in the order of their keys are written where they stay. Those of other maps are moved into
/// order once, when their map ends.
#[derive(Default)]
pub(crate) struct Output {
    bytes: Vec<u8>,
    depth: usize,
    /// The entries of all maps that are open, the innermost last.
    entries: Vec<Entry>,
    /// For moving entries; kept for the next map.
    scratch: Vec<u8>,
    /// The first error of a part, after which the whole is worth nothing.
    fault: Option<Error>,
}

/// An array that is open.
pub(crate) struct Array {
    length: Length,
    items: usize,
}

/// A map that is open.
pub(crate) struct Map {
    length: Length,
    /// Its first entry, among those of all open maps.
    first: usize,
    sorted: bool,
}

/// A tag that is open.
pub(crate) struct Tag {
    start: usize,
}

/// A length that is written before it is known for sure.
struct Length {
    start: usize,
    written: usize,
}

impl Output {
    /// All of it, unless a part could not be written: its error counts even where a `Serialize` has dropped it.
    pub(crate) fn finish(self) -> Result<Vec<u8>, Error> {
        self.fault.map_or(Ok(self.bytes), Err)
    }

    /// Remembers the error of a part.
    #[inline]
    pub(crate) fn part(&mut self, written: Result<(), Error>) -> Result<(), Error> {
        if let Err(error) = &written {
            self.fault.get_or_insert_with(|| error.clone());
        }
        written
    }

    pub(crate) fn null(&mut self) {
        self.bytes.push(0xf6);
    }

    pub(crate) fn bool(&mut self, value: bool) {
        self.bytes.push(if value { 0xf5 } else { 0xf4 });
    }

    pub(crate) fn integer(&mut self, value: i64) {
        let magnitude = if value < 0 { !value } else { value };
        self.head(u8::from(value < 0), magnitude.unsigned_abs());
    }

    pub(crate) fn unsigned(&mut self, value: u64) {
        self.head(0, value);
    }

    /// `magnitude`, or -1 - `magnitude`: a plain integer, or a bignum where it does not fit one.
    pub(crate) fn big_integer(&mut self, negative: bool, magnitude: u128) -> Result<(), Error> {
        if let Ok(magnitude) = u64::try_from(magnitude) {
            self.head(u8::from(negative), magnitude);
            return Ok(());
        }
        let tag = self.begin_tag()?;
        self.bytes.push(if negative { BIGNUM_NEGATIVE } else { BIGNUM_POSITIVE });
        self.byte_string(&magnitude.to_be_bytes());
        self.end_tag(&tag);
        Ok(())
    }

    /// In the shortest form that keeps the number, which is what ciborium writes already.
    pub(crate) fn float(&mut self, value: f64) -> Result<(), Error> {
        if value.is_nan() {
            self.bytes.extend_from_slice(&NAN);
            return Ok(());
        }
        ciborium::into_writer(&value, &mut self.bytes).map_err(|error| Error::Serialize(error.to_string()))
    }

    pub(crate) fn byte_string(&mut self, bytes: &[u8]) {
        self.head(2, length(bytes.len()));
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.head(3, length(text.len()));
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// An array of probably so many items.
    pub(crate) fn begin_array(&mut self, items: usize) -> Result<Array, Error> {
        self.enter()?;
        Ok(Array { length: self.length(4, items), items: 0 })
    }

    pub(crate) fn end_array(&mut self, array: &Array) {
        self.correct(4, &array.length, array.items);
        self.depth -= 1;
    }

    /// A map of probably so many entries.
    pub(crate) fn begin_map(&mut self, entries: usize) -> Result<Map, Error> {
        self.enter()?;
        Ok(Map { length: self.length(5, entries), first: self.entries.len(), sorted: true })
    }

    /// A key that is text. Its value is what is written next.
    pub(crate) fn key(&mut self, map: &mut Map, key: &str) -> Result<(), Error> {
        self.begin_key(map);
        self.text(key);
        match u8::try_from(key.len()) {
            // Not read back from where it was just written, which would stall.
            Ok(len @ 0..24) => self.close_key(map, prefix(std::iter::once(0x60 | len).chain(key.bytes()))),
            _ => self.end_key(map),
        }
    }

    /// Before each key.
    pub(crate) fn begin_key(&mut self, map: &Map) {
        let start = self.bytes.len();
        if let Some(before) = self.entries.get_mut(map.first..).and_then(<[_]>::last_mut) {
            before.end = start;
        }
        self.entries.push(Entry { start, key_end: start, end: start, prefix: 0 });
    }

    /// After each key. Its value is what is written next.
    pub(crate) fn end_key(&mut self, map: &mut Map) -> Result<(), Error> {
        let key = self.entries.last().and_then(|last| self.bytes.get(last.start..)).unwrap_or_default();
        self.close_key(map, prefix(key.iter().copied()))
    }

    #[inline]
    fn close_key(&mut self, map: &mut Map, prefix: u64) -> Result<(), Error> {
        if let Some(last) = self.entries.last_mut() {
            last.key_end = self.bytes.len();
            last.prefix = prefix;
        }
        if !map.sorted {
            return Ok(());
        }
        if let Some([.., before, last]) = self.entries.get(map.first..) {
            map.sorted = in_order(&self.bytes, before, last)?;
        }
        Ok(())
    }

    pub(crate) fn end_map(&mut self, map: &Map) -> Result<(), Error> {
        if !map.sorted {
            self.sort(map)?;
        }
        self.correct(5, &map.length, self.entries.len() - map.first);
        self.entries.truncate(map.first);
        self.depth -= 1;
        Ok(())
    }

    /// Into the bytewise order of the encoded keys (RFC 8949 section 4.2.1).
    fn sort(&mut self, map: &Map) -> Result<(), Error> {
        let Self { bytes, entries, scratch, .. } = self;
        let entries = entries.get_mut(map.first..).unwrap_or_default();
        let (Some(start), Some(last)) = (entries.first().map(|first| first.start), entries.last_mut()) else {
            return Ok(());
        };
        last.end = bytes.len();
        entries.sort_unstable_by(|one, other| one.compare(other, bytes));
        scratch.clear();
        let mut before: Option<&Entry> = None;
        for entry in &*entries {
            if let Some(before) = before.replace(entry) {
                in_order(bytes, before, entry)?;
            }
            scratch.extend_from_slice(bytes.get(entry.start..entry.end).unwrap_or_default());
        }
        bytes.truncate(start);
        bytes.extend_from_slice(scratch);
        Ok(())
    }

    /// A tag: its number is written next, then its content.
    pub(crate) fn begin_tag(&mut self) -> Result<Tag, Error> {
        self.enter()?;
        Ok(Tag { start: self.bytes.len() })
    }

    /// After the number, which has been written as an integer: a tag differs from it in the major type alone.
    pub(crate) fn end_number(&mut self, tag: &Tag) -> Result<(), Error> {
        match self.bytes.get_mut(tag.start) {
            Some(initial) if *initial >> 5 == 0 => {
                *initial |= 6 << 5;
                Ok(())
            }
            _ => Err(Error::Serialize("the number of a tag must be an unsigned integer".to_owned())),
        }
    }

    /// Bignums lose leading zeros, and become plain integers where they fit (RFC 8949 section 3.4.3).
    pub(crate) fn end_tag(&mut self, tag: &Tag) {
        self.depth -= 1;
        let Some([initial @ (BIGNUM_POSITIVE | BIGNUM_NEGATIVE), item @ ..]) = self.bytes.get(tag.start..)
        else {
            return;
        };
        let Some(digits) = content(2, item) else {
            return;
        };
        let zeros = digits.iter().take_while(|&&digit| digit == 0).count();
        let (initial, digits) = (*initial, digits.get(zeros..).unwrap_or_default().to_vec());
        self.bytes.truncate(tag.start);
        if digits.len() <= size_of::<u64>() {
            let magnitude = digits.iter().fold(0, |sum, &digit| sum << 8 | u64::from(digit));
            self.head(u8::from(initial == BIGNUM_NEGATIVE), magnitude);
        } else {
            self.bytes.push(initial);
            self.byte_string(&digits);
        }
    }

    fn head(&mut self, major: u8, argument: u64) {
        head(major, argument, &mut self.bytes);
    }

    fn length(&mut self, major: u8, written: usize) -> Length {
        let start = self.bytes.len();
        self.head(major, length(written));
        Length { start, written }
    }

    fn correct(&mut self, major: u8, Length { start, written }: &Length, actual: usize) {
        if *written == actual {
            return;
        }
        let (mut wrong, mut right) = (Vec::new(), Vec::new());
        head(major, length(*written), &mut wrong);
        head(major, length(actual), &mut right);
        self.bytes.splice(*start..*start + wrong.len(), right);
    }

    fn enter(&mut self) -> Result<(), Error> {
        if self.depth == MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        self.depth += 1;
        Ok(())
    }
}

impl Array {
    /// Before each item.
    pub(crate) fn another(&mut self) {
        self.items += 1;
    }
}

/// A `usize` is at most 64 bits on every platform of Rust.
fn length(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
