//! What a case works on: a fresh provider, and shorthands around it.

use std::fmt::Debug;
use std::ops::Deref;
use std::sync::Arc;

use swarmauri_keyprovider::{Capabilities, Feature, JwksQuery, KeyProvider, KeyProviderExt};
use swarmauri_keys::{
    ExportPolicy, JwkSet, KeyAlg, KeyClass, KeyError, KeyErrorKind, KeyId, KeyRef, KeySpec, KeySpecBuilder,
    KeySummary, KeyType, KeyVersion, PublicKey, SpecOverrides,
};

use crate::suite::NotApplicable;

/// A fresh provider and what it says it can do.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    provider: Arc<dyn KeyProvider>,
    pub(crate) can: Capabilities,
}

/// The algorithms in the order of what a key costs.
pub(crate) const CHEAP_FIRST: [KeyAlg; 7] = [
    KeyAlg::Ed25519,
    KeyAlg::EcdsaP256Sha256,
    KeyAlg::X25519,
    KeyAlg::Aes256Gcm,
    KeyAlg::HmacSha256,
    KeyAlg::RsaPssSha256,
    KeyAlg::RsaOaepSha256,
];

impl Subject {
    pub(crate) fn new(provider: Arc<dyn KeyProvider>) -> Self {
        let can = provider.supports();
        Self { provider, can }
    }

    pub(crate) fn needs(&self, feature: Feature) -> Result<(), NotApplicable> {
        if self.can.has(feature) { Ok(()) } else { Err(NotApplicable(format!("no {}", feature.as_str()))) }
    }

    /// An algorithm that keys can be created for.
    pub(crate) fn any(&self) -> Result<KeyAlg, NotApplicable> {
        let mut creatable = CHEAP_FIRST.into_iter().filter(|alg| self.can.create.contains(alg));
        creatable.next().ok_or_else(|| NotApplicable("creates no keys".to_owned()))
    }

    /// An algorithm that key pairs can be created for.
    pub(crate) fn pair(&self) -> Result<KeyAlg, NotApplicable> {
        self.creatable(KeyClass::Asymmetric)
            .next()
            .ok_or_else(|| NotApplicable("creates no key pairs".to_owned()))
    }

    /// An algorithm that symmetric keys can be created for.
    pub(crate) fn symmetric(&self) -> Result<KeyAlg, NotApplicable> {
        self.creatable(KeyClass::Symmetric)
            .next()
            .ok_or_else(|| NotApplicable("creates no symmetric keys".to_owned()))
    }

    /// The algorithms of this class that keys can be created for quickly: RSA only if nothing else is there.
    pub(crate) fn quick(&self) -> Vec<KeyAlg> {
        let all: Vec<_> = CHEAP_FIRST.into_iter().filter(|alg| self.can.create.contains(alg)).collect();
        let quick: Vec<_> = all.iter().copied().filter(|alg| alg.key_type() != KeyType::Rsa).collect();
        if quick.is_empty() { all } else { quick }
    }

    fn creatable(&self, class: KeyClass) -> impl Iterator<Item = KeyAlg> {
        CHEAP_FIRST.into_iter().filter(move |alg| alg.class() == class && self.can.create.contains(alg))
    }

    /// An algorithm for which a public key alone can be imported, with such a key.
    pub(crate) fn public_import(&self) -> Result<(KeyAlg, PublicKey), NotApplicable> {
        let mut importable = CHEAP_FIRST.into_iter().filter(|alg| self.can.import_public.contains(alg));
        importable
            .find_map(|alg| Some((alg, crate::vectors::pair(alg)?.public(alg))))
            .ok_or_else(|| NotApplicable("imports no public keys".to_owned()))
    }

    #[track_caller]
    pub(crate) fn create(&self, spec: KeySpecBuilder) -> impl Future<Output = KeyRef> {
        let spec = built(spec);
        async move { done(self.create_key(&spec).await, &format!("creating {spec:?}")) }
    }

    pub(crate) async fn rotate(&self, kid: &KeyId) -> KeyRef {
        done(self.rotate_key(kid, &SpecOverrides::NONE).await, "rotating")
    }

    /// Everything that can be seen without secrets.
    pub(crate) async fn snapshot(&self) -> Snapshot {
        let mut keys = Vec::new();
        if self.can.has(Feature::ListKeys) {
            for summary in done(self.list_all_keys().await, "listing all keys") {
                let versions = done(self.list_versions(&summary.kid).await, "listing versions");
                keys.push((summary, versions));
            }
        }
        let mut jwks = None;
        if self.can.has(Feature::Jwks) {
            jwks = Some(done(self.jwks(&JwksQuery::ALL_LIVE).await, "the JWKS of all live versions"));
        }
        Snapshot { keys, jwks }
    }
}

impl Deref for Subject {
    type Target = dyn KeyProvider;

    fn deref(&self) -> &Self::Target {
        &*self.provider
    }
}

/// What [`Subject::snapshot`] saw.
#[derive(Debug, PartialEq)]
pub(crate) struct Snapshot {
    keys: Vec<(KeySummary, Vec<KeyVersion>)>,
    jwks: Option<Arc<JwkSet>>,
}

/// Starts a spec of an ordinary key; RSA keys are to be as short as allowed.
pub(crate) fn spec(alg: KeyAlg) -> KeySpecBuilder {
    let spec = KeySpec::builder(alg);
    if alg.key_type() == KeyType::Rsa { spec.size_bits(crate::vectors::RSA_BITS) } else { spec }
}

/// Starts a spec of a key whose secret may be exported.
pub(crate) fn exportable(alg: KeyAlg) -> KeySpecBuilder {
    spec(alg).export_policy(ExportPolicy::SecretWhenAllowed)
}

#[track_caller]
pub(crate) fn built(spec: KeySpecBuilder) -> KeySpec {
    spec.build().expect("the suite's specs fit together")
}

pub(crate) fn kid(name: &str) -> KeyId {
    KeyId::new(name).expect("the suite's kids are valid")
}

pub(crate) fn version(number: u32) -> KeyVersion {
    KeyVersion::new(number).expect("the suite's versions are valid")
}

/// What the call gave.
#[track_caller]
pub(crate) fn done<T>(result: Result<T, KeyError>, what: &str) -> T {
    result.unwrap_or_else(|error| panic!("{what}: {} ({error})", error.kind()))
}

/// Asserts that the call was refused, and how.
#[track_caller]
pub(crate) fn refused<T: Debug>(result: Result<T, KeyError>, kind: KeyErrorKind, what: &str) -> KeyError {
    refused_as(result, &[kind], what)
}

/// Asserts that the call was refused in one of these ways.
#[track_caller]
pub(crate) fn refused_as<T: Debug>(
    result: Result<T, KeyError>,
    kinds: &[KeyErrorKind],
    what: &str,
) -> KeyError {
    let wanted = kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    match result {
        Err(error) if kinds.contains(&error.kind()) => error,
        Err(error) => panic!("{what} must be {wanted}; it was {} ({error})", error.kind()),
        Ok(answer) => panic!("{what} must be {wanted}; it was answered with {answer:?}"),
    }
}
