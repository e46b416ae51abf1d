//! Work on files, off the threads that drive futures.

use tokio::runtime::Handle;

use crate::StoreError;

/// Does the work on one of tokio's blocking threads; outside of a tokio runtime, on the caller's thread.
pub(super) async fn off_the_executor<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match Handle::try_current() {
        Ok(runtime) => runtime
            .spawn_blocking(work)
            .await
            .map_err(|error| StoreError::unavailable_because("the runtime is shutting down", error))?,
        Err(_) => work(),
    }
}
