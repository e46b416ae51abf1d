//! The trait that every provider implements.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use swarmauri_keys::{
    Jwk, JwkSet, KeyError, KeyId, KeyMaterial, KeyRef, KeySpec, KeySummary, KeyVersion, KeyVersionId, Page,
    PageRequest, SecretBytes, SpecOverrides,
};

use crate::{Capabilities, Feature, KeyOperations, KeyReference};

/// Something that creates, imports, rotates, destroys and hands out keys.
///
/// Used as `Arc<dyn KeyProvider>`; conveniences live in [`KeyProviderExt`](crate::KeyProviderExt).
///
/// # What holds for every method
///
/// * **Outages are told from refusals.** An error is [`KeyError::is_outage`] if, and only if, the backend
///   did not answer.
/// * **Writes are all or nothing**, and atomic towards concurrent calls. After an outage the outcome of a
///   write is unknown.
/// * **Cancellation.** A future that is dropped has either had its full effect or none, or what is
///   half-done is repaired by the provider later on and not visible to readers.
/// * **Bad input** is [`KeyError::InvalidInput`] and changes nothing. No call panics.
/// * **Absent keys**: reading or rotating one is [`KeyError::NotFound`]; destroying one is `Ok(false)`.
///   Destroyed versions and keys are absent.
/// * **Capabilities** are named on each method; without them it is [`KeyError::Unsupported`], or
///   [`KeyError::UnsupportedAlgorithm`] where the algorithm is what is missing.
#[async_trait]
pub trait KeyProvider: Send + Sync + Debug {
    /// The name under which this kind of provider is registered, as in `LocalKeyProvider`.
    fn name(&self) -> &str;

    /// What this provider can do. Truthful, cheap, and the same for the life of the provider.
    fn supports(&self) -> Capabilities;

    /// Creates a key at version 1. Requires the algorithm in [`Capabilities::create`].
    ///
    /// * The `kid` is the one the spec asks for (requires [`Feature::ChosenKid`]), or a random one.
    /// * A taken `kid`, also that of a destroyed key, is [`KeyError::Conflict`]. Of two concurrent calls
    ///   for one `kid` exactly one succeeds.
    /// * The answer holds no secret material.
    ///
    /// [`Feature::ChosenKid`]: crate::Feature::ChosenKid
    async fn create_key(&self, spec: &KeySpec) -> Result<KeyRef, KeyError>;

    /// Imports a key at version 1. Requires the algorithm in [`Capabilities::import`], or, for a public
    /// key, in [`Capabilities::import_public`].
    ///
    /// * Material of another type than the algorithm's, of a wrong length, or whose public half does not
    ///   belong to the private one is [`KeyError::InvalidInput`].
    /// * `size_bits` of the spec, if given, must be that of the material.
    /// * About `kid`s the same holds as for [`create_key`](Self::create_key). Importing the same material
    ///   twice makes two keys.
    async fn import_key(&self, spec: &KeySpec, material: KeyMaterial) -> Result<KeyRef, KeyError>;

    /// Imports material as exactly this version of this key: to bring back what was lost. Requires
    /// [`Feature::ImportVersion`], and the algorithm as for [`import_key`](Self::import_key).
    ///
    /// * The key is made if there is none of that `kid`. That of a destroyed one is [`KeyError::Conflict`].
    /// * The number must be greater than any that the key ever had; else it is [`KeyError::Conflict`]. From then on
    ///   versions grow from this one.
    /// * A spec that asks for another `kid` is [`KeyError::InvalidInput`]. About the material the same holds as for
    ///   [`import_key`](Self::import_key).
    /// * The version is enabled, whatever it was.
    ///
    /// [`Feature::ImportVersion`]: crate::Feature::ImportVersion
    async fn import_version(
        &self,
        id: &KeyVersionId,
        spec: &KeySpec,
        material: KeyMaterial,
    ) -> Result<KeyRef, KeyError> {
        let _ = (id, spec, material);
        Err(KeyError::unsupported(Feature::ImportVersion.as_str()))
    }

    /// Adds a new version, and makes it the latest. Requires [`Feature::Rotate`].
    ///
    /// * The new version is like the latest but for what `overrides` names; older ones stay as they are.
    /// * Its number is greater than any that the key ever had.
    /// * Concurrent rotations each add a version of their own. One that meets a destroy of the whole key
    ///   comes before it, or is [`KeyError::NotFound`] or [`KeyError::Conflict`].
    /// * A key whose latest version has no private half cannot be rotated: [`KeyError::InvalidState`].
    ///
    /// [`Feature::Rotate`]: crate::Feature::Rotate
    async fn rotate_key(&self, kid: &KeyId, overrides: &SpecOverrides) -> Result<KeyRef, KeyError>;

