//! Every async method of the mirrored provider, to be called: a table that a test holds against the source.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use swarmauri_keyprovider::{JwksQuery, KeyOperations, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_testkit::PausingStore;
use swarmauri_keys::{
    Acceptance, Ciphertext, KeyAlg, KeyMaterial, KeySpec, KeyType, PageRequest, PrivateKey, PublicKey,
    Signature, SpecOverrides, VerifyWith,
};

use crate::support::*;

/// A world with keys in it, and what was made with them.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) made: Made,
}

/// What the keys of a [`Stage`] have made before.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) signature: Signature,
    pub(crate) mac: Signature,
    pub(crate) sealed: Ciphertext,
    pub(crate) wrapped: Ciphertext,
}

/// What a world is like when the call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scene {
    /// All keys are mirrored, and nothing is owed.
    Tidy,
    /// The same, and the mirror knows of nothing.
    Forgotten,
    /// Something of every kind is owed.
    Owing,
    /// The primary has come back empty, and is to get its keys again.
    Lost,
    /// The primary has come back empty, and its keys are to be given up.
    GivenUp,
}

pub(crate) struct Call {
    /// The method.
    pub(crate) name: &'static str,
    pub(crate) scenes: &'static [Scene],
    pub(crate) run: for<'a> fn(&'a Stage) -> Run<'a>,
}

type Run<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

const ANY: &[Scene] = &[Scene::Tidy, Scene::Forgotten];
const REPAIR: &[Scene] = &[Scene::Tidy, Scene::Forgotten, Scene::Owing];
const LOSS: &[Scene] = &[Scene::Lost];
const GIVEN_UP: &[Scene] = &[Scene::GivenUp];

const ENABLED: Acceptance = Acceptance::EnabledOnly;
const ANY_LIVE: VerifyWith = VerifyWith::AnyLive;

macro_rules! calls {
    ($($name:literal in $scenes:ident: |$stage:ident| $call:expr;)*) => {
        /// A new method gets a line here, and is dropped at each of its awaits.
        pub(crate) const CALLS: &[Call] = &[$(Call {
            name: $name,
            scenes: $scenes,
            run: |$stage| Box::pin(async move { let _ = $call.await; }),
        },)*];
    };
}

calls! {
    "create_key" in ANY: |on| on.mirror().create_key(&exportable(KeyAlg::Ed25519));
    "create_key" in ANY: |on| on.mirror().create_key(&named("new", KeyAlg::X25519));
    "import_key" in ANY: |on| on.mirror().import_key(&named("new", KeyAlg::Ed25519), private());
    "import_key" in ANY: |on| on.mirror().import_key(&named("new", KeyAlg::Ed25519), public());
    "import_version" in ANY: |on| async {
        let (id, spec) = (kid("new").at(version(3)), exportable(KeyAlg::Ed25519));
        on.mirror().import_version(&id, &spec, private()).await
    };
    "rotate_key" in ANY: |on| on.mirror().rotate_key(&kid("pair"), &SpecOverrides::NONE);
    "destroy_key" in ANY: |on| on.mirror().destroy_key(&kid("pair"), Some(version(2)));
    "destroy_key" in ANY: |on| on.mirror().destroy_key(&kid("pair"), None);
    "destroy_key" in ANY: |on| on.mirror().destroy_key(&kid("nobody"), None);
    "disable_key" in ANY: |on| on.mirror().disable_key(&kid("pair"), version(3));
    "enable_key" in ANY: |on| on.mirror().enable_key(&kid("pair"), version(1));
    "get_key" in ANY: |on| on.mirror().get_key(&kid("pair"), None, Secrets::Omit);
    "get_key" in ANY: |on| on.mirror().get_key(&kid("sym"), Some(version(1)), Secrets::Include);
    "get_key" in ANY: |on| on.mirror().get_key(&kid("gone"), None, Secrets::Omit);
    "get_key_by_ref" in ANY: |on| async { on.mirror().get_key_by_ref(&"pair@2".parse().unwrap(), Secrets::Omit).await };
    "list_versions" in ANY: |on| on.mirror().list_versions(&kid("pair"));
    "list_keys" in ANY: |on| on.mirror().list_keys(&PageRequest { limit: 2, ..PageRequest::default() });
    "get_public_jwk" in ANY: |on| on.mirror().get_public_jwk(&kid("pair"), None);
    "jwks" in ANY: |on| on.mirror().jwks(&JwksQuery::ALL_LIVE);
    "random_bytes" in ANY: |on| on.mirror().random_bytes(32);
    "hkdf" in ANY: |on| on.mirror().hkdf(&vec![7; 32].into(), b"salt", b"info", 32);

    "sign" in ANY: |on| on.work().sign(&kid("pair"), None, b"m");
    "verify" in ANY: |on| on.work().verify(&kid("pair"), ANY_LIVE, b"m", &on.made.signature.bytes, ENABLED);
    "mac" in ANY: |on| on.work().mac(&kid("mac"), None, b"m");
    "verify_mac" in ANY: |on| on.work().verify_mac(&kid("mac"), ANY_LIVE, b"m", &on.made.mac.bytes, ENABLED);
    "encrypt" in ANY: |on| on.work().encrypt(&kid("sym"), None, b"m", b"aad");
    "decrypt" in ANY: |on| on.work().decrypt(&on.made.sealed, b"aad", ENABLED);
    "agree" in ANY: |on| on.work().agree(&kid("agree"), None, &PublicKey::X25519([9; 32]), ENABLED);
    "wrap_key" in ANY: |on| on.work().wrap_key(&kid("sym"), None, &vec![7; 32].into());
    "unwrap_key" in ANY: |on| on.work().unwrap_key(&on.made.wrapped, ENABLED);

    "reconcile" in REPAIR: |on| on.world.mirror.reconcile();
    "reconcile_with" in REPAIR: |on| on.world.mirror.reconcile_with(|_| {});
    "plan_reconcile" in REPAIR: |on| on.world.mirror.plan_reconcile();
    "apply" in REPAIR: |on| async { on.world.mirror.apply(on.world.mirror.plan_reconcile().await).await };
    "apply_with" in REPAIR: |on| async {
        on.world.mirror.apply_with(on.world.mirror.plan_reconcile().await, |_| {}).await
    };
    "verify_replicas" in REPAIR: |on| on.world.mirror.verify_replicas();
    "plan_restore_primary" in LOSS: |on| on.world.mirror.plan_restore_primary();
    "plan_propagate_loss" in LOSS: |on| on.world.mirror.plan_propagate_loss();
    "apply" in LOSS: |on| async {
        let plan = on.world.mirror.plan_restore_primary().await.ok()?;
        Some(on.world.mirror.apply(plan).await)
    };
    "apply" in GIVEN_UP: |on| async {
        let plan = on.world.mirror.plan_propagate_loss().await.ok()?;
        Some(on.world.mirror.apply(plan).await)
    };
    "open" in ANY: |on| on.open_another();
    "jwks_canonical_json" in ANY: |on| on.canonical_json();
    "jwks_cbor" in ANY: |on| on.cbor();
    "maintain" in REPAIR: |on| on.world.mirror.maintain(tokio::time::sleep(Duration::from_secs(1)));
    "drill" in REPAIR: |on| on.world.mirror.drill();
}

