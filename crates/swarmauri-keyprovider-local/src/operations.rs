//! Using keys where they live.

use async_trait::async_trait;
use swarmauri_keyprovider::KeyOperations;
use swarmauri_keys::{
    Acceptance, Ciphertext, KeyError, KeyId, KeyOperation, KeyVersion, PublicKey, SecretBytes, Signature,
    VerifyWith,
};
use swarmauri_softkeys::UsableKey;

use crate::LocalKeyProvider;
use crate::blocking::off_the_executor;

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl KeyOperations for LocalKeyProvider {
    async fn sign(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        message: &[u8],
    ) -> Result<Signature, KeyError> {
        let key = self.table.usable(kid, version, KeyOperation::Sign, Acceptance::EnabledOnly)?;
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
        let keys = self.table.usable_for_verifying(kid, with, KeyOperation::Verify, acceptance)?;
        first_that_fits(&keys, |key| key.verify(message, signature))
    }

    async fn mac(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        message: &[u8],
    ) -> Result<Signature, KeyError> {
        self.table.usable(kid, version, KeyOperation::Mac, Acceptance::EnabledOnly)?.mac(message)
    }

    async fn verify_mac(
        &self,
        kid: &KeyId,
        with: VerifyWith,
        message: &[u8],
        mac: &[u8],
        acceptance: Acceptance,
    ) -> Result<KeyVersion, KeyError> {
        let keys = self.table.usable_for_verifying(kid, with, KeyOperation::VerifyMac, acceptance)?;
        first_that_fits(&keys, |key| key.verify_mac(message, mac))
    }

    async fn encrypt(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        plaintext: &[u8],
        aad: &[u8],
    ) -> Result<Ciphertext, KeyError> {
        let key = self.table.usable(kid, version, KeyOperation::Encrypt, Acceptance::EnabledOnly)?;
        key.encrypt(plaintext, aad)
    }

    async fn decrypt(
        &self,
        ciphertext: &Ciphertext,
        aad: &[u8],
        acceptance: Acceptance,
    ) -> Result<SecretBytes, KeyError> {
        let Ciphertext { kid, version, .. } = ciphertext;
        let key = self.table.usable(kid, Some(*version), KeyOperation::Decrypt, acceptance)?;
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
        self.table.usable(kid, version, KeyOperation::Agree, acceptance)?.agree(peer)
    }

    async fn wrap_key(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        key: &SecretBytes,
    ) -> Result<Ciphertext, KeyError> {
        self.table.usable(kid, version, KeyOperation::WrapKey, Acceptance::EnabledOnly)?.wrap_key(key)
    }

    async fn unwrap_key(
        &self,
        wrapped: &Ciphertext,
        acceptance: Acceptance,
    ) -> Result<SecretBytes, KeyError> {
        let Ciphertext { kid, version, .. } = wrapped;
        let key = self.table.usable(kid, Some(*version), KeyOperation::UnwrapKey, acceptance)?;
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
