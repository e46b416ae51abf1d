//! PyCA `cryptography` and PyJWT.

use crate::outage;
use crate::peer::{self, Peer};
use crate::tools::Tool;
use crate::work;

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

#[tokio::test]
async fn python_verifies_tokens_of_keys_that_stay_inside() {
    let Some(python) = python() else { return };
    work::verifies_what_we_sign(&python).await;
}

#[tokio::test]
async fn python_signs_tokens_that_we_verify() {
    let Some(python) = python() else { return };
    work::signs_what_we_verify(&python).await;
}

#[tokio::test]
async fn python_checks_our_signatures() {
    let Some(python) = python() else { return };
    work::checks_our_signatures(&python).await;
}

#[tokio::test]
async fn python_and_we_open_each_others_aes_gcm() {
    let Some(python) = python() else { return };
    work::shares_aes_gcm(&python).await;
}

#[tokio::test]
async fn python_and_we_open_each_others_oaep() {
    let Some(python) = python() else { return };
    work::shares_oaep(&python).await;
}

#[tokio::test]
async fn python_verifies_tokens_of_an_outage() {
    let Some(python) = python() else { return };
    outage::tokens_outlive_an_outage(&python).await;
}

#[tokio::test]
async fn python_verifies_tokens_where_no_secret_was_copied() {
    let Some(python) = python() else { return };
    outage::tokens_verify_where_no_secret_was_copied(&python).await;
}
