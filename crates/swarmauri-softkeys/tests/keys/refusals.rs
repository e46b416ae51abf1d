//! Material that is no key of the algorithm is refused with the reason.

use base64ct::{Base64UrlUnpadded, Encoding};
use swarmauri_keys::{KeyAlg, KeyMaterial, KeyType, PrivateKey, PublicKey, RsaPublicKey};
use swarmauri_softkeys::{SoftKey, imports};

use crate::support::{RSA_2048, from_jwk, hex, jwk, pairs, refusal};

#[test]
fn another_type_of_key_is_refused_naming_both() {
    for [key, _] in pairs() {
        let materials =
            [key.secret().unwrap().into(), KeyMaterial::Public(key.public_key().unwrap().clone())];
        let octets = KeyMaterial::Symmetric(vec![7; 32].into());
        for alg in KeyAlg::ALL.iter().copied() {
            for material in materials.iter().chain([&octets]) {
                if material.key_type() == alg.key_type() || !imports(alg) {
                    continue;
                }
                let reason = refusal(alg, Ok(material.clone()));
                let wanted = format!(
                    "{alg} needs a key of type {}, this one is of type {}",
                    alg.key_type(),
                    material.key_type()
                );
                assert!(reason.contains(&wanted), "{reason}");
            }
        }
    }
}

#[test]
fn symmetric_keys_have_bounds() {
    for (alg, len, reason) in [
        (KeyAlg::Aes256Gcm, 0, "an AES-256 key is 32 bytes, this one is 0"),
        (KeyAlg::Aes256Gcm, 16, "an AES-256 key is 32 bytes, this one is 16"),
        (KeyAlg::Aes256Gcm, 33, "this one is 33"),
        (KeyAlg::HmacSha256, 0, "this one is 0"),
        (KeyAlg::HmacSha256, 31, "an HMAC-SHA256 key is 32 to 1024 bytes"),
        (KeyAlg::HmacSha256, 1025, "this one is 1025"),
    ] {
        let error = refusal(alg, Ok(KeyMaterial::Symmetric(vec![7; len].into())));
        assert!(error.contains(reason), "{error}");
    }
    for (alg, len) in [(KeyAlg::Aes256Gcm, 32), (KeyAlg::HmacSha256, 32), (KeyAlg::HmacSha256, 1024)] {
        assert!(SoftKey::import(alg, KeyMaterial::Symmetric(vec![7; len].into())).is_ok());
    }
}

#[test]
fn a_p256_scalar_is_from_1_to_below_the_order() {
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let largest = order.replace("2551", "2550");
    for (scalar, good) in [
        ("00".repeat(32), false),
        (format!("{:064x}", 1), true),
        (largest, true),
        (order.to_owned(), false),
        ("ff".repeat(32), false),
    ] {
        let key = PrivateKey::from_raw(KeyType::P256, &hex(&scalar)).unwrap();
        let result = SoftKey::import(KeyAlg::EcdsaP256Sha256, KeyMaterial::Private(key.clone()));
        assert_eq!(result.is_ok(), good, "{scalar}");
        if !good {
            let reason = refusal(KeyAlg::EcdsaP256Sha256, Ok(KeyMaterial::Private(key)));
            assert!(reason.contains("from 1 to the order"), "{reason}");
        }
    }
}

