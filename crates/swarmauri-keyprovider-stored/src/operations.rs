//! Using keys where they live.

use async_trait::async_trait;
use swarmauri_keyprovider::KeyOperations;
use swarmauri_keys::{
    Acceptance, Ciphertext, KeyError, KeyId, KeyOperation, KeyVersion, PublicKey, SecretBytes, Signature,
    VerifyWith,
};
use swarmauri_softkeys::UsableKey;

use crate::StoredKeyProvider;
use crate::blocking::off_the_executor;

impl StoredKeyProvider {
    async fn usable(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        operation: KeyOperation,
        acceptance: Acceptance,
    ) -> Result<UsableKey, KeyError> {
        self.keys.look(kid).await?;
        self.keys.table.usable(kid, version, operation, acceptance)
    }

    /// Encrypts, and reserves further encryptions when those that were are used up.
    async fn counted(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        operation: KeyOperation,
        encrypt: impl Fn(&UsableKey) -> Result<Ciphertext, KeyError> + Send,
    ) -> Result<Ciphertext, KeyError> {
        loop {
            let key = self.usable(kid, version, operation, Acceptance::EnabledOnly).await?;
            match encrypt(&key) {
                // It ends: after so many blocks there is none to be had.
                Err(KeyError::InvalidState { .. }) if key.is_counted() => self.keys.reserve(key.id()).await?,
                done => return done,
            }
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl KeyOperations for StoredKeyProvider {
    async fn sign(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        message: &[u8],
    ) -> Result<Signature, KeyError> {
        let key = self.usable(kid, version, KeyOperation::Sign, Acceptance::EnabledOnly).await?;
        if key.is_slow() {
            let message = message.to_vec();
            return off_the_executor(move || key.sign(&message)).await;
        }
        key.sign(message)
    }

    async fn verify(
        &self,
        kid: &KeyId,
        with: VerifyWith,
        message: &[u8],
        signature: &[u8],
        acceptance: Acceptance,
    ) -> Result<KeyVersion, KeyError> {
        self.keys.look(kid).await?;
        let keys = self.keys.table.usable_for_verifying(kid, with, KeyOperation::Verify, acceptance)?;
        first_that_fits(&keys, |key| key.verify(message, signature))
    }

    async fn mac(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        message: &[u8],
    ) -> Result<Signature, KeyError> {
        self.usable(kid, version, KeyOperation::Mac, Acceptance::EnabledOnly).await?.mac(message)
    }

    async fn verify_mac(
        &self,
        kid: &KeyId,
        with: VerifyWith,
        message: &[u8],
        mac: &[u8],
        acceptance: Acceptance,
    ) -> Result<KeyVersion, KeyError> {
        self.keys.look(kid).await?;
        let keys = self.keys.table.usable_for_verifying(kid, with, KeyOperation::VerifyMac, acceptance)?;
        first_that_fits(&keys, |key| key.verify_mac(message, mac))
    }

    async fn encrypt(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        plaintext: &[u8],
        aad: &[u8],
    ) -> Result<Ciphertext, KeyError> {
        self.counted(kid, version, KeyOperation::Encrypt, |key| key.encrypt(plaintext, aad)).await
    }

    async fn decrypt(
        &self,
        ciphertext: &Ciphertext,
        aad: &[u8],
        acceptance: Acceptance,
    ) -> Result<SecretBytes, KeyError> {
        let Ciphertext { kid, version, .. } = ciphertext;
        let key = self.usable(kid, Some(*version), KeyOperation::Decrypt, acceptance).await?;
        if key.is_slow() {
            let (ciphertext, aad) = (ciphertext.clone(), aad.to_vec());
            return off_the_executor(move || key.decrypt(&ciphertext, &aad)).await;
        }
        key.decrypt(ciphertext, aad)
    }

    async fn agree(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        peer: &PublicKey,
        acceptance: Acceptance,
    ) -> Result<SecretBytes, KeyError> {
        self.usable(kid, version, KeyOperation::Agree, acceptance).await?.agree(peer)
    }

    async fn wrap_key(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        key: &SecretBytes,
    ) -> Result<Ciphertext, KeyError> {
        self.counted(kid, version, KeyOperation::WrapKey, |with| with.wrap_key(key)).await
    }

    async fn unwrap_key(
        &self,
        wrapped: &Ciphertext,
        acceptance: Acceptance,
    ) -> Result<SecretBytes, KeyError> {
        let Ciphertext { kid, version, .. } = wrapped;
        let key = self.usable(kid, Some(*version), KeyOperation::UnwrapKey, acceptance).await?;
        if key.is_slow() {
            let wrapped = wrapped.clone();
            return off_the_executor(move || key.unwrap_key(&wrapped)).await;
        }
        key.unwrap_key(wrapped)
    }
}

fn first_that_fits(
    keys: &[UsableKey],
    verify: impl Fn(&UsableKey) -> Result<(), KeyError>,
) -> Result<KeyVersion, KeyError> {
    for key in keys {
        match verify(key) {
            Ok(()) => return Ok(key.id().version),
            Err(KeyError::NotAuthentic) => {}
            Err(error) => return Err(error),
        }
    }
    Err(KeyError::NotAuthentic)
}
