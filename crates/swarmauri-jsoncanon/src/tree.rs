//! JSON data in memory, checked: what is here has a canonical form.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, Serialize, Serializer};

use crate::{Error, MAX_DEPTH, MAX_LEN};

/// What `serde_json` names its own wrappers under the features `raw_value` and `arbitrary_precision`.
const PRIVATE_PREFIX: &str = "$serde_json::private::";

/// Numbers are finite, names are unique, nesting is within bounds.
#[derive(Debug, PartialEq)]
pub(crate) enum Tree {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Array(Vec<Tree>),
    Object(BTreeMap<String, Tree>),
}

impl Tree {
    /// `serde_jcs` 0.2 formats and sorts right, and trusts its input too much: below the top level it writes
    /// NaN as `null`, of two members with one name it keeps the last, it rounds integers, also where they
    /// are names, and it recurses without bound. Hence only checked trees are handed to it.
    pub(crate) fn to_vec(&self) -> Result<Vec<u8>, Error> {
        serde_jcs::to_vec(self).map_err(|error| Error::Serialize(error.to_string()))
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) => serializer.serialize_f64(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Array(items) => items.serialize(serializer),
            Self::Object(members) => members.serialize(serializer),
        }
    }
}

pub(crate) fn parse(text: &[u8]) -> Result<Tree, Error> {
    if text.len() > MAX_LEN {
        return Err(Error::TooLong);
    }
    let fault = Cell::new(None);
    let mut reader = serde_json::Deserializer::from_slice(text);
    let tree = Parser { depth: 0, fault: &fault }.deserialize(&mut reader);
    tree.and_then(|tree| reader.end().map(|()| tree))
        .map_err(|error| fault.take().unwrap_or_else(|| Error::from_json(&error)))
}

pub(crate) fn finite(value: f64) -> Result<Tree, Error> {
    if value.is_finite() { Ok(Tree::Number(value)) } else { Err(Error::NotFinite) }
}

/// The depth inside one more array or object.
pub(crate) fn deeper(depth: usize) -> Result<usize, Error> {
    if depth < MAX_DEPTH { Ok(depth + 1) } else { Err(Error::TooDeep) }
}

/// Under `arbitrary_precision`, `serde_json` shows a number as an object with such a name, and an object that
/// was written so looks the same: two texts must not share a canonical form, so neither gets one.
pub(crate) fn refuse_private(name: &str) -> Result<(), Error> {
    if name.starts_with(PRIVATE_PREFIX) { Err(Error::Raw) } else { Ok(()) }
}

pub(crate) fn insert(members: &mut BTreeMap<String, Tree>, name: String, value: Tree) -> Result<(), Error> {
    if members.contains_key(&name) {
        return Err(Error::DuplicateName(name));
    }
    members.insert(name, value);
    Ok(())
}

/// Builds a tree; our own errors travel beside `serde_json`'s in `fault`.
#[derive(Clone, Copy)]
struct Parser<'a> {
    depth: usize,
    fault: &'a Cell<Option<Error>>,
}

impl Parser<'_> {
    fn check<T, E: serde::de::Error>(self, result: Result<T, Error>) -> Result<T, E> {
        result.map_err(|error| {
            let message = E::custom(&error);
            self.fault.set(Some(error));
            message
        })
    }

    fn inner<E: serde::de::Error>(self) -> Result<Self, E> {
        Ok(Self { depth: self.check(deeper(self.depth))?, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Parser<'_> {
    type Value = Tree;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Parser<'_> {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "RFC 8785 section 3.2.2.3: text is rounded to a double")]
    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Number(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "RFC 8785 section 3.2.2.3: text is rounded to a double")]
    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Number(value as f64))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Tree, E> {
        self.check(finite(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let inner = self.inner()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Tree::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let inner = self.inner()?;
        let mut members = BTreeMap::new();
        while let Some(name) = access.next_key::<String>()? {
            self.check(refuse_private(&name))?;
            let value = access.next_value_seed(inner)?;
            self.check(insert(&mut members, name, value))?;
        }
        Ok(Tree::Object(members))
    }
}
