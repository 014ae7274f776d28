//! The recipe `examples/answer/alertmanager.sh` with a real Alertmanager: what it sends becomes a card, and what is pressed
//! there is done in Alertmanager and told on the card.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::{command, exchange, scene, started};
use crate::support::fake::{CALLBACK_AES_KEY, CALLBACK_TOKEN, SentCard, closed_port};
use crate::support::{Cmd, Scene, needs, wait_for, wait_until};

/// An Alertmanager that sends each group of alerts at once to a listener of the test.
struct Alertmanager {
    own: RunningAlertmanager,
    webhook: TcpListener,
}

impl Deref for Alertmanager {
    type Target = RunningAlertmanager;

    fn deref(&self) -> &RunningAlertmanager {
        &self.own
    }
}

/// An Alertmanager at work.
pub(super) struct RunningAlertmanager {
    process: Child,
    address: String,
}

impl Drop for RunningAlertmanager {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Alertmanager {
    fn start(scene: &Scene) -> Self {
        let webhook = TcpListener::bind("127.0.0.1:0").unwrap();
        webhook.set_nonblocking(true).unwrap();
        let config = json!({
            "route": {"receiver": "card", "group_by": ["alertname"], "group_wait": "0s", "group_interval": "1s"},
            "receivers": [{"name": "card", "webhook_configs": [{"url": format!("http://{}/", webhook.local_addr().unwrap())}]}],
        });
        Self { own: RunningAlertmanager::start(scene, &config.to_string()), webhook }
    }

    /// The next notification that it sends.
    #[track_caller]
    fn notification(&self) -> String {
        let mut stream = wait_for("a notification", || self.webhook.accept().ok()).0;
        stream.set_nonblocking(false).unwrap();
        let mut request = Vec::new();
        let body = loop {
            let mut some = [0; 4096];
            let count = stream.read(&mut some).unwrap();
            assert!(count > 0, "{request:?}");
            request.extend_from_slice(&some[..count]);
            let text = String::from_utf8_lossy(&request);
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap() {
                break body.to_owned();
            }
        };
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        body
    }
}

impl RunningAlertmanager {
    pub(super) fn start(scene: &Scene, config: &str) -> Self {
        let config = scene.env.file("alertmanager.yml", config);
        let address = format!("127.0.0.1:{}", closed_port());
        let mut alertmanager = Command::new("prometheus-alertmanager");
        alertmanager.arg(format!("--config.file={}", config.display()));
        alertmanager.arg(format!("--storage.path={}", scene.env.home().join("alertmanager").display()));
        alertmanager.args([&format!("--web.listen-address={address}"), "--cluster.listen-address="]);
        let process = alertmanager.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let started = Self { process, address };
        wait_until("Alertmanager", || TcpStream::connect(&started.address).is_ok());
        started
    }

