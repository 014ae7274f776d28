//! What the holder of a connection and its clients say to each other: one JSON document a line, in both directions. First
//! each end proves that it knows the aibot's secret; the version of all that follows stands in the first line. After that each
//! line that goes to another process begins with its seal and a space.

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, timeout_at};

use super::failure::{CallFailure, CarriedReply};
use super::proof::{SEAL, Seals};
use crate::api::aibot::{Message, Press};

/// The version of the protocol.
pub(super) const VERSION: u32 = 1;

/// No line is longer, in bytes: a chunk of a file has 700,000.
pub(super) const LONGEST_LINE: usize = 1024 * 1024;

/// What is longer takes so much memory that the holder takes only a few at once.
const LONG_LINE: usize = 64 * 1024;

/// How often the holder says that it is there.
pub(super) const BEAT: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 5 });

/// A holder that says nothing for so long is stopped, or hangs; so is a client on another machine.
pub(super) const SILENCE: Duration = Duration::from_secs(if cfg!(test) { 3 } else { 15 });

/// No line is longer before the proofs.
pub(super) const LONGEST_GREETING: usize = 1024;

/// The first line of a client, and of the holder, which proves at once.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Greeting {
    pub(super) version: u32,
    pub(super) nonce: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) proof: Option<String>,
}

/// The second line of a client.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Proven {
    pub(super) proof: String,
}

/// A request to WeCom, sent by the holder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct AibotRequest {
    /// Of this client.
    pub(super) id: u64,
    /// That of the event which it answers; `None` for one of the connection's own.
    pub(super) req_id: Option<String>,
    pub(super) cmd: String,
    pub(super) body: Value,
    /// It is not begun later, in Unix milliseconds.
    pub(super) until_ms: u64,
    /// How long an answer is waited for, in milliseconds.
    pub(super) timeout_ms: u64,
}

/// What a client says after the proofs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum ToHolder {
    Request(AibotRequest),
    /// Presses on these cards are for this client too.
    Watch {
        task_ids: Vec<String>,
    },
    /// They are not any more.
    Unwatch {
        task_ids: Vec<String>,
    },
    /// So are those on cards that nobody watches, or not any more.
    Others(bool),
    /// So is what is written to the bot, or not any more.
    Messages(bool),
    /// Of such a press: this client knows nothing of the card.
    Unknown(Press),
    /// Every [`BEAT`], of a client on another machine: it has not ended.
    Beat,
}

/// What the holder says after the proofs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum ToClient {
    /// Its first line: who it is, and since when it is subscribed, in Unix milliseconds, if it is.
    Welcome {
        process: u32,
        up_since_ms: Option<u64>,
    },
    /// From now on the request may reach WeCom. It is said, and has arrived, before anything is sent to WeCom: who has not
    /// heard it knows that nothing was sent.
    Began {
        id: u64,
    },
    /// What came of the request.
    Answered {
        id: u64,
        reply: CarriedReply,
    },
    Failed {
        id: u64,
        failure: CallFailure,
    },
    Press(Press),
    /// Somebody wrote to the bot.
    Message(Message),
    /// It is subscribed, since then.
    Up {
        at_ms: u64,
    },
    /// It is not any more, since then.
    Down {
        at_ms: u64,
    },
    /// No press will come any more.
    Lost(CallFailure),
    /// Something the user should know.
    Notice(String),
    /// Every [`BEAT`]: it is not stopped.
    Beat,
}

/// Why nothing more can be read.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// The connection has ended, or broke.
    Ended,
    /// What carries the connection failed: something that was said may be lost.
    Failed,
    /// A line was not said by the other end as it is: somebody stands in between.
    Forged,
    /// What came is not of this protocol.
    Garbage(&'static str),
}

