//! The mutants.

use std::sync::Arc;

use swarmauri_keyprovider::{Feature, KeyProvider};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_testkit::Method::{
    CreateKey, DestroyKey, GetKey, GetKeyByRef, GetPublicJwk, Hkdf, ImportKey, ImportVersion, Jwks, ListKeys,
    ListVersions, RandomBytes, RotateKey,
};
use swarmauri_keyprovider_testkit::{Answer, Faults, FaultyProvider, Lie};
use swarmauri_keys::KeyErrorKind::{Conflict, InvalidInput, InvalidState, NotFound, PermissionDenied};
use swarmauri_keys::{ExportPolicy, Jwk, KeyAlg, KeyError, KeyId, KeyVersion, PublicKey};

use crate::breaks::{
    answers_writes_with_secrets, forgets_what_it_can_do, hashes_secrets_plainly, leaves_ghosts,
    overwrites_keys, publishes_everything, writes_secrets_on_labels,
};
use crate::tampering::{answer, change, change_jwks, change_list, fail, lie, miscall};
use crate::{mutant_list, sloppy};

mutant_list! { MUTANTS:
    has_a_name_like_a_reference = sloppy::in_steps() => the_provider_has_a_name_that_references_can_bear;
    writes_in_steps = sloppy::in_steps()
        => a_cancelled_create_is_all_or_nothing a_cancelled_import_is_all_or_nothing
            a_cancelled_rotation_is_all_or_nothing a_cancelled_destroy_is_all_or_nothing
            a_cancelled_disable_is_all_or_nothing;
    works_before_it_is_polled = sloppy::eager() => a_future_that_is_never_polled_does_nothing;

    // capabilities
    forgets_what_it_can_do = faulty(forgets_what_it_can_do) => capabilities_stay_the_same;
    cannot_create_what_it_claims = faulty(|faults| {
        faults.restrict_capabilities(|can| can.create.retain(|alg| *alg != KeyAlg::X25519));
        faults.misreport_capabilities(|can| { can.create.insert(KeyAlg::X25519); });
    }) => claimed_algorithms_can_be_created;
    cannot_rotate = faulty(|faults| fail(faults, RotateKey, KeyError::unsupported("rotate")))
        => claimed_algorithms_can_be_rotated;
    cannot_import = faulty(|faults| fail(faults, ImportKey, KeyError::unsupported("import")))
        => claimed_imports_work claimed_public_imports_work;
    denies_a_feature_that_it_has = faulty(|faults| {
        faults.misreport_capabilities(|can| { can.features.remove(&Feature::Hkdf); });
    }) => denied_features_are_unsupported;
    denies_an_algorithm_that_it_has = faulty(|faults| {
        faults.misreport_capabilities(|can| { can.create.remove(&KeyAlg::X25519); });
    }) => denied_algorithms_are_unsupported;

    // create and import
    forgets_labels = faulty(|faults| change(faults, CreateKey, |parts| parts.label = None))
        => a_new_key_is_as_its_spec_says;
    draws_kids_with_dots = faulty(|faults| change(faults, CreateKey, |parts| parts.id.kid = kid("a.b")))
        => a_drawn_kid_is_random_and_has_no_dot;
    ignores_chosen_kids = faulty(|faults| change(faults, CreateKey, |parts| parts.id.kid = kid("mine")))
        => a_chosen_kid_is_used;
    miscalls_conflicts = faulty(|faults| {
        miscall(faults, CreateKey, Conflict, KeyError::invalid_state("taken"));
        miscall(faults, ImportKey, Conflict, KeyError::invalid_state("taken"));
    }) => a_taken_kid_is_a_conflict an_import_to_a_taken_kid_is_a_conflict
            a_destroyed_kid_is_never_used_again;
    takes_kids_for_paths = faulty(|faults| {
        answer(faults, GetKey, |call, honest| match &call.kid {
            Some(kid) if kid.as_str().contains("..") => Err(KeyError::not_found(kid, call.version)),
            _ => honest,
        });
    }) => awkward_kids_are_only_names;
    forges_fingerprints = faulty(|faults| lie(faults, CreateKey, Lie::ForgedFingerprint))
        => a_pair_has_its_public_half_and_thumbprint;
    publishes_symmetric_keys = faulty(|faults| change(faults, CreateKey, |parts| {
        parts.public.get_or_insert(PublicKey::Ed25519([7; 32]));
    })) => a_symmetric_key_has_no_public_half;
    loses_the_policy = faulty(|faults| change(faults, GetKey, |parts| {
        parts.export_policy = ExportPolicy::PublicOnly;
        parts.public = Some(PublicKey::Ed25519([7; 32]));
    })) => policy_none_shows_no_public_key;
    forgets_labels_on_import = faulty(|faults| change(faults, ImportKey, |parts| parts.label = None))
        => an_imported_key_is_as_its_spec_says;
    names_imports_by_their_material = faulty(|faults| change(faults, ImportKey, |parts| {
        parts.id.kid = kid(parts.fingerprint.as_str());
    })) => importing_twice_makes_two_keys;
    miscalls_bad_material = faulty(|faults| {
        miscall(faults, ImportKey, InvalidInput, KeyError::unavailable("what?"));
    }) => material_of_another_type_is_refused symmetric_material_of_a_wrong_length_is_refused
            a_public_half_that_does_not_belong_is_refused a_point_off_the_curve_is_refused
            a_size_that_is_not_the_materials_is_refused;
    miscalls_missing_secrets = faulty(|faults| {
        miscall(faults, GetKey, InvalidState, KeyError::permission_denied("no secret"));
    }) => a_public_key_alone_stays_one;

    // import_version
    imports_as_the_first_version = faulty(|faults| {
        change(faults, ImportVersion, |parts| parts.id.version = KeyVersion::FIRST);
    }) => an_import_at_a_version_is_that_version a_public_key_alone_is_imported_at_a_version;
    forgets_what_was_imported = faulty(|faults| lie(faults, ImportVersion, Lie::Forget))
        => an_import_at_a_version_is_that_version versions_grow_from_an_imported_one;
    miscalls_taken_versions = faulty(|faults| {
        miscall(faults, ImportVersion, Conflict, KeyError::invalid_state("taken"));
    }) => an_import_at_a_version_that_was_is_a_conflict
            an_import_at_a_version_of_a_destroyed_key_is_a_conflict;
    miscalls_bad_versions = faulty(|faults| {
        miscall(faults, ImportVersion, InvalidInput, KeyError::unavailable("what?"));
    }) => a_bad_import_at_a_version_is_refused;
    denies_import_version_and_does_it = faulty(|faults| {
        faults.misreport_capabilities(|can| { can.features.remove(&Feature::ImportVersion); });
    }) => denied_features_are_unsupported;

    // rotate
    forgets_rotations = faulty(|faults| lie(faults, RotateKey, Lie::Forget))
        => a_rotation_adds_the_latest_version;
    forgets_labels_on_rotation = faulty(|faults| change(faults, RotateKey, |parts| parts.label = None))
        => a_rotation_keeps_what_is_not_overridden a_rotation_changes_what_is_overridden;
    rotates_into_the_default_size = faulty(|faults| {
        change(faults, RotateKey, |parts| parts.size_bits = Some(3072));
    }) => a_rotation_keeps_the_size;
    miscalls_bad_overrides = faulty(|faults| {
        miscall(faults, RotateKey, InvalidInput, KeyError::invalid_state("no"));
    }) => an_override_that_does_not_fit_changes_nothing;
    changes_older_versions = faulty(|faults| {
        change(faults, GetKey, |parts| parts.label = Some("new".into()));
    }) => older_versions_stay_as_they_are;
    leaves_ghosts = faulty(leaves_ghosts) => a_rotation_leaves_nothing_else_behind;
    miscalls_absence_on_rotation = faulty(|faults| {
        miscall(faults, RotateKey, NotFound, KeyError::invalid_state("gone"));
    }) => rotating_an_absent_key_is_not_found a_rotation_racing_a_destroy_does_not_bring_the_key_back;
    miscalls_public_keys = faulty(|faults| {
        miscall(faults, RotateKey, InvalidState, KeyError::invalid_input("no"));
    }) => a_public_key_alone_cannot_be_rotated;
    brings_versions_back = faulty(|faults| change(faults, RotateKey, |parts| parts.id.version = two()))
        => a_destroyed_version_number_never_comes_back concurrent_rotations_each_add_a_version
            hammered_keys_keep_the_contract versions_grow_from_an_imported_one;
    rotates_by_what_is_gone = faulty(|faults| {
        change(faults, RotateKey, |parts| parts.label = Some("second".into()));
    }) => a_rotation_goes_by_the_latest_live_version;

    // destroy
    destroys_nothing = faulty(|faults| lie(faults, DestroyKey, Lie::DestroyNothingSayTrue))
        => a_destroyed_version_is_absent_and_others_stay a_destroyed_key_is_absent
            the_latest_version_falls_back
            the_last_version_takes_the_key_with_it destroying_what_is_not_there_is_false
            destroyed_keys_are_not_listed
            of_two_destroys_one_is_true a_disabled_version_can_be_destroyed;
    denies_having_destroyed = faulty(|faults| lie(faults, DestroyKey, Lie::DestroySayFalse))
        => a_destroyed_key_is_absent of_two_destroys_one_is_true;

    // read
    reads_the_past = faulty(|faults| {
        lie(faults, GetKey, Lie::Stale);
        lie(faults, GetKeyByRef, Lie::Stale);
        lie(faults, ListVersions, Lie::Stale);
    }) => a_read_without_version_is_of_the_latest a_reference_finds_what_it_names
            versions_are_listed_in_order;
    serves_the_wrong_key = faulty(|faults| lie(faults, GetKey, Lie::WrongKey))
        => reads_agree_with_each_other an_exported_secret_is_that_of_the_key
            an_imported_secret_comes_back_unchanged;
    miscalls_absence = faulty(|faults| {
        for method in [GetKey, GetKeyByRef, GetPublicJwk, ListVersions] {
            miscall(faults, method, NotFound, KeyError::invalid_input("no such key"));
        }
    }) => absent_keys_and_versions_are_not_found a_reference_to_an_absent_key_is_not_found
            absent_keys_have_no_jwk;
    gives_secrets_nobody_asked_for = faulty(|faults| lie(faults, GetKey, Lie::SecretUnasked))
        => secrets_come_if_and_only_if_asked_for;
    keeps_no_secret = faulty(|faults| lie(faults, GetKey, Lie::SecretDropped))
        => secrets_come_if_and_only_if_asked_for an_imported_secret_comes_back_unchanged;
    miscalls_denials = faulty(|faults| {
        miscall(faults, GetKey, PermissionDenied, KeyError::unavailable("denied"));
        miscall(faults, GetKeyByRef, PermissionDenied, KeyError::unavailable("denied"));
    }) => secrets_that_policy_keeps_are_denied a_reference_obeys_the_policy;
    serves_references_to_others = faulty(|faults| {
        miscall(faults, GetKeyByRef, InvalidInput, KeyError::not_found(&kid("other"), None));
    }) => a_reference_to_another_provider_is_refused;

    // list
    lists_backwards = faulty(|faults| change_list(faults, |_, page| page.items.reverse()))
        => keys_are_listed_in_order_once_each;
    lists_twice = faulty(|faults| change_list(faults, |_, page| page.items.extend_from_within(..)))
        => keys_are_listed_in_order_once_each pages_are_as_small_as_asked_for a_listing_stands_changes;
    lists_other_labels = faulty(|faults| change_list(faults, |_, page| {
        page.items.iter_mut().for_each(|key| key.label = None);
    })) => a_summary_is_of_the_latest_version;
    miscalls_foreign_cursors = faulty(|faults| {
        miscall(faults, ListKeys, InvalidInput, KeyError::unavailable("what?"));
    }) => a_foreign_cursor_is_refused;

    // JWKS
    leaves_members_out = faulty(|faults| {
        answer(faults, GetPublicJwk, |_, honest| match honest? {
            Answer::Jwk(jwk) => Ok(Answer::Jwk(Jwk { alg: None, ..jwk })),
            other => Ok(other),
        });
    }) => a_public_jwk_has_all_members;
    publishes_everything = faulty(publishes_everything)
        => symmetric_keys_have_no_jwk policy_none_keeps_the_jwk;
    publishes_the_past = faulty(|faults| lie(faults, Jwks, Lie::Stale))
        => the_jwks_holds_the_latest_of_each_pair the_jwks_follows_rotation_and_destruction;
    publishes_first_versions = faulty(|faults| {
        let first = |jwk: &Jwk| jwk.version_id().is_some_and(|id| id.version == KeyVersion::FIRST);
        change_jwks(faults, move |keys| keys.retain(first));
    }) => the_jwks_of_all_live_holds_every_version;
    publishes_in_any_order = faulty(|faults| change_jwks(faults, |keys| keys.reverse()))
        => the_jwks_is_sorted_by_kid_then_version;
    ignores_prefixes = faulty(|faults| {
        change_jwks(faults, |keys| keys.retain(|jwk| jwk.kid.as_deref() != Some("signing-2.1")));
    }) => a_prefix_goes_by_the_bare_kid;
    publishes_nothing = faulty(|faults| lie(faults, Jwks, Lie::Empty)) => the_jwks_holds_public_imports;
    publishes_key_ops = faulty(|faults| {
        let add = |jwk: &mut Jwk| jwk.key_ops = Some(vec!["verify".to_owned()]);
        change_jwks(faults, move |keys| keys.iter_mut().for_each(add));
    }) => a_jwks_survives_serialisation_without_private_members;

    // derive
    draws_too_little = faulty(|faults| {
        answer(faults, RandomBytes, |call, _| Ok(zeros(call.len.unwrap_or(1) - 1)));
    }) => random_bytes_are_as_many_as_asked_for;
    draws_nothing_random = faulty(|faults| {
        answer(faults, RandomBytes, |call, _| Ok(zeros(call.len.unwrap_or(0))));
    }) => random_bytes_differ;
    derives_zeros = faulty(|faults| answer(faults, Hkdf, |call, _| Ok(zeros(call.len.unwrap_or(0)))))
        => hkdf_gives_the_bytes_of_rfc_5869;
    miscalls_lengths = faulty(|faults| {
        miscall(faults, RandomBytes, InvalidInput, KeyError::unavailable("too long"));
        miscall(faults, Hkdf, InvalidInput, KeyError::unavailable("too long"));
    }) => too_many_random_bytes_are_refused hkdf_of_a_wrong_length_is_refused;

    // secrets
    answers_writes_with_secrets = faulty(answers_writes_with_secrets) => writes_answer_without_secrets;
    writes_secrets_on_labels = faulty(writes_secrets_on_labels)
        => references_print_no_secret;
    tells_secrets_in_errors = faulty(|faults| {
        miscall(faults, ImportKey, InvalidInput, KeyError::invalid_input(SEED));
    }) => errors_and_traces_hold_no_secret;
    traces_secrets = faulty(|faults| {
        answer(faults, ImportKey, |_, honest| {
            tracing::trace!(material = SEED, "importing");
            honest
        });
    }) => errors_and_traces_hold_no_secret;
    lists_secrets = faulty(|faults| change_list(faults, |_, page| {
        page.items.iter_mut().for_each(|key| key.label = Some(SEED.to_owned()));
    })) => the_provider_prints_no_secret;
    hashes_secrets_plainly = faulty(hashes_secrets_plainly)
        => a_symmetric_fingerprint_is_no_plain_hash;

    // concurrency
    overwrites_keys = faulty(overwrites_keys) => of_two_creates_of_one_kid_one_succeeds;
}

/// The seed of RFC 8032 section 7.1, test 1, which the suite imports.
pub(crate) const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";

/// A local provider with these faults, and without the algorithm whose keys take longest to make.
pub(crate) fn faulty(break_it: fn(&Faults)) -> Arc<dyn KeyProvider> {
    let provider = FaultyProvider::new(Arc::new(LocalKeyProvider::new()));
    provider.faults().restrict_capabilities(|can| {
        can.create.remove(&KeyAlg::RsaOaepSha256);
    });
    break_it(&provider.faults());
    Arc::new(provider)
}

pub(crate) fn kid(name: &str) -> KeyId {
    KeyId::new(name).unwrap()
}

fn two() -> KeyVersion {
    KeyVersion::new(2).unwrap()
}

pub(crate) fn zeros(len: usize) -> Answer {
    Answer::Bytes(vec![0; len.min(1 << 21)].into())
}
