//! The write path: what a key will be is decided, sealed, stored with compare-and-swap, and then put into memory.

use std::sync::Arc;

use swarmauri_keys::{KeyError, KeyId, KeyVersionId};
use swarmauri_keystore::{Precondition, Revision, StoreError};
use swarmauri_softkeys::KeyHistory;

use crate::error::store_failed;
use crate::events;
use crate::keys::{Keys, Known, store_key};
use crate::locks::KidGuard;

/// How often a write is decided anew because somebody else wrote the same record first.
const MAX_TRIES: u32 = 32;

/// One block of encryptions costs one write.
const BLOCK: u64 = 1 << 16;

/// What was decided on.
pub(crate) enum Decision<T> {
    /// To write this, and then answer that.
    Write(KeyHistory, T),
    /// To leave the key as it is, and answer that.
    Keep(T),
}

impl Keys {
    /// Changes a key. What it is to be is decided once it is its turn, and anew if another process was first.
    ///
    /// # Errors
    ///
    /// Those of `decide` and of the store. On an outage the outcome is unknown; what is in memory then is read anew before
    /// it is used.
    pub(crate) async fn write<T>(
        &self,
        kid: &KeyId,
        decide: impl FnMut(Option<KeyHistory>) -> Result<Decision<T>, KeyError> + Send,
    ) -> Result<T, KeyError> {
        let turn = self.locks.lock(kid).await;
        self.write_in_turn(&turn, kid, decide).await
    }

    async fn write_in_turn<T>(
        &self,
        _turn: &KidGuard<'_>,
        kid: &KeyId,
        mut decide: impl FnMut(Option<KeyHistory>) -> Result<Decision<T>, KeyError> + Send,
    ) -> Result<T, KeyError> {
        for _ in 0..MAX_TRIES {
            self.look_to_write(kid).await?;
            let (known, history) = self.known(kid);
            let (next, answer) = match decide(history)? {
                Decision::Write(next, answer) => (next, answer),
                Decision::Keep(answer) => return Ok(answer),
            };
            if self.store_record(kid, known, next).await? {
                return Ok(answer);
            }
        }
        Err(KeyError::conflict(format!("others keep changing {kid}; try again")))
    }

    /// Whether it was written: false if somebody else was first.
    async fn store_record(
        &self,
        kid: &KeyId,
        known: Option<Known>,
        next: KeyHistory,
    ) -> Result<bool, KeyError> {
        let sequence = known.map_or(0, |known| known.sequence).saturating_add(1);
        let (place, value) = (store_key(kid)?, Arc::<[u8]>::from(self.sealer.seal(&next, sequence)?));
        let when = known.map_or(Precondition::Absent, |known| Precondition::At(known.revision));
        let doubt = InDoubt { keys: self, kid };
        self.begin(kid, Arc::clone(&value), sequence, next);
        match self.store.put(&place, &value, when).await {
            Ok(revision) => {
                doubt.settled(revision);
                Ok(true)
            }
            Err(StoreError::Conflict { .. }) => Ok(false),
            Err(error) => {
                drop(doubt);
                let error = store_failed(error);
                if error.is_outage() {
                    events::outcome_unknown(kid, &error);
                    // If it can be read now, the better; else whoever uses it next does.
                    let _ = self.look(kid).await;
                }
                Err(error)
            }
        }
    }

    /// Reserves another block of encryptions for a version that has used up its own.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidState`] if there is none left; those of [`Keys::write`].
    pub(crate) async fn reserve(&self, id: &KeyVersionId) -> Result<(), KeyError> {
        let (kid, version) = (&id.kid, id.version);
        let turn = self.locks.lock(kid).await;
        let most = self.table.max_encryptions();
        let block = self.write_in_turn(&turn, kid, |history| {
            if !self.table.needs_grant(kid, version)? {
                return Ok(Decision::Keep(None));
            }
            let mut next = history.ok_or_else(|| KeyError::not_found(kid, None))?;
            let block = next.reserve(version, (most / 64).clamp(1, BLOCK), most)?;
            Ok(Decision::Write(next, Some(block)))
        });
        match block.await? {
            // Still in turn: blocks are granted in the order in which they were reserved.
            Some(block) => self.table.grant(kid, version, block),
            None => Ok(()),
        }
    }
}

/// A write under way: until it is settled, nobody knows what the store has. If it is dropped before, the record is read
/// before the key is used again.
struct InDoubt<'a> {
    keys: &'a Keys,
    kid: &'a KeyId,
}

impl InDoubt<'_> {
    fn settled(self, revision: Revision) {
        self.keys.written(self.kid, revision);
        std::mem::forget(self);
    }
}

impl Drop for InDoubt<'_> {
    fn drop(&mut self) {
        self.keys.mark_stale(self.kid);
    }
}
