//! The provider: keys on a store behind the trait.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use swarmauri_keyprovider::{
    Capabilities, Feature, JwksQuery, JwksVersions, KeyOperations, KeyProvider, Secrets,
};
use swarmauri_keys::{
    Jwk, JwkSet, KeyAlg, KeyError, KeyId, KeyMaterial, KeyOperation, KeyRef, KeySpec, KeyState, KeySummary,
    KeyVersion, KeyVersionId, Page, PageRequest, SecretBytes, SpecOverrides,
};
use swarmauri_keystore::KeyStore;
use swarmauri_softkeys::{self as softkeys, KeyHistory, KeyTable, SoftKey};

use crate::blocking::off_the_executor;
use crate::keys::Keys;
use crate::record::Sealer;
use crate::sealing::SealingKey;
use crate::vault;
use crate::write::Decision;

/// Keys on a store, sealed. `Debug` shows how many, and nothing else about them.
///
/// Every key is in memory as well: reads, and work with keys, ask the store for nothing. All are unsealed and checked when
/// the store is opened, so what is damaged is told then, and opening takes time in proportion to their number. A write has succeeded on the store
/// before its effect is seen. A future that is dropped leaves the key as it was or as it was to be, and what is in memory
/// agrees with the store before it is used again.
///
/// RSA keys are generated, sign and decrypt on tokio's blocking threads, and so is a passphrase made into a key. Outside of
/// a tokio runtime everything runs on the caller's thread.
#[derive(Debug)]
pub struct StoredKeyProvider {
    pub(crate) keys: Keys,
}

/// Opens a [`StoredKeyProvider`].
#[derive(Debug)]
pub struct StoredBuilder {
    store: Arc<dyn KeyStore>,
    sealing: SealingKey,
    max_encryptions: u64,
}

impl StoredKeyProvider {
    /// The name under which it is registered, with the embedded engine beneath.
    pub const NAME: &str = "FileKeyProvider";

    /// Opens the keys of a store; an empty one is made ready for keys.
    ///
    /// # Errors
    ///
    /// [`KeyError::PermissionDenied`] if the store was sealed with another key; [`KeyError::Integrity`] that names the
    /// place, if anything there is not what was written; [`KeyError::UnsupportedAlgorithm`] for a key that this program is
    /// built without; those of the store. Nothing is written then.
    pub async fn open(store: Arc<dyn KeyStore>, sealing: SealingKey) -> Result<Self, KeyError> {
        Self::builder(store, sealing).open().await
    }

    /// The same with settings.
    pub fn builder(store: Arc<dyn KeyStore>, sealing: SealingKey) -> StoredBuilder {
        StoredBuilder { store, sealing, max_encryptions: softkeys::MAX_ENCRYPTIONS }
    }

    /// Seals the store with another key: from then on the old one does not open it any more, in this or another process.
    ///
    /// One record is written, the header, so it is done as a whole or not at all. Whoever has both the old sealing key and
    /// a copy of the old header can still open copies of the records: keys that they may have are to be rotated.
    ///
    /// # Errors
    ///
    /// [`KeyError::Conflict`] if somebody else was sealing it at the same time; those of the store. After an outage it is
    /// sealed with the one or the other.
    pub async fn reseal(&self, sealing: SealingKey) -> Result<(), KeyError> {
        vault::reseal(&*self.keys.store, self.keys.sealer.root(), sealing).await
    }

    async fn add(&self, kid: &KeyId, spec: &KeySpec, key: SoftKey) -> Result<KeyRef, KeyError> {
        let made = self.keys.write(kid, |_| {
            self.keys.table.check_new(spec)?;
            let (history, made) = KeyHistory::created(kid.clone(), spec, key.clone())?;
            Ok(Decision::Write(history, made))
        });
        made.await
    }

