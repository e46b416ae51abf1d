//! What the cases do with keys where they live.

use std::collections::BTreeSet;

use swarmauri_keyprovider::KeyOperations;
use swarmauri_keys::{
    Acceptance, Ciphertext, KeyAlg, KeyError, KeyId, KeyMaterial, KeyOperation, KeyRef, KeySpecBuilder,
    KeyType, KeyVersion, KeyVersionId, PublicKey, SecretBytes, Signature, VerifyWith,
};

use crate::Subject;
use crate::subject::{CHEAP_FIRST, built, done};
use crate::suite::NotApplicable;
use crate::vectors;

pub(crate) const MESSAGE: &[u8] = b"what is signed, encrypted or wrapped";

/// The associated data of what [`Subject::input`] encrypts.
pub(crate) const AAD: &[u8] = b"what it belongs to";

/// What operations on one version are given to read.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    pub(crate) id: KeyVersionId,
    pub(crate) proof: Vec<u8>,
    pub(crate) sealed: Ciphertext,
    pub(crate) wrapped: Ciphertext,
    pub(crate) peer: PublicKey,
}

/// Encrypting content or keys: what holds for one holds for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sealing {
    Content,
    Key,
}

impl Subject {
    /// What uses keys where they live. Only for cases that know there is something.
    pub(crate) fn work(&self) -> &dyn KeyOperations {
        self.operations().expect("a provider that claims operations has them")
    }

    /// The algorithms that all this is done with, and that keys can be had for, cheap ones first.
    pub(crate) fn doing(&self, operations: &[KeyOperation]) -> Result<Vec<KeyAlg>, NotApplicable> {
        let does = |alg: &KeyAlg| operations.iter().all(|operation| self.can.does(*operation, *alg));
        let algs: Vec<_> =
            CHEAP_FIRST.into_iter().filter(|alg| does(alg) && self.has_keys_of(*alg)).collect();
        let names: Vec<_> = operations.iter().map(|operation| operation.as_str()).collect();
        some(algs, &format!("no algorithm to {} with", names.join(" and ")))
    }

    /// Each claimed operation, with the algorithms that it is done with and that keys can be had for.
    pub(crate) fn all_work(&self) -> Result<Vec<(KeyOperation, KeyAlg)>, NotApplicable> {
        let each = KeyOperation::ALL.iter().flat_map(|operation| {
            self.doing(&[*operation]).unwrap_or_default().into_iter().map(move |alg| (*operation, alg))
        });
        some(each.collect(), "no operations")
    }

    /// The algorithms that sign or compute MACs, and verify them.
    pub(crate) fn signing(&self) -> Result<Vec<KeyAlg>, NotApplicable> {
        let both = [[KeyOperation::Sign, KeyOperation::Verify], [KeyOperation::Mac, KeyOperation::VerifyMac]];
        let algs = both.iter().flat_map(|pair| self.doing(pair).unwrap_or_default());
        some(algs.collect(), "neither signs and verifies, nor does so with MACs")
    }

    /// Those of which keys are created, and rotated, quickly.
    pub(crate) fn quick_of(&self, algs: Vec<KeyAlg>) -> Result<Vec<KeyAlg>, NotApplicable> {
        let quick = self.quick();
        some(algs.into_iter().filter(|alg| quick.contains(alg)).collect(), "creates no such keys quickly")
    }

    pub(crate) fn has_keys_of(&self, alg: KeyAlg) -> bool {
        self.can.create.contains(&alg) || self.can.import.contains(&alg)
    }

    /// A key of this spec: created, or imported where that takes long. All imported ones are the same key.
    pub(crate) async fn key(&self, spec: KeySpecBuilder) -> KeyRef {
        let spec = built(spec);
        let alg = spec.alg();
        let slow = alg.key_type() == KeyType::Rsa || !self.can.create.contains(&alg);
        if slow && self.can.import.contains(&alg) {
            return self.imported(spec, vectors::secret_material(alg)).await;
        }
        done(self.create_key(&spec).await, &format!("creating {spec:?}"))
    }

    pub(crate) async fn imported(&self, spec: swarmauri_keys::KeySpec, material: KeyMaterial) -> KeyRef {
        done(self.import_key(&spec, material).await, &format!("importing {spec:?}"))
    }

    /// Signs, or computes the MAC: what the algorithm does.
    pub(crate) async fn sign(
        &self,
        key: &KeyRef,
        version: Option<KeyVersion>,
        message: &[u8],
    ) -> Result<Signature, KeyError> {
        match key.alg() {
            KeyAlg::HmacSha256 => self.work().mac(key.kid(), version, message).await,
            _ => self.work().sign(key.kid(), version, message).await,
        }
    }

    /// Verifies what [`sign`](Self::sign) gives, with versions that are enabled.
    pub(crate) async fn verify(
        &self,
        key: &KeyRef,
        with: VerifyWith,
        message: &[u8],
        bytes: &[u8],
    ) -> Result<KeyVersion, KeyError> {
        let accept = Acceptance::EnabledOnly;
        match key.alg() {
            KeyAlg::HmacSha256 => self.work().verify_mac(key.kid(), with, message, bytes, accept).await,
            _ => self.work().verify(key.kid(), with, message, bytes, accept).await,
        }
    }

    pub(crate) async fn seal(
        &self,
        sealing: Sealing,
        key: &KeyId,
        version: Option<KeyVersion>,
        plaintext: &[u8],
        aad: &[u8],
    ) -> Result<Ciphertext, KeyError> {
        match sealing {
            Sealing::Content => self.work().encrypt(key, version, plaintext, aad).await,
            Sealing::Key => self.work().wrap_key(key, version, &SecretBytes::from(plaintext)).await,
        }
    }

