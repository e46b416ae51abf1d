//! How a mirrored provider behaves.

use std::num::NonZeroUsize;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::breaker::BreakerSettings;
use crate::deadline::Deadlines;
use crate::hedge::Hedge;
use crate::maintain::Maintenance;
use crate::mode::MirrorMode;

/// How a mirrored provider behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// What is copied.
    pub mode: MirrorMode,
    /// Whether reads go to the secondary when the primary fails.
    pub fail_open_reads: bool,
    /// Which keys of the secondary a JWKS may hold.
    pub jwks_merge: JwksMerge,
    /// What happens to reads of a mirrored key that the primary no longer has.
    pub on_primary_loss: OnPrimaryLoss,
    /// How many keys `reconcile` and `maintain` repair at once, at most.
    pub repairs_at_once: NonZeroUsize,
    /// How long a call of a side, or of the state store, may take.
    pub deadlines: Deadlines,
    /// When a side that fails is no longer asked, and when again.
    pub breaker: BreakerSettings,
    /// Whether the secondary is asked, too, when the primary is slow to answer a public read; `None`: it is not.
    pub hedge: Option<Hedge>,
    /// How old a JWKS may be that is served when neither side answers; `None`: none is.
    #[serde(with = "crate::durations::optional")]
    pub jwks_max_stale: Option<Duration>,
    /// What `maintain` does, and how often.
    pub maintenance: Maintenance,
}

impl Settings {
    /// The default of [`Settings::repairs_at_once`].
    pub const REPAIRS_AT_ONCE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);

    /// What is wrong with them, and what would be right.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Self { deadlines, breaker, hedge, jwks_max_stale, maintenance, .. } = self;
        deadlines.check()?;
        breaker.check()?;
        if let Some(hedge) = hedge {
            hedge.check(deadlines)?;
        }
        if *jwks_max_stale == Some(Duration::ZERO) {
            return Err("jwks_max_stale is zero; leave it out to serve no stale JWKS".to_owned());
        }
        maintenance.check()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: MirrorMode::default(),
            fail_open_reads: true,
            jwks_merge: JwksMerge::default(),
            on_primary_loss: OnPrimaryLoss::default(),
            repairs_at_once: Self::REPAIRS_AT_ONCE,
            deadlines: Deadlines::default(),
            breaker: BreakerSettings::default(),
            hedge: None,
            jwks_max_stale: None,
            maintenance: Maintenance::default(),
        }
    }
}

/// Which keys of the secondary a JWKS may hold, beside those of the primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JwksMerge {
    /// Replicas, and keys that only the secondary has. Whoever can write to the secondary can then add a
    /// key that verifiers trust.
    #[default]
    All,
    /// Replicas alone, each checked against the fingerprint recorded when it was copied.
    ReplicasOnly,
}

/// What happens to reads of a mirrored key that the primary, up and well, says it does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnPrimaryLoss {
    /// The replica answers for its public part: a primary that lost keys costs no reader anything. A key
    /// that somebody destroys on the primary directly, behind the mirror's back, stays published.
    #[default]
    ServeReplica,
    /// The answer is the primary's "not found". For those who revoke keys on the primary directly.
    Refuse,
}
