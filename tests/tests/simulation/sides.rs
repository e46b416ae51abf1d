//! A side: an honest table of keys behind a weather. The mirror meets the weather, the checks look behind it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;
use swarmauri_keyprovider::{Capabilities, Feature, JwksQuery, JwksVersions};
use swarmauri_keyprovider_testkit::Method;
use swarmauri_keys::{
    JwkSet, KeyAlg, KeyError, KeyId, KeyMaterial, KeyOperation, KeyRef, KeySpec, KeyState, KeyVersion,
    KeyVersionId, SpecOverrides,
};
use swarmauri_softkeys::{KeyTable, SoftKey};
use tokio::time::{Duration, Instant};

use crate::ground::{Ground, SideEnd};
use crate::pool::Drawer;
use crate::script::Place;
use crate::weather::{End, Lie, Sky, Turn, Weather};
use crate::{evidence, untruth};

/// The algorithms of this world.
pub(crate) const ALGS: [KeyAlg; 3] = [KeyAlg::Ed25519, KeyAlg::HmacSha256, KeyAlg::Aes256Gcm];

pub(crate) struct Side {
    pub(crate) place: Place,
    /// What it really has.
    pub(crate) table: KeyTable,
    pub(crate) ground: Ground,
    can: Capabilities,
    sky: Mutex<Sky>,
    drawer: Mutex<Drawer>,
    /// For keys that are given a name.
    named: AtomicU32,
}

impl Side {
    pub(crate) fn new(place: Place, chosen_kid: bool, pace: u8, ground: Ground) -> Arc<Self> {
        Arc::new(Self {
            place,
            table: KeyTable::new(),
            ground,
            can: capabilities(chosen_kid),
            sky: Mutex::new(Sky::new(Weather::Fair, 0, pace)),
            drawer: Mutex::default(),
            named: AtomicU32::new(0),
        })
    }

    pub(crate) fn set_sky(&self, sky: Sky) {
        *self.sky.lock() = sky;
    }

    pub(crate) fn weather(&self) -> Weather {
        self.sky.lock().weather
    }

    pub(crate) fn can(&self) -> &Capabilities {
        &self.can
    }

    /// Serves one call, as the weather is.
    pub(crate) async fn serve<T: evidence::Told>(
        &self,
        method: Method,
        kid: Option<&KeyId>,
        version: Option<KeyVersion>,
        effect: impl FnOnce(&Turn) -> Result<T, KeyError>,
    ) -> Result<T, KeyError> {
        let turn = self.sky.lock().turn(method);
        let entry = {
            let mut ground = self.ground.lock();
            ground.tally.count(self.topic(), turn.name());
            let entry = ground.asked(self.place, method, kid, version);
            ground.note(entry, |call| call.stale = turn.stale);
            entry
        };
        let mut asked = Asked::new(self);
        pause(turn.pauses.0).await;
        if !turn.delay.is_zero() {
            tokio::time::sleep(turn.delay).await;
        }
        let mut end = |end: SideEnd| {
            asked.answered = !end.is_outage();
            self.ground.lock().note(entry, |call| call.end = Some(end));
        };
        match &turn.end {
            End::FailBefore(error) => {
                end(SideEnd::of(error));
                return Err(error.clone());
            }
            End::HangBefore => return std::future::pending().await,
            End::Honest | End::FailAfter(_) | End::HangAfter => {}
        }
        if let Some(lie) = turn.lie {
            evidence::lied(self, lie, method, kid);
        }
        let answer = effect(&turn);
        self.ground.lock().note(entry, |call| call.reached = true);
        pause(turn.pauses.1).await;
        match (&turn.end, answer) {
            (End::HangAfter, _) => std::future::pending().await,
            (End::FailAfter(error), Ok(_)) => {
                end(SideEnd::of(error));
                Err(error.clone())
            }
            (_, Ok(told)) => {
                end(SideEnd::Ok(told.version()));
                Ok(told)
            }
            (_, Err(error)) => {
                end(SideEnd::of(&error));
                Err(error)
            }
        }
    }

