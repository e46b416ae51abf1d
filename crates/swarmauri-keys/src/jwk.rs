//! JSON Web Keys (RFC 7517): public keys only, as a JWKS publishes them.

use std::borrow::Cow;
use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use crate::jwk_members::{Members, refuses_unquoted};
use crate::{
    KeyAlg, KeyError, KeyType, KeyVersion, KeyVersionId, P256Point, PublicKey, RsaPublicKey, quoted,
};

/// A public JSON Web Key.
///
/// Serialises its members in the order of canonical JSON (RFC 8785), and where the format is not for humans in
/// that of deterministic CBOR (RFC 8949 section 4.2.1). Reading ignores members it does not know (RFC 7517
/// section 4), and refuses symmetric keys, private members, and a member that is there twice: private and
/// symmetric keys are read by [`KeyMaterial::from_jwk`](crate::KeyMaterial::from_jwk).
#[derive(Clone, PartialEq, Eq)]
pub struct Jwk {
    /// The key itself: `kty` with `crv`, `x`, `y` or `n`, `e`.
    pub key: PublicKey,
    /// `kid`: `"<kid>.<version>"` in our documents, anything in those of others.
    pub kid: Option<String>,
    /// `alg`: the algorithm the key is meant for.
    pub alg: Option<Cow<'static, str>>,
    /// `use`: `"sig"` or `"enc"`.
    pub use_: Option<Cow<'static, str>>,
    /// `key_ops`; ours have `use` instead (RFC 7517 section 4.3 says not to have both).
    pub key_ops: Option<Vec<String>>,
}

/// A JSON Web Key Set (RFC 7517 section 5).
///
/// Reading skips keys of a type or curve it does not know, keys that lack members, and keys whose values are
/// out of range, as that section advises; a key with private members is an error.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct JwkSet {
    /// The keys; ours are sorted by `kid`, then by version.
    pub keys: Vec<Jwk>,
}

impl Jwk {
    /// The JWK that publishes this version of a key: all members, `kid` = `"<kid>.<version>"`.
    pub fn published(id: &KeyVersionId, alg: KeyAlg, key: PublicKey) -> Self {
        Self {
            key,
            kid: Some(id.to_text()),
            alg: Some(alg.jose_alg().into()),
            use_: Some(alg.jwk_use().into()),
            key_ops: None,
        }
    }

    /// The version of a key that this JWK publishes, if its `kid` has our form.
    pub fn version_id(&self) -> Option<KeyVersionId> {
        self.kid.as_deref()?.parse().ok()
    }

    /// The same without a copy, the `kid` as it stands there: in this order documents of ours are sorted.
    pub fn kid_and_version(&self) -> Option<(&str, KeyVersion)> {
        let (kid, version) = self.kid.as_deref()?.rsplit_once('.')?;
        Some((kid, version.parse().ok()?))
    }

    fn from_members(members: &Members) -> Result<Self, KeyError> {
        members.refuse_secrets()?;
        Ok(Self {
            key: public_key(members)?,
            kid: members.text("kid")?.map(str::to_owned),
            alg: members.text("alg")?.map(|alg| alg.to_owned().into()),
            use_: members.text("use")?.map(|use_| use_.to_owned().into()),
            key_ops: members.texts("key_ops")?,
        })
    }
}

/// The type of key that `kty` and `crv` name.
pub(crate) fn key_type(members: &Members) -> Result<KeyType, KeyError> {
    let kty = members.required_text("kty")?;
    let crv = match kty {
        "OKP" | "EC" => members.required_text("crv")?,
        _ => "",
    };
    match (kty, crv) {
        ("oct", _) => Ok(KeyType::Octets),
        ("RSA", _) => Ok(KeyType::Rsa),
        ("EC", "P-256") => Ok(KeyType::P256),
        ("OKP", "Ed25519") => Ok(KeyType::Ed25519),
        ("OKP", "X25519") => Ok(KeyType::X25519),
        ("EC" | "OKP", _) => Err(KeyError::invalid_input(format!(
            "unsupported JWK curve {} for kty {kty:?}; supported are EC P-256, OKP Ed25519 and OKP X25519",
            quoted(crv)
        ))),
        _ => Err(KeyError::invalid_input(format!(
            "unsupported JWK kty {}; supported are RSA, EC, OKP, and oct for symmetric keys",
            quoted(kty)
        ))),
    }
}

/// The key that the public members make: RFC 7518 sections 6.2.1 and 6.3.1, RFC 8037 section 2.
pub(crate) fn public_key(members: &Members) -> Result<PublicKey, KeyError> {
    match key_type(members)? {
        KeyType::Octets => Err(KeyError::invalid_input("a symmetric JWK (kty oct) is not a public key")),
        KeyType::Ed25519 => Ok(PublicKey::Ed25519(members.octets_32("x")?)),
        KeyType::X25519 => Ok(PublicKey::X25519(members.octets_32("x")?)),
        KeyType::P256 => Ok(P256Point { x: members.octets_32("x")?, y: members.octets_32("y")? }.into()),
        KeyType::Rsa => RsaPublicKey::new(&members.number("n")?, &members.number("e")?).map(PublicKey::Rsa),
    }
}

impl<'de> Deserialize<'de> for Jwk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_members(&Members::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for JwkSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let keys = deserializer.deserialize_any(SetVisitor)?;
        for (index, key) in keys.iter().enumerate() {
            let here = |error| D::Error::custom(format_args!("keys[{index}]: {error}"));
            key.refuse_secrets().map_err(here)?;
        }
        Ok(Self { keys: keys.iter().filter_map(|key| Jwk::from_members(key).ok()).collect() })
    }
}

struct SetVisitor;

impl<'de> Visitor<'de> for SetVisitor {
    type Value = Vec<Members>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JWK Set, which is an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut keys = None;
        while let Some(name) = map.next_key::<String>()? {
            if name != "keys" {
                map.next_value::<IgnoredAny>()?;
            } else if keys.replace(map.next_value_seed(KeysVisitor)?).is_some() {
                return Err(A::Error::duplicate_field("keys"));
            }
        }
        keys.ok_or_else(|| A::Error::missing_field("keys"))
    }

    refuses_unquoted!("expected a JWK Set, which is an object");
}

struct KeysVisitor;

impl<'de> DeserializeSeed<'de> for KeysVisitor {
    type Value = Vec<Members>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for KeysVisitor {
    type Value = Vec<Members>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the keys of a JWK Set, which are an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut keys = Vec::new();
        while let Some(key) = seq.next_element()? {
            keys.push(key);
        }
        Ok(keys)
    }

    refuses_unquoted!("expected the keys of a JWK Set, which are an array");
}

impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwk").field("kid", &self.kid).field("key", &self.key).finish_non_exhaustive()
    }
}
