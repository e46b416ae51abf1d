//! Canonical text as it grows.

use crate::order::{compare, name};
use crate::{Error, MAX_DEPTH};

/// What is written here is in canonical form, object by object as they end.
///
/// Members that come in canonical order are written where they stay. Those of other objects are moved into
/// order once, when their object ends.
#[derive(Default)]
pub(crate) struct Output {
    text: Vec<u8>,
    depth: usize,
    /// The members of all objects that are open, the innermost last.
    members: Vec<Member>,
    /// For moving members; kept for the next object.
    scratch: Vec<u8>,
    /// The first error of a part, after which the whole is worth nothing.
    fault: Option<Error>,
}

/// Where the text of a member is.
struct Member {
    start: usize,
    name_end: usize,
    end: usize,
}

/// An array that is open.
pub(crate) struct Array {
    empty: bool,
}

/// An object that is open.
pub(crate) struct Object {
    /// Its first member, among those of all open objects.
    first: usize,
    sorted: bool,
}

impl Output {
    /// With room for so many bytes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { text: Vec::with_capacity(capacity), ..Self::default() }
    }

    /// All of it, unless a part could not be written: its error counts even where a `Serialize` has dropped it.
    pub(crate) fn finish(self) -> Result<Vec<u8>, Error> {
        self.fault.map_or(Ok(self.text), Err)
    }

    /// Remembers the error of a part.
    #[inline]
    pub(crate) fn part(&mut self, written: Result<(), Error>) -> Result<(), Error> {
        if let Err(error) = &written {
            self.fault.get_or_insert_with(|| error.clone());
        }
        written
    }

    /// `null`, `true` or `false`.
    pub(crate) fn literal(&mut self, literal: &'static str) {
        self.text.extend_from_slice(literal.as_bytes());
    }

    /// As ECMAScript writes it (RFC 8785 section 3.2.2.3).
    pub(crate) fn number(&mut self, number: f64) -> Result<(), Error> {
        if !number.is_finite() {
            return Err(Error::NotFinite);
        }
        self.text.extend_from_slice(ryu_js::Buffer::new().format_finite(number).as_bytes());
        Ok(())
    }

    /// With the escapes of RFC 8785 section 3.2.2.2, which are those of `serde_json`.
    pub(crate) fn string(&mut self, string: &str) -> Result<(), Error> {
        if !is_plain(string.as_bytes()) {
            return serde_json::to_writer(&mut self.text, string)
                .map_err(|error| Error::Serialize(error.to_string()));
        }
        self.text.reserve(string.len() + 2);
        self.text.push(b'"');
        self.text.extend_from_slice(string.as_bytes());
        self.text.push(b'"');
        Ok(())
    }

    pub(crate) fn begin_array(&mut self) -> Result<Array, Error> {
        self.enter()?;
        self.text.push(b'[');
        Ok(Array { empty: true })
    }

    /// Before each item.
    pub(crate) fn item(&mut self, array: &mut Array) {
        if !array.empty {
            self.text.push(b',');
        }
        array.empty = false;
    }

    pub(crate) fn end_array(&mut self) {
        self.text.push(b']');
        self.depth -= 1;
    }

    pub(crate) fn begin_object(&mut self) -> Result<Object, Error> {
        self.enter()?;
        self.text.push(b'{');
        Ok(Object { first: self.members.len(), sorted: true })
    }

    /// A member's name. Its value is what is written next.
    pub(crate) fn name(&mut self, object: &mut Object, name: &str) -> Result<(), Error> {
        self.begin_name(object);
        self.string(name)?;
        self.end_name(object)
    }

    /// Before a name that is written as a string.
    pub(crate) fn begin_name(&mut self, object: &Object) {
        let here = self.text.len();
        let mut start = here;
        if let Some(before) = self.members.get_mut(object.first..).and_then(<[_]>::last_mut) {
            before.end = here;
            self.text.push(b',');
            start += 1;
        }
        self.members.push(Member { start, name_end: start, end: start });
    }

    /// After such a name.
    pub(crate) fn end_name(&mut self, object: &mut Object) -> Result<(), Error> {
        if let Some(last) = self.members.last_mut() {
            last.name_end = self.text.len();
        }
        self.text.push(b':');
        if !object.sorted {
            return Ok(());
        }
        if let Some([.., before, last]) = self.members.get(object.first..) {
            object.sorted = in_order(&self.text, before, last)?;
        }
        Ok(())
    }

    pub(crate) fn end_object(&mut self, object: &Object) -> Result<(), Error> {
        if !object.sorted {
            self.sort(object)?;
        }
        self.members.truncate(object.first);
        self.text.push(b'}');
        self.depth -= 1;
        Ok(())
    }

    fn sort(&mut self, object: &Object) -> Result<(), Error> {
        let Self { text, members, scratch, .. } = self;
        let members = members.get_mut(object.first..).unwrap_or_default();
        let (Some(start), Some(last)) = (members.first().map(|first| first.start), members.last_mut()) else {
            return Ok(());
        };
        last.end = text.len();
        members.sort_unstable_by(|one, other| compare(one.name(text), other.name(text)));
        scratch.clear();
        let mut before: Option<&Member> = None;
        for member in &*members {
            if let Some(before) = before.replace(member) {
                in_order(text, before, member)?;
                scratch.push(b',');
            }
            scratch.extend_from_slice(text.get(member.start..member.end).unwrap_or_default());
        }
        text.truncate(start);
        text.extend_from_slice(scratch);
        Ok(())
    }

    fn enter(&mut self) -> Result<(), Error> {
        if self.depth == MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        self.depth += 1;
        Ok(())
    }
}

impl Member {
    /// As it is written, without quotation marks.
    fn name<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        text.get(self.start + 1..self.name_end - 1).unwrap_or_default()
    }
}

/// Whether one member comes before the other. Two of one name are an error.
fn in_order(text: &[u8], one: &Member, other: &Member) -> Result<bool, Error> {
    match compare(one.name(text), other.name(text)) {
        std::cmp::Ordering::Less => Ok(true),
        std::cmp::Ordering::Greater => Ok(false),
        std::cmp::Ordering::Equal => Err(Error::DuplicateName(name(one.name(text)))),
    }
}

/// Whether a string is written as it is. Looks at many bytes at once: most strings are plain.
fn is_plain(bytes: &[u8]) -> bool {
    let (blocks, rest) = bytes.as_chunks();
    blocks.iter().all(is_plain_block)
        && match bytes.last_chunk() {
            // Some bytes twice, which costs less than each by itself.
            Some(last) => is_plain_block(last),
            None => !rest.iter().copied().any(is_escaped),
        }
}

fn is_plain_block(block: &[u8; 16]) -> bool {
    !block.iter().fold(false, |any, &byte| any | is_escaped(byte))
}

fn is_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}
