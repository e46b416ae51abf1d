//! Random writes by changing processes, held against a model.

use std::collections::BTreeMap;

use swarmauri_keyprovider::{KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_stored::StoredKeyProvider;
use swarmauri_keys::KeyAlg;
use swarmauri_keys::KeyErrorKind::{Conflict, NotFound};
use swarmauri_keystore::MemoryStore;

use crate::{kid, kind, open, shown, spec, version};

/// SplitMix64.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((mixed ^ (mixed >> 31)) % u64::from(limit)).unwrap()
    }
}

/// The last version ever, and whether each live one is enabled; none live: it is destroyed.
type Model = BTreeMap<String, (u32, BTreeMap<u32, bool>)>;

fn shown_by(model: &Model) -> String {
    let versions = model.iter().flat_map(|(name, (_, live))| {
        let state = |enabled: bool| if enabled { "enabled" } else { "disabled" };
        live.iter().map(move |(number, enabled)| format!("{name}.{number} {}", state(*enabled)))
    });
    versions.collect::<Vec<_>>().join(", ")
}

async fn step(random: &mut Seeded, provider: &StoredKeyProvider, model: &mut Model, what: &str) {
    let name = format!("k{}", random.below(5));
    let (k, known) = (kid(&name), model.get_mut(&name));
    match (random.below(12), known) {
        (0..=3, None) => {
            provider.create_key(&spec(KeyAlg::HmacSha256, &name)).await.unwrap();
            model.insert(name, (1, BTreeMap::from([(1, true)])));
        }
        (0..=3, Some(_)) => {
            let taken = provider.create_key(&spec(KeyAlg::HmacSha256, &name)).await;
            assert_eq!(kind(taken), Some(Conflict), "{what}");
        }
        (4..=7, Some((last, live))) if !live.is_empty() => {
            let made = provider.rotate(&k).await.unwrap();
            *last += 1;
            assert_eq!(made.version().get(), *last, "{what}");
            live.insert(*last, true);
        }
        (4..=7, _) => assert_eq!(kind(provider.rotate(&k).await), Some(NotFound), "{what}"),
        (8, Some((last, live))) => {
            let which = 1 + random.below(*last);
            let destroyed = provider.destroy_key(&k, Some(version(which))).await.unwrap();
            assert_eq!(destroyed, live.remove(&which).is_some(), "{what}");
        }
        (9, Some((_, live))) if random.below(4) == 0 => {
            assert_eq!(provider.destroy_key(&k, None).await.unwrap(), !live.is_empty(), "{what}");
            live.clear();
        }
        (10..=11, Some((last, live))) => {
            let (which, enable) = (1 + random.below(*last), random.below(2) == 0);
            let done = if enable {
                provider.enable_key(&k, version(which)).await
            } else {
                provider.disable_key(&k, version(which)).await
            };
            match live.get_mut(&which) {
                Some(state) => *state = enable,
                None => assert_eq!(kind(done), Some(NotFound), "{what}"),
            }
        }
        _ => assert!(!provider.destroy_key(&kid("never made"), None).await.unwrap()),
    }
}

#[tokio::test]
async fn random_writes_by_changing_processes_are_those_of_the_model() {
    for seed in 0..25 {
        let mut random = Seeded(seed);
        let store = MemoryStore::new();
        let mut providers = [open(&store).await, open(&store).await];
        let mut model = Model::new();
        for number in 0..120 {
            let which = random.below(2) as usize;
            if random.below(8) == 0 {
                providers[which] = open(&store).await;
            }
            let what = format!("seed {seed}, step {number}");
            step(&mut random, &providers[which], &mut model, &what).await;
            for provider in &providers {
                assert_eq!(shown(provider).await, shown_by(&model), "{what}");
            }
        }
        assert_eq!(shown(&open(&store).await).await, shown_by(&model), "seed {seed}");
    }
}
