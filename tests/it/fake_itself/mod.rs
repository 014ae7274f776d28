//! Tests of the fake itself, with bare sockets: what judges others must be judged first.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod aibot;
mod callback;
mod card_rules;
mod chats;
mod defects;
mod directory;
mod faults;
mod flows;
mod message_rules;
mod proxies;
mod uploads;

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::fake::{AGENT_ID, CORP_ID, FakeWecom, SECRET, WEBHOOK_KEY};

/// An answer as it came.
struct Got {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn errcode(&self) -> i64 {
        self.json()["errcode"].as_i64().unwrap()
    }

    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, body: bytes[end + 4..].to_vec() }
    }
}

/// Sends these bytes and reads until the server ends the connection.
fn exchange(mut stream: impl Read + Write, request: &[u8]) -> std::io::Result<Vec<u8>> {
    stream.write_all(request)?;
    stream.flush()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A connection on which nobody waits for ever.
fn connect(address: impl ToSocketAddrs) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

fn ask(wecom: &FakeWecom, request: &[u8]) -> Got {
    Got::parse(&exchange(connect(wecom.address()), request).unwrap())
}

fn get(wecom: &FakeWecom, target: &str) -> Got {
    ask(wecom, format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes())
}

/// A POST as it should be, but for what the headers and the body hold.
fn post(wecom: &FakeWecom, target: &str, content_type: &str, body: &[u8]) -> Got {
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {content_type}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    ask(wecom, &[head.as_bytes(), body].concat())
}

fn token_target() -> String {
    format!("/cgi-bin/gettoken?corpid={CORP_ID}&corpsecret={SECRET}")
}

fn token(wecom: &FakeWecom) -> String {
    get(wecom, &token_target()).json()["access_token"].as_str().unwrap().to_owned()
}

/// Sends a whole body to the app, with a token of its own.
fn send(wecom: &FakeWecom, body: &Value) -> Got {
    let target = format!("/cgi-bin/message/send?access_token={}", token(wecom));
    post(wecom, &target, "application/json", body.to_string().as_bytes())
}

/// Sends one payload to zhangsan.
fn send_payload(wecom: &FakeWecom, msgtype: &str, payload: Value) -> Got {
    send(wecom, &with_payload(msgtype, payload))
}

fn with_payload(msgtype: &str, payload: Value) -> Value {
    json!({"touser": "zhangsan", "agentid": AGENT_ID, "msgtype": msgtype, msgtype: payload})
}

fn webhook_target() -> String {
    format!("/cgi-bin/webhook/send?key={WEBHOOK_KEY}")
}

fn send_to_group(wecom: &FakeWecom, msgtype: &str, payload: Value) -> Got {
    let body = json!({"msgtype": msgtype, msgtype: payload}).to_string();
    post(wecom, &webhook_target(), "application/json", body.as_bytes())
}

/// Uploads with that Content-Disposition and content.
fn upload_with(wecom: &FakeWecom, target: &str, disposition: &str, content: &[u8]) -> Got {
    let head = format!("--b0\r\nContent-Disposition: {disposition}\r\nContent-Type: application/octet-stream\r\n\r\n");
    let body = [head.as_bytes(), content, b"\r\n--b0--\r\n"].concat();
    post(wecom, target, "multipart/form-data; boundary=b0", &body)
}

/// Uploads as it should be.
fn upload(wecom: &FakeWecom, kind: &str, content: &[u8]) -> Got {
    let target = format!("/cgi-bin/media/upload?access_token={}&type={kind}", token(wecom));
    upload_with(wecom, &target, "form-data; name=\"media\"; filename=\"报告 1.txt\"", content)
}

/// The media_id of a good upload.
fn media_id(wecom: &FakeWecom, kind: &str, content: &[u8]) -> String {
    upload(wecom, kind, content).json()["media_id"].as_str().unwrap().to_owned()
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";
const AMR: &[u8] = b"#!AMR\n\x04aaaaaaaaaaaa";
const MP4: &[u8] = b"\0\0\0\x18ftypisom";
