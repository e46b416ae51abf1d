//! One side of the mirror: a provider, each call of it guarded by a deadline and a breaker.
//!
//! The methods are those of the provider's traits. They are not the traits themselves, so that a guarded call costs no
//! second boxed future.

use std::sync::Arc;

use swarmauri_keyprovider::{JwksQuery, KeyOperations, KeyProvider, Secrets};
use swarmauri_keys::{
    Acceptance, Ciphertext, Jwk, JwkSet, KeyError, KeyId, KeyMaterial, KeyRef, KeySpec, KeySummary,
    KeyVersion, KeyVersionId, Page, PageRequest, PublicKey, SecretBytes, Signature, SpecOverrides,
    VerifyWith,
};

use crate::breaker::{Breaker, Permit};
use crate::deadline::Class;
use crate::guard::{Backend, Call, Guard};
use crate::settings::Settings;

/// A provider, guarded.
#[derive(Debug)]
pub(crate) struct Side {
    provider: Arc<dyn KeyProvider>,
    guard: Guard,
    /// What writes to it count as.
    write: Class,
}

/// The operations of a side that has them.
#[derive(Clone, Copy)]
pub(crate) struct Operations<'a> {
    side: &'a Side,
    provider: &'a dyn KeyOperations,
}

impl Side {
    pub(crate) fn primary(
        provider: Arc<dyn KeyProvider>,
        settings: &Settings,
        random: fastrand::Rng,
    ) -> Self {
        let guard = Guard::new(Backend::Primary, settings, random);
        Self { provider, guard, write: Class::Write }
    }

    pub(crate) fn secondary(
        provider: Arc<dyn KeyProvider>,
        settings: &Settings,
        random: fastrand::Rng,
    ) -> Self {
        let guard = Guard::new(Backend::Secondary, settings, random);
        Self { provider, guard, write: Class::Mirror }
    }

    pub(crate) fn breaker(&self) -> &Breaker {
        self.guard.breaker()
    }

    /// That a call would be made now, for those who would rather not begin what cannot be done.
    pub(crate) fn check_asked(&self) -> Result<(), KeyError> {
        if self.breaker().admits() { Ok(()) } else { Err(self.guard.not_asked()) }
    }

    /// The same provider for calls that are not to count: no breaker, and no figures or events of its own.
    pub(crate) fn aside(&self) -> Self {
        Self { provider: Arc::clone(&self.provider), guard: self.guard.aside(), write: self.write }
    }

    /// Asks whether it is back, by a read that costs little. Whatever it answers, it is.
    pub(crate) async fn ask_whether_back(&self, permit: Permit<'_>, kid: &KeyId) {
        let call = Call { operation: "probe", class: Class::PublicRead, kid: None };
        // How that ended is the breaker's business.
        let _ = self.guard.call_with(permit, call, self.provider.get_key(kid, None, Secrets::Omit)).await;
    }

    pub(crate) fn has_operations(&self) -> bool {
        self.provider.operations().is_some()
    }

