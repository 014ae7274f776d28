//! The threads behind the fake: one accepts, one per connection reads, records, judges and answers.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::aibot;
use super::judge;
use super::manners;
use super::records::{Endpoint, Event, Outcome, Seen};
use super::reply::{After, Reply, perform};
use super::wire::{Answer, Conn, Head, Link};
use super::world::World;

/// What to do with a connection before anything is read from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConnect {
    Serve,
    /// An RST at once.
    Reset,
    /// An orderly end at once.
    Close,
    /// Silence, also in the TLS handshake, until the server is dropped.
    Hang,
}

pub type Watcher = Box<dyn Fn(&Event) + Send + Sync>;

/// What else is served at the same address. It is asked first, sees no fault and leaves no trace; `None` gives a request
/// back that is WeCom's.
pub type Site = Box<dyn Fn(&Head, &mut Conn) -> Option<io::Result<()>> + Send + Sync>;

/// Everything the threads share.
pub struct Shared {
    pub world: Mutex<World>,
    pub script: Mutex<Script>,
    pub prefix: String,
    pub tls: Option<Arc<rustls::ServerConfig>>,
    pub watcher: Option<Watcher>,
    pub site: Option<Site>,
    open: Mutex<Open>,
    stopped: Condvar,
}

/// The answers that tests ask for.
#[derive(Default)]
pub struct Script {
    pub next: HashMap<Endpoint, VecDeque<Reply>>,
    pub always: HashMap<Endpoint, Reply>,
    pub connections: VecDeque<OnConnect>,
}

impl Script {
    pub fn reply(&mut self, endpoint: Endpoint) -> Reply {
        let next = self.next.get_mut(&endpoint).and_then(VecDeque::pop_front);
        next.or_else(|| self.always.get(&endpoint).cloned()).unwrap_or(Reply::Normal)
    }
}

#[derive(Default)]
struct Open {
    stopping: bool,
    /// Connections so far.
    count: usize,
    failed_handshakes: usize,
    streams: HashMap<usize, TcpStream>,
}

/// A lock, also after another thread panicked with it: the first panic is the one to report.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts a request until its answer goes out.
struct UnderWay<'a>(&'a Mutex<World>);

impl<'a> UnderWay<'a> {
    fn begin(world: &'a Mutex<World>) -> Self {
        let mut counts = lock(world);
        counts.under_way += 1;
        counts.most_under_way = counts.most_under_way.max(counts.under_way);
        Self(world)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        lock(self.0).under_way -= 1;
    }
}

impl Shared {
    pub fn new(world: World, prefix: String, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        Self {
            world: Mutex::new(world),
            script: Mutex::default(),
            prefix,
            tls,
            watcher: None,
            site: None,
            open: Mutex::default(),
            stopped: Condvar::new(),
        }
    }

