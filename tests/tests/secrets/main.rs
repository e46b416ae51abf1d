//! No secret byte shows in what is printed, serialised, traced, or said in an error: promise 9, for everything
//! public that can hold or see a secret.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "this is how a test fails")]

mod configuration;
mod encoders;
mod imports;
mod mirror;
mod providers;
mod shown;
mod specimens;
mod values;
