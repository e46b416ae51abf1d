//! The provider: a key table behind the trait.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use swarmauri_keyprovider::{Capabilities, Feature, JwksQuery, JwksVersions, KeyProvider, Secrets};
use swarmauri_keys::{
    Jwk, JwkSet, KeyAlg, KeyError, KeyId, KeyMaterial, KeyRef, KeySpec, KeySummary, KeyVersion, Page,
    PageRequest, SecretBytes, SpecOverrides,
};
use swarmauri_softkeys::{self as softkeys, KeyTable, SoftKey};
use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinHandle};

/// Keys in the memory of this process. `Debug` shows how many, and nothing else about them.
///
/// No lock is held across an await, and every future is cancel-safe: a key enters the table in one step,
/// after it was generated or validated.
///
/// RSA keys are generated on tokio's blocking threads. Outside of a tokio runtime everything runs on the
/// caller's thread.
#[derive(Debug, Default)]
pub struct LocalKeyProvider {
    table: KeyTable,
}

impl LocalKeyProvider {
    /// The name under which it is registered.
    pub const NAME: &str = "LocalKeyProvider";

    /// A provider without keys.
    pub fn new() -> Self {
        Self::default()
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

    async fn rotate_key(&self, kid: &KeyId, overrides: &SpecOverrides) -> Result<KeyRef, KeyError> {
        let spec = self.table.rotation_spec(kid, overrides)?;
        let key = generate(&spec).await?;
        self.table.add_version(kid, &spec, key)
    }

    async fn destroy_key(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<bool, KeyError> {
        Ok(self.table.destroy(kid, version))
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
        self.table.get(kid, version, false)?.public_jwk()
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

const FEATURES: [Feature; 8] = [
    Feature::Rotate,
    Feature::Destroy,
    Feature::ListKeys,
    Feature::Jwks,
    Feature::ExportSecret,
    Feature::ChosenKid,
    Feature::Random,
    Feature::Hkdf,
];

fn algs(can: impl Fn(KeyAlg) -> bool) -> BTreeSet<KeyAlg> {
    KeyAlg::ALL.iter().copied().filter(|alg| can(*alg)).collect()
}

async fn generate(spec: &KeySpec) -> Result<SoftKey, KeyError> {
    let (alg, size_bits) = (spec.alg(), spec.size_bits());
    match Handle::try_current() {
        Ok(runtime) if softkeys::is_slow_to_generate(alg) => {
            let mut task = AbortOnDrop(runtime.spawn_blocking(move || SoftKey::generate(alg, size_bits)));
            (&mut task.0).await.map_err(|error| cut_off(&error))?
        }
        _ => SoftKey::generate(alg, size_bits),
    }
}

/// Takes a task that nobody waits for out of the queue. One that has started runs to its end, and what it
/// made is dropped.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn cut_off(error: &JoinError) -> KeyError {
    KeyError::unavailable(format!("key generation was cut off: {error}"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn a_generation_that_nobody_waits_for_is_not_started() {
        let runtime = Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
        let (release, released) = mpsc::channel::<()>();
        let occupied = runtime.spawn_blocking(move || released.recv());
        let started = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&started);
        drop(AbortOnDrop(runtime.spawn_blocking(move || flag.store(true, Ordering::SeqCst))));
        let behind = runtime.spawn_blocking(|| ());
        release.send(()).unwrap();
        runtime.block_on(async { (occupied.await, behind.await) }).1.unwrap();
        assert!(!started.load(Ordering::SeqCst));
    }
}
