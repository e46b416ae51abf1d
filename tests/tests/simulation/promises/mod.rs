//! The checks: one for each promise, at each answer and after each step.

pub(crate) mod backlog;
mod documents;
mod patience;
mod reads;
mod silence;
mod work;
mod writes;

use swarmauri_keyprovider_mirrored::{Backend, BreakerState, MirrorMode};
use swarmauri_keyprovider_testkit::Method;
use swarmauri_keys::{KeyError, KeyId, KeyVersion, KeyVersionId};

use crate::call::{Answer, Ask, Done};
use crate::ground::{SideCall, SideEnd, State};
use crate::script::{Breaker, Config, Place};
use crate::world::World;

/// An answer, and what is known of how it came about.
pub(crate) struct Case<'a> {
    pub(crate) config: Config,
    pub(crate) done: &'a Done,
    /// What other processes did may not have arrived.
    pub(crate) blind: bool,
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

/// Holds an answer against everything that is promised of it.
pub(crate) fn judge(world: &mut World, done: &Done) {
    let blind = world.config.processes > 1 && world.processes[done.process].blind;
    let case = Case { config: world.config, done, blind };
    silence::check(world, &case);
    patience::check(world, &case);
    {
        let ground = &mut *world.ground.lock();
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
        ground.tally.count("served by", if by == By::Primary { "the primary" } else { "the secondary" });
        if self.blind {
            return;
        }
        if over.is_some_and(|over| over <= started) {
            return ground.violate(4, format!("{name} is answered with {id} after its destroy returned"));
        }
        if by == By::Primary {
            return;
        }
        let too_late = match used {
            Use::Listed => self.mirrors() && begun.is_some_and(|begun| begun <= started),
            // Mode none marks nothing while the primary is being asked.
            _ => begun.is_some() && self.mirrors(),
        };
        if too_late {
            return ground.violate(4, format!("the secondary serves {id} to {name} after its destroy began"));
        }
        let trusts = match used {
            Use::Shown | Use::Listed => false,
            Use::Published | Use::Secret => true,
            Use::Works { disabled_too, .. } => !disabled_too,
        };
        if trusts && disabled.is_some_and(|since| since <= started) {
            return ground.violate(6, format!("the secondary serves {id}, which is disabled, to {name}"));
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
        let left_alone =
            self.config.breaker != Breaker::Off && self.asked(Place::Primary, asked).next().is_none();
        let outage = left_alone || self.asked(Place::Primary, asked).any(silent);
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
        } else if missing && public && serves_lost {
            ground.tally.count("failed over on", "a loss");
        } else {
            ground.violate(6, format!("the secondary serves {id} to {name}, and the primary was not out"));
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
            None => true,
            Some(_) => false,
        });
        let left_alone = self.config.breaker != Breaker::Off && error.to_string().contains("is not asked");
        if error.is_outage() && !left_alone && !outages.any(|same| same) {
            ground.violate(10, format!("{name} fails with {error}, which is not what the primary said"));
        }
    }

    /// Whether anything is copied.
    pub(crate) fn mirrors(&self) -> bool {
        self.config.mode != MirrorMode::None
    }
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
