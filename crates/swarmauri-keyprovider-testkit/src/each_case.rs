//! The one list of all cases, and the macro that makes tests of them.

/// Calls a macro with an argument and the list of all cases.
#[doc(hidden)]
#[macro_export]
macro_rules! __each_case {
    ($callback:path, $argument:tt) => {
        $callback! {
            $argument
            capabilities {
                the_provider_has_a_name_that_references_can_bear
                capabilities_stay_the_same
                claimed_algorithms_can_be_created
                claimed_algorithms_can_be_rotated
                claimed_imports_work
                claimed_public_imports_work
                denied_features_are_unsupported
                denied_algorithms_are_unsupported
                operations_are_there_if_and_only_if_claimed
                claimed_operations_work
                denied_operations_are_unsupported
            }
            create {
                a_new_key_is_as_its_spec_says
                a_drawn_kid_is_random_and_has_no_dot
                a_chosen_kid_is_used
                a_taken_kid_is_a_conflict
                awkward_kids_are_only_names
                a_pair_has_its_public_half_and_thumbprint
                a_symmetric_key_has_no_public_half
                policy_none_shows_no_public_key
            }
            import {
                an_imported_key_is_as_its_spec_says
                importing_twice_makes_two_keys
                an_import_to_a_taken_kid_is_a_conflict
                material_of_another_type_is_refused
                symmetric_material_of_a_wrong_length_is_refused
                a_public_half_that_does_not_belong_is_refused
                a_point_off_the_curve_is_refused
                a_size_that_is_not_the_materials_is_refused
                a_public_key_alone_stays_one
                an_imported_secret_comes_back_unchanged
            }
            import_version {
                an_import_at_a_version_is_that_version
                a_public_key_alone_is_imported_at_a_version
                versions_grow_from_an_imported_one
                an_import_at_a_version_that_was_is_a_conflict
                an_import_at_a_version_of_a_destroyed_key_is_a_conflict
                a_bad_import_at_a_version_is_refused
            }
            rotate {
                a_rotation_adds_the_latest_version
                a_rotation_keeps_what_is_not_overridden
                a_rotation_keeps_the_size
                a_rotation_changes_what_is_overridden
                an_override_that_does_not_fit_changes_nothing
                older_versions_stay_as_they_are
                a_rotation_leaves_nothing_else_behind
                rotating_an_absent_key_is_not_found
                a_public_key_alone_cannot_be_rotated
                a_destroyed_version_number_never_comes_back
                a_rotation_goes_by_the_latest_live_version
            }
            destroy {
                a_destroyed_version_is_absent_and_others_stay
                a_destroyed_key_is_absent
                the_latest_version_falls_back
                the_last_version_takes_the_key_with_it
                destroying_what_is_not_there_is_false
                a_destroyed_kid_is_never_used_again
            }
            read {
                a_read_without_version_is_of_the_latest
                reads_agree_with_each_other
                absent_keys_and_versions_are_not_found
                versions_are_listed_in_order
                secrets_come_if_and_only_if_asked_for
                secrets_that_policy_keeps_are_denied
                an_exported_secret_is_that_of_the_key
            }
            references {
                a_reference_finds_what_it_names
                a_reference_to_another_provider_is_refused
                a_reference_to_an_absent_key_is_not_found
                a_reference_obeys_the_policy
            }
            list {
                keys_are_listed_in_order_once_each
                pages_are_as_small_as_asked_for
                a_summary_is_of_the_latest_version
                destroyed_keys_are_not_listed
                a_foreign_cursor_is_refused
                a_listing_stands_changes
            }
            jwks {
                a_public_jwk_has_all_members
                symmetric_keys_have_no_jwk
                policy_none_keeps_the_jwk
                absent_keys_have_no_jwk
                the_jwks_holds_the_latest_of_each_pair
                the_jwks_of_all_live_holds_every_version
                the_jwks_is_sorted_by_kid_then_version
                a_prefix_goes_by_the_bare_kid
                the_jwks_follows_rotation_and_destruction
                the_jwks_holds_public_imports
                a_jwks_survives_serialisation_without_private_members
            }
            derive {
                random_bytes_are_as_many_as_asked_for
                random_bytes_differ
                too_many_random_bytes_are_refused
                hkdf_gives_the_bytes_of_rfc_5869
                hkdf_of_a_wrong_length_is_refused
            }
            states {
                a_disabled_version_is_read_with_its_state
                a_disabled_version_is_listed_with_its_state
                the_secret_of_a_disabled_version_is_not_read
                the_jwk_of_a_disabled_version_is_refused
                a_disabled_version_leaves_the_jwks
                nothing_stands_in_for_a_disabled_latest
                enabling_brings_everything_back
                disabling_twice_changes_nothing
                the_state_of_what_is_absent_is_not_found
                a_key_whose_latest_is_disabled_can_be_rotated
                a_disabled_version_can_be_destroyed
                disabling_leaves_other_versions_alone
            }
            signing {
                signatures_have_the_form_of_jose
                what_is_signed_verifies
                signatures_are_those_of_rfc_8032
                signatures_made_elsewhere_verify
                macs_are_those_of_rfc_4231
                signatures_outlive_rotations
                a_destroyed_version_verifies_nothing
                forged_signatures_are_not_authentic
                a_renamed_signature_is_not_authentic
                an_ed25519_signature_has_one_form
                any_live_passes_over_versions_that_do_not_verify
            }
            encryption {
                what_is_encrypted_decrypts
                what_is_wrapped_unwraps
                ciphertexts_made_elsewhere_decrypt
                ciphertexts_outlive_rotations
                nonces_never_repeat
                one_plaintext_has_many_ciphertexts
                tampered_ciphertexts_are_not_authentic
                ciphertexts_under_another_name_are_not_authentic
                plaintexts_that_are_too_long_are_refused
                a_key_of_no_bytes_is_not_wrapped
            }
            agreement {
                both_sides_agree
                the_secret_is_that_of_rfc_7748
                an_agreement_uses_the_version_asked_for
                a_peer_of_another_type_is_refused
                a_peer_of_small_order_is_refused
            }
            uses {
                a_key_without_the_use_is_denied
                a_key_that_cannot_have_the_use_is_denied
                a_key_that_does_something_else_is_refused
                a_public_key_alone_does_public_work
                a_public_key_alone_does_no_secret_work
                the_export_policy_plays_no_part_in_work
                work_with_what_is_absent_is_not_found
            }
            disabled {
                a_disabled_version_does_no_work
                what_a_disabled_version_has_made_is_read_if_accepted
                no_older_version_does_the_work_of_a_disabled_latest
                any_live_passes_over_disabled_versions
                an_enabled_version_works_again
            }
            secrets {
                writes_answer_without_secrets
                references_print_no_secret
                results_print_no_secret
                errors_and_traces_hold_no_secret
                the_provider_prints_no_secret
                a_symmetric_fingerprint_is_no_plain_hash
            }
            cancellation {
                a_cancelled_create_is_all_or_nothing
                a_cancelled_import_is_all_or_nothing
                a_cancelled_rotation_is_all_or_nothing
                a_cancelled_destroy_is_all_or_nothing
                a_cancelled_disable_is_all_or_nothing
                work_that_is_dropped_does_no_harm
                a_future_that_is_never_polled_does_nothing
            }
            concurrency {
                of_two_creates_of_one_kid_one_succeeds
                concurrent_rotations_each_add_a_version
                of_two_destroys_one_is_true
                a_rotation_racing_a_destroy_does_not_bring_the_key_back
                a_disable_racing_a_destroy_does_not_bring_the_version_back
                signing_in_a_race_with_rotations_names_the_version_that_signed
                signing_in_a_race_with_a_disable_is_done_or_refused
                hammered_keys_keep_the_contract
            }
        }
    };
}
pub(crate) use __each_case;

