//! Concurrent calls. The tasks run on as many threads as the runtime has.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::Mutex;
use swarmauri_keyprovider::{Feature, Secrets};
use swarmauri_keys::{
    KeyAlg, KeyError, KeyErrorKind, KeyId, KeyVersion, KeyVersionId, SpecOverrides, VerifyWith,
};
use tokio::task::JoinSet;

use crate::Subject;
use crate::cases::destroy::key_is_absent;
use crate::subject::{built, done, kid, spec};
use crate::suite::CaseResult;
use crate::work::MESSAGE;

/// How many tasks race.
const TASKS: usize = 8;

pub(crate) async fn of_two_creates_of_one_kid_one_succeeds(on: Subject) -> CaseResult {
    on.needs(Feature::ChosenKid)?;
    let alg = on.any()?;
    for round in 0..20 {
        let chosen = kid(&format!("raced-{round}"));
        let created = race(&on, |on, _| {
            let wanted = built(spec(alg).kid(chosen.clone()));
            async move { on.create_key(&wanted).await.map(|key| key.fingerprint().clone()) }
        });
        let (won, lost): (Vec<_>, Vec<_>) = created.await.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1, "{} creates of one kid succeeded", won.len());
        for error in lost.into_iter().filter_map(Result::err) {
            assert_eq!(error.kind(), KeyErrorKind::Conflict, "{error}");
        }
        let read = done(on.get_key(&chosen, None, Secrets::Omit).await, "reading the key that won");
        assert_eq!(won[0].as_ref().ok(), Some(read.fingerprint()), "another key than the one that won");
    }
    Ok(())
}

pub(crate) async fn concurrent_rotations_each_add_a_version(on: Subject) -> CaseResult {
    on.needs(Feature::Rotate)?;
    let key = on.create(spec(on.any()?)).await;
    let rotated = race(&on, |on, _| {
        let id = key.kid().clone();
        async move { on.rotate_key(&id, &SpecOverrides::NONE).await }
    });
    let mut made = vec![key.clone()];
    made.extend(rotated.await.into_iter().map(|one| done(one, "rotating in a race")));
    let versions: BTreeSet<_> = made.iter().map(swarmauri_keys::KeyRef::version).collect();
    assert_eq!(versions.len(), TASKS + 1, "two rotations made one version");
    let listed = done(on.list_versions(key.kid()).await, "listing versions");
    assert!(listed.iter().eq(&versions), "{listed:?} are listed and {versions:?} were made");
    for one in made {
        let read = on.get_key(one.kid(), Some(one.version()), Secrets::Omit).await;
        assert_eq!(done(read, "reading a version").parts(), one.parts());
    }
    Ok(())
}

pub(crate) async fn of_two_destroys_one_is_true(on: Subject) -> CaseResult {
    on.needs(Feature::Destroy)?;
    let alg = on.any()?;
    for version in [None, Some(KeyVersion::FIRST)] {
        let key = on.create(spec(alg)).await;
        let destroyed = race(&on, |on, _| {
            let id = key.kid().clone();
            async move { on.destroy_key(&id, version).await }
        });
        let answers: Vec<_> =
            destroyed.await.into_iter().map(|one| done(one, "destroying in a race")).collect();
        assert_eq!(answers.iter().filter(|destroyed| **destroyed).count(), 1, "{answers:?}");
        key_is_absent(&on, key.kid()).await;
    }
    Ok(())
}

pub(crate) async fn a_rotation_racing_a_destroy_does_not_bring_the_key_back(on: Subject) -> CaseResult {
    on.needs(Feature::Destroy)?;
    on.needs(Feature::Rotate)?;
    let alg = on.any()?;
    for _ in 0..20 {
        let key = on.create(spec(alg)).await;
        let raced = race(&on, |on, task| {
            let id = key.kid().clone();
            async move {
                match task {
                    3 => on.destroy_key(&id, None).await.map(|_| ()),
                    _ => on.rotate_key(&id, &SpecOverrides::NONE).await.map(|_| ()),
                }
            }
        });
        for (task, outcome) in raced.await.into_iter().enumerate() {
            match outcome {
                Ok(()) => {}
                Err(error) if task != 3 => {
                    let lost = matches!(error.kind(), KeyErrorKind::NotFound | KeyErrorKind::Conflict);
                    assert!(lost, "{error}");
                }
                Err(error) => panic!("destroying in a race: {error}"),
            }
        }
        key_is_absent(&on, key.kid()).await;
    }
    Ok(())
}

