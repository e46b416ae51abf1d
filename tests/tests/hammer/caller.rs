//! One caller: chooses what to do next, does it, and holds the answer against the ledger.

use std::sync::Arc;

use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keyprovider_testkit::{Fault, Method};
use swarmauri_keyproviders_tests::random::Seeded;
use swarmauri_keys::{
    ExportPolicy, Fingerprint, KeyAlg, KeyError, KeyErrorKind, KeyId, KeyRef, KeySpec, KeyState, KeyVersion,
    SecretMaterial,
};

use crate::arena::{Arena, Place};
use crate::ledger::{Check, Moment};
use crate::tally::Tally;

pub(crate) struct Caller {
    arena: Arc<Arena>,
    random: Seeded,
    tally: Tally,
}

/// The quick ones.
const ALGS: [KeyAlg; 3] = [KeyAlg::Ed25519, KeyAlg::X25519, KeyAlg::Aes256Gcm];
const POLICIES: [ExportPolicy; 3] =
    [ExportPolicy::SecretWhenAllowed, ExportPolicy::SecretWhenAllowed, ExportPolicy::PublicOnly];

impl Caller {
    pub(crate) fn new(arena: &Arc<Arena>, seed: u64, number: u64) -> Self {
        let random = Seeded::new(seed.wrapping_mul(1_000_003).wrapping_add(number));
        Self { arena: Arc::clone(arena), random, tally: Tally::default() }
    }

    pub(crate) async fn call(mut self, times: u64) -> Result<Tally, String> {
        let arena = Arc::clone(&self.arena);
        for _ in 0..times {
            if arena.faults.is_some() {
                self.disturb(&arena).await;
            }
            let place =
                usize::try_from(self.random.below(u32::try_from(arena.places.len()).unwrap())).unwrap();
            self.one_call(&arena, &arena.places[place]).await?;
        }
        Ok(self.tally)
    }

    /// Mostly reads; of a thousand calls some forty make keys or versions, and as many destroy them.
    async fn one_call(&mut self, arena: &Arena, place: &Place) -> Check {
        match self.random.below(2000) {
            0 => return self.jwks(arena).await,
            1 => return self.list_keys(arena).await,
            2..200 if place.wants_key(&arena.ledger) => return self.create(arena, place).await,
            _ => {}
        }
        let Some(kid) = place.kid(&mut self.random) else { return self.create(arena, place).await };
        match self.random.below(1000) {
            0..30 => self.rotate(arena, &kid).await,
            30..50 => {
                let version = self.version();
                self.destroy(arena, place, &kid, Some(version)).await
            }
            50..62 => self.destroy(arena, place, &kid, None).await,
            62..72 => self.disable(arena, &kid).await,
            72..84 => self.enable(arena, &kid).await,
            84..120 => self.sign(arena, &kid).await,
            120..200 => self.list_versions(arena, &kid).await,
            200..550 => self.get_public_jwk(arena, &kid).await,
            _ => self.get_key(arena, &kid).await,
        }
    }

    fn version(&mut self) -> KeyVersion {
        KeyVersion::new(1 + self.random.below(4)).unwrap()
    }

    fn version_or_latest(&mut self) -> Option<KeyVersion> {
        if self.random.one_in(2) { None } else { Some(self.version()) }
    }

    async fn create(&mut self, arena: &Arena, place: &Place) -> Check {
        let alg = ALGS[self.random.below(3) as usize];
        let policy = POLICIES[self.random.below(3) as usize];
        let mut spec = KeySpec::builder(alg).export_policy(policy).build().unwrap();
        let kid = place.next_kid();
        if let Some(kid) = &kid {
            spec = spec.with_kid(kid.clone());
        }
        let started = arena.ledger.now();
        match self.patiently(arena, arena.mirror.create_key(&spec)).await {
            Ok(key) => {
                self.tally.count("create", "ok");
                place.drew(key.kid());
                arena.ledger.made(&key, started)
            }
            Err(error) => {
                if let Some(kid) = kid.filter(|kid| arena.ledger.is_doomed(kid)) {
                    place.leave(&kid);
                }
                self.refused("create", &error)
            }
        }
    }

    async fn rotate(&mut self, arena: &Arena, kid: &KeyId) -> Check {
        let started = arena.ledger.now();
        match self.patiently(arena, arena.mirror.rotate(kid)).await {
            Ok(key) => {
                self.tally.count("rotate", "ok");
                arena.ledger.made(&key, started)
            }
            Err(error) => self.unanswered("rotate", kid, None, started, &error),
        }
    }

