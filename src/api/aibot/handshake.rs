//! Opens a WebSocket (RFC 6455): an ordinary GET of the program's HTTP client that asks for an upgrade. So proxy, CA file,
//! look-up, time limits and the classes of failures are those of every other call.

use chrono::Utc;
use reqwest::header::{CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, UPGRADE};
use reqwest::header::{SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION};
use reqwest::{Response, StatusCode, Upgraded, Url};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::api::envelope::HttpAnswer;
use crate::api::failure::judge;
use crate::api::upload::RequestProgress;
use crate::api::{CallError, Client};
use crate::error::Error;

/// The most bytes of a frame from the server, and of a message in several frames. A message that somebody writes to the
/// bot is the largest.
const FRAME_LIMIT: usize = 4 * 1024 * 1024;

/// Bytes that are read at once, and that are gathered before they are written.
const BUFFER: usize = 8 * 1024;

impl Client {
    /// A WebSocket to the base URL.
    pub(super) async fn open_websocket(&self) -> Result<WebSocketStream<Upgraded>, CallError> {
        self.time_left()?;
        let http = self.http().await.map_err(CallError::Setup)?;
        let url = Url::parse(self.options.base_url.as_str())
            .map_err(|error| CallError::Setup(Error::defect(format!("the aibot's URL is malformed: {error}"))))?;
        // Not by a closure, so that any task can do this.
        let has_unread_roots = self.options.trust.has_unread_roots();
        let mut opened = self.ask_for_websocket(http, &url).await;
        if self.has_found_roots(has_unread_roots, opened.as_ref().err()).await? {
            opened = self.ask_for_websocket(http, &url).await;
        }
        let stream = opened?;
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER)
            .write_buffer_size(BUFFER)
            .max_message_size(Some(FRAME_LIMIT))
            .max_frame_size(Some(FRAME_LIMIT));
        Ok(WebSocketStream::from_raw_socket(stream, Role::Client, Some(config)).await)
    }

    async fn ask_for_websocket(&self, http: &reqwest::Client, url: &Url) -> Result<Upgraded, CallError> {
        let key = generate_key();
        let request = http
            .get(url.clone())
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, &key);
        let response = self.response("", request, &RequestProgress::default()).await?;
        self.upgraded(response, &derive_accept_key(key.as_bytes())).await
    }

    async fn upgraded(&self, response: Response, accept: &str) -> Result<Upgraded, CallError> {
        let answer = HttpAnswer::of(&response, Utc::now());
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            let body = self.read_body("", response).await?;
            return Err(match judge(&answer, &body, &[], &self.peer(""), &self.mask) {
                Err(CallError::Config(error)) if answer.status != 407 => CallError::Config(error.with_hint(
                    "check aibot_url: its host, port and path must lead to WeCom's long connection, or to a relay that lets \
                     WebSockets through",
                )),
                Err(error) => error,
                Ok(_) => CallError::foreign(format!("{} answered no WebSocket", self.peer("").host())),
            });
        }
        let has = |name: HeaderName, expected: &str| {
            let values = response.headers().get_all(name);
            values
                .iter()
                .filter_map(|value: &HeaderValue| value.to_str().ok())
                .any(|value| value.eq_ignore_ascii_case(expected))
        };
        // The key of the answer is case-sensitive.
        let accepts =
            response.headers().get(SEC_WEBSOCKET_ACCEPT).is_some_and(|value| value.as_bytes() == accept.as_bytes());
        if !accepts || !has(UPGRADE, "websocket") {
            let host = self.peer("").host();
            return Err(CallError::foreign(format!("{host} answered with a WebSocket of another request")));
        }
        if let Some(ahead_s) = answer.clock_ahead_s {
            let _ = self.clock_ahead_s.set(ahead_s);
        }
        response.upgrade().await.map_err(|error| {
            let what =
                format!("no connection to {}: {}", self.peer("").host(), crate::api::exchange::root_cause(&error));
            CallError::Unreached { what, limit: None, refused_by: None }
        })
    }
}
