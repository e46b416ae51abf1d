//! What the documents of the two sides do not tell, and somebody has to be asked for.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use swarmauri_keyprovider::{Feature, JwksQuery, JwksVersions, Secrets};
use swarmauri_keys::{JwkSet, KeyError, KeyId, KeyState, KeyVersionId};

use super::Merge;
use crate::events;
use crate::provider::MirroredKeyProvider;

/// What the two documents do not tell.
pub(super) struct SecondLook {
    /// All live versions of the primary's keys, where it gave a latest one that is destroyed.
    pub(super) all_live: Option<Arc<JwkSet>>,
    /// The keys of the secondary that are tagged as replicas: of other processes, or strays that the map does
    /// not know. `None` if that could not be found out; then no foreign key is published.
    pub(super) replica_kids: Option<HashSet<KeyId>>,
    /// Mode `none`: the keys that the primary has, or may have, and does not publish.
    pub(super) withheld: BTreeSet<KeyId>,
    /// Those of the versions that the primary does not publish whose replicas are to be published.
    pub(super) lost: BTreeSet<KeyVersionId>,
    /// Whether some of that could not be found out.
    pub(super) unsure: bool,
    /// Whether the primary refused to tell some of it: the next answer may be another one.
    pub(super) refused: bool,
}

impl Default for SecondLook {
    fn default() -> Self {
        Self {
            all_live: None,
            replica_kids: Some(HashSet::new()),
            withheld: BTreeSet::new(),
            lost: BTreeSet::new(),
            unsure: false,
            refused: false,
        }
    }
}

impl MirroredKeyProvider {
    /// Asks for what the two documents do not tell, if it matters.
    pub(super) async fn look_again(
        &self,
        merge: &Merge<'_>,
        query: &JwksQuery,
    ) -> Result<Option<SecondLook>, KeyError> {
        let tell_apart =
            !merge.foreign.is_empty() && self.mirrors() && self.secondary_can.has(Feature::ListKeys);
        // Without replicas nothing tells keys that the primary does not publish from keys that it does not have.
        let withheld = !merge.foreign.is_empty() && !self.mirrors() && merge.sources.primary.is_some();
        if !tell_apart && !withheld && merge.from_the_past.is_empty() && merge.missing.is_empty() {
            return Ok(None);
        }
        let mut look = SecondLook::default();
        // First: without it there is no document, and a primary that is silent now is asked for nothing else.
        if !merge.from_the_past.is_empty() {
            let query = JwksQuery { versions: JwksVersions::AllLive, ..query.clone() };
            look.all_live = Some(self.primary.jwks(&query).await?);
        }
        if withheld {
            self.look_for_withheld(merge, &mut look).await;
        }
        for id in &merge.missing {
            // The others would wait as long for it.
            let look_for = if look.unsure {
                Err(KeyError::unavailable("the primary"))
            } else {
                self.look_for_missing(id).await
            };
            match look_for {
                Ok(true) => {
                    look.lost.insert(id.clone());
                }
                Ok(false) => {}
                // As in an outage.
                Err(error) if error.is_outage() => {
                    look.lost.insert(id.clone());
                    look.unsure = true;
                }
                Err(_) => look.refused = true,
            }
        }
        if tell_apart {
            match self.replica_kids().await {
                Ok(kids) => look.replica_kids = Some(kids),
                Err(error) => {
                    events::secondary_failed("list_keys", &error);
                    look.replica_kids = None;
                }
            }
        }
        Ok(Some(look))
    }

    /// Mode `none`: which of the keys that only the secondary publishes the primary has, too, and does not publish.
    async fn look_for_withheld(&self, merge: &Merge<'_>, look: &mut SecondLook) {
        let kids: BTreeSet<_> = merge.foreign.keys().map(|id| &id.kid).collect();
        for kid in kids {
            // The others would wait as long for it.
            let answer = if look.unsure { None } else { Some(self.primary.list_versions(kid).await) };
            match answer {
                Some(Err(KeyError::NotFound { .. })) => continue,
                Some(Err(error)) if error.is_outage() => look.unsure = true,
                Some(Err(_)) => look.refused = true,
                Some(Ok(_)) | None => {}
            }
            look.withheld.insert(kid.clone());
        }
    }

    /// Whether the replica of a version is to be published, which a primary that is up does not publish: it may have
    /// lost it, or somebody may have disabled it there.
    async fn look_for_missing(&self, id: &KeyVersionId) -> Result<bool, KeyError> {
        match self.primary.get_key(&id.kid, Some(id.version), Secrets::Omit).await {
            Ok(key) if key.state() == KeyState::Enabled => Ok(true),
            Ok(_) => {
                self.learn_disabled(id).await;
                Ok(false)
            }
            Err(KeyError::NotFound { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }
}
