//! The mutants, and the cases that must notice them.

use crate::broken::Fault;

macro_rules! mutants {
    ($($fault:ident => $($case:ident)+;)*) => {
        pub(crate) const MUTANTS: &[(Fault, &[&str])] = &[$((Fault::$fault, &[$(stringify!($case)),+])),*];
    };
}

mutants! {
    LosesPuts => what_was_put_is_read a_put_takes_the_place_of_what_was_there;
    KeepsTheFirstValue => a_put_takes_the_place_of_what_was_there;
    SkipsEqualValues => writing_the_same_value_again_is_a_write;
    DeletesWhatStartsAlike => what_was_deleted_is_absent;
    DeletesNothing => what_was_deleted_is_absent a_scan_shows_what_a_get_shows;
    CountsDeletesOfNothing => deleting_nothing_is_none_and_no_write;
    CutsKeysAtZero => keys_are_bytes;
    CutsLongValues => the_longest_keys_and_values_fit;
    TakesLongValues => a_value_that_is_too_long_is_refused;
    RevisionsOfEachKey => revisions_grow_with_every_write;
    IgnoresAbsent => absent_holds_where_nothing_is of_many_writes_that_want_the_same_one_wins;
    IgnoresRevisions
        => a_revision_holds_while_it_is_the_last
            a_counter_loses_no_increment
            deleting_a_revision_of_nothing_is_a_conflict;
    ConflictsTellNothing => a_conflict_tells_what_is_there_and_changes_nothing;
    WritesOnConflict => a_conflict_tells_what_is_there_and_changes_nothing;
    DeletesOfNothingAreFine => deleting_a_revision_of_nothing_is_a_conflict;
    ChecksThenWrites => of_many_writes_that_want_the_same_one_wins a_counter_loses_no_increment;
    ScansEverything => a_scan_is_of_its_prefix_alone;
    NeedsAPrefix => an_empty_prefix_is_everything;
    OrdersSignedBytes => keys_come_in_the_order_of_their_bytes;
    ScansShowFirstRevision => a_scan_shows_what_a_get_shows;
    IgnoresLimits => pages_are_as_small_as_asked_for_and_tell_whether_there_are_more;
    AlwaysSaysMore => pages_are_as_small_as_asked_for_and_tell_whether_there_are_more;
    NeverSaysMore => pages_are_as_small_as_asked_for_and_tell_whether_there_are_more;
    TakesZeroLiterally => a_limit_of_zero_is_one;
    AfterMustBeThere => a_page_may_begin_after_any_key;
    IncludesAfter => a_page_may_begin_after_any_key what_stays_is_in_a_scan_exactly_once;
    ReadsPagesPieceByPiece => a_page_shows_one_moment;
    PagesByPosition => what_stays_is_in_a_scan_exactly_once;
    WatchesEverything => a_watch_has_the_changes_under_its_prefix_alone;
    ShowsTheLastChangeFirst => a_watch_begins_when_it_is_asked_for;
    TellsTwice => changes_come_once_each_in_the_order_of_their_revisions;
    TellsOutOfOrder => changes_come_once_each_in_the_order_of_their_revisions;
    CountsNothing => a_watch_that_counts_has_counted_by_the_time_the_write_returns;
    TellsLate => a_change_is_here_by_the_time_the_write_returns;
    TellsOfRefusedWrites => writes_that_do_not_happen_are_no_changes;
    LosesWhatIsDropped => a_wait_that_is_dropped_loses_nothing;
    EndsOldWatches => watches_do_not_disturb_each_other;
    WatchesStartLate => watching_and_then_scanning_misses_nothing;
    ReadsFromThePast => reads_never_go_back;
    PutsInSteps => a_dropped_put_is_whole_or_nothing;
    DeletesInSteps => a_dropped_delete_is_whole_or_nothing;
    WritesBeforeItIsPolled => a_write_that_is_never_polled_does_nothing;
    PrintsValues => what_is_printed_shows_no_value;
    ForgetsAtReopening => everything_is_there_after_reopening;
    RevisionsStartAnew => revisions_go_on_after_reopening;
}
