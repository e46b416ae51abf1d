//! Providers at work: what they trace, say in errors, and show of themselves; the testkit's too.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_testkit::{
    Answer, Fault, FaultyProvider, Lie, Method, assert_no_secret, capture_tracing_of,
};
use swarmauri_keys::{ExportPolicy, KeyAlg, KeyError, KeyMaterial, KeySpec};

use crate::shown::Shown;
use crate::specimens::{fewer_specimens, parts_of};

/// Every method once, with every specimen that it takes.
async fn call_everything(provider: &dyn KeyProvider, shown: &mut Shown) {
    for one in fewer_specimens() {
        let closed = KeySpec::builder(one.alg).export_policy(ExportPolicy::PublicOnly).build().unwrap();
        for spec in [one.spec(), closed] {
            let answer = provider.import_key(&spec, one.secret.clone().into()).await;
            shown.debug(&answer);
            let Ok(key) = answer else { continue };
            for secrets in [Secrets::Include, Secrets::Omit] {
                shown.debug(&provider.get_key(key.kid(), None, secrets).await);
            }
            shown.debug(&provider.get_public_jwk(key.kid(), None).await);
            shown.debug(&provider.list_versions(key.kid()).await);
        }
        let wrong = KeySpec::new(if one.alg == KeyAlg::Ed25519 { KeyAlg::X25519 } else { KeyAlg::Ed25519 });
        shown.debug(&provider.import_key(&wrong, one.secret.clone().into()).await);
        if let Some(bytes) = one.parts.first() {
            shown.debug(&provider.hkdf(bytes, b"salt", b"info", 32).await);
            shown.debug(&provider.hkdf(bytes, b"salt", b"info", 0).await);
            shown.debug(&provider.import_key(&one.spec(), KeyMaterial::Symmetric(bytes.clone())).await);
        }
    }
    shown.debug(&provider.jwks(&JwksQuery::ALL_LIVE).await);
    shown.debug(&provider.list_all_keys().await);
    shown.debug(&provider.random_bytes(64).await);
    shown.debug(&provider);
    shown.debug(&provider.supports());
    shown.serialised(&provider.supports());
}

#[tokio::test]
async fn promise_9_a_provider_at_work_shows_and_traces_no_secret() {
    let mut shown = Shown::default();
    let provider = LocalKeyProvider::new();
    let ((), told) = capture_tracing_of(call_everything(&provider, &mut shown)).await;
    shown.text(&told);
    shown.assert_free_of(&parts_of(fewer_specimens()));
}

#[tokio::test]
async fn promise_9_a_faulty_provider_and_its_journal_show_no_secret() {
    let own = Fault::answer(|call, answer| {
        let shown = format!("{call:?} {answer:?}");
        answer.map_err(|error| KeyError::integrity(format!("{error} {shown}")))
    });
    for fault in [
        None,
        Some(Fault::FailBefore(KeyError::timeout("no answer"))),
        Some(Fault::FailAfter(KeyError::timeout("no answer"))),
        Some(Fault::Lie(Lie::SecretUnasked)),
        Some(Fault::Lie(Lie::SecretDropped)),
        Some(Fault::Lie(Lie::WrongKey)),
        Some(own.clone()),
    ] {
        let provider = FaultyProvider::new(Arc::new(LocalKeyProvider::new()));
        let (faults, mut shown) = (provider.faults(), Shown::default());
        faults.set_all(fault.clone());
        faults.fail_next(Method::Hkdf, own.clone());
        shown.debug(&fault);
        let ((), told) = capture_tracing_of(call_everything(&provider, &mut shown)).await;
        shown.text(&told);
        let journal = faults.journal();
        assert!(!journal.secret_bytes_handed().is_empty());
        shown.debug(&faults);
        shown.debug(&journal.secret_reads());
        shown.debug(&journal.secret_bytes_handed());
        shown.assert_free_of(&parts_of(fewer_specimens()));
    }
}

/// The testkit finds secrets; whoever reads its findings in a log must not find them too.
#[tokio::test]
async fn promise_9_what_the_testkit_says_of_a_leak_is_not_one() {
    let provider = FaultyProvider::new(Arc::new(LocalKeyProvider::new()));
    let mut shown = Shown::default();
    for one in fewer_specimens() {
        provider.import_key(&one.spec(), one.secret.clone().into()).await.unwrap();
        let journal = provider.faults().journal();
        let said = [
            said_in_panic(|| journal.assert_never_handed(&one.parts)),
            said_in_panic(|| {
                let secret = one.parts[0].expose_secret();
                assert_no_secret(&format!("{secret:02x?}"), secret);
            }),
        ];
        for said in &said {
            shown.text(said);
        }
    }
    let answer = Answer::Key(provider.create(KeyAlg::Ed25519).await.unwrap());
    shown.debug(&answer);
    shown.assert_free_of(&parts_of(fewer_specimens()));
}

fn said_in_panic(call: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(call)).unwrap_err();
    let said = payload.downcast_ref::<String>().cloned();
    said.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap()
}
