//! How often one version of an AES-GCM key encrypts.

use std::collections::BTreeSet;
use std::sync::Arc;

use swarmauri_keyprovider::{KeyProvider, KeyProviderExt, ProviderConfig, registry};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keys::{Acceptance, KeyAlg, KeyErrorKind, SecretBytes};
use tokio::task::JoinSet;

use crate::{kid, spec, version};

const ENABLED: Acceptance = Acceptance::EnabledOnly;

fn key() -> SecretBytes {
    SecretBytes::from(vec![7; 32])
}

#[tokio::test]
async fn after_so_many_encryptions_the_error_says_to_rotate() {
    let provider = LocalKeyProvider::with_max_encryptions(3).unwrap();
    provider.create_key(&spec(KeyAlg::Aes256Gcm, "k")).await.unwrap();
    let (k, work) = (kid("k"), provider.work().unwrap());
    for _ in 0..2 {
        work.encrypt(&k, None, b"text", b"").await.unwrap();
    }
    let wrapped = work.wrap_key(&k, None, &key()).await.unwrap();
    for refused in [work.encrypt(&k, None, b"", b"").await, work.wrap_key(&k, None, &key()).await] {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::InvalidState);
        assert!(error.to_string().contains("rotate"), "{error}");
    }
    provider.rotate(&k).await.unwrap();
    let sealed = work.encrypt(&k, None, b"text", b"").await.unwrap();
    assert_eq!(sealed.version, version(2));
    assert_eq!(work.unwrap_key(&wrapped, ENABLED).await.unwrap(), key());
    let old = work.encrypt(&k, Some(version(1)), b"", b"").await.unwrap_err();
    assert_eq!(old.kind(), KeyErrorKind::InvalidState);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn encryptions_that_race_keep_the_bound_and_their_nonces() {
    let provider = Arc::new(LocalKeyProvider::with_max_encryptions(100).unwrap());
    provider.create_key(&spec(KeyAlg::Aes256Gcm, "k")).await.unwrap();
    let mut tasks = JoinSet::new();
    for task in 0..40 {
        let provider = Arc::clone(&provider);
        tasks.spawn(async move {
            let (k, work, mut nonces) = (kid("k"), provider.work().unwrap(), Vec::new());
            for _ in 0..5 {
                let made = match task % 2 {
                    0 => work.encrypt(&k, None, b"text", b"").await,
                    _ => work.wrap_key(&k, None, &key()).await,
                };
                nonces.extend(made.ok().map(|made| made.nonce));
            }
            nonces
        });
    }
    let nonces: Vec<_> = tasks.join_all().await.concat();
    assert_eq!(nonces.len(), 100);
    assert_eq!(nonces.iter().collect::<BTreeSet<_>>().len(), 100);
}

#[tokio::test]
async fn the_bound_is_a_setting_and_has_bounds() {
    for most in [0, (1 << 31) + 1, u64::MAX] {
        let error = LocalKeyProvider::with_max_encryptions(most).unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::InvalidInput);
    }
    for name in ["LocalKeyProvider", "local"] {
        let config = |most: serde_json::Value| ProviderConfig::new(name).with("max_encryptions", most);
        let built = registry::build(&config(1.into())).await.unwrap();
        built.create_key(&spec(KeyAlg::Aes256Gcm, "k")).await.unwrap();
        let work = built.work().unwrap();
        work.encrypt(&kid("k"), None, b"", b"").await.unwrap();
        let error = work.encrypt(&kid("k"), None, b"", b"").await.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::InvalidState);

        registry::build(&config(serde_json::Value::Null)).await.unwrap();
        for wrong in [0.into(), ((1_u64 << 31) + 1).into(), (-1).into(), "3".into(), 1.5.into()] {
            let shown = format!("{wrong}");
            let error = registry::build(&config(wrong)).await.unwrap_err().to_string();
            assert!(error.contains("max_encryptions"), "{shown}: {error}");
        }
    }
}

#[cfg(feature = "rsa")]
#[tokio::test]
async fn rsa_is_not_counted() {
    let provider = LocalKeyProvider::with_max_encryptions(1).unwrap();
    let spec = swarmauri_keys::KeySpec::builder(KeyAlg::RsaOaepSha256)
        .size_bits(2048)
        .kid(kid("rsa"))
        .build()
        .unwrap();
    provider.create_key(&spec).await.unwrap();
    for _ in 0..3 {
        provider.work().unwrap().encrypt(&kid("rsa"), None, b"text", b"").await.unwrap();
        provider.work().unwrap().wrap_key(&kid("rsa"), None, &key()).await.unwrap();
    }
}
