//! Running scripts, one after the other.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::expected;
use crate::ground::Violation;
use crate::script::Script;
use crate::shrink::{Shortest, shrink};
use crate::tally::Tally;
use crate::world::World;

/// So many operations are a counted run.
const COUNTED: u64 = 2_000_000;

/// How many seconds a shorter script is looked for, unless the environment asks for others.
const SHRINKING: u64 = 20;

/// How a script went.
pub(crate) struct Outcome {
    pub(crate) tally: Tally,
    pub(crate) operations: u64,
    pub(crate) failure: Option<Failure>,
    /// What happened, if that was asked for.
    pub(crate) story: Vec<String>,
}

/// Where a promise was broken.
pub(crate) struct Failure {
    /// The number of the step.
    pub(crate) at: usize,
    pub(crate) violation: Violation,
}

/// Which seeds are to be run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) from: u64,
    /// As many as there is time for, if there is a limit of time.
    pub(crate) seeds: u64,
    pub(crate) time: Option<Duration>,
    pub(crate) operations: usize,
}

/// What all of them together did.
pub(crate) struct Total {
    pub(crate) tally: Tally,
    pub(crate) operations: u64,
    pub(crate) seeds: u64,
}

impl Total {
    /// In a counted run everything that a check looks at has come up, every check has run, and nothing is forgiven that
    /// never happens.
    fn check_nothing_is_vacuous(&self) -> Result<(), String> {
        let missing = expected::missing(&self.tally);
        if self.operations < COUNTED || missing.is_empty() {
            return Ok(());
        }
        let (tally, missing) = (&self.tally, missing.join("\n  "));
        Err(format!("{tally}\nin {} operations this never came up:\n  {missing}", self.operations))
    }
}

impl Plan {
    /// The plan, unless the environment asks for another one.
    pub(crate) fn or_from_environment(self) -> Self {
        let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
        let minutes = number("SIMULATION_MINUTES");
        Self {
            from: number("SIMULATION_FROM").unwrap_or(self.from),
            seeds: number("SIMULATION_SEEDS").unwrap_or(if minutes.is_some() {
                u64::MAX
            } else {
                self.seeds
            }),
            time: minutes.map(|minutes| Duration::from_secs(minutes * 60)),
            operations: number("SIMULATION_OPERATIONS")
                .map_or(self.operations, |operations| usize::try_from(operations).unwrap()),
        }
    }

    /// Runs them; the error tells the seed, the promise, and the shortest script that was found.
    pub(crate) fn run(self) -> Result<Total, String> {
        let begun = Instant::now();
        // To see all that is wrong at once, without shorter scripts.
        let go_on = std::env::var("SIMULATION_GO_ON").is_ok();
        let mut total = Total { tally: Tally::default(), operations: 0, seeds: 0 };
        let mut broken = 0;
        while total.seeds < self.seeds && self.time.is_none_or(|time| begun.elapsed() < time) {
            let seed = self.from + total.seeds;
            let script = Script::of(seed, self.operations);
            let outcome = run_script(&script);
            if let Some(failure) = outcome.failure {
                if !go_on {
                    return Err(self.tell(seed, script, &failure));
                }
                let Violation { promise, what } = failure.violation;
                println!("seed {seed} breaks promise {promise}: {what}");
                broken += 1;
            }
            total.tally.add(&outcome.tally);
            total.operations += outcome.operations;
            total.seeds += 1;
        }
        if broken > 0 {
            return Err(format!("{broken} of {} seeds break a promise", total.seeds));
        }
        total.check_nothing_is_vacuous()?;
        Ok(total)
    }

    fn tell(self, seed: u64, script: Script, failure: &Failure) -> String {
        let Violation { promise, what } = &failure.violation;
        let seconds = std::env::var("SIMULATION_SHRINKING").ok().and_then(|seconds| seconds.parse().ok());
        let limit = Duration::from_secs(seconds.unwrap_or(SHRINKING));
        let Shortest { script: short, why, tries } = shrink(script, *promise, limit);
        let mut text = format!(
            "seed {seed} breaks promise {promise}: {what}\n\nThe shortest script of {tries} that were tried, with {} steps, breaks \
             it so: {}\n{:?}\n",
            short.steps.len(),
            why.what,
            short.config
        );
        for step in &short.steps {
            let _ = writeln!(text, "  {step:?}");
        }
        text.push_str("\nWhat happened:\n");
        for line in run(&short, true).story {
            let _ = writeln!(text, "  {line}");
        }
        let operations = self.operations;
        let _ =
            writeln!(text, "\nAgain: cargo xtask simulate --from {seed} --seeds 1 --operations {operations}");
        text
    }
}

pub(crate) fn run_script(script: &Script) -> Outcome {
    run(script, false)
}

fn run(script: &Script, told: bool) -> Outcome {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut world = World::new(script.config, told).await;
        let mut failure = None;
        for (at, step) in script.steps.iter().enumerate() {
            world.ground.lock().tell(|| format!("{step:?}"));
            world.step(step).await;
            let violation = world.ground.lock().violations.first().cloned();
            if let Some(violation) = violation {
                failure = Some(Failure { at, violation });
                break;
            }
        }
        let mut ground = world.ground.lock();
        let (tally, story) =
            (std::mem::take(&mut ground.tally), std::mem::take(&mut ground.story).unwrap_or_default());
        Outcome { tally, operations: world.operations, failure, story }
    })
}
