//! A write that is cut off at the store: afterwards the key is as it was, or as it was to be.

use std::sync::Arc;
use std::time::Duration;

use swarmauri_keyprovider::{KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_stored::{SealingKey, StoredKeyProvider};
use swarmauri_keys::{KeyAlg, KeyError, KeyMaterial, KeySpec};
use swarmauri_keystore::MemoryStore;

use crate::faulty::{End, FaultyStore};
use crate::{kid, open, sealing, shown, spec, try_open, version};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Write {
    Create,
    Import,
    ImportVersion,
    Rotate,
    DestroyVersion,
    DestroyKey,
    Disable,
    Enable,
    Encrypt,
}

impl Write {
    const ALL: [Self; 9] = [
        Self::Create,
        Self::Import,
        Self::ImportVersion,
        Self::Rotate,
        Self::DestroyVersion,
        Self::DestroyKey,
        Self::Disable,
        Self::Enable,
        Self::Encrypt,
    ];

    async fn run(self, provider: &StoredKeyProvider) -> Result<(), KeyError> {
        let k = kid("k");
        match self {
            Self::Create => provider.create_key(&spec(KeyAlg::Ed25519, "new")).await.map(drop),
            Self::Import => {
                let material = KeyMaterial::Symmetric(vec![9; 32].into());
                provider.import_key(&spec(KeyAlg::HmacSha256, "new"), material).await.map(drop)
            }
            Self::ImportVersion => {
                let (spec, material) =
                    (KeySpec::new(KeyAlg::HmacSha256), KeyMaterial::Symmetric(vec![9; 32].into()));
                provider.import_version(&k.at(version(7)), &spec, material).await.map(drop)
            }
            Self::Rotate => provider.rotate(&k).await.map(drop),
            Self::DestroyVersion => provider.destroy_key(&k, Some(version(2))).await.map(drop),
            Self::DestroyKey => provider.destroy_key(&k, None).await.map(drop),
            Self::Disable => provider.disable_key(&k, version(2)).await,
            Self::Enable => provider.enable_key(&k, version(1)).await,
            Self::Encrypt => provider.work()?.encrypt(&kid("aes"), None, b"text", b"").await.map(drop),
        }
    }

    /// What is shown once it is done.
    fn after(self) -> &'static str {
        match self {
            Self::Create | Self::Import => "aes.1 enabled, k.1 disabled, k.2 enabled, new.1 enabled",
            Self::ImportVersion => "aes.1 enabled, k.1 disabled, k.2 enabled, k.7 enabled",
            Self::Rotate => "aes.1 enabled, k.1 disabled, k.2 enabled, k.3 enabled",
            Self::DestroyVersion => "aes.1 enabled, k.1 disabled",
            Self::DestroyKey => "aes.1 enabled",
            Self::Disable => "aes.1 enabled, k.1 disabled, k.2 disabled",
            Self::Enable => "aes.1 enabled, k.1 enabled, k.2 enabled",
            Self::Encrypt => BEFORE,
        }
    }
}

const BEFORE: &str = "aes.1 enabled, k.1 disabled, k.2 enabled";

async fn world() -> MemoryStore {
    let store = MemoryStore::new();
    let provider = open(&store).await;
    provider.create_key(&spec(KeyAlg::Ed25519, "k")).await.unwrap();
    provider.rotate(&kid("k")).await.unwrap();
    provider.disable_key(&kid("k"), version(1)).await.unwrap();
    provider.create_key(&spec(KeyAlg::Aes256Gcm, "aes")).await.unwrap();
    store
}

/// `None` if it does not end.
async fn give_up<T>(what: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(Duration::from_mins(1), what).await.ok()
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_cut_off_is_done_or_not_in_this_process_and_the_next() {
    let mut cut_off = 0;
    for write in Write::ALL {
        for end in End::ALL {
            for writes in 0.. {
                let store = world().await;
                let faulty = FaultyStore::after(&store, writes, end);
                let provider = StoredKeyProvider::open(Arc::new(faulty.clone()), sealing()).await.unwrap();
                let ended = give_up(write.run(&provider)).await;
                let what = format!("{write:?} {end:?} after {writes} writes");
                let in_next = shown(&open(&store).await).await;
                assert_eq!(shown(&provider).await, in_next, "{what}: the two processes differ");
                if !faulty.has_failed() {
                    ended.unwrap().unwrap();
                    assert_eq!(in_next, write.after(), "{what}");
                    break;
                }
                cut_off += 1;
                match ended {
                    None => assert!(matches!(end, End::HangBefore | End::HangAfter), "{what}"),
                    Some(ended) => assert!(ended.unwrap_err().is_outage(), "{what}"),
                }
                let done = matches!(end, End::HangAfter | End::FailAfter);
                assert_eq!(in_next, if done { write.after() } else { BEFORE }, "{what}");
                // And both go on.
                let again = write.run(&provider).await;
                assert!(again.is_ok() || done, "{what}: {again:?}");
                provider.rotate(&kid("aes")).await.unwrap();
                let next = open(&store).await;
                assert_eq!(next.rotate(&kid("aes")).await.unwrap().version(), version(3), "{what}");
                let rotated = provider.rotate(&kid("aes")).await.unwrap();
                assert_eq!(rotated.version(), version(4), "{what}");
            }
        }
    }
    assert_eq!(cut_off, Write::ALL.len() * End::ALL.len(), "each writes once");
}

#[tokio::test(start_paused = true)]
async fn a_first_open_that_is_cut_off_leaves_a_new_store_or_one_that_is_made_ready() {
    for end in End::ALL {
        let store = MemoryStore::new();
        let faulty = Arc::new(FaultyStore::after(&store, 0, end));
        let ended = give_up(StoredKeyProvider::open(faulty, sealing())).await;
        assert!(ended.is_none_or(|ended| ended.is_err()));
        let provider = open(&store).await;
        provider.create_key(&spec(KeyAlg::Ed25519, "k")).await.unwrap();
        assert_eq!(shown(&open(&store).await).await, "k.1 enabled", "{end:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_resealing_that_is_cut_off_leaves_one_sealing_key_that_opens() {
    let new = || SealingKey::new(vec![8; 32].into()).unwrap();
    for end in End::ALL {
        let store = world().await;
        let faulty = Arc::new(FaultyStore::after(&store, 0, end));
        let provider = StoredKeyProvider::open(faulty, sealing()).await.unwrap();
        let ended = give_up(provider.reseal(new())).await;
        assert!(ended.is_none_or(|ended| ended.unwrap_err().is_outage()));
        let old = try_open(&store).await;
        let new = StoredKeyProvider::open(Arc::new(store.clone()), new()).await;
        let done = matches!(end, End::HangAfter | End::FailAfter);
        assert_eq!((old.is_ok(), new.is_ok()), (!done, done), "{end:?}");
        assert_eq!(shown(&old.or(new).unwrap()).await, BEFORE);
        // The provider itself goes on.
        provider.get_key(&kid("k"), None, Secrets::Include).await.unwrap();
        provider.rotate(&kid("k")).await.unwrap();
    }
}
