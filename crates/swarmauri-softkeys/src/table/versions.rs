//! A key in a table, and its live versions. There may be very many keys, most of one version: that one lies in the key itself,
//! and what few versions have lies apart.

use std::slice;
use std::sync::Arc;

use swarmauri_keys::{
    ExportPolicy, KeyAlg, KeyError, KeyId, KeyRef, KeyState, KeyVersion, KeyVersionId, PublicKey,
};

use crate::SoftKey;
use crate::encryptions::Encryptions;
use crate::soft_key::HeldSecret;

/// A key. In a shard it has at least one live version.
#[derive(Clone)]
pub(super) enum Key {
    /// Of one version, which has the greatest number ever used.
    One(Version),
    Several(Box<Several>),
}

/// Any live versions, ascending, and the greatest number ever used, be that version live or not.
#[derive(Clone)]
pub(super) struct Several {
    versions: Vec<Version>,
    last: KeyVersion,
}

/// One live version.
#[derive(Clone)]
pub(super) struct Version {
    /// Holds no secret, so that most reads need nothing else.
    pub(super) reference: KeyRef,
    /// `None` of a public key alone.
    secret: Option<Arc<HeldSecret>>,
    rare: Option<Box<Rare>>,
}

/// What few versions have.
#[derive(Clone, Default)]
struct Rare {
    /// The public key that policy keeps out of the reference.
    public: Option<PublicKey>,
    /// Of keys of which encryptions are counted.
    encryptions: Option<Arc<Encryptions>>,
    /// How many encryptions are reserved, where that is kept.
    reserved: u64,
}

impl Key {
    /// A key without versions, of which this number was the greatest.
    pub(super) fn without_versions(last: KeyVersion) -> Self {
        Self::of(Vec::new(), last)
    }

    fn of(mut versions: Vec<Version>, last: KeyVersion) -> Self {
        match versions.pop() {
            Some(only) if versions.is_empty() && only.number() == last => Self::One(only),
            popped => {
                versions.extend(popped);
                Self::Several(Box::new(Several { versions, last }))
            }
        }
    }

    /// The live versions, ascending.
    pub(super) fn versions(&self) -> &[Version] {
        match self {
            Self::One(version) => slice::from_ref(version),
            Self::Several(several) => &several.versions,
        }
    }

    pub(super) fn versions_mut(&mut self) -> &mut [Version] {
        match self {
            Self::One(version) => slice::from_mut(version),
            Self::Several(several) => &mut several.versions,
        }
    }

    /// The greatest number ever used.
    pub(super) fn last(&self) -> KeyVersion {
        match self {
            Self::One(version) => version.number(),
            Self::Several(several) => several.last,
        }
    }

    /// Its name; `None` if there is no version.
    pub(super) fn kid(&self) -> Option<&KeyId> {
        self.versions().first().map(|version| version.reference.kid())
    }

    pub(super) fn is(&self, kid: &KeyId) -> bool {
        self.kid() == Some(kid)
    }

    pub(super) fn latest(&self) -> Option<&Version> {
        self.versions().last()
    }

    /// The latest version, or all, ascending.
    pub(super) fn live(&self, all: bool) -> impl Iterator<Item = &Version> {
        let older = if all { 0 } else { self.versions().len().saturating_sub(1) };
        self.versions().iter().skip(older)
    }

    pub(super) fn get(&self, number: KeyVersion) -> Option<&Version> {
        self.versions().get(self.position(number).ok()?)
    }

    pub(super) fn get_mut(&mut self, number: KeyVersion) -> Option<&mut Version> {
        let position = self.position(number).ok()?;
        self.versions_mut().get_mut(position)
    }

    fn position(&self, number: KeyVersion) -> Result<usize, usize> {
        self.versions().binary_search_by_key(&number, Version::number)
    }

    pub(super) fn next_version(&self, kid: &KeyId) -> Result<KeyVersion, KeyError> {
        let next = self.last().next();
        next.ok_or_else(|| KeyError::invalid_state(format!("{kid} has used up its version numbers")))
    }

