//! Promise 7: a caller waits for each call of a side or of the store no longer than its deadline, and for a side that is
//! silent not again and again.

use std::time::Duration;

use swarmauri_keyprovider_mirrored::Deadlines;
use swarmauri_keyprovider_testkit::Method;

use super::Case;
use crate::call::Ask;
use crate::ground::SideCall;
use crate::script::Place;
use crate::world::{BIT, World};

pub(super) fn check(world: &World, case: &Case<'_>) {
    // Repair waits for one key after the other.
    if case.done.ask.is_repair() {
        return;
    }
    let limits = Deadlines::default();
    let of_sides: Duration = case.done.trace.iter().map(|call| limit(&limits, call) + BIT).sum();
    let of_store = (limits.state + BIT) * case.done.store_calls;
    // For another write to the same key, for another look at all replicas, and for another reading of the state.
    let of_others = limits.write + limits.public_read + (limits.state + BIT) * 2;
    let most = of_sides + of_store + of_others;
    let mut ground = world.ground.lock();
    if case.done.took > most {
        let (name, took) = (case.done.ask.name(), case.done.took);
        let asked: Vec<_> = case.done.trace.iter().map(|call| (call.place, call.method)).collect();
        let what = format!("{name} took {took:?}, the deadlines come to {most:?}; it asked {asked:?}");
        ground.violate(7, what);
    }
    let is_read = !case.done.ask.is_write() && !case.done.ask.is_repair();
    // Verifying with any version asks each replica, and together no longer than one read may take.
    let asks_many = matches!(case.done.ask, Ask::Prove | Ask::Drill | Ask::Check { named: false, .. });
    if !is_read || asks_many {
        return;
    }
    // A hedge and a read that fails over may both be out at the secondary; neither waits for the other.
    let hedged = case.config.hedges && matches!(case.done.ask, Ask::Get { .. } | Ask::PublicJwk(..));
    if hedged {
        return;
    }
    for place in [Place::Primary, Place::Secondary] {
        let silent = case.done.trace.iter().filter(|call| call.place == place && call.end.is_none()).count();
        // Without what earlier processes knew, the first reads also look for replicas.
        let looks = case.asked(Place::Secondary, &[Method::ListKeys]).next().is_some();
        let most = if place == Place::Secondary && looks { 2 } else { 1 };
        if silent > most {
            let name = case.done.ask.name();
            ground.violate(7, format!("{name} waited for {place:?} {silent} times, and it was silent"));
        }
    }
    ground.tally.count("waits compared", "with the deadlines");
}

fn limit(limits: &Deadlines, call: &SideCall) -> Duration {
    match (call.place, call.method) {
        (Place::Primary, method) if Method::WRITES.contains(&method) => limits.write,
        (_, method) if Method::WRITES.contains(&method) => limits.mirror,
        (_, Method::ListKeys) => limits.mirror,
        (_, Method::GetKey) => limits.secret_read,
        (
            _,
            Method::Verify | Method::VerifyMac | Method::ListVersions | Method::GetPublicJwk | Method::Jwks,
        ) => limits.public_read,
        _ => limits.secret_read,
    }
}