    fn topic(&self) -> &'static str {
        match self.place {
            Place::Primary => "turns of the primary",
            Place::Secondary => "turns of the secondary",
            Place::Store => "turns of the store",
        }
    }

    /// A key that nobody has had in this world.
    pub(crate) fn draw(&self, alg: KeyAlg) -> SoftKey {
        self.drawer.lock().next(alg)
    }

    pub(crate) fn create(&self, spec: &KeySpec) -> Result<KeyRef, KeyError> {
        let key = self.draw(spec.alg());
        self.insert(spec, key)
    }

    pub(crate) fn import(&self, spec: &KeySpec, material: KeyMaterial) -> Result<KeyRef, KeyError> {
        let key = SoftKey::import(spec.alg(), material)?;
        if self.place == Place::Secondary {
            evidence::replica_arrives(&mut self.ground.lock(), spec, &key);
        }
        self.insert(spec, key)
    }

    fn insert(&self, spec: &KeySpec, key: SoftKey) -> Result<KeyRef, KeyError> {
        let mut spec = spec.clone();
        match spec.kid() {
            Some(_) if !self.can.has(Feature::ChosenKid) => {
                return Err(KeyError::unsupported(Feature::ChosenKid.as_str()));
            }
            Some(kid) if self.has_forgotten(kid) => {
                return Err(KeyError::conflict(format!("{kid} was used before")));
            }
            Some(_) => {}
            None => {
                let number = self.named.fetch_add(1, Ordering::Relaxed);
                spec = spec.with_kid(KeyId::new(format!("given-{number}"))?);
            }
        }
        let secret = key.secret();
        let made = self.table.create(&spec, key)?;
        if self.place == Place::Primary {
            evidence::made(&mut self.ground.lock(), &made, secret);
        }
        Ok(made)
    }

    fn has_forgotten(&self, kid: &KeyId) -> bool {
        let ground = self.ground.lock();
        self.place == Place::Primary && ground.model.keys.get(kid).is_some_and(|key| key.forgotten)
    }

    pub(crate) fn import_version(
        &self,
        id: &KeyVersionId,
        spec: &KeySpec,
        material: KeyMaterial,
    ) -> Result<KeyRef, KeyError> {
        let key = SoftKey::import(spec.alg(), material)?;
        let secret = key.secret();
        let made = self.table.insert_version(id, spec, key)?;
        if self.place == Place::Primary {
            evidence::made(&mut self.ground.lock(), &made, secret);
        }
        Ok(made)
    }

    /// A primary that has forgotten a key remembers its numbers.
    pub(crate) fn rotate(&self, kid: &KeyId, overrides: &SpecOverrides) -> Result<KeyRef, KeyError> {
        let spec = self.table.rotation_spec(kid, overrides)?;
        let last = self.ground.lock().model.keys.get(kid).and_then(crate::model::KeyLife::last);
        let next = last.and_then(KeyVersion::next).unwrap_or(KeyVersion::FIRST);
        let key = self.draw(spec.alg());
        let secret = key.secret();
        let made = self.table.insert_version(&kid.at(next), &spec, key)?;
        evidence::made(&mut self.ground.lock(), &made, secret);
        Ok(made)
    }

    pub(crate) fn destroy(&self, kid: &KeyId, version: Option<KeyVersion>) -> bool {
        let destroyed = self.table.destroy(kid, version);
        if destroyed && self.place == Place::Primary {
            evidence::destroyed(&mut self.ground.lock(), kid, version);
        }
        if destroyed && self.place == Place::Secondary {
            evidence::replica_destroyed(&mut self.ground.lock(), kid);
        }
        destroyed
    }

    pub(crate) fn switch(&self, kid: &KeyId, version: KeyVersion, state: KeyState) -> Result<(), KeyError> {
        self.table.set_state(kid, version, state)?;
        if self.place == Place::Primary {
            evidence::switched(&mut self.ground.lock(), kid, version, state);
        }
        Ok(())
    }

    pub(crate) fn read(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        secret: bool,
        turn: &Turn,
    ) -> Result<KeyRef, KeyError> {
        if turn.stale && self.place == Place::Primary {
            let ground = self.ground.lock();
            // Whoever has asked for a destroy is answered from no moment before it.
            if !ground.has_asked(Method::DestroyKey)
                && let Some(past) = untruth::past(&ground.model, kid, version, secret)
            {
                return past;
            }
        }
        let honest = self.table.get(kid, version, secret);
        match turn.lie {
            Some(lie) => untruth::of_key(lie, kid, version, honest),
            None => honest,
        }
    }

    pub(crate) fn versions(&self, kid: &KeyId, turn: &Turn) -> Result<Vec<KeyVersion>, KeyError> {
        if turn.lie == Some(Lie::Nothing) {
            return Err(KeyError::not_found(kid, None));
        }
        let mut honest = self.table.list_versions(kid)?;
        if turn.stale {
            untruth::past_versions(&self.ground.lock().model, kid, &mut honest);
        }
        Ok(honest)
    }

    pub(crate) fn document(&self, query: &JwksQuery, turn: &Turn) -> Arc<JwkSet> {
        let all = query.versions == JwksVersions::AllLive;
        let honest = self.table.jwks(query.prefix.as_deref(), all);
        match turn.lie {
            Some(lie) => untruth::of_document(lie, honest),
            None if turn.stale => untruth::past_document(&self.ground.lock().model, query, &honest),
            None => honest,
        }
    }
}

