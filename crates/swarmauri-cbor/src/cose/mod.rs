//! COSE_Key and COSE_KeySet (RFC 9052 section 7), from and to public JSON Web Keys.
//!
//! ```
//! use swarmauri_cbor::cose;
//! use swarmauri_keys::{Jwk, KeyAlg, KeyId, KeyVersion, PublicKey};
//!
//! let id = KeyId::new("a")?.at(KeyVersion::FIRST);
//! let jwk = Jwk::published(&id, KeyAlg::Ed25519, PublicKey::Ed25519([7; 32]));
//!
//! // kty OKP, kid "a.1", alg EdDSA, crv Ed25519, x
//! let encoded = cose::key_to_vec(&jwk)?;
//! assert!(encoded.starts_with(b"\xa5\x01\x01\x02\x43a.1\x03\x27\x20\x06\x21\x58\x20\x07\x07"));
//!
//! let read = cose::key_from_slice(&encoded)?;
//! assert_eq!(read, Jwk { use_: None, ..jwk });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | JWK | COSE_Key | |
//! | --- | --- | --- |
//! | `kty` | 1 | OKP 1, EC2 2 (RFC 9053 section 7), RSA 3 (RFC 8230 section 4) |
//! | `kid` | 2 | its UTF-8 as a byte string |
//! | `alg` | 3 | by the IANA registry; `ECDH-ES` is "ECDH-ES + HKDF-256" |
//! | `key_ops` | 4 | by number where one is registered, else by name |
//! | `crv` | -1 | P-256 1, X25519 4, Ed25519 6 |
//! | `x`, `y` | -2, -3 | byte strings of full length |
//! | `n`, `e` | -1, -2 | byte strings without leading zeros |
//!
//! COSE has no `use`: it is left out, and `alg` tells the same. Writing is deterministic; reading takes any
//! valid CBOR, and ignores labels it does not know. Compressed points, private and symmetric keys are
//! refused. That a point lies on its curve is checked by whoever imports the key.

mod error;
mod read;
mod registry;
mod write;

use swarmauri_keys::{Jwk, JwkSet};

pub use error::Error;

use crate::output::Output;
use crate::value_from_slice;

/// The media type of a COSE_Key (RFC 9052 section 11.3.2).
pub const KEY_MEDIA_TYPE: &str = "application/cose-key";

/// The media type of a COSE_KeySet (RFC 9052 section 11.3.2).
pub const KEYSET_MEDIA_TYPE: &str = "application/cose-key-set";

/// The COSE_Key of a public key, deterministically encoded.
///
/// # Errors
///
/// If `alg` has no COSE number or does not fit the key, or `key_ops` is empty or repeats itself.
pub fn key_to_vec(jwk: &Jwk) -> Result<Vec<u8>, Error> {
    let mut out = Output::default();
    write::key(jwk, &mut out)?;
    Ok(out.finish()?)
}

/// The COSE_KeySet of public keys, in their order, deterministically encoded.
///
/// # Errors
///
/// Those of [`key_to_vec`], with the place in the set; [`Error::EmptySet`], since COSE has no empty set.
pub fn keyset_to_vec(set: &JwkSet) -> Result<Vec<u8>, Error> {
    if set.keys.is_empty() {
        return Err(Error::EmptySet);
    }
    let mut out = Output::default();
    let mut array = out.begin_array(set.keys.len())?;
    for (index, jwk) in set.keys.iter().enumerate() {
        array.another();
        write::key(jwk, &mut out).map_err(|error| error.at(index))?;
    }
    out.end_array(&array);
    Ok(out.finish()?)
}

/// Reads a public COSE_Key.
///
/// # Errors
///
/// If the input is not CBOR or no COSE_Key, or the key is private, symmetric, of a type, curve or algorithm
/// that is not supported, or has members that are missing or of the wrong form.
pub fn key_from_slice(input: &[u8]) -> Result<Jwk, Error> {
    read::key(&value_from_slice(input)?)
}

/// Reads a COSE_KeySet of public keys.
///
/// Keys that are malformed or not supported are skipped (RFC 9052 section 7), so that the answer may be
/// empty; private and symmetric keys are not skipped: whoever publishes one should hear of it.
///
/// # Errors
///
/// If the input is not CBOR or no COSE_KeySet, or holds a private or symmetric key.
pub fn keyset_from_slice(input: &[u8]) -> Result<JwkSet, Error> {
    let value = value_from_slice(input)?;
    let elements = value.as_array().ok_or(Error::NotAKeySet)?;
    if elements.is_empty() {
        return Err(Error::EmptySet);
    }
    let mut keys = Vec::new();
    for (index, element) in elements.iter().enumerate() {
        match read::key(element) {
            Ok(jwk) => keys.push(jwk),
            Err(error) if error.is_secret() => return Err(error.at(index)),
            Err(_) => {}
        }
    }
    Ok(JwkSet { keys })
}
