//! A connection that is subscribed: requests matched to their answers by `req_id`, events, heartbeat, end.
//!
//! A task of its own reads, writes and beats. It tells of each request how far it came, since exit codes depend on it: a
//! frame that was not written whole reached nobody.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _};
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout_at;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, Message};

use super::frame::{self, Frame};
use super::line::{ConnectionLine, Stage};
use super::press::AibotEvent;
use super::{PING, SUBSCRIBE};
use crate::api::{CallError, Client, Reply};
use crate::blocking::task;
use crate::clock::brief;
use crate::secret::Secret;

/// The time between two heartbeats; WeCom closes a connection that has none (document path 101463).
const BEAT: Duration = Duration::from_secs(30);

/// So many heartbeats without a frame from the server are the end.
const UNANSWERED_BEATS: u32 = 2;

/// A request that was not answered for so long, while no other one was either, tells of a session that is dead although its
/// heartbeats are answered, as after a takeover that was not told. The vendor's own client waits for 5 s.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long answers are waited for after a takeover was announced.
const LINGER: Duration = Duration::from_secs(1);

/// How long the server's close is waited for after the own one: it answers it at once or not at all.
const FAREWELL: Duration = Duration::from_millis(250);

/// Frames that wait to be written, in each of the two queues. A request waits for a place within its own time.
const QUEUE: usize = 16;

/// Events that nobody has taken yet. More are dropped: whoever holds a connection takes them at once.
const EVENTS: usize = 1024;

impl Client {
    /// Connects to WeCom at the base URL and subscribes. Another connection of the same bot is ended by this, and WeCom
    /// guards itself against frequent subscriptions: keep what this returns.
    ///
    /// # Errors
    ///
    /// 853000 for a wrong id or secret, 846601 for a bot that is not in the long-connection mode; see [`CallError`]. No
    /// message was on its way: that no answer came is [`CallError::Unreached`] here.
    pub(crate) async fn connect_aibot(
        &self,
        bot_id: &str,
        secret: &Secret,
    ) -> Result<(Connection, AibotEvents), CallError> {
        self.mask.add(secret);
        let begun = async {
            let stream = self.open_websocket().await?;
            let (connection, events) = start(self.clone(), stream, BEAT, PATIENCE);
            let until = (Instant::now() + self.options.timeout).min(self.options.deadline);
            let body = json!({ "bot_id": bot_id, "secret": secret.expose() });
            connection.request(SUBSCRIBE, body, until).await?;
            connection.line.state().is_subscribed = true;
            Ok((connection, events))
        };
        begun.await.map_err(|error| match error {
            CallError::Silent { what, limit } | CallError::Cut { what, limit } => {
                CallError::Unreached { what, limit, refused_by: None }
            }
            error => error,
        })
    }
}

/// A connection; clones share it. It ends when the last clone is dropped.
#[derive(Clone)]
pub(crate) struct Connection {
    line: Arc<ConnectionLine>,
    /// Answers to events have a time limit at WeCom, so they go before other frames.
    urgent: mpsc::Sender<Outgoing>,
    requests: mpsc::Sender<Outgoing>,
}

/// What comes unasked, in its order.
pub(crate) struct AibotEvents {
    received: mpsc::Receiver<AibotEvent>,
    line: Arc<ConnectionLine>,
    is_over: bool,
}

struct Outgoing {
    req_id: String,
    frame: String,
}

impl Connection {
    /// Sends a request under a `req_id` of its own; returns WeCom's answer, with the fields of its `body`.
    ///
    /// # Errors
    ///
    /// [`CallError::Unreached`] where the frame was not written whole, [`CallError::Silent`] where it was and no answer
    /// came until `until`.
    pub(crate) async fn request(&self, cmd: &str, body: Value, until: Instant) -> Result<Reply, CallError> {
        let req_id = format!("{cmd}_{:016x}", fastrand::u64(..));
        self.exchange(&req_id, cmd, body, until, false).await
    }

    /// Answers an event under its `req_id`, before requests that wait. There is one frame at a time under one `req_id`: a
    /// second one waits for the answer to the first.
    ///
    /// # Errors
    ///
    /// As [`Connection::request`]; 846604 where the time for an answer is over, 846606 where there was one already.
    pub(crate) async fn respond(
        &self,
        req_id: &str,
        cmd: &str,
        body: Value,
        until: Instant,
    ) -> Result<Reply, CallError> {
        self.exchange(req_id, cmd, body, until, true).await
    }

    /// Why it has ended, if it has. Requests fail with that.
    pub(crate) fn end(&self) -> Option<String> {
        self.line.state().end.clone()
    }

