//! Timing: batches that are long beside the clock's resolution, and shorter than the turn that a scheduler gives, so that most of
//! them are not interrupted, and their median knows nothing of those that are.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::Outcome;

/// How long a batch takes, if one operation does not take longer.
const BATCH: Duration = Duration::from_micros(500);
/// How many batches there are, and how long they take together, about, at most.
const BATCHES: usize = 45;
const BUDGET: Duration = Duration::from_millis(150);

/// Nanoseconds for one operation, once for each batch.
pub async fn time<T>(mut work: impl AsyncFnMut() -> Outcome<T>) -> Outcome<Vec<f64>> {
    // What the first call alone has to do is no part of it.
    black_box(work().await?);
    let mut repeats = 1_u32;
    // Twice, so that a disturbance does not pass for a long batch.
    while batch(repeats, &mut work).await? < BATCH / 2 || batch(repeats, &mut work).await? < BATCH / 2 {
        repeats = repeats.saturating_mul(2);
    }
    let mut figures = Vec::new();
    let begun = Instant::now();
    while figures.is_empty() || (figures.len() < BATCHES && begun.elapsed() < BUDGET) {
        figures.push(nanoseconds(batch(repeats, &mut work).await?) / f64::from(repeats));
    }
    Ok(figures)
}

/// Nanoseconds for one operation, for work that knows itself which part of it counts.
pub async fn time_parts(times: usize, mut work: impl AsyncFnMut() -> Outcome<Duration>) -> Outcome<Vec<f64>> {
    let mut figures = Vec::new();
    for _ in 0..times {
        figures.push(nanoseconds(work().await?));
    }
    Ok(figures)
}

async fn batch<T>(repeats: u32, work: &mut impl AsyncFnMut() -> Outcome<T>) -> Outcome<Duration> {
    let begun = Instant::now();
    for _ in 0..repeats {
        black_box(work().await?);
    }
    Ok(begun.elapsed())
}

fn nanoseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}
