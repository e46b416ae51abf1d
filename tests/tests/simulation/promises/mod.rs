//! The checks: one for each promise, at each answer and after each step.

pub(crate) mod backlog;
mod documents;
mod patience;
mod reads;
mod silence;
mod work;
mod writes;

use std::time::Duration;

use swarmauri_keyprovider_mirrored::{Backend, BreakerState, MirrorMode};
use swarmauri_keyprovider_testkit::Method;
use swarmauri_keys::{KeyError, KeyId, KeyVersion, KeyVersionId};

use crate::call::{Answer, Ask, Done};
use crate::ground::{SideCall, SideEnd, State, Tick};
use crate::pass::Pass;
use crate::script::{Breaker, Config, Place};
use crate::since::{Since, View};
use crate::world::World;

/// An answer, and what is known of how it came about.
pub(crate) struct Case<'a> {
    pub(crate) config: Config,
    pub(crate) done: &'a Done,
    /// What its process can know.
    pub(crate) view: View,
    /// Whether a breaker that has a reason to may have kept the primary from being asked.
    pub(crate) left_alone: bool,
}

/// Which side an answer is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Primary,
    Secondary,
}

/// What is done with a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// It is shown, disabled or not.
    Shown,
    /// It is shown in a listing, which is read bit by bit.
    Listed,
    /// Its public key is given for others to trust.
    Published,
    /// Its secret is given.
    Secret,
    /// It works: with its public half alone, or with its secret; and, where that is asked for, also if it is disabled.
    Works { public: bool, disabled_too: bool },
}

/// How long a breaker leaves it to `maintain` to find out whether a side is back.
const FINDING_OUT: Duration = Duration::from_secs(6);

/// Holds an answer against everything that is promised of it.
pub(crate) fn judge(world: &mut World, done: &Done) {
    let blind = if world.config.processes > 1 { done.blind } else { None };
    let view = View { process: done.process, blind };
    let case = Case { config: world.config, done, view, left_alone: is_left_alone(world, done) };
    silence::check(world, &case);
    patience::check(world, &case);
    {
        let ground = &mut *world.ground.lock();
        case.check_left_alone(ground);
        case.check_fail_closed(ground);
        match (&done.ask, &done.answer) {
            (Ask::Get { kid, version, secrets, .. }, Answer::Key(Ok(key))) => {
                reads::key(&case, ground, kid, *version, *secrets, key);
            }
            (Ask::PublicJwk(kid, version), Answer::Jwk(Ok(jwk))) => {
                reads::jwk(&case, ground, kid, *version, jwk);
            }
            (Ask::Versions(kid), Answer::Versions(Ok(versions))) => {
                reads::versions(&case, ground, kid, versions);
            }
            (Ask::List { .. }, Answer::Page(Ok(keys))) => reads::listing(&case, ground, keys),
            (Ask::Jwks(query), Answer::Jwks(Ok(set))) => documents::check(&case, ground, query, set),
            _ => {}
        }
        writes::check(&case, ground);
    }
    work::check(world, &case);
    reads::availability(world, &case);
    documents::availability(world, &case);
    writes::debts(world, &case);
}

