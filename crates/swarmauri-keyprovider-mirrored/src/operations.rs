//! A thin `impl KeyOperations`: see [`Job`].

use async_trait::async_trait;
use swarmauri_keyprovider::KeyOperations;
use swarmauri_keys::{
    Acceptance, Ciphertext, KeyError, KeyId, KeyVersion, PublicKey, SecretBytes, Signature, VerifyWith,
};

use crate::job::{Done, Job};
use crate::provider::MirroredKeyProvider;

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl KeyOperations for MirroredKeyProvider {
    async fn sign(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        message: &[u8],
    ) -> Result<Signature, KeyError> {
        self.work(kid, version, Acceptance::EnabledOnly, Job::Sign { message }).await?.signature()
    }

    async fn verify(
        &self,
        kid: &KeyId,
        with: VerifyWith,
        message: &[u8],
        signature: &[u8],
        acceptance: Acceptance,
    ) -> Result<KeyVersion, KeyError> {
        let job = Job::Verify { message, signature };
        self.work(kid, named(with), acceptance, job).await?.verified()
    }

    async fn mac(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        message: &[u8],
    ) -> Result<Signature, KeyError> {
        self.work(kid, version, Acceptance::EnabledOnly, Job::Mac { message }).await?.signature()
    }

    async fn verify_mac(
        &self,
        kid: &KeyId,
        with: VerifyWith,
        message: &[u8],
        mac: &[u8],
        acceptance: Acceptance,
    ) -> Result<KeyVersion, KeyError> {
        self.work(kid, named(with), acceptance, Job::VerifyMac { message, mac }).await?.verified()
    }

    async fn encrypt(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        plaintext: &[u8],
        aad: &[u8],
    ) -> Result<Ciphertext, KeyError> {
        let job = Job::Encrypt { plaintext, aad };
        self.work(kid, version, Acceptance::EnabledOnly, job).await?.ciphertext()
    }

    async fn decrypt(
        &self,
        sealed: &Ciphertext,
        aad: &[u8],
        acceptance: Acceptance,
    ) -> Result<SecretBytes, KeyError> {
        let job = Job::Decrypt { sealed, aad };
        self.work(&sealed.kid, Some(sealed.version), acceptance, job).await?.secret()
    }

    async fn agree(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        peer: &PublicKey,
        acceptance: Acceptance,
    ) -> Result<SecretBytes, KeyError> {
        self.work(kid, version, acceptance, Job::Agree { peer }).await?.secret()
    }

    async fn wrap_key(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        key: &SecretBytes,
    ) -> Result<Ciphertext, KeyError> {
        self.work(kid, version, Acceptance::EnabledOnly, Job::WrapKey { key }).await?.ciphertext()
    }

    async fn unwrap_key(
        &self,
        wrapped: &Ciphertext,
        acceptance: Acceptance,
    ) -> Result<SecretBytes, KeyError> {
        let job = Job::UnwrapKey { wrapped };
        self.work(&wrapped.kid, Some(wrapped.version), acceptance, job).await?.secret()
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
