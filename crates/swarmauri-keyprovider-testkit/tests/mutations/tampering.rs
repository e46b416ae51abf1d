//! Shorthands to tamper with answers.

use std::sync::Arc;

use swarmauri_keyprovider_testkit::{Answer, Call, Fault, Faults, Lie, Method};
use swarmauri_keys::{
    Jwk, JwkSet, KeyError, KeyErrorKind, KeyRef, KeyRefParts, KeySummary, Page, SecretMaterial,
};

pub(crate) type Honest = Result<Answer, KeyError>;

pub(crate) fn lie(faults: &Faults, method: Method, lie: Lie) {
    faults.set(method, Some(Fault::Lie(lie)));
}

pub(crate) fn fail(faults: &Faults, method: Method, error: KeyError) {
    faults.set(method, Some(Fault::FailBefore(error)));
}

pub(crate) fn answer(
    faults: &Faults,
    method: Method,
    make: impl Fn(&Call, Honest) -> Honest + Send + Sync + 'static,
) {
    faults.set(method, Some(Fault::answer(make)));
}

/// Answers of this method are about a key with some part changed; its secret is lost.
pub(crate) fn change(faults: &Faults, method: Method, change: fn(&mut KeyRefParts)) {
    answer(faults, method, move |_, honest| match honest? {
        Answer::Key(key) => {
            let mut parts = key.parts().clone();
            change(&mut parts);
            Ok(Answer::Key(KeyRef::new(parts)))
        }
        other => Ok(other),
    });
}

/// Reads with the secret are answered with some part changed according to the secret.
pub(crate) fn change_with_secret(faults: &Faults, change: fn(&mut KeyRefParts, &SecretMaterial)) {
    answer(faults, Method::GetKey, move |_, honest| match honest? {
        Answer::Key(key) => {
            let Some(secret) = key.secret().cloned() else {
                return Ok(key.into());
            };
            let mut parts = key.parts().clone();
            change(&mut parts, &secret);
            Ok(KeyRef::new(parts).with_secret(secret)?.into())
        }
        other => Ok(other),
    });
}

/// Refusals of this kind are answered with another error.
pub(crate) fn miscall(faults: &Faults, method: Method, kind: KeyErrorKind, error: KeyError) {
    answer(faults, method, move |_, honest| {
        honest.map_err(|own| if own.kind() == kind { error.clone() } else { own })
    });
}

pub(crate) fn change_jwks(faults: &Faults, change: impl Fn(&mut Vec<Jwk>) + Send + Sync + 'static) {
    answer(faults, Method::Jwks, move |_, honest| match honest? {
        Answer::Jwks(jwks) => {
            let mut keys = jwks.keys.clone();
            change(&mut keys);
            Ok(Answer::Jwks(Arc::new(JwkSet { keys })))
        }
        other => Ok(other),
    });
}

pub(crate) fn change_list(faults: &Faults, change: fn(&Call, &mut Page<KeySummary>)) {
    answer(faults, Method::ListKeys, move |call, honest| match honest? {
        Answer::Keys(mut page) => {
            change(call, &mut page);
            Ok(Answer::Keys(page))
        }
        other => Ok(other),
    });
}
