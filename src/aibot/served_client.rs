//! A client as the holder serves it: what is said to it, and whether it still reads.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::io::WriteHalf;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

use super::greeting::Stream;
use super::protocol::{ToClient, Writer, line};
use super::routes::ClientId;
use super::{TO_RESPOND, locked};
use crate::api::aibot::Press;

/// How long a client may take to read a line.
pub(super) const SLOWEST: Duration = Duration::from_secs(10);

/// A client, as the holder sees it.
pub(super) struct ServedClient {
    pub(super) id: ClientId,
    writer: tokio::sync::Mutex<Writer<WriteHalf<Box<dyn Stream>>>>,
    unsent: mpsc::Sender<ToClient>,
    /// Whether nothing more can be written, since a line was not written whole.
    is_broken: AtomicBool,
    pub(super) dropped: Notify,
    /// Until when it may answer the last press that it got.
    may_respond_until: Mutex<Option<Instant>>,
    /// The presses that it got just now.
    handed: Mutex<VecDeque<(Instant, Press)>>,
}

/// So many of them are known.
const MOST_HANDED: usize = 64;

/// The client has gone, or is dropped.
pub(super) struct Gone;

impl ServedClient {
    pub(super) fn new(
        id: ClientId,
        writer: Writer<WriteHalf<Box<dyn Stream>>>,
        unsent: mpsc::Sender<ToClient>,
    ) -> Self {
        Self {
            id,
            writer: tokio::sync::Mutex::new(writer),
            unsent,
            is_broken: AtomicBool::new(false),
            dropped: Notify::new(),
            may_respond_until: Mutex::default(),
            handed: Mutex::default(),
        }
    }

    /// The presses that it got since then.
    pub(super) fn handed_since(&self, since: Instant) -> Vec<Press> {
        let handed = locked(&self.handed);
        handed.iter().filter(|(at, _)| *at >= since).map(|(_, press)| press.clone()).collect()
    }

    /// Says something now. A client that does not read it in time is dropped.
    pub(super) async fn say(&self, said: &ToClient) -> Result<(), Gone> {
        let line = line(said).ok_or(Gone)?;
        let written = timeout(SLOWEST, async {
            let mut writer = self.writer.lock().await;
            // Where this is given up in the middle, it stays true.
            if self.is_broken.swap(true, Ordering::Relaxed) {
                return Err(Gone);
            }
            writer.write(&line).await.map_err(|_| Gone)?;
            self.is_broken.store(false, Ordering::Relaxed);
            Ok(())
        });
        let is_written = matches!(written.await, Ok(Ok(())));
        if is_written {
            return Ok(());
        }
        self.drop_it();
        Err(Gone)
    }

    /// Has something said as soon as it can be.
    pub(super) fn queue(&self, said: ToClient) {
        if self.unsent.try_send(said).is_err() {
            self.drop_it();
        }
    }

    pub(super) fn hand(&self, press: Press) {
        let now = Instant::now();
        *locked(&self.may_respond_until) = Some(now + TO_RESPOND);
        let mut handed = locked(&self.handed);
        handed.push_back((now, press.clone()));
        let too_many = handed.len().saturating_sub(MOST_HANDED);
        handed.drain(..too_many);
        drop(handed);
        self.queue(ToClient::Press(press));
    }

    /// Until when it may answer a press, if it may.
    pub(super) fn may_respond_until(&self) -> Option<Instant> {
        locked(&self.may_respond_until).filter(|until| *until > Instant::now())
    }

    pub(super) fn drop_it(&self) {
        self.dropped.notify_one();
    }

    pub(super) async fn shut_down(&self) {
        let _ = timeout(SLOWEST, async { self.writer.lock().await.shutdown().await }).await;
    }
}
