//! Promises 3 and 6: answers of the secondary that are not what was asked for, and errors of both sides.

use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_mirrored::MirrorMode;
use swarmauri_keyprovider_testkit::{Answer, Fault, Lie, Method};
use swarmauri_keys::{KeyAlg, KeyError, KeyErrorKind, KeyRef, KeyRefParts, KeySpec};

use crate::support::*;

type Forge = fn(KeyRef, KeyRef) -> KeyRef;

/// A forger of answers: gets the honest one and another key with its secret.
fn forge(make: Forge, other: &KeyRef) -> Fault {
    let other = other.clone();
    Fault::answer(move |_, honest| match honest? {
        Answer::Key(key) => Ok(Answer::Key(make(key, other.clone()))),
        answer => Ok(answer),
    })
}

fn changed(key: &KeyRef, change: impl FnOnce(&mut KeyRefParts)) -> KeyRef {
    let mut parts = key.parts().clone();
    change(&mut parts);
    KeyRef::new(parts).with_secret(key.secret().unwrap().clone()).unwrap()
}

#[tokio::test]
async fn promise_3_an_answer_is_checked_in_all_that_was_recorded() {
    let forgeries: [(&str, KeyAlg, Forge); 5] = [
        ("the algorithm", KeyAlg::Ed25519, |key, _| changed(&key, |parts| parts.alg = KeyAlg::X25519)),
        ("the place", KeyAlg::Ed25519, |key, other| changed(&key, |parts| parts.id = other.id().clone())),
        ("the version", KeyAlg::Ed25519, |key, _| {
            changed(&key, |parts| parts.id = parts.id.kid.at(version(2)))
        }),
        ("the private key", KeyAlg::Ed25519, |key, other| {
            KeyRef::new(key.parts().clone()).with_secret(other.secret().unwrap().clone()).unwrap()
        }),
        ("the symmetric key", KeyAlg::Aes256Gcm, |key, other| {
            KeyRef::new(key.parts().clone()).with_secret(other.secret().unwrap().clone()).unwrap()
        }),
    ];
    for (what, alg, make) in forgeries {
        let world = world_in(MirrorMode::Full);
        let key = world.mirror.create_key(&exportable(alg)).await.unwrap();
        let other = world.mirror.create_key(&exportable(alg)).await.unwrap();
        let other = world.primary_keys.get_key(other.kid(), None, Secrets::Include).await.unwrap();
        world.primary.outage();
        assert!(world.secret(key.kid()).await.is_ok());
        world.secondary.set(Method::GetKey, Some(forge(make, &other)));
        assert_eq!(kind(world.secret(key.kid()).await), KeyErrorKind::Integrity, "{what}");
    }
}

#[tokio::test]
async fn mode_none_refuses_an_answer_under_another_name() {
    let world = world_in(MirrorMode::None);
    let spec = exportable(KeyAlg::Ed25519).with_kid(kid("shared"));
    world.secondary_keys.create_key(&spec).await.unwrap();
    world.primary.outage();
    let names: [Forge; 2] = [
        |key, _| changed(&key, |parts| parts.id = kid("other").at(version(1))),
        |key, _| changed(&key, |parts| parts.id = parts.id.kid.at(version(2))),
    ];
    for make in names {
        let other = world.secondary_keys.get_key(&kid("shared"), None, Secrets::Include).await.unwrap();
        world.secondary.set(Method::GetKey, Some(forge(make, &other)));
        let answer = world.mirror.get_key(&kid("shared"), Some(version(1)), Secrets::Include).await;
        assert_eq!(kind(answer), KeyErrorKind::Integrity);
    }
}