    pub(crate) fn operations(&self) -> Option<Operations<'_>> {
        let provider = self.provider.operations()?;
        Some(Operations { side: self, provider })
    }

    async fn call<T>(
        &self,
        operation: &'static str,
        class: Class,
        kid: Option<&KeyId>,
        future: impl Future<Output = Result<T, KeyError>>,
    ) -> Result<T, KeyError> {
        self.guard.call(Call { operation, class, kid }, future).await?
    }

    pub(crate) async fn create_key(&self, spec: &KeySpec) -> Result<KeyRef, KeyError> {
        self.call("create_key", self.write, spec.kid(), self.provider.create_key(spec)).await
    }

    pub(crate) async fn import_key(&self, spec: &KeySpec, material: KeyMaterial) -> Result<KeyRef, KeyError> {
        self.call("import_key", self.write, spec.kid(), self.provider.import_key(spec, material)).await
    }

    pub(crate) async fn import_version(
        &self,
        id: &KeyVersionId,
        spec: &KeySpec,
        material: KeyMaterial,
    ) -> Result<KeyRef, KeyError> {
        let future = self.provider.import_version(id, spec, material);
        self.call("import_version", self.write, Some(&id.kid), future).await
    }

    pub(crate) async fn rotate_key(
        &self,
        kid: &KeyId,
        overrides: &SpecOverrides,
    ) -> Result<KeyRef, KeyError> {
        self.call("rotate_key", self.write, Some(kid), self.provider.rotate_key(kid, overrides)).await
    }

    pub(crate) async fn destroy_key(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
    ) -> Result<bool, KeyError> {
        self.call("destroy_key", self.write, Some(kid), self.provider.destroy_key(kid, version)).await
    }

    pub(crate) async fn disable_key(&self, kid: &KeyId, version: KeyVersion) -> Result<(), KeyError> {
        self.call("disable_key", self.write, Some(kid), self.provider.disable_key(kid, version)).await
    }

    pub(crate) async fn enable_key(&self, kid: &KeyId, version: KeyVersion) -> Result<(), KeyError> {
        self.call("enable_key", self.write, Some(kid), self.provider.enable_key(kid, version)).await
    }

    pub(crate) async fn get_key(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        secrets: Secrets,
    ) -> Result<KeyRef, KeyError> {
        let class = match secrets {
            Secrets::Omit => Class::PublicRead,
            Secrets::Include => Class::SecretRead,
        };
        self.call("get_key", class, Some(kid), self.provider.get_key(kid, version, secrets)).await
    }

    pub(crate) async fn list_versions(&self, kid: &KeyId) -> Result<Vec<KeyVersion>, KeyError> {
        self.call("list_versions", Class::PublicRead, Some(kid), self.provider.list_versions(kid)).await
    }

    /// A page for a caller who waits for it.
    pub(crate) async fn list_keys(&self, page: &PageRequest) -> Result<Page<KeySummary>, KeyError> {
        self.call("list_keys", Class::PublicRead, None, self.provider.list_keys(page)).await
    }

    /// A page for repair: a large one, which may take longer.
    pub(crate) async fn survey_keys(&self, page: &PageRequest) -> Result<Page<KeySummary>, KeyError> {
        self.call("list_keys", Class::Mirror, None, self.provider.list_keys(page)).await
    }

    pub(crate) async fn get_public_jwk(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
    ) -> Result<Jwk, KeyError> {
        let future = self.provider.get_public_jwk(kid, version);
        self.call("get_public_jwk", Class::PublicRead, Some(kid), future).await
    }

    pub(crate) async fn jwks(&self, query: &JwksQuery) -> Result<Arc<JwkSet>, KeyError> {
        self.call("jwks", Class::PublicRead, None, self.provider.jwks(query)).await
    }

    pub(crate) async fn random_bytes(&self, len: usize) -> Result<SecretBytes, KeyError> {
        self.call("random_bytes", Class::SecretRead, None, self.provider.random_bytes(len)).await
    }

    pub(crate) async fn hkdf(
        &self,
        ikm: &SecretBytes,
        salt: &[u8],
        info: &[u8],
        len: usize,
    ) -> Result<SecretBytes, KeyError> {
        self.call("hkdf", Class::SecretRead, None, self.provider.hkdf(ikm, salt, info, len)).await
    }
}

impl Operations<'_> {
    async fn call<T>(
        &self,
        operation: &'static str,
        kid: &KeyId,
        future: impl Future<Output = Result<T, KeyError>>,
    ) -> Result<T, KeyError> {
        self.side.call(operation, Class::SecretRead, Some(kid), future).await
    }

    pub(crate) async fn sign(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        message: &[u8],
    ) -> Result<Signature, KeyError> {
        self.call("sign", kid, self.provider.sign(kid, version, message)).await
    }

    pub(crate) async fn verify(
        &self,
        kid: &KeyId,
        with: VerifyWith,
        message: &[u8],
        signature: &[u8],
        acceptance: Acceptance,
    ) -> Result<KeyVersion, KeyError> {
        let future = self.provider.verify(kid, with, message, signature, acceptance);
        self.side.call("verify", Class::PublicRead, Some(kid), future).await
    }

    pub(crate) async fn mac(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        message: &[u8],
    ) -> Result<Signature, KeyError> {
        self.call("mac", kid, self.provider.mac(kid, version, message)).await
    }

    pub(crate) async fn verify_mac(
        &self,
        kid: &KeyId,
        with: VerifyWith,
        message: &[u8],
        mac: &[u8],
        acceptance: Acceptance,
    ) -> Result<KeyVersion, KeyError> {
        self.call("verify_mac", kid, self.provider.verify_mac(kid, with, message, mac, acceptance)).await
    }

    pub(crate) async fn encrypt(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        plaintext: &[u8],
        aad: &[u8],
    ) -> Result<Ciphertext, KeyError> {
        self.call("encrypt", kid, self.provider.encrypt(kid, version, plaintext, aad)).await
    }

    pub(crate) async fn decrypt(
        &self,
        sealed: &Ciphertext,
        aad: &[u8],
        acceptance: Acceptance,
    ) -> Result<SecretBytes, KeyError> {
        self.call("decrypt", &sealed.kid, self.provider.decrypt(sealed, aad, acceptance)).await
    }

    pub(crate) async fn agree(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        peer: &PublicKey,
        acceptance: Acceptance,
    ) -> Result<SecretBytes, KeyError> {
        self.call("agree", kid, self.provider.agree(kid, version, peer, acceptance)).await
    }

    pub(crate) async fn wrap_key(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        key: &SecretBytes,
    ) -> Result<Ciphertext, KeyError> {
        self.call("wrap_key", kid, self.provider.wrap_key(kid, version, key)).await
    }

    pub(crate) async fn unwrap_key(
        &self,
        wrapped: &Ciphertext,
        acceptance: Acceptance,
    ) -> Result<SecretBytes, KeyError> {
        self.call("unwrap_key", &wrapped.kid, self.provider.unwrap_key(wrapped, acceptance)).await
    }
}
