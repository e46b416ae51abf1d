//! A store in a file, by the embedded database redb.

mod blocking;
mod closing;
mod error;
mod files;
mod lock;
mod open;
mod read;
mod record;
mod writer;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use ::redb::Database;
use async_trait::async_trait;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{mpsc, oneshot};

use self::blocking::off_the_executor;
use self::closing::Closing;
use self::writer::{Answer, Job, Write, Writer};
use crate::watch::Watches;
use crate::{Entry, KeyStore, Precondition, Revision, ScanPage, ScanRequest, StoreError, StoreKey, Watch};

/// A store in a file of this machine, open in one process at a time. Clones are of one store.
///
/// ```
/// use swarmauri_keystore::{KeyStore, Precondition, RedbStore, StoreKey};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), swarmauri_keystore::StoreError> {
/// # let folder = std::env::temp_dir().join(format!("keystore-example-{}", std::process::id()));
/// let path = folder.join("keys.redb");
/// let store = RedbStore::open(&path).await?;
/// let key = StoreKey::new("fruit/apple")?;
/// let revision = store.put(&key, b"green", Precondition::Absent).await?;
/// store.close().await;
///
/// let store = RedbStore::open(&path).await?;
/// assert_eq!(store.get(&key).await?.map(|entry| entry.revision), Some(revision));
/// # store.close().await;
/// # std::fs::remove_dir_all(folder).ok();
/// # Ok(())
/// # }
/// ```
///
/// * **Durable.** A write that has returned was synced to the disk. Writes that wait at the same time share a commit; each
///   has its own precondition and its own revision all the same.
/// * **Damage is noticed.** The whole database is checked when it is opened, which takes time in proportion to its size;
///   each value again when it is read. It is never repaired by leaving something out, and never made anew.
/// * **One at a time.** A second one that opens it is refused, and told who has it.
/// * **Private.** The file is its owner's alone (mode 600), in a folder that is too (700); others are refused. Not checked
///   on systems other than Unix.
/// * **After a failure** of a commit, as when the disk is full, every call is [`StoreError::Unavailable`], or
///   [`StoreError::Integrity`] if damage is the reason, until the store is opened again.
///
/// Beside the file lies another, of the same name and `.lock`. It holds the lock, and how far the database has come, so
/// that one that fell back to an older state is noticed. A copy of a store that was closed needs only the database;
/// whoever puts an older copy back in its place removes the file with the lock.
///
/// Values are as they were given: whoever can read the file can read them.
#[derive(Clone)]
pub struct RedbStore {
    handle: Arc<Handle>,
}

/// Dropped with the last clone.
struct Handle {
    shared: Arc<Shared>,
    jobs: mpsc::Sender<Job>,
}

/// What callers and the writing thread share.
#[derive(Debug)]
struct Shared {
    path: PathBuf,
    /// `None` once it is closed.
    database: RwLock<Option<Database>>,
    /// Why it is of no use any more.
    failed: OnceLock<StoreError>,
    watches: Mutex<Watches>,
    writes: AtomicU64,
    commits: AtomicU64,
    /// Set when the last handle is dropped, until the files are free.
    closing: Mutex<Option<Closing>>,
}

/// What a store has done since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreStats {
    /// Puts and deletes that took effect.
    pub writes: u64,
    /// The transactions that they were committed in.
    pub commits: u64,
}