    /// The spec with a `kid`: the one it asks for, which must be free, or a random one.
    async fn named(&self, spec: &KeySpec) -> Result<(KeyId, KeySpec), KeyError> {
        let kid = spec.kid().cloned().map_or_else(softkeys::random_kid, Ok)?;
        self.keys.look(&kid).await?;
        let spec = spec.clone().with_kid(kid.clone());
        self.keys.table.check_new(&spec)?;
        Ok((kid, spec))
    }

    async fn set_state(&self, kid: &KeyId, version: KeyVersion, state: KeyState) -> Result<(), KeyError> {
        let set = self.keys.write(kid, |history| {
            let mut next = history.ok_or_else(|| KeyError::not_found(kid, Some(version)))?;
            Ok(if next.set_state(version, state)? { Decision::Write(next, ()) } else { Decision::Keep(()) })
        });
        set.await
    }
}

impl StoredBuilder {
    /// How often each version of an AES-GCM key may encrypt, over all processes that the store is opened by, instead of
    /// [`MAX_ENCRYPTIONS`](softkeys::MAX_ENCRYPTIONS) times.
    ///
    /// A process reserves encryptions in blocks of a 64th of that, at most 65,536; what it does not use of its last one is
    /// lost.
    #[must_use]
    pub fn max_encryptions(mut self, most: u64) -> Self {
        self.max_encryptions = most;
        self
    }

    /// Opens the keys: see [`StoredKeyProvider::open`].
    ///
    /// # Errors
    ///
    /// Those of [`StoredKeyProvider::open`], and [`KeyError::InvalidInput`] for more than
    /// [`MAX_ENCRYPTIONS`](softkeys::MAX_ENCRYPTIONS), or none.
    pub async fn open(self) -> Result<StoredKeyProvider, KeyError> {
        let Self { store, sealing, max_encryptions } = self;
        let table = KeyTable::with_max_encryptions(max_encryptions)?;
        let root = vault::open(&*store, sealing).await?;
        Ok(StoredKeyProvider { keys: Keys::open(store, Sealer::new(root), table).await? })
    }
}

#[async_trait]
impl KeyProvider for StoredKeyProvider {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn supports(&self) -> Capabilities {
        Capabilities {
            create: algs(softkeys::generates),
            import: algs(softkeys::imports),
            import_public: algs(softkeys::imports_public),
            operations: operations(),
            features: FEATURES.iter().copied().collect(),
        }
    }

    async fn create_key(&self, spec: &KeySpec) -> Result<KeyRef, KeyError> {
        let (kid, spec) = self.named(spec).await?;
        let key = generate(&spec).await?;
        self.add(&kid, &spec, key).await
    }

    async fn import_key(&self, spec: &KeySpec, material: KeyMaterial) -> Result<KeyRef, KeyError> {
        let (kid, spec) = self.named(spec).await?;
        let key = SoftKey::import(spec.alg(), material)?;
        self.add(&kid, &spec, key).await
    }

    async fn import_version(
        &self,
        id: &KeyVersionId,
        spec: &KeySpec,
        material: KeyMaterial,
    ) -> Result<KeyRef, KeyError> {
        self.keys.look(&id.kid).await?;
        self.keys.table.check_new_version(id, spec)?;
        let key = SoftKey::import(spec.alg(), material)?;
        let imported = self.keys.write(&id.kid, |history| {
            let (next, made) = KeyHistory::with_version(history, id, spec, key.clone())?;
            Ok(Decision::Write(next, made))
        });
        imported.await
    }

    async fn rotate_key(&self, kid: &KeyId, overrides: &SpecOverrides) -> Result<KeyRef, KeyError> {
        self.keys.look(kid).await?;
        let spec = self.keys.table.rotation_spec(kid, overrides)?;
        let key = generate(&spec).await?;
        let rotated = self.keys.write(kid, |history| {
            let mut next = history.ok_or_else(|| KeyError::not_found(kid, None))?;
            let made = next.add_version(&spec, key.clone())?;
            Ok(Decision::Write(next, made))
        });
        rotated.await
    }