impl Case<'_> {
    /// What the primary or the secondary was asked by one of these methods.
    pub(crate) fn asked<'b>(
        &'b self,
        place: Place,
        methods: &'b [Method],
    ) -> impl Iterator<Item = &'b SideCall> {
        let trace = self.done.trace.iter();
        trace.filter(move |call| call.place == place && methods.contains(&call.method))
    }

    /// Who gave the answer about a version.
    pub(crate) fn by(&self, methods: &[Method], version: KeyVersion) -> By {
        let told = |call: &SideCall| matches!(call.end, Some(SideEnd::Ok(Some(told))) if told == version);
        if self.asked(Place::Primary, methods).any(told) { By::Primary } else { By::Secondary }
    }

    /// Promises 2, 4, 6 and 10: that a version may be served like this by this side.
    pub(crate) fn served(&self, ground: &mut State, id: &KeyVersionId, by: By, used: Use, asked: &[Method]) {
        let started = self.done.started;
        let name = self.done.ask.name();
        let Some((key, life)) =
            ground.model.keys.get(&id.kid).and_then(|key| Some((key, key.versions.get(&id.version)?)))
        else {
            return ground.violate(2, format!("{name} is answered with {id}, which nobody ever made"));
        };
        let (over, begun, disabled) = (key.over(life), key.begun(life), life.disabled);
        // A process that knows nothing of it but the destroy of unknown outcome was told that there is nothing.
        let settled = life.lied_about && life.known.is_none() && !life.on_primary;
        let unsought = settled.then_some(Pass::LiedAbout);
        let at_once = life.switched_at_once.then_some(Pass::SwitchedAtOnce);
        ground.tally.count("versions checked", name);
        ground.tally.count("served by", if by == By::Primary { "the primary" } else { "the secondary" });
        if self.must_know(ground, over, Some(started)) {
            return ground.violate(4, format!("{name} is answered with {id} after its destroy returned"));
        }
        if by == By::Primary {
            return;
        }
        let until = if used == Use::Listed { Some(started) } else { None };
        if self.must_know(ground, begun, until) {
            let what = || format!("the secondary serves {id} to {name} after its destroy began");
            return ground.violate_unless(unsought, 4, what);
        }
        let trusts = match used {
            Use::Shown | Use::Listed => false,
            Use::Published | Use::Secret => true,
            Use::Works { disabled_too, .. } => !disabled_too,
        };
        if trusts && self.must_know(ground, disabled, Some(started)) {
            let what = || format!("the secondary serves {id}, which is disabled, to {name}");
            return ground.violate_unless(at_once, 6, what);
        }
        if !self.config.fail_open {
            return ground.violate(10, format!("the secondary serves {id} to {name}, and reads fail closed"));
        }
        if !asked.is_empty() {
            self.may_fail_over(ground, id, used, asked);
        }
    }

    /// Promise 6: whether the primary's own answer was one that is not the last word.
    fn may_fail_over(&self, ground: &mut State, id: &KeyVersionId, used: Use, asked: &[Method]) {
        // Given up, or outrun by a replica: the call has no end.
        let silent = |call: &SideCall| call.end.as_ref().is_none_or(SideEnd::is_outage);
        // For work it may have been asked which version is the latest, before.
        let unasked = self.asked(Place::Primary, &asked[..1]).next().is_none();
        let left_alone = self.left_alone && unasked;
        let outage = self.asked(Place::Primary, asked).any(silent);
        let missing = self
            .asked(Place::Primary, asked)
            .any(|call| matches!(&call.end, Some(SideEnd::Err(swarmauri_keys::KeyErrorKind::NotFound, _))));
        let public = match used {
            Use::Secret => false,
            Use::Works { public, .. } => public,
            Use::Shown | Use::Listed | Use::Published => true,
        };
        let serves_lost = self.config.on_loss == swarmauri_keyprovider_mirrored::OnPrimaryLoss::ServeReplica;
        let name = self.done.ask.name();
        if outage {
            ground.tally.count("failed over on", "an outage");
        } else if left_alone {
            ground.tally.count("failed over on", "a breaker");
        } else if missing && public && serves_lost {
            ground.tally.count("failed over on", "a loss");
        } else {
            ground.violate(6, format!("the secondary serves {id} to {name}, and the primary was not out"));
        }
    }

    /// Whether something that is true since then, or until then, must be known here.
    pub(crate) fn must_know(&self, ground: &mut State, since: Since, until: Option<Tick>) -> bool {
        let in_time = |at: Option<Tick>| at.is_some_and(|at| until.is_none_or(|until| at <= until));
        let must = in_time(since.known_to(self.view));
        if !must && in_time(since.first()) {
            ground.let_pass(Pass::Behind);
        }
        must
    }

    /// Whether what other processes did may not have arrived; then it is counted.
    pub(crate) fn is_behind(&self, ground: &mut State) -> bool {
        if self.view.blind.is_some() {
            ground.let_pass(Pass::Behind);
        }
        self.view.blind.is_some()
    }

    /// Promise 6: a breaker opens on outages, and not on refusals.
    fn check_left_alone(&self, ground: &mut State) {
        let Some(error) = self.done.answer.error().map(ToString::to_string) else { return };
        if error.contains("the primary is not asked") {
            ground.tally.count("left alone", self.done.ask.name());
            if !self.left_alone {
                let what = format!("{} leaves the primary alone, which has not failed", self.done.ask.name());
                ground.violate(6, what);
            }
        }
    }

    /// Promise 10: with fail-over off the secondary is not asked, and errors come back unchanged.
    fn check_fail_closed(&self, ground: &mut State) {
        let is_read = !self.done.ask.is_write() && !self.done.ask.is_repair();
        if self.config.fail_open || !is_read || matches!(self.done.ask, Ask::Prove | Ask::Drill) {
            return;
        }
        let name = self.done.ask.name();
        if self.done.trace.iter().any(|call| call.place == Place::Secondary) {
            ground.violate(10, format!("{name} asks the secondary, and reads fail closed"));
        }
        let Some(error) = self.done.answer.error() else { return };
        let mut outages = self.done.trace.iter().map(|call| match &call.end {
            Some(end @ SideEnd::Err(_, text)) if end.is_outage() => *text == error.to_string(),
            // Not answered in time.
            None => error.to_string().contains("has not answered"),
            Some(_) => false,
        });
        ground.tally.count("errors that fail closed", crate::call::error_name(error.kind()));
        let left_alone = self.left_alone && error.to_string().contains("is not asked");
        if error.is_outage() && !left_alone && !outages.any(|same| same) {
            ground.violate(10, format!("{name} fails with {error}, which is not what the primary said"));
        }
    }

    /// Whether anything is copied.
    pub(crate) fn mirrors(&self) -> bool {
        self.config.mode != MirrorMode::None
    }
}

