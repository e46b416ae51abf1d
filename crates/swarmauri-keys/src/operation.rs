//! What is done with a key where it lives, and what comes of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::alg::named;
use crate::{KeyAlg, KeyError, KeyId, KeyUse, KeyVersion, KeyVersionId, b64};

named! {
    /// One thing that is done with a key where it lives. Each requires a [`KeyUse`], and suits some algorithms.
    KeyOperation("operation") {
        /// Sign a message: Ed25519, P-256, RSA-PSS.
        Sign = "sign",
        /// Verify such a signature; public work.
        Verify = "verify",
        /// Compute a MAC: HMAC.
        Mac = "mac",
        /// Verify a MAC.
        VerifyMac = "verify_mac",
        /// Encrypt content: AES-GCM, RSA-OAEP; with RSA public work.
        Encrypt = "encrypt",
        /// Decrypt content.
        Decrypt = "decrypt",
        /// Agree on a secret: the receiver's half, X25519.
        Agree = "agree",
        /// Encrypt another key: AES-GCM, RSA-OAEP; with RSA public work.
        WrapKey = "wrap_key",
        /// Decrypt another key.
        UnwrapKey = "unwrap_key",
    }
}

impl KeyOperation {
    /// The use that a key must be for.
    pub const fn key_use(self) -> KeyUse {
        match self {
            Self::Sign | Self::Mac => KeyUse::Sign,
            Self::Verify | Self::VerifyMac => KeyUse::Verify,
            Self::Encrypt => KeyUse::Encrypt,
            Self::Decrypt => KeyUse::Decrypt,
            Self::Agree => KeyUse::Decaps,
            Self::WrapKey => KeyUse::Wrap,
            Self::UnwrapKey => KeyUse::Unwrap,
        }
    }

    /// The algorithms that it is done with.
    pub const fn algs(self) -> &'static [KeyAlg] {
        match self {
            Self::Sign | Self::Verify => &[KeyAlg::Ed25519, KeyAlg::RsaPssSha256, KeyAlg::EcdsaP256Sha256],
            Self::Mac | Self::VerifyMac => &[KeyAlg::HmacSha256],
            Self::Encrypt | Self::Decrypt | Self::WrapKey | Self::UnwrapKey => {
                &[KeyAlg::Aes256Gcm, KeyAlg::RsaOaepSha256]
            }
            Self::Agree => &[KeyAlg::X25519],
        }
    }

    /// Whether it makes something new, as opposed to reading what was made before. A disabled version never does.
    pub const fn makes(self) -> bool {
        matches!(self, Self::Sign | Self::Mac | Self::Encrypt | Self::WrapKey)
    }

    /// Whether the public half of such a key suffices.
    pub fn is_public(self, alg: KeyAlg) -> bool {
        match self {
            Self::Verify => true,
            Self::Encrypt | Self::WrapKey => alg == KeyAlg::RsaOaepSha256,
            Self::Sign | Self::Mac | Self::VerifyMac | Self::Decrypt | Self::Agree | Self::UnwrapKey => false,
        }
    }
}

/// Whether verifying, decrypting and agreeing may use a version that is disabled.
///
/// Making something new with one is refused either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Acceptance {
    /// A disabled version is refused.
    #[default]
    EnabledOnly,
    /// What a version that is now disabled has made before is still read.
    AllowDisabled,
}

impl Acceptance {
    /// Whether a version that is disabled may do this.
    pub fn waives(self, operation: KeyOperation) -> bool {
        self == Self::AllowDisabled && !operation.makes()
    }
}

/// Which versions a signature or MAC is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VerifyWith {
    /// This one.
    Version(KeyVersion),
    /// All live ones; one that fits is enough. For signatures that do not say which version made them.
    AnyLive,
}

/// A signature or MAC in the form that JOSE gives it (RFC 7518 section 3, RFC 8037 section 3.1), and what made it.
///
/// As serde data: `kid`, `version`, `alg`, and `signature` in base64url.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The key.
    pub kid: KeyId,
    /// The version of it.
    pub version: KeyVersion,
    /// The algorithm: EdDSA, ES256, PS256 or HS256 in JOSE's terms.
    pub alg: KeyAlg,
    /// The bytes: 64 of Ed25519; 64 of P-256, r and s as big-endian numbers of 32 bytes each; as many as the
    /// modulus has of RSA-PSS; 32 of HMAC-SHA256.
    #[serde(rename = "signature", with = "base64url")]
    pub bytes: Vec<u8>,
}

