//! A provider whose calls are neither atomic nor lazy: what no fault of a single call can show.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use swarmauri_keyprovider::{Capabilities, Feature, JwksQuery, KeyProvider, KeyReference, Secrets};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keys::{
    Jwk, JwkSet, KeyError, KeyId, KeyMaterial, KeyRef, KeySpec, KeySummary, KeyVersion, Page, PageRequest,
    SecretBytes, SpecOverrides,
};
use tokio::task::yield_now;

/// Writes in several steps, and can be seen or cancelled between them.
#[derive(Debug)]
pub(crate) struct Sloppy {
    inner: LocalKeyProvider,
    /// Whether the work is done when the method is called instead.
    eager: bool,
}

pub(crate) fn in_steps() -> Arc<dyn KeyProvider> {
    Arc::new(Sloppy { inner: LocalKeyProvider::new(), eager: false })
}

pub(crate) fn eager() -> Arc<dyn KeyProvider> {
    Arc::new(Sloppy { inner: LocalKeyProvider::new(), eager: true })
}

type Boxed<'a, T> = std::pin::Pin<Box<dyn Future<Output = Result<T, KeyError>> + Send + 'a>>;

#[async_trait]
impl KeyProvider for Sloppy {
    #[allow(clippy::unnecessary_literal_bound, reason = "the signature is the trait's")]
    fn name(&self) -> &str {
        "Sloppy: a provider"
    }

    fn supports(&self) -> Capabilities {
        let mut can = self.inner.supports();
        can.features.remove(&Feature::ImportVersion);
        Capabilities { operations: std::collections::BTreeMap::new(), ..can }
    }

    fn create_key<'a, 'b, 'c>(&'a self, spec: &'b KeySpec) -> Boxed<'c, KeyRef>
    where
        'a: 'c,
        'b: 'c,
    {
        if self.eager {
            let created = pin!(self.inner.create_key(spec)).poll(&mut Context::from_waker(Waker::noop()));
            let Poll::Ready(created) = created else { panic!("the local provider makes this key at once") };
            return Box::pin(async move { created });
        }
        Box::pin(async move {
            let key = self.inner.create_key(spec).await?;
            yield_now().await;
            self.inner.rotate_key(key.kid(), &SpecOverrides::NONE).await?;
            self.inner.destroy_key(key.kid(), Some(key.version())).await?;
            Ok(key)
        })
    }

    async fn import_key(&self, spec: &KeySpec, material: KeyMaterial) -> Result<KeyRef, KeyError> {
        let key = self.inner.import_key(spec, material.clone()).await?;
        self.inner.rotate_key(key.kid(), &SpecOverrides::NONE).await?;
        yield_now().await;
        Ok(key)
    }

    async fn rotate_key(&self, kid: &KeyId, overrides: &SpecOverrides) -> Result<KeyRef, KeyError> {
        self.inner.rotate_key(kid, overrides).await?;
        yield_now().await;
        self.inner.rotate_key(kid, overrides).await
    }

    async fn destroy_key(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<bool, KeyError> {
        if version.is_none() {
            for one in self.inner.list_versions(kid).await.unwrap_or_default() {
                self.inner.destroy_key(kid, Some(one)).await?;
                yield_now().await;
            }
        }
        self.inner.destroy_key(kid, version).await
    }

    /// Takes all versions out of use, and the others into use again.
    async fn disable_key(&self, kid: &KeyId, version: KeyVersion) -> Result<(), KeyError> {
        let versions = self.inner.list_versions(kid).await?;
        for one in &versions {
            self.inner.disable_key(kid, *one).await?;
        }
        yield_now().await;
        for other in versions.into_iter().filter(|one| *one != version) {
            self.inner.enable_key(kid, other).await?;
        }
        Ok(())
    }

    async fn enable_key(&self, kid: &KeyId, version: KeyVersion) -> Result<(), KeyError> {
        self.inner.enable_key(kid, version).await
    }

    async fn get_key(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        secrets: Secrets,
    ) -> Result<KeyRef, KeyError> {
        self.inner.get_key(kid, version, secrets).await
    }

    async fn get_key_by_ref(&self, reference: &KeyReference, secrets: Secrets) -> Result<KeyRef, KeyError> {
        self.inner.get_key_by_ref(reference, secrets).await
    }

    async fn list_versions(&self, kid: &KeyId) -> Result<Vec<KeyVersion>, KeyError> {
        self.inner.list_versions(kid).await
    }

    async fn list_keys(&self, page: &PageRequest) -> Result<Page<KeySummary>, KeyError> {
        self.inner.list_keys(page).await
    }

    async fn get_public_jwk(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<Jwk, KeyError> {
        self.inner.get_public_jwk(kid, version).await
    }

    async fn jwks(&self, query: &JwksQuery) -> Result<Arc<JwkSet>, KeyError> {
        self.inner.jwks(query).await
    }

    async fn random_bytes(&self, len: usize) -> Result<SecretBytes, KeyError> {
        self.inner.random_bytes(len).await
    }

    async fn hkdf(
        &self,
        ikm: &SecretBytes,
        salt: &[u8],
        info: &[u8],
        len: usize,
    ) -> Result<SecretBytes, KeyError> {
        self.inner.hkdf(ikm, salt, info, len).await
    }
}