    /// Destroys one version, or with `None` the key with all of them. Requires [`Feature::Destroy`].
    ///
    /// * `Ok(true)` if something was destroyed, `Ok(false)` if there was nothing of that name.
    /// * When the last version goes, the key goes. Neither version numbers nor `kid`s are used again.
    ///
    /// [`Feature::Destroy`]: crate::Feature::Destroy
    async fn destroy_key(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<bool, KeyError>;

    /// Takes one version out of use, until [`enable_key`](Self::enable_key). Requires [`Feature::Disable`].
    ///
    /// * A disabled version is still there: it is read, listed, and counts as the latest if it is. It does no work:
    ///   [`KeyError::Disabled`], see [`KeyOperations`]. Its secret is not read, its public JWK is not given, and it
    ///   leaves the JWKS; none stands in for it there.
    /// * The key can be rotated, and the version destroyed.
    /// * Disabling what is disabled changes nothing. An absent version is [`KeyError::NotFound`].
    ///
    /// [`Feature::Disable`]: crate::Feature::Disable
    async fn disable_key(&self, kid: &KeyId, version: KeyVersion) -> Result<(), KeyError> {
        let _ = (kid, version);
        Err(KeyError::unsupported(Feature::Disable.as_str()))
    }

    /// Takes one version into use again. Requires [`Feature::Disable`].
    ///
    /// Enabling what is enabled changes nothing. An absent version is [`KeyError::NotFound`].
    ///
    /// [`Feature::Disable`]: crate::Feature::Disable
    async fn enable_key(&self, kid: &KeyId, version: KeyVersion) -> Result<(), KeyError> {
        let _ = (kid, version);
        Err(KeyError::unsupported(Feature::Disable.as_str()))
    }

    /// What uses keys where they live; `None` if this provider only hands keys out.
    ///
    /// It is there if, and only if, [`Capabilities::operations`] names any.
    fn operations(&self) -> Option<&dyn KeyOperations> {
        None
    }

    /// Reads one version, or with `None` the latest live one.
    ///
    /// * Secret material is in the answer if, and only if, `secrets` is [`Secrets::Include`].
    /// * Asking for a secret that policy keeps is [`KeyError::PermissionDenied`]; asking for one that a
    ///   public-only key does not have is [`KeyError::InvalidState`]; asking for that of a disabled version is
    ///   [`KeyError::Disabled`]. It is never an answer without one.
    /// * A disabled version is answered with its state, and without a secret.
    async fn get_key(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        secrets: Secrets,
    ) -> Result<KeyRef, KeyError>;

    /// Reads the key that a reference of the form `[<provider>:]<kid>[@<version>]` names.
    ///
    /// A provider name other than this provider's is [`KeyError::InvalidInput`].
    async fn get_key_by_ref(&self, reference: &KeyReference, secrets: Secrets) -> Result<KeyRef, KeyError> {
        reference.check_provider(self.name())?;
        self.get_key(reference.kid(), reference.version(), secrets).await
    }

    /// The live versions of a key, ascending; disabled ones are among them.
    async fn list_versions(&self, kid: &KeyId) -> Result<Vec<KeyVersion>, KeyError>;

    /// The keys that have a live version, in the order of their `kid`s, page by page. Requires
    /// [`Feature::ListKeys`].
    ///
    /// * A key that is there during the whole of a listing is in it exactly once; one that comes or goes
    ///   meanwhile may be.
    /// * A cursor that is not one of this provider's is [`KeyError::InvalidInput`].
    ///
    /// [`Feature::ListKeys`]: crate::Feature::ListKeys
    async fn list_keys(&self, page: &PageRequest) -> Result<Page<KeySummary>, KeyError>;

    /// The public JWK of one version, or with `None` of the latest: all members, `kid` =
    /// `"<kid>.<version>"`. Requires [`Feature::Jwks`].
    ///
    /// * It is the one that [`Jwk::published`] makes, so that two providers publish one key alike.
    /// * A symmetric key has none: [`KeyError::Unsupported`].
    /// * Under export policy `none` it is [`KeyError::PermissionDenied`].
    /// * Of a disabled version it is [`KeyError::Disabled`].
    ///
    /// [`Feature::Jwks`]: crate::Feature::Jwks
    async fn get_public_jwk(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<Jwk, KeyError>;

    /// The public JWKs of the keys that have one and whose policy lets it out, sorted by `kid`, then
    /// version. Requires [`Feature::Jwks`]. Disabled versions are not in it.
    ///
    /// The document is shared: as long as no key changes, the same `Arc` may be handed out.
    ///
    /// [`Feature::Jwks`]: crate::Feature::Jwks
    async fn jwks(&self, query: &JwksQuery) -> Result<Arc<JwkSet>, KeyError>;

    /// Random bytes fit for keys. Requires [`Feature::Random`]. Asking for more than 1 MiB is
    /// [`KeyError::InvalidInput`].
    ///
    /// [`Feature::Random`]: crate::Feature::Random
    async fn random_bytes(&self, len: usize) -> Result<SecretBytes, KeyError>;

    /// HKDF with SHA-256 (RFC 5869). Requires [`Feature::Hkdf`]. `len` is 1 to 8,160 bytes.
    ///
    /// [`Feature::Hkdf`]: crate::Feature::Hkdf
    async fn hkdf(
        &self,
        ikm: &SecretBytes,
        salt: &[u8],
        info: &[u8],
        len: usize,
    ) -> Result<SecretBytes, KeyError>;
}

const _: Option<&dyn KeyProvider> = None; // object safety

/// Whether a read asks for secret material.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Secrets {
    /// Public material only.
    Omit,
    /// Secret material too; an error where policy forbids it.
    Include,
}

/// Which keys a JWKS is to hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct JwksQuery {
    /// Only keys whose bare `kid` starts with this.
    pub prefix: Option<String>,
    /// Which versions of each key.
    pub versions: JwksVersions,
}

/// Which versions of each key a JWKS is to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum JwksVersions {
    /// The latest live one.
    #[default]
    Latest,
    /// All live ones: what verifiers need while a key is being rotated.
    AllLive,
}

impl JwksQuery {
    /// The latest version of every key.
    pub const LATEST: Self = Self { prefix: None, versions: JwksVersions::Latest };

    /// All live versions of every key.
    pub const ALL_LIVE: Self = Self { prefix: None, versions: JwksVersions::AllLive };

    /// The same, restricted to keys whose bare `kid` starts with this.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Whether keys of this `kid` are asked for.
    pub fn matches(&self, kid: &KeyId) -> bool {
        self.prefix.as_ref().is_none_or(|prefix| kid.as_str().starts_with(prefix.as_str()))
    }
}
