//! Private keys, well-formed, and their encodings.

use std::fmt;
use std::sync::Arc;

use der::Decode;
use der::asn1::{AnyRef, OctetStringRef};
use pkcs8::PrivateKeyInfoRef;
use sec1::{EcParameters, EcPrivateKey};

use crate::asn1::{self, BIT_STRING, Format, INTEGER, OCTET_STRING, SEQUENCE, tlv};
use crate::pem::{self, Block};
use crate::rsa::PrivateNumbers;
use crate::{KeyError, KeyType, PublicKey, SecretBytes, quoted};

/// A private key, and its public half where that came along. Cheap to clone; `Debug` is redacted.
///
/// It is well-formed. That the halves belong together, and that the numbers make a key, is proved by whoever
/// imports it; until then [`PrivateKey::public_key`] is only a claim.
#[derive(Clone)]
pub struct PrivateKey {
    key_type: KeyType,
    secret: SecretBytes,
    public: Option<Arc<PublicKey>>,
}

impl PrivateKey {
    /// The type of the key; never [`KeyType::Octets`].
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The public half that came along: always for RSA, and where PKCS#8 version 2, SEC1 or a JWK has it.
    pub fn public_key(&self) -> Option<&PublicKey> {
        self.public.as_deref()
    }

    /// The same key with this public half instead of the claimed one.
    ///
    /// For whoever derived it: that the two belong together is not checked here.
    #[must_use]
    pub fn with_public_key(self, public: PublicKey) -> Self {
        Self { public: Some(Arc::new(public)), ..self }
    }

    /// The same key without its public half, for whoever keeps that beside it.
    #[must_use]
    pub fn without_public_key(self) -> Self {
        Self { public: None, ..self }
    }

    /// The canonical secret form: the 32-byte seed of Ed25519 (RFC 8032 section 5.1.5), the 32-byte scalar of
    /// X25519 (RFC 7748 section 5) or P-256, the RSAPrivateKey of RFC 8017 appendix A.1.2 as DER.
    pub fn expose_secret(&self) -> &[u8] {
        self.secret.expose_secret()
    }

    /// The raw key: 32 bytes for Ed25519, X25519 and P-256; `None` for RSA, which has no such form.
    pub fn to_raw(&self) -> Option<SecretBytes> {
        (self.key_type != KeyType::Rsa).then(|| self.secret.clone())
    }

    /// Reads a raw key, as [`PrivateKey::to_raw`] gives it.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] for a wrong length, or a type without raw form.
    pub fn from_raw(key_type: KeyType, raw: &[u8]) -> Result<Self, KeyError> {
        match key_type {
            KeyType::Rsa => {
                Err(KeyError::invalid_input("an RSA key has no raw form; give PKCS#8, PKCS#1 or a JWK"))
            }
            KeyType::Octets => Err(KeyError::invalid_input("a symmetric key is not a private key")),
            KeyType::Ed25519 | KeyType::X25519 | KeyType::P256 if raw.len() != 32 => {
                Err(KeyError::invalid_input(format!(
                    "a {key_type} private key is 32 bytes, these are {}",
                    raw.len()
                )))
            }
            KeyType::Ed25519 | KeyType::X25519 | KeyType::P256 => {
                Ok(Self { key_type, secret: raw.into(), public: None })
            }
        }
    }

    /// PKCS#8 version 1 (RFC 5958 section 2) as DER, which everyone reads. A P-256 key bears its public half
    /// inside (RFC 5915 section 3) where that is known; an Ed25519 or X25519 key is as in RFC 8410 section 7.
    pub fn to_pkcs8_der(&self) -> SecretBytes {
        let algorithm = asn1::algorithm_identifier(self.key_type).unwrap_or_default();
        let secret = self.expose_secret();
        let inner = match self.key_type {
            KeyType::P256 => {
                let public = self.public.as_ref().map_or_else(Vec::new, |public| {
                    let bits = tlv(BIT_STRING, &[&[0], &public.subject_public_key()]);
                    tlv(EC_PUBLIC_KEY, &[&bits]).to_vec()
                });
                tlv(SEQUENCE, &[&[INTEGER, 1, 1], &tlv(OCTET_STRING, &[secret]), &public])
            }
            KeyType::Rsa => secret.to_vec().into(),
            KeyType::Ed25519 | KeyType::X25519 | KeyType::Octets => tlv(OCTET_STRING, &[secret]),
        };
        tlv(SEQUENCE, &[&[INTEGER, 1, 0], &algorithm, &tlv(OCTET_STRING, &[&inner])]).into()
    }

