//! A thin `impl KeyOperations`: see [`Work`].

use async_trait::async_trait;
use swarmauri_keyprovider::KeyOperations;
use swarmauri_keys::{
    Acceptance, Ciphertext, KeyError, KeyId, KeyVersion, PublicKey, SecretBytes, Signature, VerifyWith,
};

use crate::provider::MirroredKeyProvider;
use crate::work::{Done, Work};

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl KeyOperations for MirroredKeyProvider {
    async fn sign(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        message: &[u8],
    ) -> Result<Signature, KeyError> {
        self.work(kid, version, Acceptance::EnabledOnly, Work::Sign { message }).await?.signature()
    }

    async fn verify(
        &self,
        kid: &KeyId,
        with: VerifyWith,
        message: &[u8],
        signature: &[u8],
        acceptance: Acceptance,
    ) -> Result<KeyVersion, KeyError> {
        let work = Work::Verify { message, signature };
        self.work(kid, named(with), acceptance, work).await?.verified()
    }

    async fn mac(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        message: &[u8],
    ) -> Result<Signature, KeyError> {
        self.work(kid, version, Acceptance::EnabledOnly, Work::Mac { message }).await?.signature()
    }

    async fn verify_mac(
        &self,
        kid: &KeyId,
        with: VerifyWith,
        message: &[u8],
        mac: &[u8],
        acceptance: Acceptance,
    ) -> Result<KeyVersion, KeyError> {
        self.work(kid, named(with), acceptance, Work::VerifyMac { message, mac }).await?.verified()
    }

    async fn encrypt(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        plaintext: &[u8],
        aad: &[u8],
    ) -> Result<Ciphertext, KeyError> {
        let work = Work::Encrypt { plaintext, aad };
        self.work(kid, version, Acceptance::EnabledOnly, work).await?.ciphertext()
    }

    async fn decrypt(
        &self,
        sealed: &Ciphertext,
        aad: &[u8],
        acceptance: Acceptance,
    ) -> Result<SecretBytes, KeyError> {
        let work = Work::Decrypt { sealed, aad };
        self.work(&sealed.kid, Some(sealed.version), acceptance, work).await?.secret()
    }

    async fn agree(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        peer: &PublicKey,
        acceptance: Acceptance,
    ) -> Result<SecretBytes, KeyError> {
        self.work(kid, version, acceptance, Work::Agree { peer }).await?.secret()
    }

    async fn wrap_key(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        key: &SecretBytes,
    ) -> Result<Ciphertext, KeyError> {
        self.work(kid, version, Acceptance::EnabledOnly, Work::WrapKey { key }).await?.ciphertext()
    }

    async fn unwrap_key(
        &self,
        wrapped: &Ciphertext,
        acceptance: Acceptance,
    ) -> Result<SecretBytes, KeyError> {
        let work = Work::UnwrapKey { wrapped };
        self.work(&wrapped.kid, Some(wrapped.version), acceptance, work).await?.secret()
    }
}

fn named(with: VerifyWith) -> Option<KeyVersion> {
    match with {
        VerifyWith::Version(version) => Some(version),
        VerifyWith::AnyLive => None,
    }
}

macro_rules! unpack {
    ($($name:ident: $variant:ident($kind:ty),)*) => {
        impl Done {
            $(fn $name(self) -> Result<$kind, KeyError> {
                match self {
                    Self::$variant(done) => Ok(done),
                    other => Err(KeyError::integrity(format!("work of one kind came out as {other:?}"))),
                }
            })*
        }
    };
}

unpack! {
    signature: Signature(Signature),
    ciphertext: Ciphertext(Ciphertext),
    secret: Secret(SecretBytes),
    verified: Verified(KeyVersion),
}
