//! One side of the mirror: a provider, each call of it guarded by a deadline and a breaker.
//!
//! The methods are those of the provider's traits. They are not the traits themselves, so that a guarded call costs no
//! second boxed future.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use swarmauri_keyprovider::{JwksQuery, KeyOperations, KeyProvider, Secrets};
use swarmauri_keys::{
    Acceptance, Ciphertext, Jwk, JwkSet, KeyError, KeyId, KeyMaterial, KeyRef, KeySpec, KeySummary,
    KeyVersion, KeyVersionId, Page, PageRequest, PublicKey, SecretBytes, Signature, SpecOverrides,
    VerifyWith,
};

use crate::breaker::{Breaker, Permit};
use crate::deadline::Class;
use crate::guard::{Backend, Call, First, Guard, Guarded};
use crate::settings::Settings;

/// A provider, guarded.
#[derive(Debug)]
pub(crate) struct Side {
    provider: Arc<dyn KeyProvider>,
    guard: Guard,
    /// What writes to it count as.
    write: Class,
}

/// A call under way.
pub(crate) type Asked<'a, T> = Guarded<'a, BoxFuture<'a, Result<T, KeyError>>>;

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

    /// What a call is told that is refused now, and counted as such; `None` if it would be made.
    pub(crate) fn refuses(&self, operation: &'static str) -> Option<KeyError> {
        (!self.breaker().admits()).then(|| self.guard.refuse(operation))
    }

    /// That a call would be made now, for those who would rather not begin what cannot be done.
    pub(crate) fn check_asked(&self) -> Result<(), KeyError> {
        if self.breaker().admits() { Ok(()) } else { Err(self.guard.not_asked()) }
    }

    /// The same provider for calls that are not to count: no breaker, and no figures.
    pub(crate) fn aside(&self) -> Self {
        Self { provider: Arc::clone(&self.provider), guard: self.guard.aside(), write: self.write }
    }

    /// Asks whether it is back, by a read that costs little. Whatever it answers, it is.
    pub(crate) async fn ask_whether_back(&self, permit: Permit<'_>, kid: &KeyId) {
        let call = Call { operation: "probe", class: Class::PublicRead, kid: None };
        // How that ended is the breaker's business.
        let _ = self.guard.call_with(permit, call, || self.provider.get_key(kid, None, Secrets::Omit)).await;
    }

    pub(crate) fn has_operations(&self) -> bool {
        self.provider.operations().is_some()
    }

    pub(crate) fn operations(&self) -> Option<Operations<'_>> {
        let provider = self.provider.operations()?;
        Some(Operations { side: self, provider })
    }

    /// Asks, if that is to be done at all: only then there is a future to make.
    fn call<'a, T>(
        &'a self,
        operation: &'static str,
        class: Class,
        kid: Option<&'a KeyId>,
        ask: impl FnOnce() -> BoxFuture<'a, Result<T, KeyError>>,
    ) -> Asked<'a, T> {
        self.guard.call(Call { operation, class, kid }, ask)
    }

    pub(crate) fn create_key<'a>(&'a self, spec: &'a KeySpec) -> Asked<'a, KeyRef> {
        self.call("create_key", self.write, spec.kid(), || self.provider.create_key(spec))
    }

    pub(crate) fn import_key<'a>(&'a self, spec: &'a KeySpec, material: KeyMaterial) -> Asked<'a, KeyRef> {
        self.call("import_key", self.write, spec.kid(), || self.provider.import_key(spec, material))
    }

    pub(crate) fn import_version<'a>(
        &'a self,
        id: &'a KeyVersionId,
        spec: &'a KeySpec,
        material: KeyMaterial,
    ) -> Asked<'a, KeyRef> {
        self.call("import_version", self.write, Some(&id.kid), || {
            self.provider.import_version(id, spec, material)
        })
    }

    pub(crate) fn rotate_key<'a>(
        &'a self,
        kid: &'a KeyId,
        overrides: &'a SpecOverrides,
    ) -> Asked<'a, KeyRef> {
        self.call("rotate_key", self.write, Some(kid), || self.provider.rotate_key(kid, overrides))
    }

    pub(crate) fn destroy_key<'a>(&'a self, kid: &'a KeyId, version: Option<KeyVersion>) -> Asked<'a, bool> {
        self.call("destroy_key", self.write, Some(kid), || self.provider.destroy_key(kid, version))
    }

    pub(crate) fn disable_key<'a>(&'a self, kid: &'a KeyId, version: KeyVersion) -> Asked<'a, ()> {
        self.call("disable_key", self.write, Some(kid), || self.provider.disable_key(kid, version))
    }

    pub(crate) fn enable_key<'a>(&'a self, kid: &'a KeyId, version: KeyVersion) -> Asked<'a, ()> {
        self.call("enable_key", self.write, Some(kid), || self.provider.enable_key(kid, version))
    }

    pub(crate) fn get_key<'a>(
        &'a self,
        kid: &'a KeyId,
        version: Option<KeyVersion>,
        secrets: Secrets,
    ) -> Asked<'a, KeyRef> {
        self.call("get_key", class_of(secrets), Some(kid), || self.provider.get_key(kid, version, secrets))
    }

    /// The same, and what becomes of it at once.
    #[inline]
    pub(crate) fn get_key_first<'a>(
        &'a self,
        kid: &'a KeyId,
        version: Option<KeyVersion>,
        secrets: Secrets,
        context: &mut Context<'_>,
    ) -> First<'a, BoxFuture<'a, Result<KeyRef, KeyError>>> {
        let call = Call { operation: "get_key", class: class_of(secrets), kid: Some(kid) };
        self.guard.first(call, context, || self.provider.get_key(kid, version, secrets))
    }

    /// [`get_key`](Self::get_key), for those who await nothing else with it.
    pub(crate) async fn get_key_now(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        secrets: Secrets,
    ) -> Result<KeyRef, KeyError> {
        // Boxed, so that those who need not wait carry nothing along for it.
        let mut waiting: Option<Box<Asked<'_, KeyRef>>> = None;
        std::future::poll_fn(|context| match &mut waiting {
            Some(asked) => Pin::new(asked).poll(context),
            None => match self.get_key_first(kid, version, secrets, context) {
                First::Answered(answer) => Poll::Ready(answer),
                First::Pending(asked) => {
                    waiting = Some(Box::new(asked));
                    Poll::Pending
                }
            },
        })
        .await
    }

    pub(crate) fn list_versions<'a>(&'a self, kid: &'a KeyId) -> Asked<'a, Vec<KeyVersion>> {
        self.call("list_versions", Class::PublicRead, Some(kid), || self.provider.list_versions(kid))
    }

    /// A page for a caller who waits for it.
    pub(crate) fn list_keys<'a>(&'a self, page: &'a PageRequest) -> Asked<'a, Page<KeySummary>> {
        self.call("list_keys", Class::PublicRead, None, || self.provider.list_keys(page))
    }

    /// A page for repair: a large one, which may take longer.
    pub(crate) fn survey_keys<'a>(&'a self, page: &'a PageRequest) -> Asked<'a, Page<KeySummary>> {
        self.call("list_keys", Class::Mirror, None, || self.provider.list_keys(page))
    }

    pub(crate) fn get_public_jwk<'a>(
        &'a self,
        kid: &'a KeyId,
        version: Option<KeyVersion>,
    ) -> Asked<'a, Jwk> {
        self.call("get_public_jwk", Class::PublicRead, Some(kid), || {
            self.provider.get_public_jwk(kid, version)
        })
    }

    /// The same, and what becomes of it at once.
    #[inline]
    pub(crate) fn get_public_jwk_first<'a>(
        &'a self,
        kid: &'a KeyId,
        version: Option<KeyVersion>,
        context: &mut Context<'_>,
    ) -> First<'a, BoxFuture<'a, Result<Jwk, KeyError>>> {
        let call = Call { operation: "get_public_jwk", class: Class::PublicRead, kid: Some(kid) };
        self.guard.first(call, context, || self.provider.get_public_jwk(kid, version))
    }

    pub(crate) fn jwks<'a>(&'a self, query: &'a JwksQuery) -> Asked<'a, Arc<JwkSet>> {
        self.call("jwks", Class::PublicRead, None, || self.provider.jwks(query))
    }

    pub(crate) fn random_bytes(&self, len: usize) -> Asked<'_, SecretBytes> {
        self.call("random_bytes", Class::SecretRead, None, || self.provider.random_bytes(len))
    }

    pub(crate) fn hkdf<'a>(
        &'a self,
        ikm: &'a SecretBytes,
        salt: &'a [u8],
        info: &'a [u8],
        len: usize,
    ) -> Asked<'a, SecretBytes> {
        self.call("hkdf", Class::SecretRead, None, || self.provider.hkdf(ikm, salt, info, len))
    }
}

