//! Creating keys.

use swarmauri_keyprovider::{Feature, Secrets};
use swarmauri_keys::{ExportPolicy, KeyErrorKind, KeyState, KeyUse, KeyVersion};

use crate::Subject;
use crate::subject::{built, done, kid, refused, spec};
use crate::suite::CaseResult;

pub(crate) async fn a_new_key_is_as_its_spec_says(on: Subject) -> CaseResult {
    on.any()?;
    for alg in on.quick() {
        let one_use: KeyUse = alg.uses()[0];
        for policy in ExportPolicy::ALL {
            let wanted = spec(alg).uses([one_use]).export_policy(*policy).label("a label").tag("env", "prod");
            let wanted = built(wanted);
            let key = done(on.create_key(&wanted).await, "creating");
            assert_eq!((key.version(), key.state()), (KeyVersion::FIRST, KeyState::Enabled));
            assert_eq!(done(key.spec(), "the spec of the new key"), wanted);
        }
    }
    Ok(())
}

pub(crate) async fn a_drawn_kid_is_random_and_has_no_dot(on: Subject) -> CaseResult {
    let alg = on.any()?;
    let keys = [on.create(spec(alg)).await, on.create(spec(alg)).await];
    assert_ne!(keys[0].kid(), keys[1].kid(), "two keys of one spec are two keys");
    assert_ne!(keys[0].fingerprint(), keys[1].fingerprint(), "two keys of one spec are two keys");
    for key in &keys {
        assert!(!key.kid().as_str().contains('.'), "a drawn kid has no dot, {:?} has", key.kid());
    }
    Ok(())
}

pub(crate) async fn a_chosen_kid_is_used(on: Subject) -> CaseResult {
    on.needs(Feature::ChosenKid)?;
    let key = on.create(spec(on.any()?).kid(kid("chosen"))).await;
    assert_eq!(key.kid(), &kid("chosen"));
    let read = done(on.get_key(&kid("chosen"), None, Secrets::Omit).await, "reading by the chosen kid");
    assert_eq!(read.parts(), key.parts());
    Ok(())
}

pub(crate) async fn a_taken_kid_is_a_conflict(on: Subject) -> CaseResult {
    on.needs(Feature::ChosenKid)?;
    let wanted = spec(on.any()?).kid(kid("taken"));
    let first = on.create(wanted.clone()).await;
    let before = on.snapshot().await;
    refused(on.create_key(&built(wanted)).await, KeyErrorKind::Conflict, "creating at a taken kid");
    assert_eq!(on.snapshot().await, before, "a refused create changes nothing");
    let read = done(on.get_key(&kid("taken"), None, Secrets::Omit).await, "reading the first key");
    assert_eq!(read.parts(), first.parts(), "a refused create changes nothing");
    Ok(())
}

/// A `kid` is a name, and neither a path, a pattern, nor a reference.
pub(crate) async fn awkward_kids_are_only_names(on: Subject) -> CaseResult {
    on.needs(Feature::ChosenKid)?;
    let alg = on.any()?;
    let longest = "k".repeat(256);
    let names =
        ["..", ".", "a/../b", "/", "a.1", "a", "A", "*", "%", "x:y@2", "clé 鍵", "a\\b", "latest", &longest];
    for name in names {
        on.create(spec(alg).kid(kid(name)).label(name)).await;
    }
    for name in names {
        let key = done(on.get_key(&kid(name), None, Secrets::Omit).await, &format!("reading {name:?}"));
        assert_eq!((key.kid().as_str(), key.label()), (name, Some(name)), "each kid has its own key");
    }
    if on.can.has(Feature::Destroy) {
        for (gone, name) in names.iter().enumerate() {
            assert!(done(on.destroy_key(&kid(name), None).await, "destroying"), "{name:?} was there");
            for other in &names[gone + 1..] {
                let read = on.get_key(&kid(other), None, Secrets::Omit).await;
                done(read, &format!("reading {other:?} after {name:?} was destroyed"));
            }
        }
    }
    Ok(())
}

pub(crate) async fn a_pair_has_its_public_half_and_thumbprint(on: Subject) -> CaseResult {
    on.pair()?;
    for alg in on.quick() {
        let key = on.create(spec(alg)).await;
        let Some(public) = key.public_key() else {
            assert_eq!(alg.class(), swarmauri_keys::KeyClass::Symmetric, "a {alg} key has a public half");
            continue;
        };
        assert_eq!(public.key_type(), alg.key_type());
        assert_eq!(key.fingerprint(), &public.thumbprint(), "the fingerprint of a pair is its thumbprint");
        assert_eq!(key.size_bits(), public.size_bits());
    }
    Ok(())
}

pub(crate) async fn a_symmetric_key_has_no_public_half(on: Subject) -> CaseResult {
    let alg = on.symmetric()?;
    let key = on.create(spec(alg)).await;
    assert_eq!(key.public_key(), None);
    refused(key.public_jwk(), KeyErrorKind::Unsupported, "the public JWK of a symmetric key");
    Ok(())
}

pub(crate) async fn policy_none_shows_no_public_key(on: Subject) -> CaseResult {
    let alg = on.pair()?;
    let key = on.create(spec(alg).export_policy(ExportPolicy::None)).await;
    assert_eq!(key.public_key(), None, "the answer of create holds what policy none keeps");
    let read = done(on.get_key(key.kid(), None, Secrets::Omit).await, "reading");
    assert_eq!(read.public_key(), None, "the answer of get_key holds what policy none keeps");
    Ok(())
}
