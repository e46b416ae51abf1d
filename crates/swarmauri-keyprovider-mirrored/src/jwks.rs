//! Merging the JWKS of both sides: one entry per key, under the primary's name.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use parking_lot::Mutex;
use swarmauri_keyprovider::{Feature, JwksQuery, JwksVersions};
use swarmauri_keys::{Fingerprint, Jwk, JwkSet, KeyError, KeyId, KeyVersion, KeyVersionId};

use crate::adopt::PAGE;
use crate::events;
use crate::map::{KidRecord, Replica};
use crate::provider::{JwksMerge, MirroredKeyProvider, OnPrimaryLoss};

/// Merged documents, kept for as long as neither side nor the map changes.
#[derive(Debug, Default)]
pub(crate) struct JwksCache {
    entries: Mutex<Vec<(Sources, Arc<JwkSet>)>>,
}

/// What a merged document is made of.
#[derive(Debug, Clone)]
struct Sources {
    query: JwksQuery,
    /// `None` during an outage.
    primary: Option<Arc<JwkSet>>,
    /// `None` if the secondary did not answer, or was not asked.
    secondary: Option<Arc<JwkSet>>,
    generation: u64,
}

impl MirroredKeyProvider {
    pub(crate) async fn read_jwks(&self, query: &JwksQuery) -> Result<Arc<JwkSet>, KeyError> {
        let (primary, outage) = match self.primary.jwks(query).await {
            Ok(set) => (Some(set), None),
            Err(error) if self.fails_over_on(&error) && self.has_fallback_keys() => {
                events::failing_over_all("jwks", &error);
                (None, Some(error))
            }
            Err(error) => return Err(error),
        };
        let mut secondary = None;
        if self.needs_secondary(outage.is_some()) {
            if let Err(error) = self.ensure_adopted().await {
                events::secondary_failed("list_keys", &error);
            }
            let everything = JwksQuery::ALL_LIVE;
            match self.secondary.jwks(if self.mirrors() { &everything } else { query }).await {
                Ok(set) => secondary = Some(set),
                Err(error) => {
                    events::secondary_failed("jwks", &error);
                    if let Some(outage) = outage {
                        return Err(outage);
                    }
                }
            }
        }
        let generation = self.map.generation();
        let sources = Sources { query: query.clone(), primary, secondary, generation };
        self.merged(sources).await
    }

    async fn merged(&self, sources: Sources) -> Result<Arc<JwkSet>, KeyError> {
        if let Some(document) = self.jwks_cache.find(&sources) {
            return Ok(document);
        }
        let mut merge = Merge { provider: self, sources: &sources, ours: BTreeMap::new(), rest: Vec::new() };
        merge.add_primary().await?;
        let known = merge.add_replicas();
        let whole = merge.add_foreign(&known).await;
        let document = Arc::new(merge.document());
        if whole {
            self.jwks_cache.keep(sources, Arc::clone(&document));
        }
        Ok(document)
    }

    /// Whether there may be anything to publish when the primary is out.
    fn has_fallback_keys(&self) -> bool {
        self.mirrors() || self.settings.jwks_merge == JwksMerge::All
    }

    fn needs_secondary(&self, outage: bool) -> bool {
        let lost_keys_matter = self.mirrors() && self.settings.on_primary_loss == OnPrimaryLoss::ServeReplica;
        outage
            || (self.settings.fail_open_reads
                && (self.settings.jwks_merge == JwksMerge::All || lost_keys_matter))
    }
}

/// A document in the making.
struct Merge<'a> {
    provider: &'a MirroredKeyProvider,
    sources: &'a Sources,
    /// Keys under names of the form `<kid>.<version>`.
    ours: BTreeMap<KeyVersionId, Jwk>,
    /// Keys under other names, which only providers of others have.
    rest: Vec<Jwk>,
}

/// What the map says of the secondary's keys.
#[derive(Default)]
struct Known {
    kids: BTreeSet<KeyId>,
    /// Where replicas are.
    places: HashSet<KeyVersionId>,
    fingerprints: HashSet<Fingerprint>,
}

