//! A store that is broken in one way.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use parking_lot::Mutex;
use swarmauri_keystore::{
    Change, Entry, KeyStore, MemoryStore, Precondition, Revision, ScanPage, ScanRequest, StoreError,
    StoreKey, Watch,
};
use tokio::task::yield_now;

use crate::scan;
use crate::watch::BrokenWatch;

/// How a store is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    LosesPuts,
    KeepsTheFirstValue,
    SkipsEqualValues,
    DeletesWhatStartsAlike,
    DeletesNothing,
    CountsDeletesOfNothing,
    CutsKeysAtZero,
    CutsLongValues,
    TakesLongValues,
    RevisionsOfEachKey,
    IgnoresAbsent,
    IgnoresRevisions,
    ConflictsTellNothing,
    WritesOnConflict,
    DeletesOfNothingAreFine,
    ChecksThenWrites,
    ScansEverything,
    NeedsAPrefix,
    OrdersSignedBytes,
    ScansShowFirstRevision,
    IgnoresLimits,
    AlwaysSaysMore,
    NeverSaysMore,
    TakesZeroLiterally,
    AfterMustBeThere,
    IncludesAfter,
    ReadsPagesPieceByPiece,
    PagesByPosition,
    WatchesEverything,
    ShowsTheLastChangeFirst,
    TellsTwice,
    TellsOutOfOrder,
    CountsNothing,
    TellsLate,
    TellsOfRefusedWrites,
    LosesWhatIsDropped,
    EndsOldWatches,
    WatchesStartLate,
    ReadsFromThePast,
    PutsInSteps,
    DeletesInSteps,
    WritesBeforeItIsPolled,
    PrintsValues,
    ForgetsAtReopening,
    RevisionsStartAnew,
}

/// What is there after the store is dropped.
#[derive(Clone, Default)]
pub(crate) struct Disk(MemoryStore);

impl Disk {
    pub(crate) async fn reopened(&self, fault: Fault) -> Self {
        let anew = Self::default();
        match fault {
            Fault::ForgetsAtReopening => anew,
            Fault::RevisionsStartAnew => {
                let mut entries = self.everything().await;
                entries.sort_by_key(|entry| entry.revision);
                for entry in entries {
                    anew.0.put(&entry.key, &entry.value, Precondition::Any).await.unwrap();
                }
                anew
            }
            _ => self.clone(),
        }
    }

    async fn everything(&self) -> Vec<Entry> {
        self.0.scan(&ScanRequest::all(b"").limit(usize::MAX)).await.unwrap().entries
    }
}

pub(crate) struct Broken {
    fault: Fault,
    disk: Disk,
    /// Where writes go that are lost.
    void: MemoryStore,
    memory: Mutex<Memory>,
}

