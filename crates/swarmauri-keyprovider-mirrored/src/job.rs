//! What is to be done with a key, whoever does it, and what comes of it.

use swarmauri_keys::{
    Acceptance, Ciphertext, KeyError, KeyId, KeyOperation, KeyRef, KeyVersion, KeyVersionId, PublicKey,
    SecretBytes, Signature, VerifyWith,
};

use crate::events;
use crate::side::Operations;

/// What is to be done, whoever does it.
#[derive(Clone, Copy)]
pub(crate) enum Job<'a> {
    Sign { message: &'a [u8] },
    Verify { message: &'a [u8], signature: &'a [u8] },
    Mac { message: &'a [u8] },
    VerifyMac { message: &'a [u8], mac: &'a [u8] },
    Encrypt { plaintext: &'a [u8], aad: &'a [u8] },
    Decrypt { sealed: &'a Ciphertext, aad: &'a [u8] },
    Agree { peer: &'a PublicKey },
    WrapKey { key: &'a SecretBytes },
    UnwrapKey { wrapped: &'a Ciphertext },
}

/// What comes of it.
#[derive(Debug)]
pub(crate) enum Done {
    Signature(Signature),
    Ciphertext(Ciphertext),
    Secret(SecretBytes),
    Verified(KeyVersion),
}

impl Job<'_> {
    pub(crate) fn operation(&self) -> KeyOperation {
        match self {
            Self::Sign { .. } => KeyOperation::Sign,
            Self::Verify { .. } => KeyOperation::Verify,
            Self::Mac { .. } => KeyOperation::Mac,
            Self::VerifyMac { .. } => KeyOperation::VerifyMac,
            Self::Encrypt { .. } => KeyOperation::Encrypt,
            Self::Decrypt { .. } => KeyOperation::Decrypt,
            Self::Agree { .. } => KeyOperation::Agree,
            Self::WrapKey { .. } => KeyOperation::WrapKey,
            Self::UnwrapKey { .. } => KeyOperation::UnwrapKey,
        }
    }

    /// Whether it is held against all live versions, rather than done with the latest, where none is named.
    pub(crate) fn is_verifying(&self) -> bool {
        matches!(self, Self::Verify { .. } | Self::VerifyMac { .. })
    }

    /// Has it done with a key of one side, under that side's name for it.
    pub(crate) async fn ask(
        &self,
        side: Operations<'_>,
        kid: &KeyId,
        version: Option<KeyVersion>,
        acceptance: Acceptance,
    ) -> Result<Done, KeyError> {
        let with = version.map_or(VerifyWith::AnyLive, VerifyWith::Version);
        match *self {
            Self::Sign { message } => side.sign(kid, version, message).await.map(Done::Signature),
            Self::Verify { message, signature } => {
                side.verify(kid, with, message, signature, acceptance).await.map(Done::Verified)
            }
            Self::Mac { message } => side.mac(kid, version, message).await.map(Done::Signature),
            Self::VerifyMac { message, mac } => {
                side.verify_mac(kid, with, message, mac, acceptance).await.map(Done::Verified)
            }
            Self::Encrypt { plaintext, aad } => {
                side.encrypt(kid, version, plaintext, aad).await.map(Done::Ciphertext)
            }
            Self::WrapKey { key } => side.wrap_key(kid, version, key).await.map(Done::Ciphertext),
            Self::Agree { peer } => side.agree(kid, version, peer, acceptance).await.map(Done::Secret),
            Self::Decrypt { sealed, aad } => match renamed(sealed, kid, version) {
                None => side.decrypt(sealed, aad, acceptance).await.map(Done::Secret),
                Some(renamed) => side.decrypt(&renamed, aad, acceptance).await.map(Done::Secret),
            },
            Self::UnwrapKey { wrapped } => match renamed(wrapped, kid, version) {
                None => side.unwrap_key(wrapped, acceptance).await.map(Done::Secret),
                Some(renamed) => side.unwrap_key(&renamed, acceptance).await.map(Done::Secret),
            },
        }
    }
}

/// A ciphertext under another side's name for its key; `None` if it bears that one.
fn renamed(sealed: &Ciphertext, kid: &KeyId, version: Option<KeyVersion>) -> Option<Ciphertext> {
    let version = version.unwrap_or(sealed.version);
    let same = sealed.kid == *kid && sealed.version == version;
    (!same).then(|| Ciphertext { kid: kid.clone(), version, ..sealed.clone() })
}

impl Done {
    /// The version that did it, where that shows.
    pub(crate) fn version(&self) -> Option<KeyVersion> {
        match self {
            Self::Signature(signature) => Some(signature.version),
            Self::Ciphertext(ciphertext) => Some(ciphertext.version),
            Self::Verified(version) => Some(*version),
            Self::Secret(_) => None,
        }
    }

    /// What a replica did, under the primary's name; an error if it was not the replica that was asked.
    pub(crate) fn of_primary(self, at: &KeyVersionId, shown: &KeyRef) -> Result<Self, KeyError> {
        let alg = shown.alg();
        let right = match &self {
            Self::Signature(done) => done.id() == *at && done.alg == alg,
            Self::Ciphertext(done) => done.id() == *at && done.alg == alg,
            Self::Verified(version) => *version == at.version,
            Self::Secret(_) => true,
        };
        if !right {
            let error = KeyError::integrity(format!(
                "the secondary was asked to work with the replica of {}, and worked with another key",
                shown.id()
            ));
            events::wrong_key(shown.id(), &error);
            return Err(error);
        }
        let KeyVersionId { kid, version } = shown.id().clone();
        Ok(match self {
            Self::Signature(done) => Self::Signature(Signature { kid, version, ..done }),
            Self::Ciphertext(done) => Self::Ciphertext(Ciphertext { kid, version, ..done }),
            Self::Verified(_) => Self::Verified(version),
            secret @ Self::Secret(_) => secret,
        })
    }
}
