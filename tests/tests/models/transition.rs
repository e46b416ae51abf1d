//! The calls, and how they are drawn: mostly at keys that are there.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use swarmauri_keyprovider::Secrets;
use swarmauri_keys::{Acceptance, ExportPolicy, KeyAlg, KeyOperation};

use crate::model::Model;
use crate::outcome::{NAMES, Slot};

#[derive(Debug, Clone)]
pub(crate) enum Transition {
    /// Under a name, or one that the provider draws.
    Create {
        slot: Option<Slot>,
        spec: Spec,
    },
    Import {
        slot: Option<Slot>,
        spec: Spec,
        public_alone: bool,
    },
    ImportVersion {
        slot: Slot,
        version: u32,
        spec: Spec,
        public_alone: bool,
    },
    Rotate {
        slot: Slot,
        alg: Option<KeyAlg>,
        policy: Option<ExportPolicy>,
    },
    Destroy {
        slot: Slot,
        version: Option<u32>,
    },
    Disable {
        slot: Slot,
        version: u32,
    },
    Enable {
        slot: Slot,
        version: u32,
    },
    Read {
        slot: Slot,
        version: Option<u32>,
        secrets: Secrets,
    },
    PublicJwk {
        slot: Slot,
        version: Option<u32>,
    },
    Work {
        slot: Slot,
        version: Option<u32>,
        operation: KeyOperation,
        acceptance: Acceptance,
    },
    /// Verifies, decrypts or unwraps what some earlier work gave, if there was any.
    Recall {
        which: Index,
        any_live: bool,
        acceptance: Acceptance,
    },
    /// Another one takes over where the keys are kept.
    Reopen,
}

impl Transition {
    /// The key that it is about, if there is one.
    pub(crate) fn slot(&self) -> Option<Slot> {
        match *self {
            Self::Create { slot, .. } | Self::Import { slot, .. } => slot,
            Self::ImportVersion { slot, .. }
            | Self::Rotate { slot, .. }
            | Self::Destroy { slot, .. }
            | Self::Disable { slot, .. }
            | Self::Enable { slot, .. }
            | Self::Read { slot, .. }
            | Self::PublicJwk { slot, .. }
            | Self::Work { slot, .. } => Some(slot),
            Self::Recall { .. } | Self::Reopen => None,
        }
    }
}

/// What a key is to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spec {
    pub(crate) alg: KeyAlg,
    pub(crate) policy: ExportPolicy,
    /// For the first of the uses of its algorithm alone.
    pub(crate) narrow: bool,
}

/// Algorithms whose keys are made in no time.
pub(crate) const QUICK: [KeyAlg; 5] =
    [KeyAlg::Ed25519, KeyAlg::EcdsaP256Sha256, KeyAlg::HmacSha256, KeyAlg::Aes256Gcm, KeyAlg::X25519];

/// What happens next. A house that nobody can reopen is not reopened.
pub(crate) fn next(model: &Model, reopens: bool) -> BoxedStrategy<Transition> {
    if reopens {
        return prop_oneof![7 => call(model), 1 => Just(Transition::Reopen)].boxed();
    }
    call(model).boxed()
}

fn call(model: &Model) -> impl Strategy<Value = Transition> + use<> {
    let (at, key) = (select(model.versions_worth_asking()), select(model.keys_worth_asking()));
    let operation = select(KeyOperation::ALL.iter().copied().filter(|one| made_by(*one)).collect::<Vec<_>>());
    let latest_or = |at: &(Slot, u32), latest: bool| (!latest).then_some(at.1);
    prop_oneof![
        5 => (free(), spec(any_alg())).prop_map(|(slot, spec)| Transition::Create { slot, spec }),
        2 => (free(), spec(quick()), any::<bool>())
            .prop_map(|(slot, spec, public)| Transition::Import { slot, spec, public_alone: public && has_public(spec.alg) }),
        2 => (at.clone(), spec(quick()), any::<bool>()).prop_map(|((slot, version), spec, public)| {
            Transition::ImportVersion { slot, version, spec, public_alone: public && has_public(spec.alg) }
        }),
        5 => (key.clone(), prop::option::weighted(0.2, quick()), prop::option::weighted(0.3, policy()))
            .prop_map(|(slot, alg, policy)| Transition::Rotate { slot, alg, policy }),
        3 => at.clone().prop_map(|(slot, version)| Transition::Destroy { slot, version: Some(version) }),
        1 => key.prop_map(|slot| Transition::Destroy { slot, version: None }),
        3 => at.clone().prop_map(|(slot, version)| Transition::Disable { slot, version }),
        2 => at.clone().prop_map(|(slot, version)| Transition::Enable { slot, version }),
        3 => (at.clone(), any::<bool>(), secrets()).prop_map(move |(at, latest, secrets)| {
            Transition::Read { slot: at.0, version: latest_or(&at, latest), secrets }
        }),
        2 => (at.clone(), any::<bool>()).prop_map(move |(at, latest)| {
            Transition::PublicJwk { slot: at.0, version: latest_or(&at, latest) }
        }),
        4 => (at, any::<bool>(), operation, acceptance()).prop_map(move |(at, latest, operation, acceptance)| {
            Transition::Work { slot: at.0, version: latest_or(&at, latest), operation, acceptance }
        }),
        4 => (any::<Index>(), any::<bool>(), acceptance())
            .prop_map(|(which, any_live, acceptance)| Transition::Recall { which, any_live, acceptance }),
    ]
}

/// What [`Transition::Work`] asks for; the others read what these have made.
fn made_by(operation: KeyOperation) -> bool {
    operation.makes() || operation == KeyOperation::Agree
}

pub(crate) fn has_public(alg: KeyAlg) -> bool {
    !KeyOperation::VerifyMac.algs().contains(&alg) && alg != KeyAlg::Aes256Gcm
}

fn free() -> impl Strategy<Value = Option<Slot>> {
    prop::option::weighted(0.8, 0..NAMES.len())
}

fn spec(alg: impl Strategy<Value = KeyAlg>) -> impl Strategy<Value = Spec> {
    (alg, policy(), prop::bool::weighted(0.1)).prop_map(|(alg, policy, narrow)| Spec { alg, policy, narrow })
}

fn quick() -> impl Strategy<Value = KeyAlg> + Clone {
    select(&QUICK[..])
}

fn any_alg() -> impl Strategy<Value = KeyAlg> {
    prop_oneof![199 => quick(), 1 => Just(KeyAlg::RsaPssSha256)]
}

fn policy() -> impl Strategy<Value = ExportPolicy> + Clone {
    select(ExportPolicy::ALL)
}

fn secrets() -> impl Strategy<Value = Secrets> {
    select(&[Secrets::Omit, Secrets::Include][..])
}

fn acceptance() -> impl Strategy<Value = Acceptance> {
    select(&[Acceptance::EnabledOnly, Acceptance::AllowDisabled][..])
}
