//! Keys that never leave our provider, and those on the other side: each checks what the other has made.

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};
use swarmauri_keyprovider::{JwksQuery, KeyOperations, KeyProvider};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyproviders_tests::jws::{sign_compact, signed_part};
use swarmauri_keys::{
    Acceptance, Ciphertext, KeyAlg, KeyErrorKind, KeyId, KeyMaterial, KeySpec, KeyType, KeyVersion,
    SecretBytes, VerifyWith,
};

use crate::keys::{SIGNING, kid, material};
use crate::peer::Peer;

pub(crate) const ENABLED: Acceptance = Acceptance::EnabledOnly;
const THIS: VerifyWith = VerifyWith::Version(KeyVersion::FIRST);

/// A provider whose keys stay inside: the policy of all of them is `public_only`.
pub(crate) struct Workshop(pub(crate) LocalKeyProvider);

impl Workshop {
    pub(crate) fn new() -> Self {
        Self(LocalKeyProvider::new())
    }

    pub(crate) fn work(&self) -> &dyn KeyOperations {
        self.0.operations().unwrap()
    }

    /// Makes a key, of the size that is quickest to make.
    pub(crate) async fn create(&self, alg: KeyAlg) -> KeyId {
        let spec = KeySpec::builder(alg).kid(kid(alg));
        let spec = if alg.key_type() == KeyType::Rsa { spec.size_bits(2048) } else { spec };
        self.0.create_key(&spec.build().unwrap()).await.unwrap();
        kid(alg)
    }

    pub(crate) async fn import(&self, alg: KeyAlg, material: KeyMaterial) -> KeyId {
        self.0.import_key(&KeySpec::new(alg), material).await.unwrap().kid().clone()
    }

    /// A secret that both sides have: as a key in here, and as what the peers are told of it.
    pub(crate) async fn shared_secret(&self, alg: KeyAlg) -> (KeyId, SecretBytes) {
        let secret = self.0.random_bytes(32).await.unwrap();
        (self.import(alg, KeyMaterial::Symmetric(secret.clone())).await, secret)
    }

    async fn jwks(&self) -> Value {
        serde_json::to_value(&*self.0.jwks(&JwksQuery::ALL_LIVE).await.unwrap()).unwrap()
    }
}

pub(crate) fn octets(secret: &SecretBytes) -> Value {
    json!({"jwk": {"kty": "oct", "k": Base64UrlUnpadded::encode_string(secret.expose_secret())}})
}

fn base64(bytes: &[u8]) -> Value {
    Base64::encode_string(bytes).into()
}

fn bytes(value: &Value) -> Vec<u8> {
    Base64::decode_vec(value.as_str().unwrap()).unwrap()
}

/// It verifies tokens of keys that never left the provider, with the JWKS: of the old version and the new.
pub(crate) async fn verifies_what_we_sign(peer: &Peer) {
    let shop = Workshop::new();
    let claims = json!({"sub": "us"});
    for alg in SIGNING {
        let kid = shop.create(alg).await;
        shop.0.rotate_key(&kid, &swarmauri_keys::SpecOverrides::NONE).await.unwrap();
        let jwks = shop.jwks().await;
        for version in shop.0.list_versions(&kid).await.unwrap() {
            let token = sign_compact(shop.work(), &kid.at(version), alg, &claims).await.unwrap();
            let verified = peer.ask("verify", alg, json!({"jwks": jwks, "token": token}));
            assert_eq!(verified, claims, "{alg}");
        }
    }
    let (kid, secret) = shop.shared_secret(KeyAlg::HmacSha256).await;
    let (alg, id) = (KeyAlg::HmacSha256, kid.at(KeyVersion::FIRST));
    let token = sign_compact(shop.work(), &id, alg, &claims).await.unwrap();
    let verified = peer.ask("verify_with", alg, json!({"key": octets(&secret), "token": token}));
    assert_eq!(verified, claims, "{alg}");
}

/// We verify tokens that it signs, with its public key alone.
pub(crate) async fn signs_what_we_verify(peer: &Peer) {
    let shop = Workshop::new();
    let request = |key: &Value| json!({"key": key, "kid": "theirs", "claims": {"sub": "them"}});
    for alg in SIGNING {
        let made = peer.ask("generate", alg, json!({}));
        let public = material(alg, "jwk", &made["public"]["jwk"]).unwrap();
        assert!(matches!(public, KeyMaterial::Public(_)));
        let kid = shop.import(alg, public).await;
        let token = peer.ask("sign", alg, request(&made["private"]["pkcs8_pem"]));
        let (input, signature) = signed_part(token.as_str().unwrap()).unwrap();
        let (work, forged) = (shop.work(), format!("{input}A"));
        let verdict = work.verify(&kid, THIS, input.as_bytes(), &signature, ENABLED).await;
        verdict.unwrap_or_else(|error| panic!("{alg}: {error}"));
        let forged = work.verify(&kid, THIS, forged.as_bytes(), &signature, ENABLED).await.unwrap_err();
        assert_eq!(forged.kind(), KeyErrorKind::NotAuthentic, "{alg}");
    }
    let (kid, secret) = shop.shared_secret(KeyAlg::HmacSha256).await;
    let token = peer.ask("sign", KeyAlg::HmacSha256, request(&octets(&secret)));
    let (input, mac) = signed_part(token.as_str().unwrap()).unwrap();
    shop.work().verify_mac(&kid, THIS, input.as_bytes(), &mac, ENABLED).await.unwrap();
}

