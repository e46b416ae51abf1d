//! What a provider can do, as data.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use swarmauri_keys::{KeyAlg, KeyClass, KeyError, KeyOperation, quoted};

/// What a provider can do. It is the truth: what is missing here really returns
/// [`KeyError::Unsupported`] or [`KeyError::UnsupportedAlgorithm`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    /// Algorithms for which keys can be created, and rotated.
    pub create: BTreeSet<KeyAlg>,
    /// Algorithms for which secret or private keys can be imported.
    pub import: BTreeSet<KeyAlg>,
    /// Algorithms for which public keys alone can be imported.
    pub import_public: BTreeSet<KeyAlg>,
    /// What can be done with keys where they live, and for which algorithms. None of the sets is empty.
    #[serde(default)]
    pub operations: BTreeMap<KeyOperation, BTreeSet<KeyAlg>>,
    /// Everything else.
    pub features: BTreeSet<Feature>,
}

/// One thing that a provider may or may not be able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
#[non_exhaustive]
pub enum Feature {
    /// `rotate_key`.
    Rotate,
    /// `destroy_key`.
    Destroy,
    /// `disable_key` and `enable_key`.
    Disable,
    /// `list_keys`.
    ListKeys,
    /// `jwks` and `get_public_jwk`.
    Jwks,
    /// `get_key` with the secret, where policy allows.
    ExportSecret,
    /// A spec may ask for a `kid`.
    ChosenKid,
    /// `import_version`.
    ImportVersion,
    /// `random_bytes`.
    Random,
    /// `hkdf`.
    Hkdf,
    /// Keys are mirrored.
    Mirror,
    /// Keys are mirrored in mode `public_only`.
    MirrorPublicOnly,
    /// Keys are mirrored in mode `full`.
    MirrorFull,
    /// Keys are not copied, and reads fail over.
    MirrorNone,
    /// Reads fail over to another provider.
    Failover,
}

impl Feature {
    /// All features.
    pub const ALL: &'static [Self] = &[
        Self::Rotate,
        Self::Destroy,
        Self::Disable,
        Self::ListKeys,
        Self::Jwks,
        Self::ExportSecret,
        Self::ChosenKid,
        Self::ImportVersion,
        Self::Random,
        Self::Hkdf,
        Self::Mirror,
        Self::MirrorPublicOnly,
        Self::MirrorFull,
        Self::MirrorNone,
        Self::Failover,
    ];

    /// The name that serde, `Display` and `FromStr` use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rotate => "rotate",
            Self::Destroy => "destroy",
            Self::Disable => "disable",
            Self::ListKeys => "list_keys",
            Self::Jwks => "jwks",
            Self::ExportSecret => "export_secret",
            Self::ChosenKid => "chosen_kid",
            Self::ImportVersion => "import_version",
            Self::Random => "random",
            Self::Hkdf => "hkdf",
            Self::Mirror => "mirror",
            Self::MirrorPublicOnly => "mirror:public_only",
            Self::MirrorFull => "mirror:full",
            Self::MirrorNone => "mirror:none",
            Self::Failover => "failover",
        }
    }
}

impl Capabilities {
    /// Whether the feature is there.
    pub fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }

    /// Whether this can be done with keys of this algorithm.
    pub fn does(&self, operation: KeyOperation, alg: KeyAlg) -> bool {
        self.operations.get(&operation).is_some_and(|algs| algs.contains(&alg))
    }

    /// Checks that this can be done with keys of some algorithm.
    ///
    /// # Errors
    ///
    /// [`KeyError::Unsupported`] if not.
    pub fn require_operation(&self, operation: KeyOperation) -> Result<(), KeyError> {
        match self.operations.get(&operation) {
            Some(algs) if !algs.is_empty() => Ok(()),
            _ => Err(KeyError::unsupported(operation.as_str())),
        }
    }

    /// The classes of the keys that can be created or imported.
    pub fn classes(&self) -> BTreeSet<KeyClass> {
        let algs = self.create.iter().chain(&self.import).chain(&self.import_public);
        algs.map(|alg| alg.class()).collect()
    }

    /// Checks that a feature is there.
    ///
    /// # Errors
    ///
    /// [`KeyError::Unsupported`] if not.
    pub fn require(&self, feature: Feature) -> Result<(), KeyError> {
        if self.has(feature) { Ok(()) } else { Err(KeyError::unsupported(feature.as_str())) }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Feature {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::ALL
            .iter()
            .copied()
            .find(|known| known.as_str() == text)
            .ok_or_else(|| KeyError::invalid_input(format!("unknown feature {}", quoted(text))))
    }
}

impl TryFrom<String> for Feature {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        text.parse()
    }
}

impl From<Feature> for &'static str {
    fn from(feature: Feature) -> Self {
        feature.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_are_unique() {
        let names: BTreeSet<_> = Feature::ALL.iter().map(|feature| feature.as_str()).collect();
        assert_eq!(names.len(), Feature::ALL.len());
        for feature in Feature::ALL {
            let json = serde_json::to_string(feature).unwrap();
            assert_eq!(serde_json::from_str::<Feature>(&json).unwrap(), *feature);
        }
    }

    #[test]
    fn a_missing_feature_is_named() {
        let error = Capabilities::default().require(Feature::Hkdf).unwrap_err();
        assert_eq!(error.to_string(), "unsupported operation: hkdf");
    }
}
