//! Public keys, typed by algorithm family, and their encodings.

use std::fmt;
use std::sync::Arc;

use spki::SubjectPublicKeyInfoRef;

use crate::asn1::{self, BIT_STRING, Format, SEQUENCE, tlv};
use crate::jwk_write::WrittenMembers;
use crate::pem::{self, Block};
pub use crate::rsa::RsaPublicKey;
use crate::{Fingerprint, KeyError, KeyType, b64, quoted};

/// A public key. Well-formed by construction; cheap to clone.
///
/// ```
/// use swarmauri_keys::PublicKey;
///
/// // RFC 8410 section 10.1
/// let key = PublicKey::from_pem(
///     "-----BEGIN PUBLIC KEY-----\n\
///      MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
///      -----END PUBLIC KEY-----\n",
/// )?;
/// assert!(matches!(key, PublicKey::Ed25519(_)));
/// assert_eq!(PublicKey::from_der(&key.to_spki_der())?, key);
/// # Ok::<(), swarmauri_keys::KeyError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PublicKey {
    /// The 32 bytes of RFC 8032 section 5.1.5.
    Ed25519([u8; 32]),
    /// The 32 bytes of RFC 7748 section 5.
    X25519([u8; 32]),
    /// A point on P-256. Apart, as the numbers of RSA are: half of it would be room that no other key needs.
    P256(Arc<P256Point>),
    /// Modulus and exponent.
    Rsa(RsaPublicKey),
}

/// A point on P-256, by its coordinates. That it lies on the curve is checked on import.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct P256Point {
    /// The x coordinate, big-endian.
    pub x: [u8; 32],
    /// The y coordinate, big-endian.
    pub y: [u8; 32],
}

impl PublicKey {
    /// The type of the key.
    pub fn key_type(&self) -> KeyType {
        match self {
            Self::Ed25519(_) => KeyType::Ed25519,
            Self::X25519(_) => KeyType::X25519,
            Self::P256(_) => KeyType::P256,
            Self::Rsa(_) => KeyType::Rsa,
        }
    }

    /// The length of an RSA modulus in bits; `None` for other keys.
    pub fn size_bits(&self) -> Option<u32> {
        match self {
            Self::Rsa(rsa) => Some(rsa.size_bits()),
            Self::Ed25519(_) | Self::X25519(_) | Self::P256(_) => None,
        }
    }

    /// The thumbprint with SHA-256 (RFC 7638 section 3; RFC 8037 section 2 for Ed25519 and X25519).
    pub fn thumbprint(&self) -> Fingerprint {
        match serde_json::to_string(&WrittenMembers::of_key(self)) {
            Ok(json) => Fingerprint::of_text(&json),
            Err(_) => unreachable!("texts in a struct can be written as JSON"),
        }
    }

    /// The SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) as DER: RFC 8410 section 4, RFC 5480 section 2
    /// with an uncompressed point, RFC 8017 appendix A.1.
    pub fn to_spki_der(&self) -> Vec<u8> {
        let algorithm = asn1::algorithm_identifier(self.key_type()).unwrap_or_default();
        tlv(SEQUENCE, &[&algorithm, &tlv(BIT_STRING, &[&[0], &self.subject_public_key()])]).to_vec()
    }

    /// The SubjectPublicKeyInfo as PEM, `PUBLIC KEY` (RFC 7468 section 13). Lines end in LF.
    pub fn to_spki_pem(&self) -> String {
        pem::encode(PUBLIC_KEY, &self.to_spki_der()).to_string()
    }

