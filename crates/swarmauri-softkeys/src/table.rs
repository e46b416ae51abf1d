//! The versioned lifecycle of keys in memory, which every software provider shares.

mod history;
#[cfg(test)]
mod history_tests;
mod jwks;
mod listing;
mod shard;
#[cfg(test)]
mod tests;
mod versions;

use std::fmt;

use swarmauri_keys::{
    Acceptance, KeyClass, KeyError, KeyId, KeyOperation, KeyRef, KeyRefParts, KeySpec, KeyState, KeyVersion,
    KeyVersionId, SpecOverrides, VerifyWith,
};

pub use self::history::{KeyHistory, VersionRecord};
use self::jwks::Snapshots;
use self::shard::Shards;
use self::versions::Version;
use crate::encryptions::Encryptions;
use crate::{MAX_ENCRYPTIONS, SoftKey, UsableKey, random_kid};

/// Keys with their versions, in memory: create, rotate, destroy, read, list, publish.
///
/// ```
/// use swarmauri_keys::{KeyAlg, KeySpec, SpecOverrides};
/// use swarmauri_softkeys::{KeyTable, SoftKey};
///
/// let table = KeyTable::new();
/// let spec = KeySpec::new(KeyAlg::Ed25519);
/// let first = table.create(&spec, SoftKey::generate(KeyAlg::Ed25519, None)?)?;
///
/// // Generation may be slow and happens between the two steps, outside of any lock.
/// let spec = table.rotation_spec(first.kid(), &SpecOverrides::NONE)?;
/// let second = table.add_version(first.kid(), &spec, SoftKey::generate(spec.alg(), spec.size_bits())?)?;
/// assert_eq!(second.version().get(), 2);
///
/// assert!(table.destroy(first.kid(), None));
/// assert!(table.get(first.kid(), None, false).is_err());
/// # Ok::<(), swarmauri_keys::KeyError>(())
/// ```
///
/// * Each method is atomic, and its effect is visible to every call that starts after it returned.
/// * Version numbers only grow, and the `kid` of a destroyed key is not used again.
/// * Destroying drops, and by that wipes, the table's copy of the material before it returns.
/// * Locks are held for look-ups and insertions alone; it is safe to call from async code.
pub struct KeyTable {
    shards: Shards,
    snapshots: Snapshots,
    /// How often one version may encrypt.
    max_encryptions: u64,
}

impl KeyTable {
    /// The most keys that one page of [`KeyTable::list`] holds.
    pub const MAX_PAGE: usize = 1000;

    /// An empty table.
    pub fn new() -> Self {
        Self { shards: Shards::new(), snapshots: Snapshots::default(), max_encryptions: MAX_ENCRYPTIONS }
    }

    /// An empty table of keys each version of which encrypts at most so often with AES-GCM.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] for more than [`MAX_ENCRYPTIONS`], or none.
    pub fn with_max_encryptions(most: u64) -> Result<Self, KeyError> {
        if !(1..=MAX_ENCRYPTIONS).contains(&most) {
            return Err(KeyError::invalid_input(format!(
                "a version of an AES-GCM key may encrypt 1 to {MAX_ENCRYPTIONS} times, not {most}"
            )));
        }
        Ok(Self { max_encryptions: most, ..Self::new() })
    }

