//! A world: two sides, a store, the processes of the mirror and their callers, all on one thread and in one time.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use swarmauri_keyprovider_mirrored::{Backend, BreakerState, Hedge, MirroredKeyProvider};
use swarmauri_keyprovider_testkit::FaultyStore;
use swarmauri_keyproviders_tests::random::Seeded;
use swarmauri_keys::{Ciphertext, Signature};
use swarmauri_keystore::{KeyStore, MemoryStore};
use swarmauri_softkeys::KeyTable;
use tokio::sync::Notify;

use crate::call::{Answer, Ask, Call, Done, Seen};
use crate::ground::{CallId, Caller, Ground, Tick};
use crate::model::Destroy;
use crate::promises;
use crate::script::{Breaker, Config, Place, Step, Watches};
use crate::sides::Side;
use crate::weather::{Sky, Weather};
use crate::{behind, quiet, resolve};

/// The most calls under way at a time.
const CALLS: usize = 12;
/// So much time passes at once.
pub(crate) const BIT: Duration = Duration::from_millis(250);

pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) ground: Ground,
    pub(crate) primary: Arc<Side>,
    pub(crate) secondary: Arc<Side>,
    pub(crate) store: Option<Arc<FaultyStore>>,
    pub(crate) store_sky: Weather,
    /// Since when the store has been well.
    store_fair: Option<Tick>,
    /// Whether watches are held back.
    held: bool,
    pub(crate) processes: Vec<Process>,
    pub(crate) calls: BTreeMap<CallId, Call>,
    next: CallId,
    pub(crate) signatures: VecDeque<Signature>,
    pub(crate) ciphertexts: VecDeque<Ciphertext>,
    pub(crate) operations: u64,
    /// The keys that made signatures, to verify them with.
    pub(crate) archive: KeyTable,
}

/// One process of the mirror.
pub(crate) struct Process {
    pub(crate) mirror: Arc<MirroredKeyProvider>,
    /// When its watch ended, if no call has read the store since.
    pub(crate) ended: Option<Tick>,
    /// Since when what another process does may not arrive here.
    pub(crate) blind: Option<Tick>,
    /// When it last took in what has arrived.
    looked: Tick,
    /// Stops `maintain`, if it runs.
    pub(crate) upkeep: Option<Arc<Notify>>,
}

impl World {
    pub(crate) async fn new(config: Config, told: bool) -> Self {
        let ground = Ground::new(config, told);
        let primary = Side::new(Place::Primary, config.primary_chosen, config.pace, ground.clone());
        let secondary = Side::new(Place::Secondary, config.secondary_chosen, config.pace, ground.clone());
        let store = config.stored.then(|| Arc::new(FaultyStore::new(Arc::new(MemoryStore::new()))));
        let mut world = Self {
            config,
            ground,
            primary,
            secondary,
            store,
            store_sky: Weather::Fair,
            store_fair: Some(0),
            held: false,
            processes: Vec::new(),
            calls: BTreeMap::new(),
            next: 0,
            signatures: VecDeque::new(),
            ciphertexts: VecDeque::new(),
            operations: 0,
            archive: KeyTable::new(),
        };
        for _ in 0..config.processes {
            let process = world.started().await;
            world.processes.push(process);
        }
        world.set_store_sky(Weather::Fair, 0);
        world
    }

    /// A process that starts while the store is well.
    async fn started(&self) -> Process {
        let Config { mode, fail_open, merge, on_loss, breaker, hedges, stale_jwks, seed, .. } = self.config;
        let mut builder = MirroredKeyProvider::builder(self.primary.clone(), self.secondary.clone())
            .mode(mode)
            .fail_open_reads(fail_open)
            .jwks_merge(merge)
            .on_primary_loss(on_loss)
            .breaker(breaker.settings())
            .seed(seed);
        if hedges {
            builder = builder.hedge(Hedge { delay: Duration::from_millis(100), budget_percent: 100 });
        }
        if stale_jwks {
            builder = builder.jwks_max_stale(Duration::from_mins(1));
        }
        let mirror = match &self.store {
            Some(store) => builder.state(Arc::clone(store) as Arc<dyn KeyStore>).open().await.unwrap(),
            None => builder.build().unwrap(),
        };
        Process { mirror: Arc::new(mirror), ended: None, blind: None, looked: 0, upkeep: None }
    }

