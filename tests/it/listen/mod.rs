//! `listen` through the front door: the fake presses cards and calls the address, programs are run.
#![cfg(unix)]

mod accept;
mod alertmanager;
mod check;
mod crashes;
mod delivered;
mod handlers;
mod http;
mod presses;
mod refused;
mod service;

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::support::fake::{AGENT_ID, AIBOT_ID, AIBOT_SECRET, CORP_ID, FakeWecom, SECRET};
use crate::support::fake::{
    AIBOT_CALLBACK_AES_KEY, AIBOT_CALLBACK_TOKEN, CALLBACK_AES_KEY, CALLBACK_TOKEN, Callback, CallbackRequest,
};
use crate::support::{Cmd, Run, Running, Scene, send_signal, wait_for, wait_until};

/// A profile with an app and its callback.
fn scene() -> Scene {
    with(FakeWecom::start())
}

fn with(wecom: FakeWecom) -> Scene {
    let (base_url, aibot_url) = (wecom.base_url(), wecom.aibot_url());
    let mut scene = Scene::with(wecom);
    scene.config = format!("default_profile = 'ops'\nbase_url = '{base_url}'\naibot_url = '{aibot_url}'\n");
    let app = format!("corp_id = '{CORP_ID}'\nagent_id = {AGENT_ID}\nsecret = '{SECRET}'\nto_user = 'zhangsan,lisi'\n");
    let callback = format!("callback_token = '{CALLBACK_TOKEN}'\ncallback_aes_key = '{CALLBACK_AES_KEY}'\n");
    let aibot = format!("aibot_id = '{AIBOT_ID}'\naibot_secret = '{AIBOT_SECRET}'\naibot_user = 'zhangsan'\n");
    let by_url = format!(
        "aibot_callback_token = '{AIBOT_CALLBACK_TOKEN}'\naibot_callback_aes_key = '{AIBOT_CALLBACK_AES_KEY}'\n"
    );
    let others = scene.profile("none", "").profile("bot", &aibot).profile("urlbot", &format!("{aibot}{by_url}"));
    others.profile("ops", &format!("{app}{callback}"))
}

fn command(scene: &Scene, args: &[&str]) -> Cmd {
    let cmd = scene.bare(args).stdin_null().keeps_secret(&scene.wecom);
    [CALLBACK_TOKEN, CALLBACK_AES_KEY, AIBOT_CALLBACK_TOKEN, AIBOT_CALLBACK_AES_KEY]
        .iter()
        .fold(cmd, |cmd, secret| cmd.secret(secret))
}

/// Sends a card with two buttons by the app.
fn send_card(scene: &Scene, task_id: &str) {
    let args = [
        "app-send",
        "--card",
        "button_interaction",
        "--title",
        "Disk full",
        "--field",
        "host=web-3",
        "--task-id",
        task_id,
    ];
    command(scene, &args).args(["--button", "ack=Take", "--button", "mute=Mute", "on /"]).run().assert_code(0);
}

/// A `listen` at work.
struct Listening {
    running: Running,
    /// `ADDRESS:PORT`, where it has one.
    address: String,
    out: PathBuf,
    err: PathBuf,
}

/// `listen` with the app's callback, once it is ready.
fn listen(scene: &Scene, args: &[&str]) -> Listening {
    started(scene, command(scene, &["listen", "--http", "127.0.0.1:0"]).args(args.iter().copied()))
}

fn started(scene: &Scene, cmd: Cmd) -> Listening {
    let number = fastrand::u64(..);
    let [out, err] = ["out", "err"].map(|name| scene.env.home().join(format!("{name}-{number}")));
    let (out_file, err_file) = (File::create(&out).unwrap(), File::create(&err).unwrap());
    let mut running = cmd.stdout_into(&out_file).stderr_into(&err_file).spawn();
    let address = wait_for("its address", || {
        let told = fs::read_to_string(&err).unwrap();
        assert!(running.ended().is_none(), "it has ended: {told}");
        let (_, rest) = told.split_once("listen: ")?;
        let (line, _) = rest.split_once('\n')?;
        let address = line.split_once("http://").map_or("", |(_, rest)| rest.split(',').next().unwrap());
        Some(address.to_owned())
    });
    Listening { running, address, out, err }
}

impl Listening {
    fn callback<'a>(&self, scene: &'a Scene) -> Callback<'a> {
        scene.wecom.callback(&format!("http://{}/wecom", self.address))
    }

    fn aibot_callback<'a>(&self, scene: &'a Scene) -> Callback<'a> {
        scene.wecom.aibot_callback(&format!("http://{}/", self.address))
    }

    /// The lines on standard output so far.
    fn lines(&self) -> Vec<Value> {
        let told = fs::read_to_string(&self.out).unwrap();
        // The last line may be under way.
        let whole = told.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn stderr(&self) -> String {
        fs::read_to_string(&self.err).unwrap()
    }

    #[track_caller]
    fn wait_for_lines(&self, count: usize) -> Vec<Value> {
        wait_until(&format!("{count} lines"), || self.lines().len() >= count);
        self.lines()
    }

    #[track_caller]
    fn wait_for_stderr(&self, part: &str) {
        wait_until(part, || self.stderr().contains(part));
    }

    /// Ends it, and returns how that was and all that it told on stderr.
    fn stop(self) -> (Run, String) {
        send_signal("TERM", self.running.id());
        let run = self.running.wait();
        (run, fs::read_to_string(&self.err).unwrap())
    }
}

/// A press on a card that nobody sent.
fn unknown_press(callback: &Callback<'_>, task_id: &str) -> CallbackRequest {
    callback.event("template_card_event", &[("EventKey", "ack"), ("TaskId", task_id), ("ResponseCode", "nothing")])
}

/// The status of the answer.
fn status(callback: &Callback<'_>, request: &CallbackRequest) -> u16 {
    callback.send(request).unwrap().status
}

/// Sends bytes, and reads the status and the body of what is answered; 0 where the connection was cut.
fn exchange(address: &str, request: &[u8]) -> (u16, String) {
    let Ok(mut stream) = TcpStream::connect(address) else { return (0, String::new()) };
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    // It may be refused before all is written.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    (status, answer.split_once("\r\n\r\n").map_or_else(String::new, |(_, body)| body.to_owned()))
}

/// A program in the home, whose lines a shell runs.
fn script(scene: &Scene, name: &str, lines: &str) -> String {
    let path = scene.env.file(name, format!("#!/bin/sh\n{lines}\n"));
    make_executable(&path);
    path.to_str().unwrap().to_owned()
}

fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
}

/// What a member sees of the app's card of that number.
fn face(scene: &Scene, number: usize, userid: &str) -> Value {
    scene.wecom.app_cards()[number].face_of(userid).clone()
}

/// Waits until a member sees that text on the app's card of that number, and returns what they see.
#[track_caller]
fn wait_for_face(scene: &Scene, number: usize, userid: &str, part: &str) -> Value {
    wait_for(part, || Some(face(scene, number, userid)).filter(|face| face.to_string().contains(part)))
}
