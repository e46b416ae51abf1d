//! What is measured, and what is wanted of it.

use super::figures::Unit;

/// Some work that one program sets up, here and in Python; `tests/benches/src/rows` knows it by its name.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    /// Which of our programs.
    pub(crate) program: &'static str,
    /// How often everything is measured.
    pub(crate) rounds: usize,
    /// What is asked of our program.
    pub(crate) ours: &'static [&'static str],
    /// What is asked of Python.
    pub(crate) python: &'static [&'static str],
    pub(crate) rows: &'static [Row],
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) work: &'static str,
    pub(crate) against: &'static str,
    /// What our figure is asked for by.
    pub(crate) ours: &'static str,
    pub(crate) theirs: Theirs,
    pub(crate) target: Target,
    pub(crate) unit: Unit,
}

/// What our figure is compared with, by the name it is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Theirs {
    Ours(&'static str),
    Python(&'static str),
}

/// What is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// At least so many times as fast as the other.
    Faster(f64),
    /// At most so many times the time of the other.
    AtMost(f64),
    /// Fewer than so many.
    Under(f64),
    /// Nothing: it is told for comparison.
    Told,
}

impl Target {
    /// How many times as fast, or how many times as long.
    pub(crate) fn ratio(self, ours: f64, theirs: f64) -> f64 {
        match self {
            Self::Faster(_) => theirs / ours,
            Self::AtMost(_) | Self::Under(_) | Self::Told => ours / theirs,
        }
    }

    pub(crate) fn in_words(self) -> String {
        match self {
            Self::Faster(1.0) => "not slower".to_owned(),
            Self::Faster(times) => format!("{}× faster", grouped(times)),
            Self::AtMost(times) => format!("at most {times}×"),
            Self::Under(bytes) => format!("under {}", grouped(bytes)),
            Self::Told => "–".to_owned(),
        }
    }
}

fn grouped(number: f64) -> String {
    if number < 1000.0 {
        number.to_string()
    } else {
        format!("{},{:03}", (number / 1000.0).floor(), number % 1000.0)
    }
}

