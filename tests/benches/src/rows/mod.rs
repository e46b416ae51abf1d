//! The work that is measured, one function for each row of the table in `docs/benchmarks.md`, by the names that
//! `cargo xtask bench --rows` takes.

mod encode;
mod file;
mod generate;
mod jwks;
mod read;
mod threads;

use crate::{Desk, Failure, Outcome};

/// Sets up a row, and measures for as long as it is asked to.
pub async fn run(row: &str, desk: &mut Desk) -> Outcome {
    match row {
        "get-key" => read::get_key(desk).await,
        "get-key-tombstones" => read::beside_tombstones(desk).await,
        "local-get-key" => read::local(desk).await,
        "get-public-jwk" => read::get_public_jwk(desk).await,
        "fail-over" => read::fail_over(desk).await,
        "jwks" => jwks::unchanged(desk).await,
        "jwks-after-change" => jwks::after_a_change(desk).await,
        "create-ed25519" => generate::ed25519(desk).await,
        "create-rsa" => generate::rsa(desk).await,
        "two-threads" => threads::mixed_reads(desk).await,
        "durable-create" => file::durable_create(desk).await,
        "file-get-key" => file::get_key(desk).await,
        "file-open" => file::open(desk).await,
        "canonical-json" => encode::canonical_json(desk).await,
        "cbor" => encode::cbor(desk).await,
        _ => Err(Failure::from(format!("no row {row:?}"))),
    }
}
