//! Scripts: what happens in a world, as data.
//!
//! A step draws what it needs while it is carried out from a seed of its own, so that a script without it goes on as before.

use std::time::Duration;

use swarmauri_keyprovider_mirrored::{BreakerSettings, JwksMerge, MirrorMode, OnPrimaryLoss};
use swarmauri_keyproviders_tests::random::Seeded;
use swarmauri_keys::{ExportPolicy, KeyAlg};

use crate::weather::Weather;

/// How many keys there are at a time: few, so that calls meet.
pub(crate) const SLOTS: u32 = 4;

/// A world, and what happens in it.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) config: Config,
    pub(crate) steps: Vec<Step>,
}

/// What a world is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "as many as there are settings")]
pub(crate) struct Config {
    pub(crate) mode: MirrorMode,
    pub(crate) fail_open: bool,
    pub(crate) merge: JwksMerge,
    pub(crate) on_loss: OnPrimaryLoss,
    /// With a state store; else the state is in memory.
    pub(crate) stored: bool,
    /// How many processes share the store.
    pub(crate) processes: u8,
    /// Whether the primary takes a `kid`.
    pub(crate) primary_chosen: bool,
    /// Whether the secondary takes a `kid`.
    pub(crate) secondary_chosen: bool,
    /// How often calls of the sides and of the store stop on their way: 0 to 2.
    pub(crate) pace: u8,
    pub(crate) breaker: Breaker,
    /// Whether slow public reads are hedged.
    pub(crate) hedges: bool,
    /// Whether an old JWKS is served when neither side answers.
    pub(crate) stale_jwks: bool,
    /// Whether `maintain` runs.
    pub(crate) maintains: bool,
    /// What the chance in waits is drawn from.
    pub(crate) seed: u64,
}

/// When a side that fails is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Breaker {
    Off,
    Usual,
    /// After two failures, and for a short time.
    Quick,
}

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Step {
    /// A caller starts a call, which is polled once.
    Call { process: u8, op: Op },
    /// Calls under way are polled, so many times all together.
    Poll { times: u8, seed: u32 },
    /// Calls under way are polled until all have ended or wait for time to pass.
    Run { seed: u32 },
    /// Time passes.
    Advance { millis: u32 },
    /// A caller gives up.
    Drop { which: u8 },
    /// From now on a side or the store behaves like this.
    Turn { place: Place, weather: Weather, seed: u32 },
    /// The watches of the store are held back, go on, or end.
    Watches(Watches),
    /// Somebody writes to a side directly.
    Behind(Behind),
    /// `maintain` begins, if it does not run.
    Maintain { process: u8 },
    /// A process dies, and starts again.
    Crash { process: u8 },
    /// What is owed is compared with what the sides have.
    Status,
    /// Everything is well again, and is repaired: then all must agree.
    Calm { seed: u32 },
}

/// Where things go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Place {
    Primary,
    Secondary,
    Store,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Watches {
    Held,
    LetGo,
    Ended,
}

/// What somebody does behind the mirror's back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behind {
    PrimaryCreate {
        slot: u8,
        alg: KeyAlg,
        policy: ExportPolicy,
    },
    PrimaryRotate {
        slot: u8,
    },
    PrimaryDestroy {
        slot: u8,
        pick: Pick,
    },
    PrimaryDisable {
        slot: u8,
        pick: Pick,
    },
    PrimaryEnable {
        slot: u8,
        pick: Pick,
    },
    /// The primary has lost a key, and remembers nothing of it but its numbers.
    PrimaryForgets {
        slot: u8,
    },
    /// Replicas of a key are gone.
    SecondaryDestroy {
        slot: u8,
    },
    /// Mode `none`: somebody copies the keys of the primary.
    Provision,
}

/// Which version of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pick {
    /// None is named.
    Latest,
    /// The one before the latest that the primary has, and so on.
    Live(u8),
    /// The last that ever was, the one before, and so on.
    Any(u8),
    /// One that there never was.
    Next,
}

