//! Tests for key providers: the conformance suite that every provider must pass, and a provider that
//! fails on command.
//!
//! # The suite
//!
//! Small named cases, one for each line of the contracts of [`KeyProvider`] and [`KeyOperations`]. Which of
//! them apply is chosen by what the provider's `supports()` says, and what it denies must really be refused.
//! A provider that only agrees with itself does not pass: there are signatures and ciphertexts of others,
//! too. Whoever writes a provider puts this into a file of tests, and has one `#[test]` for each case:
//!
//! ```
//! use std::sync::Arc;
//! use swarmauri_keyprovider_local::LocalKeyProvider; // or your own
//!
//! swarmauri_keyprovider_testkit::conformance!(async || Arc::new(LocalKeyProvider::new()));
//! # fn main() {}
//! ```
//!
//! The provider must be a fresh one each time. [`conformance!`] also takes exemptions, with reasons;
//! [`run_all`] and [`Suite`] run the cases without the macro and give a [`Report`].
//!
//! [`store_conformance!`] is the same for engines of [`KeyStore`](swarmauri_keystore::KeyStore).
//!
//! # Faults
//!
//! [`FaultyProvider`] wraps a provider; through its [`Faults`] a test makes single methods fail before or
//! after they took effect, hang, wait, answer wrongly, or stop until the test has looked around. Its
//! [`Journal`] knows every call and every secret that the provider was handed.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), swarmauri_keys::KeyError> {
//! use std::sync::Arc;
//! use swarmauri_keyprovider::{KeyProvider, KeyProviderExt};
//! use swarmauri_keyprovider_local::LocalKeyProvider;
//! use swarmauri_keyprovider_testkit::{Fault, FaultyProvider, Method};
//! use swarmauri_keys::{KeyAlg, KeyError};
//!
//! let provider = FaultyProvider::new(Arc::new(LocalKeyProvider::new()));
//! let key = provider.create(KeyAlg::Ed25519).await?;
//!
//! // The destroy takes effect, and its answer is lost.
//! provider.faults().fail_next(Method::DestroyKey, Fault::FailAfter(KeyError::timeout("no answer")));
//! assert!(provider.destroy_key(key.kid(), None).await.is_err());
//! assert!(provider.list_versions(key.kid()).await.is_err());
//! # Ok(())
//! # }
//! ```
//!
//! # Drops
//!
//! [`at_every_await`] makes a call again and again, and drops it after 0, 1, 2, … polls; then it lets the test look at what is
//! left. [`Faults::pause`] and [`PausingStore`] see to it that a call is pending wherever it asks a provider or a store.
//!
//! # Leaks
//!
//! [`assert_no_secret`] finds secrets in text, in whichever way bytes are printed; [`capture_tracing`] gives
//! the text of what is traced.
//!
//! This crate makes no keys of its own: what the suite imports are mostly the published examples of RFCs. It
//! does not measure speed, does not use keys so often that a provider must ask for a rotation, and does not
//! test what is beyond the traits, such as mirroring.
//!
//! [`KeyOperations`]: swarmauri_keyprovider::KeyOperations
//! [`KeyProvider`]: swarmauri_keyprovider::KeyProvider

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic is how a test suite says that something is wrong"
)]

mod cases;
mod each_case;
mod faulty;
mod leaks;
mod pause;
mod polls;
mod report;
mod store;
mod subject;
mod suite;
mod trace;
mod vectors;
mod work;

pub use faulty::{
    Answer, AnswerFn, Call, CallEnd, Fault, Faults, FaultyProvider, Hold, Journal, Lie, Method,
};
pub use leaks::{assert_no_secret, assert_no_secrets, contains_secret, secret_parts};
pub use polls::{Dropped, at_every_await, drop_after};
pub use report::{CaseReport, Outcome, Report};
pub use store::{
    __run_store_test, FaultyStore, PausingStore, STORE_CASES, StoreCase, StoreEnd, StoreFault, StoreFaults,
    StoreMethod, StoreUnderTest, run_all_store_cases, run_store_cases,
};
use subject::Subject;
pub use suite::{__check_exemptions, __run_test, CASES, Case, IntoProvider, Suite, run_all};
pub use trace::{CapturedTracing, capture_tracing, capture_tracing_of};
