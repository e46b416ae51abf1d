//! What can go wrong.

/// Why there is no encoding, or why input was refused.
///
/// No variant quotes a value of the input: errors are written to logs, and values may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input is not well-formed or not valid CBOR (RFC 8949 appendix C, section 5.3.1).
    #[error("not CBOR, at byte {offset}: {reason}")]
    Malformed {
        /// Where, counted in bytes from zero.
        offset: usize,
        /// What is wrong there.
        reason: &'static str,
    },
    /// The input goes on after the item.
    #[error("bytes after the item, from byte {offset} on")]
    Trailing {
        /// Where the item ended, counted in bytes from zero.
        offset: usize,
    },
    /// A simple value other than false, true and null (RFC 8949 section 3.3): `undefined` for one.
    #[error("unsupported simple value, at byte {offset}")]
    SimpleValue {
        /// Where, counted in bytes from zero.
        offset: usize,
    },
    /// Two entries of one map have the same key (RFC 8949 section 5.6).
    #[error("duplicate map key")]
    DuplicateKey,
    /// Deeper than [`MAX_DEPTH`](crate::MAX_DEPTH).
    #[error("nested deeper than {} levels", crate::MAX_DEPTH)]
    TooDeep,
    /// Longer than [`MAX_LEN`](crate::MAX_LEN).
    #[error("longer than {} bytes", crate::MAX_LEN)]
    TooLong,
    /// CBOR, and not in its deterministic encoding.
    #[error("not deterministically encoded (RFC 8949 section 4.2.1)")]
    NotDeterministic,
    /// The item does not fit the type that was asked for.
    #[error("does not fit the wanted type")]
    Mismatch,
    /// The value's own `Serialize` failed, with this message.
    #[error("cannot be serialised: {0}")]
    Serialize(String),
}

impl serde::ser::Error for Error {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::Serialize(message.to_string())
    }
}
