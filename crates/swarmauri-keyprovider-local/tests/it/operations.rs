//! Keys at work where they live.

use std::collections::BTreeSet;

use swarmauri_keyprovider::{KeyOperations, KeyOperationsExt, KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keys::{
    Acceptance, Ciphertext, ExportPolicy, KeyAlg, KeyErrorKind, KeyId, KeyMaterial, KeyOperation, KeySpec,
    KeyType, KeyUse, PublicKey, SecretBytes, VerifyWith,
};

use crate::{kid, spec, symmetric, version};

const ENABLED: Acceptance = Acceptance::EnabledOnly;

/// A provider with one key of an algorithm, under the name of that, which policy keeps inside.
async fn provider_of(alg: KeyAlg) -> (LocalKeyProvider, KeyId) {
    let provider = LocalKeyProvider::new();
    let spec = KeySpec::builder(alg).export_policy(ExportPolicy::None).kid(kid(alg.as_str()));
    let spec = if alg.key_type() == KeyType::Rsa { spec.size_bits(2048) } else { spec };
    provider.create_key(&spec.build().unwrap()).await.unwrap();
    (provider, kid(alg.as_str()))
}

fn work(provider: &LocalKeyProvider) -> &dyn KeyOperations {
    provider.work().unwrap()
}

fn content_key() -> SecretBytes {
    SecretBytes::from(vec![7; 32])
}

/// Does one thing, and undoes or checks it; the last is the same as the one that is asked for.
async fn do_and_check(
    work: &dyn KeyOperations,
    kid: &KeyId,
    operation: KeyOperation,
) -> Result<(), swarmauri_keys::KeyError> {
    let any = VerifyWith::AnyLive;
    match operation {
        KeyOperation::Sign | KeyOperation::Verify => {
            let made = work.sign(kid, None, b"message").await?;
            assert_eq!(work.verify(kid, any, b"message", &made.bytes, ENABLED).await?, made.version);
            work.verify_signature(b"message", &made).await
        }
        KeyOperation::Mac | KeyOperation::VerifyMac => {
            let made = work.mac(kid, None, b"message").await?;
            assert_eq!(work.verify_mac(kid, any, b"message", &made.bytes, ENABLED).await?, made.version);
            work.verify_signature(b"message", &made).await
        }
        KeyOperation::Encrypt | KeyOperation::Decrypt => {
            let sealed = work.encrypt(kid, None, b"text", b"aad").await?;
            assert_eq!(work.decrypt(&sealed, b"aad", ENABLED).await?.expose_secret(), b"text");
            Ok(())
        }
        KeyOperation::WrapKey | KeyOperation::UnwrapKey => {
            let wrapped = work.wrap_key(kid, None, &content_key()).await?;
            assert_eq!(work.unwrap_key(&wrapped, ENABLED).await?, content_key());
            Ok(())
        }
        KeyOperation::Agree => {
            let peer = PublicKey::from_raw(KeyType::X25519, &[9; 32]).unwrap();
            assert_eq!(work.agree(kid, None, &peer, ENABLED).await?.len(), 32);
            Ok(())
        }
    }
}

/// Both ways: what the capabilities name works, and what they do not name is refused. All of it with keys whose
/// policy lets nothing out.
#[tokio::test]
async fn every_operation_that_is_announced_works_and_no_other() {
    for alg in LocalKeyProvider::new().supports().create {
        let (provider, kid) = provider_of(alg).await;
        for operation in KeyOperation::ALL.iter().copied() {
            let announced =
                provider.supports().operations.get(&operation).is_some_and(|algs| algs.contains(&alg));
            let done = do_and_check(work(&provider), &kid, operation).await;
            assert_eq!(done.is_ok(), announced, "{operation} {alg}: {done:?}");
        }
    }
}

#[tokio::test]
async fn results_name_the_version_that_made_them() {
    let (provider, kid) = provider_of(KeyAlg::Ed25519).await;
    provider.rotate(&kid).await.unwrap();
    let work = work(&provider);
    let latest = work.sign(&kid, None, b"message").await.unwrap();
    let first = work.sign(&kid, Some(version(1)), b"message").await.unwrap();
    assert_eq!((latest.version, first.version), (version(2), version(1)));
    for made in [&latest, &first] {
        let found = work.verify(&kid, VerifyWith::AnyLive, b"message", &made.bytes, ENABLED).await;
        assert_eq!(found.unwrap(), made.version);
        let other = version(3 - made.version.get());
        let verdict = work.verify(&kid, VerifyWith::Version(other), b"message", &made.bytes, ENABLED).await;
        assert_eq!(verdict.unwrap_err().kind(), KeyErrorKind::NotAuthentic);
    }
    let forged = work.verify(&kid, VerifyWith::AnyLive, b"massage", &latest.bytes, ENABLED).await;
    assert_eq!(forged.unwrap_err().kind(), KeyErrorKind::NotAuthentic);
    let absent = work.sign(&kid, Some(version(9)), b"message").await.unwrap_err();
    assert_eq!(absent.kind(), KeyErrorKind::NotFound);
}

/// After a rotation what was encrypted before still opens; after a destruction it does not.
#[tokio::test]
async fn a_ciphertext_finds_its_version() {
    let (provider, kid) = provider_of(KeyAlg::Aes256Gcm).await;
    let work = work(&provider);
    let old = work.encrypt(&kid, None, b"old", b"").await.unwrap();
    provider.rotate(&kid).await.unwrap();
    let new = work.encrypt(&kid, None, b"new", b"").await.unwrap();
    assert_eq!((old.version, new.version), (version(1), version(2)));
    assert_eq!(work.decrypt(&old, b"", ENABLED).await.unwrap().expose_secret(), b"old");
    let moved = Ciphertext { version: version(2), ..old.clone() };
    let error = work.decrypt(&moved, b"", ENABLED).await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::NotAuthentic);

    provider.destroy_key(&kid, Some(version(1))).await.unwrap();
    assert_eq!(work.decrypt(&old, b"", ENABLED).await.unwrap_err().kind(), KeyErrorKind::NotFound);
    assert_eq!(work.unwrap_key(&old, ENABLED).await.unwrap_err().kind(), KeyErrorKind::NotFound);
    assert_eq!(work.decrypt(&new, b"", ENABLED).await.unwrap().expose_secret(), b"new");
}

