//! What is no key, or not one of ours, is refused with the reason.

use swarmauri_keys::{KeyErrorKind, KeyMaterial, KeyType, PrivateKey, PublicKey};

use crate::vectors::{
    EC_PARAMETERS, ED25519_PKCS8, ED25519_SPKI, P256, P256_PKCS8, P256_SEC1, P256_SPKI, RSA_PKCS1,
    RSA_PKCS1_PUBLIC, RSA_PKCS8, RSA_SPKI, X25519_PKCS8, X25519_SPKI, b64url, der,
};

fn reason_of<T: std::fmt::Debug>(result: Result<T, swarmauri_keys::KeyError>, what: &str) -> String {
    let error = result.expect_err(what);
    assert_eq!(error.kind(), KeyErrorKind::InvalidInput, "{what}");
    error.to_string()
}

#[test]
fn foreign_files_are_refused_with_the_reason() {
    let cases = [
        (include_str!("data/refused-encrypted.pem"), "encrypted"),
        (include_str!("data/refused-encrypted-pkcs1.pem"), "Proc-Type"),
        (include_str!("data/refused-p384.pkcs8.pem"), "P-384 (1.3.132.0.34)"),
        (include_str!("data/refused-p384.sec1.pem"), "P-384 (1.3.132.0.34)"),
        (include_str!("data/refused-p384.spki.pem"), "P-384 (1.3.132.0.34)"),
        (include_str!("data/refused-explicit-curve.pem"), "explicit ones are not supported"),
        (include_str!("data/refused-compressed.pem"), "compressed points are not supported"),
        (include_str!("data/refused-ed448.pem"), "Ed448 (1.3.101.113)"),
        (include_str!("data/refused-rsassa-pss.pem"), "RSASSA-PSS (1.2.840.113549.1.1.10)"),
        (include_str!("data/refused-rsa1024.pem"), "this one has 1024"),
        (include_str!("data/refused-rsa-three-primes.pem"), "more than two primes"),
        (
            "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
            "\"CERTIFICATE\" is no private key",
        ),
        ("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", "PKCS#8 private key: it is cut off"),
        (EC_PARAMETERS, "\"EC PARAMETERS\" is no private key"),
        ("", "no -----BEGIN line"),
    ];
    for (pem, reason) in cases {
        let error = reason_of(KeyMaterial::from_pem(pem), pem);
        assert!(error.contains(reason), "{pem}\n{error}\nlacks {reason}");
    }
    let encrypted = der(include_str!("data/refused-encrypted.pem"));
    for result in [PrivateKey::from_der(&encrypted), PrivateKey::from_pkcs8_der(&encrypted)] {
        assert!(reason_of(result, "encrypted").contains("encrypted; decrypt it first"));
    }
    assert!(reason_of(KeyMaterial::from_der(&encrypted), "encrypted").contains("decrypt it first"));
}

#[test]
fn text_around_a_block_and_second_keys_are_refused() {
    let key = P256_PKCS8;
    let cases = [
        (format!("key:\n{key}"), "nothing but blank lines"),
        (format!("{key}done"), "nothing but blank lines"),
        (format!("{key}{key}"), "2 blocks"),
        (format!("{EC_PARAMETERS}{key}"), "2 blocks"),
        (format!("{P256_SEC1}{EC_PARAMETERS}"), "2 blocks"),
        (format!("{key}{P256_SPKI}"), "2 blocks"),
        (format!("{EC_PARAMETERS}{EC_PARAMETERS}{P256_SEC1}"), "3 blocks"),
        (EC_PARAMETERS.replace("BggqhkjOPQMBBw==", "BgUrgQQAIg==") + P256_SEC1, "P-384"),
    ];
    for (pem, reason) in cases {
        let error = reason_of(KeyMaterial::from_pem(&pem), &pem);
        assert!(error.contains(reason), "{pem}\n{error}");
        reason_of(PrivateKey::from_pem(&pem), &pem);
    }
    let two = format!("{ED25519_SPKI}{ED25519_SPKI}");
    assert!(reason_of(PublicKey::from_pem(&two), "two").contains("this text has 2"));
    assert!(reason_of(PublicKey::from_spki_pem(&two), "two").contains("this text has 2"));
}

#[test]
fn a_form_asked_for_by_name_is_not_exchanged_for_another() {
    let private = "wanted is a PEM block \"PRIVATE KEY\"";
    assert!(reason_of(PrivateKey::from_pkcs8_pem(P256_SEC1), "sec1").contains(private));
    assert!(reason_of(PrivateKey::from_pkcs8_pem(P256_SPKI), "spki").contains(private));
    assert!(
        reason_of(PublicKey::from_spki_pem(RSA_PKCS1_PUBLIC), "pkcs1").contains("not \"RSA PUBLIC KEY\"")
    );
    assert!(reason_of(PublicKey::from_pem(P256_PKCS8), "pkcs8").contains("not \"PRIVATE KEY\""));

    let sec1 = der(P256_SEC1);
    assert!(
        reason_of(PrivateKey::from_pkcs8_der(&sec1), "sec1")
            .contains("wanted is a PKCS#8 private key, this is a SEC1 EC private key")
    );
    assert!(
        reason_of(PublicKey::from_der(&sec1), "sec1")
            .contains("wanted is a public key, this is a SEC1 EC private key")
    );
    assert!(
        reason_of(PrivateKey::from_der(&der(RSA_SPKI)), "spki")
            .contains("wanted is a private key, this is a SubjectPublicKeyInfo")
    );
    assert!(
        reason_of(PrivateKey::from_pkcs1_der(&der(RSA_PKCS1_PUBLIC)), "public")
            .contains("this is a PKCS#1 RSA public key")
    );
}

