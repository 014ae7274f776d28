//! How far the body of a request has got: what was handed to the system, and whether that still moves towards the peer.
//!
//! The system takes megabytes at once and sends them when the line lets it: only Linux tells how many are left. It is
//! asked when patience would end, and never before.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Error;

/// How far the body of a request has got; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct RequestProgress(Arc<Mutex<Body>>);

#[derive(Debug, Default)]
struct Body {
    last_moved: Option<Instant>,
    sent: u64,
    failure: Option<Error>,
}

impl RequestProgress {
    /// Notes bytes handed over and returns their number so far.
    pub(super) fn add(&self, bytes: u64) -> u64 {
        let mut body = self.body();
        body.last_moved = Some(Instant::now());
        body.sent += bytes;
        body.sent
    }

    /// Notes that the body could not be read to its end: this is what ends the request then.
    pub(super) fn fail(&self, error: Error) {
        self.body().failure = Some(error);
    }

    pub(super) fn failure(&self) -> Option<Error> {
        self.body().failure.clone()
    }

    pub(super) fn last_moved(&self) -> Option<Instant> {
        self.body().last_moved
    }

    pub(super) fn handed_over(&self) -> u64 {
        self.body().sent
    }

    fn body(&self) -> MutexGuard<'_, Body> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The slowest line on which bytes are waited for that nobody can see move, in bytes a second.
const SLOWEST_LINE: u64 = 64 * 1024;

/// The longest wait for such bytes.
const LONGEST_ALLOWANCE: Duration = Duration::from_secs(60);

/// The bytes of one request that the peer has not confirmed, as they were seen so far.
#[derive(Debug, Default)]
pub(super) struct UnsentBytes {
    /// What [`unsent`] told at the last look, once there was one.
    seen: Option<Option<u64>>,
}

impl UnsentBytes {
    /// For how long an attempt whose patience is at its end may go on; `None` when nothing moves any more.
    ///
    /// What has changed since the last look has moved, and patience starts anew. The first look has nothing to compare
    /// with, so that a stuck attempt ends after twice its patience at the most.
    pub(super) fn reprieve(&mut self, handed_over: u64, patience: Duration) -> Option<Duration> {
        if handed_over == 0 {
            return None;
        }
        self.judge(unsent(), handed_over, patience)
    }

    fn judge(&mut self, unsent: Option<u64>, handed_over: u64, patience: Duration) -> Option<Duration> {
        if self.seen.replace(unsent) == Some(unsent) {
            return None;
        }
        let allowance = Duration::from_secs(handed_over / SLOWEST_LINE).min(LONGEST_ALLOWANCE);
        Some(if unsent.is_some() { patience } else { allowance })
    }
}

/// How many bytes of this process's connections the peers have not confirmed yet; `None` where that cannot be seen.
#[cfg(target_os = "linux")]
fn unsent() -> Option<u64> {
    let sockets = std::fs::read_dir("/proc/self/fd").ok()?.flatten().filter_map(|entry| {
        let link = std::fs::read_link(entry.path()).ok()?;
        link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    });
    let sockets: Vec<u64> = sockets.collect();
    let mut tables = ["/proc/self/net/tcp", "/proc/self/net/tcp6"].map(std::fs::read_to_string).into_iter().flatten();
    // A system without IPv6 has no second table.
    let first = queued(&tables.next()?, &sockets);
    Some(first + tables.map(|table| queued(&table, &sockets)).sum::<u64>())
}

#[cfg(not(target_os = "linux"))]
fn unsent() -> Option<u64> {
    None
}

/// The sum of `tx_queue` over the rows of these sockets, in a table as `man 5 proc` describes `/proc/net/tcp`.
#[cfg(any(target_os = "linux", test))]
fn queued(table: &str, sockets: &[u64]) -> u64 {
    let bytes = |row: &str| {
        let mut columns = row.split_ascii_whitespace().skip(4);
        let (tx, _) = columns.next()?.split_once(':')?;
        let inode = columns.nth(4)?.parse().ok()?;
        let tx = u64::from_str_radix(tx, 16).ok()?;
        sockets.contains(&inode).then_some(tx)
    };
    table.lines().filter_map(bytes).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    #[test]
    fn what_changes_moves_and_what_does_not_is_stuck() {
        let mut bytes = UnsentBytes::default();
        for (left, reprieve) in
            [(900, Some(PATIENCE)), (500, Some(PATIENCE)), (500, None), (0, Some(PATIENCE)), (0, None)]
        {
            assert_eq!(bytes.judge(Some(left), 1_000, PATIENCE), reprieve, "{left}");
        }
    }

    #[test]
    fn where_nobody_can_see_it_there_is_one_allowance() {
        for (handed_over, seconds) in [(6 * 1024 * 1024, 60), (1024 * 1024, 16), (1000, 0)] {
            let mut bytes = UnsentBytes::default();
            let allowance = Some(Duration::from_secs(seconds));
            assert_eq!(bytes.judge(None, handed_over, PATIENCE), allowance, "{handed_over}");
            assert_eq!(bytes.judge(None, handed_over, PATIENCE), None, "{handed_over}: once");
        }
    }

    #[test]
    fn what_was_not_handed_over_is_not_waited_for() {
        assert_eq!(UnsentBytes::default().reprieve(0, PATIENCE), None);
    }

    #[test]
    fn own_rows_are_summed() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                     0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 11 1 0 100\n   \
                     1: 0100007F:A2C4 0100007F:1F90 01 0002A000:00000010 01:00000014 00000000  1000        0 12 2 0 20\n   \
                     2: 0100007F:A2C6 0100007F:1F90 01 00000100:00000000 01:00000014 00000000  1000        0 13 2 0 20\n   \
                     3: 0100007F:A2C8 0100007F:1F90 01 nonsense\n";
        assert_eq!(queued(table, &[11, 12]), 0x2a000);
        assert_eq!(queued(table, &[12, 13, 99]), 0x2a100);
        assert_eq!(queued(table, &[]), 0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_tells_of_what_nobody_reads() {
        use std::io::Write as _;
        use std::net::{TcpListener, TcpStream};

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        stream.set_nonblocking(true).unwrap();
        // Far more than anybody's buffer for what is received.
        while stream.write(&[0; 65536]).is_ok() {}
        assert!(unsent().is_some_and(|bytes| bytes > 0));
    }
}
