//! Create, import, read, list, publish, destroy.

use std::collections::BTreeSet;

use swarmauri_keyprovider::{
    Capabilities, Feature, JwksQuery, KeyProvider, KeyProviderExt, KeyReference, Secrets,
};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keys::{
    Cursor, ExportPolicy, KeyAlg, KeyClass, KeyErrorKind, KeyMaterial, KeyOperation, KeySpec, KeyState,
    KeyType, KeyUse, PageRequest, PrivateKey, PublicKey, SecretBytes,
};

use crate::{ED25519_SEED, at_once, kid, listed, provider_with, published, spec, symmetric, version};

#[tokio::test]
async fn a_key_of_every_algorithm_lives_its_life() {
    let provider = LocalKeyProvider::new();
    for alg in provider.supports().create {
        if alg.key_type() == KeyType::Rsa {
            continue; // slow: rsa_2048_rotates_into_2048 has one
        }
        let made = provider.create(alg).await.unwrap();
        assert_eq!((made.alg(), made.class(), made.state()), (alg, alg.class(), KeyState::Enabled));
        assert_eq!((made.version(), made.export_policy()), (version(1), ExportPolicy::PublicOnly));
        assert!(made.kid().as_str().len() == 32 && !made.kid().as_str().contains('.'));
        assert_eq!(made.public_key().is_some(), alg.class() == KeyClass::Asymmetric);
        let rotated = provider.rotate(made.kid()).await.unwrap();
        assert_ne!(rotated.fingerprint(), made.fingerprint());
        assert_eq!(provider.latest_version(made.kid()).await.unwrap(), version(2));
        assert_eq!(provider.list_versions(made.kid()).await.unwrap(), [version(1), version(2)]);
        assert!(provider.destroy_key(made.kid(), Some(version(2))).await.unwrap());
        assert!(!provider.destroy_key(made.kid(), Some(version(2))).await.unwrap());
        let read = provider.get_key(made.kid(), None, Secrets::Omit).await.unwrap();
        assert_eq!(read.parts(), made.parts());
        assert!(provider.destroy_key(made.kid(), None).await.unwrap());
        assert!(!provider.destroy_key(made.kid(), None).await.unwrap());
    }
    assert_eq!(listed(&provider).await, "");
}

#[tokio::test]
async fn an_absent_key_is_not_found_and_destroying_it_is_false() {
    let provider = provider_with(&["there"]);
    for (name, number) in [("absent", None), ("absent", Some(version(1))), ("there", Some(version(2)))] {
        let kid = kid(name);
        let read = provider.get_key(&kid, number, Secrets::Omit).await.unwrap_err();
        let jwk = provider.get_public_jwk(&kid, number).await.unwrap_err();
        assert_eq!((read.kind(), jwk.kind()), (KeyErrorKind::NotFound, KeyErrorKind::NotFound));
        assert!(!provider.destroy_key(&kid, number).await.unwrap());
    }
    let absent = kid("absent");
    assert_eq!(provider.list_versions(&absent).await.unwrap_err().kind(), KeyErrorKind::NotFound);
    assert_eq!(provider.rotate(&absent).await.unwrap_err().kind(), KeyErrorKind::NotFound);
}

#[tokio::test]
async fn capabilities_are_the_truth() {
    let provider = LocalKeyProvider::new();
    let Capabilities { create, import, import_public, operations, features } = provider.supports();
    let all: BTreeSet<_> = KeyAlg::ALL.iter().copied().collect();
    let (rsa, x25519) = (cfg!(feature = "rsa"), cfg!(feature = "x25519"));
    for alg in all {
        let expected = match alg.key_type() {
            KeyType::Rsa => rsa,
            KeyType::X25519 => x25519,
            _ => true,
        };
        assert_eq!(create.contains(&alg), expected, "{alg}");
        assert_eq!(import_public.contains(&alg), alg.class() == KeyClass::Asymmetric, "{alg}");
        if !expected {
            let error = provider.create(alg).await.unwrap_err();
            assert_eq!(error.kind(), KeyErrorKind::UnsupportedAlgorithm, "{alg}");
        }
    }
    assert!(import.is_superset(&create));
    assert_eq!(features.len(), 10);
    let does = |operation, alg| operations.get(&operation).is_some_and(|algs| algs.contains(&alg));
    for alg in [KeyAlg::Ed25519, KeyAlg::EcdsaP256Sha256, KeyAlg::RsaPssSha256] {
        assert!(does(KeyOperation::Sign, alg) && does(KeyOperation::Verify, alg), "{alg}");
    }
    assert_eq!(does(KeyOperation::Decrypt, KeyAlg::RsaOaepSha256), rsa);
    assert_eq!(
        operations.contains_key(&KeyOperation::Agree),
        x25519,
        "no operation is there for no algorithm"
    );
    assert!(!features.contains(&Feature::Mirror));
}

