//! The provider: a key table behind the trait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use swarmauri_keyprovider::{
    Capabilities, Feature, JwksQuery, JwksVersions, KeyOperations, KeyProvider, Secrets,
};
use swarmauri_keys::{
    Jwk, JwkSet, KeyAlg, KeyError, KeyId, KeyMaterial, KeyOperation, KeyRef, KeySpec, KeyState, KeySummary,
    KeyVersion, KeyVersionId, Page, PageRequest, SecretBytes, SpecOverrides,
};
use swarmauri_softkeys::{self as softkeys, KeyTable, SoftKey};

use crate::blocking::off_the_executor;

/// Keys in the memory of this process. `Debug` shows how many, and nothing else about them.
///
/// No lock is held across an await, and every future is cancel-safe: a key enters the table in one step,
/// after it was generated or validated.
///
/// RSA keys are generated, sign and decrypt on tokio's blocking threads. Outside of a tokio runtime everything runs
/// on the caller's thread.
#[derive(Debug, Default)]
pub struct LocalKeyProvider {
    pub(crate) table: KeyTable,
}

impl LocalKeyProvider {
    /// The name under which it is registered.
    pub const NAME: &str = "LocalKeyProvider";

    /// A provider without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// A provider each version of whose AES-GCM keys encrypts at most so often, instead of
    /// [`MAX_ENCRYPTIONS`](softkeys::MAX_ENCRYPTIONS) times. Counting starts anew for a key that is imported.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] for more than that, or none.
    pub fn with_max_encryptions(most: u64) -> Result<Self, KeyError> {
        Ok(Self { table: KeyTable::with_max_encryptions(most)? })
    }
}

#[async_trait]
impl KeyProvider for LocalKeyProvider {
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
        self.table.check_new(spec)?;
        let key = generate(spec).await?;
        self.table.create(spec, key)
    }

    async fn import_key(&self, spec: &KeySpec, material: KeyMaterial) -> Result<KeyRef, KeyError> {
        self.table.check_new(spec)?;
        self.table.create(spec, SoftKey::import(spec.alg(), material)?)
    }

    async fn import_version(
        &self,
        id: &KeyVersionId,
        spec: &KeySpec,
        material: KeyMaterial,
    ) -> Result<KeyRef, KeyError> {
        self.table.check_new_version(id, spec)?;
        self.table.insert_version(id, spec, SoftKey::import(spec.alg(), material)?)
    }

    async fn rotate_key(&self, kid: &KeyId, overrides: &SpecOverrides) -> Result<KeyRef, KeyError> {
        let spec = self.table.rotation_spec(kid, overrides)?;
        let key = generate(&spec).await?;
        self.table.add_version(kid, &spec, key)
    }

    async fn destroy_key(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<bool, KeyError> {
        Ok(self.table.destroy(kid, version))
    }

    async fn disable_key(&self, kid: &KeyId, version: KeyVersion) -> Result<(), KeyError> {
        self.table.set_state(kid, version, KeyState::Disabled)
    }

    async fn enable_key(&self, kid: &KeyId, version: KeyVersion) -> Result<(), KeyError> {
        self.table.set_state(kid, version, KeyState::Enabled)
    }

    fn operations(&self) -> Option<&dyn KeyOperations> {
        Some(self)
    }

    async fn get_key(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        secrets: Secrets,
    ) -> Result<KeyRef, KeyError> {
        self.table.get(kid, version, secrets == Secrets::Include)
    }

    async fn list_versions(&self, kid: &KeyId) -> Result<Vec<KeyVersion>, KeyError> {
        self.table.list_versions(kid)
    }

    async fn list_keys(&self, page: &PageRequest) -> Result<Page<KeySummary>, KeyError> {
        self.table.list(page)
    }

    async fn get_public_jwk(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<Jwk, KeyError> {
        self.table.public_jwk(kid, version)
    }

    async fn jwks(&self, query: &JwksQuery) -> Result<Arc<JwkSet>, KeyError> {
        let JwksQuery { prefix, versions } = query;
        Ok(self.table.jwks(prefix.as_deref(), *versions == JwksVersions::AllLive))
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
