//! Our side: keys in a mirrored provider, exports of them, imports of what others made.

use std::sync::Arc;

use base64ct::{Base64, Encoding};
use serde_json::{Map, Value, json};
use swarmauri_keyprovider::{JwksQuery, KeyProvider, Secrets};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_mirrored::{MirrorMode, MirroredKeyProvider};
use swarmauri_keys::{
    ExportPolicy, Jwk, KeyAlg, KeyError, KeyId, KeyMaterial, KeyRef, KeySpec, KeyType, KeyVersion,
    PrivateKey, PublicKey, SecretMaterial,
};

pub(crate) const SIGNING: [KeyAlg; 3] = [KeyAlg::Ed25519, KeyAlg::EcdsaP256Sha256, KeyAlg::RsaPssSha256];
pub(crate) const SEALING: [KeyAlg; 2] = [KeyAlg::RsaOaepSha256, KeyAlg::X25519];

/// Every algorithm that has a public key.
pub(crate) fn asymmetric() -> impl Iterator<Item = KeyAlg> {
    SIGNING.into_iter().chain(SEALING)
}

/// A mirror with one exportable key of each asymmetric algorithm, and its primary.
pub(crate) struct House {
    pub(crate) mirror: MirroredKeyProvider,
    pub(crate) primary: Arc<LocalKeyProvider>,
}

impl House {
    pub(crate) async fn furnished() -> Self {
        let primary = Arc::new(LocalKeyProvider::new());
        let mirror = MirroredKeyProvider::builder(primary.clone(), Arc::new(LocalKeyProvider::new()));
        let mirror = mirror.mode(MirrorMode::PublicOnly).build().unwrap();
        for alg in asymmetric() {
            mirror.create_key(&spec(alg).with_kid(kid(alg))).await.unwrap();
        }
        Self { mirror, primary }
    }

    pub(crate) async fn private_key(&self, alg: KeyAlg) -> PrivateKey {
        private_key_of(&self.key(alg).await)
    }

    pub(crate) async fn public_key(&self, alg: KeyAlg) -> PublicKey {
        self.key(alg).await.public_key().unwrap().clone()
    }

    pub(crate) async fn jwk(&self, alg: KeyAlg) -> Jwk {
        self.mirror.get_public_jwk(&kid(alg), None).await.unwrap()
    }

    async fn key(&self, alg: KeyAlg) -> KeyRef {
        self.mirror.get_key(&kid(alg), None, Secrets::Include).await.unwrap()
    }

    /// The JWKS as the JSON that a verifier would fetch.
    pub(crate) async fn jwks(&self) -> Value {
        serde_json::to_value(&*self.mirror.jwks(&JwksQuery::LATEST).await.unwrap()).unwrap()
    }
}

/// The bare `kid` that a key of this algorithm has in the house.
pub(crate) fn kid(alg: KeyAlg) -> KeyId {
    KeyId::new(alg.as_str()).unwrap()
}

/// The `kid` under which it is published.
pub(crate) fn published_kid(alg: KeyAlg) -> String {
    kid(alg).at(KeyVersion::FIRST).to_string()
}

/// An exportable key, of the size that is quickest to make.
pub(crate) fn spec(alg: KeyAlg) -> KeySpec {
    let spec = KeySpec::builder(alg).export_policy(ExportPolicy::SecretWhenAllowed);
    let spec = if alg.key_type() == KeyType::Rsa { spec.size_bits(2048) } else { spec };
    spec.build().unwrap()
}

/// The private key in each form that we export, as the peers take it.
pub(crate) fn private_forms(key: &PrivateKey, alg: KeyAlg) -> [Value; 3] {
    let jwk = key.to_jwk(&kid(alg).at(KeyVersion::FIRST), alg).unwrap();
    let pem = key.to_pkcs8_pem();
    [
        json!({"pem": std::str::from_utf8(pem.expose_secret()).unwrap()}),
        json!({"der": Base64::encode_string(key.to_pkcs8_der().expose_secret())}),
        json!({"jwk": serde_json::from_slice::<Value>(jwk.expose_secret()).unwrap()}),
    ]
}

/// The public key in each form that we export, as the peers take it.
pub(crate) fn public_forms(key: &PublicKey, alg: KeyAlg) -> [Value; 3] {
    let jwk = Jwk::published(&kid(alg).at(KeyVersion::FIRST), alg, key.clone());
    [
        json!({"pem": key.to_spki_pem()}),
        json!({"der": Base64::encode_string(&key.to_spki_der())}),
        json!({"jwk": serde_json::to_value(jwk).unwrap()}),
    ]
}

/// Reads a key of any form that the peers make.
pub(crate) fn material(alg: KeyAlg, form: &str, given: &Value) -> Result<KeyMaterial, KeyError> {
    let bytes = |name: &str| Base64::decode_vec(given[name].as_str().unwrap()).unwrap();
    match form {
        "jwk" => KeyMaterial::from_jwk(alg, given["jwk"].to_string().as_bytes()),
        "raw_private" => PrivateKey::from_raw(alg.key_type(), &bytes("raw")).map(KeyMaterial::Private),
        "raw_public" => PublicKey::from_raw(alg.key_type(), &bytes("raw")).map(KeyMaterial::Public),
        _ if given.get("pem").is_some() => KeyMaterial::from_pem(given["pem"].as_str().unwrap()),
        _ => KeyMaterial::from_der(&bytes("der")),
    }
}

/// Imports a key as a provider does it, every check included, and reads it back with its secret if it has one.
pub(crate) async fn import(alg: KeyAlg, material: KeyMaterial) -> Result<KeyRef, KeyError> {
    let provider = LocalKeyProvider::new();
    let secrets = match &material {
        KeyMaterial::Public(_) => Secrets::Omit,
        KeyMaterial::Private(_) | KeyMaterial::Symmetric(_) => Secrets::Include,
    };
    let key = provider.import_key(&spec_of_any_size(alg), material).await?;
    provider.get_key(key.kid(), None, secrets).await
}

fn spec_of_any_size(alg: KeyAlg) -> KeySpec {
    KeySpec::builder(alg).export_policy(ExportPolicy::SecretWhenAllowed).build().unwrap()
}

pub(crate) fn private_key_of(key: &KeyRef) -> PrivateKey {
    match key.secret() {
        Some(SecretMaterial::Private(private)) => private.clone(),
        Some(SecretMaterial::Symmetric(_)) | None => panic!("{} has no private key", key.id()),
    }
}

pub(crate) fn public_jwk(key: &KeyRef) -> Value {
    members(&serde_json::to_value(key.public_jwk().unwrap()).unwrap())
}

/// The members that make the key, without those that say what it is for.
pub(crate) fn members(jwk: &Value) -> Value {
    const KEY: [&str; 12] = ["kty", "crv", "x", "y", "n", "e", "d", "p", "q", "dp", "dq", "qi"];
    let jwk = jwk.as_object().unwrap();
    let kept = jwk.iter().filter(|(name, _)| KEY.contains(&name.as_str()));
    Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>())
}
