//! Work that takes too long for the threads that drive futures.

use swarmauri_keys::KeyError;
use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinHandle};

/// Does slow work on one of tokio's blocking threads; outside of a tokio runtime, on the caller's thread.
///
/// On such a thread it is queued by the call, so that several run side by side. If the future is dropped, work that has
/// not begun never does, and what is made by work that has is dropped.
pub(crate) fn off_the_executor<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeyError> + Send + 'static,
) -> impl Future<Output = Result<T, KeyError>> + Send {
    let queued = match Handle::try_current() {
        Ok(runtime) => Ok(AbortOnDrop(runtime.spawn_blocking(work))),
        Err(_) => Err(work),
    };
    async move {
        match queued {
            Ok(mut task) => (&mut task.0).await.map_err(|error| cut_off(&error))?,
            Err(work) => work(),
        }
    }
}

/// Takes a task that nobody waits for out of the queue. One that has started runs to its end, and what it
/// made is dropped.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn cut_off(error: &JoinError) -> KeyError {
    KeyError::unavailable(format!("work on a key was cut off: {error}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn work_that_nobody_waits_for_is_not_started() {
        let runtime = Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
        let (release, released) = mpsc::channel::<()>();
        let occupied = runtime.spawn_blocking(move || released.recv());
        let started = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&started);
        drop(AbortOnDrop(runtime.spawn_blocking(move || flag.store(true, Ordering::SeqCst))));
        let behind = runtime.spawn_blocking(|| ());
        release.send(()).unwrap();
        runtime.block_on(async { (occupied.await, behind.await) }).1.unwrap();
        assert!(!started.load(Ordering::SeqCst));
    }
}
