//! An upload in progress: its body in chunks, how many bytes were handed to the system, and whether they still move
//! towards the peer.
//!
//! The system takes megabytes at once and sends them when the line lets it: only Linux tells how many are left. It is
//! asked only when the timeout without progress is reached.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{Stream, stream};
use reqwest::Body;
use reqwest::multipart::Part;

use super::CallError;
use crate::blocking::off_loop;
use crate::error::Error;
use crate::event::{Event, Observer};
use crate::input::Attachment;
use crate::message::media;

/// How much is read and handed over at once, in bytes.
const CHUNK: usize = 64 * 1024;

/// How far the body of a request has got; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct RequestProgress(Arc<Mutex<BodyState>>);

/// The progress of a request body.
#[derive(Debug, Default)]
pub(super) struct BodyState {
    /// When bytes were handed over last.
    pub(super) last_moved: Option<Instant>,
    /// Bytes handed over.
    pub(super) handed_over: u64,
    /// Why the body could not be read to its end: this is what ends the request then.
    pub(super) failure: Option<Error>,
}

impl RequestProgress {
    /// Adds bytes handed over and returns their number so far.
    pub(super) fn add(&self, bytes: u64) -> u64 {
        let mut body = self.state();
        body.last_moved = Some(Instant::now());
        body.handed_over += bytes;
        body.handed_over
    }

    pub(super) fn state(&self) -> MutexGuard<'_, BodyState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file as the one part of a form. Its name goes raw into `filename="…"`: WeCom does not understand `filename*=`.
pub(super) fn part(file: &Attachment, progress: &RequestProgress, observer: &Observer) -> Result<Part, CallError> {
    let filename = media::wire_filename(&file.name);
    let size = file.size;
    let watch = Watch { progress: progress.clone(), observer: observer.clone(), name: filename.clone(), total: size };
    let body = Body::wrap_stream(chunks(file.reader(), watch));
    Part::stream_with_length(body, size)
        .file_name(filename)
        .mime_str(media::mime(media::sniff(&file.head)))
        .map_err(|_| CallError::Setup(Error::defect("a media type of this program is malformed")))
}

struct Watch {
    progress: RequestProgress,
    observer: Observer,
    name: String,
    total: u64,
}

/// The file in chunks, each read off the event loop, so that a slow disk holds up neither time limits nor signals.
fn chunks(reader: impl Read + Send + 'static, watch: Watch) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::try_unfold((reader, watch), |(mut reader, watch)| async move {
        let read = move || {
            let mut chunk = vec![0; CHUNK];
            let length = reader.read(&mut chunk)?;
            chunk.truncate(length);
            Ok::<_, io::Error>((reader, chunk))
        };
        let (reader, chunk) = match off_loop(read).await.map_err(|error| io::Error::other(error.to_string()))? {
            Ok(read) => read,
            Err(error) => {
                watch.progress.state().failure = Some(Error::config(
                    format!("{} could not be read to its end: {error}", watch.name),
                    "nothing was sent; upload the file again when nobody writes to it",
                ));
                return Err(error);
            }
        };
        if chunk.is_empty() {
            return Ok(None);
        }
        let sent = watch.progress.add(chunk.len() as u64);
        watch.observer.tell(Event::Upload { name: &watch.name, sent, total: watch.total });
        Ok(Some((Bytes::from(chunk), (reader, watch))))
    })
}

/// Where the system does not tell how many bytes are unsent, the slowest line that is assumed, in bytes a second.
const SLOWEST_LINE: u64 = 64 * 1024;

/// The longest wait for such bytes, for any number of them.
const LONGEST_ALLOWANCE: Duration = Duration::from_secs(60);

/// The bytes of one request that the peer has not confirmed, as they were seen so far.
#[derive(Debug, Default)]
pub(super) struct UnsentBytes {
    /// The result of [`unsent`] at the last look; `None` before the first.
    seen: Option<Option<u64>>,
}

impl UnsentBytes {
    /// How much longer an attempt may go on that made no progress for `patience`; `None` when it is stuck.
    ///
    /// If the number of unsent bytes has changed since the last look, the attempt gets the full time again. The first
    /// look has nothing to compare with, so a stuck attempt ends after twice `patience` at most.
    pub(super) fn extension(&mut self, unsent: Option<u64>, handed_over: u64, patience: Duration) -> Option<Duration> {
        if handed_over == 0 || self.seen.replace(unsent) == Some(unsent) {
            return None;
        }
        let allowance = Duration::from_secs(handed_over / SLOWEST_LINE).min(LONGEST_ALLOWANCE);
        Some(if unsent.is_some() { patience } else { allowance })
    }
}

/// How many bytes of this process's connections the peers have not confirmed yet; `None` where that cannot be seen.
pub(super) fn unsent() -> Option<u64> {
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

/// The sum of `tx_queue` over the rows of these sockets, in a table as `man 5 proc` describes `/proc/net/tcp`.
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
    fn an_unchanged_number_of_unsent_bytes_means_stuck() {
        let mut bytes = UnsentBytes::default();
        for (left, extension) in
            [(900, Some(PATIENCE)), (500, Some(PATIENCE)), (500, None), (0, Some(PATIENCE)), (0, None)]
        {
            assert_eq!(bytes.extension(Some(left), 1_000, PATIENCE), extension, "{left}");
        }
    }

    #[test]
    fn without_a_number_of_unsent_bytes_there_is_one_extension() {
        for (handed_over, seconds) in [(6 * 1024 * 1024, 60), (1024 * 1024, 16), (1000, 0)] {
            let mut bytes = UnsentBytes::default();
            let allowance = Some(Duration::from_secs(seconds));
            assert_eq!(bytes.extension(None, handed_over, PATIENCE), allowance, "{handed_over}");
            assert_eq!(bytes.extension(None, handed_over, PATIENCE), None, "{handed_over}: once");
        }
    }

    #[test]
    fn without_bytes_handed_over_there_is_no_extension() {
        assert_eq!(UnsentBytes::default().extension(Some(7), 0, PATIENCE), None);
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
    fn the_system_reports_unsent_bytes() {
        use std::io::Write as _;
        use std::net::{TcpListener, TcpStream};

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        stream.set_nonblocking(true).unwrap();
        // More than any receive buffer.
        while stream.write(&[0; 65536]).is_ok() {}
        assert!(unsent().is_some_and(|bytes| bytes > 0));
    }
}
