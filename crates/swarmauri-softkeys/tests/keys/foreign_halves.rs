//! A public half that belongs to another key is refused, whatever encoding brings it.

use swarmauri_keys::{KeyAlg, KeyMaterial, PrivateKey};
use swarmauri_softkeys::SoftKey;

use crate::support::{from_jwk, jwk, pairs, pkcs8_v2, private, refusal, sec1};

#[test]
fn in_memory() {
    for [key, other] in pairs() {
        let claimed = private(&key).with_public_key(other.public_key().unwrap().clone());
        let reason = refusal(key.alg(), Ok(KeyMaterial::Private(claimed)));
        assert!(reason.contains("the public half does not belong"), "{reason}");
    }
}

#[test]
fn in_a_jwk() {
    for [key, other] in pairs() {
        let (mut ours, theirs) = (jwk(&key), jwk(&other));
        for name in ["x", "y", "n"] {
            if let Some(value) = theirs.get(name) {
                ours[name] = value.clone();
            }
        }
        let reason = refusal(key.alg(), from_jwk(key.alg(), &ours));
        let wanted = if ours.contains_key("n") { "make no usable key" } else { "does not belong" };
        assert!(reason.contains(wanted), "{reason}");
    }
}

#[test]
fn in_pkcs8_version_2() {
    for [key, other] in pairs() {
        let v1 = private(&key).to_pkcs8_der();
        let right = pkcs8_v2(v1.expose_secret(), key.public_key().unwrap());
        let again = SoftKey::import(key.alg(), KeyMaterial::from_der(&right).unwrap()).unwrap();
        assert_eq!(again.fingerprint(), key.fingerprint());

        let wrong = pkcs8_v2(v1.expose_secret(), other.public_key().unwrap());
        let reason = refusal(key.alg(), KeyMaterial::from_der(&wrong));
        // P-256 and RSA have their own inside already.
        assert!(reason.contains("does not belong") || reason.contains("two public halves"), "{reason}");
    }
}

#[test]
fn in_the_ec_private_key_inside_pkcs8_and_in_sec1() {
    let [key, other] = pairs().into_iter().find(|[key, _]| key.alg() == KeyAlg::EcdsaP256Sha256).unwrap();
    let claimed = private(&key).with_public_key(other.public_key().unwrap().clone());
    let pkcs8 = claimed.to_pkcs8_der();
    let sec1 = |public: &SoftKey| sec1(&private(&key), public.public_key().unwrap());
    for der in [pkcs8.expose_secret(), &sec1(&other)] {
        let reason = refusal(key.alg(), KeyMaterial::from_der(der));
        assert!(reason.contains("does not belong"), "{reason}");
    }
    let again = PrivateKey::from_sec1_der(&sec1(&key)).unwrap();
    let again = SoftKey::import(key.alg(), KeyMaterial::Private(again)).unwrap();
    assert_eq!(again.fingerprint(), key.fingerprint());
}
