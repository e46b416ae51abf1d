//! The model: what the contract of key providers says, in the simplest terms.

use std::collections::BTreeMap;

use swarmauri_keyprovider::Secrets;
use swarmauri_keys::{Acceptance, ExportPolicy, KeyAlg, KeyErrorKind, KeyOperation, KeyUses};

use crate::outcome::{Expected, NAMES, Outcome, Slot};
use crate::transition::{Spec, Transition, has_public};

#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    /// Everything that ever was; a key without versions is destroyed.
    pub(crate) keys: BTreeMap<Slot, Key>,
    /// How many names the provider has drawn.
    drawn: usize,
    /// What was signed or encrypted so far: with which version, and how.
    pub(crate) works: Vec<(Slot, u32, KeyOperation)>,
    /// What the last call is to give; none for one that gives nothing.
    pub(crate) expected: Option<Outcome>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Key {
    pub(crate) versions: BTreeMap<u32, Version>,
    /// The greatest number ever.
    last: u32,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Version {
    pub(crate) alg: KeyAlg,
    uses: KeyUses,
    pub(crate) policy: ExportPolicy,
    public_alone: bool,
    pub(crate) disabled: bool,
}

impl Model {
    pub(crate) fn apply(mut self, transition: &Transition) -> Self {
        self.expected = match *transition {
            Transition::Create { slot, spec } => Some(self.make(slot, spec, false)),
            Transition::Import { slot, spec, public_alone } => Some(self.make(slot, spec, public_alone)),
            Transition::ImportVersion { slot, version, spec, public_alone } => {
                Some(self.make_version(slot, version, Version::new(spec, public_alone)))
            }
            Transition::Rotate { slot, alg, policy } => Some(self.rotate(slot, alg, policy).into()),
            Transition::Destroy { slot, version } => Some(self.destroy(slot, version)),
            Transition::Disable { slot, version } => Some(self.set_disabled(slot, version, true).into()),
            Transition::Enable { slot, version } => Some(self.set_disabled(slot, version, false).into()),
            Transition::Read { slot, version, secrets } => Some(self.read(slot, version, secrets).into()),
            Transition::PublicJwk { slot, version } => Some(self.public_jwk(slot, version).into()),
            Transition::Work { slot, version, operation, acceptance } => {
                Some(self.work(slot, version, operation, acceptance).into())
            }
            Transition::Recall { which, any_live, acceptance } => (!self.works.is_empty())
                .then(|| self.recall(which.index(self.works.len()), any_live, acceptance).into()),
            Transition::Reopen => None,
        };
        self
    }

    fn make(&mut self, slot: Option<Slot>, spec: Spec, public_alone: bool) -> Outcome {
        let slot = slot.unwrap_or_else(|| {
            self.drawn += 1;
            self.slots() - 1
        });
        if self.keys.contains_key(&slot) {
            return Outcome::Refused(KeyErrorKind::Conflict);
        }
        self.make_version(slot, 1, Version::new(spec, public_alone))
    }

    fn make_version(&mut self, slot: Slot, number: u32, version: Version) -> Outcome {
        let destroyed = self.keys.get(&slot).is_some_and(|key| key.versions.is_empty());
        let key = self.keys.entry(slot).or_default();
        if destroyed || number <= key.last {
            return Outcome::Refused(KeyErrorKind::Conflict);
        }
        key.last = number;
        key.versions.insert(number, version);
        Outcome::Made(slot, number)
    }

    fn rotate(&mut self, slot: Slot, alg: Option<KeyAlg>, policy: Option<ExportPolicy>) -> Expected<Outcome> {
        let (_, latest) = self.find(slot, None)?;
        if latest.public_alone {
            return Err(KeyErrorKind::InvalidState);
        }
        let alg = alg.unwrap_or(latest.alg);
        if latest.uses.iter().any(|one| !alg.uses().contains(&one)) {
            return Err(KeyErrorKind::InvalidInput);
        }
        let policy = policy.unwrap_or(latest.policy);
        let next = Version { alg, policy, uses: latest.uses, public_alone: false, disabled: false };
        Ok(self.make_version(slot, self.keys[&slot].last + 1, next))
    }

    fn destroy(&mut self, slot: Slot, version: Option<u32>) -> Outcome {
        let Some(key) = self.keys.get_mut(&slot) else { return Outcome::Destroyed(false) };
        let before = key.versions.len();
        key.versions.retain(|number, _| version.is_some_and(|version| version != *number));
        Outcome::Destroyed(key.versions.len() < before)
    }

    fn set_disabled(&mut self, slot: Slot, version: u32, disabled: bool) -> Expected<Outcome> {
        self.find(slot, Some(version))?;
        let key = self.keys.get_mut(&slot).unwrap();
        key.versions.get_mut(&version).unwrap().disabled = disabled;
        Ok(Outcome::Done)
    }

    fn read(&self, slot: Slot, version: Option<u32>, secrets: Secrets) -> Expected<Outcome> {
        let (version, found) = self.find(slot, version)?;
        let secret = secrets == Secrets::Include;
        match found {
            _ if !secret => {}
            Version { policy: ExportPolicy::None | ExportPolicy::PublicOnly, .. } => {
                return Err(KeyErrorKind::PermissionDenied);
            }
            Version { disabled: true, .. } => return Err(KeyErrorKind::Disabled),
            Version { public_alone: true, .. } => return Err(KeyErrorKind::InvalidState),
            Version { .. } => {}
        }
        Ok(Outcome::Read { version, disabled: found.disabled, secret })
    }

    fn public_jwk(&self, slot: Slot, version: Option<u32>) -> Expected<Outcome> {
        let (version, found) = self.find(slot, version)?;
        match found {
            _ if !has_public(found.alg) => Err(KeyErrorKind::Unsupported),
            Version { policy: ExportPolicy::None, .. } => Err(KeyErrorKind::PermissionDenied),
            Version { disabled: true, .. } => Err(KeyErrorKind::Disabled),
            Version { disabled, .. } => Ok(Outcome::Read { version, disabled, secret: false }),
        }
    }

    fn work(
        &mut self,
        slot: Slot,
        version: Option<u32>,
        operation: KeyOperation,
        acceptance: Acceptance,
    ) -> Expected<Outcome> {
        let (version, found) = self.find(slot, version)?;
        found.check(operation, acceptance)?;
        if operation.makes() {
            self.works.push((slot, version, operation));
        }
        Ok(Outcome::Worked(version))
    }

    /// The counterpart of earlier work. Only what is verified may be held against any version.
    fn recall(&self, which: usize, any_live: bool, acceptance: Acceptance) -> Expected<Outcome> {
        let (slot, version, made) = self.works[which];
        let operation = counterpart(made);
        if !(any_live && verifies(operation)) {
            self.find(slot, Some(version))?.1.check(operation, acceptance)?;
            return Ok(Outcome::Worked(version));
        }
        let (_, latest) = self.find(slot, None)?;
        let versions = &self.keys[&slot].versions;
        let mut usable =
            versions.iter().filter(|(_, one)| one.check(operation, acceptance).is_ok()).peekable();
        if usable.peek().is_none() {
            latest.check(operation, acceptance)?;
        }
        let fits = usable.any(|(number, _)| *number == version);
        if fits { Ok(Outcome::Worked(version)) } else { Err(KeyErrorKind::NotAuthentic) }
    }

    fn find(&self, slot: Slot, version: Option<u32>) -> Expected<(u32, Version)> {
        let found = self.keys.get(&slot).and_then(|key| match version {
            Some(version) => key.versions.get_key_value(&version),
            None => key.versions.last_key_value(),
        });
        found.map(|(number, version)| (*number, *version)).ok_or(KeyErrorKind::NotFound)
    }

    /// How many keys have a name so far, be they there or not.
    pub(crate) fn slots(&self) -> usize {
        NAMES.len() + self.drawn
    }

    /// Every name that may mean something, those of keys that are there more often.
    pub(crate) fn keys_worth_asking(&self) -> Vec<Slot> {
        let live = self.live().map(|(slot, _, _)| slot);
        live.chain(0..self.slots()).collect()
    }

    /// The same of versions: live ones, the latest above all; destroyed ones, and some that never were.
    pub(crate) fn versions_worth_asking(&self) -> Vec<(Slot, u32)> {
        let mut all = Vec::new();
        for slot in 0..self.slots() {
            let key = self.keys.get(&slot).cloned().unwrap_or_default();
            let (live, latest) = (key.versions.keys(), key.versions.last_key_value());
            all.extend(live.flat_map(|version| [(slot, *version); 3]));
            all.extend(latest.iter().flat_map(|(version, _)| [(slot, **version); 4]));
            all.extend((1..=key.last).map(|version| (slot, version)));
            all.extend([(slot, key.last + 1), (slot, key.last + 3)]);
        }
        all
    }

    /// Every live version.
    pub(crate) fn live(&self) -> impl Iterator<Item = (Slot, u32, Version)> {
        self.keys.iter().flat_map(|(slot, key)| key.versions.iter().map(|(n, version)| (*slot, *n, *version)))
    }
}

impl Version {
    fn new(spec: Spec, public_alone: bool) -> Self {
        let Spec { alg, policy, narrow } = spec;
        let uses = &alg.uses()[..if narrow { 1 } else { alg.uses().len() }];
        Self { alg, policy, public_alone, uses: uses.iter().copied().collect(), disabled: false }
    }

    fn check(self, operation: KeyOperation, acceptance: Acceptance) -> Expected<()> {
        let reads = !operation.makes() && acceptance == Acceptance::AllowDisabled;
        if !self.uses.contains(operation.key_use()) {
            Err(KeyErrorKind::PermissionDenied)
        } else if !operation.algs().contains(&self.alg) {
            Err(KeyErrorKind::InvalidInput)
        } else if self.disabled && !reads {
            Err(KeyErrorKind::Disabled)
        } else if self.public_alone && !operation.is_public(self.alg) {
            Err(KeyErrorKind::InvalidState)
        } else {
            Ok(())
        }
    }

    /// Whether a JWKS holds it.
    pub(crate) fn is_published(self) -> bool {
        has_public(self.alg) && self.policy != ExportPolicy::None && !self.disabled
    }
}

/// What reads what an operation has made.
pub(crate) fn counterpart(made: KeyOperation) -> KeyOperation {
    match made {
        KeyOperation::Sign => KeyOperation::Verify,
        KeyOperation::Mac => KeyOperation::VerifyMac,
        KeyOperation::Encrypt => KeyOperation::Decrypt,
        KeyOperation::WrapKey => KeyOperation::UnwrapKey,
        other => panic!("{other} makes nothing"),
    }
}

pub(crate) fn verifies(operation: KeyOperation) -> bool {
    matches!(operation, KeyOperation::Verify | KeyOperation::VerifyMac)
}