/// Makes one `#[test]` of each case of the conformance suite.
///
/// ```
/// use std::sync::Arc;
/// use swarmauri_keyprovider_local::LocalKeyProvider;
/// use swarmauri_keyprovider_testkit::conformance;
///
/// conformance!(async || Arc::new(LocalKeyProvider::new()));
///
/// // In a module of another name, and with an exemption. It needs a reason.
/// conformance!(mod slow_backend, async || Arc::new(LocalKeyProvider::new()), except = {
///     hammered_keys_keep_the_contract: "the test account is billed by the call",
/// });
/// # fn main() {}
/// ```
///
/// The argument is an async closure or function that gives a fresh provider, as `Arc<MyProvider>` or
/// `Arc<dyn KeyProvider>`. It may use whatever is in scope at the macro. The tests are in a module that is
/// named `conformance` unless it is told otherwise, by topic, as in
/// `conformance::rotate::a_rotation_keeps_the_size`. Each runs on a tokio runtime of its own, in real time. A
/// case that the provider's capabilities leave nothing to check passes, and prints why; so does an exempt one.
#[macro_export]
macro_rules! conformance {
    (mod $name:ident, $factory:expr $(, except = { $($case:ident : $reason:literal),* $(,)? })? $(,)?) => {
        mod $name {
            #[allow(unused_imports, reason = "the factory may use what is in scope outside")]
            use super::*;

            const EXEMPT: &[(&str, &str)] = &[$($((stringify!($case), $reason)),*)?];

            fn run(name: &'static str) {
                $crate::__run_test(name, EXEMPT, $factory);
            }

            #[test]
            fn exemptions_name_cases_and_reasons() {
                $crate::__check_exemptions(EXEMPT);
            }

            $crate::__each_case!($crate::__tests, []);
        }
    };
    ($factory:expr $(, except = $except:tt)? $(,)?) => {
        $crate::conformance!(mod conformance, $factory $(, except = $except)?);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    ([] $($topic:ident { $($case:ident)* })*) => {
        $(mod $topic {
            $(#[test]
            fn $case() {
                super::run(stringify!($case));
            })*
        })*
    };
}