/// What was encrypted, and what it takes to find the key again. It does not hold the associated data.
///
/// As serde data: `kid`, `version`, `alg`, and `nonce`, `ciphertext` and `tag` in base64url. With AES-GCM these
/// three are the `iv`, `ciphertext` and `tag` of a JWE (RFC 7518 section 5.3), or, around a key, those of
/// `A256GCMKW` (section 4.7); with RSA-OAEP the ciphertext is that of `RSA-OAEP-256` (section 4.3).
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ciphertext {
    /// The key.
    pub kid: KeyId,
    /// The version of it.
    pub version: KeyVersion,
    /// The algorithm.
    pub alg: KeyAlg,
    /// The nonce: 12 bytes with AES-GCM, none with RSA-OAEP.
    #[serde(with = "base64url", default, skip_serializing_if = "Vec::is_empty")]
    pub nonce: Vec<u8>,
    /// What was encrypted: as long as the plaintext with AES-GCM, as the modulus with RSA-OAEP.
    #[serde(with = "base64url")]
    pub ciphertext: Vec<u8>,
    /// The tag: 16 bytes with AES-GCM, none with RSA-OAEP.
    #[serde(with = "base64url", default, skip_serializing_if = "Vec::is_empty")]
    pub tag: Vec<u8>,
}

impl Signature {
    /// Key and version.
    pub fn id(&self) -> KeyVersionId {
        self.kid.at(self.version)
    }
}

impl Ciphertext {
    /// Key and version.
    pub fn id(&self) -> KeyVersionId {
        self.kid.at(self.version)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kid, version, alg, bytes } = self;
        f.debug_struct("Signature")
            .field("kid", kid)
            .field("version", version)
            .field("alg", alg)
            .field("bytes", &b64::encode(bytes))
            .finish()
    }
}

impl fmt::Debug for Ciphertext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kid, version, alg, nonce, ciphertext, tag } = self;
        f.debug_struct("Ciphertext")
            .field("kid", kid)
            .field("version", version)
            .field("alg", alg)
            .field("nonce", &b64::encode(nonce))
            .field("ciphertext", &format_args!("{} bytes", ciphertext.len()))
            .field("tag", &b64::encode(tag))
            .finish()
    }
}

mod base64url {
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::Serializer;

    use crate::b64;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&b64::encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        b64::decode("a signature, nonce, ciphertext or tag", &text)
            .map(|bytes| bytes.to_vec())
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_needs_a_use_that_its_algorithms_have() {
        for operation in KeyOperation::ALL {
            for alg in operation.algs() {
                assert!(alg.uses().contains(&operation.key_use()), "{operation} {alg}");
            }
        }
        let names: Vec<_> = KeyOperation::ALL.iter().map(|one| one.as_str()).collect();
        assert_eq!(names.join(" "), "sign verify mac verify_mac encrypt decrypt agree wrap_key unwrap_key");
    }

    /// Every use but `encaps`, which is the sender's and takes the public key alone, has an operation.
    #[test]
    fn every_use_of_an_algorithm_has_an_operation() {
        for alg in KeyAlg::ALL {
            for one in alg.uses().iter().filter(|one| **one != KeyUse::Encaps) {
                let mut all = KeyOperation::ALL.iter();
                let found =
                    all.any(|operation| operation.key_use() == *one && operation.algs().contains(alg));
                assert!(found, "{alg} {one}");
            }
        }
    }

    #[test]
    fn results_travel_as_json() {
        let json = r#"{"kid":"k","version":2,"alg":"AES256_GCM","nonce":"AQ","ciphertext":"AgM","tag":"BA"}"#;
        let ciphertext: Ciphertext = serde_json::from_str(json).unwrap();
        assert_eq!((ciphertext.id().to_string().as_str(), &ciphertext.ciphertext[..]), ("k.2", &[2, 3][..]));
        assert_eq!(serde_json::to_string(&ciphertext).unwrap(), json);
        let json = r#"{"kid":"k","version":1,"alg":"RSA_OAEP_SHA256","ciphertext":"AgM"}"#;
        let ciphertext: Ciphertext = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&ciphertext).unwrap(), json);
        let json = r#"{"kid":"k","version":1,"alg":"ED25519","signature":"AQID"}"#;
        let signature: Signature = serde_json::from_str(json).unwrap();
        assert_eq!(
            (serde_json::to_string(&signature).unwrap().as_str(), &signature.bytes[..]),
            (json, &[1, 2, 3][..])
        );
        for bad in [
            r#"{"kid":"k","version":1,"alg":"ED25519","signature":"AQI="}"#,
            r#"{"kid":"k","version":0,"alg":"ED25519","signature":""}"#,
        ] {
            assert!(serde_json::from_str::<Signature>(bad).is_err(), "{bad}");
        }
    }
}
