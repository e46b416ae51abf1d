//! What the suite found.

use std::fmt;

/// What became of each case.
#[derive(Debug, Clone)]
#[must_use = "a report that nobody reads hides failures"]
pub struct Report {
    /// One entry for each case, in the order of [`CASES`](crate::CASES).
    pub results: Vec<CaseReport>,
}

/// What became of one case.
#[derive(Debug, Clone)]
pub struct CaseReport {
    /// The topic of the case.
    pub topic: &'static str,
    /// The name of the case.
    pub name: &'static str,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The provider keeps this line of the contract.
    Passed,
    /// The provider's capabilities leave nothing to check, for this reason.
    NotApplicable(String),
    /// The case was not run, for the reason that whoever exempted it gave.
    Exempt(String),
    /// The provider breaks the contract; how.
    Failed(String),
}

impl Report {
    /// The names of the cases that failed.
    pub fn failed(&self) -> Vec<&'static str> {
        let failed = self.results.iter().filter(|one| matches!(one.outcome, Outcome::Failed(_)));
        failed.map(|one| one.name).collect()
    }

    /// The names of the cases that ran and passed.
    pub fn passed(&self) -> Vec<&'static str> {
        self.results.iter().filter(|one| one.outcome == Outcome::Passed).map(|one| one.name).collect()
    }

    /// How one case ended; `None` if it was not selected.
    pub fn outcome(&self, name: &str) -> Option<&Outcome> {
        self.results.iter().find(|one| one.name == name).map(|one| &one.outcome)
    }

    /// Asserts that no case failed and that some passed.
    ///
    /// # Panics
    ///
    /// With the whole report, if not.
    #[track_caller]
    pub fn assert_passed(&self) {
        assert!(self.failed().is_empty(), "the provider breaks its contract:\n{self}");
        assert!(!self.passed().is_empty(), "no case ran:\n{self}");
    }
}

/// One line for each case that did not simply pass, and a line of counts.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for CaseReport { topic, name, outcome } in &self.results {
            match outcome {
                Outcome::Passed => {}
                Outcome::NotApplicable(reason) => writeln!(f, "n/a     {topic}::{name}: {reason}")?,
                Outcome::Exempt(reason) => writeln!(f, "exempt  {topic}::{name}: {reason}")?,
                Outcome::Failed(how) => writeln!(f, "FAILED  {topic}::{name}: {how}")?,
            }
        }
        write!(f, "{} passed, {} failed, of {}", self.passed().len(), self.failed().len(), self.results.len())
    }
}
