//! One call of a caller: what is asked, and the future that answers it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

use swarmauri_keyprovider::{JwksQuery, KeyOperations as _, KeyProvider as _, KeyReference, Secrets};
use swarmauri_keyprovider_mirrored::{
    DrillReport, MaintenanceReport, MirroredKeyProvider, ProofReport, ReconcileReport,
};
use swarmauri_keys::{
    Acceptance, Ciphertext, Jwk, JwkSet, KeyAlg, KeyError, KeyErrorKind, KeyId, KeyMaterial, KeyRef, KeySpec,
    KeyState, KeySummary, KeyVersion, PageRequest, SecretBytes, Signature, SpecOverrides, VerifyWith,
};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::ground::{CallId, SideCall, Tick};

pub(crate) const MESSAGE: &[u8] = b"what is signed";
pub(crate) const PLAINTEXT: &[u8] = b"what is encrypted";

/// A call under way.
pub(crate) struct Call {
    pub(crate) id: CallId,
    pub(crate) process: usize,
    pub(crate) ask: Ask,
    pub(crate) started: Tick,
    pub(crate) seen: Seen,
    pub(crate) began: Instant,
    pub(crate) future: Pin<Box<dyn Future<Output = Answer>>>,
    pub(crate) woken: Arc<Woken>,
}

/// What its process was like when a call began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// Since when what other processes do may not have arrived.
    pub(crate) blind: Option<Tick>,
    /// Whether it asks the store.
    pub(crate) asks_store: bool,
    /// Whether it asks the primary.
    pub(crate) asks_primary: bool,
}

/// A call that has been answered.
pub(crate) struct Done {
    pub(crate) process: usize,
    /// Since when what other processes did may not have arrived.
    pub(crate) blind: Option<Tick>,
    /// Whether the primary was asked without more ado when the call began.
    pub(crate) asked_primary: bool,
    pub(crate) ask: Ask,
    pub(crate) started: Tick,
    /// How long it took.
    pub(crate) took: Duration,
    pub(crate) answer: Answer,
    pub(crate) trace: Vec<SideCall>,
    pub(crate) store_calls: u32,
}

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    Create {
        slot: u8,
        spec: KeySpec,
    },
    Import {
        slot: u8,
        spec: KeySpec,
        material: KeyMaterial,
    },
    Rotate(KeyId, SpecOverrides),
    Destroy(KeyId, Option<KeyVersion>),
    Switch(KeyId, KeyVersion, KeyState),
    Get {
        kid: KeyId,
        version: Option<KeyVersion>,
        secrets: Secrets,
        by_ref: bool,
    },
    PublicJwk(KeyId, Option<KeyVersion>),
    Versions(KeyId),
    List {
        limit: usize,
    },
    Jwks(JwksQuery),
    Make {
        kid: KeyId,
        version: Option<KeyVersion>,
        alg: KeyAlg,
    },
    Check {
        signature: Signature,
        named: bool,
        acceptance: Acceptance,
    },
    Encrypt(KeyId, Option<KeyVersion>),
    Decrypt(Ciphertext, Acceptance),
    Random,
    Reconcile,
    PlanAndApply,
    GiveUpLost,
    RestoreLost,
    Prove,
    Drill,
    /// Keeps up until this says stop.
    Maintain(Arc<Notify>),
}

/// What is answered.
#[derive(Debug)]
pub(crate) enum Answer {
    Key(Result<KeyRef, KeyError>),
    Jwk(Result<Jwk, KeyError>),
    Destroyed(Result<bool, KeyError>),
    Done(Result<(), KeyError>),
    Versions(Result<Vec<KeyVersion>, KeyError>),
    Page(Result<Vec<KeySummary>, KeyError>),
    Jwks(Result<Arc<JwkSet>, KeyError>),
    Signature(Result<Signature, KeyError>),
    Verified(Result<KeyVersion, KeyError>),
    Ciphertext(Result<Ciphertext, KeyError>),
    Bytes(Result<SecretBytes, KeyError>),
    Report(Result<ReconcileReport, KeyError>),
    Proofs(ProofReport),
    Drilled(DrillReport),
    Maintained(MaintenanceReport),
}

