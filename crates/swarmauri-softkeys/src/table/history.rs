//! A key as a value, for providers that keep keys elsewhere too: what it will be is recorded there first, and put into the
//! table afterwards.

use std::fmt;

use swarmauri_keys::{KeyError, KeyId, KeyRef, KeySpec, KeyState, KeyVersion, KeyVersionId};

use super::versions::{Key, Version};
use super::{KeyTable, check_fit, check_kid, reference};
use crate::SoftKey;
use crate::encryptions::Encryptions;
use crate::usable::worn_out;

/// All that a key is at one moment: its live versions, and the greatest number that it ever had. One without versions is
/// destroyed.
///
/// ```
/// use swarmauri_keys::{KeyAlg, KeyId, KeySpec, KeyVersion};
/// use swarmauri_softkeys::{KeyHistory, KeyTable, SoftKey};
///
/// let (table, kid, spec) = (KeyTable::new(), KeyId::new("k")?, KeySpec::new(KeyAlg::Ed25519));
/// let key = || SoftKey::generate(KeyAlg::Ed25519, None);
/// let (mut history, _) = KeyHistory::created(kid.clone(), &spec, key()?)?;
/// history.add_version(&spec, key()?)?;
/// assert!(table.is_empty(), "so far it is a value");
/// table.put(history);
/// assert_eq!(table.get(&kid, None, false)?.version(), KeyVersion::new(2)?);
/// # Ok::<(), swarmauri_keys::KeyError>(())
/// ```
///
/// Its changes follow the rules of the methods of [`KeyTable`] that have their names. Cheap to clone; `Debug` is redacted.
#[derive(Clone)]
pub struct KeyHistory {
    kid: KeyId,
    key: Key,
}

/// One live version, as it is recorded elsewhere.
#[derive(Clone, Debug)]
pub struct VersionRecord {
    /// Its number.
    pub version: KeyVersion,
    /// What it is; the `kid` in it is of no account.
    pub spec: KeySpec,
    /// Enabled or disabled.
    pub state: KeyState,
    /// Its material.
    pub key: SoftKey,
    /// How many encryptions are reserved, of which nobody knows how many were made.
    pub reserved: u64,
}

impl KeyHistory {
    /// A key with its first version, which is beside it.
    ///
    /// # Errors
    ///
    /// Those of [`KeyTable::create`], a taken `kid` excepted.
    pub fn created(kid: KeyId, spec: &KeySpec, key: SoftKey) -> Result<(Self, KeyRef), KeyError> {
        check_fit(spec, &key)?;
        let mut history = Self::destroyed(kid, KeyVersion::FIRST);
        let made = history.push(KeyVersion::FIRST, spec, key);
        Ok((history, made))
    }

    /// A key that is destroyed, and the greatest number that a version of it had.
    pub fn destroyed(kid: KeyId, last: KeyVersion) -> Self {
        Self { kid, key: Key::without_versions(last) }
    }

    /// A key as it was recorded. None of what its versions had reserved can be used.
    ///
    /// # Errors
    ///
    /// [`KeyError::Integrity`] if a version is there twice, or has a greater number than the last one ever, or is
    /// [`KeyState::Destroyed`]; those of [`KeyTable::create`], a taken `kid` excepted.
    pub fn restored(
        kid: KeyId,
        last: KeyVersion,
        versions: impl IntoIterator<Item = VersionRecord>,
    ) -> Result<Self, KeyError> {
        let mut history = Self::destroyed(kid, last);
        for VersionRecord { version, spec, state, key, reserved } in versions {
            check_fit(&spec, &key)?;
            let reference = reference(&history.kid, version, &spec, &key).with_state(state);
            let encryptions = Encryptions::granted(reserved, reserved);
            let restored = Version::new(reference, key, encryptions, reserved);
            let twice = history.key.insert(restored);
            if twice || version > last || state == KeyState::Destroyed {
                return Err(KeyError::integrity(format!(
                    "version {version} of {} cannot be as it was recorded",
                    history.kid
                )));
            }
        }
        Ok(history)
    }

    /// The key's name.
    pub fn kid(&self) -> &KeyId {
        &self.kid
    }

    /// The greatest number that a version ever had.
    pub fn last(&self) -> KeyVersion {
        self.key.last()
    }

    /// Whether no version is left.
    pub fn is_destroyed(&self) -> bool {
        self.key.versions().is_empty()
    }

    /// The live versions, ascending, to be recorded.
    ///
    /// # Errors
    ///
    /// Those of [`KeyRef::spec`].
    pub fn versions(&self) -> impl Iterator<Item = Result<VersionRecord, KeyError>> {
        self.key.versions().iter().map(|one| {
            Ok(VersionRecord {
                version: one.number(),
                spec: one.reference.spec()?,
                state: one.reference.state(),
                key: one.key(),
                reserved: one.reserved(),
            })
        })
    }

    /// The material of one version, if it is live.
    pub fn key(&self, version: KeyVersion) -> Option<SoftKey> {
        self.key.get(version).map(Version::key)
    }

    /// Adds a version: [`KeyTable::add_version`].
    ///
    /// # Errors
    ///
    /// Those of [`KeyTable::add_version`].
    pub fn add_version(&mut self, spec: &KeySpec, key: SoftKey) -> Result<KeyRef, KeyError> {
        check_fit(spec, &key)?;
        if self.is_destroyed() {
            return Err(KeyError::not_found(&self.kid, None));
        }
        let number = self.key.next_version(&self.kid)?;
        Ok(self.push(number, spec, key))
    }

