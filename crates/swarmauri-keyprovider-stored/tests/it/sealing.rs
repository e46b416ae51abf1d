//! The sealing key: where it comes from, that another does not open the store, and how it is changed.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use swarmauri_keyprovider::{KeyProvider, Secrets};
use swarmauri_keyprovider_stored::{Argon2Cost, SealingKey, StoredKeyProvider};
use swarmauri_keys::{KeyAlg, KeyError, KeyErrorKind};
use swarmauri_keystore::MemoryStore;

use crate::{HEADER, entries, kid, kind, place, put, sealing, spec, value};

/// A folder that goes with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("stored-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str, contents: &[u8], mode: u32) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, contents).unwrap();
        set_mode(&path, mode);
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(unix)]
fn set_mode(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn set_mode(_: &std::path::Path, _: u32) {}

fn passphrase(text: &str) -> SealingKey {
    let cheap = Argon2Cost::new(64, 1, 1).unwrap();
    SealingKey::passphrase(text.as_bytes().into()).unwrap().at_cost(cheap)
}

async fn opened(store: &MemoryStore, with: SealingKey) -> Result<StoredKeyProvider, KeyError> {
    StoredKeyProvider::open(Arc::new(store.clone()), with).await
}

async fn sealed_with(with: SealingKey) -> MemoryStore {
    let store = MemoryStore::new();
    opened(&store, with).await.unwrap().create_key(&spec(KeyAlg::Ed25519, "k")).await.unwrap();
    store
}

async fn opens(store: &MemoryStore, with: SealingKey) -> bool {
    match opened(store, with).await {
        Ok(provider) => provider.get_key(&kid("k"), None, Secrets::Include).await.is_ok(),
        Err(error) => {
            assert_eq!(error.kind(), KeyErrorKind::PermissionDenied);
            assert!(error.to_string().contains("not the one that this store was sealed with"), "{error}");
            false
        }
    }
}

#[tokio::test]
async fn another_sealing_key_does_not_open_the_store_and_writes_nothing() {
    let folder = Folder::new("wrong");
    let other_file = folder.file("other", &[0xee; 32], 0o600);
    let phrase_file = folder.file("phrase", b"another phrase\n", 0o600);
    let wrong = || {
        [
            SealingKey::new(vec![8; 32].into()).unwrap(),
            SealingKey::from_file(&other_file).unwrap(),
            passphrase("another phrase"),
            SealingKey::passphrase_from_file(&phrase_file).unwrap(),
        ]
    };
    for (right, name) in [(sealing(), "key"), (passphrase("phrase"), "passphrase")] {
        let store = sealed_with(right.clone()).await;
        let before = entries(&store).await;
        for wrong in wrong() {
            assert!(!opens(&store, wrong).await, "{name}");
            assert_eq!(entries(&store).await, before, "revisions too");
        }
        assert!(opens(&store, right).await, "{name}");
    }
}

#[tokio::test]
async fn a_passphrase_opens_at_the_cost_that_the_header_says() {
    let store = sealed_with(passphrase("phrase")).await;
    let header = value(&store, HEADER).await;
    assert!(header.windows(8).any(|window| window == b"argon2id"));
    // The default cost is for new headers; this one has its own.
    assert!(opens(&store, SealingKey::passphrase(b"phrase"[..].into()).unwrap()).await);
    assert_eq!(value(&store, HEADER).await, header);
}

#[tokio::test]
async fn two_stores_of_one_sealing_key_have_nothing_in_common() {
    let (one, other) = (sealed_with(sealing()).await, sealed_with(sealing()).await);
    put(&one, &place(HEADER), &value(&other, HEADER).await).await;
    assert_eq!(kind(opened(&one, sealing()).await), Some(KeyErrorKind::Integrity));
}

#[tokio::test]
async fn after_a_resealing_the_new_key_opens_and_the_old_one_does_not() {
    let keys =
        || [sealing(), passphrase("one"), passphrase("two"), SealingKey::new(vec![8; 32].into()).unwrap()];
    let store = sealed_with(sealing()).await;
    let provider = opened(&store, sealing()).await.unwrap();
    let records = value(&store, "keys/key/k").await;
    for round in 1..8 {
        let [old, new] = [round - 1, round].map(|number| keys()[number % 4].clone());
        provider.reseal(new.clone()).await.unwrap();
        assert!(opens(&store, new).await && !opens(&store, old).await, "round {round}");
        assert_eq!(value(&store, "keys/key/k").await, records, "the header alone is written");
    }
    // Whoever has it open goes on, also one that did not seal it anew.
    provider.create_key(&spec(KeyAlg::Ed25519, "later")).await.unwrap();
}

#[tokio::test]
async fn a_file_that_others_may_read_is_refused_with_the_command_that_helps() {
    let folder = Folder::new("modes");
    for mode in [0o644, 0o640, 0o604, 0o660, 0o620] {
        let path = folder.file("key", &[0xee; 32], mode);
        for refused in [SealingKey::from_file(&path), SealingKey::passphrase_from_file(&path)] {
            let error = refused.unwrap_err();
            assert_eq!(error.kind(), KeyErrorKind::PermissionDenied);
            let command = format!("chmod 600 {}", path.display());
            assert!(error.to_string().contains(&command), "{error}");
            assert!(error.to_string().contains(&format!("{mode:04o}")), "{error}");
        }
    }
    for mode in [0o600, 0o400] {
        let path = folder.file(&format!("{mode:o}"), &[0xee; 32], mode);
        SealingKey::from_file(&path).unwrap();
    }
}

#[tokio::test]
async fn what_is_not_there_or_is_no_key_is_refused_by_name() {
    let folder = Folder::new("absent");
    let invalid = [
        (SealingKey::from_file(folder.0.join("absent")), "absent"),
        (SealingKey::from_file(folder.file("short", b"\xee", 0o600)), "short"),
        (SealingKey::from_file(folder.file("long", &[0xee; 5000], 0o600)), "long"),
        (SealingKey::passphrase_from_file(folder.file("empty", b"\n", 0o600)), "passphrase"),
        (SealingKey::from_env("STORED_NOT_SET"), "STORED_NOT_SET"),
        (SealingKey::passphrase_from_env(""), "environment"),
        (SealingKey::new(vec![1; 31].into()), "31"),
    ];
    for (refused, named) in invalid {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(named), "{error}");
    }
}

/// Making a key of a passphrase takes long, and other futures go on meanwhile.
#[tokio::test]
async fn a_passphrase_does_not_hold_up_the_executor() {
    let store = MemoryStore::new();
    let opening = opened(&store, SealingKey::passphrase(b"phrase"[..].into()).unwrap());
    let mut turns = 0;
    let others = async {
        loop {
            tokio::task::yield_now().await;
            turns += 1;
        }
    };
    tokio::select! {
        biased;
        opened = opening => drop(opened.unwrap()),
        () = others => {}
    }
    assert!(turns > 0);
}

/// Of what cargo sets for every test.
#[tokio::test]
async fn an_environment_variable_is_a_source() {
    let name = "CARGO_PKG_NAME";
    let store = sealed_with(passphrase(env!("CARGO_PKG_NAME"))).await;
    assert!(opens(&store, SealingKey::passphrase_from_env(name).unwrap()).await);
    let error = SealingKey::from_env(name).unwrap_err().to_string();
    assert!(error.contains(name) && error.contains("holds no sealing key"), "{error}");
    assert!(!error.contains(env!("CARGO_PKG_NAME")), "{error}");
}
