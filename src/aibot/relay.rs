//! A connection between processes of different machines, carried by two lists in the store: pieces of what is said, each
//! sealed with its place in the connection, so that who can write to the store can neither make one up nor say one again.
//!
//! What is flushed is in the store: the other end will read it, unless the store fails. A piece that is missing is such a
//! failure, and not an end.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use redis::cmd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use super::lease::Fleet;
use crate::blocking::task;
use crate::clock::in_ms;
use crate::shared_state::{Namespace, OwnConnection, Script, ScriptInput, StoreDown};

/// No piece is longer before it is sealed, in bytes.
const LONGEST_PIECE: usize = 64 * 1024;

/// So many pieces wait in a list at the most: who writes waits then.
const MOST_PIECES: u64 = 64;

/// How long a list that is full is waited for.
const FULL_PATIENCE: Duration = Duration::from_secs(10);

/// What nobody reads is gone after this.
const LIST_LIFE: Duration = Duration::from_secs(60);

/// How long the store is asked to wait for the next piece, and how long its answer is waited for.
const POP_SECONDS: u64 = 5;
const POP_PATIENCE: Duration = Duration::from_secs(8);

/// Between two tries to connect again.
const AGAIN: Duration = Duration::from_secs(1);

/// The name of a connection has so many characters.
const SESSION: usize = 32;

/// Appends ARGV[1] to the list KEYS[1], which stays for ARGV[2] ms; how long it is.
static PUSH: Script = Script::new(
    "if redis.call('TYPE', KEYS[1]).ok ~= 'list' then redis.call('DEL', KEYS[1]) end
local count = redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return count",
);

/// A piece of what one end says.
struct Piece {
    session: String,
    /// Its place, from 0 on.
    number: u64,
    /// Nothing at the end.
    content: Vec<u8>,
}

impl Piece {
    fn label(list: &str, session: &str, number: u64) -> String {
        format!("{list}:{session}:{number}")
    }

    /// As it goes into that list.
    fn sealed(&self, space: &Namespace, list: &str) -> io::Result<Vec<u8>> {
        let sealed = space.seal(&Self::label(list, &self.session, self.number), &self.content);
        let sealed = sealed.ok_or_else(|| io::Error::other("the system gives no random numbers"))?;
        Ok([self.session.as_bytes(), &self.number.to_be_bytes(), &sealed].concat())
    }

    /// What came by that list; `None` for what was put there by somebody without the secret, or for another list.
    fn opened(space: &Namespace, list: &str, piece: &[u8]) -> Option<Self> {
        let (session, rest) = piece.split_at_checked(SESSION)?;
        let (number, sealed) = rest.split_first_chunk::<8>()?;
        let session = String::from_utf8(session.to_vec()).ok()?;
        let number = u64::from_be_bytes(*number);
        let content = space.open(&Self::label(list, &session, number), sealed)?;
        Some(Self { session, number, content })
    }
}

/// Puts the pieces of one end into a list.
struct Pieces {
    space: Namespace,
    list: String,
    session: String,
    next: u64,
}

impl Pieces {
    /// Returns when the piece is there.
    async fn push(mut self, content: Vec<u8>) -> (Self, io::Result<()>) {
        let piece = Piece { session: self.session.clone(), number: self.next, content };
        self.next += 1;
        let pushed = self.put(&piece).await;
        (self, pushed)
    }

    async fn put(&self, piece: &Piece) -> io::Result<()> {
        let input = ScriptInput::of_keys([self.list.clone()]).with_bytes(piece.sealed(&self.space, &self.list)?);
        let count = self.space.state.run(&PUSH, &input.with(in_ms(LIST_LIFE))).await;
        let mut count: u64 = count.map_err(|StoreDown| failed())?;
        let until = Instant::now() + FULL_PATIENCE;
        while count > MOST_PIECES {
            if Instant::now() >= until {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the other end does not read"));
            }
            sleep(Duration::from_millis(20)).await;
            count = self.space.state.query(cmd("LLEN").arg(&self.list)).await.map_err(|StoreDown| failed())?;
        }
        Ok(())
    }
}

/// That the store failed, or lost something.
fn failed() -> io::Error {
    io::Error::other("the shared state failed")
}

type Pushing = Pin<Box<dyn Future<Output = (Pieces, io::Result<()>)> + Send>>;

/// Whether pieces can be put, or one is being put.
enum Output {
    Idle(Pieces),
    Busy(Pushing),
    Broken,
}

/// One end of a connection by the store.
pub(super) struct RelayStream {
    input: mpsc::Receiver<io::Result<Vec<u8>>>,
    /// What was read and not taken yet.
    read: VecDeque<u8>,
    unsent: Vec<u8>,
    output: Output,
    is_shut: bool,
    /// Reads what comes, at the end that asked.
    reading: Option<AbortHandle>,
}

impl RelayStream {
    fn new(input: mpsc::Receiver<io::Result<Vec<u8>>>, output: Pieces, reading: Option<AbortHandle>) -> Self {
        let (read, unsent) = (VecDeque::new(), Vec::new());
        Self { input, read, unsent, output: Output::Idle(output), is_shut: false, reading }
    }

    /// Puts what was written into the store, as far as that goes now.
    fn poll_push(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match std::mem::replace(&mut self.output, Output::Broken) {
                Output::Busy(mut pushing) => match pushing.as_mut().poll(context) {
                    Poll::Ready((pieces, Ok(()))) => self.output = Output::Idle(pieces),
                    Poll::Ready((_, Err(error))) => return Poll::Ready(Err(error)),
                    Poll::Pending => {
                        self.output = Output::Busy(pushing);
                        return Poll::Pending;
                    }
                },
                Output::Idle(pieces) if self.unsent.is_empty() => {
                    self.output = Output::Idle(pieces);
                    return Poll::Ready(Ok(()));
                }
                Output::Idle(pieces) => {
                    let length = self.unsent.len().min(LONGEST_PIECE);
                    let content = self.unsent.drain(..length).collect();
                    self.output = Output::Busy(Box::pin(pieces.push(content)));
                }
                Output::Broken => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            }
        }
    }
}