/// It checks bare signatures of ours, in the form that they come in.
pub(crate) async fn checks_our_signatures(peer: &Peer) {
    let (shop, message) = (Workshop::new(), b"any bytes at all \x00\xff");
    let check = |alg, key: &Value, message: &[u8], signature: &[u8]| {
        let request = json!({"key": key, "message": base64(message), "signature": base64(signature)});
        peer.try_ask("check_signature", alg, request)
    };
    let assert_checked = |alg, key: &Value, signature: &[u8]| {
        assert_eq!(check(alg, key, message, signature), Ok(json!(true)), "{alg}");
        assert!(check(alg, key, b"other bytes", signature).is_err(), "{alg}");
    };
    for alg in SIGNING {
        let kid = shop.create(alg).await;
        let made = shop.work().sign(&kid, None, message).await.unwrap();
        let jwk = serde_json::to_value(shop.0.get_public_jwk(&kid, None).await.unwrap()).unwrap();
        assert_checked(alg, &json!({"jwk": jwk}), &made.bytes);
    }
    let (kid, secret) = shop.shared_secret(KeyAlg::HmacSha256).await;
    let made = shop.work().mac(&kid, None, message).await.unwrap();
    assert_checked(KeyAlg::HmacSha256, &octets(&secret), &made.bytes);
}

/// AES-GCM with associated data: each opens what the other has sealed.
pub(crate) async fn shares_aes_gcm(peer: &Peer) {
    let (shop, alg) = (Workshop::new(), KeyAlg::Aes256Gcm);
    let (kid, secret) = shop.shared_secret(alg).await;
    let key = base64(secret.expose_secret());
    for (plaintext, aad) in [(&b"plaintext"[..], &b"aad"[..]), (b"", b"aad"), (b"plaintext", b"")] {
        let Ciphertext { nonce, ciphertext, tag, .. } =
            shop.work().encrypt(&kid, None, plaintext, aad).await.unwrap();
        let request = json!({
            "key": key, "nonce": base64(&nonce), "ciphertext": base64(&ciphertext), "tag": base64(&tag),
            "aad": base64(aad),
        });
        assert_eq!(bytes(&peer.ask("open_aes_gcm", alg, request)), plaintext);

        let request = json!({"key": key, "plaintext": base64(plaintext), "aad": base64(aad)});
        let sealed = peer.ask("seal_aes_gcm", alg, request);
        let sealed = Ciphertext {
            kid: kid.clone(),
            version: KeyVersion::FIRST,
            alg,
            nonce: bytes(&sealed["nonce"]),
            ciphertext: bytes(&sealed["ciphertext"]),
            tag: bytes(&sealed["tag"]),
        };
        let opened = shop.work().decrypt(&sealed, aad, ENABLED).await.unwrap();
        assert_eq!(opened.expose_secret(), plaintext);
    }
}

/// RSA-OAEP with and without a label: we seal to its public key alone, and it to ours.
pub(crate) async fn shares_oaep(peer: &Peer) {
    let (shop, alg) = (Workshop::new(), KeyAlg::RsaOaepSha256);
    let ours = shop.create(alg).await;
    let public = serde_json::to_value(shop.0.get_public_jwk(&ours, None).await.unwrap()).unwrap();
    let made = peer.ask("generate", alg, json!({}));
    let theirs = shop.import(alg, material(alg, "jwk", &made["public"]["jwk"]).unwrap()).await;
    for label in [&b""[..], b"a label"] {
        let sealed = shop.work().encrypt(&theirs, None, b"a content key", label).await.unwrap();
        let private = &made["private"]["pkcs8_pem"];
        let request =
            |label| json!({"key": private, "ciphertext": base64(&sealed.ciphertext), "label": base64(label)});
        assert_eq!(bytes(&peer.ask("open_oaep", alg, request(label))), b"a content key");
        assert!(peer.try_ask("open_oaep", alg, request(b"another")).is_err());

        let request = json!({"key": {"jwk": public}, "plaintext": base64(b"theirs"), "label": base64(label)});
        let sealed = Ciphertext {
            kid: ours.clone(),
            version: KeyVersion::FIRST,
            alg,
            nonce: Vec::new(),
            ciphertext: bytes(&peer.ask("seal_oaep", alg, request)),
            tag: Vec::new(),
        };
        let opened = shop.work().decrypt(&sealed, label, ENABLED).await.unwrap();
        assert_eq!(opened.expose_secret(), b"theirs");
        let error = shop.work().decrypt(&sealed, b"another", ENABLED).await.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::NotAuthentic);
    }
}
