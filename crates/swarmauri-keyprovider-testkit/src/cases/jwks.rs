//! Public JWKs and JWKS documents. Other keys than those of the case may be there.

use std::collections::BTreeSet;

use swarmauri_keyprovider::{Feature, JwksQuery};
use swarmauri_keys::{ExportPolicy, Jwk, JwkSet, KeyErrorKind, KeyId, KeyMaterial, KeyRef, KeyVersionId};

use crate::Subject;
use crate::subject::{built, done, kid, refused, spec, version};
use crate::suite::CaseResult;

pub(crate) async fn a_public_jwk_has_all_members(on: Subject) -> CaseResult {
    on.needs(Feature::Jwks)?;
    on.pair()?;
    for key in pairs(&on).await {
        for version in [None, Some(key.version())] {
            let jwk = done(on.get_public_jwk(key.kid(), version).await, "the public JWK");
            assert_eq!(Some(&jwk.key), key.public_key());
            assert_eq!(jwk, done(key.public_jwk(), "the public JWK of the reference"));
            let json = serde_json::to_value(&jwk).expect("a JWK is JSON");
            assert_eq!(json["kid"], format!("{}.{}", key.kid(), key.version()));
            assert_eq!(json["alg"], key.alg().jose_alg());
            assert_eq!(json["use"], key.alg().jwk_use());
            for member in members(&json) {
                assert!(json[member].is_string(), "the public JWK of a {} key lacks {member}", key.alg());
            }
        }
    }
    Ok(())
}

pub(crate) async fn symmetric_keys_have_no_jwk(on: Subject) -> CaseResult {
    on.needs(Feature::Jwks)?;
    let key = on.create(spec(on.symmetric()?).export_policy(ExportPolicy::SecretWhenAllowed)).await;
    let jwk = on.get_public_jwk(key.kid(), None).await;
    refused(jwk, KeyErrorKind::Unsupported, "the public JWK of a symmetric key");
    for query in [JwksQuery::LATEST, JwksQuery::ALL_LIVE] {
        assert_eq!(published(&on, &query, &[&key]).await, [], "a symmetric key is in the JWKS");
    }
    Ok(())
}

pub(crate) async fn policy_none_keeps_the_jwk(on: Subject) -> CaseResult {
    on.needs(Feature::Jwks)?;
    let key = on.create(spec(on.pair()?).export_policy(ExportPolicy::None)).await;
    let jwk = on.get_public_jwk(key.kid(), None).await;
    refused(jwk, KeyErrorKind::PermissionDenied, "the public JWK of a key of policy none");
    for query in [JwksQuery::LATEST, JwksQuery::ALL_LIVE] {
        assert_eq!(published(&on, &query, &[&key]).await, [], "a key of policy none is in the JWKS");
    }
    Ok(())
}

pub(crate) async fn absent_keys_have_no_jwk(on: Subject) -> CaseResult {
    on.needs(Feature::Jwks)?;
    let jwk = on.get_public_jwk(&kid("absent"), None).await;
    refused(jwk, KeyErrorKind::NotFound, "the public JWK of an absent key");
    let key = on.create(spec(on.pair()?)).await;
    let jwk = on.get_public_jwk(key.kid(), Some(version(2))).await;
    refused(jwk, KeyErrorKind::NotFound, "the public JWK of an absent version");
    Ok(())
}

/// One key that has no JWK does not spoil the document for the others.
pub(crate) async fn the_jwks_holds_the_latest_of_each_pair(on: Subject) -> CaseResult {
    on.needs(Feature::Jwks)?;
    on.pair()?;
    if let Ok(alg) = on.symmetric() {
        on.create(spec(alg)).await;
    }
    on.create(spec(on.pair()?).export_policy(ExportPolicy::None)).await;
    let mut latest = pairs(&on).await;
    if on.can.has(Feature::Rotate) {
        for key in &mut latest {
            *key = on.rotate(key.kid()).await;
        }
    }
    let keys: Vec<_> = latest.iter().collect();
    let mut wanted: Vec<_> = latest.iter().map(|key| done(key.public_jwk(), "a public JWK")).collect();
    wanted.sort_by_key(Jwk::version_id);
    assert_eq!(published(&on, &JwksQuery::LATEST, &keys).await, wanted);
    Ok(())
}

pub(crate) async fn the_jwks_of_all_live_holds_every_version(on: Subject) -> CaseResult {
    on.needs(Feature::Jwks)?;
    on.needs(Feature::Rotate)?;
    let first = on.create(spec(on.pair()?)).await;
    let (second, third) = (on.rotate(first.kid()).await, on.rotate(first.kid()).await);
    let mut live = vec![&first, &second, &third];
    if on.can.has(Feature::Destroy) {
        done(on.destroy_key(first.kid(), Some(second.version())).await, "destroying version 2");
        live.remove(1);
    }
    let wanted: Vec<_> = live.iter().map(|key| done(key.public_jwk(), "a public JWK")).collect();
    assert_eq!(published(&on, &JwksQuery::ALL_LIVE, &[&first]).await, wanted);
    Ok(())
}

