//! `listen` as a service: what it tells its manager and its log, how it stops, and what it is without.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use serde_json::Value;

use super::{command, listen, scene, script, send_card, started, wait_for_face};
use crate::support::fake::AIBOT_ID;
use crate::support::{send_signal, wait_for, wait_until};

#[test]
fn systemd_is_told_that_it_is_ready_lives_and_stops() {
    let scene = scene();
    let path = scene.env.home().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let cmd = command(&scene, &["listen", "--http", "127.0.0.1:0"])
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "200000");
    let listening = started(&scene, cmd);
    let told = || {
        let mut buffer = [0; 1024];
        let length = manager.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let ready = told();
    assert!(ready.starts_with("READY=1\nSTATUS=listens to callbacks of the app at http://127.0.0.1:"), "{ready}");
    assert_eq!([told(), told()], ["WATCHDOG=1", "WATCHDOG=1"]);
    listening.stop();
    wait_until("the last word", || told() == "STOPPING=1");
}

#[test]
fn each_event_is_a_line_of_the_log_without_text() {
    let scene = scene();
    let log = scene.env.home().join("log");
    let args = ["--log-file", log.to_str().unwrap(), "listen", "--http", "127.0.0.1:0"];
    let listening = started(&scene, command(&scene, &args));
    send_card(&scene, "t-1");
    listening.callback(&scene).press("t-1", "ack", "zhangsan");
    wait_for_face(&scene, 0, "lisi", "✓ zhangsan");
    let text = wait_for("the line", || fs::read_to_string(&log).ok().filter(|text| text.ends_with('\n')));
    let line: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&line["command"], &line["event"], &line["userid"]),
        (&"listen".into(), &"press".into(), &"zhangsan".into())
    );
    assert!(!text.contains("Disk full") && !text.contains("web-3"), "{text}");
    listening.stop();
}

#[test]
fn who_does_not_read_its_lines_holds_nothing_up() {
    let scene = scene();
    let cmd = command(&scene, &["listen", "--http", "127.0.0.1:0"]);
    let err = scene.env.home().join("err");
    let running = cmd.stderr_into(&fs::File::create(&err).unwrap()).stdout_broken().spawn();
    let address = wait_for("its address", || {
        let told = fs::read_to_string(&err).unwrap();
        Some(told.split_once("http://")?.1.split_once('\n')?.0.to_owned())
    });
    let callback = scene.wecom.callback(&format!("http://{address}/"));
    for number in 0..3 {
        send_card(&scene, &format!("t-{number}"));
        assert!(callback.press(&format!("t-{number}"), "ack", "zhangsan").is_taken());
        wait_for_face(&scene, number, "lisi", "✓ zhangsan");
    }
    send_signal("INT", running.id());
    running.wait().assert_code(130);
}

#[test]
fn what_runs_when_it_is_stopped_ends_and_what_waits_is_left_to_the_next_one() {
    let scene = scene();
    let program = script(
        &scene,
        "act",
        "echo \"$WECOM_ALERT_EVENT_TASK_ID\" >> \"$HOME/begun\"; while [ ! -e \"$HOME/go\" ]; do sleep 0.1; done; echo done",
    );
    let args = ["--jobs", "1", "--", &program];
    let listening = listen(&scene, &args);
    for task_id in ["t-1", "t-2"] {
        send_card(&scene, task_id);
        assert!(listening.callback(&scene).press(task_id, "ack", "zhangsan").is_taken());
    }
    let begun = || fs::read_to_string(scene.env.home().join("begun")).unwrap_or_default();
    wait_until("the first run", || begun().lines().count() == 1);
    wait_for_face(&scene, 1, "lisi", "it is being worked on");
    send_signal("TERM", listening.running.id());
    scene.env.file("go", "");
    let (address, err) = (listening.address.clone(), listening.err.clone());
    let run = listening.running.wait();
    let told = fs::read_to_string(err).unwrap();
    assert_eq!(run.code, Some(143), "{told}");
    assert!(told.contains("stopped by SIGTERM: an event waits on disk"), "{told}");
    assert_eq!(begun(), "t-1\n");
    wait_for_face(&scene, 0, "lisi", "done");
    assert!(std::net::TcpStream::connect(&address).is_err());
    let again = listen(&scene, &args);
    wait_until("the second run", || begun() == "t-1\nt-2\n");
    wait_for("the result", || scene.wecom.app_cards()[1].face_of("lisi").to_string().contains("done").then_some(()));
    again.stop();
}

#[test]
fn a_connection_that_is_gone_is_told_before_it_is_back() {
    let scene = scene();
    let listening = started(&scene, command(&scene, &["-P", "bot", "listen"]));
    let bot = scene.wecom.aibot(AIBOT_ID);
    wait_until("the connection", || bot.is_subscribed());
    bot.drop_connection();
    wait_until("it is back", || bot.subscriptions() == 2 && bot.is_subscribed());
    bot.kick();
    listening.wait_for_stderr("the aibot has no connection");
    // That it only moved was not told as an outage.
    assert_eq!(listening.stderr().matches("has no connection").count(), 1, "{}", listening.stderr());
    listening.stop();
}

#[test]
fn a_connection_that_somebody_else_keeps_ends_it() {
    let scene = scene();
    let mut listening = started(&scene, command(&scene, &["-P", "bot", "listen"]));
    let bot = scene.wecom.aibot(AIBOT_ID);
    wait_until("the connection", || bot.is_subscribed());
    // Whoever is refused has lost it.
    bot.set(|bot| bot.secret = "another-secret-than-before".to_owned());
    bot.drop_connection();
    let status = wait_for("its end", || listening.running.ended());
    assert_eq!(status.code(), Some(4), "{}", listening.stderr());
}
