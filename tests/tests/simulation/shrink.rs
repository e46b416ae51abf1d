//! Finding a shorter script that breaks the same promise.
//!
//! First what is left out at once: all steps of a kind, all that is about one key, settings that make a world more difficult. Then
//! chunks of steps, large ones first, again and again until no single step can be left out, or the time is up.

use std::mem::{Discriminant, discriminant};
use std::time::{Duration, Instant};

use swarmauri_keyprovider_mirrored::JwksMerge;

use crate::ground::Violation;
use crate::run::run_script;
use crate::script::{Breaker, Config, Op, SLOTS, Script, Step};

/// The shortest script that was found, how it breaks the promise, and how many were tried.
pub(crate) struct Shortest {
    pub(crate) script: Script,
    pub(crate) why: Violation,
    pub(crate) tries: u32,
}

/// Looks for a shorter script, for so long.
pub(crate) fn shrink(script: Script, promise: u8, limit: Duration) -> Shortest {
    let why = Violation { promise, what: "it did not fail again".to_owned() };
    let found = Shortest { script, why, tries: 0 };
    let mut search = Search { found, until: Instant::now() + limit };
    let all = search.found.script.clone();
    if search.breaks(all) {
        search.leave_out_kinds();
        search.simplify_config();
        search.leave_out_chunks();
        search.simplify_config();
    }
    search.found
}

struct Search {
    found: Shortest,
    until: Instant,
}

/// What steps have in common that are left out together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Step(Discriminant<Step>),
    Op(Discriminant<Op>),
}

impl Search {
    fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    /// Whether a script breaks the promise; then it is the shortest so far.
    fn breaks(&mut self, mut script: Script) -> bool {
        self.found.tries += 1;
        match run_script(&script).failure {
            Some(failure) if failure.violation.promise == self.found.why.promise => {
                script.steps.truncate(failure.at + 1);
                (self.found.script, self.found.why) = (script, failure.violation);
                true
            }
            _ => false,
        }
    }

    fn breaks_without(&mut self, is_out: impl Fn(&Step) -> bool) -> bool {
        let mut shorter = self.found.script.clone();
        shorter.steps.retain(|step| !is_out(step));
        !self.is_over() && shorter.steps.len() < self.found.script.steps.len() && self.breaks(shorter)
    }

    fn leave_out_kinds(&mut self) {
        for slot in 0..u8::try_from(SLOTS).unwrap_or(0) {
            self.breaks_without(|step| step.slot() == Some(slot));
        }
        let mut kinds: Vec<Kind> = Vec::new();
        for step in &self.found.script.steps {
            let kind = kind(*step);
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        for left_out in kinds {
            self.breaks_without(|step| kind(*step) == left_out);
        }
    }

    fn simplify_config(&mut self) {
        let simpler: [fn(&mut Config); 9] = [
            |config| config.processes = 1,
            |config| config.pace = 0,
            |config| config.breaker = Breaker::Off,
            |config| config.hedges = false,
            |config| config.stale_jwks = false,
            |config| config.maintains = false,
            |config| (config.processes, config.stored) = (1, false),
            |config| config.merge = JwksMerge::ReplicasOnly,
            |config| (config.primary_chosen, config.secondary_chosen) = (true, true),
        ];
        for simplify in simpler {
            let mut script = self.found.script.clone();
            simplify(&mut script.config);
            if script.config.processes == 1 {
                script.steps.retain(|step| step.process().is_none_or(|process| process == 0));
            }
            if script.config != self.found.script.config && !self.is_over() {
                self.breaks(script);
            }
        }
    }

    /// Delta debugging: from the end, since what is long over matters least to be kept in order.
    fn leave_out_chunks(&mut self) {
        let mut size = self.found.script.steps.len() / 2;
        while size > 0 && !self.is_over() {
            let (mut to, mut shorter) = (self.found.script.steps.len(), false);
            while to > 0 && !self.is_over() {
                let from = to.saturating_sub(size);
                let mut script = self.found.script.clone();
                script.steps.drain(from..to.min(script.steps.len()));
                shorter |= self.breaks(script);
                to = from.min(self.found.script.steps.len());
            }
            // What was needed by something that is out now can go, too.
            size = if shorter && size == 1 { 1 } else { size / 2 };
        }
    }
}

fn kind(step: Step) -> Kind {
    match step {
        Step::Call { op, .. } => Kind::Op(discriminant(&op)),
        other => Kind::Step(discriminant(&other)),
    }
}
