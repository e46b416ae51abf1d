//! A mirror in mode `full`, which handles secrets on its own account, while much goes wrong.

use std::sync::Arc;

use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_mirrored::{MirrorMode, MirroredKeyProvider};
use swarmauri_keyprovider_testkit::{Fault, Faults, FaultyProvider, Lie, Method, capture_tracing_of};
use swarmauri_keys::{KeyError, KeyId};

use crate::shown::Shown;
use crate::specimens::{fewer_specimens, parts_of};

fn what_goes_wrong() -> Vec<Fault> {
    let lies = [Lie::WrongKey, Lie::ForgedFingerprint, Lie::SecretUnasked, Lie::SecretDropped, Lie::NotFound];
    let fails = [
        Fault::FailBefore(KeyError::unavailable("out")),
        Fault::FailAfter(KeyError::timeout("no answer")),
        Fault::FailBefore(KeyError::permission_denied("hardware")),
    ];
    fails.into_iter().chain(lies.map(Fault::Lie)).collect()
}

/// What a mirror shows of itself, whatever state it is in.
async fn look(mirror: &MirroredKeyProvider, shown: &mut Shown) {
    shown.debug(mirror);
    shown.debug(&mirror.jwks(&JwksQuery::ALL_LIVE).await);
    shown.debug(mirror.settings());
    shown.serialised(mirror.settings());
    let status = mirror.status();
    shown.debug(&status);
    shown.serialised(&status);
    let plan = mirror.plan_reconcile().await;
    shown.debug(&plan);
    shown.display(&plan);
    shown.serialised(&plan);
}

async fn read(mirror: &MirroredKeyProvider, kid: &KeyId, shown: &mut Shown) {
    for secrets in [Secrets::Include, Secrets::Omit] {
        let answer = mirror.get_key(kid, None, secrets).await;
        shown.debug(&answer);
        shown.error_of(answer);
    }
    shown.debug(&mirror.get_public_jwk(kid, None).await);
}

/// Imports and reads every specimen while one side does this to every call.
async fn live_with(mirror: &MirroredKeyProvider, side: &Faults, fault: &Fault, shown: &mut Shown) {
    for one in fewer_specimens() {
        side.fail_next(Method::ImportKey, fault.clone());
        side.fail_next(Method::GetKey, fault.clone());
        let imported = mirror.import_key(&one.spec(), one.secret.clone().into()).await;
        shown.debug(&imported);
        let Ok(key) = imported else { continue };
        side.set_all(Some(fault.clone()));
        read(mirror, key.kid(), shown).await;
        side.recover();
        side.fail_next(Method::DestroyKey, fault.clone());
        shown.debug(&mirror.destroy_key(key.kid(), None).await);
    }
    look(mirror, shown).await;
    let report = mirror.reconcile().await;
    shown.debug(&report);
    shown.serialised(&report);
}

#[tokio::test]
async fn promise_9_a_mirror_at_work_shows_and_traces_no_secret() {
    for at_primary in [true, false] {
        for fault in what_goes_wrong() {
            let primary = Arc::new(FaultyProvider::new(Arc::new(LocalKeyProvider::new())));
            let secondary = Arc::new(FaultyProvider::new(Arc::new(LocalKeyProvider::new())));
            let side = if at_primary { primary.faults() } else { secondary.faults() };
            let mirror =
                MirroredKeyProvider::builder(primary.clone(), secondary.clone()).mode(MirrorMode::Full);
            let mirror = mirror.build().unwrap();
            let mut shown = Shown::default();
            let ((), told) = capture_tracing_of(async {
                for one in fewer_specimens() {
                    let key = mirror.import_key(&one.spec(), one.secret.clone().into()).await.unwrap();
                    primary.faults().outage();
                    read(&mirror, key.kid(), &mut shown).await;
                    primary.faults().recover();
                }
                for journal in [primary.faults().journal(), secondary.faults().journal()] {
                    journal.clear(); // it is tested elsewhere, and long
                }
                live_with(&mirror, &side, &fault, &mut shown).await;
            })
            .await;
            assert!(!told.is_empty());
            shown.text(&told);
            shown.debug(&mirror.list_all_keys().await);
            shown.assert_free_of(&parts_of(fewer_specimens()));
        }
    }
}
