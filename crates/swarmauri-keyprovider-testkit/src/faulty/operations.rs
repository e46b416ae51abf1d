//! Using keys, with faults.

use async_trait::async_trait;
use swarmauri_keyprovider::{KeyOperations, Secrets};
use swarmauri_keys::{
    Acceptance, Ciphertext, KeyError, KeyId, KeyOperation, KeyVersion, PublicKey, SecretBytes, Signature,
    VerifyWith,
};

use super::{Call, FaultyProvider, Method};

impl FaultyProvider {
    fn inner_operations(&self) -> Result<&dyn KeyOperations, KeyError> {
        self.inner.operations().ok_or_else(|| KeyError::unsupported("operations"))
    }

    /// Refuses algorithms that were taken away from an operation and that the wrapped provider has.
    async fn check_alg(&self, call: &Call, operation: KeyOperation) -> Result<(), KeyError> {
        let (served, inner) = (self.faults.served(), self.inner.supports());
        if served.operations.get(&operation) == inner.operations.get(&operation) {
            return Ok(());
        }
        let Some(kid) = &call.kid else { return Ok(()) };
        let alg = self.inner.get_key(kid, call.version, Secrets::Omit).await?.alg();
        if served.does(operation, alg) || !inner.does(operation, alg) {
            return Ok(());
        }
        Err(KeyError::unsupported_algorithm(alg, "told not to support it"))
    }
}

fn call(method: Method, kid: &KeyId, version: Option<KeyVersion>, acceptance: Acceptance) -> Call {
    Call { acceptance: Some(acceptance), ..Call::of_key(method, kid, version) }
}

fn version_of(with: VerifyWith) -> Option<KeyVersion> {
    match with {
        VerifyWith::Version(version) => Some(version),
        VerifyWith::AnyLive => None,
    }
}

/// A new method of the trait must not slip past the faults.
#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl KeyOperations for FaultyProvider {
    async fn sign(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        message: &[u8],
    ) -> Result<Signature, KeyError> {
        let call = Call::of_key(Method::Sign, kid, version);
        let honest = async {
            self.check_alg(&call, KeyOperation::Sign).await?;
            self.inner_operations()?.sign(kid, version, message).await
        };
        self.serve(call.clone(), None, honest).await?.signature()
    }

    async fn verify(
        &self,
        kid: &KeyId,
        with: VerifyWith,
        message: &[u8],
        signature: &[u8],
        acceptance: Acceptance,
    ) -> Result<KeyVersion, KeyError> {
        let call = call(Method::Verify, kid, version_of(with), acceptance);
        let honest = async {
            self.check_alg(&call, KeyOperation::Verify).await?;
            self.inner_operations()?.verify(kid, with, message, signature, acceptance).await
        };
        self.serve(call.clone(), None, honest).await?.verified()
    }

    async fn mac(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        message: &[u8],
    ) -> Result<Signature, KeyError> {
        let call = Call::of_key(Method::Mac, kid, version);
        let honest = async {
            self.check_alg(&call, KeyOperation::Mac).await?;
            self.inner_operations()?.mac(kid, version, message).await
        };
        self.serve(call.clone(), None, honest).await?.signature()
    }

    async fn verify_mac(
        &self,
        kid: &KeyId,
        with: VerifyWith,
        message: &[u8],
        mac: &[u8],
        acceptance: Acceptance,
    ) -> Result<KeyVersion, KeyError> {
        let call = call(Method::VerifyMac, kid, version_of(with), acceptance);
        let honest = async {
            self.check_alg(&call, KeyOperation::VerifyMac).await?;
            self.inner_operations()?.verify_mac(kid, with, message, mac, acceptance).await
        };
        self.serve(call.clone(), None, honest).await?.verified()
    }

    async fn encrypt(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        plaintext: &[u8],
        aad: &[u8],
    ) -> Result<Ciphertext, KeyError> {
        let call = Call { len: Some(plaintext.len()), ..Call::of_key(Method::Encrypt, kid, version) };
        let honest = async {
            self.check_alg(&call, KeyOperation::Encrypt).await?;
            self.inner_operations()?.encrypt(kid, version, plaintext, aad).await
        };
        self.serve(call.clone(), None, honest).await?.ciphertext()
    }

    async fn decrypt(
        &self,
        ciphertext: &Ciphertext,
        aad: &[u8],
        acceptance: Acceptance,
    ) -> Result<SecretBytes, KeyError> {
        let call = call(Method::Decrypt, &ciphertext.kid, Some(ciphertext.version), acceptance);
        let honest = async {
            self.check_alg(&call, KeyOperation::Decrypt).await?;
            self.inner_operations()?.decrypt(ciphertext, aad, acceptance).await
        };
        self.serve(call.clone(), None, honest).await?.bytes()
    }

    async fn agree(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        peer: &PublicKey,
        acceptance: Acceptance,
    ) -> Result<SecretBytes, KeyError> {
        let call = call(Method::Agree, kid, version, acceptance);
        let honest = async {
            self.check_alg(&call, KeyOperation::Agree).await?;
            self.inner_operations()?.agree(kid, version, peer, acceptance).await
        };
        self.serve(call.clone(), None, honest).await?.bytes()
    }

    async fn wrap_key(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        key: &SecretBytes,
    ) -> Result<Ciphertext, KeyError> {
        let call = Call::of_key(Method::WrapKey, kid, version);
        let honest = async {
            self.check_alg(&call, KeyOperation::WrapKey).await?;
            self.inner_operations()?.wrap_key(kid, version, key).await
        };
        self.serve(call.clone(), Some(key.clone()), honest).await?.ciphertext()
    }

    async fn unwrap_key(
        &self,
        wrapped: &Ciphertext,
        acceptance: Acceptance,
    ) -> Result<SecretBytes, KeyError> {
        let call = call(Method::UnwrapKey, &wrapped.kid, Some(wrapped.version), acceptance);
        let honest = async {
            self.check_alg(&call, KeyOperation::UnwrapKey).await?;
            self.inner_operations()?.unwrap_key(wrapped, acceptance).await
        };
        self.serve(call.clone(), None, honest).await?.bytes()
    }
}
