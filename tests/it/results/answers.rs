//! What an HTTP answer means, in the order that section "what decides" of the exit codes has it.

use serde_json::{Value, json};

use super::{Way, document};
use crate::support::TestEnv;
use crate::support::fake::{Endpoint, FakeWecom, Reply};

/// An answer, the exit code and status it must end in, and the errcode that counts as WeCom's.
type Case = (&'static str, Reply, i32, &'static str, Option<i64>);

fn http(status: u16, body: &str) -> Reply {
    let headers = vec![("Content-Type".into(), "application/json".into())];
    Reply::Http { status, headers, body: body.into() }
}

/// Answers that are a failure whatever was asked for.
fn failures() -> Vec<Case> {
    let mut cases: Vec<Case> = vec![
        ("errcode", Reply::errcode(93000, "invalid webhook url"), 4, "auth", Some(93000)),
        ("errcode as a string", http(200, r#"{"errcode":"93000","errmsg":"x"}"#), 4, "auth", Some(93000)),
        ("byte order mark", http(200, "\u{feff}{\"errcode\":45009}"), 8, "rate_limited", Some(45009)),
        ("502 with errcode", http(502, r#"{"errcode":-1,"errmsg":"system busy"}"#), 7, "temporary", Some(-1)),
        ("500 with errcode", http(500, r#"{"errcode":40058,"errmsg":"x"}"#), 5, "refused", Some(40058)),
        ("404 with errcode", http(404, r#"{"errcode":40058,"errmsg":"x"}"#), 5, "refused", Some(40058)),
        ("407 with errcode", http(407, r#"{"errcode":60020,"errmsg":"x"}"#), 4, "auth", Some(60020)),
        ("429 with errcode", http(429, r#"{"errcode":60020,"errmsg":"x"}"#), 4, "auth", Some(60020)),
        ("302 with errcode", http(302, r#"{"errcode":45009,"errmsg":"x"}"#), 8, "rate_limited", Some(45009)),
        ("500 with errcode 0", http(500, r#"{"errcode":0,"errmsg":"ok"}"#), 7, "temporary", None),
        ("201 with errcode 0", http(201, r#"{"errcode":0,"errmsg":"ok"}"#), 7, "temporary", None),
        ("404 with errcode 0", http(404, r#"{"errcode":0,"errmsg":"ok"}"#), 3, "config", None),
        ("429 with errcode 0", http(429, r#"{"errcode":0,"errmsg":"ok"}"#), 8, "rate_limited", None),
        ("404 without errcode", http(404, r#"{"error":"no such path"}"#), 3, "config", None),
        ("errcode of another type", http(200, r#"{"errcode":true}"#), 7, "temporary", None),
        ("errcode in words", http(200, r#"{"errcode":"none"}"#), 7, "temporary", None),
        ("errcode beyond all numbers", http(200, r#"{"errcode":1e300}"#), 7, "temporary", None),
        ("an empty object", http(200, "{}"), 7, "temporary", None),
        ("a gateway's JSON", http(200, r#"{"code":403,"message":"blocked by gateway"}"#), 7, "temporary", None),
        ("a gateway's JSON that says OK", http(200, r#"{"code":0,"msg":"ok","success":true}"#), 7, "temporary", None),
        ("the field of another call", http(200, r#"{"userid":"zhangsan"}"#), 7, "temporary", None),
        ("portal page", Reply::PortalPage, 7, "temporary", None),
        ("empty body", http(200, ""), 7, "temporary", None),
        ("JSON array", http(200, r#"[{"errcode":0}]"#), 7, "temporary", None),
        ("JSON string", http(200, r#""ok""#), 7, "temporary", None),
        ("JSON null", http(200, "null"), 7, "temporary", None),
        ("half a JSON object", http(200, r#"{"errcode":0,"errmsg":"o"#), 7, "temporary", None),
        ("two JSON objects", http(200, r#"{"errcode":0}{"errcode":0}"#), 7, "temporary", None),
        ("not UTF-8", Reply::NotUtf8, 7, "temporary", None),
        ("cut body", Reply::CutBody { declared: 500, sent: 12 }, 7, "temporary", None),
        ("cut after the headers", Reply::CutAfterHeaders, 7, "temporary", None),
        ("over 1 MiB", Reply::Oversized(1024 * 1024), 7, "temporary", None),
        ("over 1 MiB in chunks", Reply::OversizedChunked(1024 * 1024), 7, "temporary", None),
        ("407", Reply::status(407), 3, "config", None),
        ("429", Reply::status(429), 8, "rate_limited", None),
        ("204", http(204, ""), 7, "temporary", None),
    ];
    for status in [400, 401, 403, 404, 405, 410, 413, 451, 499] {
        cases.push(("a 4xx", Reply::status(status), 3, "config", None));
    }
    for status in [408, 425, 500, 502, 503, 504, 599] {
        cases.push(("408, 425 or 5xx", Reply::status(status), 7, "temporary", None));
    }
    cases
}

#[test]
fn a_failure_is_the_same_for_every_command() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let mut asked = 0;
    for (number, (name, reply, code, status, errcode)) in failures().into_iter().enumerate() {
        for way in Way::some(number) {
            let name = format!("{name} ({reply:?}) to {way:?}");
            wecom.script(way.endpoint(), [reply.clone()]);
            let run = way.json(&env, &wecom).arg("--no-cache").run();
            assert_eq!(run.code, Some(code), "{name}\n{}", run.all());
            let document = document(&run);
            assert_eq!(document["status"], status, "{name}");
            assert_eq!(document["errcode"], json!(errcode), "{name}");
            assert_eq!(document["route"], way.route(), "{name}");
            assert_eq!(document["attempts"], u64::from(way.is_send()), "{name}");
            asked += 1 + usize::from(matches!(way, Way::AppSend | Way::AppUpload));
            assert_eq!(wecom.requests().len(), asked, "{name}: one request, and one for the token\n{}", run.all());
        }
    }
    assert_eq!(wecom.messages().len() + wecom.uploads().len(), 0);
}

#[test]
fn a_success_in_unusual_dress() {
    for (name, reply) in [
        ("as always", Reply::Normal),
        ("in chunks", Reply::Chunked),
        ("byte by byte", Reply::Drip(std::time::Duration::from_micros(10))),
        ("errcode as a string", http(200, r#"{"errcode":"0","errmsg":"ok"}"#)),
        ("no errcode", http(200, r#"{"errmsg":"ok"}"#)),
        ("just under 1 MiB", Reply::Oversized(1024 * 1024 - 100)),
    ] {
        for way in [Way::AppSend, Way::WebhookSend] {
            let (env, wecom) = (TestEnv::new(), FakeWecom::start());
            wecom.script(way.endpoint(), [reply.clone()]);
            let run = way.json(&env, &wecom).run().assert_code(0);
            let document = document(&run);
            assert_eq!((&document["status"], &document["errcode"]), (&json!("sent"), &json!(0)), "{name} {way:?}");
            assert_eq!(document["parts"].as_array().unwrap().len(), 1, "{name} {way:?}");
            assert_eq!(document["message"], Value::Null, "{name} {way:?}");
            assert_eq!(wecom.count(way.endpoint()), 1, "{name} {way:?}");
        }
    }
}

#[test]
fn an_answer_that_lacks_what_was_asked_for_is_not_wecoms() {
    for way in [Way::GetToken, Way::TokenToSend, Way::AppUpload, Way::WebhookUpload, Way::UploadToSend] {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        wecom.script(way.endpoint(), [Reply::Json(json!({"errcode": 0, "errmsg": "ok"}))]);
        let run = way.json(&env, &wecom).run().assert_code(7);
        assert_eq!(document(&run)["status"], "temporary", "{way:?}");
        assert_eq!(wecom.count(Endpoint::MessageSend) + wecom.count(Endpoint::WebhookSend), 0, "{way:?}");
    }
}

#[test]
fn redirects_are_not_followed() {
    let (env, elsewhere) = (TestEnv::new(), FakeWecom::start());
    for way in Way::ALL {
        for status in [301, 302, 303, 307, 308] {
            let wecom = FakeWecom::start();
            let headers = vec![("Location".into(), format!("{}/cgi-bin/webhook/send", elsewhere.base_url()))];
            wecom.script(way.endpoint(), [Reply::Http { status, headers, body: Vec::new() }]);
            let run = way.json(&env, &wecom).arg("--no-cache").run().assert_code(7);
            let message = document(&run)["message"].as_str().unwrap().to_owned();
            assert!(
                message.starts_with(&format!("HTTP {status} from {}/cgi-bin/", wecom.address())),
                "{way:?}: {message}"
            );
            assert!(message.contains(&format!("redirect to {}, which", elsewhere.base_url())), "{way:?}: {message}");
        }
    }
    assert_eq!(elsewhere.connections(), 0, "nobody may come to the target of a redirect");
}

#[test]
fn the_wait_that_a_429_names_is_passed_on() {
    for (header, expected) in [
        (Some("120"), json!(120)),
        (Some(" 7 "), json!(7)),
        (Some("soon"), Value::Null),
        (Some("-5"), Value::Null),
        (None, Value::Null),
    ] {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        let headers = header.map(|value| ("Retry-After".to_owned(), value.to_owned())).into_iter().collect();
        wecom.script(Endpoint::WebhookSend, [Reply::Http { status: 429, headers, body: b"slow down".to_vec() }]);
        let document = document(&Way::WebhookSend.json(&env, &wecom).run().assert_code(8));
        assert_eq!(document["retry_after_s"], expected, "{header:?}");
        assert_eq!(document["retryable"], true, "{header:?}");
    }
}

#[test]
fn what_is_not_wecoms_shows_its_status_and_first_words() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let long = format!("<html>\n\t<h1>Blocked  by policy</h1>{}</html>", "filler ".repeat(500));
    for (status, code) in [(200, 7), (403, 3), (503, 7), (429, 8)] {
        wecom.script(Endpoint::WebhookSend, [http(status, &long)]);
        let run = Way::WebhookSend.cmd(&env).base_url(&wecom).run().assert_code(code);
        let line = run.stderr.lines().next().unwrap();
        assert!(line.contains(&format!("HTTP {status} from {}/cgi-bin/webhook/send", wecom.address())), "{line}");
        assert!(line.contains("<h1>Blocked by policy</h1>"), "{line}");
        assert!(line.chars().count() < 300, "{line}");
        assert_eq!(run.stderr.lines().count(), 2, "{}", run.stderr);
    }
}
