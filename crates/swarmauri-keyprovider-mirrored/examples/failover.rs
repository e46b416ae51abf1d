//! The main job, step by step: two providers that keep sealed keys in files, a primary that fails, and readers who notice
//! nothing.
//!
//! Run it with `cargo run --example failover`. It keeps its files in `target/failover`, or in the folder that is named. Run it
//! again, or kill it half-way and run it again: it says what it found, repairs it, and goes on. Every claim that is printed
//! has been asserted.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "it tells what happens, and stops where something does not"
)]

use std::error::Error;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_mirrored::{Backend, BreakerState, MirrorMode, MirroredKeyProvider};
use swarmauri_keyprovider_stored::{SealingKey, StoredKeyProvider};
use swarmauri_keyprovider_testkit::FaultyProvider;
use swarmauri_keys::{ExportPolicy, Jwk, KeyAlg, KeyErrorKind, KeyRef, KeySpec, SecretMaterial};
use swarmauri_keystore::RedbStore;
use swarmauri_softkeys::random_bytes;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let folder = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("target/failover"), PathBuf::from);
    run(&folder).await
}

async fn run(folder: &Path) -> Outcome {
    // Real providers, each behind a switch that takes it out; and what the mirror knows is in a file, too.
    let sealing = sealing_key(folder)?;
    let (primary, first) = sealed_keys(folder, "primary.redb", &sealing).await?;
    let (secondary, second) = sealed_keys(folder, "secondary.redb", &sealing).await?;
    let state = RedbStore::open(folder.join("state.redb")).await?;
    let builder = MirroredKeyProvider::builder(primary.clone(), secondary.clone());
    let mirror = Arc::new(builder.state(Arc::new(state.clone())).open().await?);
    println!("A primary, a secondary, and a mirror over them in mode {}.", mirror.settings().mode);
    println!("All of it is in {}.", folder.display());
    what_was_found(&mirror).await?;
    // It is the caller who decides that something runs in the background, and for how long.
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let upkeep = tokio::spawn({
        let mirror = Arc::clone(&mirror);
        async move { mirror.maintain(async { drop(stopped.await) }).await }
    });
    steps(&mirror, &primary, &secondary).await?;
    drop(stop);
    println!("\nMaintenance is stopped; it asked {} times whether a side is back.", upkeep.await?.probes);

    // Frees the files before this ends; a process that is killed loses nothing that was acknowledged, either.
    drop((mirror, primary, secondary));
    for store in [first, second, state] {
        store.close().await;
    }
    secrets_in_mode_full().await?;
    println!("\nAll of it held.");
    Ok(())
}

/// What earlier runs have left, if there were any: complete or not, it is repaired.
async fn what_was_found(mirror: &MirroredKeyProvider) -> Outcome {
    let (keys, status) = (mirror.list_all_keys().await?.len(), mirror.status());
    if keys == 0 && status.tombstones == 0 && status.backlog.is_empty() {
        println!("This is the first run.");
        return Ok(());
    }
    let replicas: usize = status.replicas.values().sum();
    println!("An earlier run left {keys} keys, {replicas} replicas, {} tombstones.", status.tombstones);
    for debt in &status.backlog {
        println!("  owed: {} of {}", debt.kind, debt.key);
    }
    let report = mirror.reconcile().await;
    assert!(report.is_clean(), "{report:?}");
    println!("  repaired in {} steps", report.done);
    assert!(mirror.plan_reconcile().await.is_empty());
    Ok(())
}

