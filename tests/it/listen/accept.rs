//! `listen --accept`: alerts that come by HTTP go out as a single send's do, and their senders learn what became of them.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::alertmanager::RunningAlertmanager;
use super::{Listening, command, exchange, started};
use crate::support::fake::{
    AGENT_ID, AIBOT_ID, AIBOT_SECRET, CORP_ID, Endpoint, FakeWecom, Reply, SECRET, WEBHOOK_KEY, closed_port,
};
use crate::support::{Cmd, Scene, needs, send_signal, wait_until};

const OTHER_KEY: &str = "00000000-0000-4000-8000-000000000002";

const TOKEN: &str = "test-accept-token-6b1f";

/// Several profiles and no default: the path names one.
pub(super) fn scene() -> Scene {
    let wecom = FakeWecom::builder().webhook(OTHER_KEY).start();
    let (base_url, aibot_url) = (wecom.base_url(), wecom.aibot_url());
    let mut scene = Scene::with(wecom);
    scene.config = format!("base_url = '{base_url}'\naibot_url = '{aibot_url}'\nretries = 0\n");
    let app = format!("corp_id = '{CORP_ID}'\nagent_id = {AGENT_ID}\nsecret = '{SECRET}'\nto_user = 'zhangsan'\n");
    let aibot = format!("aibot_id = '{AIBOT_ID}'\naibot_secret = '{AIBOT_SECRET}'\naibot_user = 'zhangsan'\n");
    scene
        .profile("room", &format!("webhook = '{WEBHOOK_KEY}'"))
        .profile("kept", &format!("webhook = '{OTHER_KEY}'\noutbox = true"))
        .profile("ops", &format!("webhook = '{WEBHOOK_KEY}'\n{app}"))
        .profile("'值班:app'", &app)
        .profile("bot", &aibot)
}

/// One that takes alerts, with a token unless `more` says something else.
pub(super) fn accepting(scene: &Scene, more: &[&str]) -> Listening {
    started(scene, accept_command(scene, more).env("WECOM_ALERT_ACCEPT_TOKEN", TOKEN))
}

fn accept_command(scene: &Scene, more: &[&str]) -> Cmd {
    let cmd = command(scene, &["listen", "--accept", "127.0.0.1:0"]).args(more.iter().copied());
    cmd.secret(TOKEN).secret(WEBHOOK_KEY).secret(OTHER_KEY)
}

