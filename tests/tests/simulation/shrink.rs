//! Finding a shorter script that breaks the same promise.

use std::time::{Duration, Instant};

use crate::ground::Violation;
use crate::run::run_script;
use crate::script::Script;

/// Takes steps out, big chunks first, as long as what is left breaks the same promise.
pub(crate) fn shrink(script: Script, promise: u8, limit: Duration) -> (Script, Violation) {
    let begun = Instant::now();
    let (mut best, mut why) = (script, None);
    if let Some(failure) = run_script(&best).failure {
        best.steps.truncate(failure.at + 1);
        why = Some(failure.violation);
    }
    let mut size = best.steps.len().div_ceil(2);
    while size > 0 && begun.elapsed() < limit {
        let (mut from, mut shorter) = (0, false);
        while from < best.steps.len() && begun.elapsed() < limit {
            let mut tried = best.clone();
            tried.steps.drain(from..(from + size).min(best.steps.len()));
            match run_script(&tried).failure {
                Some(failure) if failure.violation.promise == promise => {
                    tried.steps.truncate(failure.at + 1);
                    (best, why, shorter) = (tried, Some(failure.violation), true);
                }
                _ => from += size,
            }
        }
        if !shorter || size > 1 {
            size /= 2;
        }
    }
    (best, why.unwrap_or(Violation { promise, what: "it did not fail again".to_owned() }))
}
