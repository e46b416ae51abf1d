//! Conveniences on top of [`KeyProvider`].

use async_trait::async_trait;
use swarmauri_keys::{
    KeyAlg, KeyError, KeyId, KeyRef, KeySpec, KeySummary, KeyVersion, PageRequest, PublicKey, SpecOverrides,
};

use crate::{KeyProvider, Secrets};

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