/// Whether a call can go on.
#[derive(Debug, Default)]
pub(crate) struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Woken {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Call {
    pub(crate) fn new(
        id: CallId,
        process: usize,
        ask: Ask,
        started: Tick,
        seen: Seen,
        mirror: Arc<MirroredKeyProvider>,
    ) -> Self {
        let asked = ask.clone();
        let answered = async move { asked.of(&mirror).await };
        Self {
            id,
            process,
            ask,
            started,
            seen,
            began: Instant::now(),
            future: Box::pin(tokio::task::unconstrained(answered)),
            woken: Arc::new(Woken(AtomicBool::new(true))),
        }
    }

    /// The waker for a poll that is about to happen.
    pub(crate) fn waker(&self) -> Waker {
        self.woken.0.store(false, Ordering::Relaxed);
        Waker::from(Arc::clone(&self.woken))
    }
}

impl Ask {
    #[allow(clippy::large_stack_frames, reason = "it is boxed")]
    async fn of(self, mirror: &MirroredKeyProvider) -> Answer {
        match self {
            Self::Create { spec, .. } => Answer::Key(mirror.create_key(&spec).await),
            Self::Import { spec, material, .. } => Answer::Key(mirror.import_key(&spec, material).await),
            Self::Rotate(kid, overrides) => Answer::Key(mirror.rotate_key(&kid, &overrides).await),
            Self::Destroy(kid, version) => Answer::Destroyed(mirror.destroy_key(&kid, version).await),
            Self::Switch(kid, version, KeyState::Enabled) => {
                Answer::Done(mirror.enable_key(&kid, version).await)
            }
            Self::Switch(kid, version, _) => Answer::Done(mirror.disable_key(&kid, version).await),
            Self::Get { kid, version, secrets, by_ref: true } => {
                Answer::Key(mirror.get_key_by_ref(&KeyReference::new(kid, version), secrets).await)
            }
            Self::Get { kid, version, secrets, by_ref: false } => {
                Answer::Key(mirror.get_key(&kid, version, secrets).await)
            }
            Self::PublicJwk(kid, version) => Answer::Jwk(mirror.get_public_jwk(&kid, version).await),
            Self::Versions(kid) => Answer::Versions(mirror.list_versions(&kid).await),
            Self::List { limit } => Answer::Page(list(mirror, limit).await),
            Self::Jwks(query) => Answer::Jwks(mirror.jwks(&query).await),
            Self::Make { kid, version, alg: KeyAlg::HmacSha256 } => {
                Answer::Signature(mirror.mac(&kid, version, MESSAGE).await)
            }
            Self::Make { kid, version, .. } => Answer::Signature(mirror.sign(&kid, version, MESSAGE).await),
            Self::Check { signature, named, acceptance } => {
                Answer::Verified(check(mirror, &signature, named, acceptance).await)
            }
            Self::Encrypt(kid, version) => {
                Answer::Ciphertext(mirror.encrypt(&kid, version, PLAINTEXT, b"").await)
            }
            Self::Decrypt(sealed, acceptance) => {
                Answer::Bytes(mirror.decrypt(&sealed, b"", acceptance).await)
            }
            Self::Random => Answer::Bytes(mirror.random_bytes(4).await),
            Self::Reconcile => Answer::Report(Ok(mirror.reconcile().await)),
            Self::PlanAndApply => {
                let plan = mirror.plan_reconcile().await;
                Answer::Report(Ok(mirror.apply(plan).await))
            }
            Self::GiveUpLost => Answer::Report(match mirror.plan_propagate_loss().await {
                Ok(plan) => Ok(mirror.apply(plan).await),
                Err(error) => Err(error),
            }),
            Self::RestoreLost => Answer::Report(match mirror.plan_restore_primary().await {
                Ok(plan) => Ok(mirror.apply(plan).await),
                Err(error) => Err(error),
            }),
            Self::Prove => Answer::Proofs(mirror.verify_replicas().await),
            Self::Drill => Answer::Drilled(mirror.drill().await),
            Self::Maintain(stop) => Answer::Maintained(mirror.maintain(stop.notified()).await),
        }
    }

    /// The key that it is about, if it is about one.
    pub(crate) fn kid(&self) -> Option<&KeyId> {
        match self {
            Self::Create { spec, .. } | Self::Import { spec, .. } => spec.kid(),
            Self::Rotate(kid, _)
            | Self::Destroy(kid, _)
            | Self::Switch(kid, ..)
            | Self::Get { kid, .. }
            | Self::PublicJwk(kid, _)
            | Self::Versions(kid)
            | Self::Make { kid, .. }
            | Self::Encrypt(kid, _) => Some(kid),
            Self::Check { signature, .. } => Some(&signature.kid),
            Self::Decrypt(sealed, _) => Some(&sealed.kid),
            _ => None,
        }
    }

    /// Whether the mirror first reads what its store has, if it may have missed something.
    pub(crate) fn catches_up(&self) -> bool {
        self.kid().is_some() || matches!(self, Self::Create { .. } | Self::Import { .. } | Self::Jwks(_))
    }

    pub(crate) fn is_write(&self) -> bool {
        matches!(
            self,
            Self::Create { .. }
                | Self::Import { .. }
                | Self::Rotate(..)
                | Self::Destroy(..)
                | Self::Switch(..)
        )
    }

    /// Whether it may write to any key.
    pub(crate) fn is_repair(&self) -> bool {
        matches!(
            self,
            Self::Reconcile | Self::PlanAndApply | Self::GiveUpLost | Self::RestoreLost | Self::Maintain(_)
        )
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create_key",
            Self::Import { material: KeyMaterial::Public(_), .. } => "import_key, public",
            Self::Import { .. } => "import_key",
            Self::Rotate(..) => "rotate_key",
            Self::Destroy(_, None) => "destroy_key, whole",
            Self::Destroy(..) => "destroy_key",
            Self::Switch(_, _, KeyState::Enabled) => "enable_key",
            Self::Switch(..) => "disable_key",
            Self::Get { by_ref: true, .. } => "get_key_by_ref",
            Self::Get { secrets: Secrets::Include, .. } => "get_key, secret",
            Self::Get { .. } => "get_key",
            Self::PublicJwk(..) => "get_public_jwk",
            Self::Versions(_) => "list_versions",
            Self::List { .. } => "list_keys",
            Self::Jwks(_) => "jwks",
            Self::Make { alg: KeyAlg::HmacSha256, .. } => "mac",
            Self::Make { .. } => "sign",
            Self::Check { signature, .. } if signature.alg == KeyAlg::HmacSha256 => "verify_mac",
            Self::Check { .. } => "verify",
            Self::Encrypt(..) => "encrypt",
            Self::Decrypt(..) => "decrypt",
            Self::Random => "random_bytes",
            Self::Reconcile => "reconcile",
            Self::PlanAndApply => "plan_reconcile and apply",
            Self::GiveUpLost => "plan_propagate_loss and apply",
            Self::RestoreLost => "plan_restore_primary and apply",
            Self::Prove => "verify_replicas",
            Self::Drill => "drill",
            Self::Maintain(_) => "maintain",
        }
    }
}

