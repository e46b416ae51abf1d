//! Whether an answer of the secondary is that of the key which was copied there.

use swarmauri_keys::{Fingerprint, KeyError, KeyRef, KeyVersionId, PublicKey, SecretMaterial};

use crate::events;
use crate::map::Replica;

/// Checks an answer of the secondary against what was recorded when the key was copied (promise 3).
pub(crate) fn check_answer(id: &KeyVersionId, replica: &Replica, answer: &KeyRef) -> Result<(), KeyError> {
    check(id, replica, answer, |recorded| shown_fingerprint(answer) == *recorded)
}

/// The same of the copy of a key that is at hand: the very same public key has the same fingerprint.
pub(crate) fn check_copy(key: &KeyRef, replica: &Replica, copy: &KeyRef) -> Result<(), KeyError> {
    let is_same = key.public_key().is_some() && key.public_key() == copy.public_key();
    check(key.id(), replica, copy, |recorded| is_same || shown_fingerprint(copy) == *recorded)
}

fn check(
    id: &KeyVersionId,
    replica: &Replica,
    answer: &KeyRef,
    fits: impl FnOnce(&Fingerprint) -> bool,
) -> Result<(), KeyError> {
    let recorded = &replica.key;
    let right = answer.alg() == recorded.alg
        && *answer.id() == replica.at
        && fits(&recorded.fingerprint)
        && answer.secret().is_none_or(|secret| belongs(secret, answer));
    if right {
        return Ok(());
    }
    let error = KeyError::integrity(format!(
        "the secondary answered for {id} with another key than was copied there; it is not served"
    ));
    events::wrong_key(id, &error);
    Err(error)
}

/// The fingerprint of what an answer really holds; what the other side says it is, only if it shows nothing.
fn shown_fingerprint(answer: &KeyRef) -> Fingerprint {
    match (answer.public_key(), answer.secret()) {
        (Some(public), _) => public.thumbprint(),
        (None, Some(SecretMaterial::Symmetric(secret))) => Fingerprint::of_symmetric(answer.alg(), secret),
        (None, _) => answer.fingerprint().clone(),
    }
}

/// Whether a secret goes with the public part beside it, as far as that shows without computing.
fn belongs(secret: &SecretMaterial, answer: &KeyRef) -> bool {
    match secret {
        SecretMaterial::Symmetric(_) => answer.public_key().is_none(),
        SecretMaterial::Private(private) => {
            let halves: [Option<&PublicKey>; 2] = [private.public_key(), answer.public_key()];
            halves[0] == halves[1]
        }
    }
}
