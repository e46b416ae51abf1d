//! Proving replicas: that they are the keys they stand in for, shown by what they can do.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use swarmauri_keyprovider::{Secrets, random_secret};
use swarmauri_keys::{
    Acceptance, Ciphertext, KeyAlg, KeyError, KeyOperation, KeyRef, KeyVersionId, PublicKey, SecretBytes,
    VerifyWith,
};

use crate::adopt::PAGE;
use crate::events;
use crate::map::Replica;
use crate::mode::Fidelity;
use crate::provider::MirroredKeyProvider;
use crate::side::Operations;

/// How a replica was proved to be of the key that it stands in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// The primary verified a signature that the replica made over a challenge.
    Signature,
    /// The primary verified a MAC that the replica computed over a challenge.
    Mac,
    /// The replica decrypted, or unwrapped, a challenge that the primary had encrypted.
    Decryption,
    /// Both agreed on the same secret with a random public key.
    Agreement,
    /// Its public key has the thumbprint that was recorded when it was copied. So are public replicas proved, and
    /// full ones of keys whose uses or state leave no challenge.
    Thumbprint,
}

/// What [`verify_replicas`](MirroredKeyProvider::verify_replicas) found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ProofReport {
    /// How many replicas were proved, by how.
    pub proved: BTreeMap<Proof, usize>,
    /// The others.
    pub failed: Vec<FailedProof>,
}

/// A replica that was not proved.
#[derive(Debug, Clone, Serialize)]
pub struct FailedProof {
    /// What it is to be a copy of.
    pub id: KeyVersionId,
    /// Where it is.
    pub at: KeyVersionId,
    /// Why: [`KeyError::Integrity`] if it is another key; anything else says that it could not be asked.
    #[serde(serialize_with = "as_text")]
    pub error: KeyError,
}

/// What a challenge begins with, so that a signature over it is good for nothing else.
const CHALLENGE: &[u8] = b"swarmauri-keyprovider-mirrored replica challenge v1\0";

impl MirroredKeyProvider {
    /// Proves every replica: full ones by a challenge that only the holder of the secret answers, public ones by
    /// thumbprint. Changes nothing.
    ///
    /// Needs the primary for challenges. A challenge to a symmetric key counts as one encryption of it.
    pub async fn verify_replicas(&self) -> ProofReport {
        self.catch_up().await;
        let mut report = ProofReport::default();
        if let Err(error) = self.ensure_adopted().await {
            events::secondary_failed("list_keys", &error);
        }
        let mut after = None;
        loop {
            let page = self.map.page(after.as_ref(), PAGE);
            for (kid, record) in &page {
                for (version, replica) in record.all_servable() {
                    report.note(kid.at(version), replica, self.prove(&kid.at(version), replica).await);
                }
            }
            match page.into_iter().last() {
                Some((kid, _)) => after = Some(kid),
                None => return report,
            }
        }
    }

    async fn prove(&self, id: &KeyVersionId, replica: &Replica) -> Result<Proof, KeyError> {
        let unread = KeyError::unavailable(format!("the replica of {id}"));
        let shown = self.read_replica(id, replica, Secrets::Omit, &unread).await?;
        let sides = self.primary.operations().zip(self.secondary.operations());
        let Some((primary, secondary)) = sides.filter(|_| replica.fidelity == Fidelity::Full) else {
            return Ok(Proof::Thumbprint);
        };
        let (holder, judge) = ((secondary, &replica.at), (primary, id));
        let challenge = Challenge { id, holder, judge, secret: random_secret()? };
        challenge.put_to(&shown).await
    }
}

/// A question that only the holder of the secret of a key can answer.
pub(crate) struct Challenge<'a> {
    /// What is challenged, under the primary's name.
    pub(crate) id: &'a KeyVersionId,
    /// Who has to show that it holds the secret, and under which name.
    pub(crate) holder: (Operations<'a>, &'a KeyVersionId),
    /// Who says whether it does, and under which name.
    pub(crate) judge: (Operations<'a>, &'a KeyVersionId),
    pub(crate) secret: SecretBytes,
}

