//! What cannot serve as shared state is refused by its name, and the alert goes out all the same: settings, log-ins, and
//! servers that are something else.

use std::io::{BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use serde_json::json;

use super::{Fleet, Server, passes, passes_without_store};
use crate::document::{assert_document, warnings};
use crate::support::{Scene, at_once};

const PASSWORD: &str = "test-password-of-store";

/// A server that answers commands in turn with these replies, the last of them again and again.
struct Canned(std::net::SocketAddr);

impl Canned {
    fn start(replies: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let replies: Vec<String> = replies.iter().map(|reply| format!("{reply}\r\n")).collect();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let replies = replies.clone();
                std::thread::spawn(move || answer(stream, &replies));
            }
        });
        Self(address)
    }

    fn url(&self) -> String {
        format!("redis://{}", self.0)
    }
}

fn answer(stream: TcpStream, replies: &[String]) -> Option<()> {
    let mut commands = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    for number in 0.. {
        read_command(&mut commands)?;
        let reply = replies.get(number).or(replies.last())?;
        stream.write_all(reply.as_bytes()).ok()?;
    }
    None
}

/// An array of strings.
fn read_command(commands: &mut impl std::io::BufRead) -> Option<()> {
    let mut line = String::new();
    commands.read_line(&mut line).ok()?;
    let count: usize = line.trim().strip_prefix('*')?.parse().ok()?;
    for _ in 0..count {
        line.clear();
        commands.read_line(&mut line).ok()?;
        let length: usize = line.trim().strip_prefix('$')?.parse().ok()?;
        commands.read_exact(&mut vec![0; length + 2]).ok()?;
    }
    Some(())
}

/// What a server says of itself.
fn greeting(version: &str, mode: &str, role: &str) -> String {
    let pairs = [("server", "redis"), ("version", version), ("mode", mode), ("role", role)];
    let said = pairs.iter().flat_map(|(name, value)| [name, value]);
    let said: String = said.map(|word| format!("\r\n${}\r\n{word}", word.len())).collect();
    format!("*{}{said}", 2 * pairs.len())
}

#[test]
fn a_server_that_cannot_serve_is_refused_by_name() {
    let good = greeting("7.0.15", "standalone", "master");
    let after = |reply: &'static str| vec![greeting("7.0.15", "standalone", "master"), reply.to_owned()];
    let cases = [
        (vec![greeting("7.0.15", "cluster", "master")], "it is a cluster", 3),
        (vec![greeting("7.0.15", "sentinel", "master")], "it is a sentinel", 3),
        (vec![greeting("7.0.15", "standalone", "replica")], "it is a replica", 3),
        (vec![greeting("5.0.9", "standalone", "master")], "older than Redis 6", 3),
        (vec!["-ERR unknown command `HELLO`, with args beginning with: `2`, ".to_owned()], "older than Redis 6", 3),
        (
            vec!["-NOAUTH HELLO must be called with the client already authenticated".to_owned()],
            "wants a user and a password",
            3,
        ),
        (vec!["-DENIED Redis is running in protected mode".to_owned()], "protected-mode", 3),
        (vec!["HTTP/1.1 400 Bad Request".to_owned()], "not the protocol of Redis", 3),
        (after("-LOADING Redis is loading the dataset in memory"), "still loading", 0),
        (after("-NOPERM this user has no permissions to run the 'evalsha' command"), "may not do this", 0),
        (after("-READONLY You can't write against a read only replica."), "it is a replica", 0),
        (after("-OOM command not allowed when used memory > 'maxmemory'."), "memory is full", 0),
        (after("-MOVED 3999 127.0.0.1:6381"), "it is a cluster", 0),
        (after("-BUSY Redis is busy running a script"), "busy with a script", 0),
        (after("-MISCONF Redis is configured to save RDB snapshots"), "MISCONF", 0),
        (after("-NOSCRIPT No matching script. Please use EVAL."), "keeps no scripts", 0),
        (after("-ERR unknown command `EVALSHA`, with args beginning with: "), "has no scripts", 0),
        (after("-ERR something \u{1b}[31mnew\u{7}"), "it answers ERR something", 0),
    ];
    at_once(cases, |(replies, why, code)| {
        let replies: Vec<&str> = replies.iter().map(String::as_str).collect();
        let (scene, server) = (Scene::new(), Canned::start(&replies));
        let cmd = scene.group(&["full"]).env("WECOM_ALERT_RATE", "20/1m").env("WECOM_ALERT_SHARED_STATE", server.url());
        passes_without_store(cmd, why);
        assert_eq!(scene.texts(), ["full"], "{why}");
        if code > 0 {
            let checked = scene.cmd(&["check"]).env("WECOM_ALERT_SHARED_STATE", server.url()).run().assert_code(code);
            assert!(checked.stdout.contains(why), "{why}: {}", checked.stdout);
        }
    });
    assert!(good.contains("standalone"));
}