    /// Whether it has ended because requests got no answer, as after a takeover that was not told.
    pub(crate) fn is_unanswered(&self) -> bool {
        self.line.state().is_unanswered
    }

    /// Closes the connection for all clones, and waits until that is done. Requests under way get no answer.
    pub(crate) async fn close(self) {
        self.line.closing.notify_one();
        self.requests.closed().await;
    }

    async fn exchange(
        &self,
        req_id: &str,
        cmd: &str,
        body: Value,
        until: Instant,
        is_shared: bool,
    ) -> Result<Reply, CallError> {
        let began = Instant::now();
        let judged = self.answer_to(req_id, cmd, body, until, is_shared).await;
        let ended = match &judged {
            Ok(reply) => format!("errcode 0 {}", reply.answer.errmsg),
            Err(CallError::Rejected(Reply { answer, .. })) => format!("errcode {} {}", answer.errcode, answer.errmsg),
            Err(error) => error.to_string(),
        };
        let spent = began.elapsed().as_millis();
        self.line.detail(&format!("{cmd}: {ended} ({spent} ms)"));
        judged
    }

    async fn answer_to(
        &self,
        req_id: &str,
        cmd: &str,
        body: Value,
        until: Instant,
        is_shared: bool,
    ) -> Result<Reply, CallError> {
        let line = &self.line;
        let began = Instant::now();
        let place = timeout_at(until.into(), line.place(req_id, is_shared)).await;
        let mut place = place.map_err(|_| line.too_late(Stage::Queued, began))??;
        let outgoing = Outgoing { req_id: req_id.to_owned(), frame: frame::request(cmd, req_id, Some(body)) };
        let queue = if is_shared { &self.urgent } else { &self.requests };
        let answered = timeout_at(until.into(), async {
            // That the task has ended is seen by the answer, which never comes.
            let _ = queue.send(outgoing).await;
            (&mut place.answer).await
        });
        match answered.await {
            Ok(Ok(bytes)) => line.judged(&bytes),
            Ok(Err(_)) => Err(line.ended(place.stage())),
            Err(_) => {
                line.doubt(place.stage());
                Err(line.too_late(place.stage(), began))
            }
        }
    }
}

impl AibotEvents {
    /// The next event. The last one is [`AibotEvent::Kicked`] or [`AibotEvent::Closed`], and is given again after that.
    pub(crate) async fn next(&mut self) -> AibotEvent {
        if !self.is_over {
            if let Some(event) = self.received.recv().await {
                return event;
            }
            self.is_over = true;
        }
        let state = self.line.state();
        if state.is_kicked {
            return AibotEvent::Kicked;
        }
        AibotEvent::Closed(state.end.clone().unwrap_or_default())
    }
}

/// Starts the task of a connection.
pub(super) fn start<S>(
    client: Client,
    stream: WebSocketStream<S>,
    beat: Duration,
    patience: Duration,
) -> (Connection, AibotEvents)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let line = Arc::new(ConnectionLine::new(client, patience));
    let (urgent, urgent_frames) = mpsc::channel(QUEUE);
    let (requests, frames) = mpsc::channel(QUEUE);
    let (events, received) = mpsc::channel(EVENTS);
    tokio::spawn(task(run(Arc::clone(&line), stream, urgent_frames, frames, events, beat)));
    let connection = Connection { line: Arc::clone(&line), urgent, requests };
    (connection, AibotEvents { received, line, is_over: false })
}

/// Why a connection ends.
enum End {
    /// The last handle is gone, or one asked for it.
    Wanted,
    /// Another connection has taken the bot over.
    Kicked,
    /// The server closed it, or the network failed, or nothing is heard any more.
    Lost(String),
}

