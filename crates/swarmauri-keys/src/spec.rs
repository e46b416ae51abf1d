//! What a key is to be: [`KeySpec`], and what a rotation changes: [`SpecOverrides`].

use serde::{Deserialize, Serialize};

use crate::tags::check_text;
use crate::{ExportPolicy, KeyAlg, KeyClass, KeyError, KeyId, KeyType, KeyUse, KeyUses, Tags};

/// What a key is to be: the argument of create and import. Checked when built.
///
/// ```
/// use swarmauri_keys::{ExportPolicy, KeyAlg, KeySpec, KeyUse};
///
/// let spec = KeySpec::builder(KeyAlg::RsaPssSha256)
///     .size_bits(4096)
///     .uses([KeyUse::Sign, KeyUse::Verify])
///     .export_policy(ExportPolicy::SecretWhenAllowed)
///     .label("token signing")
///     .tag("env", "prod")
///     .build()?;
/// assert_eq!(spec.size_bits(), Some(4096));
///
/// let wrong = KeySpec::builder(KeyAlg::Ed25519).uses([KeyUse::Encrypt]).build();
/// assert!(wrong.unwrap_err().to_string().contains("sign, verify"));
/// # Ok::<(), swarmauri_keys::KeyError>(())
/// ```
///
/// As serde data: `{"alg": "ED25519"}` at least, beside it `class`, `uses`, `export_policy`, `size_bits`,
/// `label`, `tags` and `kid`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "KeySpecBuilder")]
pub struct KeySpec {
    class: KeyClass,
    alg: KeyAlg,
    uses: KeyUses,
    export_policy: ExportPolicy,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_bits: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(skip_serializing_if = "Tags::is_empty")]
    tags: Tags,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<KeyId>,
}

/// The RSA key lengths that can be asked for, in bits.
pub const RSA_SIZES: [u32; 3] = [2048, 3072, 4096];

/// The longest label, in bytes.
pub const MAX_LABEL_LEN: usize = 256;

impl KeySpec {
    /// The spec of an ordinary key of this algorithm: all its uses, policy `public_only`.
    pub fn new(alg: KeyAlg) -> Self {
        Self {
            class: alg.class(),
            alg,
            uses: alg.uses().iter().copied().collect(),
            export_policy: ExportPolicy::PublicOnly,
            size_bits: None,
            label: None,
            tags: Tags::default(),
            kid: None,
        }
    }

    /// Starts from what [`KeySpec::new`] gives.
    pub fn builder(alg: KeyAlg) -> KeySpecBuilder {
        KeySpecBuilder {
            alg,
            class: None,
            uses: None,
            export_policy: None,
            size_bits: None,
            label: None,
            tags: std::collections::BTreeMap::new(),
            kid: None,
        }
    }

    /// The class; [`KeyAlg::class`] unless [`KeyClass::Opaque`] was asked for.
    pub fn class(&self) -> KeyClass {
        self.class
    }

    /// The algorithm.
    pub fn alg(&self) -> KeyAlg {
        self.alg
    }

    /// What the key may be used for.
    pub fn uses(&self) -> KeyUses {
        self.uses
    }

    /// What may leave the provider.
    pub fn export_policy(&self) -> ExportPolicy {
        self.export_policy
    }

    /// The length of an RSA modulus in bits; `None` lets the provider choose (software: 3072).
    pub fn size_bits(&self) -> Option<u32> {
        self.size_bits
    }

    /// A name for people.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// The tags.
    pub fn tags(&self) -> &Tags {
        &self.tags
    }

    /// The `kid` that is asked for; `None` lets the provider draw one.
    pub fn kid(&self) -> Option<&KeyId> {
        self.kid.as_ref()
    }

    /// This spec, asking for this `kid`.
    #[must_use]
    pub fn with_kid(mut self, kid: KeyId) -> Self {
        self.kid = Some(kid);
        self
    }

    /// This spec with these tags instead of its own.
    #[must_use]
    pub fn with_tags(mut self, tags: Tags) -> Self {
        self.tags = tags;
        self
    }

