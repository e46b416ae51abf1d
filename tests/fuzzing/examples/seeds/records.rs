//! Records of stores: sealed keys, and the mirror's state.

use serde_json::{Value, json};
use swarmauri_cbor::to_vec;
use swarmauri_keyproviders_fuzzing::sealing;
use swarmauri_keys::{ExportPolicy, KeyAlg, KeySpec};

use crate::keys::pairs;
use crate::{Seed, named};

pub(crate) fn seeds() -> Vec<Seed> {
    [sealed(), mirrored()].concat()
}

fn sealed() -> Vec<Seed> {
    let with = |kind: &[u8], rest: &[u8]| [kind, rest].concat();
    let sample = sealing::sample();
    let mut seeds = vec![
        named("sealed_record", "record", with(b"R", &sealing::record(1, &sample))),
        named("sealed_record", "header", with(b"H", &sealing::header())),
        named("sealed_record", "unchanged", b"X"),
        named("sealed_record", "changed", b"X\x00\x05\x01\x00\x30\x80"),
        named("sealed_record", "body", with(b"B\0\0\0\0\0\0\0\x01", &sample)),
    ];
    for (name, sequence, body, material) in bodies() {
        let text = sealing::text(&to_vec(&body).unwrap(), &material);
        let input = [b"B", &u64::to_be_bytes(sequence)[..], &text].concat();
        seeds.push(named("sealed_record", &format!("body-{name}"), input));
    }
    seeds
}

/// Keys with several versions, public ones, destroyed ones, and numbers at their ends.
fn bodies() -> Vec<(&'static str, u64, Value, Vec<u8>)> {
    let mut bodies = Vec::new();
    let body = |sequence: u64, last: u32, versions: Vec<Value>| json!({ "format": 1, "kid": sealing::KID, "sequence": sequence, "last": last, "versions": versions });
    let version = |number: u32, alg, fingerprint: &str, form: &str, len: usize| {
        let spec = KeySpec::builder(alg).export_policy(ExportPolicy::SecretWhenAllowed);
        let spec =
            spec.label("a label").tag("env", "test").kid(sealing::KID.parse().unwrap()).build().unwrap();
        json!({ "version": number, "spec": spec, "state": "enabled", "fingerprint": fingerprint,
            "encryptions": 0, "form": form, "len": len })
    };
    for (name, alg, key) in pairs() {
        let (pkcs8, public) = (key.to_pkcs8_der(), key.public_key().unwrap());
        let (spki, print) = (public.to_spki_der(), public.thumbprint());
        let private = version(1, alg, print.as_str(), "pkcs8", pkcs8.len());
        let public = version(7, alg, print.as_str(), "spki", spki.len());
        bodies.push((name, 1, body(1, 1, vec![private.clone()]), pkcs8.expose_secret().to_vec()));
        if name == "ed25519" {
            let both = [pkcs8.expose_secret(), &spki].concat();
            bodies.push(("two", 9, body(9, u32::MAX, vec![private, public]), both));
        }
    }
    // RFC 8037 appendix A.3 with another last character: of no key.
    let other = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS40";
    let wrong = version(1, KeyAlg::Aes256Gcm, other, "octets", 32);
    bodies.push(("of-another-key", 1, body(1, 1, vec![wrong]), vec![0x42; 32]));
    bodies.push(("destroyed", 3, body(3, 2, Vec::new()), Vec::new()));
    bodies.push(("last", u64::MAX, body(u64::MAX, 1, Vec::new()), Vec::new()));
    bodies
}

fn mirrored() -> Vec<Seed> {
    let print = pairs()[0].2.public_key().unwrap().thumbprint();
    let facts = json!({ "fingerprint": print, "alg": "ED25519" });
    let other = json!({ "fingerprint": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS40", "alg": "ED25519" });
    let calm = json!({ "attempts": 0, "last_error": null });
    let troubled = json!({ "attempts": 3, "last_error": "it was out" });
    let mirrored = json!({ "mirrored": { "at": "r.1", "fidelity": "full", "key": facts } });
    let wrong = json!({ "mirrored": { "at": "r.1", "fidelity": "public_only", "key": other } });
    let pending = json!({ "pending": { "key": facts, "attempted": true, "trouble": troubled } });
    let kept = json!({ "kept": { "key": facts, "reason": "no_public_part" } });
    let going =
        json!({ "destroying": { "was": mirrored, "asked": 1, "primary_gone": true, "trouble": calm } });
    let asked =
        json!({ "destroying": { "was": null, "asked": 2, "primary_gone": false, "trouble": troubled } });
    let gone = json!({ "destroyed": { "fingerprint": print } });
    let off = json!({ "primary": "Disabled", "followed": false, "trouble": calm });
    let unknown = json!({ "primary": "Unknown", "followed": true, "trouble": troubled });
    let records = [
        ("mirrored", json!({ "whole": "live", "versions": { "1": mirrored } })),
        ("wrong", json!({ "whole": "live", "versions": { "1": wrong, "2": mirrored } })),
        (
            "pending",
            json!({ "whole": "live", "versions": { "1": mirrored, "2": pending }, "intent": "rotate" }),
        ),
        ("kept", json!({ "whole": "live", "versions": { "1": mirrored, "2": kept } })),
        (
            "going",
            json!({ "whole": "live", "versions": { "1": going, "2": asked, "3": gone, "4": mirrored } }),
        ),
        ("destroying", json!({ "whole": { "destroying": { "asked": 1 } }, "versions": { "1": mirrored } })),
        ("destroyed", json!({ "whole": "destroyed", "versions": { "1": mirrored, "2": gone } })),
        ("off", json!({ "whole": "live", "versions": { "1": mirrored }, "switches": { "1": off } })),
        (
            "unknown",
            json!({ "whole": "live", "versions": { "1": mirrored, "2": pending }, "switches": { "1": unknown, "2": off },
                "restoring": [1, 2], "intent": "create" }),
        ),
    ];
    let written = |record: Value| json!({ "format": 1, "record": record }).to_string();
    let mut seeds: Vec<_> =
        records.into_iter().map(|(name, record)| named("mirror_record", name, written(record))).collect();
    seeds.push(named("mirror_record", "intent", b"intent/a-tag\0"));
    seeds.push(named("mirror_record", "complete", b"complete\0"));
    let other = [b"key/other\0", written(json!({ "whole": "destroyed" })).as_bytes()].concat();
    seeds.push(named("mirror_record", "of-another", other));
    seeds
}
