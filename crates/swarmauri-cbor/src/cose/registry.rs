//! The registered labels and values: RFC 9052 section 7.1, RFC 9053 sections 2, 6 and 7, RFC 8230 sections 2
//! to 4, RFC 8812 section 2, RFC 9864 section 2.2.

use std::collections::BTreeSet;

use swarmauri_keys::KeyType;

use super::Error;

pub(super) const KTY: i64 = 1;
pub(super) const KID: i64 = 2;
pub(super) const ALG: i64 = 3;
pub(super) const KEY_OPS: i64 = 4;

pub(super) const OKP: i64 = 1;
pub(super) const EC2: i64 = 2;
pub(super) const RSA: i64 = 3;
pub(super) const SYMMETRIC: i64 = 4;

/// Of OKP and EC2 keys.
pub(super) const CRV: i64 = -1;
pub(super) const X: i64 = -2;
pub(super) const Y: i64 = -3;

pub(super) const P_256: i64 = 1;
pub(super) const X25519: i64 = 4;
pub(super) const ED25519: i64 = 6;

/// Of RSA keys.
pub(super) const N: i64 = -1;
pub(super) const E: i64 = -2;

/// The private members of a key type; none for types that are not known here.
pub(super) fn private_labels(kty: i64) -> &'static [(i64, &'static str)] {
    match kty {
        OKP | EC2 => &[(-4, "d")],
        RSA => &[
            (-3, "d"),
            (-4, "p"),
            (-5, "q"),
            (-6, "dP"),
            (-7, "dQ"),
            (-8, "qInv"),
            (-9, "other"),
            (-10, "r_i"),
            (-11, "d_i"),
            (-12, "t_i"),
        ],
        _ => &[],
    }
}

/// The name in JOSE, the number in COSE, and the types of key the algorithm is for.
pub(super) struct Algorithm {
    pub(super) name: &'static str,
    pub(super) number: i64,
    pub(super) keys: &'static [KeyType],
}

const AGREEMENT: &[KeyType] = &[KeyType::X25519, KeyType::P256];

pub(super) const ALGORITHMS: &[Algorithm] = &[
    Algorithm { name: "EdDSA", number: -8, keys: &[KeyType::Ed25519] },
    Algorithm { name: "Ed25519", number: -19, keys: &[KeyType::Ed25519] },
    Algorithm { name: "ES256", number: -7, keys: &[KeyType::P256] },
    Algorithm { name: "ECDH-ES", number: -25, keys: AGREEMENT },
    Algorithm { name: "ECDH-ES+A128KW", number: -29, keys: AGREEMENT },
    Algorithm { name: "ECDH-ES+A192KW", number: -30, keys: AGREEMENT },
    Algorithm { name: "ECDH-ES+A256KW", number: -31, keys: AGREEMENT },
    Algorithm { name: "PS256", number: -37, keys: &[KeyType::Rsa] },
    Algorithm { name: "PS384", number: -38, keys: &[KeyType::Rsa] },
    Algorithm { name: "PS512", number: -39, keys: &[KeyType::Rsa] },
    Algorithm { name: "RSA-OAEP", number: -40, keys: &[KeyType::Rsa] },
    Algorithm { name: "RSA-OAEP-256", number: -41, keys: &[KeyType::Rsa] },
    Algorithm { name: "RSA-OAEP-512", number: -42, keys: &[KeyType::Rsa] },
    Algorithm { name: "RS256", number: -257, keys: &[KeyType::Rsa] },
    Algorithm { name: "RS384", number: -258, keys: &[KeyType::Rsa] },
    Algorithm { name: "RS512", number: -259, keys: &[KeyType::Rsa] },
];

/// Operations that a JWK knows too (RFC 7517 section 4.3); "MAC create" 9 and "MAC verify" 10 are for
/// symmetric keys.
pub(super) const OPERATIONS: &[(&str, i64)] = &[
    ("sign", 1),
    ("verify", 2),
    ("encrypt", 3),
    ("decrypt", 4),
    ("wrapKey", 5),
    ("unwrapKey", 6),
    ("deriveKey", 7),
    ("deriveBits", 8),
];

/// At least one (RFC 9052 section 7), and none twice (RFC 7517 section 4.3).
pub(super) fn check_operations(names: &[String]) -> Result<(), Error> {
    if names.is_empty() {
        return Err(Error::member("key_ops", "must not be empty"));
    }
    if names.iter().collect::<BTreeSet<_>>().len() < names.len() {
        return Err(Error::member("key_ops", "must not repeat an operation"));
    }
    Ok(())
}