    /// PKCS#8 version 1 as PEM, `PRIVATE KEY` (RFC 7468 section 10): the bytes of its text. Lines end in LF.
    pub fn to_pkcs8_pem(&self) -> SecretBytes {
        let mut pem = pem::encode(PRIVATE_KEY, self.to_pkcs8_der().expose_secret());
        std::mem::take(&mut *pem).into_bytes().into()
    }

    /// Reads PKCS#8, version 1 or 2 (RFC 5958 section 2; RFC 8410 section 7).
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] if it is encrypted, or not strict DER of that form and nothing after it, or
    /// names an algorithm or curve that is not supported, or the key in it is not well-formed.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        let info: PrivateKeyInfoRef<'_> = Format::Pkcs8.decode(der)?;
        let key_type = asn1::key_type(&info.algorithm)?;
        let inner = info.private_key.as_bytes();
        let key = match key_type {
            KeyType::P256 => Self::from_ec_private_key(inner, true)?,
            KeyType::Rsa => Self::from_pkcs1_der(inner)?,
            KeyType::Ed25519 | KeyType::X25519 | KeyType::Octets => {
                let raw = <&OctetStringRef>::from_der(inner)
                    .map_err(|error| asn1::malformed("CurvePrivateKey (RFC 8410 section 7)", &error))?;
                Self::from_raw(key_type, raw.as_bytes())?
            }
        };
        match info.public_key {
            None => Ok(key),
            Some(bits) => {
                let public = bits
                    .as_bytes()
                    .ok_or_else(|| KeyError::invalid_input("the bits of a public key must be whole bytes"))?;
                key.claiming(PublicKey::from_subject_public_key(key_type, public)?)
            }
        }
    }

    /// Reads PKCS#8 from PEM, `PRIVATE KEY`.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] as for [`PrivateKey::from_pkcs8_der`], and for text around the block.
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, KeyError> {
        let block = pem::only_block(pem)?;
        match block.label {
            PRIVATE_KEY => Self::from_pkcs8_der(&block.der),
            ENCRYPTED_PRIVATE_KEY => Err(asn1::encrypted()),
            other => Err(KeyError::invalid_input(format!(
                "wanted is a PEM block {PRIVATE_KEY:?}, not {}",
                quoted(other)
            ))),
        }
    }

    /// Reads an ECPrivateKey (RFC 5915 section 3), which must name its curve.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] if it is not strict DER of that form and nothing after it, or for a curve
    /// other than P-256.
    pub fn from_sec1_der(der: &[u8]) -> Result<Self, KeyError> {
        Self::from_ec_private_key(der, false)
    }

    /// Reads an RSAPrivateKey (RFC 8017 appendix A.1.2) of two primes.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] if it is not strict DER of that form and nothing after it, has more than two
    /// primes, or a modulus or exponent that [`RsaPublicKey::new`](crate::RsaPublicKey::new) refuses.
    pub fn from_pkcs1_der(der: &[u8]) -> Result<Self, KeyError> {
        let (_, public) = PrivateNumbers::from_pkcs1_der(der)?;
        Ok(Self {
            key_type: KeyType::Rsa,
            secret: der.into(),
            public: Some(Arc::new(PublicKey::Rsa(public))),
        })
    }

    /// Reads DER of any of these forms: PKCS#8, SEC1, PKCS#1.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] as for the three of them.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        match Format::of(der)? {
            Format::Pkcs8 => Self::from_pkcs8_der(der),
            Format::Sec1 => Self::from_sec1_der(der),
            Format::Pkcs1Private => Self::from_pkcs1_der(der),
            other => Err(other.refuse("a private key")),
        }
    }

    /// Reads PEM by its label: `PRIVATE KEY`, `RSA PRIVATE KEY`, or `EC PRIVATE KEY`, which may have the
    /// `EC PARAMETERS` before it that OpenSSL writes.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] if it is encrypted, has another label or text around it, and as for
    /// [`PrivateKey::from_der`].
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        Self::from_blocks(&pem::blocks(pem)?)
    }

    pub(crate) fn from_blocks(blocks: &[Block<'_>]) -> Result<Self, KeyError> {
        match blocks {
            [parameters, key] if parameters.label == EC_PARAMETERS && key.label == EC_PRIVATE_KEY => {
                let parameters = AnyRef::from_der(&parameters.der)
                    .map_err(|error| asn1::malformed("EC PARAMETERS", &error))?;
                asn1::check_curve(parameters)?;
                Self::from_ec_private_key(&key.der, true)
            }
            [key] => match key.label {
                PRIVATE_KEY => Self::from_pkcs8_der(&key.der),
                EC_PRIVATE_KEY => Self::from_sec1_der(&key.der),
                RSA_PRIVATE_KEY => Self::from_pkcs1_der(&key.der),
                ENCRYPTED_PRIVATE_KEY => Err(asn1::encrypted()),
                other => Err(KeyError::invalid_input(format!(
                    "a PEM block {} is no private key; wanted is {PRIVATE_KEY:?}, {EC_PRIVATE_KEY:?} \
                     or {RSA_PRIVATE_KEY:?}",
                    quoted(other)
                ))),
            },
            _ => Err(KeyError::invalid_input(format!(
                "wanted is one key as PEM, this text has {} blocks",
                blocks.len()
            ))),
        }
    }

    /// From numbers that were read one by one, as from a JWK.
    pub(crate) fn from_rsa_numbers(
        numbers: &PrivateNumbers<'_>,
        public: crate::RsaPublicKey,
    ) -> Result<Self, KeyError> {
        let secret = numbers.to_pkcs1_der(&public)?.into();
        Ok(Self { key_type: KeyType::Rsa, secret, public: Some(Arc::new(PublicKey::Rsa(public))) })
    }

    /// Adds the claim that this is the public half. A second claim must equal the first.
    pub(crate) fn claiming(self, claim: PublicKey) -> Result<Self, KeyError> {
        match &self.public {
            Some(other) if **other != claim => Err(KeyError::invalid_input(
                "the private key comes with two public halves that are not equal",
            )),
            _ => Ok(self.with_public_key(claim)),
        }
    }

    fn from_ec_private_key(der: &[u8], curve_is_known: bool) -> Result<Self, KeyError> {
        let key: EcPrivateKey<'_> = Format::Sec1.decode(der)?;
        match key.parameters {
            Some(EcParameters::NamedCurve(asn1::P256)) => {}
            Some(EcParameters::NamedCurve(other)) => return Err(asn1::unsupported_curve(&other)),
            None if curve_is_known => {}
            None => {
                return Err(KeyError::invalid_input("a SEC1 EC private key must name its curve (RFC 5915)"));
            }
        }
        let private = Self::from_raw(KeyType::P256, key.private_key)?;
        match key.public_key {
            Some(public) => private.claiming(PublicKey::from_subject_public_key(KeyType::P256, public)?),
            None => Ok(private),
        }
    }
}

const EC_PARAMETERS: &str = "EC PARAMETERS";
const PRIVATE_KEY: &str = "PRIVATE KEY";
const EC_PRIVATE_KEY: &str = "EC PRIVATE KEY";
const RSA_PRIVATE_KEY: &str = "RSA PRIVATE KEY";
const ENCRYPTED_PRIVATE_KEY: &str = "ENCRYPTED PRIVATE KEY";
/// `[1] EXPLICIT`, the publicKey of an ECPrivateKey.
const EC_PUBLIC_KEY: u8 = 0xa1;

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("key_type", &self.key_type)
            .field("public", &self.public)
            .field("secret", &"[redacted]")
            .finish()
    }
}
