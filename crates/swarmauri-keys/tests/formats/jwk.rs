//! Public JWKs and JWK sets.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use swarmauri_keys::{Jwk, JwkSet, KeyAlg, KeyId, KeyType, KeyVersion, PublicKey};

use crate::vectors::{
    ED25519, ED25519_THUMBPRINT, P256, RSA, RSA_ALL, RSA_PUBLIC, RSA_THUMBPRINT, X25519, okp_jwk, p256_jwk,
    rsa_jwk,
};

fn key(json: &str) -> PublicKey {
    serde_json::from_str::<Jwk>(json).unwrap().key
}

#[test]
fn thumbprints_are_those_of_the_rfcs() {
    let of_p256 = "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s";
    let cases = [
        (rsa_jwk(RSA_PUBLIC), RSA_THUMBPRINT),
        (okp_jwk("Ed25519", ED25519[1]), ED25519_THUMBPRINT),
        (p256_jwk(), of_p256),
    ];
    for (json, thumbprint) in cases {
        assert_eq!(key(&json).thumbprint().as_str(), thumbprint, "{json}");
    }
}

/// RFC 7517 appendix A.1, member by member.
#[test]
fn rfc_7517_a_1() {
    let n = RSA[0].1;
    let document = json!({ "keys": [
        { "kty": "EC", "crv": "P-256", "x": P256[0], "y": P256[1], "use": "enc", "kid": "1" },
        { "kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29" },
    ]});
    let set: JwkSet = serde_json::from_value(document.clone()).unwrap();
    let kinds: Vec<_> = set.keys.iter().map(|jwk| jwk.key.key_type()).collect();
    assert_eq!(kinds, [KeyType::P256, KeyType::Rsa]);
    assert_eq!(set.keys[0].use_.as_deref(), Some("enc"));
    assert_eq!((set.keys[1].alg.as_deref(), set.keys[1].kid.as_deref()), (Some("RS256"), Some("2011-04-29")));
    assert_eq!(set.keys[1].key.size_bits(), Some(2048));
    assert_eq!(serde_json::to_value(&set).unwrap(), document);
}

/// RFC 8037 appendix A.2 and A.6, RFC 7518 appendix C.
#[test]
fn other_public_keys_of_the_rfcs_are_written_as_they_were_read() {
    let alice = r#"{"kty":"EC","crv":"P-256","x":"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0","y":"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"}"#;
    let bob = format!(r#"{{"kty":"OKP","crv":"X25519","kid":"Bob","x":"{}"}}"#, X25519[1]);
    for json in [alice.to_owned(), bob, okp_jwk("Ed25519", ED25519[1]), okp_jwk("X25519", X25519[0])] {
        let jwk: Jwk = serde_json::from_str(&json).unwrap();
        let before: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_value(&jwk).unwrap(), before);
        assert_eq!(serde_json::from_value::<Jwk>(before).unwrap(), jwk);
    }
}