type Read = fn(&[u8]) -> Result<(), swarmauri_keys::KeyError>;

/// Every DER that is read, with the function that reads it.
fn readers() -> Vec<(&'static str, Vec<u8>, Read)> {
    let pkcs8: Read = |der| PrivateKey::from_pkcs8_der(der).map(drop);
    let spki: Read = |der| PublicKey::from_spki_der(der).map(drop);
    vec![
        ("ed25519 v1", der(ED25519_PKCS8[0]), pkcs8),
        ("ed25519 v2", der(ED25519_PKCS8[1]), pkcs8),
        ("x25519", der(X25519_PKCS8), pkcs8),
        ("p256", der(P256_PKCS8), pkcs8),
        ("rsa", der(RSA_PKCS8), pkcs8),
        ("p256 sec1", der(P256_SEC1), |der| PrivateKey::from_sec1_der(der).map(drop)),
        ("rsa pkcs1", der(RSA_PKCS1), |der| PrivateKey::from_pkcs1_der(der).map(drop)),
        ("ed25519 spki", der(ED25519_SPKI), spki),
        ("x25519 spki", der(X25519_SPKI), spki),
        ("p256 spki", der(P256_SPKI), spki),
        ("rsa spki", der(RSA_SPKI), spki),
        ("rsa pkcs1 public", der(RSA_PKCS1_PUBLIC), |der| PublicKey::from_pkcs1_der(der).map(drop)),
        ("any private", der(P256_SEC1), |der| PrivateKey::from_der(der).map(drop)),
        ("any public", der(RSA_PKCS1_PUBLIC), |der| PublicKey::from_der(der).map(drop)),
        ("any", der(RSA_PKCS1), |der| KeyMaterial::from_der(der).map(drop)),
    ]
}

#[test]
fn trailing_bytes_and_cut_off_encodings_are_refused() {
    for (name, der, read) in readers() {
        read(&der).unwrap();
        let longer = [&der[..], &[0]].concat();
        let reason = reason_of(read(&longer), name);
        assert!(reason.contains("1 bytes follow its end"), "{name}: {reason}");
        for len in 0..der.len() {
            reason_of(read(&der[..len]), name);
        }
    }
}

/// Every byte of every encoding, changed in every bit: never a panic, and never two encodings of one key.
#[test]
fn a_changed_bit_never_gives_the_same_key() {
    for (name, original, _) in readers().into_iter().filter(|(_, der, _)| der.len() < 200) {
        let before = KeyMaterial::from_der(&original).unwrap();
        for position in 0..original.len() * 8 {
            let mut changed = original.clone();
            changed[position / 8] ^= 1 << (position % 8);
            let Ok(after) = KeyMaterial::from_der(&changed) else {
                continue;
            };
            // The attributes of PKCS#8 version 2 are skipped.
            let skipped = name == "ed25519 v2" && (50..81).contains(&(position / 8));
            assert!(skipped || !same(&before, &after), "{name}, bit {position}");
        }
    }
}

fn same(one: &KeyMaterial, other: &KeyMaterial) -> bool {
    match (one, other) {
        (KeyMaterial::Private(one), KeyMaterial::Private(other)) => {
            one.key_type() == other.key_type()
                && one.expose_secret() == other.expose_secret()
                && one.public_key() == other.public_key()
        }
        (KeyMaterial::Public(one), KeyMaterial::Public(other)) => one == other,
        _ => false,
    }
}

