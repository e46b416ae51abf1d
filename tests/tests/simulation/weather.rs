//! How sides and stores behave: a weather stays until the next one, and a call's turn in it follows from the seed of the
//! weather and the number of the call.

use std::time::Duration;

use swarmauri_keyprovider_testkit::{Method, StoreEnd, StoreFault, StoreMethod};
use swarmauri_keyproviders_tests::random::Seeded;
use swarmauri_keys::KeyError;
use swarmauri_keystore::StoreError;

use crate::script::Place;

/// How calls go from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Weather {
    Fair,
    /// Out of reach.
    Out,
    Hung,
    Slow,
    /// Now this, now that.
    Flapping,
    /// Writes take effect, and their answers are lost, half of the time.
    LosesAnswers,
    WritesFail,
    ReadsFail,
    /// Half of the calls are refused for a reason that is none.
    Denies,
    /// A primary that answers from before the last destroys, as a follower in a cluster does.
    Stale,
    Lies(Lie),
}

/// What is not true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Lie {
    /// Another key, under its own fingerprint.
    WrongKey,
    /// Another key, under the right one's fingerprint.
    Forged,
    /// Nothing of that name is here.
    Nothing,
    /// That a destroy, disable or enable is done, and it is not.
    Done,
    /// That there was nothing to destroy.
    NothingToDestroy,
}

/// How one call goes.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    pub(crate) pauses: (u32, u32),
    pub(crate) delay: Duration,
    pub(crate) end: End,
    pub(crate) lie: Option<Lie>,
    pub(crate) stale: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum End {
    Honest,
    FailBefore(KeyError),
    FailAfter(KeyError),
    HangBefore,
    HangAfter,
}

/// The weather at a place, and how many calls it has seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sky {
    pub(crate) weather: Weather,
    seed: u32,
    seen: u64,
    pace: u8,
}

impl Weather {
    pub(crate) fn drawn(random: &mut Seeded, place: Place) -> Self {
        let common = [
            Self::Fair,
            Self::Fair,
            Self::Fair,
            Self::Out,
            Self::Out,
            Self::Hung,
            Self::Slow,
            Self::Flapping,
            Self::LosesAnswers,
            Self::WritesFail,
            Self::ReadsFail,
        ];
        let own: &[Self] = match place {
            Place::Primary => &[Self::Denies, Self::Stale, Self::Stale, Self::Lies(Lie::NothingToDestroy)],
            Place::Secondary => &[
                Self::Denies,
                Self::Lies(Lie::WrongKey),
                Self::Lies(Lie::Forged),
                Self::Lies(Lie::Nothing),
                Self::Lies(Lie::Done),
            ],
            Place::Store => &[],
        };
        let choice = random.below(u32::try_from(common.len() + own.len()).unwrap_or(1));
        let all: Vec<_> = common.iter().chain(own).collect();
        *all[usize::try_from(choice).unwrap_or(0)]
    }
}

impl Sky {
    pub(crate) fn new(weather: Weather, seed: u32, pace: u8) -> Self {
        Self { weather, seed, seen: 0, pace }
    }

    pub(crate) fn turn(&mut self, method: Method) -> Turn {
        let mut random = self.random();
        let pauses = (self.pauses(&mut random), self.pauses(&mut random));
        let write = Method::WRITES.contains(&method);
        let (end, delay) = self.end(write, &mut random);
        let end = match end {
            StoreEnd::Honest => End::Honest,
            StoreEnd::FailBefore(_) if self.weather == Weather::Denies => {
                End::FailBefore(KeyError::permission_denied("told to deny it"))
            }
            StoreEnd::FailBefore(_) => End::FailBefore(outage(&mut random)),
            StoreEnd::FailAfter(_) => End::FailAfter(outage(&mut random)),
            StoreEnd::HangBefore => End::HangBefore,
            StoreEnd::HangAfter => End::HangAfter,
        };
        let lie = match self.weather {
            Weather::Lies(lie) if !random.one_in(3) => Some(lie),
            _ => None,
        };
        Turn { pauses, delay, end, lie, stale: self.weather == Weather::Stale && !random.one_in(4) }
    }