#[tokio::test]
async fn opaque_keys_are_unsupported() {
    let provider = LocalKeyProvider::new();
    let spec = KeySpec::builder(KeyAlg::Aes256Gcm).class(KeyClass::Opaque).build().unwrap();
    let created = provider.create_key(&spec).await.unwrap_err();
    let imported = provider.import_key(&spec, symmetric(&[7; 32])).await.unwrap_err();
    assert_eq!((created.kind(), imported.kind()), (KeyErrorKind::Unsupported, KeyErrorKind::Unsupported));
}

#[tokio::test]
async fn a_public_key_alone_has_no_secret_and_no_successor() {
    let provider = LocalKeyProvider::new();
    let public = provider.create(KeyAlg::Ed25519).await.unwrap().public_key().unwrap().clone();
    let spec = KeySpec::builder(KeyAlg::Ed25519)
        .uses([KeyUse::Sign, KeyUse::Verify])
        .export_policy(ExportPolicy::SecretWhenAllowed)
        .kid(kid("public"))
        .build()
        .unwrap();
    let made = provider.import_key(&spec, KeyMaterial::Public(public.clone())).await.unwrap();
    assert_eq!((made.public_key(), made.uses()), (Some(&public), spec.uses()));
    let read = provider.get_key(&kid("public"), None, Secrets::Include).await.unwrap_err();
    let rotated = provider.rotate(&kid("public")).await.unwrap_err();
    assert_eq!((read.kind(), rotated.kind()), (KeyErrorKind::InvalidState, KeyErrorKind::InvalidState));
}