async fn steps(
    mirror: &MirroredKeyProvider,
    primary: &FaultyProvider,
    secondary: &FaultyProvider,
) -> Outcome {
    step("Five keys are created, and one is rotated");
    let signing = create(mirror, KeyAlg::Ed25519, ExportPolicy::SecretWhenAllowed).await?;
    let tokens = create(mirror, KeyAlg::EcdsaP256Sha256, ExportPolicy::PublicOnly).await?;
    let agreement = create(mirror, KeyAlg::X25519, ExportPolicy::PublicOnly).await?;
    let legacy = create(mirror, KeyAlg::RsaPssSha256, ExportPolicy::SecretWhenAllowed).await?;
    let data = create(mirror, KeyAlg::Aes256Gcm, ExportPolicy::SecretWhenAllowed).await?;
    let rotated = mirror.rotate(signing.kid()).await?;
    println!("  {} is rotated, and now at version {}", rotated.kid(), rotated.version());
    let versions = [&signing, &rotated, &tokens, &agreement, &legacy];
    let before = mirror.jwks(&JwksQuery::ALL_LIVE).await?;
    for key in versions {
        let id = key.id().to_string();
        assert_eq!(before.keys.iter().filter(|jwk| jwk.kid.as_deref() == Some(id.as_str())).count(), 1);
    }
    println!("  the JWKS has {} keys in {} bytes;", before.keys.len(), serde_json::to_vec(&*before)?.len());
    println!("  {} is not among them: a symmetric key has no public part", data.kid());

    step("The primary goes out");
    primary.faults().outage();
    println!("  primary: {}", primary.get_public_jwk(tokens.kid(), None).await.unwrap_err());
    for key in versions {
        let jwk = mirror.get_public_jwk(key.kid(), Some(key.version())).await?;
        assert_eq!(jwk, key.public_jwk()?);
        println!("  mirror:  {}", shown(&jwk));
    }
    let latest = mirror.get_public_jwk(signing.kid(), None).await?;
    assert_eq!(latest, rotated.public_jwk()?);
    println!("  the latest of {} is version {}, as before", signing.kid(), rotated.version());
    let meanwhile = mirror.jwks(&JwksQuery::ALL_LIVE).await?;
    assert_eq!(serde_json::to_vec(&*meanwhile)?, serde_json::to_vec(&*before)?);
    println!("  the JWKS is byte for byte what it was");

    println!("  its circuit breaker is {}: it costs nobody any time", breaker(mirror, Backend::Primary));

    step("In this mode no secret was copied, so none is served");
    let refused = mirror.get_key(signing.kid(), None, Secrets::Include).await.unwrap_err();
    assert_eq!(refused.kind(), KeyErrorKind::Unavailable);
    assert!(secondary.faults().journal().secret_bytes_handed().is_empty());
    println!("  {refused}");

    step("The primary is back, and has lost a key");
    primary.faults().recover();
    until("the primary is asked again", || breaker(mirror, Backend::Primary) == BreakerState::Closed).await?;
    primary.inner().destroy_key(tokens.kid(), None).await?;
    println!("  primary: {}", primary.get_public_jwk(tokens.kid(), None).await.unwrap_err());
    let jwk = mirror.get_public_jwk(tokens.kid(), None).await?;
    assert_eq!(jwk, tokens.public_jwk()?);
    println!("  mirror:  {}", shown(&jwk));
    assert_eq!(mirror.jwks(&JwksQuery::ALL_LIVE).await?, before);
    println!("  the JWKS still is what it was");

    step("The secondary goes out, and writes go on");
    secondary.faults().outage();
    let newcomer = create(mirror, KeyAlg::Ed25519, ExportPolicy::PublicOnly).await?;
    assert!(mirror.destroy_key(agreement.kid(), None).await?);
    println!("  {} is destroyed", agreement.kid());
    assert_eq!(mirror.status().backlog.len(), 2);
    for debt in mirror.status().backlog {
        println!("  owed: {} of {} ({})", debt.kind, debt.key, debt.last_error.unwrap_or_default());
    }

    step("The secondary is back, and is paid");
    secondary.faults().recover();
    until("nothing is owed any more", || mirror.status().backlog.is_empty()).await?;

    step("A drill says what an outage of the primary would leave");
    let drill = mirror.drill().await;
    println!("  {} versions were read from the secondary alone", drill.read);
    for (id, reason) in &drill.at_risk {
        println!("  {id} has no replica (reason: {reason})");
    }
    assert!(drill.failed.is_empty(), "{drill:?}");

    step("The primary goes out again");
    primary.faults().outage();
    let jwk = mirror.get_public_jwk(newcomer.kid(), None).await?;
    assert_eq!(jwk, newcomer.public_jwk()?);
    println!("  mirror:  {}", shown(&jwk));
    let gone = mirror.get_public_jwk(agreement.kid(), None).await.unwrap_err();
    assert_eq!(gone.kind(), KeyErrorKind::NotFound);
    println!("  destroyed is destroyed: {gone}");
    primary.faults().recover();
    Ok(())
}

