//! Signals that this process receives: those that ask it to stop, and those that it forwards to a command.
//!
//! While a listener exists for a signal, it has no other effect; without a listener it has its usual effect again,
//! which tokio by itself never restores. What was ignored when this process was started, as under `nohup`, stays ignored.
//! Elsewhere than on Unix there is only Ctrl-C.

use std::future::poll_fn;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
#[cfg(unix)]
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGXFSZ};
#[cfg(unix)]
use tokio::signal::unix::{Signal as SignalStream, SignalKind, signal};
#[cfg(windows)]
use tokio::signal::windows::CtrlC as SignalStream;

use crate::blocking::settled;
use crate::error::Signal;

#[cfg(windows)]
const SIGINT: i32 = 2;
#[cfg(windows)]
const SIGTERM: i32 = 15;

/// The signals that a command gets from us.
#[cfg(unix)]
pub(super) const FORWARDED: &[i32] = &[SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2];
#[cfg(windows)]
pub(super) const FORWARDED: &[i32] = &[SIGINT];

/// The signals that ask us to stop.
#[cfg(unix)]
const STOPPING: &[i32] = &[SIGINT, SIGTERM];
#[cfg(windows)]
const STOPPING: &[i32] = FORWARDED;

/// Whether a signal to stop has been received.
static IS_STOPPED: AtomicBool = AtomicBool::new(false);

/// Listens for SIGINT and SIGTERM, which ask us to stop, until one has come or this is dropped. Only the first one is
/// received: the next one has its usual effect, even if something still delays our end.
pub struct StopSignals {
    listener: SignalListener,
    /// One that has come, as long as something must not be left half done.
    came: Option<i32>,
}

impl StopSignals {
    /// Listens from now on. Must be called within a tokio runtime.
    pub fn listen() -> Self {
        let wanted: &[i32] = if IS_STOPPED.load(Ordering::Relaxed) { &[] } else { STOPPING };
        Self { listener: SignalListener::open(wanted).unwrap_or_default(), came: None }
    }

    /// Waits for a signal to stop, and for the end of what must not be left half done. Waits for ever if none can be
    /// received: it is ignored, or one has been received before. If it is dropped before its end, no signal is lost.
    pub async fn received(&mut self) -> Signal {
        let number = match self.came {
            Some(number) => number,
            None => self.listener.next().await,
        };
        self.came = Some(number);
        IS_STOPPED.store(true, Ordering::Relaxed);
        self.listener = SignalListener::default();
        settled().await;
        self.came = None;
        if number == SIGTERM { Signal::Terminate } else { Signal::Interrupt }
    }
}

/// Listens for signals until it is dropped.
#[derive(Default)]
pub(super) struct SignalListener(Vec<ListenedSignal>);

impl SignalListener {
    /// Listens from now on for those that are not ignored. Must be called within a tokio runtime.
    pub(super) fn open(numbers: &[i32]) -> io::Result<Self> {
        let ignored = ignored_signals();
        #[cfg(unix)]
        outlive_file_size_limit(ignored);
        let wanted = numbers.iter().filter(|number| ignored.is_none_or(|ignored| !has_signal(ignored, **number)));
        let open = |number: &i32| {
            // Where it is not known what was ignored, only those that stop us anyway get their usual effect back.
            let is_restored = ignored.is_some() || matches!(*number, SIGINT | SIGTERM);
            ListenedSignal::open(*number, is_restored)
        };
        wanted.map(open).collect::<io::Result<_>>().map(Self)
    }

