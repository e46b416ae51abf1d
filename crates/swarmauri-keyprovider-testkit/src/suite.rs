//! The table of cases, and what runs them.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use swarmauri_keyprovider::KeyProvider;
use tokio::time::timeout;

use crate::cases;
use crate::{CaseReport, Outcome, Report, Subject};

/// One named check of one line of the contract of [`KeyProvider`] or
/// [`KeyOperations`](swarmauri_keyprovider::KeyOperations).
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// What it is about: `create`, `rotate`, `jwks`, …
    pub topic: &'static str,
    /// Its name, which no other case has.
    pub name: &'static str,
    run: fn(Subject) -> CaseFuture,
}

pub(crate) type CaseFuture = Pin<Box<dyn Future<Output = CaseResult> + Send>>;

/// How a case ends that does not panic.
pub(crate) type CaseResult = Result<(), NotApplicable>;

/// The provider's capabilities leave nothing for the case to check; for this reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotApplicable(pub(crate) String);

/// How long one case may take: far more than any takes that does not hang.
const CASE_DEADLINE: Duration = Duration::from_mins(5);

macro_rules! table {
    ([] $($topic:ident { $($case:ident)* })*) => {
        /// All cases, by topic.
        pub const CASES: &[Case] = &[$($(Case {
            topic: stringify!($topic),
            name: stringify!($case),
            run: |on| Box::pin(cases::$topic::$case(on)),
        },)*)*];
    };
}
crate::each_case::__each_case!(table, []);

/// What a factory may give: a provider behind an `Arc`, with or without its type.
pub trait IntoProvider {
    /// Forgets the type.
    fn into_provider(self) -> Arc<dyn KeyProvider>;
}

impl IntoProvider for Arc<dyn KeyProvider> {
    fn into_provider(self) -> Arc<dyn KeyProvider> {
        self
    }
}

impl<P: KeyProvider + 'static> IntoProvider for Arc<P> {
    fn into_provider(self) -> Arc<dyn KeyProvider> {
        self
    }
}

/// Runs all cases, each against a fresh provider.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use std::sync::Arc;
/// use swarmauri_keyprovider_local::LocalKeyProvider;
///
/// let report = swarmauri_keyprovider_testkit::run_all(async || Arc::new(LocalKeyProvider::new())).await;
/// report.assert_passed();
/// # }
/// ```
pub async fn run_all<P: IntoProvider>(factory: impl AsyncFn() -> P) -> Report {
    Suite::new().run(factory).await
}

/// A selection of cases.
#[derive(Debug, Clone, Default)]
pub struct Suite {
    only: Option<BTreeSet<&'static str>>,
    except: BTreeMap<&'static str, String>,
}

impl Suite {
    /// All cases.
    pub fn new() -> Self {
        Self::default()
    }

    /// These cases alone.
    ///
    /// # Panics
    ///
    /// If there is no case of such a name.
    #[must_use]
    pub fn only<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.only = Some(names.into_iter().map(|name| find(name).name).collect());
        self
    }

    /// Exempts one case: it is not run, and the report says why.
    ///
    /// # Panics
    ///
    /// If there is no case of that name, or no reason.
    #[must_use]
    pub fn except(mut self, name: &str, reason: &str) -> Self {
        let case = find(name);
        assert!(!reason.trim().is_empty(), "the exemption of {name} needs a reason");
        self.except.insert(case.name, reason.to_owned());
        self
    }

    /// Runs the selected cases one after the other, each against a fresh provider.
    pub async fn run<P: IntoProvider>(&self, factory: impl AsyncFn() -> P) -> Report {
        let mut results = Vec::new();
        for case in CASES.iter().filter(|case| self.selects(case)) {
            let outcome = match self.except.get(case.name) {
                Some(reason) => Outcome::Exempt(reason.clone()),
                None => attempt((case.run)(Subject::new(factory().await.into_provider()))).await,
            };
            results.push(CaseReport { topic: case.topic, name: case.name, outcome });
        }
        Report { results }
    }

    fn selects(&self, case: &Case) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(case.name))
    }
}

/// Runs one case, of whichever suite.
pub(crate) async fn attempt(case: CaseFuture) -> Outcome {
    let mut task = tokio::spawn(case);
    match timeout(CASE_DEADLINE, &mut task).await {
        Ok(Ok(Ok(()))) => Outcome::Passed,
        Ok(Ok(Err(NotApplicable(reason)))) => Outcome::NotApplicable(reason),
        Ok(Err(panic)) => Outcome::Failed(panic_text(panic)),
        Err(_) => {
            task.abort();
            Outcome::Failed(format!("hung for {CASE_DEADLINE:?}"))
        }
    }
}

fn panic_text(error: tokio::task::JoinError) -> String {
    let Ok(payload) = error.try_into_panic() else {
        return "was cancelled".to_owned();
    };
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast_ref::<&str>().map_or("panicked", |text| text).to_owned(),
    }
}

fn find(name: &str) -> &'static Case {
    CASES.iter().find(|case| case.name == name).unwrap_or_else(|| {
        let known: Vec<_> = CASES.iter().map(|case| case.name).collect();
        panic!("there is no conformance case {name:?}; there are {}", known.join(", "))
    })
}

/// One test of [`conformance!`](crate::conformance): runs a case on a runtime of its own.
#[doc(hidden)]
pub fn __run_test<P: IntoProvider>(
    name: &'static str,
    exempt: &[(&str, &str)],
    factory: impl AsyncFn() -> P,
) {
    let suite = exempt.iter().fold(Suite::new().only([name]), |suite, (name, why)| suite.except(name, why));
    judge(suite.run(factory));
}

/// Runs a suite on a runtime of its own, and fails the test that it is with what the suite found.
#[allow(clippy::print_stdout, reason = "the test harness shows it to whoever asks why nothing was checked")]
pub(crate) fn judge(suite: impl Future<Output = Report>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let report = runtime.expect("a runtime for the test").block_on(suite);
    if report.passed().is_empty() {
        println!("{report}");
    }
    assert!(report.failed().is_empty(), "{report}");
}

/// The test of [`conformance!`](crate::conformance) that checks its exemptions.
#[doc(hidden)]
pub fn __check_exemptions(exempt: &[(&str, &str)]) {
    let names: BTreeSet<_> = exempt.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), exempt.len(), "a case is exempted twice");
    let _ = exempt.iter().fold(Suite::new(), |suite, (name, reason)| suite.except(name, reason));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_cases_have_one_name() {
        let names: BTreeSet<_> = CASES.iter().map(|case| case.name).collect();
        assert_eq!(names.len(), CASES.len());
    }

    #[test]
    #[should_panic(expected = "no conformance case \"rotat\"")]
    fn an_exemption_of_nothing_is_refused() {
        __check_exemptions(&[("rotat", "typo")]);
    }

    #[test]
    #[should_panic(expected = "needs a reason")]
    fn an_exemption_without_a_reason_is_refused() {
        __check_exemptions(&[(CASES[0].name, " ")]);
    }
}
