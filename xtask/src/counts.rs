//! How many tests ran, read from the closing lines of nextest and of libtest.

use std::fmt;
use std::ops::Add;

/// Tests by how they went.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    /// What one line of output says: nothing, unless it is a closing line.
    pub(crate) fn of_line(line: &str) -> Self {
        let line = without_colour(line);
        let mut counts = Self::default();
        // nextest indents what a failed test printed, the closing line of its own libtest included.
        if !line.trim_start().starts_with("Summary [") && !line.starts_with("test result:") {
            return counts;
        }
        let mut number = 0;
        for word in line.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            match (word.parse(), word) {
                (Ok(parsed), _) => number = parsed,
                (Err(_), "passed") => counts.passed += number,
                (Err(_), "failed" | "timed") => counts.failed += number,
                (Err(_), "skipped" | "ignored") => counts.skipped += number,
                (Err(_), _) => {}
            }
        }
        counts
    }

    /// The same tests, of which some passed only because they found nothing to do.
    pub(crate) fn less_skips(self, skips: u64) -> Self {
        Self { passed: self.passed.saturating_sub(skips), skipped: self.skipped + skips, ..self }
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// Drops `ESC [ … m`.
fn without_colour(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').map_or(part, |(_, text)| text));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_read() {
        let cases = [
            ("     Summary [   0.005s] 3 tests run: 3 passed, 0 skipped", (3, 0, 0)),
            (
                "     Summary [  61.005s] 9/12 tests run: 5 passed (1 slow, 1 flaky), 3 failed, 1 timed out, 2 skipped",
                (5, 4, 2),
            ),
            (
                "test result: ok. 7 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
                (7, 0, 1),
            ),
            (
                "\u{1b}[32;1m     Summary\u{1b}[0m [   1.0s] \u{1b}[1m2\u{1b}[0m tests run: \u{1b}[1m2\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m, \u{1b}[1m1\u{1b}[0m \u{1b}[33;1mskipped\u{1b}[0m",
                (2, 0, 1),
            ),
            ("test 4 passed ... ok", (0, 0, 0)),
            ("    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 9 filtered out", (0, 0, 0)),
            ("", (0, 0, 0)),
        ];
        for (line, (passed, failed, skipped)) in cases {
            assert_eq!(Counts::of_line(line), Counts { passed, failed, skipped }, "{line}");
        }
    }

    #[test]
    fn a_test_that_had_nothing_to_do_did_not_pass() {
        let counts = Counts { passed: 10, failed: 1, skipped: 2 }.less_skips(3);
        assert_eq!(counts, Counts { passed: 7, failed: 1, skipped: 5 });
    }
}
