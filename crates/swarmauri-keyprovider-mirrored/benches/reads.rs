//! Reads of a mirror over two local providers: while the primary is well, and while the breaker before it is open.
//!
//! `cargo bench -p swarmauri-keyprovider-mirrored`

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_mirrored::{BreakerSettings, MirroredKeyProvider};
use swarmauri_keyprovider_testkit::FaultyProvider;
use swarmauri_keys::{KeyAlg, KeyError, KeyId};
use tokio::runtime::{Builder, Runtime};

const KEYS: usize = 1000;

struct House {
    runtime: Runtime,
    mirror: MirroredKeyProvider,
    kids: Vec<KeyId>,
}

impl House {
    /// With keys, and a primary that can be made to fail.
    fn over(primary: Arc<dyn KeyProvider>) -> Self {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let hour = Duration::from_hours(1);
        let breaker =
            BreakerSettings { consecutive: 1, wait: hour, max_wait: hour, ..BreakerSettings::default() };
        let builder = MirroredKeyProvider::builder(primary, Arc::new(LocalKeyProvider::new()));
        let mirror = builder.breaker(breaker).build().unwrap();
        let kids = runtime.block_on(async {
            let mut kids = Vec::new();
            for _ in 0..KEYS {
                kids.push(mirror.create(KeyAlg::Ed25519).await.unwrap().kid().clone());
            }
            kids
        });
        Self { runtime, mirror, kids }
    }

    /// One call for each key in turn, all of it inside of the executor: entering it takes as long as a read.
    fn bench<T>(
        &self,
        criterion: &mut Criterion,
        name: &str,
        call: &impl AsyncFn(&MirroredKeyProvider, &KeyId) -> Result<T, KeyError>,
    ) {
        criterion.bench_function(name, |bencher| {
            bencher.iter_custom(|rounds| {
                self.runtime.block_on(async {
                    let begun = Instant::now();
                    for (_, kid) in (0..rounds).zip(self.kids.iter().cycle()) {
                        black_box(call(&self.mirror, kid).await.unwrap());
                    }
                    begun.elapsed()
                })
            });
        });
    }
}

fn healthy(criterion: &mut Criterion) {
    let house = House::over(Arc::new(LocalKeyProvider::new()));
    house.bench(criterion, "mirrored/get_key", &async |mirror, kid| {
        mirror.get_key(kid, None, Secrets::Omit).await
    });
    house.bench(criterion, "mirrored/get_public_jwk", &async |mirror, kid| {
        mirror.get_public_jwk(kid, None).await
    });
    house.bench(criterion, "mirrored/jwks", &async |mirror, _| mirror.jwks(&JwksQuery::LATEST).await);
}

fn in_an_outage(criterion: &mut Criterion) {
    let primary = Arc::new(FaultyProvider::new(Arc::new(LocalKeyProvider::new())));
    let house = House::over(primary.clone());
    primary.faults().outage();
    house.bench(criterion, "mirrored/fail-over/get_key", &async |mirror, kid| {
        mirror.get_key(kid, None, Secrets::Omit).await
    });
    house.bench(criterion, "mirrored/fail-over/jwks", &async |mirror, _| {
        mirror.jwks(&JwksQuery::LATEST).await
    });
}

criterion_group!(benches, healthy, in_an_outage);
criterion_main!(benches);
