//! The cases, one file for each topic.

pub(super) mod cancellation;
pub(super) mod concurrency;
pub(super) mod entries;
pub(super) mod preconditions;
pub(super) mod reopen;
pub(super) mod scan;
pub(super) mod secrets;
pub(super) mod watch;
