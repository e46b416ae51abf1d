//! Watches that are broken in one way.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use swarmauri_keystore::{Arrivals, Change, KeyStore, MemoryStore, StoreError, Watch};
use tokio::task::yield_now;

use crate::broken::Fault;

#[derive(Debug)]
pub(crate) struct BrokenWatch {
    fault: Fault,
    honest: MemoryStore,
    prefix: Vec<u8>,
    /// `None` until it begins.
    watch: Option<Box<dyn Watch>>,
    first: VecDeque<Change>,
    generation: u64,
    latest: Arc<Mutex<u64>>,
}

impl BrokenWatch {
    pub(crate) async fn begin(
        fault: Fault,
        honest: &MemoryStore,
        prefix: &[u8],
        last: Option<Change>,
        latest: Arc<Mutex<u64>>,
    ) -> Result<Box<dyn Watch>, StoreError> {
        let prefix = if fault == Fault::WatchesEverything { Vec::new() } else { prefix.to_vec() };
        let watch = match fault {
            Fault::WatchesStartLate => None,
            _ => Some(honest.watch(&prefix).await?),
        };
        let first = last.filter(|_| fault == Fault::ShowsTheLastChangeFirst).into_iter().collect();
        *latest.lock() += 1;
        let generation = *latest.lock();
        Ok(Box::new(Self { fault, honest: honest.clone(), prefix, watch, first, generation, latest }))
    }

    fn check_ended(&self) -> Result<(), StoreError> {
        if self.fault == Fault::EndsOldWatches && *self.latest.lock() != self.generation {
            return Err(StoreError::unavailable("another watch has begun"));
        }
        Ok(())
    }
}

#[async_trait]
impl Watch for BrokenWatch {
    async fn next(&mut self) -> Result<Change, StoreError> {
        self.check_ended()?;
        if let Some(first) = self.first.pop_front() {
            return Ok(first);
        }
        if self.watch.is_none() {
            self.watch = Some(self.honest.watch(&self.prefix).await?);
        }
        let watch = self.watch.as_mut().unwrap();
        let change = watch.next().await?;
        match self.fault {
            Fault::LosesWhatIsDropped => yield_now().await,
            Fault::TellsTwice => self.first.push_back(change.clone()),
            Fault::TellsOutOfOrder => {
                if let Some(later) = watch.try_next()? {
                    self.first.push_back(change);
                    return Ok(later);
                }
            }
            _ => {}
        }
        Ok(change)
    }

    fn try_next(&mut self) -> Result<Option<Change>, StoreError> {
        self.check_ended()?;
        match &mut self.watch {
            Some(watch) if self.fault != Fault::TellsLate => watch.try_next(),
            _ => Ok(None),
        }
    }

    fn count_in(&mut self, arrivals: &Arrivals) -> bool {
        let honest = self.watch.as_mut().filter(|_| self.fault != Fault::CountsNothing);
        honest.is_none_or(|watch| watch.count_in(arrivals))
    }
}
