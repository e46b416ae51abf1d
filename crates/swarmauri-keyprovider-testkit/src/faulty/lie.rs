//! How lies are told.

use std::sync::Arc;

use swarmauri_keyprovider::{KeyProvider, Secrets};
use swarmauri_keys::{
    Ciphertext, Fingerprint, Jwk, JwkSet, KeyAlg, KeyError, KeyId, KeyRef, KeyRefParts, KeySummary, KeyType,
    KeyVersion, Page, PublicKey, SecretBytes, SecretMaterial, Signature,
};

use super::{Answer, Call, Faults, Lie, Method};
use crate::vectors;

pub(super) async fn tell(
    lie: Lie,
    call: &Call,
    inner: &dyn KeyProvider,
    faults: &Faults,
    honest: impl Future<Output = Result<Answer, KeyError>> + Send,
) -> Result<Answer, KeyError> {
    match (&lie, call.method) {
        (Lie::WrongKey | Lie::ForgedFingerprint, method) if Method::OPERATIONS.contains(&method) => {
            use_another(honest.await?)
        }
        (Lie::WrongKey, _) => honest.await.map(|answer| swap(answer, true)),
        (Lie::ForgedFingerprint, _) => honest.await.map(|answer| swap(answer, false)),
        (Lie::WrongVersion, _) => honest.await.map(claim_next),
        (Lie::KeyOf(kid), Method::GetKey | Method::GetKeyByRef | Method::GetPublicJwk) => {
            impersonate(call, inner, kid).await
        }
        (Lie::NotFound, _) => match not_found(call) {
            Some(answer) => answer,
            None => honest.await,
        },
        (Lie::Empty, _) => match empty(call.method) {
            Some(answer) => Ok(answer),
            None => honest.await,
        },
        (Lie::Stale, Method::Jwks) => Ok(faults.remembered(call).into()),
        (Lie::Stale, _) => stale(call, inner, honest).await,
        (Lie::SecretUnasked, Method::GetKey | Method::GetKeyByRef) => {
            let (kid, version) = (call.kid.as_ref().expect("a read names a key"), call.version);
            match inner.get_key(kid, version, Secrets::Include).await {
                Ok(key) => Ok(key.into()),
                Err(_) => honest.await,
            }
        }
        (Lie::SecretDropped, Method::GetKey | Method::GetKeyByRef) => {
            Ok(KeyRef::new(honest.await?.key()?.parts().clone()).into())
        }
        (Lie::DestroyNothingSayFalse, Method::DestroyKey) => Ok(false.into()),
        (Lie::DestroyNothingSayTrue, Method::DestroyKey) => Ok(true.into()),
        (Lie::DestroySayFalse, Method::DestroyKey) => honest.await.map(|_| false.into()),
        (Lie::DisableNothing, Method::DisableKey | Method::EnableKey) => Ok(().into()),
        (Lie::Forget, Method::CreateKey | Method::ImportKey | Method::ImportVersion | Method::RotateKey) => {
            let key = honest.await?.key()?;
            inner.destroy_key(key.kid(), Some(key.version())).await?;
            Ok(key.into())
        }
        _ => honest.await,
    }
}

fn not_found(call: &Call) -> Option<Result<Answer, KeyError>> {
    match (call.method, &call.kid) {
        (Method::DestroyKey, _) => Some(Ok(false.into())),
        (Method::ImportVersion, _) => None,
        (_, Some(kid)) => Some(Err(KeyError::not_found(kid, call.version))),
        (method, None) => empty(method).map(Ok),
    }
}

fn empty(method: Method) -> Option<Answer> {
    match method {
        Method::ListVersions => Some(Vec::new().into()),
        Method::ListKeys => Some(Page { items: Vec::new(), next: None }.into()),
        Method::Jwks => Some(Arc::new(JwkSet::default()).into()),
        _ => None,
    }
}

async fn stale(
    call: &Call,
    inner: &dyn KeyProvider,
    honest: impl Future<Output = Result<Answer, KeyError>> + Send,
) -> Result<Answer, KeyError> {
    let Some(kid) = &call.kid else { return honest.await };
    let versions = inner.list_versions(kid).await?;
    let (oldest, older) =
        (versions.first().copied(), versions.split_last().map_or(&[][..], |(_, rest)| rest));
    match (call.method, call.version) {
        (Method::ListVersions, _) if !older.is_empty() => Ok(older.to_vec().into()),
        (Method::GetKey | Method::GetKeyByRef, None) => {
            Ok(inner.get_key(kid, oldest, call.secrets.unwrap_or(Secrets::Omit)).await?.into())
        }
        (Method::GetPublicJwk, None) => Ok(inner.get_public_jwk(kid, oldest).await?.into()),
        _ => honest.await,
    }
}

