//! Runs blocking work in a thread of its own: a slow disk, a pipe without a writer, a slow program. Timers, signals and
//! other targets go on meanwhile. And futures in tasks of their own.

use std::fs::File;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{io, thread};

use tokio::sync::{Notify, oneshot};

use crate::error::{Error, Result, is_too_few_files};

/// Does the work and waits for it. The work goes on if the caller stops waiting. If the work panics, that is a defect.
pub(crate) async fn off_loop<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let (sender, result) = oneshot::channel();
    hand_over(Box::new(move || {
        let done = work();
        Box::new(move || drop(sender.send(done)))
    }));
    result.await.map_err(|_| Error::defect("work in a thread of its own broke off"))
}

/// A future whose code stands in this library alone. That of an `async fn` is compiled anew in each crate that waits for it:
/// what sends an alert would be in the program twice.
pub(crate) type Work<'w, T> = Pin<Box<dyn Future<Output = T> + 'w>>;

/// A future for a task of its own. It is boxed, so that the machinery of tasks is compiled once: that is 15 KB for each
/// kind of future.
pub(crate) fn task(work: impl Future<Output = ()> + Send + 'static) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(work)
}

/// Looks a host's addresses up.
pub(crate) async fn look_up(host: &str, port: u16) -> io::Result<std::vec::IntoIter<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)].into_iter());
    }
    let found = in_thread(host, move |host| {
        (host, port).to_socket_addrs().map_err(|error| {
            // The system's resolver says that it found nothing where it could open nothing.
            File::open("/dev/null").err().filter(is_too_few_files).unwrap_or(error)
        })
    });
    #[cfg(target_env = "musl")]
    let found = or_ipv4_alone(BOTH_FAMILIES, found, in_thread(host, move |host| ipv4_addresses(host, port)));
    found.await
}

async fn in_thread<T: Send + 'static>(
    host: &str,
    look_up: impl FnOnce(&str) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let host = host.to_owned();
    off_loop(move || look_up(&host)).await.map_err(io::Error::other)?
}

/// How long both families of addresses are waited for before IPv4 is asked for alone.
#[cfg(target_env = "musl")]
const BOTH_FAMILIES: Duration = Duration::from_secs(1);

/// musl's resolver finds no address at all where the name server fails on IPv6, or says nothing to it, as some forwarders
/// do. Then IPv4 is asked for alone.
#[cfg(any(test, target_env = "musl"))]
async fn or_ipv4_alone<T>(
    patience: Duration,
    both: impl Future<Output = io::Result<T>>,
    ipv4: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    use futures_util::future::{Either, select};
    let mut both = std::pin::pin!(both);
    match tokio::time::timeout(patience, &mut both).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => ipv4.await.map_err(|_| error),
        Err(_) => match select(both, std::pin::pin!(ipv4)).await {
            Either::Left((Ok(found), _)) | Either::Right((Ok(found), _)) => Ok(found),
            Either::Left((Err(error), ipv4)) => ipv4.await.map_err(|_| error),
            Either::Right((Err(_), both)) => both.await,
        },
    }
}

#[cfg(target_env = "musl")]
fn ipv4_addresses(host: &str, port: u16) -> io::Result<std::vec::IntoIter<SocketAddr>> {
    use dns_lookup::{AddrFamily, AddrInfoHints, SockType, getaddrinfo};
    let hints = AddrInfoHints {
        address: AddrFamily::Inet.into(),
        socktype: SockType::Stream.into(),
        ..AddrInfoHints::default()
    };
    let found = getaddrinfo(Some(host), None, Some(hints))?.collect::<io::Result<Vec<_>>>()?;
    let addresses = found.into_iter().map(|found| SocketAddr::new(found.sockaddr.ip(), port));
    Ok(addresses.collect::<Vec<_>>().into_iter())
}

/// Work, which gives what is to be done once its thread may get the next task: to tell of its end.
type Task = Box<dyn FnOnce() -> Box<dyn FnOnce()> + Send>;