impl Challenge<'_> {
    pub(crate) async fn put_to(&self, key: &KeyRef) -> Result<Proof, KeyError> {
        let may = |operation| key.check_operation(operation, Acceptance::EnabledOnly).is_ok();
        match key.alg() {
            KeyAlg::Ed25519 | KeyAlg::EcdsaP256Sha256 | KeyAlg::RsaPssSha256
                if may(KeyOperation::Sign) && may(KeyOperation::Verify) =>
            {
                self.sign().await
            }
            KeyAlg::HmacSha256 if may(KeyOperation::Mac) && may(KeyOperation::VerifyMac) => self.mac().await,
            KeyAlg::Aes256Gcm | KeyAlg::RsaOaepSha256
                if may(KeyOperation::Encrypt) && may(KeyOperation::Decrypt) =>
            {
                self.decrypt().await
            }
            KeyAlg::Aes256Gcm | KeyAlg::RsaOaepSha256
                if may(KeyOperation::WrapKey) && may(KeyOperation::UnwrapKey) =>
            {
                self.unwrap().await
            }
            KeyAlg::X25519 if may(KeyOperation::Agree) => self.agree().await,
            _ => Ok(Proof::Thumbprint),
        }
    }

    async fn sign(&self) -> Result<Proof, KeyError> {
        let ((holder, at), (judge, id), message) = (self.holder, self.judge, self.message());
        let answer = holder.sign(&at.kid, Some(at.version), &message).await?;
        let (with, acceptance) = (VerifyWith::Version(id.version), Acceptance::EnabledOnly);
        let verified = judge.verify(&id.kid, with, &message, &answer.bytes, acceptance).await;
        self.judge(verified.map(|_| true), Proof::Signature)
    }

    async fn mac(&self) -> Result<Proof, KeyError> {
        let ((holder, at), (judge, id), message) = (self.holder, self.judge, self.message());
        let answer = holder.mac(&at.kid, Some(at.version), &message).await?;
        let (with, acceptance) = (VerifyWith::Version(id.version), Acceptance::EnabledOnly);
        let verified = judge.verify_mac(&id.kid, with, &message, &answer.bytes, acceptance).await;
        self.judge(verified.map(|_| true), Proof::Mac)
    }

    async fn decrypt(&self) -> Result<Proof, KeyError> {
        let ((holder, _), (judge, id)) = (self.holder, self.judge);
        let secret = self.secret.expose_secret();
        let sealed = judge.encrypt(&id.kid, Some(id.version), secret, CHALLENGE).await?;
        let opened = holder.decrypt(&self.renamed(sealed), CHALLENGE, Acceptance::EnabledOnly).await;
        self.judge(opened.map(|opened| opened == self.secret), Proof::Decryption)
    }

    async fn unwrap(&self) -> Result<Proof, KeyError> {
        let ((holder, _), (judge, id)) = (self.holder, self.judge);
        let wrapped = judge.wrap_key(&id.kid, Some(id.version), &self.secret).await?;
        let opened = holder.unwrap_key(&self.renamed(wrapped), Acceptance::EnabledOnly).await;
        self.judge(opened.map(|opened| opened == self.secret), Proof::Decryption)
    }

    async fn agree(&self) -> Result<Proof, KeyError> {
        let ((holder, at), (judge, id)) = (self.holder, self.judge);
        // Any 32 bytes are a public key (RFC 7748 section 5).
        let mut peer = [0; 32];
        peer.iter_mut().zip(self.secret.expose_secret()).for_each(|(to, from)| *to = *from);
        let (peer, accept) = (PublicKey::X25519(peer), Acceptance::EnabledOnly);
        let theirs = holder.agree(&at.kid, Some(at.version), &peer, accept).await?;
        let ours = judge.agree(&id.kid, Some(id.version), &peer, accept).await;
        self.judge(ours.map(|ours| ours == theirs), Proof::Agreement)
    }

    fn message(&self) -> Vec<u8> {
        [CHALLENGE, self.id.to_string().as_bytes(), self.secret.expose_secret()].concat()
    }

    fn renamed(&self, sealed: Ciphertext) -> Ciphertext {
        let KeyVersionId { kid, version } = self.holder.1.clone();
        Ciphertext { kid, version, ..sealed }
    }

    fn judge(&self, answer: Result<bool, KeyError>, proof: Proof) -> Result<Proof, KeyError> {
        match answer {
            Ok(true) => Ok(proof),
            Ok(false) | Err(KeyError::NotAuthentic) => {
                let error = KeyError::integrity(format!(
                    "the replica of {} failed the challenge: it is another key",
                    self.id
                ));
                events::wrong_key(self.id, &error);
                Err(error)
            }
            Err(error) => Err(error),
        }
    }
}

impl ProofReport {
    /// Whether every replica was proved.
    pub fn is_clean(&self) -> bool {
        self.failed.is_empty()
    }

    fn note(&mut self, id: KeyVersionId, replica: &Replica, outcome: Result<Proof, KeyError>) {
        match outcome {
            Ok(proof) => *self.proved.entry(proof).or_default() += 1,
            Err(error) => self.failed.push(FailedProof { id, at: replica.at.clone(), error }),
        }
    }
}

pub(crate) fn as_text<S: Serializer>(error: &KeyError, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(error)
}
