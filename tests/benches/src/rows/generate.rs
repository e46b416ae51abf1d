//! Creating keys.

use std::hint::black_box;

use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};
use swarmauri_keyprovider::{KeyProvider, KeyProviderExt};
use swarmauri_keys::{KeyAlg, KeySpec};

use crate::{Desk, Failure, House, Outcome, time, time_parts};

/// Against what the library beneath takes for a key: random bytes, and one derivation of a public key; or two of them, as its
/// own way through PKCS#8 has it.
pub(super) async fn ed25519(desk: &mut Desk) -> Outcome {
    let house = House::with_keys(1).await?;
    let random = SystemRandom::new();
    while let Some(asked) = desk.asked()? {
        let figures = match asked.as_str() {
            "ours" => time(async || Ok(house.mirror.create(KeyAlg::Ed25519).await?)).await?,
            "bare" => time(async || Ok(from_seed(&random)?)).await?,
            "pkcs8" => time(async || Ok(through_pkcs8(&random)?)).await?,
            _ => Desk::unknown(&asked)?,
        };
        desk.answer(&figures)?;
    }
    Ok(())
}

fn from_seed(random: &SystemRandom) -> Outcome<Vec<u8>> {
    let mut seed = [0; 32];
    random.fill(&mut seed).map_err(|_| Failure::from("no random bytes"))?;
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| Failure::from("no key"))?;
    Ok(pair.public_key().as_ref().to_vec())
}

fn through_pkcs8(random: &SystemRandom) -> Outcome<Vec<u8>> {
    let document = Ed25519KeyPair::generate_pkcs8(random).map_err(|_| Failure::from("no random bytes"))?;
    let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).map_err(|_| Failure::from("no key"))?;
    Ok(pair.public_key().as_ref().to_vec())
}

/// How long one takes is chance: many are needed for a stable median.
pub(super) async fn rsa(desk: &mut Desk) -> Outcome {
    const TIMES: usize = 12;
    let house = House::with_keys(1).await?;
    let spec = KeySpec::builder(KeyAlg::RsaPssSha256).size_bits(3072).build()?;
    while let Some(asked) = desk.asked()? {
        let figures = match asked.as_str() {
            "ours" => {
                time_parts(TIMES, async || {
                    let begun = std::time::Instant::now();
                    black_box(house.mirror.create_key(&spec).await?);
                    Ok(begun.elapsed())
                })
                .await?
            }
            _ => Desk::unknown(&asked)?,
        };
        desk.answer(&figures)?;
    }
    Ok(())
}