#[tokio::test]
async fn a_key_does_what_it_is_for() {
    let provider = LocalKeyProvider::new();
    let wrapping =
        KeySpec::builder(KeyAlg::Aes256Gcm).uses([KeyUse::Wrap, KeyUse::Unwrap]).kid(kid("wrapping"));
    provider.create_key(&wrapping.build().unwrap()).await.unwrap();
    let work = work(&provider);
    let wrapped = work.wrap_key(&kid("wrapping"), None, &content_key()).await.unwrap();
    let refused = [
        (work.encrypt(&kid("wrapping"), None, b"text", b"").await.map(drop), "encrypt"),
        (work.decrypt(&wrapped, b"", ENABLED).await.map(drop), "decrypt"),
    ];
    for (result, named) in refused {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::PermissionDenied);
        assert!(error.to_string().contains(&format!("a key for {named}")), "{error}");
    }
}

#[tokio::test]
async fn a_public_key_alone_verifies() {
    let (provider, signer) = (LocalKeyProvider::new(), kid("signer"));
    provider.create_key(&spec(KeyAlg::Ed25519, "signer")).await.unwrap();
    let made = work(&provider).sign(&signer, None, b"message").await.unwrap();
    let public = KeyMaterial::Public(provider.public_key(&signer, None).await.unwrap());
    provider.import_key(&spec(KeyAlg::Ed25519, "public"), public).await.unwrap();
    let (work, public) = (work(&provider), kid("public"));
    work.verify(&public, VerifyWith::AnyLive, b"message", &made.bytes, ENABLED).await.unwrap();
    let error = work.sign(&public, None, b"message").await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::InvalidState);
}

