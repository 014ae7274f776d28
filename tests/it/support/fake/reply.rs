//! The answers a test can script, honest and faulty, and how each is carried out on a connection.

use std::time::Duration;

use serde_json::{Value, json};

use super::wire::{Answer, Conn};

/// How to treat one request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// As WeCom would.
    Normal,
    /// Status 200 with this document; the request is not judged and nothing is delivered.
    Json(Value),
    /// Status 200 with this error; nothing is delivered.
    Errcode(i64, String),
    /// Any status, headers and body; nothing is delivered.
    Http { status: u16, headers: Vec<(String, String)>, body: Vec<u8> },
    /// A 302 to this address.
    Redirect(String),
    /// Leaves the body unread and says nothing until the server is dropped.
    HangBeforeReading,
    /// Reads all of the request and says nothing until the client leaves or the server is dropped.
    HangAfterReading,
    /// An RST once the head was read.
    ResetBefore,
    /// An RST once the whole request was read.
    ResetAfterReading,
    /// An orderly end without an answer.
    CloseAfterReading,
    /// The normal answer, and then the end, which nothing announces.
    CloseAfterAnswer,
    /// A body that is announced longer than it is.
    CutBody { declared: usize, sent: usize },
    /// A head that announces a body, and then the end.
    CutAfterHeaders,
    /// A head that announces a body, and then silence until the client leaves or the server is dropped.
    HangAfterHeaders,
    /// The normal answer, after a body read in pieces of at most 64 KiB with this pause before each.
    SlowRead(Duration),
    /// The normal answer, byte by byte.
    Drip(Duration),
    /// The normal answer in chunks of 7 bytes, without a Content-Length.
    Chunked,
    /// A success whose `errmsg` makes the body at least this long.
    Oversized(usize),
    /// The same without announcing its length.
    OversizedChunked(usize),
    /// A success that is not UTF-8.
    NotUtf8,
    /// Status 200 with the log-in page of a captive portal.
    PortalPage,
    /// On an aibot's connection: the inner one, as the answer to a request that nobody made.
    ToNobody(Box<Reply>),
    /// On an aibot's connection: this text as a frame, and then the inner one.
    AfterText(String, Box<Reply>),
    /// The inner one, later.
    Delay(Duration, Box<Reply>),
    /// Judges and delivers as WeCom would, then answers with the inner one: the answer that got lost.
    AcceptThen(Box<Reply>),
    /// The inner one; but first the world changes, once the request was judged.
    Meanwhile(Change, Box<Reply>),
}

/// What somebody else does while a client is at work.
#[derive(Debug, Clone)]
pub enum Change {
    /// Every token given out so far is unknown from now on (40014).
    RevokeTokens,
    /// The app's secret is another from now on: the old one is 40001, its tokens are 40014.
    RotateSecret { old: String, new: String },
    /// Every uploaded file is gone (40007).
    ExpireMedia,
    /// A member presses that key of the card that the aibot sent last.
    Press { aibot: String, key: String, userid: String },
    /// Somebody elsewhere takes the aibot over.
    Kick { aibot: String },
}

impl Reply {
    /// An error as WeCom words it.
    pub fn errcode(code: i64, errmsg: &str) -> Self {
        Self::Errcode(code, errmsg.to_owned())
    }

    /// A status with a short HTML body, as proxies give it.
    pub fn status(status: u16) -> Self {
        Self::Http {
            status,
            headers: vec![("Content-Type".into(), "text/html".into())],
            body: format!("<html><body><h1>{status}</h1></body></html>").into_bytes(),
        }
    }

    pub fn delayed(by: Duration, reply: Reply) -> Self {
        Self::Delay(by, Box::new(reply))
    }

    /// Delivered, but the client never learns of it.
    pub fn accept_then(reply: Reply) -> Self {
        Self::AcceptThen(Box::new(reply))
    }

    /// As WeCom would, and before the answer is there the world has changed.
    pub fn meanwhile(change: Change) -> Self {
        Self::Meanwhile(change, Box::new(Self::Normal))
    }

    /// What changes before it goes out.
    pub fn change(&self) -> Option<&Change> {
        match self {
            Self::Meanwhile(change, _) => Some(change),
            Self::Delay(_, inner) | Self::AcceptThen(inner) | Self::ToNobody(inner) | Self::AfterText(_, inner) => {
                inner.change()
            }
            _ => None,
        }
    }

    /// In words, for whoever watches.
    pub fn describe(&self) -> String {
        match self {
            Self::Http { status, .. } => format!("answered with HTTP {status}"),
            Self::Json(document) => format!("answered with {document}"),
            Self::Errcode(code, errmsg) => format!("answered with {code} {errmsg}"),
            Self::Delay(by, inner) => format!("{} after {by:?}", inner.describe()),
            Self::AcceptThen(inner) => format!("taken, but {}", inner.describe()),
            Self::Meanwhile(_, inner) => inner.describe(),
            Self::HangBeforeReading | Self::HangAfterReading => "not answered".into(),
            other => format!("{other:?}"),
        }
    }

    /// What goes back where the judged answer is that one: its body, or in words what happens in place of it.
    pub fn shown(&self, normal: &str) -> String {
        match self {
            Self::Normal | Self::CloseAfterAnswer | Self::SlowRead(_) | Self::Drip(_) | Self::Chunked => {
                normal.to_owned()
            }
            Self::Json(document) => document.to_string(),
            Self::Errcode(errcode, errmsg) => json!({"errcode": errcode, "errmsg": errmsg}).to_string(),
            Self::Delay(_, inner) | Self::AcceptThen(inner) | Self::Meanwhile(_, inner) => inner.shown(normal),
            other => other.describe(),
        }
    }

