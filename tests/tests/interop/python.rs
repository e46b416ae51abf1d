//! PyCA `cryptography` and PyJWT.

use crate::peer::{self, Peer};
use crate::tools::Tool;

fn python() -> Option<Peer> {
    Tool::python().map(|tool| Peer { tool, der: true })
}

#[tokio::test]
async fn python_verifies_with_our_jwks() {
    let Some(python) = python() else { return };
    peer::verifies_with_our_jwks(&python).await;
}

#[tokio::test]
async fn python_trusts_no_destroyed_key() {
    let Some(python) = python() else { return };
    peer::trusts_no_destroyed_key(&python).await;
}

#[tokio::test]
async fn python_opens_what_was_sealed_to_our_jwks() {
    let Some(python) = python() else { return };
    peer::opens_what_was_sealed_to_our_jwks(&python).await;
}

#[tokio::test]
async fn python_reads_our_exports_as_we_do() {
    let Some(python) = python() else { return };
    peer::reads_our_exports_as_we_do(&python).await;
}

#[tokio::test]
async fn python_makes_keys_that_we_import() {
    let Some(python) = python() else { return };
    peer::makes_keys_that_we_import(&python).await;
}
