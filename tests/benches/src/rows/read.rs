//! Reads of one key.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use async_trait::async_trait;
use swarmauri_keyprovider::{KeyProvider, Secrets};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keys::{KeyError, KeyId, KeyRef, KeyVersion};

use crate::{Desk, House, Houses, Outcome, Turns, create, time};

/// How many keys the providers of the other rows have.
const KEYS: usize = 1000;

async fn read(provider: &dyn KeyProvider, kids: &mut Turns) -> Outcome<Vec<f64>> {
    time(async || Ok(provider.get_key(kids.kid()?, None, Secrets::Omit).await?)).await
}

/// Asked for by the number of keys.
pub(super) async fn get_key(desk: &mut Desk) -> Outcome {
    let mut houses = Houses::default();
    while let Some(asked) = desk.asked()? {
        let house = houses.with_keys(asked.parse()?).await?;
        desk.answer(&read(&*house.mirror, &mut Turns::of(&house.kids)).await?)?;
    }
    Ok(())
}

/// As many keys were destroyed as there are.
pub(super) async fn beside_tombstones(desk: &mut Desk) -> Outcome {
    let mut house = House::with_keys(2 * KEYS).await?;
    for kid in house.kids.drain(KEYS..) {
        house.mirror.destroy_key(&kid, None).await?;
    }
    let mut kids = Turns::of(&house.kids);
    while let Some(asked) = desk.asked()? {
        let figures = match asked.as_str() {
            "ours" => read(&*house.mirror, &mut kids).await?,
            "local" => read(&*house.primary, &mut kids).await?,
            _ => Desk::unknown(&asked)?,
        };
        desk.answer(&figures)?;
    }
    Ok(())
}

pub(super) async fn local(desk: &mut Desk) -> Outcome {
    let provider = LocalKeyProvider::new();
    let kids = create(&provider, KEYS).await?;
    let bare = Bare::with(&provider, &kids).await?;
    let bare: &dyn Lookup = &bare;
    let mut kids = Turns::of(&kids);
    while let Some(asked) = desk.asked()? {
        let figures = match asked.as_str() {
            "ours" => read(&provider, &mut kids).await?,
            "bare" => time(async || Ok(bare.get_key(kids.kid()?, None, Secrets::Omit).await?)).await?,
            _ => Desk::unknown(&asked)?,
        };
        desk.answer(&figures)?;
    }
    Ok(())
}

/// The least that a provider could do: one map behind one lock.
struct Bare {
    keys: RwLock<HashMap<String, Arc<KeyRef>>>,
}

/// In the same boxed future as `KeyProvider::get_key`.
#[async_trait]
trait Lookup: Send + Sync {
    async fn get_key(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        secrets: Secrets,
    ) -> Result<Arc<KeyRef>, KeyError>;
}

impl Bare {
    async fn with(provider: &LocalKeyProvider, kids: &[KeyId]) -> Outcome<Self> {
        let mut keys = HashMap::new();
        for kid in kids {
            let key = provider.get_key(kid, None, Secrets::Omit).await?;
            keys.insert(kid.as_str().to_owned(), Arc::new(key));
        }
        Ok(Self { keys: RwLock::new(keys) })
    }
}

#[async_trait]
impl Lookup for Bare {
    async fn get_key(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        _secrets: Secrets,
    ) -> Result<Arc<KeyRef>, KeyError> {
        let keys = self.keys.read().map_err(|_| KeyError::unavailable("the lock is poisoned"))?;
        keys.get(kid.as_str()).cloned().ok_or_else(|| KeyError::not_found(kid, version))
    }
}

pub(super) async fn get_public_jwk(desk: &mut Desk) -> Outcome {
    let house = House::with_keys(KEYS).await?;
    let mirror: Arc<dyn KeyProvider> = house.mirror;
    let mut kids = Turns::of(&house.kids);
    while let Some(asked) = desk.asked()? {
        let figures = match asked.as_str() {
            "ours" => time(async || Ok(mirror.get_public_jwk(kids.kid()?, None).await?)).await?,
            _ => Desk::unknown(&asked)?,
        };
        desk.answer(&figures)?;
    }
    Ok(())
}

pub(super) async fn fail_over(desk: &mut Desk) -> Outcome {
    let house = House::in_an_outage(KEYS).await?;
    let (mut kids, mut replicas) = (Turns::of(&house.kids), Turns::of(&house.replicas().await?));
    while let Some(asked) = desk.asked()? {
        let figures = match asked.as_str() {
            "ours" => read(&*house.mirror, &mut kids).await?,
            "direct" => read(&*house.secondary, &mut replicas).await?,
            _ => Desk::unknown(&asked)?,
        };
        desk.answer(&figures)?;
    }
    Ok(())
}