/// Whether the breaker of the primary was open when a call began, or is now, and the primary has given a reason.
fn is_left_alone(world: &World, done: &Done) -> bool {
    let wait = world.config.breaker.settings().max_wait + FINDING_OUT;
    if world.config.breaker == Breaker::Off {
        return false;
    }
    let open = || {
        let breakers = world.processes[done.process].mirror.breakers();
        breakers.get(&Backend::Primary) != Some(&BreakerState::Closed)
    };
    let reason = world.ground.lock().troubles[done.process].is_a_reason(done.started, wait + done.took);
    reason && (!done.asked_primary || open())
}

/// Whether nobody has written to a key since a call started, or writes to it now.
pub(crate) fn is_calm(world: &World, kid: &KeyId, started: u64) -> bool {
    let ground = world.ground.lock();
    let touched = ground.model.keys.get(kid).map_or(0, |key| key.touched);
    let writing = |call: &crate::call::Call| {
        call.ask.is_repair() || (call.ask.is_write() && call.ask.kid().is_none_or(|other| other == kid))
    };
    touched < started && ground.model.repaired < started && !world.calls.values().any(writing)
}

/// Whether something of a key is owed, as far as a process knows.
pub(crate) fn is_owed(world: &World, process: usize, kid: &KeyId) -> bool {
    let of = format!("{kid}.");
    let backlog = world.processes[process].mirror.status().backlog;
    backlog.iter().any(|debt| debt.key == kid.as_str() || debt.key.starts_with(&of))
}

/// Whether a process asks the secondary.
pub(crate) fn asks_secondary(world: &World, process: usize) -> bool {
    let breakers = world.processes[process].mirror.breakers();
    breakers.get(&Backend::Secondary) == Some(&BreakerState::Closed)
        && breakers.get(&Backend::State).is_none_or(|state| *state == BreakerState::Closed)
}

pub(crate) fn is_outage(error: Option<&KeyError>) -> bool {
    error.is_some_and(KeyError::is_outage)
}