#[test]
fn a_server_that_is_not_there_delays_no_alert() {
    let scene = Scene::new();
    let closed = format!("redis://127.0.0.1:{}", crate::support::fake::closed_port());
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let hangs = format!("redis://{}", silent.local_addr().unwrap());
    for (url, why) in [
        (closed.as_str(), "nothing listens there"),
        (&hangs, "300 ms"),
        ("redis://nowhere.invalid:6379", "its name is not found"),
        ("rediss://127.0.0.1:1", "nothing listens there"),
    ] {
        let began = std::time::Instant::now();
        let cmd = scene.app(&["full"]).env("WECOM_ALERT_SHARED_STATE", url);
        let run = cmd.run();
        let document = assert_document(&run, why, 0, &json!({"status": "sent"}));
        let mut told = warnings(&document);
        told.retain(|told| !told.contains("plain text"));
        // A resolver may take its time to say that there is no such name.
        assert!(told.len() == 1 && (told[0].contains(why) || told[0].contains("300 ms")), "{told:?}");
        assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    }
}

#[test]
fn a_wrong_address_costs_no_alert_and_is_an_error_where_nothing_is_sent() {
    for (url, what) in [
        ("http://u:test-password-of-store@r.example", "the scheme `http` is not supported"),
        ("unix:///run/redis.sock", "a socket file"),
        ("redis+sentinel://:test-password-of-store@r.example/main", "a sentinel is not supported"),
        ("redis://r.example:99999", "the port"),
    ] {
        let scene = Scene::new();
        let config = format!("shared_state = '{url}'\n");
        let run = scene.group(&["full"]).config(&config).secret(PASSWORD).run();
        let document = assert_document(&run, url, 0, &json!({"status": "sent"}));
        let told = warnings(&document);
        assert!(told.len() == 1 && told[0].contains(what) && told[0].contains("left out"), "{told:?}");
        let checked = scene.cmd(&["check"]).config(&config).secret(PASSWORD).run().assert_code(3);
        assert!(checked.stdout.contains(what), "{}", checked.stdout);
    }
    let scene = Scene::new();
    let config = "shared_state_file = 'missing'\n";
    let run = scene.app(&["full"]).config(config).run();
    let document = assert_document(&run, "no file", 0, &json!({"status": "sent"}));
    assert!(warnings(&document)[0].contains("cannot be read"), "{document}");
    scene.cmd(&["check"]).config(config).run().assert_code(3);
    let dry = scene.group(&["--dry-run", "full"]).config(config).run();
    assert_document(&dry, "a dry run asks nobody", 0, &json!({"warnings": []}));
    let both = "shared_state = 'redis://127.0.0.1'\nshared_state_file = 'x'\n";
    let run = scene.group(&["full"]).config(both).run();
    let document = assert_document(&run, "two forms", 0, &json!({"status": "sent"}));
    assert!(warnings(&document)[0].contains("two forms of one value"), "{document}");
}

#[test]
fn a_log_in_is_used_and_never_shown() {
    let Some(mut fleet) = Fleet::start() else { return };
    let user = format!(
        "ACL SETUSER alerts on >{PASSWORD} resetchannels ~wecom-alert:* +@read +@write +@scripting +@connection +time"
    );
    let _: String = fleet.store.call(&user);
    let url = |login: &str| format!("redis://{login}@127.0.0.1:{}", fleet.store.port());
    let send = |url: &str| {
        fleet
            .app(0, "full")
            .args(["-v", "--cooldown", "1ms"])
            .env("WECOM_ALERT_RATE", "20/1m")
            .env("WECOM_ALERT_SHARED_STATE", url)
            .secret(PASSWORD)
    };
    passes(send(&url(&format!("alerts:{PASSWORD}"))));
    assert!(!fleet.store.keys().is_empty());
    let file = fleet.machines[0].home().join("store.url");
    std::fs::write(&file, format!("{}\n", url(&format!("alerts:{PASSWORD}")))).unwrap();
    passes(send("").env("WECOM_ALERT_SHARED_STATE_FILE", &file));
    passes_without_store(
        send(&url(&format!("alerts:{PASSWORD}x"))).secret(&format!("{PASSWORD}x")),
        "refuses the user or the password",
    );
    fleet.forget_outages();
    let _: String = fleet.store.call("ACL SETUSER alerts -eval -evalsha");
    passes_without_store(send(&url(&format!("alerts:{PASSWORD}"))), "may not do this");
    fleet.forget_outages();
    fleet.store = Server::start(&["--requirepass", PASSWORD]).unwrap();
    let url = |login: &str| format!("redis://{login}127.0.0.1:{}", fleet.store.port());
    let send = |url: &str| fleet.app(0, "full").env("WECOM_ALERT_SHARED_STATE", url).secret(PASSWORD);
    passes(send(&url(&format!(":{PASSWORD}@"))));
    passes_without_store(send(&url("")), "wants a user and a password");
}

#[test]
fn plain_text_beyond_this_machine_is_warned_about() {
    let scene = Scene::new();
    let address = "redis://192.0.2.1:6379";
    let document = scene.app(&["full"]).env("WECOM_ALERT_SHARED_STATE", address).run().assert_code(0).json();
    let told = warnings(&document);
    assert!(told.iter().any(|told| told.contains(address) && told.contains("rediss://")), "{told:?}");
}

#[test]
fn the_scope_of_a_cooldown_needs_shared_state() {
    let scene = Scene::new();
    let scoped = scene.group(&["--cooldown", "1h", "--cooldown-scope", "fleet", "full"]).run();
    let document = assert_document(&scoped, "left out", 0, &json!({"status": "sent"}));
    assert!(warnings(&document)[0].contains("it needs `shared_state`"), "{document}");
}