    pub(crate) async fn step(&mut self, step: &Step) {
        match *step {
            Step::Call { process, op } => {
                let process = usize::from(process);
                if self.calls.len() < CALLS
                    && let Some(ask) = resolve::ask(self, op)
                {
                    self.start(process, ask);
                }
            }
            Step::Poll { times, seed } => {
                let mut random = Seeded::new(u64::from(seed));
                for _ in 0..times {
                    self.poll_one(&mut random);
                }
            }
            Step::Run { seed } => self.run(seed),
            Step::Advance { millis } => self.advance(Duration::from_millis(millis.into())).await,
            Step::Drop { which } => {
                let which = self.calls.keys().nth(usize::from(which)).copied();
                if let Some(id) = which {
                    self.drop_call(id);
                }
            }
            Step::Turn { place, weather, seed } => self.turn(place, weather, seed),
            Step::Watches(what) => self.watches(what),
            Step::Behind(what) => behind::happens(self, what),
            Step::Maintain { process } => self.maintain(usize::from(process)),
            Step::Crash { process } => self.crash(usize::from(process)).await,
            Step::Status => promises::backlog::check(self),
            Step::Calm { seed } => quiet::calm(self, seed).await,
        }
    }

    pub(crate) fn start(&mut self, process: usize, ask: Ask) {
        let id = self.next;
        self.next += 1;
        self.operations += 1;
        let started = {
            let mut ground = self.ground.lock();
            let at = ground.tick();
            ground.tally.count("calls", ask.name());
            if let (true, Some(kid)) = (ask.is_write(), ask.kid()) {
                ground.model.touch(kid, at);
            }
            if ask.is_repair() {
                ground.model.repaired = at;
            }
            if let Ask::Destroy(kid, None) = &ask {
                let all = ground.model.unwanted.entry(kid.clone()).or_default();
                all.push(Destroy { call: id, process, ended: None });
            }
            at
        };
        self.ground.lock().tell(|| format!("call {id} by process {process}: {ask:?}"));
        self.note_switches(process, &ask);
        let seen = self.seen(process);
        if ask.catches_up() {
            self.processes[process].looked = started;
        }
        let mirror = Arc::clone(&self.processes[process].mirror);
        self.calls.insert(id, Call::new(id, process, ask, started, seen, mirror));
        self.poll(id);
    }

    /// A version that one process disables or enables, while another one does, or settles what is open.
    fn note_switches(&self, process: usize, ask: &Ask) {
        let others = || self.calls.values().filter(|call| call.process != process).map(|call| &call.ask);
        let model = &mut self.ground.lock().model;
        if let Ask::Switch(kid, version, _) = ask {
            let same = |other: &Ask| matches!(other, Ask::Switch(of, at, _) if of == kid && at == version);
            let at_once = others().any(|other| other.is_repair() || same(other));
            if let Some(life) = model.life_mut(kid, *version) {
                life.switched_at_once = at_once;
            }
        }
        for other in others() {
            if let (true, Ask::Switch(kid, version, _)) = (ask.is_repair(), other)
                && let Some(life) = model.life_mut(kid, *version)
            {
                life.switched_at_once = true;
            }
        }
    }

    fn seen(&self, process: usize) -> Seen {
        let Process { mirror, blind, .. } = &self.processes[process];
        let closed = |backend| {
            self.config.breaker == Breaker::Off
                || mirror.breakers().get(&backend).is_none_or(|state| *state == BreakerState::Closed)
        };
        let (asks_store, asks_primary) = (closed(Backend::State), closed(Backend::Primary));
        Seen { blind: *blind, asks_store, asks_primary }
    }

