//! What everything in a world stands on: the clock, who is calling, what the sides were asked, and the model.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use swarmauri_keyprovider_testkit::Method;
use swarmauri_keys::{KeyError, KeyErrorKind, KeyId, KeyVersion};

use crate::model::Model;
use crate::script::{Config, Place};
use crate::tally::Tally;

/// A moment: the number of things that have happened before.
pub(crate) type Tick = u64;

/// The number of a call of a caller.
pub(crate) type CallId = u64;

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// The number of the promise; 0 for what the simulation itself rests on.
    pub(crate) promise: u8,
    pub(crate) what: String,
}

/// What a side was asked on behalf of a call.
#[derive(Debug, Clone)]
pub(crate) struct SideCall {
    pub(crate) place: Place,
    pub(crate) method: Method,
    pub(crate) kid: Option<KeyId>,
    pub(crate) version: Option<KeyVersion>,
    /// When the side was asked.
    pub(crate) asked: Tick,
    /// Whether it had its effect, or the honest answer was looked up.
    pub(crate) reached: bool,
    pub(crate) end: Option<SideEnd>,
}

/// What the side answered.
#[derive(Debug, Clone)]
pub(crate) enum SideEnd {
    /// The version that the answer is about, if it is about one.
    Ok(Option<KeyVersion>),
    Err(KeyErrorKind, String),
}

/// Shared by everything in a world. Never locked while anything waits.
#[derive(Debug, Clone)]
pub(crate) struct Ground(Arc<Mutex<State>>);

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) config: Config,
    tick: Tick,
    /// The call that is being polled; without one it is somebody behind the mirror's back.
    pub(crate) caller: Option<CallId>,
    pub(crate) traces: HashMap<CallId, Vec<SideCall>>,
    /// How often the store was asked on behalf of a call.
    pub(crate) store_calls: HashMap<CallId, u32>,
    pub(crate) model: Model,
    pub(crate) violations: Vec<Violation>,
    pub(crate) tally: Tally,
}

impl Ground {
    pub(crate) fn new(config: Config) -> Self {
        Self(Arc::new(Mutex::new(State {
            config,
            tick: 1,
            caller: None,
            traces: HashMap::new(),
            store_calls: HashMap::new(),
            model: Model::default(),
            violations: Vec::new(),
            tally: Tally::default(),
        })))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }
}

impl State {
    /// The next moment.
    pub(crate) fn tick(&mut self) -> Tick {
        self.tick += 1;
        self.tick
    }

    pub(crate) fn violate(&mut self, promise: u8, what: impl Into<String>) {
        self.violations.push(Violation { promise, what: what.into() });
    }

    /// A side is asked. Gives the place of the entry.
    pub(crate) fn asked(
        &mut self,
        place: Place,
        method: Method,
        kid: Option<&KeyId>,
        version: Option<KeyVersion>,
    ) -> Option<(CallId, usize)> {
        let asked = self.tick();
        let caller = self.caller?;
        let call = SideCall { place, method, kid: kid.cloned(), version, asked, reached: false, end: None };
        let trace = self.traces.entry(caller).or_default();
        trace.push(call);
        Some((caller, trace.len() - 1))
    }

    /// The store is asked.
    pub(crate) fn store_asked(&mut self) {
        if let Some(caller) = self.caller {
            *self.store_calls.entry(caller).or_default() += 1;
        }
    }

    /// Whether the call that is being polled has asked the primary for this.
    pub(crate) fn has_asked(&self, method: Method) -> bool {
        let trace = self.caller.and_then(|caller| self.traces.get(&caller));
        let on_primary = |call: &SideCall| call.place == Place::Primary && call.method == method;
        trace.is_some_and(|trace| trace.iter().any(on_primary))
    }

    pub(crate) fn note(&mut self, entry: Option<(CallId, usize)>, note: impl FnOnce(&mut SideCall)) {
        if let Some((caller, at)) = entry
            && let Some(call) = self.traces.get_mut(&caller).and_then(|trace| trace.get_mut(at))
        {
            note(call);
        }
    }
}

impl SideEnd {
    pub(crate) fn of(error: &KeyError) -> Self {
        Self::Err(error.kind(), error.to_string())
    }

    pub(crate) fn is_outage(&self) -> bool {
        matches!(self, Self::Err(KeyErrorKind::Unavailable | KeyErrorKind::Timeout, _))
    }
}
