//! The last JWKS that was good, for when neither side answers.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use swarmauri_keyprovider::JwksQuery;
use swarmauri_keys::{Jwk, JwkSet, KeyId, KeyVersion, KeyVersionId};
use tokio::time::Instant;

use crate::events;
use crate::provider::MirroredKeyProvider;

/// The last good documents, one for each of the usual queries.
#[derive(Debug, Default)]
pub(crate) struct LastGood {
    documents: Mutex<Vec<Document>>,
}

#[derive(Debug)]
struct Document {
    query: JwksQuery,
    keys: Arc<JwkSet>,
    made: Instant,
}

impl LastGood {
    const CAPACITY: usize = 8;

    fn keep(&self, query: &JwksQuery, keys: &Arc<JwkSet>) {
        let mut documents = self.documents.lock();
        let made = Instant::now();
        if let Some(known) = documents.iter_mut().find(|known| known.query == *query) {
            (known.keys, known.made) = (Arc::clone(keys), made);
            return;
        }
        if documents.len() == Self::CAPACITY
            && let Some(oldest) = (0..documents.len()).min_by_key(|at| documents.get(*at).map(|one| one.made))
        {
            documents.swap_remove(oldest);
        }
        documents.push(Document { query: query.clone(), keys: Arc::clone(keys), made });
    }

    /// Leaves out what is gone, of which no record may remain.
    pub(crate) fn forget(&self, kid: &KeyId, version: Option<KeyVersion>) {
        let is_it = |jwk: &Jwk| {
            let id = jwk.version_id();
            id.is_some_and(|id| id.kid == *kid && version.is_none_or(|version| version == id.version))
        };
        for document in
            self.documents.lock().iter_mut().filter(|document| document.keys.keys.iter().any(is_it))
        {
            let others = document.keys.keys.iter().filter(|jwk| !is_it(jwk)).cloned().collect();
            document.keys = Arc::new(JwkSet { keys: others });
        }
    }

    fn find(&self, query: &JwksQuery, max_age: Duration) -> Option<(Arc<JwkSet>, Duration)> {
        let documents = self.documents.lock();
        let known = documents.iter().find(|known| known.query == *query)?;
        let age = known.made.elapsed();
        (age <= max_age).then(|| (Arc::clone(&known.keys), age))
    }
}

impl MirroredKeyProvider {
    /// Keeps a document that a side has just answered for.
    pub(crate) fn keep_last_good(&self, query: &JwksQuery, keys: &Arc<JwkSet>) {
        if self.settings.jwks_max_stale.is_some() {
            self.last_good.keep(query, keys);
        }
    }

    /// The last good document, if it is young enough, without what was destroyed or disabled since.
    pub(crate) fn last_good_jwks(&self, query: &JwksQuery) -> Option<Arc<JwkSet>> {
        let max_age = self.settings.jwks_max_stale.filter(|_| self.settings.fail_open_reads)?;
        let (keys, age) = self.last_good.find(query, max_age)?;
        events::serving_stale_jwks(age);
        // Also what is being destroyed: nobody can say any more that it is still good.
        let gone = |id: &KeyVersionId| self.is_going(&id.kid, id.version) || self.is_disabled(id);
        if !keys.keys.iter().filter_map(Jwk::version_id).any(|id| gone(&id)) {
            return Some(keys);
        }
        let kept = keys.keys.iter().filter(|jwk| !jwk.version_id().is_some_and(|id| gone(&id)));
        Some(Arc::new(JwkSet { keys: kept.cloned().collect() }))
    }
}