pub(crate) async fn a_disable_racing_a_destroy_does_not_bring_the_version_back(on: Subject) -> CaseResult {
    on.needs(Feature::Destroy)?;
    on.needs(Feature::Disable)?;
    let alg = on.any()?;
    for round in 0..20 {
        let key = on.create(spec(alg)).await;
        let version = Some(key.version()).filter(|_| round % 2 == 0);
        let raced = race(&on, |on, task| {
            let id = key.id().clone();
            async move {
                match task {
                    3 => on.destroy_key(&id.kid, version).await.map(|_| ()),
                    5 => on.enable_key(&id.kid, id.version).await,
                    _ => on.disable_key(&id.kid, id.version).await,
                }
            }
        });
        for (task, outcome) in raced.await.into_iter().enumerate() {
            match outcome {
                Ok(()) => {}
                Err(error) if task != 3 => assert_eq!(error.kind(), KeyErrorKind::NotFound, "{error}"),
                Err(error) => panic!("destroying in a race: {error}"),
            }
        }
        key_is_absent(&on, key.kid()).await;
    }
    Ok(())
}

pub(crate) async fn signing_in_a_race_with_rotations_names_the_version_that_signed(
    on: Subject,
) -> CaseResult {
    on.needs(Feature::Rotate)?;
    for alg in on.quick_of(on.signing()?)? {
        let key = on.key(spec(alg)).await;
        let raced = race(&on, |on, task| {
            let key = key.clone();
            async move {
                if task % 2 == 0 {
                    return on.rotate_key(key.kid(), &SpecOverrides::NONE).await.map(|_| None);
                }
                on.sign(&key, None, MESSAGE).await.map(Some)
            }
        });
        for outcome in raced.await {
            let Some(signature) = done(outcome, "signing or rotating in a race") else { continue };
            let with = VerifyWith::Version(signature.version);
            let verified = on.verify(&key, with, MESSAGE, &signature.bytes).await;
            assert_eq!(done(verified, "verifying with the version that it names"), signature.version);
        }
    }
    Ok(())
}

pub(crate) async fn signing_in_a_race_with_a_disable_is_done_or_refused(on: Subject) -> CaseResult {
    on.needs(Feature::Disable)?;
    for alg in on.quick_of(on.signing()?)? {
        let key = on.key(spec(alg)).await;
        let raced = race(&on, |on, task| {
            let key = key.clone();
            async move {
                if task == 3 {
                    on.disable_key(key.kid(), key.version()).await?;
                }
                on.sign(&key, None, MESSAGE).await.map(|_| ())
            }
        });
        for (task, outcome) in raced.await.into_iter().enumerate() {
            match outcome {
                Err(error) => assert_eq!(error.kind(), KeyErrorKind::Disabled, "{error}"),
                Ok(()) => assert_ne!(task, 3, "it signs after it was disabled"),
            }
        }
    }
    Ok(())
}

