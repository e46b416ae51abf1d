//! The trait of providers that use keys where they live.

use async_trait::async_trait;
use swarmauri_keys::{
    Acceptance, Ciphertext, KeyError, KeyId, KeyVersion, PublicKey, SecretBytes, Signature, VerifyWith,
};

/// Uses keys where they live, and hands out results alone: what a key whose policy forbids export is for.
///
/// Reached by [`KeyProvider::operations`](crate::KeyProvider::operations). Conveniences live in
/// [`KeyOperationsExt`](crate::KeyOperationsExt).
///
/// # What holds for every method
///
/// * **Capabilities**: it requires the algorithm of the key in
///   [`Capabilities::operations`](crate::Capabilities::operations). Without it, one that the operation
///   [suits](swarmauri_keys::KeyOperation::algs) is [`KeyError::UnsupportedAlgorithm`]; an operation that is there
///   for none is [`KeyError::Unsupported`].
/// * **Uses are enforced**: a key that is not for it is [`KeyError::PermissionDenied`], which names the use. A key
///   that is for it, and of an algorithm that does something else, is [`KeyError::InvalidInput`].
/// * **States are enforced**: a disabled version is [`KeyError::Disabled`]. What reads old work takes an
///   [`Acceptance`], and may be asked to use it all the same.
/// * **No version** means the latest live one. If that is disabled, no older one stands in for it.
/// * **A public key alone** verifies and encrypts; asking more of it is [`KeyError::InvalidState`].
/// * **Forgeries** are [`KeyError::NotAuthentic`], and nothing tells which part of them is wrong. Secrets are
///   compared in constant time.
/// * **Export policy** plays no part: what comes out is not the key.
#[async_trait]
pub trait KeyOperations: Send + Sync {
    /// Signs a message, which it hashes itself. Requires [`KeyUse::Sign`](swarmauri_keys::KeyUse::Sign).
    ///
    /// The signature is in JOSE's form: EdDSA (RFC 8037 section 3.1), ES256 and PS256 (RFC 7518 sections 3.4
    /// and 3.5).
    async fn sign(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        message: &[u8],
    ) -> Result<Signature, KeyError>;

    /// Verifies the bytes of a signature, and tells which version made it. Requires
    /// [`KeyUse::Verify`](swarmauri_keys::KeyUse::Verify).
    ///
    /// With [`VerifyWith::AnyLive`] versions that are disabled, or not for verifying, are passed over; if no other
    /// is left, the error is that of the latest.
    async fn verify(
        &self,
        kid: &KeyId,
        with: VerifyWith,
        message: &[u8],
        signature: &[u8],
        acceptance: Acceptance,
    ) -> Result<KeyVersion, KeyError>;

    /// Computes the MAC of a message: HS256 (RFC 7518 section 3.2). Requires
    /// [`KeyUse::Sign`](swarmauri_keys::KeyUse::Sign).
    async fn mac(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        message: &[u8],
    ) -> Result<Signature, KeyError>;

    /// Verifies the bytes of a MAC, like [`verify`](Self::verify). One that is cut short is none.
    async fn verify_mac(
        &self,
        kid: &KeyId,
        with: VerifyWith,
        message: &[u8],
        mac: &[u8],
        acceptance: Acceptance,
    ) -> Result<KeyVersion, KeyError>;

    /// Encrypts. Requires [`KeyUse::Encrypt`](swarmauri_keys::KeyUse::Encrypt).
    ///
    /// * AES-256-GCM (NIST SP 800-38D): authenticates `aad`, the associated data, too. The nonce is drawn by the
    ///   provider; after so many encryptions that nonces might meet, it is [`KeyError::InvalidState`] that says to
    ///   rotate.
    /// * RSA-OAEP with SHA-256 (RFC 8017 section 7.1): `aad` is the label. The plaintext has at most 66 bytes less
    ///   than the modulus; a longer one is [`KeyError::InvalidInput`].
    async fn encrypt(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        plaintext: &[u8],
        aad: &[u8],
    ) -> Result<Ciphertext, KeyError>;

    /// Decrypts with the version that encrypted, given the same `aad`. Requires
    /// [`KeyUse::Decrypt`](swarmauri_keys::KeyUse::Decrypt).
    async fn decrypt(
        &self,
        ciphertext: &Ciphertext,
        aad: &[u8],
        acceptance: Acceptance,
    ) -> Result<SecretBytes, KeyError>;

    /// Agrees on a secret with the holder of another key: the 32 bytes of X25519 (RFC 7748 section 6.1), to be put
    /// through a key derivation. Requires [`KeyUse::Decaps`](swarmauri_keys::KeyUse::Decaps).
    ///
    /// A key of another type, or one with which everybody would agree on zeros, is [`KeyError::InvalidInput`].
    async fn agree(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        peer: &PublicKey,
        acceptance: Acceptance,
    ) -> Result<SecretBytes, KeyError>;

    /// Encrypts another key: A256GCMKW or RSA-OAEP-256 (RFC 7518 sections 4.7 and 4.3). Requires
    /// [`KeyUse::Wrap`](swarmauri_keys::KeyUse::Wrap). Counts as an encryption. A key of no bytes is
    /// [`KeyError::InvalidInput`].
    async fn wrap_key(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        key: &SecretBytes,
    ) -> Result<Ciphertext, KeyError>;

    /// Decrypts another key, with the version that wrapped it. Requires
    /// [`KeyUse::Unwrap`](swarmauri_keys::KeyUse::Unwrap).
    async fn unwrap_key(&self, wrapped: &Ciphertext, acceptance: Acceptance)
    -> Result<SecretBytes, KeyError>;
}

const _: Option<&dyn KeyOperations> = None; // object safety