const fn step(name: &'static str, ours: &'static [&'static str], rows: &'static [Row]) -> Step {
    Step { name, program: "rounds", rounds: 7, ours, python: &[], rows }
}

const fn row(
    work: &'static str,
    ours: &'static str,
    against: &'static str,
    theirs: Theirs,
    target: Target,
) -> Row {
    Row { work, against, ours, theirs, target, unit: Unit::Time }
}

use Target::{AtMost, Faster, Told, Under};
use Theirs::{Ours, Python};

pub(crate) const STEPS: &[Step] = &[
    Step {
        python: &["100", "1000", "10000"],
        ..step(
            "get-key",
            &["100", "1000", "10000", "100000"],
            &[row("mirrored `get_key`, healthy primary", "1000", "Python", Python("1000"), Faster(8.0))],
        )
    },
    step(
        "get-key-tombstones",
        &["ours", "local"],
        &[row(
            "mirrored `get_key`, with 1,000 tombstones present",
            "ours",
            "our local `get_key`",
            Ours("local"),
            AtMost(1.5),
        )],
    ),
    step(
        "local-get-key",
        &["ours", "bare"],
        &[row(
            "local `get_key`",
            "ours",
            "a bare `RwLock<HashMap<String, Arc<_>>>` behind the same boxed future",
            Ours("bare"),
            AtMost(1.3),
        )],
    ),
    Step {
        python: &["python"],
        ..step(
            "get-public-jwk",
            &["ours"],
            &[row("mirrored `get_public_jwk`", "ours", "Python", Python("python"), Faster(80.0))],
        )
    },
    Step {
        python: &["100", "1000", "10000"],
        rounds: 5,
        ..step(
            "jwks",
            &["100", "1000", "10000", "100000"],
            &[
                row(
                    "mirrored `jwks`, 10,000 keys, unchanged",
                    "10000",
                    "Python",
                    Python("10000"),
                    Faster(10_000.0),
                ),
                row(
                    "mirrored `jwks`, 100,000 keys, unchanged",
                    "100000",
                    "the same, 100 keys",
                    Ours("100"),
                    AtMost(1.5),
                ),
            ],
        )
    },
    Step {
        rounds: 5,
        ..step(
            "jwks-after-change",
            &["ours", "rebuild"],
            &[row(
                "mirrored `jwks`, 10,000 keys, after one change",
                "ours",
                "its first full build",
                Ours("rebuild"),
                Faster(5.0),
            )],
        )
    },
    step(
        "create-ed25519",
        &["ours", "bare", "pkcs8"],
        &[
            row(
                "mirrored `create_key` Ed25519, `public_only`",
                "ours",
                "one bare key: random seed and one public key derived, by ring",
                Ours("bare"),
                AtMost(1.3),
            ),
            row(
                "the same",
                "ours",
                "ring's `generate_pkcs8` and `from_pkcs8`, which derive it twice",
                Ours("pkcs8"),
                Told,
            ),
        ],
    ),
    Step {
        python: &["python"],
        ..step(
            "create-rsa",
            &["ours"],
            &[row("mirrored `create_key` RSA-3072", "ours", "Python", Python("python"), Faster(1.0))],
        )
    },
    step(
        "fail-over",
        &["ours", "direct"],
        &[row(
            "fail-over read, breaker open",
            "ours",
            "a direct read of the secondary",
            Ours("direct"),
            AtMost(1.3),
        )],
    ),
    step(
        "two-threads",
        &["two", "one", "two-at-the-same"],
        &[
            row(
                "mixed reads, two threads, each at one half of the keys; for each read",
                "two",
                "one thread",
                Ours("one"),
                Faster(1.8),
            ),
            row("the same, both at the same keys", "two-at-the-same", "one thread", Ours("one"), Told),
        ],
    ),
    Step {
        program: "memory",
        rounds: 1,
        // What was freed stays resident, so that comes first.
        ours: &["resident 100000", "asked 100000"],
        python: &["resident 10000", "asked 10000"],
        ..step(
            "memory",
            &[],
            &[
                Row {
                    unit: Unit::Bytes,
                    ..row(
                        "memory for each mirrored Ed25519 key, asked of the allocator (100,000 keys)",
                        "asked 100000",
                        "Python (10,000 keys)",
                        Python("asked 10000"),
                        Under(1000.0),
                    )
                },
                Row {
                    unit: Unit::Bytes,
                    ..row(
                        "the same, resident",
                        "resident 100000",
                        "Python (10,000 keys)",
                        Python("resident 10000"),
                        Told,
                    )
                },
            ],
        )
    },
    step(
        "durable-create",
        &["64", "one"],
        &[row(
            "durable create on the file provider, 64 concurrent writers, for each key",
            "64",
            "one writer",
            Ours("one"),
            Faster(8.0),
        )],
    ),
    step(
        "file-get-key",
        &["ours", "local"],
        &[row("file provider `get_key`", "ours", "local `get_key`", Ours("local"), AtMost(1.2))],
    ),
    step(
        "canonical-json",
        &["ours", "serde_json", "serde_jcs"],
        &[
            row(
                "canonical JSON of a 10,000-key JWKS",
                "ours",
                "`serde_json::to_vec` of the same",
                Ours("serde_json"),
                AtMost(2.0),
            ),
            row("the same", "ours", "`serde_jcs::to_vec` of the same", Ours("serde_jcs"), Told),
        ],
    ),
    step(
        "cbor",
        &["ours", "ciborium", "cose"],
        &[
            row(
                "deterministic CBOR of a 10,000-key JWKS",
                "ours",
                "`ciborium::into_writer` of the same",
                Ours("ciborium"),
                AtMost(2.0),
            ),
            row(
                "the same as a COSE_KeySet, `jwks_cbor`",
                "cose",
                "`ciborium` of the JWKS",
                Ours("ciborium"),
                Told,
            ),
        ],
    ),
    Step {
        rounds: 3,
        ..step(
            "file-open",
            &["1000", "10000", "100000"],
            &[row(
                "open of a file provider with 100,000 keys, for each key",
                "100000",
                "the same with 10,000 keys (linear)",
                Ours("10000"),
                AtMost(1.25),
            )],
        )
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_compare_what_is_measured() {
        for step in STEPS {
            for row in step.rows {
                assert!(step.ours.contains(&row.ours), "{}: {}", step.name, row.ours);
                let there = match row.theirs {
                    Ours(asked) => step.ours.contains(&asked),
                    Python(asked) => step.python.contains(&asked),
                };
                assert!(there, "{}: {:?}", step.name, row.theirs);
            }
        }
    }

    #[test]
    fn targets_in_words() {
        assert_eq!(Faster(10_000.0).in_words(), "10,000× faster");
        assert_eq!(AtMost(1.3).in_words(), "at most 1.3×");
        assert_eq!(Faster(1.0).in_words(), "not slower");
    }
}