/// Mode `full` copies secrets too, where their policy lets them out.
async fn secrets_in_mode_full() -> Outcome {
    step("The same in mode full, with secrets");
    let primary = Arc::new(FaultyProvider::new(Arc::new(LocalKeyProvider::new())));
    let builder = MirroredKeyProvider::builder(primary.clone(), Arc::new(LocalKeyProvider::new()));
    let mirror = &builder.mode(MirrorMode::Full).build()?;
    let open = create(mirror, KeyAlg::Aes256Gcm, ExportPolicy::SecretWhenAllowed).await?;
    let closed = create(mirror, KeyAlg::Ed25519, ExportPolicy::PublicOnly).await?;
    let before = mirror.get_key(open.kid(), None, Secrets::Include).await?;

    primary.faults().outage();
    println!("  the primary is out");
    let after = mirror.get_key(open.kid(), None, Secrets::Include).await?;
    match (before.secret(), after.secret()) {
        (Some(SecretMaterial::Symmetric(before)), Some(SecretMaterial::Symmetric(after))) => {
            assert!(before == after, "the secret is another one");
            println!("  {}: the same {} secret bytes as before", open.kid(), after.len());
        }
        _ => return Err("an answer came without its secret".into()),
    }
    let refused = mirror.get_key(closed.kid(), None, Secrets::Include).await.unwrap_err();
    println!("  {refused}");
    Ok(())
}

/// A provider of keys that are sealed in a file, with faults on command; and the file.
async fn sealed_keys(
    folder: &Path,
    name: &str,
    sealing: &SealingKey,
) -> Outcome<(Arc<FaultyProvider>, RedbStore)> {
    let store = RedbStore::open(folder.join(name)).await?;
    let provider = StoredKeyProvider::open(Arc::new(store.clone()), sealing.clone()).await?;
    Ok((Arc::new(FaultyProvider::new(Arc::new(provider))), store))
}

/// The sealing key of the folder; the first run draws it.
fn sealing_key(folder: &Path) -> Outcome<SealingKey> {
    let path = folder.join("sealing.key");
    if !folder.exists() {
        private_folder().recursive(true).create(folder)?;
    }
    // Under another name first, so that a run which is killed here leaves no half of a key.
    if !path.exists() {
        let draft = folder.join("sealing.key.new");
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let mut file = private_file().write(true).create_new(true).open(&draft)?;
        file.write_all(random_bytes(32)?.expose_secret())?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
    }
    Ok(SealingKey::from_file(&path)?)
}

#[cfg(unix)]
fn private_folder() -> DirBuilder {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut folder = DirBuilder::new();
    folder.mode(0o700);
    folder
}

#[cfg(unix)]
fn private_file() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = OpenOptions::new();
    file.mode(0o600);
    file
}

#[cfg(not(unix))]
fn private_folder() -> DirBuilder {
    DirBuilder::new()
}

#[cfg(not(unix))]
fn private_file() -> OpenOptions {
    OpenOptions::new()
}

async fn create(mirror: &MirroredKeyProvider, alg: KeyAlg, policy: ExportPolicy) -> Outcome<KeyRef> {
    let mut spec = KeySpec::builder(alg).export_policy(policy);
    if alg == KeyAlg::RsaPssSha256 {
        spec = spec.size_bits(2048);
    }
    let key = mirror.create_key(&spec.build()?).await?;
    println!("  {} is created: {alg}, policy {policy}", key.kid());
    Ok(key)
}

/// `kid`, version and thumbprint of a published key.
fn shown(jwk: &Jwk) -> String {
    let id = jwk.version_id().unwrap();
    format!("{} at version {}, thumbprint {}", id.kid, id.version, jwk.key.thumbprint())
}

fn breaker(mirror: &MirroredKeyProvider, backend: Backend) -> BreakerState {
    mirror.breakers().get(&backend).copied().unwrap_or(BreakerState::Closed)
}

/// Waits for what maintenance does by itself.
async fn until(what: &str, done: impl Fn() -> bool) -> Outcome {
    for _ in 0..1000 {
        if done() {
            println!("  {what}");
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err(format!("in vain: {what}").into())
}

fn step(title: &str) {
    println!("\n{title}.");
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// And it holds again, on what the first run has left.
    #[tokio::test]
    async fn all_of_it_holds_twice() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tmp");
        let folder = folder.join(format!("failover-{}", std::process::id()));
        for _ in 0..2 {
            super::run(&folder).await.unwrap();
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
