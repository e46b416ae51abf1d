//! The breaker, step by step and at random.

use super::*;

const WAIT: Duration = Duration::from_secs(1);

fn breaker(settings: BreakerSettings) -> Breaker {
    Breaker::new(settings, fastrand::Rng::with_seed(7))
}

fn usual() -> Breaker {
    breaker(BreakerSettings { wait: WAIT, ..BreakerSettings::default() })
}

fn call(breaker: &Breaker, answered: bool) {
    breaker.admit().expect("it is asked").end(answered);
}

fn fail(breaker: &Breaker, times: u32) {
    (0..times).for_each(|_| call(breaker, false));
}

async fn wait_out(breaker: &Breaker) {
    tokio::time::sleep(breaker.wait().expect("no probe is out")).await;
}

#[tokio::test(start_paused = true)]
async fn failures_in_a_row_open_it_and_refusals_do_not_count() {
    let breaker = usual();
    for _ in 0..2 {
        fail(&breaker, 4);
        call(&breaker, true);
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
    fail(&breaker, 4);
    assert_eq!(breaker.admit().unwrap().end(false), Some(BreakerState::Open));
    assert!(breaker.admit().is_none() && !breaker.admits());
}

#[tokio::test(start_paused = true)]
async fn a_side_that_fails_every_other_time_is_left_alone_too() {
    let breaker = usual();
    for _ in 0..15 {
        call(&breaker, false);
        call(&breaker, true);
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
    call(&breaker, false);
    assert_eq!(breaker.state(), BreakerState::Open, "16 of the last 32");
}

#[tokio::test(start_paused = true)]
async fn one_call_at_a_time_finds_out_whether_it_is_back() {
    let breaker = usual();
    fail(&breaker, 5);
    wait_out(&breaker).await;
    let mut probe = breaker.admit().unwrap();
    assert!(probe.is_probe());
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    assert!(breaker.admit().is_none() && breaker.wait().is_none());
    assert_eq!(probe.end(true), Some(BreakerState::Closed));
    assert!(!breaker.admit().unwrap().is_probe());
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_dropped_leaves_it_to_the_next_caller() {
    let breaker = usual();
    fail(&breaker, 5);
    wait_out(&breaker).await;
    drop(breaker.admit().unwrap());
    assert_eq!(breaker.state(), BreakerState::Open);
    assert!(breaker.admit().unwrap().is_probe());
}

#[tokio::test(start_paused = true)]
async fn each_wait_is_twice_as_long_up_to_a_limit_and_by_chance_down_to_a_half() {
    let breaker = usual();
    fail(&breaker, 5);
    for longest in [1, 2, 4, 8, 16, 30, 30] {
        let (wait, longest) = (breaker.wait().unwrap(), WAIT * longest);
        assert!(wait <= longest && wait >= longest / 2, "{wait:?} of {longest:?}");
        wait_out(&breaker).await;
        assert_eq!(breaker.admit().unwrap().end(false), Some(BreakerState::Open));
    }
}

#[tokio::test(start_paused = true)]
async fn a_side_that_is_back_is_on_probation() {
    let breaker = usual();
    fail(&breaker, 5);
    for (good, then) in [(0, BreakerState::Open), (9, BreakerState::Open), (10, BreakerState::Closed)] {
        wait_out(&breaker).await;
        call(&breaker, true);
        (0..good).for_each(|_| call(&breaker, true));
        call(&breaker, false);
        assert_eq!(breaker.state(), then, "after {good}");
    }
    // Well again: the waits start anew.
    fail(&breaker, 4);
    assert!(breaker.wait().unwrap() <= WAIT);
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_before_it_opened_does_not_count_after() {
    let breaker = usual();
    let (mut early, mut late) = (breaker.admit().unwrap(), breaker.admit().unwrap());
    fail(&breaker, 5);
    assert_eq!(early.end(true), None);
    assert_eq!(breaker.state(), BreakerState::Open);
    wait_out(&breaker).await;
    call(&breaker, true);
    assert_eq!(late.end(false), None);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn callers_leave_it_to_the_prober_but_not_for_ever() {
    let breaker = usual();
    let prober = breaker.prober();
    fail(&breaker, 5);
    wait_out(&breaker).await;
    assert!(breaker.admit().is_none());
    let mut turn = prober.turn().await;
    assert!(turn.is_probe());
    turn.end(false);
    // It has hung itself up.
    wait_out(&breaker).await;
    tokio::time::sleep(Duration::from_nanos(PATIENCE)).await;
    assert!(breaker.admit().unwrap().is_probe());
    drop(prober);
    assert!(breaker.admit().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_prober_waits_for_its_turn() {
    let breaker = usual();
    let prober = breaker.prober();
    let mut turn = Box::pin(prober.turn());
    let hour = Duration::from_hours(1);
    assert!(crate::deadline::within(hour, &mut turn).await.is_none(), "it is closed");
    fail(&breaker, 5);
    let begun = Instant::now();
    turn.await.end(true);
    assert!(begun.elapsed() >= WAIT / 2 && begun.elapsed() <= WAIT + Duration::from_millis(2));
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn none_never_opens() {
    let breaker = breaker(BreakerSettings::OFF);
    fail(&breaker, 1000);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let usual = BreakerSettings::default();
    assert_eq!(usual.check(), Ok(()));
    for (wrong, named) in [
        (BreakerSettings { consecutive: 0, ..usual }, "breaker.consecutive"),
        (BreakerSettings { window: 65, ..usual }, "breaker.window"),
        (BreakerSettings { failure_percent: 101, ..usual }, "breaker.failure_percent"),
        (BreakerSettings { slow_percent: 0, ..usual }, "breaker.slow_percent"),
        (BreakerSettings { wait: Duration::ZERO, ..usual }, "breaker.wait"),
        (BreakerSettings { max_wait: Duration::MAX, ..usual }, "breaker.max_wait"),
    ] {
        let refusal = wrong.check().unwrap_err();
        assert!(refusal.contains(named), "{refusal}");
    }
}

/// What the breaker is to do, written down without atomics.
#[derive(Debug, Default)]
struct Model {
    outcomes: Vec<bool>,
    probation: u32,
    open: bool,
}

impl Model {
    fn end(&mut self, answered: bool, settings: &BreakerSettings) {
        if self.open {
            // It was a probe.
            self.open = !answered;
            (self.outcomes, self.probation) = (Vec::new(), settings.probation);
            return;
        }
        self.outcomes.push(answered);
        let in_a_row = self.outcomes.iter().rev().take_while(|answered| !**answered).count();
        let window = self.outcomes.iter().rev().take(settings.window as usize);
        let failures = window.filter(|answered| !**answered).count();
        let percent = failures * 100 / settings.window as usize;
        let too_many =
            in_a_row >= settings.consecutive as usize || percent >= settings.failure_percent as usize;
        self.open = !answered && (too_many || self.probation > 0);
        self.probation = self.probation.saturating_sub(u32::from(answered));
    }
}

#[tokio::test(start_paused = true)]
async fn at_random_it_does_what_the_model_does() {
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let settings = BreakerSettings {
            consecutive: random.u32(1..=64),
            window: random.u32(1..=64),
            failure_percent: random.u32(1..=100),
            probation: random.u32(0..4),
            ..BreakerSettings::default()
        };
        let (breaker, mut model, fails) = (breaker(settings), Model::default(), random.u32(1..10));
        for step in 0..500 {
            if !breaker.is_closed() {
                wait_out(&breaker).await;
            }
            let (mut permit, answered) = (breaker.admit().unwrap(), random.u32(0..10) >= fails);
            assert_eq!(permit.is_probe(), model.open, "seed {seed}, step {step}");
            permit.end(answered);
            model.end(answered, &settings);
            assert_eq!(!breaker.is_closed(), model.open, "seed {seed}, step {step}: {settings:?}");
        }
    }
}
