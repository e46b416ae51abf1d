//! From a JWK to a COSE_Key.

use swarmauri_keys::{Jwk, PublicKey, quoted};

use super::Error;
use super::registry::{
    ALG, ALGORITHMS, CRV, E, EC2, ED25519, KEY_OPS, KID, KTY, N, OKP, OPERATIONS, P_256, RSA, X, X25519, Y,
    check_operations,
};
use crate::output::{Map, Output};

/// The entries come in the order of the deterministic encoding, so that none has to be moved.
pub(super) fn key(jwk: &Jwk, out: &mut Output) -> Result<(), Error> {
    // `use` has no place in a COSE_Key.
    let Jwk { key, kid, alg, use_: _, key_ops } = jwk;
    let Material { kty, crv, strings } = material(key)?;
    let mut map = out.begin_map(MEMBERS)?;
    label(out, &mut map, KTY)?;
    out.integer(kty);
    if let Some(kid) = kid {
        label(out, &mut map, KID)?;
        out.byte_string(kid.as_bytes());
    }
    if let Some(alg) = alg {
        label(out, &mut map, ALG)?;
        out.integer(algorithm(alg, key)?);
    }
    if let Some(key_ops) = key_ops {
        label(out, &mut map, KEY_OPS)?;
        operations(key_ops, out)?;
    }
    if let Some(crv) = crv {
        label(out, &mut map, CRV)?;
        out.integer(crv);
    }
    for (name, octets) in strings.into_iter().flatten() {
        label(out, &mut map, name)?;
        out.byte_string(octets);
    }
    Ok(out.end_map(&map)?)
}

/// How many entries most keys have: what is otherwise is put right at the end.
const MEMBERS: usize = 5;

fn label(out: &mut Output, map: &mut Map, label: i64) -> Result<(), Error> {
    out.begin_key(map);
    out.integer(label);
    Ok(out.end_key(map)?)
}

struct Material<'a> {
    kty: i64,
    crv: Option<i64>,
    /// Labels with byte strings.
    strings: [Option<(i64, &'a [u8])>; 2],
}

fn material(key: &PublicKey) -> Result<Material<'_>, Error> {
    let (kty, crv, strings) = match key {
        PublicKey::Ed25519(x) => (OKP, Some(ED25519), [Some((X, x.as_slice())), None]),
        PublicKey::X25519(x) => (OKP, Some(X25519), [Some((X, x.as_slice())), None]),
        PublicKey::P256(point) => {
            (EC2, Some(P_256), [Some((X, point.x.as_slice())), Some((Y, point.y.as_slice()))])
        }
        PublicKey::Rsa(rsa) => (RSA, None, [Some((N, rsa.n())), Some((E, rsa.e()))]),
        _ => return Err(Error::unsupported("kty", key.key_type().to_string())),
    };
    Ok(Material { kty, crv, strings })
}

fn algorithm(name: &str, key: &PublicKey) -> Result<i64, Error> {
    let Some(known) = ALGORITHMS.iter().find(|known| known.name == name) else {
        return Err(Error::unsupported("alg", quoted(name).to_string()));
    };
    if !known.keys.contains(&key.key_type()) {
        return Err(Error::member("alg", format!("{name} is not for {} keys", key.key_type())));
    }
    Ok(known.number)
}

fn operations(names: &[String], out: &mut Output) -> Result<(), Error> {
    check_operations(names)?;
    let mut array = out.begin_array(names.len())?;
    for name in names {
        array.another();
        match OPERATIONS.iter().find(|(known, _)| known == name) {
            Some((_, number)) => out.integer(*number),
            None => out.text(name),
        }
    }
    out.end_array(&array);
    Ok(())
}
