//! The drill: what would be left if the primary were gone now, found out by doing it.

use std::collections::BTreeMap;
use std::fmt;

use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;
use swarmauri_keyprovider::{Secrets, random_secret};
use swarmauri_keys::{KeyError, KeyId, KeyVersionId};
use tracing::Instrument as _;

use crate::adopt::PAGE;
use crate::failover::check_answer;
use crate::map::{KidRecord, Replica};
use crate::mode::Fidelity;
use crate::proof::{Challenge, Proof, as_text};
use crate::provider::MirroredKeyProvider;
use crate::side::Side;
use crate::status::RiskReason;

/// What [`drill`](MirroredKeyProvider::drill) found. Counts are of key versions that the primary has.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DrillReport {
    /// How many were read from the secondary, and are the keys that they stand in for.
    pub read: usize,
    /// How many of those also did the work that takes their secret, by what they did.
    pub worked: BTreeMap<Proof, usize>,
    /// How many of them did not, and why not: their public half would survive, and the work would not.
    pub not_at_work: BTreeMap<NotAtWork, usize>,
    /// Versions that nobody could read: they have no replica.
    pub at_risk: Vec<(KeyVersionId, RiskReason)>,
    /// Versions whose replica failed, in reading or at work. They would not survive either.
    pub failed: Vec<FailedDrill>,
    /// How many were not tried, since the secondary failed time and again.
    pub not_tried: usize,
}

/// Why a replica is not set to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotAtWork {
    /// The replica holds the public key only.
    PublicOnly,
    /// Its state or its uses leave nothing that could be tried.
    NothingToTry,
}

/// A replica that failed the drill.
#[derive(Debug, Clone, Serialize)]
pub struct FailedDrill {
    /// What it is to be a copy of.
    pub id: KeyVersionId,
    /// Where it is.
    pub at: KeyVersionId,
    /// How it failed; [`KeyError::Integrity`] if it is another key.
    #[serde(serialize_with = "as_text")]
    pub error: KeyError,
}

/// After how many outages in a row the rest is not tried.
const OUTAGES: usize = 5;

impl MirroredKeyProvider {
    /// Reads every key from the secondary alone and, where the replica holds the secret, has it work: signs and verifies,
    /// encrypts and decrypts. Says what would not survive an outage of the primary.
    ///
    /// Nobody's traffic is touched: the primary is not asked, breakers and figures do not count it, and nothing is
    /// recorded; what is amiss is for [`reconcile`](Self::reconcile). It goes by the map: keys that the mirror has never
    /// heard of are not in it. Each AES-GCM key spends one of its encryptions.
    pub async fn drill(&self) -> DrillReport {
        self.drill_all().instrument(tracing::info_span!("key_mirror.drill")).await
    }

    async fn drill_all(&self) -> DrillReport {
        self.catch_up().await;
        let (side, mut report, mut outages) = (self.secondary.aside(), DrillReport::default(), 0);
        let mut after = None;
        loop {
            let page = self.map.page(after.as_ref(), PAGE);
            let replicas = page.iter().flat_map(|(kid, record)| {
                record.all_servable().map(|(version, replica)| (kid.at(version), replica.clone()))
            });
            for (kid, record) in &page {
                report.note_at_risk(self, kid, record);
            }
            let replicas: Vec<_> = replicas.collect();
            let (side, count, seen) = (&side, replicas.len(), report.read + report.failed.len());
            let mut tried = stream::iter(replicas)
                .map(async |(id, replica)| {
                    let done = self.try_replica(side, &id, &replica).await;
                    (id, replica, done)
                })
                .buffered(self.settings.repairs_at_once.get());
            while outages < OUTAGES
                && let Some((id, replica, done)) = tried.next().await
            {
                outages = if done.as_ref().is_err_and(KeyError::is_outage) { outages + 1 } else { 0 };
                report.note(id, replica, done);
            }
            drop(tried);
            report.not_tried += count - (report.read + report.failed.len() - seen);
            match page.into_iter().last() {
                Some((kid, _)) => after = Some(kid),
                None => return report,
            }
        }
    }

    async fn try_replica(
        &self,
        side: &Side,
        id: &KeyVersionId,
        replica: &Replica,
    ) -> Result<Result<Proof, NotAtWork>, KeyError> {
        let at = &replica.at;
        let key = side.get_key(&at.kid, Some(at.version), Secrets::Omit).await?;
        check_answer(id, replica, &key)?;
        if replica.fidelity != Fidelity::Full {
            return Ok(Err(NotAtWork::PublicOnly));
        }
        let Some(works) = side.operations() else {
            return Ok(Err(NotAtWork::NothingToTry));
        };
        let challenge = Challenge { id, holder: (works, at), judge: (works, at), secret: random_secret()? };
        match challenge.put_to(&key).await? {
            Proof::Thumbprint => Ok(Err(NotAtWork::NothingToTry)),
            proof => Ok(Ok(proof)),
        }
    }
}

impl DrillReport {
    /// Whether every version would be read, and none failed. Work is not asked for: see [`not_at_work`](Self::not_at_work).
    pub fn is_clean(&self) -> bool {
        self.at_risk.is_empty() && self.failed.is_empty() && self.not_tried == 0
    }

    fn note_at_risk(&mut self, mirror: &MirroredKeyProvider, kid: &KeyId, record: &KidRecord) {
        for (version, state) in &record.versions {
            if record.is_live(*version)
                && let Some(reason) = RiskReason::of(mirror.settings.mode, state)
            {
                self.at_risk.push((kid.at(*version), reason));
            }
        }
    }

    fn note(&mut self, id: KeyVersionId, replica: Replica, done: Result<Result<Proof, NotAtWork>, KeyError>) {
        match done {
            Ok(worked) => {
                self.read += 1;
                match worked {
                    Ok(proof) => *self.worked.entry(proof).or_default() += 1,
                    Err(reason) => *self.not_at_work.entry(reason).or_default() += 1,
                }
            }
            Err(error) => self.failed.push(FailedDrill { id, at: replica.at, error }),
        }
    }
}

impl fmt::Display for NotAtWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::PublicOnly => "public_only",
            Self::NothingToTry => "nothing_to_try",
        })
    }
}