impl AsyncRead for RelayStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.read.is_empty() {
            match ready!(self.input.poll_recv(context)) {
                Some(Ok(content)) => self.read.extend(content),
                Some(Err(error)) => return Poll::Ready(Err(error)),
                None => return Poll::Ready(Ok(())),
            }
        }
        let (first, _) = self.read.as_slices();
        let length = first.len().min(buffer.remaining());
        buffer.put_slice(first.get(..length).unwrap_or_default());
        self.read.drain(..length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for RelayStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.unsent.len() >= LONGEST_PIECE {
            ready!(self.poll_push(context))?;
        }
        self.unsent.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_push(context)
    }

    /// Says that nothing more comes.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_push(context))?;
        if !std::mem::replace(&mut self.is_shut, true)
            && let Output::Idle(pieces) = std::mem::replace(&mut self.output, Output::Broken)
        {
            self.output = Output::Busy(Box::pin(pieces.push(Vec::new())));
        }
        self.poll_push(context)
    }
}

impl Drop for RelayStream {
    fn drop(&mut self) {
        self.reading.iter().for_each(AbortHandle::abort);
    }
}

/// Takes the pieces of one connection in their order.
struct Incoming {
    next: u64,
    to: mpsc::Sender<io::Result<Vec<u8>>>,
}

impl Incoming {
    /// Whether more may come. A piece that came before is left out.
    async fn take(&mut self, piece: Piece) -> bool {
        if piece.number < self.next {
            return true;
        }
        if piece.number > self.next {
            let _ = self.to.send(Err(failed())).await;
            return false;
        }
        self.next += 1;
        !piece.content.is_empty() && self.to.send(Ok(piece.content)).await.is_ok()
    }
}

/// Connects to the holder of that door.
pub(super) async fn dial(fleet: &Fleet, door: &str) -> Result<RelayStream, StoreDown> {
    let fleet = fleet.patient();
    let session = format!("{:032x}", fastrand::u128(..));
    let list = fleet.to_client(&session);
    let mut connection = fleet.space().state.own_connection().await?;
    let (to, input) = mpsc::channel(MOST_PIECES as usize);
    let output =
        Pieces { space: fleet.space().clone(), list: fleet.to_holder(door), session: session.clone(), next: 0 };
    let reading = tokio::spawn(task(async move {
        let mut incoming = Incoming { next: 0, to };
        loop {
            let Ok(piece) = next(&mut connection, fleet.space(), &list).await else {
                let _ = incoming.to.send(Err(failed())).await;
                return;
            };
            if let Some(piece) = piece.filter(|piece| piece.session == session)
                && !incoming.take(piece).await
            {
                return;
            }
        }
    }));
    Ok(RelayStream::new(input, output, Some(reading.abort_handle())))
}

/// The next piece in a list, if one comes in time that was not put there by somebody else.
async fn next(connection: &mut OwnConnection, space: &Namespace, list: &str) -> Result<Option<Piece>, StoreDown> {
    let mut pop = cmd("BLPOP");
    pop.arg(list).arg(POP_SECONDS);
    let popped: Option<(Vec<u8>, Vec<u8>)> = connection.query(&pop, POP_PATIENCE).await?;
    Ok(popped.and_then(|(_, piece)| Piece::opened(space, list, &piece)))
}

/// Takes connections in at that door, until it is dropped.
pub(super) async fn answer(fleet: Fleet, door: String, mut take_in: impl FnMut(RelayStream) -> bool) {
    let list = fleet.to_holder(&door);
    let mut clients: std::collections::HashMap<String, Incoming> = std::collections::HashMap::new();
    loop {
        let Ok(mut connection) = fleet.space().state.own_connection().await else {
            sleep(AGAIN).await;
            continue;
        };
        while let Ok(piece) = next(&mut connection, fleet.space(), &list).await {
            clients.retain(|_, client| !client.to.is_closed());
            let Some(piece) = piece else { continue };
            let is_end = piece.content.is_empty();
            let session = piece.session.clone();
            if piece.number == 0 && !clients.contains_key(&session) {
                let (to, input) = mpsc::channel(MOST_PIECES as usize);
                let output = Pieces {
                    space: fleet.space().clone(),
                    list: fleet.to_client(&session),
                    session: session.clone(),
                    next: 0,
                };
                if take_in(RelayStream::new(input, output, None)) {
                    clients.insert(session.clone(), Incoming { next: 0, to });
                }
            }
            let Some(client) = clients.get_mut(&session) else {
                if !is_end {
                    refuse(&fleet, session);
                }
                continue;
            };
            // One that does not keep up must not hold up the others.
            let has_room = client.to.capacity() > 0;
            if !has_room || !client.take(piece).await {
                clients.remove(&session);
            }
        }
        sleep(AGAIN.mul_f64(fastrand::f64())).await;
    }
}

/// Tells who is not known here that its connection has ended.
fn refuse(fleet: &Fleet, session: String) {
    let pieces = Pieces { space: fleet.space().clone(), list: fleet.to_client(&session), session, next: 0 };
    tokio::spawn(task(async move {
        let (to, input) = mpsc::channel(1);
        drop(to);
        let mut stream = RelayStream::new(input, pieces, None);
        let _ = poll_fn(|context| Pin::new(&mut stream).poll_shutdown(context)).await;
    }));
}