/// What a caller asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Op {
    /// With `anew` under a new `kid` if the old one is used up.
    Create {
        slot: u8,
        alg: KeyAlg,
        policy: ExportPolicy,
        anew: bool,
    },
    Import {
        slot: u8,
        alg: KeyAlg,
        policy: ExportPolicy,
        public: bool,
    },
    Rotate {
        slot: u8,
        policy: Option<ExportPolicy>,
    },
    Destroy {
        slot: u8,
        pick: Pick,
    },
    Disable {
        slot: u8,
        pick: Pick,
    },
    Enable {
        slot: u8,
        pick: Pick,
    },
    Get {
        slot: u8,
        pick: Pick,
        secret: bool,
        by_ref: bool,
    },
    PublicJwk {
        slot: u8,
        pick: Pick,
    },
    Versions {
        slot: u8,
    },
    List {
        limit: u8,
    },
    Jwks {
        all: bool,
        of_slot: Option<u8>,
    },
    Make {
        slot: u8,
        pick: Pick,
    },
    Check {
        slot: u8,
        which: u8,
        named: bool,
        allow: bool,
    },
    Encrypt {
        slot: u8,
        pick: Pick,
    },
    Decrypt {
        slot: u8,
        which: u8,
        allow: bool,
    },
    Random,
    Reconcile,
    PlanAndApply,
    GiveUpLost,
    RestoreLost,
    Prove,
    Drill,
}

impl Script {
    /// The script of a seed, of so many calls.
    pub(crate) fn of(seed: u64, calls: usize) -> Self {
        let mut random = Seeded::new(seed);
        let config = Config::drawn(&mut random);
        let mut steps = Vec::with_capacity(calls * 3 / 2);
        let mut started = 0;
        while started < calls {
            let step = Step::drawn(&mut random, &config);
            started += usize::from(matches!(step, Step::Call { .. }));
            steps.push(step);
        }
        steps.push(Step::Calm { seed: 0 });
        Self { config, steps }
    }
}

impl Config {
    fn drawn(random: &mut Seeded) -> Self {
        let stored = random.one_in(2);
        Self {
            mode: match random.below(20) {
                0..9 => MirrorMode::Full,
                9..17 => MirrorMode::PublicOnly,
                _ => MirrorMode::None,
            },
            fail_open: !random.one_in(10),
            merge: if random.one_in(3) { JwksMerge::ReplicasOnly } else { JwksMerge::All },
            on_loss: if random.one_in(3) { OnPrimaryLoss::Refuse } else { OnPrimaryLoss::ServeReplica },
            stored,
            processes: if stored && random.one_in(3) { 2 } else { 1 },
            primary_chosen: !random.one_in(4),
            secondary_chosen: !random.one_in(4),
            pace: u8::try_from(random.below(3)).unwrap_or(0),
            breaker: match random.below(4) {
                0..2 => Breaker::Off,
                2 => Breaker::Usual,
                _ => Breaker::Quick,
            },
            hedges: random.one_in(4),
            stale_jwks: random.one_in(4),
            maintains: random.one_in(4),
            seed: random.next_u64(),
        }
    }
}

impl Breaker {
    pub(crate) fn settings(self) -> BreakerSettings {
        match self {
            Self::Off => BreakerSettings::OFF,
            Self::Usual => BreakerSettings::default(),
            Self::Quick => BreakerSettings {
                consecutive: 2,
                wait: Duration::from_millis(500),
                max_wait: Duration::from_secs(4),
                ..BreakerSettings::default()
            },
        }
    }
}

impl Step {
    fn drawn(random: &mut Seeded, config: &Config) -> Self {
        let process = small(random, u32::from(config.processes));
        match random.below(1000) {
            0..120 => Self::Poll { times: 1 + small(random, 8), seed: seed(random) },
            120..190 => Self::Run { seed: seed(random) },
            190..213 => Self::Advance { millis: 1 << random.below(15) },
            213..225 => Self::Drop { which: small(random, 16) },
            225..265 => {
                let place = place(random, config);
                Self::Turn { place, weather: Weather::drawn(random, place), seed: seed(random) }
            }
            265..270 if config.stored => Self::Watches(match random.below(3) {
                0 => Watches::Held,
                1 => Watches::LetGo,
                _ => Watches::Ended,
            }),
            270..285 => Self::Behind(Behind::drawn(random, config)),
            285..290 => Self::Crash { process },
            290..298 => Self::Status,
            298..300 if config.maintains => Self::Maintain { process },
            298..300 => Self::Status,
            300..308 => Self::Calm { seed: seed(random) },
            _ => Self::Call { process, op: Op::drawn(random) },
        }
    }
}

