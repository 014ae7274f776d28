//! Tells whether a process is there that receives the presses on the cards of an app or aibot: it holds a lock.

use std::time::{Duration, Instant};

use crate::blocking::off_loop;
use crate::error::{Error, Result};
use crate::store::{Guard, KeyedFile};

/// How long the lock, or the disk, is waited for.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The process that receives the presses, as long as this is kept.
#[derive(Debug)]
pub(crate) struct Listener(#[expect(dead_code, reason = "it is held")] Guard);

impl Listener {
    pub(super) async fn lock(file: KeyedFile) -> Result<Option<Self>> {
        let says = |why: String| {
            Error::config(file.says("cannot be used", why), "check the state folder: its disk, owner and mode")
        };
        let locking = file.lock(Instant::now() + PATIENCE / 2, || false);
        match tokio::time::timeout(PATIENCE, locking).await {
            Ok(locked) => Ok(locked.map_err(|error| says(error.to_string()))?.map(Self)),
            Err(_) => Err(says("the disk does not answer".to_owned())),
        }
    }
}

pub(super) async fn is_there(file: KeyedFile) -> bool {
    let looking = tokio::time::timeout(PATIENCE, off_loop(move || file.is_locked()));
    looking.await.is_ok_and(|looked| looked.is_ok_and(|looked| looked.unwrap_or(false)))
}
