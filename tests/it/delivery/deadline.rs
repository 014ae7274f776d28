//! The deadline ends every wait: with a dead server a command of `--deadline 3s` is back within 3.5 s, whatever it waits
//! for. The one place where a time is held against a clock, so each state has three goes at it.
//!
//! Not here: a look-up that hangs, which loopback alone cannot show. It is under the same limit as the connection.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use wecom_alert::channel::Channel;

use super::{app, disk_full, group, sent_and_delivered};
use crate::results::document;
use crate::support::fake::tls::Certificate;
use crate::support::fake::{Endpoint, FakeWecom, OnConnect, Reply, closed_port};
use crate::support::{Cmd, Run, Scene, at_once, on_each_route, send_endpoint, wait_until};

const WITHIN: Duration = Duration::from_millis(3_500);

const GOES: usize = 3;

/// No other limit is in the way.
fn patient(cmd: Cmd) -> Cmd {
    cmd.args(["--deadline", "3s", "--connect-timeout", "10m", "--timeout", "10m"])
}

/// Fails unless a go was back in time, and each ended with that code. Each has a scene of its own.
fn assert_in_time(state: &str, code: i32, go: impl Fn() -> (Duration, Run)) {
    let mut times = Vec::new();
    for _ in 0..GOES {
        let (took, run) = go();
        assert_eq!(run.code, Some(code), "{state}\n{}", run.all());
        document(&run);
        if took <= WITHIN {
            return;
        }
        times.push(took);
    }
    panic!("{state}: {times:?}");
}

fn timed(cmd: Cmd) -> (Duration, Run) {
    let since = Instant::now();
    let run = patient(cmd).run();
    (since.elapsed(), run)
}

/// The files of that kind in a folder.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}

/// Keeps the only file of that kind locked.
fn lock(folder: &Path, extension: &str) -> File {
    let found = files(folder, extension);
    assert_eq!(found.len(), 1, "{found:?}");
    let file = File::options().read(true).write(true).open(&found[0]).unwrap();
    file.lock().unwrap();
    file
}

#[test]
fn while_the_connection_does_not_stand() {
    #[cfg(target_os = "linux")]
    const STATES: [fn(Channel); 3] = [in_a_tls_handshake, at_a_proxy_that_says_nothing, at_a_port_that_accepts_nobody];
    #[cfg(not(target_os = "linux"))]
    const STATES: [fn(Channel); 2] = [in_a_tls_handshake, at_a_proxy_that_says_nothing];
    at_once(on_each_route(STATES), |(route, state)| state(route));
}

#[test]
fn while_nothing_is_to_be_done() {
    let states = [between_repetitions as fn(Channel), for_a_slot];
    at_once(on_each_route(states), |(route, state)| state(route));
}

#[test]
fn while_somebody_else_has_a_lock() {
    let states = [
        for_the_lock_of_the_slots as fn(Channel),
        for_the_lock_of_the_slots_after_the_request,
        for_the_lock_of_a_cooldown,
    ];
    at_once(on_each_route(states), |(route, state)| state(route));
}

fn in_a_tls_handshake(route: Channel) {
    assert_in_time("handshake", 7, || {
        let scene = Scene::with(FakeWecom::builder().tls(Certificate::Good).start());
        scene.env.file("ca.pem", scene.wecom.ca_pem());
        scene.wecom.on_connections([OnConnect::Hang; 9]);
        timed(disk_full(&scene, route).args(["--ca-file", "ca.pem", "--retries", "100"]))
    });
}

/// On other systems a full queue refuses instead of leaving the caller to wait.
#[cfg(target_os = "linux")]
fn at_a_port_that_accepts_nobody(route: Channel) {
    use std::net::TcpStream;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let _entered = runtime.enter();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        queued.push(stream);
        assert!(queued.len() < 100, "the queue takes everybody");
    }
    let url = format!("http://{address}");
    assert_in_time("connect", 7, || {
        timed(disk_full(&Scene::new(), route).args(["--base-url", &url, "--retries", "100"]))
    });
}

fn at_a_proxy_that_says_nothing(route: Channel) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    // It is in the queue, which is as good as accepted, and nobody reads.
    assert_in_time("proxy", 7, || {
        let args = ["--proxy", &proxy, "--base-url", "https://wecom.example", "--retries", "100"];
        timed(disk_full(&Scene::new(), route).args(args))
    });
}

