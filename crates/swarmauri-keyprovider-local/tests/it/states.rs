//! Versions out of use, and in use again.

use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keys::{
    Acceptance, ExportPolicy, KeyAlg, KeyErrorKind, KeySpec, KeyState, PublicKey, SecretBytes, VerifyWith,
};

use crate::{kid, listed, provider_with, published, spec, version};

const ENABLED: Acceptance = Acceptance::EnabledOnly;
const DISABLED_TOO: Acceptance = Acceptance::AllowDisabled;

/// `"k"` with two versions.
async fn rotated_once() -> LocalKeyProvider {
    let provider = provider_with(&["k"]);
    provider.rotate(&kid("k")).await.unwrap();
    provider
}

#[tokio::test]
async fn a_disabled_version_is_shown_and_hands_out_no_secret() {
    let provider = LocalKeyProvider::new();
    let spec = KeySpec::builder(KeyAlg::Ed25519).export_policy(ExportPolicy::SecretWhenAllowed).kid(kid("k"));
    let made = provider.create_key(&spec.build().unwrap()).await.unwrap();
    provider.disable_key(&kid("k"), version(1)).await.unwrap();
    let read = provider.get_key(&kid("k"), None, Secrets::Omit).await.unwrap();
    assert_eq!((read.state(), read.fingerprint()), (KeyState::Disabled, made.fingerprint()));
    assert_eq!(provider.list_versions(&kid("k")).await.unwrap(), [version(1)]);
    assert_eq!(listed(&provider).await, "k");
    for error in [
        provider.get_key(&kid("k"), None, Secrets::Include).await.unwrap_err(),
        provider.get_public_jwk(&kid("k"), Some(version(1))).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), KeyErrorKind::Disabled);
        assert_eq!(error.to_string(), "key k at version 1 is disabled");
    }
    provider.enable_key(&kid("k"), version(1)).await.unwrap();
    let read = provider.get_key(&kid("k"), None, Secrets::Include).await.unwrap();
    assert!(read.state() == KeyState::Enabled && read.secret().is_some());
    provider.get_public_jwk(&kid("k"), None).await.unwrap();
}

#[tokio::test]
async fn a_disabled_version_is_not_published() {
    let provider = rotated_once().await;
    let latest = || async { provider.jwks(&JwksQuery::LATEST).await.unwrap().keys.len() };
    assert_eq!((published(&provider).await.as_str(), latest().await), ("k.1 k.2", 1));
    provider.disable_key(&kid("k"), version(2)).await.unwrap();
    assert_eq!((published(&provider).await.as_str(), latest().await), ("k.1", 0));
    provider.disable_key(&kid("k"), version(1)).await.unwrap();
    assert_eq!((published(&provider).await.as_str(), latest().await), ("", 0));
    provider.enable_key(&kid("k"), version(2)).await.unwrap();
    assert_eq!((published(&provider).await.as_str(), latest().await), ("k.2", 1));
}

/// Twice is once, and what is not there is not found.
#[tokio::test]
async fn a_state_is_set_as_often_as_one_likes_on_what_is_there() {
    let provider = rotated_once().await;
    for _ in 0..2 {
        provider.disable_key(&kid("k"), version(1)).await.unwrap();
    }
    for _ in 0..2 {
        provider.enable_key(&kid("k"), version(1)).await.unwrap();
    }
    provider.destroy_key(&kid("k"), Some(version(1))).await.unwrap();
    for (name, number) in [("k", 1), ("k", 3), ("absent", 1)] {
        for error in [
            provider.disable_key(&kid(name), version(number)).await.unwrap_err(),
            provider.enable_key(&kid(name), version(number)).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), KeyErrorKind::NotFound, "{name} {number}");
        }
    }
}

/// With no version named the latest is meant; signing with an older one unasked would undo a rotation.
#[tokio::test]
async fn no_older_version_stands_in_for_a_disabled_latest() {
    let provider = rotated_once().await;
    let (k, work) = (kid("k"), provider.work().unwrap());
    provider.disable_key(&k, version(2)).await.unwrap();
    let error = work.sign(&k, None, b"message").await.unwrap_err();
    assert_eq!(error.to_string(), "key k at version 2 is disabled");
    assert_eq!(work.sign(&k, Some(version(1)), b"message").await.unwrap().version, version(1));
    let successor = provider.rotate(&k).await.unwrap();
    assert_eq!((successor.version(), successor.state()), (version(3), KeyState::Enabled));
    assert_eq!(work.sign(&k, None, b"message").await.unwrap().version, version(3));
}

