//! The suite for stores over the store in memory.

use swarmauri_keyprovider_testkit::{
    Outcome, STORE_CASES, StoreUnderTest, run_all_store_cases, store_conformance,
};
use swarmauri_keystore::MemoryStore;

store_conformance!(async || MemoryStore::new());

#[tokio::test(start_paused = true)]
async fn the_suite_passes_on_one_thread_in_paused_time() {
    let report = run_all_store_cases(async || StoreUnderTest::new(MemoryStore::new()).remote()).await;
    report.assert_passed();
    assert_eq!(report.results.len(), STORE_CASES.len());
    let remote = report.outcome("a_change_is_here_by_the_time_the_write_returns");
    assert_eq!(remote, Some(&Outcome::NotApplicable("not in this process".to_owned())));
}
