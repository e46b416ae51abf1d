//! DER around keys: what an encoding is, which algorithm it names, and writing, which cannot fail.

use const_oid::ObjectIdentifier;
use der::asn1::AnyRef;
use der::{Decode, ErrorKind, Reader, SliceReader, Tag, Tagged};
use spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

use crate::{KeyError, KeyType};

/// The encodings that keys come in, told apart by the first elements of the outer SEQUENCE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Pkcs8,
    EncryptedPkcs8,
    Sec1,
    Pkcs1Private,
    Spki,
    Pkcs1Public,
    Certificate,
}

impl Format {
    pub(crate) fn of(der: &[u8]) -> Result<Self, KeyError> {
        let tags = leading_tags(der).map_err(|error| malformed("key", &error))?;
        match tags.as_slice() {
            [Tag::Integer, Tag::Sequence, ..] => Ok(Self::Pkcs8),
            [Tag::Integer, Tag::OctetString, ..] => Ok(Self::Sec1),
            [Tag::Integer, Tag::Integer] => Ok(Self::Pkcs1Public),
            [Tag::Integer, Tag::Integer, ..] => Ok(Self::Pkcs1Private),
            [Tag::Sequence, Tag::BitString] => Ok(Self::Spki),
            [Tag::Sequence, Tag::OctetString] => Ok(Self::EncryptedPkcs8),
            [Tag::Sequence, Tag::Sequence, ..] => Ok(Self::Certificate),
            _ => Err(KeyError::invalid_input(
                "this DER is no key; wanted is PKCS#8, SEC1, PKCS#1 or SubjectPublicKeyInfo",
            )),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Pkcs8 => "PKCS#8 private key",
            Self::EncryptedPkcs8 => "encrypted PKCS#8 private key",
            Self::Sec1 => "SEC1 EC private key",
            Self::Pkcs1Private => "PKCS#1 RSA private key",
            Self::Spki => "SubjectPublicKeyInfo",
            Self::Pkcs1Public => "PKCS#1 RSA public key",
            Self::Certificate => "certificate or request",
        }
    }

    /// Decodes `der` as this format, strictly. Where it is another, the error names both.
    pub(crate) fn decode<'a, T: Decode<'a, Error = der::Error>>(self, der: &'a [u8]) -> Result<T, KeyError> {
        T::from_der(der).map_err(|error| match Self::of(der) {
            Ok(Self::EncryptedPkcs8) => encrypted(),
            Ok(other) if other != self => {
                KeyError::invalid_input(format!("wanted is a {}, this is a {}", self.name(), other.name()))
            }
            _ => malformed(self.name(), &error),
        })
    }

    /// The error for a caller who wants another kind of key.
    pub(crate) fn refuse(self, wanted: &str) -> KeyError {
        if self == Self::EncryptedPkcs8 {
            return encrypted();
        }
        KeyError::invalid_input(format!("wanted is {wanted}, this is a {}", self.name()))
    }
}

/// The error for keys under a password.
pub(crate) fn encrypted() -> KeyError {
    KeyError::invalid_input(
        "this PKCS#8 private key is encrypted; decrypt it first, for instance with `openssl pkey`",
    )
}

/// What is wrong with a DER encoding, and where, without a byte of it.
pub(crate) fn malformed(what: &str, error: &der::Error) -> KeyError {
    let why = match error.kind() {
        ErrorKind::TrailingData { remaining, .. } => format!("{remaining} bytes follow its end"),
        ErrorKind::Incomplete { .. } => "it is cut off".to_owned(),
        _ => match error.position() {
            Some(position) => format!("it is not DER of that form at byte {position}"),
            None => "it is not DER of that form".to_owned(),
        },
    };
    KeyError::invalid_input(format!("malformed {what}: {why}"))
}