/// Reads lines, of a bounded length. A read that is given up loses nothing.
pub(super) struct Lines<R> {
    reader: R,
    line: Vec<u8>,
    /// What the lines are checked by.
    seals: Option<Seals>,
    /// How many long lines there may be at once, of all readers, and how long one may take; the permit for this one.
    long_lines: Option<(Arc<Semaphore>, Duration)>,
    permit: Option<OwnedSemaphorePermit>,
    /// Until when a long line must have come.
    due: Option<Instant>,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, line: Vec::new(), seals: None, long_lines: None, permit: None, due: None }
    }

    /// From now on each line has a seal.
    pub(super) fn expect_seals(&mut self, seals: Seals) {
        self.seals = Some(seals);
    }

    /// From now on a long line needs a permit, and must have come whole within that time: whoever is stopped in the middle of
    /// one is in the way of others.
    pub(super) fn limit_long_lines(&mut self, permits: &Arc<Semaphore>, time: Duration) {
        self.long_lines = Some((Arc::clone(permits), time));
    }

    /// The permit of the last line, if it was long: to be kept as long as what was in it.
    pub(super) fn take_permit(&mut self) -> Option<OwnedSemaphorePermit> {
        self.permit.take()
    }

    /// The next line, which has at most `limit` bytes.
    pub(super) async fn next<T: DeserializeOwned>(&mut self, limit: usize) -> Result<T, Unreadable> {
        loop {
            let buffered = match self.due.filter(|_| !self.line.is_empty()) {
                Some(due) => timeout_at(due, self.reader.fill_buf()).await,
                None => Ok(self.reader.fill_buf().await),
            };
            let Ok(buffered) = buffered else { return Err(Unreadable::Garbage("half a line")) };
            let buffered = buffered.map_err(|error| match error.kind() {
                std::io::ErrorKind::Other => Unreadable::Failed,
                _ => Unreadable::Ended,
            })?;
            if buffered.is_empty() {
                return Err(Unreadable::Ended);
            }
            let end = buffered.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(buffered.len());
            if self.line.len() + taken > limit + self.seals.as_ref().map_or(0, |_| SEAL + 1) {
                return Err(Unreadable::Garbage("a line that is too long"));
            }
            if self.line.len() + taken > LONG_LINE
                && self.permit.is_none()
                && let Some((permits, time)) = &self.long_lines
            {
                self.permit = Arc::clone(permits).acquire_owned().await.ok();
                self.due = Some(Instant::now() + *time);
                continue;
            }
            self.line.extend_from_slice(buffered.get(..taken).unwrap_or_default());
            self.reader.consume(taken + usize::from(end.is_some()));
            if end.is_some() {
                // What a long line took is given back.
                let line = std::mem::take(&mut self.line);
                self.due = None;
                let mut said = &line[..];
                if let Some(seals) = &mut self.seals {
                    let (seal, rest) = line.split_at_checked(SEAL).ok_or(Unreadable::Forged)?;
                    said = rest.strip_prefix(b" ").filter(|said| seals.is(seal, said)).ok_or(Unreadable::Forged)?;
                }
                return serde_json::from_slice(said)
                    .map_err(|_| Unreadable::Garbage("a line that is not of the protocol"));
            }
        }
    }
}

/// A line of the protocol; `None` for one that is too long, as a request can be.
pub(super) fn line(said: &impl Serialize) -> Option<Vec<u8>> {
    let mut line = serde_json::to_vec(said).ok()?;
    line.push(b'\n');
    (line.len() <= LONGEST_LINE).then_some(line)
}

/// Writes lines.
pub(super) struct Writer<W> {
    writer: W,
    /// What the lines are sealed by.
    seals: Option<Seals>,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    pub(super) fn new(writer: W) -> Self {
        Self { writer, seals: None }
    }

    /// From now on each line gets a seal.
    pub(super) fn seal_by(&mut self, seals: Seals) {
        self.seals = Some(seals);
    }

    /// Writes a line as a whole. If it is given up in between, nothing more can be written.
    pub(super) async fn write(&mut self, line: &[u8]) -> std::io::Result<()> {
        if let Some(seals) = &mut self.seals {
            let seal = seals.seal(line.strip_suffix(b"\n").unwrap_or(line));
            self.writer.write_all(format!("{seal} ").as_bytes()).await?;
        }
        self.writer.write_all(line).await?;
        self.writer.flush().await
    }

    /// Writes what comes to its end, and says that it is the end. That the other end has gone is seen where it is read.
    pub(super) async fn write_all(mut self, mut lines: mpsc::UnboundedReceiver<Vec<u8>>) {
        while let Some(line) = lines.recv().await {
            if self.write(&line).await.is_err() {
                return;
            }
        }
        let _ = self.shutdown().await;
    }

