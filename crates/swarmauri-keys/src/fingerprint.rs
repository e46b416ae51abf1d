//! What tells one key from all others without giving anything away.

use std::fmt;
use std::str::{self, FromStr};

use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{KeyAlg, KeyError, SecretBytes, b64};

/// 256 bits in base64url, 43 characters: the RFC 7638 thumbprint of a key pair, or a one-way value of a
/// symmetric key. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint([u8; TEXT_LEN]);

/// 32 bytes in base64url. It is ASCII, and lies in its owner: of these there are as many as versions of keys.
const TEXT_LEN: usize = 43;

impl Fingerprint {
    /// The fingerprint of a symmetric key: HKDF-SHA256 (RFC 5869) of the key under a salt of its own, bound
    /// to the algorithm.
    ///
    /// One cannot get from it to the key, save by trying keys, which a random one withstands.
    pub fn of_symmetric(alg: KeyAlg, secret: &SecretBytes) -> Self {
        // Not a plain hash, which others may have computed over the same secret for other ends; and not an
        // HMAC under the key itself, which for an HMAC key would publish a valid MAC.
        let hkdf = Hkdf::<Sha256>::new(Some(SYMMETRIC_SALT), secret.expose_secret());
        let mut okm = Zeroizing::new([0; 32]);
        if hkdf.expand(alg.as_str().as_bytes(), okm.as_mut()).is_err() {
            unreachable!("HKDF-SHA256 gives up to 255 blocks of 32 bytes; this asks for one");
        }
        Self::from_bytes(&okm)
    }

    /// The fingerprint that is the SHA-256 hash of this text.
    pub(crate) fn of_text(text: &str) -> Self {
        Self::from_bytes(&Sha256::digest(text).into())
    }

    /// The 43 characters.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }

    fn from_bytes(bytes: &[u8; 32]) -> Self {
        let mut text = [0; TEXT_LEN];
        b64::encode_into(bytes, &mut text);
        Self(text)
    }
}

const SYMMETRIC_SALT: &[u8] = b"swarmauri-keys symmetric fingerprint v1";

impl FromStr for Fingerprint {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bytes = b64::decode("a fingerprint", text)?;
        text.as_bytes().try_into().map(Self).map_err(|_| {
            KeyError::invalid_input(format!(
                "a fingerprint is 32 bytes in base64url, 43 characters; this one is {} bytes",
                bytes.len()
            ))
        })
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        text.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.as_str().to_owned()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fingerprint").field(&self.as_str()).finish()
    }
}

impl AsRef<str> for Fingerprint {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_symmetric_key_it_is_bound_to_the_algorithm_and_no_plain_hash() {
        let secret = SecretBytes::from(vec![7; 32]);
        let aes = Fingerprint::of_symmetric(KeyAlg::Aes256Gcm, &secret);
        assert_eq!(aes, Fingerprint::of_symmetric(KeyAlg::Aes256Gcm, &secret));
        assert_ne!(aes, Fingerprint::of_symmetric(KeyAlg::HmacSha256, &secret));
        assert_ne!(aes, Fingerprint::of_symmetric(KeyAlg::Aes256Gcm, &SecretBytes::from(vec![8; 32])));
        let hash: [u8; 32] = Sha256::digest([7; 32]).into();
        assert_ne!(aes, Fingerprint::from_bytes(&hash));
    }

    /// A change here would make every stored fingerprint of a symmetric key a mismatch.
    #[test]
    fn of_a_symmetric_key_it_never_changes() {
        let secret = SecretBytes::from((0..32).collect::<Vec<u8>>());
        let aes = Fingerprint::of_symmetric(KeyAlg::Aes256Gcm, &secret);
        // python3: hmac.digest(hmac.digest(salt, bytes(range(32)), "sha256"), b"AES256_GCM\x01", "sha256")
        assert_eq!(aes.as_str(), "2lV1bDSr6l5sCQEdeA0Xc4Bnkmd1hXJZFBN_5EVS9uo");
    }

    #[test]
    fn reads_only_what_it_writes() {
        let text = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
        let json = format!("{text:?}");
        assert_eq!(
            serde_json::to_string(&serde_json::from_str::<Fingerprint>(&json).unwrap()).unwrap(),
            json
        );
        for bad in ["", "AA", "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4l", &format!("{text}="), &text[1..]]
        {
            assert!(bad.parse::<Fingerprint>().is_err(), "{bad:?}");
        }
    }
}
