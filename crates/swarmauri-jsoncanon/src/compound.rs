//! Arrays and objects that are being written.

use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use crate::Error;
use crate::output::{Array, Object, Output};
use crate::ser::Writer;

/// An array that is being written.
pub(crate) struct Items<'a> {
    out: &'a mut Output,
    array: Array,
    wrapper: Option<Object>,
}

impl<'a> Items<'a> {
    pub(crate) fn new(out: &'a mut Output, variant: Option<&'static str>) -> Result<Self, Error> {
        let wrapper = wrap(out, variant)?;
        Ok(Self { array: out.begin_array()?, out, wrapper })
    }

    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.out.item(&mut self.array);
        let written = value.serialize(Writer::value(self.out));
        self.out.part(written)
    }

    fn finish(self) -> Result<(), Error> {
        self.out.end_array();
        unwrap(self.out, self.wrapper)
    }
}

/// An object that is being written.
pub(crate) struct Members<'a> {
    out: &'a mut Output,
    object: Object,
    /// Whether a name is written that waits for its value.
    named: bool,
    wrapper: Option<Object>,
}

impl<'a> Members<'a> {
    pub(crate) fn new(out: &'a mut Output, variant: Option<&'static str>) -> Result<Self, Error> {
        let wrapper = wrap(out, variant)?;
        Ok(Self { object: out.begin_object()?, out, named: false, wrapper })
    }

    fn add<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        let named = self.out.name(&mut self.object, name);
        let written = named.and_then(|()| value.serialize(Writer::value(self.out)));
        self.out.part(written)
    }

    fn finish(self) -> Result<(), Error> {
        if self.named {
            return Err(Error::InvalidName);
        }
        self.out.end_object(&self.object)?;
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

impl SerializeTupleVariant for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.push(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl SerializeMap for Members<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        if self.named {
            return Err(Error::InvalidName);
        }
        self.named = true;
        self.out.begin_name(&self.object);
        let written = key.serialize(Writer::name(self.out));
        let written = written.and_then(|()| self.out.end_name(&mut self.object));
        self.out.part(written)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        if !std::mem::take(&mut self.named) {
            return Err(Error::InvalidName);
        }
        let written = value.serialize(Writer::value(self.out));
        self.out.part(written)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl SerializeStruct for Members<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        self.add(key, value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl SerializeStructVariant for Members<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        self.add(key, value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

/// Opens the object `{variant: payload}`, as `serde_json` writes enum variants with a payload.
fn wrap(out: &mut Output, variant: Option<&'static str>) -> Result<Option<Object>, Error> {
    let Some(variant) = variant else {
        return Ok(None);
    };
    let mut object = out.begin_object()?;
    out.name(&mut object, variant)?;
    Ok(Some(object))
}

fn unwrap(out: &mut Output, wrapper: Option<Object>) -> Result<(), Error> {
    wrapper.map_or(Ok(()), |object| out.end_object(&object))
}
