//! The reference: what the primary really had and has, and what callers were told of it.

use std::collections::{BTreeMap, BTreeSet};

use swarmauri_keys::{
    ExportPolicy, KeyClass, KeyId, KeyRef, KeyRefParts, KeyState, KeyVersion, KeyVersionId, SecretMaterial,
};

use crate::ground::{CallId, Caller, Tick};
use crate::script::{Pick, SLOTS};
use crate::since::Since;

/// Every key that ever was.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) keys: BTreeMap<KeyId, KeyLife>,
    pub(crate) slots: [Slot; SLOTS as usize],
    /// The destroys of whole keys: by which process, and until when.
    pub(crate) unwanted: BTreeMap<KeyId, Vec<Destroy>>,
    /// When something last may have been repaired.
    pub(crate) repaired: Tick,
    /// Where replicas are that the secondary has published as other keys, since everything last
    /// was well.
    pub(crate) disguised: BTreeSet<KeyVersionId>,
}

/// That the destruction of a key is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Destroy {
    pub(crate) call: CallId,
    pub(crate) process: usize,
    /// `None` while it is under way, or if its outcome is not known.
    pub(crate) ended: Option<Tick>,
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
    pub(crate) destroy_begun: Since,
    /// How many such destroys there are whose outcome is not known.
    pub(crate) destroys_open: u32,
    /// A caller was told that all is destroyed.
    pub(crate) destroyed: Since,
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
    /// When the primary last ceased to have it.
    pub(crate) gone: Option<Tick>,
    /// When the primary lost it without the mirror's doing.
    pub(crate) lost: Option<Tick>,
    /// When a caller was first told that it is there, by a process that remembers it.
    pub(crate) known: Option<Tick>,
    pub(crate) destroy_begun: Since,
    pub(crate) destroys_open: u32,
    pub(crate) destroyed: Since,
    /// When the primary was made to disable it through the mirror, if it still is.
    pub(crate) disabled: Since,
    /// When its state last changed on the primary.
    pub(crate) switched: Option<Tick>,
    /// Whether somebody destroyed its replica, and no copy has arrived since.
    pub(crate) replica_gone: bool,
    /// Whether that ever happened: the name that tells of what it is a copy is used up then.
    pub(crate) name_used: bool,
    /// Whether the secondary has said something untrue of its replica since everything last was well.
    pub(crate) lied_about: bool,
    /// Whether that was that there is none.
    pub(crate) hidden: bool,
    /// Whether the primary has it, and the mirror will never show it.
    pub(crate) is_orphan: bool,
    /// Whether the primary once kept its secret although the policy lets it out: then less is copied.
    pub(crate) kept: bool,
    /// Whether the last state on the primary is somebody's behind the mirror's back.
    pub(crate) switched_behind: bool,
    /// Whether one process last switched it while another one did, or settled what was open.
    pub(crate) switched_at_once: bool,
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
            before.disabled = Since::default();
            return before.truth.fingerprint == *key.fingerprint();
        }
        let life = Life {
            truth: key.parts().clone(),
            secret,
            made: at,
            on_primary: true,
            gone: None,
            lost: None,
            known: None,
            destroy_begun: Since::default(),
            destroys_open: 0,
            destroyed: Since::default(),
            disabled: Since::default(),
            switched: None,
            replica_gone: false,
            name_used: false,
            lied_about: false,
            hidden: false,
            is_orphan: false,
            kept: false,
            switched_behind: false,
            switched_at_once: false,
        };
        of.versions.insert(key.version(), life);
        true
    }

    /// The primary no longer has this, because it was asked to, or for a reason of its own.
    pub(crate) fn gone(&mut self, kid: &KeyId, version: Option<KeyVersion>, at: Tick, lost: bool) {
        let Some(key) = self.keys.get_mut(kid) else { return };
        for (number, life) in &mut key.versions {
            if version.is_none_or(|version| version == *number) && life.on_primary {
                life.on_primary = false;
                life.gone = Some(at);
                life.lost = lost.then_some(at);
                life.disabled = Since::default();
            }
        }
    }

    pub(crate) fn destroy_begins(&mut self, kid: &KeyId, version: Option<KeyVersion>, by: Caller, at: Tick) {
        if let Some((begun, open)) = self.begun(kid, version) {
            begun.by(by.process, at);
            *open += 1;
        }
    }

    /// A refusal takes a destroy back, unless an earlier one of unknown outcome has been carried out.
    pub(crate) fn destroy_refused(&mut self, kid: &KeyId, version: Option<KeyVersion>) {
        let lives = self.keys.get(kid).is_some_and(|key| {
            let of = |number: KeyVersion| version.is_none_or(|version| version == number);
            key.versions.iter().any(|(number, life)| of(*number) && life.on_primary)
        });
        if let Some((begun, open)) = self.begun(kid, version) {
            *open = open.saturating_sub(1);
            if lives || *open == 0 {
                (*begun, *open) = (Since::default(), 0);
            }
        }
    }

    fn begun(&mut self, kid: &KeyId, version: Option<KeyVersion>) -> Option<(&mut Since, &mut u32)> {
        let key = self.keys.get_mut(kid)?;
        match version {
            None => Some((&mut key.destroy_begun, &mut key.destroys_open)),
            Some(version) => {
                let life = key.versions.get_mut(&version)?;
                Some((&mut life.destroy_begun, &mut life.destroys_open))
            }
        }
    }

    /// Whether another process has a destroy of the whole key under way during this call, or one of unknown outcome.
    pub(crate) fn is_unwanted_elsewhere(&self, kid: &KeyId, by: Caller) -> bool {
        let mut all = self.unwanted.get(kid).into_iter().flatten();
        all.any(|destroy| {
            destroy.process != by.process && destroy.ended.is_none_or(|ended| ended >= by.started)
        })
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
            (key.destroy_begun, key.destroys_open, key.destroyed) = (Since::default(), 0, Since::default());
            for life in key.versions.values_mut() {
                life.known = None;
                (life.destroy_begun, life.destroys_open) = (Since::default(), 0);
                (life.destroyed, life.disabled) = (Since::default(), Since::default());
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
    pub(crate) fn begun(&self, life: &Life) -> Since {
        self.destroy_begun.or(life.destroy_begun)
    }

    /// When a caller was told that this version is destroyed.
    pub(crate) fn over(&self, life: &Life) -> Since {
        self.destroyed.or(life.destroyed)
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
