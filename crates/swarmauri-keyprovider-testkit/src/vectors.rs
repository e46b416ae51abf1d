//! Keys and answers from RFCs: the suite must not depend on what makes keys.

mod work;

use swarmauri_keys::{Fingerprint, KeyAlg, KeyMaterial, KeyType, P256Point, PrivateKey, PublicKey};

pub(crate) use work::{
    agreement, ciphertexts, macs, rfc_8032_test_1, rfc_8032_test_1_unreduced, signatures, small_order,
};

/// A private key, with everything that is known about it.
pub(crate) struct Pair {
    pub(crate) key_type: KeyType,
    private_jwk: &'static str,
    thumbprint: &'static str,
}

/// RFC 8037 appendix A.1, with the thumbprint of A.3.
const ED25519: Pair = Pair {
    key_type: KeyType::Ed25519,
    private_jwk: r#"{"kty":"OKP","crv":"Ed25519",
        "d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
    thumbprint: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
};

/// RFC 7748 section 6.1, Bob's key.
const X25519: Pair = Pair {
    key_type: KeyType::X25519,
    private_jwk: r#"{"kty":"OKP","crv":"X25519",
        "d":"XasIfmJKikt54X-Lg4AO5m87sSkmGLb9HC-LJ_-I4Os",
        "x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"}"#,
    thumbprint: "giQqigT_IKcuzHl0FVJ3k5ts3_TWNAxvsC08UZsfcM8",
};

/// RFC 7517 appendix A.2, the EC key.
const P256: Pair = Pair {
    key_type: KeyType::P256,
    private_jwk: r#"{"kty":"EC","crv":"P-256",
        "x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        "d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}"#,
    thumbprint: "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s",
};

/// RFC 7517 appendix A.2, the RSA key; 2048 bits. Thumbprint as in RFC 7638 section 3.1.
const RSA: Pair = Pair {
    key_type: KeyType::Rsa,
    private_jwk: r#"{"kty":"RSA",
        "n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        "e":"AQAB",
        "d":"X4cTteJY_gn4FYPsXB8rdXix5vwsg1FLN5E3EaG6RJoVH-HLLKD9M7dx5oo7GURknchnrRweUkC7hT5fJLM0WbFAKNLWY2vv7B6NqXSzUvxT0_YSfqijwp3RTzlBaCxWp4doFk5N2o8Gy_nHNKroADIkJ46pRUohsXywbReAdYaMwFs9tv8d_cPVY3i07a3t8MN6TNwm0dSawm9v47UiCl3Sk5ZiG7xojPLu4sbg1U2jx4IBTNBznbJSzFHK66jT8bgkuqsk0GjskDJk19Z4qwjwbsnn4j2WBii3RL-Us2lGVkY8fkFzme1z0HbIkfz0Y6mqnOYtqc0X4jfcKoAC8Q",
        "p":"83i-7IvMGXoMXCskv73TKr8637FiO7Z27zv8oj6pbWUQyLPQBQxtPVnwD20R-60eTDmD2ujnMt5PoqMrm8RfmNhVWDtjjMmCMjOpSXicFHj7XOuVIYQyqVWlWEh6dN36GVZYk93N8Bc9vY41xy8B9RzzOGVQzXvNEvn7O0nVbfs",
        "q":"3dfOR9cuYq-0S-mkFLzgItgMEfFzB2q3hWehMuG0oCuqnb3vobLyumqjVZQO1dIrdwgTnCdpYzBcOfW5r370AFXjiWft_NGEiovonizhKpo9VVS78TzFgxkIdrecRezsZ-1kYd_s1qDbxtkDEgfAITAG9LUnADun4vIcb6yelxk",
        "dp":"G4sPXkc6Ya9y8oJW9_ILj4xuppu0lzi_H7VTkS8xj5SdX3coE0oimYwxIi2emTAue0UOa5dpgFGyBJ4c8tQ2VF402XRugKDTP8akYhFo5tAA77Qe_NmtuYZc3C3m3I24G2GvR5sSDxUyAN2zq8Lfn9EUms6rY3Ob8YeiKkTiBj0",
        "dq":"s9lAH9fggBsoFR8Oac2R_E2gw282rT2kGOAhvIllETE1efrA6huUUvMfBcMpn8lqeW6vzznYY5SSQF7pMdC_agI3nG8Ibp1BUb0JUiraRNqUfLhcQb_d9GF4Dh7e74WbRsobRonujTYN1xCaP6TO61jvWrX-L18txXw494Q_cgk",
        "qi":"GyM_p6JrXySiz1toFgKbWV-JdI3jQ4ypu9rbMWx3rQJBfmt0FoYzgUIZEVFEcOqwemRN81zoDAaa-Bk0KWNGDjJHZDdDmFhW3AN7lI-puxk_mHZGJ11rxyR8O55XLSe3SPmRfKwZI6yU24ZxvQKFYItdldUKGzO6Ia6zTKhAVRU"}"#,
    thumbprint: "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
};

/// The length of the RSA key, in bits.
pub(crate) const RSA_BITS: u32 = 2048;

