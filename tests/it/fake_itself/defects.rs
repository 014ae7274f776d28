//! Defects of a client: each is noticed, and the fake's end is loud unless they were expected.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

/// What a request makes the fake complain of, and what it answers.
fn complaint(request: &[u8]) -> (String, Got) {
    let wecom = FakeWecom::start();
    wecom.expect_unexpected();
    let got = ask(&wecom, request);
    (wecom.complaints().join("\n"), got)
}

/// A message to the group with these header lines and this body.
fn group_message(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
        webhook_target(),
        body.len()
    );
    [head.as_bytes(), body].concat()
}

const JSON: &str = "Content-Type: application/json\r\n";
const GOOD: &[u8] = br#"{"msgtype":"text","text":{"content":"x"}}"#;

#[test]
fn defects_around_the_body() {
    assert_eq!(complaint(&group_message(JSON, GOOD)).0, "");
    let cases: [(&str, Vec<u8>); 7] = [
        ("not application/json", group_message("", GOOD)),
        ("not application/json", group_message("Content-Type: text/plain\r\n", GOOD)),
        ("credential in the header", group_message(&format!("{JSON}X-Key: {WEBHOOK_KEY}\r\n"), GOOD)),
        ("credential in the header", group_message(&format!("{JSON}Authorization: Bearer x\r\n"), GOOD)),
        ("debug does not belong", replaced(&group_message(JSON, GOOD), "?key", "?debug=1&key")),
        ("comes twice", replaced(&group_message(JSON, GOOD), "?key", "?key=1&key")),
        ("GET where POST belongs", replaced(&group_message(JSON, GOOD), "POST", "GET")),
    ];
    for (wanted, request) in cases {
        let (complaints, _) = complaint(&request);
        assert!(complaints.contains(wanted), "{wanted}: {complaints}");
    }
}

#[test]
fn defects_in_the_body() {
    let cases: [(i64, &str, &[u8]); 8] = [
        (40033, "escapes in the body", br#"{"msgtype":"text","text":{"content":"\u5b57"}}"#),
        (40033, "escapes in the body", br#"{"msgtype":"text","text":{"content":"\u001b[31m"}}"#),
        (44004, "not UTF-8", b"{\"msgtype\":\"text\",\"text\":{\"content\":\"\xd7\xd6\"}}"),
        (40008, "not a JSON object", b"{\"msgtype\":\"text\","),
        (40008, "not a JSON object", b"\xef\xbb\xbf{\"msgtype\":\"text\",\"text\":{\"content\":\"x\"}}"),
        (0, "key content comes twice", br#"{"msgtype":"text","text":{"content":"x","content":"y"}}"#),
        (0, "text.colour is not a field", br#"{"msgtype":"text","text":{"content":"x","colour":1}}"#),
        (0, "control character", b"{\"msgtype\":\"text\",\"text\":{\"content\":\"\x7f\"}}"),
    ];
    for (code, wanted, body) in cases {
        let (complaints, got) = complaint(&group_message(JSON, body));
        assert!(complaints.contains(wanted), "{wanted}: {complaints}");
        assert_eq!(got.errcode(), code, "{wanted}");
    }
    let harmless = r#"{"msgtype":"text","text":{"content":"a \\u5b57 \" \n \t { \"content\": 1 }"}}"#;
    assert_eq!(complaint(&group_message(JSON, harmless.as_bytes())).0, "");
}

#[test]
fn a_token_in_the_body_is_no_token() {
    let wecom = FakeWecom::start();
    let body = format!(r#"{{"access_token":"{}","msgtype":"text"}}"#, token(&wecom));
    let got = post(&wecom, "/cgi-bin/message/send", "application/json", body.as_bytes());
    assert_eq!(got.errcode(), 41001);
    assert_eq!(wecom.complaints(), ["POST message/send: a credential in the body"]);
    wecom.expect_unexpected();
}

#[test]
fn an_upload_in_chunks_is_no_file() {
    let wecom = FakeWecom::start();
    let part = "--b0\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a\"\r\nContent-Type: text/plain\r\n\r\ncontent\r\n--b0--\r\n";
    let request = format!(
        "POST /cgi-bin/media/upload?access_token={}&type=file HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Content-Type: multipart/form-data; boundary=b0\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{part}\r\n0\r\n\r\n",
        token(&wecom),
        part.len()
    );
    assert_eq!(ask(&wecom, request.as_bytes()).errcode(), 44001);
    let seen = wecom.requests().pop().unwrap();
    assert!(seen.chunked && seen.body == part.as_bytes());
    assert_eq!(wecom.complaints(), ["POST media/upload: a body in chunks: WeCom wants a Content-Length"]);
    wecom.expect_unexpected();
}

#[test]
fn recipients_are_written_without_blanks() {
    let wecom = FakeWecom::start();
    let mut body = with_payload("text", serde_json::json!({"content": "x"}));
    body["touser"] = serde_json::json!("zhangsan | lisi");
    assert_eq!(send(&wecom, &body).json()["invaliduser"], "zhangsan | lisi");
    assert_eq!(wecom.complaints().len(), 1);
    wecom.expect_unexpected();
}

#[test]
fn ends_loudly_after_the_unexpected() {
    let wecom = FakeWecom::start();
    assert_eq!(get(&wecom, "/cgi-bin/message/nosuch").status, 404);
    let panic = catch_unwind(AssertUnwindSafe(|| drop(wecom))).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("nobody expected GET /cgi-bin/message/nosuch"), "{message}");
}

fn replaced(request: &[u8], from: &str, to: &str) -> Vec<u8> {
    String::from_utf8(request.to_vec()).unwrap().replacen(from, to, 1).into_bytes()
}
