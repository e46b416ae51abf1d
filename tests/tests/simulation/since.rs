//! When something came to be true, as each process was told of it.

use crate::ground::Tick;

/// The most processes that share a store.
pub(crate) const PROCESSES: usize = 2;

/// A moment for each process: what it did itself it knows for certain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Since([Option<Tick>; PROCESSES]);

/// What a process can know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    pub(crate) process: usize,
    /// Since when nothing that another process did may have arrived.
    pub(crate) blind: Option<Tick>,
}

impl Since {
    /// Everybody knows.
    pub(crate) fn all(at: Tick) -> Self {
        Self([Some(at); PROCESSES])
    }

    /// This process does it, or did so before.
    pub(crate) fn by(&mut self, process: usize, at: Tick) {
        if let Some(told) = self.0.get_mut(process) {
            told.get_or_insert(at);
        }
    }

    pub(crate) fn is_some(self) -> bool {
        self.first().is_some()
    }

    pub(crate) fn is_none(self) -> bool {
        self.first().is_none()
    }

    /// When it was true for the first of them.
    pub(crate) fn first(self) -> Option<Tick> {
        self.0.into_iter().flatten().min()
    }

    /// When it was true, for one who may not have heard of what others did lately.
    pub(crate) fn known_to(self, view: View) -> Option<Tick> {
        let told = self.0.into_iter().enumerate().filter_map(|(process, at)| Some((process, at?)));
        let heard = told
            .filter(|(process, at)| *process == view.process || view.blind.is_none_or(|since| *at < since));
        heard.map(|(_, at)| at).min()
    }

    /// Of both, whichever is first.
    pub(crate) fn or(self, other: Self) -> Self {
        let mut both = self;
        for (process, at) in other.0.into_iter().enumerate() {
            both.0[process] = [both.0[process], at].into_iter().flatten().min();
        }
        both
    }
}
