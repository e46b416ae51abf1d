//! From any `Serialize` to CBOR, in the forms that `ciborium` gives.

use serde::Serialize;
use serde::ser::Serializer;

use crate::Error;
use crate::compound::{Entries, Items, ItemsOfVariant};
use crate::output::Output;

/// What `ciborium` calls a tag on its way through serde: an enum with one variant for "none".
const TAG: &str = "@@TAG@@";
const TAGGED: &str = "@@TAGGED@@";
const UNTAGGED: &str = "@@UNTAGGED@@";

pub(crate) fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    let mut out = Output::default();
    value.serialize(Writer(&mut out))?;
    out.finish()
}

/// Writes one item.
pub(crate) struct Writer<'a>(pub(crate) &'a mut Output);

macro_rules! integers {
    ($($method:ident($integer:ty) = $written:ident),+ $(,)?) => {
        $(fn $method(self, value: $integer) -> Result<(), Error> {
            self.0.$written(value.into());
            Ok(())
        })+
    };
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Items<'a>;
    type SerializeTupleStruct = Items<'a>;
    type SerializeTupleVariant = ItemsOfVariant<'a>;
    type SerializeMap = Entries<'a>;
    type SerializeStruct = Entries<'a>;
    type SerializeStructVariant = Entries<'a>;

    fn is_human_readable(&self) -> bool {
        false
    }

    integers! {
        serialize_i8(i8) = integer, serialize_i16(i16) = integer, serialize_i32(i32) = integer,
        serialize_i64(i64) = integer, serialize_u8(u8) = unsigned, serialize_u16(u16) = unsigned,
        serialize_u32(u32) = unsigned, serialize_u64(u64) = unsigned,
    }

    fn serialize_i128(self, value: i128) -> Result<(), Error> {
        let magnitude = if value < 0 { !value } else { value };
        self.0.big_integer(value < 0, magnitude.unsigned_abs())
    }

    fn serialize_u128(self, value: u128) -> Result<(), Error> {
        self.0.big_integer(false, value)
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.0.bool(value);
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        self.0.float(f64::from(value))
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        self.0.float(value)
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        self.0.text(value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        self.0.byte_string(value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.0.null();
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        if (name, variant) == (TAG, UNTAGGED) {
            return value.serialize(self);
        }
        let Self(out) = self;
        let mut map = out.begin_map(1)?;
        out.key(&mut map, variant)?;
        value.serialize(Writer(out))?;
        out.end_map(&map)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Items<'a>, Error> {
        Items::new(self.0, None, len)
    }

    fn serialize_tuple(self, len: usize) -> Result<Items<'a>, Error> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _name: &'static str, len: usize) -> Result<Items<'a>, Error> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<ItemsOfVariant<'a>, Error> {
        if (name, variant) == (TAG, TAGGED) {
            ItemsOfVariant::tag(self.0)
        } else {
            Items::new(self.0, Some(variant), Some(len)).map(ItemsOfVariant::Array)
        }
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Entries<'a>, Error> {
        Entries::new(self.0, None, len)
    }

    fn serialize_struct(self, _name: &'static str, len: usize) -> Result<Entries<'a>, Error> {
        self.serialize_map(Some(len))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Entries<'a>, Error> {
        Entries::new(self.0, Some(variant), Some(len))
    }
}
