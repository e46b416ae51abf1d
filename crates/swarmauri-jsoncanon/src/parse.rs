//! From text to canonical text, checked.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

use crate::output::{Array, Object, Output};
use crate::{Error, MAX_LEN};

/// What `serde_json` names its own wrappers under the features `raw_value` and `arbitrary_precision`.
const PRIVATE_PREFIX: &str = "$serde_json::private::";

/// The canonical form of a text.
pub(crate) fn parse(text: &[u8]) -> Result<Vec<u8>, Error> {
    if text.len() > MAX_LEN {
        return Err(Error::TooLong);
    }
    let mut out = Output::with_capacity(text.len());
    let mut fault = None;
    let mut reader = serde_json::Deserializer::from_slice(text);
    let parsed = Parser { out: &mut out, fault: &mut fault }.deserialize(&mut reader);
    match parsed.and_then(|()| reader.end()) {
        Ok(()) => out.finish(),
        Err(error) => Err(fault.unwrap_or_else(|| Error::from_json(&error))),
    }
}

/// Under `arbitrary_precision`, `serde_json` shows a number as an object with such a name, and an object that
/// was written so looks the same: two texts must not share a canonical form, so neither gets one.
pub(crate) fn refuse_private(name: &str) -> Result<(), Error> {
    if name.starts_with(PRIVATE_PREFIX) { Err(Error::Raw) } else { Ok(()) }
}

/// Writes what it reads; our own errors travel beside `serde_json`'s in `fault`.
struct Parser<'a> {
    out: &'a mut Output,
    fault: &'a mut Option<Error>,
}

impl Parser<'_> {
    fn check<T, E: serde::de::Error>(&mut self, result: Result<T, Error>) -> Result<T, E> {
        result.map_err(|error| {
            let message = E::custom(&error);
            *self.fault = Some(error);
            message
        })
    }

    fn again(&mut self) -> Parser<'_> {
        Parser { out: self.out, fault: self.fault }
    }

    fn number<E: serde::de::Error>(mut self, number: f64) -> Result<(), E> {
        let written = self.out.number(number);
        self.check(written)
    }
}

impl<'de> DeserializeSeed<'de> for Parser<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Parser<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.out.literal("null");
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.out.literal(if value { "true" } else { "false" });
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "RFC 8785 section 3.2.2.3: text is rounded to a double")]
    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.number(value as f64)
    }

    #[expect(clippy::cast_precision_loss, reason = "RFC 8785 section 3.2.2.3: text is rounded to a double")]
    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.number(value as f64)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.number(value)
    }

    fn visit_str<E: serde::de::Error>(mut self, value: &str) -> Result<(), E> {
        let written = self.out.string(value);
        self.check(written)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut access: A) -> Result<(), A::Error> {
        let array = self.out.begin_array();
        let mut array = self.check(array)?;
        while access.next_element_seed(Item { parser: self.again(), array: &mut array })?.is_some() {}
        self.out.end_array();
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut access: A) -> Result<(), A::Error> {
        let object = self.out.begin_object();
        let mut object = self.check(object)?;
        while access.next_key_seed(Name { parser: self.again(), object: &mut object })?.is_some() {
            access.next_value_seed(self.again())?;
        }
        let ended = self.out.end_object(&object);
        self.check(ended)
    }
}

/// One item of an array.
struct Item<'a> {
    parser: Parser<'a>,
    array: &'a mut Array,
}

impl<'de> DeserializeSeed<'de> for Item<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.parser.out.item(self.array);
        self.parser.deserialize(deserializer)
    }
}

/// The name of one member.
struct Name<'a> {
    parser: Parser<'a>,
    object: &'a mut Object,
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E: serde::de::Error>(mut self, name: &str) -> Result<(), E> {
        let written = refuse_private(name).and_then(|()| self.parser.out.name(self.object, name));
        self.parser.check(written)
    }
}
