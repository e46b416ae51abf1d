//! The one error type of key providers.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::{KeyAlg, KeyId, KeyVersion, KeyVersionId};

/// What went wrong, sorted by what the caller can do about it.
///
/// No variant ever carries secret material, and none may: reasons are written to logs.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// There is no such key or version. Check the `kid`, or create the key.
    #[error("no key {}", display_name(kid, *version))]
    NotFound {
        /// The `kid` that was asked for.
        kid: KeyId,
        /// The version that was asked for; `None` if the latest was.
        version: Option<KeyVersion>,
    },
    /// The key exists and is disabled. Enable it, or use another version.
    #[error("key {} is disabled", display_name(kid, *version))]
    Disabled {
        /// The `kid` that was asked for.
        kid: KeyId,
        /// The version that was asked for; `None` if the latest was.
        version: Option<KeyVersion>,
    },
    /// Policy forbids it. Asking again will not help.
    #[error("permission denied: {reason}")]
    PermissionDenied {
        /// What is forbidden, and by which policy.
        reason: String,
    },
    /// The provider cannot serve this algorithm.
    #[error("unsupported algorithm {alg}: {reason}")]
    UnsupportedAlgorithm {
        /// The algorithm that was asked for.
        alg: KeyAlg,
        /// What would make it work.
        reason: String,
    },
    /// The provider cannot serve this call at all; its capabilities say so beforehand.
    #[error("unsupported operation: {operation}")]
    Unsupported {
        /// The operation, by the name it bears in the capabilities.
        operation: String,
    },
    /// The caller's input is wrong. The reason says what was wrong and what would be right.
    #[error("invalid input: {reason}")]
    InvalidInput {
        /// What was wrong, and what would be right.
        reason: String,
    },
    /// The input is right, and the key or provider is in no state to serve it.
    #[error("invalid state: {reason}")]
    InvalidState {
        /// Which state, and what would change it.
        reason: String,
    },
    /// Somebody else was first: the `kid` is taken, or a concurrent change won.
    #[error("conflict: {reason}")]
    Conflict {
        /// What it collided with.
        reason: String,
    },
    /// Stored or mirrored data is not what it should be. Nothing was served.
    #[error("integrity: {reason}")]
    Integrity {
        /// Which check failed.
        reason: String,
    },
    /// A signature, MAC or ciphertext is not one that this key made over these data: do not trust it.
    ///
    /// Which of all that is wrong is not told, also not by the text: whoever forges them learns nothing.
    #[error("not authentic: the signature, MAC or ciphertext is not one of this key over these data")]
    NotAuthentic,
    /// The backend is out of reach. Try again later, or elsewhere.
    #[error("unavailable: {reason}")]
    Unavailable {
        /// What is out of reach.
        reason: Cow<'static, str>,
        /// The error of the backend's client, if there is one.
        #[source]
        source: Option<Arc<dyn StdError + Send + Sync>>,
    },
    /// The backend did not answer in time; whether a write took effect is unknown.
    #[error("timeout: {reason}")]
    Timeout {
        /// What was waited for, and for how long.
        reason: String,
        /// The key that was worked on, where it is known: what to look for before asking again.
        kid: Option<KeyId>,
    },
}

/// The variants of [`KeyError`] without their contents: to compare, count and label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each is the variant of KeyError that bears its name")]
pub enum KeyErrorKind {
    NotFound,
    Disabled,
    PermissionDenied,
    UnsupportedAlgorithm,
    Unsupported,
    InvalidInput,
    InvalidState,
    Conflict,
    Integrity,
    NotAuthentic,
    Unavailable,
    Timeout,
}

