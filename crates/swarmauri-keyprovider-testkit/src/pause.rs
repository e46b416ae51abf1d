//! Calls that are pending for no reason, so that whoever else is there goes first.

use std::future::poll_fn;
use std::task::Poll;

/// Is pending so many times. It wakes whoever waits by itself, so that it goes on outside of a runtime, too.
pub(crate) async fn pause(times: u32) {
    let mut left = times;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The same before a call takes effect, and after.
pub(crate) async fn around<T>(times: u32, call: impl Future<Output = T>) -> T {
    pause(times).await;
    let answer = call.await;
    pause(times).await;
    answer
}
