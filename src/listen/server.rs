//! The HTTP server to which WeCom sends events: HTTP/1.1, behind the company's web server. Bounded in connections, in the size
//! of a request and in time. What a request means is not its business.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener as BoundListener};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::blocking::task;
use crate::error::{Error, Result, hint_for};

/// No request has a longer body, in bytes. An event has a few hundred.
const LARGEST_BODY: usize = 64 * 1024;

/// So many connections at a time; the next ones wait.
const MOST_CONNECTIONS: usize = 256;

/// How long a client may take for the head of a request, and then for its body.
const TO_SEND: Duration = Duration::from_secs(5);

/// How long a connection may last: the head, the body, the work, the answer.
const TO_END: Duration = Duration::from_secs(20);

/// How long no connection is taken after one could not be.
const PAUSE: Duration = Duration::from_millis(100);

/// The room for requests in memory, in bytes, for each connection.
const BUFFER: usize = 16 * 1024;

/// A request that means something.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// To prove that the address is ours.
    Verify {
        query: String,
    },
    Event {
        query: String,
        body: Bytes,
    },
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) body: String,
}

/// What answers calls.
pub(super) type Answering = Arc<dyn Fn(Call) -> Pin<Box<dyn Future<Output = Answered> + Send>> + Send + Sync>;

impl Answered {
    pub(super) fn new(status: StatusCode, body: impl Into<String>) -> Self {
        Self { status, body: body.into() }
    }
}

/// Binds the address.
///
/// # Errors
///
/// Exit 3: the address cannot be read, is in use, or may not be used.
pub(super) fn bind(address: &str) -> Result<BoundListener> {
    let parsed: SocketAddr = match address.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => address.to_owned(),
    }
    .parse()
    .map_err(|_| {
        let hint = "write an IP address and a port, such as 127.0.0.1:8680 or [::1]:8680";
        Error::config(format!("{address:?} is no address to listen on"), hint)
    })?;
    let bound = BoundListener::bind(parsed).and_then(|bound| bound.set_nonblocking(true).map(|()| bound));
    bound.map_err(|error| {
        let hint = match error.kind() {
            io::ErrorKind::AddrInUse => "another program listens there: end it, or give another address with --http",
            io::ErrorKind::PermissionDenied => {
                "ports below 1024 are kept for root: listen on a higher one, and let the web server pass requests on"
            }
            io::ErrorKind::AddrNotAvailable => "no network interface of this machine has that address",
            _ => hint_for(&error, "give another address with --http"),
        };
        Error::config(format!("cannot listen on {parsed}: {error}"), hint)
    })
}

/// Takes connections for as long as it is polled. `trouble` is told why one could not be taken.
pub(super) async fn serve(bound: BoundListener, answering: Answering, trouble: impl Fn(&io::Error)) {
    let listener = match TcpListener::from_std(bound) {
        Ok(listener) => listener,
        Err(error) => return trouble(&error),
    };
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let answering = Arc::clone(&answering);
                tokio::spawn(task(async move {
                    let _ = timeout(TO_END, talk(stream, answering)).await;
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

/// One connection with one request: who is slow in the middle of it is cut off.
async fn talk(stream: TcpStream, answering: Answering) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let answering = Arc::clone(&answering);
        async move { Ok::<_, Infallible>(respond(request, answering).await) }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(TO_SEND).keep_alive(false).max_buf_size(BUFFER);
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}

async fn respond(request: Request<Incoming>, answering: Answering) -> Response<String> {
    let answered = match read(request).await {
        Ok(call) => answering(call).await,
        Err(answered) => answered,
    };
    let mut response = Response::new(answered.body);
    *response.status_mut() = answered.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if answered.status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("GET, POST"));
    }
    response
}

/// The call that a request makes, or the answer to one that makes none.
async fn read(request: Request<Incoming>) -> Result<Call, Answered> {
    let query = request.uri().query().unwrap_or_default().to_owned();
    match *request.method() {
        // Whoever looks whether the address can be reached.
        Method::GET if query.is_empty() => Err(Answered::new(StatusCode::OK, "wecom-alert listens here for WeCom\n")),
        Method::GET => Ok(Call::Verify { query }),
        Method::POST => {
            let body = timeout(TO_SEND, read_body(request.into_body())).await;
            let body = body.unwrap_or_else(|_| Err(Answered::new(StatusCode::REQUEST_TIMEOUT, "")))?;
            Ok(Call::Event { query, body: body.into() })
        }
        _ => Err(Answered::new(StatusCode::METHOD_NOT_ALLOWED, "")),
    }
}

async fn read_body(mut body: Incoming) -> Result<Vec<u8>, Answered> {
    let too_large = || Answered::new(StatusCode::PAYLOAD_TOO_LARGE, "");
    if body.size_hint().lower() > LARGEST_BODY as u64 {
        return Err(too_large());
    }
    let mut read = Vec::new();
    while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| Answered::new(StatusCode::BAD_REQUEST, ""))?;
        let data = frame.into_data().unwrap_or_default();
        if read.len() + data.len() > LARGEST_BODY {
            return Err(too_large());
        }
        read.extend_from_slice(&data);
    }
    Ok(read)
}
