//! What goes wrong with the local provider of the Python packages, line by line.

use swarmauri_keyprovider::{KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keys::{
    ExportPolicy, KeyAlg, KeyError, KeyErrorKind, KeyMaterial, KeySpec, KeyType, KeyUse, KeyVersion,
    PrivateKey, PublicKey, SecretMaterial, SpecOverrides, Tags,
};

use crate::{ED25519_SEED, kid, listed, provider_with, published, spec, symmetric, version};

#[tokio::test]
async fn rotation_leaves_no_ghost() {
    let provider = provider_with(&["k"]);
    provider.rotate(&kid("k")).await.unwrap();
    provider.rotate(&kid("k")).await.unwrap();
    assert_eq!(listed(&provider).await, "k");
    assert_eq!(published(&provider).await, "k.1 k.2 k.3");
    assert!(provider.destroy_key(&kid("k"), None).await.unwrap());
    assert_eq!((listed(&provider).await, published(&provider).await), (String::new(), String::new()));
    assert_eq!(format!("{provider:?}"), "LocalKeyProvider { table: KeyTable { keys: 0 } }");
}

#[tokio::test]
async fn version_numbers_do_not_come_back() {
    let provider = provider_with(&["k"]);
    let second = provider.rotate(&kid("k")).await.unwrap();
    assert!(provider.destroy_key(&kid("k"), Some(second.version())).await.unwrap());
    let third = provider.rotate(&kid("k")).await.unwrap();
    assert_eq!(third.version(), version(3));
    assert_ne!(third.fingerprint(), second.fingerprint());
    let error = provider.get_key(&kid("k"), Some(version(2)), Secrets::Omit).await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::NotFound);
}

