//! A mirror over two local providers, with keys.

use std::collections::btree_map::{BTreeMap, Entry};
use std::sync::Arc;
use std::time::Duration;

use swarmauri_keyprovider::{KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_mirrored::{BreakerSettings, MirroredBuilder, MirroredKeyProvider};
use swarmauri_keyprovider_testkit::FaultyProvider;
use swarmauri_keys::{KeyAlg, KeyId};

use crate::Outcome;

/// A mirror in its default mode, `public_only`, over providers that can be asked directly.
#[derive(Debug)]
pub struct House {
    /// The mirror.
    pub mirror: Arc<MirroredKeyProvider>,
    /// Its primary, past all faults.
    pub primary: Arc<LocalKeyProvider>,
    /// Its secondary.
    pub secondary: Arc<LocalKeyProvider>,
    /// Its keys.
    pub kids: Vec<KeyId>,
}

impl House {
    /// So many Ed25519 keys, made through the mirror.
    pub async fn with_keys(keys: usize) -> Outcome<Self> {
        let (primary, secondary) = (Arc::new(LocalKeyProvider::new()), Arc::new(LocalKeyProvider::new()));
        let mirror = Arc::new(MirroredKeyProvider::new(primary.clone(), secondary.clone())?);
        let kids = create(&*mirror, keys).await?;
        Ok(Self { mirror, primary, secondary, kids })
    }

    /// The same, whose primary is out, and whose breaker has noticed and stays open.
    pub async fn in_an_outage(keys: usize) -> Outcome<Self> {
        let (primary, secondary) = (Arc::new(LocalKeyProvider::new()), Arc::new(LocalKeyProvider::new()));
        let faulty = Arc::new(FaultyProvider::new(primary.clone()));
        let mirror = Arc::new(
            with_open_breaker(MirroredKeyProvider::builder(faulty.clone(), secondary.clone())).build()?,
        );
        let kids = create(&*mirror, keys).await?;
        faulty.faults().outage();
        // The first read opens the breaker. What each key is checked for once is done, too.
        for kid in &kids {
            mirror.get_key(kid, None, Secrets::Omit).await?;
        }
        Ok(Self { mirror, primary, secondary, kids })
    }

    /// The replicas, by their own names.
    pub async fn replicas(&self) -> Outcome<Vec<KeyId>> {
        Ok(self.secondary.list_all_keys().await?.into_iter().map(|key| key.kid).collect())
    }
}

/// Houses by the number of their keys, each built when it is asked for first.
#[derive(Debug, Default)]
pub struct Houses(BTreeMap<usize, House>);

impl Houses {
    /// That of so many keys.
    pub async fn with_keys(&mut self, keys: usize) -> Outcome<&House> {
        Ok(match self.0.entry(keys) {
            Entry::Occupied(house) => house.into_mut(),
            Entry::Vacant(none) => none.insert(House::with_keys(keys).await?),
        })
    }
}

fn with_open_breaker(builder: MirroredBuilder) -> MirroredBuilder {
    let hour = Duration::from_hours(1);
    builder.breaker(BreakerSettings {
        consecutive: 1,
        wait: hour,
        max_wait: hour,
        ..BreakerSettings::default()
    })
}

/// So many Ed25519 keys, made by a provider.
pub async fn create(provider: &dyn KeyProvider, keys: usize) -> Outcome<Vec<KeyId>> {
    let mut kids = Vec::with_capacity(keys);
    for _ in 0..keys {
        kids.push(provider.create(KeyAlg::Ed25519).await?.kid().clone());
    }
    Ok(kids)
}

/// Keys in turn, again and again.
#[derive(Debug)]
pub struct Turns {
    kids: Vec<KeyId>,
    next: usize,
}

impl Turns {
    /// In this order; at least one.
    pub fn of(kids: &[KeyId]) -> Self {
        Self { kids: kids.to_vec(), next: 0 }
    }

    /// The next one.
    pub fn kid(&mut self) -> Outcome<&KeyId> {
        self.next = if self.next + 1 < self.kids.len() { self.next + 1 } else { 0 };
        self.kids.get(self.next).ok_or_else(|| "no keys".into())
    }
}