#[test]
fn what_the_rfcs_forbid_inside_is_refused() {
    let swap = |der: &[u8], from: &[u8], to: &[u8]| {
        let at = der.windows(from.len()).position(|window| window == from).unwrap();
        [&der[..at], to, &der[at + from.len()..]].concat()
    };
    let ed25519 = der(ED25519_PKCS8[0]);
    let spki = der(ED25519_SPKI);
    let rsa = der(RSA_SPKI);
    let cases: [(&str, Vec<u8>, &str); 10] = [
        // ed25519 with the OID of Ed448, X448
        ("wrong OID", swap(&ed25519, &[0x2b, 0x65, 0x70], &[0x2b, 0x65, 0x71]), "Ed448"),
        ("unknown OID", swap(&ed25519, &[0x2b, 0x65, 0x70], &[0x2b, 0x65, 0x7f]), "1.3.101.127"),
        // parameters NULL where there must be none (the lengths around it grow by two)
        (
            "NULL parameters",
            swap(
                &swap(&spki, &[0x30, 0x2a, 0x30, 0x05], &[0x30, 0x2c, 0x30, 0x07]),
                &[0x2b, 0x65, 0x70],
                &[0x2b, 0x65, 0x70, 5, 0],
            ),
            "must have no parameters",
        ),
        ("RSA without NULL", swap(&rsa, &[5, 0], &[4, 0]), "must have NULL parameters"),
        ("EC without curve", ec_without_curve(), "must have the curve among its parameters"),
        ("version 3", swap(&ed25519, &[2, 1, 0], &[2, 1, 3]), "malformed PKCS#8 private key"),
        (
            "version 2 without public key",
            swap(&ed25519, &[2, 1, 0], &[2, 1, 1]),
            "malformed PKCS#8 private key",
        ),
        ("31 bytes", swap(&ed25519, &[4, 0x22, 4, 0x20], &[4, 0x22, 4, 0x1f]), "1 bytes follow its end"),
        ("unused bits", swap(&spki, &[3, 0x21, 0], &[3, 0x21, 1]), "must be whole bytes"),
        ("indefinite length", swap(&ed25519, &[0x30, 0x2e], &[0x30, 0x80]), "malformed key"),
    ];
    for (name, der, reason) in cases {
        let error = reason_of(KeyMaterial::from_der(&der), name);
        assert!(error.contains(reason), "{name}: {error}");
    }
}

/// SubjectPublicKeyInfo of an EC key whose AlgorithmIdentifier has no parameters.
fn ec_without_curve() -> Vec<u8> {
    let algorithm = [0x30, 9, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
    let key = [&[3, 66, 0, 4][..], &b64url(P256[0]), &b64url(P256[1])].concat();
    [&[0x30, 79][..], &algorithm, &key].concat()
}

#[test]
fn a_sec1_key_alone_must_name_its_curve() {
    // P256_SEC1 without [0] parameters
    let key = [&[2, 1, 1, 4, 32][..], &b64url(P256[2])].concat();
    let sec1 = [&[0x30, 37][..], &key].concat();
    assert!(reason_of(PrivateKey::from_sec1_der(&sec1), "bare").contains("must name its curve"));
    let base64 = <base64ct::Base64 as base64ct::Encoding>::encode_string(&sec1);
    let pem = format!("-----BEGIN EC PRIVATE KEY-----\n{base64}\n-----END EC PRIVATE KEY-----\n");
    reason_of(PrivateKey::from_pem(&pem), "bare");
    let named = PrivateKey::from_pem(&format!("{EC_PARAMETERS}{pem}")).unwrap();
    assert_eq!(named.expose_secret(), b64url(P256[2]));
}

#[test]
fn two_public_halves_that_differ_are_refused() {
    // PKCS#8 version 2 around P256_SEC1's content, its [1] naming another point.
    let inner = der(P256_PKCS8);
    let other = [&[4][..], &b64url(P256[1]), &b64url(P256[0])].concat();
    let mut outer = [&[0x30, 0x81, 0xcd, 2, 1, 1][..], &inner[6..]].concat();
    outer.extend([&[0x81, 66, 0][..], &other].concat());
    outer[2] = u8::try_from(outer.len() - 3).unwrap();
    assert!(reason_of(PrivateKey::from_pkcs8_der(&outer), "two").contains("two public halves"));
    let len = outer.len();
    outer[len - 64..].copy_from_slice(&[b64url(P256[0]), b64url(P256[1])].concat());
    assert!(PrivateKey::from_pkcs8_der(&outer).is_ok());
}

#[test]
fn raw_keys_have_one_length() {
    let pairs = [KeyType::Ed25519, KeyType::X25519, KeyType::P256];
    for (key_type, len) in pairs.iter().flat_map(|key_type| [0, 31, 33, 64].map(|len| (*key_type, len))) {
        let reason = reason_of(PrivateKey::from_raw(key_type, &vec![1; len]), "private");
        assert!(reason.contains(&format!("32 bytes, these are {len}")), "{reason}");
        let reason = reason_of(PublicKey::from_raw(key_type, &vec![1; len]), "public");
        assert!(reason.contains(&format!("are {len}")), "{reason}");
    }
    for (raw, reason) in [
        ([&[2][..], &[7; 32]].concat(), "compressed"),
        ([&[3][..], &[7; 32]].concat(), "compressed"),
        ([&[6][..], &[7; 64]].concat(), "the first of them 04"),
        ([&[4][..], &[7; 63]].concat(), "these are 64"),
        (vec![0], "these are 1"),
    ] {
        let error = reason_of(PublicKey::from_raw(KeyType::P256, &raw), reason);
        assert!(error.contains(reason), "{error}");
    }
    for key_type in [KeyType::Rsa, KeyType::Octets] {
        reason_of(PrivateKey::from_raw(key_type, &[7; 32]), "no raw form");
        reason_of(PublicKey::from_raw(key_type, &[7; 32]), "no raw form");
    }
}
