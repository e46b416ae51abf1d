//! The one list of all cases for stores, and the macro that makes tests of them.

/// Calls a macro with an argument and the list of all cases for stores.
#[doc(hidden)]
#[macro_export]
macro_rules! __each_store_case {
    ($callback:path, $argument:tt) => {
        $callback! {
            $argument
            entries {
                what_was_put_is_read
                a_put_takes_the_place_of_what_was_there
                writing_the_same_value_again_is_a_write
                what_was_deleted_is_absent
                deleting_nothing_is_none_and_no_write
                keys_are_bytes
                the_longest_keys_and_values_fit
                a_value_that_is_too_long_is_refused
                revisions_grow_with_every_write
            }
            preconditions {
                absent_holds_where_nothing_is
                a_revision_holds_while_it_is_the_last
                a_conflict_tells_what_is_there_and_changes_nothing
                deleting_a_revision_of_nothing_is_a_conflict
            }
            scan {
                a_scan_is_of_its_prefix_alone
                an_empty_prefix_is_everything
                keys_come_in_the_order_of_their_bytes
                a_scan_shows_what_a_get_shows
                pages_are_as_small_as_asked_for_and_tell_whether_there_are_more
                a_limit_of_zero_is_one
                a_page_may_begin_after_any_key
                a_page_shows_one_moment
                what_stays_is_in_a_scan_exactly_once
            }
            watch {
                a_watch_has_the_changes_under_its_prefix_alone
                a_watch_begins_when_it_is_asked_for
                changes_come_once_each_in_the_order_of_their_revisions
                a_change_is_here_by_the_time_the_write_returns
                a_watch_that_counts_has_counted_by_the_time_the_write_returns
                writes_that_do_not_happen_are_no_changes
                a_wait_that_is_dropped_loses_nothing
                watches_do_not_disturb_each_other
                watching_and_then_scanning_misses_nothing
            }
            concurrency {
                of_many_writes_that_want_the_same_one_wins
                a_counter_loses_no_increment
                reads_never_go_back
            }
            cancellation {
                a_dropped_put_is_whole_or_nothing
                a_dropped_delete_is_whole_or_nothing
                a_write_that_is_never_polled_does_nothing
            }
            secrets {
                what_is_printed_shows_no_value
            }
            reopen {
                everything_is_there_after_reopening
                revisions_go_on_after_reopening
            }
        }
    };
}
pub(crate) use __each_store_case;

/// Makes one `#[test]` of each case of the conformance suite for engines of `KeyStore`.
///
/// ```
/// use swarmauri_keystore::MemoryStore;
///
/// swarmauri_keyprovider_testkit::store_conformance!(async || MemoryStore::new());
/// # fn main() {}
/// ```
///
/// The argument is an async closure or function that gives a fresh store, or a
/// [`StoreUnderTest`](crate::StoreUnderTest) that says more of it: how it is opened again, if it is durable, and whether
/// it is in this process. The tests are in a module that is named `store_conformance` unless it is told otherwise
/// (`store_conformance!(mod my_engine, …)`), by topic.
#[macro_export]
macro_rules! store_conformance {
    (mod $name:ident, $factory:expr $(,)?) => {
        mod $name {
            #[allow(unused_imports, reason = "the factory may use what is in scope outside")]
            use super::*;

            fn run(name: &'static str) {
                $crate::__run_store_test(name, $factory);
            }

            $crate::__each_store_case!($crate::__tests, []);
        }
    };
    ($factory:expr $(,)?) => {
        $crate::store_conformance!(mod store_conformance, $factory);
    };
}