impl Stage {
    fn mirror(&self) -> &dyn KeyProvider {
        &*self.world.mirror
    }

    fn work(&self) -> &dyn KeyOperations {
        self.mirror().work().unwrap()
    }

    async fn open_another(&self) {
        let store = Arc::new(PausingStore::new(Arc::new(self.world.store.clone())));
        let builder = self.world.builder();
        let builder = if crate::STORED { builder.state(store) } else { builder };
        builder.open().await.unwrap();
    }

    #[allow(clippy::unused_async, reason = "without the feature there is nothing to wait for")]
    async fn canonical_json(&self) {
        #[cfg(feature = "jsoncanon")]
        let _ = self.world.mirror.jwks_canonical_json(&JwksQuery::LATEST).await;
    }

    #[allow(clippy::unused_async, reason = "without the feature there is nothing to wait for")]
    async fn cbor(&self) {
        #[cfg(feature = "cbor")]
        let _ = self.world.mirror.jwks_cbor(&JwksQuery::LATEST).await;
    }
}

pub(crate) fn named(name: &str, alg: KeyAlg) -> KeySpec {
    exportable(alg).with_kid(kid(name))
}

fn private() -> KeyMaterial {
    KeyMaterial::Private(PrivateKey::from_raw(KeyType::Ed25519, &[7; 32]).unwrap())
}

/// That of RFC 8032 section 7.1, test 1.
pub(crate) fn public() -> KeyMaterial {
    let hex = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let digit = |at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
    KeyMaterial::Public(PublicKey::Ed25519(std::array::from_fn(digit)))
}

/// The table against the source: what is `pub async`, and what the two traits have.
#[test]
fn no_async_method_is_left_out() {
    let called: BTreeSet<_> = CALLS.iter().map(|call| call.name.to_owned()).collect();
    let mut there = BTreeSet::new();
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in std::fs::read_dir(source).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            there.extend(async_methods(&std::fs::read_to_string(path).unwrap()));
        }
    }
    assert_eq!(called, there);
}

fn async_methods(text: &str) -> Vec<String> {
    const TRAITS: [&str; 2] =
        ["KeyProvider for MirroredKeyProvider", "KeyOperations for MirroredKeyProvider"];
    let (mut of_a_trait, mut found) = (false, Vec::new());
    for line in text.lines() {
        if line.starts_with(['}', 'i']) {
            of_a_trait = line.starts_with("impl") && TRAITS.iter().any(|name| line.contains(name));
        }
        let rest = line.trim_start();
        // In a trait, who names lifetimes writes by hand what `async_trait` writes for the others.
        let by_hand = rest.strip_prefix("fn ").filter(|rest| rest.contains("<'"));
        let name = rest
            .strip_prefix("pub async fn ")
            .or(rest.strip_prefix("async fn ").or(by_hand).filter(|_| of_a_trait));
        found.extend(name.and_then(|name| name.split(['(', '<']).next()).map(str::to_owned));
    }
    found
}
