//! A provider under test: makes the calls, remembers what it was told, and compares.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use swarmauri_keyprovider::{KeyProvider, KeyProviderExt};
use swarmauri_keys::{
    Acceptance, Ciphertext, KeyAlg, KeyError, KeyErrorKind, KeyId, KeyMaterial, KeyOperation, KeyRef,
    KeySpec, KeyState, KeyVersion, SecretBytes, Signature, SpecOverrides, VerifyWith,
};
use swarmauri_softkeys::SoftKey;

use crate::houses::House;
use crate::model::Model;
use crate::outcome::{NAMES, Outcome, Slot};
use crate::transition::{QUICK, Spec, Transition};

pub(crate) struct System<H> {
    pub(crate) house: H,
    /// The names that the provider drew.
    drawn: Vec<KeyId>,
    /// Every version as it was when it was made.
    pub(crate) made: BTreeMap<(Slot, u32), KeyRef>,
    works: Vec<Work>,
    pub(crate) steps: usize,
}

enum Work {
    Signed(Signature),
    Sealed(Ciphertext),
}

const MESSAGE: &[u8] = b"a message, or a plaintext, of 32 bytes or so";
const AAD: &[u8] = b"associated data";

/// What is imported, and whose public half is agreed with.
static MATERIAL: LazyLock<BTreeMap<KeyAlg, SoftKey>> =
    LazyLock::new(|| QUICK.into_iter().map(|alg| (alg, SoftKey::generate(alg, None).unwrap())).collect());

impl<H: House> System<H> {
    pub(crate) async fn new() -> Self {
        let (drawn, made, works) = (Vec::new(), BTreeMap::new(), Vec::new());
        Self { house: H::new().await, drawn, made, works, steps: 0 }
    }

    /// Makes the call, and holds the answer against what the model expects.
    pub(crate) async fn step(mut self, call: &Transition, model: &Model) -> Result<Self, String> {
        self.steps += 1;
        if let Transition::Reopen = call {
            self.house = self.house.reopened().await;
            return Ok(self);
        }
        let Some(expected) = &model.expected else { return Ok(self) };
        let seen = match self.call(call).await {
            Ok(outcome) => outcome,
            Err(error) => Outcome::Refused(error.kind()),
        };
        if seen == *expected {
            return Ok(self);
        }
        Err(format!("{call:?}: the model says {expected:?}, and the provider {seen:?}"))
    }

    async fn call(&mut self, call: &Transition) -> Result<Outcome, KeyError> {
        let provider = self.house.provider();
        match *call {
            Transition::Create { slot, spec } => {
                let made = provider.create_key(&self.spec(slot, spec)).await?;
                Ok(self.was_made(slot, made))
            }
            Transition::Import { slot, spec, public_alone } => {
                let made =
                    provider.import_key(&self.spec(slot, spec), material(spec.alg, public_alone)).await?;
                Ok(self.was_made(slot, made))
            }
            Transition::ImportVersion { slot, version, spec, public_alone } => {
                let id = self.kid(slot).at(number(version));
                let material = material(spec.alg, public_alone);
                let made = provider.import_version(&id, &self.spec(None, spec), material).await?;
                Ok(self.was_made(Some(slot), made))
            }
            Transition::Rotate { slot, alg, policy } => {
                let overrides = SpecOverrides { alg, export_policy: policy, ..SpecOverrides::NONE };
                let made = provider.rotate_key(&self.kid(slot), &overrides).await?;
                Ok(self.was_made(Some(slot), made))
            }
            Transition::Destroy { slot, version } => {
                let destroyed = provider.destroy_key(&self.kid(slot), version.map(number)).await?;
                Ok(Outcome::Destroyed(destroyed))
            }
            Transition::Disable { slot, version } => {
                provider.disable_key(&self.kid(slot), number(version)).await.map(|()| Outcome::Done)
            }
            Transition::Enable { slot, version } => {
                provider.enable_key(&self.kid(slot), number(version)).await.map(|()| Outcome::Done)
            }
            Transition::Read { slot, version, secrets } => {
                read(&provider.get_key(&self.kid(slot), version.map(number), secrets).await?)
            }
            Transition::PublicJwk { slot, version } => {
                let jwk = provider.get_public_jwk(&self.kid(slot), version.map(number)).await?;
                let version = jwk.version_id().map_or(0, |id| id.version.get());
                Ok(Outcome::Read { version, disabled: false, secret: false })
            }
            Transition::Work { slot, version, operation, acceptance } => {
                self.work(slot, version, operation, acceptance).await
            }
            Transition::Recall { which, any_live, acceptance } => {
                self.recall(&self.works[which.index(self.works.len())], any_live, acceptance).await
            }
            Transition::Reopen => Ok(Outcome::Done),
        }
    }