impl Behind {
    fn drawn(random: &mut Seeded, config: &Config) -> Self {
        let slot = slot(random);
        if config.mode == MirrorMode::None && random.one_in(2) {
            return Self::Provision;
        }
        match random.below(16) {
            0..2 => Self::PrimaryCreate { slot, alg: alg(random), policy: policy(random) },
            2..4 => Self::PrimaryRotate { slot },
            4..6 => Self::PrimaryDestroy { slot, pick: pick(random) },
            6..9 => Self::PrimaryDisable { slot, pick: pick(random) },
            9..12 => Self::PrimaryEnable { slot, pick: pick(random) },
            12..14 => Self::PrimaryForgets { slot },
            _ => Self::SecondaryDestroy { slot },
        }
    }
}

impl Op {
    fn drawn(random: &mut Seeded) -> Self {
        let slot = slot(random);
        match random.below(200) {
            0..16 => Self::Create { slot, alg: alg(random), policy: policy(random), anew: !random.one_in(5) },
            16..26 => {
                let (alg, policy) = (alg(random), policy(random));
                Self::Import { slot, alg, policy, public: random.one_in(3) }
            }
            26..40 => {
                Self::Rotate { slot, policy: if random.one_in(6) { Some(policy(random)) } else { None } }
            }
            40..46 => Self::Destroy { slot, pick: pick(random) },
            46..48 => Self::Destroy { slot, pick: Pick::Latest },
            48..55 => Self::Disable { slot, pick: pick(random) },
            55..64 => Self::Enable { slot, pick: pick(random) },
            64..84 => Self::Get { slot, pick: pick(random), secret: false, by_ref: random.one_in(6) },
            84..100 => Self::Get { slot, pick: pick(random), secret: true, by_ref: random.one_in(6) },
            100..114 => Self::PublicJwk { slot, pick: pick(random) },
            114..122 => Self::Versions { slot },
            122..130 => Self::List { limit: 1 + small(random, 4) },
            130..146 => {
                let of_slot = if random.one_in(4) { Some(slot) } else { None };
                Self::Jwks { all: random.one_in(2), of_slot }
            }
            146..160 => Self::Make { slot, pick: pick(random) },
            160..172 => Self::Check {
                slot,
                which: small(random, 4),
                named: random.one_in(2),
                allow: random.one_in(4),
            },
            172..178 => Self::Encrypt { slot, pick: pick(random) },
            178..184 => Self::Decrypt { slot, which: small(random, 4), allow: random.one_in(4) },
            184..185 => Self::Random,
            185..192 => Self::Reconcile,
            192..194 => Self::PlanAndApply,
            194..195 => Self::GiveUpLost,
            195..197 => Self::RestoreLost,
            197..199 => Self::Prove,
            _ => Self::Drill,
        }
    }
}

fn place(random: &mut Seeded, config: &Config) -> Place {
    match random.below(5) {
        0..2 => Place::Primary,
        2..4 => Place::Secondary,
        _ if config.stored => Place::Store,
        _ => Place::Primary,
    }
}

fn slot(random: &mut Seeded) -> u8 {
    small(random, SLOTS)
}

fn pick(random: &mut Seeded) -> Pick {
    match random.below(10) {
        0..4 => Pick::Latest,
        4..8 => Pick::Live(small(random, 3)),
        8 => Pick::Any(small(random, 4)),
        _ => Pick::Next,
    }
}

fn alg(random: &mut Seeded) -> KeyAlg {
    match random.below(6) {
        0..4 => KeyAlg::Ed25519,
        4 => KeyAlg::HmacSha256,
        _ => KeyAlg::Aes256Gcm,
    }
}

fn policy(random: &mut Seeded) -> ExportPolicy {
    match random.below(6) {
        0..3 => ExportPolicy::SecretWhenAllowed,
        3..5 => ExportPolicy::PublicOnly,
        _ => ExportPolicy::None,
    }
}

fn seed(random: &mut Seeded) -> u32 {
    random.below(u32::MAX)
}

fn small(random: &mut Seeded, limit: u32) -> u8 {
    u8::try_from(random.below(limit)).unwrap_or(0)
}