    pub(super) async fn shutdown(&mut self) -> std::io::Result<()> {
        self.writer.shutdown().await
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(bytes: &[u8], limit: usize) -> Vec<Result<ToHolder, Unreadable>> {
        let mut lines = Lines::new(bytes);
        let mut read = Vec::new();
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
            loop {
                read.push(lines.next(limit).await);
                if read.last().is_some_and(Result::is_err) {
                    return read;
                }
            }
        })
    }

    fn said() -> impl Strategy<Value = ToHolder> {
        let request = ("[a-z_]{1,20}", any::<Option<String>>(), any::<u64>(), any::<String>(), any::<i64>());
        prop_oneof![
            request.prop_map(|(cmd, req_id, id, text, number)| ToHolder::Request(AibotRequest {
                id,
                req_id,
                cmd,
                body: json!({"text": text, "number": number, "list": [null, true]}),
                until_ms: id,
                timeout_ms: id,
            })),
            prop::collection::vec(any::<String>(), 0..4).prop_map(|task_ids| ToHolder::Watch { task_ids }),
            any::<bool>().prop_map(ToHolder::Others),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn lines_arrive_as_they_were_said(said in prop::collection::vec(said(), 0..5)) {
            let bytes: Vec<u8> = said.iter().flat_map(|said| line(said).unwrap()).collect();
            let read = read(&bytes, LONGEST_LINE);
            prop_assert!(matches!(read.last(), Some(Err(Unreadable::Ended))));
            let read: Vec<ToHolder> = read.into_iter().filter_map(Result::ok).collect();
            prop_assert_eq!(read, said);
        }

        #[test]
        fn garbage_is_the_end(said in said(), garbage in prop::collection::vec(any::<u8>(), 0..200), cut in any::<prop::sample::Index>()) {
            let line = line(&said).unwrap();
            let bytes = [&line[..], &garbage, b"\n", &line[..cut.index(line.len())]].concat();
            let read = read(&bytes, 1000);
            prop_assert!(read.last().unwrap().is_err());
            prop_assert_eq!(read.first().and_then(|first| first.as_ref().ok()).is_some(), line.len() <= 1001);
        }
    }

    #[test]
    fn long_lines_wait_for_a_permit() {
        let long = line(&ToHolder::Watch { task_ids: vec!["a".repeat(LONG_LINE)] }).unwrap();
        let bytes = [&long[..], &long].concat();
        let permits = Arc::new(Semaphore::new(1));
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
            let [mut one, mut other] = [Lines::new(&bytes[..]), Lines::new(&bytes[..])];
            let minute = Duration::from_secs(60);
            one.limit_long_lines(&permits, minute);
            other.limit_long_lines(&permits, minute);
            one.next::<ToHolder>(LONGEST_LINE).await.unwrap();
            let permit = one.take_permit().unwrap();
            let moment = std::time::Duration::from_millis(20);
            assert!(tokio::time::timeout(moment, other.next::<ToHolder>(LONGEST_LINE)).await.is_err());
            drop(permit);
            other.next::<ToHolder>(LONGEST_LINE).await.unwrap();
        });
    }

    #[test]
    fn half_a_long_line_is_not_waited_for() {
        let long = line(&ToHolder::Watch { task_ids: vec!["a".repeat(LONG_LINE)] }).unwrap();
        let permits = Arc::new(Semaphore::new(1));
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
            let (mut stopped, reader) = tokio::io::duplex(2 * LONG_LINE);
            stopped.write_all(&long[..long.len() - 1]).await.unwrap();
            let mut lines = Lines::new(tokio::io::BufReader::new(reader));
            lines.limit_long_lines(&permits, Duration::from_millis(20));
            assert!(matches!(lines.next::<ToHolder>(LONGEST_LINE).await, Err(Unreadable::Garbage("half a line"))));
            drop(lines);
            assert_eq!(permits.available_permits(), 1);
        });
    }

    #[test]
    fn a_line_without_an_end_is_not_read_for_ever() {
        let endless = vec![b'['; 5000];
        assert!(matches!(read(&endless, 1000)[..], [Err(Unreadable::Garbage(_))]));
        assert!(matches!(read(&endless, 5000)[..], [Err(Unreadable::Ended)]), "it may still go on");
        assert!(line(&ToHolder::Watch { task_ids: vec!["a".repeat(LONGEST_LINE)] }).is_none());
    }
}
