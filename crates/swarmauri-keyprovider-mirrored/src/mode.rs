//! What may be copied: a pure function of mode, policy and key.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use swarmauri_keys::{ExportPolicy, KeyClass, KeyError, KeyRef, quoted};

/// What is copied to the secondary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MirrorMode {
    /// Public keys alone: verifiers survive an outage, signers do not.
    #[default]
    PublicOnly,
    /// Private and symmetric keys too, where their policy is `secret_when_allowed`; otherwise public keys.
    Full,
    /// Nothing. Reads still fail over, to keys that somebody else put on the secondary under the same `kid`.
    None,
}

/// How much of a key its replica holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fidelity {
    /// The public key: all that was wanted, or all there is.
    PublicOnly,
    /// The public key, in mode `full`, because the policy or the primary keeps the private one.
    PublicOnlyFallback,
    /// Everything.
    Full,
}

/// Why a key version has no replica, on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeptReason {
    /// A symmetric key has no public part, and mode or policy keeps the secret.
    NoPublicPart,
    /// The export policy is `none`.
    Policy,
    /// In mode `full`, it was disabled before its secret was copied. It is copied once it is enabled.
    Disabled,
}

/// What to copy of one key version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CopyPlan {
    /// Ask for the secret and copy everything.
    Full,
    /// Copy the public key alone.
    Public(Fidelity),
    /// Copy nothing.
    Keep(KeptReason),
}

/// Decides what may be copied of this key.
///
/// Private material is copied only in mode `full` and only if policy lets it out (promise 5).
pub(crate) fn plan(mode: MirrorMode, key: &KeyRef) -> CopyPlan {
    match (mode, key.export_policy()) {
        (MirrorMode::Full, ExportPolicy::SecretWhenAllowed) => CopyPlan::Full,
        (MirrorMode::Full, _) => public(key, Fidelity::PublicOnlyFallback),
        (MirrorMode::PublicOnly | MirrorMode::None, _) => public(key, Fidelity::PublicOnly),
    }
}

/// What is left when the primary does not hand out the secret: see [`plan`].
pub(crate) fn public(key: &KeyRef, fidelity: Fidelity) -> CopyPlan {
    if key.public_key().is_some() {
        CopyPlan::Public(fidelity)
    } else if key.alg().class() == KeyClass::Symmetric {
        CopyPlan::Keep(KeptReason::NoPublicPart)
    } else {
        CopyPlan::Keep(KeptReason::Policy)
    }
}

impl MirrorMode {
    /// The name that serde, `Display` and `FromStr` use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PublicOnly => "public_only",
            Self::Full => "full",
            Self::None => "none",
        }
    }
}

impl Fidelity {
    /// The name that serde, `Display` and `FromStr` use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PublicOnly => "public_only",
            Self::PublicOnlyFallback => "public_only_fallback",
            Self::Full => "full",
        }
    }
}

impl KeptReason {
    /// The name that serde and `Display` use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoPublicPart => "no_public_part",
            Self::Policy => "policy",
            Self::Disabled => "disabled",
        }
    }
}

impl FromStr for MirrorMode {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let known = [Self::PublicOnly, Self::Full, Self::None];
        known.into_iter().find(|mode| mode.as_str() == text).ok_or_else(|| {
            KeyError::invalid_input(format!(
                "unknown mirror mode {}; known are public_only, full, none",
                quoted(text)
            ))
        })
    }
}

impl FromStr for Fidelity {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let known = [Self::PublicOnly, Self::PublicOnlyFallback, Self::Full];
        known
            .into_iter()
            .find(|fidelity| fidelity.as_str() == text)
            .ok_or_else(|| KeyError::invalid_input(format!("unknown fidelity {}", quoted(text))))
    }
}

impl fmt::Display for MirrorMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Fidelity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for KeptReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
