//! The members of a public JWK as they are written.

use serde::ser::{Serialize, Serializer};

use crate::{Jwk, PublicKey, b64};

/// In the order of canonical JSON (RFC 8785), so that its encoder has nothing to move.
#[derive(Default, serde::Serialize)]
pub(crate) struct WrittenMembers<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    alg: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<Octets<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_ops: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    kty: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<Octets<'a>>,
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    use_: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<Octets<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<Octets<'a>>,
}

impl<'a> WrittenMembers<'a> {
    /// Those that a thumbprint is made of (RFC 7638 section 3.2), and no others.
    pub(crate) fn of_key(key: &'a PublicKey) -> Self {
        match key {
            PublicKey::Ed25519(x) => Self::octet_key_pair("Ed25519", x),
            PublicKey::X25519(x) => Self::octet_key_pair("X25519", x),
            PublicKey::P256(point) => Self {
                kty: "EC",
                crv: Some("P-256"),
                x: Some(Octets(&point.x)),
                y: Some(Octets(&point.y)),
                ..Self::default()
            },
            PublicKey::Rsa(rsa) => {
                Self { kty: "RSA", n: Some(Octets(rsa.n())), e: Some(Octets(rsa.e())), ..Self::default() }
            }
        }
    }

    fn octet_key_pair(crv: &'static str, x: &'a [u8]) -> Self {
        Self { kty: "OKP", crv: Some(crv), x: Some(Octets(x)), ..Self::default() }
    }

    /// The same members, each as text.
    pub(crate) fn texts_of_key(key: &'a PublicKey) -> impl Iterator<Item = (&'static str, String)> {
        let Self { alg: _, crv, e, key_ops: _, kid: _, kty, n, use_: _, x, y } = Self::of_key(key);
        let names = [("crv", crv), ("kty", Some(kty))];
        let names = names.into_iter().filter_map(|(name, value)| Some((name, value?.to_owned())));
        let octets = [("e", e), ("n", n), ("x", x), ("y", y)];
        names.chain(octets.into_iter().filter_map(|(name, value)| Some((name, b64::encode(value?.0)))))
    }
}

/// The same in the order of deterministic CBOR (RFC 8949 section 4.2.1), where a shorter name comes first.
#[derive(serde::Serialize)]
struct ShortestFirst<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<Octets<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<Octets<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<Octets<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<Octets<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alg: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    kty: &'static str,
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    use_: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_ops: Option<&'a [String]>,
}

impl<'a> From<WrittenMembers<'a>> for ShortestFirst<'a> {
    fn from(members: WrittenMembers<'a>) -> Self {
        let WrittenMembers { alg, crv, e, key_ops, kid, kty, n, use_, x, y } = members;
        Self { e, n, x, y, alg, crv, kid, kty, use_, key_ops }
    }
}

impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { key, kid, alg, use_, key_ops } = self;
        let members = WrittenMembers {
            alg: alg.as_deref(),
            kid: kid.as_deref(),
            use_: use_.as_deref(),
            key_ops: key_ops.as_deref(),
            ..WrittenMembers::of_key(key)
        };
        if serializer.is_human_readable() {
            members.serialize(serializer)
        } else {
            ShortestFirst::from(members).serialize(serializer)
        }
    }
}

/// Written in base64url.
struct Octets<'a>(&'a [u8]);

impl Serialize for Octets<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        b64::with_encoded(self.0, |text| serializer.serialize_str(text))
    }
}