impl Pair {
    /// The key, as one of this algorithm.
    pub(crate) fn private(&self, alg: KeyAlg) -> PrivateKey {
        match KeyMaterial::from_jwk(alg, self.private_jwk.as_bytes()) {
            Ok(KeyMaterial::Private(key)) => key,
            other => panic!("the vector for {alg} is a private key, not {other:?}"),
        }
    }

    /// The public half.
    pub(crate) fn public(&self, alg: KeyAlg) -> PublicKey {
        self.private(alg).public_key().expect("the vectors have public halves").clone()
    }

    /// The RFC 7638 thumbprint.
    pub(crate) fn thumbprint(&self) -> Fingerprint {
        self.thumbprint.parse().expect("the vectors have thumbprints")
    }

    /// A public key of the same type that does not belong to this one.
    pub(crate) fn foreign_public(&self) -> PublicKey {
        foreign_public(self.key_type)
    }
}

/// The pair of an algorithm; `None` for symmetric ones.
pub(crate) fn pair(alg: KeyAlg) -> Option<Pair> {
    match alg.key_type() {
        KeyType::Octets => None,
        KeyType::Ed25519 => Some(ED25519),
        KeyType::X25519 => Some(X25519),
        KeyType::P256 => Some(P256),
        KeyType::Rsa => Some(RSA),
    }
}

/// Bytes fit for a symmetric key of 256 bits, with no pattern that could be found by chance.
pub(crate) const SYMMETRIC: [u8; 32] =
    *b"\x8a\x1f\xd3\x07\x5c\xe9\x42\xb6\x91\x2d\xf8\x6b\x04\xc7\x3e\xa5\x59\xe2\x7d\x10\xbb\x68\xf4\x33\xce\x85\x16\xda\x4f\xa0\x97\x2c";

/// Material for a secret or private key of this algorithm.
pub(crate) fn secret_material(alg: KeyAlg) -> KeyMaterial {
    match pair(alg) {
        Some(pair) => KeyMaterial::Private(pair.private(alg)),
        None => KeyMaterial::Symmetric(SYMMETRIC[..].into()),
    }
}

fn foreign_public(key_type: KeyType) -> PublicKey {
    match key_type {
        KeyType::Octets => panic!("symmetric keys have no public half"),
        // RFC 8032 section 7.1, test 2
        KeyType::Ed25519 => {
            PublicKey::Ed25519(hex32("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"))
        }
        // RFC 7748 section 6.1, Alice's key
        KeyType::X25519 => {
            PublicKey::X25519(hex32("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"))
        }
        // RFC 6979 appendix A.2.5
        KeyType::P256 => PublicKey::from(P256Point {
            x: hex32("60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"),
            y: hex32("7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"),
        }),
        KeyType::Rsa => other_modulus(),
    }
}

/// The RSA key's public half with another modulus of the same length.
fn other_modulus() -> PublicKey {
    let PublicKey::Rsa(rsa) = RSA.public(KeyAlg::RsaPssSha256) else {
        panic!("the RSA vector is an RSA key")
    };
    let mut n = rsa.n().to_vec();
    *n.last_mut().expect("a modulus is not empty") ^= 2;
    PublicKey::Rsa(swarmauri_keys::RsaPublicKey::new(&n, rsa.e()).expect("odd, and as long as before"))
}

fn hex32(text: &str) -> [u8; 32] {
    hex(text).try_into().expect("32 bytes")
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks_exact(2).map(|pair| std::str::from_utf8(pair).expect("ASCII"));
    digits.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal")).collect()
}

/// A vector for HKDF with SHA-256.
pub(crate) struct Hkdf {
    pub(crate) name: &'static str,
    pub(crate) ikm: Vec<u8>,
    pub(crate) salt: Vec<u8>,
    pub(crate) info: Vec<u8>,
    pub(crate) okm: Vec<u8>,
}

/// RFC 5869 appendices A.1 to A.3.
pub(crate) fn hkdf() -> [Hkdf; 3] {
    [
        Hkdf {
            name: "A.1",
            ikm: vec![0x0b; 22],
            salt: (0x00..=0x0c).collect(),
            info: (0xf0..=0xf9).collect(),
            okm: hex(concat!(
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf",
                "34007208d5b887185865"
            )),
        },
        Hkdf {
            name: "A.2",
            ikm: (0x00..=0x4f).collect(),
            salt: (0x60..=0xaf).collect(),
            info: (0xb0..=0xff).collect(),
            okm: hex(concat!(
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c",
                "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71",
                "cc30c58179ec3e87c14c01d5c1f3434f1d87"
            )),
        },
        Hkdf {
            name: "A.3",
            ikm: vec![0x0b; 22],
            salt: Vec::new(),
            info: Vec::new(),
            okm: hex(concat!(
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d",
                "9d201395faa4b61a96c8"
            )),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_parse_and_have_the_thumbprints_they_claim() {
        for alg in KeyAlg::ALL {
            let Some(pair) = pair(*alg) else { continue };
            assert_eq!(pair.public(*alg).thumbprint(), pair.thumbprint(), "{alg}");
            assert_eq!(pair.foreign_public().key_type(), pair.key_type);
            assert_ne!(pair.foreign_public(), pair.public(*alg), "{alg}");
        }
    }
}
