//! Files in chunks on the fake's aibot.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use serde_json::{Value, json};

use crate::support::fake::{AIBOT_ID, FakeWecom, Route};

use super::super::{AMR, MP4, PNG};
use super::Line;

const CHUNK: usize = 512 * 1024;

fn sum(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn announced(kind: &str, bytes: &[u8]) -> Value {
    let count = bytes.len().div_ceil(CHUNK);
    json!({"type": kind, "filename": "报告 1.txt", "total_size": bytes.len(), "total_chunks": count, "md5": sum(bytes)})
}

/// Begins an upload; the id.
fn begin(line: &mut Line, kind: &str, bytes: &[u8]) -> String {
    let answer = line.ask("aibot_upload_media_init", announced(kind, bytes));
    answer["body"]["upload_id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

fn chunk(line: &mut Line, id: &str, at: i64, bytes: &[u8]) -> i64 {
    let body = json!({"upload_id": id, "chunk_index": at, "base64_data": STANDARD.encode(bytes)});
    line.code("aibot_upload_media_chunk", body)
}

fn finish(line: &mut Line, id: &str) -> Value {
    line.ask("aibot_upload_media_finish", json!({"upload_id": id}))
}

/// The media_id of a good upload.
pub(super) fn media_id(line: &mut Line, kind: &str) -> String {
    let bytes = match kind {
        "image" => PNG,
        "voice" => AMR,
        "video" => MP4,
        _ => b"a file",
    };
    let id = begin(line, kind, bytes);
    assert_eq!(chunk(line, &id, 0, bytes), 0);
    let answer = finish(line, &id);
    assert_eq!((&answer["errcode"], &answer["body"]["type"]), (&json!(0), &json!(kind)), "{answer}");
    assert!(answer["body"]["created_at"].is_string());
    answer["body"]["media_id"].as_str().unwrap().to_owned()
}

#[test]
fn chunks_in_any_order_and_over_a_new_connection() {
    let wecom = FakeWecom::start();
    let mut line = Line::subscribed(&wecom);
    let bytes: Vec<u8> = (0..CHUNK + 1000).map(|at| (at % 251) as u8).collect();
    let id = begin(&mut line, "file", &bytes);
    assert_eq!(chunk(&mut line, &id, 1, &bytes[CHUNK..]), 0);
    assert_eq!(finish(&mut line, &id)["errcode"], 846_616);
    drop(line);
    let mut line = Line::subscribed(&wecom);
    assert_eq!(chunk(&mut line, &id, 0, &bytes[..CHUNK]), 0);
    // Repeats are taken and forgotten.
    assert_eq!(chunk(&mut line, &id, 0, b"something else"), 0);
    let answer = finish(&mut line, &id);
    assert_eq!(answer["errcode"], 0);
    // An answer may have been lost: the same file once more.
    assert_eq!(finish(&mut line, &id)["body"]["media_id"], answer["body"]["media_id"]);
    let uploads = wecom.uploads();
    assert_eq!((uploads.len(), uploads[0].bytes == bytes), (1, true));
    assert_eq!(uploads[0].filename, "报告 1.txt".as_bytes());
    assert!(matches!(&uploads[0].route, Route::Aibot { bot_id, .. } if bot_id == AIBOT_ID));
    // 512 KiB of base64 are not kept with each request.
    assert!(wecom.requests().iter().all(|seen| seen.body.len() < 1000));
}

#[test]
fn a_file_is_of_its_kind_and_of_that_bot() {
    let wecom = FakeWecom::builder().aibot("other", "test-secret-of-other", ["zhangsan"], &[]).start();
    let mut line = Line::subscribed(&wecom);
    let mut other = Line::bare(&wecom);
    assert_eq!(other.code("aibot_subscribe", json!({"bot_id": "other", "secret": "test-secret-of-other"})), 0);
    for kind in ["file", "image", "voice", "video"] {
        let id = media_id(&mut line, kind);
        assert_eq!(line.send("zhangsan", kind, json!({"media_id": id})), 0, "{kind}");
        let wrong = if kind == "file" { "image" } else { "file" };
        assert_eq!(line.send("zhangsan", wrong, json!({"media_id": id})), 40007, "{kind}");
        assert_eq!(other.send("zhangsan", kind, json!({"media_id": id})), 40007, "{kind}");
    }
    let video = media_id(&mut line, "video");
    assert_eq!(line.send("zhangsan", "video", json!({"media_id": video, "title": "t", "description": "d"})), 0);
    wecom.expire_media();
    assert_eq!(line.send("zhangsan", "video", json!({"media_id": video})), 40007);
    let id = begin(&mut line, "image", b"no picture");
    assert_eq!(chunk(&mut line, &id, 0, b"no picture"), 0);
    assert_eq!(finish(&mut line, &id)["errcode"], 846_697);
}

#[test]
fn what_does_not_add_up_is_refused() {
    let wecom = FakeWecom::start();
    let mut line = Line::subscribed(&wecom);
    let good = announced("file", b"a file");
    let mut init = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        line.code("aibot_upload_media_init", body)
    };
    assert_eq!(init("type", json!("gif")), 846_697);
    assert_eq!(init("filename", json!("")), 40058);
    assert_eq!(init("total_size", json!(0)), 40058);
    assert_eq!(init("total_size", json!(50 * 1024 * 1024 + 1)), 40058);
    assert_eq!(init("total_size", json!(CHUNK + 1)), 40058);
    assert_eq!(init("total_chunks", json!(0)), 40058);
    assert_eq!(init("total_chunks", json!(101)), 40058);
    assert_eq!(init("md5", json!("abc")), 40058);
    let id = begin(&mut line, "file", b"a file");
    assert_eq!(chunk(&mut line, "nowhere", 0, b"a file"), 846_611);
    assert_eq!(chunk(&mut line, &id, 1, b"a file"), 846_612);
    assert_eq!(chunk(&mut line, &id, -1, b"a file"), 846_612);
    assert_eq!(chunk(&mut line, &id, 0, &vec![0; CHUNK + 1]), 846_613);
    let not_base64 = json!({"upload_id": id, "chunk_index": 0, "base64_data": "磁盘"});
    assert_eq!(line.code("aibot_upload_media_chunk", not_base64), 40058);
    assert_eq!(finish(&mut line, "nowhere")["errcode"], 846_611);
    assert_eq!(chunk(&mut line, &id, 0, b"another"), 0);
    assert_eq!(finish(&mut line, &id)["errcode"], 40058);
    let id = begin(&mut line, "file", b"a file");
    assert_eq!(chunk(&mut line, &id, 0, b"a filE"), 0);
    assert_eq!(finish(&mut line, &id)["errcode"], 40058);
    assert_eq!(wecom.uploads().len(), 0);
    wecom.aibot(AIBOT_ID).set(|bot| bot.upload_limit = Some((1, Duration::from_secs(3600))));
    begin(&mut line, "file", b"a file");
    assert_eq!(line.code("aibot_upload_media_init", announced("file", b"a file")), 45009);
}
