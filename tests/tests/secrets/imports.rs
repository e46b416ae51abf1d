//! Errors about broken, foreign or misplaced private keys name the place, and quote nothing.

use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};
use swarmauri_keyprovider::KeyProvider;
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keys::{
    Jwk, JwkSet, KeyAlg, KeyMaterial, KeyType, PrivateKey, PublicKey, SecretBytes, SecretMaterial,
};
use swarmauri_softkeys::SoftKey;

use crate::shown::Shown;
use crate::specimens::{Specimen, specimens};

const TYPES: [KeyType; 5] = [KeyType::Ed25519, KeyType::X25519, KeyType::P256, KeyType::Rsa, KeyType::Octets];

/// The encodings that a private key comes in: as bytes, with the label of their PEM.
fn binary_forms(one: &Specimen) -> Vec<(&'static str, Vec<u8>)> {
    let SecretMaterial::Private(key) = &one.secret else { return Vec::new() };
    let secret = key.expose_secret();
    let mut forms = vec![("PRIVATE KEY", key.to_pkcs8_der().expose_secret().to_vec())];
    match key.key_type() {
        KeyType::Rsa => forms.push(("RSA PRIVATE KEY", secret.to_vec())),
        KeyType::P256 => {
            // RFC 5915: version 1, the scalar, the curve by its name.
            let head = [0x30, 0x31, 2, 1, 1, 4, 32];
            let curve = [0xa0, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
            forms.push(("EC PRIVATE KEY", [&head, secret, &curve].concat()));
        }
        _ => {}
    }
    forms
}

/// Cut short, too long, and with one byte changed at many places.
fn broken(form: &[u8]) -> Vec<Vec<u8>> {
    let cut = [1, 8, form.len() / 2, form.len() - 9, form.len() - 1].map(|len| form[..len].to_vec());
    let longer = [[form, &[0]].concat(), [&[0], form].concat(), [form, form].concat()];
    let changed = (0..form.len()).step_by(form.len().div_ceil(40)).map(|at| {
        let mut changed = form.to_vec();
        changed[at] ^= 0x55;
        changed
    });
    cut.into_iter().chain(longer).chain(changed).chain([form.to_vec()]).collect()
}

/// Through every door that takes bytes. Where one opens, every algorithm gets to refuse the key.
fn read_binary(shown: &mut Shown, bytes: &[u8]) {
    for read in [
        PrivateKey::from_der,
        PrivateKey::from_pkcs8_der,
        PrivateKey::from_sec1_der,
        PrivateKey::from_pkcs1_der,
    ] {
        shown.error_of(read(bytes));
    }
    for read in [PublicKey::from_der, PublicKey::from_spki_der, PublicKey::from_pkcs1_der] {
        shown.error_of(read(bytes));
    }
    for key_type in TYPES {
        shown.error_of(PrivateKey::from_raw(key_type, bytes));
        shown.error_of(PublicKey::from_raw(key_type, bytes));
    }
    import(shown, KeyMaterial::from_der(bytes));
    import(shown, Ok(KeyMaterial::Symmetric(bytes.into())));
}

fn import(shown: &mut Shown, material: Result<KeyMaterial, swarmauri_keys::KeyError>) {
    match material {
        Err(error) => shown.error(&error),
        Ok(material) => {
            shown.debug(&material);
            for alg in KeyAlg::ALL.iter().copied() {
                shown.error_of(SoftKey::import(alg, material.clone()));
            }
        }
    }
}

fn read_pem(shown: &mut Shown, pem: &str) {
    import(shown, KeyMaterial::from_pem(pem));
    shown.error_of(PrivateKey::from_pem(pem));
    shown.error_of(PrivateKey::from_pkcs8_pem(pem));
    shown.error_of(PublicKey::from_pem(pem));
    shown.error_of(PublicKey::from_spki_pem(pem));
}

fn read_jwk(shown: &mut Shown, json: &str) {
    for alg in KeyAlg::ALL.iter().copied() {
        import(shown, KeyMaterial::from_jwk(alg, json.as_bytes()));
    }
    shown.error_of(serde_json::from_str::<Jwk>(json));
    shown.error_of(serde_json::from_str::<JwkSet>(json));
    shown.error_of(serde_json::from_str::<JwkSet>(&format!(r#"{{"keys": [{json}]}}"#)));
    shown.error_of(swarmauri_jsoncanon::from_slice::<Jwk>(json.as_bytes()));
    shown.error_of(swarmauri_jsoncanon::from_slice_canonical::<JwkSet>(json.as_bytes()));
    if let Ok(value) = serde_json::from_str::<Value>(json) {
        shown.error_of(serde_json::from_value::<Jwk>(value.clone()));
        shown.error_of(serde_json::from_value::<JwkSet>(json!({ "keys": [value] })));
    }
}

#[test]
fn promise_9_errors_about_binary_private_keys_quote_nothing() {
    for one in specimens() {
        let mut shown = Shown::default();
        for (_, form) in binary_forms(one) {
            for bytes in broken(&form) {
                read_binary(&mut shown, &bytes);
            }
        }
        for secret in &one.parts {
            for bytes in broken(secret.expose_secret()) {
                read_binary(&mut shown, &bytes);
            }
        }
        assert!(shown.values() > 1000, "{}", shown.values());
        shown.assert_free_of(&one.parts);
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = Base64::encode_string(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

#[test]
fn promise_9_errors_about_pem_private_keys_quote_nothing() {
    const LABELS: [&str; 7] = [
        "PRIVATE KEY",
        "EC PRIVATE KEY",
        "RSA PRIVATE KEY",
        "PUBLIC KEY",
        "ENCRYPTED PRIVATE KEY",
        "CERTIFICATE",
        "SOMETHING ELSE",
    ];
    for one in specimens() {
        let mut shown = Shown::default();
        for (right, form) in binary_forms(one) {
            for label in LABELS {
                read_pem(&mut shown, &pem(label, &form));
            }
            for bytes in broken(&form) {
                read_pem(&mut shown, &pem(right, &bytes));
            }
            let pem = pem(right, &form);
            let (middle, line) = (pem.len() / 2, pem.lines().nth(1).unwrap());
            for text in [
                format!("Key: {line}\n{pem}"),
                format!("{pem}{line}"),
                format!("{pem}{pem}"),
                pem.replace("-----END", "----END"),
                pem.replace("-----BEGIN", "-----"),
                pem.replacen('\n', " ", 2),
                pem.lines().rev().collect::<Vec<_>>().join("\n"),
                format!("{}!{}", &pem[..middle], &pem[middle..]),
                format!("{}é{}", &pem[..middle], &pem[middle..]),
                pem[..middle].to_owned(),
                pem[middle..].to_owned(),
                line.to_owned(),
            ] {
                read_pem(&mut shown, &text);
            }
        }
        if one.soft.public_key().is_some() {
            shown.assert_free_of(&one.parts);
        }
    }
}

/// A JWK with one member changed, in every way that a member can be wrong.
fn wrong_members(jwk: &str) -> Vec<String> {
    let object: Value = serde_json::from_str(jwk).unwrap();
    let members = object.as_object().unwrap();
    let mut wrong = Vec::new();
    for (name, value) in members {
        let text = value.as_str().unwrap();
        for changed in [
            json!([text]),
            json!({ "value": text }),
            json!(format!("{text}=")),
            json!(format!("{text}!")),
            json!(format!("{text}AAAA")),
            json!(&text[..text.len() - 1]),
            json!(format!(" {text}")),
            json!(""),
            json!(7),
            Value::Null,
        ] {
            let mut members = members.clone();
            members.insert(name.clone(), changed);
            wrong.push(Value::Object(members).to_string());
        }
        let mut fewer = members.clone();
        fewer.remove(name);
        wrong.push(Value::Object(fewer).to_string());
        wrong.push(jwk.replacen('{', &format!(r#"{{"{name}":{value},"#), 1)); // there twice
    }
    wrong
}

#[test]
fn promise_9_errors_about_private_and_symmetric_jwks_quote_nothing() {
    for one in specimens() {
        let jwk = one.jwk();
        let mut shown = Shown::default();
        read_jwk(&mut shown, &jwk);
        for wrong in wrong_members(&jwk) {
            read_jwk(&mut shown, &wrong);
        }
        let (middle, d) = (jwk.len() / 2, jwk.find(r#""d":"#).or_else(|| jwk.find(r#""k":"#)).unwrap());
        for text in [
            format!("[{jwk}]"),
            format!("{jwk}{jwk}"),
            format!("{jwk},"),
            jwk[..middle].to_owned(),
            jwk[..d + 20].to_owned(),
            jwk[d..].to_owned(),
            jwk.replace(r#""d":""#, r#""d":"\u0041"#),
            jwk.replace(r#""d":"#, r#""D":"#),
            jwk.replace(r#""d":"#, r#""priv":"#),
            jwk.replace(r#""d":"#, r#""oth":"#),
            jwk.replace(r#""d":"#, r#""x":"#),
            jwk.replace(r#""d":"#, r#""key_ops":"#),
            jwk.replace(r#""k":"#, r#""d":"#),
        ] {
            read_jwk(&mut shown, &text);
        }
        assert!(shown.values() > 1000, "{}", shown.values());
        shown.assert_free_of(&one.parts);
    }
}

/// A JWK that was encoded twice is a string; so is a bare secret where a JWK should be.
#[test]
fn promise_9_errors_about_a_jwk_that_is_a_string_quote_nothing() {
    for one in specimens() {
        let mut shown = Shown::default();
        let jwk = one.jwk();
        read_jwk(&mut shown, &Value::String(jwk.clone()).to_string());
        shown.error_of(serde_json::from_str::<JwkSet>(&json!({ "keys": jwk }).to_string()));
        shown.error_of(serde_json::from_value::<JwkSet>(json!({ "keys": { "d": jwk } })));
        shown.assert_free_of(&one.parts);
    }
}

#[tokio::test]
async fn promise_9_a_provider_that_refuses_an_import_quotes_nothing() {
    let provider = LocalKeyProvider::new();
    let mut shown = Shown::default();
    let mut secrets: Vec<SecretBytes> = Vec::new();
    for one in specimens() {
        secrets.extend(one.parts.clone());
        for other in specimens().iter().filter(|other| other.alg.key_type() != one.alg.key_type()) {
            let refused = provider.import_key(&other.spec(), one.secret.clone().into()).await;
            shown.error(&refused.unwrap_err());
        }
        let SecretMaterial::Private(key) = &one.secret else { continue };
        let stranger = SoftKey::generate(one.alg, None).unwrap();
        let halves = key.clone().with_public_key(stranger.public_key().unwrap().clone());
        shown.error(&provider.import_key(&one.spec(), KeyMaterial::Private(halves)).await.unwrap_err());
    }
    shown.assert_free_of(&secrets);
}