/// The life of a connection.
async fn run<S>(
    line: Arc<ConnectionLine>,
    stream: WebSocketStream<S>,
    mut urgent: mpsc::Receiver<Outgoing>,
    mut frames: mpsc::Receiver<Outgoing>,
    events: mpsc::Sender<AibotEvent>,
    beat: Duration,
) where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (mut sink, mut stream) = stream.split();
    let pings = Notify::new();
    let end = tokio::select! {
        end = write(&line, &mut sink, &mut urgent, &mut frames, &pings) => end,
        end = read(&line, &mut stream, &events) => end,
        end = heartbeat(&line, &pings, beat) => end,
        () = line.closing.notified() => End::Wanted,
    };
    let (why, may_linger) = match &end {
        End::Wanted => ("it was closed here".to_owned(), false),
        End::Kicked => ("another connection has taken this aibot over".to_owned(), true),
        End::Lost(why) => (why.clone(), false),
    };
    line.set_end(&why);
    if may_linger {
        line.state().is_kicked = true;
        let _ = events.try_send(AibotEvent::Kicked);
        // Answers that are under way still count.
        let rest = async { while line.is_awaited() && read_frame(&line, &mut stream, &events).await.is_ok() {} };
        let _ = tokio::time::timeout(LINGER, rest).await;
    }
    // A close would bring the rest of a frame along.
    let is_whole = !line.has_begun();
    line.give_up();
    drop((urgent, events));
    if is_whole && !matches!(end, End::Lost(_)) {
        let close = async {
            sink.close().await?;
            while stream.next().await.transpose()?.is_some() {}
            Ok::<_, tungstenite::Error>(())
        };
        let _ = tokio::time::timeout(FAREWELL, close).await;
    }
    // Whoever waits for the end sees that this is gone.
    drop(frames);
}

/// Writes what is asked for, one frame after the other.
async fn write(
    line: &ConnectionLine,
    sink: &mut (impl Sink<Message, Error = tungstenite::Error> + Unpin),
    urgent: &mut mpsc::Receiver<Outgoing>,
    frames: &mut mpsc::Receiver<Outgoing>,
    pings: &Notify,
) -> End {
    loop {
        let outgoing = tokio::select! {
            biased;
            () = pings.notified() => {
                let req_id = format!("{PING}_{:016x}", fastrand::u64(..));
                Ok(frame::request(PING, &req_id, None))
            }
            outgoing = urgent.recv() => Err(outgoing),
            outgoing = frames.recv() => Err(outgoing),
        };
        let sent = match outgoing {
            Ok(ping) => sink.send(Message::text(ping)).await,
            // All handles are gone, and with them the requests.
            Err(None) => return End::Wanted,
            Err(Some(Outgoing { req_id, frame })) => {
                if !line.begin(&req_id) {
                    continue;
                }
                let sent = sink.send(Message::text(frame)).await;
                if sent.is_ok() {
                    line.written(&req_id);
                }
                sent
            }
        };
        if let Err(error) = sent {
            return End::Lost(error.to_string());
        }
    }
}

/// Reads until the connection ends.
async fn read(
    line: &ConnectionLine,
    stream: &mut (impl Stream<Item = tungstenite::Result<Message>> + Unpin),
    events: &mpsc::Sender<AibotEvent>,
) -> End {
    loop {
        if let Err(end) = read_frame(line, stream, events).await {
            return end;
        }
    }
}

async fn read_frame(
    line: &ConnectionLine,
    stream: &mut (impl Stream<Item = tungstenite::Result<Message>> + Unpin),
    events: &mpsc::Sender<AibotEvent>,
) -> Result<(), End> {
    let bytes = match stream.next().await {
        Some(Ok(Message::Text(text))) => text.as_bytes().to_vec(),
        Some(Ok(Message::Binary(bytes))) => bytes.to_vec(),
        Some(Ok(Message::Close(frame))) => {
            let said = frame.map(|frame| format!(": {} {}", u16::from(frame.code), frame.reason.trim()));
            return Err(End::Lost(format!("the server closed the connection{}", said.unwrap_or_default())));
        }
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => return Ok(()),
        Some(Err(error)) => return Err(End::Lost(error.to_string())),
        None => return Err(End::Lost("the server closed the connection".to_owned())),
    };
    line.state().has_heard = true;
    match frame::read(&bytes) {
        Frame::Answer(req_id) => line.answered(req_id, bytes),
        Frame::Event(AibotEvent::Kicked) => return Err(End::Kicked),
        Frame::Event(event) => {
            if events.try_send(event).is_err() {
                line.detail("an event that nobody takes");
            }
        }
        Frame::Unused(what) => line.detail(&format!("{what}, which is not used")),
    }
    Ok(())
}

/// Asks for a ping after each beat; returns when nothing was heard for too many of them.
async fn heartbeat(line: &ConnectionLine, pings: &Notify, beat: Duration) -> End {
    let mut unanswered = 0;
    loop {
        tokio::time::sleep(beat).await;
        if std::mem::take(&mut line.state().has_heard) {
            unanswered = 0;
        }
        if unanswered == UNANSWERED_BEATS {
            return End::Lost(format!("the server has answered nothing for {}", brief(beat * (UNANSWERED_BEATS + 1))));
        }
        unanswered += 1;
        pings.notify_one();
    }
}
