//! A real Redis or Valkey on a free port of loopback, without files, ended with the test. `WECOM_ALERT_TEST_REDIS` names the
//! program, `redis-server` unless it is set.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use redis::{Client, Connection, FromRedisValue, cmd};

use crate::support::fake::closed_port;
use crate::support::{needs, needs_that, poll, send_signal};

/// How long one may take to start.
const START: Duration = Duration::from_secs(20);

pub(super) struct Server {
    process: Child,
    port: u16,
    options: Vec<String>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program() -> String {
    std::env::var("WECOM_ALERT_TEST_REDIS").unwrap_or_else(|_| "redis-server".to_owned())
}

impl Server {
    /// `None` where there is none to start.
    pub(super) fn start(options: &[&str]) -> Option<Self> {
        let program = program();
        let is_there = if program.contains('/') {
            needs_that(std::path::Path::new(&program).is_file(), &program)
        } else {
            needs(&program)
        };
        if !is_there {
            return None;
        }
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        // Somebody else may take the port meanwhile.
        let started = (0..5).find_map(|_| {
            let port = closed_port();
            let server = Self { process: spawn(&program, port, &options), port, options: options.clone() };
            server.answers().then_some(server)
        });
        Some(started.unwrap_or_else(|| panic!("{program} does not start")))
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A connection of the test's own, without a log-in.
    pub(super) fn connection(&self) -> Connection {
        let client = Client::open(self.url()).unwrap();
        client.get_connection_with_timeout(Duration::from_secs(5)).unwrap()
    }

    /// The answer to a command, given in words.
    #[track_caller]
    pub(super) fn call<T: FromRedisValue>(&self, words: &str) -> T {
        let mut words = words.split(' ');
        let mut command = cmd(words.next().unwrap());
        words.for_each(|word| {
            command.arg(word);
        });
        command.query(&mut self.connection()).unwrap()
    }

    /// The names of all keys, in order.
    pub(super) fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.call("KEYS *");
        keys.sort();
        keys
    }

    pub(super) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// It is there again, on the same port and empty.
    pub(super) fn start_again(&mut self) {
        self.process = spawn(&program(), self.port, &self.options);
        assert!(self.answers(), "it does not start again");
    }

    pub(super) fn stop(&self) {
        send_signal("STOP", self.process.id());
    }

    pub(super) fn go_on(&self) {
        send_signal("CONT", self.process.id());
    }

    /// Whether it comes to listen.
    fn answers(&self) -> bool {
        let is_there = || std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok().then_some(());
        poll(START, is_there).is_some()
    }
}

fn spawn(program: &str, port: u16, options: &[String]) -> Child {
    let mut server = Command::new(program);
    // Without the environment: a test looks for processes that it left behind by theirs.
    server.env_clear().args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    server.args(["--dir", "/tmp", "--databases", "2"]).args(options);
    server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}