impl Answer {
    pub(crate) fn error(&self) -> Option<&KeyError> {
        match self {
            Self::Key(answer) => answer.as_ref().err(),
            Self::Jwk(answer) => answer.as_ref().err(),
            Self::Destroyed(answer) => answer.as_ref().err(),
            Self::Done(answer) => answer.as_ref().err(),
            Self::Versions(answer) => answer.as_ref().err(),
            Self::Page(answer) => answer.as_ref().err(),
            Self::Jwks(answer) => answer.as_ref().err(),
            Self::Signature(answer) => answer.as_ref().err(),
            Self::Verified(answer) => answer.as_ref().err(),
            Self::Ciphertext(answer) => answer.as_ref().err(),
            Self::Bytes(answer) => answer.as_ref().err(),
            Self::Report(answer) => answer.as_ref().err(),
            Self::Proofs(_) | Self::Drilled(_) | Self::Maintained(_) => None,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.error().map_or("ok", |error| error_name(error.kind()))
    }
}

pub(crate) fn error_name(kind: KeyErrorKind) -> &'static str {
    match kind {
        KeyErrorKind::NotFound => "not found",
        KeyErrorKind::Disabled => "disabled",
        KeyErrorKind::PermissionDenied => "permission denied",
        KeyErrorKind::UnsupportedAlgorithm => "unsupported algorithm",
        KeyErrorKind::Unsupported => "unsupported",
        KeyErrorKind::InvalidInput => "invalid input",
        KeyErrorKind::InvalidState => "invalid state",
        KeyErrorKind::Conflict => "conflict",
        KeyErrorKind::Integrity => "integrity",
        KeyErrorKind::NotAuthentic => "not authentic",
        KeyErrorKind::Unavailable => "unavailable",
        KeyErrorKind::Timeout => "timeout",
        _ => "another error",
    }
}

/// A whole listing, page by page.
async fn list(mirror: &MirroredKeyProvider, limit: usize) -> Result<Vec<KeySummary>, KeyError> {
    let (mut all, mut request) = (Vec::new(), PageRequest::first(limit));
    loop {
        let page = mirror.list_keys(&request).await?;
        all.extend(page.items);
        match page.next {
            Some(cursor) => request.cursor = Some(cursor),
            None => return Ok(all),
        }
    }
}

async fn check(
    mirror: &MirroredKeyProvider,
    signature: &Signature,
    named: bool,
    acceptance: Acceptance,
) -> Result<KeyVersion, KeyError> {
    let with = if named { VerifyWith::Version(signature.version) } else { VerifyWith::AnyLive };
    let Signature { kid, alg, bytes, .. } = signature;
    if *alg == KeyAlg::HmacSha256 {
        mirror.verify_mac(kid, with, MESSAGE, bytes, acceptance).await
    } else {
        mirror.verify(kid, with, MESSAGE, bytes, acceptance).await
    }
}
