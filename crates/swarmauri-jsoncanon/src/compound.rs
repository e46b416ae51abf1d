//! Arrays and objects on their way to a tree.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use crate::Error;
use crate::ser::{TreeSerializer, to_name};
use crate::tree::{Tree, insert};

/// An array that is being filled.
pub(crate) struct Items {
    elements: Vec<Tree>,
    inner: TreeSerializer,
    variant: Option<&'static str>,
}

impl Items {
    pub(crate) fn new(inner: TreeSerializer) -> Self {
        Self { elements: Vec::new(), inner, variant: None }
    }

    pub(crate) fn of_variant(self, variant: &'static str) -> Self {
        Self { variant: Some(variant), ..self }
    }

    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.elements.push(value.serialize(self.inner)?);
        Ok(())
    }

    fn finish(self) -> Tree {
        wrap(self.variant, Tree::Array(self.elements))
    }
}

/// An object that is being filled.
pub(crate) struct Members {
    entries: BTreeMap<String, Tree>,
    name: Option<String>,
    inner: TreeSerializer,
    variant: Option<&'static str>,
}

impl Members {
    pub(crate) fn new(inner: TreeSerializer) -> Self {
        Self { entries: BTreeMap::new(), name: None, inner, variant: None }
    }

    pub(crate) fn of_variant(self, variant: &'static str) -> Self {
        Self { variant: Some(variant), ..self }
    }

    fn add<T: Serialize + ?Sized>(&mut self, name: String, value: &T) -> Result<(), Error> {
        let value = value.serialize(self.inner)?;
        insert(&mut self.entries, name, value)
    }

    fn finish(self) -> Tree {
        wrap(self.variant, Tree::Object(self.entries))
    }
}

impl SerializeSeq for Items {
    type Ok = Tree;
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.push(value)
    }

    fn end(self) -> Result<Tree, Error> {
        Ok(self.finish())
    }
}

impl SerializeTuple for Items {
    type Ok = Tree;
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.push(value)
    }

    fn end(self) -> Result<Tree, Error> {
        Ok(self.finish())
    }
}

impl SerializeTupleStruct for Items {
    type Ok = Tree;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.push(value)
    }

    fn end(self) -> Result<Tree, Error> {
        Ok(self.finish())
    }
}

impl SerializeTupleVariant for Items {
    type Ok = Tree;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.push(value)
    }

    fn end(self) -> Result<Tree, Error> {
        Ok(self.finish())
    }
}

impl SerializeMap for Members {
    type Ok = Tree;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.name = Some(to_name(key)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let name = self.name.take().ok_or(Error::InvalidName)?;
        self.add(name, value)
    }

    fn end(self) -> Result<Tree, Error> {
        Ok(self.finish())
    }
}

impl SerializeStruct for Members {
    type Ok = Tree;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        self.add(key.to_owned(), value)
    }

    fn end(self) -> Result<Tree, Error> {
        Ok(self.finish())
    }
}

impl SerializeStructVariant for Members {
    type Ok = Tree;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        self.add(key.to_owned(), value)
    }

    fn end(self) -> Result<Tree, Error> {
        Ok(self.finish())
    }
}

/// The object `{variant: payload}`, as `serde_json` writes enum variants with a payload.
pub(crate) fn wrap(variant: Option<&'static str>, payload: Tree) -> Tree {
    match variant {
        Some(variant) => Tree::Object(BTreeMap::from([(variant.to_owned(), payload)])),
        None => payload,
    }
}
