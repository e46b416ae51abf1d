//! What a call may be answered with, whatever its method.

use std::sync::Arc;

use swarmauri_keys::{
    Ciphertext, Jwk, JwkSet, KeyError, KeyRef, KeySummary, KeyVersion, Page, SecretBytes, Signature,
};

/// What a call may be answered with.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Of `create_key`, `import_key`, `import_version`, `rotate_key`, `get_key` and `get_key_by_ref`.
    Key(KeyRef),
    /// Of `destroy_key`.
    Destroyed(bool),
    /// Of `disable_key` and `enable_key`.
    Done(()),
    /// Of `list_versions`.
    Versions(Vec<KeyVersion>),
    /// Of `list_keys`.
    Keys(Page<KeySummary>),
    /// Of `get_public_jwk`.
    Jwk(Jwk),
    /// Of `jwks`.
    Jwks(Arc<JwkSet>),
    /// Of `random_bytes`, `hkdf`, `decrypt`, `unwrap_key` and `agree`.
    Bytes(SecretBytes),
    /// Of `sign` and `mac`.
    Signature(Signature),
    /// Of `verify` and `verify_mac`.
    Verified(KeyVersion),
    /// Of `encrypt` and `wrap_key`.
    Ciphertext(Ciphertext),
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
    Done(()) = done,
    Versions(Vec<KeyVersion>) = versions,
    Keys(Page<KeySummary>) = keys,
    Jwk(Jwk) = jwk,
    Jwks(Arc<JwkSet>) = jwks,
    Bytes(SecretBytes) = bytes,
    Signature(Signature) = signature,
    Verified(KeyVersion) = verified,
    Ciphertext(Ciphertext) = ciphertext,
}
