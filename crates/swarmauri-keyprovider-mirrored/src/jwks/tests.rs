//! What changes while a document is made.

use swarmauri_keyprovider::{KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keys::KeyAlg;

use super::*;
use crate::store::update;

/// It was a replica when it was to be found out which keys are none, and its record is forgotten while the primary is asked
/// whether it has lost the key.
#[tokio::test]
async fn promise_4_a_replica_that_is_forgotten_during_the_second_look_is_no_foreign_key() {
    let (primary, secondary) = (Arc::new(LocalKeyProvider::new()), Arc::new(LocalKeyProvider::new()));
    let mirror = MirroredKeyProvider::new(primary.clone(), secondary.clone()).unwrap();
    let key = mirror.create(KeyAlg::Ed25519).await.unwrap();
    primary.destroy_key(key.kid(), None).await.unwrap();
    let sources = Sources {
        query: JwksQuery::LATEST,
        primary: Some(primary.jwks(&JwksQuery::LATEST).await.unwrap()),
        secondary: Some(secondary.jwks(&JwksQuery::ALL_LIVE).await.unwrap()),
        generation: mirror.map.generation(),
    };
    let no_look = SecondLook::default();
    let look = mirror.look_again(&Merge::of(&mirror, &sources, &no_look), &sources.query).await;
    let look = look.unwrap().unwrap();
    assert_eq!(Merge::of(&mirror, &sources, &look).document().keys, [key.public_jwk().unwrap()]);
    update(&*mirror.map, key.kid(), |record| *record = KidRecord::default()).await.unwrap();
    assert_eq!(Merge::of(&mirror, &sources, &look).document().keys, []);
}
