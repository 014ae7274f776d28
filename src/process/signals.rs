//! SIGINT and SIGTERM, which ask us to stop. That is asked once: the first one is heard, and the next one has its usual
//! effect, whatever still keeps us from our end.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::blocking::settled;
use crate::error::Signal;

#[cfg(unix)]
use super::listener::{Ignored, Listener, next};

/// One has been heard.
static IS_STOPPED: AtomicBool = AtomicBool::new(false);

/// Hears signals to stop until one has come or this is dropped.
pub struct StopSignals {
    #[cfg(unix)]
    listeners: Vec<(Signal, Listener)>,
}

/// Waits for a signal to stop; see [`StopSignals::received`].
pub async fn received() -> Signal {
    StopSignals::listen().received().await
}

#[cfg(unix)]
impl StopSignals {
    /// Listens from now on. Must be called within a tokio runtime.
    pub fn listen() -> Self {
        if IS_STOPPED.load(Ordering::Relaxed) {
            return Self { listeners: Vec::new() };
        }
        let ignored = Ignored::read();
        let wanted =
            [(Signal::Interrupt, rustix::process::Signal::INT), (Signal::Terminate, rustix::process::Signal::TERM)];
        let open = |(meaning, signal)| Some((meaning, Listener::open(signal, ignored).ok().flatten()?));
        Self { listeners: wanted.into_iter().filter_map(open).collect() }
    }

    /// Waits for a signal to stop, and for the end of what must not be left half done; for ever where none can be heard,
    /// for it is ignored or one has been heard before.
    pub async fn received(&mut self) -> Signal {
        let signal = next(&mut self.listeners).await;
        IS_STOPPED.store(true, Ordering::Relaxed);
        self.listeners.clear();
        settled().await;
        signal
    }
}

/// Where Ctrl-C ends us by itself as soon as nobody listens.
#[cfg(not(unix))]
impl StopSignals {
    /// There is nothing to prepare.
    pub fn listen() -> Self {
        Self {}
    }

    /// Waits for Ctrl-C; for ever where it cannot be heard or has been heard before.
    pub async fn received(&mut self) -> Signal {
        if !IS_STOPPED.load(Ordering::Relaxed) && tokio::signal::ctrl_c().await.is_ok() {
            IS_STOPPED.store(true, Ordering::Relaxed);
            settled().await;
            return Signal::Interrupt;
        }
        std::future::pending().await
    }
}
