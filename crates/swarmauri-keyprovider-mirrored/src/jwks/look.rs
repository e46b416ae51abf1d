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
    pub(super) own: OwnKeys,
    /// Mode `none`: the keys that the primary has, or may have, and does not publish.
    pub(super) withheld: BTreeSet<KeyId>,
    /// Those of the versions that the primary does not publish whose replicas are to be published.
    pub(super) lost: BTreeSet<KeyVersionId>,
    /// Whether some of that could not be found out.
    pub(super) unsure: bool,
    /// Whether the primary refused to tell some of it: the next answer may be another one.
    pub(super) refused: bool,
}

/// Which of the keys that only the secondary publishes are its own, and no replicas: of other processes, or strays that the map
/// does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum OwnKeys {
    /// Nobody has asked: all, for all that is known.
    Unasked,
    /// Those that it lists as such. What it does not list it no longer has.
    Listed(HashSet<KeyId>),
    /// That could not be found out; then none is published.
    Unknown,
}

impl OwnKeys {
    pub(super) fn contains(&self, kid: &KeyId) -> bool {
        match self {
            Self::Unasked => true,
            Self::Listed(kids) => kids.contains(kid),
            Self::Unknown => false,
        }
    }
}

impl Default for SecondLook {
    fn default() -> Self {
        Self {
            all_live: None,
            own: OwnKeys::Unasked,
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
        if !tell_apart && self.mirrors() && self.secondary_can.has(Feature::ListKeys) {
            // A key that passes for one of the secondary's own only after this look is one that nobody has asked about.
            look.own = OwnKeys::Listed(HashSet::new());
        }
        // First: without it there is no document, and a primary that is silent now is asked for nothing else.
        if !merge.from_the_past.is_empty() {
            let query = JwksQuery { versions: JwksVersions::AllLive, ..query.clone() };
            look.all_live = Some(self.primary.jwks(&query).await?);
        }
        if withheld {
            self.look_for_withheld(merge, &mut look).await;
        }
        for id in &merge.missing {
            self.look_for_missing(id, &mut look).await;
        }
        if tell_apart {
            look.own = match self.own_kids_of_secondary().await {
                Ok(kids) => OwnKeys::Listed(kids),
                Err(error) => {
                    events::secondary_failed("list_keys", &error);
                    OwnKeys::Unknown
                }
            };
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

    /// Finds out whether the replica of a version is to be published, which a primary that is up does not publish: it may have
    /// lost it, or somebody may have disabled it there.
    async fn look_for_missing(&self, id: &KeyVersionId, look: &mut SecondLook) {
        // As in an outage. The primary has fallen silent: it would be waited for as long once more.
        if look.unsure {
            look.lost.insert(id.clone());
            return;
        }
        let is_lost = match self.primary.get_key(&id.kid, Some(id.version), Secrets::Omit).await {
            Ok(key) if key.state() == KeyState::Enabled => true,
            Ok(_) => {
                look.unsure = !self.learn_disabled(id).await;
                false
            }
            Err(KeyError::NotFound { .. }) => true,
            Err(error) if error.is_outage() => {
                look.unsure = true;
                true
            }
            Err(_) => {
                look.refused = true;
                false
            }
        };
        if is_lost {
            look.lost.insert(id.clone());
        }
    }
}
