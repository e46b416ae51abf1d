//! From any `Serialize` to a checked tree.

use serde::Serialize;
use serde::ser::Serializer;

use crate::Error;
use crate::compound::{Items, Members, wrap};
use crate::tree::{Tree, deeper, finite, refuse_private};

/// The largest integer that I-JSON takes for exact (RFC 7493 section 2.2).
const MAX_SAFE_INTEGER: i128 = (1 << 53) - 1;

pub(crate) fn to_tree<T: Serialize + ?Sized>(value: &T) -> Result<Tree, Error> {
    value.serialize(TreeSerializer { depth: 0, name: false })
}

/// A member name: integers in full, whatever their size, since names are not rounded.
pub(crate) fn to_name<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    match value.serialize(TreeSerializer { depth: 0, name: true })? {
        Tree::Text(name) => Ok(name),
        Tree::Bool(name) => Ok(name.to_string()),
        Tree::Null | Tree::Number(_) | Tree::Array(_) | Tree::Object(_) => Err(Error::InvalidName),
    }
}

#[derive(Clone, Copy)]
pub(crate) struct TreeSerializer {
    depth: usize,
    /// Whether the value is to be a member name.
    name: bool,
}

impl TreeSerializer {
    fn inner(self) -> Result<Self, Error> {
        Ok(Self { depth: deeper(self.depth)?, ..self })
    }

    #[expect(clippy::cast_precision_loss, reason = "exact within ±(2^53 - 1)")]
    fn integer(self, value: i128) -> Result<Tree, Error> {
        if self.name {
            Ok(Tree::Text(value.to_string()))
        } else if (-MAX_SAFE_INTEGER..=MAX_SAFE_INTEGER).contains(&value) {
            Ok(Tree::Number(value as f64))
        } else {
            Err(Error::InexactInteger)
        }
    }
}

macro_rules! integers {
    ($($method:ident($integer:ty)),+ $(,)?) => {
        $(fn $method(self, value: $integer) -> Result<Tree, Error> {
            self.integer(value.into())
        })+
    };
}

impl Serializer for TreeSerializer {
    type Ok = Tree;
    type Error = Error;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Members;
    type SerializeStruct = Members;
    type SerializeStructVariant = Members;

    fn serialize_bool(self, value: bool) -> Result<Tree, Error> {
        Ok(Tree::Bool(value))
    }

    integers! {
        serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64), serialize_i128(i128),
        serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64),
    }

    fn serialize_u128(self, value: u128) -> Result<Tree, Error> {
        if self.name {
            return Ok(Tree::Text(value.to_string()));
        }
        self.integer(i128::try_from(value).map_err(|_| Error::InexactInteger)?)
    }

    fn serialize_f32(self, value: f32) -> Result<Tree, Error> {
        finite(f64::from(value))
    }

    fn serialize_f64(self, value: f64) -> Result<Tree, Error> {
        finite(value)
    }

    fn serialize_char(self, value: char) -> Result<Tree, Error> {
        Ok(Tree::Text(value.to_string()))
    }

    fn serialize_str(self, value: &str) -> Result<Tree, Error> {
        Ok(Tree::Text(value.to_owned()))
    }

    /// An array of numbers, as `serde_json` writes bytes.
    fn serialize_bytes(self, value: &[u8]) -> Result<Tree, Error> {
        self.inner()?;
        Ok(Tree::Array(value.iter().map(|&byte| Tree::Number(f64::from(byte))).collect()))
    }

    fn serialize_none(self) -> Result<Tree, Error> {
        Ok(Tree::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Tree, Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Tree, Error> {
        Ok(Tree::Null)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Tree, Error> {
        Ok(Tree::Null)
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Tree, Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<Tree, Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Tree, Error> {
        let inner = self.inner()?;
        Ok(wrap(Some(variant), value.serialize(inner)?))
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Items, Error> {
        Ok(Items::new(self.inner()?))
    }

    fn serialize_tuple(self, len: usize) -> Result<Items, Error> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _name: &'static str, len: usize) -> Result<Items, Error> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Items, Error> {
        let inner = self.inner()?;
        Ok(inner.serialize_seq(Some(len))?.of_variant(variant))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Members, Error> {
        Ok(Members::new(self.inner()?))
    }

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Members, Error> {
        refuse_private(name)?;
        self.serialize_map(Some(len))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Members, Error> {
        let inner = self.inner()?;
        Ok(inner.serialize_map(Some(len))?.of_variant(variant))
    }
}