    fn poll(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let waker = call.waker();
        let caller = Caller { id, process: call.process, started: call.started };
        self.ground.lock().caller = Some(caller);
        let polled =
            catch_unwind(AssertUnwindSafe(|| call.future.as_mut().poll(&mut Context::from_waker(&waker))));
        self.ground.lock().caller = None;
        match polled {
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(answer)) => self.answered(id, answer),
            Err(_) => {
                let what = format!("{:?} panicked", call.ask);
                self.ground.lock().violate(12, what);
                self.drop_call(id);
            }
        }
    }

    fn answered(&mut self, id: CallId, answer: Answer) {
        let Some(Call { process, ask, started, seen, began, .. }) = self.calls.remove(&id) else { return };
        let took = began.elapsed();
        let store_calls = self.ground.lock().store_calls.remove(&id).unwrap_or_default();
        let trace = self.ended(id, &ask);
        {
            let mut ground = self.ground.lock();
            ground.tally.count("answers", answer.name());
            ground.tell(|| format!("call {id} is answered: {answer:?}"));
        }
        self.destroy_ended(id, &ask, &answer);
        let blind = self.still_blind(process, &ask, started, seen);
        let asked_primary = seen.asks_primary;
        let done = Done { process, blind, asked_primary, ask, started, took, answer, trace, store_calls };
        promises::judge(self, &done);
    }

    /// Since when a call did not see what others did. One that could read the store has caught up.
    fn still_blind(&mut self, process: usize, ask: &Ask, started: Tick, seen: Seen) -> Option<Tick> {
        let of = &mut self.processes[process];
        let could_read = seen.asks_store && self.store_fair.is_some_and(|since| since <= started);
        if ask.catches_up() && could_read && !self.held && of.ended.is_none_or(|ended| ended < started) {
            (of.ended, of.blind) = (None, None);
            return None;
        }
        [seen.blind, of.blind].into_iter().flatten().min()
    }

    /// The outcome of a destroy of a whole key is known.
    fn destroy_ended(&self, id: CallId, ask: &Ask, answer: &Answer) {
        if let Ask::Destroy(kid, None) = ask
            && !promises::is_outage(answer.error())
        {
            let ground = &mut *self.ground.lock();
            let at = ground.tick();
            let all = ground.model.unwanted.get_mut(kid).into_iter().flatten();
            all.filter(|destroy| destroy.call == id).for_each(|destroy| destroy.ended = Some(at));
        }
    }

    fn ended(&self, id: CallId, ask: &Ask) -> Vec<crate::ground::SideCall> {
        let mut ground = self.ground.lock();
        let at = ground.tick();
        if let (true, Some(kid)) = (ask.is_write(), ask.kid()) {
            ground.model.touch(kid, at);
        }
        if ask.is_repair() {
            ground.model.repaired = at;
        }
        ground.traces.remove(&id).unwrap_or_default()
    }

    pub(crate) fn drop_call(&mut self, id: CallId) {
        if let Some(call) = self.calls.remove(&id) {
            if let Ask::Maintain(_) = call.ask {
                self.processes[call.process].upkeep = None;
            }
            self.ground.lock().store_calls.remove(&id);
            self.ended(id, &call.ask);
            self.ground.lock().tally.count("answers", "none: dropped");
        }
    }

    /// Polls some call that can go on. False if none can.
    fn poll_one(&mut self, random: &mut Seeded) -> bool {
        let ready: Vec<_> =
            self.calls.values().filter(|call| call.woken.is_set()).map(|call| call.id).collect();
        let Some(count) = u32::try_from(ready.len()).ok().filter(|count| *count > 0) else {
            return false;
        };
        self.poll(ready[usize::try_from(random.below(count)).unwrap_or(0)]);
        true
    }

    pub(crate) fn run(&mut self, seed: u32) {
        let mut random = Seeded::new(u64::from(seed));
        for _ in 0..100_000 {
            if !self.ground.lock().violations.is_empty() || !self.poll_one(&mut random) {
                return;
            }
        }
        self.ground.lock().violate(7, "calls go on and on, and do not end");
    }

    /// Lets time pass, bit by bit: whoever can go on does so before more of it has passed.
    pub(crate) async fn advance(&mut self, time: Duration) {
        let mut left = time;
        self.run(0);
        while !left.is_zero() {
            let bit = if self.calls.is_empty() { left } else { left.min(BIT) };
            tokio::time::advance(bit).await;
            left -= bit;
            self.run(0);
        }
    }

    fn maintain(&mut self, process: usize) {
        if self.processes[process].upkeep.is_none() {
            let stop = Arc::new(Notify::new());
            self.processes[process].upkeep = Some(Arc::clone(&stop));
            self.start(process, Ask::Maintain(stop));
        }
    }

    pub(crate) fn turn(&mut self, place: Place, weather: Weather, seed: u32) {
        let sky = Sky::new(weather, seed, self.config.pace);
        match place {
            Place::Primary => self.primary.set_sky(sky),
            Place::Secondary => self.secondary.set_sky(sky),
            Place::Store => self.set_store_sky(weather, seed),
        }
    }

    fn set_store_sky(&mut self, weather: Weather, seed: u32) {
        let Some(store) = &self.store else { return };
        let mut sky = Sky::new(weather, seed, self.config.pace);
        let ground = self.ground.clone();
        store.faults().choose(move |method| {
            let turn = sky.store_turn(method);
            let mut ground = ground.lock();
            ground.store_asked();
            ground.tally.count("turns of the store", crate::weather::store_name(&turn));
            let caller = ground.caller.map(|caller| caller.id);
            ground.tell(|| format!("call {caller:?}    asks the store: {method:?}, {turn:?}"));
            turn
        });
        self.store_sky = weather;
        let at = self.ground.lock().tick();
        if weather == Weather::Fair {
            self.store_fair.get_or_insert(at);
        } else {
            self.store_fair = None;
            for process in &mut self.processes {
                process.blind = process.blind.or(process.ended);
            }
        }
    }

    pub(crate) fn watches(&mut self, what: Watches) {
        let Some(store) = &self.store else { return };
        let (done, ()) = match what {
            Watches::Held => ("holds watches back", store.faults().hold_watches(true)),
            Watches::LetGo => ("lets watches go", store.faults().hold_watches(false)),
            Watches::Ended => ("ends watches", store.faults().end_watches()),
        };
        let at = self.ground.lock().tick();
        self.held = if what == Watches::Ended { self.held } else { what == Watches::Held };
        self.ground.lock().tally.count("somebody", done);
        for process in &mut self.processes {
            match what {
                Watches::Held => {
                    process.blind.get_or_insert(process.looked);
                }
                // All of it is there at once.
                Watches::LetGo if process.ended.is_none() => process.blind = None,
                Watches::LetGo => {}
                Watches::Ended => {
                    process.ended.get_or_insert(at);
                    if self.store_sky != Weather::Fair || self.config.breaker != Breaker::Off {
                        process.blind.get_or_insert(process.looked);
                    }
                }
            }
        }
    }

    /// A process dies with all of its calls, and starts again; the store is well meanwhile.
    pub(crate) async fn crash(&mut self, process: usize) {
        self.ground.lock().tally.count("somebody", "kills a process");
        let its: Vec<_> =
            self.calls.values().filter(|call| call.process == process).map(|call| call.id).collect();
        for id in its {
            self.drop_call(id);
        }
        if let Some(store) = &self.store {
            store.faults().choose(|_| swarmauri_keyprovider_testkit::StoreFault::default());
        } else {
            let ground = &mut *self.ground.lock();
            let at = ground.tick();
            ground.model.forget_what_was_only_in_memory(at);
        }
        self.processes[process] = self.started().await;
        // It has read all that there is, and hears of the rest as the others do.
        let at = self.ground.lock().tick();
        self.processes[process].looked = at;
        self.processes[process].blind = self.held.then_some(at);
        self.set_store_sky(self.store_sky, 1);
    }
}
