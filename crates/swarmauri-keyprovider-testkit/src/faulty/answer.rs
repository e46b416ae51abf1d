//! What a call may be answered with, whatever its method.

use std::sync::Arc;

use swarmauri_keys::{Jwk, JwkSet, KeyError, KeyRef, KeySummary, KeyVersion, Page, SecretBytes};

/// What a call may be answered with.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Of `create_key`, `import_key`, `rotate_key`, `get_key` and `get_key_by_ref`.
    Key(KeyRef),
    /// Of `destroy_key`.
    Destroyed(bool),
    /// Of `list_versions`.
    Versions(Vec<KeyVersion>),
    /// Of `list_keys`.
    Keys(Page<KeySummary>),
    /// Of `get_public_jwk`.
    Jwk(Jwk),
    /// Of `jwks`.
    Jwks(Arc<JwkSet>),
    /// Of `random_bytes` and `hkdf`.
    Bytes(SecretBytes),
}

macro_rules! kinds {
    ($($variant:ident($kind:ty) = $take:ident,)*) => {
        $(impl From<$kind> for Answer {
            fn from(answer: $kind) -> Self {
                Self::$variant(answer)
            }
        })*

        impl Answer {
            $(pub(super) fn $take(self) -> Result<$kind, KeyError> {
                match self {
                    Self::$variant(answer) => Ok(answer),
                    other => panic!(
                        "a fault must answer this method with Answer::{}, not with {other:?}",
                        stringify!($variant)
                    ),
                }
            })*
        }
    };
}

kinds! {
    Key(KeyRef) = key,
    Destroyed(bool) = destroyed,
    Versions(Vec<KeyVersion>) = versions,
    Keys(Page<KeySummary>) = keys,
    Jwk(Jwk) = jwk,
    Jwks(Arc<JwkSet>) = jwks,
    Bytes(SecretBytes) = bytes,
}
