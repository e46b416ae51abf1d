//! Tests of the mirrored provider, by the promise they prove.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod adoption;
mod cancellation;
mod config;
mod conformance;
mod copies;
mod destroy;
mod documents;
mod failover;
mod jwks;
mod listing;
mod never_again;
mod plans;
mod reconcile;
mod replicas;
mod secrets;
mod support;
mod tombstones;
mod turns;
mod writes;
mod wrong_answers;
