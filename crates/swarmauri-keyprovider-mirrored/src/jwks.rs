//! Merging the JWKS of both sides: one entry per key, under the primary's name.

mod cache;
mod look;
#[cfg(test)]
mod tests;
mod unchanged;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use swarmauri_keyprovider::{JwksQuery, JwksVersions};
use swarmauri_keys::{Fingerprint, Jwk, JwkSet, KeyError, KeyId, KeyVersion, KeyVersionId};

pub(crate) use self::cache::JwksCache;
use self::cache::{Made, Sources};
use self::look::{OwnKeys, SecondLook};
use crate::adopt::PAGE;
use crate::events;
use crate::map::{KidRecord, Replica};
use crate::provider::MirroredKeyProvider;
use crate::settings::{JwksMerge, OnPrimaryLoss};

impl MirroredKeyProvider {
    pub(crate) async fn read_jwks(&self, query: &JwksQuery) -> Result<Arc<JwkSet>, KeyError> {
        self.catch_up().await;
        match self.jwks_of_either(query).await {
            Ok(document) => {
                self.keep_last_good(query, &document);
                Ok(document)
            }
            Err(error) if error.is_outage() => {
                self.catch_up_again().await;
                self.last_good_jwks(query).ok_or(error)
            }
            refused => refused,
        }
    }

    async fn jwks_of_either(&self, query: &JwksQuery) -> Result<Arc<JwkSet>, KeyError> {
        let (error, asked, secondary) = match self.primary.jwks(query).await {
            Ok(set) => {
                let asks = self.needs_secondary();
                let secondary = if asks { self.document_of_secondary().await } else { None };
                match self.merged(query, Some(set), secondary.clone()).await {
                    // It was asked for more, and had fallen silent.
                    Err(error) => (error, asks, secondary),
                    merged => return merged,
                }
            }
            Err(error) => (error, false, None),
        };
        if !self.fails_over_on(&error) || !self.has_fallback_keys() {
            return Err(error);
        }
        events::failing_over_all(self.primary.breaker(), "jwks", &error);
        let secondary = if asked { secondary } else { self.document_of_secondary().await };
        match secondary {
            Some(set) => self.merged(query, None, Some(set)).await,
            None => Err(error),
        }
    }

    /// All that the secondary publishes; `None` if it does not answer.
    async fn document_of_secondary(&self) -> Option<Arc<JwkSet>> {
        let adopted = self.ensure_adopted().await;
        if let Err(error) = &adopted {
            events::secondary_failed("list_keys", error);
        }
        let answer = match adopted {
            // It would be waited for once more.
            Err(error) if error.is_outage() => Err(error),
            _ => self.secondary.jwks(&JwksQuery::ALL_LIVE).await,
        };
        answer.inspect_err(|error| events::secondary_failed("jwks", error)).ok()
    }

    async fn merged(
        &self,
        query: &JwksQuery,
        primary: Option<Arc<JwkSet>>,
        secondary: Option<Arc<JwkSet>>,
    ) -> Result<Arc<JwkSet>, KeyError> {
        if secondary.is_some() {
            self.catch_up_again().await;
        }
        let generation = self.map.generation();
        let sources = Sources { query: query.clone(), primary, secondary, generation };
        self.merge(sources).await
    }

    async fn merge(&self, sources: Sources) -> Result<Arc<JwkSet>, KeyError> {
        let sources = match self.jwks_cache.find(sources) {
            Ok(document) => return Ok(document),
            Err(sources) => sources,
        };
        if let Some(document) = sources.primary.clone()
            && let Some(earlier) = self.jwks_cache.earlier(&sources.query).filter(|earlier| earlier.plain)
            && self.primary_says_it_all(&earlier.of, &sources)
        {
            self.jwks_cache.keep(Made { of: sources, document: Arc::clone(&document), plain: true });
            return Ok(document);
        }
        let no_look = SecondLook::default();
        let mut merge = Merge::of(self, &sources, &no_look);
        let look = self.look_again(&merge, &sources.query).await?;
        let whole =
            look.as_ref().is_none_or(|look| look.own != OwnKeys::Unknown && !look.unsure && !look.refused);
        if let Some(look) = &look {
            // From the start: keys may have been destroyed during the wait.
            self.catch_up_again().await;
            merge = Merge::of(self, &sources, look);
        }
        let asked = look.is_some() || merge.strangers;
        let merged = merge.document();
        // One document in memory, not two.
        let primary = sources.primary.clone().filter(|primary| **primary == merged);
        let plain = primary.is_some() && !asked;
        let document = primary.unwrap_or_else(|| Arc::new(merged));
        if whole {
            self.jwks_cache.keep(Made { of: sources, document: Arc::clone(&document), plain });
        }
        Ok(document)
    }

