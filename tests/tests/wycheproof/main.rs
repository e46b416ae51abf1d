//! The test vectors of Project Wycheproof, all of them that our import rules admit, through the public API.
//!
//! Every vector of a test set is either run, and must get the verdict that it lists, or is left out for a reason
//! that is counted; and what is left out is shown to be refused. The numbers are asserted, so that neither an
//! update of the vectors nor a change of our rules goes by unnoticed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "this is how a test fails, or says how much it has run"
)]

mod aes_gcm;
mod ecdsa;
mod ed25519;
mod hkdf;
mod hmac;
mod rsa_oaep;
mod rsa_pss;
mod tally;
mod x25519;

use std::collections::HashMap;

use swarmauri_keyprovider::{KeyOperations, KeyProvider};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keys::{
    Acceptance, KeyAlg, KeyError, KeyErrorKind, KeyId, KeyMaterial, KeySpec, KeyType, KeyVersion, PublicKey,
    SecretBytes, VerifyWith,
};

const THIS: VerifyWith = VerifyWith::Version(KeyVersion::FIRST);
const ENABLED: Acceptance = Acceptance::EnabledOnly;

/// A provider, and the key that each material was imported as: no key is imported twice.
struct Bench {
    provider: LocalKeyProvider,
    alg: KeyAlg,
    imported: HashMap<Vec<u8>, Result<KeyId, KeyError>>,
}

impl Bench {
    fn new(alg: KeyAlg) -> Self {
        Self { provider: LocalKeyProvider::new(), alg, imported: HashMap::new() }
    }

    fn work(&self) -> &dyn KeyOperations {
        self.provider.operations().unwrap()
    }

    /// The key made of these bytes, which `read` makes sense of.
    async fn key(
        &mut self,
        bytes: &[u8],
        read: impl FnOnce(&[u8]) -> Result<KeyMaterial, KeyError>,
    ) -> Result<KeyId, KeyError> {
        if let Some(known) = self.imported.get(bytes) {
            return known.clone();
        }
        let spec = KeySpec::new(self.alg);
        let made = match read(bytes) {
            Ok(material) => self.provider.import_key(&spec, material).await.map(|key| key.kid().clone()),
            Err(error) => Err(error),
        };
        self.imported.insert(bytes.to_vec(), made.clone());
        made
    }

    async fn symmetric(&mut self, bytes: &[u8]) -> Result<KeyId, KeyError> {
        self.key(bytes, |bytes| Ok(KeyMaterial::Symmetric(SecretBytes::from(bytes)))).await
    }

    /// The verdict on a signature.
    async fn verify(&self, kid: &KeyId, message: &[u8], signature: &[u8]) -> Result<KeyVersion, KeyError> {
        self.work().verify(kid, THIS, message, signature, ENABLED).await
    }
}

/// A raw public key, and the same as SubjectPublicKeyInfo: both are in the test sets.
fn raw_and_spki(key_type: KeyType, raw: &[u8], spki: &[u8]) -> Result<KeyMaterial, KeyError> {
    let key = PublicKey::from_raw(key_type, raw)?;
    assert_eq!(PublicKey::from_spki_der(spki)?, key);
    assert_eq!(key.to_spki_der(), spki);
    Ok(KeyMaterial::Public(key))
}

/// `Ok` for what is authentic, `Err` for a forgery; anything else is a failure of the test.
fn authentic<T>(what: &str, result: Result<T, KeyError>) -> Option<T> {
    match result {
        Ok(answer) => Some(answer),
        Err(error) => {
            assert_eq!(error.kind(), KeyErrorKind::NotAuthentic, "{what}: {error}");
            None
        }
    }
}

/// What our rules do not admit is the caller's mistake, and said to be one.
fn assert_refused<T>(what: &str, result: Result<T, KeyError>) {
    match result {
        Ok(_) => panic!("{what}: this should have been refused"),
        Err(error) => assert_eq!(error.kind(), KeyErrorKind::InvalidInput, "{what}: {error}"),
    }
}
