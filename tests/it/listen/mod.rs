//! `listen` through the front door: requests to its address, the fake's aibot, programs that it runs.
#![cfg(unix)]

mod alertmanager;
mod callback;
mod check;
mod delivered;
mod http;

use std::fs::{self, File};
use std::path::PathBuf;

use serde_json::Value;

use crate::support::fake::{AGENT_ID, CORP_ID, FakeWecom, SECRET};
use crate::support::{Cmd, Run, Running, Scene, send_signal, wait_for, wait_until};
use callback::{AES_KEY, Answer, TOKEN, now, post, press_xml, sealed};

/// A profile with an app and its callback.
fn scene() -> Scene {
    with(FakeWecom::start())
}

fn with(wecom: FakeWecom) -> Scene {
    let base_url = wecom.base_url();
    let mut scene = Scene::with(wecom);
    scene.config = format!("default_profile = 'ops'\nbase_url = '{base_url}'\n");
    scene.profile(
        "ops",
        &format!(
            "corp_id = '{CORP_ID}'\nagent_id = {AGENT_ID}\nsecret = '{SECRET}'\nto_user = 'zhangsan'\ncallback_token = '{TOKEN}'\n\
             callback_aes_key = '{AES_KEY}'\n"
        ),
    )
}

fn command(scene: &Scene, args: &[&str]) -> Cmd {
    scene.bare(args).stdin_null().keeps_secret(&scene.wecom).secret(TOKEN).secret(AES_KEY)
}

/// A `listen` at work.
struct Listening {
    running: Running,
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
        Some(
            line.split_once("http://").map_or_else(String::new, |(_, rest)| rest.split(',').next().unwrap().to_owned()),
        )
    });
    Listening { running, address, out, err }
}

impl Listening {
    /// A press by callback.
    fn press(&self, task_id: &str, key: &str, userid: &str) -> Answer {
        self.press_with_code(task_id, key, userid, "")
    }

    fn press_with_code(&self, task_id: &str, key: &str, userid: &str, code: &str) -> Answer {
        self.send(&press_xml(CORP_ID, task_id, key, userid, code, now()))
    }

    fn send(&self, xml: &str) -> Answer {
        let (query, encrypted) = sealed(xml, CORP_ID, now(), TOKEN, AES_KEY);
        let body = format!(
            "<xml><ToUserName><![CDATA[{CORP_ID}]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
        );
        post(&self.address, &query, &body)
    }

    /// The lines on standard output so far.
    fn lines(&self) -> Vec<Value> {
        let told = fs::read_to_string(&self.out).unwrap();
        told.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
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

    fn stop(self) -> Run {
        send_signal("TERM", self.running.id());
        self.running.wait()
    }
}

fn empty() -> Answer {
    Answer { status: 200, body: String::new() }
}