    async fn destroy_key(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<bool, KeyError> {
        let destroyed = self.keys.write(kid, |history| {
            let Some(mut next) = history else { return Ok(Decision::Keep(false)) };
            Ok(if next.destroy(version) { Decision::Write(next, true) } else { Decision::Keep(false) })
        });
        destroyed.await
    }

    async fn disable_key(&self, kid: &KeyId, version: KeyVersion) -> Result<(), KeyError> {
        self.set_state(kid, version, KeyState::Disabled).await
    }

    async fn enable_key(&self, kid: &KeyId, version: KeyVersion) -> Result<(), KeyError> {
        self.set_state(kid, version, KeyState::Enabled).await
    }

    fn operations(&self) -> Option<&dyn KeyOperations> {
        Some(self)
    }

    /// What `async_trait` makes of its siblings, by hand.
    fn get_key<'a, 'kid, 'read>(
        &'a self,
        kid: &'kid KeyId,
        version: Option<KeyVersion>,
        secrets: Secrets,
    ) -> Pin<Box<dyn Future<Output = Result<KeyRef, KeyError>> + Send + 'read>>
    where
        'a: 'read,
        'kid: 'read,
        Self: 'read,
    {
        Box::pin(self.keys.read(kid, move |table| table.get(kid, version, secrets == Secrets::Include)))
    }

    async fn list_versions(&self, kid: &KeyId) -> Result<Vec<KeyVersion>, KeyError> {
        self.keys.look(kid).await?;
        self.keys.table.list_versions(kid)
    }

    async fn list_keys(&self, page: &PageRequest) -> Result<Page<KeySummary>, KeyError> {
        self.keys.look_at_all().await?;
        self.keys.table.list(page)
    }

    async fn get_public_jwk(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<Jwk, KeyError> {
        self.keys.look(kid).await?;
        self.keys.table.public_jwk(kid, version)
    }

    async fn jwks(&self, query: &JwksQuery) -> Result<Arc<JwkSet>, KeyError> {
        self.keys.look_at_all().await?;
        let JwksQuery { prefix, versions } = query;
        Ok(self.keys.table.jwks(prefix.as_deref(), *versions == JwksVersions::AllLive))
    }

    async fn random_bytes(&self, len: usize) -> Result<SecretBytes, KeyError> {
        softkeys::random_bytes(len)
    }

    async fn hkdf(
        &self,
        ikm: &SecretBytes,
        salt: &[u8],
        info: &[u8],
        len: usize,
    ) -> Result<SecretBytes, KeyError> {
        softkeys::hkdf_sha256(ikm, salt, info, len)
    }
}

const FEATURES: [Feature; 10] = [
    Feature::Rotate,
    Feature::Destroy,
    Feature::Disable,
    Feature::ListKeys,
    Feature::Jwks,
    Feature::ExportSecret,
    Feature::ChosenKid,
    Feature::ImportVersion,
    Feature::Random,
    Feature::Hkdf,
];

fn algs(can: impl Fn(KeyAlg) -> bool) -> BTreeSet<KeyAlg> {
    KeyAlg::ALL.iter().copied().filter(|alg| can(*alg)).collect()
}

fn operations() -> BTreeMap<KeyOperation, BTreeSet<KeyAlg>> {
    let each = KeyOperation::ALL.iter().copied();
    each.map(|operation| (operation, algs(|alg| softkeys::operates(operation, alg))))
        .filter(|(_, algs)| !algs.is_empty())
        .collect()
}

async fn generate(spec: &KeySpec) -> Result<SoftKey, KeyError> {
    let (alg, size_bits) = (spec.alg(), spec.size_bits());
    if softkeys::is_slow_to_generate(alg) {
        return off_the_executor(move || SoftKey::generate(alg, size_bits)).await;
    }
    SoftKey::generate(alg, size_bits)
}