/// RFC 7515 appendix A.1, by the provider.
#[tokio::test]
async fn an_imported_key_computes_the_mac_of_rfc_7515() {
    let provider = LocalKeyProvider::new();
    let jwk = br#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;
    let material = KeyMaterial::from_jwk(KeyAlg::HmacSha256, jwk).unwrap();
    provider.import_key(&spec(KeyAlg::HmacSha256, "k"), material).await.unwrap();
    let input = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
                 eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let made = work(&provider).mac(&kid("k"), None, input.as_bytes()).await.unwrap();
    let json = serde_json::to_value(&made).unwrap();
    assert_eq!(json["signature"], "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
}

/// A nonce or tag cut short is no shorter nonce or tag, but a forgery; nor does a panic tell them apart.
#[tokio::test]
async fn what_is_cut_short_is_a_forgery() {
    let provider = LocalKeyProvider::new();
    provider.import_key(&spec(KeyAlg::Aes256Gcm, "aes"), symmetric(&[7; 32])).await.unwrap();
    provider.import_key(&spec(KeyAlg::HmacSha256, "hmac"), symmetric(&[7; 32])).await.unwrap();
    let work = work(&provider);
    let sealed = work.encrypt(&kid("aes"), None, b"text", b"").await.unwrap();
    let mut texts = BTreeSet::new();
    let short = |bytes: &[u8]| (0..bytes.len()).map(|len| bytes[..len].to_vec()).collect::<Vec<_>>();
    let mut forged = Vec::new();
    forged.extend(short(&sealed.nonce).into_iter().map(|nonce| Ciphertext { nonce, ..sealed.clone() }));
    forged.extend(short(&sealed.tag).into_iter().map(|tag| Ciphertext { tag, ..sealed.clone() }));
    forged.extend(
        short(&sealed.ciphertext).into_iter().map(|text| Ciphertext { ciphertext: text, ..sealed.clone() }),
    );
    for one in &forged {
        texts.insert(work.decrypt(one, b"", ENABLED).await.unwrap_err().to_string());
    }
    let mac = work.mac(&kid("hmac"), None, b"message").await.unwrap();
    for one in short(&mac.bytes) {
        let verdict = work.verify_mac(&kid("hmac"), VerifyWith::AnyLive, b"message", &one, ENABLED).await;
        texts.insert(verdict.unwrap_err().to_string());
    }
    assert_eq!(texts.into_iter().collect::<Vec<_>>(), [swarmauri_keys::KeyError::NotAuthentic.to_string()]);
}

#[cfg(feature = "rsa")]
mod rsa {
    use std::future::poll_fn;
    use std::sync::mpsc;
    use std::task::Poll;

    use tokio::runtime::Builder;
    use tokio::task::spawn_blocking;

    use super::*;
    use crate::at_once;

    #[test]
    fn rsa_works_without_a_runtime_and_a_cancelled_call_leaves_nothing() {
        let (signing, sealing) = (kid("RSA_PSS_SHA256"), kid("RSA_OAEP_SHA256"));
        let provider = LocalKeyProvider::new();
        for alg in [KeyAlg::RsaPssSha256, KeyAlg::RsaOaepSha256] {
            let spec = KeySpec::builder(alg).size_bits(2048).kid(kid(alg.as_str())).build().unwrap();
            at_once(provider.create_key(&spec)).unwrap();
        }
        let work = work(&provider);
        let made = at_once(work.sign(&signing, None, b"message")).unwrap();
        at_once(work.verify_signature(b"message", &made)).unwrap();
        let sealed = at_once(work.encrypt(&sealing, None, b"text", b"label")).unwrap();
        assert_eq!(at_once(work.decrypt(&sealed, b"label", ENABLED)).unwrap().expose_secret(), b"text");
        let wrapped = at_once(work.wrap_key(&sealing, None, &content_key())).unwrap();
        assert_eq!(at_once(work.unwrap_key(&wrapped, ENABLED)).unwrap(), content_key());

        // Polled once and dropped, while the one thread for it is busy; then the same is asked for again.
        let runtime = Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
        runtime.block_on(async {
            let (release, released) = mpsc::channel::<()>();
            let occupied = spawn_blocking(move || released.recv());
            for _ in 0..20 {
                let mut sign = Box::pin(work.sign(&signing, None, b"message"));
                let mut decrypt = Box::pin(work.decrypt(&sealed, b"label", ENABLED));
                poll_fn(|context| {
                    assert!(sign.as_mut().poll(context).is_pending());
                    assert!(decrypt.as_mut().poll(context).is_pending());
                    Poll::Ready(())
                })
                .await;
            }
            release.send(()).unwrap();
            occupied.await.unwrap().unwrap();
            let made = work.sign(&signing, None, b"message").await.unwrap();
            work.verify_signature(b"message", &made).await.unwrap();
            assert_eq!(work.decrypt(&sealed, b"label", ENABLED).await.unwrap().expose_secret(), b"text");
        });
    }
}

#[cfg(not(feature = "rsa"))]
#[test]
fn without_its_feature_rsa_does_not_encrypt() {
    let provider = LocalKeyProvider::new();
    let operations = provider.supports().operations;
    for operation in
        [KeyOperation::Encrypt, KeyOperation::Decrypt, KeyOperation::WrapKey, KeyOperation::UnwrapKey]
    {
        assert_eq!(operations[&operation], BTreeSet::from([KeyAlg::Aes256Gcm]), "{operation}");
    }
    assert!(operations[&KeyOperation::Sign].contains(&KeyAlg::RsaPssSha256));
}