pub(crate) const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const X25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.110");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// The type of key an AlgorithmIdentifier names: RFC 8410 section 3, RFC 5480 section 2.1.1, RFC 8017
/// appendix A.1.
pub(crate) fn key_type(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<KeyType, KeyError> {
    let (key_type, wanted, fits) = match (algorithm.oid, algorithm.parameters) {
        (ED25519, parameters) => (KeyType::Ed25519, "no parameters", parameters.is_none()),
        (X25519, parameters) => (KeyType::X25519, "no parameters", parameters.is_none()),
        (RSA, parameters) => (KeyType::Rsa, "NULL parameters", parameters.is_some_and(AnyRef::is_null)),
        (EC, Some(parameters)) => {
            check_curve(parameters)?;
            (KeyType::P256, "", true)
        }
        (EC, None) => (KeyType::P256, "the curve among its parameters", false),
        (oid, _) => {
            return Err(KeyError::invalid_input(format!(
                "unsupported key algorithm {}; supported are RSA (rsaEncryption), EC on P-256, Ed25519 and X25519",
                name(&oid)
            )));
        }
    };
    if fits {
        return Ok(key_type);
    }
    Err(KeyError::invalid_input(format!("the AlgorithmIdentifier of a {key_type} key must have {wanted}")))
}

/// Checks that ECParameters (RFC 5480 section 2.1.1) name P-256.
pub(crate) fn check_curve(parameters: AnyRef<'_>) -> Result<(), KeyError> {
    match parameters.decode_as::<ObjectIdentifier>() {
        Ok(P256) => Ok(()),
        Ok(other) => Err(unsupported_curve(&other)),
        Err(_) => Err(KeyError::invalid_input(
            "EC parameters must name a curve by its object identifier; explicit ones are not supported",
        )),
    }
}

pub(crate) fn unsupported_curve(oid: &ObjectIdentifier) -> KeyError {
    KeyError::invalid_input(format!("unsupported curve {}; supported is P-256", name(oid)))
}

/// One element, as DER: its tag, its length, and the parts of its content one after the other.
pub(crate) fn tlv(tag: u8, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    // All of it at once: a vector that grows leaves copies behind, which nobody wipes.
    let mut out = Zeroizing::new(Vec::with_capacity(len + 2 + size_of::<usize>()));
    out.push(tag);
    if let Ok(short @ 0..0x80) = u8::try_from(len) {
        out.push(short);
    } else {
        let digits = len.to_be_bytes();
        let digits = strip_zeros(&digits);
        out.push(0x80 | digits.len().to_le_bytes()[0]);
        out.extend_from_slice(digits);
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const SEQUENCE: u8 = 0x30;
const NULL: &[u8] = &[0x05, 0x00];
const OBJECT_IDENTIFIER: u8 = 0x06;

/// An INTEGER of this magnitude, big-endian; leading zeros allowed.
pub(crate) fn unsigned(magnitude: &[u8]) -> Zeroizing<Vec<u8>> {
    let digits = strip_zeros(magnitude);
    match digits.first() {
        Some(0..0x80) => tlv(INTEGER, &[digits]),
        _ => tlv(INTEGER, &[&[0], digits]),
    }
}

/// Big-endian digits without leading zeros.
pub(crate) fn strip_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == 0).count();
    digits.get(zeros..).unwrap_or_default()
}

/// The AlgorithmIdentifier of this type of key; `None` for symmetric keys, which have none.
pub(crate) fn algorithm_identifier(key_type: KeyType) -> Option<Zeroizing<Vec<u8>>> {
    let oid = |oid: ObjectIdentifier| tlv(OBJECT_IDENTIFIER, &[oid.as_bytes()]);
    match key_type {
        KeyType::Octets => None,
        KeyType::Ed25519 => Some(tlv(SEQUENCE, &[&oid(ED25519)])),
        KeyType::X25519 => Some(tlv(SEQUENCE, &[&oid(X25519)])),
        KeyType::P256 => Some(tlv(SEQUENCE, &[&oid(EC), &oid(P256)])),
        KeyType::Rsa => Some(tlv(SEQUENCE, &[&oid(RSA), NULL])),
    }
}

/// The tags of up to three elements in the outer SEQUENCE, which must be all there is.
fn leading_tags(der: &[u8]) -> der::Result<Vec<Tag>> {
    let outer = AnyRef::from_der(der)?;
    outer.tag().assert_eq(Tag::Sequence)?;
    let mut reader = SliceReader::new(outer.value())?;
    let mut tags = Vec::new();
    while !reader.is_finished() && tags.len() < 3 {
        tags.push(reader.decode::<AnyRef<'_>>()?.tag());
    }
    Ok(tags)
}

/// A name that people know, or the dotted form.
fn name(oid: &ObjectIdentifier) -> String {
    let dotted = oid.to_string();
    let known = NAMES.iter().find(|(known, _)| *known == dotted);
    known.map_or(dotted, |(dotted, name)| format!("{name} ({dotted})"))
}

const NAMES: &[(&str, &str)] = &[
    ("1.2.840.10040.4.1", "DSA"),
    ("1.2.840.113549.1.1.7", "RSAES-OAEP"),
    ("1.2.840.113549.1.1.10", "RSASSA-PSS"),
    ("1.2.840.113549.1.3.1", "Diffie-Hellman"),
    ("1.3.101.111", "X448"),
    ("1.3.101.113", "Ed448"),
    ("1.3.132.0.10", "secp256k1"),
    ("1.3.132.0.33", "P-224"),
    ("1.3.132.0.34", "P-384"),
    ("1.3.132.0.35", "P-521"),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_the_shortest() {
        for (len, header) in [
            (0, vec![4, 0]),
            (127, vec![4, 127]),
            (128, vec![4, 0x81, 128]),
            (255, vec![4, 0x81, 255]),
            (256, vec![4, 0x82, 1, 0]),
            (65536, vec![4, 0x83, 1, 0, 0]),
        ] {
            let content = vec![7; len];
            let out = tlv(OCTET_STRING, &[&content]);
            assert_eq!(out.as_slice(), [header, content].concat(), "{len}");
        }
    }

    #[test]
    fn integers_are_the_shortest() {
        let cases: [(&[u8], &[u8]); 6] = [
            (&[], &[2, 1, 0]),
            (&[0, 0], &[2, 1, 0]),
            (&[127], &[2, 1, 127]),
            (&[128], &[2, 2, 0, 128]),
            (&[0, 0, 1, 0], &[2, 2, 1, 0]),
            (&[0, 255, 255], &[2, 3, 0, 255, 255]),
        ];
        for (magnitude, der) in cases {
            assert_eq!(unsigned(magnitude).as_slice(), der, "{magnitude:?}");
        }
    }
}
