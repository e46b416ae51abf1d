//! From a COSE_Key to a JWK.

use std::borrow::Cow;

use swarmauri_keys::{Jwk, P256Point, PublicKey, RsaPublicKey};

use super::Error;
use super::registry::{
    ALG, ALGORITHMS, CRV, E, EC2, ED25519, KEY_OPS, KID, KTY, N, OKP, OPERATIONS, P_256, RSA, SYMMETRIC, X,
    X25519, Y, check_operations, private_labels,
};
use crate::Value;

pub(super) fn key(value: &Value) -> Result<Jwk, Error> {
    let members = Members(value.as_map().ok_or(Error::NotAKey)?);
    let kty = members.integer(KTY, "kty")?;
    members.refuse_secrets(kty)?;
    let key = match kty {
        OKP => octet_key_pair(&members)?,
        EC2 => elliptic_curve(&members)?,
        RSA => rsa(&members)?,
        _ => return Err(Error::unsupported("kty", kty.to_string())),
    };
    Ok(Jwk {
        kid: members.get(KID).map(kid).transpose()?,
        alg: members.get(ALG).map(|value| algorithm(value, &key)).transpose()?,
        use_: None,
        key_ops: members.get(KEY_OPS).map(operations).transpose()?,
        key,
    })
}

/// RFC 9053 section 7.2.
fn octet_key_pair(members: &Members<'_>) -> Result<PublicKey, Error> {
    match members.integer(CRV, "crv")? {
        ED25519 => Ok(PublicKey::Ed25519(members.octets_32(X, "x")?)),
        X25519 => Ok(PublicKey::X25519(members.octets_32(X, "x")?)),
        crv => Err(Error::unsupported("crv", format!("{crv} of an OKP key"))),
    }
}

/// RFC 9053 section 7.1.1.
fn elliptic_curve(members: &Members<'_>) -> Result<PublicKey, Error> {
    match members.integer(CRV, "crv")? {
        P_256 => {}
        crv => return Err(Error::unsupported("crv", format!("{crv} of an EC2 key"))),
    }
    if let Some(Value::Bool(_)) = members.get(Y) {
        let reason = "a sign bit, that is a compressed point; only uncompressed points are supported";
        return Err(Error::member("y", reason));
    }
    Ok(P256Point { x: members.octets_32(X, "x")?, y: members.octets_32(Y, "y")? }.into())
}

/// RFC 8230 section 4.
fn rsa(members: &Members<'_>) -> Result<PublicKey, Error> {
    let (n, e) = (members.number(N, "n")?, members.number(E, "e")?);
    let key = RsaPublicKey::new(n, e).map_err(|error| Error::member("n or e", error.to_string()))?;
    Ok(PublicKey::Rsa(key))
}

fn kid(value: &Value) -> Result<String, Error> {
    let bytes = value.as_bytes().ok_or_else(|| Error::member("kid", "must be a byte string"))?;
    // A JWK holds text.
    String::from_utf8(bytes.clone()).map_err(|_| Error::member("kid", "must be UTF-8"))
}

fn algorithm(value: &Value, key: &PublicKey) -> Result<Cow<'static, str>, Error> {
    let number = integer(value).ok_or_else(|| Error::unsupported("alg", "not a number"))?;
    let known = ALGORITHMS.iter().find(|known| known.number == number);
    let known = known.ok_or_else(|| Error::unsupported("alg", number.to_string()))?;
    if known.keys.contains(&key.key_type()) {
        Ok(known.name.into())
    } else {
        Err(Error::member("alg", format!("{} is not for {} keys", known.name, key.key_type())))
    }
}

fn operations(value: &Value) -> Result<Vec<String>, Error> {
    let values = value.as_array().ok_or_else(|| Error::member("key_ops", "must be an array"))?;
    let names = values.iter().map(operation).collect::<Result<Vec<_>, _>>()?;
    check_operations(&names)?;
    Ok(names)
}

fn operation(value: &Value) -> Result<String, Error> {
    if let Some(name) = value.as_text() {
        return Ok(name.to_owned());
    }
    let number =
        integer(value).ok_or_else(|| Error::member("key_ops", "must hold numbers and names alone"))?;
    match OPERATIONS.iter().find(|(_, known)| *known == number) {
        Some((name, _)) => Ok((*name).to_owned()),
        None => Err(Error::unsupported("key_ops", number.to_string())),
    }
}

fn integer(value: &Value) -> Option<i64> {
    value.as_integer()?.try_into().ok()
}

/// The entries of a COSE_Key. The decoder has refused repeated labels.
struct Members<'a>(&'a [(Value, Value)]);

impl<'a> Members<'a> {
    fn refuse_secrets(&self, kty: i64) -> Result<(), Error> {
        if kty == SYMMETRIC {
            return Err(Error::Symmetric);
        }
        match private_labels(kty).iter().find(|(label, _)| self.get(*label).is_some()) {
            Some(&(_, member)) => Err(Error::Private { member }),
            None => Ok(()),
        }
    }

    fn get(&self, label: i64) -> Option<&'a Value> {
        self.0.iter().find(|(key, _)| integer(key) == Some(label)).map(|(_, value)| value)
    }

    fn required(&self, label: i64, member: &'static str) -> Result<&'a Value, Error> {
        self.get(label).ok_or_else(|| Error::member(member, "is missing"))
    }

    fn integer(&self, label: i64, member: &'static str) -> Result<i64, Error> {
        let value = self.required(label, member)?;
        integer(value).ok_or_else(|| Error::unsupported(member, "not a number"))
    }

    fn bytes(&self, label: i64, member: &'static str) -> Result<&'a [u8], Error> {
        let value = self.required(label, member)?;
        match value.as_bytes() {
            Some(bytes) => Ok(bytes),
            None => Err(Error::member(member, "must be a byte string")),
        }
    }

    fn octets_32(&self, label: i64, member: &'static str) -> Result<[u8; 32], Error> {
        let bytes = self.bytes(label, member)?;
        bytes
            .try_into()
            .map_err(|_| Error::member(member, format!("must be 32 bytes, these are {}", bytes.len())))
    }

    /// An unsigned number in as few bytes as it takes.
    fn number(&self, label: i64, member: &'static str) -> Result<&'a [u8], Error> {
        match self.bytes(label, member)? {
            [0, ..] => Err(Error::member(member, "must not begin with a zero byte")),
            bytes => Ok(bytes),
        }
    }
}