    fn call(&self, method: &str, path: &str, body: &str) -> Value {
        let length = body.len();
        let request = format!(
            "{method} /api/v2/{path} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let (status, body) = exchange(&self.address, request.as_bytes());
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap_or_default()
    }

    pub(super) fn post(&self, alert: &Value) {
        self.post_all(std::slice::from_ref(alert));
    }

    pub(super) fn post_all(&self, alerts: &[Value]) {
        self.call("POST", "alerts", &json!(alerts).to_string());
    }

    /// The silences, the newest last.
    fn silences(&self) -> Vec<Value> {
        let mut silences = self.call("GET", "silences", "").as_array().unwrap().clone();
        silences.sort_by_key(|silence| silence["updatedAt"].as_str().map(str::to_owned));
        silences
    }

    fn alerts(&self, name: &str) -> Vec<Value> {
        self.call("GET", &format!("alerts?filter=alertname%3D%22{name}%22"), "").as_array().unwrap().clone()
    }
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/answer/alertmanager.sh")
}

/// With this program in its PATH.
fn with_path(cmd: Cmd, alertmanager: &Alertmanager) -> Cmd {
    let folder = Path::new(env!("CARGO_BIN_EXE_wecom-alert")).parent().unwrap();
    cmd.env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
        .env("ALERTMANAGER", format!("http://{}", alertmanager.address))
        .secret(CALLBACK_TOKEN)
        .secret(CALLBACK_AES_KEY)
}

/// Hands a notification to the script. The program runs it, so that it has the sealed environment.
fn notify(scene: &Scene, alertmanager: &Alertmanager, notification: &str) {
    let cmd = command(scene, &["run", "--on", "failure", "--", "/bin/sh"]).arg(script()).arg("notify");
    with_path(cmd, alertmanager).stdin(notification).run().assert_code(0);
}

fn text(card: &SentCard) -> String {
    card.face["sub_title_text"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn what_is_pressed_is_done_in_alertmanager_and_told_on_the_card() {
    if !["prometheus-alertmanager", "jq", "curl"].into_iter().all(needs) {
        return;
    }
    let scene = scene();
    let alertmanager = Alertmanager::start(&scene);
    let listening = with_path(command(&scene, &["listen", "--http", "127.0.0.1:0", "--", "/bin/sh"]), &alertmanager);
    let listening = started(&scene, listening.arg(script()));
    let url = format!("http://{}/", listening.address);
    let card = |index: usize| scene.wecom.app_cards().swap_remove(index);
    let press = |index: usize, key: &str, chosen: &[&str], said: &str| {
        let id = card(index).task_id;
        let delivered = scene.wecom.callback(&url).vote(&id, key, "zhangsan", &[("choice", chosen)]);
        assert!(delivered.is_taken(), "{delivered:?}");
        wait_until(said, || text(&card(index)).contains(said));
    };

    alertmanager.post(&json!({
        "labels": {"alertname": "DiskFull", "host": "web-3", "severity": "critical"},
        "annotations": {"summary": "disk full on web-3"},
    }));
    let firing = alertmanager.notification();
    for _ in 0..3 {
        notify(&scene, &alertmanager, &firing);
    }
    let first = card(0);
    assert!(first.task_id.starts_with("am-") && first.sent["button_selection"]["option_list"][1]["id"] == "2h");

    press(0, "mute", &["2h"], "muted by zhangsan for 2h");
    let silences = alertmanager.silences();
    let [muted] = silences.as_slice() else { panic!("{silences:?}") };
    let matcher = json!([{"isEqual": true, "isRegex": false, "name": "alertname", "value": "DiskFull"}]);
    assert_eq!((&muted["matchers"], &muted["createdBy"]), (&matcher, &json!("zhangsan")));
    let seconds = |at: &Value| {
        let at = chrono::DateTime::parse_from_rfc3339(at.as_str().unwrap()).unwrap();
        at.timestamp()
    };
    assert!((7199..=7200).contains(&(seconds(&muted["endsAt"]) - seconds(&muted["startsAt"]))), "{muted}");
    assert_eq!(alertmanager.alerts("DiskFull")[0]["status"]["state"], "suppressed");

    press(1, "ack", &["30m"], "acknowledged by zhangsan, silent for 4h");
    let acknowledged = alertmanager.silences().pop().unwrap();
    assert_eq!(acknowledged["comment"], "acknowledged by zhangsan");

    press(2, "refresh", &["30m"], "1 firing now, asked by zhangsan");
    wait_until("a fresh card", || scene.wecom.app_cards().len() == 4);
    assert_eq!(card(3).sent["button_list"], card(0).sent["button_list"]);
    assert_ne!(card(3).task_id, card(2).task_id);

    press(3, "close", &["30m"], "closed by zhangsan");
    assert_eq!(alertmanager.alerts("DiskFull"), [Value::Null; 0]);
    assert!(card(3).face["replace_text"].is_string(), "{:?}", card(3).face);

    // A card that nobody has pressed says itself that it is resolved.
    let mut load = json!({"labels": {"alertname": "HighLoad", "host": "web-4"}});
    alertmanager.post(&load);
    notify(&scene, &alertmanager, &alertmanager.notification());
    load["endsAt"] = json!(chrono::Utc::now().to_rfc3339());
    alertmanager.post(&load);
    let resolved = alertmanager.notification();
    let before = scene.wecom.messages().len();
    notify(&scene, &alertmanager, &resolved);
    assert_eq!(card(4).face["replace_text"], "Resolved");
    assert_eq!(scene.wecom.messages().len(), before);
    // Where the changes of the cards are used up, a message says it.
    notify(&scene, &alertmanager, &firing.replacen("\"firing\"", "\"resolved\"", 1));
    assert_eq!(scene.wecom.messages().len(), before + 1);

    let (run, told) = listening.stop();
    assert_eq!(run.code, Some(143), "{told}");
}
