//! Who hears a signal on Unix. While somebody does, it has no other effect; when nobody does any more, it gets its usual one
//! back, which tokio alone never does. What was ignored when this process was started, as under `nohup`, stays ignored.

use std::future::poll_fn;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use rustix::process::Signal;
use signal_hook::flag::register_conditional_default;
use tokio::signal::unix::{SignalKind, signal as tokio_signal};

/// The signals that somebody hears or has heard.
static HANDLED: Mutex<Vec<Handled>> = Mutex::new(Vec::new());

/// A signal with a handler of ours, which stays for as long as the process lives.
struct Handled {
    signal: Signal,
    listeners: usize,
    /// The handler does what would happen without it.
    is_given_back: Arc<AtomicBool>,
}

/// Hears one signal until it is dropped.
pub(super) struct Listener {
    signal: Signal,
    stream: tokio::signal::unix::Signal,
}

impl Listener {
    /// Listens from now on; `None` if the signal is ignored. Must be called within a tokio runtime.
    pub(super) fn open(signal: Signal, ignored: Ignored) -> io::Result<Option<Self>> {
        if ignored.has(signal) {
            return Ok(None);
        }
        let stream = tokio_signal(SignalKind::from_raw(signal.as_raw()))?;
        let mut handled = handled();
        let at = match handled.iter().position(|known| known.signal == signal) {
            Some(at) => at,
            None => {
                let is_given_back = Arc::new(AtomicBool::new(false));
                if ignored.allows_to_give_back(signal) {
                    register_conditional_default(signal.as_raw(), Arc::clone(&is_given_back))?;
                }
                handled.push(Handled { signal, listeners: 0, is_given_back });
                handled.len() - 1
            }
        };
        let known = &mut handled[at];
        known.listeners += 1;
        known.is_given_back.store(false, Ordering::SeqCst);
        Ok(Some(Self { signal, stream }))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(known) = handled().iter_mut().find(|known| known.signal == self.signal) {
            known.listeners -= 1;
            known.is_given_back.store(known.listeners == 0, Ordering::SeqCst);
        }
    }
}

fn handled() -> MutexGuard<'static, Vec<Handled>> {
    HANDLED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The next signal that one of these hears, as what stands beside it; for ever if there are none.
pub(super) async fn next<T: Copy>(listeners: &mut [(T, Listener)]) -> T {
    poll_fn(|context| {
        for (meaning, listener) in listeners.iter_mut() {
            if listener.stream.poll_recv(context).is_ready() {
                return Poll::Ready(*meaning);
            }
        }
        Poll::Pending
    })
    .await
}

/// The signals that are ignored, a bit for each: what was ignored when this process was started still is. `None` where the
/// system does not tell; only Linux does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ignored(Option<u64>);

impl Ignored {
    /// As the system tells.
    pub(super) fn read() -> Self {
        let status = std::fs::read_to_string("/proc/self/status");
        Self(status.ok().and_then(|status| Self::parse(&status)))
    }

    fn parse(status: &str) -> Option<u64> {
        let bits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
        u64::from_str_radix(bits.trim(), 16).ok()
    }

    /// Whether the system tells.
    pub(super) fn is_known(self) -> bool {
        self.0.is_some()
    }

    fn has(self, signal: Signal) -> bool {
        let bit = u32::try_from(signal.as_raw() - 1).ok().and_then(|shift| 1u64.checked_shl(shift));
        self.0.zip(bit).is_some_and(|(ignored, bit)| ignored & bit != 0)
    }

    /// Where the system does not tell, a signal may have been ignored: only those that stop us anyway are given back.
    fn allows_to_give_back(self, signal: Signal) -> bool {
        self.is_known() || matches!(signal, Signal::INT | Signal::TERM)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_is_read_from_the_status() {
        let ignored = Ignored(Ignored::parse("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t0\n"));
        assert!(ignored.has(Signal::HUP) && ignored.has(Signal::PIPE));
        assert!(![Signal::INT, Signal::TERM, Signal::QUIT].into_iter().any(|signal| ignored.has(signal)));
        assert!(Ignored::parse("Name:\tx\n").is_none());
    }

    #[test]
    fn a_signal_is_given_back_when_the_last_one_stops_listening() {
        // One that no other test hears.
        let signal = Signal::WINCH;
        let is_given_back = || {
            let handled = handled();
            let known = handled.iter().find(|known| known.signal == signal).unwrap();
            known.is_given_back.load(Ordering::SeqCst)
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let open = || Listener::open(signal, Ignored(Some(0))).unwrap().unwrap();
            let (first, second) = (open(), open());
            drop(first);
            assert!(!is_given_back());
            drop(second);
            assert!(is_given_back());
            let _third = open();
            assert!(!is_given_back());
        });
        assert!(is_given_back());
    }
}
