//! Forward proxies on loopback: HTTP (CONNECT and absolute form) and SOCKS5, each with a password if wanted, and a
//! log of what they carried. Names that do not exist can be led to a given address, which proves the proxy's part.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What kind of proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Http,
    Socks5,
}

/// One request to the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Carried {
    /// CONNECT to `host:port`.
    Tunnel(String),
    /// A request with an absolute `http://` address, without its query.
    Forward(String),
    /// SOCKS5 with a name for the proxy to look up: what `socks5h` asks for.
    SocksName(String),
    /// SOCKS5 with an address that the client had looked up itself: what `socks5` asks for.
    SocksAddress(String),
    /// Refused: the log-in was missing or wrong.
    NoLogin,
    /// Refused with this status, as ordered.
    Refused(u16),
}

/// A running proxy; dropping it ends it.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    kind: Kind,
    login: Option<(String, String)>,
    lead_to: Option<SocketAddr>,
    refuse_with: Option<u16>,
    carried: Mutex<Vec<Carried>>,
    open: Mutex<Vec<TcpStream>>,
    stopping: AtomicBool,
}

/// A proxy that has not started.
pub(crate) struct ProxyBuilder {
    kind: Kind,
    login: Option<(String, String)>,
    lead_to: Option<SocketAddr>,
    refuse_with: Option<u16>,
}

impl ProxyBuilder {
    /// Asks for this user and password.
    pub(crate) fn login(mut self, user: &str, password: &str) -> Self {
        self.login = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Leads every request there, whatever name it has.
    pub(crate) fn lead_to(mut self, address: SocketAddr) -> Self {
        self.lead_to = Some(address);
        self
    }

    /// Answers every request with this status (for SOCKS5: with a general failure).
    pub(crate) fn refuse_with(mut self, status: u16) -> Self {
        self.refuse_with = Some(status);
        self
    }

    pub(crate) fn start(self) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let Self { kind, login, lead_to, refuse_with } = self;
        let shared = Arc::new(Shared {
            kind,
            login,
            lead_to,
            refuse_with,
            carried: Mutex::default(),
            open: Mutex::default(),
            stopping: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || accepting.accept_all(&listener));
        Proxy { address, shared }
    }
}

impl Proxy {
    pub(crate) fn http() -> ProxyBuilder {
        ProxyBuilder { kind: Kind::Http, login: None, lead_to: None, refuse_with: None }
    }

    pub(crate) fn socks5() -> ProxyBuilder {
        ProxyBuilder { kind: Kind::Socks5, login: None, lead_to: None, refuse_with: None }
    }

    /// Its address as `127.0.0.1:PORT`, to put a scheme and a log-in before.
    pub(crate) fn authority(&self) -> String {
        self.address.to_string()
    }

    /// What it was asked for, in order.
    pub(crate) fn carried(&self) -> Vec<Carried> {
        self.shared.carried.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        for stream in self.shared.open.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    fn accept_all(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            if self.stopping.load(Ordering::SeqCst) {
                return;
            }
            let Ok(stream) = stream else { continue };
            if let Ok(twin) = stream.try_clone() {
                self.open.lock().unwrap_or_else(PoisonError::into_inner).push(twin);
            }
            let shared = Arc::clone(self);
            std::thread::spawn(move || {
                let twin = stream.try_clone();
                // A client may leave at any point: that is no fault of the proxy.
                let _ = match shared.kind {
                    Kind::Http => shared.serve_http(stream),
                    Kind::Socks5 => shared.serve_socks(stream),
                };
                // By hand, since the list of open connections keeps it from ending by itself.
                drop(twin.map(|twin| twin.shutdown(Shutdown::Both)));
            });
        }
    }

    fn note(&self, carried: Carried) {
        self.carried.lock().unwrap_or_else(PoisonError::into_inner).push(carried);
    }

    fn connect(&self, target: &str) -> io::Result<TcpStream> {
        match self.lead_to {
            Some(address) => TcpStream::connect(address),
            None => TcpStream::connect(target),
        }
    }

