//! What an outage costs readers, and what paying its debts costs them afterwards: measured, and printed as a table.
//!
//! Run it with `cargo run --release --example outage`. Each read is timed; a direct read of the secondary, timed in between, is
//! what they are compared with.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "it tells what it measures")]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use swarmauri_keyprovider::{KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_mirrored::{Backend, BreakerState, Deadlines, MirroredKeyProvider};
use swarmauri_keyprovider_testkit::{Fault, FaultyProvider};
use swarmauri_keys::{KeyAlg, KeyRef};

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

const READS: usize = 1000;
const DEBTS: usize = 10_000;

/// A mirror over two local providers, and the ways to disturb them.
struct House {
    mirror: Arc<MirroredKeyProvider>,
    primary: Arc<FaultyProvider>,
    /// Past all faults.
    secondary: Arc<LocalKeyProvider>,
    secondary_is_out: Arc<FaultyProvider>,
}

impl House {
    fn new() -> Outcome<Self> {
        let primary = Arc::new(FaultyProvider::new(Arc::new(LocalKeyProvider::new())));
        let secondary = Arc::new(LocalKeyProvider::new());
        let secondary_is_out = Arc::new(FaultyProvider::new(secondary.clone()));
        let mirror = MirroredKeyProvider::new(primary.clone(), secondary_is_out.clone())?;
        Ok(Self { mirror: Arc::new(mirror), primary, secondary, secondary_is_out })
    }

    /// Reads the same key again and again through the mirror, and from the secondary in between.
    async fn reads(&self, key: &KeyRef, mut before: impl FnMut(usize)) -> Outcome<(Times, Times)> {
        let at = self.secondary.list_all_keys().await?.remove(0).kid;
        let (mut through, mut direct) = (Times::default(), Times::default());
        for read in 0..READS {
            before(read);
            let begun = Instant::now();
            self.secondary_is_out.get_key(&at, None, Secrets::Omit).await?;
            direct.0.push(begun.elapsed());
            let begun = Instant::now();
            let answer = self.mirror.get_key(key.kid(), None, Secrets::Omit).await?;
            through.0.push(begun.elapsed());
            assert_eq!(answer.fingerprint(), key.fingerprint());
        }
        Ok((through, direct))
    }
}

/// How long each of some reads took.
#[derive(Debug, Default, Clone)]
struct Times(Vec<Duration>);

impl Times {
    fn at(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort();
        sorted.get((sorted.len() * percent / 100).min(sorted.len() - 1)).copied().unwrap_or_default()
    }

    /// Without the first so many of those that took this long.
    fn without_slow(&self, limit: Duration) -> (usize, Self) {
        let rest: Vec<_> = self.0.iter().copied().filter(|took| *took < limit).collect();
        (self.0.len() - rest.len(), Self(rest))
    }

    fn shown(&self) -> String {
        format!("{:>9.1?} {:>9.1?} {:>9.1?}", self.at(50), self.at(99), self.at(100))
    }
}

#[tokio::main]
async fn main() -> Outcome {
    let deadline = Deadlines::default().public_read;
    println!("{READS} public reads, one after the other; the deadline is {deadline:?}.");
    println!("{:<44} {:>5} {:>9} {:>9} {:>9}", "", "slow", "p50", "p99", "max");
    for (what, disturb) in CASES {
        let house = House::new()?;
        let key = house.mirror.create(KeyAlg::Ed25519).await?;
        let (through, direct) = house.reads(&key, |read| disturb(&house, read, deadline)).await?;
        // Slow is what waited for the primary at all.
        let (slow, rest) = through.without_slow(Duration::from_millis(20));
        println!("{:<44} {:>5} {}", what, slow, rest.shown());
        println!("{:<44} {:>5} {}", "  a direct read of the secondary meanwhile", "", direct.shown());
        let ratio = |percent| rest.at(percent).as_secs_f64() / direct.at(percent).as_secs_f64();
        println!(
            "  {:.1} times as long at p50, {:.1} at p99; the slowest of all took {:.3?}",
            ratio(50),
            ratio(99),
            through.at(100)
        );
        assert!(through.at(100) < deadline * 5 / 4, "no read takes longer than its deadline");
    }
    drain().await
}

type Disturb = fn(&House, usize, Duration);

const CASES: [(&str, Disturb); 4] = [
    ("the primary is well", |_, _, _| {}),
    ("the primary hangs", |house, read, _| {
        if read == 0 {
            house.primary.faults().hang();
        }
    }),
    ("the primary answers just in time", |house, read, deadline| {
        if read == 0 {
            house.primary.faults().set_all(Some(Fault::Delay(deadline * 19 / 20)));
        }
    }),
    ("the primary flaps: hangs every other 50 reads", |house, read, _| {
        if read % 100 == 0 {
            house.primary.faults().hang();
        } else if read % 50 == 0 {
            house.primary.faults().recover();
        }
    }),
];

/// The secondary was out for many writes: what they owe is paid while others read.
async fn drain() -> Outcome {
    let house = House::new()?;
    let key = house.mirror.create(KeyAlg::Ed25519).await?;
    println!(
        "\n{DEBTS} keys are created while the secondary is out, and copied when it is back, beside reads."
    );
    println!("{:<44} {:>5} {:>9} {:>9} {:>9}", "", "reads", "p50", "p99", "max");
    let idle = traffic(&house, &key, READS * 10, || false).await?;
    println!("{:<44} {:>5} {}", "nothing is owed", idle.0.len(), idle.shown());
    house.secondary_is_out.faults().outage();
    for _ in 0..DEBTS {
        house.mirror.create(KeyAlg::Ed25519).await?;
    }
    assert_eq!(house.mirror.status().backlog.len(), DEBTS);
    house.secondary_is_out.faults().recover();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let upkeep = tokio::spawn({
        let mirror = Arc::clone(&house.mirror);
        async move { mirror.maintain(async { drop(stopped.await) }).await }
    });
    house.secondary_is_out.faults().recover();
    while house.mirror.breakers().get(&Backend::Secondary) != Some(&BreakerState::Closed) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let begun = Instant::now();
    let paid = Arc::new(AtomicBool::new(false));
    let watch = tokio::spawn({
        let (mirror, paid) = (Arc::clone(&house.mirror), Arc::clone(&paid));
        async move {
            while !mirror.status().backlog.is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            paid.store(true, Ordering::Release);
            begun.elapsed()
        }
    });
    let during = traffic(&house, &key, usize::MAX, || paid.load(Ordering::Acquire)).await?;
    println!("{:<44} {:>5} {}", "what is owed is being paid", during.0.len(), during.shown());
    let took = watch.await?;
    drop(stop);
    upkeep.await?;
    let ratio = during.at(99).as_secs_f64() / idle.at(99).as_secs_f64();
    println!("  paid in {took:.2?}; reads took {ratio:.1} times as long at p99");
    Ok(())
}

/// One read after the other, until there are so many or it is done.
async fn traffic(house: &House, key: &KeyRef, most: usize, done: impl Fn() -> bool) -> Outcome<Times> {
    let mut times = Times::default();
    while times.0.len() < most && !done() {
        let begun = Instant::now();
        house.mirror.get_key(key.kid(), None, Secrets::Omit).await?;
        times.0.push(begun.elapsed());
        tokio::task::yield_now().await;
    }
    Ok(times)
}
