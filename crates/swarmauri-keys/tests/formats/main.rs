//! The encodings of keys: vectors of the RFCs, files that OpenSSL wrote, and what must be refused.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "helpers of tests fail like tests; tables are long"
)]

mod encodings;
mod jwk;
mod private_jwk;
mod refusals;
mod secrecy;
mod vectors;
