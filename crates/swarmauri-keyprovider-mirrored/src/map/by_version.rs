//! Values by version, in little memory: hardly any key has more than a few.

use std::collections::BTreeMap;
use std::{fmt, iter, mem, slice};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use swarmauri_keys::KeyVersion;

/// A map from versions to values, in the order of the versions. It takes the room that its entries take, and is copied as a
/// whole where one comes or goes.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ByVersion<T>(Box<[(KeyVersion, T)]>);

impl<T> ByVersion<T> {
    pub(crate) fn get(&self, version: KeyVersion) -> Option<&T> {
        let (_, value) = self.0.get(self.place(version).ok()?)?;
        Some(value)
    }

    pub(crate) fn get_mut(&mut self, version: KeyVersion) -> Option<&mut T> {
        let place = self.place(version).ok()?;
        self.0.get_mut(place).map(|(_, value)| value)
    }

    /// Gives what was there before.
    pub(crate) fn insert(&mut self, version: KeyVersion, value: T) -> Option<T> {
        match self.place(version) {
            Ok(place) => self.0.get_mut(place).map(|(_, known)| mem::replace(known, value)),
            Err(place) => {
                let mut entries = mem::take(&mut self.0).into_vec();
                entries.reserve_exact(1);
                entries.insert(place, (version, value));
                self.0 = entries.into();
                None
            }
        }
    }

    pub(crate) fn remove(&mut self, version: KeyVersion) -> Option<T> {
        let place = self.place(version).ok()?;
        let mut entries = mem::take(&mut self.0).into_vec();
        let (_, value) = entries.remove(place);
        self.0 = entries.into();
        Some(value)
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> Iter<'_, T> {
        self.into_iter()
    }

    pub(crate) fn keys(&self) -> impl DoubleEndedIterator<Item = &KeyVersion> {
        self.0.iter().map(|(version, _)| version)
    }

    pub(crate) fn values(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.0.iter().map(|(_, value)| value)
    }

    fn place(&self, version: KeyVersion) -> Result<usize, usize> {
        self.0.binary_search_by_key(&version, |(version, _)| *version)
    }
}

pub(crate) type Iter<'a, T> =
    iter::Map<slice::Iter<'a, (KeyVersion, T)>, fn(&'a (KeyVersion, T)) -> (&'a KeyVersion, &'a T)>;

impl<'a, T> IntoIterator for &'a ByVersion<T> {
    type Item = (&'a KeyVersion, &'a T);
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.0.iter().map(|(version, value)| (version, value))
    }
}

impl<T> IntoIterator for ByVersion<T> {
    type Item = (KeyVersion, T);
    type IntoIter = std::vec::IntoIter<(KeyVersion, T)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_vec().into_iter()
    }
}

/// Of entries that are in order.
impl<T> FromIterator<(KeyVersion, T)> for ByVersion<T> {
    fn from_iter<I: IntoIterator<Item = (KeyVersion, T)>>(entries: I) -> Self {
        let entries: Box<[_]> = entries.into_iter().collect();
        debug_assert!(entries.is_sorted_by(|(one, _), (other, _)| one < other), "versions come in order");
        Self(entries)
    }
}

impl<T> Default for ByVersion<T> {
    fn default() -> Self {
        Self(Box::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for ByVersion<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<T: Serialize> Serialize for ByVersion<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ByVersion<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self::from_iter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_map_in_order() {
        let (mut ours, mut theirs) = (ByVersion::default(), BTreeMap::new());
        let mut random = fastrand::Rng::with_seed(7);
        for step in 0..500 {
            let version = KeyVersion::new(random.u32(1..9)).unwrap();
            if random.bool() {
                assert_eq!(ours.insert(version, step), theirs.insert(version, step));
            } else {
                assert_eq!(ours.remove(version), theirs.remove(&version));
            }
            assert!(ours.iter().eq(theirs.iter()), "step {step}: {ours:?}, not {theirs:?}");
            assert_eq!((ours.get(version), ours.len()), (theirs.get(&version), theirs.len()), "step {step}");
            let written = serde_json::to_string(&ours).unwrap();
            assert_eq!(written, serde_json::to_string(&theirs).unwrap());
            assert_eq!(serde_json::from_str::<ByVersion<i32>>(&written).unwrap(), ours);
        }
    }
}