fn sample(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/feeds");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// A notification with one alert.
pub(super) fn alertmanager(name: &str) -> String {
    json!({"version": "4", "alerts": [{"status": "firing", "labels": {"alertname": name}}]}).to_string()
}

pub(super) fn post(path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{headers}\r\n{body}")
}

pub(super) fn bearer() -> String {
    format!("Authorization: Bearer {TOKEN}\r\n")
}

/// Sends an alert with the token. Returns the status and the document.
pub(super) fn send(listening: &Listening, path: &str, body: &str) -> (u16, Value) {
    let (status, document) = exchange(&listening.address, post(path, &bearer(), body).as_bytes());
    (status, serde_json::from_str(&document).unwrap_or_else(|_| panic!("{path}: {status} {document}")))
}

fn texts(scene: &Scene) -> Vec<String> {
    scene.wecom.messages().iter().map(|message| message.body.to_string()).collect()
}

#[test]
fn a_notification_goes_where_its_path_says() {
    let scene = scene();
    let log = scene.env.home().join("log");
    let listening = accepting(&scene, &["--log-file", log.to_str().unwrap()]);
    for (path, body, route, shown) in [
        ("/room/alertmanager", sample("alertmanager-group.json"), "webhook", "HighDiskUsage"),
        ("/room:webhook/grafana", sample("grafana-group.json"), "webhook", "High memory usage"),
        ("/ops:app/alertmanager", alertmanager("ByApp"), "app", "ByApp"),
        // Rather somewhere than nowhere.
        ("/ops/alertmanager", alertmanager("ByEither"), "webhook", "ByEither"),
        ("/%E5%80%BC%E7%8F%AD:app/alertmanager", alertmanager("Name"), "app", "Name"),
        ("/bot/alertmanager", alertmanager("ByAibot"), "aibot", "ByAibot"),
    ] {
        let before = scene.wecom.messages().len();
        let (status, told) = send(&listening, path, &body);
        assert_eq!((status, &told["status"], &told["route"]), (200, &json!("sent"), &json!(route)), "{path}: {told}");
        assert_eq!((&told["ok"], &told["exit_code"]), (&json!(true), &json!(0)), "{path}: {told}");
        let sent = texts(&scene).split_off(before);
        assert!(sent.len() == 1 && sent[0].contains(shown), "{path}: {sent:?}");
    }
    assert!(listening.lines().is_empty(), "an alert is no event");
    let (run, told) = listening.stop();
    assert_eq!(run.code, Some(143), "{told}");
    assert!(!told.contains("warning"), "{told}");
    let lines = fs::read_to_string(&log).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (alerts, end) = lines.split_at(6);
    assert_eq!(end.len(), 1, "its own");
    for line in alerts {
        assert_eq!((&line["command"], &line["status"]), (&json!("listen"), &json!("sent")), "{line}");
        assert!(line["bytes"].is_null() || line["bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{line}");
    }
    assert_eq!(alerts[2]["profile"], "ops");
}

#[test]
fn only_who_shows_the_token_may_send() {
    let scene = scene();
    let listening = accepting(&scene, &[]);
    let basic = |text: &str| format!("Authorization: Basic {}\r\n", BASE64_STANDARD.encode(text));
    let (path, body) = ("/room/alertmanager", alertmanager("DiskFull"));
    let answered = |path: &str, headers: &str| exchange(&listening.address, post(path, headers, &body).as_bytes());
    for headers in [
        String::new(),
        "Authorization: Bearer\r\n".to_owned(),
        "Authorization: Bearer wrong\r\n".to_owned(),
        format!("Authorization: Bearer {TOKEN}x\r\n"),
        format!("Authorization: Token {TOKEN}\r\n"),
        format!("X-Token: {TOKEN}\r\n"),
        basic(TOKEN),
        basic("user:wrong"),
        basic(&format!("{TOKEN}:")),
        "Authorization: Basic ???\r\n".to_owned(),
    ] {
        let (status, document) = answered(path, &headers);
        assert_eq!(status, 401, "{headers}: {document}");
        assert!(document.contains("the token is missing or wrong") && !document.contains(TOKEN), "{document}");
        // Nobody learns which profiles there are.
        assert_eq!(answered("/nobody/alertmanager", &headers).0, 401, "{headers}");
        assert_eq!(answered(&format!("{path}?token={TOKEN}"), &headers).0, 401, "{headers}");
    }
    assert_eq!(scene.wecom.requests().len(), 0);
    for headers in [bearer(), format!("authorization: bearer  {TOKEN}\r\n"), basic(&format!("any:{TOKEN}"))] {
        assert_eq!(answered(path, &headers).0, 200, "{headers}");
    }
    assert_eq!(scene.wecom.messages().len(), 3);
    let told = listening.stderr();
    assert_eq!(told.matches("the token is missing or wrong").count(), 1, "{told}");
    listening.stop();
}

#[test]
fn without_a_token_only_this_machine_may_send() {
    let scene = scene();
    for address in ["0.0.0.0:0", "[::]:0"] {
        let run = command(&scene, &["listen", "--accept", address]).run().assert_code(3);
        assert!(
            run.stderr.contains("accept_token is not set") && run.stderr.contains("accept_token_file"),
            "{}",
            run.all()
        );
    }
    let listening = started(&scene, accept_command(&scene, &[]));
    let answered = |headers: &str| {
        let request = post("/room/alertmanager", headers, &alertmanager("DiskFull"));
        exchange(&listening.address, request.as_bytes()).0
    };
    assert_eq!(answered(""), 200);
    // A web page that somebody on this machine looks at.
    assert_eq!(answered("Origin: https://example.com\r\n"), 403);
    assert_eq!(scene.wecom.messages().len(), 1);
    listening.stop();
    // A file gives it too, and one that cannot be read is no reason to take alerts of anybody.
    let file = scene.env.file("token", format!("{TOKEN}\n"));
    let with_file = |path: &str| accept_command(&scene, &[]).env("WECOM_ALERT_ACCEPT_TOKEN_FILE", path);
    let listening = started(&scene, with_file(file.to_str().unwrap()));
    assert_eq!(send(&listening, "/room/alertmanager", &alertmanager("DiskFull")).0, 200);
    assert_eq!(exchange(&listening.address, post("/room/alertmanager", "", "{}").as_bytes()).0, 401);
    listening.stop();
    let run = with_file("/nowhere/token").run().assert_code(3);
    assert!(run.stderr.contains("/nowhere/token"), "{}", run.all());
}

#[test]
fn what_cannot_be_taken_is_answered_as_such() {
    let scene = scene();
    let listening = accepting(&scene, &[]);
    let answered = |request: String| exchange(&listening.address, request.as_bytes()).0;
    assert_eq!(answered("GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned()), 200, "a health check");
    for path in [
        "/",
        "/room",
        "/room/",
        "/room/alertmanager/x",
        "/room/slack",
        "/nobody/grafana",
        "/room:fax/grafana",
        "/%ff/grafana",
    ] {
        let (status, told) = send(&listening, path, &alertmanager("DiskFull"));
        assert_eq!((status, &told["status"]), (404, &json!("usage")), "{path}: {told}");
        assert!(told["hint"].is_string(), "{told}");
    }
    assert_eq!(answered(format!("GET /room/grafana HTTP/1.1\r\nHost: x\r\n{}\r\n", bearer())), 405);
    assert_eq!(answered(post("/room/grafana", &format!("Content-Encoding: gzip\r\n{}", bearer()), "x")), 415);
    for body in ["", "disk full", "{}", "[]", "{\"alerts\": []}"] {
        let (status, told) = send(&listening, "/room/alertmanager", body);
        assert_eq!((status, &told["exit_code"]), (400, &json!(2)), "{body}: {told}");
    }
    // Before anything of it is read, and on the way.
    let size = 5 * 1024 * 1024;
    let head = format!("POST /room/grafana HTTP/1.1\r\nHost: x\r\n{}", bearer());
    assert_eq!(answered(format!("{head}Content-Length: {size}\r\n\r\n{}", "x".repeat(size))), 413);
    let chunk = format!("{size:x}\r\n{}\r\n", "x".repeat(size));
    assert!([413, 0].contains(&answered(format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunk}"))));
    // A large one is taken.
    let large = alertmanager(&"x".repeat(3 * 1024 * 1024));
    assert_eq!(send(&listening, "/room/alertmanager", &large).0, 200);
    listening.stop();
}

#[test]
fn the_status_says_whether_to_send_it_again() {
    let scene = scene();
    let listening = accepting(&scene, &["--rate", "off"]);
    for (reply, path, status, exit_code) in [
        (Reply::status(502), "/room/alertmanager", 503, 7),
        (Reply::errcode(45009, "api freq out of limit"), "/room/alertmanager", 503, 8),
        (Reply::errcode(93000, "invalid webhook url"), "/room/alertmanager", 503, 4),
        (Reply::errcode(40058, "wrong parameter"), "/room/alertmanager", 400, 5),
        (Reply::status(502), "/kept/alertmanager", 202, 0),
        (Reply::errcode(45009, "api freq out of limit"), "/kept/alertmanager", 202, 0),
        (Reply::errcode(40058, "wrong parameter"), "/kept/alertmanager", 400, 5),
    ] {
        let case = format!("{} {path}", reply.describe());
        scene.wecom.script(Endpoint::WebhookSend, [reply]);
        let (answered, told) = send(&listening, path, &alertmanager(&case));
        assert_eq!((answered, &told["exit_code"]), (status, &json!(exit_code)), "{case}: {told}");
        assert_eq!(told["outbox_id"].is_string(), path.contains("kept"), "{case}: {told}");
    }
    assert!(texts(&scene).is_empty());
    let told = listening.stderr();
    assert!(told.contains("an alert for room was not sent (temporary)"), "{told}");
    listening.stop();
}

/// Whoever hangs up before the answer and sends the same again gets the answer, and no second message goes out.
#[test]
fn a_sender_that_hung_up_and_tries_again_sends_one_message() {
    let scene = scene();
    let listening = accepting(&scene, &[]);
    let pause = Duration::from_millis(1500);
    let delayed = || Reply::delayed(pause, Reply::Normal);
    scene.wecom.script(Endpoint::WebhookSend, [delayed()]);
    let hang_up = |body: &str| {
        use std::io::Write as _;
        let mut stream = TcpStream::connect(&listening.address).unwrap();
        stream.write_all(post("/room/alertmanager", &bearer(), body).as_bytes()).unwrap();
        let asked = scene.wecom.count(Endpoint::WebhookSend);
        wait_until("the request to WeCom", || scene.wecom.count(Endpoint::WebhookSend) > asked.saturating_sub(1));
        stream
    };
    // While it is under way.
    let first = alertmanager("First");
    drop(hang_up(&first));
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(send(&listening, "/room/alertmanager", &first).0, 200);
    assert_eq!(texts(&scene).len(), 1);
    // The same once more from who got an answer is another alert.
    assert_eq!(send(&listening, "/room/alertmanager", &first).0, 200);
    assert_eq!(texts(&scene).len(), 2);
    // After its end.
    scene.wecom.script(Endpoint::WebhookSend, [delayed()]);
    let second = alertmanager("Second");
    drop(hang_up(&second));
    wait_until("the message", || texts(&scene).len() == 3);
    std::thread::sleep(pause);
    assert_eq!(send(&listening, "/room/alertmanager", &second).0, 200);
    assert_eq!(texts(&scene).len(), 3);
    listening.stop();
}

/// Senders wait about 10 s: what is in the outbox by then is no more theirs to send.
#[test]
fn what_takes_long_and_is_in_the_outbox_is_answered_in_time() {
    let scene = scene();
    let listening = accepting(&scene, &[]);
    let slow = Reply::delayed(Duration::from_secs(9), Reply::Normal);
    scene.wecom.script(Endpoint::WebhookSend, [slow]);
    let began = Instant::now();
    let (status, told) = send(&listening, "/kept/alertmanager", &alertmanager("Slow"));
    assert_eq!((status, &told["status"]), (202, &json!("queued")), "{told}");
    assert!(told["outbox_id"].is_string() && began.elapsed() < Duration::from_millis(9_900), "{:?}", began.elapsed());
    wait_until("the message", || texts(&scene).len() == 1);
    let waiting = scene.env.state().join("outbox/waiting");
    wait_until("an empty outbox", || fs::read_dir(&waiting).is_ok_and(|mut entries| entries.next().is_none()));
    listening.stop();
    assert_eq!(texts(&scene).len(), 1);
}

#[test]
fn what_is_under_way_ends_when_it_is_stopped_and_what_waits_goes_out_after_the_next_start() {
    let scene = scene();
    let listening = accepting(&scene, &[]);
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    assert_eq!(send(&listening, "/kept/alertmanager", &alertmanager("Queued")).0, 202);
    let slow = Reply::delayed(Duration::from_secs(2), Reply::Normal);
    scene.wecom.script(Endpoint::WebhookSend, [slow]);
    let (address, id) = (listening.address.clone(), listening.running.id());
    let request = post("/room/alertmanager", &bearer(), &alertmanager("UnderWay"));
    let sending = std::thread::spawn(move || exchange(&address, request.as_bytes()));
    wait_until("the request", || scene.wecom.count(Endpoint::WebhookSend) == 2);
    send_signal("TERM", id);
    wait_until("a closed address", || TcpStream::connect(&listening.address).is_err());
    let (status, document) = sending.join().unwrap();
    assert_eq!(status, 200, "{document}");
    let run = listening.running.wait();
    assert_eq!(run.code, Some(143));
    assert_eq!(texts(&scene).len(), 1);
    // Nobody sends anything: what was answered with 202 goes out all the same.
    let listening = accepting(&scene, &[]);
    wait_until("what waited", || texts(&scene).len() == 2);
    assert!(texts(&scene)[1].contains("Queued"), "{:?}", texts(&scene));
    listening.stop();
}

/// Presses and alerts at the same time.
#[test]
fn it_works_beside_presses() {
    let scene = super::scene().profile("room", &format!("webhook = '{WEBHOOK_KEY}'"));
    let cmd = command(&scene, &["listen", "--http", "127.0.0.1:0", "--accept", "127.0.0.1:0", "-P", "ops"]);
    let listening = started(&scene, cmd.secret(WEBHOOK_KEY));
    listening.wait_for_stderr("alerts at http://");
    let told = listening.stderr();
    let (_, address) = told.lines().next().unwrap().rsplit_once("http://").unwrap();
    super::send_card(&scene, "t-1");
    let callback = listening.callback(&scene);
    assert!(callback.press("t-1", "ack", "zhangsan").is_taken());
    let (status, document) = exchange(address, post("/room/alertmanager", "", &alertmanager("Beside")).as_bytes());
    assert_eq!(status, 200, "{document}");
    listening.wait_for_lines(1);
    assert!(texts(&scene).last().unwrap().contains("Beside"));
    listening.stop();
}

/// The same JSON as in a line of a batch. The path counts before what it names itself.
#[test]
fn a_line_of_a_batch_is_an_alert_too() {
    let scene = scene();
    let listening = accepting(&scene, &[]);
    let line = json!({
        "profile": "bot", "title": "Disk full", "level": "critical", "field": {"host": "web-3"}, "text": "95 %", "to_user": ["lisi"],
    });
    let (status, told) = send(&listening, "/ops:app/send", &line.to_string());
    assert_eq!((status, &told["route"], &told["profile"]), (200, &json!("app"), &json!("ops")), "{told}");
    let sent = scene.wecom.messages().pop().unwrap().body;
    let text = sent.to_string();
    assert!(sent["touser"] == "lisi" && text.contains("Disk full") && text.contains("web-3"), "{sent}");
    let (status, told) = send(&listening, "/room/send", r#"{"text": "plain", "titel": "x"}"#);
    assert_eq!(status, 200, "{told}");
    assert!(told["warnings"][0].as_str().unwrap().contains("titel"), "{told}");
    assert_eq!(scene.wecom.messages().pop().unwrap().body["text"]["content"], "plain");
    let before = scene.wecom.requests().len();
    for body in [
        "plain",
        "[]",
        "{}",
        r#"{"text": ""}"#,
        r#"{"text": "x", "webhook": "y"}"#,
        r#"{"text": "x", "base_url": "https://example.com"}"#,
        r#"{"attach": "/etc/passwd", "text": "x"}"#,
        r#"{"text_file": "-"}"#,
    ] {
        let (status, told) = send(&listening, "/room/send", body);
        assert_eq!((status, &told["status"]), (400, &json!("usage")), "{body}: {told}");
    }
    assert_eq!(scene.wecom.requests().len(), before);
    listening.stop();
}

/// A real Alertmanager with the recipe: firing, grouped, resolved, WeCom out of order, and `listen` restarted in between.
#[test]
fn an_alertmanager_with_the_recipe_loses_nothing() {
    if !needs("prometheus-alertmanager") {
        return;
    }
    let scene = scene();
    let address = format!("127.0.0.1:{}", closed_port());
    let start = || {
        let cmd = command(&scene, &["listen", "--accept", &address]).env("WECOM_ALERT_ACCEPT_TOKEN", TOKEN);
        started(&scene, cmd.secret(TOKEN).secret(WEBHOOK_KEY).secret(OTHER_KEY))
    };
    let recipe = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/accept/alertmanager.yml");
    let token = scene.env.file("token", TOKEN);
    let mut config = fs::read_to_string(recipe).unwrap();
    for (from, to) in [
        ("127.0.0.1:8681/ops/", format!("{address}/room/")),
        ("/etc/prometheus/wecom-alert.token", token.display().to_string()),
        ("group_wait: 10s", "group_wait: 1s".to_owned()),
        ("group_interval: 5m", "group_interval: 2s".to_owned()),
    ] {
        assert!(config.contains(from), "{from}");
        config = config.replacen(from, &to, if from.starts_with("127") { 2 } else { 1 });
    }
    let count = |word: &str| texts(&scene).iter().filter(|text| text.contains(word)).count();
    let listening = start();
    let alertmanager = RunningAlertmanager::start(&scene, &config);
    let alert = |name: &str, host: &str| json!({"labels": {"alertname": name, "host": host, "severity": "critical"}});
    // Both hosts in one message.
    alertmanager.post_all(&[alert("DiskFull", "web-3"), alert("DiskFull", "web-4")]);
    wait_until("the group", || count("web-4") == 1);
    assert!(count("web-3") == 1 && texts(&scene).len() == 1, "{:?}", texts(&scene));
    // WeCom is out of order for a while.
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502), Reply::errcode(-1, "system busy")]);
    alertmanager.post(&alert("Outage", "web-5"));
    wait_until("the one after the outage", || count("Outage") == 1);
    // Nobody listens for a while.
    listening.stop();
    alertmanager.post(&alert("Restart", "web-6"));
    std::thread::sleep(Duration::from_secs(3));
    let listening = start();
    wait_until("the one from before the start", || count("Restart") == 1);
    // It is over.
    let ended = |name: &str, host: &str| {
        let mut alert = alert(name, host);
        alert["endsAt"] = json!(chrono::Utc::now().to_rfc3339());
        alert
    };
    alertmanager.post_all(&[ended("DiskFull", "web-3"), ended("DiskFull", "web-4")]);
    wait_until("the end", || count("RESOLVED") == 1);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!((count("DiskFull"), count("Outage"), count("Restart")), (2, 1, 1), "{:?}", texts(&scene));
    listening.stop();
}