#[test]
fn members_are_written_in_canonical_order() {
    let id = KeyId::new("k\"1").unwrap().at(KeyVersion::FIRST);
    let mut jwk = Jwk::published(&id, KeyAlg::EcdsaP256Sha256, key(&p256_jwk()));
    let [x, y, _] = P256;
    let written = format!(
        r#"{{"alg":"ES256","crv":"P-256","kid":"k\"1.1","kty":"EC","use":"sig","x":"{x}","y":"{y}"}}"#
    );
    assert_eq!(serde_json::to_string(&jwk).unwrap(), written);
    assert_eq!(jwk.version_id(), Some(id));

    jwk.use_ = None;
    jwk.key_ops = Some(vec!["verify".to_owned()]);
    let text = serde_json::to_string(&jwk).unwrap();
    assert!(text.starts_with(r#"{"alg":"ES256","crv":"P-256","key_ops":["verify"],"kid":"#), "{text}");
    assert_eq!(serde_json::from_str::<Jwk>(&text).unwrap(), jwk);

    let rsa = Jwk::published(
        &KeyId::new("r").unwrap().at(KeyVersion::FIRST),
        KeyAlg::RsaPssSha256,
        key(&rsa_jwk(RSA_PUBLIC)),
    );
    let text = serde_json::to_string(&rsa).unwrap();
    assert!(text.starts_with(r#"{"alg":"PS256","e":"AQAB","kid":"r.1","kty":"RSA","n":"0vx7"#), "{text}");
}

/// Of every type of key with every member: sorting them changes nothing, and the encoder of canonical JSON, which
/// relies on nothing here, has nothing to move.
#[test]
fn every_member_has_its_place_in_canonical_order() {
    let keys =
        [okp_jwk("Ed25519", ED25519[1]), okp_jwk("X25519", X25519[0]), p256_jwk(), rsa_jwk(RSA_PUBLIC)];
    let full = |json: &String| Jwk {
        key: key(json),
        kid: Some("1".to_owned()),
        alg: Some("any".into()),
        use_: Some("sig".into()),
        key_ops: Some(vec!["verify".to_owned()]),
    };
    let bare = |json: &String| Jwk { kid: None, alg: None, use_: None, key_ops: None, ..full(json) };
    for jwk in keys.iter().map(full).chain(keys.iter().map(bare)) {
        let sorted: BTreeMap<String, Value> =
            serde_json::from_value(serde_json::to_value(&jwk).unwrap()).unwrap();
        assert_eq!(serde_json::to_string(&jwk).unwrap(), serde_json::to_string(&sorted).unwrap());
    }
}

#[test]
fn unknown_members_are_ignored() {
    let json = p256_jwk().replace('}', r#","x5t":"!","ext":true,"nested":{"d":"private elsewhere"}}"#);
    assert_eq!(key(&json), key(&p256_jwk()));
}

#[test]
fn what_is_wrong_with_a_public_jwk_is_said() {
    let [x, y, d] = P256;
    let ec = p256_jwk();
    let with = |more: &str| ec.replace('}', &format!(",{more}}}"));
    let long_n = format!("AA{}", &"AAAA".repeat(300));
    let cases = [
        (with(&format!(r#""d":"{d}""#)), r#"private member "d""#),
        (with(r#""oth":[]"#), r#"private member "oth""#),
        (with(r#""k":"AQ""#), r#"private member "k""#),
        (with(r#""priv":"AQ""#), r#"private member "priv""#),
        (rsa_jwk(RSA_ALL), r#"private member "d""#),
        (rsa_jwk(&["n", "e", "p"]), r#"private member "p""#),
        (rsa_jwk(&["n", "e", "dp"]), r#"private member "dp""#),
        (r#"{"kty":"oct"}"#.to_owned(), "kty oct"),
        (r#"{"kty":"oct","k":"AQ"}"#.to_owned(), r#"private member "k""#),
        (with(&format!(r#""x":"{x}""#)), r#""x" is there twice"#),
        (with(r#""ext":1,"ext":1"#), r#""ext" is there twice"#),
        (with(r#""kty":"RSA""#), r#""kty" is there twice"#),
        (ec.replace("EC", "AKP"), r#"unsupported JWK kty "AKP""#),
        (ec.replace("P-256", "P-384"), r#"unsupported JWK curve "P-384""#),
        (ec.replace("P-256", "Ed25519"), r#"unsupported JWK curve "Ed25519" for kty "EC""#),
        (ec.replace(r#""kty":"EC","#, ""), r#""kty" is missing"#),
        (ec.replace(r#""crv":"P-256","#, ""), r#""crv" is missing"#),
        (ec.replace(&format!(r#","y":"{y}""#), ""), r#""y" is missing"#),
        (ec.replace(x, &format!("{x}=")), r#""x" is not base64url"#),
        (ec.replace(x, &x.replace('M', "+")), r#""x" is not base64url"#),
        (ec.replace(x, &format!(" {x}")), r#""x" is not base64url"#),
        (ec.replace(x, &format!("{}5", &x[..42])), r#""x" is not base64url"#),
        (ec.replace(x, &"A".repeat(42)), r#""x" must be 32 octets, it is 31"#),
        (ec.replace(x, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), r#""x" must be 32 octets, it is 33"#),
        (ec.replace(&format!("\"{x}\""), "7"), r#""x" must be a string"#),
        (with(r#""kid":7"#), r#""kid" must be a string"#),
        (with(r#""alg":null"#), r#""alg" must be a string"#),
        (with(r#""use":["sig"]"#), r#""use" must be a string"#),
        (with(r#""key_ops":"sign""#), r#""key_ops" must be a list of different strings"#),
        (with(r#""key_ops":["sign","sign"]"#), r#""key_ops" must be a list of different strings"#),
        (with(r#""key_ops":[1]"#), r#""key_ops" must be a list of different strings"#),
        (okp_jwk("Ed25519", &ED25519[1][..40]), r#""x" must be 32 octets, it is 30"#),
        (okp_jwk("X448", X25519[0]), r#"unsupported JWK curve "X448""#),
        (okp_jwk("P-256", X25519[0]), r#"unsupported JWK curve "P-256" for kty "OKP""#),
        (rsa_jwk(RSA_PUBLIC).replace("AQAB", "AAEAAQ"), r#""e" must have no leading zero octets"#),
        (rsa_jwk(RSA_PUBLIC).replace("AQAB", ""), r#""e" is empty"#),
        (rsa_jwk(RSA_PUBLIC).replace("AQAB", "AQ"), "this one is 1"),
        (rsa_jwk(RSA_PUBLIC).replace(RSA[0].1, &long_n), r#""n" must have no leading zero octets"#),
        (rsa_jwk(RSA_PUBLIC).replace(RSA[0].1, &RSA[0].1[..172]), "this one has 1032"),
        ("[]".to_owned(), "expected a JWK"),
        ("7".to_owned(), "expected a JWK"),
    ];
    for (json, reason) in cases {
        let error = serde_json::from_str::<Jwk>(&json).unwrap_err().to_string();
        assert!(error.contains(reason), "{json}\n{error}\nlacks {reason}");
        assert!(!error.contains(d), "{error}");
    }
}

#[test]
fn a_set_skips_what_it_does_not_understand() {
    let p521 = json!({ "kty": "EC", "crv": "P-521", "x": "AQ", "y": "AQ" });
    let document = json!({ "issuer": "somebody", "keys": [
        { "kty": "AKP", "pub": [1, 2, { "three": 3 }] },
        p521,
        { "kty": "oct" },
        { "kid": "no kty" },
        { "kty": "RSA", "n": "AQAB", "e": "AQAB" },
        { "kty": "EC", "crv": "P-256", "x": P256[0] },
        serde_json::from_str::<Value>(&p256_jwk()).unwrap(),
    ]});
    let set: JwkSet = serde_json::from_value(document).unwrap();
    assert_eq!(set.keys.len(), 1);
    assert_eq!(set.keys[0].key, key(&p256_jwk()));
    assert_eq!(serde_json::from_str::<JwkSet>(r#"{"keys":[]}"#).unwrap(), JwkSet::default());
}

#[test]
fn a_set_with_a_private_or_broken_key_is_an_error() {
    let cases = [
        (
            r#"{"keys":[{"kty":"oct","k":"AQ"}]}"#.to_owned(),
            r#"keys[0]: invalid input: a public JWK must not have the private member "k""#,
        ),
        (
            format!(r#"{{"keys":[{},{{"kty":"EC","crv":"P-521","d":"AQ"}}]}}"#, p256_jwk()),
            r#"keys[1]: invalid input: a public JWK must not have the private member "d""#,
        ),
        (format!(r#"{{"keys":[{}]}}"#, rsa_jwk(RSA_ALL)), r#"private member "d""#),
        (r#"{"keys":[{"kty":"AKP","kty":"AKP"}]}"#.to_owned(), "there twice"),
        (r#"{"keys":[],"keys":[]}"#.to_owned(), "duplicate field"),
        (r#"{"keys":[7]}"#.to_owned(), "expected a JWK"),
        ("{}".to_owned(), "missing field `keys`"),
    ];
    for (json, reason) in cases {
        let error = serde_json::from_str::<JwkSet>(&json).unwrap_err().to_string();
        assert!(error.contains(reason), "{json}\n{error}");
    }
}
