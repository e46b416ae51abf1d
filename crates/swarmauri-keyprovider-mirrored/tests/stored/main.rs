//! The tests of the mirrored provider once more, its state on a store; and what only a store gives.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

const STORED: bool = true;

#[path = "../it/adoption.rs"]
mod adoption;
#[path = "../it/cancellation.rs"]
mod cancellation;
#[path = "../it/copies.rs"]
mod copies;
#[path = "../it/deadlines.rs"]
mod deadlines;
#[path = "../it/destroy.rs"]
mod destroy;
#[path = "../it/destroy_again.rs"]
mod destroy_again;
#[path = "../it/documents.rs"]
mod documents;
#[path = "../it/drill.rs"]
mod drill;
#[path = "../it/every_await.rs"]
mod every_await;
#[path = "../it/every_call.rs"]
mod every_call;
#[path = "../it/every_scene.rs"]
mod every_scene;
#[path = "../it/failover.rs"]
mod failover;
#[path = "../it/hedges.rs"]
mod hedges;
#[path = "../it/jobs.rs"]
mod jobs;
#[path = "../it/jwks.rs"]
mod jwks;
#[path = "../it/last_good.rs"]
mod last_good;
#[path = "../it/listing.rs"]
mod listing;
#[path = "../it/loss.rs"]
mod loss;
#[path = "../it/never_again.rs"]
mod never_again;
#[path = "../it/plans.rs"]
mod plans;
#[path = "../it/proofs.rs"]
mod proofs;
#[path = "../it/reconcile.rs"]
mod reconcile;
#[path = "../it/refusals.rs"]
mod refusals;
#[path = "../it/replicas.rs"]
mod replicas;
#[path = "../it/restore.rs"]
mod restore;
#[path = "../it/same_name.rs"]
mod same_name;
#[path = "../it/secrets.rs"]
mod secrets;
#[path = "../it/states.rs"]
mod states;
#[path = "../it/states_elsewhere.rs"]
mod states_elsewhere;
#[path = "../it/support.rs"]
mod support;
#[path = "../it/tombstones.rs"]
mod tombstones;
#[path = "../it/turns.rs"]
mod turns;
#[path = "../it/upkeep.rs"]
mod upkeep;
#[path = "../it/work.rs"]
mod work;
#[path = "../it/writes.rs"]
mod writes;
#[path = "../it/wrong_answers.rs"]
mod wrong_answers;

mod crashes;
mod hanging;
mod little_by_little;
mod missed;
mod processes;
mod state;
