//! The file with the mirror's state is gone.

use std::fs;

use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keys::{ExportPolicy, KeyAlg, KeyErrorKind, KeySpec};

use crate::house::{Folder, House};

#[tokio::test]
async fn a_state_file_that_is_deleted_is_rebuilt_from_the_replicas() {
    let folder = Folder::new();
    let house = House::open(&folder).await;
    let spec =
        KeySpec::builder(KeyAlg::Ed25519).export_policy(ExportPolicy::SecretWhenAllowed).build().unwrap();
    let mut ids = Vec::new();
    for n in 0..12 {
        let key = house.mirror.create_key(&spec).await.unwrap();
        ids.push(key.id().clone());
        if n % 3 == 0 {
            ids.push(house.mirror.rotate(key.kid()).await.unwrap().id().clone());
            house.mirror.disable_key(key.kid(), key.version()).await.unwrap();
        }
    }
    let answers = answers_of_the_secondary(&house, &ids).await;
    house.close().await;

    // The store notes beside the file how far it has come: one that merely begins anew is refused.
    fs::remove_file(folder.join("state.redb")).unwrap();
    let error = swarmauri_keystore::RedbStore::open(folder.join("state.redb")).await.unwrap_err();
    assert!(error.to_string().contains("state.redb.lock"), "{error}");
    fs::remove_file(folder.join("state.redb.lock")).unwrap();

    let house = House::open(&folder).await;
    assert!(house.mirror.status().replicas.is_empty());
    let report = house.mirror.reconcile().await;
    assert!(report.is_clean() && report.done >= ids.len(), "{report:?}");
    assert!(house.mirror.plan_reconcile().await.is_empty(), "a second one finds nothing to do");
    assert_eq!(answers_of_the_secondary(&house, &ids).await, answers);
    assert!(house.mirror.verify_replicas().await.is_clean());
    house.close().await;
}

/// What readers hear while the primary is out.
async fn answers_of_the_secondary(house: &House, ids: &[swarmauri_keys::KeyVersionId]) -> Vec<String> {
    house.primary.faults().outage();
    let mut answers = Vec::new();
    for id in ids {
        let key = house.mirror.get_key(&id.kid, Some(id.version), Secrets::Omit).await.unwrap();
        answers.push(format!("{:?}", key.parts()));
        let jwk = house.mirror.get_public_jwk(&id.kid, Some(id.version)).await;
        answers.push(format!("{:?}", jwk.map_err(|error| error.kind() == KeyErrorKind::Disabled)));
    }
    let jwks = house.mirror.jwks(&JwksQuery::ALL_LIVE).await.unwrap();
    answers.push(serde_json::to_string(&*jwks).unwrap());
    house.primary.faults().recover();
    answers
}