    /// The replicas of a key that are to be published where the primary, if it is `up`, does not publish the same versions.
    /// `has_kid`: it publishes some version of the key.
    fn replicas_to_publish<'r>(
        &self,
        query: &JwksQuery,
        kid: &KeyId,
        record: &'r KidRecord,
        up: bool,
        has_kid: bool,
    ) -> Vec<(KeyVersion, &'r Replica)> {
        let latest_only = query.versions == JwksVersions::Latest;
        let refuses = self.settings.on_primary_loss == OnPrimaryLoss::Refuse;
        if (up && (refuses || (latest_only && has_kid))) || !query.matches(kid) {
            return Vec::new();
        }
        let enabled = |(version, _): &(KeyVersion, &Replica)| !record.is_disabled(*version);
        if latest_only {
            record.servable(None).into_iter().filter(enabled).collect()
        } else {
            record.all_servable().filter(enabled).collect()
        }
    }

    /// Whether there may be anything to publish when the primary is out.
    fn has_fallback_keys(&self) -> bool {
        self.mirrors() || self.settings.jwks_merge == JwksMerge::All
    }

    /// Whether there may be anything to publish of the secondary's while the primary is up.
    fn needs_secondary(&self) -> bool {
        let lost_keys_matter = self.mirrors() && self.settings.on_primary_loss == OnPrimaryLoss::ServeReplica;
        self.settings.fail_open_reads && (self.settings.jwks_merge == JwksMerge::All || lost_keys_matter)
    }
}

/// A document in the making.
struct Merge<'a> {
    provider: &'a MirroredKeyProvider,
    sources: &'a Sources,
    look: &'a SecondLook,
    /// Keys under names of the form `<kid>.<version>`.
    ours: BTreeMap<KeyVersionId, Jwk>,
    /// Keys that only the secondary has.
    foreign: BTreeMap<KeyVersionId, Jwk>,
    /// Keys under other names, which only providers of others have.
    rest: Vec<Jwk>,
    /// Keys that live, and whose latest version on the primary is one that is destroyed.
    from_the_past: BTreeSet<KeyId>,
    /// Versions with a replica, which a primary that is up does not publish.
    missing: BTreeSet<KeyVersionId>,
    /// Whether the secondary has keys that the map does not know: of these it may have to be asked more.
    strangers: bool,
}

/// What the map says of the secondary's keys.
#[derive(Default)]
struct Known {
    kids: BTreeSet<KeyId>,
    /// Where replicas are.
    places: HashSet<KeyVersionId>,
    fingerprints: HashSet<Fingerprint>,
}

impl<'a> Merge<'a> {
    fn of(provider: &'a MirroredKeyProvider, sources: &'a Sources, look: &'a SecondLook) -> Self {
        let mut merge = Self {
            provider,
            sources,
            look,
            ours: BTreeMap::new(),
            foreign: BTreeMap::new(),
            rest: Vec::new(),
            from_the_past: BTreeSet::new(),
            missing: BTreeSet::new(),
            strangers: false,
        };
        merge.add_primary();
        let known = merge.add_replicas();
        merge.add_foreign(&known);
        merge
    }

