//! How often each call was made, and how it ended.

use std::collections::BTreeMap;
use std::fmt;

#[derive(Default)]
pub(crate) struct Tally(BTreeMap<(&'static str, &'static str), u64>);

impl Tally {
    pub(crate) fn count(&mut self, call: &'static str, end: &'static str) {
        *self.0.entry((call, end)).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (ends, count) in &other.0 {
            *self.0.entry(*ends).or_default() += count;
        }
    }

    /// That no call was forgotten, and each had its share of success.
    pub(crate) fn assert_complete(&self, calls: u64) {
        assert_eq!(self.0.values().sum::<u64>(), calls);
        let usual = ["create", "rotate", "destroy version", "destroy key", "get_key", "get_public_jwk"];
        for call in usual.into_iter().chain(["disable", "enable", "sign"]) {
            let succeeded = self.0.get(&(call, "ok")).copied().unwrap_or_default();
            assert!(succeeded > calls / 1000, "{call} succeeded {succeeded} times");
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|((call, end), count)| writeln!(f, "{count:>8} {call}: {end}"))
    }
}
