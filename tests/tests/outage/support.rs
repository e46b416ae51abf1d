//! Two local providers behind faults, the mirror over them, and what a reader sees through it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use swarmauri_keyprovider::{JwksQuery, KeyProvider, Secrets};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_mirrored::{BreakerSettings, MirrorMode, MirroredKeyProvider};
use swarmauri_keyprovider_testkit::{Faults, FaultyProvider};
use swarmauri_keys::{
    ExportPolicy, KeyAlg, KeyClass, KeyError, KeyId, KeyRefParts, KeySpec, KeySpecBuilder, KeyType,
    KeyVersion, SecretBytes, SecretMaterial,
};

pub(crate) struct Sides {
    pub(crate) mirror: MirroredKeyProvider,
    pub(crate) primary: Faults,
    pub(crate) secondary: Faults,
    /// The keys of each side, past its faults and its journal.
    pub(crate) primary_keys: Arc<dyn KeyProvider>,
    pub(crate) secondary_keys: Arc<dyn KeyProvider>,
}

pub(crate) fn sides(mode: MirrorMode) -> Sides {
    let primary = Arc::new(FaultyProvider::new(Arc::new(LocalKeyProvider::new())));
    let secondary = Arc::new(FaultyProvider::new(Arc::new(LocalKeyProvider::new())));
    Sides {
        primary: primary.faults(),
        secondary: secondary.faults(),
        primary_keys: primary.inner(),
        secondary_keys: secondary.inner(),
        mirror: MirroredKeyProvider::builder(primary, secondary)
            .mode(mode)
            .breaker(BreakerSettings::OFF)
            .build()
            .unwrap(),
    }
}

impl Sides {
    /// Destroys keys on the primary, behind the mirror's back.
    pub(crate) async fn lose(&self, kids: impl IntoIterator<Item = &KeyId>) {
        for kid in kids {
            assert!(self.primary_keys.destroy_key(kid, None).await.unwrap());
        }
    }

    pub(crate) async fn secret(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
    ) -> Result<SecretMaterial, KeyError> {
        let key = self.mirror.get_key(kid, version, Secrets::Include).await?;
        Ok(key.secret().unwrap_or_else(|| panic!("{kid} came without its secret")).clone())
    }
}

/// RSA keys are slow to make, and short ones less so.
pub(crate) fn spec(alg: KeyAlg, policy: ExportPolicy) -> KeySpecBuilder {
    let spec = KeySpec::builder(alg).export_policy(policy);
    if alg.key_type() == KeyType::Rsa { spec.size_bits(2048) } else { spec }
}

pub(crate) fn is_symmetric(alg: KeyAlg) -> bool {
    alg.class() == KeyClass::Symmetric
}

/// The secret in its one canonical form.
pub(crate) fn octets(secret: &SecretMaterial) -> SecretBytes {
    match secret {
        SecretMaterial::Symmetric(bytes) => bytes.clone(),
        SecretMaterial::Private(key) => key.expose_secret().into(),
    }
}

/// A version by its number, or the latest.
type Name = (KeyId, Option<KeyVersion>);

/// Everything public that a reader sees.
pub(crate) struct View {
    /// The members of the JWK, and everything else that is told of a key.
    keys: BTreeMap<Name, (Map<String, Value>, KeyRefParts)>,
    versions: BTreeMap<KeyId, Vec<KeyVersion>>,
    /// Canonical JSON.
    documents: [Vec<u8>; 2],
}

/// Reads these keys in every way: each version with and without saying which, and both documents.
pub(crate) async fn view(
    provider: &dyn KeyProvider,
    kids: impl IntoIterator<Item = &KeyId>,
) -> Result<View, KeyError> {
    let mut view = View { keys: BTreeMap::new(), versions: BTreeMap::new(), documents: Default::default() };
    for kid in kids {
        let versions = provider.list_versions(kid).await?;
        for version in versions.iter().copied().map(Some).chain([None]) {
            let jwk = provider.get_public_jwk(kid, version).await?;
            let key = provider.get_key(kid, version, Secrets::Omit).await?;
            let seen = (members(&jwk), key.parts().clone());
            let expected = kid.at(version.unwrap_or(*versions.last().unwrap()));
            assert_eq!(seen.0["kid"], expected.to_string());
            view.keys.insert((kid.clone(), version), seen);
        }
        view.versions.insert(kid.clone(), versions);
    }
    for (place, query) in [JwksQuery::LATEST, JwksQuery::ALL_LIVE].iter().enumerate() {
        view.documents[place] = swarmauri_jsoncanon::to_vec(&*provider.jwks(query).await?).unwrap();
    }
    Ok(view)
}

fn members<T: serde::Serialize>(jwk: &T) -> Map<String, Value> {
    serde_json::to_value(jwk).unwrap().as_object().unwrap().clone()
}

impl View {
    /// How many reads of single versions it holds.
    pub(crate) fn reads(&self) -> usize {
        self.keys.len()
    }

    /// How many keys the JWKS holds, latest versions and all.
    pub(crate) fn published(&self) -> [usize; 2] {
        self.documents
            .each_ref()
            .map(|text| serde_json::from_slice::<Value>(text).unwrap()["keys"].as_array().unwrap().len())
    }

    /// Member by member, and document by document.
    #[track_caller]
    pub(crate) fn assert_same(&self, before: &Self) {
        assert_eq!(self.versions, before.versions);
        assert_eq!(self.keys.len(), before.keys.len());
        for (name, (jwk, parts)) in &self.keys {
            let (jwk_before, parts_before) = &before.keys[name];
            for (member, value) in jwk_before {
                assert_eq!(jwk.get(member), Some(value), "{member} of {name:?}");
            }
            assert_eq!(jwk.len(), jwk_before.len(), "members of {name:?}");
            assert_eq!(parts, parts_before, "{name:?}");
        }
        for (now, then) in self.documents.iter().zip(&before.documents) {
            assert!(now == then, "canonical JSON: {} bytes, and {} before", now.len(), then.len());
        }
    }
}