    /// This spec as a rotation changes it.
    ///
    /// An override of the algorithm drops a length that the new one does not have; everything else
    /// stays unless it is overridden.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] if the result does not fit together.
    pub fn overridden(&self, overrides: &SpecOverrides) -> Result<Self, KeyError> {
        let SpecOverrides { alg, uses, export_policy, size_bits, label, tags } = overrides;
        let alg = alg.unwrap_or(self.alg);
        let own_size = self.size_bits.filter(|_| alg.key_type() == KeyType::Rsa);
        let class = if self.class == KeyClass::Opaque { KeyClass::Opaque } else { alg.class() };
        let spec = Self {
            class,
            alg,
            uses: uses.unwrap_or(self.uses),
            export_policy: export_policy.unwrap_or(self.export_policy),
            size_bits: size_bits.or(own_size),
            label: label.clone().or_else(|| self.label.clone()),
            tags: tags.clone().unwrap_or_else(|| self.tags.clone()),
            kid: self.kid.clone(),
        };
        spec.checked()
    }

    fn checked(self) -> Result<Self, KeyError> {
        check_class(self.class, self.alg)?;
        check_uses(self.uses, self.alg)?;
        check_size(self.size_bits, self.alg)?;
        check_text("label", self.label.as_deref().unwrap_or_default(), MAX_LABEL_LEN)?;
        Ok(self)
    }
}

/// Builds a [`KeySpec`]; what is not set has the value that [`KeySpec::new`] gives.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySpecBuilder {
    alg: KeyAlg,
    class: Option<KeyClass>,
    uses: Option<KeyUses>,
    export_policy: Option<ExportPolicy>,
    size_bits: Option<u32>,
    label: Option<String>,
    #[serde(default)]
    tags: std::collections::BTreeMap<String, String>,
    kid: Option<KeyId>,
}

impl KeySpecBuilder {
    /// Sets the class: the algorithm's own, or [`KeyClass::Opaque`].
    #[must_use]
    pub fn class(mut self, class: KeyClass) -> Self {
        self.class = Some(class);
        self
    }

    /// Sets what the key may be used for.
    #[must_use]
    pub fn uses(mut self, uses: impl IntoIterator<Item = KeyUse>) -> Self {
        self.uses = Some(uses.into_iter().collect());
        self
    }

    /// Sets what may leave the provider.
    #[must_use]
    pub fn export_policy(mut self, policy: ExportPolicy) -> Self {
        self.export_policy = Some(policy);
        self
    }

    /// Sets the length of an RSA modulus in bits: one of [`RSA_SIZES`].
    #[must_use]
    pub fn size_bits(mut self, bits: u32) -> Self {
        self.size_bits = Some(bits);
        self
    }

    /// Sets a name for people, of at most [`MAX_LABEL_LEN`] bytes.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(name.into(), value.into());
        self
    }

    /// Asks for this `kid` instead of a random one.
    #[must_use]
    pub fn kid(mut self, kid: KeyId) -> Self {
        self.kid = Some(kid);
        self
    }

    /// Checks that everything fits together.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] if class or uses do not suit the algorithm, a length is given where
    /// there is none to choose or is not one of [`RSA_SIZES`], or a label or tag is malformed.
    pub fn build(self) -> Result<KeySpec, KeyError> {
        let Self { alg, class, uses, export_policy, size_bits, label, tags, kid } = self;
        let ordinary = KeySpec::new(alg);
        KeySpec {
            alg,
            class: class.unwrap_or(ordinary.class),
            uses: uses.unwrap_or(ordinary.uses),
            export_policy: export_policy.unwrap_or(ordinary.export_policy),
            size_bits,
            label,
            tags: tags.try_into()?,
            kid,
        }
        .checked()
    }
}

impl TryFrom<KeySpecBuilder> for KeySpec {
    type Error = KeyError;

    fn try_from(builder: KeySpecBuilder) -> Result<Self, KeyError> {
        builder.build()
    }
}

/// What a rotation changes; what is `None` stays as the version before had it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpecOverrides {
    /// Another algorithm. If the uses do not suit it, override them too.
    pub alg: Option<KeyAlg>,
    /// Other uses.
    pub uses: Option<KeyUses>,
    /// Another export policy, for the new version alone.
    pub export_policy: Option<ExportPolicy>,
    /// Another RSA length in bits.
    pub size_bits: Option<u32>,
    /// Another label.
    pub label: Option<String>,
    /// Other tags, instead of all the old ones.
    pub tags: Option<Tags>,
}

