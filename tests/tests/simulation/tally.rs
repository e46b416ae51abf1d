//! How often everything came up, so that one sees that nothing is vacuous.

use std::collections::BTreeMap;
use std::fmt;

/// Counts by topic and name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally(BTreeMap<(&'static str, &'static str), u64>);

impl Tally {
    pub(crate) fn count(&mut self, topic: &'static str, name: &'static str) {
        *self.0.entry((topic, name)).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (key, count) in &other.0 {
            *self.0.entry(*key).or_default() += count;
        }
    }

    pub(crate) fn of(&self, topic: &str) -> u64 {
        self.0.iter().filter(|((of, _), _)| *of == topic).map(|(_, count)| count).sum()
    }

    pub(crate) fn named(&self, topic: &str, name: &str) -> u64 {
        let all = self.0.iter();
        all.filter(|((of, called), _)| *of == topic && *called == name).map(|(_, count)| count).sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut topic = "";
        for ((of, name), count) in &self.0 {
            if *of != topic {
                topic = of;
                writeln!(f, "{topic}:")?;
            }
            writeln!(f, "  {count:>9}  {name}")?;
        }
        Ok(())
    }
}
