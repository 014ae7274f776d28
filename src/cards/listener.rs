//! Tells whether a process is there that receives the presses on the cards of an app or aibot: it holds a lock.

use std::time::{Duration, Instant};

use tokio::task::AbortHandle;

use crate::blocking::{off_loop, task};
use crate::error::{Error, Result};
use crate::shared_state::Namespace;
use crate::store::{Guard, KeyedFile};

/// How long the lock, or the disk, is waited for.
const PATIENCE: Duration = Duration::from_millis(1500);

/// How often other machines are told that it is there, and for how long they believe it.
const TOLD_EVERY: Duration = Duration::from_secs(5);
const TOLD_FOR: Duration = Duration::from_secs(15);

/// What is told.
const LISTENS: &[u8] = b"listens";

/// The process that receives the presses, as long as this is kept.
#[derive(Debug)]
pub(crate) struct Listener {
    #[expect(dead_code, reason = "it is held")]
    guard: Guard,
    /// What tells other machines.
    telling: Option<AbortHandle>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.telling.iter().for_each(AbortHandle::abort);
    }
}

impl Listener {
    pub(super) async fn lock(file: KeyedFile, shared: Option<Namespace>) -> Result<Option<Self>> {
        let says = |why: String| {
            Error::config(file.says("cannot be used", why), "check the state folder: its disk, owner and mode")
        };
        let locking = file.lock(Instant::now() + PATIENCE / 2, || false);
        match tokio::time::timeout(PATIENCE, locking).await {
            Ok(locked) => {
                let guard = locked.map_err(|error| says(error.to_string()))?;
                Ok(guard.map(|guard| {
                    let telling = shared.map(|shared| tokio::spawn(task(tell(shared))).abort_handle());
                    Self { guard, telling }
                }))
            }
            Err(_) => Err(says("the disk does not answer".to_owned())),
        }
    }
}

/// Where other machines are told.
fn told_in(shared: &Namespace) -> String {
    shared.name("listen")
}

/// Tells other machines that the presses are received here.
async fn tell(mut shared: Namespace) {
    shared.state = shared.state.insistent();
    let name = told_in(&shared);
    loop {
        if let Some(sealed) = shared.seal(&name, LISTENS) {
            // They are told again soon.
            let _ = shared.state.set(&name, &sealed, TOLD_FOR).await;
        }
        tokio::time::sleep(TOLD_EVERY).await;
    }
}

/// Whether another machine's process receives them. Where that cannot be known, none does.
pub(super) async fn is_elsewhere(shared: &Namespace) -> bool {
    let name = told_in(shared);
    let told = shared.state.get(&name).await.ok().flatten();
    told.and_then(|told| shared.open(&name, &told)).is_some_and(|told| told == LISTENS)
}

pub(super) async fn is_there(file: KeyedFile) -> bool {
    let looking = tokio::time::timeout(PATIENCE, off_loop(move || file.is_locked()));
    looking.await.is_ok_and(|looked| looked.is_ok_and(|looked| looked.unwrap_or(false)))
}
