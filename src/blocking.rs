//! Runs blocking work in a thread of its own: a slow disk, a pipe without a writer, a slow program. Timers, signals and
//! other targets go on meanwhile.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, oneshot};
use tokio::task::spawn_blocking;

use crate::error::{Error, Result};

/// Does the work and waits for it. The work goes on if the caller stops waiting. If the work panics, that is a defect.
pub(crate) async fn off_loop<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let (sender, result) = oneshot::channel();
    // One type of task for all kinds of work: each type would be a copy of the scheduler's code.
    let task: Box<dyn FnOnce() + Send> = Box::new(move || drop(sender.send(work())));
    spawn_blocking(task);
    result.await.map_err(|_| Error::defect("work in a thread of its own broke off"))
}

/// The same for work that must not be interrupted, such as writing an entry: [`settled`] waits for its end.
pub(crate) async fn to_the_end<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let _under_way = UnderWay::begin();
    off_loop(work).await
}

/// Waits until no work is running that must not be interrupted.
pub(crate) async fn settled() {
    while UNDER_WAY.load(Ordering::Relaxed) > 0 {
        ENDED.notified().await;
    }
}

/// How much work is running that must not be interrupted.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);
static ENDED: Notify = Notify::const_new();

struct UnderWay;

impl UnderWay {
    fn begin() -> Self {
        UNDER_WAY.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
        ENDED.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn uninterruptible_work_is_awaited() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (go, gone) = mpsc::channel();
            let mut working = Box::pin(to_the_end(move || gone.recv().unwrap()));
            let moment = Duration::from_millis(20);
            assert!(tokio::time::timeout(moment, &mut working).await.is_err());
            assert!(tokio::time::timeout(moment, settled()).await.is_err());
            go.send(7).unwrap();
            let (said, ()) = tokio::join!(working, settled());
            assert_eq!(said.unwrap(), 7);
        });
    }
}
