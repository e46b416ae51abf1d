//! JWEs (RFC 7516) whose keys are wrapped, and whose content is encrypted, by keys where they live.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};
use swarmauri_keyprovider::KeyProvider;
use swarmauri_keys::{Ciphertext, KeyAlg, KeyErrorKind, KeyId, KeyMaterial, KeyVersion};

use crate::keys::material;
use crate::peer::Peer;
use crate::work::{ENABLED, Workshop, octets};

const CONTENT: &str = "the content of a JWE";

/// RSA-OAEP-256: the peer seals to the public JWK of a key that never leaves us.
pub(crate) async fn we_open_what_was_sealed_to_our_rsa_key(peer: &Peer) {
    let shop = Workshop::new();
    let kid = shop.create(KeyAlg::RsaOaepSha256).await;
    let public = serde_json::to_value(shop.0.get_public_jwk(&kid, None).await.unwrap()).unwrap();
    let header = json!({"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": public["kid"]});
    let jwe = Jwe::parse(&seal(peer, &json!({"jwk": public}), &header));
    assert_eq!(jwe.header, header);
    let wrapped = Ciphertext {
        kid,
        version: KeyVersion::FIRST,
        alg: KeyAlg::RsaOaepSha256,
        nonce: Vec::new(),
        ciphertext: jwe.encrypted_key.clone(),
        tag: Vec::new(),
    };
    jwe.assert_opens(&shop, &wrapped).await;
}

/// RSA-OAEP-256: we seal to the public half of a key of the peer.
pub(crate) async fn the_peer_opens_what_we_seal_to_its_rsa_key(peer: &Peer) {
    let (shop, alg) = (Workshop::new(), KeyAlg::RsaOaepSha256);
    let made = peer.ask("generate", alg, json!({}));
    let kid = shop.import(alg, material(alg, "jwk", &made["public"]["jwk"]).unwrap()).await;
    let (content_key, secret) = shop.shared_secret(KeyAlg::Aes256Gcm).await;
    let wrapped = shop.work().wrap_key(&kid, None, &secret).await.unwrap();
    let header = json!({"alg": "RSA-OAEP-256", "enc": "A256GCM"});
    let token = Jwe::make(&shop, &content_key, header, wrapped.ciphertext).await.compact();
    assert_eq!(open(peer, &made["private"]["jwk"], "RSA-OAEP-256", &token).unwrap(), CONTENT);
}

/// A256GCMKW (RFC 7518 section 4.7): nonce and tag of the wrapped key are in the header.
pub(crate) async fn a_jwe_with_a_wrapped_key_opens_on_either_side(peer: &Peer) {
    let shop = Workshop::new();
    let (kid, secret) = shop.shared_secret(KeyAlg::Aes256Gcm).await;
    let jwe = Jwe::parse(&seal(peer, &octets(&secret), &json!({"alg": "A256GCMKW", "enc": "A256GCM"})));
    let wrapped = Ciphertext {
        kid: kid.clone(),
        version: KeyVersion::FIRST,
        alg: KeyAlg::Aes256Gcm,
        nonce: decode(jwe.header["iv"].as_str().unwrap()),
        ciphertext: jwe.encrypted_key.clone(),
        tag: decode(jwe.header["tag"].as_str().unwrap()),
    };
    jwe.assert_opens(&shop, &wrapped).await;

    let (content_key, content_secret) = shop.shared_secret(KeyAlg::Aes256Gcm).await;
    let wrapped = shop.work().wrap_key(&kid, None, &content_secret).await.unwrap();
    let header = json!({
        "alg": "A256GCMKW", "enc": "A256GCM", "iv": encode(&wrapped.nonce), "tag": encode(&wrapped.tag),
    });
    let token = Jwe::make(&shop, &content_key, header, wrapped.ciphertext).await.compact();
    assert_eq!(open(peer, &octets(&secret), "A256GCMKW", &token).unwrap(), CONTENT);
    let (_, other) = shop.shared_secret(KeyAlg::Aes256Gcm).await;
    assert!(open(peer, &octets(&other), "A256GCMKW", &token).is_err());
}

fn seal(peer: &Peer, key: &Value, header: &Value) -> String {
    let request = json!({"op": "seal_jwe", "key": key, "header": header, "content": CONTENT});
    peer.tool.ask(&request).unwrap().as_str().unwrap().to_owned()
}

fn open(peer: &Peer, key: &Value, alg: &str, token: &str) -> Result<Value, String> {
    peer.tool.ask(&json!({"op": "open_jwe", "key": key, "alg": alg, "token": token}))
}

/// The compact serialization (RFC 7516 section 7.1), taken apart.
struct Jwe {
    /// As it was written, which is what is authenticated.
    protected: String,
    header: Value,
    encrypted_key: Vec<u8>,
    iv: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
}

impl Jwe {
    fn parse(token: &str) -> Self {
        let parts: Vec<_> = token.split('.').collect();
        let [protected, encrypted_key, iv, ciphertext, tag] = parts[..] else { panic!("five parts") };
        Self {
            protected: protected.to_owned(),
            header: serde_json::from_slice(&decode(protected)).unwrap(),
            encrypted_key: decode(encrypted_key),
            iv: decode(iv),
            ciphertext: decode(ciphertext),
            tag: decode(tag),
        }
    }

    /// Encrypts the content with a key that we hold.
    async fn make(shop: &Workshop, content_key: &KeyId, header: Value, encrypted_key: Vec<u8>) -> Self {
        let protected = encode(header.to_string().as_bytes());
        let sealed = shop.work().encrypt(content_key, None, CONTENT.as_bytes(), protected.as_bytes()).await;
        let Ciphertext { nonce: iv, ciphertext, tag, .. } = sealed.unwrap();
        Self { protected, header, encrypted_key, iv, ciphertext, tag }
    }

    fn compact(&self) -> String {
        let Self { protected, header: _, encrypted_key, iv, ciphertext, tag } = self;
        let [key, iv, ciphertext, tag] = [encrypted_key, iv, ciphertext, tag].map(|bytes| encode(bytes));
        [protected, &key, &iv, &ciphertext, &tag].map(String::as_str).join(".")
    }

    /// Unwraps the content key, takes it over as a key, and opens the content with that; not under another header.
    async fn assert_opens(&self, shop: &Workshop, wrapped: &Ciphertext) {
        let secret = shop.work().unwrap_key(wrapped, ENABLED).await.unwrap();
        assert_eq!(secret.len(), 32);
        let sealed = Ciphertext {
            kid: shop.import(KeyAlg::Aes256Gcm, KeyMaterial::Symmetric(secret)).await,
            version: KeyVersion::FIRST,
            alg: KeyAlg::Aes256Gcm,
            nonce: self.iv.clone(),
            ciphertext: self.ciphertext.clone(),
            tag: self.tag.clone(),
        };
        let opened = shop.work().decrypt(&sealed, self.protected.as_bytes(), ENABLED).await.unwrap();
        assert_eq!(opened.expose_secret(), CONTENT.as_bytes());
        let other = encode(br#"{"alg":"dir","enc":"A256GCM"}"#);
        let error = shop.work().decrypt(&sealed, other.as_bytes(), ENABLED).await.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::NotAuthentic);
    }
}

fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

fn decode(text: &str) -> Vec<u8> {
    Base64UrlUnpadded::decode_vec(text).unwrap()
}
