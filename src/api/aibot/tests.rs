//! Connections to a small server on loopback, which does what each test says.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::{WebSocketStream, accept_async};

use super::connection::start;
use super::{AIBOT_UPDATE, AibotEvent, AibotEvents, Connection};
use crate::api::{CallError, Client, ClientOptions, Limit, Trust};
use crate::config::{BaseUrl, ProxySetting};
use crate::event::{Event, Observer};
use crate::secret::{Mask, Secret};

const AIBOT_SEND: &str = "aibot_send_msg";

const SECRET: &str = "test-aibot-s3cret";

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(60);

type Lines = Arc<Mutex<Vec<String>>>;

fn client(address: SocketAddr, timeout: Duration) -> (Client, Lines) {
    let lines = Lines::default();
    let observer = {
        let lines = Arc::clone(&lines);
        Observer::new(move |event| {
            if let Event::Detail(line) = event {
                lines.lock().unwrap().push(line.to_string());
            }
        })
    };
    let options = ClientOptions {
        base_url: BaseUrl::parse(&format!("http://{address}")).unwrap(),
        proxy: ProxySetting::Off,
        trust: Trust::new(None),
        connect_timeout: LONG,
        timeout,
        deadline: Instant::now() + LONG,
    };
    (Client::new(options, Mask::default(), observer), lines)
}

/// One end of a conversation: the server's.
struct Server(WebSocketStream<TcpStream>);

