//! The WebSocket of an aibot: takes the upgrade, reads frames, has them judged, and sends what is due.

use std::io;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Error, Message, WebSocket};

use super::super::judge;
use super::super::manners;
use super::super::records::{Endpoint, Event, Outcome, Seen};
use super::super::reply::Reply;
use super::super::server::{Shared, lock};
use super::super::wire::{Answer, Conn, Head, Link, reset};
use super::super::world::World;
use super::SILENCE_LIMIT;

/// How often a connection looks whether something is to go out.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A chunk of 512 KiB in base64 with its wrapping fits.
const FRAME_LIMIT: usize = 1024 * 1024;

/// What is to go out on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Out {
    Text(String),
    Binary(Vec<u8>),
    /// The good-bye of the protocol.
    Close,
    /// An end without a good-bye.
    Cut,
    Reset,
}

/// One open connection.
#[derive(Debug)]
pub struct Socket {
    /// Heartbeats are answered; nothing else comes or is taken.
    pub is_half_dead: bool,
    /// Not even heartbeats are answered.
    pub is_silent: bool,
    pub last_frame: Instant,
    /// With the time from which each may go.
    out: Vec<(Instant, Out)>,
}

impl Socket {
    fn new() -> Self {
        Self { is_half_dead: false, is_silent: false, last_frame: Instant::now(), out: Vec::new() }
    }

    pub fn put(&mut self, due: Instant, out: Out) {
        self.out.push((due, out));
    }

    /// The first of those whose time has come.
    fn due(&mut self) -> Option<Out> {
        let now = Instant::now();
        let first = self.out.iter().position(|(due, _)| *due <= now)?;
        Some(self.out.remove(first).1)
    }
}

/// The answer to an upgrade that is as it should be; else what is wrong with it.
pub fn accept(head: &Head) -> Result<Answer, String> {
    let is = |name: &str, wanted: &str| head.header(name).is_some_and(|value| value.eq_ignore_ascii_case(wanted));
    let connection = head.header("connection").unwrap_or_default();
    if !connection.split(',').any(|part| part.trim().eq_ignore_ascii_case("upgrade")) {
        return Err("an upgrade without Connection: Upgrade".into());
    }
    if !is("upgrade", "websocket") || !is("sec-websocket-version", "13") {
        return Err("an upgrade to something else than WebSocket 13".into());
    }
    let key = head.header("sec-websocket-key").unwrap_or_default();
    if STANDARD.decode(key).map_or(0, |key| key.len()) != 16 {
        return Err("Sec-WebSocket-Key is not 16 bytes in base64".into());
    }
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let accept = derive_accept_key(key.as_bytes());
    let headers =
        vec![pair("Connection", "Upgrade"), pair("Upgrade", "websocket"), pair("Sec-WebSocket-Accept", &accept)];
    Ok(Answer { status: 101, headers, body: Vec::new() })
}

/// Serves an upgraded connection until it ends.
pub fn serve(shared: &Shared, conn: Conn, number: usize) {
    let (link, ahead) = conn.into_parts();
    let tcp = link.tcp().try_clone();
    if tcp.as_ref().is_ok_and(|tcp| tcp.set_read_timeout(Some(LOOK_EVERY)).is_err()) {
        return;
    }
    lock(&shared.world).aibots.sockets.insert(number, Socket::new());
    let config = WebSocketConfig::default().max_message_size(Some(FRAME_LIMIT)).max_frame_size(Some(FRAME_LIMIT));
    let mut socket = WebSocket::from_partially_read(link, ahead, Role::Server, Some(config));
    // A good-bye that nobody answers ends too.
    let mut closing: Option<Instant> = None;
    loop {
        match send_due(shared, &mut socket, number) {
            Ok(Some(Out::Close)) => closing = Some(Instant::now()),
            Ok(Some(Out::Reset)) => {
                if let Ok(tcp) = &tcp {
                    reset(tcp);
                }
                break;
            }
            Ok(Some(_)) | Err(_) => break,
            Ok(None) => {}
        }
        if closing.is_some_and(|since| since.elapsed() > Duration::from_secs(5)) {
            break;
        }
        match socket.read() {
            Ok(message) => take(shared, &message, number),
            Err(Error::Io(error)) if is_pause(&error) => {}
            Err(_) => break,
        }
        let mut world = lock(&shared.world);
        let limit = world.aibots.silence_limit.unwrap_or(SILENCE_LIMIT);
        if let Some(socket) = world.aibots.sockets.get_mut(&number)
            && closing.is_none()
            && socket.last_frame.elapsed() > limit
        {
            socket.put(Instant::now(), Out::Close);
            socket.last_frame = Instant::now();
        }
    }
    let mut world = lock(&shared.world);
    world.aibots.sockets.remove(&number);
    if let Some(index) = world.aibots.subscribed_on(number) {
        world.aibots.bots[index].current = None;
    }
    drop(world);
    if let Ok(tcp) = tcp {
        let _ = tcp.shutdown(std::net::Shutdown::Both);
    }
}

fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// Sends what is due; gives what is not a frame.
fn send_due(shared: &Shared, socket: &mut WebSocket<Link>, number: usize) -> Result<Option<Out>, Error> {
    loop {
        let out = lock(&shared.world).aibots.sockets.get_mut(&number).and_then(Socket::due);
        match out {
            None => return Ok(None),
            Some(Out::Text(text)) => socket.send(Message::text(text))?,
            Some(Out::Binary(bytes)) => socket.send(Message::binary(bytes))?,
            Some(Out::Close) => {
                socket.close(None)?;
                return Ok(Some(Out::Close));
            }
            Some(other) => return Ok(Some(other)),
        }
    }
}

fn take(shared: &Shared, message: &Message, number: usize) {
    if let Some(socket) = lock(&shared.world).aibots.sockets.get_mut(&number) {
        socket.last_frame = Instant::now();
    }
    let complaint = match message {
        Message::Text(text) => return take_frame(shared, text.as_str(), number),
        Message::Binary(_) => "a binary frame: WeCom reads JSON text",
        Message::Ping(_) => "a ping of the WebSocket: WeCom's heartbeat is a frame with cmd ping",
        _ => return,
    };
    lock(&shared.world).complaints.push(format!("aibot: {complaint}"));
}

/// A frame by its parts.
struct Frame {
    endpoint: Endpoint,
    cmd: String,
    req_id: String,
    body: Option<Value>,
    /// What makes it no frame at all.
    defect: Option<String>,
}

impl Frame {
    fn read(text: &str, complaints: &mut Vec<String>) -> Self {
        let value = serde_json::from_str::<Value>(text).unwrap_or_default();
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (cmd, req_id) = (word(&value["cmd"]), word(&value["headers"]["req_id"]));
        let is_frame = |endpoint: &Endpoint| endpoint.is_frame() && endpoint.name() == cmd;
        let endpoint = Endpoint::KNOWN.into_iter().find(is_frame).unwrap_or(Endpoint::Other);
        let defect = match &value {
            Value::Object(_) if cmd.is_empty() => Some("a frame without cmd".to_owned()),
            Value::Object(_) if req_id.is_empty() => Some(format!("{cmd} without headers.req_id")),
            Value::Object(_) if endpoint == Endpoint::Other => Some(format!("nobody expected the cmd {cmd}")),
            Value::Object(_) if value.get("body").is_some_and(|body| !body.is_object()) => {
                Some(format!("the body of {cmd} is not an object"))
            }
            Value::Object(_) => None,
            _ => Some("a frame that is not a JSON object".to_owned()),
        };
        for (place, allowed) in [(&value, &["cmd", "headers", "body"][..]), (&value["headers"], &["req_id"])] {
            let names = place.as_object().into_iter().flat_map(|map| map.keys());
            for name in names.filter(|name| !allowed.contains(&name.as_str())) {
                complaints.push(format!("{name} is not a field of a frame"));
            }
        }
        Self { endpoint, cmd, req_id, body: value.get("body").cloned(), defect }
    }
}