    /// The number of the next signal. Waits for ever if none is listened for.
    pub(super) async fn next(&mut self) -> i32 {
        poll_fn(|context| {
            let received = self.0.iter_mut().find_map(|signal| {
                let is_received = signal.stream.poll_recv(context).is_ready();
                is_received.then_some(signal.number)
            });
            received.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

/// One signal that is listened for.
struct ListenedSignal {
    number: i32,
    stream: SignalStream,
}

#[cfg(windows)]
impl ListenedSignal {
    fn open(number: i32, _is_restored: bool) -> io::Result<Self> {
        Ok(Self { number, stream: tokio::signal::windows::ctrl_c()? })
    }
}

/// The signals that somebody listens for or has listened for.
#[cfg(unix)]
static HANDLED: Mutex<Vec<HandledSignal>> = Mutex::new(Vec::new());

/// A signal with a handler of ours, which stays for as long as the process lives.
#[cfg(unix)]
struct HandledSignal {
    number: i32,
    listeners: usize,
    /// Whether the handler does what would happen without it.
    is_restored: Arc<AtomicBool>,
}

#[cfg(unix)]
fn handled() -> MutexGuard<'static, Vec<HandledSignal>> {
    HANDLED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Beyond `ulimit -f` writing a file fails from now on, as on a full disk, and no longer ends this process. Programs that it
/// starts have what they would have without it: a handler is not inherited.
#[cfg(unix)]
fn outlive_file_size_limit(ignored: Option<u64>) {
    static IS_SET: AtomicBool = AtomicBool::new(false);
    let is_ignored = ignored.is_some_and(|ignored| has_signal(ignored, SIGXFSZ));
    if !is_ignored && !IS_SET.swap(true, Ordering::Relaxed) {
        // Without it everything else goes on.
        let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
    }
}

/// Gives all signals their usual effect again: nobody listens any more.
#[cfg(unix)]
pub(super) fn restore_all() {
    handled().iter().for_each(|known| known.is_restored.store(true, Ordering::SeqCst));
}

#[cfg(unix)]
impl ListenedSignal {
    fn open(number: i32, is_restored: bool) -> io::Result<Self> {
        let stream = signal(SignalKind::from_raw(number))?;
        let mut handled = handled();
        if let Some(known) = handled.iter_mut().find(|known| known.number == number) {
            known.listeners += 1;
            known.is_restored.store(false, Ordering::SeqCst);
        } else {
            let flag = Arc::new(AtomicBool::new(false));
            if is_restored {
                signal_hook::flag::register_conditional_default(number, Arc::clone(&flag))?;
            }
            handled.push(HandledSignal { number, listeners: 1, is_restored: flag });
        }
        Ok(Self { number, stream })
    }
}

#[cfg(unix)]
impl Drop for ListenedSignal {
    fn drop(&mut self) {
        if let Some(known) = handled().iter_mut().find(|known| known.number == self.number) {
            known.listeners -= 1;
            known.is_restored.store(known.listeners == 0, Ordering::SeqCst);
        }
    }
}

/// The signals that are ignored, a bit for each: what was ignored when this process was started still is. `None` where the
/// system does not tell; only Linux does.
pub(super) fn ignored_signals() -> Option<u64> {
    parse_ignored(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn parse_ignored(status: &str) -> Option<u64> {
    let bits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(bits.trim(), 16).ok()
}

fn has_signal(bits: u64, number: i32) -> bool {
    let bit = u32::try_from(number - 1).ok().and_then(|shift| 1u64.checked_shl(shift));
    bit.is_some_and(|bit| bits & bit != 0)
}

/// The name of a signal, such as SIGKILL; its number where it has none that is the same everywhere.
pub fn signal_name(number: i32) -> String {
    #[cfg(unix)]
    if let Some(name) = signal_hook::low_level::signal_name(number) {
        return name.to_owned();
    }
    format!("signal {number}")
}

/// Whether a signal ends a program that nobody asked to end: it was killed, or broke.
pub fn ends_unasked(number: i32) -> bool {
    #[cfg(unix)]
    if number == signal_hook::consts::SIGPIPE {
        return false;
    }
    !FORWARDED.contains(&number)
}

#[cfg(all(test, unix))]
mod tests {
    use signal_hook::consts::{SIGPIPE, SIGWINCH};

    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_status() {
        let ignored = parse_ignored("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t0\n").unwrap();
        assert!(has_signal(ignored, SIGHUP) && has_signal(ignored, SIGPIPE));
        assert!(![SIGINT, SIGTERM, SIGQUIT].into_iter().any(|signal| has_signal(ignored, signal)));
        assert!(parse_ignored("Name:\tx\n").is_none());
    }

    #[test]
    fn a_signal_has_its_usual_effect_again_when_the_last_one_stops_listening() {
        // One that no other test listens for.
        let is_restored = || {
            let handled = handled();
            let known = handled.iter().find(|known| known.number == SIGWINCH).unwrap();
            known.is_restored.load(Ordering::SeqCst)
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let open = || ListenedSignal::open(SIGWINCH, true).unwrap();
            let (first, second) = (open(), open());
            drop(first);
            assert!(!is_restored());
            drop(second);
            assert!(is_restored());
            let _third = open();
            assert!(!is_restored());
        });
        assert!(is_restored());
    }

    #[test]
    fn signals_have_names() {
        assert_eq!([9, 15, 64].map(signal_name), ["SIGKILL", "SIGTERM", "signal 64"]);
    }
}
