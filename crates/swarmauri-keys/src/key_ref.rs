//! What a provider hands out: a reference to one version of a key.

use std::fmt;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::{
    Acceptance, ExportPolicy, Fingerprint, Jwk, KeyAlg, KeyClass, KeyError, KeyId, KeyOperation, KeySpec,
    KeyState, KeyUse, KeyUses, KeyVersion, KeyVersionId, PublicKey, SecretMaterial, Tags,
};

/// One version of a key, as a provider hands it out. Cheap to clone.
///
/// It holds public material unless the export policy is `none`, and secret material only if the caller
/// asked for it and the policy is `secret_when_allowed`; there is no other way to make one. Encodings are
/// chosen when the material is read. `Debug` and `Serialize` show everything but secrets.
#[derive(Clone)]
pub struct KeyRef {
    shared: Arc<KeyRefParts>,
    secret: Option<Arc<SecretMaterial>>,
}

/// What a [`KeyRef`] is made of, secrets apart.
// In memory in this order, which leaves no gaps: a look-up reads the id, and it is to lie beside the count of references.
#[repr(C)]
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is documented on the accessor of KeyRef that bears its name")]
pub struct KeyRefParts {
    pub id: KeyVersionId,
    pub alg: KeyAlg,
    pub class: KeyClass,
    pub uses: KeyUses,
    pub state: KeyState,
    pub export_policy: ExportPolicy,
    pub fingerprint: Fingerprint,
    pub public: Option<PublicKey>,
    pub size_bits: Option<u32>,
    pub label: Option<Box<str>>,
    pub tags: Tags,
}

impl KeyRef {
    /// Makes a reference without secret material. Public material is dropped if policy forbids its export.
    pub fn new(mut parts: KeyRefParts) -> Self {
        if parts.export_policy == ExportPolicy::None {
            parts.public = None;
        }
        Self { shared: Arc::new(parts), secret: None }
    }

    /// The same reference with its secret material.
    ///
    /// # Errors
    ///
    /// [`KeyError::PermissionDenied`] unless the policy is `secret_when_allowed`.
    pub fn with_secret(self, secret: SecretMaterial) -> Result<Self, KeyError> {
        self.check_secret_export()?;
        Ok(Self { shared: self.shared, secret: Some(Arc::new(secret)) })
    }

    /// Whether policy lets the secret out.
    ///
    /// # Errors
    ///
    /// [`KeyError::PermissionDenied`] unless the policy is `secret_when_allowed`.
    pub fn check_secret_export(&self) -> Result<(), KeyError> {
        match self.shared.export_policy {
            ExportPolicy::SecretWhenAllowed => Ok(()),
            policy @ (ExportPolicy::None | ExportPolicy::PublicOnly) => Err(KeyError::permission_denied(
                format!("the secret of {} must not be exported; its policy is {policy}", self.shared.id),
            )),
        }
    }

    /// Whether this version may do this: for `uses`, algorithm and state, in this order.
    ///
    /// # Errors
    ///
    /// [`KeyError::PermissionDenied`] that names the use which the key is not for; [`KeyError::InvalidInput`] if
    /// keys of its algorithm do something else; [`KeyError::Disabled`], which for what reads old work
    /// `acceptance` may waive.
    pub fn check_operation(&self, operation: KeyOperation, acceptance: Acceptance) -> Result<(), KeyError> {
        let (id, needed) = (&self.shared.id, operation.key_use());
        if !self.uses().contains(needed) {
            let uses: Vec<_> = self.uses().iter().map(KeyUse::as_str).collect();
            return Err(KeyError::permission_denied(format!(
                "{operation} takes a key for {needed}, and {id} is for {} only",
                uses.join(", ")
            )));
        }
        if !operation.algs().contains(&self.alg()) {
            let algs: Vec<_> = operation.algs().iter().map(|alg| alg.as_str()).collect();
            return Err(KeyError::invalid_input(format!(
                "{operation} takes a key of {}, and {id} is one of {}",
                algs.join(", "),
                self.alg()
            )));
        }
        if acceptance.waives(operation) { Ok(()) } else { self.check_enabled() }
    }

    /// Whether this version is in use.
    ///
    /// # Errors
    ///
    /// [`KeyError::Disabled`] if it is disabled.
    pub fn check_enabled(&self) -> Result<(), KeyError> {
        match self.shared.state {
            KeyState::Enabled => Ok(()),
            KeyState::Disabled => Err(KeyError::disabled(&self.shared.id)),
            KeyState::Destroyed => {
                Err(KeyError::not_found(&self.shared.id.kid, Some(self.shared.id.version)))
            }
        }
    }

    /// The same version in this state, without secret material.
    #[must_use]
    pub fn with_state(&self, state: KeyState) -> Self {
        if self.shared.state == state {
            return Self { shared: Arc::clone(&self.shared), secret: None };
        }
        Self::new(KeyRefParts { state, ..KeyRefParts::clone(&self.shared) })
    }

