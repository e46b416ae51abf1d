//! Labels and tags: what people write on keys.

use std::collections::BTreeMap;
use std::fmt;

use arcstr::ArcStr;
use serde::{Deserialize, Serialize, Serializer};

use crate::KeyError;
use crate::id::first_unprintable;

/// Up to 64 names, each with a value. Cheap to clone, sorted by name.
///
/// A name has 1 to 128 bytes, a value at most 1,024; both are printable. Tags are not secret: they are
/// listed, logged and mirrored. Names that start with [`Tags::RESERVED_PREFIX`] belong to the mirror; they
/// do not count towards the 64, so that a key with all its tags can be mirrored.
#[derive(Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>")]
pub struct Tags(Option<ArcStr>);

/// Stands after each name and after each value, none of which holds it. A map of its own for each key would take more
/// memory than all the rest of the key.
const END: char = '\0';

impl Tags {
    /// How many tags a key may have.
    pub const MAX_TAGS: usize = 64;
    /// The start of the names that the mirrored provider writes on replicas.
    pub const RESERVED_PREFIX: &str = "mirror.";
    /// The longest name, in bytes.
    pub const MAX_NAME_LEN: usize = 128;
    /// The longest value, in bytes.
    pub const MAX_VALUE_LEN: usize = 1024;

    /// The value of a tag.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Names with their values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut texts = self.0.as_deref().unwrap_or_default().split_terminator(END);
        std::iter::from_fn(move || Some((texts.next()?, texts.next()?)))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// These tags and one more; a tag of the same name is replaced.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] if the name or value is not one, or there would be too many.
    pub fn with(self, name: impl AsRef<str>, value: impl AsRef<str>) -> Result<Self, KeyError> {
        self.with_all(&[(name.as_ref(), value.as_ref())])
    }

    /// These tags and some more, at once; those of the same names are replaced.
    ///
    /// # Errors
    ///
    /// Those of [`Tags::with`].
    pub fn with_all(self, more: &[(&str, &str)]) -> Result<Self, KeyError> {
        let mut tags: BTreeMap<_, _> = self.iter().collect();
        tags.extend(more.iter().copied());
        more.iter().try_for_each(|(name, value)| check_tag(name, value))?;
        check_number(tags.keys())?;
        Ok(Self::of(tags))
    }

    /// These tags without those whose names fail the test. Costs nothing if all pass.
    #[must_use]
    pub fn retaining(self, keep: impl Fn(&str) -> bool) -> Self {
        if self.iter().all(|(name, _)| keep(name)) {
            return self;
        }
        Self::of(self.iter().filter(|(name, _)| keep(name)))
    }

    /// Of tags that are checked and sorted.
    fn of<'a>(tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut text = String::new();
        for part in tags.into_iter().flat_map(|(name, value)| [name, value]) {
            text.push_str(part);
            text.push(END);
        }
        Self((!text.is_empty()).then(|| text.into()))
    }
}

impl TryFrom<BTreeMap<String, String>> for Tags {
    type Error = KeyError;

    fn try_from(tags: BTreeMap<String, String>) -> Result<Self, KeyError> {
        tags.iter().try_for_each(|(name, value)| check_tag(name, value))?;
        check_number(tags.keys())?;
        Ok(Self::of(tags.iter().map(|(name, value)| (name.as_str(), value.as_str()))))
    }
}

impl Serialize for Tags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl fmt::Debug for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

fn check_number(names: impl Iterator<Item = impl AsRef<str>>) -> Result<(), KeyError> {
    let (mut reserved, mut own) = (0, 0);
    for name in names {
        *(if name.as_ref().starts_with(Tags::RESERVED_PREFIX) { &mut reserved } else { &mut own }) += 1;
    }
    if reserved.max(own) > Tags::MAX_TAGS {
        return Err(KeyError::invalid_input(format!("a key has at most {} tags", Tags::MAX_TAGS)));
    }
    Ok(())
}

/// Checks what people write on keys: printable, and not too long.
pub(crate) fn check_text(what: &str, text: &str, max_len: usize) -> Result<(), KeyError> {
    if text.len() > max_len {
        return Err(KeyError::invalid_input(format!(
            "a {what} has at most {max_len} bytes, this one has {}",
            text.len()
        )));
    }
    match first_unprintable(text) {
        Some(bad) => Err(KeyError::invalid_input(format!(
            "a {what} consists of printable characters; this one holds U+{:04X}",
            u32::from(bad)
        ))),
        None => Ok(()),
    }
}

fn check_tag(name: &str, value: &str) -> Result<(), KeyError> {
    if name.is_empty() {
        return Err(KeyError::invalid_input("a tag name must not be empty"));
    }
    check_text("tag name", name, Tags::MAX_NAME_LEN)?;
    check_text("tag value", value, Tags::MAX_VALUE_LEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_tags_are_refused_by_every_way_in() {
        let long = "v".repeat(1025);
        for (name, value) in [("", "v"), ("a\n", "v"), ("a", "\0"), ("a", long.as_str())] {
            assert!(Tags::default().with(name, value).is_err());
            let json = serde_json::json!({ name: value });
            assert!(serde_json::from_value::<Tags>(json).is_err());
        }
        let many = (0..65).try_fold(Tags::default(), |tags, n| tags.with(format!("t{n}"), ""));
        assert!(many.unwrap_err().to_string().contains("at most 64"));
    }

    #[test]
    fn a_full_set_can_still_be_mirrored() {
        let full = (0..64).try_fold(Tags::default(), |tags, n| tags.with(format!("t{n}"), "")).unwrap();
        let marked = full.with("mirror.source", "k.1").unwrap();
        assert_eq!(marked.len(), 65);
        assert!(marked.with("one more", "").is_err());
    }

    #[test]
    fn a_clone_does_not_see_later_changes() {
        let before = Tags::default().with("env", "prod").unwrap();
        let after = before.clone().with("env", "test").unwrap();
        assert_eq!((before.get("env"), after.get("env")), (Some("prod"), Some("test")));
        assert!(after.retaining(|name| name != "env").is_empty());
    }
}