/// What a reader is told if both sides fail, whatever the mode.
#[tokio::test]
async fn of_two_errors_the_one_that_says_more_is_told() {
    let lost = || KeyError::not_found(&kid("shared"), None);
    let out = KeyError::unavailable;
    let table = [
        (out("first"), out("second"), "unavailable: first"),
        (out("first"), lost(), "unavailable: first"),
        (out("first"), KeyError::permission_denied("second"), "unavailable: first"),
        (lost(), out("second"), "unavailable: second"),
        (lost(), lost(), &lost().to_string()),
        (lost(), KeyError::permission_denied("second"), &lost().to_string()),
    ];
    for mode in [MirrorMode::PublicOnly, MirrorMode::None] {
        for (first, second, told) in &table {
            let world = world_in(mode);
            let spec = KeySpec::new(KeyAlg::Ed25519).with_kid(kid("shared"));
            world.mirror.create_key(&spec).await.unwrap();
            world.primary.set_all(Some(Fault::FailBefore(first.clone())));
            world.secondary.set_all(Some(Fault::FailBefore(second.clone())));
            let answer = world.jwk(&kid("shared"), None).await.unwrap_err();
            assert_eq!(answer.to_string(), **told, "{mode}: {first}, then {second}");
            let gone = matches!(second, KeyError::NotFound { .. }) && mode == MirrorMode::PublicOnly;
            assert_eq!(world.backlog().len(), usize::from(gone), "only a replica that is gone is owed again");
        }
    }
}

#[tokio::test]
async fn an_integrity_error_of_the_secondary_is_not_hidden_by_the_outage() {
    for mode in [MirrorMode::PublicOnly, MirrorMode::None] {
        let world = world_in(mode);
        let spec = exportable(KeyAlg::Ed25519).with_kid(kid("shared"));
        let key = world.mirror.create_key(&spec).await.unwrap();
        if mode == MirrorMode::None {
            world.secondary_keys.create_key(&spec).await.unwrap();
        }
        world.primary.outage();
        let elsewhere: Forge = |key, _| {
            let id = kid("elsewhere").at(version(1));
            KeyRef::new(KeyRefParts { id, ..key.parts().clone() })
        };
        world.secondary.set(Method::GetKey, Some(forge(elsewhere, &key)));
        assert_eq!(kind(world.read(&kid("shared"), None).await), KeyErrorKind::Integrity, "{mode}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_whose_replica_is_known_waits_for_no_listing() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.primary.outage();
    world.secondary.set(Method::ListKeys, Some(Fault::HangBefore));
    for which in [None, Some(version(1))] {
        assert!(give_up(world.jwk(key.kid(), which)).await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn of_a_key_that_the_primary_lost_only_what_can_be_served_is_listed() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.secondary.outage();
    world.mirror.rotate(key.kid()).await.unwrap();
    world.secondary.recover();
    world.primary_keys.destroy_key(key.kid(), None).await.unwrap();
    assert_eq!(world.mirror.list_versions(key.kid()).await.unwrap(), [version(1)]);
}

#[tokio::test]
async fn a_foreign_key_under_a_kid_of_the_primary_that_is_not_mirrored_is_not_published() {
    for mode in [MirrorMode::PublicOnly, MirrorMode::None] {
        let world = world_in(mode);
        let spec = KeySpec::new(KeyAlg::Ed25519).with_kid(kid("a"));
        let right = world.primary_keys.create_key(&spec).await.unwrap();
        world.secondary_keys.create_key(&spec).await.unwrap();
        world.secondary_keys.rotate(&kid("a")).await.unwrap();
        for query in [JwksQuery::LATEST, JwksQuery::ALL_LIVE] {
            let document = world.mirror.jwks(&query).await.unwrap();
            assert_eq!(document.keys, [right.public_jwk().unwrap()], "{mode}");
        }
    }
}

#[tokio::test]
async fn promise_3_a_copy_that_is_answered_with_another_key_does_not_count() {
    for lie in [Lie::WrongKey, Lie::ForgedFingerprint] {
        let world = world();
        world.secondary.fail_next(Method::ImportKey, Fault::Lie(lie.clone()));
        let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
        assert_eq!(world.backlog(), [format!("copy {}", key.id())], "{lie:?}");
    }
}

#[tokio::test]
async fn a_replica_that_fails_is_asked_once_also_for_an_older_version() {
    let world = world();
    let key = world.mirror.create(KeyAlg::Ed25519).await.unwrap();
    world.mirror.rotate(key.kid()).await.unwrap();
    world.primary.outage();
    world.secondary.outage();
    for which in [None, Some(version(1)), Some(version(2))] {
        world.secondary.journal().clear();
        assert!(world.jwk(key.kid(), which).await.unwrap_err().is_outage());
        assert_eq!(world.secondary.journal().calls_of(Method::GetKey).len(), 1, "{which:?}");
    }
}