impl Server {
    async fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().await.unwrap();
        Self(accept_async(stream).await.unwrap())
    }

    /// Accepts a connection and its subscription.
    async fn subscribed(listener: &TcpListener) -> Self {
        let mut server = Self::accept(listener).await;
        let subscription = server.read().await;
        server.answer(&subscription, json!({})).await;
        server
    }

    async fn read(&mut self) -> Value {
        loop {
            match self.0.next().await.unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn say(&mut self, frame: Value) {
        self.0.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// Success, with that body.
    async fn answer(&mut self, request: &Value, body: Value) {
        let req_id = request["headers"]["req_id"].clone();
        self.say(json!({"headers": {"req_id": req_id}, "errcode": 0, "errmsg": "ok", "body": body})).await;
    }

    async fn refuse(&mut self, request: &Value, errcode: i64, errmsg: &str) {
        let req_id = request["headers"]["req_id"].clone();
        self.say(json!({"headers": {"req_id": req_id}, "errcode": errcode, "errmsg": errmsg})).await;
    }

    async fn event(&mut self, kind: &str, fields: Value) {
        let event = json!({"eventtype": kind, kind: fields});
        let body = json!({"msgid": "m1", "from": {"userid": "zhangsan"}, "chattype": "single", "event": event});
        self.say(json!({"cmd": "aibot_event_callback", "headers": {"req_id": "press-1"}, "body": body})).await;
    }

    /// Waits until the client has left.
    async fn until_left(mut self) {
        while let Some(Ok(_)) = self.0.next().await {}
    }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A connection that is subscribed, the server at its other end, and the lines of detail.
async fn connected(timeout: Duration) -> (Connection, AibotEvents, Server, Lines) {
    let (listener, address) = listen().await;
    let (client, lines) = client(address, timeout);
    let secret = Secret::new(SECRET);
    let (connected, server) = tokio::join!(client.connect_aibot("bot-1", &secret), Server::subscribed(&listener));
    let (connection, events) = connected.unwrap();
    (connection, events, server, lines)
}

/// More than the system takes while nobody reads.
fn large_text() -> String {
    "x".repeat(12 * 1024 * 1024)
}

fn later() -> Instant {
    Instant::now() + LONG
}

fn soon() -> Instant {
    Instant::now() + Duration::from_millis(300)
}

fn send(connection: &Connection, content: &str) -> impl Future<Output = Result<crate::api::Reply, CallError>> + use<> {
    let (connection, body) = (connection.clone(), json!({"chatid": content}));
    async move { connection.request(AIBOT_SEND, body, later()).await }
}

#[tokio::test]
async fn the_first_frame_subscribes_and_each_request_gets_its_own_answer() {
    let (listener, address) = listen().await;
    let (client, lines) = client(address, LONG);
    let server = async {
        let mut server = Server::accept(&listener).await;
        let first = server.read().await;
        assert_eq!(first["cmd"], "aibot_subscribe");
        assert_eq!(first["body"], json!({"bot_id": "bot-1", "secret": SECRET}));
        server.answer(&first, json!({})).await;
        let (one, other) = (server.read().await, server.read().await);
        assert_eq!((&one["cmd"], &other["cmd"]), (&json!("aibot_send_msg"), &json!("aibot_send_msg")));
        assert_eq!((&one["body"]["chatid"], &other["body"]["chatid"]), (&json!("a"), &json!("b")));
        // The other way round, and as bytes.
        server.refuse(&other, 93006, &format!("invalid chatid, secret {SECRET}")).await;
        let req_id = one["headers"]["req_id"].clone();
        let answer = json!({"headers": {"req_id": req_id}, "errcode": "0", "body": {"upload_id": 17}});
        server.0.send(Message::binary(answer.to_string().into_bytes())).await.unwrap();
        server.until_left().await;
    };
    let secret = Secret::new(SECRET);
    let calls = async {
        let (connection, _events) = client.connect_aibot("bot-1", &secret).await.unwrap();
        let (one, other) = tokio::join!(send(&connection, "a"), send(&connection, "b"));
        assert_eq!(one.unwrap().text("upload_id").as_deref(), Some("17"));
        assert_eq!(other.unwrap_err().refusal().map(|reply| reply.answer.errcode), Some(93006));
        connection.close().await;
    };
    tokio::join!(server, calls);
    let lines = lines.lock().unwrap().join("\n");
    let told = format!("ws://{address} aibot_send_msg: errcode 93006 invalid chatid, secret *** (");
    assert!(lines.contains(&told) && lines.contains(" aibot_subscribe: errcode 0 ok ("), "{lines}");
    assert!(!lines.contains(SECRET), "{lines}");
}

#[tokio::test]
async fn a_refused_subscription_is_a_refusal_with_and_without_its_req_id() {
    for has_req_id in [true, false] {
        let (listener, address) = listen().await;
        let (client, _) = client(address, LONG);
        let server = async {
            let mut server = Server::accept(&listener).await;
            let first = server.read().await;
            if has_req_id {
                server.refuse(&first, 853000, "invalid bot_id or secret").await;
            } else {
                server.say(json!({"errcode": 853000, "errmsg": "invalid bot_id or secret"})).await;
            }
            server.until_left().await;
        };
        let secret = Secret::new(SECRET);
        let (ended, ()) = tokio::join!(client.connect_aibot("bot-1", &secret), server);
        assert_eq!(ended.err().unwrap().refusal().map(|reply| reply.answer.errcode), Some(853000), "{has_req_id}");
    }
}

#[tokio::test]
async fn what_fails_before_the_subscription_is_answered_reached_nobody() {
    // Nobody listens.
    let (listener, address) = listen().await;
    drop(listener);
    let secret = Secret::new(SECRET);
    let error = client(address, LONG).0.connect_aibot("bot-1", &secret).await.err().unwrap();
    assert!(matches!(error, CallError::Unreached { .. }), "{error:?}");
    // Nobody answers the handshake, or the subscription.
    for answers_handshake in [false, true] {
        let (listener, address) = listen().await;
        let client = client(address, Duration::from_millis(100)).0;
        let server = async {
            if answers_handshake {
                let mut server = Server::accept(&listener).await;
                server.read().await;
                server.until_left().await;
            } else {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        };
        let (ended, ()) = tokio::join!(client.connect_aibot("bot-1", &secret), server);
        let error = ended.err().unwrap();
        assert!(matches!(error, CallError::Unreached { limit: Some(Limit::Timeout), .. }), "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_websocket_says_what_it_is() {
    let page = |status: &str| format!("HTTP/1.1 {status}\r\ncontent-length: 5\r\nconnection: close\r\n\r\n<html");
    let wrong = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
                 sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    for (answer, is_config, told) in [
        (page("404 Not Found"), true, "HTTP 404 from 127.0.0.1:"),
        (page("200 OK"), false, "HTTP 200 from 127.0.0.1:"),
        (page("503 Busy"), false, "HTTP 503 from 127.0.0.1:"),
        (wrong.to_owned(), false, "a WebSocket of another request"),
    ] {
        let (listener, address) = listen().await;
        let client = client(address, LONG).0;
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
            String::from_utf8(head).unwrap().to_ascii_lowercase()
        };
        let secret = Secret::new(SECRET);
        let (ended, head) = tokio::join!(client.connect_aibot("bot-1", &secret), server);
        let error = ended.err().unwrap();
        assert_eq!(matches!(error, CallError::Config(_)), is_config, "{error:?}");
        assert!(is_config || matches!(error, CallError::Foreign(_)), "{error:?}");
        assert!(error.to_string().contains(told), "{error}");
        assert!(head.starts_with("get / http/1.1\r\n"), "{head}");
        for header in ["connection: upgrade", "upgrade: websocket", "sec-websocket-version: 13", "sec-websocket-key: "]
        {
            assert!(head.contains(&format!("\r\n{header}")), "{head}");
        }
        assert!(!head.contains(SECRET), "{head}");
    }
}

#[tokio::test]
async fn a_frame_that_was_written_and_not_answered_may_have_arrived_and_a_later_one_has_not() {
    let (connection, mut events, mut server, _) = connected(LONG).await;
    let server = async {
        server.read().await;
        let reason = CloseFrame { code: 1001.into(), reason: "going away".into() };
        server.0.close(Some(reason)).await.unwrap();
        server.until_left().await;
    };
    let (sent, ()) = tokio::join!(send(&connection, "a"), server);
    let error = sent.unwrap_err();
    assert!(matches!(error, CallError::Silent { limit: None, .. }), "{error:?}");
    assert!(
        error.to_string().ends_with("no answer came: the server closed the connection: 1001 going away"),
        "{error}"
    );
    let error = send(&connection, "b").await.unwrap_err();
    assert!(matches!(error, CallError::Unreached { limit: None, .. }), "{error:?}");
    let closed = AibotEvent::Closed("the server closed the connection: 1001 going away".to_owned());
    assert_eq!((events.next().await, events.next().await), (closed.clone(), closed.clone()));
    assert_eq!(connection.end(), Some("the server closed the connection: 1001 going away".to_owned()));
    connection.close().await;
}

#[tokio::test]
async fn a_request_whose_time_is_over_is_taken_back_if_it_was_not_begun() {
    let (connection, _events, mut server, lines) = connected(LONG).await;
    let large = json!({"chatid": "large", "content": large_text()});
    let (begun, queued) = tokio::join!(connection.request(AIBOT_SEND, large, soon()), async {
        tokio::task::yield_now().await;
        connection.request(AIBOT_SEND, json!({"chatid": "queued"}), soon()).await
    });
    let (begun, queued) = (begun.unwrap_err(), queued.unwrap_err());
    assert!(matches!(begun, CallError::Silent { limit: Some(Limit::Timeout), .. }), "{begun:?}");
    assert!(matches!(queued, CallError::Unreached { limit: Some(Limit::Timeout), .. }), "{queued:?}");
    let server = async {
        let large = server.read().await;
        assert_eq!(large["body"]["chatid"], "large");
        server.answer(&large, json!({})).await;
        let next = server.read().await;
        assert_eq!(next["body"]["chatid"], "next", "the other one was taken back");
        server.answer(&next, json!({})).await;
        server
    };
    let (next, _server) = tokio::join!(send(&connection, "next"), server);
    next.unwrap();
    assert!(lines.lock().unwrap().iter().any(|line| line.ends_with("an answer to nothing that waits for one")));
}

#[tokio::test]
async fn a_connection_that_is_lost_in_the_middle_of_a_frame_has_carried_nothing() {
    let (connection, _events, server, _) = connected(LONG).await;
    let large = json!({"content": large_text()});
    let server = async {
        // Some of it is read, not all.
        let mut stream = server.0.into_inner();
        stream.read_exact(&mut [0; 4096]).await.unwrap();
    };
    let (sent, ()) = tokio::join!(connection.request(AIBOT_SEND, large, later()), server);
    let error = sent.unwrap_err();
    assert!(matches!(error, CallError::Unreached { .. }), "{error:?}");
}

#[tokio::test]
async fn a_request_that_is_dropped_leaves_the_connection_whole() {
    let (connection, _events, mut server, _) = connected(LONG).await;
    let (read, is_read) = oneshot::channel();
    let server = async {
        let dropped = server.read().await;
        read.send(()).unwrap();
        let next = server.read().await;
        server.answer(&dropped, json!({"of": "dropped"})).await;
        server.answer(&next, json!({"of": "next"})).await;
        server
    };
    let calls = async {
        tokio::select! {
            ended = send(&connection, "dropped") => panic!("{ended:?}"),
            _ = is_read => {}
        }
        send(&connection, "next").await.unwrap().text("of")
    };
    let (_server, of) = tokio::join!(server, calls);
    assert_eq!(of.as_deref(), Some("next"));
}

#[tokio::test]
async fn one_frame_at_a_time_goes_out_under_the_req_id_of_an_event() {
    let (connection, mut events, mut server, _) = connected(LONG).await;
    let respond = |text: &str| {
        let (connection, body) = (connection.clone(), json!({"text": text}));
        async move { connection.respond("press-1", AIBOT_UPDATE, body, later()).await }
    };
    let (read, is_read) = oneshot::channel();
    let calls = async {
        let AibotEvent::Press(press) = events.next().await else { panic!("no press") };
        assert_eq!((press.req_id.as_str(), press.key.as_str()), ("press-1", "ack"));
        // Whoever asked is gone before the answer comes: the second one must not get it.
        tokio::select! {
            ended = respond("first") => panic!("{ended:?}"),
            _ = is_read => {}
        }
        respond("second").await.unwrap().text("of")
    };
    let server = async {
        server.event("template_card_event", json!({"event_key": "ack", "task_id": "t1"})).await;
        let first = server.read().await;
        read.send(()).unwrap();
        let waited = tokio::time::timeout(Duration::from_millis(150), server.read()).await;
        assert!(waited.is_err(), "{waited:?}");
        server.answer(&first, json!({"of": "first"})).await;
        let second = server.read().await;
        assert_eq!((&second["headers"]["req_id"], &second["body"]["text"]), (&json!("press-1"), &json!("second")));
        server.answer(&second, json!({"of": "second"})).await;
        server
    };
    let (second, _server) = tokio::join!(calls, server);
    assert_eq!(second.as_deref(), Some("second"));
}

#[tokio::test]
async fn an_answer_to_a_press_goes_before_requests_that_wait() {
    let (connection, _events, mut server, _) = connected(LONG).await;
    let respond = connection.respond("press-1", AIBOT_UPDATE, json!({}), later());
    let server = async {
        let mut seen = Vec::new();
        for _ in 0..3 {
            let frame = server.read().await;
            seen.push(frame["cmd"].as_str().unwrap().to_owned());
            server.answer(&frame, json!({})).await;
        }
        (seen, server)
    };
    // All of them wait before the task of the connection gets its turn.
    let (one, two, update, (seen, _server)) =
        tokio::join!(send(&connection, "1"), send(&connection, "2"), respond, server);
    for ended in [one, two, update] {
        ended.unwrap();
    }
    assert_eq!(seen, [AIBOT_UPDATE, AIBOT_SEND, AIBOT_SEND]);
}

#[tokio::test]
async fn a_takeover_is_the_end_and_answers_under_way_still_count() {
    let (connection, mut events, mut server, _) = connected(LONG).await;
    let server = async {
        let asked = server.read().await;
        server.event("disconnected_event", json!({})).await;
        server.answer(&asked, json!({})).await;
        server.until_left().await;
    };
    let (sent, ()) = tokio::join!(send(&connection, "a"), server);
    sent.unwrap();
    assert_eq!((events.next().await, events.next().await), (AibotEvent::Kicked, AibotEvent::Kicked));
    let error = send(&connection, "b").await.unwrap_err();
    assert!(matches!(error, CallError::Unreached { .. }), "{error:?}");
    assert!(error.to_string().ends_with("another connection has taken this aibot over"), "{error}");
}

#[tokio::test]
async fn a_takeover_is_the_end_also_where_the_socket_stays_open() {
    let (connection, mut events, mut server, _) = connected(LONG).await;
    let (read, is_read) = oneshot::channel();
    let server = async {
        server.read().await;
        server.event("disconnected_event", json!({})).await;
        let _ = is_read.await;
        server
    };
    let calls = async {
        let sent = send(&connection, "a");
        let (sent, event) = tokio::join!(sent, events.next());
        assert!(matches!(sent, Err(CallError::Silent { .. })), "{sent:?}");
        assert_eq!(event, AibotEvent::Kicked);
        connection.close().await;
        read.send(()).unwrap();
    };
    tokio::join!(server, calls);
}

#[tokio::test]
async fn unknown_frames_are_told_and_change_nothing() {
    let (connection, mut events, mut server, lines) = connected(LONG).await;
    let server = async {
        for frame in
            ["nonsense", "[]", "{}", r#"{"cmd":"new_thing"}"#, r#"{"headers":{"req_id":"unknown"},"errcode":0}"#]
        {
            server.0.send(Message::text(frame)).await.unwrap();
        }
        server.0.send(Message::binary(b"\xff\xfe".to_vec())).await.unwrap();
        server.event("feedback_event", json!({"id": "1"})).await;
        server.event("enter_chat", json!({})).await;
        server.0.send(Message::Ping(b"still there?".to_vec().into())).await.unwrap();
        let body = json!({"msgid": "m", "chatid": "room", "chattype": "group", "from": {"userid": "lisi"}});
        server.say(json!({"cmd": "aibot_msg_callback", "headers": {"req_id": "r"}, "body": body})).await;
        let mut pongs = 0;
        loop {
            match server.0.next().await.unwrap().unwrap() {
                Message::Pong(said) => pongs += usize::from(&said[..] == b"still there?"),
                Message::Text(text) => {
                    server.answer(&serde_json::from_str(&text).unwrap(), json!({})).await;
                    return (pongs, server);
                }
                other => panic!("{other:?}"),
            }
        }
    };
    let calls = async {
        let AibotEvent::Message(message) = events.next().await else { panic!("no message") };
        assert_eq!((message.userid.as_str(), message.chatid.as_deref()), ("lisi", Some("room")));
        send(&connection, "a").await
    };
    let ((pongs, _server), sent) = tokio::join!(server, calls);
    sent.unwrap();
    assert_eq!(pongs, 1);
    let lines = lines.lock().unwrap().join("\n");
    for told in
        ["a frame that is no JSON object", "a frame new_thing", "an event feedback_event", "an event enter_chat"]
    {
        assert!(lines.contains(&format!("{told}, which is not used")), "{lines}");
    }
    assert!(lines.contains("an answer to nothing that waits for one"), "{lines}");
}

#[tokio::test]
async fn a_frame_without_bounds_ends_the_connection() {
    let (_connection, mut events, mut server, _) = connected(LONG).await;
    let server = async {
        let _ = server.0.send(Message::text("x".repeat(5 * 1024 * 1024))).await;
        server.until_left().await;
    };
    let (event, ()) = tokio::join!(events.next(), server);
    assert!(matches!(&event, AibotEvent::Closed(why) if why.contains("too long")), "{event:?}");
}

/// A connection that beats this often, without a handshake.
async fn beating(beat: Duration, patience: Duration) -> (Connection, AibotEvents, Server) {
    let (listener, address) = listen().await;
    let (own, theirs) = tokio::join!(TcpStream::connect(address), listener.accept());
    let role = |stream, role| WebSocketStream::from_raw_socket(stream, role, None);
    use tokio_tungstenite::tungstenite::protocol::Role;
    let (own, theirs) = tokio::join!(role(own.unwrap(), Role::Client), role(theirs.unwrap().0, Role::Server));
    let (connection, events) = start(client(address, LONG).0, own, beat, patience);
    (connection, events, Server(theirs))
}

#[tokio::test]
async fn a_connection_lives_while_its_pings_are_answered() {
    let (connection, mut events, mut server) = beating(Duration::from_millis(20), LONG).await;
    let server = async {
        for _ in 0..8 {
            let ping = server.read().await;
            assert_eq!((&ping["cmd"], ping.get("body")), (&json!("ping"), None));
            server.answer(&ping, json!({})).await;
        }
        server
    };
    let server = tokio::select! {
        event = events.next() => panic!("{event:?}"),
        server = server => server,
    };
    assert_eq!(connection.end(), None);
    // Those after them are not.
    let (event, ()) = tokio::join!(events.next(), server.until_left());
    assert_eq!(event, AibotEvent::Closed("the server has answered nothing for 60ms".to_owned()));
}

#[tokio::test]
async fn a_connection_whose_peer_takes_nothing_ends_too() {
    let (connection, mut events, server) = beating(Duration::from_millis(20), LONG).await;
    let large = json!({"content": large_text()});
    let (sent, event) = tokio::join!(connection.request(AIBOT_SEND, large, later()), events.next());
    assert!(matches!(event, AibotEvent::Closed(_)), "{event:?}");
    let error = sent.unwrap_err();
    assert!(matches!(error, CallError::Unreached { .. }), "{error:?}");
    drop(server);
}

#[tokio::test]
async fn a_close_brings_no_frame_along_that_is_reported_as_lost() {
    let (connection, mut events, mut server, _) = connected(LONG).await;
    let large = connection.request(AIBOT_SEND, json!({"content": large_text()}), later());
    let close = async {
        // Until the frame is begun.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        connection.clone().close().await;
    };
    let (sent, ()) = tokio::join!(large, close);
    let error = sent.unwrap_err();
    assert!(matches!(error, CallError::Unreached { .. }), "{error:?}");
    assert_eq!(events.next().await, AibotEvent::Closed("it was closed here".to_owned()));
    let came = server.0.next().await;
    assert!(!matches!(came, Some(Ok(Message::Text(_)))), "a whole frame");
}

/// As after a takeover that was not told: heartbeats are answered, requests are not.
#[tokio::test]
async fn a_session_that_answers_no_request_ends() {
    let (connection, mut events, mut server) = beating(Duration::from_millis(20), Duration::from_millis(100)).await;
    let server = async {
        loop {
            match server.0.next().await {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    if frame["cmd"] == "ping" {
                        server.answer(&frame, json!({})).await;
                    }
                }
                Some(Ok(_)) => {}
                _ => return,
            }
        }
    };
    let calls = async {
        // Not for long enough.
        let error = connection.request(AIBOT_SEND, json!({}), Instant::now()).await.unwrap_err();
        assert!(!matches!(error, CallError::Rejected(_)) && connection.end().is_none(), "{error:?}");
        let error = connection.request(AIBOT_SEND, json!({}), soon()).await.unwrap_err();
        assert!(matches!(error, CallError::Silent { limit: Some(Limit::Timeout), .. }), "{error:?}");
        events.next().await
    };
    let (event, ()) = tokio::join!(calls, server);
    assert!(matches!(&event, AibotEvent::Closed(why) if why.contains("has answered no request for")), "{event:?}");
}

#[tokio::test]
async fn the_last_handle_closes_the_connection() {
    let (connection, mut events, server, _) = connected(LONG).await;
    drop((connection.clone(), connection));
    server.until_left().await;
    assert_eq!(events.next().await, AibotEvent::Closed("it was closed here".to_owned()));
}