impl RedbStore {
    /// Opens the store at a path; if nothing is there, makes one, and the folder for it.
    ///
    /// # Errors
    ///
    /// * [`StoreError::Refused`] if another process, or this one, has it open; if others than the owner may use the file
    ///   or its folder, or this process may not; if it is of a newer format.
    /// * [`StoreError::Integrity`] if it is damaged, or is older than what was written to it.
    /// * [`StoreError::Unavailable`] if the disk is full or fails.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref().to_owned();
        off_the_executor(move || Self::open_here(path)).await
    }

    fn open_here(path: PathBuf) -> Result<Self, StoreError> {
        let open::Opened { database, state, lock, identity } = open::open(&path)?;
        let shared = Arc::new(Shared {
            path,
            database: RwLock::new(Some(database)),
            failed: OnceLock::new(),
            watches: Mutex::default(),
            writes: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            closing: Mutex::new(None),
        });
        let (jobs, asked) = mpsc::channel(writer::MOST_WRITES);
        let writer = Writer { shared: Arc::clone(&shared), state, lock, identity };
        thread::Builder::new()
            .name("keystore-writer".to_owned())
            .spawn(move || writer.run(asked))
            .map_err(|error| StoreError::unavailable_because("no thread to write with", error))?;
        Ok(Self { handle: Arc::new(Handle { shared, jobs }) })
    }

    /// Closes the store, for all clones: waits for writes that have begun, ends watches, and frees the files. Later calls
    /// are [`StoreError::Unavailable`].
    ///
    /// Dropping the last clone does the same, without waiting for it. A process that ends meanwhile loses nothing that
    /// was acknowledged, and leaves a database that takes longer to open.
    pub async fn close(&self) {
        // If it cannot be sent, it is closed already, or about to be.
        let _ = self.handle.jobs.send(Job::Close).await;
        self.handle.jobs.closed().await;
    }

    /// Where the store is.
    pub fn path(&self) -> &Path {
        &self.handle.shared.path
    }

    /// What it has done since it was opened.
    pub fn stats(&self) -> StoreStats {
        let shared = &self.handle.shared;
        StoreStats {
            writes: shared.writes.load(Ordering::Relaxed),
            commits: shared.commits.load(Ordering::Relaxed),
        }
    }

    async fn write(&self, key: &StoreKey, value: Option<Arc<[u8]>>, when: Precondition) -> Answer {
        let (reply, answer) = oneshot::channel();
        let write = Write { key: key.clone(), value, when, reply };
        if self.handle.jobs.send(Job::Write(write)).await.is_err() {
            return Err(self.handle.shared.closed());
        }
        answer.await.unwrap_or_else(|_| Err(self.handle.shared.closed()))
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = Arc::clone(&self.handle.shared);
        off_the_executor(move || work(&shared)).await
    }
}

#[async_trait]
impl KeyStore for RedbStore {
    async fn get(&self, key: &StoreKey) -> Result<Option<Entry>, StoreError> {
        let key = key.clone();
        self.read(move |shared| shared.get(&key)).await
    }

    async fn put(&self, key: &StoreKey, value: &[u8], when: Precondition) -> Result<Revision, StoreError> {
        Entry::check_value(value)?;
        let revision = self.write(key, Some(value.into()), when).await?;
        revision.ok_or_else(|| StoreError::unavailable("the answer to a write was lost"))
    }

    async fn delete(&self, key: &StoreKey, when: Precondition) -> Result<Option<Revision>, StoreError> {
        self.write(key, None, when).await
    }

    async fn scan(&self, request: &ScanRequest) -> Result<ScanPage, StoreError> {
        let request = request.clone();
        self.read(move |shared| shared.scan(&request)).await
    }

    async fn watch(&self, prefix: &[u8]) -> Result<Box<dyn Watch>, StoreError> {
        let shared = &self.handle.shared;
        let mut watches = shared.watches.lock();
        // Under the lock that ends them, so that none is added after that.
        shared.check_usable()?;
        Ok(watches.add(prefix))
    }
}

impl Shared {
    fn check_usable(&self) -> Result<(), StoreError> {
        self.failed.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Nothing is served after this.
    fn fail(&self, error: StoreError) {
        let error = self.failed.get_or_init(|| error);
        self.watches.lock().end(error);
    }

    fn closed(&self) -> StoreError {
        StoreError::unavailable(format!("{} is closed", self.path.display()))
    }

    /// Waits for reads, and closes the database.
    fn close(&self) {
        self.fail(self.closed());
        let database = self.database.write().take();
        // Everything that was acknowledged is on the disk; what fails here only makes the next one that opens it check
        // more. A panic must not keep the lock.
        let _ = catch_unwind(AssertUnwindSafe(|| database.map(Database::close)));
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        *self.shared.closing.lock() = Some(Closing::begin());
        // The writing thread finds that nobody can ask any more once `jobs` is dropped, after this.
    }
}

impl fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbStore").field("path", &self.path()).finish_non_exhaustive()
    }
}