    pub(crate) async fn open(
        &self,
        sealing: Sealing,
        sealed: &Ciphertext,
        aad: &[u8],
    ) -> Result<SecretBytes, KeyError> {
        match sealing {
            Sealing::Content => self.work().decrypt(sealed, aad, Acceptance::EnabledOnly).await,
            Sealing::Key => self.work().unwrap_key(sealed, Acceptance::EnabledOnly).await,
        }
    }

    /// What this version can be given to read, made by itself as far as it makes something.
    pub(crate) async fn input(&self, key: &KeyRef) -> Input {
        let mut input = Input::made_up(key.id(), key.alg());
        let (id, version) = (key.kid(), Some(key.version()));
        let makes = |operation: KeyOperation| {
            self.can.does(operation, key.alg()) && key.uses().contains(operation.key_use())
        };
        if makes(KeyOperation::Sign) || makes(KeyOperation::Mac) {
            input.proof = done(self.sign(key, version, MESSAGE).await, "signing").bytes;
        }
        if makes(KeyOperation::Encrypt) {
            let sealed = self.seal(Sealing::Content, id, version, MESSAGE, AAD).await;
            input.sealed = done(sealed, "encrypting");
        }
        if makes(KeyOperation::WrapKey) {
            input.wrapped = done(self.seal(Sealing::Key, id, version, MESSAGE, &[]).await, "wrapping");
        }
        input
    }

    /// Does this with a key, and asserts that what comes out is what it should be.
    pub(crate) async fn attempt(
        &self,
        operation: KeyOperation,
        key: &KeyId,
        version: Option<KeyVersion>,
        input: &Input,
        accept: Acceptance,
    ) -> Result<(), KeyError> {
        let (work, with) = (self.work(), version.map_or(VerifyWith::AnyLive, VerifyWith::Version));
        let by = |id: KeyVersionId| {
            let right = id.kid == *key && version.is_none_or(|version| version == id.version);
            assert!(right, "{operation} with {key} at {version:?} says that it was {id}");
        };
        let verified_by = |by: KeyVersion| assert_eq!(by, input.id.version, "{operation}: another version");
        let opened = |secret: SecretBytes| {
            assert!(secret.expose_secret() == MESSAGE, "{operation} gives other bytes than were put in");
        };
        match operation {
            KeyOperation::Sign => by(work.sign(key, version, MESSAGE).await?.id()),
            KeyOperation::Mac => by(work.mac(key, version, MESSAGE).await?.id()),
            KeyOperation::Verify => {
                verified_by(work.verify(key, with, MESSAGE, &input.proof, accept).await?);
            }
            KeyOperation::VerifyMac => {
                verified_by(work.verify_mac(key, with, MESSAGE, &input.proof, accept).await?);
            }
            KeyOperation::Encrypt => by(work.encrypt(key, version, MESSAGE, AAD).await?.id()),
            KeyOperation::WrapKey => by(work.wrap_key(key, version, &SecretBytes::from(MESSAGE)).await?.id()),
            KeyOperation::Decrypt => opened(work.decrypt(&input.sealed, AAD, accept).await?),
            KeyOperation::UnwrapKey => opened(work.unwrap_key(&input.wrapped, accept).await?),
            KeyOperation::Agree => {
                let secret = work.agree(key, version, &input.peer, accept).await?;
                assert_eq!(secret.len(), 32, "an X25519 agreement has 32 bytes");
            }
        }
        Ok(())
    }
}

impl Input {
    /// Of the right form, and made by nobody.
    pub(crate) fn made_up(id: &KeyVersionId, alg: KeyAlg) -> Self {
        let KeyVersionId { kid, version } = id.clone();
        let (nonce, len, tag) = match alg.key_type() {
            KeyType::Rsa => (Vec::new(), 256, Vec::new()),
            _ => (vec![1; 12], MESSAGE.len(), vec![2; 16]),
        };
        let sealed = Ciphertext { kid, version, alg, nonce, ciphertext: vec![3; len], tag };
        let peer = vectors::pair(KeyAlg::X25519).expect("X25519 has pairs").foreign_public();
        Self { id: id.clone(), proof: vec![4; 64], wrapped: sealed.clone(), sealed, peer }
    }
}

impl Sealing {
    pub(crate) const BOTH: [Self; 2] = [Self::Content, Self::Key];

    /// Both directions of it.
    pub(crate) fn operations(self) -> [KeyOperation; 2] {
        match self {
            Self::Content => [KeyOperation::Encrypt, KeyOperation::Decrypt],
            Self::Key => [KeyOperation::WrapKey, KeyOperation::UnwrapKey],
        }
    }
}

/// The ways of sealing, with the algorithms that both directions are done with.
pub(crate) fn sealing(on: &Subject) -> Result<Vec<(Sealing, KeyAlg)>, NotApplicable> {
    let each = Sealing::BOTH.into_iter().flat_map(|sealing| {
        on.doing(&sealing.operations()).unwrap_or_default().into_iter().map(move |alg| (sealing, alg))
    });
    some(each.collect(), "neither encrypts and decrypts, nor does so with keys")
}

fn some<T>(all: Vec<T>, otherwise: &str) -> Result<Vec<T>, NotApplicable> {
    if all.is_empty() { Err(NotApplicable(otherwise.to_owned())) } else { Ok(all) }
}

/// Asserts that errors do not tell forgeries apart.
#[track_caller]
pub(crate) fn assert_one_text(errors: &[KeyError]) {
    let texts: BTreeSet<_> = errors.iter().map(|error| format!("{error} / {error:?}")).collect();
    assert!(texts.len() <= 1, "what is wrong with forgeries can be told from their errors: {texts:?}");
}
