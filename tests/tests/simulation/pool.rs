//! Keys that are made once, and handed out in turn: making one costs more than everything else that happens to it.

use std::sync::OnceLock;

use parking_lot::Mutex;
use swarmauri_keys::{KeyAlg, KeyMaterial};
use swarmauri_softkeys::SoftKey;

static POOL: OnceLock<Mutex<[Vec<SoftKey>; 3]>> = OnceLock::new();

/// Where a world is in the pool: it gets no key twice.
#[derive(Debug, Default)]
pub(crate) struct Drawer {
    /// The first of each algorithm are impostors.
    taken: [usize; 3],
}

impl Drawer {
    pub(crate) fn next(&mut self, alg: KeyAlg) -> SoftKey {
        self.taken[place(alg)] += 1;
        key(alg, self.taken[place(alg)])
    }
}

/// A key that no world is ever given.
pub(crate) fn impostor(alg: KeyAlg) -> SoftKey {
    key(alg, 0)
}

/// What somebody hands in who imports this key.
pub(crate) fn material(key: &SoftKey, public: bool) -> KeyMaterial {
    match (key.public_key(), key.secret()) {
        (Some(half), _) if public => KeyMaterial::Public(half.clone()),
        (_, Some(secret)) => secret.into(),
        _ => panic!("a key of the pool has its secret"),
    }
}

fn key(alg: KeyAlg, number: usize) -> SoftKey {
    let pool = POOL.get_or_init(Mutex::default);
    let keys = &mut pool.lock()[place(alg)];
    while keys.len() <= number {
        keys.push(SoftKey::generate(alg, None).unwrap());
    }
    keys[number].clone()
}

fn place(alg: KeyAlg) -> usize {
    match alg {
        KeyAlg::Ed25519 => 0,
        KeyAlg::HmacSha256 => 1,
        KeyAlg::Aes256Gcm => 2,
        other => panic!("no keys of {other} here"),
    }
}
