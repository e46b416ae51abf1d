//! Promise 5, by everything that the secondary was ever handed, in every mode.

use swarmauri_keyprovider::{KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_mirrored::MirrorMode;
use swarmauri_keyprovider_testkit::{Fault, Method, secret_parts};
use swarmauri_keys::{ExportPolicy, KeyAlg, KeyError, KeyId, KeyType, SecretBytes, SecretMaterial};

use crate::support::{Sides, octets, sides, spec};

const MODES: [MirrorMode; 3] = [MirrorMode::PublicOnly, MirrorMode::Full, MirrorMode::None];

/// Secrets, by whether the secondary may have them.
#[derive(Default)]
struct Known {
    allowed: Vec<SecretBytes>,
    /// Piece by piece.
    forbidden: Vec<SecretBytes>,
    /// The names that full replicas have.
    allowed_ids: Vec<String>,
}

/// Secrets whose bytes we know, although policy lets nobody read them later: imported ones.
async fn donated(alg: KeyAlg) -> SecretMaterial {
    let donor = LocalKeyProvider::new();
    let spec = spec(alg, ExportPolicy::SecretWhenAllowed).build().unwrap();
    let key = donor.create_key(&spec).await.unwrap();
    donor.get_key(key.kid(), None, Secrets::Include).await.unwrap().secret().unwrap().clone()
}

/// A life of keys of one algorithm and policy, in which much goes wrong.
async fn live(sides: &Sides, alg: KeyAlg, policy: ExportPolicy) -> (SecretMaterial, Vec<KeyId>) {
    let spec = spec(alg, policy).build().unwrap();
    let secret = donated(alg).await;
    let imported = sides.mirror.import_key(&spec, secret.clone().into()).await.unwrap();
    let lost = Fault::FailAfter(KeyError::timeout("no answer"));
    sides.secondary.fail_next(Method::ImportKey, lost);
    let mut kids = vec![imported.kid().clone()];
    if alg.key_type() != KeyType::Rsa {
        sides.mirror.rotate(imported.kid()).await.unwrap();
        sides.secondary.outage();
        kids.push(sides.mirror.create_key(&spec).await.unwrap().kid().clone());
        sides.secondary.recover();
    }
    sides.secondary.clear();
    sides.primary.outage();
    for kid in &kids {
        let _ = sides.mirror.get_key(kid, None, Secrets::Omit).await;
        let _ = sides.mirror.get_key(kid, None, Secrets::Include).await;
    }
    sides.primary.recover();
    assert!(sides.mirror.reconcile().await.is_clean());
    (secret, kids)
}

/// What we know of these keys afterwards, past all policy but the primary's own.
async fn known(sides: &Sides, mode: MirrorMode) -> Known {
    let mut known = Known::default();
    for alg in KeyAlg::ALL.iter().copied() {
        for policy in ExportPolicy::ALL.iter().copied() {
            let (imported, kids) = live(sides, alg, policy).await;
            if mode != MirrorMode::Full || policy != ExportPolicy::SecretWhenAllowed {
                known.forbidden.extend(secret_parts(alg, &imported));
            }
            for kid in kids {
                for version in sides.primary_keys.list_versions(&kid).await.unwrap() {
                    let read = sides.primary_keys.get_key(&kid, Some(version), Secrets::Include).await;
                    let Ok(key) = read else { continue };
                    if mode == MirrorMode::Full {
                        known.allowed.push(octets(key.secret().unwrap()));
                        known.allowed_ids.push(key.id().to_string());
                    } else {
                        known.forbidden.extend(secret_parts(alg, key.secret().unwrap()));
                    }
                }
            }
        }
    }
    known
}

#[tokio::test]
async fn promise_5_in_no_mode_does_the_secondary_get_private_material_that_it_may_not_have() {
    for mode in MODES {
        let sides = sides(mode);
        let known = known(&sides, mode).await;
        let journal = sides.secondary.journal();

        journal.assert_never_handed(&known.forbidden);
        let handed = journal.secret_bytes_handed();
        for secret in &handed {
            assert!(known.allowed.contains(secret), "{mode}: a secret that policy keeps was handed over");
        }
        for secret in &known.allowed {
            assert!(handed.contains(secret), "{mode}: a secret that policy lets out was not copied");
        }
        for call in journal.calls_of(Method::ImportKey) {
            let name = call.spec.as_ref().and_then(|spec| spec.kid()).unwrap().to_string();
            let may_be_private = known.allowed_ids.contains(&name);
            assert_eq!(call.public_only, Some(!may_be_private), "{mode}: {name}");
        }
        for method in [Method::CreateKey, Method::RotateKey, Method::Hkdf] {
            assert!(journal.calls_of(method).is_empty(), "{mode}: keys are made on the primary");
        }
        if mode == MirrorMode::None {
            assert!(journal.calls_of(Method::ImportKey).is_empty());
        }
    }
}

#[tokio::test]
async fn promise_5_no_mode_but_full_as_much_as_asks_the_primary_for_a_secret_to_copy() {
    for mode in MODES {
        let sides = sides(mode);
        for alg in [KeyAlg::Ed25519, KeyAlg::HmacSha256] {
            for policy in ExportPolicy::ALL.iter().copied() {
                let spec = spec(alg, policy).build().unwrap();
                let key = sides.mirror.create_key(&spec).await.unwrap();
                let asked = sides.primary.journal().secret_reads();
                let asked = asked.iter().any(|call| call.kid.as_ref() == Some(key.kid()));
                let may_ask = mode == MirrorMode::Full && policy == ExportPolicy::SecretWhenAllowed;
                assert_eq!(asked, may_ask, "{mode} {alg} {policy}");
            }
        }
    }
}

#[tokio::test]
async fn promise_5_what_lies_on_the_secondary_gives_a_secret_out_only_where_the_primary_does() {
    for mode in MODES {
        let sides = sides(mode);
        let known = known(&sides, mode).await;
        let mut full = 0;
        for replica in sides.secondary_keys.list_all_keys().await.unwrap() {
            let read = sides.secondary_keys.get_key(&replica.kid, None, Secrets::Include).await;
            let allowed = known.allowed_ids.contains(&replica.kid.to_string());
            assert_eq!(read.is_ok(), allowed, "{mode}: {}", replica.kid);
            full += usize::from(allowed);
        }
        assert_eq!(full, known.allowed_ids.len(), "{mode}");
    }
}