/// By the bare `kid`, which is another order than that of `"<kid>.<version>"`, and by the number.
pub(crate) async fn the_jwks_is_sorted_by_kid_then_version(on: Subject) -> CaseResult {
    on.needs(Feature::Jwks)?;
    let alg = on.pair()?;
    if on.can.has(Feature::ChosenKid) {
        for name in ["b", "a!", "a", "a.1", "B"] {
            on.create(spec(alg).kid(kid(name))).await;
        }
    }
    let key = on.create(spec(alg)).await;
    if on.can.has(Feature::Rotate) {
        for _ in 0..10 {
            on.rotate(key.kid()).await;
        }
    }
    for query in [JwksQuery::LATEST, JwksQuery::ALL_LIVE] {
        let jwks = done(on.jwks(&query).await, "the JWKS");
        let ids: Vec<_> = jwks.keys.iter().map(id).collect();
        assert!(ids.is_sorted(), "the JWKS is not sorted: {ids:?}");
    }
    Ok(())
}

pub(crate) async fn a_prefix_goes_by_the_bare_kid(on: Subject) -> CaseResult {
    on.needs(Feature::Jwks)?;
    on.needs(Feature::ChosenKid)?;
    let alg = on.pair()?;
    for name in ["signing", "signing-2", "sign", "other", "Signing", "s.1"] {
        on.create(spec(alg).kid(kid(name))).await;
    }
    for (prefix, wanted) in [
        ("sign", &["sign", "signing", "signing-2"][..]),
        ("signing", &["signing", "signing-2"]),
        ("sign.1", &[]),
        ("s.1", &["s.1"]),
        ("igning", &[]),
        ("", &["Signing", "other", "s.1", "sign", "signing", "signing-2"]),
    ] {
        for query in [JwksQuery::LATEST, JwksQuery::ALL_LIVE] {
            let jwks = done(on.jwks(&query.with_prefix(prefix)).await, "the JWKS of a prefix");
            let kids: Vec<_> = jwks.keys.iter().map(|jwk| id(jwk).kid).collect();
            assert!(kids.iter().map(KeyId::as_str).eq(wanted.iter().copied()), "prefix {prefix:?}: {kids:?}");
        }
    }
    Ok(())
}

pub(crate) async fn the_jwks_follows_rotation_and_destruction(on: Subject) -> CaseResult {
    on.needs(Feature::Jwks)?;
    on.needs(Feature::Rotate)?;
    on.needs(Feature::Destroy)?;
    let first = on.create(spec(on.pair()?)).await;
    let latest = async |wanted: &[&KeyRef]| {
        let wanted: Vec<_> = wanted.iter().map(|key| done(key.public_jwk(), "a public JWK")).collect();
        assert_eq!(published(&on, &JwksQuery::LATEST, &[&first]).await, wanted);
    };
    latest(&[&first]).await;
    let second = on.rotate(first.kid()).await;
    latest(&[&second]).await;
    done(on.destroy_key(first.kid(), Some(second.version())).await, "destroying version 2");
    latest(&[&first]).await;
    done(on.destroy_key(first.kid(), None).await, "destroying the key");
    latest(&[]).await;
    Ok(())
}

pub(crate) async fn the_jwks_holds_public_imports(on: Subject) -> CaseResult {
    on.needs(Feature::Jwks)?;
    let (alg, public) = on.public_import()?;
    let imported = on.import_key(&built(spec(alg)), KeyMaterial::Public(public.clone())).await;
    let key = done(imported, "importing a public key");
    let [jwk] = &published(&on, &JwksQuery::LATEST, &[&key]).await[..] else {
        panic!("it is not in the JWKS")
    };
    assert_eq!(jwk.key, public);
    Ok(())
}

pub(crate) async fn a_jwks_survives_serialisation_without_private_members(on: Subject) -> CaseResult {
    on.needs(Feature::Jwks)?;
    on.pair()?;
    pairs(&on).await;
    let jwks = done(on.jwks(&JwksQuery::ALL_LIVE).await, "the JWKS");
    let json = serde_json::to_value(&*jwks).expect("a JWKS is JSON");
    for key in json["keys"].as_array().expect("a JWKS is a list of keys") {
        let mut allowed: BTreeSet<_> = ["kty", "alg", "use", "kid"].into();
        allowed.extend(members(key));
        let foreign: Vec<_> = key.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        assert!(foreign.iter().all(|name| allowed.contains(name)), "a JWK has {foreign:?}");
    }
    let back: JwkSet = serde_json::from_value(json).expect("our own JWKS can be read");
    assert_eq!(back, *jwks);
    Ok(())
}

/// One key pair of each quick algorithm.
async fn pairs(on: &Subject) -> Vec<KeyRef> {
    let mut pairs = Vec::new();
    for alg in on.quick() {
        let key = on.create(spec(alg)).await;
        pairs.extend(Some(key).filter(|key| key.public_key().is_some()));
    }
    pairs
}

/// What the JWKS has of these keys, in its order.
pub(crate) async fn published(on: &Subject, query: &JwksQuery, of: &[&KeyRef]) -> Vec<Jwk> {
    let jwks = done(on.jwks(query).await, "the JWKS");
    let kids: BTreeSet<_> = of.iter().map(|key| key.kid()).collect();
    jwks.keys.iter().filter(|jwk| kids.contains(&id(jwk).kid)).cloned().collect()
}

#[track_caller]
fn id(jwk: &Jwk) -> KeyVersionId {
    jwk.version_id()
        .unwrap_or_else(|| panic!("a JWK has the kid {:?}, which is not <kid>.<version>", jwk.kid))
}

/// The members of the key itself: RFC 7518 sections 6.2.1 and 6.3.1, RFC 8037 section 2.
fn members(jwk: &serde_json::Value) -> &'static [&'static str] {
    match jwk["kty"].as_str() {
        Some("OKP") => &["crv", "x"],
        Some("EC") => &["crv", "x", "y"],
        Some("RSA") => &["n", "e"],
        other => panic!("a public JWK has the kty {other:?}"),
    }
}