    async fn destroy(
        &mut self,
        arena: &Arena,
        place: &Place,
        kid: &KeyId,
        version: Option<KeyVersion>,
    ) -> Check {
        let call = if version.is_some() { "destroy version" } else { "destroy key" };
        let known = arena.ledger.destroy_begins(kid, version);
        match self.patiently(arena, arena.mirror.destroy_key(kid, version)).await {
            Ok(destroyed) => {
                self.tally.count(call, if destroyed { "ok" } else { "nothing there" });
                if destroyed || known {
                    arena.ledger.destroyed(kid, version);
                }
            }
            Err(error) => self.refused(call, &error)?,
        }
        if version.is_none() {
            place.leave(kid);
        }
        Ok(())
    }

    async fn disable(&mut self, arena: &Arena, kid: &KeyId) -> Check {
        let (version, started) = (self.version(), arena.ledger.now());
        let enables = arena.ledger.disable_begins(kid, version);
        match self.patiently(arena, arena.mirror.disable_key(kid, version)).await {
            Ok(()) => {
                self.tally.count("disable", "ok");
                arena.ledger.disabled(kid, version, &enables);
                Ok(())
            }
            Err(error) => self.unanswered("disable", kid, Some(version), started, &error),
        }
    }

    async fn enable(&mut self, arena: &Arena, kid: &KeyId) -> Check {
        let (version, started) = (self.version(), arena.ledger.now());
        arena.ledger.enable_begins(kid, version);
        let enabled = self.patiently(arena, arena.mirror.enable_key(kid, version)).await;
        if !enabled.as_ref().is_err_and(KeyError::is_outage) {
            arena.ledger.enable_ended(kid, version);
        }
        match enabled {
            Ok(()) => {
                self.tally.count("enable", "ok");
                Ok(())
            }
            Err(error) => self.unanswered("enable", kid, Some(version), started, &error),
        }
    }

    async fn sign(&mut self, arena: &Arena, kid: &KeyId) -> Check {
        let (version, started) = (self.version_or_latest(), arena.ledger.now());
        match arena.mirror.work().map_err(|error| error.to_string())?.sign(kid, version, b"message").await {
            Ok(signature) => {
                self.tally.count("sign", "ok");
                if signature.kid != *kid || version.is_some_and(|version| version != signature.version) {
                    return Err(format!("asked {kid} {version:?} to sign, and {} did", signature.id()));
                }
                arena.ledger.used(kid, signature.version, started)
            }
            Err(error) => self.unanswered("sign", kid, version, started, &error),
        }
    }

    async fn get_key(&mut self, arena: &Arena, kid: &KeyId) -> Check {
        let version = self.version_or_latest();
        let secrets = if self.random.one_in(4) { Secrets::Include } else { Secrets::Omit };
        let started = arena.ledger.now();
        match arena.mirror.get_key(kid, version, secrets).await {
            Ok(key) => {
                self.tally.count("get_key", "ok");
                if key.kid() != kid || version.is_some_and(|version| version != key.version()) {
                    return Err(format!("asked for {kid} {version:?}, and answered with {}", key.id()));
                }
                check_secret(&key, secrets)?;
                if key.state() == KeyState::Enabled {
                    arena.ledger.used(kid, key.version(), started)?;
                }
                arena.ledger.saw(kid, key.version(), key.fingerprint(), started)?;
                if version.is_none() && arena.faults.is_none() {
                    arena.ledger.latest(kid, key.version(), started)?;
                }
                Ok(())
            }
            Err(error) => self.unanswered("get_key", kid, version, started, &error),
        }
    }

    async fn get_public_jwk(&mut self, arena: &Arena, kid: &KeyId) -> Check {
        let version = self.version_or_latest();
        let started = arena.ledger.now();
        match arena.mirror.get_public_jwk(kid, version).await {
            Ok(jwk) => {
                self.tally.count("get_public_jwk", "ok");
                let id = jwk.version_id().unwrap();
                if id.kid != *kid || version.is_some_and(|version| version != id.version) {
                    return Err(format!("asked for {kid} {version:?}, and answered with {id}"));
                }
                arena.ledger.used(kid, id.version, started)?;
                arena.ledger.saw(kid, id.version, &jwk.key.thumbprint(), started)
            }
            Err(error) => self.unanswered("get_public_jwk", kid, version, started, &error),
        }
    }

    async fn list_versions(&mut self, arena: &Arena, kid: &KeyId) -> Check {
        let started = arena.ledger.now();
        match arena.mirror.list_versions(kid).await {
            Ok(versions) => {
                self.tally.count("list_versions", "ok");
                arena.ledger.listed(kid, &versions, started, arena.faults.is_none())
            }
            Err(error) => self.unanswered("list_versions", kid, None, started, &error),
        }
    }