    /// Reads a SubjectPublicKeyInfo.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] if it is not strict DER of that form and nothing after it, or names an
    /// algorithm or curve that is not supported, or the key in it is not well-formed.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        let spki: SubjectPublicKeyInfoRef<'_> = Format::Spki.decode(der)?;
        let key_type = asn1::key_type(&spki.algorithm)?;
        let key = spki
            .subject_public_key
            .as_bytes()
            .ok_or_else(|| KeyError::invalid_input("the bits of a public key must be whole bytes"))?;
        Self::from_subject_public_key(key_type, key)
    }

    /// Reads a SubjectPublicKeyInfo from PEM, `PUBLIC KEY`.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] as for [`PublicKey::from_spki_der`], and for text around the block.
    pub fn from_spki_pem(pem: &str) -> Result<Self, KeyError> {
        let block = pem::only_block(pem)?;
        match block.label {
            PUBLIC_KEY => Self::from_spki_der(&block.der),
            other => Err(KeyError::invalid_input(format!(
                "wanted is a PEM block {PUBLIC_KEY:?}, not {}",
                quoted(other)
            ))),
        }
    }

    /// Reads an RSAPublicKey (RFC 8017 appendix A.1.1).
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] if it is not strict DER of that form and nothing after it, or for
    /// numbers that [`RsaPublicKey::new`] refuses.
    pub fn from_pkcs1_der(der: &[u8]) -> Result<Self, KeyError> {
        RsaPublicKey::from_pkcs1_der(der).map(Self::Rsa)
    }

    /// Reads DER of either form: SubjectPublicKeyInfo, or RSAPublicKey.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] as for [`PublicKey::from_spki_der`] and [`PublicKey::from_pkcs1_der`].
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        match Format::of(der)? {
            Format::Spki => Self::from_spki_der(der),
            Format::Pkcs1Public => Self::from_pkcs1_der(der),
            other => Err(other.refuse("a public key")),
        }
    }

    /// Reads PEM of either form: `PUBLIC KEY`, or `RSA PUBLIC KEY`.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] as for [`PublicKey::from_spki_pem`] and [`PublicKey::from_pkcs1_der`].
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let block = pem::only_block(pem)?;
        Self::from_block(&block).unwrap_or_else(|| {
            Err(KeyError::invalid_input(format!(
                "wanted is a PEM block {PUBLIC_KEY:?} or {RSA_PUBLIC_KEY:?}, not {}",
                quoted(block.label)
            )))
        })
    }

    /// The raw key where an RFC defines it: 32 bytes for Ed25519 and X25519, the 65 bytes of an uncompressed
    /// point (SEC 1 section 2.3.3) for P-256; `None` for RSA.
    pub fn to_raw(&self) -> Option<Vec<u8>> {
        match self {
            Self::Rsa(_) => None,
            Self::Ed25519(_) | Self::X25519(_) | Self::P256(_) => Some(self.subject_public_key()),
        }
    }

    /// Reads a raw key, as [`PublicKey::to_raw`] gives it.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] for a wrong length, a compressed point, or a type without raw form.
    pub fn from_raw(key_type: KeyType, raw: &[u8]) -> Result<Self, KeyError> {
        match key_type {
            KeyType::Rsa => Err(KeyError::invalid_input(
                "an RSA key has no raw form; give SubjectPublicKeyInfo, PKCS#1 or a JWK",
            )),
            KeyType::Octets => Err(KeyError::invalid_input("a symmetric key has no public half")),
            KeyType::Ed25519 | KeyType::X25519 | KeyType::P256 => {
                Self::from_subject_public_key(key_type, raw)
            }
        }
    }

    /// The content of the subjectPublicKey BIT STRING.
    pub(crate) fn subject_public_key(&self) -> Vec<u8> {
        match self {
            Self::Ed25519(raw) | Self::X25519(raw) => raw.to_vec(),
            Self::P256(point) => [&[UNCOMPRESSED], &point.x[..], &point.y[..]].concat(),
            Self::Rsa(rsa) => rsa.to_pkcs1_der(),
        }
    }

    pub(crate) fn from_subject_public_key(key_type: KeyType, key: &[u8]) -> Result<Self, KeyError> {
        match key_type {
            KeyType::Octets => Err(KeyError::invalid_input("a symmetric key has no public half")),
            KeyType::Ed25519 => Ok(Self::Ed25519(exactly_32(key_type, key)?)),
            KeyType::X25519 => Ok(Self::X25519(exactly_32(key_type, key)?)),
            KeyType::P256 => P256Point::from_sec1(key).map(Self::from),
            KeyType::Rsa => Self::from_pkcs1_der(key),
        }
    }

    /// The key in this block; `None` if its label is not that of a public key.
    pub(crate) fn from_block(block: &Block<'_>) -> Option<Result<Self, KeyError>> {
        match block.label {
            PUBLIC_KEY => Some(Self::from_spki_der(&block.der)),
            RSA_PUBLIC_KEY => Some(Self::from_pkcs1_der(&block.der)),
            _ => None,
        }
    }
}

impl From<P256Point> for PublicKey {
    fn from(point: P256Point) -> Self {
        Self::P256(Arc::new(point))
    }
}

const PUBLIC_KEY: &str = "PUBLIC KEY";
const RSA_PUBLIC_KEY: &str = "RSA PUBLIC KEY";
const UNCOMPRESSED: u8 = 0x04;

impl P256Point {
    /// From the octets of SEC 1 section 2.3.3, uncompressed.
    fn from_sec1(octets: &[u8]) -> Result<Self, KeyError> {
        match octets {
            [UNCOMPRESSED, coordinates @ ..] if coordinates.len() == 64 => {
                let (x, y) = coordinates.split_at(32);
                Ok(Self { x: exactly_32(KeyType::P256, x)?, y: exactly_32(KeyType::P256, y)? })
            }
            [0x02 | 0x03, ..] => Err(KeyError::invalid_input(
                "compressed points are not supported; give the uncompressed one of 65 bytes",
            )),
            _ => Err(KeyError::invalid_input(format!(
                "a P-256 public key is 65 bytes, the first of them 04, these are {}",
                octets.len()
            ))),
        }
    }
}

fn exactly_32(key_type: KeyType, bytes: &[u8]) -> Result<[u8; 32], KeyError> {
    bytes.try_into().map_err(|_| {
        KeyError::invalid_input(format!("a {key_type} public key is 32 bytes, these are {}", bytes.len()))
    })
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ed25519(x) => f.debug_tuple("Ed25519").field(&b64::encode(x)).finish(),
            Self::X25519(x) => f.debug_tuple("X25519").field(&b64::encode(x)).finish(),
            Self::P256(point) => f.debug_tuple("P256").field(&**point).finish(),
            Self::Rsa(rsa) => f.debug_tuple("Rsa").field(rsa).finish(),
        }
    }
}

impl fmt::Debug for P256Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("P256Point")
            .field("x", &b64::encode(&self.x))
            .field("y", &b64::encode(&self.y))
            .finish()
    }
}
