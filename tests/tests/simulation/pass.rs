//! What the checks let pass, and why: each time that it happens it is counted, and `docs/simulation.md` has it in words.

use std::fmt;

/// Why something that looks like a broken promise is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Pass {
    /// What another process did has not arrived: its watch is held back, or ended while the store cannot be read.
    Behind,
    /// The secondary published a replica as another key: it passes for a key of its own.
    Disguised,
    /// The secondary said something untrue of this very replica since everything last was well.
    LiedAbout,
    /// Made in one process while another one destroyed its key.
    Orphan,
    /// The primary refused the secret once, and policy lets it out: less is copied.
    SecretRefused,
    /// Somebody destroyed the replica on the secondary, and nobody has looked since.
    ReplicaDestroyed,
    /// The version is disabled, or was switched behind the mirror's back: its copy waits.
    CopyWaits,
    /// The primary has lost the latest version: what it calls the latest is not what the mirror does.
    LatestLost,
    /// One process disabled or enabled the version while another one did, or settled what was open.
    SwitchedAtOnce,
    /// A state of unknown outcome, or a copy or destroy that is owed, and `status` says so.
    Owed,
}

impl Pass {
    pub(crate) const ALL: [Self; 10] = [
        Self::Behind,
        Self::Disguised,
        Self::LiedAbout,
        Self::Orphan,
        Self::SecretRefused,
        Self::ReplicaDestroyed,
        Self::CopyWaits,
        Self::LatestLost,
        Self::SwitchedAtOnce,
        Self::Owed,
    ];

    /// What the tally and the document call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Behind => "a process is behind",
            Self::Disguised => "a replica was shown as another key, and is published",
            Self::LiedAbout => "a replica was lied about",
            Self::Orphan => "made while another process destroyed its key",
            Self::SecretRefused => "a secret was refused",
            Self::ReplicaDestroyed => "a replica was destroyed on the secondary",
            Self::CopyWaits => "a copy waits for its version to be enabled",
            Self::LatestLost => "the primary lost the latest version",
            Self::SwitchedAtOnce => "two processes switched it at once",
            Self::Owed => "it is owed",
        }
    }
}

impl fmt::Display for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[test]
fn what_is_let_pass_is_in_the_document() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/simulation.md");
    let text = std::fs::read_to_string(path).unwrap();
    for pass in Pass::ALL {
        assert!(
            text.contains(&format!("| {pass} |")),
            "the document does not say that this is let pass: {pass}"
        );
    }
}