    async fn jwks(&mut self, arena: &Arena) -> Check {
        let query = if self.random.one_in(2) { JwksQuery::LATEST } else { JwksQuery::ALL_LIVE };
        let started = arena.ledger.now();
        let set = match arena.mirror.jwks(&query).await {
            Ok(set) => set,
            Err(error) => return self.refused("jwks", &error),
        };
        self.tally.count("jwks", "ok");
        let ids: Vec<_> = set.keys.iter().map(|jwk| jwk.version_id().unwrap()).collect();
        let latest = query == JwksQuery::LATEST;
        if !ids.is_sorted_by(|one, next| one < next && (one.kid != next.kid || !latest)) {
            return Err(format!("the JWKS is out of order, or holds a key twice: {ids:?}"));
        }
        for (id, jwk) in ids.iter().zip(&set.keys) {
            arena.ledger.used(&id.kid, id.version, started)?;
            arena.ledger.saw(&id.kid, id.version, &jwk.key.thumbprint(), started)?;
        }
        Ok(())
    }

    async fn list_keys(&mut self, arena: &Arena) -> Check {
        let started = arena.ledger.now();
        match arena.mirror.list_all_keys().await {
            Ok(keys) => {
                self.tally.count("list_keys", "ok");
                keys.iter()
                    .try_for_each(|key| arena.ledger.saw(&key.kid, key.version, &key.fingerprint, started))
            }
            Err(error) => self.refused("list_keys", &error),
        }
    }

    /// No answer about a key; what is there must not be said to be absent.
    fn unanswered(
        &mut self,
        call: &'static str,
        kid: &KeyId,
        version: Option<KeyVersion>,
        started: Moment,
        error: &KeyError,
    ) -> Check {
        if error.kind() == KeyErrorKind::NotFound {
            let missed = self.arena.ledger.missed(kid, version, started);
            missed.map_err(|broken| format!("{call} of {kid} {version:?}: {broken}"))?;
        }
        self.refused(call, error)
    }

    /// An answer that is no: fine, unless it is one that nobody should ever get here.
    fn refused(&mut self, call: &'static str, error: &KeyError) -> Check {
        let end = match error.kind() {
            KeyErrorKind::NotFound => "not found",
            KeyErrorKind::Conflict => "conflict",
            KeyErrorKind::Disabled => "disabled",
            KeyErrorKind::PermissionDenied => "permission denied",
            KeyErrorKind::Unsupported => "unsupported",
            KeyErrorKind::Timeout if self.arena.faults.is_some() => "given up",
            KeyErrorKind::Unavailable if self.arena.faults.is_some() => "unavailable",
            _ => return Err(format!("{call}: {error}")),
        };
        self.tally.count(call, end);
        Ok(())
    }

    /// Where things go wrong, callers now and then give up waiting. What became of the call they do not know.
    async fn patiently<T>(
        &mut self,
        arena: &Arena,
        call: impl Future<Output = Result<T, KeyError>>,
    ) -> Result<T, KeyError> {
        if arena.faults.is_none() || !self.random.one_in(10) {
            return call.await;
        }
        tokio::select! {
            biased;
            answer = call => answer,
            () = tokio::task::yield_now() => Err(KeyError::timeout("given up")),
        }
    }

    /// Now and then something happens to one side, or reconcile runs.
    async fn disturb(&mut self, arena: &Arena) {
        let Some(sides) = &arena.faults else { return };
        let side = &sides[self.random.below(2) as usize];
        match self.random.below(1000) {
            0..3 => side.outage(),
            3..10 => side.recover(),
            10..20 => {
                let method = Method::WRITES[self.random.below(7) as usize];
                side.fail_next(method, Fault::FailAfter(KeyError::unavailable("the answer was lost")));
            }
            20 => side.journal().clear(),
            21 if self.random.one_in(10) => {
                // What it cannot do during an outage stays owed.
                arena.mirror.reconcile().await;
            }
            _ => {}
        }
    }
}

/// A secret comes if, and only if, it was asked for, and belongs to the key.
fn check_secret(key: &KeyRef, asked: Secrets) -> Check {
    let right = match (asked, key.secret()) {
        (Secrets::Omit, secret) => secret.is_none(),
        (Secrets::Include, None) => false,
        (Secrets::Include, Some(SecretMaterial::Symmetric(secret))) => {
            Fingerprint::of_symmetric(key.alg(), secret) == *key.fingerprint()
        }
        (Secrets::Include, Some(SecretMaterial::Private(private))) => {
            private.public_key().is_some_and(|public| public.thumbprint() == *key.fingerprint())
        }
    };
    if right { Ok(()) } else { Err(format!("{}: asked to {asked:?} the secret", key.id())) }
}
