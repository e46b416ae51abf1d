//! From any `Serialize` to canonical text, checked.

use serde::Serialize;
use serde::ser::Serializer;

use crate::Error;
use crate::compound::{Items, Members};
use crate::output::Output;
use crate::parse::refuse_private;

/// The largest integer that I-JSON takes for exact (RFC 7493 section 2.2).
const MAX_SAFE_INTEGER: i128 = (1 << 53) - 1;

pub(crate) fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    let mut out = Output::default();
    value.serialize(Writer::value(&mut out))?;
    out.finish()
}

/// Writes one value, or the name of a member.
pub(crate) struct Writer<'a> {
    out: &'a mut Output,
    name: bool,
}

impl<'a> Writer<'a> {
    pub(crate) fn value(out: &'a mut Output) -> Self {
        Self { out, name: false }
    }

    /// A name: a string, a character, a truth value, or an integer in full, whatever its size, since names are
    /// not rounded.
    pub(crate) fn name(out: &'a mut Output) -> Self {
        Self { out, name: true }
    }

    /// For what is no name.
    fn value_only(self) -> Result<&'a mut Output, Error> {
        if self.name { Err(Error::InvalidName) } else { Ok(self.out) }
    }

    #[expect(clippy::cast_precision_loss, reason = "exact within ±(2^53 - 1)")]
    fn integer(self, value: i128) -> Result<(), Error> {
        if self.name {
            self.out.string(&value.to_string())
        } else if (-MAX_SAFE_INTEGER..=MAX_SAFE_INTEGER).contains(&value) {
            self.out.number(value as f64)
        } else {
            Err(Error::InexactInteger)
        }
    }

    fn null(self) -> Result<(), Error> {
        self.value_only()?.literal("null");
        Ok(())
    }
}

macro_rules! integers {
    ($($method:ident($integer:ty)),+ $(,)?) => {
        $(fn $method(self, value: $integer) -> Result<(), Error> {
            self.integer(value.into())
        })+
    };
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Items<'a>;
    type SerializeTupleStruct = Items<'a>;
    type SerializeTupleVariant = Items<'a>;
    type SerializeMap = Members<'a>;
    type SerializeStruct = Members<'a>;
    type SerializeStructVariant = Members<'a>;

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        let literal = if value { "true" } else { "false" };
        if self.name {
            return self.out.string(literal);
        }
        self.out.literal(literal);
        Ok(())
    }

    integers! {
        serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64), serialize_i128(i128),
        serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64),
    }

    fn serialize_u128(self, value: u128) -> Result<(), Error> {
        if self.name {
            return self.out.string(&value.to_string());
        }
        self.integer(i128::try_from(value).map_err(|_| Error::InexactInteger)?)
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        self.serialize_f64(f64::from(value))
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        self.value_only()?.number(value)
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        self.out.string(value)
    }

    /// An array of numbers, as `serde_json` writes bytes.
    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.null()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.null()
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        self.null()
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
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let out = self.value_only()?;
        let mut object = out.begin_object()?;
        out.name(&mut object, variant)?;
        value.serialize(Writer::value(out))?;
        out.end_object(&object)
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Items<'a>, Error> {
        Items::new(self.value_only()?, None)
    }

    fn serialize_tuple(self, len: usize) -> Result<Items<'a>, Error> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _name: &'static str, len: usize) -> Result<Items<'a>, Error> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Items<'a>, Error> {
        Items::new(self.value_only()?, Some(variant))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Members<'a>, Error> {
        Members::new(self.value_only()?, None)
    }

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Members<'a>, Error> {
        refuse_private(name)?;
        self.serialize_map(Some(len))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Members<'a>, Error> {
        Members::new(self.value_only()?, Some(variant))
    }
}
