//! Tests of the mirrored provider, by the promise they prove.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

/// The state of mirrors is in memory here; `tests/stored` runs the same with a store.
const STORED: bool = false;

mod adoption;
mod cancellation;
mod config;
mod conformance;
mod copies;
mod deadlines;
mod destroy;
mod destroy_again;
mod documents;
mod drill;
mod every_await;
mod every_call;
mod every_scene;
mod failover;
mod hedges;
mod jobs;
mod jwks;
mod last_good;
mod listing;
mod loss;
mod never_again;
mod plans;
mod proofs;
mod reconcile;
mod refusals;
mod replicas;
mod restore;
mod same_name;
mod secrets;
mod signals;
mod states;
mod states_elsewhere;
mod support;
mod tombstones;
mod turns;
mod upkeep;
mod work;
mod writes;
mod wrong_answers;
