//! What holds between us and any JOSE library: the tests of each are one line per check.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};
use swarmauri_keyprovider::KeyProvider;
use swarmauri_keys::KeyAlg;

use crate::keys::{
    House, SEALING, SIGNING, asymmetric, import, kid, material, members, private_forms, private_key_of,
    public_forms, public_jwk, published_kid,
};
use crate::tools::Tool;

/// A library on the other side of a pipe.
pub(crate) struct Peer {
    pub(crate) tool: Tool,
    /// Whether it reads and writes keys as DER.
    pub(crate) der: bool,
}

impl Peer {
    /// A request about keys of this algorithm that must succeed.
    pub(crate) fn ask(&self, op: &str, alg: KeyAlg, request: Value) -> Value {
        self.try_ask(op, alg, request).unwrap_or_else(|error| panic!("{op} {alg}: {error}"))
    }

    pub(crate) fn try_ask(&self, op: &str, alg: KeyAlg, mut request: Value) -> Result<Value, String> {
        request["op"] = op.into();
        request["alg"] = alg.jose_alg().into();
        self.tool.ask(&request)
    }

    fn takes(&self, form: &Value) -> bool {
        self.der || form.get("der").is_none()
    }
}

/// It signs with a private key we exported, in each form, and verifies with the JWKS we publish: also after the
/// primary has lost the key, and not once the key is destroyed.
pub(crate) async fn verifies_with_our_jwks(peer: &Peer) {
    let house = House::furnished().await;
    let before = house.jwks().await;
    for alg in SIGNING {
        let claims = json!({"sub": alg.as_str()});
        let private = house.private_key(alg).await;
        let mut token = Value::Null;
        for key in private_forms(&private, alg).into_iter().filter(|form| peer.takes(form)) {
            let request = json!({"key": key, "kid": published_kid(alg), "claims": claims});
            token = peer.ask("sign", alg, request);
            let verified = peer.ask("verify", alg, json!({"jwks": before, "token": token}));
            assert_eq!(verified, claims, "{alg}");
        }

        assert!(house.primary.destroy_key(&kid(alg), None).await.unwrap());
        let after = house.jwks().await;
        assert_eq!(after, before, "the JWKS without {alg} on the primary");
        assert_eq!(peer.ask("verify", alg, json!({"jwks": after, "token": token})), claims);

        let payload = Base64UrlUnpadded::encode_string(br#"{"sub":"mallory"}"#);
        let mut forged: Vec<_> = token.as_str().unwrap().split('.').collect();
        forged[1] = &payload;
        let forged = forged.join(".");
        let refused = peer.try_ask("verify", alg, json!({"jwks": before, "token": forged}));
        assert!(refused.is_err(), "{alg}: a forged token was accepted");
    }
}

/// A token of a key that was destroyed through the mirror is refused.
pub(crate) async fn trusts_no_destroyed_key(peer: &Peer) {
    let house = House::furnished().await;
    for alg in SIGNING {
        let [pem, ..] = private_forms(&house.private_key(alg).await, alg);
        let request = json!({"key": pem, "kid": published_kid(alg), "claims": {}});
        let token = peer.ask("sign", alg, request);
        assert!(house.mirror.destroy_key(&kid(alg), None).await.unwrap());
        let refused = peer.try_ask("verify", alg, json!({"jwks": house.jwks().await, "token": token}));
        assert!(refused.is_err(), "{alg}: a token of a destroyed key was accepted");
    }
}

/// What it seals to a public key of our JWKS opens with the private key we exported.
pub(crate) async fn opens_what_was_sealed_to_our_jwks(peer: &Peer) {
    let house = House::furnished().await;
    let jwks = house.jwks().await;
    for alg in SEALING {
        let keys = jwks["keys"].as_array().unwrap();
        let public = keys.iter().find(|jwk| jwk["kid"] == published_kid(alg).as_str()).unwrap();
        let private = house.private_key(alg).await;
        for key in private_forms(&private, alg).into_iter().filter(|form| peer.takes(form)) {
            let request = json!({"public": {"jwk": public}, "private": key});
            assert_eq!(peer.ask("round_trip", alg, request), json!(true), "{alg}");
        }
    }
}

/// Each form we export is the same key to it as to us.
pub(crate) async fn reads_our_exports_as_we_do(peer: &Peer) {
    let house = House::furnished().await;
    for alg in asymmetric() {
        let public = public_forms(&house.public_key(alg).await, alg);
        let expected = members(&public[2]["jwk"]);
        for form in public.iter().filter(|form| peer.takes(form)) {
            let read = peer.ask("public_jwk", alg, json!({"key": form}));
            assert_eq!(members(&read), expected, "{alg}, public");
        }
        let private = private_forms(&house.private_key(alg).await, alg);
        for form in private.iter().filter(|form| peer.takes(form)) {
            let read = peer.ask("private_jwk", alg, json!({"key": form}));
            assert!(members(&read) == members(&private[2]["jwk"]), "{alg}, private");
        }
    }
}

/// We import what it generates, in each form, and give the same key back.
pub(crate) async fn makes_keys_that_we_import(peer: &Peer) {
    for alg in asymmetric() {
        let made = peer.ask("generate", alg, json!({}));
        let expected = members(&made["public"]["jwk"]["jwk"]);
        for (form, given) in made["public"].as_object().unwrap() {
            let form = if form == "raw" { "raw_public" } else { form };
            let key = import(alg, material(alg, form, given).unwrap()).await;
            let key = key.unwrap_or_else(|error| panic!("{alg}, public {form}: {error}"));
            assert_eq!(public_jwk(&key), expected, "{alg}, public {form}");
        }
        for (form, given) in made["private"].as_object().unwrap() {
            let form = if form == "raw" { "raw_private" } else { form };
            let key = import(alg, material(alg, form, given).unwrap()).await;
            let key = key.unwrap_or_else(|error| panic!("{alg}, private {form}: {error}"));
            assert_eq!(public_jwk(&key), expected, "{alg}, private {form}");
            let back = private_forms(&private_key_of(&key), alg);
            assert!(members(&back[2]["jwk"]) == members(&made["private"]["jwk"]["jwk"]), "{alg}, {form}");
        }
    }
}
