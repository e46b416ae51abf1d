//! From a JWK to a COSE_Key.

use swarmauri_keys::{Jwk, PublicKey, quoted};

use super::Error;
use super::registry::{
    ALG, ALGORITHMS, CRV, E, EC2, ED25519, KEY_OPS, KID, KTY, N, OKP, OPERATIONS, P_256, RSA, X, X25519, Y,
    check_operations,
};
use crate::Value;

/// The entries are in no particular order: the encoder sorts them.
pub(super) fn key(jwk: &Jwk) -> Result<Value, Error> {
    // `use` has no place in a COSE_Key.
    let Jwk { key, kid, alg, use_: _, key_ops } = jwk;
    let mut entries = material(key)?;
    if let Some(kid) = kid {
        entries.push((KID, kid.as_bytes().into()));
    }
    if let Some(alg) = alg {
        entries.push((ALG, algorithm(alg, key)?));
    }
    if let Some(key_ops) = key_ops {
        entries.push((KEY_OPS, operations(key_ops)?));
    }
    Ok(Value::Map(entries.into_iter().map(|(label, value)| (label.into(), value)).collect()))
}

fn material(key: &PublicKey) -> Result<Vec<(i64, Value)>, Error> {
    match key {
        PublicKey::Ed25519(x) => Ok(octet_key_pair(ED25519, x)),
        PublicKey::X25519(x) => Ok(octet_key_pair(X25519, x)),
        PublicKey::P256(point) => Ok(vec![
            (KTY, EC2.into()),
            (CRV, P_256.into()),
            (X, point.x.as_slice().into()),
            (Y, point.y.as_slice().into()),
        ]),
        PublicKey::Rsa(rsa) => Ok(vec![(KTY, RSA.into()), (N, rsa.n().into()), (E, rsa.e().into())]),
        _ => Err(Error::unsupported("kty", key.key_type().to_string())),
    }
}

fn octet_key_pair(crv: i64, x: &[u8]) -> Vec<(i64, Value)> {
    vec![(KTY, OKP.into()), (CRV, crv.into()), (X, x.into())]
}

fn algorithm(name: &str, key: &PublicKey) -> Result<Value, Error> {
    let Some(known) = ALGORITHMS.iter().find(|known| known.name == name) else {
        return Err(Error::unsupported("alg", quoted(name).to_string()));
    };
    if !known.keys.contains(&key.key_type()) {
        return Err(Error::member("alg", format!("{name} is not for {} keys", key.key_type())));
    }
    Ok(known.number.into())
}

fn operations(names: &[String]) -> Result<Value, Error> {
    check_operations(names)?;
    let operations = names.iter().map(|name| match OPERATIONS.iter().find(|(known, _)| known == name) {
        Some((_, number)) => (*number).into(),
        None => name.as_str().into(),
    });
    Ok(Value::Array(operations.collect()))
}
