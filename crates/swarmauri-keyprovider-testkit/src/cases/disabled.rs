//! Work with versions that are disabled.

use swarmauri_keyprovider::Feature;
use swarmauri_keys::{Acceptance, KeyAlg, KeyErrorKind, KeyOperation, KeyRef, VerifyWith};

use crate::Subject;
use crate::cases::states::disable;
use crate::cases::uses::readable;
use crate::subject::{done, refused, spec};
use crate::suite::{CaseResult, NotApplicable};
use crate::work::{Input, MESSAGE};

pub(crate) async fn a_disabled_version_does_no_work(on: Subject) -> CaseResult {
    on.needs(Feature::Disable)?;
    for (alg, operations) in work_by_alg(&on)? {
        let key = on.key(spec(alg)).await;
        let input = on.input(&key).await;
        disable(&on, &key).await;
        for operation in operations {
            for version in [None, Some(key.version())] {
                let worked = on.attempt(operation, key.kid(), version, &input, Acceptance::EnabledOnly).await;
                refused(worked, KeyErrorKind::Disabled, &format!("{operation} with a disabled version"));
            }
        }
    }
    Ok(())
}

pub(crate) async fn what_a_disabled_version_has_made_is_read_if_accepted(on: Subject) -> CaseResult {
    on.needs(Feature::Disable)?;
    let mut checked = 0;
    for (alg, operations) in work_by_alg(&on)? {
        let key = on.key(spec(alg)).await;
        let input = on.input(&key).await;
        let before = agreed(&on, &key, &operations).await;
        disable(&on, &key).await;
        for operation in operations.iter().copied().filter(|one| !one.makes() && readable(&on, *one, alg)) {
            for version in [None, Some(key.version())] {
                let worked =
                    on.attempt(operation, key.kid(), version, &input, Acceptance::AllowDisabled).await;
                done(worked, &format!("{operation} with a disabled version, accepted,"));
                checked += 1;
            }
        }
        assert!(before == agreed(&on, &key, &operations).await, "it agrees on another secret when disabled");
    }
    if checked == 0 { Err(NotApplicable("reads nothing".to_owned())) } else { Ok(()) }
}

pub(crate) async fn no_older_version_does_the_work_of_a_disabled_latest(on: Subject) -> CaseResult {
    on.needs(Feature::Disable)?;
    on.needs(Feature::Rotate)?;
    let all = work_by_alg(&on)?;
    let quick = on.quick_of(all.iter().map(|(alg, _)| *alg).collect())?;
    for (alg, operations) in all.into_iter().filter(|(alg, _)| quick.contains(alg)) {
        let first = on.key(spec(alg)).await;
        let input = on.input(&first).await;
        let second = on.rotate(first.kid()).await;
        disable(&on, &second).await;
        for operation in operations.into_iter().filter(|one| readable(&on, *one, alg)) {
            let accept = Acceptance::EnabledOnly;
            let worked = on.attempt(operation, first.kid(), Some(first.version()), &input, accept).await;
            done(worked, &format!("{operation} with the version before a disabled one"));
            if operation.makes() || operation == KeyOperation::Agree {
                let worked = on.attempt(operation, first.kid(), None, &input, accept).await;
                refused(
                    worked,
                    KeyErrorKind::Disabled,
                    &format!("{operation} with a disabled latest version"),
                );
            }
        }
    }
    Ok(())
}

pub(crate) async fn any_live_passes_over_disabled_versions(on: Subject) -> CaseResult {
    on.needs(Feature::Disable)?;
    on.needs(Feature::Rotate)?;
    for alg in on.quick_of(on.signing()?)? {
        let first = on.key(spec(alg)).await;
        let old = done(on.sign(&first, None, MESSAGE).await, "signing with version 1").bytes;
        let second = on.rotate(first.kid()).await;
        let new = done(on.sign(&first, None, MESSAGE).await, "signing with version 2").bytes;
        disable(&on, &first).await;
        let any = VerifyWith::AnyLive;
        let verified = on.verify(&first, any, MESSAGE, &new).await;
        assert_eq!(done(verified, "verifying with the version that is left"), second.version());
        let verified = on.verify(&first, any, MESSAGE, &old).await;
        refused(verified, KeyErrorKind::NotAuthentic, "a signature of the one that is passed over");
        let accepted = accepting(&on, &first, &old).await;
        assert_eq!(accepted, first.version(), "it is not passed over if accepted");
        disable(&on, &second).await;
        let verified = on.verify(&first, any, MESSAGE, &new).await;
        refused(verified, KeyErrorKind::Disabled, "verifying when no version is left");
        assert_eq!(accepting(&on, &first, &new).await, second.version());
    }
    Ok(())
}

pub(crate) async fn an_enabled_version_works_again(on: Subject) -> CaseResult {
    on.needs(Feature::Disable)?;
    for (alg, operations) in work_by_alg(&on)? {
        let key = on.key(spec(alg)).await;
        let input = on.input(&key).await;
        disable(&on, &key).await;
        done(on.enable_key(key.kid(), key.version()).await, "enabling");
        for operation in operations.into_iter().filter(|one| readable(&on, *one, alg)) {
            for version in [None, Some(key.version())] {
                let accept = Acceptance::EnabledOnly;
                let worked = on.attempt(operation, key.kid(), version, &input, accept).await;
                done(worked, &format!("{operation} with a version that is enabled again"));
            }
        }
    }
    Ok(())
}

/// The algorithms that there is work for, with all of it.
fn work_by_alg(on: &Subject) -> Result<Vec<(KeyAlg, Vec<KeyOperation>)>, NotApplicable> {
    let all = on.all_work()?;
    let of = |alg: KeyAlg| all.iter().filter(|work| work.1 == alg).map(|work| work.0).collect::<Vec<_>>();
    let each = KeyAlg::ALL.iter().map(|alg| (*alg, of(*alg)));
    Ok(each.filter(|(_, operations)| !operations.is_empty()).collect())
}

/// What the key agrees on with another, if it does, disabled or not.
async fn agreed(
    on: &Subject,
    key: &KeyRef,
    operations: &[KeyOperation],
) -> Option<swarmauri_keys::SecretBytes> {
    if !operations.contains(&KeyOperation::Agree) {
        return None;
    }
    let peer = Input::made_up(key.id(), key.alg()).peer;
    let agreed = on.work().agree(key.kid(), None, &peer, Acceptance::AllowDisabled).await;
    Some(done(agreed, "agreeing on a secret"))
}

/// Which version a signature is of, disabled ones included.
async fn accepting(on: &Subject, key: &KeyRef, bytes: &[u8]) -> swarmauri_keys::KeyVersion {
    let (with, accept) = (VerifyWith::AnyLive, Acceptance::AllowDisabled);
    let verified = match key.alg() {
        KeyAlg::HmacSha256 => on.work().verify_mac(key.kid(), with, MESSAGE, bytes, accept).await,
        _ => on.work().verify(key.kid(), with, MESSAGE, bytes, accept).await,
    };
    done(verified, "verifying with disabled versions accepted")
}
