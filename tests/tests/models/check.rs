//! Runs sequences of calls against a house, and says which short one went wrong.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::marker::PhantomData;
use std::sync::atomic::Ordering;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};
use proptest_state_machine::ReferenceStateMachine;

use crate::houses::{House, OnDisk};
use crate::model::Model;
use crate::outcome::Outcome;
use crate::system::System;
use crate::transition::{self, Transition};

/// Every run draws the same, unless it is told otherwise.
const SEED: u64 = 8_421;

/// How long a sequence is, at most.
const CALLS: usize = 60;

/// Tries that many sequences.
pub(crate) fn check<H: House>(test: &str, cases: u32) {
    let config = config(cases);
    let seed = config.rng_seed;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let sequences = Life::<H>::sequential_strategy(1..CALLS);
    let result = TestRunner::new(config).run(&sequences, |(model, calls, seen)| {
        runtime.block_on(run::<H>(model, calls, || {
            // Those that come after the failing one are dropped first.
            if let Some(seen) = &seen {
                seen.fetch_add(1, Ordering::SeqCst);
            }
        }))
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, (_, calls, _))) => {
            panic!("{}", told(test, seed, &reason.to_string(), &calls))
        }
        Err(TestError::Abort(reason)) => panic!("no sequence could be drawn: {reason}"),
    }
}

/// The kinds of answers that the model gives over that many sequences.
pub(crate) fn answers(cases: u32) -> BTreeSet<String> {
    let answers = RefCell::new(BTreeSet::new());
    let config =
        Config { cases, rng_seed: RngSeed::Fixed(SEED), failure_persistence: None, ..Config::default() };
    let drawn = TestRunner::new(config).run(
        &Life::<OnDisk>::sequential_strategy(1..CALLS),
        |(mut model, calls, _)| {
            for call in calls {
                model = model.apply(&call);
                answers.borrow_mut().extend(model.expected.as_ref().map(Outcome::kind));
            }
            Ok(())
        },
    );
    drawn.unwrap();
    answers.into_inner()
}

/// What the environment says of seed and cases holds. What fails is not written down: the seed repeats it.
fn config(cases: u32) -> Config {
    let told = Config::default();
    Config {
        cases: if std::env::var_os("PROPTEST_CASES").is_some() { told.cases } else { cases },
        rng_seed: if told.rng_seed == RngSeed::Random { RngSeed::Fixed(SEED) } else { told.rng_seed },
        failure_persistence: None,
        max_shrink_iters: 4_096,
        max_shrink_time: 60_000,
        ..told
    }
}

async fn run<H: House>(
    mut model: Model,
    calls: Vec<Transition>,
    mut begin: impl FnMut(),
) -> Result<(), TestCaseError> {
    let mut system = System::<H>::new().await;
    for call in calls {
        begin();
        model = model.apply(&call);
        system = system.step(&call, &model).await.map_err(TestCaseError::fail)?;
        system
            .check_all(&model)
            .await
            .map_err(|wrong| TestCaseError::fail(format!("after {call:?}: {wrong}")))?;
    }
    Ok(())
}

fn told(test: &str, seed: RngSeed, reason: &str, calls: &[Transition]) -> String {
    let mut told = format!("{reason}\nThe shortest sequence that was found:\n");
    for (number, call) in calls.iter().enumerate() {
        let _ = writeln!(told, "{:4}. {call:?}", number + 1);
    }
    let package = env!("CARGO_PKG_NAME");
    let _ = write!(told, "Again: PROPTEST_RNG_SEED={seed} cargo test -p {package} --test models {test}");
    told
}

/// What draws sequences.
struct Life<H>(PhantomData<H>);

impl<H: House> ReferenceStateMachine for Life<H> {
    type State = Model;
    type Transition = Transition;

    fn init_state() -> BoxedStrategy<Model> {
        Just(Model::default()).boxed()
    }

    fn transitions(model: &Model) -> BoxedStrategy<Transition> {
        transition::next(model, H::REOPENS)
    }

    fn apply(model: Model, transition: &Transition) -> Model {
        model.apply(transition)
    }

    /// A name that nobody has drawn cannot be asked for.
    fn preconditions(model: &Model, transition: &Transition) -> bool {
        transition.slot().is_none_or(|slot| slot < model.slots())
    }
}