    fn push(&mut self, number: KeyVersion, spec: &KeySpec, key: SoftKey) -> KeyRef {
        let made = reference(&self.kid, number, spec, &key);
        self.key.insert(Version::new(made.clone(), key, Encryptions::granted(0, 0), 0));
        made
    }

    /// Adds a version of exactly this number to what there is under its `kid`, if anything: [`KeyTable::insert_version`].
    ///
    /// # Errors
    ///
    /// Those of [`KeyTable::insert_version`]; [`KeyError::InvalidInput`] if what there is has another `kid`.
    pub fn with_version(
        before: Option<Self>,
        id: &KeyVersionId,
        spec: &KeySpec,
        key: SoftKey,
    ) -> Result<(Self, KeyRef), KeyError> {
        check_fit(spec, &key)?;
        check_kid(&id.kid, spec)?;
        let mut history = match before {
            Some(other) if other.kid != id.kid => {
                return Err(KeyError::invalid_input(format!("{id} is no version of {}", other.kid)));
            }
            Some(gone) if gone.is_destroyed() => {
                return Err(KeyError::conflict(format!(
                    "{id} cannot be added: the key is destroyed, and kids are not used again"
                )));
            }
            Some(history) => {
                history.key.check_unused(id)?;
                history
            }
            None => Self::destroyed(id.kid.clone(), id.version),
        };
        let made = history.push(id.version, spec, key);
        Ok((history, made))
    }

    /// Destroys one version, or with `None` all. Says whether there was something to destroy.
    pub fn destroy(&mut self, version: Option<KeyVersion>) -> bool {
        self.key.remove(version).is_some()
    }

    /// Enables or disables one version. Says whether that changed anything.
    ///
    /// # Errors
    ///
    /// Those of [`KeyTable::set_state`].
    pub fn set_state(&mut self, version: KeyVersion, state: KeyState) -> Result<bool, KeyError> {
        super::check_settable(state)?;
        let changed = self.key.set_state(version, state);
        changed.ok_or_else(|| KeyError::not_found(&self.kid, Some(version)))
    }

    /// Reserves that many encryptions more for one version, or as many as it may still make of at most `most`. They may
    /// be made once they are [granted](KeyTable::grant), which is for whoever has recorded them.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotFound`]; [`KeyError::InvalidState`] if all are reserved.
    pub fn reserve(&mut self, version: KeyVersion, block: u64, most: u64) -> Result<(u64, u64), KeyError> {
        let (kid, found) = (&self.kid, self.key.get_mut(version));
        let one = found.ok_or_else(|| KeyError::not_found(kid, Some(version)))?;
        let from = one.reserved();
        if from >= most {
            return Err(worn_out(one.reference.id(), most));
        }
        let end = from.saturating_add(block.max(1)).min(most);
        one.set_reserved(end);
        Ok((from, end))
    }
}

impl KeyTable {
    /// The key as it is in this table, as a value; also a destroyed one.
    pub fn history(&self, kid: &KeyId) -> Option<KeyHistory> {
        let found = self.shards.read(kid);
        if let Some(key) = found.key() {
            return Some(KeyHistory { kid: kid.clone(), key: key.clone() });
        }
        // Of a destroyed key no number will be needed again.
        found.is_destroyed().then(|| KeyHistory::destroyed(kid.clone(), KeyVersion::FIRST))
    }

    /// Puts a key in the place of what there is under its `kid`. Versions that stay go on counting their encryptions.
    pub fn put(&self, history: KeyHistory) {
        let KeyHistory { kid, key } = history;
        // The guard goes at the end of the statement: material is wiped outside of the lock.
        let before = self.shards.write(&kid).put(key);
        drop(before);
    }

    /// Takes out what there is under a `kid`, as if it had never been: nobody can say any more what it is.
    pub fn forget(&self, kid: &KeyId) {
        let before = self.shards.write(kid).forget();
        drop(before);
    }

    /// Whether a version of a key of which encryptions are counted has used up all that it was granted.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotFound`].
    pub fn needs_grant(&self, kid: &KeyId, version: KeyVersion) -> Result<bool, KeyError> {
        Ok(self.shards.read(kid).find(Some(version))?.encryptions().is_some_and(|count| count.is_used_up()))
    }

    /// Lets a version make the encryptions that were [reserved](KeyHistory::reserve) for it, when it has used up those
    /// before. Nobody else may have been granted any of them.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotFound`].
    pub fn grant(&self, kid: &KeyId, version: KeyVersion, block: (u64, u64)) -> Result<(), KeyError> {
        let (from, end) = block;
        if let Some(count) = self.shards.read(kid).find(Some(version))?.encryptions() {
            count.grant(from, end);
        }
        Ok(())
    }

    /// How often one version may encrypt.
    pub fn max_encryptions(&self) -> u64 {
        self.max_encryptions
    }
}

impl fmt::Debug for KeyHistory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let versions: Vec<_> = self.key.versions().iter().map(|one| one.number().get()).collect();
        f.debug_struct("KeyHistory")
            .field("kid", &self.kid)
            .field("last", &self.key.last().get())
            .field("versions", &versions)
            .finish_non_exhaustive()
    }
}
