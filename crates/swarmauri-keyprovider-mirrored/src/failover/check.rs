//! Whether an answer of the secondary is that of the key which was copied there.

use swarmauri_keys::{Fingerprint, KeyError, KeyRef, KeyVersionId, PublicKey, SecretMaterial};

use crate::events;
use crate::map::Replica;

/// Checks an answer of the secondary against what was recorded when the key was copied (promise 3).
pub(crate) fn check_answer(id: &KeyVersionId, replica: &Replica, answer: &KeyRef) -> Result<(), KeyError> {
    let recorded = &replica.key;
    let right = answer.alg() == recorded.alg
        && *answer.id() == replica.at
        && shown_fingerprint(answer) == recorded.fingerprint
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
