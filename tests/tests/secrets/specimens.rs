//! A key of every algorithm whose secret is known.

use std::sync::LazyLock;

use swarmauri_keyprovider_testkit::secret_parts;
use swarmauri_keys::{
    ExportPolicy, KeyAlg, KeyId, KeySpec, KeyType, KeyVersion, KeyVersionId, SecretBytes, SecretMaterial,
};
use swarmauri_softkeys::SoftKey;

pub(crate) struct Specimen {
    pub(crate) alg: KeyAlg,
    pub(crate) soft: SoftKey,
    pub(crate) secret: SecretMaterial,
    /// The secret, piece by piece.
    pub(crate) parts: Vec<SecretBytes>,
}

static SPECIMENS: LazyLock<Vec<Specimen>> = LazyLock::new(|| {
    let specimen = |alg: KeyAlg| {
        let size = (alg.key_type() == KeyType::Rsa).then_some(2048);
        let soft = SoftKey::generate(alg, size).unwrap();
        let secret = soft.secret().unwrap();
        Specimen { alg, parts: secret_parts(alg, &secret), soft, secret }
    };
    KeyAlg::ALL.iter().copied().map(specimen).collect()
});

/// One of every algorithm.
pub(crate) fn specimens() -> &'static [Specimen] {
    &SPECIMENS
}

/// All but one of the two for RSA, whose keys have so many secret parts that looking for them takes time.
pub(crate) fn fewer_specimens() -> impl Iterator<Item = &'static Specimen> {
    specimens().iter().filter(|one| one.alg != KeyAlg::RsaOaepSha256)
}

/// What is secret about all of them.
pub(crate) fn all_parts() -> Vec<SecretBytes> {
    parts_of(specimens().iter())
}

/// What is secret about these.
pub(crate) fn parts_of(these: impl Iterator<Item = &'static Specimen>) -> Vec<SecretBytes> {
    these.flat_map(|one| one.parts.clone()).collect()
}

impl Specimen {
    /// A spec that lets the secret out.
    pub(crate) fn spec(&self) -> KeySpec {
        KeySpec::builder(self.alg).export_policy(ExportPolicy::SecretWhenAllowed).build().unwrap()
    }

    pub(crate) fn id() -> KeyVersionId {
        KeyId::new("specimen").unwrap().at(KeyVersion::FIRST)
    }

    /// The private or symmetric JWK.
    pub(crate) fn jwk(&self) -> String {
        let jwk = self.secret.to_jwk(&Self::id(), self.alg).unwrap();
        String::from_utf8(jwk.expose_secret().to_vec()).unwrap()
    }
}