/// RFC 8037 appendices A.1 to A.3.
#[tokio::test]
async fn an_imported_private_key_has_the_public_half_and_thumbprint_of_the_rfc() {
    let provider = LocalKeyProvider::new();
    let private = PrivateKey::from_raw(KeyType::Ed25519, &ED25519_SEED).unwrap();
    let spec = spec(KeyAlg::Ed25519, "rfc8037");
    let made = provider.import_key(&spec, KeyMaterial::Private(private)).await.unwrap();
    assert_eq!(made.fingerprint().as_str(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let jwk = provider.get_public_jwk(&kid("rfc8037"), None).await.unwrap();
    let json = serde_json::to_value(&jwk).unwrap();
    assert_eq!(json["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    assert_eq!(
        (&json["kid"], &json["alg"], &json["use"]),
        (&"rfc8037.1".into(), &"EdDSA".into(), &"sig".into())
    );
}

/// RFC 7517 appendix A.1; the modulus has 2048 bits.
#[tokio::test]
async fn size_bits_of_an_import_must_be_that_of_the_material() {
    let jwk = br#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB"}"#;
    let material = KeyMaterial::from_jwk(KeyAlg::RsaPssSha256, jwk).unwrap();
    for (asked, fits) in [(None, true), (Some(2048), true), (Some(3072), false), (Some(4096), false)] {
        let provider = LocalKeyProvider::new();
        let spec = KeySpec::builder(KeyAlg::RsaPssSha256);
        let spec = asked.into_iter().fold(spec, swarmauri_keys::KeySpecBuilder::size_bits).build().unwrap();
        let made = provider.import_key(&spec, material.clone()).await;
        match made {
            Ok(made) => assert!(fits && made.size_bits() == Some(2048)),
            Err(error) => {
                assert!(!fits && error.kind() == KeyErrorKind::InvalidInput, "{error}");
                assert!(error.to_string().contains("2048"), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn references_name_this_provider_or_none() {
    let provider = provider_with(&["k"]);
    provider.rotate(&kid("k")).await.unwrap();
    for (text, expected) in [("k", 2), ("k@1", 1), ("LocalKeyProvider:k@2", 2)] {
        let reference: KeyReference = text.parse().unwrap();
        let read = provider.get_key_by_ref(&reference, Secrets::Omit).await.unwrap();
        assert_eq!(read.version(), version(expected), "{text}");
    }
    let foreign: KeyReference = "VaultKeyProvider:k".parse().unwrap();
    let error = provider.get_key_by_ref(&foreign, Secrets::Omit).await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_listing_holds_what_stays_exactly_once_while_others_come_and_go() {
    let names: Vec<_> = (0..40).map(|n| format!("stays{n:02}")).collect();
    let provider = provider_with(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let (mut request, mut seen) = (PageRequest::first(3), Vec::new());
    for round in 0.. {
        provider.create_key(&spec(KeyAlg::Ed25519, &format!("stays{round:02}-new"))).await.unwrap();
        provider.create_key(&spec(KeyAlg::Ed25519, &format!("a{round}"))).await.unwrap();
        let page = provider.list_keys(&request).await.unwrap();
        for gone in page.items.iter().filter(|key| !names.contains(&key.kid.to_string())) {
            provider.destroy_key(&gone.kid, None).await.unwrap();
        }
        seen.extend(page.items.into_iter().map(|key| key.kid.to_string()));
        let Some(next) = page.next else { break };
        request.cursor = Some(next);
    }
    assert!(seen.is_sorted());
    seen.retain(|name| names.contains(name));
    assert_eq!(seen, names);
    let foreign = PageRequest::at(Cursor::new(""), 3);
    assert_eq!(provider.list_keys(&foreign).await.unwrap_err().kind(), KeyErrorKind::InvalidInput);
}

#[tokio::test]
async fn the_jwks_is_filtered_by_the_bare_kid_and_by_version() {
    let provider = provider_with(&["b", "a", "ab"]);
    provider.rotate(&kid("a")).await.unwrap();
    assert_eq!(published(&provider).await, "a.1 a.2 ab.1 b.1");
    for (query, expected) in [
        (JwksQuery::LATEST, &["a.2", "ab.1", "b.1"][..]),
        (JwksQuery::LATEST.with_prefix("a"), &["a.2", "ab.1"]),
        (JwksQuery::ALL_LIVE.with_prefix("a"), &["a.1", "a.2", "ab.1"]),
        (JwksQuery::LATEST.with_prefix("a."), &[]),
    ] {
        let set = provider.jwks(&query).await.unwrap();
        let kids: Vec<_> = set.keys.iter().filter_map(|jwk| jwk.kid.as_deref()).collect();
        assert_eq!(kids, expected, "{query:?}");
    }
}

#[tokio::test]
async fn random_bytes_and_hkdf_are_there_and_bounded() {
    let provider = LocalKeyProvider::new();
    let (one, other) = (provider.random_bytes(32).await.unwrap(), provider.random_bytes(32).await.unwrap());
    assert!(one.len() == 32 && one != other);
    let error = provider.random_bytes((1 << 20) + 1).await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::InvalidInput);
    let ikm = SecretBytes::from(vec![0x0b; 22]); // RFC 5869 appendix A.3
    let okm = provider.hkdf(&ikm, b"", b"", 42).await.unwrap();
    assert_eq!(okm.expose_secret()[..4], [0x8d, 0xa4, 0xe7, 0x75]);
    for len in [0, 8161] {
        assert_eq!(provider.hkdf(&ikm, b"", b"", len).await.unwrap_err().kind(), KeyErrorKind::InvalidInput);
    }
}

#[test]
fn everything_works_without_a_runtime() {
    let provider = provider_with(&["k"]);
    at_once(provider.rotate(&kid("k"))).unwrap();
    #[cfg(feature = "rsa")]
    {
        let spec = KeySpec::builder(KeyAlg::RsaOaepSha256).size_bits(2048).build().unwrap();
        let made = at_once(provider.create_key(&spec)).unwrap();
        assert!(matches!(made.public_key(), Some(PublicKey::Rsa(_))));
    }
    assert!(matches!(at_once(provider.public_key(&kid("k"), None)), Ok(PublicKey::Ed25519(_))));
}
