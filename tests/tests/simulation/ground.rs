//! What everything in a world stands on: the clock, who is calling, what the sides were asked, and the model.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use swarmauri_keyprovider_testkit::Method;
use swarmauri_keys::{KeyError, KeyErrorKind, KeyId, KeyVersion};
use tokio::time::{Duration, Instant};

use crate::model::Model;
use crate::pass::Pass;
use crate::script::{Config, Place};
use crate::since::PROCESSES;
use crate::tally::Tally;

/// A moment: the number of things that have happened before.
pub(crate) type Tick = u64;

/// The number of a call of a caller.
pub(crate) type CallId = u64;

/// Who is being polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) id: CallId,
    pub(crate) process: usize,
    /// When the call began.
    pub(crate) started: Tick,
}

/// How the primary has served a process.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Trouble {
    /// When it last failed, gave no answer, or was slow.
    pub(crate) failed: Option<Instant>,
    /// How many calls it has not answered yet.
    pub(crate) in_flight: u32,
    /// When such a call last ended.
    pub(crate) ended: Tick,
}

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
    /// Whether it may have answered from the past.
    pub(crate) stale: bool,
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
    pub(crate) caller: Option<Caller>,
    pub(crate) traces: HashMap<CallId, Vec<SideCall>>,
    /// How often the store was asked on behalf of a call.
    pub(crate) store_calls: HashMap<CallId, u32>,
    /// By process.
    pub(crate) troubles: [Trouble; PROCESSES],
    pub(crate) model: Model,
    pub(crate) violations: Vec<Violation>,
    pub(crate) tally: Tally,
    /// What happened, line by line, if somebody wants to read it.
    pub(crate) story: Option<Vec<String>>,
}

impl Ground {
    pub(crate) fn new(config: Config, told: bool) -> Self {
        Self(Arc::new(Mutex::new(State {
            config,
            tick: 1,
            caller: None,
            traces: HashMap::new(),
            store_calls: HashMap::new(),
            troubles: Default::default(),
            model: Model::default(),
            violations: Vec::new(),
            tally: Tally::default(),
            story: told.then(Vec::new),
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

    /// Adds a line to the story.
    pub(crate) fn tell(&mut self, line: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            story.push(line());
        }
    }

    pub(crate) fn violate(&mut self, promise: u8, what: impl Into<String>) {
        self.violations.push(Violation { promise, what: what.into() });
    }

    /// What looks like a broken promise is none, for this reason.
    pub(crate) fn let_pass(&mut self, why: Pass) {
        self.tally.count("let pass", why.name());
    }

    /// Breaks a promise, unless there is a reason to let it pass.
    pub(crate) fn violate_unless(&mut self, pass: Option<Pass>, promise: u8, what: impl FnOnce() -> String) {
        match pass {
            Some(why) => self.let_pass(why),
            None => self.violate(promise, what()),
        }
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
        let caller = self.caller?.id;
        self.tell(|| {
            let version = version.map(|version| format!(".{version}")).unwrap_or_default();
            let of = kid.map(|kid| format!(" {kid}{version}")).unwrap_or_default();
            format!("call {caller}    asks {place:?}: {method:?}{of}")
        });
        let call = SideCall {
            place,
            method,
            kid: kid.cloned(),
            version,
            asked,
            reached: false,
            stale: false,
            end: None,
        };
        let trace = self.traces.entry(caller).or_default();
        trace.push(call);
        Some((caller, trace.len() - 1))
    }

    /// The store is asked.
    pub(crate) fn store_asked(&mut self) {
        if let Some(caller) = self.caller {
            *self.store_calls.entry(caller.id).or_default() += 1;
        }
    }

    /// Whether the call that is being polled has asked the primary for this.
    pub(crate) fn has_asked(&self, method: Method) -> bool {
        let trace = self.caller.and_then(|caller| self.traces.get(&caller.id));
        let on_primary = |call: &SideCall| call.place == Place::Primary && call.method == method;
        trace.is_some_and(|trace| trace.iter().any(on_primary))
    }

    pub(crate) fn note(&mut self, entry: Option<(CallId, usize)>, note: impl FnOnce(&mut SideCall)) {
        let Some((caller, at)) = entry else { return };
        let Self { traces, story, .. } = self;
        let Some(call) = traces.get_mut(&caller).and_then(|trace| trace.get_mut(at)) else { return };
        note(call);
        if let Some(story) = story {
            let SideCall { place, method, reached, stale, end, .. } = call;
            story.push(format!(
                "call {caller}      {place:?}: {method:?}, reached: {reached}, stale: {stale}, end: {end:?}"
            ));
        }
    }
}

impl Trouble {
    /// Whether there was a reason to leave the primary alone: it failed not longer ago than a breaker waits at most, or
    /// somebody else was finding out whether it is back.
    pub(crate) fn is_a_reason(self, since: Tick, wait: Duration) -> bool {
        let asked = self.in_flight > 0 || self.ended >= since;
        asked || self.failed.is_some_and(|at| at.elapsed() <= wait)
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
