//! Algorithms, and the closed vocabularies around them: class, use, policy, state.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::KeyError;

/// Defines an enum whose serde, `Display` and `FromStr` names are one and the same.
macro_rules! named {
    ($(#[$meta:meta])* $kind:ident ($what:literal) { $($(#[$doc:meta])* $variant:ident = $name:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $kind { $($(#[$doc])* #[serde(rename = $name)] $variant,)+ }

        impl $kind {
            /// All of them, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name that serde, `Display` and `FromStr` use.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $kind {
            type Err = KeyError;

            fn from_str(text: &str) -> Result<Self, KeyError> {
                Self::ALL.iter().copied().find(|known| known.as_str() == text).ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|known| known.as_str()).collect();
                    KeyError::invalid_input(format!(
                        concat!("unknown ", $what, " {}; known are {}"), crate::quoted(text), known.join(", ")
                    ))
                })
            }
        }
    };
}
pub(crate) use named;

named! {
    /// What a key is for, and how. The algorithm fixes the type of the key.
    KeyAlg("algorithm") {
        /// AES-256 in Galois/Counter Mode (NIST SP 800-38D).
        Aes256Gcm = "AES256_GCM",
        /// Ed25519 signatures (RFC 8032).
        Ed25519 = "ED25519",
        /// X25519 key agreement (RFC 7748).
        X25519 = "X25519",
        /// HMAC with SHA-256 (RFC 2104).
        HmacSha256 = "HMAC_SHA256",
        /// RSAES-OAEP with SHA-256 (RFC 8017 section 7.1).
        RsaOaepSha256 = "RSA_OAEP_SHA256",
        /// RSASSA-PSS with SHA-256 (RFC 8017 section 8.1).
        RsaPssSha256 = "RSA_PSS_SHA256",
        /// ECDSA on P-256 with SHA-256 (FIPS 186-5).
        EcdsaP256Sha256 = "ECDSA_P256_SHA256",
    }
}

named! {
    /// Whether a key is one secret, a pair, or a handle to something that never leaves its device.
    KeyClass("key class") {
        /// One secret on both ends.
        Symmetric = "sym",
        /// A private and a public key.
        Asymmetric = "asym",
        /// A handle; its material is out of reach of software.
        Opaque = "opaque",
    }
}

named! {
    /// One thing that may be done with a key.
    KeyUse("key use") {
        /// Encrypt content.
        Encrypt = "encrypt",
        /// Decrypt content.
        Decrypt = "decrypt",
        /// Sign, or compute a MAC.
        Sign = "sign",
        /// Verify a signature or a MAC.
        Verify = "verify",
        /// Encrypt another key.
        Wrap = "wrap",
        /// Decrypt another key.
        Unwrap = "unwrap",
        /// Encapsulate: the sender's half of a key agreement.
        Encaps = "encaps",
        /// Decapsulate: the receiver's half of a key agreement.
        Decaps = "decaps",
    }
}

named! {
    /// What may leave the provider. A key that cannot be exported can still be used where it lives.
    ExportPolicy("export policy") {
        /// Neither secret nor public material.
        None = "none",
        /// Public material only.
        PublicOnly = "public_only",
        /// Secret material too, when asked for.
        SecretWhenAllowed = "secret_when_allowed",
    }
}

named! {
    /// Where a key version is in its life.
    KeyState("key state") {
        /// In use.
        Enabled = "enabled",
        /// Kept, and out of use until it is enabled again.
        Disabled = "disabled",
        /// Gone for good; its version number is never used again.
        Destroyed = "destroyed",
    }
}

named! {
    /// The mathematical type of a key, as a JWK's `kty` and `crv` tell it apart.
    KeyType("key type") {
        /// A string of secret octets (`oct`, RFC 7518 section 6.4).
        Octets = "oct",
        /// An Ed25519 pair (`OKP`, RFC 8037).
        Ed25519 = "Ed25519",
        /// An X25519 pair (`OKP`, RFC 8037).
        X25519 = "X25519",
        /// An elliptic-curve pair on P-256 (`EC`, RFC 7518 section 6.2).
        P256 = "P-256",
        /// An RSA pair (`RSA`, RFC 7518 section 6.3).
        Rsa = "RSA",
    }
}

impl KeyAlg {
    /// The type of key this algorithm works with.
    pub const fn key_type(self) -> KeyType {
        match self {
            Self::Aes256Gcm | Self::HmacSha256 => KeyType::Octets,
            Self::Ed25519 => KeyType::Ed25519,
            Self::X25519 => KeyType::X25519,
            Self::RsaOaepSha256 | Self::RsaPssSha256 => KeyType::Rsa,
            Self::EcdsaP256Sha256 => KeyType::P256,
        }
    }

