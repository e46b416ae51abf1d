//! What the mirror holds and owes right now.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::adopt::PAGE;
use crate::breaker::BreakerState;
use crate::figures;
use crate::guard::Backend;
use crate::map::{Intent, KidRecord, Position, Trouble, VersionState, Whole};
use crate::mode::{Fidelity, KeptReason, MirrorMode};
use crate::provider::MirroredKeyProvider;

/// What the mirror holds and owes. Counts are of key versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MirrorStatus {
    /// What is copied.
    pub mode: MirrorMode,
    /// Versions with a replica, by what it holds.
    pub replicas: BTreeMap<Fidelity, usize>,
    /// Versions that have no replica on purpose, by the reason.
    pub kept: BTreeMap<KeptReason, usize>,
    /// Versions that are disabled, or count as such because the answer of the primary was lost.
    pub disabled: usize,
    /// What a loss of the primary at this moment would cost: versions that have no replica, by the reason. Of those that
    /// have one, [`replicas`](Self::replicas) says what is left: the public key, or everything.
    pub at_risk: BTreeMap<RiskReason, usize>,
    /// Versions destroyed, for which a tombstone is kept.
    pub tombstones: usize,
    /// What is owed; [`reconcile`](MirroredKeyProvider::reconcile) pays it, and
    /// [`maintain`](MirroredKeyProvider::maintain) does so by itself.
    pub backlog: Vec<Debt>,
    /// What the circuit breaker before each backend does. The state store is there if there is one.
    pub breakers: BTreeMap<Backend, BreakerState>,
}

/// Why a key version that the primary has would be lost with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskReason {
    /// The export policy of the key lets out nothing that could be copied.
    Policy,
    /// The mode copies no secrets, and a symmetric key is nothing else.
    Mode,
    /// It was disabled before its secret was copied.
    Disabled,
    /// The copy is owed; [`reconcile`](MirroredKeyProvider::reconcile) pays it.
    Debt,
}

/// Something that is still to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Debt {
    /// `"<kid>.<version>"`, or the `kid` where it concerns the whole key, or, for a create on a primary that
    /// takes no `kid`, the value of its tag `mirror.intent`.
    pub key: String,
    /// What is owed.
    pub kind: DebtKind,
    /// How often it was tried in vain.
    pub attempts: u32,
    /// What the secondary said last.
    pub last_error: Option<String>,
}

/// What can be owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DebtKind {
    /// A copy on the secondary.
    Copy,
    /// The destruction of a replica; the primary no longer has the key.
    DestroyReplica,
    /// The outcome of a destroy on the primary is unknown.
    DestroyOutcome,
    /// The outcome of a create or import on the primary is unknown.
    CreateOutcome,
    /// The outcome of a rotation on the primary is unknown.
    RotateOutcome,
    /// The outcome of a disable or enable on the primary is unknown. The version counts as disabled.
    StateOutcome,
    /// The replica is to be disabled or enabled, as the primary's key was.
    ReplicaState,
}

impl MirroredKeyProvider {
    /// What the mirror holds and owes right now. Writes under way show as debts. Looks at every record.
    pub fn status(&self) -> MirrorStatus {
        let status = self.look_at_status();
        figures::backlog(|| self.debtors());
        figures::status(&status);
        status
    }

    /// How many keys owe something, creates of unknown `kid` included.
    pub(crate) fn debtors(&self) -> usize {
        self.map.debtors() + self.map.open_intents().len()
    }

    /// What the circuit breaker before each backend does.
    pub fn breakers(&self) -> BTreeMap<Backend, BreakerState> {
        let mut breakers = BTreeMap::from([
            (Backend::Primary, self.primary.breaker().state()),
            (Backend::Secondary, self.secondary.breaker().state()),
        ]);
        breakers.extend(self.map.breaker().map(|state| (Backend::State, state)));
        breakers
    }