    /// Whether this is the very same reference, not merely an equal one, and neither holds a secret. Costs nothing.
    pub fn is_same(&self, other: &Self) -> bool {
        self.secret.is_none() && other.secret.is_none() && Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Key and version.
    pub fn id(&self) -> &KeyVersionId {
        &self.shared.id
    }

    /// The key.
    pub fn kid(&self) -> &KeyId {
        &self.shared.id.kid
    }

    /// Its version.
    pub fn version(&self) -> KeyVersion {
        self.shared.id.version
    }

    /// The algorithm.
    pub fn alg(&self) -> KeyAlg {
        self.shared.alg
    }

    /// The class.
    pub fn class(&self) -> KeyClass {
        self.shared.class
    }

    /// What it may be used for.
    pub fn uses(&self) -> KeyUses {
        self.shared.uses
    }

    /// Where it is in its life.
    pub fn state(&self) -> KeyState {
        self.shared.state
    }

    /// What may leave the provider.
    pub fn export_policy(&self) -> ExportPolicy {
        self.shared.export_policy
    }

    /// The length of an RSA modulus in bits; `None` for other keys.
    pub fn size_bits(&self) -> Option<u32> {
        self.shared.size_bits
    }

    /// A name for people.
    pub fn label(&self) -> Option<&str> {
        self.shared.label.as_deref()
    }

    /// The tags.
    pub fn tags(&self) -> &Tags {
        &self.shared.tags
    }

    /// What tells this key from all others: the RFC 7638 thumbprint of a pair, a one-way value of a secret.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.shared.fingerprint
    }

    /// The public key; `None` for symmetric keys and under policy `none`.
    pub fn public_key(&self) -> Option<&PublicKey> {
        self.shared.public.as_ref()
    }

    /// The secret material; `None` unless it was asked for.
    pub fn secret(&self) -> Option<&SecretMaterial> {
        self.secret.as_deref()
    }

    /// The public key as a JWK with all members.
    ///
    /// # Errors
    ///
    /// [`KeyError::PermissionDenied`] under policy `none`; [`KeyError::Unsupported`] for symmetric keys,
    /// which have no public part; [`KeyError::Disabled`]: the key of a disabled version is not to be trusted.
    pub fn public_jwk(&self) -> Result<Jwk, KeyError> {
        match &self.shared.public {
            Some(_) if self.state() != KeyState::Enabled => Err(KeyError::disabled(&self.shared.id)),
            Some(public) => Ok(Jwk::published(&self.shared.id, self.shared.alg, public.clone())),
            None if self.alg().class() == KeyClass::Symmetric => {
                Err(KeyError::unsupported(format!("public JWK of the symmetric key {}", self.shared.id)))
            }
            None => Err(KeyError::permission_denied(format!(
                "the public key of {} must not be exported; its policy is {}",
                self.shared.id, self.shared.export_policy
            ))),
        }
    }

    /// The spec by which a key like this one can be made, without a `kid`.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] if whoever made this reference put things together that do not fit.
    pub fn spec(&self) -> Result<KeySpec, KeyError> {
        let parts = &*self.shared;
        let mut spec = KeySpec::builder(parts.alg)
            .class(parts.class)
            .uses(parts.uses.iter())
            .export_policy(parts.export_policy);
        if let Some(bits) = parts.size_bits.filter(|bits| crate::RSA_SIZES.contains(bits)) {
            spec = spec.size_bits(bits);
        }
        if let Some(label) = &parts.label {
            spec = spec.label(label.as_ref());
        }
        Ok(spec.build()?.with_tags(parts.tags.clone()))
    }

    /// Everything but the secret.
    pub fn parts(&self) -> &KeyRefParts {
        &self.shared
    }
}

impl fmt::Debug for KeyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = if self.secret.is_some() { "[redacted]" } else { "[absent]" };
        f.debug_struct("KeyRef").field("parts", &self.shared).field("secret", &secret).finish()
    }
}

impl Serialize for KeyRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let KeyRefParts {
            id,
            alg,
            class,
            uses,
            state,
            export_policy,
            size_bits,
            label,
            tags,
            fingerprint,
            public: _,
        } = &*self.shared;
        let mut map = serializer.serialize_struct("KeyRef", 12)?;
        map.serialize_field("kid", &id.kid)?;
        map.serialize_field("version", &id.version)?;
        map.serialize_field("alg", alg)?;
        map.serialize_field("class", class)?;
        map.serialize_field("uses", uses)?;
        map.serialize_field("state", state)?;
        map.serialize_field("export_policy", export_policy)?;
        map.serialize_field("size_bits", size_bits)?;
        map.serialize_field("label", label)?;
        map.serialize_field("tags", tags)?;
        map.serialize_field("fingerprint", fingerprint)?;
        map.serialize_field("public_jwk", &self.public_jwk().ok())?;
        map.end()
    }
}
