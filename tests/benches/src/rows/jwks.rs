//! The JWKS.

use std::time::Instant;

use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt};
use swarmauri_keys::KeyAlg;

use crate::{Desk, House, Houses, Outcome, time, time_parts};

const KEYS: usize = 10_000;

async fn read(provider: &dyn KeyProvider) -> Outcome<Vec<f64>> {
    time(async || Ok(provider.jwks(&JwksQuery::LATEST).await?)).await
}

/// Asked for by the number of keys.
pub(super) async fn unchanged(desk: &mut Desk) -> Outcome {
    let mut houses = Houses::default();
    while let Some(asked) = desk.asked()? {
        let house = houses.with_keys(asked.parse()?).await?;
        desk.answer(&read(&*house.mirror).await?)?;
    }
    Ok(())
}

/// The first JWKS after one more key was created; against the first one of all, of a mirror to which the same keys are new.
pub(super) async fn after_a_change(desk: &mut Desk) -> Outcome {
    let house = House::with_keys(KEYS).await?;
    timed(&house).await?;
    while let Some(asked) = desk.asked()? {
        let figures = match asked.as_str() {
            "ours" => {
                time_parts(5, async || {
                    house.mirror.create(KeyAlg::Ed25519).await?;
                    timed(&house).await
                })
                .await?
            }
            "rebuild" => {
                // Nothing of it is published before it is timed: neither the mirror nor its sides have made a document.
                let fresh = House::with_keys(KEYS).await?;
                // Looks through the secondary for replicas of earlier processes, so that this is not timed.
                fresh.mirror.reconcile().await;
                time_parts(1, async || timed(&fresh).await).await?
            }
            _ => Desk::unknown(&asked)?,
        };
        desk.answer(&figures)?;
    }
    Ok(())
}

async fn timed(house: &House) -> Outcome<std::time::Duration> {
    let begun = Instant::now();
    let document = house.mirror.jwks(&JwksQuery::LATEST).await?;
    let took = begun.elapsed();
    assert!(document.keys.len() >= KEYS, "all keys are published");
    Ok(took)
}
