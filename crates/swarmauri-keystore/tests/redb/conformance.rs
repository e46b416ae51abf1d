//! The suite for stores over the store in a file.

use swarmauri_keyprovider_testkit::{StoreUnderTest, store_conformance};
use swarmauri_keystore::RedbStore;

use crate::folder::Folder;

store_conformance!(async || {
    let folder = Folder::new();
    let path = folder.database();
    let store = RedbStore::open(&path).await.unwrap();
    StoreUnderTest::new(store)
        .reopened_by(move || {
            let path = path.clone();
            async move { RedbStore::open(path).await.unwrap() }
        })
        .keeping(folder)
});
