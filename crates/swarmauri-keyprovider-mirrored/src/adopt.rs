//! Finding replicas by the tags they carry: those of earlier processes, and strays of lost answers.

use std::collections::{BTreeMap, HashSet};

use swarmauri_keyprovider::{Feature, Secrets};
use swarmauri_keys::{KeyError, KeyId, KeyState, KeySummary, KeyVersionId, PageRequest};

use crate::deadline::within;
use crate::events;
use crate::map::Replica;
use crate::marks::{Claim, SOURCE};
use crate::provider::MirroredKeyProvider;
use crate::side::Side;
use crate::store::update;

/// How many keys are asked for at a time.
pub(crate) const PAGE: usize = 500;

/// The replicas on the secondary, by what they claim to be copies of.
pub(crate) type Claims = BTreeMap<KeyVersionId, Vec<Found>>;

/// A replica that was found on the secondary.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) replica: Replica,
    /// Whether it is in use there.
    pub(crate) state: KeyState,
}

impl MirroredKeyProvider {
    /// Makes sure that replicas which earlier processes left on the secondary are in the map. Looks once;
    /// a failed look is repeated by the next caller.
    ///
    /// Whoever comes while another one is looking waits for it as long as a read may take.
    pub(crate) async fn ensure_adopted(&self) -> Result<(), KeyError> {
        if self.is_adopted() {
            return Ok(());
        }
        let turn = within(self.settings.deadlines.public_read, self.adoption.lock()).await;
        let mut adopted = turn.ok_or_else(|| {
            KeyError::unavailable("the replicas on the secondary are still being looked through")
        })?;
        if *adopted {
            return Ok(());
        }
        for (id, replicas) in self.scan_secondary(Whose::Caller).await? {
            match sole(&replicas) {
                Some(found) => self.adopt(&id, found).await?,
                None => events::rival_replicas(&id),
            }
        }
        self.map.completed().await?;
        *adopted = true;
        Ok(())
    }

    /// Whether there is nothing to look for, or nowhere.
    pub(crate) fn is_adopted(&self) -> bool {
        !self.mirrors() || self.map.is_complete() || !self.secondary_can.has(Feature::ListKeys)
    }

    /// Takes a replica into the map, unless the map knows better.
    pub(crate) async fn adopt(&self, id: &KeyVersionId, found: &Found) -> Result<(), KeyError> {
        update(&*self.map, &id.kid, |record| {
            record.adopt(id.version, &found.replica, found.state);
        })
        .await
    }

    /// All replicas on the secondary.
    async fn scan_secondary(&self, whose: Whose) -> Result<Claims, KeyError> {
        let mut claims = Claims::new();
        for_each_key(&self.secondary, whose, |summary| {
            if let Some((id, found)) = claimed(&summary) {
                claims.entry(id).or_default().push(found);
            }
        })
        .await?;
        Ok(claims)
    }

    /// The `kid`s that the secondary lists and that are not tagged as those of replicas, be it of keys that the map knows or not.
    pub(crate) async fn own_kids_of_secondary(&self) -> Result<HashSet<KeyId>, KeyError> {
        let mut kids = HashSet::new();
        for_each_key(&self.secondary, Whose::Caller, |summary| {
            if summary.tags.get(SOURCE).is_none() {
                kids.insert(summary.kid);
            }
        })
        .await?;
        Ok(kids)
    }

    /// The replica of one version whose place is not known: under its telling `kid`, else by its tag.
    pub(crate) async fn find_replica(&self, id: &KeyVersionId) -> Result<Option<Found>, KeyError> {
        if let Some(kid) = self.replica_kid(id) {
            match self.secondary.get_key(&kid, None, Secrets::Omit).await {
                Ok(key) => {
                    if let Some((claimed_id, found)) = claimed(&KeySummary::from(&key))
                        && claimed_id == *id
                    {
                        return Ok(Some(found));
                    }
                }
                Err(KeyError::NotFound { .. }) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        if !self.secondary_can.has(Feature::ListKeys) {
            return Ok(None);
        }
        let replicas = self.scan_secondary(Whose::Mirror).await?.remove(id).unwrap_or_default();
        Ok(sole(&replicas).cloned())
    }
}

/// Who is waiting, and so how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Somebody who reads.
    Caller,
    /// The mirror itself, on its own account.
    Mirror,
}

/// Visits all keys of a side, page by page.
pub(crate) async fn for_each_key(
    side: &Side,
    whose: Whose,
    mut visit: impl FnMut(KeySummary),
) -> Result<(), KeyError> {
    let mut request = PageRequest::first(PAGE);
    loop {
        let page = match whose {
            Whose::Caller => side.list_keys(&request).await?,
            Whose::Mirror => side.survey_keys(&request).await?,
        };
        page.items.into_iter().for_each(&mut visit);
        match page.next {
            Some(cursor) => request.cursor = Some(cursor),
            None => return Ok(()),
        }
    }
}

/// What a key of the secondary claims to be a copy of. A claim that its own key belies is none.
pub(crate) fn claimed(summary: &KeySummary) -> Option<(KeyVersionId, Found)> {
    let claim = Claim::read(&summary.tags)?;
    let at = summary.kid.at(summary.version);
    let replica = claim.replica(at, summary.alg);
    if claim.fingerprint != summary.fingerprint {
        events::rival_replicas(&claim.source);
        return None;
    }
    Some((claim.source, Found { replica, state: summary.state }))
}

/// The first of some replicas, if all are copies of one key.
pub(crate) fn sole(replicas: &[Found]) -> Option<&Found> {
    let first = replicas.first()?;
    replicas.iter().all(|other| other.replica.key == first.replica.key).then_some(first)
}
