//! What holds of every parser of outside bytes in this workspace: the bodies of the fuzz targets.
//!
//! A target takes any bytes and panics if a property is broken; `docs/fuzzing.md` says which there are. The fuzzer in `fuzz/`
//! calls them by the million, and an ordinary test runs them on the corpus that is checked in.
//!
//! It is a crate of its own, and no module of the helpers beside it: it links every provider, and some probes there must not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "this is how a finding is told"
)]

pub mod canonical_json;
pub mod cbor;
pub mod config;
pub mod cose;
pub mod jwk;
pub mod jwks;
pub mod key_reference;
pub mod mirror_record;
pub mod private_key;
pub mod public_key;
pub mod sealed_record;
pub mod values;

mod check;
mod keys;
pub mod sealing;

/// The body of a target: panics on a finding.
pub type Target = fn(&[u8]);

/// Every target, by the name of its binary and of its folder in the corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("canonical_json", canonical_json::run),
    ("cbor", cbor::run),
    ("config", config::run),
    ("cose", cose::run),
    ("jwk", jwk::run),
    ("jwks", jwks::run),
    ("key_reference", key_reference::run),
    ("mirror_record", mirror_record::run),
    ("private_key", private_key::run),
    ("public_key", public_key::run),
    ("sealed_record", sealed_record::run),
    ("values", values::run),
];
