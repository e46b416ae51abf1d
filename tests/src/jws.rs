//! Tokens signed with keys where they live.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};
use swarmauri_keyprovider::KeyOperations;
use swarmauri_keys::{KeyAlg, KeyError, KeyVersionId};

/// A compact JWS (RFC 7515 section 7.1) over the claims, as the JSON text of them.
///
/// The header names the `kid` under which the key is published, and so its version: it is known before it signs.
///
/// # Errors
///
/// Those of [`KeyOperations::sign`], or, for HMAC, of [`KeyOperations::mac`].
pub async fn sign_compact(
    work: &dyn KeyOperations,
    id: &KeyVersionId,
    alg: KeyAlg,
    claims: &Value,
) -> Result<String, KeyError> {
    let header = json!({"alg": alg.jose_alg(), "kid": id.to_string()});
    let input = format!("{}.{}", base64url(header.to_string()), base64url(claims.to_string()));
    let signature = match alg {
        KeyAlg::HmacSha256 => work.mac(&id.kid, Some(id.version), input.as_bytes()).await?,
        _ => work.sign(&id.kid, Some(id.version), input.as_bytes()).await?,
    };
    Ok(format!("{input}.{}", base64url(signature.bytes)))
}

/// What a compact JWS signs, and the bytes of its signature; `None` if it is no such thing.
pub fn signed_part(token: &str) -> Option<(&str, Vec<u8>)> {
    let (input, signature) = token.rsplit_once('.')?;
    Some((input, Base64UrlUnpadded::decode_vec(signature).ok()?))
}

fn base64url(bytes: impl AsRef<[u8]>) -> String {
    Base64UrlUnpadded::encode_string(bytes.as_ref())
}
