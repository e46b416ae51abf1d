//! The reference: what the primary really had and has, and what callers were told of it.

use std::collections::{BTreeMap, BTreeSet};

use swarmauri_keys::{
    ExportPolicy, KeyClass, KeyId, KeyRef, KeyRefParts, KeyState, KeyVersion, SecretMaterial,
};

use crate::ground::Tick;
use crate::script::{Pick, SLOTS};

/// Every key that ever was.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) keys: BTreeMap<KeyId, KeyLife>,
    pub(crate) slots: [Slot; SLOTS as usize],
    /// The keys whose destruction, as a whole, was ever asked for.
    pub(crate) unwanted: BTreeSet<KeyId>,
    /// When something last may have been repaired.
    pub(crate) repaired: Tick,
    /// Whether the secondary has told a lie, so that the mirror cannot know what is there.
    pub(crate) lied_to: bool,
}

/// One of the few names that callers use: its key is replaced when it is used up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slot {
    pub(crate) kid: Option<KeyId>,
    pub(crate) generation: u32,
}

#[derive(Debug, Default)]
pub(crate) struct KeyLife {
    pub(crate) versions: BTreeMap<KeyVersion, Life>,
    /// The primary has been asked for the destruction of all, and has not refused.
    pub(crate) destroy_begun: Option<Tick>,
    /// A caller was told that all is destroyed.
    pub(crate) destroyed: Option<Tick>,
    /// The primary remembers nothing of the key but its numbers.
    pub(crate) forgotten: bool,
    /// When somebody last wrote to it, began to, or ended.
    pub(crate) touched: Tick,
}

/// What is true of one version.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "what was said of a version, each by itself")]
pub(crate) struct Life {
    /// As the primary made it; the state is what the primary has it in.
    pub(crate) truth: KeyRefParts,
    pub(crate) secret: Option<SecretMaterial>,
    pub(crate) made: Tick,
    pub(crate) on_primary: bool,
    /// When the primary lost it without the mirror's doing.
    pub(crate) lost: Option<Tick>,
    /// When a caller was first told that it is there, by a process that remembers it.
    pub(crate) known: Option<Tick>,
    pub(crate) destroy_begun: Option<Tick>,
    pub(crate) destroyed: Option<Tick>,
    /// When the primary was made to disable it through the mirror, if it still is.
    pub(crate) disabled: Option<Tick>,
    /// Whether its state ever changed: what is disabled early is copied late.
    pub(crate) switched: bool,
    /// Whether somebody destroyed its replica, or may have.
    pub(crate) replica_gone: bool,
    /// Whether the primary has it, and the mirror will never show it.
    pub(crate) is_orphan: bool,
    /// Whether the primary once kept its secret although the policy lets it out: then less is copied.
    pub(crate) kept: bool,
    /// Whether the last state on the primary is somebody's behind the mirror's back.
    pub(crate) switched_behind: bool,
}

impl Model {
    pub(crate) fn life(&self, kid: &KeyId, version: KeyVersion) -> Option<&Life> {
        self.keys.get(kid)?.versions.get(&version)
    }

    pub(crate) fn life_mut(&mut self, kid: &KeyId, version: KeyVersion) -> Option<&mut Life> {
        self.keys.get_mut(kid)?.versions.get_mut(&version)
    }

    pub(crate) fn lives(&self) -> impl Iterator<Item = (&KeyId, KeyVersion, &KeyLife, &Life)> {
        let all = self.keys.iter();
        all.flat_map(|(kid, key)| key.versions.iter().map(move |(version, life)| (kid, *version, key, life)))
    }

    /// The primary has a version now. False if it is another than it was before under this name.
    pub(crate) fn made(&mut self, key: &KeyRef, secret: Option<SecretMaterial>, at: Tick) -> bool {
        let of = self.keys.entry(key.kid().clone()).or_default();
        of.forgotten = false;
        of.touched = at;
        if let Some(before) = of.versions.get_mut(&key.version()) {
            before.on_primary = true;
            before.lost = None;
            before.truth.state = key.state();
            before.disabled = None;
            return before.truth.fingerprint == *key.fingerprint();
        }
        let life = Life {
            truth: key.parts().clone(),
            secret,
            made: at,
            on_primary: true,
            lost: None,
            known: None,
            destroy_begun: None,
            destroyed: None,
            disabled: None,
            switched: false,
            replica_gone: false,
            is_orphan: false,
            kept: false,
            switched_behind: false,
        };
        of.versions.insert(key.version(), life);
        true
    }

