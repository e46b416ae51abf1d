//! Reading by `[<provider>:]<kid>[@<version>]`.

use swarmauri_keyprovider::{Feature, KeyReference, Secrets};
use swarmauri_keys::{KeyErrorKind, KeyId};

use crate::Subject;
use crate::subject::{done, exportable, refused, refused_as, spec, version};
use crate::suite::CaseResult;

pub(crate) async fn a_reference_finds_what_it_names(on: Subject) -> CaseResult {
    let first = on.create(spec(on.any()?)).await;
    let latest = if on.can.has(Feature::Rotate) { on.rotate(first.kid()).await } else { first.clone() };
    let bare = KeyReference::new(first.kid().clone(), None).to_string();
    let named = format!("{}:{bare}", on.name());
    for (text, wanted) in [
        (bare.clone(), &latest),
        (named.clone(), &latest),
        (format!("{bare}@{}", first.version()), &first),
        (format!("{named}@{}", first.version()), &first),
    ] {
        let key = done(on.get_key_by_ref(&parsed(&text), Secrets::Omit).await, &text);
        assert_eq!(key.parts(), wanted.parts(), "{text}");
        assert!(key.secret().is_none(), "{text} gave a secret that was not asked for");
    }
    Ok(())
}

pub(crate) async fn a_reference_to_another_provider_is_refused(on: Subject) -> CaseResult {
    let key = on.create(spec(on.any()?)).await;
    for other in [format!("Not{}", on.name()), on.name().to_lowercase() + "x"] {
        let text = format!("{other}:{}", KeyReference::new(key.kid().clone(), None));
        let read = on.get_key_by_ref(&parsed(&text), Secrets::Omit).await;
        refused(read, KeyErrorKind::InvalidInput, &text);
    }
    Ok(())
}

pub(crate) async fn a_reference_to_an_absent_key_is_not_found(on: Subject) -> CaseResult {
    let read = on.get_key_by_ref(&parsed("absent"), Secrets::Omit).await;
    refused(read, KeyErrorKind::NotFound, "a reference to an absent key");
    let key = on.create(spec(on.any()?)).await;
    let absent = KeyReference::new(KeyId::clone(key.kid()), Some(version(7)));
    let read = on.get_key_by_ref(&absent, Secrets::Omit).await;
    refused(read, KeyErrorKind::NotFound, "a reference to an absent version");
    Ok(())
}

pub(crate) async fn a_reference_obeys_the_policy(on: Subject) -> CaseResult {
    use KeyErrorKind::{PermissionDenied, Unsupported};
    let alg = on.any()?;
    let (kept, exported) = (on.create(spec(alg)).await, on.create(exportable(alg)).await);
    let reference = KeyReference::new(kept.kid().clone(), None);
    let read = on.get_key_by_ref(&reference, Secrets::Include).await;
    let kinds = if on.can.has(Feature::ExportSecret) {
        &[PermissionDenied][..]
    } else {
        &[PermissionDenied, Unsupported]
    };
    refused_as(read, kinds, "the secret of a reference, which policy keeps,");
    if on.can.has(Feature::ExportSecret) {
        let reference = KeyReference::new(exported.kid().clone(), None);
        let read = done(on.get_key_by_ref(&reference, Secrets::Include).await, "reading the secret");
        assert!(read.secret().is_some(), "no secret came, though asked for");
    }
    Ok(())
}

#[track_caller]
fn parsed(text: &str) -> KeyReference {
    done(text.parse(), &format!("parsing the reference {text}"))
}