/// What some mutants remember.
#[derive(Default)]
struct Memory {
    counts: BTreeMap<StoreKey, u64>,
    first_read: BTreeMap<StoreKey, Entry>,
    reads: usize,
    delivered: usize,
    last: Option<Change>,
    generation: Arc<Mutex<u64>>,
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

impl Broken {
    pub(crate) fn on(disk: Disk, fault: Fault) -> Self {
        Self { fault, disk, void: MemoryStore::new(), memory: Mutex::default() }
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn key(&self, key: &StoreKey) -> StoreKey {
        if self.is(Fault::CutsKeysAtZero) {
            let start = key.as_bytes().split(|byte| *byte == 0).next().unwrap();
            return StoreKey::new(start).unwrap_or_else(|_| key.clone());
        }
        key.clone()
    }

    async fn when(&self, key: &StoreKey, when: Precondition) -> Result<Precondition, StoreError> {
        match (self.fault, when) {
            (Fault::IgnoresAbsent, Precondition::Absent) | (Fault::IgnoresRevisions, Precondition::At(_)) => {
                Ok(Precondition::Any)
            }
            (Fault::ChecksThenWrites, when) => {
                when.check(self.disk.0.get(key).await?.map(|entry| entry.revision))?;
                yield_now().await;
                Ok(Precondition::Any)
            }
            (_, when) => Ok(when),
        }
    }

    /// What a refusal does beside refusing.
    async fn refuse(&self, key: &StoreKey, value: &[u8], error: StoreError) -> StoreError {
        match self.fault {
            Fault::ConflictsTellNothing => StoreError::Conflict { found: None },
            Fault::WritesOnConflict => {
                self.disk.0.put(key, value, Precondition::Any).await.unwrap();
                error
            }
            Fault::TellsOfRefusedWrites => {
                self.disk.0.put(&StoreKey::new("refused").unwrap(), value, Precondition::Any).await.unwrap();
                error
            }
            _ => error,
        }
    }

    async fn put_now(
        &self,
        key: &StoreKey,
        value: &[u8],
        when: Precondition,
    ) -> Result<Revision, StoreError> {
        let (key, disk) = (&self.key(key), &self.disk.0);
        let when = match self.when(key, when).await {
            Ok(when) => when,
            Err(error) => return Err(self.refuse(key, value, error).await),
        };
        let there = disk.get(key).await?;
        let mut written = value;
        match (self.fault, &there) {
            (Fault::LosesPuts, _) => return self.void.put(key, value, when).await,
            (Fault::KeepsTheFirstValue, Some(there)) => written = &there.value,
            (Fault::SkipsEqualValues, Some(there)) if *there.value == *value => {
                when.check(Some(there.revision))?;
                return Ok(there.revision);
            }
            (Fault::CutsLongValues, _) => written = start(value, 65_535),
            (Fault::TakesLongValues, _) => written = start(value, Entry::MAX_VALUE_LEN),
            (Fault::PutsInSteps, _) => {
                let half = disk.put(key, start(value, value.len() / 2), when).await?;
                yield_now().await;
                return disk.put(key, value, Precondition::At(half)).await;
            }
            _ => {}
        }
        let revision = match disk.put(key, written, when).await {
            Ok(revision) => revision,
            Err(error) => return Err(self.refuse(key, value, error).await),
        };
        let mut memory = self.memory.lock();
        memory.last = Some(Change::Put(Entry { key: key.clone(), value: value.into(), revision }));
        if self.is(Fault::RevisionsOfEachKey) {
            let count = memory.counts.entry(key.clone()).or_default();
            *count += 1;
            return Ok(Revision::new(*count));
        }
        Ok(revision)
    }

    async fn delete_now(&self, key: &StoreKey, when: Precondition) -> Result<Option<Revision>, StoreError> {
        let (key, disk) = (&self.key(key), &self.disk.0);
        let when = match self.when(key, when).await {
            Ok(when) => when,
            Err(error) => return Err(self.refuse(key, b"", error).await),
        };
        let there = disk.get(key).await?;
        match self.fault {
            Fault::DeletesNothing => return self.void.put(key, b"", Precondition::Any).await.map(Some),
            Fault::DeletesOfNothingAreFine if there.is_none() => return Ok(None),
            Fault::CountsDeletesOfNothing if there.is_none() => return Ok(Some(Revision::new(u64::MAX))),
            Fault::DeletesWhatStartsAlike => {
                for entry in disk.scan(&ScanRequest::all(key.as_bytes())).await?.entries {
                    if entry.key != *key {
                        disk.delete(&entry.key, Precondition::Any).await?;
                    }
                }
            }
            Fault::DeletesInSteps if there.is_some() => {
                disk.put(key, b"deleting", when).await?;
                yield_now().await;
                return disk.delete(key, Precondition::Any).await;
            }
            _ => {}
        }
        match disk.delete(key, when).await {
            Ok(revision) => {
                let change = revision.map(|revision| Change::Deleted { key: key.clone(), revision });
                self.memory.lock().last = change;
                Ok(revision)
            }
            Err(error) => Err(self.refuse(key, b"", error).await),
        }
    }

    /// Once the first poll, before anybody asked for it.
    fn maybe_eager<'a, T: Send + 'a>(&self, mut call: Boxed<'a, T>) -> Boxed<'a, T> {
        if !self.is(Fault::WritesBeforeItIsPolled) {
            return call;
        }
        match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => Box::pin(async move { output }),
            Poll::Pending => call,
        }
    }
}

#[async_trait]
impl KeyStore for Broken {
    async fn get(&self, key: &StoreKey) -> Result<Option<Entry>, StoreError> {
        let read = self.disk.0.get(&self.key(key)).await?;
        if self.is(Fault::ReadsFromThePast) {
            let mut memory = self.memory.lock();
            memory.reads += 1;
            let first = memory.first_read.get(key).cloned();
            return match (first, read) {
                (Some(first), Some(_)) if memory.reads.is_multiple_of(3) => Ok(Some(first)),
                (None, Some(read)) => {
                    memory.first_read.insert(key.clone(), read.clone());
                    Ok(Some(read))
                }
                (_, read) => Ok(read),
            };
        }
        Ok(read)
    }

    fn put<'a, 'b, 'c, 'd>(
        &'a self,
        key: &'b StoreKey,
        value: &'c [u8],
        when: Precondition,
    ) -> Boxed<'d, Revision>
    where
        'a: 'd,
        'b: 'd,
        'c: 'd,
    {
        self.maybe_eager(Box::pin(self.put_now(key, value, when)))
    }

    fn delete<'a, 'b, 'd>(&'a self, key: &'b StoreKey, when: Precondition) -> Boxed<'d, Option<Revision>>
    where
        'a: 'd,
        'b: 'd,
    {
        self.maybe_eager(Box::pin(self.delete_now(key, when)))
    }

    async fn scan(&self, request: &ScanRequest) -> Result<ScanPage, StoreError> {
        if self.is(Fault::PagesByPosition) {
            yield_now().await;
            let page = scan::whole(&self.disk.0, request).await?;
            let mut memory = self.memory.lock();
            memory.delivered = if request.after.is_some() { memory.delivered } else { 0 };
            let entries: Vec<_> = page.iter().skip(memory.delivered).take(request.limit).cloned().collect();
            memory.delivered += entries.len();
            return Ok(ScanPage { entries, more: memory.delivered < page.len() });
        }
        scan::broken(self.fault, &self.disk.0, request).await
    }

    async fn watch(&self, prefix: &[u8]) -> Result<Box<dyn Watch>, StoreError> {
        let (last, generation) = {
            let memory = self.memory.lock();
            (memory.last.clone(), memory.generation.clone())
        };
        BrokenWatch::begin(self.fault, &self.disk.0, prefix, last, generation).await
    }
}

fn start(value: &[u8], len: usize) -> &[u8] {
    value.get(..len).unwrap_or(value)
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is(Fault::PrintsValues)
            && let Some(Change::Put(entry)) = &self.memory.lock().last
        {
            return write!(f, "Broken({})", entry.value.escape_ascii());
        }
        f.write_str("Broken")
    }
}