#[tokio::test]
async fn a_read_without_secret_gives_none_and_nothing_prints_it() {
    let provider = LocalKeyProvider::new();
    let secret: Vec<u8> = (0xA0..0xC0).collect();
    let spec = KeySpec::builder(KeyAlg::Aes256Gcm).export_policy(ExportPolicy::SecretWhenAllowed);
    let made = provider.import_key(&spec.build().unwrap(), symmetric(&secret)).await.unwrap();
    let without = provider.get_key(made.kid(), None, Secrets::Omit).await.unwrap();
    assert!(made.secret().is_none() && without.secret().is_none());
    let with = provider.get_key(made.kid(), None, Secrets::Include).await.unwrap();
    let Some(SecretMaterial::Symmetric(bytes)) = with.secret() else { panic!("{with:?}") };
    assert_eq!(bytes.expose_secret(), secret);
    let json = serde_json::to_string(&with).unwrap();
    for shown in [format!("{with:?} {with:#?}"), json, format!("{provider:?}"), format!("{made:?}")] {
        let shown = shown.to_lowercase();
        assert!(
            !shown.contains("a0a1a2") && !shown.contains("160, 161") && !shown.contains("oggio"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn neither_fingerprint_nor_kid_of_an_import_is_a_plain_hash() {
    let provider = LocalKeyProvider::new();
    let (spec, material) = (KeySpec::new(KeyAlg::Aes256Gcm), symmetric(&[7; 32]));
    let one = provider.import_key(&spec, material.clone()).await.unwrap();
    let other = provider.import_key(&spec, material).await.unwrap();
    assert_ne!(one.kid(), other.kid(), "the same material, and another kid");
    // SHA-256 of 32 bytes of 7, in hexadecimal and base64url
    let hex = "4bb06f8e4e3a7715d201d573d0aa423762e55dabd61a2c02278fa56cc6d294e0";
    for name in [one.fingerprint().as_str(), one.kid().as_str(), other.kid().as_str()] {
        assert!(!hex.starts_with(name) && name != "S7Bvjk46dxXSAdVz0KpCN2LlXavWGiwCJ4-lbMbSlOA", "{name}");
    }
}

#[tokio::test]
async fn one_key_without_a_jwk_does_not_break_the_jwks_and_symmetric_keys_are_not_in_it() {
    let provider = provider_with(&["pair"]);
    provider.create_key(&spec(KeyAlg::Aes256Gcm, "aes")).await.unwrap();
    provider.create_key(&spec(KeyAlg::HmacSha256, "hmac")).await.unwrap();
    let hidden = KeySpec::builder(KeyAlg::Ed25519).export_policy(ExportPolicy::None).kid(kid("hidden"));
    provider.create_key(&hidden.build().unwrap()).await.unwrap();
    assert_eq!(published(&provider).await, "pair.1");
    for (name, refusal) in [
        ("aes", KeyErrorKind::Unsupported),
        ("hmac", KeyErrorKind::Unsupported),
        ("hidden", KeyErrorKind::PermissionDenied),
    ] {
        let error = provider.get_public_jwk(&kid(name), None).await.unwrap_err();
        assert_eq!(error.kind(), refusal, "{name}");
    }
}

#[tokio::test]
async fn public_only_keeps_the_private_key_and_gives_out_no_secret_of_any_kind() {
    let provider = provider_with(&["created"]);
    provider.create_key(&spec(KeyAlg::Aes256Gcm, "symmetric")).await.unwrap();
    let private = PrivateKey::from_raw(KeyType::Ed25519, &ED25519_SEED).unwrap();
    let imported = spec(KeyAlg::Ed25519, "imported");
    provider.import_key(&imported, KeyMaterial::Private(private)).await.unwrap();
    for name in ["created", "symmetric", "imported"] {
        let error = provider.get_key(&kid(name), None, Secrets::Include).await.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::PermissionDenied, "{name}");
        // Only a key that still has its private half can be rotated.
        assert_eq!(provider.rotate(&kid(name)).await.unwrap().version(), version(2), "{name}");
    }
}

#[cfg(feature = "rsa")]
#[tokio::test]
async fn rsa_2048_rotates_into_2048() {
    let provider = LocalKeyProvider::new();
    let spec = KeySpec::builder(KeyAlg::RsaPssSha256).size_bits(2048).build().unwrap();
    let made = provider.create_key(&spec).await.unwrap();
    assert_eq!(made.size_bits(), Some(2048));
    let rotated = provider.rotate(made.kid()).await.unwrap();
    assert_eq!((rotated.size_bits(), rotated.version()), (Some(2048), version(2)));
    assert_eq!(rotated.public_key().unwrap().size_bits(), Some(2048));
}

#[tokio::test]
async fn rotation_heeds_every_override_and_keeps_the_rest() {
    let provider = LocalKeyProvider::new();
    let spec = KeySpec::builder(KeyAlg::Ed25519)
        .uses([KeyUse::Verify])
        .export_policy(ExportPolicy::SecretWhenAllowed)
        .label("old")
        .tag("env", "prod")
        .kid(kid("k"))
        .build()
        .unwrap();
    let first = provider.create_key(&spec).await.unwrap();
    let kept = provider.rotate(&kid("k")).await.unwrap();
    assert_eq!(kept.spec().unwrap(), first.spec().unwrap());
    let overrides = SpecOverrides {
        alg: Some(KeyAlg::EcdsaP256Sha256),
        uses: Some([KeyUse::Sign].into_iter().collect()),
        export_policy: Some(ExportPolicy::PublicOnly),
        size_bits: None,
        label: Some("new".to_owned()),
        tags: Some(Tags::default().with("env", "test").unwrap()),
    };
    let changed = provider.rotate_key(&kid("k"), &overrides).await.unwrap();
    let expected = KeySpec::builder(KeyAlg::EcdsaP256Sha256)
        .uses([KeyUse::Sign])
        .label("new")
        .tag("env", "test")
        .build()
        .unwrap();
    assert_eq!((changed.version(), changed.spec().unwrap()), (version(3), expected));
    let old = provider.get_key(&kid("k"), Some(version(2)), Secrets::Include).await.unwrap();
    assert_eq!((old.label(), old.tags().get("env")), (Some("old"), Some("prod")));
}

#[tokio::test]
async fn hmac_keys_are_created_and_rotated() {
    let provider = LocalKeyProvider::new();
    let made = provider.create(KeyAlg::HmacSha256).await.unwrap();
    let rotated = provider.rotate(made.kid()).await.unwrap();
    assert_eq!(rotated.alg(), KeyAlg::HmacSha256);
    assert_ne!(rotated.fingerprint(), made.fingerprint());
}

#[tokio::test]
async fn imports_are_validated() {
    let foreign = PublicKey::from_raw(KeyType::Ed25519, &[1; 32]).unwrap();
    let seed = PrivateKey::from_raw(KeyType::Ed25519, &ED25519_SEED).unwrap();
    let mismatched = seed.clone().with_public_key(foreign);
    for (alg, material, hint) in [
        (KeyAlg::Aes256Gcm, symmetric(&[7; 16]), "32 bytes"),
        (KeyAlg::HmacSha256, symmetric(&[7; 31]), "32 to 1024 bytes"),
        (KeyAlg::Ed25519, KeyMaterial::Private(mismatched), "public half"),
        (KeyAlg::EcdsaP256Sha256, KeyMaterial::Private(seed), "Ed25519"),
        (KeyAlg::Ed25519, symmetric(&[7; 32]), "Ed25519"),
    ] {
        let provider = LocalKeyProvider::new();
        let error = provider.import_key(&KeySpec::new(alg), material).await.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::InvalidInput, "{alg}: {error}");
        assert!(error.to_string().contains(hint), "{alg}: {error}");
        assert_eq!(listed(&provider).await, "");
    }
}

#[tokio::test]
async fn a_second_import_does_not_overwrite_the_first() {
    let provider = LocalKeyProvider::new();
    let spec = spec(KeyAlg::Aes256Gcm, "k");
    let first = provider.import_key(&spec, symmetric(&[7; 32])).await.unwrap();
    for bytes in [[7; 32], [8; 32]] {
        let error = provider.import_key(&spec, symmetric(&bytes)).await.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::Conflict);
    }
    let read = provider.get_key(&kid("k"), Some(version(1)), Secrets::Omit).await.unwrap();
    assert_eq!(read.fingerprint(), first.fingerprint());
}

#[tokio::test]
async fn version_zero_does_not_mean_the_latest() {
    let refusals: [Result<KeyVersion, KeyError>; 2] = [KeyVersion::new(0), "0".parse()];
    for refusal in refusals {
        assert_eq!(refusal.unwrap_err().kind(), KeyErrorKind::InvalidInput);
    }
    assert!("k@0".parse::<swarmauri_keyprovider::KeyReference>().is_err());
}

#[tokio::test]
async fn stored_tags_cannot_be_changed_by_callers() {
    let provider = LocalKeyProvider::new();
    let spec = KeySpec::builder(KeyAlg::Ed25519).tag("env", "prod").kid(kid("k")).build().unwrap();
    let made = provider.create_key(&spec).await.unwrap();
    let changed = made.tags().clone().with("env", "test").unwrap().with("more", "").unwrap();
    assert_eq!(changed.len(), 2);
    let read = provider.get_key(&kid("k"), None, Secrets::Omit).await.unwrap();
    assert_eq!(read.tags().iter().collect::<Vec<_>>(), [("env", "prod")]);
}