    fn serve_http(&self, mut client: TcpStream) -> io::Result<()> {
        let head = read_until(&mut client, b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&head).into_owned();
        let mut lines = head.split("\r\n").filter(|line| !line.is_empty());
        let request = lines.next().unwrap_or_default().to_owned();
        let headers: Vec<_> = lines.collect();
        if !self.is_logged_in(&headers) {
            self.note(Carried::NoLogin);
            return client.write_all(
                b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"test\"\r\n\
                  Content-Length: 0\r\nConnection: close\r\n\r\n",
            );
        }
        if let Some(status) = self.refuse_with {
            self.note(Carried::Refused(status));
            let answer = format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            return client.write_all(answer.as_bytes());
        }
        let mut words = request.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if method == "CONNECT" {
            self.note(Carried::Tunnel(target.to_owned()));
            let server = self.connect(target)?;
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
            return pipe(client, server);
        }
        let Some((host, path)) = target.strip_prefix("http://").and_then(|rest| rest.split_once('/')) else {
            return client.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        };
        self.note(Carried::Forward(format!("http://{host}/{}", path.split('?').next().unwrap_or_default())));
        let mut server = self.connect(&if host.contains(':') { host.to_owned() } else { format!("{host}:80") })?;
        let mut onward = format!("{method} /{path} HTTP/1.1\r\n");
        let is_hop = |header: &str| header.starts_with("proxy-") || header.starts_with("connection:");
        for header in headers.iter().filter(|header| !is_hop(&header.to_ascii_lowercase())) {
            onward.push_str(&format!("{header}\r\n"));
        }
        // One request per connection: a second one would go through unread.
        onward.push_str("Connection: close\r\n");
        server.write_all(format!("{onward}\r\n").as_bytes())?;
        pipe(client, server)
    }

    fn is_logged_in(&self, headers: &[&str]) -> bool {
        let Some((user, password)) = &self.login else { return true };
        let wanted = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        headers
            .iter()
            .filter_map(|header| header.split_once(':'))
            .any(|(name, value)| name.eq_ignore_ascii_case("proxy-authorization") && value.trim() == wanted)
    }

    fn serve_socks(&self, mut client: TcpStream) -> io::Result<()> {
        let [_, count] = read_exactly(&mut client)?;
        let mut methods = vec![0; usize::from(count)];
        client.read_exact(&mut methods)?;
        let wanted = if self.login.is_some() { 2 } else { 0 };
        if !methods.contains(&wanted) {
            self.note(Carried::NoLogin);
            return client.write_all(&[5, 0xff]);
        }
        client.write_all(&[5, wanted])?;
        if let Some(login) = &self.login {
            let [_, length] = read_exactly(&mut client)?;
            let user = read_text(&mut client, length)?;
            let [length] = read_exactly(&mut client)?;
            let password = read_text(&mut client, length)?;
            if (&user, &password) != (&login.0, &login.1) {
                self.note(Carried::NoLogin);
                return client.write_all(&[1, 1]);
            }
            client.write_all(&[1, 0])?;
        }
        let [_, _, _, kind] = read_exactly(&mut client)?;
        let host = match kind {
            1 => std::net::Ipv4Addr::from(read_exactly::<4>(&mut client)?).to_string(),
            4 => format!("[{}]", std::net::Ipv6Addr::from(read_exactly::<16>(&mut client)?)),
            _ => {
                let [length] = read_exactly(&mut client)?;
                read_text(&mut client, length)?
            }
        };
        let target = format!("{host}:{}", u16::from_be_bytes(read_exactly(&mut client)?));
        if let Some(status) = self.refuse_with {
            self.note(Carried::Refused(status));
            return client.write_all(&[5, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
        }
        self.note(if kind == 3 { Carried::SocksName(target.clone()) } else { Carried::SocksAddress(target.clone()) });
        match self.connect(&target) {
            Ok(server) => {
                client.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0])?;
                pipe(client, server)
            }
            Err(_) => client.write_all(&[5, 5, 0, 1, 0, 0, 0, 0, 0, 0]),
        }
    }
}

fn read_exactly<const N: usize>(stream: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn read_text(stream: &mut TcpStream, length: u8) -> io::Result<String> {
    let mut bytes = vec![0; usize::from(length)];
    stream.read_exact(&mut bytes)?;
    String::from_utf8(bytes).map_err(io::Error::other)
}

/// Byte by byte, so that nothing beyond is taken from those who come after.
fn read_until(stream: &mut TcpStream, end: &[u8]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(end) {
        let [byte] = read_exactly(stream)?;
        bytes.push(byte);
    }
    Ok(bytes)
}

/// Both ways, until both have ended.
fn pipe(client: TcpStream, server: TcpStream) -> io::Result<()> {
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    let upward = std::thread::spawn(move || {
        let _ = io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let (mut from_server, mut to_client) = (server, client);
    let _ = io::copy(&mut from_server, &mut to_client);
    let _ = to_client.shutdown(Shutdown::Both);
    let _ = from_server.shutdown(Shutdown::Both);
    drop(upward.join());
    Ok(())
}
