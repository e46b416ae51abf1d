//! What can go wrong.

use serde_json::error::Category;

/// Why there is no canonical form, or why text was refused.
///
/// No variant quotes a value of the input: errors are written to logs, and values may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not JSON, or not UTF-8, or goes on after the value.
    #[error("not JSON: {0}")]
    Syntax(String),
    /// Two members of one object bear the same name (RFC 7493 section 2.3).
    #[error("duplicate member name {}", shown(.0))]
    DuplicateName(String),
    /// NaN or an infinity (RFC 8785 section 3.2.2.3).
    #[error("NaN and infinities have no JSON form")]
    NotFinite,
    /// An integer outside ±(2^53 - 1) (RFC 7493 section 2.2).
    #[error("an integer outside ±(2^53 - 1) is not exact in JSON; write it as a string")]
    InexactInteger,
    /// A member name that is neither string, character, integer, nor truth value.
    #[error("a member name must be a string, a character, an integer or a truth value")]
    InvalidName,
    /// A name that `serde_json` keeps for itself: `RawValue`, or a number under `arbitrary_precision`.
    #[error("raw JSON and numbers of arbitrary precision are not supported")]
    Raw,
    /// Deeper than [`MAX_DEPTH`](crate::MAX_DEPTH).
    #[error("nested deeper than {} levels", crate::MAX_DEPTH)]
    TooDeep,
    /// Longer than [`MAX_LEN`](crate::MAX_LEN).
    #[error("longer than {} bytes", crate::MAX_LEN)]
    TooLong,
    /// JSON, and not in canonical form.
    #[error("not in canonical form (RFC 8785)")]
    NotCanonical,
    /// The text does not fit the type that was asked for.
    #[error("does not fit the wanted type, at line {line} column {column}")]
    Mismatch {
        /// Counted from one.
        line: usize,
        /// Counted from one, in bytes.
        column: usize,
    },
    /// The value's own `Serialize` failed, with this message.
    #[error("cannot be serialised: {0}")]
    Serialize(String),
}

/// The start of a name: in a document that is not what it should be, a secret may stand where a name should.
fn shown(name: &str) -> String {
    match name.split_at_checked(name.floor_char_boundary(24)) {
        Some((start, rest)) if !rest.is_empty() => format!("{start:?}…"),
        _ => format!("{name:?}"),
    }
}

impl Error {
    /// Messages of category `Data` quote values and are dropped; those of syntax errors never do.
    pub(crate) fn from_json(error: &serde_json::Error) -> Self {
        match error.classify() {
            Category::Data => Self::Mismatch { line: error.line(), column: error.column() },
            Category::Syntax | Category::Eof | Category::Io => Self::Syntax(error.to_string()),
        }
    }
}

impl serde::ser::Error for Error {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::Serialize(message.to_string())
    }
}
