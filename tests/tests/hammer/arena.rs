//! What the callers share: the mirror, the names they meet at, and the ledger.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;
use swarmauri_keyprovider::KeyProvider;
use swarmauri_keyprovider_local::LocalKeyProvider;
use swarmauri_keyprovider_mirrored::{BreakerSettings, MirrorMode, MirroredKeyProvider};
use swarmauri_keyprovider_testkit::{Faults, FaultyProvider};
use swarmauri_keyproviders_tests::random::Seeded;
use swarmauri_keys::KeyId;

use crate::dawdling::Dawdling;
use crate::ledger::Ledger;

pub(crate) struct Arena {
    pub(crate) mirror: MirroredKeyProvider,
    pub(crate) mode: MirrorMode,
    /// The keys of each side, past all faults.
    pub(crate) primary: Arc<dyn KeyProvider>,
    pub(crate) secondary: Arc<dyn KeyProvider>,
    pub(crate) faults: Option<[Faults; 2]>,
    pub(crate) ledger: Ledger,
    pub(crate) places: Vec<Place>,
}

/// Where callers meet: one name after the other, since a `kid` is not used again.
pub(crate) enum Place {
    /// `k17-0`, `k17-1`, …
    Named(usize, AtomicU32),
    /// Names that the provider draws.
    Drawn(Mutex<Vec<KeyId>>),
}

/// Few enough that callers meet.
const NAMED: usize = 24;
const DRAWN: usize = 8;

impl Arena {
    pub(crate) fn new(mode: MirrorMode) -> Self {
        let (primary, secondary) = (Arc::new(LocalKeyProvider::new()), Arc::new(LocalKeyProvider::new()));
        Self::over(mode, [primary.clone(), secondary.clone()], [primary, secondary], None)
    }

    pub(crate) fn with_faults(mode: MirrorMode) -> Self {
        let side = || Arc::new(FaultyProvider::new(Arc::new(LocalKeyProvider::new())));
        let (primary, secondary) = (side(), side());
        let faults = Some([primary.faults(), secondary.faults()]);
        let inner = [primary.inner(), secondary.inner()];
        Self::over(mode, [primary, secondary], inner, faults)
    }

    fn over(
        mode: MirrorMode,
        sides: [Arc<dyn KeyProvider>; 2],
        inner: [Arc<dyn KeyProvider>; 2],
        faults: Option<[Faults; 2]>,
    ) -> Self {
        let [primary, secondary] = sides;
        let dawdling = |side| Arc::new(Dawdling::new(side));
        let mirror = MirroredKeyProvider::builder(dawdling(primary), dawdling(secondary));
        // Sides fail at random here, and are to be asked all the same.
        let mirror = mirror.mode(mode).breaker(BreakerSettings::OFF).build().unwrap();
        let [primary, secondary] = inner;
        let named = (0..NAMED).map(|number| Place::Named(number, AtomicU32::new(0)));
        let drawn = (0..DRAWN).map(|_| Place::Drawn(Mutex::default()));
        let places = named.chain(drawn).collect();
        Self { mirror, mode, primary, secondary, faults, ledger: Ledger::default(), places }
    }
}

impl Place {
    /// The name in use here, or now and then one from before.
    pub(crate) fn kid(&self, random: &mut Seeded) -> Option<KeyId> {
        let back = if random.one_in(8) { 1 + random.below(3) } else { 0 };
        match self {
            Self::Named(place, generation) => {
                let generation = generation.load(Ordering::Relaxed).saturating_sub(back);
                Some(KeyId::new(format!("k{place}-{generation}")).unwrap())
            }
            Self::Drawn(kids) => kids.lock().iter().rev().nth(usize::try_from(back).unwrap()).cloned(),
        }
    }

    /// The name for a create: `None` for one that the provider draws.
    pub(crate) fn next_kid(&self) -> Option<KeyId> {
        match self {
            Self::Named(place, generation) => {
                Some(KeyId::new(format!("k{place}-{}", generation.load(Ordering::Relaxed))).unwrap())
            }
            Self::Drawn(_) => None,
        }
    }

    /// Whether a key is wanted here: one place holds one drawn key at a time.
    pub(crate) fn wants_key(&self, ledger: &Ledger) -> bool {
        match self {
            Self::Named(..) => true,
            Self::Drawn(kids) => kids.lock().last().is_none_or(|kid| ledger.is_doomed(kid)),
        }
    }

    /// A key was made here under a name that the provider drew.
    pub(crate) fn drew(&self, kid: &KeyId) {
        if let Self::Drawn(kids) = self {
            kids.lock().push(kid.clone());
        }
    }

    /// This name is used up.
    pub(crate) fn leave(&self, kid: &KeyId) {
        let Self::Named(place, generation) = self else { return };
        let now = generation.load(Ordering::Relaxed);
        if kid.as_str() == format!("k{place}-{now}") {
            let _ = generation.compare_exchange(now, now + 1, Ordering::Relaxed, Ordering::Relaxed);
        }
    }
}