#[tokio::test]
async fn old_signatures_are_verified_with_a_disabled_version_when_told_so() {
    let provider = rotated_once().await;
    let (k, work) = (kid("k"), provider.work().unwrap());
    let old = work.sign(&k, Some(version(1)), b"message").await.unwrap().bytes;
    provider.disable_key(&k, version(1)).await.unwrap();
    let verify = |with, acceptance| work.verify(&k, with, b"message", &old, acceptance);
    let this = VerifyWith::Version(version(1));
    assert_eq!(verify(this, ENABLED).await.unwrap_err().kind(), KeyErrorKind::Disabled);
    assert_eq!(verify(this, DISABLED_TOO).await.unwrap(), version(1));
    // Version 2 is in use and has not made it; that version 1 is passed over is nobody's error.
    let verdict = verify(VerifyWith::AnyLive, ENABLED).await.unwrap_err();
    assert_eq!(verdict.kind(), KeyErrorKind::NotAuthentic);
    assert_eq!(verify(VerifyWith::AnyLive, DISABLED_TOO).await.unwrap(), version(1));
    provider.disable_key(&k, version(2)).await.unwrap();
    let error = verify(VerifyWith::AnyLive, ENABLED).await.unwrap_err();
    assert_eq!(error.to_string(), "key k at version 2 is disabled");
}

#[tokio::test]
async fn a_disabled_version_opens_what_it_sealed_and_seals_nothing() {
    let provider = LocalKeyProvider::new();
    provider.create_key(&spec(KeyAlg::Aes256Gcm, "k")).await.unwrap();
    let (k, work, key) = (kid("k"), provider.work().unwrap(), SecretBytes::from(vec![7; 32]));
    let sealed = work.encrypt(&k, None, b"text", b"").await.unwrap();
    let wrapped = work.wrap_key(&k, None, &key).await.unwrap();
    provider.disable_key(&k, version(1)).await.unwrap();
    for error in [
        work.encrypt(&k, None, b"text", b"").await.unwrap_err(),
        work.wrap_key(&k, None, &key).await.unwrap_err(),
        work.decrypt(&sealed, b"", ENABLED).await.unwrap_err(),
        work.unwrap_key(&wrapped, ENABLED).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), KeyErrorKind::Disabled);
    }
    assert_eq!(work.decrypt(&sealed, b"", DISABLED_TOO).await.unwrap().expose_secret(), b"text");
    assert_eq!(work.unwrap_key(&wrapped, DISABLED_TOO).await.unwrap(), key);
}

#[tokio::test]
async fn macs_and_agreements_follow_the_same_rules() {
    let provider = LocalKeyProvider::new();
    provider.create_key(&spec(KeyAlg::HmacSha256, "k")).await.unwrap();
    let (k, work) = (kid("k"), provider.work().unwrap());
    let this = VerifyWith::Version(version(1));
    let mac = work.mac(&k, None, b"message").await.unwrap().bytes;
    provider.disable_key(&k, version(1)).await.unwrap();
    assert_eq!(work.mac(&k, None, b"message").await.unwrap_err().kind(), KeyErrorKind::Disabled);
    let refused = work.verify_mac(&k, this, b"message", &mac, ENABLED).await.unwrap_err();
    assert_eq!(refused.kind(), KeyErrorKind::Disabled);
    work.verify_mac(&k, this, b"message", &mac, DISABLED_TOO).await.unwrap();

    if cfg!(feature = "x25519") {
        let x = provider.create_key(&spec(KeyAlg::X25519, "x")).await.unwrap();
        let peer: PublicKey = x.public_key().unwrap().clone();
        let before = work.agree(&kid("x"), None, &peer, ENABLED).await.unwrap();
        provider.disable_key(&kid("x"), version(1)).await.unwrap();
        let refused = work.agree(&kid("x"), None, &peer, ENABLED).await.unwrap_err();
        assert_eq!(refused.kind(), KeyErrorKind::Disabled);
        assert_eq!(work.agree(&kid("x"), None, &peer, DISABLED_TOO).await.unwrap(), before);
    }
}
