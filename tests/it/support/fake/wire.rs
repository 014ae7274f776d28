//! HTTP/1.1 on a connection: reads requests as they come, writes answers, breaks connections on purpose.
//! Knows nothing of WeCom. What is odd about a request is noted, not refused.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

/// Longer heads are refused.
const HEAD_LIMIT: usize = 64 * 1024;

/// Longer bodies are refused: the largest honest one is an upload of 20 MiB with its wrapping.
const BODY_LIMIT: usize = 25 * 1024 * 1024;

/// A server's end of a TLS session.
pub type TlsStream = rustls::StreamOwned<rustls::ServerConnection, TcpStream>;

/// What bytes go through.
pub enum Link {
    Plain(TcpStream),
    Tls(Box<TlsStream>),
}

impl Link {
    pub fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => &tls.sock,
        }
    }
}

impl Read for Link {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(buf),
            Self::Tls(tls) => tls.read(buf),
        }
    }
}

impl Write for Link {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.write(buf),
            Self::Tls(tls) => tls.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.flush(),
            Self::Tls(tls) => tls.flush(),
        }
    }
}

/// The first part of a request: its line and its header lines.
#[derive(Debug, Clone, Default)]
pub struct Head {
    pub method: String,
    pub target: String,
    pub version: String,
    /// Names in lower case, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// What no careful client writes.
    pub oddities: Vec<String>,
}

impl Head {
    /// The first header of that lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Whether the body comes in chunks of unannounced total length.
    pub fn is_chunked(&self) -> bool {
        self.header("transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked"))
    }

    /// Whether the client wants the connection closed after the answer.
    fn wants_close(&self) -> bool {
        self.version == "HTTP/1.0" || self.header("connection").is_some_and(|v| v.eq_ignore_ascii_case("close"))
    }

    fn parse(block: &[u8]) -> Self {
        let mut head = Self::default();
        let text = String::from_utf8_lossy(block);
        if text.contains('\u{fffd}') {
            head.oddities.push("the head of the request is not UTF-8".into());
        }
        let mut lines = text.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let mut word = || words.next().unwrap_or_default().to_owned();
        (head.method, head.target, head.version) = (word(), word(), word());
        if words.next().is_some() || !head.version.starts_with("HTTP/1.") {
            head.oddities.push("the request line is malformed".into());
        }
        for line in lines {
            match line.split_once(':') {
                Some((name, value)) if !line.contains(['\n', '\r']) => {
                    head.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
                }
                _ => head.oddities.push(format!("malformed header line {line:?}")),
            }
        }
        head
    }
}

/// One connection, with what was read beyond the request at hand.
pub struct Conn {
    link: Link,
    ahead: Vec<u8>,
    /// Whether the client asked for an end after the answer.
    closing: bool,
}

impl Conn {
    pub fn new(link: Link) -> Self {
        Self { link, ahead: Vec::new(), closing: false }
    }

    /// The next request's head; `None` when the client has left.
    pub fn read_head(&mut self) -> io::Result<Option<Head>> {
        loop {
            if let Some(end) = find(&self.ahead, b"\r\n\r\n") {
                let rest = self.ahead.split_off(end + 4);
                let block = std::mem::replace(&mut self.ahead, rest);
                let head = Head::parse(&block[..end]);
                self.closing = head.wants_close();
                return Ok(Some(head));
            }
            if self.ahead.len() > HEAD_LIMIT {
                return Err(io::Error::other("head too long"));
            }
            if !self.read_more()? {
                return Ok(None);
            }
        }
    }

    /// The body that belongs to that head.
    pub fn read_body(&mut self, head: &Head) -> io::Result<Vec<u8>> {
        if head.is_chunked() {
            return self.read_chunks();
        }
        let length = head.header("content-length").map_or(Ok(0), str::parse::<usize>).map_err(io::Error::other)?;
        self.take(length)
    }

    /// The same in small pieces, each after a pause that says whether to go on.
    pub fn read_body_slowly(&mut self, head: &Head, pause: &dyn Fn() -> bool) -> io::Result<Vec<u8>> {
        let length = head.header("content-length").map_or(Ok(0), str::parse::<usize>).map_err(io::Error::other)?;
        let mut had = self.ahead.len();
        while self.ahead.len() < length && pause() {
            while self.ahead.len() < length.min(had + 64 * 1024) && self.read_more()? {}
            if self.ahead.len() == had {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            had = self.ahead.len();
        }
        self.take(length)
    }

    /// The connection for another protocol, with what was read ahead.
    pub fn into_parts(self) -> (Link, Vec<u8>) {
        (self.link, self.ahead)
    }

    /// Whether the connection is to end with the next answer.
    pub fn is_closing(&self) -> bool {
        self.closing
    }

    /// Writes all of it at once.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.link.write_all(bytes)?;
        self.link.flush()
    }

