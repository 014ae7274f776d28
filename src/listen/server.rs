//! The HTTP server to which WeCom sends events and others send alerts: HTTP/1.1, one request a connection. Bounded in
//! connections, in the size of a request and in time. What a request means is not its business.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener as BoundListener};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use crate::blocking::task;
use crate::error::{Error, Result, hint_for};

/// So many connections at a time; the next ones wait.
const MOST_CONNECTIONS: u32 = 256;

/// How long a client may take for the head of a request.
const TO_SEND: Duration = Duration::from_secs(5);

/// How long no connection is taken after one could not be.
const PAUSE: Duration = Duration::from_millis(100);

/// The room for the head of a request in memory, in bytes, for each connection.
const BUFFER: usize = 16 * 1024;

/// How much of a body that nobody wanted is passed over, in bytes, and how long that may take: a client that is still
/// sending would not see the answer.
const MOST_PASSED_OVER: usize = 8 * 1024 * 1024;
const TO_PASS_OVER: Duration = Duration::from_secs(2);

/// A request, whose body may still be on its way.
pub(super) struct Call {
    pub(super) method: Method,
    /// As it was sent, with its escapes.
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    /// Who sends it, or the web server that passes it on.
    pub(super) peer: IpAddr,
    body: Incoming,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) body: String,
    headers: HeaderMap,
}

/// What answers requests.
pub(super) trait Answering: Send + Sync + 'static {
    fn answer<'c>(&'c self, call: &'c mut Call) -> Pin<Box<dyn Future<Output = Answered> + Send + 'c>>;
}

impl Call {
    /// How long the body is, in bytes, where the client says so.
    pub(super) fn length(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// The body, of at most `most` bytes, which may take so long; else what is answered.
    pub(super) async fn body(&mut self, most: usize, patience: Duration) -> Result<Vec<u8>, Answered> {
        if self.body.size_hint().lower() > most as u64 {
            return Err(Answered::new(StatusCode::PAYLOAD_TOO_LARGE, ""));
        }
        let mut read = Vec::new();
        let reading = self.read(|data| {
            let fits = read.len() + data.len() <= most;
            if fits {
                read.extend_from_slice(data);
            }
            fits
        });
        match timeout(patience, reading).await {
            Ok(Ok(true)) => Ok(read),
            Ok(Ok(false)) => Err(Answered::new(StatusCode::PAYLOAD_TOO_LARGE, "")),
            Ok(Err(_)) => Err(Answered::new(StatusCode::BAD_REQUEST, "")),
            Err(_) => Err(Answered::new(StatusCode::REQUEST_TIMEOUT, "")),
        }
    }

    /// Passes over the rest of the body, if it is not too much.
    async fn pass_over(&mut self) {
        let mut passed = 0;
        let passing = self.read(|data| {
            passed += data.len();
            passed <= MOST_PASSED_OVER
        });
        let _ = timeout(TO_PASS_OVER, passing).await;
    }

    /// Hands over what comes, until `take` wants no more. Returns whether that was all.
    async fn read(&mut self, mut take: impl FnMut(&[u8]) -> bool) -> hyper::Result<bool> {
        while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut self.body).poll_frame(context)).await {
            if !take(&frame?.into_data().unwrap_or_default()) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Answered {
    pub(super) fn new(status: StatusCode, body: impl Into<String>) -> Self {
        Self { status, body: body.into(), headers: HeaderMap::new() }
    }

    /// The answer to a method that means nothing here.
    pub(super) fn only(methods: &'static str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "").with(ALLOW, HeaderValue::from_static(methods))
    }

    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

/// Binds the address, which an option of that name gives.
///
/// # Errors
///
/// Exit 3: the address cannot be read, is in use, or may not be used.
pub(super) fn bind(address: &str, option: &str) -> Result<BoundListener> {
    let parsed: SocketAddr = match address.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => address.to_owned(),
    }
    .parse()
    .map_err(|_| {
        let hint = "write an IP address and a port, such as 127.0.0.1:8680 or [::1]:8680";
        Error::config(format!("{address:?} is not an address to listen on"), hint)
    })?;
    let bound = BoundListener::bind(parsed).and_then(|bound| bound.set_nonblocking(true).map(|()| bound));
    bound.map_err(|error| {
        let another = format!("give another address with {option}");
        let hint = match error.kind() {
            io::ErrorKind::AddrInUse => format!("another program listens there: end it, or {another}"),
            io::ErrorKind::PermissionDenied => {
                "ports below 1024 are kept for root: listen on a higher one, and let the web server pass requests on"
                    .to_owned()
            }
            io::ErrorKind::AddrNotAvailable => "no network interface of this machine has that address".to_owned(),
            _ => hint_for(&error, &another).to_owned(),
        };
        Error::config(format!("cannot listen on {parsed}: {error}"), hint)
    })
}

/// A server at work.
pub(super) struct Server {
    /// A permit for each connection.
    room: Arc<Semaphore>,
    /// A permit for each connection with a request.
    requests: Arc<Semaphore>,
    /// How long a connection may last: the head, the body, the work, the answer.
    to_end: Duration,
    answering: Arc<dyn Answering>,
}

impl Server {
    pub(super) fn new(to_end: Duration, answering: Arc<dyn Answering>) -> Self {
        let [room, requests] = [(); 2].map(|()| Arc::new(Semaphore::new(MOST_CONNECTIONS as usize)));
        Self { room, requests, to_end, answering }
    }

    /// Takes connections for as long as it is polled. `trouble` is told why one could not be taken.
    pub(super) async fn serve(&self, bound: BoundListener, trouble: impl Fn(&io::Error)) {
        let listener = match TcpListener::from_std(bound) {
            Ok(listener) => listener,
            Err(error) => return trouble(&error),
        };
        loop {
            let Ok(place) = Arc::clone(&self.room).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let (answering, requests) = (Arc::clone(&self.answering), Arc::clone(&self.requests));
                    let to_end = self.to_end;
                    tokio::spawn(task(async move {
                        let _ = timeout(to_end, talk(stream, peer.ip().to_canonical(), answering, requests)).await;
                        drop(place);
                    }));
                }
                Err(error) => {
                    trouble(&error);
                    sleep(PAUSE).await;
                }
            }
        }
    }

    /// Waits until all requests are answered.
    pub(super) async fn end(&self) {
        let _ = self.requests.acquire_many(MOST_CONNECTIONS).await;
    }
}

/// One connection with one request: who is slow in the middle of it is cut off.
async fn talk(stream: TcpStream, peer: IpAddr, answering: Arc<dyn Answering>, requests: Arc<Semaphore>) {
    let _ = stream.set_nodelay(true);
    // Until the answer is on its way.
    let begun: Arc<Mutex<Option<OwnedSemaphorePermit>>> = Arc::default();
    let kept = Arc::clone(&begun);
    let service = service_fn(move |request: Request<Incoming>| {
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&requests).try_acquire_owned().ok();
        let answering = Arc::clone(&answering);
        async move { Ok::<_, Infallible>(respond(request, peer, answering).await) }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(TO_SEND).keep_alive(false).max_buf_size(BUFFER);
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
    drop(begun);
}

async fn respond(request: Request<Incoming>, peer: IpAddr, answering: Arc<dyn Answering>) -> Response<String> {
    let (head, body) = request.into_parts();
    let mut call = Call {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        peer,
        body,
    };
    let answered = answering.answer(&mut call).await;
    if !call.body.is_end_stream() {
        call.pass_over().await;
    }
    let mut response = Response::new(answered.body);
    *response.status_mut() = answered.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.extend(answered.headers);
    response
}