#[test]
fn a_public_key_is_a_point_on_its_curve_and_not_of_small_order() {
    let p256 = |x: &str, y: &str| (KeyAlg::EcdsaP256Sha256, format!("04{x}{y}"));
    // RFC 6979 appendix A.2.5
    let (x, y) = (
        "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
        "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
    );
    let zero = "00".repeat(32);
    let prime = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
    let (ed, mont) = (KeyAlg::Ed25519, KeyAlg::X25519);
    let raw = |alg, text: &str| (alg, text.to_owned());
    let cases = [
        (p256(x, x), "not a point on the curve"),
        (p256(&zero, &zero), "not a point on the curve"),
        (p256(prime, y), "not a point on the curve"),
        (p256(x, &"ff".repeat(32)), "not a point on the curve"),
        // y = 2 has no x; y = p + 3 is not reduced
        (raw(ed, &format!("02{}", "00".repeat(31))), "not a point on the curve"),
        (raw(ed, &format!("f0{}7f", "ff".repeat(30))), "not a point on the curve"),
        (raw(ed, &format!("f0{}", "ff".repeat(31))), "not a point on the curve"),
        (raw(ed, &zero), "small order"),
        (raw(ed, &format!("01{}", "00".repeat(31))), "small order"),
        (raw(ed, &format!("01{}80", "00".repeat(30))), "small order"),
        (raw(ed, &format!("ec{}7f", "ff".repeat(30))), "small order"),
        (raw(ed, "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "small order"),
        (raw(ed, "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"), "small order"),
        // RFC 7748 section 6.1 asks for the check; 0, 1, p - 1, and a point of order 8
        (raw(mont, &zero), "small order"),
        (raw(mont, &format!("01{}", "00".repeat(31))), "small order"),
        (raw(mont, &format!("ec{}7f", "ff".repeat(30))), "small order"),
        (raw(mont, "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"), "small order"),
    ];
    for ((alg, text), reason) in cases {
        let key = PublicKey::from_raw(alg.key_type(), &hex(&text)).unwrap();
        let error = refusal(alg, Ok(KeyMaterial::Public(key)));
        assert!(error.contains(reason), "{text}: {error}");
    }
}

/// Of random strings, about half are the y of a point; those of real keys all are.
#[test]
fn the_check_of_ed25519_points_refuses_what_it_should_and_no_more() {
    let mut points = 0;
    for first in 0..=255 {
        let mut raw = [0x5a; 32];
        raw[0] = first;
        let key = PublicKey::Ed25519(raw);
        points += i32::from(SoftKey::import(KeyAlg::Ed25519, KeyMaterial::Public(key)).is_ok());
    }
    assert!((90..=166).contains(&points), "{points} of 256");
    for _ in 0..50 {
        let key = SoftKey::generate(KeyAlg::Ed25519, None).unwrap();
        let public = KeyMaterial::Public(key.public_key().unwrap().clone());
        assert!(SoftKey::import(KeyAlg::Ed25519, public).is_ok(), "{key:?}");
    }
}

#[test]
fn rsa_keys_of_other_sizes_and_exponents() {
    let alg = KeyAlg::RsaPssSha256;
    let cases = [
        (include_str!("../data/rsa2048-e3.pem"), "public exponent"),
        (include_str!("../data/rsa2056.pem"), "2048, 3072, 4096 bits, not 2056"),
    ];
    for (pem, reason) in cases {
        let error = refusal(alg, KeyMaterial::from_pem(pem));
        assert!(error.to_lowercase().contains(reason), "{error}");
    }
    for (pem, bits) in [
        (RSA_2048, 2048),
        (include_str!("../data/rsa4096.pem"), 4096),
        (include_str!("../data/rsa8192.spki.pem"), 8192),
    ] {
        let key = SoftKey::import(alg, KeyMaterial::from_pem(pem).unwrap()).unwrap();
        assert_eq!(key.size_bits(), Some(bits));
    }
    // A public key alone is only used to verify or encrypt: 3 is a poor exponent, but a valid one.
    let e3 = KeyMaterial::from_pem(include_str!("../data/rsa2048-e3.pem")).unwrap();
    let KeyMaterial::Private(e3) = e3 else { panic!("{e3:?}") };
    let public = KeyMaterial::Public(e3.public_key().unwrap().clone());
    assert!(SoftKey::import(alg, public).is_ok());
    assert!(RsaPublicKey::new(&[0xff; 256], &[1]).is_err());
}

/// Each of the eight numbers in turn, changed a little: the key is refused, whatever makes use of that number.
#[test]
fn every_number_of_an_rsa_key_is_checked() {
    let alg = KeyAlg::RsaPssSha256;
    let key = SoftKey::import(alg, KeyMaterial::from_pem(RSA_2048).unwrap()).unwrap();
    let good = jwk(&key);
    for name in ["n", "e", "d", "p", "q", "dp", "dq", "qi"] {
        for change in [0x02, 0x10, 0x40] {
            let mut changed = good.clone();
            let mut digits = Base64UrlUnpadded::decode_vec(good[name].as_str().unwrap()).unwrap();
            *digits.last_mut().unwrap() ^= change;
            changed[name] = Base64UrlUnpadded::encode_string(&digits).into();
            let reason = refusal(alg, from_jwk(alg, &changed));
            assert!(reason.contains("make no usable key"), "{name}: {reason}");
        }
    }
    let mut swapped = good.clone();
    (swapped["p"], swapped["q"]) = (good["q"].clone(), good["p"].clone());
    (swapped["dp"], swapped["dq"]) = (good["dq"].clone(), good["dp"].clone());
    assert!(refusal(alg, from_jwk(alg, &swapped)).contains("make no usable key"));
    assert!(SoftKey::import(alg, from_jwk(alg, &good).unwrap()).is_ok());
}