impl KeyError {
    /// Whether the backend failed to answer at all, as opposed to answering "no".
    ///
    /// This alone decides fail-over and retries.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Timeout { .. })
    }

    /// The variant, without its contents.
    pub fn kind(&self) -> KeyErrorKind {
        match self {
            Self::NotFound { .. } => KeyErrorKind::NotFound,
            Self::Disabled { .. } => KeyErrorKind::Disabled,
            Self::PermissionDenied { .. } => KeyErrorKind::PermissionDenied,
            Self::UnsupportedAlgorithm { .. } => KeyErrorKind::UnsupportedAlgorithm,
            Self::Unsupported { .. } => KeyErrorKind::Unsupported,
            Self::InvalidInput { .. } => KeyErrorKind::InvalidInput,
            Self::InvalidState { .. } => KeyErrorKind::InvalidState,
            Self::Conflict { .. } => KeyErrorKind::Conflict,
            Self::Integrity { .. } => KeyErrorKind::Integrity,
            Self::NotAuthentic => KeyErrorKind::NotAuthentic,
            Self::Unavailable { .. } => KeyErrorKind::Unavailable,
            Self::Timeout { .. } => KeyErrorKind::Timeout,
        }
    }

    /// [`KeyError::NotFound`] for this key.
    pub fn not_found(kid: &KeyId, version: Option<KeyVersion>) -> Self {
        Self::NotFound { kid: kid.clone(), version }
    }

    /// [`KeyError::Disabled`] for this version.
    pub fn disabled(id: &KeyVersionId) -> Self {
        Self::Disabled { kid: id.kid.clone(), version: Some(id.version) }
    }

    /// [`KeyError::PermissionDenied`] for this reason.
    pub fn permission_denied(reason: impl Into<String>) -> Self {
        Self::PermissionDenied { reason: reason.into() }
    }

    /// [`KeyError::UnsupportedAlgorithm`] for this reason.
    pub fn unsupported_algorithm(alg: KeyAlg, reason: impl Into<String>) -> Self {
        Self::UnsupportedAlgorithm { alg, reason: reason.into() }
    }

    /// [`KeyError::Unsupported`] for this operation.
    pub fn unsupported(operation: impl Into<String>) -> Self {
        Self::Unsupported { operation: operation.into() }
    }

    /// [`KeyError::InvalidInput`] for this reason.
    pub fn invalid_input(reason: impl Into<String>) -> Self {
        Self::InvalidInput { reason: reason.into() }
    }

    /// [`KeyError::InvalidState`] for this reason.
    pub fn invalid_state(reason: impl Into<String>) -> Self {
        Self::InvalidState { reason: reason.into() }
    }

    /// [`KeyError::Conflict`] for this reason.
    pub fn conflict(reason: impl Into<String>) -> Self {
        Self::Conflict { reason: reason.into() }
    }

    /// [`KeyError::Integrity`] for this reason.
    pub fn integrity(reason: impl Into<String>) -> Self {
        Self::Integrity { reason: reason.into() }
    }

    /// [`KeyError::Unavailable`] without an underlying error.
    pub fn unavailable(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Unavailable { reason: reason.into(), source: None }
    }

    /// [`KeyError::Timeout`] for this reason.
    pub fn timeout(reason: impl Into<String>) -> Self {
        Self::Timeout { reason: reason.into(), kid: None }
    }

    /// [`KeyError::Timeout`] for this reason, of a call about this key.
    pub fn timeout_of(kid: &KeyId, reason: impl Into<String>) -> Self {
        Self::Timeout { reason: reason.into(), kid: Some(kid.clone()) }
    }

    /// The key that the error is about, where it names one.
    pub fn kid(&self) -> Option<&KeyId> {
        match self {
            Self::NotFound { kid, .. } | Self::Disabled { kid, .. } => Some(kid),
            Self::Timeout { kid, .. } => kid.as_ref(),
            _ => None,
        }
    }
}

impl KeyErrorKind {
    /// The name that `Display`, events and metrics use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Disabled => "disabled",
            Self::PermissionDenied => "permission_denied",
            Self::UnsupportedAlgorithm => "unsupported_algorithm",
            Self::Unsupported => "unsupported",
            Self::InvalidInput => "invalid_input",
            Self::InvalidState => "invalid_state",
            Self::Conflict => "conflict",
            Self::Integrity => "integrity",
            Self::NotAuthentic => "not_authentic",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
        }
    }
}

impl fmt::Display for KeyErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn display_name(kid: &KeyId, version: Option<KeyVersion>) -> String {
    match version {
        Some(version) => format!("{kid} at version {version}"),
        None => kid.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_silence_is_an_outage() {
        let kid = KeyId::new("k").unwrap();
        let all = [
            KeyError::not_found(&kid, None),
            KeyError::Disabled { kid, version: None },
            KeyError::permission_denied(""),
            KeyError::unsupported_algorithm(KeyAlg::Ed25519, ""),
            KeyError::unsupported(""),
            KeyError::invalid_input(""),
            KeyError::invalid_state(""),
            KeyError::conflict(""),
            KeyError::integrity(""),
            KeyError::NotAuthentic,
            KeyError::unavailable(""),
            KeyError::timeout(""),
        ];
        for error in all {
            let silent = matches!(error.kind(), KeyErrorKind::Unavailable | KeyErrorKind::Timeout);
            assert_eq!(error.is_outage(), silent, "{error}");
        }
    }

    #[test]
    fn a_timeout_names_the_key_where_it_is_known() {
        let kid = KeyId::new("signing").unwrap();
        assert_eq!(KeyError::timeout_of(&kid, "").kid(), Some(&kid));
        assert_eq!(KeyError::timeout("").kid(), None);
        assert_eq!(KeyError::not_found(&kid, None).kid(), Some(&kid));
    }

    #[test]
    fn a_missing_key_is_named_with_its_version() {
        let kid = KeyId::new("signing").unwrap();
        assert_eq!(KeyError::not_found(&kid, None).to_string(), "no key signing");
        let two = KeyVersion::new(2).ok();
        assert_eq!(KeyError::not_found(&kid, two).to_string(), "no key signing at version 2");
    }
}
