//! The thread that writes: whatever waits is written in one transaction, and so shares its syncs to the disk.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ::redb::{Database, ReadableTable as _, Table, WriteTransaction};
use tokio::sync::{mpsc, oneshot};

use super::Shared;
use super::error::{engine, guarded};
use super::files::Identity;
use super::lock::Lock;
use super::record::{self, ENTRIES, META, STATE_KEY, State};
use crate::{Change, Entry, Precondition, Revision, StoreError, StoreErrorKind, StoreKey};

/// How many writes one transaction holds, and how many wait at most.
pub(super) const MOST_WRITES: usize = 1024;

/// How many bytes of values a transaction takes before it is committed.
const BATCH_BYTES: usize = 16 << 20;

/// What the thread is asked for.
#[derive(Debug)]
pub(super) enum Job {
    Write(Write),
    /// Everything before this is written, and nothing after it.
    Close,
}

/// A write that somebody waits for.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) key: StoreKey,
    /// `None` deletes.
    pub(super) value: Option<Arc<[u8]>>,
    pub(super) when: Precondition,
    pub(super) reply: oneshot::Sender<Answer>,
}

/// The revision; `None` if there was nothing to delete.
pub(super) type Answer = Result<Option<Revision>, StoreError>;

/// The thread's own.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) state: State,
    pub(super) lock: Lock,
    pub(super) identity: Identity,
}

/// What a transaction would do, once it is committed.
struct Outcome {
    state: State,
    answers: Vec<Answer>,
    changes: Vec<Change>,
}

impl Writer {
    /// Writes until it is told to close, or nobody can ask any more.
    pub(super) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut open = true;
        while open && let Some(job) = jobs.blocking_recv() {
            let mut batch = Vec::new();
            let mut bytes = 0;
            let mut next = Some(job);
            while let Some(job) = next.take() {
                let Job::Write(write) = job else {
                    open = false;
                    break;
                };
                bytes += write.value.as_ref().map_or(0, |value| value.len());
                batch.push(write);
                if batch.len() < MOST_WRITES && bytes < BATCH_BYTES {
                    next = jobs.try_recv().ok();
                }
            }
            // Nobody waits for these; they were never begun.
            batch.retain(|write| !write.reply.is_closed());
            if !batch.is_empty() {
                self.write(batch);
            }
        }
        let Self { shared, lock, .. } = self;
        shared.close();
        drop(lock);
        // Whoever waits for the store to be closed waits for this.
        drop(jobs);
        drop(shared.closing.lock().take());
    }

    fn write(&mut self, batch: Vec<Write>) {
        match self.commit(&batch) {
            Ok(outcome) => {
                self.state = outcome.state;
                self.shared.writes.fetch_add(count(outcome.changes.len()), Ordering::Relaxed);
                let mut watches = self.shared.watches.lock();
                outcome.changes.iter().for_each(|change| watches.tell(change));
                drop(watches);
                for (write, answer) in batch.into_iter().zip(outcome.answers) {
                    // Whoever does not wait any more does not want to know.
                    let _ = write.reply.send(answer);
                }
            }
            Err(error) => {
                for write in batch {
                    let _ = write.reply.send(Err(error.clone()));
                }
            }
        }
    }

    /// All of the batch whose preconditions hold is durable then, or it is an error, and the store is of no use any more.
    fn commit(&mut self, batch: &[Write]) -> Result<Outcome, StoreError> {
        self.shared.check_usable()?;
        let shared = Arc::clone(&self.shared);
        let database = shared.database.read();
        let database = database.as_ref().ok_or_else(|| shared.closed())?;
        let mut committing = false;
        let committed = guarded(&shared.path, "writing", || {
            let (transaction, outcome) = self.apply(database, batch)?;
            if outcome.changes.is_empty() {
                return Ok(outcome); // the transaction is dropped, and with it nothing
            }
            committing = true;
            transaction.commit().map_err(|error| engine(&shared.path, "writing", error))?;
            shared.commits.fetch_add(1, Ordering::Relaxed);
            self.identity.check_there()?;
            // Nothing is lost if this fails: it only has to be no further than the database.
            let _ = self.lock.note(outcome.state.revision);
            Ok(outcome)
        });
        committed.map_err(|error| {
            shared.fail(error.clone());
            // Only this kind leaves open whether the writes took effect.
            let unknown = committing && error.kind() != StoreErrorKind::Unavailable;
            if unknown { StoreError::unavailable_because("a commit failed", error) } else { error }
        })
    }

    fn apply(&self, database: &Database, batch: &[Write]) -> Result<(WriteTransaction, Outcome), StoreError> {
        let failed = |error: ::redb::Error| engine(&self.shared.path, "writing", error);
        let mut transaction = database.begin_write().map_err(|error| failed(error.into()))?;
        // A commit that damage has made unreadable is an error then, and not taken for one that a crash cut off.
        transaction.set_two_phase_commit(true);
        let mut outcome = Outcome { state: self.state, answers: Vec::new(), changes: Vec::new() };
        {
            let mut entries = transaction.open_table(ENTRIES).map_err(|error| failed(error.into()))?;
            for write in batch {
                let answer = self.apply_one(&mut entries, write, &mut outcome).map_err(failed)?;
                outcome.answers.push(answer);
            }
            let mut meta = transaction.open_table(META).map_err(|error| failed(error.into()))?;
            let state = outcome.state.encode();
            meta.insert(STATE_KEY, state.as_slice()).map_err(|error| failed(error.into()))?;
        }
        Ok((transaction, outcome))
    }

    /// The error of the one write inside, that of the engine outside.
    fn apply_one(
        &self,
        entries: &mut Table<'_, &'static [u8], &'static [u8]>,
        write: &Write,
        outcome: &mut Outcome,
    ) -> Result<Answer, ::redb::Error> {
        let key = write.key.as_bytes();
        let found = entries
            .get(key)?
            .map(|stored| record::decode(key, stored.value()).map(|record| (record.revision, record.sum)));
        let Ok(found) = found.transpose() else {
            return Ok(Err(self.shared.damaged(key)));
        };
        if let Err(conflict) = write.when.check(found.map(|(revision, _)| revision)) {
            return Ok(Err(conflict));
        }
        let mut state = outcome.state;
        let revision = state.revision.next();
        state.revision = revision;
        if let Some((_, sum)) = found {
            state.remove(sum);
        }
        let change = match &write.value {
            Some(value) => {
                let (stored, sum) = record::encode(&write.key, revision, value);
                entries.insert(key, stored.as_slice())?;
                state.add(sum);
                Change::Put(Entry { key: write.key.clone(), value: value.clone(), revision })
            }
            None if found.is_none() => return Ok(Ok(None)),
            None => {
                entries.remove(key)?;
                Change::Deleted { key: write.key.clone(), revision }
            }
        };
        outcome.state = state;
        outcome.changes.push(change);
        Ok(Ok(Some(revision)))
    }
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
