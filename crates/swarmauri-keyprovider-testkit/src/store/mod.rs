//! The conformance suite for engines of [`KeyStore`].

mod cases;
mod each_case;
mod faulty;
mod pausing;
mod subject;

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use swarmauri_keystore::KeyStore;

pub use faulty::{FaultyStore, StoreEnd, StoreFault, StoreFaults, StoreMethod};
pub use pausing::PausingStore;

use crate::suite::{CaseFuture, attempt, judge};
use crate::{CaseReport, Report};
use subject::Store;

/// One named check of one line of the contract of [`KeyStore`].
#[derive(Debug, Clone, Copy)]
pub struct StoreCase {
    /// What it is about: `scan`, `watch`, …
    pub topic: &'static str,
    /// Its name, which no other case has.
    pub name: &'static str,
    run: fn(Store) -> CaseFuture,
}

macro_rules! table {
    ([] $($topic:ident { $($case:ident)* })*) => {
        /// All cases, by topic.
        pub const STORE_CASES: &[StoreCase] = &[$($(StoreCase {
            topic: stringify!($topic),
            name: stringify!($case),
            run: |on| Box::pin(cases::$topic::$case(on)),
        },)*)*];
    };
}
each_case::__each_store_case!(table, []);

type Opening = Pin<Box<dyn Future<Output = Arc<dyn KeyStore>> + Send>>;

/// A fresh store, and what the suite has to know of it. Every [`KeyStore`] can be made into one.
pub struct StoreUnderTest {
    store: Arc<dyn KeyStore>,
    in_process: bool,
    reopen: Option<Box<dyn Fn() -> Opening + Send + Sync>>,
    kept: Option<Box<dyn Any + Send + Sync>>,
}

impl StoreUnderTest {
    /// A store in this process, which keeps nothing after its end.
    pub fn new(store: impl KeyStore + 'static) -> Self {
        Self { store: Arc::new(store), in_process: true, reopen: None, kept: None }
    }

    /// Its watches have a change some time after the write has returned, and not by then.
    #[must_use]
    pub fn remote(mut self) -> Self {
        self.in_process = false;
        self
    }

    /// It is durable: once the store is dropped, this opens it again.
    #[must_use]
    pub fn reopened_by<S, F>(mut self, open: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        S: KeyStore + 'static,
        F: Future<Output = S> + Send + 'static,
    {
        self.reopen = Some(Box::new(move || {
            let opening = open();
            Box::pin(async move { Arc::new(opening.await) as Arc<dyn KeyStore> })
        }));
        self
    }

    /// Something that is dropped after the test, such as the folder that the store is in.
    #[must_use]
    pub fn keeping(mut self, what: impl Any + Send + Sync) -> Self {
        self.kept = Some(Box::new(what));
        self
    }
}

impl<S: KeyStore + 'static> From<S> for StoreUnderTest {
    fn from(store: S) -> Self {
        Self::new(store)
    }
}

impl fmt::Debug for StoreUnderTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreUnderTest").field("store", &self.store).finish_non_exhaustive()
    }
}

/// Runs all cases, each against a fresh store.
pub async fn run_all_store_cases<S: Into<StoreUnderTest>>(factory: impl AsyncFn() -> S) -> Report {
    let names: Vec<_> = STORE_CASES.iter().map(|case| case.name).collect();
    run_store_cases(&names, factory).await
}

/// Runs the cases of these names, each against a fresh store.
///
/// # Panics
///
/// If there is no case of such a name.
pub async fn run_store_cases<S: Into<StoreUnderTest>>(
    names: &[&str],
    factory: impl AsyncFn() -> S,
) -> Report {
    let mut results = Vec::new();
    for name in names {
        let case = STORE_CASES.iter().find(|case| case.name == *name);
        let case = case.unwrap_or_else(|| panic!("there is no store conformance case {name:?}"));
        let outcome = attempt((case.run)(Store::new(factory().await.into()))).await;
        results.push(CaseReport { topic: case.topic, name: case.name, outcome });
    }
    Report { results }
}

/// One test of [`store_conformance!`](crate::store_conformance).
#[doc(hidden)]
pub fn __run_store_test<S: Into<StoreUnderTest>>(name: &'static str, factory: impl AsyncFn() -> S) {
    judge(run_store_cases(&[name], factory));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_cases_have_one_name() {
        let names: BTreeSet<_> = STORE_CASES.iter().map(|case| case.name).collect();
        assert_eq!(names.len(), STORE_CASES.len());
    }
}
