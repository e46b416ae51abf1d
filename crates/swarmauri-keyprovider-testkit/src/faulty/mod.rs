//! A provider that fails on command.

mod answer;
mod control;
mod fault;
mod hold;
mod journal;
mod lie;
mod operations;
mod refusal;

use std::sync::Arc;

use async_trait::async_trait;
use swarmauri_keyprovider::{Capabilities, JwksQuery, KeyOperations, KeyProvider, KeyReference, Secrets};
use swarmauri_keys::{
    Jwk, JwkSet, KeyError, KeyId, KeyMaterial, KeyRef, KeySpec, KeySummary, KeyVersion, KeyVersionId, Page,
    PageRequest, SecretBytes, SpecOverrides,
};

pub use answer::Answer;
pub use control::Faults;
pub use fault::{AnswerFn, Fault, Lie, Method};
pub use hold::Hold;
pub use journal::{Call, CallEnd, Journal};

use crate::IntoProvider;
use crate::pause::around;
use journal::Entry;

/// Wraps a provider, and fails, hangs, waits or lies when told to; also keeps a [`Journal`] of what it was
/// asked and handed.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), swarmauri_keys::KeyError> {
/// use std::sync::Arc;
/// use swarmauri_keyprovider::{KeyProvider, KeyProviderExt, Secrets};
/// use swarmauri_keyprovider_local::LocalKeyProvider;
/// use swarmauri_keyprovider_testkit::{Fault, FaultyProvider, Method};
/// use swarmauri_keys::{KeyAlg, KeyError};
///
/// let provider = FaultyProvider::new(Arc::new(LocalKeyProvider::new()));
/// let faults = provider.faults();
/// let key = provider.create(KeyAlg::Ed25519).await?;
///
/// faults.fail_next(Method::GetKey, Fault::FailBefore(KeyError::timeout("told to")));
/// assert!(provider.get_key(key.kid(), None, Secrets::Omit).await.unwrap_err().is_outage());
/// assert!(provider.get_key(key.kid(), None, Secrets::Omit).await.is_ok());
///
/// faults.outage();
/// assert!(provider.jwks(&Default::default()).await.unwrap_err().is_outage());
/// faults.recover();
/// assert_eq!(faults.journal().calls_of(Method::GetKey).len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FaultyProvider {
    inner: Arc<dyn KeyProvider>,
    faults: Faults,
}

impl FaultyProvider {
    /// Wraps a provider. There are no faults until some are asked for.
    pub fn new(inner: impl IntoProvider) -> Self {
        let inner = inner.into_provider();
        let faults = Faults::new(inner.supports());
        Self { inner, faults }
    }

    /// The handle by which faults are asked for; cheap to clone.
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    /// The wrapped provider, for a look behind the faults.
    pub fn inner(&self) -> Arc<dyn KeyProvider> {
        self.inner.clone()
    }

    /// Serves one call: into the journal, past refusals, holds and faults.
    async fn serve<T: Into<Answer>>(
        &self,
        call: Call,
        handed: Option<SecretBytes>,
        honest: impl Future<Output = Result<T, KeyError>> + Send,
    ) -> Result<Answer, KeyError> {
        let entry = self.faults.enter(call.clone(), handed);
        let result = around(self.faults.pauses(), self.past_refusals(&call, &entry, honest)).await;
        entry.ended(&result);
        result
    }

    async fn past_refusals<T: Into<Answer>>(
        &self,
        call: &Call,
        entry: &Entry,
        honest: impl Future<Output = Result<T, KeyError>> + Send,
    ) -> Result<Answer, KeyError> {
        self.faults.check_served(call)?;
        self.faults.pass_before(call).await;
        let honest = async {
            entry.reached();
            let answer = honest.await?.into();
            self.faults.pass_after(call).await;
            Ok(answer)
        };
        self.with_fault(call, honest).await
    }

    async fn with_fault(
        &self,
        call: &Call,
        honest: impl Future<Output = Result<Answer, KeyError>> + Send,
    ) -> Result<Answer, KeyError> {
        match self.faults.draw(call.method) {
            None => self.faults.remember(call, honest.await),
            Some(Fault::FailBefore(error)) => Err(error),
            Some(Fault::FailAfter(error)) => honest.await.and(Err(error)),
            Some(Fault::HangBefore) => std::future::pending().await,
            Some(Fault::HangAfter) => {
                let _ = honest.await;
                std::future::pending().await
            }
            Some(Fault::Delay(time)) => {
                tokio::time::sleep(time).await;
                honest.await
            }
            Some(Fault::Lie(lie)) => lie::tell(lie, call, &*self.inner, &self.faults, honest).await,
            Some(Fault::Answer(answer)) => answer.apply(call, honest.await),
        }
    }
}

/// What of the material is secret.
fn secret_of(material: &KeyMaterial) -> Option<SecretBytes> {
    match material {
        KeyMaterial::Symmetric(secret) => Some(secret.clone()),
        KeyMaterial::Private(key) => Some(key.expose_secret().into()),
        KeyMaterial::Public(_) => None,
    }
}

