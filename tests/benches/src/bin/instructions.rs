//! `instructions CASE`: does one operation a thousand times, in a function by whose name callgrind knows what to count, for
//! `cargo xtask instructions`. Without a case it lists them.

#![allow(clippy::print_stdout, reason = "it lists what it knows")]

use std::hint::black_box;

use swarmauri_keyprovider::{JwksQuery, KeyProvider, Secrets};
use swarmauri_keyproviders_benches::{Failure, House, Outcome, Turns};
use swarmauri_keys::{KeyAlg, KeySpec};
use tokio::runtime::Runtime;

const TIMES: u32 = 1000;
/// Few, as making them takes long under callgrind.
const KEYS: usize = 100;

#[derive(Debug, Clone, Copy)]
enum Operation {
    GetKey,
    GetPublicJwk,
    Jwks,
    CreateKey,
}

/// Names, and what is done to whom.
const CASES: &[(&str, Operation, Subject)] = &[
    ("local-get-key", Operation::GetKey, Subject::Local),
    ("get-key", Operation::GetKey, Subject::Mirror),
    ("get-key-tombstones", Operation::GetKey, Subject::MirrorWithTombstones),
    ("fail-over", Operation::GetKey, Subject::MirrorInAnOutage),
    ("get-public-jwk", Operation::GetPublicJwk, Subject::Mirror),
    ("jwks", Operation::Jwks, Subject::Mirror),
    ("create-key", Operation::CreateKey, Subject::Mirror),
];

#[derive(Debug, Clone, Copy)]
enum Subject {
    Local,
    Mirror,
    MirrorWithTombstones,
    MirrorInAnOutage,
}

fn main() -> Outcome {
    let Some(asked) = std::env::args().nth(1) else {
        for (name, ..) in CASES {
            println!("{name}");
        }
        return Ok(());
    };
    let case = CASES.iter().find(|(name, ..)| *name == asked);
    let (_, operation, subject) = case.ok_or_else(|| Failure::from(format!("no case {asked:?}")))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let house = runtime.block_on(house(*subject))?;
    let provider: &dyn KeyProvider =
        if matches!(subject, Subject::Local) { &*house.primary } else { &*house.mirror };
    let mut kids = Turns::of(&house.kids);
    // What is done at the first call alone is not what a call costs.
    counted_work(&runtime, provider, &mut kids, *operation, TIMES)?;
    measured(&runtime, provider, &mut kids, *operation)
}

async fn house(subject: Subject) -> Outcome<House> {
    if matches!(subject, Subject::MirrorInAnOutage) {
        return House::in_an_outage(KEYS).await;
    }
    if !matches!(subject, Subject::MirrorWithTombstones) {
        return House::with_keys(KEYS).await;
    }
    let mut house = House::with_keys(KEYS + 1000).await?;
    for kid in house.kids.drain(KEYS..) {
        house.mirror.destroy_key(&kid, None).await?;
    }
    Ok(house)
}

/// Callgrind counts while this runs.
#[inline(never)]
fn measured(
    runtime: &Runtime,
    provider: &dyn KeyProvider,
    kids: &mut Turns,
    operation: Operation,
) -> Outcome {
    counted_work(runtime, provider, kids, operation, TIMES)
}

#[inline(never)]
fn counted_work(
    runtime: &Runtime,
    provider: &dyn KeyProvider,
    kids: &mut Turns,
    operation: Operation,
    times: u32,
) -> Outcome {
    runtime.block_on(async {
        for _ in 0..times {
            match operation {
                Operation::GetKey => {
                    black_box(provider.get_key(kids.kid()?, None, Secrets::Omit).await?);
                }
                Operation::GetPublicJwk => {
                    black_box(provider.get_public_jwk(kids.kid()?, None).await?);
                }
                Operation::Jwks => {
                    black_box(provider.jwks(&JwksQuery::LATEST).await?);
                }
                Operation::CreateKey => {
                    black_box(provider.create_key(&KeySpec::new(KeyAlg::Ed25519)).await?);
                }
            }
        }
        Ok(())
    })
}
