//! Key material: what an import takes, and what an export gives.

use crate::asn1::Format;
use crate::{KeyAlg, KeyError, KeyType, KeyVersionId, PrivateKey, PublicKey, SecretBytes, jwk_private, pem};

/// What an import takes. A public key alone is a public key, never an empty private one.
#[derive(Clone, Debug)]
pub enum KeyMaterial {
    /// The octets of a symmetric key.
    Symmetric(SecretBytes),
    /// A private key, with or without its public half.
    Private(PrivateKey),
    /// A public key alone.
    Public(PublicKey),
}

/// What an export of secret material gives.
#[derive(Clone, Debug)]
pub enum SecretMaterial {
    /// The octets of a symmetric key.
    Symmetric(SecretBytes),
    /// A private key.
    Private(PrivateKey),
}

impl KeyMaterial {
    /// The type of the key.
    pub fn key_type(&self) -> KeyType {
        match self {
            Self::Symmetric(_) => KeyType::Octets,
            Self::Private(key) => key.key_type(),
            Self::Public(key) => key.key_type(),
        }
    }

    /// Reads PEM of any kind that [`PrivateKey::from_pem`] or [`PublicKey::from_pem`] reads.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] as for those two.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let blocks = pem::blocks(pem)?;
        if let [block] = blocks.as_slice()
            && let Some(public) = PublicKey::from_block(block)
        {
            return public.map(Self::Public);
        }
        PrivateKey::from_blocks(&blocks).map(Self::Private)
    }

    /// Reads DER of any kind that [`PrivateKey::from_der`] or [`PublicKey::from_der`] reads.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] as for those two.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        match Format::of(der)? {
            Format::Spki | Format::Pkcs1Public => PublicKey::from_der(der).map(Self::Public),
            Format::Pkcs8 | Format::Sec1 | Format::Pkcs1Private => {
                PrivateKey::from_der(der).map(Self::Private)
            }
            other @ (Format::EncryptedPkcs8 | Format::Certificate) => Err(other.refuse("a key")),
        }
    }

    /// Reads the JSON text of a JWK that is to serve this algorithm: symmetric (`kty` is `oct`), private (it
    /// has `d`) or public. Members it does not know are ignored (RFC 7517 section 4), `kid` too.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] if it is no JWK; if a member is there twice, is missing, or is not what
    /// RFC 7518 section 6 or RFC 8037 section 2 says; if `kty`, `crv`, `alg` or `use` contradicts the
    /// algorithm; for RSA if it is private and lacks one of `p q dp dq qi`, or has `oth`.
    pub fn from_jwk(alg: KeyAlg, json: &[u8]) -> Result<Self, KeyError> {
        jwk_private::read(alg, json)
    }
}

impl SecretMaterial {
    /// The type of the key.
    pub fn key_type(&self) -> KeyType {
        match self {
            Self::Symmetric(_) => KeyType::Octets,
            Self::Private(key) => key.key_type(),
        }
    }

    /// The JSON text of the JWK that holds the secret, all members there and in canonical form (RFC 8785).
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] if the algorithm works with another type of key;
    /// [`KeyError::InvalidState`] if the public half of a private key is not known.
    pub fn to_jwk(&self, id: &KeyVersionId, alg: KeyAlg) -> Result<SecretBytes, KeyError> {
        match self {
            Self::Symmetric(secret) => jwk_private::write_symmetric(secret, id, alg),
            Self::Private(key) => key.to_jwk(id, alg),
        }
    }
}

impl From<SecretMaterial> for KeyMaterial {
    fn from(secret: SecretMaterial) -> Self {
        match secret {
            SecretMaterial::Symmetric(secret) => Self::Symmetric(secret),
            SecretMaterial::Private(key) => Self::Private(key),
        }
    }
}

impl PrivateKey {
    /// The JSON text of the private JWK, all members there and in canonical form (RFC 8785).
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] if the algorithm works with another type of key;
    /// [`KeyError::InvalidState`] if the public half is not known.
    pub fn to_jwk(&self, id: &KeyVersionId, alg: KeyAlg) -> Result<SecretBytes, KeyError> {
        jwk_private::write_private(self, id, alg)
    }
}
