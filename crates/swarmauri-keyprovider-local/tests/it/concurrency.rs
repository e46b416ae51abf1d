//! Races and cancellation.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use swarmauri_keyprovider::{KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keys::{KeyAlg, KeyErrorKind, KeyId, KeyVersion};
use tokio::task::JoinSet;

use crate::{kid, listed, provider_with, spec, version};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_creates_that_race_for_a_kid_one_succeeds() {
    let provider = Arc::new(LocalKeyProvider::new());
    for round in 0..50 {
        let mut tasks = JoinSet::new();
        for _ in 0..4 {
            let provider = Arc::clone(&provider);
            let spec = spec(KeyAlg::Ed25519, &format!("k{round}"));
            tasks.spawn(async move { provider.create_key(&spec).await });
        }
        let outcomes = tasks.join_all().await;
        let (made, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
        assert_eq!((made.len(), refused.len()), (1, 3));
        assert!(refused.iter().all(|one| one.as_ref().unwrap_err().kind() == KeyErrorKind::Conflict));
        let made = made.into_iter().next().unwrap().unwrap();
        let read = provider.get_key(made.kid(), None, Secrets::Omit).await.unwrap();
        assert_eq!(read.parts(), made.parts());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rotations_that_race_each_add_a_version() {
    let provider = Arc::new(provider_with(&["k"]));
    let mut tasks = JoinSet::new();
    for _ in 0..32 {
        let provider = Arc::clone(&provider);
        tasks.spawn(async move { provider.rotate(&kid("k")).await.unwrap().version() });
    }
    let made: BTreeSet<_> = tasks.join_all().await.into_iter().collect();
    assert_eq!(made, (2..34).map(version).collect());
    assert_eq!(provider.list_versions(&kid("k")).await.unwrap().len(), 33);
}

#[cfg(feature = "rsa")]
mod slow_generation {
    use std::future::{Future, poll_fn};
    use std::task::Poll;

    use swarmauri_keys::{ExportPolicy, KeySpec, SpecOverrides};
    use tokio::runtime::Builder;

    use super::*;
    use crate::{at_once, published};

    fn rsa() -> KeySpec {
        KeySpec::builder(KeyAlg::RsaPssSha256).size_bits(2048).kid(kid("rsa")).build().unwrap()
    }

    /// Polls once, then drops the future.
    async fn cancelled<T>(future: impl Future<Output = T>) {
        let mut future = Box::pin(future);
        poll_fn(|context| {
            assert!(future.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
    }

    #[test]
    fn a_cancelled_create_or_rotation_leaves_nothing() {
        let provider = provider_with(&["k"]);
        let runtime = Builder::new_current_thread().build().unwrap();
        let overrides = SpecOverrides { alg: Some(KeyAlg::RsaPssSha256), ..SpecOverrides::NONE };
        runtime.block_on(async {
            cancelled(provider.create_key(&rsa())).await;
            cancelled(provider.rotate_key(&kid("k"), &overrides)).await;
            assert_eq!((listed(&provider).await, published(&provider).await), ("k".into(), "k.1".into()));
        });
        drop(runtime); // waits for the generations that had started
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            assert_eq!((listed(&provider).await, published(&provider).await), ("k".into(), "k.1".into()));
            let made = provider.create_key(&rsa()).await.unwrap();
            assert_eq!(made.version(), version(1), "the kid is free, and so is its first version");
        });
    }

    #[tokio::test]
    async fn a_destroy_during_a_rotation_wins() {
        let provider = provider_with(&["k"]);
        let overrides = SpecOverrides {
            alg: Some(KeyAlg::RsaPssSha256),
            export_policy: Some(ExportPolicy::SecretWhenAllowed),
            ..SpecOverrides::NONE
        };
        let name = kid("k");
        let (rotated, destroyed) =
            tokio::join!(biased; provider.rotate_key(&name, &overrides), provider.destroy_key(&name, None));
        assert!(destroyed.unwrap());
        assert_eq!(rotated.unwrap_err().kind(), KeyErrorKind::NotFound);
        assert_eq!((listed(&provider).await, published(&provider).await), (String::new(), String::new()));
    }

    #[tokio::test]
    async fn a_taken_kid_is_refused_before_anything_is_generated() {
        let provider = provider_with(&["rsa"]);
        let error = at_once(provider.create_key(&rsa())).unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::Conflict);
    }

    #[tokio::test]
    async fn a_create_that_was_overtaken_is_a_conflict() {
        let provider = LocalKeyProvider::new();
        let (slow, quick) = (rsa(), spec(KeyAlg::Ed25519, "rsa"));
        let (slow, quick) = tokio::join!(biased; provider.create_key(&slow), provider.create_key(&quick));
        assert_eq!(slow.unwrap_err().kind(), KeyErrorKind::Conflict);
        let read = provider.get_key(&kid("rsa"), None, Secrets::Omit).await.unwrap();
        assert_eq!(read.parts(), quick.unwrap().parts());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn hammered_no_version_is_reused_and_no_destroyed_key_is_served() {
    let seed = seed();
    println!("seed {seed}: set SWARMAURI_TEST_SEED to repeat");
    let provider = Arc::new(LocalKeyProvider::new());
    let mut tasks = JoinSet::new();
    for task in 0..8 {
        tasks.spawn(hammer(Arc::clone(&provider), seed.wrapping_add(task)));
    }
    let mut made = BTreeMap::<_, u32>::new();
    for version in tasks.join_all().await.into_iter().flatten() {
        *made.entry(version).or_default() += 1;
    }
    assert!(!made.is_empty() && made.values().all(|times| *times == 1), "a version was made twice");
}

/// Gives the versions it made.
async fn hammer(provider: Arc<LocalKeyProvider>, seed: u64) -> Vec<(KeyId, KeyVersion)> {
    let (mut random, mut made) = (SplitMix(seed), Vec::new());
    for _ in 0..2000 {
        // Few enough names that tasks meet, and enough that they outlive their tombstones.
        let name = kid(&format!("k{}", random.below(64)));
        match random.below(8) {
            0..3 => {
                let key = provider.create_key(&spec(KeyAlg::HmacSha256, name.as_str())).await;
                made.extend(key.ok().map(|key| (name, key.version())));
            }
            3..5 => made.extend(provider.rotate(&name).await.ok().map(|key| (name, key.version()))),
            5 => destroy_and_check(&provider, &name, &mut random).await,
            6 => drop(provider.get_key(&name, None, Secrets::Omit).await),
            _ => assert!(listed(&*provider).await.len() < 64 * 4),
        }
    }
    made
}

async fn destroy_and_check(provider: &LocalKeyProvider, name: &KeyId, random: &mut SplitMix) {
    let whole = random.below(16) == 0;
    let number = (!whole).then(|| version(random.below(4) + 1));
    if !provider.destroy_key(name, number).await.unwrap() {
        return;
    }
    let read = provider.get_key(name, number, Secrets::Omit).await;
    assert_eq!(read.unwrap_err().kind(), KeyErrorKind::NotFound, "{name} {number:?} was destroyed");
}

/// The generator of Steele, Lea and Flood, "Fast splittable pseudorandom number generators".
struct SplitMix(u64);

impl SplitMix {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((mixed ^ (mixed >> 31)) % u64::from(end)).unwrap()
    }
}

fn seed() -> u64 {
    match std::env::var("SWARMAURI_TEST_SEED") {
        Ok(seed) => seed.parse().expect("a seed is a number"),
        Err(_) => RandomState::new().hash_one(()),
    }
}