    fn look_at_status(&self) -> MirrorStatus {
        let mut status = MirrorStatus {
            mode: self.settings.mode,
            replicas: BTreeMap::new(),
            kept: BTreeMap::new(),
            disabled: 0,
            at_risk: BTreeMap::new(),
            tombstones: 0,
            backlog: Vec::new(),
            breakers: self.breakers(),
        };
        for tag in self.map.open_intents() {
            status.owe(tag, DebtKind::CreateOutcome, &Trouble::default());
        }
        let mut after = None;
        loop {
            let page = self.map.page(after.as_ref(), PAGE);
            for (kid, record) in &page {
                status.count_key(kid.as_str(), record);
                for (version, state) in &record.versions {
                    status.count(&kid.at(*version).to_string(), state);
                    if record.is_live(*version) {
                        status.weigh(state);
                    }
                }
                for (version, switch) in &record.switches {
                    status.disabled += usize::from(record.is_disabled(*version));
                    let id = kid.at(*version).to_string();
                    if switch.primary == Position::Unknown {
                        status.owe(id, DebtKind::StateOutcome, &switch.trouble);
                    } else if self.to_be_told(record, *version).is_some() {
                        status.owe(id, DebtKind::ReplicaState, &switch.trouble);
                    }
                }
            }
            match page.into_iter().last() {
                Some((kid, _)) => after = Some(kid),
                None => return status,
            }
        }
    }
}

impl MirrorStatus {
    fn count_key(&mut self, kid: &str, record: &KidRecord) {
        if let Whole::Destroying { .. } = record.whole {
            self.owe(kid.to_owned(), DebtKind::DestroyOutcome, &Trouble::default());
        }
        if record.unsought {
            self.owe(kid.to_owned(), DebtKind::DestroyReplica, &Trouble::default());
        }
        match record.intent {
            Some(Intent::Create) => self.owe(kid.to_owned(), DebtKind::CreateOutcome, &Trouble::default()),
            Some(Intent::Rotate) => self.owe(kid.to_owned(), DebtKind::RotateOutcome, &Trouble::default()),
            None => {}
        }
    }

    fn count(&mut self, id: &str, state: &VersionState) {
        match state {
            VersionState::Pending { trouble, .. } => self.owe(id.to_owned(), DebtKind::Copy, trouble),
            VersionState::Mirrored(replica) => *self.replicas.entry(replica.fidelity).or_default() += 1,
            VersionState::Kept { reason, .. } => *self.kept.entry(*reason).or_default() += 1,
            VersionState::Destroying { primary_gone, trouble, .. } => {
                let kind = if *primary_gone { DebtKind::DestroyReplica } else { DebtKind::DestroyOutcome };
                self.owe(id.to_owned(), kind, trouble);
            }
            VersionState::Destroyed { .. } => self.tombstones += 1,
        }
    }

    fn weigh(&mut self, state: &VersionState) {
        if let Some(reason) = RiskReason::of(self.mode, state) {
            *self.at_risk.entry(reason).or_default() += 1;
        }
    }

    fn owe(&mut self, key: String, kind: DebtKind, trouble: &Trouble) {
        let last_error = trouble.last_error.as_deref().map(str::to_owned);
        self.backlog.push(Debt { key, kind, attempts: trouble.attempts, last_error });
    }
}

impl RiskReason {
    /// Why a version in this state, live on the primary, would be lost with it; `None` if it would not.
    pub(crate) fn of(mode: MirrorMode, state: &VersionState) -> Option<Self> {
        match state {
            VersionState::Pending { .. } => Some(Self::Debt),
            VersionState::Kept { reason: KeptReason::Policy, .. } => Some(Self::Policy),
            VersionState::Kept { reason: KeptReason::Disabled, .. } => Some(Self::Disabled),
            // Mode full would have copied the secret, if the policy let it out.
            VersionState::Kept { reason: KeptReason::NoPublicPart, .. } if mode == MirrorMode::Full => {
                Some(Self::Policy)
            }
            VersionState::Kept { reason: KeptReason::NoPublicPart, .. } => Some(Self::Mode),
            VersionState::Mirrored(_) | VersionState::Destroying { .. } | VersionState::Destroyed { .. } => {
                None
            }
        }
    }
}

impl fmt::Display for RiskReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Policy => "policy",
            Self::Mode => "mode",
            Self::Disabled => "disabled",
            Self::Debt => "debt",
        })
    }
}

impl fmt::Display for DebtKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Copy => "copy",
            Self::DestroyReplica => "destroy replica",
            Self::DestroyOutcome => "destroy of unknown outcome",
            Self::CreateOutcome => "create of unknown outcome",
            Self::RotateOutcome => "rotation of unknown outcome",
            Self::StateOutcome => "state of unknown outcome",
            Self::ReplicaState => "state of replica",
        })
    }
}
