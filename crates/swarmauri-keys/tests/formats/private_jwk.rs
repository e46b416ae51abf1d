//! Private and symmetric JWKs.

use serde_json::{Value, json};
use swarmauri_keys::{
    KeyAlg, KeyErrorKind, KeyId, KeyMaterial, KeyType, KeyVersion, KeyVersionId, PrivateKey, PublicKey,
    SecretBytes, SecretMaterial,
};

use crate::vectors::{
    ED25519, P256, RSA, RSA_ALL, RSA_PKCS1, RSA_PUBLIC, X25519, b64url, der, okp_jwk, p256_jwk,
    p256_private_jwk, rsa_jwk,
};

fn id() -> KeyVersionId {
    KeyId::new("k").unwrap().at(KeyVersion::FIRST)
}

fn private(alg: KeyAlg, json: &str) -> PrivateKey {
    match KeyMaterial::from_jwk(alg, json.as_bytes()).unwrap() {
        KeyMaterial::Private(key) => key,
        other => panic!("{other:?}"),
    }
}

fn parsed(jwk: &SecretBytes) -> Value {
    serde_json::from_slice(jwk.expose_secret()).unwrap()
}

/// RFC 7517 appendix A.2 as a whole: each member comes out as it went in.
#[test]
fn rfc_7517_a_2() {
    let ec = private(KeyAlg::EcdsaP256Sha256, &p256_private_jwk());
    assert_eq!(ec.expose_secret(), b64url(P256[2]));
    let rsa = private(KeyAlg::RsaPssSha256, &rsa_jwk(RSA_ALL));
    assert_eq!(rsa.expose_secret(), der(RSA_PKCS1));

    let mut want: Value = serde_json::from_str(&rsa_jwk(RSA_ALL)).unwrap();
    want.as_object_mut().unwrap().extend([
        ("alg".to_owned(), json!("PS256")),
        ("kid".to_owned(), json!("k.1")),
        ("use".to_owned(), json!("sig")),
    ]);
    assert_eq!(parsed(&rsa.to_jwk(&id(), KeyAlg::RsaPssSha256).unwrap()), want);
}