    /// The primary no longer has this, because it was asked to, or for a reason of its own.
    pub(crate) fn gone(&mut self, kid: &KeyId, version: Option<KeyVersion>, lost: Option<Tick>) {
        let Some(key) = self.keys.get_mut(kid) else { return };
        for (number, life) in &mut key.versions {
            if version.is_none_or(|version| version == *number) && life.on_primary {
                life.on_primary = false;
                life.lost = lost;
                life.disabled = None;
            }
        }
    }

    pub(crate) fn destroy_begins(&mut self, kid: &KeyId, version: Option<KeyVersion>, at: Tick) {
        if let Some(begun) = self.begun(kid, version) {
            begun.get_or_insert(at);
        }
    }

    pub(crate) fn destroy_refused(&mut self, kid: &KeyId, version: Option<KeyVersion>) {
        if let Some(begun) = self.begun(kid, version) {
            *begun = None;
        }
    }

    fn begun(&mut self, kid: &KeyId, version: Option<KeyVersion>) -> Option<&mut Option<Tick>> {
        let key = self.keys.get_mut(kid)?;
        match version {
            None => Some(&mut key.destroy_begun),
            Some(version) => Some(&mut key.versions.get_mut(&version)?.destroy_begun),
        }
    }

    pub(crate) fn kid(&self, slot: u8) -> Option<&KeyId> {
        self.slots[usize::from(slot)].kid.as_ref()
    }

    /// The version that is meant; the inner `None` names none.
    pub(crate) fn pick(&self, kid: &KeyId, pick: Pick) -> Option<KeyVersion> {
        let key = self.keys.get(kid)?;
        let nth = |n: u8, live: bool| {
            let all = key.versions.iter().rev().filter(|(_, life)| !live || life.on_primary);
            all.map(|(version, _)| *version).nth(usize::from(n))
        };
        match pick {
            Pick::Latest => None,
            Pick::Live(n) => nth(n, true).or_else(|| nth(0, false)),
            Pick::Any(n) => nth(n, false),
            Pick::Next => key.versions.keys().next_back()?.next(),
        }
    }

    /// A process without a store has died: the next one knows what the replicas' tags say, and no more.
    pub(crate) fn forget_what_was_only_in_memory(&mut self, at: Tick) {
        for key in self.keys.values_mut() {
            key.destroy_begun = None;
            key.destroyed = None;
            for life in key.versions.values_mut() {
                life.known = None;
                life.destroy_begun = None;
                life.destroyed = None;
                life.disabled = None;
                // What its replicas say is all that is known of it.
                if !life.on_primary {
                    life.lost.get_or_insert(at);
                }
            }
        }
    }

    pub(crate) fn touch(&mut self, kid: &KeyId, at: Tick) {
        if let Some(key) = self.keys.get_mut(kid) {
            key.touched = at;
        }
    }
}

impl KeyLife {
    /// When a destroy of this version began that nothing has taken back.
    pub(crate) fn begun(&self, life: &Life) -> Option<Tick> {
        [self.destroy_begun, life.destroy_begun].into_iter().flatten().min()
    }

    /// When a caller was told that this version is destroyed.
    pub(crate) fn over(&self, life: &Life) -> Option<Tick> {
        [self.destroyed, life.destroyed].into_iter().flatten().min()
    }

    /// The latest that the primary has.
    pub(crate) fn latest(&self) -> Option<KeyVersion> {
        let there = self.versions.iter().filter(|(_, life)| life.on_primary);
        there.map(|(version, _)| *version).next_back()
    }

    /// The greatest number that ever was.
    pub(crate) fn last(&self) -> Option<KeyVersion> {
        self.versions.keys().next_back().copied()
    }
}

impl Life {
    pub(crate) fn is_enabled(&self) -> bool {
        self.truth.state == KeyState::Enabled
    }

    pub(crate) fn is_symmetric(&self) -> bool {
        self.truth.alg.class() == KeyClass::Symmetric
    }

    /// Whether it may be in a JWKS.
    pub(crate) fn is_public(&self) -> bool {
        !self.is_symmetric() && self.truth.export_policy != ExportPolicy::None
    }

    /// Whether a primary that is behind may still show it.
    pub(crate) fn is_past(&self) -> bool {
        !self.on_primary && self.lost.is_none()
    }

    pub(crate) fn may_leave(&self) -> bool {
        self.secret.is_some() && self.is_exportable()
    }

    /// Whether its policy would let a secret out, if it has one.
    pub(crate) fn is_exportable(&self) -> bool {
        self.truth.export_policy == ExportPolicy::SecretWhenAllowed
    }
}