    /// [`KeyClass::Symmetric`] or [`KeyClass::Asymmetric`].
    pub const fn class(self) -> KeyClass {
        match self.key_type() {
            KeyType::Octets => KeyClass::Symmetric,
            KeyType::Ed25519 | KeyType::X25519 | KeyType::P256 | KeyType::Rsa => KeyClass::Asymmetric,
        }
    }

    /// Everything that a key of this algorithm can be used for: the default of a [`KeySpec`].
    ///
    /// [`KeySpec`]: crate::KeySpec
    pub const fn uses(self) -> &'static [KeyUse] {
        use KeyUse::{Decaps, Decrypt, Encaps, Encrypt, Sign, Unwrap, Verify, Wrap};
        match self {
            Self::Aes256Gcm | Self::RsaOaepSha256 => &[Encrypt, Decrypt, Wrap, Unwrap],
            Self::Ed25519 | Self::HmacSha256 | Self::RsaPssSha256 | Self::EcdsaP256Sha256 => &[Sign, Verify],
            Self::X25519 => &[Encaps, Decaps],
        }
    }

    /// The `alg` member of a JWK: RFC 7518 sections 3.1, 4.1 and 5.1, RFC 8037 section 3.
    pub const fn jose_alg(self) -> &'static str {
        match self {
            Self::Aes256Gcm => "A256GCM",
            Self::Ed25519 => "EdDSA",
            Self::X25519 => "ECDH-ES",
            Self::HmacSha256 => "HS256",
            Self::RsaOaepSha256 => "RSA-OAEP-256",
            Self::RsaPssSha256 => "PS256",
            Self::EcdsaP256Sha256 => "ES256",
        }
    }

    /// The `use` member of a JWK (RFC 7517 section 4.2): `"sig"` or `"enc"`.
    pub const fn jwk_use(self) -> &'static str {
        match self {
            Self::Ed25519 | Self::HmacSha256 | Self::RsaPssSha256 | Self::EcdsaP256Sha256 => "sig",
            Self::Aes256Gcm | Self::X25519 | Self::RsaOaepSha256 => "enc",
        }
    }
}

/// A set of [`KeyUse`]s, kept in their canonical order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(from = "Vec<KeyUse>", into = "Vec<KeyUse>")]
pub struct KeyUses(u8);

impl KeyUses {
    /// Whether this use is in the set.
    pub const fn contains(self, one: KeyUse) -> bool {
        self.0 & (1 << one as u8) != 0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The uses in the set.
    pub fn iter(self) -> impl Iterator<Item = KeyUse> {
        KeyUse::ALL.iter().copied().filter(move |one| self.contains(*one))
    }
}

impl FromIterator<KeyUse> for KeyUses {
    fn from_iter<I: IntoIterator<Item = KeyUse>>(uses: I) -> Self {
        Self(uses.into_iter().fold(0, |set, one| set | 1 << one as u8))
    }
}

impl From<Vec<KeyUse>> for KeyUses {
    fn from(uses: Vec<KeyUse>) -> Self {
        uses.into_iter().collect()
    }
}

impl From<KeyUses> for Vec<KeyUse> {
    fn from(uses: KeyUses) -> Self {
        uses.iter().collect()
    }
}

impl fmt::Debug for KeyUses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_python_packages() {
        let algs = "AES256_GCM ED25519 X25519 HMAC_SHA256 RSA_OAEP_SHA256 RSA_PSS_SHA256 ECDSA_P256_SHA256";
        assert_names(KeyAlg::ALL, algs);
        assert_names(KeyClass::ALL, "sym asym opaque");
        assert_names(KeyUse::ALL, "encrypt decrypt sign verify wrap unwrap encaps decaps");
        assert_names(ExportPolicy::ALL, "none public_only secret_when_allowed");
        assert_names(KeyState::ALL, "enabled disabled destroyed");
    }

    fn assert_names<T: Serialize + fmt::Display + Copy>(all: &[T], names: &str) {
        let shown: Vec<_> = all.iter().map(ToString::to_string).collect();
        assert_eq!(shown.join(" "), names);
        for (one, name) in all.iter().zip(names.split(' ')) {
            assert_eq!(serde_json::to_value(one).unwrap(), name);
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = "ed25519".parse::<KeyAlg>().unwrap_err().to_string();
        assert!(error.contains("\"ed25519\"") && error.contains("ED25519, X25519"), "{error}");
    }

    #[test]
    fn uses_are_a_set() {
        let uses: KeyUses = [KeyUse::Verify, KeyUse::Sign, KeyUse::Verify].into_iter().collect();
        assert_eq!(serde_json::to_string(&uses).unwrap(), r#"["sign","verify"]"#);
        assert_eq!(serde_json::from_str::<KeyUses>(r#"["verify","sign"]"#).unwrap(), uses);
        assert!(!uses.contains(KeyUse::Encrypt) && !uses.is_empty() && KeyUses::default().is_empty());
    }
}