    /// Whether the number is greater than any that the key ever had.
    pub(super) fn check_unused(&self, id: &KeyVersionId) -> Result<(), KeyError> {
        if id.version > self.last() {
            return Ok(());
        }
        Err(KeyError::conflict(format!(
            "{id} cannot be added: the key has had version {} already, and numbers are not used again",
            self.last()
        )))
    }

    /// Adds a version, or puts it in the place of that of its number. Says whether there was one.
    pub(super) fn insert(&mut self, version: Version) -> bool {
        let last = self.last().max(version.number());
        let position = self.position(version.number());
        let mut versions = self.take();
        match position {
            Ok(there) => versions.splice(there..=there, [version]).for_each(drop),
            Err(position) => versions.insert(position, version),
        }
        *self = Self::of(versions, last);
        position.is_ok()
    }

    /// Whether that changed anything; `None` if there is no such version.
    pub(super) fn set_state(&mut self, number: KeyVersion, state: KeyState) -> Option<bool> {
        let version = self.get_mut(number)?;
        let changes = version.reference.state() != state;
        if changes {
            version.reference = version.reference.with_state(state);
        }
        Some(changes)
    }

    /// Takes one version out, or all; `None` if there was nothing to take.
    pub(super) fn remove(&mut self, version: Option<KeyVersion>) -> Option<Vec<Version>> {
        let position = version.map(|number| self.position(number)).transpose().ok()?;
        let last = self.last();
        let mut versions = self.take();
        let removed = match position {
            Some(position) => vec![versions.remove(position)],
            None => std::mem::take(&mut versions),
        };
        *self = Self::of(versions, last);
        Some(removed).filter(|removed| !removed.is_empty())
    }

    /// Its versions, without which it stays.
    fn take(&mut self) -> Vec<Version> {
        let empty = Self::without_versions(self.last());
        match std::mem::replace(self, empty) {
            Self::One(version) => vec![version],
            Self::Several(several) => several.versions,
        }
    }
}

impl Version {
    /// A version that may make the encryptions which it is granted.
    pub(super) fn new(reference: KeyRef, key: SoftKey, encryptions: Encryptions, reserved: u64) -> Self {
        let kept_back = reference.export_policy() == ExportPolicy::None;
        let (public, secret) = key.into_halves();
        let rare = Rare {
            public: public.filter(|_| kept_back),
            encryptions: (reference.alg() == KeyAlg::Aes256Gcm).then(|| Arc::new(encryptions)),
            reserved,
        };
        let needed = rare.public.is_some() || rare.encryptions.is_some() || reserved > 0;
        Self { reference, secret, rare: needed.then(|| Box::new(rare)) }
    }

    pub(super) fn number(&self) -> KeyVersion {
        self.reference.version()
    }

    pub(super) fn has_secret(&self) -> bool {
        self.secret.is_some()
    }

    /// Its material. Costs no more than a clone of it.
    pub(super) fn key(&self) -> SoftKey {
        let kept_back = self.rare.as_ref().and_then(|rare| rare.public.as_ref());
        let public = self.reference.public_key().or(kept_back).cloned();
        SoftKey::of_halves(
            self.reference.alg(),
            self.reference.fingerprint().clone(),
            public,
            self.secret.clone(),
        )
    }

    /// `None` where encryptions are not counted.
    pub(super) fn encryptions(&self) -> Option<&Arc<Encryptions>> {
        self.rare.as_ref()?.encryptions.as_ref()
    }

    /// Goes on with the count of the same version, as it was before.
    pub(super) fn count_on_from(&mut self, before: &Self) {
        if let (Some(rare), Some(encryptions)) = (&mut self.rare, before.encryptions()) {
            rare.encryptions = Some(Arc::clone(encryptions));
        }
    }

    pub(super) fn reserved(&self) -> u64 {
        self.rare.as_ref().map_or(0, |rare| rare.reserved)
    }

    pub(super) fn set_reserved(&mut self, reserved: u64) {
        self.rare.get_or_insert_default().reserved = reserved;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_version_takes_no_place_beside_the_key() {
        assert_eq!(size_of::<Key>(), size_of::<Version>());
    }
}