    /// Whether nothing comes back until somebody gives up.
    pub fn hangs(&self) -> bool {
        match self {
            Self::HangBeforeReading | Self::HangAfterReading | Self::HangAfterHeaders => true,
            Self::Delay(_, inner) | Self::AcceptThen(inner) | Self::Meanwhile(_, inner) => inner.hangs(),
            _ => false,
        }
    }

    /// Whether the body is to be left unread.
    pub fn skips_the_body(&self) -> bool {
        match self {
            Self::HangBeforeReading | Self::ResetBefore => true,
            Self::Delay(_, inner) | Self::Meanwhile(_, inner) => inner.skips_the_body(),
            _ => false,
        }
    }

    /// The pause before each piece of the body that is read.
    pub fn reads_slowly(&self) -> Option<Duration> {
        match self {
            Self::SlowRead(pause) => Some(*pause),
            _ => None,
        }
    }

    /// Whether the request is judged and what it asks for done.
    pub fn is_judged(&self) -> bool {
        match self {
            Self::Normal
            | Self::CloseAfterAnswer
            | Self::SlowRead(_)
            | Self::Drip(_)
            | Self::Chunked
            | Self::AcceptThen(_) => true,
            Self::Delay(_, inner) | Self::Meanwhile(_, inner) | Self::ToNobody(inner) | Self::AfterText(_, inner) => {
                inner.is_judged()
            }
            _ => false,
        }
    }
}

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    Keep,
    Close,
    Cut,
    Reset,
}

/// Carries a reply out. `normal` is the judged answer; `wait` sleeps and says whether the server goes on.
pub fn perform(reply: &Reply, conn: &mut Conn, normal: &Answer, wait: &dyn Fn(Option<Duration>) -> bool) -> After {
    match reply {
        Reply::Normal | Reply::SlowRead(_) => send(conn, normal.clone()),
        Reply::Json(value) => send(conn, Answer::json(value)),
        Reply::Errcode(code, text) => send(conn, Answer::json(&json!({"errcode": code, "errmsg": text}))),
        Reply::Http { status, headers, body } => {
            send(conn, Answer { status: *status, headers: headers.clone(), body: body.clone() })
        }
        Reply::Redirect(to) => {
            send(conn, Answer { status: 302, headers: vec![("Location".into(), to.clone())], body: Vec::new() })
        }
        Reply::HangBeforeReading => {
            wait(None);
            After::Cut
        }
        Reply::HangAfterReading => {
            conn.drain();
            After::Cut
        }
        Reply::ResetBefore | Reply::ResetAfterReading => After::Reset,
        Reply::CloseAfterReading => After::Close,
        Reply::CloseAfterAnswer => {
            send(conn, normal.clone());
            After::Close
        }
        Reply::CutBody { declared, sent } => {
            let answer = success(*sent);
            let mut bytes = answer.head(Some(*declared));
            bytes.extend_from_slice(&answer.body[..*sent]);
            write(conn, &bytes);
            After::Cut
        }
        Reply::CutAfterHeaders => {
            write(conn, &success(0).head(Some(100)));
            After::Cut
        }
        Reply::HangAfterHeaders => {
            write(conn, &success(0).head(Some(100)));
            conn.drain();
            After::Cut
        }
        Reply::Drip(every) => drip(conn, &normal.clone().closing(conn.is_closing()).to_bytes(), *every, wait),
        Reply::Chunked => chunked(conn, normal.clone(), 7),
        Reply::Oversized(size) => send(conn, success(*size)),
        Reply::OversizedChunked(size) => chunked(conn, success(*size), 64 * 1024),
        Reply::NotUtf8 => {
            send(conn, Answer::new(200, "application/json", &b"{\"errcode\":0,\"errmsg\":\"\xff\xfe\"}"[..]))
        }
        Reply::PortalPage => {
            let page = "<!DOCTYPE html><html><head><title>Log in to this network</title></head></html>";
            send(conn, Answer::new(200, "text/html", page))
        }
        Reply::Delay(by, inner) if wait(Some(*by)) => perform(inner, conn, normal, wait),
        Reply::Delay(..) => After::Cut,
        Reply::AcceptThen(inner) | Reply::Meanwhile(_, inner) | Reply::ToNobody(inner) | Reply::AfterText(_, inner) => {
            perform(inner, conn, normal, wait)
        }
    }
}

fn send(conn: &mut Conn, answer: Answer) -> After {
    let bytes = answer.closing(conn.is_closing()).to_bytes();
    write(conn, &bytes)
}

fn chunked(conn: &mut Conn, answer: Answer, size: usize) -> After {
    let bytes = answer.closing(conn.is_closing()).to_chunked_bytes(size);
    write(conn, &bytes)
}

fn write(conn: &mut Conn, bytes: &[u8]) -> After {
    if conn.send(bytes).is_ok() { After::Keep } else { After::Cut }
}

fn drip(conn: &mut Conn, bytes: &[u8], every: Duration, wait: &dyn Fn(Option<Duration>) -> bool) -> After {
    for byte in bytes {
        if !wait(Some(every)) || conn.send(&[*byte]).is_err() {
            return After::Cut;
        }
    }
    After::Keep
}

/// A success of at least that many bytes.
fn success(at_least: usize) -> Answer {
    Answer::json(&json!({"errcode": 0, "errmsg": "o".repeat(at_least.max(2))}))
}
