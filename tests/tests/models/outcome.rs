//! What comes of a call, in terms that the model and a provider share.

use swarmauri_keys::KeyErrorKind;

/// Which key: one of [`NAMES`], or from there on the ones whose `kid`s the provider drew, in their order.
pub(crate) type Slot = usize;

/// The names that a spec asks for. Some begin like others, or like a version of another.
pub(crate) const NAMES: [&str; 6] = ["a", "a.1", "a.1.1", "ab", "B", "b"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// This version is there now.
    Made(Slot, u32),
    Destroyed(bool),
    Done,
    /// This version was read, and whether there was a secret in the answer.
    Read {
        version: u32,
        disabled: bool,
        secret: bool,
    },
    /// Work was done with, or old work was found to be of, this version.
    Worked(u32),
    Refused(KeyErrorKind),
}

impl Outcome {
    pub(crate) fn kind(&self) -> String {
        match self {
            Self::Made(..) => "Made".to_owned(),
            Self::Read { .. } => "Read".to_owned(),
            Self::Worked(_) => "Worked".to_owned(),
            Self::Refused(kind) => format!("{kind:?}"),
            other @ (Self::Destroyed(_) | Self::Done) => format!("{other:?}"),
        }
    }
}

pub(crate) type Expected<T> = Result<T, KeyErrorKind>;

impl From<Expected<Self>> for Outcome {
    fn from(result: Expected<Self>) -> Self {
        result.unwrap_or_else(Self::Refused)
    }
}