fn class_of(secrets: Secrets) -> Class {
    match secrets {
        Secrets::Omit => Class::PublicRead,
        Secrets::Include => Class::SecretRead,
    }
}

impl<'a> Operations<'a> {
    fn call<T>(
        &self,
        operation: &'static str,
        kid: &'a KeyId,
        ask: impl FnOnce() -> BoxFuture<'a, Result<T, KeyError>>,
    ) -> Asked<'a, T> {
        self.side.call(operation, Class::SecretRead, Some(kid), ask)
    }

    pub(crate) fn sign(
        &self,
        kid: &'a KeyId,
        version: Option<KeyVersion>,
        message: &'a [u8],
    ) -> Asked<'a, Signature> {
        self.call("sign", kid, || self.provider.sign(kid, version, message))
    }

    pub(crate) fn verify(
        &self,
        kid: &'a KeyId,
        with: VerifyWith,
        message: &'a [u8],
        signature: &'a [u8],
        acceptance: Acceptance,
    ) -> Asked<'a, KeyVersion> {
        self.side.call("verify", Class::PublicRead, Some(kid), || {
            self.provider.verify(kid, with, message, signature, acceptance)
        })
    }

    pub(crate) fn mac(
        &self,
        kid: &'a KeyId,
        version: Option<KeyVersion>,
        message: &'a [u8],
    ) -> Asked<'a, Signature> {
        self.call("mac", kid, || self.provider.mac(kid, version, message))
    }

    pub(crate) fn verify_mac(
        &self,
        kid: &'a KeyId,
        with: VerifyWith,
        message: &'a [u8],
        mac: &'a [u8],
        acceptance: Acceptance,
    ) -> Asked<'a, KeyVersion> {
        self.call("verify_mac", kid, || self.provider.verify_mac(kid, with, message, mac, acceptance))
    }

    pub(crate) fn encrypt(
        &self,
        kid: &'a KeyId,
        version: Option<KeyVersion>,
        plaintext: &'a [u8],
        aad: &'a [u8],
    ) -> Asked<'a, Ciphertext> {
        self.call("encrypt", kid, || self.provider.encrypt(kid, version, plaintext, aad))
    }

    pub(crate) fn decrypt(
        &self,
        sealed: &'a Ciphertext,
        aad: &'a [u8],
        acceptance: Acceptance,
    ) -> Asked<'a, SecretBytes> {
        self.call("decrypt", &sealed.kid, || self.provider.decrypt(sealed, aad, acceptance))
    }

    pub(crate) fn agree(
        &self,
        kid: &'a KeyId,
        version: Option<KeyVersion>,
        peer: &'a PublicKey,
        acceptance: Acceptance,
    ) -> Asked<'a, SecretBytes> {
        self.call("agree", kid, || self.provider.agree(kid, version, peer, acceptance))
    }

    pub(crate) fn wrap_key(
        &self,
        kid: &'a KeyId,
        version: Option<KeyVersion>,
        key: &'a SecretBytes,
    ) -> Asked<'a, Ciphertext> {
        self.call("wrap_key", kid, || self.provider.wrap_key(kid, version, key))
    }

    pub(crate) fn unwrap_key(
        &self,
        wrapped: &'a Ciphertext,
        acceptance: Acceptance,
    ) -> Asked<'a, SecretBytes> {
        self.call("unwrap_key", &wrapped.kid, || self.provider.unwrap_key(wrapped, acceptance))
    }
}
