//! The local provider, from outside.

#![cfg(test)]

mod concurrency;
mod encryption_bound;
mod lifecycle;
mod never_again;
mod operations;
mod registry;
mod states;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keys::{KeyAlg, KeyId, KeyMaterial, KeySpec, KeyVersion, SecretBytes};

/// RFC 8037 appendix A.1, without the public half.
const ED25519_SEED: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44,
    0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];

fn kid(name: &str) -> KeyId {
    KeyId::new(name).unwrap()
}

fn version(number: u32) -> KeyVersion {
    KeyVersion::new(number).unwrap()
}

fn spec(alg: KeyAlg, name: &str) -> KeySpec {
    KeySpec::new(alg).with_kid(kid(name))
}

fn symmetric(bytes: &[u8]) -> KeyMaterial {
    KeyMaterial::Symmetric(SecretBytes::from(bytes))
}

/// The `kid`s of all live versions in the JWKS: `"a.1 a.2 b.1"`.
async fn published(provider: &dyn KeyProvider) -> String {
    let set = provider.jwks(&JwksQuery::ALL_LIVE).await.unwrap();
    set.keys.iter().map(|jwk| jwk.kid.clone().unwrap()).collect::<Vec<_>>().join(" ")
}

/// The `kid`s of the listing: `"a b"`.
async fn listed(provider: &dyn KeyProvider) -> String {
    let keys = provider.list_all_keys().await.unwrap();
    keys.iter().map(|key| key.kid.to_string()).collect::<Vec<_>>().join(" ")
}

/// Runs a future that never waits, without a runtime.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future waits"),
    }
}

fn provider_with(names: &[&str]) -> LocalKeyProvider {
    let provider = LocalKeyProvider::new();
    for name in names {
        at_once(provider.create_key(&spec(KeyAlg::Ed25519, name))).unwrap();
    }
    provider
}
