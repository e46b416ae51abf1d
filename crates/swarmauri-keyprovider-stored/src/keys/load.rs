//! Reading all keys of a store: at first, and when changes were lost.

use std::collections::HashMap;
use std::num::NonZero;
use std::sync::atomic::Ordering;
use std::thread;

use swarmauri_keys::{KeyError, KeyId};
use swarmauri_keystore::{Entry, Revision, ScanRequest};
use swarmauri_softkeys::KeyHistory;

use super::{Keys, Opened, kid_of};
use crate::blocking::off_the_executor;
use crate::error::store_failed;
use crate::record::{PREFIX, Sealer};

/// How many records a thread opens at the least: for fewer it is not worth its while.
const SHARE: usize = 16;

/// A record, with what is known of its key.
type Found = (Option<KeyHistory>, KeyId, Entry);

impl Keys {
    /// Reads everything anew.
    pub(super) async fn catch_up(&self) -> Result<(), KeyError> {
        let _turn = self.loading.lock().await;
        if !self.is_behind() {
            return Ok(());
        }
        // First the watch: what is written during the scan is in one of them at least.
        let mut watch = self.store.watch(PREFIX.as_bytes()).await.map_err(store_failed)?;
        let counts = watch.count_in(&self.arrivals);
        // What is written here meanwhile may be in no page, and is not missing.
        let before = self.followed.lock().known.clone();
        let entries = self.scan().await?;
        let entries = entries.into_iter().map(|entry| Ok((kid_of(&entry.key)?, entry)));
        let entries = entries.collect::<Result<HashMap<_, _>, KeyError>>()?;
        let missing: Vec<_> = before.iter().filter(|(kid, _)| !entries.contains_key(*kid)).collect();
        let new = entries
            .into_iter()
            .filter(|(kid, entry)| before.get(kid).is_none_or(|known| known.revision < entry.revision))
            .map(|(kid, entry)| (self.table.history(&kid), kid, entry))
            .collect();
        let opened = self.open_all(new).await?;
        let mut followed = self.followed.lock();
        for (kid, known) in missing {
            self.note_missing(&mut followed, kid, known.revision);
        }
        for (kid, revision, opened) in opened {
            self.take_opened(&mut followed, &kid, revision, opened);
        }
        followed.watch = Some(watch);
        followed.counts = counts;
        // What came before it counted is still to be taken in.
        self.arrivals.add();
        self.behind.store(false, Ordering::Release);
        Ok(())
    }

    /// Off the executor, and on all cores: taking over an RSA key takes a while, and there may be many of any kind.
    async fn open_all(&self, mut records: Vec<Found>) -> Result<Vec<(KeyId, Revision, Opened)>, KeyError> {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let share = records.len().div_ceil(cores).max(SHARE);
        let mut parts = Vec::new();
        while !records.is_empty() {
            let part = records.split_off(records.len().saturating_sub(share));
            let sealer = self.sealer.clone();
            parts.push(off_the_executor(move || Ok(open_part(&sealer, part))));
        }
        let mut opened = Vec::new();
        for part in parts {
            opened.extend(part.await?);
        }
        Ok(opened)
    }

    async fn scan(&self) -> Result<Vec<Entry>, KeyError> {
        let (mut entries, mut request) = (Vec::new(), ScanRequest::all(PREFIX));
        loop {
            let page = self.store.scan(&request).await.map_err(store_failed)?;
            let last = page.entries.last().map(|entry| entry.key.clone());
            entries.extend(page.entries);
            match last.filter(|_| page.more) {
                Some(last) => request = request.after(last),
                None => return Ok(entries),
            }
        }
    }
}

fn open_part(sealer: &Sealer, records: Vec<Found>) -> Vec<(KeyId, Revision, Opened)> {
    let opened = records.into_iter().map(|(known, kid, entry)| {
        let opened = sealer.open(&kid, &entry.value, known.as_ref());
        (kid, entry.revision, opened)
    });
    opened.collect()
}
