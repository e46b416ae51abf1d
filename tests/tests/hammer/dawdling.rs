//! A provider that takes breaks: callers meet where futures wait, and those of a provider in memory never do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use swarmauri_keyprovider::{
    Capabilities, JwksQuery, KeyOperations, KeyProvider, KeyProviderExt, KeyReference, Secrets,
};
use swarmauri_keyproviders_tests::random::Seeded;
use swarmauri_keys::{
    Acceptance, Ciphertext, Jwk, JwkSet, KeyError, KeyId, KeyMaterial, KeyRef, KeySpec, KeySummary,
    KeyVersion, KeyVersionId, Page, PageRequest, PublicKey, SecretBytes, Signature, SpecOverrides,
    VerifyWith,
};

/// Lets others go first, now and then: before a call takes effect, and before it is answered.
#[derive(Debug)]
pub(crate) struct Dawdling {
    inner: Arc<dyn KeyProvider>,
    calls: AtomicU64,
}

impl Dawdling {
    pub(crate) fn new(inner: Arc<dyn KeyProvider>) -> Self {
        Self { inner, calls: AtomicU64::new(0) }
    }

    async fn around<T>(&self, call: impl Future<Output = T> + Send) -> T {
        let mut random = Seeded::new(self.calls.fetch_add(1, Ordering::Relaxed));
        pause(&mut random).await;
        let answer = call.await;
        pause(&mut random).await;
        answer
    }
}

async fn pause(random: &mut Seeded) {
    if random.one_in(2) {
        for _ in 0..=random.below(4) {
            tokio::task::yield_now().await;
        }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl KeyProvider for Dawdling {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn supports(&self) -> Capabilities {
        self.inner.supports()
    }

    async fn create_key(&self, spec: &KeySpec) -> Result<KeyRef, KeyError> {
        self.around(self.inner.create_key(spec)).await
    }

    async fn import_key(&self, spec: &KeySpec, material: KeyMaterial) -> Result<KeyRef, KeyError> {
        self.around(self.inner.import_key(spec, material)).await
    }

    async fn import_version(
        &self,
        id: &KeyVersionId,
        spec: &KeySpec,
        material: KeyMaterial,
    ) -> Result<KeyRef, KeyError> {
        self.around(self.inner.import_version(id, spec, material)).await
    }

    async fn rotate_key(&self, kid: &KeyId, overrides: &SpecOverrides) -> Result<KeyRef, KeyError> {
        self.around(self.inner.rotate_key(kid, overrides)).await
    }

    async fn destroy_key(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<bool, KeyError> {
        self.around(self.inner.destroy_key(kid, version)).await
    }

    async fn disable_key(&self, kid: &KeyId, version: KeyVersion) -> Result<(), KeyError> {
        self.around(self.inner.disable_key(kid, version)).await
    }

    async fn enable_key(&self, kid: &KeyId, version: KeyVersion) -> Result<(), KeyError> {
        self.around(self.inner.enable_key(kid, version)).await
    }

    fn operations(&self) -> Option<&dyn KeyOperations> {
        self.inner.operations().map(|_| self as &dyn KeyOperations)
    }

    async fn get_key(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        secrets: Secrets,
    ) -> Result<KeyRef, KeyError> {
        self.around(self.inner.get_key(kid, version, secrets)).await
    }

    async fn get_key_by_ref(&self, reference: &KeyReference, secrets: Secrets) -> Result<KeyRef, KeyError> {
        self.around(self.inner.get_key_by_ref(reference, secrets)).await
    }

    async fn list_versions(&self, kid: &KeyId) -> Result<Vec<KeyVersion>, KeyError> {
        self.around(self.inner.list_versions(kid)).await
    }

    async fn list_keys(&self, page: &PageRequest) -> Result<Page<KeySummary>, KeyError> {
        self.around(self.inner.list_keys(page)).await
    }

    async fn get_public_jwk(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<Jwk, KeyError> {
        self.around(self.inner.get_public_jwk(kid, version)).await
    }

    async fn jwks(&self, query: &JwksQuery) -> Result<Arc<JwkSet>, KeyError> {
        self.around(self.inner.jwks(query)).await
    }

    async fn random_bytes(&self, len: usize) -> Result<SecretBytes, KeyError> {
        self.around(self.inner.random_bytes(len)).await
    }

    async fn hkdf(
        &self,
        ikm: &SecretBytes,
        salt: &[u8],
        info: &[u8],
        len: usize,
    ) -> Result<SecretBytes, KeyError> {
        self.around(self.inner.hkdf(ikm, salt, info, len)).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl KeyOperations for Dawdling {
    async fn sign(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        message: &[u8],
    ) -> Result<Signature, KeyError> {
        self.around(self.inner.work()?.sign(kid, version, message)).await
    }

    async fn verify(
        &self,
        kid: &KeyId,
        with: VerifyWith,
        message: &[u8],
        signature: &[u8],
        acceptance: Acceptance,
    ) -> Result<KeyVersion, KeyError> {
        self.around(self.inner.work()?.verify(kid, with, message, signature, acceptance)).await
    }

    async fn mac(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        message: &[u8],
    ) -> Result<Signature, KeyError> {
        self.around(self.inner.work()?.mac(kid, version, message)).await
    }

    async fn verify_mac(
        &self,
        kid: &KeyId,
        with: VerifyWith,
        message: &[u8],
        mac: &[u8],
        acceptance: Acceptance,
    ) -> Result<KeyVersion, KeyError> {
        self.around(self.inner.work()?.verify_mac(kid, with, message, mac, acceptance)).await
    }

    async fn encrypt(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        plaintext: &[u8],
        aad: &[u8],
    ) -> Result<Ciphertext, KeyError> {
        self.around(self.inner.work()?.encrypt(kid, version, plaintext, aad)).await
    }

    async fn decrypt(
        &self,
        ciphertext: &Ciphertext,
        aad: &[u8],
        acceptance: Acceptance,
    ) -> Result<SecretBytes, KeyError> {
        self.around(self.inner.work()?.decrypt(ciphertext, aad, acceptance)).await
    }

    async fn agree(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        peer: &PublicKey,
        acceptance: Acceptance,
    ) -> Result<SecretBytes, KeyError> {
        self.around(self.inner.work()?.agree(kid, version, peer, acceptance)).await
    }

    async fn wrap_key(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        key: &SecretBytes,
    ) -> Result<Ciphertext, KeyError> {
        self.around(self.inner.work()?.wrap_key(kid, version, key)).await
    }

    async fn unwrap_key(
        &self,
        wrapped: &Ciphertext,
        acceptance: Acceptance,
    ) -> Result<SecretBytes, KeyError> {
        self.around(self.inner.work()?.unwrap_key(wrapped, acceptance)).await
    }
}