    fn was_made(&mut self, slot: Option<Slot>, made: KeyRef) -> Outcome {
        let slot = slot.unwrap_or_else(|| {
            self.drawn.push(made.kid().clone());
            NAMES.len() + self.drawn.len() - 1
        });
        let version = made.version().get();
        let right = *made.kid() == self.kid(slot) && made.secret().is_none();
        // A number that comes back is seen here, whatever the model says of it.
        if !right || self.made.insert((slot, version), made).is_some() {
            return Outcome::Refused(KeyErrorKind::Integrity);
        }
        Outcome::Made(slot, version)
    }

    async fn work(
        &mut self,
        slot: Slot,
        version: Option<u32>,
        operation: KeyOperation,
        acceptance: Acceptance,
    ) -> Result<Outcome, KeyError> {
        let (kid, version, on) = (self.kid(slot), version.map(number), self.house.provider().work()?);
        let work = match operation {
            KeyOperation::Sign => Work::Signed(on.sign(&kid, version, MESSAGE).await?),
            KeyOperation::Mac => Work::Signed(on.mac(&kid, version, MESSAGE).await?),
            KeyOperation::Encrypt => Work::Sealed(on.encrypt(&kid, version, MESSAGE, AAD).await?),
            KeyOperation::WrapKey => Work::Sealed(on.wrap_key(&kid, version, &wrapped()).await?),
            other => {
                assert_eq!(other, KeyOperation::Agree);
                let peer = MATERIAL[&KeyAlg::X25519].public_key().unwrap();
                on.agree(&kid, version, peer, acceptance).await?;
                // The answer does not say which version agreed.
                let latest = on_latest(self.house.provider(), &kid, version).await?;
                return Ok(Outcome::Worked(latest));
            }
        };
        let version = match &work {
            Work::Signed(signature) => signature.version,
            Work::Sealed(sealed) => sealed.version,
        };
        self.works.push(work);
        Ok(Outcome::Worked(version.get()))
    }

    async fn recall(&self, work: &Work, any_live: bool, acceptance: Acceptance) -> Result<Outcome, KeyError> {
        let on = self.house.provider().work()?;
        let version = match work {
            Work::Signed(Signature { kid, version, alg, bytes }) => {
                let with = if any_live { VerifyWith::AnyLive } else { VerifyWith::Version(*version) };
                if *alg == KeyAlg::HmacSha256 {
                    on.verify_mac(kid, with, MESSAGE, bytes, acceptance).await?
                } else {
                    on.verify(kid, with, MESSAGE, bytes, acceptance).await?
                }
            }
            Work::Sealed(sealed) => {
                // One was wrapped, the other encrypted: the length tells.
                let opened = if sealed.ciphertext.len() == wrapped().len() {
                    on.unwrap_key(sealed, acceptance).await? == wrapped()
                } else {
                    on.decrypt(sealed, AAD, acceptance).await?.expose_secret() == MESSAGE
                };
                if !opened {
                    return Err(KeyError::integrity("what was encrypted is not what comes out"));
                }
                sealed.version
            }
        };
        Ok(Outcome::Worked(version.get()))
    }

    pub(crate) fn kid(&self, slot: Slot) -> KeyId {
        match NAMES.get(slot) {
            Some(name) => KeyId::new(*name).unwrap(),
            None => self.drawn[slot - NAMES.len()].clone(),
        }
    }

    fn spec(&self, slot: Option<Slot>, Spec { alg, policy, narrow }: Spec) -> KeySpec {
        let mut spec = KeySpec::builder(alg).export_policy(policy).label("a label").tag("a", "tag");
        if narrow {
            spec = spec.uses(alg.uses().first().copied());
        }
        if alg == KeyAlg::RsaPssSha256 {
            spec = spec.size_bits(2048);
        }
        if let Some(slot) = slot {
            spec = spec.kid(self.kid(slot));
        }
        spec.build().unwrap()
    }
}

/// A secret that comes along must be that of the key.
fn read(key: &KeyRef) -> Result<Outcome, KeyError> {
    if let Some(secret) = key.secret() {
        let own = SoftKey::import(key.alg(), secret.clone().into())?;
        if own.fingerprint() != key.fingerprint() {
            return Err(KeyError::integrity("the secret is that of another key"));
        }
    }
    let disabled = key.state() == KeyState::Disabled;
    Ok(Outcome::Read { version: key.version().get(), disabled, secret: key.secret().is_some() })
}

async fn on_latest(on: &dyn KeyProvider, kid: &KeyId, version: Option<KeyVersion>) -> Result<u32, KeyError> {
    Ok(match version {
        Some(version) => version,
        None => on.latest_version(kid).await?,
    }
    .get())
}

fn material(alg: KeyAlg, public_alone: bool) -> KeyMaterial {
    let key = &MATERIAL[&alg];
    if public_alone {
        return KeyMaterial::Public(key.public_key().unwrap().clone());
    }
    key.secret().unwrap().into()
}

fn wrapped() -> SecretBytes {
    vec![9; 32].into()
}

pub(crate) fn number(version: u32) -> KeyVersion {
    KeyVersion::new(version).unwrap()
}
