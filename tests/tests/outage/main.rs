//! Readers notice nothing when the primary is out, or has lost its keys; and secrets stay where they may be.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "this is how a test fails")]

mod private_material;
mod public_only;
mod secrets;
mod support;