/// Seeded calls of all sorts from many tasks on few keys: no version is made twice, and what was
/// destroyed stays so. `SWARMAURI_SEED` sets another seed.
pub(crate) async fn hammered_keys_keep_the_contract(on: Subject) -> CaseResult {
    on.needs(Feature::ChosenKid)?;
    on.needs(Feature::Rotate)?;
    on.needs(Feature::Destroy)?;
    let alg = on.any()?;
    let seed = std::env::var("SWARMAURI_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let made = Made::default();
    let hammered = race(&on, |on, task| {
        let hammer = Hammer { on, alg, made: made.clone(), seed, random: Random::new(seed, task as u64) };
        async move { hammer.run().await }
    });
    for outcome in hammered.await {
        done(outcome, &format!("hammering with seed {seed}"));
    }
    Ok(())
}

type Made = Arc<Mutex<BTreeSet<KeyVersionId>>>;

struct Hammer {
    on: Subject,
    alg: KeyAlg,
    made: Made,
    seed: u64,
    random: Random,
}

impl Hammer {
    async fn run(mut self) -> Result<(), KeyError> {
        for _ in 0..250 {
            let chosen = kid(&format!("hammered-{}", self.random.below(6)));
            let outcome = match self.random.below(10) {
                0 => self
                    .on
                    .create_key(&built(spec(self.alg).kid(chosen)))
                    .await
                    .map(|key| self.note(key.id())),
                1..=3 => {
                    self.on.rotate_key(&chosen, &SpecOverrides::NONE).await.map(|key| self.note(key.id()))
                }
                4 => self.destroy(&chosen).await,
                5 => self.on.list_versions(&chosen).await.map(|all| self.check_listed(&all)),
                6 if self.on.can.has(Feature::Disable) => self.set_state(&chosen).await,
                _ => self.on.get_key(&chosen, None, Secrets::Omit).await.map(|_| ()),
            };
            match outcome {
                Err(error) if !matches!(error.kind(), KeyErrorKind::NotFound | KeyErrorKind::Conflict) => {
                    return Err(error);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn note(&self, made: &KeyVersionId) {
        assert!(self.made.lock().insert(made.clone()), "{made} was made twice, seed {}", self.seed);
    }

    fn check_listed(&self, versions: &[KeyVersion]) {
        assert!(!versions.is_empty() && versions.is_sorted(), "{versions:?} listed, seed {}", self.seed);
    }

    /// Disables or enables a version, as it comes.
    async fn set_state(&mut self, key: &KeyId) -> Result<(), KeyError> {
        let versions = self.on.list_versions(key).await?;
        let Some(version) = versions.get(self.random.below(versions.len())).copied() else {
            return Ok(());
        };
        match self.random.below(2) {
            0 => self.on.disable_key(key, version).await,
            _ => self.on.enable_key(key, version).await,
        }
    }

    /// Mostly one version; the whole key now and then, which ends its `kid` for good.
    async fn destroy(&mut self, key: &KeyId) -> Result<(), KeyError> {
        if self.random.below(20) == 0 {
            self.on.destroy_key(key, None).await?;
            let read = self.on.get_key(key, None, Secrets::Omit).await;
            assert_absent(&read, key, self.seed);
            return Ok(());
        }
        let versions = self.on.list_versions(key).await?;
        let Some(gone) = versions.get(self.random.below(versions.len())).copied() else {
            return Ok(());
        };
        if versions.len() > 1 && self.on.destroy_key(key, Some(gone)).await? {
            let read = self.on.get_key(key, Some(gone), Secrets::Omit).await;
            assert_absent(&read, key, self.seed);
        }
        Ok(())
    }
}

fn assert_absent<T>(read: &Result<T, KeyError>, key: &KeyId, seed: u64) {
    let kind = read.as_ref().err().map(KeyError::kind);
    assert_eq!(kind, Some(KeyErrorKind::NotFound), "reading what was destroyed of {key}, seed {seed}");
}

/// SplitMix64, one stream for each task.
struct Random(u64);

impl Random {
    fn new(seed: u64, stream: u64) -> Self {
        Self(seed.wrapping_add(stream.wrapping_mul(0xd134_2543_de82_ef95)))
    }

    /// A number from 0 to `end` - 1; 0 if `end` is 0.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let z = z ^ (z >> 31);
        usize::try_from(z % u64::try_from(end.max(1)).unwrap_or(u64::MAX)).unwrap_or(0)
    }
}

/// Runs one call per task, all at once, and gives the answers in the order of the tasks.
async fn race<T, F>(on: &Subject, call: impl Fn(Subject, usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(tokio::sync::Barrier::new(TASKS));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let (start, call) = (start.clone(), call(on.clone(), task));
        tasks.spawn(async move {
            start.wait().await;
            (task, call.await)
        });
    }
    let mut answers = Vec::new();
    while let Some(answer) = tasks.join_next().await {
        match answer {
            Ok(answer) => answers.push(answer),
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
    answers.sort_by_key(|(task, _)| *task);
    answers.into_iter().map(|(_, answer)| answer).collect()
}
