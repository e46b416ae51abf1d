//! The worlds in which calls are dropped.

use std::sync::Arc;

use swarmauri_keyprovider::{KeyOperations, KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_mirrored::MirrorMode;
use swarmauri_keyprovider_testkit::{Fault, Method, PausingStore};
use swarmauri_keys::{KeyAlg, KeyError, KeyVersionId};

use crate::every_call::{Made, Scene, Stage, named, public};
use crate::restore::shown;
use crate::support::*;

/// What does not answer while the call is made.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Out {
    Nobody,
    Primary,
    Secondary,
}

/// What there was before the call.
pub(crate) struct Before {
    /// Every version that ever was.
    pub(crate) ids: Vec<KeyVersionId>,
    /// Everything that the primary showed.
    pub(crate) shown: Vec<String>,
}

pub(crate) async fn set(mode: MirrorMode, scene: Scene, out: Out) -> (Stage, Before) {
    let world = world_in(mode);
    let work = furnish(&world).await;
    if scene == Scene::Owing {
        owe(&world).await;
    }
    let before = Before { ids: ids(&world).await, shown: shown(&*world.primary_keys).await };
    let world = match scene {
        Scene::Tidy | Scene::Owing => world,
        Scene::Forgotten => world.restart(),
        Scene::Lost | Scene::GivenUp => world.with_empty_primary(),
    };
    let store = Arc::new(PausingStore::new(Arc::new(world.store.clone())));
    let world = if crate::STORED { world.over(store).await } else { world };
    for side in [&world.primary, &world.secondary] {
        side.pause(true);
    }
    match out {
        Out::Nobody => {}
        Out::Primary => world.primary.outage(),
        Out::Secondary => world.secondary.outage(),
    }
    (Stage { world, made: work }, before)
}

/// A pair of three versions whose first is disabled, one key of each other kind, and one that is destroyed.
pub(crate) async fn furnish(world: &World) -> Made {
    let on = &world.mirror;
    on.create_key(&named("pair", KeyAlg::Ed25519)).await.unwrap();
    on.rotate(&kid("pair")).await.unwrap();
    on.rotate(&kid("pair")).await.unwrap();
    on.disable_key(&kid("pair"), version(1)).await.unwrap();
    for (name, alg) in [("agree", KeyAlg::X25519), ("gone", KeyAlg::Ed25519)] {
        on.create_key(&named(name, alg)).await.unwrap();
    }
    on.import_key(&named("public", KeyAlg::Ed25519), public()).await.unwrap();
    on.destroy_key(&kid("gone"), None).await.unwrap();
    // In mode public_only symmetric keys have no replicas; there nothing is to be done with these.
    let elsewhere: Arc<dyn KeyProvider> = Arc::new(LocalKeyProvider::new());
    let full = on.settings().mode == MirrorMode::Full;
    let with = if full { on.clone() as Arc<dyn KeyProvider> } else { elsewhere };
    with.create_key(&named("sym", KeyAlg::Aes256Gcm)).await.unwrap();
    with.create_key(&named("mac", KeyAlg::HmacSha256)).await.unwrap();
    let work = with.work().unwrap();
    Made {
        signature: on.sign(&kid("pair"), None, b"m").await.unwrap(),
        mac: work.mac(&kid("mac"), None, b"m").await.unwrap(),
        sealed: work.encrypt(&kid("sym"), None, b"m", b"aad").await.unwrap(),
        wrapped: work.wrap_key(&kid("sym"), None, &vec![7; 32].into()).await.unwrap(),
    }
}

/// Copies, the destruction of a replica, states, outcomes of each kind, and what only one side has.
async fn owe(world: &World) {
    let on = &world.mirror;
    for name in ["doomed", "unsure", "turned"] {
        on.create_key(&named(name, KeyAlg::Ed25519)).await.unwrap();
    }
    world.secondary.outage();
    on.create_key(&named("owed", KeyAlg::Ed25519)).await.unwrap();
    on.destroy_key(&kid("doomed"), None).await.unwrap();
    on.disable_key(&kid("pair"), version(2)).await.unwrap();
    world.secondary.recover();
    let lost = || Fault::FailAfter(KeyError::timeout("no answer"));
    let refused = || Fault::FailBefore(KeyError::timeout("no answer"));
    world.primary.fail_next(Method::DestroyKey, refused());
    on.destroy_key(&kid("unsure"), None).await.unwrap_err();
    world.primary.fail_next(Method::CreateKey, lost());
    on.create_key(&named("made", KeyAlg::Ed25519)).await.unwrap_err();
    world.primary.fail_next(Method::RotateKey, lost());
    on.rotate(&kid("agree")).await.unwrap_err();
    world.primary.fail_next(Method::DisableKey, lost());
    on.disable_key(&kid("turned"), version(1)).await.unwrap_err();
    world.primary_keys.create_key(&named("behind", KeyAlg::Ed25519)).await.unwrap();
    world.secondary_keys.destroy_key(&kid("public.1"), None).await.unwrap();
}

pub(crate) async fn ids(world: &World) -> Vec<KeyVersionId> {
    let mut ids = vec![kid("gone").at(version(1)), kid("doomed").at(version(1))];
    for summary in world.primary_keys.list_all_keys().await.unwrap() {
        for version in world.primary_keys.list_versions(&summary.kid).await.unwrap() {
            ids.push(summary.kid.at(version));
        }
    }
    ids
}
