//! Encodings of a JWKS of 10,000 keys.

use std::hint::black_box;

use swarmauri_keyprovider::{JwksQuery, KeyProvider};
use swarmauri_keyprovider_local::LocalKeyProvider;

use crate::{Desk, House, Outcome, create, time};

const KEYS: usize = 10_000;

pub(super) async fn canonical_json(desk: &mut Desk) -> Outcome {
    let provider = LocalKeyProvider::new();
    create(&provider, KEYS).await?;
    let set = provider.jwks(&JwksQuery::LATEST).await?;
    while let Some(asked) = desk.asked()? {
        let figures = match asked.as_str() {
            "ours" => time(async || Ok(swarmauri_jsoncanon::to_vec(&*set)?)).await?,
            "serde_json" => time(async || Ok(serde_json::to_vec(&*set)?)).await?,
            "serde_jcs" => time(async || Ok(serde_jcs::to_vec(&*set)?)).await?,
            _ => Desk::unknown(&asked)?,
        };
        desk.answer(&figures)?;
    }
    Ok(())
}

pub(super) async fn cbor(desk: &mut Desk) -> Outcome {
    let house = House::with_keys(KEYS).await?;
    let set = house.mirror.jwks(&JwksQuery::LATEST).await?;
    while let Some(asked) = desk.asked()? {
        let figures = match asked.as_str() {
            "ours" => time(async || Ok(swarmauri_cbor::to_vec(&*set)?)).await?,
            "cose" => time(async || Ok(house.mirror.jwks_cbor(&JwksQuery::LATEST).await?)).await?,
            "ciborium" => {
                time(async || {
                    let mut bytes = Vec::new();
                    ciborium::into_writer(&*set, &mut bytes)?;
                    black_box(bytes);
                    Ok(())
                })
                .await?
            }
            _ => Desk::unknown(&asked)?,
        };
        desk.answer(&figures)?;
    }
    Ok(())
}
