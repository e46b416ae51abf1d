//! How many vectors were run, and how many were left out for which reason.

use std::collections::BTreeMap;

pub(crate) struct Tally {
    family: &'static str,
    run: usize,
    left_out: BTreeMap<&'static str, usize>,
}

impl Tally {
    pub(crate) fn new(family: &'static str) -> Self {
        Self { family, run: 0, left_out: BTreeMap::new() }
    }

    pub(crate) fn run(&mut self) {
        self.run += 1;
    }

    pub(crate) fn leave_out(&mut self, reason: &'static str) {
        *self.left_out.entry(reason).or_default() += 1;
    }

    /// Says the numbers, and fails if they are not these, or if a vector of the test sets was forgotten.
    #[track_caller]
    pub(crate) fn assert(self, in_the_sets: usize, run: usize, left_out: &[(&'static str, usize)]) {
        println!("{}: {} run", self.family, self.run);
        for (reason, count) in &self.left_out {
            println!("{}: {count} left out: {reason}", self.family);
        }
        assert!(self.run > 0, "{}: nothing was run", self.family);
        assert_eq!(self.run + self.left_out.values().sum::<usize>(), in_the_sets, "{}", self.family);
        assert_eq!(
            (self.run, self.left_out),
            (run, left_out.iter().copied().collect()),
            "{}: other numbers than were expected",
            self.family
        );
    }
}