/// The threads that wait for another task.
static IDLE: Mutex<Vec<Sender<Task>>> = Mutex::new(Vec::new());

fn idle_threads() -> std::sync::MutexGuard<'static, Vec<Sender<Task>>> {
    IDLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives a task to a thread that is there, else to a new one. Where the system allows no more threads it is done here and
/// now: tokio's own pool ends the process then.
fn hand_over(mut task: Task) {
    while let Some(thread) = { idle_threads().pop() } {
        match thread.send(task) {
            Ok(()) => return,
            Err(unsent) => task = unsent.0,
        }
    }
    let (sender, tasks) = channel::<Task>();
    let work = {
        let sender = sender.clone();
        move || {
            while let Ok(task) = tasks.recv() {
                let tell = task();
                idle_threads().push(sender.clone());
                tell();
            }
        }
    };
    match thread::Builder::new().spawn(work) {
        Ok(_) => drop(sender.send(task)),
        Err(_) => task()(),
    }
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

/// What work of a bounded extent may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) time: Duration,
    /// How much larger the process may become meanwhile, in bytes; it counts where the system tells, which is Linux.
    pub(crate) memory: u64,
    /// The size of its stack, in bytes.
    pub(crate) stack: usize,
}

/// Why work gave no result.
#[derive(Debug)]
pub(crate) enum Unbounded {
    /// It takes longer, or more memory.
    TooMuch,
    /// No thread could be started for it.
    NoThread(io::Error),
    /// It panicked.
    BrokeOff,
}

/// The time between two looks at how much memory the process has.
const LOOK: Duration = Duration::from_millis(10);

/// Does the work in a thread of its own and waits for it. Work that takes too much cannot be stopped and goes on: the process
/// has to end soon.
pub(crate) fn within<T: Send + 'static>(
    bounds: Bounds,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Unbounded> {
    let (sender, result) = sync_channel(1);
    let until = Instant::now() + bounds.time;
    let most = resident().map(|now| now + bounds.memory);
    let thread = thread::Builder::new().stack_size(bounds.stack);
    thread.spawn(move || drop(sender.send(work()))).map_err(Unbounded::NoThread)?;
    loop {
        match result.recv_timeout(LOOK) {
            Ok(done) => return Ok(done),
            Err(RecvTimeoutError::Disconnected) => return Err(Unbounded::BrokeOff),
            Err(RecvTimeoutError::Timeout) if Instant::now() >= until || resident() > most => {
                return Err(Unbounded::TooMuch);
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// How much memory the process has, in bytes; `None` where the system does not tell.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    kibibytes.trim_end_matches("kB").trim().parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
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

    #[test]
    fn ipv4_is_asked_for_alone_where_both_families_find_nothing() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let patience = Duration::from_millis(20);
        let failed = |words: &str| io::Result::<u8>::Err(io::Error::other(words));
        let late = |answer| async move {
            tokio::time::sleep(3 * patience).await;
            answer
        };
        runtime.block_on(async {
            let at_once = std::future::ready::<io::Result<u8>>;
            assert_eq!(or_ipv4_alone(patience, at_once(Ok(1)), async { unreachable!() }).await.unwrap(), 1);
            assert_eq!(or_ipv4_alone(patience, at_once(failed("both")), at_once(Ok(2))).await.unwrap(), 2);
            assert_eq!(
                or_ipv4_alone(patience, late(Ok(1)), at_once(Ok(2))).await.unwrap(),
                2,
                "the first that is there"
            );
            assert_eq!(
                or_ipv4_alone(patience, late(Ok(1)), at_once(failed("ipv4"))).await.unwrap(),
                1,
                "IPv6 alone, and late"
            );
            let never = std::future::pending();
            assert_eq!(or_ipv4_alone(patience, late(Ok(1)), never).await.unwrap(), 1, "a lost answer holds nothing up");
            let error = or_ipv4_alone(patience, late(failed("both")), at_once(failed("ipv4"))).await.unwrap_err();
            assert_eq!(error.to_string(), "both");
        });
    }
}
