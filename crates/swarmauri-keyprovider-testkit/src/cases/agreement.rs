//! Agreeing on secrets.

use swarmauri_keyprovider::Feature;
use swarmauri_keys::{
    Acceptance, KeyAlg, KeyErrorKind, KeyOperation, KeyRef, KeyVersion, PublicKey, SecretBytes,
};

use crate::Subject;
use crate::subject::{built, done, refused, spec};
use crate::suite::{CaseResult, NotApplicable};
use crate::vectors;

const ALG: KeyAlg = KeyAlg::X25519;

pub(crate) async fn both_sides_agree(on: Subject) -> CaseResult {
    let [ours, theirs, third] = three(&on).await?;
    let here = agree(&on, &ours, None, public(&theirs)).await;
    let there = agree(&on, &theirs, None, public(&ours)).await;
    assert!(here == there, "the two sides agree on different secrets");
    assert_eq!(here.len(), 32);
    assert!(here != agree(&on, &ours, None, public(&third)).await, "everybody agrees on one secret");
    assert!(here == agree(&on, &ours, None, public(&theirs)).await, "they agree on another secret each time");
    Ok(())
}

pub(crate) async fn the_secret_is_that_of_rfc_7748(on: Subject) -> CaseResult {
    on.doing(&[KeyOperation::Agree])?;
    if !on.can.import.contains(&ALG) {
        return Err(NotApplicable("imports no X25519 keys".to_owned()));
    }
    let bob = on.imported(built(spec(ALG)), vectors::secret_material(ALG)).await;
    let alice = vectors::pair(ALG).expect("X25519 has pairs").foreign_public();
    let agreed = agree(&on, &bob, None, &alice).await;
    assert!(agreed.expose_secret() == vectors::agreement(), "the secret is not that of section 6.1");
    Ok(())
}

pub(crate) async fn an_agreement_uses_the_version_asked_for(on: Subject) -> CaseResult {
    on.needs(Feature::Rotate)?;
    let [first, peer, _] = three(&on).await?;
    let peer = public(&peer);
    let old = agree(&on, &first, None, peer).await;
    let second = on.rotate(first.kid()).await;
    let new = agree(&on, &first, None, peer).await;
    assert!(new != old, "no version means the latest");
    assert!(old == agree(&on, &first, Some(first.version()), peer).await, "version 1 agrees as before");
    assert!(new == agree(&on, &first, Some(second.version()), peer).await, "version 2 is the latest");
    Ok(())
}

pub(crate) async fn a_peer_of_another_type_is_refused(on: Subject) -> CaseResult {
    on.doing(&[KeyOperation::Agree])?;
    let key = on.key(spec(ALG)).await;
    for alg in [KeyAlg::Ed25519, KeyAlg::EcdsaP256Sha256, KeyAlg::RsaPssSha256] {
        let peer = vectors::pair(alg).expect("it has pairs").public(alg);
        let agreed = on.work().agree(key.kid(), None, &peer, Acceptance::EnabledOnly).await;
        refused(agreed, KeyErrorKind::InvalidInput, &format!("agreeing with a key of {alg}"));
    }
    Ok(())
}

/// With them everybody agrees on zeros, whatever the keys (RFC 7748 section 6.1).
pub(crate) async fn a_peer_of_small_order_is_refused(on: Subject) -> CaseResult {
    on.doing(&[KeyOperation::Agree])?;
    let key = on.key(spec(ALG)).await;
    for raw in vectors::small_order() {
        let peer = PublicKey::X25519(raw);
        let agreed = on.work().agree(key.kid(), None, &peer, Acceptance::EnabledOnly).await;
        refused(agreed, KeyErrorKind::InvalidInput, &format!("agreeing with the point {raw:02x?}"));
    }
    Ok(())
}

/// Three keys; where none are created, there is but one to be imported.
async fn three(on: &Subject) -> Result<[KeyRef; 3], NotApplicable> {
    on.doing(&[KeyOperation::Agree])?;
    if !on.can.create.contains(&ALG) {
        return Err(NotApplicable("creates no X25519 keys".to_owned()));
    }
    Ok([on.key(spec(ALG)).await, on.key(spec(ALG)).await, on.key(spec(ALG)).await])
}

async fn agree(on: &Subject, key: &KeyRef, version: Option<KeyVersion>, peer: &PublicKey) -> SecretBytes {
    let agreed = on.work().agree(key.kid(), version, peer, Acceptance::EnabledOnly).await;
    done(agreed, "agreeing on a secret")
}

#[track_caller]
fn public(key: &KeyRef) -> &PublicKey {
    key.public_key().unwrap_or_else(|| panic!("a pair shows its public key under this policy"))
}
