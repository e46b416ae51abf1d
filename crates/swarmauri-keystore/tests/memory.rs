//! The suite for stores over the store in memory.

use swarmauri_keystore::MemoryStore;

swarmauri_keyprovider_testkit::store_conformance!(async || MemoryStore::new());
