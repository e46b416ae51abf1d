//! What the probes in `src/bin` do: they ask the registry of their own program, and print what it answers.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a probe tells its caller")]

use std::error::Error;
use std::process::ExitCode;

use swarmauri_keyprovider::{KeyProviderExt, ProviderConfig, Secrets, registry};
use swarmauri_keys::KeyAlg;

/// Runs one probe: `names`, `lookup NAME`, `lookup-in GROUP NAME` or `build JSON`.
///
/// The answer goes to standard output. An error goes to standard error, and fails.
pub fn run() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match answer(&args) {
        Ok(answer) => {
            println!("{answer}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn answer(args: &[&str]) -> Result<String, Box<dyn Error>> {
    match args {
        ["names"] => Ok(registry::names()?.join(" ")),
        ["lookup", name] => Ok(registry::lookup(name)?.crate_name().to_owned()),
        ["lookup-in", group, name] => Ok(registry::lookup_in(group, name)?.crate_name().to_owned()),
        ["build", json] => {
            let runtime = tokio::runtime::Builder::new_current_thread().build()?;
            runtime.block_on(build(&serde_json::from_str(json)?))
        }
        _ => Err("usage: names | lookup NAME | lookup-in GROUP NAME | build JSON".into()),
    }
}

/// Builds a provider, and has it create a key and read it again.
async fn build(config: &ProviderConfig) -> Result<String, Box<dyn Error>> {
    let provider = registry::build(config).await?;
    let key = provider.create(KeyAlg::Ed25519).await?;
    let read = provider.get_key(key.kid(), None, Secrets::Omit).await?;
    let jwk = provider.get_public_jwk(key.kid(), Some(key.version())).await?;
    if read.parts() != key.parts() || Some(&jwk.key) != key.public_key() {
        return Err("what was read is not what was created".into());
    }
    let features: Vec<_> = provider.supports().features.iter().map(ToString::to_string).collect();
    Ok(format!("{} created and read a key; it can {}", provider.name(), features.join(" ")))
}
