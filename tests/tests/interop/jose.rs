//! The `jose` package of npm.

use serde_json::json;
use swarmauri_keys::KeyAlg;

use crate::keys::{House, asymmetric};
use crate::outage;
use crate::peer::{self, Peer};
use crate::tools::Tool;
use crate::{jwe, work};

fn jose() -> Option<Peer> {
    Tool::node().map(|tool| Peer { tool, der: false })
}

#[tokio::test]
async fn jose_verifies_with_our_jwks() {
    let Some(jose) = jose() else { return };
    peer::verifies_with_our_jwks(&jose).await;
}

#[tokio::test]
async fn jose_trusts_no_destroyed_key() {
    let Some(jose) = jose() else { return };
    peer::trusts_no_destroyed_key(&jose).await;
}

#[tokio::test]
async fn jose_opens_what_was_sealed_to_our_jwks() {
    let Some(jose) = jose() else { return };
    peer::opens_what_was_sealed_to_our_jwks(&jose).await;
}

#[tokio::test]
async fn jose_reads_our_exports_as_we_do() {
    let Some(jose) = jose() else { return };
    peer::reads_our_exports_as_we_do(&jose).await;
}

#[tokio::test]
async fn jose_makes_keys_that_we_import() {
    let Some(jose) = jose() else { return };
    peer::makes_keys_that_we_import(&jose).await;
}

#[tokio::test]
async fn jose_computes_our_thumbprints() {
    let Some(jose) = jose() else { return };
    let house = House::furnished().await;
    let mut thumbprints: Vec<String> = Vec::new();
    let mut keys = Vec::new();
    for alg in asymmetric() {
        thumbprints.push(house.public_key(alg).await.thumbprint().to_string());
        keys.push(serde_json::to_value(house.jwk(alg).await).unwrap());
    }
    let theirs = jose.ask("thumbprints", KeyAlg::Ed25519, json!({"jwks": {"keys": keys}}));
    assert_eq!(theirs, json!(thumbprints));
}

#[tokio::test]
async fn jose_verifies_tokens_of_keys_that_stay_inside() {
    let Some(jose) = jose() else { return };
    work::verifies_what_we_sign(&jose).await;
}

#[tokio::test]
async fn jose_signs_tokens_that_we_verify() {
    let Some(jose) = jose() else { return };
    work::signs_what_we_verify(&jose).await;
}

#[tokio::test]
async fn jose_seals_to_our_rsa_key_and_we_open_it() {
    let Some(jose) = jose() else { return };
    jwe::we_open_what_was_sealed_to_our_rsa_key(&jose).await;
}

#[tokio::test]
async fn jose_opens_what_we_seal_to_its_rsa_key() {
    let Some(jose) = jose() else { return };
    jwe::the_peer_opens_what_we_seal_to_its_rsa_key(&jose).await;
}

#[tokio::test]
async fn jose_and_we_open_each_others_wrapped_keys() {
    let Some(jose) = jose() else { return };
    jwe::a_jwe_with_a_wrapped_key_opens_on_either_side(&jose).await;
}

#[tokio::test]
async fn jose_verifies_tokens_of_an_outage() {
    let Some(jose) = jose() else { return };
    outage::tokens_outlive_an_outage(&jose).await;
}

#[tokio::test]
async fn jose_verifies_tokens_where_no_secret_was_copied() {
    let Some(jose) = jose() else { return };
    outage::tokens_verify_where_no_secret_was_copied(&jose).await;
}