/// A new method of the trait must not slip past the faults.
#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl KeyProvider for FaultyProvider {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn supports(&self) -> Capabilities {
        self.faults.claimed()
    }

    async fn create_key(&self, spec: &KeySpec) -> Result<KeyRef, KeyError> {
        let call = Call { spec: Some(spec.clone()), ..Call::new(Method::CreateKey) };
        self.serve(call, None, self.inner.create_key(spec)).await?.key()
    }

    async fn import_key(&self, spec: &KeySpec, material: KeyMaterial) -> Result<KeyRef, KeyError> {
        let call = Call {
            spec: Some(spec.clone()),
            public_only: Some(matches!(material, KeyMaterial::Public(_))),
            ..Call::new(Method::ImportKey)
        };
        let handed = secret_of(&material);
        self.serve(call, handed, self.inner.import_key(spec, material)).await?.key()
    }

    async fn import_version(
        &self,
        id: &KeyVersionId,
        spec: &KeySpec,
        material: KeyMaterial,
    ) -> Result<KeyRef, KeyError> {
        let call = Call {
            spec: Some(spec.clone()),
            public_only: Some(matches!(material, KeyMaterial::Public(_))),
            ..Call::of_key(Method::ImportVersion, &id.kid, Some(id.version))
        };
        let handed = secret_of(&material);
        self.serve(call, handed, self.inner.import_version(id, spec, material)).await?.key()
    }

    async fn rotate_key(&self, kid: &KeyId, overrides: &SpecOverrides) -> Result<KeyRef, KeyError> {
        let call = Call { overrides: Some(overrides.clone()), ..Call::of_key(Method::RotateKey, kid, None) };
        self.serve(call, None, self.inner.rotate_key(kid, overrides)).await?.key()
    }

    async fn destroy_key(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<bool, KeyError> {
        let call = Call::of_key(Method::DestroyKey, kid, version);
        self.serve(call, None, self.inner.destroy_key(kid, version)).await?.destroyed()
    }

    async fn disable_key(&self, kid: &KeyId, version: KeyVersion) -> Result<(), KeyError> {
        let call = Call::of_key(Method::DisableKey, kid, Some(version));
        self.serve(call, None, self.inner.disable_key(kid, version)).await?.done()
    }

    async fn enable_key(&self, kid: &KeyId, version: KeyVersion) -> Result<(), KeyError> {
        let call = Call::of_key(Method::EnableKey, kid, Some(version));
        self.serve(call, None, self.inner.enable_key(kid, version)).await?.done()
    }

    fn operations(&self) -> Option<&dyn KeyOperations> {
        self.inner.operations().filter(|_| !self.faults.served().operations.is_empty())?;
        Some(self)
    }

    async fn get_key(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        secrets: Secrets,
    ) -> Result<KeyRef, KeyError> {
        let call = Call { secrets: Some(secrets), ..Call::of_key(Method::GetKey, kid, version) };
        self.serve(call, None, self.inner.get_key(kid, version, secrets)).await?.key()
    }

    async fn get_key_by_ref(&self, reference: &KeyReference, secrets: Secrets) -> Result<KeyRef, KeyError> {
        let call = Call::of_key(Method::GetKeyByRef, reference.kid(), reference.version());
        let call = Call { secrets: Some(secrets), ..call };
        self.serve(call, None, self.inner.get_key_by_ref(reference, secrets)).await?.key()
    }

    async fn list_versions(&self, kid: &KeyId) -> Result<Vec<KeyVersion>, KeyError> {
        let call = Call::of_key(Method::ListVersions, kid, None);
        self.serve(call, None, self.inner.list_versions(kid)).await?.versions()
    }

    async fn list_keys(&self, page: &PageRequest) -> Result<Page<KeySummary>, KeyError> {
        let call = Call { page: Some(page.clone()), ..Call::new(Method::ListKeys) };
        self.serve(call, None, self.inner.list_keys(page)).await?.keys()
    }

    async fn get_public_jwk(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<Jwk, KeyError> {
        let call = Call::of_key(Method::GetPublicJwk, kid, version);
        self.serve(call, None, self.inner.get_public_jwk(kid, version)).await?.jwk()
    }

    async fn jwks(&self, query: &JwksQuery) -> Result<Arc<JwkSet>, KeyError> {
        let call = Call { query: Some(query.clone()), ..Call::new(Method::Jwks) };
        self.serve(call, None, self.inner.jwks(query)).await?.jwks()
    }

    async fn random_bytes(&self, len: usize) -> Result<SecretBytes, KeyError> {
        let call = Call { len: Some(len), ..Call::new(Method::RandomBytes) };
        self.serve(call, None, self.inner.random_bytes(len)).await?.bytes()
    }

    async fn hkdf(
        &self,
        ikm: &SecretBytes,
        salt: &[u8],
        info: &[u8],
        len: usize,
    ) -> Result<SecretBytes, KeyError> {
        let call = Call { len: Some(len), ..Call::new(Method::Hkdf) };
        self.serve(call, Some(ikm.clone()), self.inner.hkdf(ikm, salt, info, len)).await?.bytes()
    }
}
