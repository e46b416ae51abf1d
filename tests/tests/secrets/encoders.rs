//! Encoders that meet a secret where there should be none say so without quoting it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use swarmauri_cbor::{Value, cose};
use swarmauri_keys::{Jwk, JwkSet, PublicKey, SecretMaterial};

use crate::shown::Shown;
use crate::specimens::{Specimen, specimens};

/// Something that a secret does not fit.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "nothing ever fits it")]
struct Other {
    d: Option<u8>,
    k: Option<Vec<u8>>,
    name: Choice,
}

#[derive(Debug, Deserialize)]
enum Choice {
    One,
}

/// Fails in the middle of a value that holds a secret.
#[derive(Serialize)]
struct Halfway<'a> {
    secret: &'a str,
    not_a_number: f64,
}

fn texts(one: &Specimen) -> Vec<String> {
    let jwk = one.jwk();
    let d = jwk.split('"').max_by_key(|part| part.len()).unwrap();
    let middle = jwk.len() / 2;
    vec![
        jwk.clone(),
        format!("[{jwk}, {jwk}"),
        jwk[..middle].to_owned(),
        json!({ "d": d }).to_string(),
        json!({ "k": d }).to_string(),
        json!({ "name": d }).to_string(),
        json!({ "k": [d] }).to_string(),
        json!(d).to_string(),
        format!(r#"{{"a": "{d}", "a": "{d}"}}"#),
        format!(r#"{{"a": "{d}\u0000\x", "b": 1}}"#),
        format!(r#"{{"a": {d}}}"#),
        d.to_owned(),
    ]
}

#[test]
fn promise_9_errors_of_canonical_json_quote_nothing() {
    for one in specimens() {
        let mut shown = Shown::default();
        for text in texts(one) {
            shown.error_of(swarmauri_jsoncanon::canonicalize(text.as_bytes()));
            shown.error_of(swarmauri_jsoncanon::from_slice::<Other>(text.as_bytes()));
            shown.error_of(swarmauri_jsoncanon::from_slice_canonical::<Other>(text.as_bytes()));
            shown.error_of(swarmauri_jsoncanon::from_slice::<Choice>(text.as_bytes()));
            shown.error_of(swarmauri_jsoncanon::from_slice::<BTreeMap<String, u8>>(text.as_bytes()));
            let halfway = Halfway { secret: &text, not_a_number: f64::NAN };
            shown.error(&swarmauri_jsoncanon::to_vec(&halfway).unwrap_err());
        }
        shown.assert_free_of(&one.parts);
    }
}

#[test]
fn promise_9_errors_of_cbor_quote_nothing() {
    for one in specimens() {
        let mut shown = Shown::default();
        for secret in &one.parts {
            let bytes = secret.expose_secret();
            let fields = [("d", Value::from(bytes)), ("name", Value::from(format!("{bytes:02x?}")))];
            for (name, value) in fields {
                let map = Value::Map(vec![(name.into(), value.clone()), ("k".into(), value)]);
                let encoded = swarmauri_cbor::value_to_vec(&map).unwrap();
                shown.error_of(swarmauri_cbor::from_slice::<Other>(&encoded));
                shown.error_of(swarmauri_cbor::from_slice_deterministic::<Choice>(&encoded));
                shown.error_of(swarmauri_cbor::from_slice::<BTreeMap<String, u8>>(&encoded));
                for cut in [1, encoded.len() / 2, encoded.len() - 1] {
                    shown.error_of(swarmauri_cbor::value_from_slice(&encoded[..cut]));
                    shown.error_of(swarmauri_cbor::from_slice::<Other>(&encoded[cut..]));
                }
            }
            shown.error_of(swarmauri_cbor::from_slice::<Other>(bytes));
            let twice = Value::Map(vec![(bytes.into(), 1.into()), (bytes.into(), 2.into())]);
            shown.error(&swarmauri_cbor::value_to_vec(&twice).unwrap_err());
        }
        shown.assert_free_of(&one.parts);
    }
}

/// RFC 9053 section 7 and RFC 8230 section 4, the private members included.
fn private_cose_key(one: &Specimen) -> Value {
    let entry = |label: i64, value: Value| (Value::from(label), value);
    let d = Value::from(one.parts[0].expose_secret());
    let (x, y) = (Value::from(vec![1; 32]), Value::from(vec![2; 32]));
    Value::Map(match (&one.secret, one.soft.public_key()) {
        (SecretMaterial::Symmetric(_), _) | (_, None) => vec![entry(1, 4.into()), entry(-1, d)],
        (_, Some(PublicKey::P256(_))) => {
            vec![entry(1, 2.into()), entry(-1, 1.into()), entry(-2, x), entry(-3, y), entry(-4, d)]
        }
        (_, Some(PublicKey::Rsa(rsa))) => {
            vec![entry(1, 3.into()), entry(-1, rsa.n().into()), entry(-2, rsa.e().into()), entry(-3, d)]
        }
        _ => vec![entry(1, 1.into()), entry(-1, 6.into()), entry(-2, x), entry(-4, d)],
    })
}

#[test]
fn promise_9_errors_about_private_cose_keys_quote_nothing() {
    for one in specimens() {
        let mut shown = Shown::default();
        let key = private_cose_key(one);
        let encoded = swarmauri_cbor::value_to_vec(&key).unwrap();
        let set = swarmauri_cbor::value_to_vec(&Value::Array(vec![key.clone()])).unwrap();
        shown.error(&cose::key_from_slice(&encoded).unwrap_err());
        shown.error(&cose::keyset_from_slice(&set).unwrap_err());
        let Value::Map(entries) = key else { unreachable!() };
        for at in 0..entries.len() {
            // The secret in the place of each member.
            let mut entries = entries.clone();
            entries[at].1 = one.parts[0].expose_secret().into();
            let wrong = swarmauri_cbor::value_to_vec(&Value::Map(entries)).unwrap();
            shown.error_of(cose::key_from_slice(&wrong));
            shown.error_of(cose::keyset_from_slice(&wrong));
            shown.error_of(swarmauri_cbor::from_slice::<Jwk>(&wrong));
            shown.error_of(swarmauri_cbor::from_slice::<JwkSet>(&wrong));
        }
        shown.assert_free_of(&one.parts);
    }
}
