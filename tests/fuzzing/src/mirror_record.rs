//! The mirror's state: what lies in a store under `mirror/`.
//!
//! The input is the record of one key; or, with a NUL in it, the end of a place and the value there.

use std::sync::{Arc, LazyLock};

use serde_json::Value;
use swarmauri_keyprovider::{JwksQuery, KeyProvider, Secrets};
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_mirrored::{BuildError, MirrorMode, MirroredKeyProvider};
use swarmauri_keyprovider_testkit::FaultyProvider;
use swarmauri_keys::{
    ExportPolicy, Jwk, KeyAlg, KeyErrorKind, KeyId, KeyMaterial, KeySpec, KeyType, KeyVersion, PrivateKey,
    PublicKey,
};
use swarmauri_keystore::{KeyStore, MemoryStore, Precondition, StoreKey};

use crate::check::now;

/// The `kid` of the mirror's key, and that of its replica.
const KID: &str = "k";
const REPLICA: &str = "r";

/// RFC 8037 appendix A.1.
const SEED: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44,
    0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];

/// What the secondary holds: one key, whatever the record says of it.
static REPLICA_KEY: LazyLock<PublicKey> = LazyLock::new(|| {
    let soft = swarmauri_softkeys::SoftKey::import(KeyAlg::Ed25519, material()).expect("it is a key");
    soft.public_key().expect("it is a pair").clone()
});

/// A record is refused, with its place; or, while the primary is out, what is served is the key that the record says, and
/// nothing of what it says is destroyed. Reconciling leads to a state that is read back as the same.
pub fn run(input: &[u8]) {
    let (place, value) = match input.iter().position(|byte| *byte == 0) {
        None => ([b"mirror/key/", KID.as_bytes()].concat(), input),
        Some(end) => ([b"mirror/", &input[..end]].concat(), &input[end + 1..]),
    };
    let Ok(place) = StoreKey::new(&place) else { return };
    let store = MemoryStore::new();
    now(store.put(&place, value, Precondition::Any)).expect("it is short");
    let world = World::new(store);
    let mirror = match world.open() {
        Ok(mirror) => mirror,
        Err(BuildError::State(error)) => {
            assert_eq!(error.kind(), KeyErrorKind::Integrity, "{error}");
            return;
        }
        Err(other) => panic!("{other}"),
    };
    assert_eq!(world.open().expect("it was opened before").status(), mirror.status());
    let record = serde_json::from_slice::<Value>(value).unwrap_or_default();
    world.primary.faults().outage();
    served(&mirror, &record["record"]);
    world.primary.faults().recover();
    reconciled(&world, &mirror);
}

struct World {
    store: MemoryStore,
    primary: Arc<FaultyProvider>,
    secondary: Arc<LocalKeyProvider>,
}

impl World {
    fn new(store: MemoryStore) -> Self {
        let secondary = Arc::new(LocalKeyProvider::new());
        let spec = KeySpec::builder(KeyAlg::Ed25519).kid(kid(REPLICA));
        let spec = spec.export_policy(ExportPolicy::SecretWhenAllowed).build().expect("it is a spec");
        now(secondary.import_key(&spec, material())).expect("it is a key");
        let primary = Arc::new(FaultyProvider::new(Arc::new(LocalKeyProvider::new())));
        Self { store, primary, secondary }
    }

    fn open(&self) -> Result<MirroredKeyProvider, BuildError> {
        let builder = MirroredKeyProvider::builder(self.primary.clone(), self.secondary.clone());
        now(builder.mode(MirrorMode::Full).state(Arc::new(self.store.clone())).open())
    }
}

/// What is read while the primary is out.
fn served(mirror: &MirroredKeyProvider, record: &Value) {
    let kid = kid(KID);
    let versions = record["versions"].as_object();
    let numbers = versions.into_iter().flatten().filter_map(|(number, _)| number.parse().ok());
    for version in numbers.map(Some).chain([None]) {
        if let Ok(key) = now(mirror.get_key(&kid, version, Secrets::Omit)) {
            let state = &record["versions"][key.version().to_string()];
            assert_eq!(state["mirrored"]["key"]["fingerprint"], key.fingerprint().as_str(), "promise 3");
            assert_eq!(key.public_key(), Some(&*REPLICA_KEY), "promise 3");
            assert_eq!(record["whole"], "live", "promise 4");
            assert!(version.is_none_or(|asked| asked == key.version()) && *key.kid() == kid, "promise 2");
        }
    }
    let published =
        now(mirror.jwks(&JwksQuery::ALL_LIVE)).map_or_else(|_| Vec::new(), |set| set.keys.clone());
    for id in published.iter().filter_map(Jwk::version_id).filter(|id| id.kid == kid) {
        let state = &record["versions"][id.version.to_string()];
        assert!(record["whole"] == "live" && state["mirrored"].is_object(), "promise 4");
    }
}

/// The primary has nothing, so all that is left is to be told and to be forgotten.
fn reconciled(world: &World, mirror: &MirroredKeyProvider) {
    let plan = now(mirror.plan_reconcile());
    assert_eq!(format!("{plan:?}"), format!("{:?}", now(mirror.plan_reconcile())), "a look changes nothing");
    now(mirror.reconcile());
    let again = world.open().expect("what was written can be read");
    assert_eq!(again.status(), mirror.status(), "what is in memory is what is in the store");
    let _ = now(again.get_key(&kid(KID), Some(KeyVersion::FIRST), Secrets::Include));
    let _ = now(again.destroy_key(&kid(KID), None));
    assert!(now(again.get_key(&kid(KID), None, Secrets::Omit)).is_err(), "promise 4");
    world.primary.faults().outage();
    assert!(now(again.get_key(&kid(KID), None, Secrets::Omit)).is_err(), "promise 4");
}

fn material() -> KeyMaterial {
    KeyMaterial::Private(PrivateKey::from_raw(KeyType::Ed25519, &SEED).expect("it has 32 bytes"))
}

fn kid(name: &str) -> KeyId {
    KeyId::new(name).expect("it is a kid")
}
