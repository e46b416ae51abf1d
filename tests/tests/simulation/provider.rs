//! A side as the mirror sees it.

use std::sync::Arc;

use async_trait::async_trait;
use swarmauri_keyprovider::{Capabilities, JwksQuery, KeyOperations, KeyProvider, Secrets};
use swarmauri_keyprovider_testkit::Method;
use swarmauri_keys::{
    Acceptance, Ciphertext, Jwk, JwkSet, KeyError, KeyId, KeyMaterial, KeyOperation, KeyRef, KeySpec,
    KeyState, KeySummary, KeyVersion, KeyVersionId, Page, PageRequest, PublicKey, SecretBytes, Signature,
    SpecOverrides, VerifyWith,
};

use crate::evidence;
use crate::sides::Side;
use crate::untruth;
use crate::weather::Lie;

#[async_trait]
impl KeyProvider for Side {
    fn name(&self) -> &'static str {
        "Side"
    }

    fn supports(&self) -> Capabilities {
        self.can().clone()
    }

    async fn create_key(&self, spec: &KeySpec) -> Result<KeyRef, KeyError> {
        self.serve(Method::CreateKey, spec.kid(), None, |_| self.create(spec)).await
    }

    async fn import_key(&self, spec: &KeySpec, material: KeyMaterial) -> Result<KeyRef, KeyError> {
        self.serve(Method::ImportKey, spec.kid(), None, |_| self.import(spec, material)).await
    }

    async fn import_version(
        &self,
        id: &KeyVersionId,
        spec: &KeySpec,
        material: KeyMaterial,
    ) -> Result<KeyRef, KeyError> {
        let effect = |_: &_| self.import_version(id, spec, material);
        self.serve(Method::ImportVersion, Some(&id.kid), Some(id.version), effect).await
    }

    async fn rotate_key(&self, kid: &KeyId, overrides: &SpecOverrides) -> Result<KeyRef, KeyError> {
        self.serve(Method::RotateKey, Some(kid), None, |_| self.rotate(kid, overrides)).await
    }

    async fn destroy_key(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<bool, KeyError> {
        evidence::destroy_begins(&mut self.ground.lock(), self.place, kid, version);
        let answer = self
            .serve(Method::DestroyKey, Some(kid), version, |turn| match turn.lie {
                Some(Lie::Done) => Ok(true),
                Some(Lie::NothingToDestroy) => Ok(false),
                _ => Ok(self.destroy(kid, version)),
            })
            .await;
        evidence::destroy_ended(&mut self.ground.lock(), self.place, kid, version, &answer);
        answer
    }

    async fn disable_key(&self, kid: &KeyId, version: KeyVersion) -> Result<(), KeyError> {
        self.serve(Method::DisableKey, Some(kid), Some(version), |turn| match turn.lie {
            Some(Lie::Done) => Ok(()),
            _ => self.switch(kid, version, KeyState::Disabled),
        })
        .await
    }

    async fn enable_key(&self, kid: &KeyId, version: KeyVersion) -> Result<(), KeyError> {
        self.serve(Method::EnableKey, Some(kid), Some(version), |turn| match turn.lie {
            Some(Lie::Done) => Ok(()),
            _ => self.switch(kid, version, KeyState::Enabled),
        })
        .await
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
        let secret = secrets == Secrets::Include;
        let effect = |turn: &_| self.read(kid, version, secret, turn);
        let answer = self.serve(Method::GetKey, Some(kid), version, effect).await;
        if secret && matches!(answer, Err(KeyError::PermissionDenied { .. })) {
            evidence::secret_denied(&mut self.ground.lock(), self.place, kid, version);
        }
        answer
    }

    async fn list_versions(&self, kid: &KeyId) -> Result<Vec<KeyVersion>, KeyError> {
        self.serve(Method::ListVersions, Some(kid), None, |turn| self.versions(kid, turn)).await
    }

    async fn list_keys(&self, page: &PageRequest) -> Result<Page<KeySummary>, KeyError> {
        let effect = |turn: &crate::weather::Turn| {
            let honest = self.table.list(page)?;
            Ok(turn.lie.map_or(honest.clone(), |lie| untruth::of_page(lie, honest)))
        };
        self.serve(Method::ListKeys, None, None, effect).await
    }

    async fn get_public_jwk(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<Jwk, KeyError> {
        let effect = |turn: &_| self.read(kid, version, false, turn)?.public_jwk();
        self.serve(Method::GetPublicJwk, Some(kid), version, effect).await
    }

    async fn jwks(&self, query: &JwksQuery) -> Result<Arc<JwkSet>, KeyError> {
        self.serve(Method::Jwks, None, None, |turn| Ok(self.document(query, turn))).await
    }

    async fn random_bytes(&self, len: usize) -> Result<SecretBytes, KeyError> {
        self.serve(Method::RandomBytes, None, None, |_| Ok(vec![4; len].into())).await
    }

    async fn hkdf(&self, _: &SecretBytes, _: &[u8], _: &[u8], len: usize) -> Result<SecretBytes, KeyError> {
        self.serve(Method::Hkdf, None, None, |_| Ok(vec![4; len].into())).await
    }
}

#[async_trait]
impl KeyOperations for Side {
    async fn sign(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        message: &[u8],
    ) -> Result<Signature, KeyError> {
        let usable = || self.table.usable(kid, version, KeyOperation::Sign, Acceptance::EnabledOnly);
        self.serve(Method::Sign, Some(kid), version, |_| usable()?.sign(message)).await
    }

    async fn verify(
        &self,
        kid: &KeyId,
        with: VerifyWith,
        message: &[u8],
        signature: &[u8],
        acceptance: Acceptance,
    ) -> Result<KeyVersion, KeyError> {
        self.serve(Method::Verify, Some(kid), named(with), |_| {
            let keys = self.table.usable_for_verifying(kid, with, KeyOperation::Verify, acceptance)?;
            let fits = keys.iter().find(|key| key.verify(message, signature).is_ok());
            fits.map(|key| key.id().version).ok_or(KeyError::NotAuthentic)
        })
        .await
    }

    async fn mac(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        message: &[u8],
    ) -> Result<Signature, KeyError> {
        let usable = || self.table.usable(kid, version, KeyOperation::Mac, Acceptance::EnabledOnly);
        self.serve(Method::Mac, Some(kid), version, |_| usable()?.mac(message)).await
    }

    async fn verify_mac(
        &self,
        kid: &KeyId,
        with: VerifyWith,
        message: &[u8],
        mac: &[u8],
        acceptance: Acceptance,
    ) -> Result<KeyVersion, KeyError> {
        self.serve(Method::VerifyMac, Some(kid), named(with), |_| {
            let keys = self.table.usable_for_verifying(kid, with, KeyOperation::VerifyMac, acceptance)?;
            let fits = keys.iter().find(|key| key.verify_mac(message, mac).is_ok());
            fits.map(|key| key.id().version).ok_or(KeyError::NotAuthentic)
        })
        .await
    }

    async fn encrypt(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        plaintext: &[u8],
        aad: &[u8],
    ) -> Result<Ciphertext, KeyError> {
        let usable = || self.table.usable(kid, version, KeyOperation::Encrypt, Acceptance::EnabledOnly);
        self.serve(Method::Encrypt, Some(kid), version, |_| usable()?.encrypt(plaintext, aad)).await
    }

    async fn decrypt(
        &self,
        sealed: &Ciphertext,
        aad: &[u8],
        acceptance: Acceptance,
    ) -> Result<SecretBytes, KeyError> {
        let (kid, version) = (&sealed.kid, Some(sealed.version));
        let usable = || self.table.usable(kid, version, KeyOperation::Decrypt, acceptance);
        self.serve(Method::Decrypt, Some(kid), version, |_| usable()?.decrypt(sealed, aad)).await
    }

    async fn agree(
        &self,
        _: &KeyId,
        _: Option<KeyVersion>,
        _: &PublicKey,
        _: Acceptance,
    ) -> Result<SecretBytes, KeyError> {
        Err(KeyError::unsupported("agree"))
    }

    async fn wrap_key(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        key: &SecretBytes,
    ) -> Result<Ciphertext, KeyError> {
        let usable = || self.table.usable(kid, version, KeyOperation::WrapKey, Acceptance::EnabledOnly);
        self.serve(Method::WrapKey, Some(kid), version, |_| usable()?.wrap_key(key)).await
    }

    async fn unwrap_key(
        &self,
        wrapped: &Ciphertext,
        acceptance: Acceptance,
    ) -> Result<SecretBytes, KeyError> {
        let (kid, version) = (&wrapped.kid, Some(wrapped.version));
        let usable = || self.table.usable(kid, version, KeyOperation::UnwrapKey, acceptance);
        self.serve(Method::UnwrapKey, Some(kid), version, |_| usable()?.unwrap_key(wrapped)).await
    }
}

fn named(with: VerifyWith) -> Option<KeyVersion> {
    match with {
        VerifyWith::Version(version) => Some(version),
        VerifyWith::AnyLive => None,
    }
}
