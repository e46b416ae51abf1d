//! Every async method is dropped at each of its awaits on the store: the key is as it was or as it was to be, and memory and
//! store agree about that.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use swarmauri_keyprovider::{JwksQuery, KeyOperations, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_stored::{SealingKey, StoredKeyProvider};
use swarmauri_keyprovider_testkit::{CASES, PausingStore, Suite, at_every_await, secret_parts};
use swarmauri_keys::{
    Acceptance, Ciphertext, KeyAlg, KeyId, KeyMaterial, KeyVersion, PageRequest, PublicKey, SecretBytes,
    Signature, SpecOverrides, VerifyWith,
};
use swarmauri_keystore::MemoryStore;

use crate::{kid, open, sealing, shown, spec, version};

/// Keys on a store whose calls wait, and what was made with them.
struct Stage {
    store: MemoryStore,
    provider: StoredKeyProvider,
    signature: Signature,
    mac: Signature,
    sealed: Ciphertext,
    wrapped: Ciphertext,
}

type Run<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

const ENABLED: Acceptance = Acceptance::EnabledOnly;
const ANY_LIVE: VerifyWith = VerifyWith::AnyLive;

macro_rules! calls {
    ($($name:literal: |$stage:ident| $call:expr;)*) => {
        /// A new method gets a line here, and is dropped at each of its awaits.
        const CALLS: &[(&str, for<'a> fn(&'a Stage) -> Run<'a>)] =
            &[$(($name, |$stage| Box::pin(async move { let _ = $call.await; })),)*];
    };
}

calls! {
    "create_key": |on| async { on.provider.create_key(&spec(KeyAlg::Ed25519, "new")).await };
    "import_key": |on| async { on.provider.import_key(&spec(KeyAlg::HmacSha256, "new"), symmetric()).await };
    "import_version": |on| async {
        let id = kid("sym").at(version(7));
        on.provider.import_version(&id, &spec(KeyAlg::HmacSha256, "sym"), symmetric()).await
    };
    "rotate_key": |on| async { on.provider.rotate_key(&kid("pair"), &SpecOverrides::NONE).await };
    "destroy_key": |on| async { on.provider.destroy_key(&kid("pair"), Some(version(2))).await };
    "destroy_key": |on| async { on.provider.destroy_key(&kid("pair"), None).await };
    "disable_key": |on| async { on.provider.disable_key(&kid("pair"), version(2)).await };
    "enable_key": |on| async { on.provider.enable_key(&kid("pair"), version(1)).await };
    "get_key": |on| async { on.provider.get_key(&kid("pair"), None, Secrets::Include).await };
    "get_key_by_ref": |on| async { on.provider.get_key_by_ref(&"pair@2".parse().unwrap(), Secrets::Omit).await };
    "list_versions": |on| async { on.provider.list_versions(&kid("pair")).await };
    "list_keys": |on| async { on.provider.list_keys(&PageRequest::default()).await };
    "get_public_jwk": |on| async { on.provider.get_public_jwk(&kid("pair"), None).await };
    "jwks": |on| on.provider.jwks(&JwksQuery::ALL_LIVE);
    "random_bytes": |on| on.provider.random_bytes(32);
    "hkdf": |on| async { on.provider.hkdf(&secret(), b"salt", b"info", 32).await };
    "sign": |on| async { on.provider.sign(&kid("pair"), None, b"m").await };
    "verify": |on| async {
        on.provider.verify(&kid("pair"), ANY_LIVE, b"m", &on.signature.bytes, ENABLED).await
    };
    "mac": |on| async { on.provider.mac(&kid("mac"), None, b"m").await };
    "verify_mac": |on| async {
        on.provider.verify_mac(&kid("mac"), ANY_LIVE, b"m", &on.mac.bytes, ENABLED).await
    };
    "encrypt": |on| async { on.provider.encrypt(&kid("sym"), None, b"m", b"aad").await };
    "decrypt": |on| on.provider.decrypt(&on.sealed, b"aad", ENABLED);
    "agree": |on| async {
        on.provider.agree(&kid("agree"), None, &PublicKey::X25519([9; 32]), ENABLED).await
    };
    "wrap_key": |on| async { on.provider.wrap_key(&kid("sym"), None, &secret()).await };
    "unwrap_key": |on| on.provider.unwrap_key(&on.wrapped, ENABLED);
    "open": |on| async {
        let another = StoredKeyProvider::open(pausing(&on.store), sealing()).await;
        another.map(drop)
    };
    "open": |_on| async { StoredKeyProvider::open(pausing(&MemoryStore::new()), sealing()).await.map(drop) };
    "reseal": |on| on.provider.reseal(other());
}

fn symmetric() -> KeyMaterial {
    KeyMaterial::Symmetric(secret())
}

fn secret() -> SecretBytes {
    vec![9; 32].into()
}

fn other() -> SealingKey {
    SealingKey::new(vec![8; 32].into()).unwrap()
}

fn pausing(store: &MemoryStore) -> Arc<PausingStore> {
    Arc::new(PausingStore::new(Arc::new(store.clone())))
}

async fn set() -> Stage {
    let store = MemoryStore::new();
    let on = open(&store).await;
    for (name, alg) in [
        ("pair", KeyAlg::Ed25519),
        ("sym", KeyAlg::Aes256Gcm),
        ("mac", KeyAlg::HmacSha256),
        ("agree", KeyAlg::X25519),
    ] {
        on.create_key(&spec(alg, name)).await.unwrap();
    }
    on.rotate(&kid("pair")).await.unwrap();
    on.disable_key(&kid("pair"), version(1)).await.unwrap();
    let (signature, mac) = (on.sign(&kid("pair"), None, b"m").await, on.mac(&kid("mac"), None, b"m").await);
    let (sealed, wrapped) =
        (on.encrypt(&kid("sym"), None, b"m", b"aad").await, on.wrap_key(&kid("sym"), None, &secret()).await);
    Stage {
        provider: StoredKeyProvider::open(pausing(&store), sealing()).await.unwrap(),
        store,
        signature: signature.unwrap(),
        mac: mac.unwrap(),
        sealed: sealed.unwrap(),
        wrapped: wrapped.unwrap(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_at_any_await_has_its_effect_or_none_in_memory_as_on_the_store() {
    let mut longest = BTreeMap::new();
    for (name, run) in CALLS {
        let (before, after) = (set().await, set().await);
        run(&after).await;
        let whole = [shown(&before.provider).await, shown(&after.provider).await];
        let polls = at_every_await(
            set,
            async |stage| run(stage).await,
            async |stage, dropped| {
                let what = format!("{name}, {dropped}");
                let left = shown(&stage.provider).await;
                assert!(whole.contains(&left), "{what}: {left}");
                agree(&stage, &what).await;
                let again = tokio::time::timeout(Duration::from_mins(1), run(&stage)).await;
                assert!(again.is_ok(), "{what}: made once more, it hangs");
                agree(&stage, &format!("{what}, and made once more")).await;
            },
        );
        let (polls, most) = (polls.await, longest.entry(*name).or_default());
        *most = polls.max(*most);
    }
    let writes = [
        "create_key",
        "import_key",
        "import_version",
        "rotate_key",
        "destroy_key",
        "disable_key",
        "enable_key",
    ];
    for name in writes.into_iter().chain(["encrypt", "wrap_key", "open", "reseal"]) {
        assert!(longest[name] >= 3, "{name} took {} polls at most", longest[name]);
    }
}

/// Whoever opens the store finds the keys that are in memory, secrets too.
async fn agree(stage: &Stage, what: &str) {
    let store = Arc::new(stage.store.clone());
    let next = match StoredKeyProvider::open(store.clone(), sealing()).await {
        Ok(next) => next,
        Err(_) => {
            StoredKeyProvider::open(store, other()).await.unwrap_or_else(|error| panic!("{what}: {error}"))
        }
    };
    assert_eq!(all(&stage.provider).await, all(&next).await, "{what}");
    let jwks = stage.provider.jwks(&JwksQuery::ALL_LIVE).await.unwrap();
    assert_eq!(jwks, next.jwks(&JwksQuery::ALL_LIVE).await.unwrap(), "{what}");
}

type All = BTreeMap<(KeyId, KeyVersion), (String, Vec<SecretBytes>)>;

async fn all(on: &StoredKeyProvider) -> All {
    let mut all = All::new();
    for key in on.list_all_keys().await.unwrap() {
        for number in on.list_versions(&key.kid).await.unwrap() {
            let shown = on.get_key(&key.kid, Some(number), Secrets::Omit).await.unwrap();
            let secret = on.get_key(&key.kid, Some(number), Secrets::Include).await;
            let secret = secret.ok().and_then(|key| Some(secret_parts(key.alg(), key.secret()?)));
            let shown = format!("{:?}", shown.parts());
            all.insert((key.kid.clone(), number), (shown, secret.unwrap_or_default()));
        }
    }
    all
}

/// The cases of the suite that drop calls have nowhere to drop them over a store that is never pending.
#[tokio::test]
async fn the_suite_drops_calls_on_a_store_that_waits() {
    let names = CASES.iter().filter(|case| case.topic == "cancellation").map(|case| case.name);
    let suite = Suite::new().only(names);
    let fresh =
        async || Arc::new(StoredKeyProvider::open(pausing(&MemoryStore::new()), sealing()).await.unwrap());
    suite.run(fresh).await.assert_passed();
}

/// The table against the source.
#[test]
fn no_async_method_is_left_out() {
    let called: BTreeSet<_> = CALLS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut there = BTreeSet::from(["get_key_by_ref".to_owned()]); // as the trait has it
    for text in [include_str!("../../src/provider.rs"), include_str!("../../src/operations.rs")] {
        let mut of_a_trait = false;
        for line in text.lines() {
            if line.starts_with(['}', 'i']) {
                of_a_trait = line.starts_with("impl") && line.contains(" for StoredKeyProvider");
            }
            let rest = line.trim_start();
            // In a trait, who names lifetimes writes by hand what `async_trait` writes for the others.
            let by_hand = rest.strip_prefix("fn ").filter(|rest| rest.contains("<'"));
            let name = rest
                .strip_prefix("pub async fn ")
                .or(rest.strip_prefix("async fn ").or(by_hand).filter(|_| of_a_trait));
            there.extend(name.and_then(|name| name.split(['(', '<']).next()).map(str::to_owned));
        }
    }
    assert_eq!(called, there);
}