    pub(crate) fn store_turn(&mut self, method: StoreMethod) -> StoreFault {
        let mut random = self.random();
        let (pauses_before, pauses_after) = (self.pauses(&mut random), self.pauses(&mut random));
        let (end, delay) = self.end(matches!(method, StoreMethod::Put | StoreMethod::Delete), &mut random);
        StoreFault { pauses_before, delay, end, pauses_after }
    }

    fn random(&mut self) -> Seeded {
        self.seen += 1;
        Seeded::new(u64::from(self.seed) << 32 ^ self.seen)
    }

    fn pauses(self, random: &mut Seeded) -> u32 {
        match self.pace {
            0 => 0,
            1 => u32::from(random.one_in(5)),
            _ => random.below(5).saturating_sub(2),
        }
    }

    fn end(self, write: bool, random: &mut Seeded) -> (StoreEnd, Duration) {
        let before = || StoreEnd::FailBefore(StoreError::unavailable("told to be out"));
        let after = || StoreEnd::FailAfter(StoreError::unavailable("told to lose the answer"));
        let mut delay = Duration::ZERO;
        let end = match self.weather {
            Weather::Fair | Weather::Stale | Weather::Lies(_) => StoreEnd::Honest,
            Weather::Out => before(),
            Weather::Hung if random.one_in(4) => StoreEnd::HangAfter,
            Weather::Hung => StoreEnd::HangBefore,
            Weather::Slow => {
                delay = Duration::from_millis(1 << random.below(13));
                StoreEnd::Honest
            }
            Weather::Flapping => match random.below(12) {
                0..2 => before(),
                2..4 => after(),
                4 => StoreEnd::HangBefore,
                5 => StoreEnd::HangAfter,
                _ => StoreEnd::Honest,
            },
            Weather::LosesAnswers if write && random.one_in(2) => after(),
            Weather::WritesFail if write => before(),
            Weather::ReadsFail if !write => before(),
            Weather::Denies if random.one_in(2) => before(),
            Weather::LosesAnswers | Weather::WritesFail | Weather::ReadsFail | Weather::Denies => {
                StoreEnd::Honest
            }
        };
        (end, delay)
    }
}

fn outage(random: &mut Seeded) -> KeyError {
    if random.one_in(2) {
        KeyError::unavailable("told to be out of reach")
    } else {
        KeyError::timeout("told to give no answer")
    }
}

impl Turn {
    /// What the tally calls it.
    pub(crate) fn name(&self) -> &'static str {
        match (&self.end, self.lie) {
            (End::FailBefore(KeyError::PermissionDenied { .. }), _) => "refuses",
            (End::FailBefore(_), _) => "fails before its effect",
            (End::FailAfter(_), _) => "fails after its effect",
            (End::HangBefore, _) => "hangs before its effect",
            (End::HangAfter, _) => "hangs after its effect",
            (End::Honest, Some(Lie::WrongKey)) => "answers with another key",
            (End::Honest, Some(Lie::Forged)) => "answers with another key under a forged fingerprint",
            (End::Honest, Some(Lie::Nothing)) => "says that nothing is there",
            (End::Honest, Some(Lie::Done)) => "says that it is done",
            (End::Honest, Some(Lie::NothingToDestroy)) => "says that there was nothing to destroy",
            (End::Honest, None) if self.stale => "answers from the past",
            (End::Honest, None) if !self.delay.is_zero() => "is slow",
            (End::Honest, None) => "is honest",
        }
    }
}

/// What the tally calls how a call of the store goes.
pub(crate) fn store_name(fault: &StoreFault) -> &'static str {
    match &fault.end {
        StoreEnd::FailBefore(_) => "fails before its effect",
        StoreEnd::FailAfter(_) => "fails after its effect",
        StoreEnd::HangBefore => "hangs before its effect",
        StoreEnd::HangAfter => "hangs after its effect",
        StoreEnd::Honest if !fault.delay.is_zero() => "is slow",
        StoreEnd::Honest => "is honest",
    }
}
