//! Mode `full`: secrets survive an outage where policy allows, and are clearly refused where not.

use swarmauri_keyprovider::{KeyProvider, KeyProviderExt};
use swarmauri_keyprovider_mirrored::{Fidelity, KeptReason, MirrorMode};
use swarmauri_keys::{ExportPolicy, KeyAlg, KeyErrorKind, KeyId, KeyType, KeyVersion};

use crate::support::{Sides, is_symmetric, octets, sides, spec, view};

struct Made {
    kid: KeyId,
    alg: KeyAlg,
    policy: ExportPolicy,
    versions: Vec<KeyVersion>,
}

impl Made {
    fn secret_is_allowed(&self) -> bool {
        self.policy == ExportPolicy::SecretWhenAllowed
    }

    fn is_published(&self) -> bool {
        self.policy != ExportPolicy::None && !is_symmetric(self.alg)
    }

    /// Each version by its number, and the latest without.
    fn reads(&self) -> impl Iterator<Item = Option<KeyVersion>> {
        self.versions.iter().copied().map(Some).chain([None])
    }
}

/// A key of every algorithm under every policy, all but RSA keys rotated.
async fn populated(sides: &Sides) -> Vec<Made> {
    let mut made = Vec::new();
    for alg in KeyAlg::ALL.iter().copied() {
        for policy in ExportPolicy::ALL.iter().copied() {
            let key = sides.mirror.create_key(&spec(alg, policy).build().unwrap()).await.unwrap();
            if alg.key_type() != KeyType::Rsa {
                sides.mirror.rotate(key.kid()).await.unwrap();
            }
            let versions = sides.mirror.list_versions(key.kid()).await.unwrap();
            made.push(Made { kid: key.kid().clone(), alg, policy, versions });
        }
    }
    made
}

#[tokio::test]
async fn promises_5_and_6_in_mode_full_secrets_are_the_same_in_an_outage_or_clearly_refused() {
    let sides = sides(MirrorMode::Full);
    let made = populated(&sides).await;
    let published: Vec<_> = made.iter().filter(|key| key.is_published()).map(|key| &key.kid).collect();
    let before = view(&sides.mirror, published.iter().copied()).await.unwrap();
    let mut secrets = Vec::new();
    for key in &made {
        for version in key.reads() {
            match sides.secret(&key.kid, version).await {
                Ok(secret) if key.secret_is_allowed() => secrets.push((key, version, octets(&secret))),
                Err(error) if !key.secret_is_allowed() => {
                    assert_eq!(error.kind(), KeyErrorKind::PermissionDenied, "{} {}", key.alg, key.policy);
                }
                other => panic!("{} {}: {:?}", key.alg, key.policy, other.map(|_| "a secret")),
            }
        }
    }
    assert_eq!(secrets.len(), 5 * 3 + 2 * 2);

    sides.primary.outage();
    view(&sides.mirror, published).await.unwrap().assert_same(&before);
    for (key, version, before) in secrets {
        let now = octets(&sides.secret(&key.kid, version).await.unwrap());
        assert!(now == before, "{} {version:?}: another secret", key.alg);
    }
    for key in made.iter().filter(|key| !key.secret_is_allowed()) {
        for version in key.reads() {
            let error = sides.secret(&key.kid, version).await.unwrap_err();
            // Of what was not copied at all, nobody but the primary knows the policy.
            let kind =
                if key.is_published() { KeyErrorKind::PermissionDenied } else { KeyErrorKind::Unavailable };
            assert_eq!(error.kind(), kind, "{} {}: {error}", key.alg, key.policy);
        }
    }
}

#[tokio::test]
async fn promise_6_in_mode_full_the_secret_of_a_lost_key_is_not_found_and_its_public_half_is() {
    let sides = sides(MirrorMode::Full);
    let made = populated(&sides).await;
    let published: Vec<_> = made.iter().filter(|key| key.is_published()).map(|key| &key.kid).collect();
    let before = view(&sides.mirror, published.iter().copied()).await.unwrap();

    sides.lose(made.iter().map(|key| &key.kid)).await;
    view(&sides.mirror, published).await.unwrap().assert_same(&before);
    for key in &made {
        for version in key.reads() {
            let error = sides.secret(&key.kid, version).await.unwrap_err();
            assert_eq!(error.kind(), KeyErrorKind::NotFound, "{} {}", key.alg, key.policy);
        }
    }
}

#[tokio::test]
async fn mode_full_says_what_it_copied_and_why_it_kept_the_rest() {
    let sides = sides(MirrorMode::Full);
    let made = populated(&sides).await;
    let versions = |wanted: fn(&&Made) -> bool| -> usize {
        made.iter().filter(wanted).map(|key| key.versions.len()).sum()
    };
    let status = sides.mirror.status();
    assert_eq!(status.replicas[&Fidelity::Full], versions(|key| key.secret_is_allowed()));
    assert_eq!(
        status.replicas[&Fidelity::PublicOnlyFallback],
        versions(|key| key.is_published() && !key.secret_is_allowed())
    );
    assert_eq!(
        status.kept[&KeptReason::NoPublicPart],
        versions(|key| is_symmetric(key.alg) && !key.secret_is_allowed())
    );
    assert_eq!(
        status.kept[&KeptReason::Policy],
        versions(|key| key.policy == ExportPolicy::None && !is_symmetric(key.alg))
    );
    assert!(status.backlog.is_empty());
}
