//! One job of each operation, to be done with the same key again and again.

use swarmauri_keyprovider::{KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_testkit::Method;
use swarmauri_keys::{
    Acceptance, Ciphertext, ExportPolicy, KeyAlg, KeyError, KeyId, KeyMaterial, KeyOperation, KeyRef,
    KeySpec, KeyVersion, PublicKey, SecretBytes, Signature, VerifyWith,
};

pub(crate) const MESSAGE: &[u8] = b"to whom it may concern";
pub(crate) const AAD: &[u8] = b"in the matter of";

/// What was made with a key while all was well, and how each operation uses it.
#[derive(Debug, Clone)]
pub(crate) struct Jobs {
    pub(crate) kid: KeyId,
    pub(crate) version: KeyVersion,
    pub(crate) alg: KeyAlg,
    signature: Option<Signature>,
    sealed: Option<Ciphertext>,
    wrapped: Option<Ciphertext>,
    agreed: Option<SecretBytes>,
}

/// What a job came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Came {
    Signature(Signature),
    Ciphertext(Ciphertext),
    Secret(SecretBytes),
    Verified(KeyVersion),
}

impl Jobs {
    /// Does with the latest version of a key all that it is for.
    pub(crate) async fn of(provider: &dyn KeyProvider, key: &KeyRef) -> Self {
        let (kid, version, alg) = (key.kid().clone(), Some(key.version()), key.alg());
        let work = provider.work().unwrap();
        let can = |operation: KeyOperation| {
            key.uses().contains(operation.key_use()) && operation.algs().contains(&alg)
        };
        let signature = match (can(KeyOperation::Sign), can(KeyOperation::Mac)) {
            (true, _) => Some(work.sign(&kid, version, MESSAGE).await.unwrap()),
            (_, true) => Some(work.mac(&kid, version, MESSAGE).await.unwrap()),
            _ => None,
        };
        let mut jobs = Self { signature, ..Self::of_nothing(key) };
        if can(KeyOperation::Encrypt) {
            jobs.sealed = Some(work.encrypt(&jobs.kid, version, MESSAGE, AAD).await.unwrap());
        }
        if can(KeyOperation::WrapKey) {
            jobs.wrapped = Some(work.wrap_key(&jobs.kid, version, &MESSAGE.into()).await.unwrap());
        }
        if can(KeyOperation::Agree) {
            let agreed = work.agree(&jobs.kid, version, &peer(), Acceptance::EnabledOnly).await;
            jobs.agreed = Some(agreed.unwrap());
        }
        jobs
    }

    /// The same without having done anything.
    pub(crate) fn of_nothing(key: &KeyRef) -> Self {
        let (kid, version, alg) = (key.kid().clone(), key.version(), key.alg());
        Self { kid, version, alg, signature: None, sealed: None, wrapped: None, agreed: None }
    }

    /// Does one of them, with what was made before where it takes that.
    pub(crate) async fn run(
        &self,
        operation: KeyOperation,
        provider: &dyn KeyProvider,
        acceptance: Acceptance,
    ) -> Result<Came, KeyError> {
        let (kid, version) = (&self.kid, Some(self.version));
        let with = VerifyWith::Version(self.version);
        let work = provider.work()?;
        let made = self.signature.as_ref().map_or(&[][..], |signature| &signature.bytes);
        let sealed = |made: &Option<Ciphertext>| made.clone().unwrap_or_else(|| self.blank());
        match operation {
            KeyOperation::Sign => work.sign(kid, version, MESSAGE).await.map(Came::Signature),
            KeyOperation::Mac => work.mac(kid, version, MESSAGE).await.map(Came::Signature),
            KeyOperation::Verify => {
                work.verify(kid, with, MESSAGE, made, acceptance).await.map(Came::Verified)
            }
            KeyOperation::VerifyMac => {
                work.verify_mac(kid, with, MESSAGE, made, acceptance).await.map(Came::Verified)
            }
            KeyOperation::Encrypt => work.encrypt(kid, version, MESSAGE, AAD).await.map(Came::Ciphertext),
            KeyOperation::WrapKey => work.wrap_key(kid, version, &MESSAGE.into()).await.map(Came::Ciphertext),
            KeyOperation::Decrypt => {
                work.decrypt(&sealed(&self.sealed), AAD, acceptance).await.map(Came::Secret)
            }
            KeyOperation::UnwrapKey => {
                work.unwrap_key(&sealed(&self.wrapped), acceptance).await.map(Came::Secret)
            }
            KeyOperation::Agree => work.agree(kid, version, &peer(), acceptance).await.map(Came::Secret),
        }
    }