    /// How many keys there are, each counted once whatever its versions.
    pub fn len(&self) -> usize {
        self.shards.read_all().len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Says early what [`KeyTable::create`] would refuse, before a key is generated for nothing.
    ///
    /// # Errors
    ///
    /// [`KeyError::Unsupported`] for class `opaque`, [`KeyError::Conflict`] for a `kid` that is taken
    /// already.
    pub fn check_new(&self, spec: &KeySpec) -> Result<(), KeyError> {
        check_class(spec)?;
        spec.kid().map_or(Ok(()), |kid| self.shards.read(kid).check_free())
    }

    /// Adds a key, generated or imported, as version 1: under the `kid` that the spec asks for, or a
    /// random one.
    ///
    /// # Errors
    ///
    /// [`KeyError::Conflict`] if the `kid` is taken, also by a key that was destroyed;
    /// [`KeyError::InvalidInput`] if the key is not what the spec says; [`KeyError::Unsupported`] for
    /// class `opaque`.
    pub fn create(&self, spec: &KeySpec, key: SoftKey) -> Result<KeyRef, KeyError> {
        check_fit(spec, &key)?;
        let kid = spec.kid().cloned().map_or_else(random_kid, Ok)?;
        let version = self.version(reference(&kid, KeyVersion::FIRST, spec, &key), key);
        let answer = version.reference.clone();
        self.shards.write(&kid).insert(version)?;
        Ok(answer)
    }

    /// The first half of a rotation: the spec of the next version, which is that of the latest with the
    /// overrides applied. RSA keys keep the length of their material.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotFound`] if there is no such key; [`KeyError::InvalidState`] if its latest version
    /// has no private half; [`KeyError::InvalidInput`] if the overrides do not fit.
    pub fn rotation_spec(&self, kid: &KeyId, overrides: &SpecOverrides) -> Result<KeySpec, KeyError> {
        let latest = self.shards.read(kid).find(None)?.clone();
        if !latest.has_secret() {
            return Err(KeyError::invalid_state(format!(
                "{} is a public key alone and cannot be rotated; import its successor as a new key",
                latest.reference.id()
            )));
        }
        latest.reference.spec()?.overridden(overrides)
    }

    /// A version that may encrypt as often as any: here nothing is reserved.
    fn version(&self, reference: KeyRef, key: SoftKey) -> Version {
        Version::new(reference, key, Encryptions::granted(0, self.max_encryptions), 0)
    }

    /// The second half of a rotation: adds a version, with a number greater than any the key ever had.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotFound`] if there is no such key, or if it was destroyed meanwhile;
    /// [`KeyError::InvalidState`] if the version numbers are used up; [`KeyError::InvalidInput`] and
    /// [`KeyError::Unsupported`] as for [`KeyTable::create`].
    pub fn add_version(&self, kid: &KeyId, spec: &KeySpec, key: SoftKey) -> Result<KeyRef, KeyError> {
        check_fit(spec, &key)?;
        let mut shard = self.shards.write(kid);
        let number = shard.next_version()?;
        let version = self.version(reference(kid, number, spec, &key), key);
        let answer = version.reference.clone();
        shard.push(version)?;
        Ok(answer)
    }

    /// Says early what [`KeyTable::insert_version`] would refuse, before material is looked at for nothing.
    ///
    /// # Errors
    ///
    /// Those of [`KeyTable::insert_version`], for all but the key.
    pub fn check_new_version(&self, id: &KeyVersionId, spec: &KeySpec) -> Result<(), KeyError> {
        check_class(spec)?;
        check_kid(&id.kid, spec)?;
        self.shards.read(&id.kid).check_unused(id.version)
    }

    /// Adds a key that was somewhere else before, as exactly this version. If there is no key of that `kid`, there is one
    /// then.
    ///
    /// # Errors
    ///
    /// [`KeyError::Conflict`] if the number is not greater than any that the key ever had, or the key is destroyed;
    /// [`KeyError::InvalidInput`] if the spec asks for another `kid`; [`KeyError::InvalidInput`] and
    /// [`KeyError::Unsupported`] as for [`KeyTable::create`].
    pub fn insert_version(
        &self,
        id: &KeyVersionId,
        spec: &KeySpec,
        key: SoftKey,
    ) -> Result<KeyRef, KeyError> {
        check_fit(spec, &key)?;
        check_kid(&id.kid, spec)?;
        let version = self.version(reference(&id.kid, id.version, spec, &key), key);
        let answer = version.reference.clone();
        self.shards.write(&id.kid).insert_version(version)?;
        Ok(answer)
    }

    /// Destroys one version, or with `None` the key with all of them. With its last version a key goes.
    /// Says whether there was something to destroy.
    pub fn destroy(&self, kid: &KeyId, version: Option<KeyVersion>) -> bool {
        // The guard goes at the end of the statement: material is wiped outside of the lock.
        let removed = self.shards.write(kid).remove(version);
        removed.is_some()
    }

    /// Takes one version out of use, or into use again; it stays as it is if it is in that state.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotFound`]; [`KeyError::InvalidInput`] for [`KeyState::Destroyed`], which
    /// [`KeyTable::destroy`] is for.
    pub fn set_state(&self, kid: &KeyId, version: KeyVersion, state: KeyState) -> Result<(), KeyError> {
        check_settable(state)?;
        self.shards.write(kid).set_state(version, state)
    }

    /// One version, or with `None` the latest live one, to do this with.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotFound`]; those of [`KeyRef::check_operation`]; [`KeyError::InvalidState`] if it takes a
    /// secret, and the key is a public one alone.
    pub fn usable(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        operation: KeyOperation,
        acceptance: Acceptance,
    ) -> Result<UsableKey, KeyError> {
        self.use_of(self.shards.read(kid).find(version)?, operation, acceptance)
    }

    /// The versions that a signature or MAC is to be held against, the latest first; at least one. With
    /// [`VerifyWith::AnyLive`] those that may not are left out.
    ///
    /// # Errors
    ///
    /// Those of [`KeyTable::usable`]; if no version is left, those of the latest.
    pub fn usable_for_verifying(
        &self,
        kid: &KeyId,
        with: VerifyWith,
        operation: KeyOperation,
        acceptance: Acceptance,
    ) -> Result<Vec<UsableKey>, KeyError> {
        if let VerifyWith::Version(version) = with {
            return Ok(vec![self.usable(kid, Some(version), operation, acceptance)?]);
        }
        let found = self.shards.read(kid);
        let (mut usable, mut refusal) = (Vec::new(), None);
        for version in found.versions()?.iter().rev() {
            match self.use_of(version, operation, acceptance) {
                Ok(key) => usable.push(key),
                Err(error) => {
                    refusal.get_or_insert(error);
                }
            }
        }
        refusal.filter(|_| usable.is_empty()).map_or(Ok(usable), Err)
    }

    fn use_of(
        &self,
        version: &Version,
        operation: KeyOperation,
        acceptance: Acceptance,
    ) -> Result<UsableKey, KeyError> {
        let reference = &version.reference;
        reference.check_operation(operation, acceptance)?;
        if !operation.is_public(reference.alg()) && !version.has_secret() {
            return Err(KeyError::invalid_state(format!(
                "{} is a public key alone: {operation} takes the secret",
                reference.id()
            )));
        }
        let (id, encryptions) = (reference.id().clone(), version.encryptions().cloned());
        Ok(UsableKey::new(id, version.key(), encryptions, self.max_encryptions))
    }

    /// Reads one version, or with `None` the latest live one.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotFound`]; with `include_secret`, [`KeyError::PermissionDenied`] if policy keeps the
    /// secret, [`KeyError::Disabled`] if the version is, and [`KeyError::InvalidState`] if the key is a public
    /// one alone.
    pub fn get(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        include_secret: bool,
    ) -> Result<KeyRef, KeyError> {
        let table = self.shards.read(kid);
        let found = table.find(version)?;
        let reference = found.reference.clone();
        if !include_secret {
            return Ok(reference);
        }
        reference.check_secret_export()?;
        reference.check_enabled()?;
        let secret = found.key().secret().ok_or_else(|| {
            KeyError::invalid_state(format!("{} is a public key alone and has no secret", reference.id()))
        })?;
        reference.with_secret(secret)
    }

    /// The live versions of a key, ascending.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotFound`].
    pub fn list_versions(&self, kid: &KeyId) -> Result<Vec<KeyVersion>, KeyError> {
        Ok(self.shards.read(kid).versions()?.iter().map(Version::number).collect())
    }
}

fn reference(kid: &KeyId, version: KeyVersion, spec: &KeySpec, key: &SoftKey) -> KeyRef {
    KeyRef::new(KeyRefParts {
        id: kid.at(version),
        alg: spec.alg(),
        class: spec.class(),
        uses: spec.uses(),
        state: KeyState::Enabled,
        export_policy: spec.export_policy(),
        size_bits: key.size_bits(),
        label: spec.label().map(Into::into),
        tags: spec.tags().clone(),
        fingerprint: key.fingerprint().clone(),
        public: key.public_key().cloned(),
    })
}

fn check_class(spec: &KeySpec) -> Result<(), KeyError> {
    match spec.class() {
        KeyClass::Opaque => Err(KeyError::unsupported("opaque keys")),
        KeyClass::Symmetric | KeyClass::Asymmetric => Ok(()),
    }
}

fn check_kid(kid: &KeyId, spec: &KeySpec) -> Result<(), KeyError> {
    match spec.kid() {
        Some(other) if other != kid => Err(KeyError::invalid_input(format!(
            "the spec asks for the kid {other}, and the version is one of {kid}"
        ))),
        _ => Ok(()),
    }
}

fn check_settable(state: KeyState) -> Result<(), KeyError> {
    match state {
        KeyState::Enabled | KeyState::Disabled => Ok(()),
        KeyState::Destroyed => {
            Err(KeyError::invalid_input("a version is destroyed by destroy, not by setting its state"))
        }
    }
}

fn check_fit(spec: &KeySpec, key: &SoftKey) -> Result<(), KeyError> {
    check_class(spec)?;
    if spec.alg() != key.alg() {
        return Err(KeyError::invalid_input(format!(
            "the spec asks for a key for {}, and this one is for {}",
            spec.alg(),
            key.alg()
        )));
    }
    match (spec.size_bits(), key.size_bits()) {
        (Some(asked), Some(actual)) if asked != actual => Err(KeyError::invalid_input(format!(
            "the spec asks for a key of {asked} bits, and this one has {actual}; ask for {actual}, or leave \
             size_bits out"
        ))),
        _ => Ok(()),
    }
}

impl Default for KeyTable {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for KeyTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyTable").field("keys", &self.len()).finish()
    }
}