impl SpecOverrides {
    /// Changes nothing: the new version is to be like the one before.
    pub const NONE: Self =
        Self { alg: None, uses: None, export_policy: None, size_bits: None, label: None, tags: None };
}

fn check_class(class: KeyClass, alg: KeyAlg) -> Result<(), KeyError> {
    if class == KeyClass::Opaque || class == alg.class() {
        return Ok(());
    }
    Err(KeyError::invalid_input(format!("{alg} keys are of class {}, not {class}", alg.class())))
}

fn check_uses(uses: KeyUses, alg: KeyAlg) -> Result<(), KeyError> {
    let allowed: KeyUses = alg.uses().iter().copied().collect();
    let names = || alg.uses().iter().map(|one| one.as_str()).collect::<Vec<_>>().join(", ");
    if uses.is_empty() {
        return Err(KeyError::invalid_input(format!("a key needs a use; {alg} has {}", names())));
    }
    match uses.iter().find(|one| !allowed.contains(*one)) {
        Some(foreign) => {
            Err(KeyError::invalid_input(format!("{alg} keys are not for {foreign}, but for {}", names())))
        }
        None => Ok(()),
    }
}

fn check_size(size_bits: Option<u32>, alg: KeyAlg) -> Result<(), KeyError> {
    match size_bits {
        Some(_) if alg.key_type() != KeyType::Rsa => {
            Err(KeyError::invalid_input(format!("{alg} keys have one size only; leave size_bits out")))
        }
        Some(bits) if !RSA_SIZES.contains(&bits) => {
            Err(KeyError::invalid_input(format!("an RSA key has 2048, 3072 or 4096 bits, not {bits}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(json: &str) -> String {
        serde_json::from_str::<KeySpec>(json).unwrap_err().to_string()
    }

    #[test]
    fn what_does_not_fit_is_refused_and_says_what_would() {
        for (json, hint) in [
            (r#"{"alg":"ED25519","class":"sym"}"#, "of class asym"),
            (r#"{"alg":"AES256_GCM","class":"asym"}"#, "of class sym"),
            (r#"{"alg":"ED25519","uses":["encrypt"]}"#, "for sign, verify"),
            (r#"{"alg":"ED25519","uses":[]}"#, "needs a use"),
            (r#"{"alg":"ED25519","size_bits":256}"#, "leave size_bits out"),
            (r#"{"alg":"RSA_PSS_SHA256","size_bits":1024}"#, "2048, 3072 or 4096"),
            (r#"{"alg":"ED25519","labl":"x"}"#, "unknown field `labl`"),
            (r#"{"alg":"ED25519","kid":""}"#, "must not be empty"),
            (r#"{"alg":"ED25519","label":"a\u0000"}"#, "printable"),
        ] {
            assert!(refusal(json).contains(hint), "{json}: {}", refusal(json));
        }
    }

    #[test]
    fn serde_round_trip_keeps_everything() {
        let json = r#"{"class":"asym","alg":"RSA_OAEP_SHA256","uses":["encrypt","decrypt"],
            "export_policy":"none","size_bits":2048,"label":"l","tags":{"a":"b"},"kid":"k"}"#;
        let spec: KeySpec = serde_json::from_str(json).unwrap();
        let back = serde_json::to_value(&spec).unwrap();
        assert_eq!(back, serde_json::from_str::<serde_json::Value>(json).unwrap());
    }

    #[test]
    fn an_override_changes_what_it_names_and_nothing_else() {
        let spec = KeySpec::builder(KeyAlg::RsaPssSha256).size_bits(2048).label("l").build().unwrap();
        assert_eq!(spec.overridden(&SpecOverrides::NONE).unwrap(), spec);
        let to = SpecOverrides { alg: Some(KeyAlg::Ed25519), ..SpecOverrides::NONE };
        let changed = spec.overridden(&to).unwrap();
        assert_eq!((changed.alg(), changed.size_bits(), changed.label()), (KeyAlg::Ed25519, None, Some("l")));
        let to = SpecOverrides { alg: Some(KeyAlg::X25519), ..SpecOverrides::NONE };
        assert!(spec.overridden(&to).unwrap_err().to_string().contains("encaps, decaps"));
    }
}