    /// That what came is what a key of this name should have made or found.
    pub(crate) async fn check(&self, came: &Came, provider: &dyn KeyProvider) {
        let work = provider.work().unwrap();
        let (with, acceptance) = (VerifyWith::Version(self.version), Acceptance::AllowDisabled);
        let id = self.kid.at(self.version);
        match came {
            Came::Verified(version) => assert_eq!(*version, self.version),
            Came::Signature(made) if self.alg == KeyAlg::HmacSha256 => {
                assert_eq!((made.id(), made.alg), (id, self.alg));
                work.verify_mac(&self.kid, with, MESSAGE, &made.bytes, acceptance).await.unwrap();
            }
            Came::Signature(made) => {
                assert_eq!((made.id(), made.alg), (id, self.alg));
                work.verify(&self.kid, with, MESSAGE, &made.bytes, acceptance).await.unwrap();
            }
            Came::Ciphertext(made) => {
                assert_eq!((made.id(), made.alg), (id, self.alg));
                let opened = match work.decrypt(made, AAD, acceptance).await {
                    Ok(opened) => opened,
                    Err(_) => work.unwrap_key(made, acceptance).await.unwrap(),
                };
                assert_eq!(opened.expose_secret(), MESSAGE);
            }
            Came::Secret(secret) => match &self.agreed {
                Some(agreed) => assert_eq!(secret, agreed),
                None => assert_eq!(secret.expose_secret(), MESSAGE),
            },
        }
    }

    fn blank(&self) -> Ciphertext {
        let (kid, version, alg) = (self.kid.clone(), self.version, self.alg);
        Ciphertext { kid, version, alg, nonce: vec![0; 12], ciphertext: vec![0], tag: vec![0; 16] }
    }
}

/// A key of this algorithm.
pub(crate) fn material(alg: KeyAlg) -> KeyMaterial {
    const RSA: &str = include_str!("../../../swarmauri-softkeys/tests/data/rsa2048.pem");
    match alg {
        KeyAlg::RsaOaepSha256 | KeyAlg::RsaPssSha256 => KeyMaterial::from_pem(RSA).unwrap(),
        KeyAlg::Aes256Gcm | KeyAlg::HmacSha256 => KeyMaterial::Symmetric(SecretBytes::from(vec![7; 32])),
        _ => {
            let raw = swarmauri_keys::PrivateKey::from_raw(alg.key_type(), &[7; 32]);
            KeyMaterial::Private(raw.unwrap())
        }
    }
}

/// The spec of an exportable key, for all that its algorithm does but these.
pub(crate) fn spec_without(alg: KeyAlg, operation: Option<KeyOperation>) -> KeySpec {
    let left_out = operation.map(KeyOperation::key_use);
    let uses = alg.uses().iter().copied().filter(|one| Some(*one) != left_out);
    KeySpec::builder(alg).uses(uses).export_policy(ExportPolicy::SecretWhenAllowed).build().unwrap()
}

/// The operations with the algorithms they are done with.
pub(crate) fn all_jobs() -> Vec<(KeyOperation, KeyAlg)> {
    let each = KeyOperation::ALL.iter();
    each.flat_map(|operation| operation.algs().iter().map(|alg| (*operation, *alg))).collect()
}

/// The method of a side that does it.
pub(crate) fn method(operation: KeyOperation) -> Method {
    let at = KeyOperation::ALL.iter().position(|one| *one == operation).unwrap();
    let methods = Method::OPERATIONS;
    let method = methods[at];
    assert_eq!(format!("{method:?}"), format!("{operation:?}"));
    method
}

/// The public key of RFC 7748 section 6.1, Bob's.
fn peer() -> PublicKey {
    let mut raw = [0; 32];
    let hex = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
    for (byte, digits) in raw.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
    }
    PublicKey::X25519(raw)
}