    /// Adds what the primary publishes, tombstones apart: they outrank it.
    fn add_primary(&mut self) {
        let Some(set) = &self.sources.primary else {
            return;
        };
        for jwk in &set.keys {
            match jwk.version_id() {
                Some(id) if self.is_destroyed(&id) => {
                    if self.latest_only() && !self.provider.is_destroyed(&id.kid, None) {
                        self.from_the_past.insert(id.kid);
                    }
                }
                Some(id) => {
                    self.ours.insert(id, jwk.clone());
                }
                None => self.rest.push(jwk.clone()),
            }
        }
        for kid in &self.from_the_past {
            let all_live = self.look.all_live.iter().flat_map(|set| &set.keys);
            let undestroyed = all_live
                .filter_map(|jwk| Some((jwk.version_id()?, jwk)))
                .filter(|(id, _)| id.kid == *kid && !self.is_destroyed(id));
            if let Some((id, jwk)) = undestroyed.max_by_key(|(id, _)| id.version) {
                self.ours.insert(id, jwk.clone());
            }
        }
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
        let (provider, query, up) = (self.provider, &self.sources.query, self.sources.primary.is_some());
        for (version, replica) in provider.replicas_to_publish(query, kid, record, up, self.has_kid(kid)) {
            let id = kid.at(version);
            if self.ours.contains_key(&id) {
                continue;
            }
            if up && !self.look.lost.contains(&id) {
                self.missing.insert(id);
                continue;
            }
            if let Some(jwk) = published.get(&replica.at)
                && is_right(&id, replica, jwk)
            {
                let jwk = Jwk::published(&id, replica.key.alg, jwk.key.clone());
                self.ours.insert(id, jwk);
            }
        }
    }

    /// Adds keys that only the secondary has: neither replicas, nor under a name that the primary uses.
    fn add_foreign(&mut self, known: &Known) {
        let Some(secondary) = &self.sources.secondary else {
            return;
        };
        if self.provider.settings.jwks_merge == JwksMerge::ReplicasOnly || self.look.own == OwnKeys::Unknown {
            return;
        }
        for jwk in secondary.keys.iter().filter(|jwk| !known.has(jwk)) {
            self.strangers = true;
            match jwk.version_id() {
                Some(id) => {
                    let going = self.provider.is_going(&id.kid, id.version);
                    let ours = self.has_kid(&id.kid) || known.is_name_of_ours(&id) || going;
                    if !ours && self.look.own.contains(&id.kid) && self.sources.query.matches(&id.kid) {
                        self.foreign.insert(id, jwk.clone());
                    }
                }
                None if self.rest.iter().any(|other| other.kid == jwk.kid) => {}
                // The secondary was asked for everything, so the prefix is ours to apply.
                None if !self.asked_for(jwk) => {}
                None => self.rest.push(jwk.clone()),
            }
        }
        if self.latest_only() {
            let latest: BTreeMap<_, _> = self.foreign.keys().map(|id| (id.kid.clone(), id.version)).collect();
            self.foreign.retain(|id, _| latest.get(&id.kid) == Some(&id.version));
        }
        // None stands in for a latest one that is disabled.
        let (provider, withheld) = (self.provider, &self.look.withheld);
        self.foreign.retain(|id, _| !provider.is_disabled(id) && !withheld.contains(&id.kid));
    }

    fn is_destroyed(&self, id: &KeyVersionId) -> bool {
        self.provider.is_destroyed(&id.kid, Some(id.version))
    }

    fn asked_for(&self, jwk: &Jwk) -> bool {
        let prefix = self.sources.query.prefix.as_deref().unwrap_or_default();
        jwk.kid.as_deref().unwrap_or_default().starts_with(prefix)
    }

    fn latest_only(&self) -> bool {
        self.sources.query.versions == JwksVersions::Latest
    }

    fn has_kid(&self, kid: &KeyId) -> bool {
        let next = self.ours.range(kid.at(KeyVersion::FIRST)..).next();
        next.is_some_and(|(id, _)| id.kid == *kid)
    }

    fn document(mut self) -> JwkSet {
        self.ours.append(&mut self.foreign);
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

    /// Whether this is the public key of one that the map knows, under whatever name.
    fn has(&self, jwk: &Jwk) -> bool {
        self.fingerprints.contains(&jwk.key.thumbprint())
    }

    /// Whether this is the name of a replica, or pretends to be that of one of the primary's keys.
    fn is_name_of_ours(&self, id: &KeyVersionId) -> bool {
        self.kids.contains(&id.kid) || self.places.contains(id)
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
