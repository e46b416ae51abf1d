//! The rules of the house, as tests: what a reviewer would otherwise have to remember.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "this is how a test fails")]

mod code;
mod docs;
mod manifests;
mod tree;

/// Fails with every offence at once, one a line.
fn assert_none(rule: &str, offences: &[String]) {
    assert!(offences.is_empty(), "{rule}:\n  {}", offences.join("\n  "));
}