    /// Reads and forgets until the client leaves.
    pub fn drain(&mut self) {
        let mut waste = [0; 16 * 1024];
        while matches!(self.link.read(&mut waste), Ok(n) if n > 0) {}
    }

    /// Ends the connection as a well-behaved server does.
    pub fn close(mut self) {
        if let Link::Tls(tls) = &mut self.link {
            tls.conn.send_close_notify();
            let _ = tls.flush();
        }
        let _ = self.link.tcp().shutdown(Shutdown::Write);
    }

    /// Ends the connection without the good-bye that TLS asks for.
    pub fn cut(self) {
        let _ = self.link.tcp().shutdown(Shutdown::Both);
    }

    /// Ends the connection with an RST.
    pub fn reset(self) {
        reset(self.link.tcp());
    }

    fn read_more(&mut self) -> io::Result<bool> {
        let mut piece = [0; 16 * 1024];
        let got = self.link.read(&mut piece)?;
        self.ahead.extend_from_slice(&piece[..got]);
        Ok(got > 0)
    }

    fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        if length > BODY_LIMIT {
            return Err(io::Error::other("body too long"));
        }
        while self.ahead.len() < length {
            if !self.read_more()? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let rest = self.ahead.split_off(length);
        Ok(std::mem::replace(&mut self.ahead, rest))
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = find(&self.ahead, b"\r\n") {
                let line = self.take(end + 2)?;
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            if self.ahead.len() > HEAD_LIMIT || !self.read_more()? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    fn read_chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
            if size == 0 {
                while !self.line()?.is_empty() {}
                return Ok(body);
            }
            if body.len() + size > BODY_LIMIT {
                return Err(io::Error::other("body too long"));
            }
            body.extend(self.take(size)?);
            self.line()?;
        }
    }
}

/// Ends a connection with an RST, whoever else holds it.
pub fn reset(tcp: &TcpStream) {
    if let Ok(tcp) = tcp.try_clone() {
        // The only safe way to this socket option on a stable compiler without one more dependency.
        let socket = tokio::net::TcpSocket::from_std_stream(tcp);
        let _ = socket.set_zero_linger();
    }
}

/// An answer: status, header lines, body.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("Content-Type".into(), content_type.into())], body: body.into() }
    }

    pub fn json(value: &serde_json::Value) -> Self {
        Self::new(200, "application/json; charset=UTF-8", value.to_string())
    }

    /// Tells the time, by a clock that is so many seconds ahead of this machine's.
    pub fn dated(mut self, ahead_s: i64) -> Self {
        let now = chrono::Utc::now() + chrono::TimeDelta::seconds(ahead_s);
        self.headers.push(("Date".into(), now.format("%a, %d %b %Y %H:%M:%S GMT").to_string()));
        self
    }

    /// Says that the connection ends with this answer.
    pub fn closing(mut self, is_closing: bool) -> Self {
        if is_closing {
            self.headers.push(("Connection".into(), "close".into()));
        }
        self
    }

    /// The bytes of the answer with a Content-Length.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.head(Some(self.body.len()));
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// The bytes of the answer in chunks of at most that many bytes.
    pub fn to_chunked_bytes(&self, size: usize) -> Vec<u8> {
        let mut bytes = self.head(None);
        for piece in self.body.chunks(size.max(1)) {
            bytes.extend(format!("{:x}\r\n", piece.len()).into_bytes());
            bytes.extend_from_slice(piece);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
        bytes
    }

    /// The head alone, announcing that many bytes, or chunks.
    pub fn head(&self, length: Option<usize>) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        match length {
            // Another protocol follows, not a body.
            _ if self.status == 101 => head.push_str("\r\n"),
            Some(length) => head.push_str(&format!("Content-Length: {length}\r\n\r\n")),
            None => head.push_str("Transfer-Encoding: chunked\r\n\r\n"),
        }
        head.into_bytes()
    }
}

/// Where one run of bytes begins in another.
pub fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    // By the first byte: comparing a window at every byte of a 20 MiB upload takes a second without optimisation.
    while let Some(step) = hay[from..].iter().position(|byte| *byte == first) {
        if hay[from + step..].starts_with(needle) {
            return Some(from + step);
        }
        from += step + 1;
    }
    None
}

fn reason(status: u16) -> &'static str {
    match status {
        101 => "Switching Protocols",
        200 => "OK",
        204 => "No Content",
        301 | 302 | 303 | 307 | 308 => "Redirect",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        407 => "Proxy Authentication Required",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}