impl Merge<'_> {
    /// Adds what the primary publishes, tombstones apart: they outrank it.
    async fn add_primary(&mut self) -> Result<(), KeyError> {
        let Some(set) = &self.sources.primary else {
            return Ok(());
        };
        let mut from_the_past = BTreeSet::new();
        for jwk in &set.keys {
            match jwk.version_id() {
                Some(id) if self.provider.is_destroyed(&id.kid, Some(id.version)) => {
                    from_the_past.insert(id.kid);
                }
                Some(id) => {
                    self.ours.insert(id, jwk.clone());
                }
                None => self.rest.push(jwk.clone()),
            }
        }
        from_the_past.retain(|kid| !self.provider.is_destroyed(kid, None));
        if self.latest_only() && !from_the_past.is_empty() {
            self.add_latest_undestroyed(&from_the_past).await?;
        }
        Ok(())
    }

    /// The latest versions that are not destroyed, of keys whose latest on the primary is.
    async fn add_latest_undestroyed(&mut self, kids: &BTreeSet<KeyId>) -> Result<(), KeyError> {
        let query = JwksQuery { versions: JwksVersions::AllLive, ..self.sources.query.clone() };
        let mut latest: BTreeMap<KeyId, (KeyVersion, Jwk)> = BTreeMap::new();
        for jwk in &self.provider.primary.jwks(&query).await?.keys {
            let Some(id) = jwk.version_id() else { continue };
            let newer = latest.get(&id.kid).is_none_or(|(version, _)| *version < id.version);
            if newer && kids.contains(&id.kid) && !self.provider.is_destroyed(&id.kid, Some(id.version)) {
                latest.insert(id.kid, (id.version, jwk.clone()));
            }
        }
        self.ours.extend(latest.into_iter().map(|(kid, (version, jwk))| (kid.at(version), jwk)));
        Ok(())
    }

    /// Adds the replicas of what the primary does not answer for, each checked against its record.
    fn add_replicas(&mut self) -> Known {
        let mut known = Known::default();
        let Some(secondary) = &self.sources.secondary else {
            return known;
        };
        let published: BTreeMap<_, _> =
            secondary.keys.iter().filter_map(|jwk| Some((jwk.version_id()?, jwk))).collect();
        let mut after: Option<KeyId> = None;
        loop {
            let page = self.provider.map.page(after.as_ref(), PAGE);
            for (kid, record) in &page {
                known.note(self.provider, kid, record);
                self.add_replicas_of(kid, record, &published);
            }
            match page.last() {
                Some((kid, _)) => after = Some(kid.clone()),
                None => return known,
            }
        }
    }

    fn add_replicas_of(&mut self, kid: &KeyId, record: &KidRecord, published: &BTreeMap<KeyVersionId, &Jwk>) {
        let up = self.sources.primary.is_some();
        let refuses = self.provider.settings.on_primary_loss == OnPrimaryLoss::Refuse;
        if (up && (refuses || (self.latest_only() && self.has_kid(kid)))) || !self.sources.query.matches(kid)
        {
            return;
        }
        let wanted = if self.latest_only() { 1 } else { usize::MAX };
        for (version, replica) in record.all_servable().rev().take(wanted) {
            let id = kid.at(version);
            if let Some(jwk) = published.get(&replica.at).filter(|_| !self.ours.contains_key(&id))
                && is_right(&id, replica, jwk)
            {
                let jwk = Jwk::published(&id, replica.key.alg, jwk.key.clone());
                self.ours.insert(id, jwk);
            }
        }
    }

    /// Adds keys that only the secondary has: neither replicas, nor under a name that the primary uses.
    ///
    /// False if replicas could not be told from other keys; then none of those is added.
    async fn add_foreign(&mut self, known: &Known) -> bool {
        let Some(secondary) = &self.sources.secondary else {
            return true;
        };
        if self.provider.settings.jwks_merge == JwksMerge::ReplicasOnly {
            return true;
        }
        let mut foreign: BTreeMap<KeyVersionId, Jwk> = BTreeMap::new();
        for jwk in &secondary.keys {
            match jwk.version_id() {
                Some(id) => {
                    let ours = self.has_kid(&id.kid) || known.is_ours(&id, jwk);
                    if !ours && self.sources.query.matches(&id.kid) {
                        foreign.insert(id, jwk.clone());
                    }
                }
                None if self.rest.iter().any(|other| other.kid == jwk.kid) => {}
                None => self.rest.push(jwk.clone()),
            }
        }
        if !self.drop_tagged(&mut foreign).await {
            return false;
        }
        if self.latest_only() {
            let latest: BTreeMap<_, _> = foreign.keys().map(|id| (id.kid.clone(), id.version)).collect();
            foreign.retain(|id, _| latest.get(&id.kid) == Some(&id.version));
        }
        self.ours.append(&mut foreign);
        true
    }

    /// Drops keys that are tagged as replicas: of other processes, or strays that the map does not know.
    async fn drop_tagged(&self, foreign: &mut BTreeMap<KeyVersionId, Jwk>) -> bool {
        let can_tell = self.provider.mirrors() && self.provider.secondary_can.has(Feature::ListKeys);
        if foreign.is_empty() || !can_tell {
            return true;
        }
        match self.provider.replica_kids().await {
            Ok(kids) => foreign.retain(|id, _| !kids.contains(&id.kid)),
            Err(error) => {
                events::secondary_failed("list_keys", &error);
                return false;
            }
        }
        true
    }

    fn latest_only(&self) -> bool {
        self.sources.query.versions == JwksVersions::Latest
    }

    fn has_kid(&self, kid: &KeyId) -> bool {
        let next = self.ours.range(kid.at(KeyVersion::FIRST)..).next();
        next.is_some_and(|(id, _)| id.kid == *kid)
    }

    fn document(self) -> JwkSet {
        JwkSet { keys: self.ours.into_values().chain(self.rest).collect() }
    }
}