impl fmt::Debug for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Side").field("place", &self.place).finish_non_exhaustive()
    }
}

/// A call of the primary under way: how it went is what a breaker may go by.
struct Asked<'a> {
    side: &'a Side,
    process: Option<usize>,
    began: Instant,
    answered: bool,
}

impl<'a> Asked<'a> {
    /// What takes longer may count as a failure.
    const SLOW: Duration = Duration::from_millis(100);

    fn new(side: &'a Side) -> Self {
        let mut ground = side.ground.lock();
        let process = ground.caller.filter(|_| side.place == Place::Primary).map(|caller| caller.process);
        if let Some(process) = process {
            ground.troubles[process].in_flight += 1;
        }
        Self { side, process, began: Instant::now(), answered: false }
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        let Some(process) = self.process else { return };
        let mut ground = self.side.ground.lock();
        let at = ground.tick();
        let trouble = &mut ground.troubles[process];
        trouble.in_flight -= 1;
        trouble.ended = at;
        if !self.answered || self.began.elapsed() > Self::SLOW {
            trouble.failed = Some(Instant::now());
        }
    }
}

/// Lets others go first, so many times.
async fn pause(times: u32) {
    let mut left = times;
    std::future::poll_fn(|context| {
        if left == 0 {
            return std::task::Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

fn capabilities(chosen_kid: bool) -> Capabilities {
    let algs: BTreeSet<_> = ALGS.into_iter().collect();
    let mut features = BTreeSet::from([
        Feature::Rotate,
        Feature::Destroy,
        Feature::Disable,
        Feature::ListKeys,
        Feature::Jwks,
        Feature::ExportSecret,
        Feature::ImportVersion,
        Feature::Random,
        Feature::Hkdf,
    ]);
    if chosen_kid {
        features.insert(Feature::ChosenKid);
    }
    let of = |operation: KeyOperation| {
        let algs = operation.algs().iter().copied().filter(|alg| ALGS.contains(alg));
        (operation, algs.collect::<BTreeSet<_>>())
    };
    let operations = KeyOperation::ALL.iter().copied().map(of);
    Capabilities {
        create: algs.clone(),
        import: algs,
        import_public: BTreeSet::from([KeyAlg::Ed25519]),
        operations: operations.filter(|(_, algs)| !algs.is_empty()).collect(),
        features,
    }
}
