//! Private and symmetric JWKs: reading them, and writing them into memory that is wiped.

use zeroize::Zeroizing;

use crate::jwk::{key_type, public_key};
use crate::jwk_members::Members;
use crate::jwk_write::WrittenMembers;
use crate::rsa::{PrivateNumbers, multi_prime};
use crate::{
    KeyAlg, KeyError, KeyMaterial, KeyType, KeyVersionId, PrivateKey, PublicKey, SecretBytes, b64, quoted,
};

/// Reads any JWK meant for this algorithm.
pub(crate) fn read(alg: KeyAlg, json: &[u8]) -> Result<KeyMaterial, KeyError> {
    let members = Members::with_secrets(json)?;
    check_purpose(alg, &members)?;
    let has = |wanted| members.secret_names().any(|name| name == wanted);
    if key_type(&members)? == KeyType::Octets {
        return members.secret_octets("k").map(|octets| KeyMaterial::Symmetric(octets.into()));
    }
    if has("oth") {
        return Err(multi_prime());
    }
    if has("d") {
        return private_key(&members).map(KeyMaterial::Private);
    }
    members.refuse_secrets()?;
    public_key(&members).map(KeyMaterial::Public)
}

/// Writes the JWK of a symmetric key (RFC 7518 section 6.4).
pub(crate) fn write_symmetric(
    secret: &SecretBytes,
    id: &KeyVersionId,
    alg: KeyAlg,
) -> Result<SecretBytes, KeyError> {
    check_type(alg, KeyType::Octets)?;
    let k = b64::encode_secret(secret.expose_secret());
    write(id, alg, vec![("k", k), ("kty", Zeroizing::new("oct".to_owned()))])
}

/// Writes the JWK of a private key with all its members.
pub(crate) fn write_private(
    key: &PrivateKey,
    id: &KeyVersionId,
    alg: KeyAlg,
) -> Result<SecretBytes, KeyError> {
    check_type(alg, key.key_type())?;
    let public = key.public_key().ok_or_else(|| {
        KeyError::invalid_state(
            "a private JWK has the public half too, which is not known; import the key first",
        )
    })?;
    let mut members: Vec<_> =
        WrittenMembers::texts_of_key(public).map(|(name, value)| (name, Zeroizing::new(value))).collect();
    if key.key_type() == KeyType::Rsa {
        let (PrivateNumbers { d, p, q, dp, dq, qi }, _) =
            PrivateNumbers::from_pkcs1_der(key.expose_secret())?;
        let numbers = [("d", d), ("dp", dp), ("dq", dq), ("p", p), ("q", q), ("qi", qi)];
        members.extend(numbers.map(|(name, number)| (name, b64::encode_secret(number))));
    } else {
        members.push(("d", b64::encode_secret(key.expose_secret())));
    }
    write(id, alg, members)
}

/// RFC 7518 sections 6.2.2 and 6.3.2, RFC 8037 section 2.
fn private_key(members: &Members) -> Result<PrivateKey, KeyError> {
    match public_key(members)? {
        PublicKey::Rsa(public) => {
            let number = |name| members.secret_number(name);
            let (d, p, q) = (number("d")?, number("p")?, number("q")?);
            let (dp, dq, qi) = (number("dp")?, number("dq")?, number("qi")?);
            let numbers = PrivateNumbers { d: &d, p: &p, q: &q, dp: &dp, dq: &dq, qi: &qi };
            PrivateKey::from_rsa_numbers(&numbers, public)
        }
        public @ (PublicKey::Ed25519(_) | PublicKey::X25519(_) | PublicKey::P256(_)) => {
            let d = members.secret_octets_32("d")?;
            Ok(PrivateKey::from_raw(public.key_type(), &d)?.with_public_key(public))
        }
    }
}

/// Refuses a JWK whose `kty`, `crv`, `alg` or `use` says that it is for something else.
fn check_purpose(alg: KeyAlg, members: &Members) -> Result<(), KeyError> {
    check_type(alg, key_type(members)?)?;
    if let Some(other) = members.text("alg")?.filter(|other| !names(alg).contains(other)) {
        return Err(KeyError::invalid_input(format!(
            "the JWK is for the algorithm {}, wanted is {alg} ({:?})",
            quoted(other),
            alg.jose_alg()
        )));
    }
    if let Some(other) = members.text("use")?.filter(|other| *other != alg.jwk_use()) {
        return Err(KeyError::invalid_input(format!(
            "the JWK is for the use {}, wanted is {alg}, whose use is {:?}",
            quoted(other),
            alg.jwk_use()
        )));
    }
    Ok(())
}

fn check_type(alg: KeyAlg, found: KeyType) -> Result<(), KeyError> {
    if found == alg.key_type() {
        return Ok(());
    }
    Err(KeyError::invalid_input(format!("{alg} needs a key of type {}, this one is {found}", alg.key_type())))
}

/// The `alg` values that a key of this algorithm may come with.
fn names(alg: KeyAlg) -> &'static [&'static str] {
    match alg {
        KeyAlg::Aes256Gcm => &["A256GCM", "A256GCMKW"],
        // RFC 9864 section 2.2 has the second.
        KeyAlg::Ed25519 => &["EdDSA", "Ed25519"],
        KeyAlg::X25519 => &["ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"],
        KeyAlg::HmacSha256 => &["HS256"],
        KeyAlg::RsaOaepSha256 => &["RSA-OAEP-256"],
        KeyAlg::RsaPssSha256 => &["PS256"],
        KeyAlg::EcdsaP256Sha256 => &["ES256"],
    }
}

/// The JSON text of these members and the usual ones, in canonical form (RFC 8785).
fn write(
    id: &KeyVersionId,
    alg: KeyAlg,
    mut members: Vec<(&'static str, Zeroizing<String>)>,
) -> Result<SecretBytes, KeyError> {
    let text = |text: &str| Zeroizing::new(text.to_owned());
    members.extend([
        ("alg", text(alg.jose_alg())),
        ("kid", text(&id.to_string())),
        ("use", text(alg.jwk_use())),
    ]);
    members.sort_unstable_by_key(|(name, _)| *name);
    // Six bytes are the most that JSON makes of one. All of it at once: a vector that grows leaves copies
    // behind, which nobody wipes.
    let most = members.iter().map(|(name, value)| name.len() + 6 * value.len() + 6).sum::<usize>() + 2;
    let mut json = Zeroizing::new(Vec::with_capacity(most));
    json.push(b'{');
    for (index, (name, value)) in members.iter().enumerate() {
        json.extend_from_slice(if index == 0 { b"\"" } else { b",\"" });
        json.extend_from_slice(name.as_bytes());
        json.extend_from_slice(b"\":");
        serde_json::to_writer(&mut *json, value.as_str()).map_err(|error| {
            KeyError::invalid_state(format!("cannot write the JWK member {name:?}: {error}"))
        })?;
    }
    json.push(b'}');
    Ok(json.into())
}