fn take_frame(shared: &Shared, text: &str, number: usize) {
    let mut complaints = Vec::new();
    let frame = Frame::read(text, &mut complaints);
    let reply = lock(&shared.script).reply(frame.endpoint);
    let mut seen = Seen {
        endpoint: frame.endpoint,
        method: "FRAME".into(),
        path: frame.cmd.clone(),
        query: Vec::new(),
        target: frame.cmd.clone(),
        headers: vec![("req_id".into(), frame.req_id.clone())],
        body: frame.body.as_ref().map(Value::to_string).unwrap_or_default().into_bytes(),
        chunked: false,
        at: Instant::now(),
        connection: number,
        outcome: Outcome::Fault(reply.describe()),
    };
    let mut world = lock(&shared.world);
    let half_dead = world.aibots.sockets.get(&number).map(|socket| (socket.is_half_dead, socket.is_silent));
    let is_deaf = matches!(half_dead, Some((_, true)) | None)
        || half_dead.is_some_and(|(half, _)| half) && frame.endpoint != Endpoint::AibotPing;
    manners::inspect_frame(&seen, text, &world.secrets(), &mut complaints);
    let mut normal = json!({"errcode": 40058, "errmsg": "invalid frame"});
    if is_deaf {
        seen.outcome = Outcome::Fault("the connection is half-dead".into());
    } else if let Some(defect) = &frame.defect {
        complaints.push(defect.clone());
        seen.outcome = Outcome::Refused { errcode: 40058, errmsg: defect.clone() };
    } else if reply.is_judged() {
        let verdict = judge::judge(&mut world, &seen, &mut complaints);
        normal = verdict.json;
        seen.outcome = verdict.outcome;
    } else if let Reply::Errcode(errcode, errmsg) = &reply {
        seen.outcome = Outcome::Refused { errcode: *errcode, errmsg: errmsg.clone() };
    }
    let name = if frame.cmd.is_empty() { "frame" } else { frame.cmd.as_str() };
    world.complaints.extend(complaints.iter().map(|complaint| format!("aibot {name}: {complaint}")));
    if let Some(change) = reply.change().filter(|_| !is_deaf) {
        world.change(change);
    }
    if !is_deaf {
        answer(&mut world, number, &frame.req_id, &reply, &normal, Instant::now());
    }
    shorten(&mut seen);
    world.seen.push(seen.clone());
    drop(world);
    if let Some(watcher) = &shared.watcher {
        let answer = if is_deaf { String::new() } else { reply.shown(&normal.to_string()) };
        watcher(&Event { seen: &seen, complaints: &complaints, answer: &answer });
    }
}

/// Puts the answer on its way, or does what the script has in its place.
fn answer(world: &mut World, number: usize, req_id: &str, reply: &Reply, normal: &Value, due: Instant) {
    let Some(socket) = world.aibots.sockets.get_mut(&number) else { return };
    let with_id = |value: &Value, req_id: &str| {
        let mut answer = json!({"headers": {"req_id": req_id}});
        if let (Some(answer), Some(fields)) = (answer.as_object_mut(), value.as_object()) {
            answer.extend(fields.clone());
        }
        Out::Text(answer.to_string())
    };
    match reply {
        Reply::Normal | Reply::SlowRead(_) | Reply::Drip(_) | Reply::Chunked => {
            socket.put(due, with_id(normal, req_id));
        }
        Reply::Json(value) => socket.put(due, with_id(value, req_id)),
        Reply::Errcode(code, text) => socket.put(due, with_id(&json!({"errcode": code, "errmsg": text}), req_id)),
        Reply::Delay(by, inner) => answer(world, number, req_id, inner, normal, due + *by),
        Reply::AcceptThen(inner) | Reply::Meanwhile(_, inner) => answer(world, number, req_id, inner, normal, due),
        Reply::ToNobody(inner) => answer(world, number, "req-id-of-nobody", inner, normal, due),
        Reply::AfterText(text, inner) => {
            socket.put(due, Out::Text(text.clone()));
            answer(world, number, req_id, inner, normal, due);
        }
        Reply::HangBeforeReading | Reply::HangAfterReading | Reply::HangAfterHeaders => {}
        Reply::ResetBefore | Reply::ResetAfterReading => socket.put(due, Out::Reset),
        Reply::CloseAfterReading => socket.put(due, Out::Close),
        Reply::CloseAfterAnswer => {
            socket.put(due, with_id(normal, req_id));
            socket.put(due, Out::Close);
        }
        Reply::CutBody { .. } | Reply::CutAfterHeaders => socket.put(due, Out::Cut),
        Reply::Oversized(size) | Reply::OversizedChunked(size) => {
            socket.put(due, with_id(&json!({"errcode": 0, "errmsg": "o".repeat(*size)}), req_id));
        }
        Reply::NotUtf8 => socket.put(due, Out::Binary(b"{\"errcode\":0,\"errmsg\":\"\xff\xfe\"}".to_vec())),
        // What only HTTP has comes as the text of a frame that is no JSON.
        Reply::Http { body, .. } => socket.put(due, Out::Text(String::from_utf8_lossy(body).into_owned())),
        Reply::Redirect(to) => socket.put(due, Out::Text(to.clone())),
        Reply::PortalPage => socket.put(due, Out::Text("<!DOCTYPE html>".into())),
    }
}

/// A hundred chunks of half a megabyte are not worth keeping twice.
fn shorten(seen: &mut Seen) {
    if seen.endpoint == Endpoint::AibotUploadChunk {
        let mut body = serde_json::from_slice::<Value>(&seen.body).unwrap_or_default();
        let length = body["base64_data"].as_str().map_or(0, str::len);
        if body.is_object() {
            body["base64_data"] = json!(format!("({length} bytes)"));
        }
        seen.body = body.to_string().into_bytes();
    }
}
