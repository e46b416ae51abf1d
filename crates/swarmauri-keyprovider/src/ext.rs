//! Conveniences on top of [`KeyProvider`] and [`KeyOperations`].

use async_trait::async_trait;
use swarmauri_keys::{
    Acceptance, KeyAlg, KeyError, KeyId, KeyRef, KeySpec, KeySummary, KeyVersion, PageRequest, PublicKey,
    Signature, SpecOverrides, VerifyWith,
};

use crate::{KeyOperations, KeyProvider, Secrets};

/// Conveniences that every [`KeyProvider`] has.
#[async_trait]
pub trait KeyProviderExt: KeyProvider {
    /// Creates an ordinary key: see [`KeySpec::new`].
    ///
    /// # Errors
    ///
    /// Those of [`KeyProvider::create_key`].
    async fn create(&self, alg: KeyAlg) -> Result<KeyRef, KeyError> {
        self.create_key(&KeySpec::new(alg)).await
    }

    /// Rotates a key without changing anything else.
    ///
    /// # Errors
    ///
    /// Those of [`KeyProvider::rotate_key`].
    async fn rotate(&self, kid: &KeyId) -> Result<KeyRef, KeyError> {
        self.rotate_key(kid, &SpecOverrides::NONE).await
    }

    /// The public key of one version, or with `None` of the latest.
    ///
    /// # Errors
    ///
    /// Those of [`KeyProvider::get_public_jwk`].
    async fn public_key(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<PublicKey, KeyError> {
        Ok(self.get_public_jwk(kid, version).await?.key)
    }

    /// The latest live version of a key.
    ///
    /// # Errors
    ///
    /// Those of [`KeyProvider::get_key`].
    async fn latest_version(&self, kid: &KeyId) -> Result<KeyVersion, KeyError> {
        Ok(self.get_key(kid, None, Secrets::Omit).await?.version())
    }

    /// What uses keys where they live.
    ///
    /// # Errors
    ///
    /// [`KeyError::Unsupported`] if this provider only hands keys out.
    fn work(&self) -> Result<&dyn KeyOperations, KeyError> {
        self.operations().ok_or_else(|| {
            KeyError::unsupported(format!("{} hands keys out, and does no work with them", self.name()))
        })
    }

    /// All pages of [`KeyProvider::list_keys`] in one list. For providers known to be small.
    ///
    /// # Errors
    ///
    /// Those of [`KeyProvider::list_keys`].
    async fn list_all_keys(&self) -> Result<Vec<KeySummary>, KeyError> {
        let mut all = Vec::new();
        let mut request = PageRequest::default();
        loop {
            let page = self.list_keys(&request).await?;
            all.extend(page.items);
            match page.next {
                Some(cursor) => request.cursor = Some(cursor),
                None => return Ok(all),
            }
        }
    }
}

impl<P: KeyProvider + ?Sized> KeyProviderExt for P {}

/// Conveniences that all [`KeyOperations`] have.
#[async_trait]
pub trait KeyOperationsExt: KeyOperations {
    /// Verifies a signature or MAC with the version that it says has made it, which must be enabled.
    ///
    /// # Errors
    ///
    /// Those of [`KeyOperations::verify`], or of [`KeyOperations::verify_mac`].
    async fn verify_signature(&self, message: &[u8], signature: &Signature) -> Result<(), KeyError> {
        let Signature { kid, version, alg, bytes } = signature;
        let (with, acceptance) = (VerifyWith::Version(*version), Acceptance::EnabledOnly);
        if *alg == KeyAlg::HmacSha256 {
            self.verify_mac(kid, with, message, bytes, acceptance).await?;
        } else {
            self.verify(kid, with, message, bytes, acceptance).await?;
        }
        Ok(())
    }
}

impl<O: KeyOperations + ?Sized> KeyOperationsExt for O {}