#[test]
fn for_an_answer() {
    let drip = Reply::Drip(Duration::from_millis(500));
    let cases = [
        ("answer", Endpoint::WebhookSend, Reply::HangAfterReading, 9),
        ("answer, unread", Endpoint::WebhookSend, Reply::HangBeforeReading, 9),
        ("answer in drops", Endpoint::WebhookSend, drip.clone(), 9),
        ("body", Endpoint::MessageSend, Reply::HangAfterHeaders, 7),
        ("answer to an app", Endpoint::MessageSend, Reply::HangAfterReading, 9),
        ("token", Endpoint::GetToken, Reply::HangAfterReading, 7),
        ("token in drops", Endpoint::GetToken, drip, 7),
        ("upload", Endpoint::WebhookUploadMedia, Reply::HangBeforeReading, 7),
    ];
    at_once(cases, |(state, endpoint, reply, code)| {
        assert_in_time(state, code, || {
            let scene = Scene::new();
            scene.wecom.always(endpoint, reply.clone());
            timed(match endpoint {
                Endpoint::WebhookSend => group(&scene, &["--retries", "100"]),
                Endpoint::WebhookUploadMedia => {
                    let file = scene.env.file("large.bin", vec![7; 1_000_000]);
                    scene.cmd(&["webhook-send", "--retries", "100", "--file"]).arg(file)
                }
                _ => app(&scene, &["--retries", "100"]),
            })
        });
    });
}

fn between_repetitions(route: Channel) {
    let refused = format!("http://127.0.0.1:{}", closed_port());
    assert_in_time("nobody listens", 7, || {
        timed(disk_full(&Scene::new(), route).args(["--base-url", &refused, "--retries", "100"]))
    });
}

#[test]
fn after_answers_that_change_nothing() {
    at_once([(Reply::status(502), 7), (Reply::errcode(-1, "busy"), 7), (Reply::status(429), 8)], |(reply, code)| {
        assert_in_time("always the same", code, || {
            let scene = Scene::new();
            scene.wecom.always(Endpoint::WebhookSend, reply.clone());
            timed(group(&scene, &["--retries", "100"]))
        });
    });
}

fn for_a_slot(route: Channel) {
    // One that comes too late, and one that comes in time and is lost to a server that does not answer.
    for (rate, code) in [("1/1m", 8), ("1/500ms", 9)] {
        assert_in_time(rate, code, || {
            let scene = Scene::new();
            disk_full(&scene, route).args(["--rate", rate]).run().assert_code(0);
            scene.wecom.always(send_endpoint(route), Reply::HangAfterReading);
            timed(disk_full(&scene, route).args(["--rate", rate, "--retries", "100"]))
        });
    }
}

#[test]
fn for_the_lock_of_the_token_cache() {
    at_once(["0", "100"], |retries| {
        assert_in_time("token cache", 7, || {
            let scene = Scene::new();
            scene.warm();
            files(&scene.env.cache(), "json").iter().for_each(|token| fs::remove_file(token).unwrap());
            let _locked = lock(&scene.env.cache(), "lock");
            scene.wecom.always(Endpoint::GetToken, Reply::HangAfterReading);
            timed(app(&scene, &["--retries", retries]))
        });
    });
}

fn for_the_lock_of_the_slots(route: Channel) {
    assert_in_time("pacing, before the request", 9, || {
        let scene = Scene::new();
        disk_full(&scene, route).args(["--rate", "20/1m"]).run().assert_code(0);
        scene.wecom.always(send_endpoint(route), Reply::HangAfterReading);
        let _locked = lock(&scene.env.state().join("pacing"), "json");
        timed(disk_full(&scene, route).args(["--rate", "20/1m", "--retries", "100"]))
    });
}

fn for_the_lock_of_the_slots_after_the_request(route: Channel) {
    assert_in_time("pacing, after the request", 9, || {
        let scene = Scene::new();
        scene.wecom.always(send_endpoint(route), Reply::HangAfterReading);
        let since = Instant::now();
        let running = patient(disk_full(&scene, route).args(["--rate", "20/1m", "--retries", "100"])).spawn();
        wait_until("the request", || scene.sends() == 1);
        let _locked = lock(&scene.env.state().join("pacing"), "json");
        let run = running.wait();
        (since.elapsed(), run)
    });
}

fn for_the_lock_of_a_cooldown(route: Channel) {
    assert_in_time("cooldown", 0, || {
        let scene = Scene::new();
        let send = || disk_full(&scene, route).args(["--cooldown", "1h", "--cooldown-key", "disk", "--retries", "100"]);
        scene.wecom.script(send_endpoint(route), [Reply::status(404)]);
        send().run().assert_code(3);
        let _locked = lock(&scene.env.state().join("cooldown"), "lock");
        let before = sent_and_delivered(&scene);
        let timed = timed(send());
        assert_eq!(sent_and_delivered(&scene), (before.0 + 1, before.1 + 1), "better twice than never");
        timed
    });
}