    /// Accepts until stopped. Does nothing else, so that hundreds may come at once.
    pub fn accept_all(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            let mut open = lock(&self.open);
            if open.stopping {
                return;
            }
            let Ok(stream) = stream else { continue };
            open.count += 1;
            let number = open.count;
            if let Ok(twin) = stream.try_clone() {
                open.streams.insert(number, twin);
            }
            drop(open);
            // In the order in which they come, whichever thread is quicker then.
            let on_connect = lock(&self.script).connections.pop_front().unwrap_or(OnConnect::Serve);
            let shared = Arc::clone(self);
            std::thread::spawn(move || {
                shared.serve(stream, number, on_connect);
                lock(&shared.open).streams.remove(&number);
            });
        }
    }

    /// Ends every connection and every wait.
    pub fn stop(&self) {
        let mut open = lock(&self.open);
        open.stopping = true;
        for stream in open.streams.values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        drop(open);
        self.stopped.notify_all();
    }

    pub fn connections(&self) -> usize {
        lock(&self.open).count
    }

    pub fn failed_handshakes(&self) -> usize {
        lock(&self.open).failed_handshakes
    }

    /// Waits that long, or for ever; whether the server still goes on then.
    fn wait(&self, time: Option<Duration>) -> bool {
        let until = time.map(|time| Instant::now() + time);
        let mut open = lock(&self.open);
        while !open.stopping {
            let left = until.map_or(Duration::from_secs(60), |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return true;
            }
            open = self.stopped.wait_timeout(open, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }

    fn serve(&self, stream: TcpStream, number: usize, on_connect: OnConnect) {
        let _ = stream.set_nodelay(true);
        match on_connect {
            OnConnect::Serve => {}
            OnConnect::Reset => return super::wire::reset(&stream),
            OnConnect::Close => return,
            OnConnect::Hang => {
                self.wait(None);
                return;
            }
        }
        match self.link(stream) {
            Ok(link) => self.serve_requests(Conn::new(link), number),
            Err(_) => lock(&self.open).failed_handshakes += 1,
        }
    }

    fn link(&self, mut stream: TcpStream) -> io::Result<Link> {
        let Some(config) = &self.tls else { return Ok(Link::Plain(stream)) };
        let mut session = rustls::ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
        while session.is_handshaking() {
            session.complete_io(&mut stream)?;
        }
        Ok(Link::Tls(Box::new(rustls::StreamOwned::new(session, stream))))
    }

    fn serve_requests(&self, mut conn: Conn, number: usize) {
        loop {
            let head = match conn.read_head() {
                Ok(Some(head)) => head,
                Ok(None) => return conn.close(),
                Err(_) => return conn.cut(),
            };
            match self.site.as_ref().and_then(|site| site(&head, &mut conn)) {
                Some(Ok(())) if !conn.is_closing() => continue,
                Some(Ok(())) => return conn.close(),
                Some(Err(_)) => return conn.cut(),
                None => {}
            }
            let under_way = UnderWay::begin(&self.world);
            let Some((reply, normal)) = self.treat(&mut conn, &head, number) else {
                let _ = conn.send(&Answer::new(413, "text/html", "request not readable").closing(true).to_bytes());
                return conn.close();
            };
            let reply = match reply {
                Reply::Delay(by, _) if !self.wait(Some(by)) => return conn.cut(),
                Reply::Delay(_, inner) => *inner,
                reply => reply,
            };
            // Before the answer: a client may be quicker with its next request than this thread with the rest.
            drop(under_way);
            let after = perform(&reply, &mut conn, &normal, &|time| self.wait(time));
            match after {
                After::Keep if normal.status == 101 && matches!(reply, Reply::Normal) => {
                    return aibot::serve(self, conn, number);
                }
                After::Keep if !conn.is_closing() => {}
                After::Keep | After::Close => return conn.close(),
                After::Cut => return conn.cut(),
                After::Reset => return conn.reset(),
            }
        }
    }

    /// Reads the rest of the request, records it and settles the answer. `None` when the body cannot be read.
    fn treat(&self, conn: &mut Conn, head: &Head, number: usize) -> Option<(Reply, Answer)> {
        let mut complaints = Vec::new();
        let (endpoint, path, query) = manners::read_target(head, &self.prefix, &mut complaints);
        let reply = lock(&self.script).reply(endpoint);
        let body = match reply.reads_slowly() {
            _ if reply.skips_the_body() => Some(Vec::new()),
            Some(pause) => conn.read_body_slowly(head, &|| self.wait(Some(pause))).ok(),
            None => conn.read_body(head).ok(),
        };
        let is_whole = body.is_some();
        let mut seen = Seen {
            endpoint,
            method: head.method.clone(),
            path,
            query,
            target: head.target.clone(),
            headers: head.headers.clone(),
            body: body.unwrap_or_default(),
            chunked: head.is_chunked(),
            at: Instant::now(),
            connection: number,
            outcome: Outcome::Fault(reply.describe()),
        };
        let mut world = lock(&self.world);
        if !is_whole {
            seen.outcome = Outcome::Fault("the body ended early, or is too long".into());
        } else if !reply.skips_the_body() {
            manners::inspect(&seen, head, &world.secrets(), &mut complaints);
        }
        let mut normal = Answer::new(404, "text/html", "<html><body>404 Not Found</body></html>");
        if endpoint == Endpoint::AibotConnect && reply.is_judged() {
            match aibot::accept(head) {
                Ok(answer) => (normal, seen.outcome) = (answer, Outcome::Connected),
                Err(defect) => {
                    normal = Answer::new(400, "text/html", "no WebSocket");
                    seen.outcome = Outcome::Fault(format!("400: {defect}"));
                    complaints.push(defect);
                }
            }
        } else if is_whole && endpoint != Endpoint::Other && reply.is_judged() {
            let verdict = judge::judge(&mut world, &seen, &mut complaints);
            normal = Answer::json(&verdict.json).dated(world.clock_ahead_s);
            seen.outcome = verdict.outcome;
        } else if endpoint == Endpoint::Other {
            seen.outcome = Outcome::Fault("404: nothing is there".into());
        } else if let Reply::Errcode(errcode, errmsg) = &reply {
            seen.outcome = Outcome::Refused { errcode: *errcode, errmsg: errmsg.clone() };
        }
        if let Some(change) = reply.change() {
            world.change(change);
        }
        world.complaints.extend(complaints.iter().map(|c| format!("{} {}: {c}", seen.method, endpoint.name())));
        world.seen.push(seen.clone());
        drop(world);
        if let Some(watcher) = &self.watcher {
            let answer = reply.shown(&String::from_utf8_lossy(&normal.body));
            watcher(&Event { seen: &seen, complaints: &complaints, answer: &answer });
        }
        is_whole.then_some((reply, normal))
    }
}
