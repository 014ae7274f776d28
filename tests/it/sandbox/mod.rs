//! The example `sandbox` as a newcomer runs it: the real binary talks to it, and its page shows and changes what happens.

mod browser;
mod hostile;
mod page;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::fake::{AIBOT_ID, AIBOT_SECRET};
use crate::support::{Cmd, TestEnv, wait_for};

/// The sandbox, built as these tests were, since a run of one test does not get it built.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let profile_folder = Path::new(env!("CARGO_BIN_EXE_wecom-alert")).parent().unwrap();
        let profile = profile_folder.file_name().unwrap().to_str().unwrap();
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--offline", "--example", "sandbox"])
            .args(["--profile", if profile == "debug" { "dev" } else { profile }])
            .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
            .arg("--target-dir")
            .arg(profile_folder.parent().unwrap())
            .status();
        assert!(built.unwrap().success(), "the sandbox cannot be built");
        profile_folder.join("examples/sandbox")
    })
}

/// A running sandbox, with an environment for the program that talks to it.
struct Sandbox {
    env: TestEnv,
    process: Child,
    /// What it has printed so far.
    printed: Arc<Mutex<String>>,
    address: String,
    /// The path before all others.
    prefix: String,
    token: String,
}

impl Sandbox {
    fn start(args: &[&str]) -> Self {
        let env = TestEnv::new();
        let mut process = Command::new(program())
            .args(args)
            .env("TMPDIR", env.home())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let printed: Arc<Mutex<String>> = Arc::default();
        let (lines, kept) = (BufReader::new(process.stdout.take().unwrap()), Arc::clone(&printed));
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                *kept.lock().unwrap() += &format!("{line}\n");
            }
        });
        let (address, prefix, token) = Default::default();
        let mut sandbox = Self { env, process, printed, address, prefix, token };
        sandbox.wait_for("list-members --recursive");
        let url = sandbox.exported("BASE_URL").unwrap();
        let rest = url.strip_prefix("http://").unwrap();
        let (address, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        (sandbox.address, sandbox.prefix) = (address.to_owned(), prefix.to_owned());
        let (_, _, page) = sandbox.get("/");
        let (_, rest) = page.split_once("name=\"sandbox-token\" content=\"").unwrap();
        rest.split('"').next().unwrap().clone_into(&mut sandbox.token);
        sandbox
    }

    fn url(&self) -> String {
        format!("http://{}{}/", self.address, self.prefix)
    }

    fn exported(&self, name: &str) -> Option<String> {
        let printed = self.printed.lock().unwrap();
        let (_, rest) = printed.split_once(&format!("export WECOM_ALERT_{name}="))?;
        Some(rest.lines().next()?.trim_matches('\'').to_owned())
    }

    #[track_caller]
    fn wait_for(&self, part: &str) {
        wait_for(part, || self.printed.lock().unwrap().contains(part).then_some(()));
    }

    fn types(&mut self, line: &str) {
        writeln!(self.process.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// The program, with the variables that the sandbox prints.
    fn cmd(&self, args: &[&str]) -> Cmd {
        let printed = self.printed.lock().unwrap();
        let exports = printed.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
        let cmd = self.env.cmd(args.iter().copied());
        exports.fold(cmd, |cmd, (name, value)| cmd.env(name, value.trim_matches('\'')))
    }

    /// A question that zhangsan gets by the aibot.
    fn ask(&self, args: &[&str]) -> Cmd {
        let config = format!("[profiles.default]\naibot_id = '{AIBOT_ID}'\naibot_secret = '{AIBOT_SECRET}'\n");
        let base = ["--output", "json", "ask", "--to-user", "zhangsan", "--title", "Disk almost full"];
        let cmd = self.env.cmd(base).args(args.iter().copied()).config(&config);
        let aibot_url = self.exported("AIBOT_URL").unwrap();
        cmd.env("WECOM_ALERT_AIBOT_URL", aibot_url).env("WECOM_ALERT_BASE_URL", format!("http://{}", self.address))
    }

    /// Any request: the status, the head, and the body of the answer.
    fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String, String) {
        let mut head = format!(
            "{method} {}{path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n",
            self.prefix,
            body.len()
        );
        if !headers.iter().any(|(name, _)| *name == "Host") {
            head += &format!("Host: {}\r\n", self.address);
        }
        headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_lowercase(), body.to_owned())
    }

    fn get(&self, path: &str) -> (u16, String, String) {
        self.request("GET", path, &[], "")
    }

    /// What the page itself would send.
    fn post(&self, path: &str, body: &str) -> (u16, String) {
        let origin = format!("http://{}", self.address);
        let (status, _, body) =
            self.request("POST", path, &[("Origin", &origin), ("X-Sandbox-Token", &self.token)], body);
        (status, body)
    }

    fn press(&self, card: usize, key: &str, user: &str) -> (u16, String) {
        self.post("/sandbox/press", &json!({"card": card, "key": key, "user": user}).to_string())
    }

    /// A message of the webhook, without the program, for many of them.
    fn webhook(&self, body: &Value) -> Value {
        let key = self.exported("WEBHOOK").unwrap();
        let path = format!("/cgi-bin/webhook/send?key={key}");
        let (_, _, answer) = self.request("POST", &path, &[("Content-Type", "application/json")], &body.to_string());
        serde_json::from_str(&answer).unwrap()
    }

    /// The events of the page from the beginning, or after one of them.
    fn events(&self, last_id: &str) -> Events {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let (address, prefix) = (&self.address, &self.prefix);
        let head = format!("Host: {address}\r\nLast-Event-ID: {last_id}\r\n\r\n");
        let head = format!("GET {prefix}/sandbox/events HTTP/1.1\r\n{head}");
        stream.write_all(head.as_bytes()).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        Events { stream, read: Vec::new() }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An open stream of server-sent events.
struct Events {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Events {
    /// Reads on until that is there; gives all that came so far.
    #[track_caller]
    fn wait_for(&mut self, part: &str) -> String {
        wait_for(part, || {
            let mut more = [0; 4096];
            if let Ok(count) = self.stream.read(&mut more) {
                self.read.extend(&more[..count]);
            }
            let text = String::from_utf8_lossy(&self.read).into_owned();
            text.contains(part).then_some(text)
        })
    }
}
