//! When a breaker opens, and for how long.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::deadline::LONGEST_WAIT;

/// When a side that fails is no longer asked, and when again. The defaults suit a service with many calls a second.
///
/// A failure is an outage, or a read that took longer than [`slow_percent`](Self::slow_percent) of its deadline. A
/// refusal is an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BreakerSettings {
    /// Whether there is one at all. If not, a side that hangs costs every caller its deadline. Default: there is.
    pub enabled: bool,
    /// How many calls must fail in a row. From 1 to 64; default: 5.
    pub consecutive: u32,
    /// Of how many calls, the latest ones, the failures are counted. From 1 to 64; default: 32.
    pub window: u32,
    /// How many of those must fail, in percent. From 1 to 100; default: 50.
    pub failure_percent: u32,
    /// How much of its deadline a read may take, in percent, before it counts as failed though its answer is used.
    /// From 1 to 100, which no answer exceeds; default: 80.
    pub slow_percent: u32,
    /// How long a side is left alone at first. Each time in a row it is twice as long. Between half of it and all of
    /// it, by chance. Default: 1 s.
    #[serde(with = "crate::durations")]
    pub wait: Duration,
    /// How long it is left alone at most. Default: 30 s.
    #[serde(with = "crate::durations")]
    pub max_wait: Duration,
    /// How many calls a side that is back must answer before it counts as well; until then one failure opens. Default: 10.
    pub probation: u32,
}

/// What a circuit breaker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// The side is asked.
    Closed,
    /// One call is out to find whether the side is back; the others do as if it were not.
    HalfOpen,
    /// The side is not asked.
    Open,
}

/// How many outcomes are remembered.
const REMEMBERED: u32 = u64::BITS;

impl BreakerSettings {
    /// No breaker.
    pub const OFF: Self = Self { enabled: false, ..Self::USUAL };

    const USUAL: Self = Self {
        enabled: true,
        consecutive: 5,
        window: 32,
        failure_percent: 50,
        slow_percent: 80,
        wait: Duration::from_secs(1),
        max_wait: Duration::from_secs(30),
        probation: 10,
    };

    /// Whether a side that answered like this, the latest call in the lowest bit and 1 a failure, is left alone.
    pub(super) fn opens_on(&self, outcomes: u64) -> bool {
        let window = outcomes & (u64::MAX >> (REMEMBERED - self.window.clamp(1, REMEMBERED)));
        outcomes.trailing_ones() >= self.consecutive
            || window.count_ones() * 100 >= self.failure_percent * self.window
    }

    /// How long a side is left alone, at most, that has been left alone so often before.
    pub(super) fn wait_after(&self, times: u32) -> Duration {
        self.wait.saturating_mul(2_u32.saturating_pow(times)).min(self.max_wait)
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        let ranges = [
            ("consecutive", self.consecutive, REMEMBERED),
            ("window", self.window, REMEMBERED),
            ("failure_percent", self.failure_percent, 100),
            ("slow_percent", self.slow_percent, 100),
        ];
        for (name, value, most) in ranges {
            if value == 0 || value > most {
                return Err(format!("breaker.{name} is {value}; it must be from 1 to {most}"));
            }
        }
        if self.wait.is_zero() || self.max_wait < self.wait || self.max_wait > LONGEST_WAIT {
            return Err(
                "breaker.wait must be more than zero, and breaker.max_wait no less than that and no \
                        more than a year"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self::USUAL
    }
}

impl BreakerState {
    /// The name that serde, `Display` and the metrics use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half_open",
            Self::Open => "open",
        }
    }
}

impl fmt::Display for BreakerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
