//! What can go wrong.

/// Why a key has no COSE form, or why input was refused.
///
/// No variant quotes key material.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The CBOR itself is at fault.
    #[error(transparent)]
    Cbor(#[from] crate::Error),
    /// Not a map.
    #[error("not a COSE_Key: it must be a map")]
    NotAKey,
    /// Not an array.
    #[error("not a COSE_KeySet: it must be an array of keys")]
    NotAKeySet,
    /// No keys at all (RFC 9052 section 7 wants at least one).
    #[error("a COSE_KeySet has at least one key")]
    EmptySet,
    /// A symmetric key (kty 4); only public keys are exchanged.
    #[error("a symmetric key, and only public keys are accepted")]
    Symmetric,
    /// A key with a private member; only public keys are exchanged.
    #[error("a private key, and only public keys are accepted: it has the member {member:?}")]
    Private {
        /// The name of the first private member, as in RFC 9053 section 7 and RFC 8230 section 4.
        member: &'static str,
    },
    /// A registered or private value that this crate has no use for.
    #[error("unsupported {member}: {value}")]
    Unsupported {
        /// The member: `kty`, `crv`, `alg` or `key_ops`.
        member: &'static str,
        /// Its value.
        value: String,
    },
    /// A member that is missing, or of the wrong form.
    #[error("member {member}: {reason}")]
    Member {
        /// The name of the member, as in a JWK.
        member: &'static str,
        /// What is wrong, or what would be right.
        reason: String,
    },
    /// One key of a set is at fault.
    #[error("keys[{index}]: {error}")]
    Element {
        /// Counted from zero.
        index: usize,
        /// What is wrong with it.
        error: Box<Error>,
    },
}

impl Error {
    pub(super) fn member(member: &'static str, reason: impl Into<String>) -> Self {
        Self::Member { member, reason: reason.into() }
    }

    pub(super) fn unsupported(member: &'static str, value: impl Into<String>) -> Self {
        Self::Unsupported { member, value: value.into() }
    }

    pub(super) fn at(self, index: usize) -> Self {
        Self::Element { index, error: Box::new(self) }
    }

    /// Whether the key was refused because it is not a public one.
    pub(super) fn is_secret(&self) -> bool {
        matches!(self, Self::Symmetric | Self::Private { .. })
    }
}
