//! Carrying a plan out: some keys at once, the steps of each in their order.

use std::collections::HashMap;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use parking_lot::Mutex;

use crate::plan::{ReconcilePlan, Step};
use crate::provider::MirroredKeyProvider;
use crate::reconcile::{FailedStep, ReconcileReport};

/// How far [`apply_with`](MirroredKeyProvider::apply_with) is.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// How many steps have begun before it.
    pub done: usize,
    /// How many steps the plan has.
    pub total: usize,
    /// The step that is next.
    pub current: &'a Step,
}

impl MirroredKeyProvider {
    /// The same, telling before each step how far it is. Some keys are repaired at once: see
    /// [`Settings::repairs_at_once`](crate::Settings::repairs_at_once).
    pub async fn apply_with(
        &self,
        plan: ReconcilePlan,
        progress: impl FnMut(Progress<'_>) + Send,
    ) -> ReconcileReport {
        self.apply_while(plan, &|| true, progress).await
    }

    /// The same, beginning no key once it is not to go on; what is left then is in no report.
    pub(crate) async fn apply_while(
        &self,
        plan: ReconcilePlan,
        go_on: &(impl Fn() -> bool + Sync),
        progress: impl FnMut(Progress<'_>) + Send,
    ) -> ReconcileReport {
        let ReconcilePlan { steps, conflicts, not_compared } = plan;
        let tale = Mutex::new(Tale { done: 0, total: steps.len(), progress });
        let mut waiting = by_key(steps).into_iter();
        let (mut running, mut done, mut failed) = (FuturesUnordered::new(), 0, Vec::new());
        loop {
            while running.len() < self.settings.repairs_at_once.get()
                && go_on()
                && let Some(steps) = waiting.next()
            {
                running.push(self.apply_in_turn(steps, &tale));
            }
            let Some((succeeded, more)) = running.next().await else {
                break;
            };
            done += succeeded;
            failed.extend(more);
        }
        // In the order of the plan.
        failed.sort_by_key(|(number, _)| *number);
        let failed = failed.into_iter().map(|(_, failed)| failed).collect();
        ReconcileReport { done, failed, conflicts, not_compared }
    }

    /// Takes the steps of one key. How many succeeded, and the others with their numbers.
    async fn apply_in_turn<F: FnMut(Progress<'_>) + Send>(
        &self,
        steps: Vec<(usize, Step)>,
        tale: &Mutex<Tale<F>>,
    ) -> (usize, Vec<(usize, FailedStep)>) {
        let (mut succeeded, mut failed) = (0, Vec::new());
        for (number, step) in steps {
            tale.lock().tell(&step);
            match self.apply_step(&step).await {
                Ok(()) => succeeded += 1,
                Err(error) => failed.push((number, FailedStep { step, error })),
            }
        }
        (succeeded, failed)
    }
}

/// What is told of the progress.
struct Tale<F> {
    done: usize,
    total: usize,
    progress: F,
}

impl<F: FnMut(Progress<'_>)> Tale<F> {
    fn tell(&mut self, current: &Step) {
        let Self { done, total, progress } = self;
        progress(Progress { done: *done, total: *total, current });
        *done += 1;
    }
}

/// The steps with their numbers, those of one key together and in their order.
fn by_key(steps: Vec<Step>) -> Vec<Vec<(usize, Step)>> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<Vec<(usize, Step)>> = Vec::new();
    for (number, step) in steps.into_iter().enumerate() {
        let place = *places.entry(step.key().to_owned()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push((number, step)),
            None => groups.push(vec![(number, step)]),
        }
    }
    groups
}
