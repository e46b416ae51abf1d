//! What can go wrong with a call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use swarmauri_keys::{KeyError, KeyId};

use super::{Answer, Call};

/// A method of [`KeyProvider`](swarmauri_keyprovider::KeyProvider) or
/// [`KeyOperations`](swarmauri_keyprovider::KeyOperations).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each is the method that bears its name")]
pub enum Method {
    CreateKey,
    ImportKey,
    ImportVersion,
    RotateKey,
    DestroyKey,
    DisableKey,
    EnableKey,
    GetKey,
    GetKeyByRef,
    ListVersions,
    ListKeys,
    GetPublicJwk,
    Jwks,
    RandomBytes,
    Hkdf,
    Sign,
    Verify,
    Mac,
    VerifyMac,
    Encrypt,
    Decrypt,
    Agree,
    WrapKey,
    UnwrapKey,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 24] = [
        Self::CreateKey,
        Self::ImportKey,
        Self::ImportVersion,
        Self::RotateKey,
        Self::DestroyKey,
        Self::DisableKey,
        Self::EnableKey,
        Self::GetKey,
        Self::GetKeyByRef,
        Self::ListVersions,
        Self::ListKeys,
        Self::GetPublicJwk,
        Self::Jwks,
        Self::RandomBytes,
        Self::Hkdf,
        Self::Sign,
        Self::Verify,
        Self::Mac,
        Self::VerifyMac,
        Self::Encrypt,
        Self::Decrypt,
        Self::Agree,
        Self::WrapKey,
        Self::UnwrapKey,
    ];

    /// Those that change something.
    pub const WRITES: [Self; 7] = [
        Self::CreateKey,
        Self::ImportKey,
        Self::ImportVersion,
        Self::RotateKey,
        Self::DestroyKey,
        Self::DisableKey,
        Self::EnableKey,
    ];

    /// Those that use a key where it lives.
    pub const OPERATIONS: [Self; 9] = [
        Self::Sign,
        Self::Verify,
        Self::Mac,
        Self::VerifyMac,
        Self::Encrypt,
        Self::Decrypt,
        Self::Agree,
        Self::WrapKey,
        Self::UnwrapKey,
    ];
}

/// What goes wrong with a call. Every fault is cancel-safe: whoever waits for the call may drop it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Fault {
    /// The wrapped provider is not asked, and this is the answer.
    FailBefore(KeyError),
    /// The call takes effect, and this is the answer. Where the wrapped provider refuses, its own error is.
    FailAfter(KeyError),
    /// The wrapped provider is not asked, and there is no answer.
    HangBefore,
    /// The call takes effect, and there is no answer.
    HangAfter,
    /// The call takes effect after this time, which is tokio's, and is answered honestly.
    Delay(Duration),
    /// The call is answered wrongly.
    Lie(Lie),
    /// The call takes effect, and this function makes the answer of the honest one: see [`Fault::answer`].
    Answer(AnswerFn),
}

impl Fault {
    /// The call takes effect, and this function makes the answer of the honest one.
    ///
    /// It must keep to the kind of answer that the method has; another one panics.
    pub fn answer(
        make: impl Fn(&Call, Result<Answer, KeyError>) -> Result<Answer, KeyError> + Send + Sync + 'static,
    ) -> Self {
        Self::Answer(AnswerFn(Arc::new(make)))
    }
}

type Make = dyn Fn(&Call, Result<Answer, KeyError>) -> Result<Answer, KeyError> + Send + Sync;

/// A function that makes a wrong answer of an honest one.
#[derive(Clone)]
pub struct AnswerFn(Arc<Make>);

impl AnswerFn {
    pub(super) fn apply(&self, call: &Call, honest: Result<Answer, KeyError>) -> Result<Answer, KeyError> {
        (self.0)(call, honest)
    }
}

impl fmt::Debug for AnswerFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnswerFn")
    }
}

/// Wrong answers that need no code. A method for which a lie makes no sense is answered honestly.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lie {
    /// Another key of the same type, with its own fingerprint, under the name that was asked for: in
    /// references, listings, JWKs and JWKS documents. Operations seem to use it: signatures, MACs and
    /// ciphertexts do not fit, what is decrypted, unwrapped or agreed on is other bytes, and what is right
    /// does not verify.
    WrongKey,
    /// Like [`Lie::WrongKey`], with the fingerprint of the right key.
    ForgedFingerprint,
    /// Signatures, MACs, ciphertexts and verifications are said to be of the version after the one that was
    /// used.
    WrongVersion,
    /// Reads are answered with the latest version of this key of the wrapped provider, under the name that
    /// was asked for.
    KeyOf(KeyId),
    /// Nothing of that name is here: reads and rotations are `NotFound`, destroying is `false`, listings and
    /// documents are empty. The wrapped provider is not asked.
    NotFound,
    /// An answer from the past, as followers in a cluster give: a read without version gives the oldest live
    /// one, `list_versions` leaves out the latest, `jwks` gives the document that was last given honestly for
    /// the same query, or an empty one.
    Stale,
    /// Documents and listings are empty.
    Empty,
    /// A read comes with the secret although it was not asked for, where policy allows it.
    SecretUnasked,
    /// A read comes without the secret although it was asked for.
    SecretDropped,
    /// `destroy_key` does nothing and answers `false`.
    DestroyNothingSayFalse,
    /// `destroy_key` does nothing and answers `true`.
    DestroyNothingSayTrue,
    /// `destroy_key` takes effect and answers `false`.
    DestroySayFalse,
    /// `disable_key` and `enable_key` do nothing, and say that it is done.
    DisableNothing,
    /// A create, import or rotation is answered honestly, and the new version is gone.
    Forget,
}
