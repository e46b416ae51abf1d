//! A key provider that mirrors a primary to a secondary, and keeps answering reads when the primary is gone:
//! with the same `kid`, the same version, the same public key.
//!
//! ```
//! use std::sync::Arc;
//!
//! use swarmauri_keyprovider::{KeyProvider, KeyProviderExt};
//! use swarmauri_keyprovider_local::LocalKeyProvider;
//! use swarmauri_keyprovider_mirrored::MirroredKeyProvider;
//! use swarmauri_keys::KeyAlg;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let primary = Arc::new(LocalKeyProvider::new());
//! let secondary = Arc::new(LocalKeyProvider::new());
//! let mirror = MirroredKeyProvider::new(primary.clone(), secondary)?;
//!
//! let key = mirror.create(KeyAlg::Ed25519).await?;
//! let before = mirror.get_public_jwk(key.kid(), None).await?;
//!
//! primary.destroy_key(key.kid(), None).await?; // behind the mirror's back
//! assert_eq!(mirror.get_public_jwk(key.kid(), None).await?, before);
//! # Ok(())
//! # }
//! ```
//!
//! The primary is the system of record: a write succeeds if, and only if, it accepts it. The secondary gets a
//! copy of what [`MirrorMode`] and the key's export policy allow; what fails is owed, shows in
//! [`MirroredKeyProvider::status`], and is paid by [`MirroredKeyProvider::reconcile`].
//!
//! Work with keys ([`KeyOperations`](swarmauri_keyprovider::KeyOperations)) fails over, too: what a public key suffices
//! for to any replica, what takes the secret to full replicas and on outages alone. Versions that are disabled are so on
//! both sides. [`MirroredKeyProvider::verify_replicas`] proves replicas by what they can do.
//!
//! The map of what lives where is in memory, or with [`MirroredBuilder::state`] on a
//! [`KeyStore`](swarmauri_keystore::KeyStore), where it outlives the process and can be shared by several. Without a store a
//! new process finds replicas again by the tags they carry, but it does not know which destroys an earlier one still owed.
//!
//! Every call of a side, and of the store, has a deadline ([`Deadlines`]), and stands behind a circuit breaker
//! ([`BreakerSettings`]): a side that hangs costs a few callers their deadline, and then nobody anything. Calls may be dropped
//! at any time. Nothing runs in the background, unless somebody runs [`MirroredKeyProvider::maintain`]. Deadlines take a tokio
//! runtime with its timer (`enable_time`), but for a side that answers without waiting.
//!
//! **Architecture invariant:** this crate knows no concrete provider.

mod adopt;
mod apply;
mod breaker;
mod builder;
mod capabilities;
mod config;
mod copy;
mod deadline;
mod destroy;
mod doubts;
mod drill;
mod durations;
#[cfg(any(feature = "jsoncanon", feature = "cbor"))]
mod encode;
mod events;
mod failover;
mod figures;
mod guard;
mod hedge;
mod job;
mod jwks;
mod list;
mod locks;
mod loss;
mod maintain;
mod map;
mod marks;
mod mode;
mod operations;
mod plan;
mod proof;
mod provider;
mod read;
mod reconcile;
mod records;
mod replicate;
mod restore;
mod settings;
mod side;
mod stale;
mod states;
mod status;
mod store;
mod stored;
mod survey;
mod work;

pub use apply::Progress;
pub use breaker::{BreakerSettings, BreakerState};
pub use builder::{BuildError, MirroredBuilder};
pub use deadline::Deadlines;
pub use drill::{DrillReport, FailedDrill, NotAtWork};
pub use guard::Backend;
pub use hedge::Hedge;
pub use maintain::{Maintenance, MaintenanceReport};
pub use mode::{Fidelity, KeptReason, MirrorMode};
pub use plan::{Conflict, ReconcilePlan, Step};
pub use proof::{FailedProof, Proof, ProofReport};
pub use provider::{MirroredKeyProvider, NAME};
pub use reconcile::{FailedStep, ReconcileReport};
pub use settings::{JwksMerge, OnPrimaryLoss, Settings};
pub use status::{Debt, DebtKind, MirrorStatus, RiskReason};
