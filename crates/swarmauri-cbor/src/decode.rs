//! The strict decoder.

use crate::{Error, MAX_DEPTH, MAX_LEN, Value};

/// Finds everything but repeated map keys, which show in the encoder: it has to sort them anyway.
pub(crate) fn decode(input: &[u8]) -> Result<Value, Error> {
    if input.len() > MAX_LEN {
        return Err(Error::TooLong);
    }
    let mut reader = Reader { input, offset: 0 };
    let value = reader.item(0)?;
    if reader.remaining() > 0 {
        return Err(Error::Trailing { offset: reader.offset });
    }
    Ok(value)
}

/// The depth inside one more array, map or tag.
fn deeper(depth: usize) -> Result<usize, Error> {
    if depth < MAX_DEPTH { Ok(depth + 1) } else { Err(Error::TooDeep) }
}

/// Never reserves memory for what the input only declares.
struct Reader<'a> {
    input: &'a [u8],
    offset: usize,
}

/// An initial byte with its argument (RFC 8949 section 3).
struct Head {
    offset: usize,
    major: u8,
    info: u8,
    /// `None` for an indefinite length, or a break.
    argument: Option<u64>,
}

const BREAK: u8 = 0xff;

impl<'a> Reader<'a> {
    fn item(&mut self, depth: usize) -> Result<Value, Error> {
        let head = self.head()?;
        match head.major {
            0 => Ok(Value::Integer(head.definite()?.into())),
            1 => self.negative(&head),
            2 => self.bytes(&head).map(Value::Bytes),
            3 => self.text(&head),
            4 => self.array(&head, deeper(depth)?),
            5 => self.map(&head, deeper(depth)?),
            6 => Ok(Value::Tag(head.definite()?, Box::new(self.item(deeper(depth)?)?))),
            _ => self.float_or_simple(&head),
        }
    }

    fn head(&mut self) -> Result<Head, Error> {
        let offset = self.offset;
        let [initial] = self.take_array()?;
        let (major, info) = (initial >> 5, initial & 0x1f);
        let argument = match info {
            0..=23 => Some(info.into()),
            24 => Some(u8::from_be_bytes(self.take_array()?).into()),
            25 => Some(u16::from_be_bytes(self.take_array()?).into()),
            26 => Some(u32::from_be_bytes(self.take_array()?).into()),
            27 => Some(u64::from_be_bytes(self.take_array()?)),
            31 => None,
            _ => {
                return Err(Error::Malformed { offset, reason: "reserved additional information" });
            }
        };
        Ok(Head { offset, major, info, argument })
    }

    fn negative(&self, head: &Head) -> Result<Value, Error> {
        let value = -1 - i128::from(head.definite()?);
        value.try_into().map(Value::Integer).map_err(|_| self.malformed("integer out of range"))
    }

    fn bytes(&mut self, head: &Head) -> Result<Vec<u8>, Error> {
        self.chunks(head, |_, chunk| Ok(chunk.to_vec()), Vec::extend)
    }

    fn text(&mut self, head: &Head) -> Result<Value, Error> {
        // A character may not be split between chunks (RFC 8949 section 3.2.3).
        let decode = |offset, chunk| match str::from_utf8(chunk) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(Error::Malformed { offset, reason: "text is not UTF-8" }),
        };
        self.chunks(head, decode, |text: &mut String, chunk| text.push_str(&chunk)).map(Value::Text)
    }

    /// A string of one part, or of definite-length chunks of its own major type up to a break.
    fn chunks<T: Default>(
        &mut self,
        head: &Head,
        decode: impl Fn(usize, &'a [u8]) -> Result<T, Error>,
        append: impl Fn(&mut T, T),
    ) -> Result<T, Error> {
        if let Some(len) = head.argument {
            return decode(head.offset, self.take(len)?);
        }
        let mut whole = T::default();
        while !self.at_break()? {
            let chunk = self.head()?;
            match chunk.argument {
                Some(len) if chunk.major == head.major => {
                    append(&mut whole, decode(chunk.offset, self.take(len)?)?);
                }
                _ => {
                    return Err(Error::Malformed {
                        offset: chunk.offset,
                        reason: "not a chunk of the string",
                    });
                }
            }
        }
        Ok(whole)
    }

    fn array(&mut self, head: &Head, depth: usize) -> Result<Value, Error> {
        let mut items = Vec::new();
        let mut left = self.declared(head, 1)?;
        while self.another(&mut left)? {
            items.push(self.item(depth)?);
        }
        Ok(Value::Array(items))
    }

    fn map(&mut self, head: &Head, depth: usize) -> Result<Value, Error> {
        let mut entries = Vec::new();
        let mut left = self.declared(head, 2)?;
        while self.another(&mut left)? {
            entries.push((self.item(depth)?, self.item(depth)?));
        }
        Ok(Value::Map(entries))
    }

    fn float_or_simple(&mut self, head: &Head) -> Result<Value, Error> {
        match (head.info, head.argument) {
            (20, _) => Ok(Value::Bool(false)),
            (21, _) => Ok(Value::Bool(true)),
            (22, _) => Ok(Value::Null),
            (24, Some(0..=31)) => {
                Err(Error::Malformed { offset: head.offset, reason: "reserved simple value" })
            }
            (25..=27, _) => {
                let encoded = self.input.get(head.offset..self.offset).unwrap_or_default();
                ciborium::from_reader(encoded).map(Value::Float).map_err(|_| self.malformed("not a float"))
            }
            (31, _) => Err(Error::Malformed { offset: head.offset, reason: "break outside of an item" }),
            _ => Err(Error::SimpleValue { offset: head.offset }),
        }
    }

    /// The number of items or entries to come, of which each takes at least `least` bytes.
    fn declared(&self, head: &Head, least: u64) -> Result<Option<u64>, Error> {
        let room = self.remaining() as u64 / least;
        match head.argument {
            Some(count) if count > room => Err(self.malformed("more items declared than there are bytes")),
            count => Ok(count),
        }
    }

    /// Whether one more item or entry follows; counts it off, or skips the break.
    fn another(&mut self, left: &mut Option<u64>) -> Result<bool, Error> {
        match left {
            None => Ok(!self.at_break()?),
            Some(0) => Ok(false),
            Some(count) => {
                *count -= 1;
                Ok(true)
            }
        }
    }

    fn at_break(&mut self) -> Result<bool, Error> {
        match self.input.get(self.offset) {
            None => Err(self.malformed("unexpected end")),
            Some(&BREAK) => {
                self.offset += 1;
                Ok(true)
            }
            Some(_) => Ok(false),
        }
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8], Error> {
        let taken = usize::try_from(len)
            .ok()
            .and_then(|len| self.input.get(self.offset..)?.get(..len))
            .ok_or(self.malformed("unexpected end"))?;
        self.offset += taken.len();
        Ok(taken)
    }

    fn take_array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        self.take(N as u64)?.try_into().map_err(|_| self.malformed("unexpected end"))
    }

    fn remaining(&self) -> usize {
        self.input.len().saturating_sub(self.offset)
    }

    fn malformed(&self, reason: &'static str) -> Error {
        Error::Malformed { offset: self.offset, reason }
    }
}

impl Head {
    fn definite(&self) -> Result<u64, Error> {
        self.argument.ok_or(Error::Malformed {
            offset: self.offset,
            reason: "an indefinite length has no meaning here",
        })
    }
}