/// What another key would be read as, under the name that was asked for.
async fn impersonate(call: &Call, inner: &dyn KeyProvider, kid: &KeyId) -> Result<Answer, KeyError> {
    let other = inner.get_key(kid, None, call.secrets.unwrap_or(Secrets::Omit)).await?;
    let mut parts = other.parts().clone();
    if let Some(asked) = &call.kid {
        parts.id = asked.at(call.version.unwrap_or(parts.id.version));
    }
    let key = KeyRef::new(parts);
    if call.method == Method::GetPublicJwk {
        return Ok(key.public_jwk()?.into());
    }
    match other.secret() {
        Some(secret) => Ok(key.with_secret(secret.clone())?.into()),
        None => Ok(key.into()),
    }
}

/// What comes of using another key of the same type, as far as it can be told apart.
fn use_another(honest: Answer) -> Result<Answer, KeyError> {
    match honest {
        Answer::Signature(mut signature) => {
            flip(&mut signature.bytes);
            Ok(signature.into())
        }
        Answer::Ciphertext(mut sealed) => {
            let Ciphertext { ciphertext, tag, .. } = &mut sealed;
            flip(if tag.is_empty() { ciphertext } else { tag });
            Ok(sealed.into())
        }
        Answer::Bytes(secret) => {
            let mut bytes = secret.expose_secret().to_vec();
            flip(&mut bytes);
            Ok(SecretBytes::from(bytes).into())
        }
        Answer::Verified(_) => Err(KeyError::NotAuthentic),
        other => Ok(other),
    }
}

/// Changes one bit, or adds a byte to none.
fn flip(bytes: &mut Vec<u8>) {
    match bytes.last_mut() {
        Some(last) => *last ^= 1,
        None => bytes.push(0),
    }
}

/// The same answer, said to be of the version after.
fn claim_next(answer: Answer) -> Answer {
    let next = |version: KeyVersion| version.next().unwrap_or(version);
    match answer {
        Answer::Signature(signature) => Signature { version: next(signature.version), ..signature }.into(),
        Answer::Ciphertext(sealed) => Ciphertext { version: next(sealed.version), ..sealed }.into(),
        Answer::Verified(version) => next(version).into(),
        other => other,
    }
}

/// The same answer about another key of the same type, with or without that key's fingerprint.
fn swap(answer: Answer, fingerprint_too: bool) -> Answer {
    match answer {
        Answer::Key(key) => swap_key(&key, fingerprint_too).into(),
        Answer::Jwk(jwk) => swap_jwk(jwk).into(),
        Answer::Jwks(jwks) => {
            let keys = jwks.keys.iter().cloned().map(swap_jwk).collect();
            Arc::new(JwkSet { keys }).into()
        }
        Answer::Keys(page) if fingerprint_too => {
            let swapped = |key: KeySummary| KeySummary {
                fingerprint: impostor(key.alg, &key.fingerprint).fingerprint,
                ..key
            };
            Page { items: page.items.into_iter().map(swapped).collect(), next: page.next }.into()
        }
        other => other,
    }
}

fn swap_key(key: &KeyRef, fingerprint_too: bool) -> KeyRef {
    let other = impostor(key.alg(), key.fingerprint());
    let mut parts: KeyRefParts = key.parts().clone();
    parts.public = parts.public.and(other.public);
    if fingerprint_too {
        parts.fingerprint = other.fingerprint;
    }
    let swapped = KeyRef::new(parts);
    match key.secret() {
        Some(_) => swapped.with_secret(other.secret).expect("the honest answer held a secret"),
        None => swapped,
    }
}

fn swap_jwk(jwk: Jwk) -> Jwk {
    let alg = match jwk.key.key_type() {
        KeyType::Ed25519 => KeyAlg::Ed25519,
        KeyType::X25519 => KeyAlg::X25519,
        KeyType::P256 => KeyAlg::EcdsaP256Sha256,
        KeyType::Rsa | KeyType::Octets => KeyAlg::RsaPssSha256,
    };
    let key = impostor(alg, &jwk.key.thumbprint()).public.expect("a JWK has a public key");
    Jwk { key, ..jwk }
}

struct Impostor {
    public: Option<PublicKey>,
    fingerprint: Fingerprint,
    secret: SecretMaterial,
}

/// A key of this algorithm that is not the one of this fingerprint.
fn impostor(alg: KeyAlg, own: &Fingerprint) -> Impostor {
    let Some(pair) = vectors::pair(alg) else {
        return symmetric_impostor(alg, own);
    };
    let private = pair.private(alg);
    let public = if pair.thumbprint() == *own { pair.foreign_public() } else { pair.public(alg) };
    let secret = SecretMaterial::Private(private.with_public_key(public.clone()));
    Impostor { fingerprint: public.thumbprint(), public: Some(public), secret }
}

fn symmetric_impostor(alg: KeyAlg, own: &Fingerprint) -> Impostor {
    let [one, other] =
        [0, 0xff].map(|mask| SecretBytes::from(vectors::SYMMETRIC.map(|byte| byte ^ mask).to_vec()));
    let bytes = if Fingerprint::of_symmetric(alg, &one) == *own { other } else { one };
    let fingerprint = Fingerprint::of_symmetric(alg, &bytes);
    Impostor { public: None, fingerprint, secret: SecretMaterial::Symmetric(bytes) }
}
