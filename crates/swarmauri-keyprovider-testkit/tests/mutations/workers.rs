//! Mutants that get the use of keys wrong, or their states.

use swarmauri_keyprovider_testkit::Method::{
    Agree, Decrypt, DisableKey, EnableKey, Encrypt, GetKey, GetPublicJwk, Mac, RotateKey, Sign, UnwrapKey,
    Verify, VerifyMac, WrapKey,
};
use swarmauri_keyprovider_testkit::{Answer, Faults, Lie, Method};
use swarmauri_keys::KeyErrorKind::{
    Disabled, InvalidInput, InvalidState, NotAuthentic, NotFound, PermissionDenied,
};
use swarmauri_keys::{
    Acceptance, Ciphertext, KeyError, KeyErrorKind, KeyOperation, KeyState, KeyVersion, Signature,
};

use crate::breaks::{
    disables_whole_keys, encrypts_always_alike, keeps_keys_from_work, marks_what_has_signed,
    publishes_what_is_disabled, reads_an_older_version_instead, refuses_to_disable_twice,
    signs_with_its_secret,
};
use crate::mutant_list;
use crate::mutants::{faulty, zeros};
use crate::tampering::{answer, change, change_list, fail, lie, miscall};

mutant_list! { WORKERS:
    // states
    hides_disabled_versions = faulty(|faults| {
        answer(faults, GetKey, |call, honest| match honest? {
            Answer::Key(key) if key.state() == KeyState::Disabled => {
                Err(KeyError::not_found(key.kid(), call.version))
            }
            other => Ok(other),
        });
    }) => a_disabled_version_is_read_with_its_state;
    lists_disabled_keys_as_enabled = faulty(|faults| change_list(faults, |_, page| {
        page.items.iter_mut().for_each(|key| key.state = KeyState::Enabled);
    })) => a_disabled_version_is_listed_with_its_state;
    miscalls_what_is_disabled = faulty(|faults| {
        miscall(faults, GetKey, Disabled, KeyError::permission_denied("it is disabled"));
        miscall(faults, GetPublicJwk, Disabled, KeyError::permission_denied("it is disabled"));
    }) => the_secret_of_a_disabled_version_is_not_read the_jwk_of_a_disabled_version_is_refused;
    publishes_what_is_disabled = faulty(publishes_what_is_disabled)
        => a_disabled_version_leaves_the_jwks nothing_stands_in_for_a_disabled_latest;
    reads_an_older_version_instead = faulty(reads_an_older_version_instead)
        => nothing_stands_in_for_a_disabled_latest;
    enables_nothing = faulty(|faults| lie(faults, EnableKey, Lie::DisableNothing))
        => enabling_brings_everything_back an_enabled_version_works_again
            a_cancelled_disable_is_all_or_nothing;
    disables_nothing = faulty(|faults| lie(faults, DisableKey, Lie::DisableNothing))
        => a_disabled_version_is_read_with_its_state a_disabled_version_does_no_work
            signing_in_a_race_with_a_disable_is_done_or_refused;
    refuses_to_disable_twice = faulty(refuses_to_disable_twice) => disabling_twice_changes_nothing;
    miscalls_absence_of_what_has_a_state = faulty(|faults| {
        miscall(faults, DisableKey, NotFound, KeyError::invalid_state("gone"));
        miscall(faults, EnableKey, NotFound, KeyError::invalid_state("gone"));
    }) => the_state_of_what_is_absent_is_not_found
            a_disable_racing_a_destroy_does_not_bring_the_version_back;
    rotates_out_of_use = faulty(|faults| change(faults, RotateKey, |parts| parts.state = KeyState::Disabled))
        => a_key_whose_latest_is_disabled_can_be_rotated;
    disables_whole_keys = faulty(disables_whole_keys) => disabling_leaves_other_versions_alone;

    // signatures and MACs
    names_the_next_version = faulty(|faults| {
        for method in [Sign, Mac, Verify, VerifyMac, Encrypt, WrapKey] {
            lie(faults, method, Lie::WrongVersion);
        }
    }) => signatures_have_the_form_of_jose what_is_signed_verifies signatures_outlive_rotations
            signing_in_a_race_with_rotations_names_the_version_that_signed
            what_is_encrypted_decrypts ciphertexts_outlive_rotations;
    signs_with_another_key = faulty(|faults| {
        lie(faults, Sign, Lie::WrongKey);
        lie(faults, Mac, Lie::WrongKey);
    }) => what_is_signed_verifies signatures_are_those_of_rfc_8032 macs_are_those_of_rfc_4231;
    signs_in_der = faulty(|faults| answer(faults, Sign, |_, honest| match honest? {
        Answer::Signature(signature) => {
            let bytes = [&[0x30, 0x44], &signature.bytes[..]].concat();
            Ok(Signature { bytes, ..signature }.into())
        }
        other => Ok(other),
    })) => signatures_have_the_form_of_jose;
    verifies_nothing = faulty(|faults| lie(faults, Verify, Lie::WrongKey))
        => signatures_made_elsewhere_verify;
    trusts_everything = faulty(|faults| {
        trust(faults, Verify);
        trust(faults, VerifyMac);
    }) => forged_signatures_are_not_authentic a_renamed_signature_is_not_authentic
            a_destroyed_version_verifies_nothing signatures_outlive_rotations
            any_live_passes_over_disabled_versions an_ed25519_signature_has_one_form;
    verifies_with_later_versions_alone = faulty(|faults| {
        answer(faults, Verify, |call, honest| match honest? {
            Answer::Verified(KeyVersion::FIRST) if call.version.is_none() => Err(KeyError::NotAuthentic),
            other => Ok(other),
        });
    }) => any_live_passes_over_versions_that_do_not_verify signatures_outlive_rotations;
    says_why_a_signature_is_wrong = faulty(|faults| {
        miscall(faults, VerifyMac, NotAuthentic, KeyError::invalid_input("the MAC is too short"));
    }) => forged_signatures_are_not_authentic;

    // encryption
    encrypts_with_another_key = faulty(|faults| {
        lie(faults, Encrypt, Lie::WrongKey);
        lie(faults, WrapKey, Lie::WrongKey);
    }) => what_is_encrypted_decrypts what_is_wrapped_unwraps;
    decrypts_to_other_bytes = faulty(|faults| {
        lie(faults, Decrypt, Lie::WrongKey);
        lie(faults, UnwrapKey, Lie::WrongKey);
    }) => ciphertexts_made_elsewhere_decrypt ciphertexts_outlive_rotations what_is_wrapped_unwraps;
    repeats_nonces = faulty(|faults| answer(faults, Encrypt, |_, honest| match honest? {
        Answer::Ciphertext(sealed) => Ok(Ciphertext { nonce: vec![0; sealed.nonce.len()], ..sealed }.into()),
        other => Ok(other),
    })) => nonces_never_repeat;
    encrypts_always_alike = faulty(encrypts_always_alike) => one_plaintext_has_many_ciphertexts;
    opens_everything = faulty(|faults| {
        answer(faults, Decrypt, |_, honest| match honest {
            Err(KeyError::NotAuthentic) => Ok(zeros(16)),
            honest => honest,
        });
    }) => tampered_ciphertexts_are_not_authentic ciphertexts_under_another_name_are_not_authentic;
    says_which_part_is_wrong = faulty(|faults| {
        miscall(faults, UnwrapKey, NotAuthentic, KeyError::invalid_input("the tag has 16 bytes"));
    }) => tampered_ciphertexts_are_not_authentic ciphertexts_under_another_name_are_not_authentic;
    miscalls_wrong_lengths = faulty(|faults| {
        miscall(faults, Encrypt, InvalidInput, KeyError::invalid_state("too long"));
        miscall(faults, WrapKey, InvalidInput, KeyError::invalid_state("of no bytes"));
    }) => plaintexts_that_are_too_long_are_refused a_key_of_no_bytes_is_not_wrapped;

    // agreement
    agrees_on_zeros = faulty(|faults| answer(faults, Agree, |_, honest| honest.map(|_| zeros(32))))
        => both_sides_agree the_secret_is_that_of_rfc_7748 an_agreement_uses_the_version_asked_for;
    agrees_with_everybody = faulty(|faults| answer(faults, Agree, |_, honest| match honest {
        Err(error) if error.kind() == InvalidInput => Ok(zeros(32)),
        honest => honest,
    })) => a_peer_of_another_type_is_refused a_peer_of_small_order_is_refused;

    // uses
    miscalls_denied_uses = faulty(|faults| {
        miscall_all(faults, PermissionDenied, &KeyError::invalid_state("not for sign, encrypt, or anything"));
    }) => a_key_without_the_use_is_denied a_key_that_cannot_have_the_use_is_denied;
    keeps_the_use_to_itself = faulty(|faults| {
        miscall_all(faults, PermissionDenied, &KeyError::permission_denied("no"));
    }) => a_key_without_the_use_is_denied a_key_that_cannot_have_the_use_is_denied;
    miscalls_misfits = faulty(|faults| {
        miscall_all(faults, InvalidInput, &KeyError::unsupported("this"));
    }) => a_key_that_does_something_else_is_refused;
    does_no_public_work = faulty(|faults| {
        fail(faults, Verify, KeyError::invalid_state("there is no secret"));
        fail(faults, Encrypt, KeyError::invalid_state("there is no secret"));
    }) => a_public_key_alone_does_public_work;
    miscalls_work_without_a_secret = faulty(|faults| {
        miscall_all(faults, InvalidState, &KeyError::permission_denied("there is no secret"));
    }) => a_public_key_alone_does_no_secret_work;
    keeps_keys_from_work = faulty(keeps_keys_from_work) => the_export_policy_plays_no_part_in_work;
    miscalls_work_with_what_is_absent = faulty(|faults| {
        miscall_all(faults, NotFound, &KeyError::invalid_input("no such key"));
    }) => work_with_what_is_absent_is_not_found;

    // disabled versions
    miscalls_work_with_what_is_disabled = faulty(|faults| {
        miscall_all(faults, Disabled, &KeyError::permission_denied("it is disabled"));
    }) => a_disabled_version_does_no_work no_older_version_does_the_work_of_a_disabled_latest
            any_live_passes_over_disabled_versions signing_in_a_race_with_a_disable_is_done_or_refused;
    accepts_nothing_disabled = faulty(|faults| {
        for method in [Verify, VerifyMac, Decrypt, Agree, UnwrapKey] {
            answer(faults, method, |call, honest| match &call.kid {
                Some(kid) if call.acceptance == Some(Acceptance::AllowDisabled) => {
                    Err(KeyError::disabled(&kid.at(KeyVersion::FIRST)))
                }
                _ => honest,
            });
        }
    }) => what_a_disabled_version_has_made_is_read_if_accepted any_live_passes_over_disabled_versions;

    // capabilities
    claims_to_verify_with_nothing = faulty(|faults| faults.misreport_capabilities(|can| {
        can.operations.entry(KeyOperation::Verify).or_default().clear();
    })) => operations_are_there_if_and_only_if_claimed;
    does_work_that_it_does_not_claim = faulty(|faults| {
        faults.misreport_capabilities(|can| can.operations.clear());
    }) => operations_are_there_if_and_only_if_claimed denied_operations_are_unsupported;
    does_not_do_what_it_claims = faulty(|faults| fail(faults, WrapKey, KeyError::unsupported("wrap_key")))
        => claimed_operations_work;
    denies_an_operation_that_it_does = faulty(|faults| faults.misreport_capabilities(|can| {
        can.operations.remove(&KeyOperation::Mac);
    })) => denied_operations_are_unsupported;

    // secrets and cancellation
    signs_with_its_secret = faulty(signs_with_its_secret) => results_print_no_secret;
    traces_what_it_encrypts = faulty(|faults| answer(faults, Encrypt, |_, honest| {
        tracing::debug!(plaintext = "what is signed, encrypted or wrapped", "encrypting");
        honest
    })) => errors_and_traces_hold_no_secret;
    marks_what_has_signed = faulty(marks_what_has_signed) => work_that_is_dropped_does_no_harm;
}

/// What is not authentic is said to be of the first version.
fn trust(faults: &Faults, method: Method) {
    answer(faults, method, |call, honest| match honest {
        Err(KeyError::NotAuthentic) => Ok(call.version.unwrap_or(KeyVersion::FIRST).into()),
        honest => honest,
    });
}

/// Refusals of this kind are answered with another error, whatever is done.
fn miscall_all(faults: &Faults, kind: KeyErrorKind, error: &KeyError) {
    for method in Method::OPERATIONS {
        miscall(faults, method, kind, error.clone());
    }
}