impl Known {
    fn note(&mut self, provider: &MirroredKeyProvider, kid: &KeyId, record: &KidRecord) {
        if provider.mirrors() || record.is_destroyed(None) {
            self.kids.insert(kid.clone());
        }
        for state in record.versions.values() {
            self.places.extend(state.replica().map(|replica| replica.at.clone()));
            self.fingerprints.extend(state.fingerprint().cloned());
        }
    }

    /// Whether a key of the secondary is a replica, or pretends to be one of the primary's keys.
    fn is_ours(&self, id: &KeyVersionId, jwk: &Jwk) -> bool {
        self.kids.contains(&id.kid)
            || self.places.contains(id)
            || self.fingerprints.contains(&jwk.key.thumbprint())
    }
}

fn is_right(id: &KeyVersionId, replica: &Replica, jwk: &Jwk) -> bool {
    let right = jwk.key.thumbprint() == replica.key.fingerprint;
    if !right {
        events::wrong_key(
            id,
            &KeyError::integrity("the secondary publishes another key than was copied there"),
        );
    }
    right
}

impl JwksCache {
    /// One document for each usual query.
    const CAPACITY: usize = 8;

    fn find(&self, sources: &Sources) -> Option<Arc<JwkSet>> {
        let entries = self.entries.lock();
        entries.iter().find(|(made_of, _)| made_of.same_as(sources)).map(|(_, document)| Arc::clone(document))
    }

    fn keep(&self, sources: Sources, document: Arc<JwkSet>) {
        let mut entries = self.entries.lock();
        entries.retain(|(made_of, _)| made_of.query != sources.query);
        if entries.len() == Self::CAPACITY {
            entries.remove(0);
        }
        entries.push((sources, document));
    }
}

impl Sources {
    /// Whether these are the same documents, not merely equal ones.
    fn same_as(&self, other: &Self) -> bool {
        let same = |one: &Option<Arc<JwkSet>>, other: &Option<Arc<JwkSet>>| match (one, other) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        let Self { query, primary, secondary, generation } = self;
        *query == other.query
            && *generation == other.generation
            && same(primary, &other.primary)
            && same(secondary, &other.secondary)
    }
}
