//! JSON, CBOR, configuration, names.

use swarmauri_cbor::{Value, to_vec, value_to_vec};

use crate::keys::hex;
use crate::{Seed, named};

/// RFC 8785 section 3.2.2 and appendix B, and what I-JSON refuses.
const JSON: [&str; 9] = [
    r#"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#,
    r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}"#,
    "[0,-0,5e-324,-5e-324,1.7976931348623157e308,9007199254740992,-9007199254740992,295147905179352830000]",
    "[9.999999999999997e22,1e+23,1.0000000000000001e23,999999999999999700000,999999999999999900000,1e+21]",
    "[9007199254740993,18446744073709551615,-9223372036854775808,18446744073709551616]",
    r#"{"a":{"b":[{"c":[[[]]]}]},"a":1}"#,
    r#""\ud800""#,
    "  [ 1 , { \"z\" : 1 , \"a\" : { } } ]\r\n",
    "\"\u{2028}\u{7f}\u{e000}\"",
];

const CONFIG: [&str; 16] = [
    r#"{"type":"LocalKeyProvider"}"#,
    r#"{"type":"local","max_encryptions":1000}"#,
    r#"{"type":"FileKeyProvider","path":"keys/a.redb","sealing_key":{"file":"a.key"},"max_encryptions":4294967296}"#,
    r#"{"type":"file","path":"a","sealing_key":{"passphrase_env":"NOT_SET"}}"#,
    r#"{"type":"MirroredKeyProvider","primary":{"type":"LocalKeyProvider"},"secondary":{"type":"local"},"mode":"full","fail_open_reads":false,"jwks_merge":"replicas_only","on_primary_loss":"refuse","repairs_at_once":4}"#,
    r#"{"type":"mirrored","primary":{"type":"mirrored","primary":{"type":"local"},"secondary":{"type":"local"}},"secondary":{"type":"local"},"mirror_mode":"none"}"#,
    r#"{"type":"MirroredKeyProvider","primary":{"type":"LocalKeyProvider"},"secondary":{"type":"LocalKeyProvider"},"state":{"path":"state.redb"}}"#,
    r#"{"type":"mirrored","primary":{"type":"Unknown","password":"correct horse battery"},"secondary":{"type":"local"}}"#,
    r#"{"type":"mirrored","primary":"local","secondary":["local"],"mode":"public_only"}"#,
    r#"{"type":"LocalKeyProvider","max_encryptions":"many many many many"}"#,
    r#"{"type":"mirrored","primary":{"type":"local"},"secondary":{"type":"local"},"fail_open_reads":"correct horse battery"}"#,
    r#"{"type":"mirrored","primary":{"type":"local"},"secondary":{"type":"local"},"state":4815162342,"repairs_at_once":0}"#,
    r#"{"type":"file","path":4711.5,"sealing_key":"correct horse battery"}"#,
    r#"{"type":"file","path":"a","sealing_key":{"env":["correct horse battery"],"file":-4711}}"#,
    r#"{"type":7}"#,
    r#"{"type":"local","type":"file"}"#,
];

const NAMES: [&str; 16] = [
    "LocalKeyProvider:signing@2",
    "alice%40example.com",
    "a%3Ab%25c@4294967295",
    "signing.1",
    "a.b.12",
    "000102030405060708090a0b0c0d0eff",
    "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    "ECDSA_P256_SHA256",
    "secret_when_allowed",
    "mirror:public_only",
    "unwrap_key",
    "asym",
    "X25519",
    "public_only_fallback",
    "disabled",
    "clé de signature",
];

const VALUES: [&str; 9] = [
    r#"{"alg":"ED25519"}"#,
    r#"{"class":"asym","alg":"RSA_OAEP_SHA256","uses":["encrypt","decrypt","wrap","unwrap"],"export_policy":"none","size_bits":4096,"label":"a label","tags":{"env":"test","mirror.source":"k.1"},"kid":"k"}"#,
    r#"{"alg":"AES256_GCM","uses":["encrypt"],"export_policy":"secret_when_allowed","size_bits":null,"label":null,"tags":{"a":"b"}}"#,
    r#"{"kid":"k","version":2,"alg":"AES256_GCM","nonce":"AQIDBAUGBwgJCgsM","ciphertext":"AgM","tag":"AAECAwQFBgcICQoLDA0ODw"}"#,
    r#"{"kid":"k","version":1,"alg":"ED25519","signature":"AQID"}"#,
    r#"{"cursor":"where","limit":10}"#,
    r#"{"items":[{"kid":"k","version":3,"alg":"ED25519","class":"asym","uses":["sign","verify"],"state":"enabled","export_policy":"public_only","label":null,"tags":{},"fingerprint":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"}],"next":null}"#,
    r#"{"create":["ED25519","X25519"],"import":["AES256_GCM"],"import_public":[],"operations":{"sign":["ED25519"]},"features":["rotate","mirror:full"]}"#,
    r#"{"env":"test","":"x"}"#,
];

/// RFC 8949 appendix A, the uncommon ones above all.
const CBOR: [&str; 24] = [
    "1bffffffffffffffff",
    "c249010000000000000000",
    "3bffffffffffffffff",
    "c349010000000000000000",
    "f98000",
    "fb3ff199999999999a",
    "f97e00",
    "fa7fc00000",
    "fb7ff0000000000000",
    "f0",
    "f7",
    "f8ff",
    "c074323031332d30332d32315432303a30343a30305a",
    "d818456449455446",
    "5f42010243030405ff",
    "7f657374726561646d696e67ff",
    "9f018202039f0405ffff",
    "bf61610161629f0203ffff",
    "a201020304",
    "a26161016162820203",
    "826161f5",
    "83018202039f0405ff",
    "a2614201614101",
    "1801",
];

pub(crate) fn seeds() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (target, texts) in [
        ("canonical_json", &JSON[..]),
        ("config", &CONFIG[..]),
        ("key_reference", &NAMES[..]),
        ("values", &VALUES[..]),
    ] {
        let numbered = texts.iter().enumerate();
        seeds.extend(numbered.map(|(number, text)| named(target, &format!("{number:02}"), text)));
    }
    for (number, item) in CBOR.iter().enumerate() {
        seeds.push(named("cbor", &format!("{number:02}"), hex(item)));
    }
    // Deep, and in the form of a key.
    let deep = (0..90).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    seeds.push(named("cbor", "deep", value_to_vec(&deep).unwrap()));
    seeds.push(named(
        "cbor",
        "map",
        to_vec(&serde_json::json!({"kty": 1, "crv": -6, "x": [1.5, null]})).unwrap(),
    ));
    seeds.push(named("canonical_json", "deep", "[".repeat(90) + &"]".repeat(90)));
    seeds
}
