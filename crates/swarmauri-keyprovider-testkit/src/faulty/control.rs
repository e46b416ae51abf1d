//! The handle by which faults are asked for.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use swarmauri_keyprovider::{Capabilities, JwksQuery};
use swarmauri_keys::{JwkSet, KeyError, SecretBytes};

use super::hold::Slot;
use super::journal::Entry;
use super::{Answer, Call, Fault, Hold, Journal, Method, refusal};

/// The handle by which the faults of a [`FaultyProvider`](super::FaultyProvider) are asked for. Cheap to
/// clone; all clones are of one provider.
#[derive(Debug, Clone)]
pub struct Faults {
    shared: Arc<Mutex<Shared>>,
    journal: Journal,
}

#[derive(Debug)]
struct Shared {
    /// What `supports()` says.
    claimed: Capabilities,
    /// What is not refused.
    served: Capabilities,
    next: BTreeMap<Method, VecDeque<Fault>>,
    standing: BTreeMap<Method, Fault>,
    before: BTreeMap<Method, VecDeque<Slot>>,
    after: BTreeMap<Method, VecDeque<Slot>>,
    last_jwks: HashMap<JwksQuery, Arc<JwkSet>>,
    pauses: bool,
}

impl Faults {
    pub(super) fn new(capabilities: Capabilities) -> Self {
        let shared = Shared {
            claimed: capabilities.clone(),
            served: capabilities,
            next: BTreeMap::new(),
            standing: BTreeMap::new(),
            before: BTreeMap::new(),
            after: BTreeMap::new(),
            last_jwks: HashMap::new(),
            pauses: false,
        };
        Self { shared: Arc::new(Mutex::new(shared)), journal: Journal::default() }
    }

    /// Puts a fault in the queue of a method: each is for one call, and they come before the standing one.
    pub fn fail_next(&self, method: Method, fault: Fault) {
        self.shared.lock().next.entry(method).or_default().push_back(fault);
    }

    /// Sets, or with `None` ends, the standing fault of a method.
    pub fn set(&self, method: Method, fault: Option<Fault>) {
        let mut shared = self.shared.lock();
        match fault {
            Some(fault) => shared.standing.insert(method, fault),
            None => shared.standing.remove(&method),
        };
    }

    /// Sets, or with `None` ends, the standing fault of every method.
    pub fn set_all(&self, fault: Option<Fault>) {
        self.shared.lock().standing = match fault {
            Some(fault) => Method::ALL.map(|method| (method, fault.clone())).into(),
            None => BTreeMap::new(),
        };
    }

    /// Ends all faults, queued and standing, and all holds that no call has come to yet. Capabilities and
    /// pauses stay as they are.
    pub fn clear(&self) {
        let mut shared = self.shared.lock();
        shared.next.clear();
        shared.standing.clear();
        shared.before.clear();
        shared.after.clear();
    }

    /// From now on the backend is out of reach: every method is [`KeyError::Unavailable`] and does nothing.
    pub fn outage(&self) {
        self.set_all(Some(Fault::FailBefore(KeyError::unavailable("told to be out of reach"))));
    }

    /// From now on no call is answered, and none has an effect.
    pub fn hang(&self) {
        self.set_all(Some(Fault::HangBefore));
    }

    /// Ends what [`outage`](Self::outage) or [`hang`](Self::hang) began: the standing faults of all methods.
    /// Calls that hang go on hanging.
    pub fn recover(&self) {
        self.set_all(None);
    }

    /// From now on, or no longer, each call is pending twice, whatever its fault: once before it takes effect, once after.
    /// Whoever drops a future at each of its awaits then drops it on both sides of every effect.
    pub fn pause(&self, pauses: bool) {
        self.shared.lock().pauses = pauses;
    }

    /// Stops the next call of a method before it takes effect, and before its fault is drawn.
    #[must_use = "dropping it lets the call go"]
    pub fn hold(&self, method: Method) -> Hold {
        let (hold, slot) = Hold::new();
        self.shared.lock().before.entry(method).or_default().push_back(slot);
        hold
    }

    /// Stops the next call of a method that takes effect, after it did and before it is answered.
    #[must_use = "dropping it lets the call go"]
    pub fn hold_after(&self, method: Method) -> Hold {
        let (hold, slot) = Hold::new();
        self.shared.lock().after.entry(method).or_default().push_back(slot);
        hold
    }

    /// Changes what the provider says that it can do. What is taken away is really refused; what is added
    /// is claimed and left to the wrapped provider.
    pub fn restrict_capabilities(&self, change: impl FnOnce(&mut Capabilities)) {
        let mut shared = self.shared.lock();
        change(&mut shared.claimed);
        shared.served = shared.claimed.clone();
    }

    /// Changes what the provider says that it can do, and nothing else: it serves and refuses as before.
    pub fn misreport_capabilities(&self, change: impl FnOnce(&mut Capabilities)) {
        change(&mut self.shared.lock().claimed);
    }

    /// What the provider was asked and handed.
    pub fn journal(&self) -> Journal {
        self.journal.clone()
    }

    pub(super) fn claimed(&self) -> Capabilities {
        self.shared.lock().claimed.clone()
    }

    pub(super) fn served(&self) -> Capabilities {
        self.shared.lock().served.clone()
    }

    pub(super) fn check_served(&self, call: &Call) -> Result<(), KeyError> {
        refusal::check(&self.shared.lock().served, call)
    }

    pub(super) fn enter(&self, call: Call, handed: Option<SecretBytes>) -> Entry {
        self.journal.enter(call, handed)
    }

    /// How often a call is pending on each side of its effect.
    pub(super) fn pauses(&self) -> u32 {
        u32::from(self.shared.lock().pauses)
    }

    pub(super) async fn pass_before(&self, call: &Call) {
        let slot = self.shared.lock().before.get_mut(&call.method).and_then(VecDeque::pop_front);
        if let Some(slot) = slot {
            slot.stop(call).await;
        }
    }

    pub(super) async fn pass_after(&self, call: &Call) {
        let slot = self.shared.lock().after.get_mut(&call.method).and_then(VecDeque::pop_front);
        if let Some(slot) = slot {
            slot.stop(call).await;
        }
    }

    /// The fault for a call that happens now.
    pub(super) fn draw(&self, method: Method) -> Option<Fault> {
        let mut shared = self.shared.lock();
        let queued = shared.next.get_mut(&method).and_then(VecDeque::pop_front);
        queued.or_else(|| shared.standing.get(&method).cloned())
    }

    /// Keeps an honest JWKS for [`Lie::Stale`](super::Lie::Stale).
    pub(super) fn remember(&self, call: &Call, answer: Result<Answer, KeyError>) -> Result<Answer, KeyError> {
        if let (Some(query), Ok(Answer::Jwks(jwks))) = (&call.query, &answer) {
            self.shared.lock().last_jwks.insert(query.clone(), jwks.clone());
        }
        answer
    }

    pub(super) fn remembered(&self, call: &Call) -> Arc<JwkSet> {
        let shared = self.shared.lock();
        call.query.as_ref().and_then(|query| shared.last_jwks.get(query).cloned()).unwrap_or_default()
    }
}