/// RFC 7517 appendix A.3, and the first of its keys made long enough to be ours.
#[test]
fn rfc_7517_a_3() {
    let k = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let json = format!(r#"{{"kty":"oct","k":"{k}","kid":"HMAC key used in JWS spec Appendix A.1 example"}}"#);
    let KeyMaterial::Symmetric(secret) = KeyMaterial::from_jwk(KeyAlg::HmacSha256, json.as_bytes()).unwrap()
    else {
        panic!("not symmetric")
    };
    assert_eq!(secret.expose_secret(), b64url(k));
    let written = SecretMaterial::Symmetric(secret).to_jwk(&id(), KeyAlg::HmacSha256).unwrap();
    let text = format!(r#"{{"alg":"HS256","k":"{k}","kid":"k.1","kty":"oct","use":"sig"}}"#);
    assert_eq!(written.expose_secret(), text.as_bytes());

    let a128kw = br#"{"kty":"oct","alg":"A128KW","k":"GawgguFyGrWKav7AX4VKUg"}"#;
    let error = KeyMaterial::from_jwk(KeyAlg::Aes256Gcm, a128kw).unwrap_err().to_string();
    assert!(
        error.contains(r#""A128KW""#) && error.contains("AES256_GCM") && error.contains("A256GCM"),
        "{error}"
    );
}

/// RFC 8037 appendix A.1.
#[test]
fn rfc_8037_a_1() {
    let [d, x] = ED25519;
    let json = okp_jwk("Ed25519", x).replace('}', &format!(r#","d":"{d}"}}"#));
    let key = private(KeyAlg::Ed25519, &json);
    assert_eq!(key.expose_secret(), b64url(d));
    assert!(matches!(key.public_key(), Some(PublicKey::Ed25519(public)) if public[..] == b64url(x)));
    let text = format!(
        r#"{{"alg":"EdDSA","crv":"Ed25519","d":"{d}","kid":"k.1","kty":"OKP","use":"sig","x":"{x}"}}"#
    );
    assert_eq!(key.to_jwk(&id(), KeyAlg::Ed25519).unwrap().expose_secret(), text.as_bytes());
}

#[test]
fn every_private_jwk_is_canonical_and_reads_back() {
    let [_, x] = ED25519;
    let seed = [9; 32];
    let public = PublicKey::from_raw(KeyType::X25519, &b64url(x)).unwrap();
    let x25519 = PrivateKey::from_raw(KeyType::X25519, &seed).unwrap().with_public_key(public);
    let cases = [
        (KeyAlg::X25519, SecretMaterial::Private(x25519)),
        (
            KeyAlg::EcdsaP256Sha256,
            SecretMaterial::Private(private(KeyAlg::EcdsaP256Sha256, &p256_private_jwk())),
        ),
        (KeyAlg::RsaOaepSha256, SecretMaterial::Private(private(KeyAlg::RsaOaepSha256, &rsa_jwk(RSA_ALL)))),
        (KeyAlg::Aes256Gcm, SecretMaterial::Symmetric(vec![0xfb; 32].into())),
        (KeyAlg::HmacSha256, SecretMaterial::Symmetric(vec![0; 64].into())),
    ];
    for (alg, secret) in cases {
        let id = KeyId::new("schlüssel \"1\" \\ é").unwrap().at(KeyVersion::FIRST);
        let jwk = secret.to_jwk(&id, alg).unwrap();
        // serde_json's maps are sorted, and its strings are escaped as RFC 8785 section 3.2.2.2 says.
        assert_eq!(serde_json::to_vec(&parsed(&jwk)).unwrap(), jwk.expose_secret(), "{alg}");
        assert_eq!(parsed(&jwk)["kid"], id.to_string());
        let again = KeyMaterial::from_jwk(alg, jwk.expose_secret()).unwrap();
        assert_eq!(exposed(&again), exposed(&secret.clone().into()), "{alg}");
    }
}

fn exposed(material: &KeyMaterial) -> (Vec<u8>, Option<PublicKey>) {
    match material {
        KeyMaterial::Symmetric(secret) => (secret.expose_secret().to_vec(), None),
        KeyMaterial::Private(key) => (key.expose_secret().to_vec(), key.public_key().cloned()),
        KeyMaterial::Public(key) => (vec![], Some(key.clone())),
    }
}

#[test]
fn a_jwk_without_secret_is_public_material() {
    let cases = [
        (KeyAlg::EcdsaP256Sha256, p256_jwk()),
        (KeyAlg::RsaOaepSha256, rsa_jwk(RSA_PUBLIC)),
        (KeyAlg::X25519, okp_jwk("X25519", X25519[0])),
        (KeyAlg::Ed25519, okp_jwk("Ed25519", ED25519[1])),
    ];
    for (alg, json) in cases {
        let material = KeyMaterial::from_jwk(alg, json.as_bytes()).unwrap();
        assert!(
            matches!(&material, KeyMaterial::Public(key) if key.key_type() == alg.key_type()),
            "{material:?}"
        );
    }
}

#[test]
fn alg_and_use_may_say_the_same_in_other_words() {
    let ed25519 = |more: &str| okp_jwk("Ed25519", ED25519[1]).replace('}', &format!(",{more}}}"));
    let x25519 = |more: &str| okp_jwk("X25519", X25519[0]).replace('}', &format!(",{more}}}"));
    let cases = [
        (KeyAlg::Ed25519, ed25519(r#""alg":"EdDSA","use":"sig""#)),
        (KeyAlg::Ed25519, ed25519(r#""alg":"Ed25519""#)),
        (KeyAlg::X25519, x25519(r#""alg":"ECDH-ES+A256KW","use":"enc""#)),
        (KeyAlg::RsaPssSha256, rsa_jwk(RSA_PUBLIC).replace('}', r#","alg":"PS256","key_ops":["verify"]}"#)),
    ];
    for (alg, json) in cases {
        assert!(KeyMaterial::from_jwk(alg, json.as_bytes()).is_ok(), "{json}");
    }
}

#[test]
fn what_is_wrong_with_a_private_jwk_is_said_without_the_secret() {
    use KeyAlg::{
        Aes256Gcm, EcdsaP256Sha256 as Es256, Ed25519 as EdDsa, RsaOaepSha256 as Oaep, RsaPssSha256 as Pss,
    };
    let [_, _, d] = P256;
    let ec = p256_private_jwk();
    let rsa = rsa_jwk(RSA_ALL);
    let with = |json: &str, more: &str| json.replace('}', &format!(",{more}}}"));
    let rsa_without = |name: &str| {
        let names: Vec<_> = RSA_ALL.iter().copied().filter(|other| *other != name).collect();
        rsa_jwk(&names)
    };
    let escaped = d.replacen('8', "\\u0038", 1);
    let mut cases = vec![
        (EdDsa, ec.clone(), "ED25519 needs a key of type Ed25519, this one is P-256"),
        (Aes256Gcm, ec.clone(), "AES256_GCM needs a key of type oct, this one is P-256"),
        (Es256, r#"{"kty":"oct","k":"AQ"}"#.to_owned(), "needs a key of type P-256, this one is oct"),
        (
            Es256,
            with(&ec, r#""alg":"ES384""#),
            r#"for the algorithm "ES384", wanted is ECDSA_P256_SHA256 ("ES256")"#,
        ),
        (Es256, with(&ec, r#""alg":7"#), r#""alg" must be a string"#),
        (
            Es256,
            with(&ec, r#""use":"enc""#),
            r#"for the use "enc", wanted is ECDSA_P256_SHA256, whose use is "sig""#,
        ),
        (Pss, with(&rsa, r#""alg":"RSA-OAEP-256""#), r#"for the algorithm "RSA-OAEP-256""#),
        (Pss, with(&rsa, r#""alg":"RS256""#), r#"for the algorithm "RS256""#),
        (Oaep, with(&rsa, r#""use":"sig""#), r#"for the use "sig""#),
        (Es256, with(&ec, &format!(r#""d":"{d}""#)), r#""d" is there twice"#),
        (Es256, ec.replace(d, &escaped), r#""d" must be written without escapes"#),
        (Es256, ec.replace(d, &d[..40]), r#""d" must be 32 octets, it is 30"#),
        (Es256, ec.replace(d, &format!("{d}=")), r#""d" is not base64url"#),
        (Es256, ec.replace(&format!("\"{d}\""), "8700081"), r#""d" must be a string"#),
        (Es256, ec.replace(&format!("\"{d}\""), "-8700081"), r#""d" must be a string"#),
        (Es256, ec.replace(&format!("\"{d}\""), "0.8700081"), r#""d" must be a string"#),
        (Es256, ec.replace(&format!("\"{d}\""), "[8700081]"), "malformed JWK"),
        (Es256, with(&p256_jwk(), r#""k":"AQ""#), r#"private member "k""#),
        (Es256, format!("\"{d}\""), "a JWK is a JSON object"),
        (Es256, String::new(), "a JWK is a JSON object"),
        (Es256, format!("{ec} {ec}"), "trailing characters"),
        (Es256, ec[..ec.len() - 5].to_owned(), "malformed JWK"),
        (Pss, with(&rsa, r#""oth":[{"r":"AQ"}]"#), "more than two primes"),
        (Pss, rsa_jwk(&["n", "e", "d"]), r#""p" is missing"#),
        (Pss, rsa_jwk(&["n", "e", "p", "q", "dp", "dq", "qi"]), r#"private member "dp""#),
        (Pss, rsa.replace(RSA[3].1, "AAAA"), r#""p" must have no leading zero octets"#),
        (Pss, rsa.replace(RSA[3].1, ""), r#""p" is empty"#),
        (Pss, rsa.replace("AQAB", "AQAA"), "this one is 65536"),
        (Aes256Gcm, r#"{"kty":"oct"}"#.to_owned(), r#""k" is missing"#),
        (Aes256Gcm, r#"{"kty":"oct","k":"A"}"#.to_owned(), r#""k" is not base64url"#),
    ];
    let missing = ["p", "q", "dp", "dq", "qi"].map(|name| (name, format!("{name:?} is missing")));
    cases.extend(missing.iter().map(|(name, reason)| (Pss, rsa_without(name), reason.as_str())));
    for (alg, json, reason) in cases {
        let error = KeyMaterial::from_jwk(alg, json.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::InvalidInput, "{json}");
        let text = format!("{error} {error:?}");
        assert!(text.contains(&reason.replace('"', "\\\"")) || text.contains(reason), "{json}\n{text}");
        for secret in [&d[..20], &RSA[2].1[..20], "8700081"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[test]
fn a_private_jwk_needs_the_public_half_and_the_right_algorithm() {
    let lone = PrivateKey::from_raw(KeyType::Ed25519, &[7; 32]).unwrap();
    let error = lone.to_jwk(&id(), KeyAlg::Ed25519).unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::InvalidState);
    let error = lone.to_jwk(&id(), KeyAlg::EcdsaP256Sha256).unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::InvalidInput);
    let octets = SecretMaterial::Symmetric(vec![7; 32].into());
    assert_eq!(octets.to_jwk(&id(), KeyAlg::Ed25519).unwrap_err().kind(), KeyErrorKind::InvalidInput);
}
