//! The process that is killed: this program once more, doing one thing after the other and saying so.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use swarmauri_keyprovider::{KeyProvider, KeyProviderExt};
use swarmauri_keyproviders_tests::random::Seeded;
use swarmauri_keys::{ExportPolicy, KeyAlg, KeyId, KeyMaterial, KeySpec, KeyVersion, PrivateKey};

use crate::house::House;
use crate::ledger::Act;

/// Says where, and with which seed.
const TASK: &str = "SWARMAURI_KILLED_CHILD";

/// A child, killed when it is dropped.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(folder: &Path, seed: u64) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "child::what_the_child_does", "--nocapture", "--test-threads=1"]);
        command.env(TASK, format!("{seed} {}", folder.display()));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        Self(command.spawn().unwrap())
    }

    /// Kills it (SIGKILL), and gives what it had said.
    pub(crate) fn kill(&mut self) -> Vec<String> {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
        let said = BufReader::new(self.0.stdout.take().unwrap());
        said.lines().map_while(Result::ok).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_the_child_does() {
    let Ok(task) = env::var(TASK) else { return };
    let (seed, folder) = task.split_once(' ').unwrap();
    // The harness has begun a line.
    say("");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(act(Path::new(folder), Seeded::new(seed.parse().unwrap())));
}

/// One whole line on standard output, in one write, past what captures the output of tests.
fn say(line: &str) {
    std::io::stdout().write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// Until it is killed: says what it is about to do, does it, and says how it went.
async fn act(folder: &Path, mut random: Seeded) {
    let house = House::open(folder).await;
    let mirror = &house.mirror;
    let mut kids: Vec<KeyId> =
        mirror.list_all_keys().await.unwrap().into_iter().map(|summary| summary.kid).collect();
    loop {
        if random.one_in(40) {
            mirror.reconcile().await;
            continue;
        }
        if kids.len() < 3 || random.one_in(4) {
            let kid = KeyId::from_random(
                [random.next_u64().to_be_bytes(), random.next_u64().to_be_bytes()]
                    .concat()
                    .try_into()
                    .unwrap(),
            );
            say(&Act::Begin { what: "make", kid: kid.clone(), version: None }.to_string());
            let policy =
                if random.one_in(3) { ExportPolicy::PublicOnly } else { ExportPolicy::SecretWhenAllowed };
            let spec =
                KeySpec::builder(KeyAlg::Ed25519).export_policy(policy).kid(kid.clone()).build().unwrap();
            let made = if random.one_in(2) {
                mirror.create_key(&spec).await
            } else {
                let seed = [random.next_u64().to_be_bytes(); 4].concat();
                let key = PrivateKey::from_raw(KeyAlg::Ed25519.key_type(), &seed).unwrap();
                mirror.import_key(&spec, KeyMaterial::Private(key)).await
            };
            let key = made.unwrap();
            say(&Act::Made { id: key.id().clone(), fingerprint: key.fingerprint().clone() }.to_string());
            kids.push(kid);
            continue;
        }
        let kid = kids[random.below(u32::try_from(kids.len()).unwrap()) as usize].clone();
        match random.below(5) {
            0 => {
                let version = random.one_in(2).then(|| KeyVersion::new(1 + random.below(3)).unwrap());
                say(&Act::Begin { what: "destroy", kid: kid.clone(), version }.to_string());
                // If there is nothing of that name, it may still come.
                if mirror.destroy_key(&kid, version).await.unwrap() {
                    say(&Act::Destroyed { kid: kid.clone(), version }.to_string());
                }
                if mirror.list_versions(&kid).await.is_err() {
                    kids.retain(|other| *other != kid);
                }
            }
            1 => {
                let versions = mirror.list_versions(&kid).await.unwrap();
                let version = versions[random.below(u32::try_from(versions.len()).unwrap()) as usize];
                if random.one_in(2) {
                    mirror.disable_key(&kid, version).await.unwrap();
                } else {
                    mirror.enable_key(&kid, version).await.unwrap();
                }
            }
            _ => {
                say(&Act::Begin { what: "rotate", kid: kid.clone(), version: None }.to_string());
                let key = mirror.rotate(&kid).await.unwrap();
                say(&Act::Made { id: key.id().clone(), fingerprint: key.fingerprint().clone() }.to_string());
            }
        }
    }
}
