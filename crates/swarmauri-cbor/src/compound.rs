//! Arrays, maps and tags that are being written.

use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use crate::Error;
use crate::output::{Array, Map, Output, Tag};
use crate::ser::Writer;

/// An array that is being written.
pub(crate) struct Items<'a> {
    out: &'a mut Output,
    array: Array,
    wrapper: Option<Map>,
}

impl<'a> Items<'a> {
    pub(crate) fn new(
        out: &'a mut Output,
        variant: Option<&'static str>,
        len: Option<usize>,
    ) -> Result<Self, Error> {
        let wrapper = wrap(out, variant)?;
        Ok(Self { array: out.begin_array(len.unwrap_or(0))?, out, wrapper })
    }

    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.array.another();
        let written = value.serialize(Writer(self.out));
        self.out.part(written)
    }

    fn finish(self) -> Result<(), Error> {
        self.out.end_array(&self.array);
        unwrap(self.out, self.wrapper)
    }
}

/// `ciborium` writes a tag as an enum variant, of number and content.
pub(crate) enum ItemsOfVariant<'a> {
    Array(Items<'a>),
    Tag { out: &'a mut Output, tag: Tag, fields: usize },
}

impl<'a> ItemsOfVariant<'a> {
    pub(crate) fn tag(out: &'a mut Output) -> Result<Self, Error> {
        Ok(Self::Tag { tag: out.begin_tag()?, out, fields: 0 })
    }
}

/// A map that is being written.
pub(crate) struct Entries<'a> {
    out: &'a mut Output,
    map: Map,
    /// Whether a key is written that waits for its value.
    keyed: bool,
    wrapper: Option<Map>,
}

impl<'a> Entries<'a> {
    pub(crate) fn new(
        out: &'a mut Output,
        variant: Option<&'static str>,
        len: Option<usize>,
    ) -> Result<Self, Error> {
        let wrapper = wrap(out, variant)?;
        Ok(Self { map: out.begin_map(len.unwrap_or(0))?, out, keyed: false, wrapper })
    }

    fn add<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        let keyed = self.out.key(&mut self.map, key);
        let written = keyed.and_then(|()| value.serialize(Writer(self.out)));
        self.out.part(written)
    }

    /// Keys and values take turns.
    fn expect_keyed(&self, keyed: bool) -> Result<(), Error> {
        if self.keyed == keyed {
            Ok(())
        } else {
            Err(Error::Serialize("a map needs a value for each key, and a key for each value".to_owned()))
        }
    }

    fn finish(self) -> Result<(), Error> {
        self.expect_keyed(false)?;
        self.out.end_map(&self.map)?;
        unwrap(self.out, self.wrapper)
    }
}

impl SerializeSeq for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.push(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl SerializeTuple for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.push(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl SerializeTupleStruct for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.push(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl SerializeTupleVariant for ItemsOfVariant<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        match self {
            Self::Array(items) => items.push(value),
            Self::Tag { out, tag, fields } => {
                *fields += 1;
                let written = value.serialize(Writer(out));
                let written = if *fields == 1 { written.and_then(|()| out.end_number(tag)) } else { written };
                out.part(written)
            }
        }
    }

    fn end(self) -> Result<(), Error> {
        match self {
            Self::Array(items) => items.finish(),
            Self::Tag { out, tag, fields: 2 } => {
                out.end_tag(&tag);
                Ok(())
            }
            Self::Tag { .. } => Err(Error::Serialize("a tag has a number and one content".to_owned())),
        }
    }
}

impl SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.expect_keyed(false)?;
        self.keyed = true;
        self.out.begin_key(&self.map);
        let written = key.serialize(Writer(self.out));
        let written = written.and_then(|()| self.out.end_key(&mut self.map));
        self.out.part(written)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.expect_keyed(true)?;
        self.keyed = false;
        let written = value.serialize(Writer(self.out));
        self.out.part(written)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl SerializeStruct for Entries<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        self.add(key, value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl SerializeStructVariant for Entries<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        self.add(key, value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

/// Opens the map `{variant: payload}`, as serde wants enum variants with a payload.
fn wrap(out: &mut Output, variant: Option<&'static str>) -> Result<Option<Map>, Error> {
    let Some(variant) = variant else {
        return Ok(None);
    };
    let mut map = out.begin_map(1)?;
    out.key(&mut map, variant)?;
    Ok(Some(map))
}

fn unwrap(out: &mut Output, wrapper: Option<Map>) -> Result<(), Error> {
    wrapper.map_or(Ok(()), |map| out.end_map(&map))
}
